"""The reference page, and the examples an admin starts from."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from fs_dialer.config.daemon import DaemonSettings, load_settings
from fs_dialer.config.docs import reference
from fs_dialer.config.lead_file import LeadFile
from fs_dialer.config.leads_rows import GoodRow
from fs_dialer.config.load import load_paths, load_texts, with_companions
from fs_dialer.config.things import KINDS as THINGS
from fs_dialer.core.definition import Campaign, GatewayDefinition, Installation
from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import KINDS, declared
from fs_dialer.modes import SETTINGS

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_page_is_what_the_declarations_say() -> None:
    """Mend it with: python -m fs_dialer.config.docs > docs/reference/config.md"""
    assert (ROOT / "docs" / "reference" / "config.md").read_text(encoding="utf-8") == reference()


def test_the_page_names_every_setting_and_how_each_kind_is_written() -> None:
    page = reference()
    for cls in (Campaign, GatewayDefinition, Installation, DaemonSettings, *SETTINGS.values(), *(each.cls for each in THINGS.values())):
        for key in declared(cls):
            assert f"`{key}`" in page
    for kind in set(KINDS) - {"section"}:
        assert f"| {kind} |" in page
    for thing in THINGS:
        assert f"### `{thing}:`" in page
    for name in ("none", "us-tsr", "uk-ofcom"):
        assert f"| `{name}` |" in page


def test_the_modes_own_settings_have_names_that_no_common_setting_has() -> None:
    """They stand in the same table of the file."""
    for options in SETTINGS.values():
        assert not set(declared(options)) & {"type", "state", *declared(Campaign)}


def test_the_examples_are_without_a_problem() -> None:
    """`fs-dialer check conf/` is the first thing an admin runs."""
    found = load_paths([ROOT / "conf"])
    assert {campaign.id for campaign in found.campaigns} == {each.value for each in CampaignType} and len(found.agents) == 10
    assert found.installation is not None and found.installation.gateways
    kinds = {kind for kind, _ in found.library.named} | {"agents"}
    assert kinds == set(THINGS), "an admin finds an example of each kind of thing"


@pytest.mark.parametrize("campaign_type", [each.value for each in CampaignType])
def test_an_example_campaign_can_be_judged_with_what_lies_above_it(campaign_type: str) -> None:
    (campaign,) = load_paths(with_companions([ROOT / "conf" / "campaigns" / f"{campaign_type}.yml"])).campaigns
    assert campaign.type.value == campaign_type


def test_the_progressive_example_needs_no_more_than_agents_and_installation() -> None:
    """`init` writes it with these alone."""
    paths = [ROOT / "conf" / name for name in ("campaigns/progressive.yml", "agents.yml", "installation.yml")]
    assert len(load_paths(paths).campaigns[0].agents.people) == 10


PAGE = (ROOT / "docs" / "campaigns.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.spec("S1", "D18")
def test_the_files_on_the_page_for_admins_are_a_set_without_a_problem() -> None:
    found = load_texts(dict(BLOCKS))
    assert [campaign.type.value for campaign in found.campaigns] == [each.value for each in CampaignType]


def test_every_yaml_on_the_page_says_which_file_it_is() -> None:
    assert PAGE.count("```yaml") == len(BLOCKS)


def test_the_example_of_the_daemon_s_settings_is_without_a_problem() -> None:
    found = load_settings(ROOT / "conf" / "fs-dialer.yml", {"FS_DIALER_ESL_PASSWORD": "x"})
    assert found.dsn() == "postgresql:///fs_dialer" and found.esl_password() == "x"


def test_every_row_of_the_example_leads_is_good_in_the_example_installation() -> None:
    installation = load_paths([ROOT / "conf" / "installation.yml"]).installation
    assert installation is not None
    data = (ROOT / "conf" / "campaigns" / "leads.example.csv").read_bytes()
    rows = list(LeadFile(io.BytesIO(data), "leads.example.csv", region=installation.region).rows())
    assert len(rows) == 8 and all(isinstance(row, GoodRow) for row in rows)

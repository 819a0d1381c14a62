"""The reference page, and the examples an admin starts from."""

from __future__ import annotations

import io
from pathlib import Path

from fs_dialer.config.daemon import DaemonSettings, load_settings
from fs_dialer.config.docs import reference
from fs_dialer.config.leads_csv import GoodRow, LeadFile
from fs_dialer.config.load import load_paths, with_companions
from fs_dialer.core.definition import AgentDefinition, Campaign, GatewayDefinition, Installation
from fs_dialer.core.options import KINDS, declared
from fs_dialer.modes import OFFERED

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_page_is_what_the_declarations_say() -> None:
    """Mend it with: python -m fs_dialer.config.docs > docs/reference/config.md"""
    assert (ROOT / "docs" / "reference" / "config.md").read_text(encoding="utf-8") == reference()


def test_the_page_names_every_setting_and_how_each_kind_is_written() -> None:
    page = reference()
    for cls in (Campaign, AgentDefinition, GatewayDefinition, Installation, DaemonSettings, *(mode.Options for mode in OFFERED.values())):
        for key in declared(cls):
            assert f"`{key}`" in page
    for kind in set(KINDS) - {"section"}:
        assert f"| {kind} |" in page


def test_the_modes_own_settings_have_names_that_no_common_setting_has() -> None:
    """They stand in the same table of the file."""
    for mode in OFFERED.values():
        assert not set(declared(mode.Options)) & {"type", *declared(Campaign)}


def test_the_examples_are_without_a_problem() -> None:
    """`fs-dialer check conf/` is the first thing an admin runs."""
    found = load_paths([ROOT / "conf"])
    assert "progressive" in {campaign.id for campaign in found.campaigns} and len(found.agents) == 10
    assert found.installation is not None and found.installation.gateways


def test_the_example_campaign_can_be_judged_with_what_lies_above_it() -> None:
    found = load_paths(with_companions([ROOT / "conf" / "campaigns" / "progressive.yml"]))
    assert len(found.campaigns[0].agents.people) == len(found.agents) == 10


def test_the_example_of_the_daemon_s_settings_is_without_a_problem() -> None:
    found = load_settings(ROOT / "conf" / "fs-dialer.yml", {"FS_DIALER_ESL_PASSWORD": "x"})
    assert found.dsn() == "postgresql:///fs_dialer" and found.esl_password() == "x"


def test_every_row_of_the_example_leads_is_good_in_the_example_installation() -> None:
    installation = load_paths([ROOT / "conf" / "installation.yml"]).installation
    assert installation is not None
    data = (ROOT / "conf" / "campaigns" / "leads.example.csv").read_bytes()
    rows = list(LeadFile(io.BytesIO(data), "leads.example.csv", region=installation.region).rows())
    assert len(rows) == 8 and all(isinstance(row, GoodRow) for row in rows)

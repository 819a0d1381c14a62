"""docs/modes/*.md: one page for each mode, whose example is without a problem beside the files of docs/campaigns.md, and names settings that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fs_dialer.config.load import load_texts
from fs_dialer.core.model import CampaignId
from fs_dialer.modes import OFFERED

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"```yaml\n# (\S+)\n(.*?)```", re.DOTALL)
SHARED = dict(BLOCK.findall((DOCS / "campaigns.md").read_text(encoding="utf-8")))
PAGES = sorted((DOCS / "modes").glob("*.md"))


def test_every_mode_that_can_be_started_has_its_page() -> None:
    assert {page.stem for page in PAGES} == {each.value for each in OFFERED}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_example_of_a_mode_is_a_campaign_of_that_type_without_a_problem(page: Path) -> None:
    ((name, text),) = BLOCK.findall(page.read_text(encoding="utf-8"))
    teams = set(re.findall(r"teams: \[(\w+)\]", text)) - {"renewals"}  # which docs/campaigns.md has
    more = {"teams.yml": "teams:\n" + "".join(f"  {team}: {{people: [lan]}}\n" for team in teams)} if teams else {}
    found = load_texts(SHARED | more | {name: text})
    assert {campaign.id: campaign.type.value for campaign in found.campaigns}[CampaignId(Path(name).stem)] == page.stem


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_page_of_a_mode_is_linked_from_the_page_of_campaigns(page: Path) -> None:
    assert f"(modes/{page.name})" in (DOCS / "campaigns.md").read_text(encoding="utf-8")

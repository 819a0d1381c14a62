"""Definitions that were stored without their file, as the file would have been (fs_dialer/config/as_written.py)."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.config.as_written import as_written
from fs_dialer.config.library import Thing, read_things, resolve
from fs_dialer.core.definition import Campaign, Installation
from fs_dialer.core.model import CampaignId, CampaignType
from fs_dialer.core.resources import CallerIds, Team
from fs_dialer.modes import progressive
from fs_dialer.paths import conf_dir

pytestmark = pytest.mark.spec("X5")


def test_every_example_is_written_so_that_it_reads_back_to_the_same() -> None:
    """All kinds of things and all six types of campaigns, with every kind of setting they use."""
    things, _ = read_things([conf_dir()])
    library = resolve(things)
    values: dict[tuple[str, str], Any] = {**library.named}
    values |= {("agents", name): agent for name, agent in library.agents.items()}
    values |= {("campaign", name): campaign for name, campaign in library.campaigns.items()}
    values["installation", ""] = library.installation
    again = resolve([Thing(kind, name, as_written(value)) for (kind, name), value in values.items()])
    assert again.installation == library.installation
    assert dict(again.agents) == dict(library.agents)
    assert dict(again.named) == dict(library.named)
    # Rules that came from a set by name, and sounds, stand in the campaign itself then; they mean the same.
    assert dict(again.campaigns) == dict(library.campaigns)


def test_defaults_are_left_out() -> None:
    assert as_written(Installation()) == {}
    assert as_written(Team(name="sales")) == {}


def test_a_campaign_has_its_type_and_nothing_that_its_type_does_not_have() -> None:
    campaign = Campaign(id=CampaignId("spring"), type=CampaignType.PROGRESSIVE, caller_id=CallerIds(numbers=("+34910000000",)), options=progressive.Options())
    assert as_written(campaign) == {"type": "progressive", "caller_id": {"from": ["+34910000000"]}}

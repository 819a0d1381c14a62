"""The engine at one moment."""

from __future__ import annotations

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.model import AgentState, CallState, CampaignState, LegKind
from tests.core.builders import NOON, a_campaign, a_dialling_desk


def test_a_snapshot_counts_what_is_up() -> None:
    desk = a_dialling_desk(5, agents=2, leg=LegKind.NAILED, campaigns=[a_campaign(lines=9)])
    first = desk.all(act.OriginateLead)[0]
    desk.up(first.leg)
    desk.tell(ev.LegBridged(first.leg, desk.last(act.Bridge).agent_leg))
    seen = desk.dialer.snapshot()
    campaign = seen.campaigns[0]
    assert (seen.now, seen.switch_up, seen.store_up, seen.draining, seen.legs, seen.legs_limit) == (NOON, True, True, False, 4, 100)
    assert (campaign.lines, campaign.lines_limit, campaign.hopper, campaign.waiting, campaign.state) == (2, 9, 3, 0, CampaignState.RUNNING)
    assert campaign.calls_by_state == {CallState.BRIDGED: 1, CallState.DIALING: 1}
    assert sorted(a.state.value for a in seen.agents) == ["reserved", "talking"]


def test_a_snapshot_does_not_change_afterwards() -> None:
    desk = a_dialling_desk(1, agents=1)
    before = desk.dialer.snapshot()
    outcomes = dict(before.campaigns[0].outcomes)
    leg = desk.last(act.OriginateLead).leg
    desk.created(leg)
    desk.over(leg, "USER_BUSY", 486)
    assert before.campaigns[0].outcomes == outcomes and before.agents[0].state is AgentState.RESERVED


def test_a_campaign_that_does_not_run_says_why() -> None:
    desk = a_dialling_desk(1, agents=1)
    desk.command(ev.PauseCampaign, "spring")
    assert desk.campaign().because == "paused by hand"

"""The engine's own gates as read from a daemon's snapshot: caller ids and trunks, lines, agents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core.explain_engine import Engine, Health, agents_check, caller_id_check, engine, lines_check
from fs_dialer.core.leads import AGENTS, CALLER_ID, LINES, Check
from fs_dialer.core.model import AgentId, CampaignType
from fs_dialer.core.resources import CallerIds, CallerRoute
from fs_dialer.core.snapshot import as_json
from tests.core.builders import NOON, a_campaign, a_dialling_desk, a_lead

pytestmark = pytest.mark.spec("X1", "X7", "S57")

TWO = CallerIds(numbers=("+341", "+342"), sticky=True)
VIEW = {
    "id": "spring", "because": "one call for each of 2 free agents", "lines": 3, "lines_limit": 20, "waiting": 0, "hopper": 5,
    "crew": 12, "staying": 5, "idle": 2, "promised": 1,
}  # fmt: skip


def a_snapshot(**changes: Any) -> dict[str, Any]:
    breakers = [
        {"kind": "caller_id", "name": name, "health": health, "opened_at": None, "until": until, "failed": 0, "calls": 10, "said": said}
        for name, health, until, said in changes.pop("breakers", ())
    ]
    gateways = [{"id": name, "legs": 3, "lines": 30, "cps": 10.0, "room": room} for name, room in changes.pop("gateways", (("north", 27),))]
    agents = [{"id": "lan", "status": "available", "state": "idle"}, {"id": "hoa", "status": "available", "state": "talking"}]
    made = {"switch_up": True, "store_up": True, "draining": False, "legs": 7, "legs_limit": 60, "room": 50, "campaigns": [VIEW], "agents": agents}
    return {**made, "breakers": breakers, "gateways": gateways, **changes}


def seen(**changes: Any) -> Engine:
    return engine(a_snapshot(**changes), "spring")


def test_what_a_real_engine_publishes_is_read() -> None:
    desk = a_dialling_desk(5, agents=2, campaigns=[a_campaign(lines=9)])
    told = engine(as_json(desk.dialer.snapshot()), "spring")
    assert told.campaign is not None
    assert (told.campaign.crew, told.campaign.lines_limit, told.stops) == (2, 9, "")
    assert [trunk.name for trunk in told.trunks] == ["carrier"]
    check = caller_id_check(told, a_campaign(), None, NOON)
    assert check is not None and check.ok


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"store_up": False}, "the daemon can not reach the database: no new calls"),
        ({"switch_up": False}, "the switch is not connected: no new calls"),
        ({"draining": True}, "the daemon is stopping: no new calls"),
    ],
)
def test_what_stops_all_campaigns_is_told(changes: dict[str, bool], words: str) -> None:
    assert seen(**changes).stops == words


def test_a_campaign_that_the_daemon_has_not_read_is_none() -> None:
    assert engine(a_snapshot(), "autumn").campaign is None


def test_a_daemon_that_tells_less_is_asked_less() -> None:
    told = engine({name: value for name, value in a_snapshot().items() if name not in ("breakers", "gateways")}, "spring")
    assert caller_id_check(told, a_campaign(), None, NOON) is None


def test_one_healthy_way_is_enough() -> None:
    campaign = a_campaign(caller_id=TWO)
    told = seen(breakers=[("+341", "open", NOON + 60, "8 of the last 10 calls failed")])
    assert caller_id_check(told, campaign, None, NOON) == Check(CALLER_ID, True, "+342, no calls yet")


def test_where_every_way_rests_the_first_to_wake_says_until_when() -> None:
    campaign = a_campaign(caller_id=TWO)
    told = seen(breakers=[("+341", "open", NOON + 600, "5 failed"), ("+342", "open", NOON + 60, "8 failed; rests")])
    assert caller_id_check(told, campaign, None, NOON) == Check(CALLER_ID, False, "caller id +342: 8 failed; rests", NOON + 60)


def test_a_lead_that_must_see_one_number_waits_for_that_one() -> None:
    campaign = a_campaign(caller_id=TWO)
    told = seen(breakers=[("+341", "open", NOON + 600, "5 failed")])
    check = caller_id_check(told, campaign, a_lead(caller_id="+341"), NOON)
    assert check is not None and (check.ok, check.until) == (False, NOON + 600)


def test_a_rest_that_is_over_is_a_trial() -> None:
    told = seen(breakers=[("+34910000000", "open", NOON - 1, "8 failed")])
    check = caller_id_check(told, a_campaign(), None, NOON)
    assert check is not None and check.ok


def test_a_resting_gateway_shuts_its_ways_only() -> None:
    told = replace(seen(gateways=[("north", 5), ("south", 5)]), breakers=(Health("gateway", "north", "open", NOON, NOON + 60, "rests"),))
    anyway = caller_id_check(told, a_campaign(), None, NOON)
    bound = a_campaign(caller_id=CallerIds(numbers=("+341",), routes=(CallerRoute("+341", ("north",)),)))
    only = caller_id_check(told, bound, None, NOON)
    assert anyway is not None and anyway.ok
    assert only == Check(CALLER_ID, False, "gateway north: rests", NOON + 60)


@pytest.mark.spec("S41", "S58", "S59", "D2")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"campaigns": [{**VIEW, "lines": 20}]}, "all 20 lines of the campaign are in use"),
        ({"room": 0, "legs": 60}, "60 of 60 lines are in use, or the calls per second are used up"),
        ({"gateways": [("north", 0)]}, "gateway north: lines or calls per second are used up"),
    ],
)
def test_without_a_free_line_it_is_said_whose(changes: dict[str, Any], words: str) -> None:
    assert lines_check(seen(**changes), a_campaign()) == Check(LINES, False, words)


def test_a_free_line_is_counted() -> None:
    assert lines_check(seen(), a_campaign()) == Check(LINES, True, "7 of 60 in use")


def test_agents_are_counted_as_the_campaign_type_needs_them() -> None:
    nobody = seen(campaigns=[{**VIEW, "idle": 0}])
    assert agents_check(seen(), a_campaign(), None, NOON, 600) == Check(AGENTS, True, "2 of 12 agents idle")
    assert agents_check(nobody, a_campaign(), None, NOON, 600) == Check(AGENTS, False, "0 of 12 agents idle")
    ahead = agents_check(nobody, a_campaign(type=CampaignType.PREDICTIVE), None, NOON, 600)
    assert ahead is not None and ahead.ok
    assert agents_check(nobody, a_campaign(type=CampaignType.AUTOCALL), None, NOON, 600) is None


def test_a_promised_callback_waits_for_its_agent_and_then_for_anyone() -> None:
    mine, hers = a_lead(agent=AgentId("lan"), ready_at=NOON - 60), a_lead(agent=AgentId("hoa"), ready_at=NOON - 60)
    free = agents_check(seen(), a_campaign(), mine, NOON, 600)
    kept = agents_check(seen(), a_campaign(), hers, NOON, 600)
    anyone = agents_check(seen(), a_campaign(), hers, NOON + 600, 600)
    assert free is not None and free.ok
    assert kept is not None and (kept.ok, kept.until) == (False, NOON + 540)
    assert anyone is not None and anyone.ok

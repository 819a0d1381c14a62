"""How agents' time is counted by hour, and handed over once."""

from __future__ import annotations

from dataclasses import replace

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.agent import new_agent
from fs_dialer.core.agent_times import Clocks, doing
from fs_dialer.core.model import AgentState, AgentStatus, AgentTimes, LegKind
from tests.core.builders import ANA, NOON, a_campaign, a_desk, an_agent, some_leads

HOUR = NOON // 3600 * 3600


def rows(desk_rows: list[act.SaveAgentTimes], agent: str = "ana") -> list[AgentTimes]:
    return [row for action in desk_rows for row in action.rows if row.agent == agent]


def total(found: list[AgentTimes]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for row in found:
        for what, seconds in row.seconds:
            sums[what] = round(sums.get(what, 0.0) + seconds, 6)
    return sums


def test_every_minute_and_at_the_end_what_has_come_together_is_handed_over_once() -> None:
    desk = a_desk(agents=1)
    desk.wait(150.0)
    found = rows(desk.all(act.SaveAgentTimes))
    assert total(found) == {"ready": 120.0, "logged_in": 120.0} and [row.until for row in found] == [NOON + 60, NOON + 120]
    desk.tell(ev.DrainAsked())
    assert total(rows(desk.all(act.SaveAgentTimes))) == {"ready": 150.0, "logged_in": 150.0}


def test_each_hour_has_its_own_row() -> None:
    clocks = Clocks()
    clocks.moved(new_agent(an_agent(), AgentStatus.AVAILABLE, HOUR + 3500.0), HOUR + 3500.0)
    first, second = clocks.take(HOUR + 3700.0)
    assert (first.hour, dict(first.seconds)["ready"]) == (HOUR, 100.0)
    assert (second.hour, dict(second.seconds)["ready"]) == (HOUR + 3600.0, 100.0)
    assert clocks.take(HOUR + 3700.0) == ()


def test_a_break_counts_from_the_end_of_the_call_and_nobody_who_is_logged_out() -> None:
    ana = new_agent(an_agent(), AgentStatus.NOT_AVAILABLE, NOON)
    assert doing(ana) == "not_available"
    assert doing(replace(ana, state=AgentState.TALKING, call="c1")) == "talking"  # type: ignore[arg-type]
    assert doing(replace(ana, status=AgentStatus.LOGGED_OUT)) == ""
    assert doing(new_agent(an_agent(leg=LegKind.NAILED), AgentStatus.AVAILABLE, NOON)) == "not_available", "without his leg he can not be called"


def test_missed_offers_and_open_screens_are_counted() -> None:
    desk = a_desk(agents=1, campaigns=[a_campaign(people=["ana"], at_most_s=35.0, agent_ring_s=20.0)])
    desk.tell(ag.OpenScreen("w", "ana", ANA, 30.0))  # type: ignore[arg-type]
    desk.claimed(*some_leads(1))
    lead = desk.last(act.OriginateLead)
    desk.up(lead.leg)
    desk.wait(40.0)
    desk.over(lead.leg)
    desk.wait(25.0)
    found = rows(desk.all(act.SaveAgentTimes))
    assert sum(row.missed_offers for row in found) == 1
    assert total(found)["screen_open"] == 30.0 and total(found)["ringing"] >= 20.0

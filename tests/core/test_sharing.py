"""Who comes first when agents are few, fair shares of them, and what a campaign that dials ahead may count on."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.mode_port import Decision, Flow, Mode, View
from fs_dialer.core.model import AgentId, AgentStatus, AttemptId, CampaignId, CampaignType, LeadStatus, LegId, LegKind
from fs_dialer.core.promises import PROMISE_S
from fs_dialer.core.sharing import CALLBACK, DIALLING, QUEUE, Wanted, claims, counted_on, demand, standings
from fs_dialer.modes import OFFERED
from tests.core.builders import BOB, NAMES, AnyMode, Desk, a_campaign, a_desk, a_lead, an_installation, modes, placed, some_leads
from tests.core.test_callers import a_line, calls_in, queue, talks

PREDICTIVE = Flow(on_answer="music_then_agent", reserve_agent=False)
FLOWS = {CampaignType.PREDICTIVE: PREDICTIVE, CampaignType.CALLBACK: Flow(first_leg="agent")}


class Watched(AnyMode):
    """A predictive type that places nothing and remembers what it was shown."""

    seen: View

    def decide(self, view: View, now: float, campaign: Any, memory: Any) -> Decision:
        self.seen = view
        return Decision(because="it only looks")


def shared(*campaigns: Any, agents: int = 4, lines: tuple[Any, ...] = (), offered: dict[CampaignType, Mode] | None = None) -> Desk:
    """Nailed agents, parked, who serve all these campaigns and queues."""
    desk = a_desk(
        agents=agents,
        leg=LegKind.NAILED,
        campaigns=campaigns,
        offered=offered or modes(FLOWS, originate=0),
        installation=an_installation(lines=1000, cps=1000.0),
    )
    for line in lines:
        desk.tell(ag.QueueLoaded(line))
    for name in NAMES[:agents]:
        desk.nail(name)
    return desk


def one(id: str, type: CampaignType = CampaignType.PROGRESSIVE, agents: int = 4, **more: Any) -> Any:
    return a_campaign(id, type=type, people=NAMES[:agents], join=True, **more)


def away(desk: Desk, *names: str) -> None:
    for name in names:
        desk.tell(ev.SetAgentStatus("c", name, AgentId(name), AgentStatus.NOT_AVAILABLE))  # type: ignore[arg-type]


def back(desk: Desk, *names: str) -> None:
    for name in names:
        desk.tell(ev.SetAgentStatus("c", name, AgentId(name), AgentStatus.AVAILABLE))  # type: ignore[arg-type]


# --- the order of work ------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S86")
def test_callbacks_stand_before_queues_and_queues_before_campaigns_of_the_same_priority() -> None:
    desk = shared(one("spring"), one("back", CampaignType.CALLBACK), lines=(a_line(),))
    places = standings(desk.dialer._w)
    assert sorted(places, key=lambda c: places[c]) == ["back", "queue:support", "spring"]
    assert [places[CampaignId(c)][1] for c in ("back", "queue:support", "spring")] == [CALLBACK, QUEUE, DIALLING]


@pytest.mark.spec("S86")
def test_a_callback_campaign_rises_to_the_queues_priority_while_somebody_waits_in_it() -> None:
    desk = shared(one("spring", priority=5), one("back", CampaignType.CALLBACK, priority=-5), lines=(a_line(priority=9),))

    def order() -> list[CampaignId]:
        places = standings(desk.dialer._w)
        return sorted(places, key=lambda c: places[c])

    assert order() == ["queue:support", "spring", "back"]
    away(desk, *NAMES[:4])
    calls_in(desk)
    assert order() == ["back", "queue:support", "spring"]


def test_callers_come_before_a_campaign_of_the_same_priority_and_after_one_of_a_higher() -> None:
    for priority, first in ((0, "caller"), (1, "lead")):
        desk = shared(one("spring", agents=1, priority=priority), agents=1, lines=(a_line(people=("ana",)),))
        away(desk, "ana")
        desk.claimed(*some_leads(2))
        calls_in(desk)
        back(desk, "ana")
        assert ("lead" if desk.all(act.OriginateLead) else "caller") == first


def test_a_campaign_that_stands_above_keeps_only_as_many_agents_as_it_has_leads() -> None:
    desk = shared(one("spring", priority=1), lines=(a_line(people=NAMES[:4]),))
    away(desk, *NAMES[:4])
    desk.claimed(*some_leads(3))
    for n in range(3):
        calls_in(desk, f"caller-{n}")
    back(desk, *NAMES[:4])
    assert len(desk.all(act.OriginateLead)) == 3 and len(desk.all(act.Bridge)) == 1


def test_an_agent_whom_a_short_list_leaves_over_goes_to_the_next_campaign_at_once() -> None:
    desk = shared(one("spring", priority=1), one("autumn"))
    away(desk, *NAMES[:4])
    desk.claimed(*some_leads(1))
    desk.claimed(*some_leads(9, first=1001, campaign="autumn"), campaign="autumn")
    desk.tell(ev.StoreLost("while they come back"))
    back(desk, *NAMES[:4])
    desk.tell(ev.StoreBack())
    assert [c.attempt.campaign for c in desk.all(act.OriginateLead)] == ["spring", "autumn", "autumn", "autumn"]


def test_an_answered_customer_is_served_before_a_caller_who_came_earlier() -> None:
    """He was called by us and is missed within seconds; the caller came to wait."""
    desk = shared(one("winter", CampaignType.PREDICTIVE, agents=1), agents=1, lines=(a_line(people=("ana",)),), offered=modes(FLOWS, originate=1))
    desk.claimed(*some_leads(1, campaign="winter"), campaign="winter")
    lead = placed(desk).leg
    away(desk, "ana")
    calls_in(desk)
    desk.up(lead)
    back(desk, "ana")
    assert desk.last(act.Bridge).leg == lead


# --- callbacks that wait for an agent who is away -----------------------------------------------------------------------------------------


def promised_elsewhere(type: CampaignType, *others: Any, priority: int = 0) -> Desk:
    """Bob has promised a callback and is not there; Ana is idle and serves its campaign too."""
    back_ = a_campaign("back", people=("ana", "bob"), type=type, priority=priority, screen="not_needed", join=True)
    desk = a_desk(agents=2, leg=LegKind.NAILED, campaigns=[back_, *others], offered=OFFERED)
    for name in NAMES[:2]:
        desk.nail(name)
    away(desk, "bob")
    desk.tell(ag.QueueLoaded(a_line(people=("ana", "bob"))))
    desk.claimed(a_lead(5, campaign="back", agent=BOB, ready_at=desk.now, ready_why="promised", status=LeadStatus.CALLBACK_SCHEDULED), campaign="back")
    return desk


def test_a_caller_is_served_though_a_callback_waits_for_another_agent() -> None:
    desk = promised_elsewhere(CampaignType.CALLBACK)
    calls_in(desk)
    assert desk.last(act.Bridge).leg == "caller"


def test_another_campaign_gets_her_though_a_callback_waits_for_another_agent() -> None:
    desk = promised_elsewhere(CampaignType.PROGRESSIVE, a_campaign("other", people=("ana",)), priority=5)
    desk.claimed(a_lead(77, campaign="other"), campaign="other")
    assert placed(desk).attempt.lead == 77


@pytest.mark.parametrize("type", [CampaignType.CALLBACK, CampaignType.PROGRESSIVE])
def test_the_callback_is_his_when_he_comes_back_and_anyones_when_it_is_overdue(type: CampaignType) -> None:
    desk = promised_elsewhere(type)
    w = desk.dialer._w
    run = w.runs[CampaignId("back")]
    assert demand(w, run).nobody
    desk.wait(PROMISE_S + 1.0)
    assert w.agents[AgentId("ana")].call is not None and not run.promised
    desk = promised_elsewhere(type)
    back(desk, "bob")
    assert desk.agent("bob").call is not None and desk.agent("ana").call is None


def test_a_callers_queue_leaves_alone_whom_his_own_callback_waits_for() -> None:
    """And nobody else: the other agent, idle longer, is no substitute."""
    desk = promised_elsewhere(CampaignType.CALLBACK)
    w = desk.dialer._w
    w.idle[BOB] = None
    assert demand(w, w.runs[CampaignId("back")]) == Wanted(0, frozenset({BOB}))
    assert list(claims(w, standings(w), {CampaignId("back")})) == [BOB]


def test_who_will_call_back_as_soon_as_he_is_free_is_not_counted_on() -> None:
    desk, _ = watched(one("back", priority=-1), lines=(a_line(people=NAMES[:4]),))
    in_talk(desk, 2)
    names, _ = counted(desk)
    desk.claimed(a_lead(55, campaign="back", agent=AgentId(names[0]), ready_at=desk.now, ready_why="promised"), campaign="back")
    assert demand(desk.dialer._w, desk.dialer._w.runs[CampaignId("back")]).nobody and names[0] not in counted(desk)[0]


# --- forecasts --------------------------------------------------------------------------------------------------------------------------


def watched(*others: Any, lines: tuple[Any, ...] = (), agents: int = 4, **more: Any) -> tuple[Desk, Watched]:
    mode = Watched(CampaignType.PREDICTIVE, PREDICTIVE)
    offered = {**modes(FLOWS), CampaignType.PREDICTIVE: mode}
    desk = shared(one("winter", CampaignType.PREDICTIVE, agents=agents, **more), *others, agents=agents, lines=lines, offered=offered)
    return desk, mode


def in_talk(desk: Desk, count: int) -> None:
    """So many agents talk to callers, since one second after another."""
    for n in range(count):
        talks(desk, calls_in(desk, f"talk-{n}"))
        desk.wait(1.0)


def counted(desk: Desk, campaign: str = "winter") -> tuple[list[str], int]:
    w = desk.dialer._w
    busy, own = counted_on(w, w.runs[CampaignId(campaign)])
    return sorted(str(a.id) for a in busy), own


def test_agents_of_one_campaign_alone_count_whole() -> None:
    desk, _ = watched(agents=4)
    assert counted(desk) == ([], 4)


def test_a_busy_agent_of_two_campaigns_counts_in_each_with_its_share() -> None:
    desk, _ = watched(one("autumn"), lines=(a_line(people=NAMES[:4]),))
    desk.claimed(*some_leads(9, campaign="autumn"), campaign="autumn")
    for call in desk.all(act.OriginateLead):
        desk.up(call.leg)
        desk.tell(ev.LegBridged(call.leg, next(b.agent_leg for b in desk.all(act.Bridge) if b.leg == call.leg)))
    busy, own = counted(desk)
    assert len(busy) == 2 and own == 2


def test_weights_set_the_share() -> None:
    desk, _ = watched(one("autumn", weight=3))
    desk.claimed(*some_leads(9, campaign="autumn"), campaign="autumn")
    for call in desk.all(act.OriginateLead):
        desk.up(call.leg)
    assert counted(desk)[1] == 1


def test_a_campaign_without_leads_takes_nobody() -> None:
    desk, _ = watched(one("autumn"))
    assert counted(desk)[1] == 4


def test_who_is_wanted_by_a_callback_does_not_count_and_no_more_than_are_wanted() -> None:
    desk, _ = watched(one("back", CampaignType.CALLBACK), lines=(a_line(people=NAMES[:4]),))
    in_talk(desk, 4)
    assert counted(desk) == (["ana", "bob", "dan", "eva"], 4)
    desk.claimed(*some_leads(1, campaign="back"), campaign="back")
    assert counted(desk) == (["bob", "dan", "eva"], 3)
    desk.claimed(*some_leads(2, first=2, campaign="back"), campaign="back")
    assert counted(desk) == (["eva"], 1)


def test_callers_who_wait_take_the_next_agents_who_become_free() -> None:
    desk, _ = watched(lines=(a_line(people=NAMES[:4]),))
    in_talk(desk, 4)
    desk.over(LegId("talk-2"))  # dan rests now, and is free before those who talk
    calls_in(desk, "waits")
    assert counted(desk) == (["ana", "bob", "eva"], 3)


def test_a_campaign_of_higher_priority_takes_all_it_shares() -> None:
    desk, _ = watched(one("autumn", agents=3, priority=1))
    desk.claimed(*some_leads(9, campaign="autumn"), campaign="autumn")
    for call in desk.all(act.OriginateLead):
        desk.up(call.leg)
        desk.tell(ev.LegBridged(call.leg, next(b.agent_leg for b in desk.all(act.Bridge) if b.leg == call.leg)))
    assert counted(desk) == ([], 1)


@pytest.mark.parametrize("names", [("ana",), ("ana", "bob")])
def test_who_is_about_to_leave_does_not_count(names: tuple[str, ...]) -> None:
    desk, _ = watched(lines=(a_line(people=NAMES[:4]),))
    in_talk(desk, 4)
    away(desk, *names)
    busy, own = counted(desk)
    assert not set(names) & set(busy) and own == 4 - len(names)


def test_the_mode_is_shown_what_may_be_counted_on() -> None:
    desk, mode = watched(one("back", CampaignType.CALLBACK), lines=(a_line(people=NAMES[:4]),))
    in_talk(desk, 4)
    desk.claimed(*some_leads(1, campaign="back"), campaign="back")
    desk.claimed(*some_leads(1, campaign="winter", first=500), campaign="winter")
    clocks = mode.seen.clocks()
    assert (mode.seen.agents, mode.seen.idle, len(clocks.talking), len(clocks.wrapping)) == (3, 0, 3, 0)


# --- fair shares ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("weight", "share"), [(1, 0.5), (3, 0.75)])
def test_two_campaigns_and_a_queue_share_five_agents_fairly(weight: int, share: float) -> None:
    """The queue takes what its callers need; what is left goes to the campaigns by their weights, within 5 %."""
    desk = shared(one("spring", agents=5), one("autumn", agents=5, weight=weight), agents=5, lines=(a_line(people=NAMES[:5]),))
    leads = {"spring": 1, "autumn": 100_001}
    away(desk, *NAMES[:5])
    ends: list[tuple[float, LegId]] = []
    done: set[str] = set()
    callers = 0
    for step in range(600):
        for id in leads:
            if len(desk.dialer._w.runs[CampaignId(id)].hopper) < 10:
                desk.claimed(*some_leads(20, first=leads[id], campaign=id), campaign=id)
                leads[id] += 20
        if step == 0:
            back(desk, *NAMES[:5])
        if step % 7 == 0:
            calls_in(desk, f"caller-{step}")
            callers += 1
        for call in desk.all(act.OriginateLead):
            if call.leg not in done:
                done.add(call.leg)
                desk.up(call.leg)
        for bridge in desk.all(act.Bridge):
            if f"b{bridge.leg}" not in done:
                done.add(f"b{bridge.leg}")
                desk.tell(ev.LegBridged(bridge.leg, bridge.agent_leg))
                ends.append((desk.now + 5 + step % 11, bridge.leg))
        for _, leg in [e for e in ends if e[0] <= desk.now]:
            agent_leg = next(b.agent_leg for b in desk.all(act.Bridge) if b.leg == leg)
            desk.over(leg)
            desk.tell(ev.LegParked(agent_leg))
        ends = [e for e in ends if e[0] > desk.now]
        desk.wait(1.0)
    placed_by = {id: sum(1 for c in desk.all(act.OriginateLead) if c.attempt.campaign == id) for id in leads}
    assert placed_by["autumn"] / sum(placed_by.values()) == pytest.approx(share, abs=0.05)
    assert queue(desk).served + queue(desk).talking + queue(desk).waiting == callers and queue(desk).missed == 0
    assert sum(placed_by.values()) > 60


def test_two_hundred_callers_and_ten_agents() -> None:
    """All are served or let go, nobody twice; who was let go had waited his full time, and who was served came before him."""
    desk = shared(agents=10, lines=(a_line(people=NAMES[:10], max_wait_s=300.0, wrap_up_s=2.0),))
    for n in range(200):
        calls_in(desk, f"caller-{n:03}")
        if n % 10 == 0:
            desk.wait(0.1)
    assert queue(desk).waiting == 200  # ten of them are being bridged
    bridged: dict[LegId, tuple[float, LegId]] = {}
    for _ in range(400):
        for b in desk.all(act.Bridge):
            if b.leg not in bridged:
                desk.tell(ev.LegBridged(b.leg, b.agent_leg))
                bridged[b.leg] = (desk.now + 20.0, b.agent_leg)
        for leg, (at, agent_leg) in list(bridged.items()):
            if 0 < at <= desk.now:
                desk.over(leg)
                desk.tell(ev.LegParked(agent_leg))
                bridged[leg] = (-1.0, agent_leg)
        for hangup in desk.all(act.Hangup):
            desk.over(hangup.leg)
        desk.wait(1.0)
    left = desk.all(act.CallerLeft)
    view = queue(desk)
    assert len(left) == len({a.call for a in left}) == 200 and view.waiting == view.talking == 0
    assert [a.call for a in desk.all(act.CallerServed)] == [AttemptId(f"caller-{n:03}") for n in range(view.served)]
    assert view.served + view.missed == 200 and view.served > 100
    assert all(a.waited_s == pytest.approx(300.0, abs=1.5) for a in left if a.missed)
    desk.dialer.check_invariants()

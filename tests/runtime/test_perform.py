"""Actions become calls on the ports."""

from __future__ import annotations

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.model import (
    AgentId,
    AgentStatus,
    AgentTimes,
    Attempt,
    AttemptId,
    AttemptResult,
    CampaignState,
    CommandId,
    Lead,
    LeadReturn,
    LeadStatus,
    LeadUpdate,
    LegId,
    Outcome,
    SwitchId,
)
from fs_dialer.runtime import perform
from fs_dialer.runtime.ports import Switch
from tests.runtime.day import GATEWAY, NOON, SPRING, a_store

MADE_BY_THE_STORE = {
    act.ClaimLeads, act.ReturnLeads, act.CloseAttempt, act.StoreCampaignState, act.StoreAgentStatus, act.SaveMemory, act.Reply,
    act.TakeLeadNow, act.SaveAgentTimes, act.CallerServed, act.CallerLeft, act.OptOut, act.StoreSwitchDrained,
}  # fmt: skip
MADE_BY_THE_SHELL = {act.Drained, act.Note, act.Action, act.LegAction, act.ShowAgent, act.AskHttp, act.SwitchGivenUp}


def an_originate(lead: Lead, n: int = 1) -> act.OriginateLead:
    leg = LegId(f"leg-{n}")
    attempt = Attempt(AttemptId(f"attempt-{n}"), SPRING, 1, lead.id, leg, lead.number, GATEWAY, "+15550100000", None, NOON)
    return act.OriginateLead(leg, attempt, SwitchId("main"), lead.number, 20.0, False)


def test_every_action_has_somebody_who_does_it() -> None:
    every = {cls for cls in vars(act).values() if isinstance(cls, type) and issubclass(cls, act.Action)}
    assert every == set(perform.SWITCH_ACTIONS) | MADE_BY_THE_STORE | MADE_BY_THE_SHELL


def test_every_leg_action_calls_the_switchs_method_of_its_name() -> None:
    class Ear:
        heard: list[str]

        def __init__(self) -> None:
            self.heard = []

        def __getattr__(self, name: str) -> object:
            return lambda action: self.heard.append(name)

    ear = Ear()
    for rule in perform.SWITCH_ACTIONS.values():
        rule(ear, None)  # type: ignore[arg-type]
    assert sorted(ear.heard) == sorted(name for name in vars(Switch) if not name.startswith("_"))


def test_attempts_are_opened_in_order_and_a_refusal_names_its_gate() -> None:
    store = a_store(leads=2)
    first, second = store.claim_leads(SPRING, 2, [("America/New_York",)], NOON).leads
    store.do_not_call_add([second.number], "test")
    answers = perform.open_attempts(store, [an_originate(first, 1), an_originate(second, 2)])
    assert answers == [ev.AttemptOpened(AttemptId("attempt-1")), ev.AttemptRefused(AttemptId("attempt-2"), "do_not_call")]


def test_a_refusal_says_until_when() -> None:
    store = a_store(leads=1)
    (lead,) = store.claim_leads(SPRING, 1, [("America/New_York",)], NOON).leads
    store.mark_no_callback([lead.number], SPRING, NOON + 3600, "test")
    assert perform.open_attempts(store, [an_originate(lead, 1)]) == [ev.AttemptRefused(AttemptId("attempt-1"), "no_callback", NOON + 3600)]


def test_a_claim_comes_back_as_leads() -> None:
    store = a_store(leads=3)
    claimed = perform.claim(store, act.ClaimLeads(SPRING, 2, (("America/New_York",),)), NOON)
    assert [lead.number for lead in claimed.leads] == ["+12125550000", "+12125550001"]
    none_open = perform.claim(store, act.ClaimLeads(SPRING, 2, ()), NOON)
    assert none_open.leads == () and none_open.unfinished


def test_writes_reach_the_store_and_writing_them_twice_changes_nothing() -> None:
    store = a_store(leads=2)
    first, second = store.claim_leads(SPRING, 2, [("America/New_York",)], NOON).leads
    perform.open_attempts(store, [an_originate(first)])
    result = AttemptResult(AttemptId("attempt-1"), Outcome.BUSY, "USER_BUSY", 486, None, None, None, None, NOON + 3, missed=False, leg_seen=True)
    command = store.submit_command("pause", SPRING, {}, "test")
    writes: list[act.Action] = [
        act.CloseAttempt(result, LeadUpdate(first.id, LeadStatus.RETRY, 1, 0, NOON + 600)),
        act.ReturnLeads(SPRING, (LeadReturn(second.id, NOON + 5, "hours"),)),
        act.StoreAgentStatus(AgentId("ana"), AgentStatus.NOT_AVAILABLE, "lunch", "ana"),
        act.SaveMemory(SPRING, {"pace": 1.5}),
        act.Reply(command, True, "paused"),
        act.StoreCampaignState(SPRING, 1, CampaignState.PAUSED, False, "by hand", "test"),
    ]
    for _ in range(2):
        for action in writes:
            perform.write(store, action)
    assert store.open_attempts_found() == []
    assert store.outcome_totals() == {"busy": 1}
    stored = store.campaigns()[0]
    assert (stored.state, stored.reason, stored.memory) == (CampaignState.PAUSED, "by hand", {"pace": 1.5})
    assert store.agents()[0].status is AgentStatus.NOT_AVAILABLE
    assert store.pending_commands() == []


def test_what_nobody_writes_is_a_bug_and_said_so() -> None:
    with pytest.raises(TypeError, match="nothing to write for Drained"):
        perform.write(a_store(), act.Drained())


def test_a_starting_engine_is_told_lines_then_agents_then_campaigns() -> None:
    kinds = [type(event) for event in perform.loaded(a_store())]
    assert kinds == [ev.InstallationLoaded, *[ev.AgentLoaded] * 4, ev.TeamsLoaded, ev.CampaignLoaded]


@pytest.mark.spec("S29", "S30")
def test_a_lead_that_is_taken_comes_back_to_who_asked() -> None:
    store = a_store(leads=1)
    asked = act.TakeLeadNow(CommandId("c-1"), AgentId("lan"), SPRING, None, (("America/New_York",),), 1, None, NOON - 3600, False)
    taken = perform.take(store, asked, NOON)
    assert taken.lead is not None
    assert (taken.command_id, taken.agent, taken.campaign, taken.lead.number, taken.gate, taken.left) == ("c-1", "lan", SPRING, "+12125550000", "", 0)
    refused = perform.take(store, asked, NOON)
    assert (refused.lead, refused.gate, refused.left) == (None, "quota", 0)


def test_agents_times_are_saved() -> None:
    store = a_store()
    hour = NOON - NOON % 3600
    for _ in range(2):
        perform.write(store, act.SaveAgentTimes((AgentTimes(AgentId("lan"), hour, hour + 60, (("ready", 60.0),)),)))
    assert [dict(row.seconds) for row in store._db.agent_hours.values()] == [{"ready": 60.0}]


@pytest.mark.spec("D1", "S39")
def test_a_campaign_is_loaded_with_the_answers_of_its_day() -> None:
    (loaded,) = [event for event in perform.loaded(a_store()) if isinstance(event, ev.CampaignLoaded)]
    assert loaded.today == (0, 0)

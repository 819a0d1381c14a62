"""Autocall in virtual time: the flow as our own dialplan in the simulated switch, the production engine, a store in memory."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.flow import Ivr, Node, extension
from fs_dialer.core.model import AgentState, AgentStatus, CallState, LeadStatus, LegKind, Outcome
from fs_dialer.core.resources import CallerIds, Profile
from fs_dialer.modes.autocall import Machines
from fs_dialer.runtime.virtual import Service
from fs_dialer.sim.people import Behaviour
from tests.core.autocall_shift import URL, autocall, dues, files, over, presses, way
from tests.core.builders import an_agent
from tests.core.virtual_shift import Shift, number

REFUSES = Behaviour("refuse", 1.0, status=503)
LEAVES_VOICEMAIL = presses("1", patience_s=40.0)

# --- what becomes of a call (D13) -------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S50", "S51", "D13")
def test_whoever_answers_is_in_the_flow_at_once_and_its_end_is_a_success() -> None:
    shift = autocall(presses("0"), agents=())
    result, update = over(shift)
    (placed,) = shift.all(act.OriginateLead)
    assert placed.extension == extension(dues()) and placed.attempt.agent is None
    assert result.outcome is Outcome.CONNECTED and update.status is LeadStatus.SUCCEEDED and not result.missed
    assert way(result) == "main=0 wants=done bye=success" and result.left_at == ""
    assert not shift.all(act.EnterIvr) and not shift.all(act.RenewFallback), "nothing of ours touched his leg"
    assert shift.seen.to(number(1))[0].heard[:2] == ["hello.wav", "menu.wav"]


@pytest.mark.spec("D13")
def test_an_end_without_success_is_called_again_and_missed_by_nobody() -> None:
    shift = autocall(presses(), agents=())
    result, update = over(shift)
    assert (result.outcome, result.missed, update.status) == (Outcome.EARLY_HANGUP, False, LeadStatus.RETRY)
    assert way(result) == "unheard=other"


@pytest.mark.spec("D13", "D1")
@pytest.mark.parametrize(
    ("stay_s", "left_at"), [(1.0, "hello"), (3.5, "main"), (5.5, "main")], ids=["in the greeting", "in the prompt of the menu", "before the key"]
)
def test_who_hangs_up_before_the_end_has_left_where_he_was(stay_s: float, left_at: str) -> None:
    profile = Profile(early_hangup_is_missed=True)
    shift = autocall(presses("none", stay_s=stay_s), agents=(), compliance=profile)
    result, update = over(shift)
    assert (result.outcome, result.left_at, result.missed, update.status) == (Outcome.EARLY_HANGUP, left_at, False, LeadStatus.RETRY)


@pytest.mark.spec("M11")
def test_what_a_node_sets_is_set_on_the_lead() -> None:
    _, update = over(autocall(presses("0"), agents=()))
    assert update.set == (("wants_call", "yes"), ("by", "key"))


@pytest.mark.spec("D13", "S51")
def test_who_is_put_through_to_a_number_has_been_reached() -> None:
    """By the trunk over which he was called, showing the number that he saw."""
    shift = autocall(presses("#", talk_s=15.0), agents=())
    result, update = over(shift)
    assert (result.outcome, update.status) == (Outcome.CONNECTED, LeadStatus.SUCCEEDED)
    assert way(result) == "main=# number=answered"


# --- an agent ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S51", "S64")
@pytest.mark.parametrize("leg", [LegKind.NAILED, LegKind.PER_CALL])
def test_a_key_brings_an_agent_and_the_customer_has_been_reached(leg: LegKind) -> None:
    shift = autocall(presses("1"), nailed=("ana",) if leg is LegKind.NAILED else ())
    result, update = over(shift)
    assert (result.outcome, result.agent, update.status) == (Outcome.CONNECTED, "ana", LeadStatus.SUCCEEDED)
    assert way(result) == "main=1" and result.left_at == "adviser" and not result.missed
    assert result.bridged_at is not None and result.ended_at - result.bridged_at == pytest.approx(20.0, abs=1.0), "no timer of the flow cut the talk"
    shift.end()


@pytest.mark.spec("S62")
def test_an_agent_has_no_rest_after_an_autocall() -> None:
    shift = autocall(presses("1"), nailed=("ana",), wrap_up_s=60.0)
    over(shift)
    shift.wait(1.0)
    assert shift.agent("ana").state is AgentState.IDLE


@pytest.mark.spec("S64", "S45")
def test_whom_no_agent_serves_in_time_goes_on_in_the_flow_and_his_voice_mail_is_a_success() -> None:
    shift = autocall(LEAVES_VOICEMAIL, agents=(), at_most_s=10.0)
    result, update = over(shift)
    entered = shift.all(act.EnterIvr)
    assert [each.flow for each in entered] == [f"{extension(dues())}.message"]
    assert entered[0].at_most_s is not None and 100.0 < entered[0].at_most_s < 120.0, "what is left of his time in the flow"
    assert (result.outcome, update.status) == (Outcome.CONNECTED, LeadStatus.SUCCEEDED)
    assert way(result).startswith("main=1 message=") and int(result.ivr[-1].value if result.ivr[-1].node == "message" else result.ivr[1].value) > 0
    assert "local_stream://moh" in shift.seen.to(number(1))[0].heard


@pytest.mark.spec("D1")
def test_missed_is_who_wanted_an_agent_and_met_none() -> None:
    """He waits ten seconds; the time in the flow before he pressed the key is not counted."""
    nodes = (*dues().nodes, Node(name="sorry", do="play", sound="sorry.wav", next="unheard"))
    nodes = tuple(node if node.name != "adviser" else Node(name="adviser", do="connect", otherwise="sorry") for node in nodes)
    shift = autocall(presses("1"), agents=(), at_most_s=10.0, ivr=dues(nodes=nodes))
    result, update = over(shift)
    assert result.answered_at is not None and way(result) == "main=1 unheard=other"
    assert (result.outcome, result.missed, update.status) == (Outcome.MISSED, True, LeadStatus.RETRY)


@pytest.mark.spec("D1")
def test_who_hangs_up_while_he_waits_within_the_time_is_an_early_hangup() -> None:
    result, _ = over(autocall(presses("1", stay_s=14.0), agents=(), at_most_s=60.0))
    assert (result.outcome, result.missed, result.left_at) == (Outcome.EARLY_HANGUP, False, "adviser")


@pytest.mark.spec("D10", "S47")
def test_without_a_way_on_he_hears_the_notice_and_is_let_go() -> None:
    nodes = tuple(node if node.name != "adviser" else Node(name="adviser", do="connect") for node in dues().nodes)
    shift = autocall(presses("1"), agents=(), at_most_s=5.0, notice="sorry.wav", ivr=dues(nodes=nodes))
    result, _ = over(shift)
    assert result.outcome is Outcome.MISSED and "sorry.wav" in shift.seen.to(number(1))[0].heard


@pytest.mark.spec("S64")
def test_a_key_may_have_agents_of_its_own() -> None:
    """bob serves the key, ana the campaign: she is free, and is not asked."""
    nodes = tuple(node if node.name != "adviser" else Node(name="adviser", do="connect", people=("bob",)) for node in dues().nodes)
    shift = autocall(presses("1"), agents=("ana",), ivr=dues(nodes=nodes), at_most_s=5.0)
    shift.give(ev.AgentLoaded(an_agent("bob"), AgentStatus.AVAILABLE))
    result, _ = over(shift)
    assert result.agent == "bob"


@pytest.mark.spec("S46")
def test_an_agent_who_does_not_come_is_followed_by_the_next() -> None:
    shift = autocall(presses("1"), agents=("ana", "bob"), agent_ring_s=10.0)
    shift.switch.people.script["ana"] = [Behaviour("ring")]  # type: ignore[attr-defined]
    result, _ = over(shift)
    assert result.agent == "bob"
    shift.end()


def test_keys_pressed_while_he_waits_for_an_agent_change_nothing() -> None:
    shift = autocall(presses("1", keys=((12.0, "9"), (13.0, "2"))), agents=(), at_most_s=10.0)
    result, _ = over(shift)
    assert not shift.all(act.OptOut) and "stop" not in way(result)


# --- do not call me ---------------------------------------------------------------------------------------------------------------------


def test_an_opt_out_is_told_at_once_and_the_lead_is_blocked() -> None:
    shift = autocall(presses("9"), agents=())
    shift.until(lambda: shift.all(act.OptOut), "he has opted out")
    assert not shift.all(act.CloseAttempt), "he is still up"
    (told,) = shift.all(act.OptOut)
    assert (told.number, told.list, told.campaign, told.kept) == (number(1), "own", "spring", (f"{shift.all(act.OriginateLead)[0].leg}.opt_out",))
    _, update = over(shift)
    assert update.status is LeadStatus.BLOCKED and shift.lead()[0] == "blocked"
    assert not shift.switch.database, "the row in the switch is settled"


# --- a service --------------------------------------------------------------------------------------------------------------------------


def _service(paid: str, takes_s: float = 0.5) -> Service:
    return lambda ask: (takes_s, ev.HttpAnswered(ask.call, ask.node, bool(paid), (("paid", paid),) if paid else ()))


@pytest.mark.spec("S51", "D7")
def test_a_service_is_asked_and_its_answer_decides() -> None:
    shift = autocall(presses("2"), agents=(), service=_service("yes"))
    result, _ = over(shift)
    (asked,) = shift.all(act.AskHttp)
    assert (asked.url, asked.take, dict(asked.send)) == (URL, ("paid",), {"number": number(1), "main": "2"})
    (entered,) = shift.all(act.EnterIvr)
    assert entered.variables == (("fsd_v_paid", "yes"),)
    assert way(result) == "main=2 wants=done bye=success"


@pytest.mark.spec("D13")
@pytest.mark.parametrize(("paid", "path", "status"), [("yes", "main=2 balance=success", LeadStatus.SUCCEEDED), ("", "main=2", LeadStatus.RETRY)])
def test_a_service_that_answers_at_the_last_node_ends_the_flow_well(paid: str, path: str, status: LeadStatus) -> None:
    nodes = tuple(replace(node, next="", otherwise="") if node.name == "balance" else node for node in dues().nodes)
    result, update = over(autocall(presses("2"), agents=(), ivr=dues(nodes=nodes), service=_service(paid)))
    assert (way(result), update.status) == (path, status)
    assert result.left_at == ("" if paid else "balance")


def test_a_service_that_hangs_costs_the_customer_its_time_out_and_no_more() -> None:
    shift = autocall(presses("2"), agents=())
    result, _ = over(shift)
    assert way(result) == "main=2 unheard=other"
    assert result.answered_at is not None and result.ended_at - result.answered_at < 20.0


def test_an_answer_that_comes_after_the_flow_has_helped_itself_is_nothing() -> None:
    shift = autocall(presses("2"), agents=(), service=lambda ask: (3.9, ev.HttpAnswered(ask.call, "other", True)))
    result, _ = over(shift)
    assert not shift.all(act.EnterIvr) and way(result) == "main=2 unheard=other"


# --- answering machines -----------------------------------------------------------------------------------------------------------------

MACHINE = Behaviour("answer", 1.0, machine=True, stay_s=60.0)


@pytest.mark.parametrize("detect", ["amd", "avmd"])
def test_a_machine_is_let_go_and_counted_apart(detect: str) -> None:
    shift = autocall(MACHINE, agents=(), machines=Machines(detect=detect))
    result, update = over(shift)
    assert (result.outcome, update.status) == (Outcome.MACHINE, LeadStatus.RETRY)
    assert result.answered_at is not None and result.ended_at - result.answered_at < 40.0
    assert shift.view().answered == 0, "no person"


@pytest.mark.spec("D13")
@pytest.mark.parametrize(("succeeds", "status"), [(False, LeadStatus.RETRY), (True, LeadStatus.SUCCEEDED)])
@pytest.mark.parametrize("detect", ["amd", "avmd"])
def test_a_machine_is_told_the_message_and_only_where_the_option_says_so_is_that_a_success(detect: str, succeeds: bool, status: LeadStatus) -> None:
    machines = Machines(detect=detect, then="message", message="call-us.wav", succeeds=succeeds)
    shift = autocall(MACHINE, agents=(), machines=machines)
    result, update = over(shift)
    assert (result.outcome, update.status) == (Outcome.MACHINE, status)
    assert shift.seen.to(number(1))[0].heard[-1] == "call-us.wav"


def test_a_machine_that_hangs_up_in_the_midst_of_the_message_was_left_none() -> None:
    machines = Machines(detect="amd", then="message", message="call-us.wav", succeeds=True)
    shift = autocall(Behaviour("answer", 1.0, machine=True, stay_s=5.0), agents=(), machines=machines)
    result, update = over(shift)
    assert (result.outcome, update.status) == (Outcome.MACHINE, LeadStatus.RETRY)


def test_a_machine_may_go_on_as_a_person_would() -> None:
    shift = autocall(MACHINE, agents=(), machines=Machines(detect="amd", then="go_on"))
    result, _ = over(shift)
    assert result.outcome is Outcome.MACHINE and way(result) == "unheard=other"


# --- tickets ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S63", "S15")
@pytest.mark.parametrize(
    ("customer", "agents", "wanted", "ticket"),
    [
        (presses("1"), ("ana",), "on_agent_or_voicemail", "call"),
        (LEAVES_VOICEMAIL, (), "on_agent_or_voicemail", "voicemail"),
        (presses("0"), (), "on_agent_or_voicemail", ""),
        (presses("0"), (), "yes", "call"),
        (presses("1"), ("ana",), "no", ""),
    ],
)
def test_a_ticket_is_made_for_a_call_that_met_an_agent_or_left_voice_mail(customer: Behaviour, agents: tuple[str, ...], wanted: str, ticket: str) -> None:
    result, _ = over(autocall(customer, agents=agents, tickets=wanted, at_most_s=10.0))
    assert result.ticket == ticket


# --- lines and pace -----------------------------------------------------------------------------------------------------------------------


def _most_at_once(shift: Shift) -> int:
    legs = shift.seen.leads
    steps = [(leg.created_at, 1) for leg in legs] + [(leg.ended_at, -1) for leg in legs if leg.ended_at is not None]
    return max(accumulate(step for _, step in sorted(steps)))


@pytest.mark.spec("S58")
@pytest.mark.parametrize("lines", [1, 7])
def test_a_campaign_calls_as_many_at_a_time_as_its_lines(lines: int) -> None:
    shift = autocall(presses("0"), agents=(), leads=30, at_once=lines)
    over(shift, 30, 900.0)
    assert _most_at_once(shift) == lines
    shift.end()


@pytest.mark.spec("S59", "S60", "D2")
def test_the_installation_s_lines_are_a_limit_for_all_together() -> None:
    """Agents' legs count as well: the lines are 10, one is ana's."""
    shift = autocall(presses("0"), nailed=("ana",), leads=60, at_once=100, lines=10)
    over(shift, 60, 900.0)
    assert _most_at_once(shift) == 9


@pytest.mark.spec("D2")
def test_calls_per_second_hold_with_nobody_idle_and_nothing_stalls() -> None:
    shift = autocall(presses("0"), agents=(), leads=40, at_once=100, cps=2.0)
    over(shift, 40, 120.0)
    times = sorted(leg.created_at for leg in shift.seen.leads)
    assert all(later - earlier > 0.9 for earlier, later in zip(times, times[2:], strict=False))
    assert times[-1] - times[0] < 25.0


def test_an_autocall_campaign_takes_no_agents_from_others_to_dial() -> None:
    shift = autocall(presses("0"), agents=("ana",), leads=20, at_once=1)
    shift.until(lambda: CallState.IN_IVR in shift.view().calls_by_state, "somebody is in the flow")
    assert shift.agent("ana").state is AgentState.IDLE
    run = shift.runtime.dialer._w.runs[shift.campaign.id]
    assert not run.competes


# --- how often, and by which number -------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S62", "S10", "S11")
def test_a_customer_who_does_not_answer_is_called_so_often_and_with_the_gap_between() -> None:
    shift = autocall(Behaviour("refuse", 8.0, status=480), agents=(), max_attempts=2, gap_s=1800.0)
    shift.until(lambda: shift.lead()[0] == "exhausted", "all calls are used up", 4 * 3600.0)
    first, second = shift.seen.to(number(1))
    assert first.ended_at is not None and 1800.0 <= second.created_at - first.ended_at <= 1900.0


@pytest.mark.spec("S54", "S55", "S56", "S61")
@pytest.mark.parametrize(("order", "numbers", "most"), [("fixed", 3, 1), ("random", 3, 3), ("random", 1, 1)])
def test_the_number_shown_is_one_or_changes_by_chance(order: str, numbers: int, most: int) -> None:
    shown = tuple(f"+3491000000{n}" for n in range(numbers))
    shift = autocall(presses("0"), agents=(), leads=30, caller_id=CallerIds(numbers=shown, order=order))
    over(shift, 30)
    used = {placed.attempt.caller_id for placed in shift.all(act.OriginateLead)}
    assert len(used) == most and used <= set(shown)
    assert {dict(placed.variables)["fsd_caller_id"] for placed in shift.all(act.OriginateLead)} == used


@pytest.mark.spec("S57")
def test_a_number_that_can_not_call_is_left_alone_and_its_customers_are_called_by_others() -> None:
    """The first number's calls all fail; after a few of them it rests, and those who are left are reached by the other one."""
    bad = "+34910000000"
    shift = autocall(presses("0"), agents=(), leads=40, at_once=3, gap_s=600.0, caller_id=CallerIds(numbers=(bad, "+34910000001"), order="fixed"))
    people = shift.switch.people
    fine = people.behaviour
    people.behaviour = lambda e, v, r, now=0.0: REFUSES if v.get("origination_caller_id_number") == bad else fine(e, v, r, now)  # type: ignore[assignment, method-assign]
    shift.until(lambda: sum(1 for c in shift.database.closed.values() if c.result.outcome is Outcome.CONNECTED) >= 30, "the others are reached", 900.0)
    by_bad = [placed for placed in shift.all(act.OriginateLead) if placed.attempt.caller_id == bad]
    assert 3 <= len(by_bad) < 15
    shift.end()


# --- which flow the switch has --------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D5")
def test_a_flow_that_the_switch_does_not_have_is_not_dialled_and_said() -> None:
    shift = autocall(presses("0"), agents=(), dialplan=())
    shift.wait(60.0)
    assert not shift.all(act.OriginateLead) and not shift.all(act.ClaimLeads)
    assert shift.view().because == "the flow dues of revision 1 is not in the switch: fs-dialer switch reload"
    assert any(note.name == "flow_missing" for note in shift.all(act.Note))


def test_once_it_is_there_the_calls_begin() -> None:
    shift = autocall(presses("0"), agents=(), dialplan=())
    shift.wait(10.0)
    shift.switch.files = lambda: files(dues())
    shift.switch.api("reloadxml", shift.now)
    result, _ = over(shift)
    assert result.outcome is Outcome.CONNECTED


@pytest.mark.spec("D5")
def test_another_revision_of_the_flow_is_another_flow() -> None:
    other = Ivr(name="dues", nodes=(Node(name="bye", do="end", sound="other.wav"),))
    shift = autocall(presses("0"), agents=(), dialplan=files(other))
    shift.wait(30.0)
    assert not shift.all(act.OriginateLead)

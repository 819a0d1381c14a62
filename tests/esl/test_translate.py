"""A switch's events as the engine's: by hand, and over every recording of a real FreeSWITCH."""

from __future__ import annotations

import pytest

from fs_dialer.core import events as ev
from fs_dialer.core.model import AgentId, AttemptId, GatewayId, LegId, SwitchId
from fs_dialer.esl.translate import FOR_THE_PORT, RULES, SUBCLASSES, SUBSCRIBE, SUBSCRIBE_CUSTOM, leg_facts, translate
from tests.esl.recordings import NAMES, events_in

MAIN = SwitchId("main")
LEG = LegId("971595ae-c926-4462-8978-bd6447c0d9ce")


def told(name: str, body: str | None = None, **headers: str) -> ev.Event | None:
    """`variable_x` and `Hangup_Cause` as written; other headers with their dashes as underscores."""
    given = {key if key.startswith("variable_") else key.replace("_", "-"): value for key, value in headers.items()}
    return translate(name, {"Unique-ID": LEG, **given}, body, MAIN)


def test_what_is_subscribed_is_what_is_understood() -> None:
    assert {*SUBSCRIBE, "CUSTOM"} - {*FOR_THE_PORT} == set(RULES) and set(SUBSCRIBE_CUSTOM) == set(SUBCLASSES)


def test_a_recording_says_when_it_begins_and_ends() -> None:
    assert told("RECORD_START") == ev.RecordingStarted(LEG) and told("RECORD_STOP") == ev.RecordingStopped(LEG)


def test_an_event_without_a_rule_has_no_meaning() -> None:
    for name in ("HEARTBEAT", "CHANNEL_STATE", "CHANNEL_HANGUP", "CUSTOM", "", "channel_answer"):
        assert told(name) is None


def test_a_leg_is_ours_by_our_own_variables_only() -> None:
    """Caller-id headers flip at the answer (24)."""
    assert told("CHANNEL_CREATE", Caller_Caller_ID_Number="x") == ev.LegCreated(LEG, MAIN, None, None, None)
    ours = told("CHANNEL_CREATE", variable_fsd_attempt="a1", variable_sip_gateway_name="trunk1")
    assert ours == ev.LegCreated(LEG, MAIN, GatewayId("trunk1"), AttemptId("a1"), None)
    assert told("CHANNEL_CREATE", variable_fsd_agent="ana") == ev.LegCreated(LEG, MAIN, None, None, AgentId("ana"))


def test_180_is_ringing_and_183_is_ringing_with_early_media() -> None:
    assert told("CHANNEL_PROGRESS") == ev.LegRang(LEG, early=False)
    assert told("CHANNEL_PROGRESS_MEDIA") == ev.LegRang(LEG, early=True)


@pytest.mark.parametrize(
    ("headers", "cause", "status", "we", "answered"),
    [
        ({"variable_sip_term_status": "486", "variable_sip_hangup_disposition": "recv_refuse"}, "USER_BUSY", 486, False, False),
        # 200 to their BYE says nothing about the call.
        ({"variable_sip_term_status": "200", "variable_answer_epoch": "17"}, "NORMAL_CLEARING", None, False, True),
        ({"variable_sip_hangup_disposition": "send_bye", "variable_answer_epoch": "17"}, "NORMAL_CLEARING", None, True, True),
        # 487 after our own CANCEL is not the far end's answer (27).
        ({"variable_sip_invite_failure_status": "487", "variable_sip_hangup_disposition": "send_cancel"}, "ORIGINATOR_CANCEL", None, True, False),
        ({"variable_sip_invite_failure_status": "503"}, "NORMAL_TEMPORARY_FAILURE", 503, False, False),
        ({"variable_answer_epoch": "0"}, "NO_ANSWER", None, False, False),
        ({"variable_sip_term_status": "not a number"}, "NO_ANSWER", None, False, False),
        ({"variable_sip_term_status": "٤٨٦"}, "NO_ANSWER", None, False, False),
    ],
)
def test_how_a_leg_ended(headers: dict[str, str], cause: str, status: int | None, we: bool, answered: bool) -> None:
    assert told("CHANNEL_HANGUP_COMPLETE", Hangup_Cause=cause, **headers) == ev.LegEnded(LEG, cause, status, None, we, answered)


def test_the_q850_cause_is_read_where_there_is_one() -> None:
    ended = told("CHANNEL_HANGUP_COMPLETE", Hangup_Cause="NORMAL_CIRCUIT_CONGESTION", variable_hangup_cause_q850="34")
    assert isinstance(ended, ev.LegEnded) and ended.q850 == 34


def test_a_hangup_without_any_header_is_still_the_end_of_its_leg() -> None:
    assert told("CHANNEL_HANGUP_COMPLETE") == ev.LegEnded(LEG, "", None, None, False, False)


# --- the reply to an originate --------------------------------------------------------------------------------------------------------


def test_a_job_that_succeeded_names_the_leg_that_was_asked_for_and_the_one_that_was_made() -> None:
    """They differ when the uuid was taken (22): then somebody is called twice."""
    assert told("BACKGROUND_JOB", f"+OK {LEG}\n", Job_UUID=LEG, Job_Command="originate") == ev.OriginateSucceeded(LEG, LEG)
    assert told("BACKGROUND_JOB", "+OK other\n", Job_UUID=LEG, Job_Command="originate") == ev.OriginateSucceeded(LEG, LegId("other"))


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("-ERR USER_BUSY\n", "USER_BUSY"),
        ("-ERR DESTINATION_OUT_OF_ORDER\n", "DESTINATION_OUT_OF_ORDER"),
        ("-ERR NORMAL_CLEARING with more words\n", "NORMAL_CLEARING"),
        ("-ERR\n", "NORMAL_UNSPECIFIED"),
        ("", "NORMAL_UNSPECIFIED"),
        (None, "NORMAL_UNSPECIFIED"),
    ],
)
def test_a_job_that_failed_names_its_cause(body: str | None, cause: str) -> None:
    assert told("BACKGROUND_JOB", body, Job_UUID=LEG, Job_Command="originate") == ev.OriginateFailed(LEG, cause)


def test_jobs_of_others_and_of_other_commands_mean_nothing() -> None:
    assert told("BACKGROUND_JOB", "+OK\n", Job_UUID="x", Job_Command="status") is None
    assert told("BACKGROUND_JOB", "+OK\n") is None


# --- bridges and facts ----------------------------------------------------------------------------------------------------------------


def test_a_bridge_is_of_its_two_legs_whichever_reports_it() -> None:
    """One event for both (28)."""
    assert told("CHANNEL_BRIDGE", Bridge_A_Unique_ID="a", Bridge_B_Unique_ID="b") == ev.LegBridged(LegId("a"), LegId("b"))


def test_the_end_of_a_bridge_names_the_other_where_it_can() -> None:
    assert told("CHANNEL_UNBRIDGE", Bridge_B_Unique_ID="b") == ev.LegUnbridged(LEG, LegId("b"))
    assert told("CHANNEL_UNBRIDGE", Other_Leg_Unique_ID="b") == ev.LegUnbridged(LEG, LegId("b"))
    assert told("CHANNEL_UNBRIDGE") == ev.LegUnbridged(LEG, None)


def dump(**more: str) -> dict[str, str]:
    return {"Unique-ID": LEG, "Answer-State": "answered", **{key.replace("_", "-") if key[0].isupper() else key: value for key, value in more.items()}}


def test_a_leg_talks_while_its_state_says_so_and_not_because_a_former_partner_is_still_named() -> None:
    """Other-Leg headers stay on a leg that parks after a bridge (30)."""
    assert leg_facts(dump(Channel_State="CS_EXCHANGE_MEDIA", Other_Leg_Unique_ID="b"), MAIN).bridged_to == "b"
    assert leg_facts(dump(Channel_State="CS_SOFT_EXECUTE", Other_Leg_Unique_ID="b"), MAIN).bridged_to == "b"
    assert leg_facts(dump(Channel_State="CS_PARK", Other_Leg_Unique_ID="b"), MAIN).bridged_to is None
    assert leg_facts(dump(Channel_State="CS_EXCHANGE_MEDIA"), MAIN).bridged_to is None


def test_a_leg_that_a_dialplan_put_through_talks_though_its_state_is_that_of_any_application() -> None:
    """The dialplan's own bridge stays in CS_EXECUTE; signal_bond is there from CHANNEL_BRIDGE on, not while the other leg rings (s11g)."""
    put_through = {"Channel_State": "CS_EXECUTE", "Other_Leg_Unique_ID": "b", "variable_current_application": "bridge"}
    assert leg_facts(dump(**put_through, variable_signal_bond="b"), MAIN).bridged_to == "b"
    assert leg_facts(dump(**put_through), MAIN).bridged_to is None
    assert leg_facts(dump(**put_through | {"variable_current_application": "park"}, variable_signal_bond="b"), MAIN).bridged_to is None


def test_a_leg_that_was_bridged_once_has_met_somebody_for_ever() -> None:
    """On hold it is parked like one that still waits; last_bridge_to tells them apart (tried: uuid_transfer -both park: inline)."""
    assert leg_facts(dump(Channel_State="CS_EXECUTE", variable_last_bridge_to="b"), MAIN).met
    assert leg_facts(dump(Channel_State="CS_SOFT_EXECUTE", Other_Leg_Unique_ID="b"), MAIN).met
    assert not leg_facts(dump(Channel_State="CS_EXECUTE"), MAIN).met


def test_early_media_is_not_answered() -> None:
    """19."""
    assert leg_facts(dump(Answer_State="early"), MAIN).answered is False
    assert leg_facts(dump(Answer_State="ringing"), MAIN).answered is False
    assert leg_facts(dump(), MAIN).answered is True


def test_facts_carry_our_variables_and_the_gateway() -> None:
    facts = leg_facts(dump(variable_fsd_attempt="a1", variable_fsd_agent="ana", variable_sip_gateway_name="trunk1"), MAIN)
    assert (facts.leg, facts.switch, facts.attempt, facts.agent, facts.gateway) == (LEG, MAIN, "a1", "ana", "trunk1")


# --- the recordings -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_event_of_a_real_switch_is_understood_or_has_no_meaning(name: str) -> None:
    for event in events_in(name):
        found = translate(event.name, event.headers, event.body, MAIN)
        assert (found is not None) == (event.name in RULES) or event.name in ("BACKGROUND_JOB", "CUSTOM")


def story(name: str) -> list[tuple[str, str]]:
    """(event, its end) of a recording, for its one customer."""
    found = [translate(event.name, event.headers, event.body, MAIN) for event in events_in(name)]
    return [(type(event).__name__, getattr(event, "cause", "")) for event in found if event is not None]


@pytest.mark.parametrize(
    ("name", "status", "cause"),
    [("s02b_busy486", 486, "USER_BUSY"), ("s02c_404", 404, "UNALLOCATED_NUMBER"), ("s02e_603", 603, "CALL_REJECTED"), ("s02j_code_403", 403, "CALL_REJECTED")],
)
def test_a_real_refusal_is_told_with_its_sip_status(name: str, status: int, cause: str) -> None:
    ends = [translate(event.name, event.headers, event.body, MAIN) for event in events_in(name) if event.name == "CHANNEL_HANGUP_COMPLETE"]
    assert ends
    for end in ends:
        assert isinstance(end, ev.LegEnded)
        assert (end.sip_status, end.cause, end.we_hung_up, end.was_answered) == (status, cause, False, False)


def test_a_real_answered_call_is_told_in_full() -> None:
    names = [name for name, _ in story("s02a_answer_hangup")]
    for needed in ("LegCreated", "LegAnswered", "OriginateSucceeded", "LegParked", "LegEnded", "LegDestroyed"):
        assert needed in names
    assert names.index("LegCreated") < names.index("LegAnswered") < names.index("LegEnded") < names.index("LegDestroyed")

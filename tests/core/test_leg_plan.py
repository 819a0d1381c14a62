"""Which variables a leg is made with: what makes it stay, answer by itself, be recorded in stereo, listen to another."""

from __future__ import annotations

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core.leg_plan import FALLBACK_AFTER_S, STAYS, LegPlan, agent_plan, lead_plan, outside_plan, supervisor_plan
from fs_dialer.core.model import Attempt, AttemptId, GatewayId, LegId
from tests.core.builders import ANA, CARRIER, NOON, SPRING, SWITCH, a_lead

LEG = LegId("5f1d1b52-9a1b-4d33-9c0f-0c1d2e3f4a5b")


def of_lead(*, stereo: bool = False) -> LegPlan:
    attempt = Attempt(AttemptId("a1"), SPRING, 1, a_lead().id, LEG, "+34600000001", CARRIER, "+34910000000", None, NOON)
    return lead_plan(act.OriginateLead(LEG, attempt, SWITCH, "+34600000001", 25.0, False, stereo))


def of_agent(**more: bool) -> LegPlan:
    return agent_plan(act.OriginateAgent(LEG, ANA, AttemptId("a1"), SWITCH, "user/1001", "", 20.0, nailed=more.pop("nailed", False), **more))


def test_a_recording_in_stereo_is_asked_for_with_the_leg() -> None:
    assert of_lead(stereo=True).variables["RECORD_STEREO"] == "true" and "RECORD_STEREO" not in of_lead().variables


@pytest.mark.spec("S50", "D7")
@pytest.mark.parametrize("early_media", [False, True])
def test_a_leg_for_a_flow_goes_there_at_its_answer_whatever_it_hears_before_and_has_no_fallback(early_media: bool) -> None:
    attempt = Attempt(AttemptId("a1"), SPRING, 1, a_lead().id, LEG, "+34600000001", CARRIER, "+34910000000", None, NOON)
    told = (("fsd_number", "+34600000001"),)
    plan = lead_plan(act.OriginateLead(LEG, attempt, SWITCH, "+34600000001", 25.0, early_media, False, "dues.12345678", told))
    assert (plan.extension, plan.context, plan.fallback_after_s) == ("dues.12345678", "fsd_ivr", {})
    assert plan.variables["ignore_early_media"] == "true" and plan.variables["fsd_number"] == "+34600000001"
    assert plan.variables["fsd_attempt"] == "a1"


def test_a_phone_that_shall_answer_by_itself_is_told_so() -> None:
    assert of_agent(auto_answer=True).variables["sip_auto_answer"] == "true" and "sip_auto_answer" not in of_agent().variables


@pytest.mark.parametrize(("more", "stays"), [({}, False), ({"nailed": True}, True), ({"stays": True}, True)])
def test_nailed_legs_and_those_of_whom_is_consulted_outlive_their_bridge(more: dict[str, bool], stays: bool) -> None:
    assert (STAYS.items() <= of_agent(**more).variables.items()) is stays


@pytest.mark.spec("D2", "D6")
def test_a_number_outside_is_ours_and_goes_by_a_gateway() -> None:
    plan = outside_plan(act.OriginateOutside(LEG, AttemptId("a1"), SWITCH, GatewayId("trunk"), "+442079460000", "+34910000000", 25.0))
    assert (plan.gateway, plan.to) == ("trunk", "+442079460000")
    assert plan.variables["fsd_role"] == "transfer" and plan.variables["fsd_attempt"] == "a1" and STAYS.items() <= plan.variables.items()
    assert plan.fallback_after_s == {"execute_on_answer": FALLBACK_AFTER_S}


@pytest.mark.parametrize(
    ("how", "application", "speaks"), [("listen", "eavesdrop", {}), ("whisper", "eavesdrop", {"eavesdrop_whisper_bleg": "true"}), ("barge", "three_way", {})]
)
def test_a_supervisor_listens_whispers_to_the_agent_or_joins(how: str, application: str, speaks: dict[str, str]) -> None:
    """Listened to on a real switch: with eavesdrop_whisper_aleg it is the customer who hears him."""
    plan = supervisor_plan(act.OriginateSupervisor(LEG, AttemptId("a1"), SWITCH, "user/1009", LegId("agent-leg"), how, "", 30.0))
    assert (plan.application, plan.arguments) == (application, "agent-leg")
    assert {name: value for name, value in plan.variables.items() if name.startswith("eavesdrop")} == speaks
    assert plan.fallback_after_s == {}, "a timer would take him away in the middle of it"

"""Legs and files beside the customer and his agent: how a recording is named, by which way a number is called, when there is none."""

from __future__ import annotations

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.model import AttemptId, CampaignId, GatewayId, LegKind
from fs_dialer.core.side_legs import recording_path
from tests.core.builders import ANA, NOON, a_call, a_plan, an_installation, talking

NUMBER = "+442079460000"


@pytest.mark.parametrize(("zone", "day"), [("UTC", "2026-05-28"), ("Asia/Tokyo", "2026-05-29"), ("America/New_York", "2026-05-28")])
def test_the_day_of_a_recording_is_that_of_the_dialling_in_the_campaign_s_zone(zone: str, day: str) -> None:
    call = a_call(a_plan(zone=zone), dialed_at=NOON, id=AttemptId("5f1d"))
    assert recording_path(call, NOON + 86_400.0) == f"spring/{day}/5f1d.wav", "the same after midnight"


def test_a_second_recording_of_one_call_has_a_name_of_its_own() -> None:
    call = a_call(dialed_at=NOON, id=AttemptId("5f1d"))
    assert recording_path(a_call(dialed_at=NOON, id=AttemptId("5f1d"), recordings=1), NOON) == recording_path(call, NOON)
    assert recording_path(a_call(dialed_at=NOON, id=AttemptId("5f1d"), recordings=2), NOON).endswith("/5f1d-2.wav")


@pytest.mark.spec("D7")
@pytest.mark.parametrize("name", ["../../etc", "a/b", "queue:support", "Frühling 2026", "${system(id)}", "."])
def test_nothing_of_a_campaign_s_name_leaves_the_folder_or_is_expanded(name: str) -> None:
    folder, _, rest = recording_path(a_call(campaign=CampaignId(name), dialed_at=NOON), NOON).partition("/")
    assert rest == "2026-05-28/c1.wav" and folder and set(folder) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def test_a_number_is_called_by_the_way_of_the_customer_s_own_call_while_it_has_room() -> None:
    both = [GatewayDefinition(id=GatewayId("one"), plus=False, prefix="99"), GatewayDefinition(id=GatewayId("two"), plus=False, prefix="99")]
    desk, call = talking(LegKind.NAILED, installation=an_installation(gateways=both))
    desk.tell(ag.Transfer("t", "ana", ANA, "number", NUMBER))  # type: ignore[arg-type]
    wish = desk.last(act.OriginateOutside)
    assert (wish.gateway, wish.caller_id, wish.dial) == (call.attempt.gateway, call.attempt.caller_id, "99442079460000")


def test_a_number_for_which_no_line_is_free_is_refused_and_the_conversation_goes_on() -> None:
    desk, _ = talking(LegKind.NAILED, installation=an_installation(lines=2))
    desk.tell(ag.Transfer("t", "ana", ANA, "number", NUMBER))  # type: ignore[arg-type]
    assert not desk.last(act.Reply).ok and "no line is free" in desk.last(act.Reply).text


def test_a_target_whose_leg_is_never_made_is_as_one_who_does_not_answer() -> None:
    desk, call = talking(LegKind.NAILED)
    desk.tell(ag.Transfer("t", "ana", ANA, "number", NUMBER))  # type: ignore[arg-type]
    desk.tell(ev.OriginateFailed(desk.last(act.OriginateOutside).leg, "GATEWAY_DOWN"))
    assert desk.last(act.Bridge).leg == call.leg, "back to his agent"

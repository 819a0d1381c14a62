"""What becomes of a queue's caller: in whatever order his end is told, the same is written of him."""

from __future__ import annotations

from itertools import permutations

import pytest

from fs_dialer.core.actions import CallerLeft, OptOut
from fs_dialer.core.flow import Ivr, Node
from fs_dialer.core.model import AgentId, AttemptId, CampaignId, SwitchId
from fs_dialer.core.queue_definition import CallbackKey, QueueDefinition
from fs_dialer.db.caller_rules import Known, Settled, message_file, number_of, opt_out_reason, settled

QUEUE = QueueDefinition(name="support", callback=CallbackKey(key="1", expires_s=3600.0), ticket_for_missed=True)
LEG = AttemptId("11111111-0000-4000-8000-000000000001")


def left(why: str = "callback", at: float = 100.0, **more: object) -> CallerLeft:
    words = {"agent": None, "waited_s": 30.0, "talked_s": 0.0, "missed": why == "max_wait", "asked_at": at if why == "callback" else None, **more}
    return CallerLeft(LEG, "support", "+442079460101", why, at=at, **words)  # type: ignore[arg-type]


def told(*actions: CallerLeft, served: bool = False) -> tuple[str, str, float | None]:
    """How he left, his ticket's channel ("" = none) and when he asked, after all of them."""
    known, channel = Known(served=served), ""
    for action in actions:
        done = settled(known, action, QUEUE)
        if done is not None:
            channel = done.channel or channel
            known = Known(served, done.why, done.found, done.asked_at, 1 if channel else None)
    return known.why, channel, known.asked_at


@pytest.mark.spec("S77", "S89")
def test_kept_rows_of_one_caller_come_to_the_same_in_every_order() -> None:
    rows = [left(found=True), left("released", at=130.0, found=True), left("voicemail", at=120.0, found=True)]
    assert {told(*order) for order in permutations(rows)} == {("callback", "callback", 100.0)}


@pytest.mark.spec("D12")
@pytest.mark.parametrize("why", ["callback", "hung_up", "max_wait", "voicemail", "released", "lost"])
def test_a_served_caller_is_served_whatever_else_is_told(why: str) -> None:
    assert told(left(why), served=True)[:2] == ("served", "")
    assert told(left(why, found=True), served=True)[:2] == ("", "")


@pytest.mark.spec("S78")
def test_who_was_put_through_elsewhere_was_not_missed() -> None:
    assert told(left("overflow"))[:2] == ("overflow", "")


@pytest.mark.spec("S78")
def test_who_met_an_agent_leaves_no_ticket_though_nobody_knows_how_he_left() -> None:
    assert told(left("lost", agent=AgentId("lan")))[:2] == ("lost", "")


def test_a_request_expires_by_the_key_that_was_pressed_even_if_the_queue_is_gone() -> None:
    done = settled(Known(), left(), None)
    assert done is not None and done.expires_at == 100.0 + 86_400.0
    assert settled(Known(), left(), QUEUE) == Settled("callback", 100.0, False, "callback", 100.0, 3700.0)


@pytest.mark.spec("D7")
@pytest.mark.parametrize("written", ["${system(reboot)}", "+44 20 7946 0101", "sip:eve@example.net", "+", "٣٤٩١", "1" * 21])
def test_what_is_no_row_of_digits_is_no_number(written: str) -> None:
    assert number_of(written, "GB")[0] == ""


@pytest.mark.spec("D7")
def test_a_message_is_a_file_of_ours_or_none() -> None:
    assert message_file(left("voicemail")) == f"queue/{LEG}.wav"
    assert message_file(CallerLeft(AttemptId("../../etc/passwd"), "support", "", "voicemail", None, 0.0, 0.0, False, 0.0)) == ""


@pytest.mark.spec("S64")
def test_an_opt_out_says_where_it_was_asked_for() -> None:
    flow = Ivr(name="dues-menu", nodes=(Node(name="stop", do="opt_out", list="opt-out"),))
    asked = OptOut(SwitchId("main"), None, CampaignId("dues"), "+442079460101", "opt-out", 0.0)
    assert opt_out_reason(asked, flow) == "asked by a key not to be called: campaign dues, flow dues-menu, node stop"
    kept = OptOut(SwitchId("main"), None, None, "+442079460101", "opt-out", 0.0, place="dues-menu.3f2a91c4.stop")
    assert opt_out_reason(kept, None) == "asked by a key not to be called: flow dues-menu, node stop"
    queue = OptOut(SwitchId("main"), None, CampaignId("queue:support"), "+442079460101", "opt-out", 0.0)
    assert opt_out_reason(queue, None) == "asked by a key not to be called: queue support"

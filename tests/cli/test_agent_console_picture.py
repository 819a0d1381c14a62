"""What `agent console` shows: pure, no terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from fs_dialer.cli.agent_console_keys import Chosen, Keyboard, Known
from fs_dialer.cli.agent_console_picture import clock, picture, plain
from fs_dialer.core.model import CallState
from tests.cli.desks import CALL, LAST, NOON, TALK, WINBACK, card, desk, known, talking


def shown(about: Known, chosen: Chosen | None = None, width: int = 80, height: int = 24, now: float = NOON) -> str:
    return "\n".join("".join(text for text, _ in line) for line in picture(about, chosen or Chosen(), width, height, now))


def test_the_first_line_says_status_state_screen_and_calls() -> None:
    first = shown(known()).splitlines()[0]
    assert first.startswith("Lan Nguyen  AVAILABLE  idle 0:42  screen open  7 calls")


@pytest.mark.spec("S84")
def test_a_closed_screen_says_which_key_opens_it() -> None:
    assert "winback  manual: open your campaign screen (o)" in shown(known(screen_until=None))
    paused = replace(WINBACK, paused=True)
    assert "paused for you" in shown(known(campaigns=(paused,)))


def test_a_break_asked_for_in_a_call_says_when_it_begins() -> None:
    assert "NOT AVAILABLE AFTER THIS CALL (lunch)" in shown(talking(status="not_available", reason="lunch", leaving=True))


@pytest.mark.spec("S36", "M5")
def test_a_preview_counts_down_on_the_servers_clock() -> None:
    call = replace(TALK, state=CallState.PREVIEWING, since=NOON - 6, preview_until=NOON + 24, extensions=2, bridged_at=None)
    about = known(with_card=True, state="previewing", call=call)
    assert "PREVIEW 0:24 [##########--]  Ada Example  +442079460101  winback, try 1  2 x" in shown(about)
    assert "PREVIEW 0:21" in shown(replace(about, ahead=3.0))
    assert "PREVIEW 0:00 [------------]" in shown(about, now=NOON + 60)
    assert "accept it first (a)" in shown(known(call=replace(call, accepted=False)))
    assert "dial when you like" in shown(known(call=replace(call, preview_until=None)))


def test_a_conversation_shows_its_length_recording_and_whom_he_consults() -> None:
    assert "TALKING 1:27" in shown(talking())
    held = replace(talking(), desk=desk(call=replace(TALK, state=CallState.CONSULTING, consulting="agent hoa", recording="on")))
    assert "CONSULTING 1:30 agent hoa (ringing)  REC" in shown(held)


@pytest.mark.spec("S13")
def test_a_wrap_up_shows_what_is_left_and_what_is_owed() -> None:
    about = known(state="wrap_up", rest_until=NOON + 10, since=NOON - 5, wrap_up_extensions=1, last=LAST)
    assert "WRAP-UP 0:10 left [########----]  1 x more time  no result yet" in shown(about)
    assert "no result yet" not in shown(known(state="wrap_up", last=replace(LAST, disposed=True)))


def test_the_card_shows_who_it_is_and_what_was() -> None:
    text = shown(talking())
    for part in ("Ada Example  +442079460101  Europe/London, Sat 21 Nov 2026", "plan: Gold", "busy  hoa  mornings are better", "ticket: callback support"):
        assert part in text, part


def test_results_are_numbered_with_what_they_mean() -> None:
    assert "  1 Sold: done, no more calls" in shown(talking())
    assert " *2 Later: called again" in shown(replace(talking(), card=card(disposition="later")))


@pytest.mark.spec("S14", "M23")
def test_the_question_that_is_answered_shows_its_choices() -> None:
    keyboard = Keyboard()
    keyboard.pressed("tab", talking())
    text = shown(talking(answers={"plan": "Gold"}), keyboard.chosen)
    assert ">*1 Renew?" in text and "(1) yes  (2) later  (3) no" in text and "3 Which plan? Gold" in text and "“Your plan ends on 30 November.”" in text


def test_only_keys_that_do_something_are_shown() -> None:
    text = shown(talking())
    assert "h hold   t transfer   x hang up" in text and "get a customer" not in text and "1-9 result" in text
    assert "g get a customer" in shown(known()) and "hang up" not in shown(known())


def test_a_refusal_and_a_prompt_stand_at_the_bottom() -> None:
    assert shown(known(), Chosen(message="take: your quota for today is used up", bad=True)).splitlines()[-2].startswith("take: your quota")
    keyboard = Keyboard()
    for key in "blunch":
        keyboard.pressed(key, talking())
    assert shown(talking(), keyboard.chosen).splitlines()[-1] == "reason of the break: lunch_"


def test_a_lost_line_is_told_and_the_call_stays_on_the_screen() -> None:
    text = shown(replace(talking(), up=False, why="http://127.0.0.1:1 does not answer"))
    assert "OFFLINE" in text and "your call is still up on your phone" in text and "TALKING" in text
    assert "connecting" in shown(Known())


@pytest.mark.parametrize("width", [20, 40, 79, 80, 200])
@pytest.mark.parametrize("height", [1, 3, 10, 24, 60])
def test_every_size_of_terminal_is_kept_to(width: int, height: int) -> None:
    nasty = card(name="名前" * 60 + "\x1b[31m\u202e", attributes={"a" * 300: "b" * 300}, note="x")
    for about in (Known(), known(), talking(), replace(talking(), card=nasty), replace(talking(), up=False, why="x" * 300)):
        for chosen in (Chosen(), Chosen(question=0), Chosen(help=True), Chosen(message="m" * 300)):
            lines = picture(about, chosen, width, height, NOON)
            assert len(lines) <= height
            for line in lines:
                text = "".join(part for part, _ in line)
                assert cell_len(text) <= width and "\x1b" not in text and "\u202e" not in text


@pytest.mark.spec("D7")
def test_nothing_of_a_customer_moves_the_cursor() -> None:
    evil = card(name="\x1b[2J", calls=[{**card()["calls"][0], "note": "\x9b2J"}], script=[{**card()["script"][1], "ask": "\x1b]0;x\x07"}])
    text = shown(replace(talking(), card=evil))
    assert "\x1b" not in text and "\x9b" not in text and "\x07" not in text


def test_clocks_are_short_and_never_negative() -> None:
    assert [clock(s) for s in (-5, 0, 61.9, 3600, 36_000)] == ["0:00", "0:00", "1:01", "1:00:00", "10:00:00"]


def test_events_as_lines() -> None:
    about = talking()
    assert plain("desk", {}, about, NOON).split(" ", 1)[1] == "available, screen open, TALKING 1:27  Ada Example  +442079460101  winback, try 1"
    assert plain("card", {}, about, NOON).endswith("customer Ada Example, +442079460101, 1 earlier calls")
    assert plain("reply", {"verb": "hang_up", "ok": False, "text": "you have no call"}, about, NOON).endswith("hang up: refused: you have no call")
    assert plain("down", {"why": "gone"}, about, NOON).endswith("offline: gone") and plain("up", {}, about, NOON).endswith("connected")
    assert plain("card", {}, known(), NOON) == "" and CALL not in plain("desk", {}, about, NOON)

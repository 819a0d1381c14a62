"""The keys of `agent console`: pure, a key in, what is to be done out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fs_dialer.cli.agent_console_keys import Do, Keyboard, Known, Quit, Todo, heard
from fs_dialer.core.model import AttemptId
from tests.cli.desks import CALL, LAST, NOON, TALK, card, desk, known, talking

PREVIEW = {"state": "previewing", "bridged_at": None, "preview_until": NOON + 20}


def typed(keys: list[str] | str, about: Known) -> tuple[Todo | None, Keyboard]:
    """What the last of these keys does."""
    keyboard, todo = Keyboard(), None
    for key in keys:
        todo = keyboard.pressed(key, about)
    return todo, keyboard


def text(words: str) -> list[str]:
    return [*words, "enter"]


# --- acts -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "verb", "body"),
    [("h", "hold", {"call": CALL}), ("f9", "hold", {"call": CALL}), ("x", "hang_up", {"call": CALL}), ("f8", "hang_up", {"call": CALL}),
     ("r", "record", {"call": CALL}), ("o", "close_screen", {})],
)  # fmt: skip
def test_a_key_is_a_verb_that_names_the_call_it_means(key: str, verb: str, body: dict[str, str]) -> None:
    assert typed([key], talking())[0] == Do(verb, body)


def test_a_key_means_the_verb_that_is_open_now() -> None:
    assert typed("h", talking(can=("resume",)))[0] == Do("resume", {"call": CALL})
    assert typed("o", known(can=("open_screen",)))[0] == Do("open_screen", {})
    assert typed("+", known(can=("extend_wrap_up",)))[0] == Do("extend_wrap_up", {})


def test_what_is_not_open_is_not_asked_and_told() -> None:
    todo, keyboard = typed("h", known())
    assert todo is None and keyboard.chosen.bad and keyboard.chosen.message == "hold is not open to you now"


def test_results_are_offered_only_while_they_are_open() -> None:
    """While his phone rings the call may become another agent's yet."""
    ringing = talking(can=("hang_up",))
    todo, keyboard = typed("1", ringing)
    assert todo is None and keyboard.chosen.message == "you give the result when you talk to the customer, or after the call"
    assert ringing.dispositions == [] and talking().dispositions


@pytest.mark.parametrize("key", ["enter", "f2"])
@pytest.mark.parametrize(
    ("about", "act"),
    [
        (known(), Do("take", {"campaign": "winback"})),
        (replace(talking(can=("dial", "skip", "hang_up"))), Do("dial", {"call": CALL})),
        (talking(can=("resume",)), Do("resume", {"call": CALL})),
        (known(can=("take", "end_wrap_up")), Do("end_wrap_up", {})),
        (known(can=("available", "log_out")), Do("available", {})),
        (known(can=("log_out",)), None),
    ],
)
def test_the_main_key_does_what_is_most_likely_next(key: str, about: Known, act: Do | None) -> None:
    assert typed([key], about)[0] == act


@pytest.mark.parametrize("key", ["escape", "z", " ", "left", "page up", "f1"])
def test_no_other_key_does_anything(key: str) -> None:
    assert typed([key], talking())[0] is None


def test_q_leaves_and_escape_never_hangs_up() -> None:
    assert typed("q", talking())[0] == Quit()
    assert typed(["escape"] * 5, talking())[0] is None


def test_keys_before_anything_is_known_do_nothing() -> None:
    for key in "gdxh1ln\t+bo?":
        assert typed([key], Known())[0] is None


def test_several_manual_campaigns_are_asked_for() -> None:
    two = [{**desk()["campaigns"][0], "id": name} for name in ("winback", "vip")]
    todo, keyboard = typed("g", known(campaigns=two))
    assert todo is None and keyboard.chosen.prompt is not None and "winback, vip" in keyboard.chosen.prompt.label
    assert typed(["g", *text("vip")], known(campaigns=two))[0] == Do("take", {"campaign": "vip"})


@pytest.mark.parametrize(
    ("words", "body"),
    [
        ("agent hoa", {"kind": "agent", "to": "hoa", "attended": False}),
        ("hoa", {"kind": "agent", "to": "hoa", "attended": False}),
        ("! team renewals", {"kind": "team", "to": "renewals", "attended": True}),
        ("+44 20 7946 0101", {"kind": "number", "to": "+44 20 7946 0101", "attended": False}),
    ],
)
def test_a_transfer_is_typed(words: str, body: dict[str, object]) -> None:
    assert typed(["t", *text(words)], talking())[0] == Do("transfer", {"call": CALL, **body})


def test_what_is_typed_can_be_mended_and_left() -> None:
    assert typed(["b", *"lumch", "backspace", "backspace", "backspace", *text("nch")], talking())[0] == Do("not_available", {"reason": "lunch"})
    todo, keyboard = typed(["b", *"lunch", "escape"], talking())
    assert todo is None and keyboard.chosen.prompt is None


# --- results and promises -----------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M12")
def test_a_digit_is_a_result_of_the_call_that_is_up_or_was() -> None:
    assert typed("1", talking())[0] == Do("dispose", {"call": CALL, "code": "sold"})
    assert typed("1", known(with_card=True, last=LAST, can=("dispose",)))[0] == Do("dispose", {"call": CALL, "code": "sold"})
    for about, why in ((talking(), "no such result"), (known(), "no call")):
        todo, keyboard = typed("9", about)
        assert todo is None and why in keyboard.chosen.message


def test_a_result_that_promises_a_call_asks_when() -> None:
    assert typed(["2", *text("tomorrow 9:00")], talking())[0] == Do("dispose", {"call": CALL, "code": "later", "callback_at": "tomorrow 9:00", "to_me": False})
    todo, keyboard = typed(["2", *text("")], talking())
    assert todo is None and "nothing was filed" in keyboard.chosen.message


def test_a_promise_may_be_ones_own_and_never_again_wants_a_yes() -> None:
    assert typed(["l", *text("!+2h")], talking())[0] == Do("callback", {"call": CALL, "at": "+2h", "to_me": True})
    assert typed(["n", *text("yes")], talking())[0] == Do("do-not-call", {"call": CALL})
    assert typed(["n", *text("y")], talking())[0] is None
    assert typed("l", known())[0] is None


# --- the script ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S14", "M23")
def test_digits_answer_the_question_and_the_next_one_comes() -> None:
    todo, keyboard = typed(["tab", "1"], talking())
    assert todo == Do("answers", {"call": CALL, "answers": {"renew": "yes"}}) and keyboard.chosen.question == 1


@pytest.mark.parametrize(("before", "after"), [([], ["data"]), (["roaming"], ["roaming", "data"]), (["data", "roaming"], ["roaming"]), (["data"], "")])
def test_several_choices_are_switched_on_and_off(before: list[str], after: object) -> None:
    assert typed(["tab", "tab", "2"], talking(answers={"extras": before}))[0] == Do("answers", {"call": CALL, "answers": {"extras": after}})


def test_a_text_is_typed_and_an_older_one_is_mended() -> None:
    assert typed(["tab", "tab", "tab", *text("Gold")], talking())[0] == Do("answers", {"call": CALL, "answers": {"plan": "Gold"}})
    again = talking(answers={"plan": "Gold"})
    assert typed(["tab", "tab", "tab", "enter", *text("en")], again)[0] == Do("answers", {"call": CALL, "answers": {"plan": "Golden"}})


def test_no_digit_is_a_result_while_a_question_is_answered() -> None:
    todo, keyboard = typed(["tab", "9"], talking())
    assert todo is None and keyboard.chosen.bad and keyboard.chosen.question == 0
    assert typed(["tab", "escape", "1"], talking())[0] == Do("dispose", {"call": CALL, "code": "sold"})


def test_the_call_can_be_hung_up_out_of_the_script() -> None:
    assert typed(["tab", "f8"], talking())[0] == Do("hang_up", {"call": CALL})


def test_questions_end_where_the_script_ends_and_survive_a_card_that_went() -> None:
    assert typed(["tab"] * 4, talking())[1].chosen.question is None
    keyboard = Keyboard()
    keyboard.pressed("tab", talking())
    assert keyboard.pressed("1", known()) is None and keyboard.chosen.question is None


# --- what is heard --------------------------------------------------------------------------------------------------------------------------


def test_a_fresh_desk_brings_its_card_and_the_servers_clock() -> None:
    now = heard(Known(), "desk", {"now": NOON + 3, "desk": desk(call=TALK), "card": card(), "reset": True}, NOON)
    assert now.ahead == 3.0 and now.about == CALL and now.questions[0]["key"] == "renew"


def test_another_calls_card_is_not_shown_for_this_one() -> None:
    other = heard(talking(), "desk", {"now": NOON, "desk": desk(call=replace(TALK, id=AttemptId("another")))}, NOON)
    assert other.card is None
    same = heard(talking(), "desk", {"now": NOON, "desk": desk(call=replace(TALK, attempts=1))}, NOON)
    assert same.card is not None


def test_a_line_that_breaks_keeps_what_was_known() -> None:
    down = heard(talking(), "down", {"why": "gone"}, NOON)
    assert not down.up and down.why == "gone" and down.about == CALL
    assert heard(down, "up", {}, NOON).up
    assert heard(talking(), "reply", {"ok": True}, NOON) == talking()


def test_choices_pressed_faster_than_the_card_comes_are_all_kept() -> None:
    about, keyboard = talking(answers={"extras": []}), Keyboard()
    for key in ("tab", "tab"):
        keyboard.pressed(key, about)
    one, two = keyboard.pressed("1", about), keyboard.pressed("2", about)
    assert isinstance(one, Do) and isinstance(two, Do)
    assert (one.body["answers"], two.body["answers"]) == ({"extras": ["roaming"]}, {"extras": ["roaming", "data"]})
    keyboard.settled(one)
    third = keyboard.pressed("1", about)
    assert isinstance(third, Do) and third.body["answers"] == {"extras": ["data"]}, "the newest is on its way still"


def test_what_was_refused_is_not_taken_for_an_answer() -> None:
    about, keyboard = talking(answers={"extras": ["data"]}), Keyboard()
    for key in ("tab", "tab"):
        keyboard.pressed(key, about)
    refused = keyboard.pressed("1", about)
    assert isinstance(refused, Do)
    keyboard.settled(refused)
    again = keyboard.pressed("1", about)
    assert isinstance(again, Do) and again.body["answers"] == {"extras": ["data", "roaming"]}


def test_answers_that_were_saved_stand_on_their_card_at_once() -> None:
    saved = {"call": CALL, "answers": {"extras": ["data"]}, "missing": []}
    after = heard(talking(), "saved", saved, NOON)
    assert after.card is not None and (after.card["answers"], after.card["missing"]) == ({"extras": ["data"]}, [])
    assert heard(talking(), "saved", {**saved, "call": "another"}, NOON) == talking()

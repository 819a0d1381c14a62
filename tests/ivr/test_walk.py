"""A call through a flow: what is played and waited for, where it goes, and the path it leaves (S50, S51, D13)."""

from __future__ import annotations

import pytest

from fs_dialer.core.flow import steps
from fs_dialer.ivr.walk import begin
from fs_dialer.ivr.words import Expects, Input, Prompt
from tests.ivr.a_flow import EVERY_KIND, a_flow, node

pytestmark = pytest.mark.spec("S50", "S51", "S52")
BYE = node("bye", "end")


# --- what is played -------------------------------------------------------------------------------------------------------------------


def test_a_call_begins_at_the_first_node_and_hears_all_until_something_is_waited_for() -> None:
    walk = begin(EVERY_KIND, {"due": "120.50"})
    assert [(each.kind, each.what) for each in walk.heard] == [("sound", "hello.wav"), ("sound", "you-owe.wav"), ("say", "120.50"), ("sound", "menu.wav")]
    assert walk.node == "main" and walk.path == "main="


def test_a_flow_may_say_with_which_node_it_starts() -> None:
    assert begin(a_flow(BYE, node("first", "menu", keys=(("1", "bye"),)), start="first")).node == "first"


def test_a_text_is_spoken_after_the_sound_in_the_language_of_the_node() -> None:
    walk = begin(a_flow(node("hi", "play", sound="a.wav", text="Hello {name}", language="fr", next="bye"), BYE), {"name": "Ann"})
    assert walk.heard == (Prompt("sound", "a.wav", "hi", "fr"), Prompt("text", "Hello Ann", "hi", "fr"))


@pytest.mark.spec("D7")
@pytest.mark.parametrize("value", ["${system(id)}", "a;b", "a'b", "<b>", "1\n2", "x" * 129])
def test_what_a_switch_is_not_given_is_neither_said_nor_compared(value: str) -> None:
    flow = a_flow(
        node("say", "say", text="{name}", next="gold"), node("gold", "if", what="name", among=(value,), next="bye", otherwise="no"), BYE, node("no", "end")
    )
    walk = begin(flow, {"name": value})
    assert walk.heard[0].what == "" and walk.node == "no"


@pytest.mark.spec("D7")
def test_a_value_is_said_and_compared_as_the_switch_is_given_it() -> None:
    flow = a_flow(
        node("say", "say", text="{sum}", next="big"), node("big", "if", what="sum", among=("1250.50",), next="bye", otherwise="no"), BYE, node("no", "end")
    )
    walk = begin(flow, {"sum": " 1,250.50 "})
    assert walk.heard[0].what == "1250.50" and walk.node == "bye"


def test_an_answer_hides_an_attribute_of_the_same_name() -> None:
    flow = a_flow(node("pin", "gather", next="say", otherwise="bye"), node("say", "say", text="{pin}", say_as="digits", next="bye"), BYE)
    assert begin(flow, {"pin": "99"}).press("7").heard[0].what == "7"


# --- keys -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "leads_to"), [("1", "adviser"), ("2", "pin"), ("9", "stop"), ("#", "desk"), ("hash", "desk")])
def test_a_key_leads_where_the_menu_says(key: str, leads_to: str) -> None:
    walk = begin(EVERY_KIND).press(key)
    assert walk.node == leads_to and walk.path.startswith(f"main={'#' if key == 'hash' else key};")


def test_a_menu_waits_for_its_keys_and_for_no_longer_than_its_timeout() -> None:
    assert begin(EVERY_KIND).expects == Expects("key", 5.0, ("1", "2", "3", "9", "*", "#"), tries_left=3)


def test_a_wrong_key_costs_a_try_and_the_prompt_is_played_again() -> None:
    walk = begin(EVERY_KIND)
    again = walk.press("7")
    assert [each.what for each in again.heard[len(walk.heard) :]] == ["wrong.wav", "menu.wav"]
    assert again.expects.tries_left == 2 and again.path == "main="


@pytest.mark.parametrize("how", ["7", "0"])
def test_after_the_last_try_otherwise_is_taken_and_leaves_no_word_of_the_menu(how: str) -> None:
    walk = begin(EVERY_KIND)
    for _ in range(3):
        walk = walk.press(how)
    assert (walk.node, walk.path, walk.ended, walk.succeeded) == ("unheard", "unheard=other", "end", False)
    assert walk.heard[-1].what == "wrong.wav"


def test_no_key_in_time_counts_like_a_wrong_one() -> None:
    assert begin(EVERY_KIND).wait().press("7").wait().path == "unheard=other"


def test_coming_back_to_a_menu_gives_all_tries_again() -> None:
    assert begin(EVERY_KIND).wait().wait().press("*").expects.tries_left == 3


def test_a_menu_without_otherwise_ends_the_call_as_no_success() -> None:
    walk = begin(a_flow(node("main", "menu", keys=(("1", "bye"),), tries=1), BYE)).wait()
    assert (walk.ended, walk.path, walk.succeeded, walk.left_at) == ("over", "main=", False, "main")


def test_a_rating_takes_its_marks_only() -> None:
    flow = a_flow(node("mark", "rate", low=2, high=4, tries=1, next="bye", otherwise="no"), BYE, node("no", "end", success=False))
    assert begin(flow).expects.keys == ("2", "3", "4")
    assert begin(flow).press("4").path == "mark=4;bye=success"
    assert begin(flow).press("5").path == "no=other"


# --- digits ---------------------------------------------------------------------------------------------------------------------------


def typed(digits: str, **settings: object) -> str:
    flow = a_flow(node("pin", "gather", **{"digits": (4, 6), "tries": 1, "next": "bye", "otherwise": "no", **settings}), BYE, node("no", "end", success=False))
    walk = begin(flow)
    for key in digits:
        walk = walk.wait() if key == "t" else walk.press(key)
    return walk.path


def test_an_entry_ends_with_the_last_digit_that_is_wanted() -> None:
    assert typed("123456") == "pin=123456;bye=success"


def test_a_shorter_entry_ends_with_its_key_or_when_no_more_digit_comes() -> None:
    assert typed("1234#") == typed("1234t") == "pin=1234;bye=success"


@pytest.mark.parametrize("digits", ["123#", "123t", "#", "t", "12*4#"])
def test_too_few_digits_or_no_digits_are_a_wrong_answer(digits: str) -> None:
    assert typed(digits) == "no=other"


def test_another_key_than_hash_may_end_an_entry_or_none_at_all() -> None:
    assert typed("1234*", ends_with="star") == "pin=1234;bye=success"
    assert typed("1234#5t", ends_with="none") == "no=other"


def test_digits_must_look_like_the_pattern_as_a_whole() -> None:
    assert typed("0123#", pattern="0\\d+") == "pin=0123;bye=success"
    assert typed("1023#", pattern="0\\d+") == "no=other"
    assert typed("55555#", pattern="0\\d+|5555") == "no=other"


def test_between_two_digits_there_is_another_time_than_before_the_first() -> None:
    walk = begin(a_flow(node("pin", "gather", digits=(2, 4), timeout_s=7.0, between_s=2.0, next="bye", otherwise="bye"), BYE))
    assert (walk.expects.timeout_s, walk.press("1").expects.timeout_s) == (7.0, 2.0)


def test_an_answer_is_kept_under_its_own_name_and_leaves_the_nodes_in_the_path() -> None:
    walk = begin(a_flow(node("pin", "gather", answer="reference", next="bye", otherwise="bye"), BYE)).press("8")
    assert walk.answers == {"reference": "8"} and walk.path == "pin=8;bye=success"


# --- people, numbers, services --------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S64", "D13")
def test_an_agent_on_the_line_is_a_success() -> None:
    walk = begin(EVERY_KIND).press("1")
    assert walk.expects.what == "agent"
    talked = walk.agent(True)
    assert (talked.ended, talked.succeeded, talked.path) == ("connected", True, "main=1;adviser=")


@pytest.mark.spec("S64")
def test_where_no_agent_comes_the_flow_goes_on_or_the_call_is_missed() -> None:
    assert begin(EVERY_KIND).press("1").agent(False).node == "message"
    walk = begin(a_flow(node("adviser", "connect"))).wait()
    assert (walk.ended, walk.succeeded, walk.left_at) == ("missed", False, "adviser")


def test_a_transfer_tells_that_somebody_answered() -> None:
    walk = begin(EVERY_KIND).press("#")
    assert walk.expects == Expects("number", 30.0)
    assert (walk.number(True).ended, walk.number(True).path) == ("put_through", "main=#;desk=answered")
    assert walk.wait().path == "main=#;message="


def test_a_services_fields_become_answers_as_far_as_they_are_wanted_and_allowed() -> None:
    walk = begin(EVERY_KIND).press("2")
    for key in "0123#":
        walk = walk.press(key)
    assert walk.node == "ask" and walk.path == "main=2;pin=0123;ask="
    assert walk.answered({"known": "yes", "other": "1"}).answers == {"main": "2", "pin": "0123", "known": "yes"}
    assert walk.answered({"known": "${x}"}).node == "message"
    assert walk.wait().node == "message"


def test_parameters_are_set_on_the_way_and_leave_a_word() -> None:
    walk = begin(a_flow(node("mark", "set", set=(("wants_call", "yes"),), next="bye"), BYE))
    assert walk.parameters == {"wants_call": "yes"} and walk.path == "mark=done;bye=success"


def test_a_condition_compares_an_attribute_with_each_of_its_values() -> None:
    ends = {tier: begin(EVERY_KIND, {"tier": tier}).press("3").node for tier in ("gold", "silver", "Gold", "")}
    assert ends == {"gold": "adviser", "silver": "adviser", "Gold": "bye", "": "bye"}


def test_an_opt_out_counts_before_its_prompt_is_played() -> None:
    walk = begin(EVERY_KIND).press("9")
    assert walk.opted_out == ("own",) and walk.path == "main=9;stop=yes;stop=success" and walk.ended == "end"


# --- voice mail and ends --------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S63", "D13")
def test_voice_mail_that_ends_with_a_hang_up_is_a_success() -> None:
    walk = begin(EVERY_KIND).press("1").agent(False)
    assert walk.expects == Expects("record", 60.0) and walk.heard[-1].kind == "beep"
    left = walk.hang_up(7)
    assert (left.path, left.succeeded, left.voicemail) == ("main=1;message=7", True, True)
    assert (walk.hang_up().path, walk.hang_up().succeeded) == ("main=1;message=0", False)


@pytest.mark.spec("S63")
def test_silence_is_no_voice_mail() -> None:
    walk = begin(a_flow(node("message", "record", next="no"), node("no", "end", success=False))).wait()
    assert (walk.path, walk.succeeded, walk.voicemail) == ("message=0;no=other", False, False)


@pytest.mark.spec("D13")
@pytest.mark.parametrize(
    ("last", "path"),
    [
        (node("thanks", "play", sound="a.wav"), "thanks=success"),
        (node("thanks", "set", set=(("a", "b"),)), "thanks=done;thanks=success"),
        (node("thanks", "if", what="a", among=("b",)), "thanks=success"),
    ],
)
def test_a_last_node_that_is_no_end_is_one_and_counts_as_reached(last: object, path: str) -> None:
    walk = begin(a_flow(last))  # type: ignore[arg-type]
    assert (walk.ended, walk.path, walk.succeeded, walk.left_at) == ("end", path, True, "")


@pytest.mark.spec("D13")
def test_a_hang_up_before_an_end_is_no_success_and_tells_where_it_was() -> None:
    walk = begin(EVERY_KIND).press("2").hang_up()
    assert (walk.ended, walk.succeeded, walk.left_at, walk.path) == ("hung_up", False, "pin", "main=2;pin=")


def test_a_circle_in_which_nothing_is_waited_for_ends_with_the_time_of_the_flow() -> None:
    walk = begin(a_flow(node("a", "play", sound="a.wav", next="b"), node("b", "play", sound="b.wav", next="a")))
    assert walk.ended == "at_most" and not walk.succeeded


def test_after_the_end_nothing_happens_any_more() -> None:
    walk = begin(EVERY_KIND).hang_up()
    for happened in (Input("press", "1"), Input("wait"), Input("agent", "yes"), Input("spoken", "3"), Input("answered"), Input("hang_up")):
        assert walk.after(happened) == walk
    assert walk.expects == Expects("nothing")


def test_what_is_not_waited_for_changes_nothing() -> None:
    walk = begin(EVERY_KIND)
    assert walk.agent(True) == walk.number(True) == walk.spoken(3) == walk.answered({}) == walk
    waiting = walk.press("1")
    assert waiting.press("1") == waiting


def test_the_path_is_what_the_steps_of_an_attempt_are_read_from() -> None:
    walk = begin(EVERY_KIND).press("2")
    for key in "0123#":
        walk = walk.press(key)
    walk = walk.answered({"known": "yes"}).press("4")
    assert [(step.node, step.name, step.value) for step in steps(EVERY_KIND, walk.path)] == [
        ("main", "main", "2"), ("pin", "pin", "0123"), ("mark", "mark", "done"), ("rating", "satisfaction", "4"), ("bye", "bye", "success"),
    ]  # fmt: skip

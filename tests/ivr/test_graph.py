"""A flow judged as a graph, and each node by itself: what is wrong, where, and how to mend it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.core.flow import NODE_KINDS, Ivr, Node
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.ivr.graph import MOST_NODES, Finding, judge
from fs_dialer.ivr.paths import paths
from fs_dialer.ivr.render import flow_file
from tests.ivr.a_flow import EVERY_KIND

BYE = Node(name="bye", do="end")
NEEDS: dict[str, dict[str, Any]] = {  # what a node of each kind can not do without
    "play": {"sound": "a.wav"}, "say": {"text": "Good day"}, "menu": {"keys": (("1", "bye"),)}, "gather": {"next": "bye"}, "rate": {"next": "bye"},
    "transfer": {"number": "+44123"}, "set": {"set": (("a", "b"),)}, "if": {"what": "tier", "among": ("gold",), "next": "bye"},
    "http": {"url": "https://crm.example.com/x"},
}  # fmt: skip


def node(do: str, name: str = "a", **settings: Any) -> Node:
    return Node(name=name, do=do, **{**NEEDS.get(do, {}), **settings})


def play(name: str, next: str = "") -> Node:
    return node("play", name, next=next)


def flow(*nodes: Node, **settings: Any) -> Ivr:
    return Ivr(name="f", nodes=nodes, **settings)


def told(*nodes: Node, **settings: Any) -> list[tuple[str, str, str]]:
    return [(each.node, each.setting, each.text) for each in judge(flow(*nodes, **settings))]


def the_one(*nodes: Node, **settings: Any) -> tuple[str, str, str]:
    (found,) = told(*nodes, **settings)
    return found


# --- names ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("do", NODE_KINDS)
@pytest.mark.spec("S50", "S51", "S52")
def test_a_node_of_each_kind_with_what_it_needs_is_sound(do: str) -> None:
    assert told(node(do), BYE) == [] or {each[2][:22] for each in told(node(do), BYE)} == {"nobody ever comes here"}


def test_a_way_to_a_node_that_is_not_there_names_the_nearest_and_is_told_once() -> None:
    assert the_one(play("a", "by"), BYE) == ("a", "next", "there is no node `by`; nearest: bye")
    assert the_one(node("menu", keys=(("1", "bey"), ("star", "a"))), BYE) == ("a", "keys.1", "there is no node `bey`; nearest: bye")
    assert the_one(node("gather", otherwise="xxx"), BYE) == ("a", "otherwise", "there is no node `xxx`; there are a, bye")


def test_a_start_that_is_not_there_is_told() -> None:
    assert the_one(play("hello"), start="helo") == ("", "start", "there is no node `helo`; nearest: hello")


def test_a_flow_without_a_node_and_one_that_nobody_could_follow_are_told() -> None:
    assert the_one()[1:] == ("nodes", "holds no node: write one at least, as in bye: {do: end}")
    many = [play(f"n{number}", f"n{number + 1}") for number in range(MOST_NODES + 1)]
    assert the_one(*many)[1] == "nodes"


# --- the graph --------------------------------------------------------------------------------------------------------------------------


def test_a_node_that_nobody_comes_to_is_told() -> None:
    assert the_one(play("a"), play("b")) == ("b", "", "nobody ever comes here: no way leads from a to it. Name it in a node before, or take it away")


def test_the_next_node_in_the_file_does_not_follow_by_itself() -> None:
    """A last node is one that names no other; so the one below it is not reached."""
    assert [each[0] for each in told(play("a"), play("b", "c"), play("c"))] == ["b", "c"]


def test_a_circle_in_which_nobody_is_asked_is_told_once() -> None:
    assert the_one(play("a", "b"), node("set", "b", next="a")) == (
        "a", "", "goes round for ever: a, b lead to each other, and nobody is asked or waited for in between",
    )  # fmt: skip
    assert the_one(play("a", "a"))[2].startswith("goes round for ever: a leads back to itself")


@pytest.mark.parametrize("do", ["http", "transfer"])
def test_a_circle_that_tries_again_at_once_is_told_and_one_with_a_pause_is_none(do: str) -> None:
    """A service that refuses is asked hundreds of times a second, and a number that is busy rung."""
    again, pause = node(do, "a", otherwise="a"), play("p", "a")
    ways: dict[str, Any] = {"next": "bye"} if do == "http" else {}
    assert the_one(replace(again, **ways), *([BYE] if ways else []))[2].startswith("tries again without a pause: a leads back to itself")
    assert told(replace(again, otherwise="p", **ways), pause, *([BYE] if ways else [])) == []


def test_whoever_presses_nothing_must_come_out_some_day_or_a_warning_says_when() -> None:
    """A phone that lies beside the receiver; the longest time of the flow ends it."""
    menu = node("menu", "m", keys=(("1", "bye"),), otherwise="p")
    found = judge(flow(menu, play("p", "m"), BYE))
    assert [(each.node, each.setting, each.grave) for each in found] == [("m", "otherwise", False)]
    assert found[0].text == "whoever presses nothing goes round until at_most of the flow, 10 min, is over: let `otherwise` lead out some day"
    assert told(replace(menu, otherwise=""), BYE) == []


def test_a_circle_in_which_somebody_is_asked_is_none_while_a_way_leads_out() -> None:
    assert told(play("a", "m"), node("menu", "m", keys=(("star", "a"), ("1", "bye"))), BYE) == []


def test_a_circle_by_an_if_that_nothing_changes_is_told() -> None:
    assert the_one(node("if", "a", next="b", otherwise="bye"), play("b", "a"), BYE)[2].startswith("goes round for ever: a, b")


def test_a_menu_all_of_whose_keys_lead_round_lets_nobody_out() -> None:
    found = the_one(node("menu", "m", keys=(("1", "a"), ("2", "m"))), play("a", "m"))
    assert found == ("m", "", "nobody ever gets out: no way from here leads to an end, an agent or a transfer, or to a last node (nor from a)")


@pytest.mark.parametrize("last", [node("end", "z"), node("connect", "z"), node("transfer", "z"), play("z"), node("record", "z"), node("opt_out", "z")])
def test_ends_agents_transfers_and_last_nodes_let_people_out(last: Node) -> None:
    assert told(node("menu", "m", keys=(("1", "m"), ("2", "z"))), last) == []


def test_what_hangs_on_the_whole_graph_is_not_judged_while_a_node_could_not_be_read() -> None:
    whole = flow(play("a", "b"), play("c", "c"))
    assert judge(whole, unread=["b"]) == ()
    assert {each.node for each in judge(flow(play("a", "x"), play("c", "c")), unread=["b"])} == {"a"}


# --- answers ----------------------------------------------------------------------------------------------------------------------------


def warned(*nodes: Node) -> list[Finding]:
    found = judge(flow(*nodes))
    assert not any(each.grave for each in found)
    return list(found)


def test_an_answer_before_its_question_is_a_warning() -> None:
    (found,) = warned(node("say", "a", text="you said {pin}", next="pin"), node("gather", "pin"), BYE)
    assert (found.node, found.setting) == ("a", "text") and "`pin` can not have been answered when the call comes here: pin asks for it" in found.text
    assert warned(node("gather", "pin", next="a"), node("say", "a", text="you said {pin}", next="bye"), BYE) == []


def test_an_answer_that_comes_round_again_was_given_the_first_time() -> None:
    assert warned(node("say", "a", text="{pin}", next="pin"), node("gather", "pin", next="m"), node("menu", "m", keys=(("1", "a"), ("2", "bye"))), BYE) == []


def test_a_name_that_nearly_is_an_answer_is_a_warning() -> None:
    (found,) = warned(node("rate", "satisfaction", next="i"), node("if", "i", what="satisfation", among=("5",), next="bye"), BYE)
    assert found.setting == "what" and found.text.endswith("the answer is called `satisfaction`")


# --- each kind --------------------------------------------------------------------------------------------------------------------------

WRONG: list[tuple[Node, str, str]] = [
    (node("play", sound=None), "", "plays nothing"),
    (node("play", sound="local_stream://moh"), "sound", "local_stream://moh never ends, so nothing would come after it"),
    (node("menu", wrong="silence_stream://-1"), "wrong", "silence_stream://-1 never ends"),
    (node("say", text=""), "text", "is missing: what is to be said?"),
    (node("menu", keys=()), "keys", "is missing: which key leads where?"),
    (node("menu", keys=(("1", "a"), ("1", "bye"))), "keys.1", "the key 1 stands here a second time"),
    (node("menu", keys=(("*", "bye"),)), "keys.*", "`*` is no key of a telephone"),
    (node("gather", next=""), "next", "is missing: where does it go on after the digits?"),
    (node("rate", next=""), "next", "is missing: where does it go on after the mark?"),
    (node("rate", low=5, high=1), "low", "5 is not below high, 1"),
    (node("gather", pattern="\\d\\d"), "pattern", "no answer can be right: it fits 2 digits, and `digits` wants 1"),
    (node("gather", digits=(3, 4), pattern="1?\\d"), "pattern", "it fits 1 to 2 digits, and `digits` wants 3 to 4"),
    (node("gather", pattern="(\\d+)+"), "pattern", "a repetition inside a repetition"),
    (node("gather", answer="my.pin"), "as", "`my.pin` can not be the name of an answer"),
    (node("transfer", number=""), "to", "is missing: the number"),
    (node("set", set=()), "set", "is missing: what is to be set?"),
    (node("if", what=""), "what", "is missing"),
    (node("if", among=()), "is", "is missing: with which value"),
    (node("if", among=("a$b",)), "is", "`a$b` is no value that anything in a flow can have"),
    (node("if", next=""), "", "leads nowhere"),
    (node("http", url=""), "url", "is missing: where does the request go?"),
    (node("http", send=("a.b",)), "send.a.b", "`a.b` can not be a name in a flow"),
    (node("play", language="english"), "language", "`english` is no language of the switch"),
    (node("say", say_as="money", text="12.50 euro"), "text", "can not be said as_a money: one {attribute} is expected, or an amount, 12.50"),
    (node("say", say_as="digits", text="{a} {b}"), "text", "can not be said as_a digits"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "setting", "what"), WRONG, ids=lambda value: str(getattr(value, "do", value))[:30])
def test_a_node_that_can_not_do_what_it_says_is_told(wrong: Node, setting: str, what: str) -> None:
    found = [each for each in told(wrong, BYE) if not each[2].startswith("nobody ever")]
    assert [(each[:2]) for each in found] == [("a", setting)] and what in found[0][2]


@pytest.mark.parametrize(
    ("say_as", "text"),
    [("money", "12.50"), ("number", "-3"), ("digits", "0042"), ("date", "2027-01-31"), ("date", "1800000000"), ("time", "1800000000"), ("text", "a, b! c?"),
     ("money", "{due}"), ("date", "{due_on}"), ("text", "Xin chào {name}, it's 5.")],
)  # fmt: skip
def test_a_value_of_its_kind_can_be_said(say_as: str, text: str) -> None:
    assert told(node("say", say_as=say_as, text=text)) == []


@pytest.mark.spec("D7")
@pytest.mark.parametrize(
    "text", ["${x}", "a$b", "{a", "a}", "{}", "{a b}", "a{b{c}}", "a;b", "a|b", "`id`", 'a "b"', "a\nb", "a\\b", "a/b", "<b>", "{a'b}", "\u202e", "a=b"]
)
def test_a_text_that_the_switch_could_take_apart_is_refused(text: str) -> None:
    assert [each[1] for each in told(node("say", text=text))] == ["text"]


@given(st.text(max_size=12))
@settings(deadline=None, max_examples=200)
@pytest.mark.spec("D7")
def test_whatever_is_let_through_holds_nothing_but_plain_text(text: str) -> None:
    if not judge(flow(node("play", text=text))):
        assert not set(text.replace("{", "", text.count("}")).replace("}", "")) & set('$\\`"|;&<>[]()^%#@/=*~\n\r\t\0')


def test_a_recording_that_the_flow_would_cut_off_is_a_warning() -> None:
    (found,) = judge(flow(node("record", at_most_s=60), at_most_s=30))
    assert (found.setting, found.grave) == ("at_most", False)


# --- what is sound can be walked --------------------------------------------------------------------------------------------------------

NAMES = ["a", "b", "c", "d"]
TO = st.sampled_from([*NAMES, ""])
NODES = st.builds(
    lambda do, next, otherwise, keys: {
        "do": do, "next": next, "otherwise": otherwise, "keys": tuple(zip("123", keys, strict=False)) if do == "menu" else (),
    },
    st.sampled_from(list(NODE_KINDS)), TO, TO, st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
)  # fmt: skip


@given(st.lists(NODES, min_size=1, max_size=4))
@settings(deadline=None, max_examples=150)
def test_every_path_through_a_flow_without_a_finding_comes_to_an_end(wishes: list[dict[str, Any]]) -> None:
    made = []
    for name, wish in zip(NAMES, wishes, strict=False):
        ways = {word: wish[word] if wish[word] in NAMES[: len(wishes)] else "" for word in ("next", "otherwise")}
        keys = tuple((key, to if to in NAMES[: len(wishes)] else "a") for key, to in wish["keys"])
        made.append(node(wish["do"], name, **{**ways, **({"keys": keys} if keys else {})}))
    ivr = flow(*made)
    if any(each.grave for each in judge(ivr)):
        return
    assert all(each.ended not in ("", "at_most") for each in paths(ivr)), ivr


@pytest.mark.spec("D7")
@given(
    st.text(max_size=12), st.text("0123456789[]()|+?-\\d", max_size=6), st.sampled_from(NODE_KINDS), st.sampled_from(["", "bye"]), st.sampled_from(["", "bye"])
)
@settings(deadline=None, max_examples=300)
def test_whatever_has_no_finding_can_be_rendered(text: str, pattern: str, do: str, next: str, otherwise: str) -> None:
    given: dict[str, Any] = {"pattern": pattern, "digits": (1, 8)} if do == "gather" else {}
    made = node(do, **given, **({"text": text} if do not in ("set", "if") else {}))
    ivr = flow(replace(made, next=next or made.next if do in ("gather", "rate") else next, otherwise=otherwise), BYE)
    if any(each.grave and not each.text.startswith("nobody ever comes") for each in judge(ivr)):
        return
    assert flow_file((ivr,), SwitchOptions())


def test_the_flows_that_other_tests_walk_and_render_are_sound() -> None:
    assert judge(EVERY_KIND) == ()

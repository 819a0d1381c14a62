"""Every path through a flow: each way out of each node is taken, and again the same way tomorrow (S50)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.core.call_words import Call
from fs_dialer.core.flow import Ivr, Node
from fs_dialer.core.steering import walked
from fs_dialer.ivr.paths import examples, paths
from fs_dialer.ivr.walk import replayed
from fs_dialer.ivr.words import accepts, ways
from tests.ivr.a_flow import EVERY_KIND, a_flow, node

pytestmark = pytest.mark.spec("S50")


def test_each_way_out_of_each_node_is_taken() -> None:
    taken = {way for path in paths(EVERY_KIND) for way in path.taken}
    assert {(way.node, way.by) for each in EVERY_KIND.nodes for way in ways(each)} <= taken
    assert {("adviser", "agent"), ("desk", "number")} <= taken


def test_each_path_ends_and_is_what_the_walk_makes_of_its_inputs() -> None:
    for path in paths(EVERY_KIND, hang_ups=True):
        walk = replayed(EVERY_KIND, path.attributes, path.inputs)
        assert walk.ended and (walk.path, walk.ended, walk.succeeded) == (path.path, path.ended, path.succeeded)


def test_equal_flows_give_equal_paths() -> None:
    assert paths(EVERY_KIND) == paths(EVERY_KIND)


def test_no_path_is_told_twice() -> None:
    found = paths(EVERY_KIND, hang_ups=True)
    assert len({(path.inputs, tuple(path.attributes.items())) for path in found}) == len(found)


def test_the_lead_is_chosen_so_that_conditions_go_both_ways() -> None:
    by_tier = {path.attributes.get("tier", "") for path in paths(EVERY_KIND) if ("gold", "next") in path.taken or ("gold", "otherwise") in path.taken}
    assert "" in by_tier and by_tier & {"gold", "silver"}


def test_what_a_service_says_is_chosen_so_that_conditions_go_both_ways() -> None:
    taken = {way for path in paths(EVERY_KIND) for way in path.taken}
    assert {("known", "next"), ("known", "otherwise")} <= taken


def test_time_outs_wrong_keys_and_second_tries_are_among_them() -> None:
    first = [[(each.do, each.value) for each in path.inputs[:3]] for path in paths(EVERY_KIND)]
    assert [("wait", "")] * 3 in first and [("press", "0")] * 3 in first
    assert any(inputs[:2] == [("press", "0"), ("press", "1")] for inputs in first)


def test_one_hangs_up_at_each_node_that_waits() -> None:
    left = {path.taken[-1][0] if path.ended == "connected" else path.path.rpartition(";")[2].partition("=")[0] for path in paths(EVERY_KIND, hang_ups=True)}
    assert {"main", "pin", "ask", "rating", "adviser", "desk", "message"} <= left


def test_a_circle_is_gone_round_once_and_then_left() -> None:
    found = paths(a_flow(node("main", "menu", keys=(("1", "main"), ("2", "bye")), tries=1, otherwise="bye"), node("bye", "end")))
    assert {path.path for path in found} == {"main=1;main=2;bye=success", "bye=success"}


def test_from_a_circle_without_a_way_out_he_hangs_up() -> None:
    found = paths(a_flow(node("main", "menu", keys=(("1", "main"),), tries=1, otherwise="main")))
    assert found and all(path.ended == "hung_up" for path in found)


def test_a_flow_that_waits_for_nothing_has_one_path() -> None:
    assert [(path.inputs, path.path) for path in paths(a_flow(node("hello", "play", sound="a.wav")))] == [((), "hello=success")]


def test_no_more_paths_than_are_wanted() -> None:
    assert len(paths(EVERY_KIND, at_most=3)) == 3


def test_the_engine_reads_from_each_path_what_the_walk_says() -> None:
    """core/steering.walked has the path only; walk.py knows the whole way."""
    for path in paths(EVERY_KIND, hang_ups=True):
        walk = replayed(EVERY_KIND, path.attributes, path.inputs)
        call = SimpleNamespace(plan=SimpleNamespace(script=EVERY_KIND), path="", over_at="")
        read = walked(cast(Call, call), path.path)
        assert read.left_at == walk.left_at, path.path
        assert (dict(read.set), tuple(wanted for wanted, _ in read.opted_out), read.voicemail) == (walk.parameters, walk.opted_out, walk.voicemail), path.path
        assert read.succeeded == walk.succeeded or walk.ended == "connected", path.path


# --- digits ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "digits"),
    [("", (4, 4)), ("", (1, 30)), ("\\d+", (4, 8)), ("0[1-9]\\d+|55555", (4, 8)), ("(0|1)?2+", (3, 5)), ("[3-5][0-9]+", (6, 6)), ("1(2|34)(5|67)?", (4, 5))],
)
def test_an_example_of_what_is_wanted_is_found(pattern: str, digits: tuple[int, int]) -> None:
    pin = node("pin", "gather", pattern=pattern, digits=digits)
    assert examples(pin) and all(accepts(pin, each) for each in examples(pin))


def test_a_pattern_that_nothing_fits_leaves_only_the_way_for_wrong_answers() -> None:
    found = paths(a_flow(node("pin", "gather", pattern="12", digits=(4, 4), next="bye", otherwise="no"), node("bye", "end"), node("no", "end", success=False)))
    assert {path.path for path in found} == {"no=other"}


# --- any flow -------------------------------------------------------------------------------------------------------------------------


@st.composite
def flows(draw: st.DrawFn) -> Ivr:
    names = [f"n{number}" for number in range(draw(st.integers(2, 9)))]
    to = st.sampled_from([*names, ""])
    made: list[Node] = []
    for name in names:
        do = draw(st.sampled_from(["play", "menu", "gather", "if", "connect", "record", "http", "set", "end", "opt_out"]))
        match do:
            case "menu":
                keys = draw(st.lists(st.sampled_from("123456789"), min_size=1, max_size=4, unique=True))
                made.append(node(name, do, keys=tuple((key, draw(st.sampled_from(names))) for key in keys), tries=draw(st.integers(1, 2)), otherwise=draw(to)))
            case "if":
                made.append(node(name, do, what=draw(st.sampled_from(["tier", "n0", "n1"])), among=("1", "gold"), next=draw(to), otherwise=draw(to)))
            case "gather":
                made.append(node(name, do, digits=(1, 2), tries=1, next=draw(st.sampled_from(names)), otherwise=draw(to)))
            case _:
                made.append(node(name, do, next=draw(to), otherwise=draw(to)))
    return a_flow(*made)


@settings(max_examples=120, deadline=None)
@given(flows())
def test_the_paths_of_any_flow_end_and_cover_every_way_that_one_of_them_could_take(flow: Ivr) -> None:
    found = paths(flow)
    taken = {way for path in found for way in path.taken}
    assert found and all(path.ended for path in found)
    for name, by in taken:  # whoever came to a menu, took each of its keys
        came = flow.node(name)
        if came is not None and came.do == "menu" and by != "hang_up":
            assert {(name, way.by) for way in ways(came)} <= taken

"""A flow as dialplan: the golden files, and what must be so in each kind of node."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config.load import load_paths
from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.flow import NODE_KINDS, Ivr, Node, extension, node_extension
from fs_dialer.core.model import GatewayId
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.errors import EslUnsafe
from fs_dialer.ivr.render import flow_file, render_flow
from fs_dialer.ivr.words import accepts
from tests.ivr.a_flow import EVERY_KIND, a_flow, node

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
OPTIONS = SwitchOptions(gateways=(GatewayDefinition(id=GatewayId("trunk1")), GatewayDefinition(id=GatewayId("trunk2"), plus=False, prefix="00")))
REGENERATE = "python -m tests.ivr.test_render"


def the_example() -> Ivr:
    (flow,) = (value for (kind, _), value in load_paths([ROOT / "conf"]).library.named.items() if kind == "ivrs")
    assert isinstance(flow, Ivr)
    return flow


def files() -> dict[str, Ivr]:
    return {"example.xml": the_example(), "every_kind.xml": EVERY_KIND}


def tree(ivr: Ivr, options: SwitchOptions = OPTIONS) -> ElementTree.Element:
    return ElementTree.fromstring(flow_file((ivr,), options))


def actions(ivr: Ivr, name: str = "", options: SwitchOptions = OPTIONS) -> list[tuple[str, str]]:
    place = node_extension(ivr, name) if name else extension(ivr)
    found = tree(ivr, options).findall(f"./context/extension[@name='{place}']/condition/action")
    return [(action.get("application", ""), action.get("data", "")) for action in found]


def only(ivr: Ivr, name: str, application: str) -> str:
    (data,) = (data for each, data in actions(ivr, name) if each == application)
    return data


# --- the whole ----------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S50", "S52")
@pytest.mark.parametrize("name", ["example.xml", "every_kind.xml"])
def test_a_flow_is_rendered_as_the_golden_file_has_it(name: str) -> None:
    assert flow_file((files()[name],), OPTIONS) == (GOLDEN / name).read_text(encoding="utf-8"), REGENERATE


def test_the_golden_flow_has_every_kind_of_node() -> None:
    assert {each.do for each in EVERY_KIND.nodes} == set(NODE_KINDS)


def test_a_flow_that_several_campaigns_have_stands_there_once() -> None:
    assert flow_file((EVERY_KIND, replace(EVERY_KIND, title="another title")), OPTIONS) == flow_file((EVERY_KIND,), OPTIONS)


def test_every_way_leads_to_an_extension_that_is_there() -> None:
    """And by a menu's keys, too: they are other names of the nodes that they lead to."""
    root = tree(EVERY_KIND)
    expressions = [c.get("expression", "") for c in root.iter("condition") if c.get("field") == "destination_number"]
    data = [action.get("data", "") for action in root.iter() if action.tag in ("action", "anti-action")]
    named = {word for text in data for word in re.findall(r"([A-Za-z0-9_.*#${}-]+) XML fsd_ivr", text)}
    menus = {f"{extension(EVERY_KIND)}.main.{key}" for key in "1239*#"}
    wanted = {word for word in named if "${" not in word} | menus
    assert [word for word in wanted if sum(re.search(e, word) is not None for e in expressions) != 1] == []


def test_where_the_flow_names_no_way_it_ends_well() -> None:
    """D13."""
    flow = a_flow(node("hello", "play", sound="hello.wav"))
    assert actions(flow, "hello")[-2:] == [("set", "fsd_ivr=${fsd_done}hello=success"), ("hangup", "NORMAL_CLEARING")]


def test_a_limit_is_the_first_thing_after_what_the_originate_armed_is_gone() -> None:
    assert actions(replace(EVERY_KIND, at_most_s=90.0))[:2] == [("sched_cancel", ""), ("sched_hangup", "+90 ALLOTTED_TIMEOUT")]


@pytest.mark.parametrize("detector", ["amd", "avmd"])
def test_a_detector_is_run_only_where_its_module_is_loaded(detector: str) -> None:
    """An application that does not exist hangs up the call (freeswitch.md 35)."""
    entry = tree(EVERY_KIND).find(f"./context/extension[@name='{extension(EVERY_KIND)}']")
    assert entry is not None
    (asked,) = [each for each in entry.iter("condition") if any(f"{detector}/" in each.get(word, "") for word in ("field", "expression"))]
    assert (asked.get("field"), asked.get("expression")) == (f"${{fsd_detect}}/${{module_exists(mod_{detector})}}", f"^{detector}/true$")
    runs = [each for each in entry.iter("action") if each.get("application") in ("amd", "avmd_start")]
    assert len(runs) == 2 and sum(each in list(asked) for each in runs) == 1


def test_a_call_may_take_more_steps_than_the_switch_would_forward_it() -> None:
    """Each transfer counts max_forwards down from 70 (s11a), and at 0 the switch hangs up; a number outside is called with no more than usual."""
    assert ("set", "max_forwards=10000") in actions(EVERY_KIND)
    desk = actions(EVERY_KIND, "desk")
    steps = [data if application == "set" else application for application, data in desk if "max_forwards" in data or application == "bridge"]
    assert (steps[0], steps[1], steps[-1]) == ("max_forwards=70", "bridge", "max_forwards=10000")


# --- keys ---------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S51", "D7")
def test_only_keys_that_lead_somewhere_get_into_a_variable() -> None:
    flow = a_flow(node("main", "menu", sound="m.wav", keys=(("1", "bye"), ("star", "bye"), ("hash", "bye"))), node("bye", "end"))
    words = only(flow, "main", "play_and_get_digits").split(" ")
    assert (words[:3], words[8]) == (["1", "1", "3"], "[#*1]")


DIGITS = node("pin", "gather", sound="p.wav", digits=(2, 6), pattern="(0|1)[2-9\\d]+", next="bye")


@given(st.text(alphabet="0123456789", max_size=8))
@settings(max_examples=80)
def test_the_switch_judges_digits_as_the_walk_does(digits: str) -> None:
    wanted = only(a_flow(DIGITS, node("bye", "end")), "pin", "play_and_get_digits").split(" ")[8]
    low, high = DIGITS.digits
    assert (low <= len(digits) <= high and re.search(wanted, digits) is not None) == accepts(DIGITS, digits)


@pytest.mark.parametrize("pattern", ["${x}", "a", "1 2", "[0-9]{4}", "1'", "\\w+", "1\n"])
def test_a_pattern_of_anything_but_digits_is_refused(pattern: str) -> None:
    with pytest.raises(EslUnsafe, match="not a pattern of digits"):
        flow_file((a_flow(replace(DIGITS, pattern=pattern), node("bye", "end")),), OPTIONS)


def test_a_prompt_ends_in_silence_so_that_a_missing_file_costs_no_try() -> None:
    assert " 'm.wav|say:Press one|silence_stream://100' " in only(
        a_flow(node("main", "menu", sound="m.wav", text="Press one", keys=(("1", "bye"),)), node("bye", "end")), "main", "play_and_get_digits"
    )


# --- what is left behind ------------------------------------------------------------------------------------------------


@pytest.mark.spec("S63")
def test_voice_mail_counts_by_the_end_of_the_recording_whoever_ended_it() -> None:
    order = actions(EVERY_KIND, "message")
    hook = order.index(("set", "execute_on_record_stop=set fsd_ivr=${fsd_done}message=\\\\\\${record_seconds}"))
    assert order[hook + 1] == ("record", "/var/lib/fs-dialer/recordings/ivr/${fsd_attempt}-message.wav 60 200 5")
    assert ("mkdir", "/var/lib/fs-dialer/recordings/ivr") in order[:hook]


def test_an_opt_out_is_kept_before_it_is_told_and_told_before_anything_is_played() -> None:
    order = [application for application, _ in actions(EVERY_KIND, "stop")]
    assert order.index("db") < order.index("event") < order.index("playback")


def test_an_end_is_noted_before_its_words_are_played() -> None:
    assert actions(EVERY_KIND, "bye")[0] == ("set", "fsd_ivr=${fsd_done}bye=success")
    assert actions(EVERY_KIND, "unheard")[0] == ("set", "fsd_ivr=${fsd_done}unheard=other")


@pytest.mark.spec("S51", "S64")
def test_for_an_agent_the_switch_is_safe_before_the_daemon_is_told() -> None:
    order = [application for application, _ in actions(EVERY_KIND, "adviser")]
    assert order[-4:] == ["sched_transfer", "sched_broadcast", "event", "park"]


def test_without_otherwise_a_dead_daemon_leaves_him_to_the_fallback() -> None:
    flow = a_flow(node("adviser", "connect"))
    assert ("sched_transfer", "+28 fsd_fallback XML fsd") in actions(flow, "adviser")


def test_a_transfer_goes_by_the_trunk_of_the_call_with_the_number_as_that_trunk_wants_it() -> None:
    conditions = tree(EVERY_KIND).findall(f".//extension[@name='{node_extension(EVERY_KIND, 'desk')}']/condition[@field='${{fsd_gateway}}']")
    assert [(c.get("expression"), c[0].get("data"), c.get("break")) for c in conditions] == [
        ("^trunk1$", "sofia/gateway/trunk1/+442079460100", "never"),
        ("^trunk2$", "sofia/gateway/trunk2/00442079460100", "never"),
    ]


# --- values -------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D7")
@pytest.mark.parametrize("ivr", [EVERY_KIND, None], ids=["every kind", "the example"])
def test_every_variable_that_is_named_is_ours(ivr: Ivr | None) -> None:
    named = set(re.findall(r"\$\{([^${}]*)\}", flow_file((ivr or the_example(),), OPTIONS)))
    ours = re.compile(r"fsd_[a-z_]+|fsd_[av]_[A-Za-z0-9_.-]+|record_seconds|uuid|strepoch\(\)|module_exists\(mod_av?md\)|module_exists\(mod_amd\)|amd_status")
    assert [name for name in named if not ours.fullmatch(name)] == []


def test_an_answer_hides_an_attribute_of_the_same_name() -> None:
    flow = a_flow(replace(DIGITS, answer="tier", next="is"), node("is", "if", what="tier", among=("12",)), node("other", "say", text="{due}", say_as="number"))
    text = flow_file((flow,), OPTIONS)
    assert 'field="${fsd_v_tier}"' in text and "${fsd_a_due}" in text


@pytest.mark.parametrize(
    ("say_as", "said"),
    [("number", "en NUMBER pronounced '${fsd_a_x}'"), ("digits", "en NUMBER iterated '${fsd_a_x}'"), ("money", "en CURRENCY pronounced '${fsd_a_x}'"),
     ("time", "en CURRENT_TIME pronounced '${fsd_a_x}'")],
)  # fmt: skip
def test_a_value_is_said_in_the_language_of_the_flow(say_as: str, said: str) -> None:
    assert only(a_flow(node("it", "say", text="{x}", say_as=say_as)), "it", "say") == said


def test_a_date_without_a_time_is_given_one_and_epoch_seconds_are_not() -> None:
    """mod_say_en reads a text with a colon as a date, any other as epoch seconds."""
    (condition,) = tree(a_flow(node("it", "say", text="{x}", say_as="date"))).findall(".//condition[@field='${fsd_a_x}']")
    assert [(each.tag, each.get("data")) for each in condition] == [
        ("action", "en CURRENT_DATE pronounced '${fsd_a_x} 12:00:00'"),
        ("anti-action", "en CURRENT_DATE pronounced '${fsd_a_x}'"),
    ]


def test_a_text_keeps_its_words_but_not_the_signs_that_end_an_argument() -> None:
    flow = a_flow(node("it", "play", text="It's {name} | 5 o'clock"), language="en")
    assert only(flow, "it", "playback") == "say:It\u2019s ${fsd_a_name} , 5 o\u2019clock"


# --- refused ------------------------------------------------------------------------------------------------------------

BYE = node("bye", "end")
WRONG = {
    "a text that the switch would run": a_flow(node("it", "play", text="${system(id)}")),
    "a sound that it would run": a_flow(node("it", "play", sound="${system(id)}")),
    "a sound that never ends": a_flow(node("it", "play", sound="local_stream://moh")),
    "a way to nowhere": a_flow(node("it", "play", sound="a.wav", next="gone")),
    "a value that is an expression": a_flow(node("it", "if", what="x", among=("a|b",))),
    "a language that is none": a_flow(node("it", "say", text="{x}", say_as="number", language="en us")),
    "a number that is none": a_flow(node("it", "transfer", number="1}x")),
    "a voice that it would run": a_flow(node("it", "play", text="x"), voice=replace(EVERY_KIND.voice, name="${system(id)}")),
    "a kind that is none": a_flow(node("it", "dance")),
}


@pytest.mark.spec("D7")
@pytest.mark.parametrize("what", WRONG)
def test_it_is_refused(what: str) -> None:
    with pytest.raises(EslUnsafe):
        flow_file((WRONG[what],), OPTIONS)


@pytest.mark.spec("D7")
@given(st.text(max_size=30))
@settings(max_examples=80)
def test_no_text_of_a_flow_names_a_variable_or_leaves_its_attribute(text: str) -> None:
    try:
        rendered = flow_file((Ivr(name="f", nodes=(Node(name="it", do="play", text=text),)),), OPTIONS)
    except EslUnsafe:
        return
    own = {"fsd_done", "fsd_detect", "fsd_message", "amd_status", "module_exists(mod_amd)", "module_exists(mod_avmd)"}
    asked = {f"fsd_a_{name}" for name in re.findall(r"\{([A-Za-z0-9_.-]+)\}", text)}
    assert set(re.findall(r"\$\{([^{}]*)\}", rendered)) <= own | asked
    ElementTree.fromstring(rendered)


def test_the_entry_comes_first_and_then_the_nodes_in_their_order() -> None:
    names = [each.name for each in render_flow(EVERY_KIND, OPTIONS)]
    assert names == [extension(EVERY_KIND), *(node_extension(EVERY_KIND, each.name) for each in EVERY_KIND.nodes)]


if __name__ == "__main__":
    for name, ivr in files().items():
        (GOLDEN / name).write_text(flow_file((ivr,), OPTIONS), encoding="utf-8")

"""What the switch is told of a customer in a flow, and what is kept of his way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core.actions import EnterIvr, Hangup
from fs_dialer.core.call_words import Call
from fs_dialer.core.flow import Ivr, Node, extension, node_extension
from fs_dialer.core.model import Lead
from fs_dialer.core.steering import FLOW_LEAST_S, known_values, onward, opt_out_action, otherwise, sayable, standing, variables, walked
from fs_dialer.esl.commands import gateway_endpoint, originate_to_extension
from tests.core.builders import NOON, SWITCH, a_call, a_lead, a_plan

FLOW = Ivr(
    name="dues",
    at_most_s=300.0,
    nodes=(
        Node(name="main", do="menu", keys=(("1", "adviser"), ("2", "ask"), ("9", "stop"))),
        Node(name="adviser", do="connect", otherwise="message"),
        Node(name="message", do="record", next="bye"),
        Node(name="ask", do="http", url="https://crm.example.com", send=("number", "due", "main"), take=("paid",), next="wants"),
        Node(name="wants", do="set", set=(("wants_call", "yes"),), next="bye"),
        Node(name="stop", do="opt_out", list="fundraising"),
        Node(name="bye", do="end"),
    ),
)
UUID = "11111111-2222-3333-4444-555555555555"


def in_flow(path: str = "", **more: object) -> Call:
    plan = a_plan(on_answer="ivr", ivr=extension(FLOW), script=FLOW)
    return replace(a_call(plan), path=path, answered_at=NOON, **more)  # type: ignore[arg-type]


# --- his way ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "left_at", "success"),
    [
        ("", "main", False),
        ("main=", "main", False),
        ("main=1;adviser=", "adviser", False),
        ("main=1;message=12", "message", True),
        ("main=1;message=0;bye=success", "", True),
        ("main=2;ask=", "ask", False),
        ("main=2;wants=done;bye=success", "", True),
        ("main=9;stop=yes", "stop", False),
        ("main=9;stop=yes;stop=success", "", True),
        ("of=another;flow=", "main", False),
    ],
)
def test_the_last_word_of_the_path_is_where_he_left(path: str, left_at: str, success: bool) -> None:
    found = walked(in_flow(path))
    assert (found.left_at, found.succeeded) == (left_at, success)
    assert all(step.value for step in found.steps), "what was not done is not kept"


@pytest.mark.spec("S63")
@pytest.mark.parametrize(
    ("path", "left"), [("note=0;note=success", False), ("note=7;note=success", True), ("note=0", False), ("note=7", True), ("note=", False)]
)
def test_a_message_is_voice_mail_where_it_has_seconds_also_at_the_end_of_the_flow(path: str, left: bool) -> None:
    script = Ivr(name="box", nodes=(Node(name="note", do="record"),))
    call = replace(in_flow(path), plan=a_plan(on_answer="ivr", ivr=extension(script), script=script))
    assert walked(call).voicemail is left


def test_parameters_and_lists_are_those_of_the_nodes_that_he_came_to() -> None:
    assert walked(in_flow("main=2;wants=done;bye=success")).set == (("wants_call", "yes"),)
    assert walked(in_flow("main=2;wants=")).set == ()
    assert walked(in_flow("main=9;stop=yes")).opted_out == (("fundraising", "stop"),)


def test_where_he_stands_is_told_for_the_kind_of_node_that_is_asked_for() -> None:
    call = in_flow("main=1;adviser=")
    assert (standing(call, "connect"), standing(call, "http")) == ("adviser", "")


def test_a_call_of_no_flow_has_no_way() -> None:
    assert walked(a_call()).steps == () and otherwise(a_call()) == ""


# --- what is told (D7) ------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D7")
@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("120.50", "120.50"),
        ("1,250.50", "1250.50"),
        ("+44 20 7946", "+44 20 7946"),
        ("Smith, John", "Smith John"),
        ("  gold  ", "gold"),
        ("", ""),
        ("José", ""),
        ("${system(reboot)}", ""),
        ("a'b", ""),
        ("a\nb", ""),
        ("x" * 129, ""),
    ],
)
def test_a_value_is_given_to_the_switch_only_where_it_is_harmless(value: str, told: str) -> None:
    assert sayable(value) == told


@pytest.mark.spec("D7")
@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=140)), max_size=6))
def test_whatever_stands_in_a_lead_makes_an_originate_that_may_be_sent(attributes: list[tuple[str, str]]) -> None:
    call = replace(in_flow(), lead=replace_lead(tuple(attributes)))
    told = dict(variables(call, "+34910000000", "carrier"))
    text = originate_to_extension(UUID, gateway_endpoint("carrier", "34600"), told, extension(FLOW), "fsd_ivr")
    assert "$" not in text and "\n" not in text and text.count("{") == text.count("}") == 1


def replace_lead(attributes: tuple[tuple[str, str], ...]) -> Lead:
    return a_lead(attributes=attributes)


def test_a_leg_is_told_number_trunk_caller_id_and_detector() -> None:
    call = in_flow()
    call = replace(call, plan=replace(call.plan, detect="amd"), lead=replace_lead((("due", "42"),)))
    assert dict(variables(call, "+34910000000", "carrier")) == {
        "fsd_number": call.lead.number,
        "fsd_caller_id": "+34910000000",
        "fsd_gateway": "carrier",
        "fsd_detect": "amd",
        "fsd_a_due": "42",
    }


def test_a_service_is_sent_answers_attributes_and_the_number_and_answers_hide_attributes() -> None:
    call = replace(in_flow("main=2;ask="), lead=replace_lead((("due", "42 €"), ("main", "x"), ("paid", "x"))), answers=(("paid", "no"),))
    assert known_values(call) == {"number": call.lead.number, "due": "42 €", "main": "2", "paid": "no"}


# --- where he is sent -------------------------------------------------------------------------------------------------------------------


def test_who_is_sent_on_has_what_is_left_of_his_time_and_a_minute_at_least() -> None:
    for after_s, left_s in ((100.0, 200.0), (290.0, 60.0)):
        call, out = onward(in_flow(lead_parked=True), "message", NOON + after_s)
        (entered,) = [d for d in out if isinstance(d, EnterIvr)]
        assert entered == EnterIvr(call.lead_leg, f"{extension(FLOW)}.message", at_most_s=left_s)
        assert not call.lead_parked


def test_nobody_is_sent_on_for_ever() -> None:
    """The longest time of the flow, one wait for an agent, and a minute; not a minute more at each step."""
    call = in_flow()
    most_s = FLOW.at_most_s + call.plan.max_wait_s + FLOW_LEAST_S
    entered = [d.at_most_s for d in onward(call, "message", NOON + most_s - 20.0)[1] if isinstance(d, EnterIvr)]
    assert entered == [20.0]
    _, out = onward(call, "message", NOON + most_s)
    assert Hangup(call.lead_leg, "ALLOTTED_TIMEOUT") in out and not [d for d in out if isinstance(d, EnterIvr)]


@pytest.mark.spec("D7")
def test_what_a_service_said_goes_along_allow_listed() -> None:
    _, out = onward(in_flow(), "wants", NOON, (("paid", "yes"), ("name", "${x}"), ("a.b", "1")))
    assert next(d for d in out if isinstance(d, EnterIvr)).variables == (("fsd_v_paid", "yes"),)


def test_an_opt_out_names_the_row_that_the_flow_left_in_the_switch() -> None:
    told = opt_out_action(in_flow(), SWITCH, "stop", "own", NOON)
    assert (told.number, told.list, told.kept) == (a_call().lead.number, "own", ("lead-1.opt_out",))
    assert told.place == f"{extension(FLOW)}.stop" == node_extension(FLOW, "stop")

"""The XML dialplan as mod_dialplan_xml searches it, and what an application is given once `${…}` is taken apart."""

from __future__ import annotations

from random import Random

import pytest

from fs_dialer.runtime.ids import uuids
from fs_dialer.sim.dialplan_xml import Asking, DialplanError, printed, read, search
from fs_dialer.sim.people import Behaviour, ScriptedPeople
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch

NOON = 1_780_000_000.0


def context(*extensions: str) -> str:
    return f'<include>\n<context name="c">{"".join(extensions)}</context>\n</include>'


def extension(name: str, *conditions: str, more: str = "") -> str:
    return f'<extension name="{name}"{more}>{"".join(conditions)}</extension>'


def condition(asked: str, *actions: str) -> str:
    return f"<condition {asked}>{''.join(actions)}</condition>"


def number(expression: str, *actions: str, more: str = "") -> str:
    return condition(f'field="destination_number" expression="{expression}" {more}', *actions)


def action(data: str, element: str = "action") -> str:
    return f'<{element} application="log" data="{data}"/>'


def found(text: str, to: str, **fields: str) -> list[str] | None:
    fields["destination_number"] = to
    asking = Asking(to, lambda name: fields.get(name, ""), lambda text: text.replace("${x}", fields.get("x", "")), lambda name, data: None)
    steps = search(read([text])["c"], asking)
    return None if steps is None else [data for _, data in steps]


def test_the_first_extension_that_holds_is_taken_and_no_other() -> None:
    text = context(extension("a", number("^1$", action("a"))), extension("b", number("^[12]$", action("b"))), extension("c", number("^(?:2|3)$", action("c"))))
    assert [found(text, to) for to in "1234"] == [["a"], ["b"], ["c"], None]


def test_an_extension_that_continues_lets_the_next_one_add_to_it() -> None:
    text = context(extension("a", number("^1$", action("a")), more=' continue="true"'), extension("b", number("^1$", action("b"))))
    assert found(text, "1") == ["a", "b"]


def test_what_the_brackets_caught_stands_for_its_number_in_the_actions() -> None:
    assert found(context(extension("a", number(r"^(\d)(\d+)$", action("$2-$1-$3")))), "123") == ["23-1-"]


def test_a_condition_that_fails_ends_the_extension_but_what_stood_before_it_runs() -> None:
    """mod_dialplan_xml goes on to the next extension then, and its applications come behind."""
    first = extension("a", number("^1$", action("before")), condition('field="${x}" expression="^yes$"', action("only yes")), condition("", action("after")))
    assert found(context(first), "1", x="yes") == ["before", "only yes", "after"]
    assert found(context(first, extension("z", number("^1$", action("z")))), "1", x="no") == ["before", "z"]


@pytest.mark.parametrize(("breaks", "yes", "no"), [
    ("never", ["y", "end"], ["n", "end"]), ("on-true", ["y"], ["n", "end"]), ("on-false", ["y", "end"], ["n"]), ("always", ["y"], ["n"])])  # fmt: skip
def test_break_says_when_no_further_condition_is_asked(breaks: str, yes: list[str], no: list[str]) -> None:
    asked = condition(f'field="${{x}}" expression="^y$" break="{breaks}"', action("y"), action("n", "anti-action"))
    text = context(extension("a", number("^1$"), asked, condition("", action("end"))))
    assert (found(text, "1", x="y"), found(text, "1", x="?")) == (yes, no)


def test_conditions_are_asked_before_anything_of_the_extension_runs() -> None:
    switch, leg = on_the_phone(context(extension("a", number("^1$", '<action application="set" data="fsd_x=1"/>'),
                                                 condition('field="${fsd_x}" expression="^1$" break="never"', '<action application="set" data="fsd_y=late"/>'),
                                                 condition("", '<action application="park"/>'))))  # fmt: skip
    assert (switch.legs[leg].variables["fsd_x"], "fsd_y" in switch.legs[leg].variables) == ("1", False)


def test_an_inline_action_runs_while_they_are_asked() -> None:
    switch, leg = on_the_phone(context(extension("a", number("^1$", '<action application="set" data="fsd_x=1" inline="true"/>'),
                                                 condition('field="${fsd_x}" expression="^1$" break="never"', '<action application="set" data="fsd_y=seen"/>'),
                                                 condition("", '<action application="park"/>'))))  # fmt: skip
    assert switch.legs[leg].variables["fsd_y"] == "seen"


@pytest.mark.parametrize(("text", "words"), [
    ("<include>\n<context name='c'><extension>\n</include>", "not XML"),
    (context(extension("a", condition('wday="2-6"', action("x")))), "wday"),
    (context(extension("a", condition('regex="all"', '<regex field="x" expression="y"/>'))), "regex"),
    (context(extension("a", number("^(1$", action("x")))), "expression"),
    (context(extension("a", number("^1$", action("x"), more='break="sometimes"'))), "sometimes"),
    (context(extension("a", condition('field="ani"', action("x")))), "both field and expression"),
])  # fmt: skip
def test_what_the_simulated_switch_does_not_know_it_refuses_to_read(text: str, words: str) -> None:
    with pytest.raises(DialplanError, match=words):
        read([text])


def test_of_two_contexts_of_one_name_the_first_is_found_and_extensions_alone_are_the_public_folder() -> None:
    plan = read([context(extension("a")), context(extension("b")), f"<include>\n{extension('door')}\n</include>"])
    assert ([each.name for each in plan["c"].extensions], [each.name for each in plan["public"].extensions]) == (["a"], ["door"])


def test_a_context_is_printed_as_xml_locate_does() -> None:
    assert printed(read([context(extension("a", number("^a$", action("x &amp; y"))))])["c"]) == (
        '<context name="c">\n      <extension name="a">\n          <condition field="destination_number" expression="^a$">\n'
        '              <action application="log" data="x &amp; y"></action>\n\n      </condition>\n\n    </extension>\n\n  </context>\n'
    )


# --- ${…}


def on_the_phone(dialplan: str = "", **variables: str) -> tuple[SimSwitch, str]:
    """A leg that was originated into extension 1 of this dialplan, or parked."""
    settings = SwitchSettings(dialplan=(dialplan,) if dialplan else ())
    switch = SimSwitch(ScriptedPeople({}, Behaviour()), rng=Random(1), new_uuid=uuids(Random(2)), settings=settings, started_at=NOON)
    switch.originate("j", "leg", "sofia/gateway/t/1", variables, "1 XML c" if dialplan else "&park()", NOON)
    while (at := switch.next_wakeup()) is not None and at < NOON + 5:
        switch.advance(at)
    return switch, "leg"


@pytest.mark.parametrize(("text", "becomes"), [
    ("plain $ and \\d+", "plain $ and \\d+"),
    ("${a}-${nosuch}-${domain}", "one--127.0.0.1"),
    ("${a:1} ${a:0:2} ${a:-2}", "ne on ne"),
    ("${${b}}", "one"),
    ("${strepoch()}", "1780000005"),
    ("${module_exists(mod_sofia)}${module_exists(mod_nosuch)}", "truefalse"),
    ("${cond(${n} > 0 ? some : none)} ${cond(a == b ? x : y)}", "some y"),
    ("\\${a} ${a}", "${a} one"),
    ("x\\\\\\${a}${a}", "x\\${a}one"),
    ("${a}\\${a}", "one\\one"),  # what follows a value is copied before it is looked at
    ("${again}", "one"),  # a value is expanded again
    ("${unknown_api(x)}|", "|"),
])  # fmt: skip
def test_variables_and_functions_are_put_in_as_the_switch_does_it(text: str, becomes: str) -> None:
    switch, leg = on_the_phone()
    for name, value in {"a": "one", "b": "a", "n": "3", "again": "${a}"}.items():
        switch.setvar(leg, name, value, NOON + 5)
    assert switch.expand(switch.legs[leg], text, NOON + 5) == becomes


@pytest.mark.spec("D7")
def test_a_value_that_holds_a_command_would_run_it_and_here_is_only_written_down() -> None:
    switch, leg = on_the_phone()
    switch.setvar(leg, "fsd_a_name", "${system(rm -rf /)}", NOON + 5)
    assert switch.expand(switch.legs[leg], "Dear ${fsd_a_name}!", NOON + 5) == "Dear !"
    assert switch.attempted == [("system", "rm -rf /")]


def test_set_expands_what_it_was_given_once_more() -> None:
    text = '<action application="set" data="later=\\\\\\${x}"/><action application="set" data="x=now"/><action application="set" data="seen=${later}"/>'
    switch, leg = on_the_phone(context(extension("a", number("^1$", text, '<action application="park"/>'))))
    assert (switch.legs[leg].variables["later"], switch.legs[leg].variables["seen"]) == ("${x}", "now")


def test_an_application_that_nobody_knows_ends_the_call() -> None:
    switch, leg = on_the_phone(context(extension("a", number("^1$", '<action application="frobnicate"/>'))))
    assert leg not in switch.legs


def test_an_extension_inside_another_one_comes_back_to_it() -> None:
    inner = extension("in", number("^in$", '<action application="set" data="fsd_n=${fsd_n}1"/><action application="sleep" data="500"/>'))
    outer = number("^1$", '<action application="execute_extension" data="in XML c"/><action application="set" data="fsd_n=${fsd_n}2"/>',
                   '<action application="park"/>')  # fmt: skip
    switch, leg = on_the_phone(context(extension("a", outer), inner))
    assert (switch.legs[leg].variables["fsd_n"], switch.legs[leg].parked) == ("12", True)


def test_reloadxml_takes_new_files_and_keeps_the_old_ones_when_they_are_wrong() -> None:
    switch, _ = on_the_phone(context(extension("a", number("^1$", '<action application="park"/>'))))
    switch.files = lambda: (context(extension("b", number("^2$", action("b")))),)
    assert switch.api("reloadxml", NOON + 5) == "+OK [Success]\n"
    assert '<extension name="b">' in switch.api("xml_locate dialplan context name c", NOON + 5)
    switch.files = lambda: ("<context",)
    assert switch.api("reloadxml", NOON + 5).startswith("+OK [[error")
    assert '<extension name="b">' in switch.api("xml_locate dialplan context name c", NOON + 5)

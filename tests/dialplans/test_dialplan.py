"""Dialplan XML: every value arrives as it was given, or is refused (spec D7)."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.dialplans.dialplan import MATCH, NOW, Action, Condition, Context, Extension, Fixed, Later, Ref, always, exactly, render, render_bare
from fs_dialer.errors import EslUnsafe

EXPANDED = ("${system(touch /tmp/x)}", "$1", "$${domain}", "a{b", "a}b", "a\\nb", "a\\'b", "$")
NOT_ONE_LINE = ("a\nb", "a\r\nb", "a\tb", "a\0b", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\ud800b", "a\uffffb", "x" * 2001)
NO_NAMES = ("", "a b", 'a"b', "a.", "a$", "^a", "(a)", "a|b", "a<b", "caf\u00e9", "a\n", "x" * 161)

GOLDEN = """\
<!-- First line.
     Second line. -->
<include>
  <context name="fsd">
    <extension name="one">
      <condition field="destination_number" expression="^one$">
        <action application="answer"/>
        <action application="playback" data="tone_stream://%(400,200,425)"/>
      </condition>
    </extension>
    <extension name="two-2">
      <condition field="destination_number" expression="^two-2$">
        <action application="log" data="INFO &quot;a&quot; &lt; b &amp; c &gt; d, it's é"/>
      </condition>
    </extension>
  </context>
</include>
"""


def one(data: str, application: str = "log") -> Context:
    return Context("fsd", (Extension("one", (Action(application, data),)),))


def test_a_context_is_rendered_in_freeswitchs_own_shape() -> None:
    context = Context(
        "fsd",
        (
            Extension("one", (Action("answer"), Action("playback", "tone_stream://%(400,200,425)"))),
            Extension("two-2", (Action("log", 'INFO "a" < b & c > d, it\'s é'),)),
        ),
    )
    assert render(context, "First line.\nSecond line.") == GOLDEN


@pytest.mark.spec("D7")
@given(st.text(max_size=60))
def test_a_value_arrives_unchanged_or_is_refused(value: str) -> None:
    """D7: whatever is typed, the tree has one action with just that value, or there is no file."""
    try:
        text = render(one(value))
    except EslUnsafe:
        return
    actions = ElementTree.fromstring(text).findall("./context/extension/condition/action")
    assert [action.get("data", "") for action in actions] == [value]
    assert not set("${}\\") & set(value)


@pytest.mark.spec("D7")
@pytest.mark.parametrize("value", EXPANDED)
def test_what_freeswitch_would_expand_is_refused(value: str) -> None:
    """D7: FreeSWITCH expands what an application's argument names, at the moment it runs."""
    with pytest.raises(EslUnsafe, match="would expand"):
        render(one(value))


@pytest.mark.parametrize("value", NOT_ONE_LINE)
def test_what_is_not_one_line_of_text_is_refused(value: str) -> None:
    with pytest.raises(EslUnsafe, match="one line of text"):
        render(one(value))


@pytest.mark.spec("D7")
@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_could_mean_more_in_the_condition_is_refused(name: str) -> None:
    """An extension's name stands in a regular expression; a context's in an attribute."""
    with pytest.raises(EslUnsafe, match="not a name"):
        render(Context("fsd", (Extension(name, ()),)))
    with pytest.raises(EslUnsafe, match="not a name"):
        render(Context(name, ()))


@pytest.mark.parametrize("application", ["", "Playback", "play back", "a:b", 'a"', "system\n", "é"])
def test_an_application_is_a_plain_word(application: str) -> None:
    with pytest.raises(EslUnsafe, match="not an application"):
        render(one("", application))


@pytest.mark.parametrize("comment", ["a -- b", '<X-PRE-PROCESS cmd="exec" data="touch /tmp/x"/>', "#include x", "$${domain}", "-->"])
def test_a_comment_that_the_preprocessor_might_obey_is_refused(comment: str) -> None:
    """FreeSWITCH looks for its own directives before it looks for comments."""
    with pytest.raises(EslUnsafe, match="plain text"):
        render(one("x"), comment)


def test_an_extension_that_is_there_twice_is_refused() -> None:
    with pytest.raises(EslUnsafe, match="twice"):
        render(Context("fsd", (Extension("a", ()), Extension("a", ()))))


def test_equal_values_give_equal_bytes() -> None:
    assert render(one("x")) == render(one("x"))


# --- variables --------------------------------------------------------------------------------------------------------


def rendered(*actions: Action, conditions: tuple[Condition, ...] = (), first: tuple[Condition, ...] = ()) -> str:
    return render(Context("fsd", (Extension("one", actions, conditions, first=first),)))


@pytest.mark.spec("D7")
@pytest.mark.parametrize("name", ["fsd_ivr", "fsd_a_due-days", "fsd_v_pin", "fsd_number", "fsd_a_x.y", "record_seconds", "uuid", "last_bridge_to"])
def test_a_variable_of_ours_can_be_named(name: str) -> None:
    assert f'data="a=${{{name}}}b"' in rendered(Action("set", ("a=", Ref(name), "b")))


FOREIGN = (
    "caller_id_name",
    "sip_from_user",
    "effective_caller_id_name",
    "fsd_a_",
    "fsd_a_x}${system(touch /tmp/x)",
    "fsd_a_x:0:3",
    "fsd_a_x[0]",
    "fsd_x",
    "system(id)",
    "",
)


@pytest.mark.spec("D7")
@pytest.mark.parametrize("name", FOREIGN)
def test_no_other_variable_can_be_named(name: str) -> None:
    with pytest.raises(EslUnsafe, match="not a variable"):
        Ref(name)


@pytest.mark.spec("D7")
@pytest.mark.parametrize("value", EXPANDED)
def test_a_text_beside_a_variable_is_as_strict_as_one_alone(value: str) -> None:
    with pytest.raises(EslUnsafe, match="would expand"):
        rendered(Action("set", ("a=", Ref("fsd_ivr"), value)))


@pytest.mark.spec("D7")
def test_a_fixed_word_is_one_of_ours() -> None:
    assert "${strepoch()}" in rendered(Action("set", ("a=", NOW)))
    with pytest.raises(EslUnsafe, match="not a word of ours"):
        rendered(Action("set", ("a=", Fixed("${system(id)}"))))


def test_what_is_expanded_later_is_hidden_from_the_switch_twice() -> None:
    """`set` expands its argument once more than other applications."""
    assert 'data="a=\\\\\\${record_seconds}"' in rendered(Action("set", ("a=", Later(Ref("record_seconds")))))


# --- conditions -------------------------------------------------------------------------------------------------------

CONDITIONS = """\
      <condition field="destination_number" expression="^(?:one|one\\.2|one\\.\\*)$"/>
      <condition field="uuid" expression="^[a-f0-9-]{36}$">
        <action application="answer"/>
      </condition>
      <condition field="caller_id_number" expression="^([0-9]+)$" break="never">
        <action application="set" data="fsd_number=$1"/>
      </condition>
      <condition field="${fsd_a_tier}" expression="^(?:gold|a\\.b)$">
        <action application="hangup"/>
        <anti-action application="park"/>
      </condition>
"""


def test_conditions_stand_in_the_order_in_which_they_are_asked() -> None:
    extension = Extension(
        "one",
        (Action("answer"),),
        (
            Condition("caller_id_number", "^([0-9]+)$", (Action("set", ("fsd_number=", MATCH)),), breaks="never"),
            Condition((Ref("fsd_a_tier"),), exactly("gold", "a.b"), (Action("hangup"),), (Action("park"),)),
        ),
        also=("one.2", "one.*"),
        first=(Condition("uuid", "^[a-f0-9-]{36}$"),),
    )
    assert CONDITIONS in render(Context("fsd", (extension,)))


def test_what_is_always_so_continues_the_condition_before() -> None:
    text = rendered(Action("answer"), conditions=(always(Action("sleep", "1")), always(Action("hangup"))))
    assert text.count("<condition") == 1


def test_after_a_condition_that_lets_others_through_what_is_always_so_stands_alone() -> None:
    text = rendered(conditions=(Condition("uuid", "^a$", (Action("answer"),), breaks="never"), always(Action("hangup"))))
    assert "<condition>" in text


@pytest.mark.spec("D7")
@pytest.mark.parametrize("field", ["caller_id_name", "${caller_id_name}", "ani", "network_addr", "sip_from_user", ""])
def test_nothing_else_that_a_caller_says_is_looked_at(field: str) -> None:
    with pytest.raises(EslUnsafe, match="not a field"):
        rendered(conditions=(Condition(field, "^a$"),))


@pytest.mark.parametrize("expression", ["a", "^a", "a$", "^${a}$", "^a$b$", '^"$', "^<$", "^a$\n"])
def test_an_expression_is_anchored_and_plain(expression: str) -> None:
    with pytest.raises(EslUnsafe, match="not an expression"):
        rendered(conditions=(Condition("uuid", expression),))


@given(st.text(alphabet="abc019 _+.,*#@:-", max_size=12), st.text(alphabet="abc019 _+.,*#@:-", max_size=12))
def test_exactly_is_true_of_its_text_and_of_no_other(value: str, other: str) -> None:
    assert re.search(exactly(value, "x"), value)
    assert (re.search(exactly(value), other) is not None) == (value == other)


@pytest.mark.parametrize("value", ["a|b", "(a)", "a\\b", "a$", "[a]", "a\n", "é"])
def test_what_means_more_in_an_expression_is_refused(value: str) -> None:
    with pytest.raises(EslUnsafe, match="not plain enough"):
        exactly(value)


def test_a_name_among_those_of_others_is_refused_as_its_own() -> None:
    with pytest.raises(EslUnsafe, match="twice"):
        render(Context("fsd", (Extension("a", (), also=("b",)), Extension("b", ()))))


def test_extensions_for_a_context_of_somebody_else_stand_alone() -> None:
    assert "<context" not in render_bare((Extension("+442079460200", (Action("answer"),)),))
    assert 'expression="^\\+442079460200$"' in render_bare((Extension("+442079460200", (Action("answer"),)),))

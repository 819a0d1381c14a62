"""Dialplan XML: every value arrives as it was given, or is refused (spec D7)."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.dialplans.dialplan import Action, Context, Extension, render
from fs_dialer.errors import EslUnsafe

EXPANDED = ("${system(touch /tmp/x)}", "$1", "$${domain}", "a{b", "a}b", "a\\nb", "a\\'b", "$")
NOT_ONE_LINE = ("a\nb", "a\r\nb", "a\tb", "a\0b", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\ud800b", "a\uffffb", "x" * 1001)
NO_NAMES = ("", "a b", 'a"b', "a.b", "a$", "^a", "(a)", "a|b", "a<b", "caf\u00e9", "a\n", "x" * 65)

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

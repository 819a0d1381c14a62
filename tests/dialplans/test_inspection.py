"""The last look at a file before a switch is given it (D7)."""

from __future__ import annotations

from pathlib import Path

import pytest

from fs_dialer.dialplans.dialplan import Action, Context, Extension, render
from fs_dialer.dialplans.files import switch_files
from fs_dialer.dialplans.inspection import faults
from fs_dialer.dialplans.options import SwitchOptions
from tests.cli.runner import ROOT

pytestmark = pytest.mark.spec("D7")
GOLDEN = [*sorted((ROOT / "tests" / "dialplans" / "golden").glob("*.xml")), *sorted((ROOT / "tests" / "ivr" / "golden").glob("*.xml"))]


def a_file(data: str = "fsd_x=1", *, application: str = "set", context: str = "fsd_ivr") -> str:
    return f"""<include>
  <context name="{context}">
    <extension name="x">
      <condition field="destination_number" expression="^x$">
        <action application="{application}" data="{data}"/>
      </condition>
    </extension>
  </context>
</include>
"""


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_what_the_renderers_make_passes(path: Path) -> None:
    assert faults(path.read_text(encoding="utf-8")) == []


def test_files_without_flows_and_queues_pass() -> None:
    assert [fault for text in switch_files((), (), SwitchOptions()).values() for fault in faults(text)] == []


@pytest.mark.parametrize(
    "data",
    [
        "${caller_id_name}",
        "${system(touch x)}",
        "${fsd_ivr}${sip_from_display}",
        "$${domain}",
        "$2",
        "a\\nb",
        "${strepoch(x)}",
        "${fsd_ivr",
        "${x(${fsd_ivr})}",
    ],
)
def test_a_value_that_the_switch_would_expand_is_refused(data: str) -> None:
    assert faults(a_file(data)) != []


@pytest.mark.parametrize("data", ["${fsd_ivr}", "$1", "fsd_since=${strepoch()}", "\\\\\\${record_seconds}", "${module_exists(mod_amd)}"])
def test_our_own_variables_and_words_pass(data: str) -> None:
    assert faults(a_file(data)) == []


@pytest.mark.parametrize("application", ["system", "bgsystem", "lua", "curl", "socket", "eval", "python", "export", "multiset"])
def test_an_application_that_our_dialplan_does_not_use_is_refused(application: str) -> None:
    assert any("application" in fault for fault in faults(a_file(application=application)))


def test_a_context_of_somebody_else_is_refused() -> None:
    assert any("context" in fault for fault in faults(a_file(context="public")))


@pytest.mark.parametrize(
    "text",
    [
        "<include>\n<X-PRE-PROCESS cmd='exec' data='id'/>\n</include>\n",
        "<include>\n<!--#include other.xml -->\n</include>\n",
        "<!DOCTYPE x [<!ENTITY a 'b'>]>\n<include>\n</include>\n",
    ],
)
def test_what_freeswitch_obeys_wherever_it_stands_is_refused(text: str) -> None:
    assert faults(text) != []


def test_what_is_not_whole_is_refused() -> None:
    assert "not whole XML" in faults(a_file().replace("</context>", ""))[0]
    assert faults("<document/>\n") != []


def test_a_line_that_freeswitch_would_drop_is_refused() -> None:
    assert any("drops" in fault for fault in faults(a_file().replace("<include>\n", "<include> ")))


def test_an_extension_that_is_there_twice_is_refused() -> None:
    block = a_file().partition('    <extension name="x">')[2].partition("  </context>")[0]
    assert any("twice" in fault for fault in faults(a_file().replace("  </context>", f'    <extension name="x">{block}  </context>')))


def test_other_elements_attributes_and_text_are_refused() -> None:
    assert any("<macro>" in fault for fault in faults(a_file().replace("</condition>", "<macro/></condition>")))
    assert any("attribute" in fault for fault in faults(a_file().replace('name="x"', 'name="x" continue="true"')))
    assert any("text beside" in fault for fault in faults(a_file().replace("</condition>", "words</condition>")))


def test_an_expression_has_both_its_ends() -> None:
    assert any("expression" in fault for fault in faults(a_file().replace('"^x$"', '".*"')))


def test_a_renderer_and_the_inspection_agree_on_a_plain_context() -> None:
    assert faults(render(Context("fsd_ivr", (Extension("x", (Action("answer"),)),)))) == []

"""fsd_fallback: what a leg meets whose daemon is gone, and the files that go into the switch with it."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fs_dialer.core.leg_plan import FALLBACK_CONTEXT, FALLBACK_EXTENSION
from fs_dialer.dialplans.fallback import Fallback, extension, fallback_file
from fs_dialer.errors import EslUnsafe
from fs_dialer.sim.settings import EXTENSIONS

ROOT = Path(__file__).resolve().parents[2]
SWITCH = ROOT / "conf" / "freeswitch"

WITH_NOTICE = """\
<include>
  <context name="fsd">
    <extension name="fsd_fallback">
      <condition field="destination_number" expression="^fsd_fallback$"/>
      <condition field="${fsd_queue}/${last_bridge_to}" expression="^([A-Za-z0-9][A-Za-z0-9_.-]{0,63})/$" break="on-true">
        <action application="transfer" data="$1.fallback XML fsd_queue"/>
      </condition>
      <condition>
        <action application="sched_hangup" data="+45 ALLOTTED_TIMEOUT"/>
        <action application="set" data="fsd_fallback=true"/>
        <action application="log" data="WARNING fs-dialer: nobody has looked after this leg for 30 s; it is in fsd_fallback and will be released"/>
        <action application="answer"/>
        <action application="playback" data="sounds/sorry.wav"/>
        <action application="playback" data="local_stream://waiting"/>
        <action application="hangup" data="NORMAL_CLEARING"/>
      </condition>
    </extension>
  </context>
</include>
"""


def actions(fallback: Fallback) -> list[tuple[str, str]]:
    return [(action.application, str(action.data)) for action in extension(fallback).conditions[-1].actions]


# --- the extension ----------------------------------------------------------------------------------------------------


def test_a_notice_then_music_then_the_hangup() -> None:
    text = fallback_file(Fallback(notice="sounds/sorry.wav", music="local_stream://waiting", release_after_s=45))
    assert text.partition("-->\n")[2] == WITH_NOTICE


def test_the_file_in_conf_is_what_the_renderer_makes() -> None:
    text = (SWITCH / "dialplan" / "fsd.xml").read_text(encoding="utf-8")
    assert text == fallback_file(Fallback()), "python -m fs_dialer.dialplans.fallback > conf/freeswitch/dialplan/fsd.xml"


def test_it_stands_where_the_timers_of_the_legs_point() -> None:
    tree = ElementTree.fromstring(fallback_file(Fallback()))
    assert [context.get("name") for context in tree.findall("context")] == [FALLBACK_CONTEXT]
    condition, *_ = tree.findall("context/extension/condition")
    assert re.fullmatch(condition.get("expression", ""), FALLBACK_EXTENSION)
    assert (FALLBACK_CONTEXT, FALLBACK_EXTENSION) in EXTENSIONS, "the simulated switch knows it too"


def test_the_limit_is_set_before_anything_is_played() -> None:
    assert actions(Fallback(notice="a.wav"))[0] == ("sched_hangup", "+30 ALLOTTED_TIMEOUT")


def test_where_the_music_ends_or_is_missing_the_leg_is_released() -> None:
    assert actions(Fallback())[-2:] == [("playback", "local_stream://moh"), ("hangup", "NORMAL_CLEARING")]


@pytest.mark.spec("D7")
def test_two_channel_variables_are_named_and_only_asked_for() -> None:
    """D7: a value that came from outside would be expanded again, and run. The queue's name and the bridge's uuid are ours and the switch's."""
    text = fallback_file(Fallback(notice="a.wav")).replace('field="${fsd_queue}/${last_bridge_to}"', "")
    assert re.sub(r'expression="[^"]*"', "", text).count("$") == 1 and '"$1.fallback XML fsd_queue"' in text


NO_SOUNDS = ("${system(touch /tmp/x)}", "a b.wav", "a'.wav", "shout://example.com/x", "tone_stream://%(1,2,3);loops=-1", "../x.wav", "")


@pytest.mark.spec("D7")
@pytest.mark.parametrize("sound", NO_SOUNDS)
def test_a_sound_that_is_not_plainly_one_is_refused(sound: str) -> None:
    with pytest.raises(EslUnsafe):
        fallback_file(Fallback(music=sound))
    with pytest.raises(EslUnsafe):
        fallback_file(Fallback(notice=sound))


def test_a_notice_that_never_ends_is_refused() -> None:
    with pytest.raises(EslUnsafe, match="has to end"):
        fallback_file(Fallback(notice="local_stream://moh"))


@pytest.mark.parametrize("seconds", [0, -1, 601, True])
def test_the_limit_has_bounds(seconds: int) -> None:
    """0 would hang up at once, before the notice."""
    with pytest.raises(EslUnsafe, match="1 to 600"):
        fallback_file(Fallback(release_after_s=seconds))


# --- the examples for the engineer ------------------------------------------------------------------------------------


def settings(name: str) -> dict[str, str]:
    tree = ElementTree.parse(SWITCH / "autoload_configs" / name)
    return {param.get("name", ""): param.get("value", "") for param in tree.iter("param")}


def test_the_event_socket_of_the_example_is_closed_to_the_outside() -> None:
    example = settings("event_socket.conf.xml.example")
    assert example["listen-ip"] == "127.0.0.1"
    acl = ElementTree.parse(SWITCH / "autoload_configs" / "acl.conf.xml.example").find(f".//list[@name='{example['apply-inbound-acl']}']")
    assert acl is not None and acl.get("default") == "deny"
    assert [(node.get("type"), node.get("cidr")) for node in acl.findall("node")] == [("allow", "127.0.0.1/32")]


def test_the_example_does_not_fall_back_to_the_password_everybody_knows() -> None:
    """FreeSWITCH takes an empty or missing password for ClueCon; ours is a mark that docs/switch.md replaces by a random one."""
    assert settings("event_socket.conf.xml.example")["password"] == "@PASSWORD@"
    assert "s/@PASSWORD@/" in (ROOT / "docs" / "switch.md").read_text(encoding="utf-8")


def test_freeswitch_does_not_read_the_examples_by_itself() -> None:
    """Its standard configuration includes autoload_configs/*.xml: an example there must not take the place of the engineer's own file."""
    assert list((SWITCH / "autoload_configs").glob("*.xml")) == []


def test_every_xml_file_for_the_switch_is_well_formed() -> None:
    files = [path for path in SWITCH.rglob("*") if path.suffix in (".xml", ".example")]
    assert files
    for path in files:
        ElementTree.parse(path)

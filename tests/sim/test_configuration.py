"""What the simulated switch says about its configuration, against what FreeSWITCH 1.11.3 answered over its event socket, byte for byte."""

from __future__ import annotations

import random

import pytest

from fs_dialer.sim.esl_server import seeded_uuids
from fs_dialer.sim.people import Behaviour, ScriptedPeople
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch

# From a switch with conf/freeswitch/dialplan/fsd.xml.
CONTEXT = (
    '<context name="fsd">\n      <extension name="fsd_fallback">\n          <condition field="destination_number" expression="^fsd_fallback$">\n'
    '              <action application="sched_hangup" data="+30 ALLOTTED_TIMEOUT"></action>\n\n'
    '              <action application="set" data="fsd_fallback=true"></action>\n\n'
    '              <action application="log" data="WARNING fs-dialer: nobody has looked after this leg for 30 s; it is in fsd_fallback and will be released">'
    '</action>\n\n              <action application="answer"></action>\n\n'
    '              <action application="playback" data="local_stream://moh"></action>\n\n'
    '              <action application="hangup" data="NORMAL_CLEARING"></action>\n\n      </condition>\n\n    </extension>\n\n  </context>\n'
)
STREAM = (
    "moh\n  location: /sounds/music\n  channels: 1\n  rate:     8000\n  interval: 20\n  samples:  160\n  prebuf:   65536\n  timer:    soft\n  total:    0\n"
    "  shuffle:  true\n  ready:    true\n  stopped:  false\n  reloading: false\n"
)


@pytest.fixture
def switch() -> SimSwitch:
    settings = SwitchSettings(sound_prefix="/sounds", missing_files=frozenset({"ivr/sorry.wav"}))
    return SimSwitch(ScriptedPeople({}, Behaviour()), rng=random.Random(1), new_uuid=seeded_uuids(random.Random(2)), settings=settings)


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("xml_locate dialplan context name fsd", CONTEXT),
        ("xml_locate dialplan context name nosuch", "can't find anything\n"),
        ("xml_locate configuration configuration name nosuch.conf", "can't find anything\n"),
        ("xml_locate nosuch", "can't find anything\n"),
        ("xml_locate", "-ERR bad args\n"),
        ("local_stream show", "moh,/sounds/music\ndefault,/sounds/music\n"),
        ("local_stream show moh", STREAM),
        ("local_stream show nosuch", "-ERR Cannot locate local_stream nosuch!\n"),
        ("local_stream", "-USAGE: <show|start|reload|stop|hup> <local_stream_name>\n"),
        ("file_exists /sounds/moh.wav", "true"),
        ("file_exists /sounds/ivr/sorry.wav", "false"),
        ("file_exists /etc/nosuch", "false"),
        ("file_exists", "false"),
        ("module_exists mod_sofia", "true"),
        ("module_exists mod_nosuch", "false"),
        ("module_exists", "-ERR no reply\n"),
        ("global_getvar sound_prefix", "/sounds"),
    ],
)
def test_it_answers_as_freeswitch_does(switch: SimSwitch, command: str, reply: str) -> None:
    assert switch.api(command, 1.0) == reply


def test_its_files_say_what_it_was_started_with_whatever_fsctl_was_told(switch: SimSwitch) -> None:
    switch.api("fsctl sps 7", 1.0)
    assert '<param name="sessions-per-second" value="500"></param>\n' in switch.api("xml_locate configuration configuration name switch.conf", 1.0)
    assert '<param name="listen-ip" value="127.0.0.1"></param>\n' in switch.api("xml_locate configuration configuration name event_socket.conf", 1.0)


def test_a_module_that_is_unloaded_is_gone_until_it_is_loaded(switch: SimSwitch) -> None:
    assert switch.api("unload mod_local_stream", 1.0) == "+OK\n"
    assert switch.api("module_exists mod_local_stream", 1.0) == "false"
    assert switch.api("local_stream show", 1.0) == "-ERR local_stream Command not found!\n"
    switch.api("load mod_local_stream", 1.0)
    assert switch.api("module_exists mod_local_stream", 1.0) == "true"


def test_its_clock_goes_in_steps_and_never_ahead(switch: SimSwitch) -> None:
    said = [int(switch.api("strmicroepoch", 1_795_311_029.0 + n / 1000)) / 1e6 for n in range(60)]
    behind = [1_795_311_029.0 + n / 1000 - each for n, each in enumerate(said)]
    assert min(behind) + 1e-5 >= 0 and max(behind) < 0.021 and 3 <= len(set(said)) <= 4

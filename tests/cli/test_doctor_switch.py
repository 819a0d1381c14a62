"""What the switch's answers mean. The replies are those of FreeSWITCH 1.11.3 over the event socket, word for word, but for the figures."""

from __future__ import annotations

import pytest

from fs_dialer.cli.doctor import call, routes, switch
from fs_dialer.cli.doctor.checks import Check, Verdict
from fs_dialer.dialplans.fallback import Fallback, fallback_file

pytestmark = pytest.mark.spec("X9")
WHO = ("campaign spring",)
FINE, WARN, BAD, NOT_ASKED = Verdict.FINE, Verdict.WARN, Verdict.BAD, Verdict.NOT_ASKED
FALLBACK = (
    '<context name="fsd">\n      <extension name="fsd_fallback">\n          <condition field="destination_number" expression="^fsd_fallback$">\n'
    '              <action application="sched_hangup" data="+30 ALLOTTED_TIMEOUT"></action>\n\n              <action application="answer"></action>\n\n'
    '              <action application="playback" data="local_stream://moh"></action>\n\n      </condition>\n\n    </extension>\n\n  </context>\n'
)
GATEWAY = "=====\nName    \ttrunk1\nProfile \tinternal\nPingState\t0/0/0\nState   \t{}\nStatus  \t{}\nUptime  \t1s\n=====\n"


def conf(**params: str) -> str:
    lines = "".join(f'      <param name="{name.replace("_", "-")}" value="{value}"></param>\n\n' for name, value in params.items())
    return f'<configuration name="x.conf">\n  <settings>\n{lines}  </settings>\n</configuration>\n'


def of(check: Check) -> tuple[Verdict, str, str]:
    return check.verdict, check.what, check.remedy


# --- the switch itself


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [("1.11.3-dev\n", FINE), ("1.10.12-release\n", FINE), ("1.10\n", FINE), ("2.0.1", FINE), ("1.8.7~64bit\n", WARN), ("0.9", WARN), ("", WARN), ("x", WARN)],
)
def test_a_version_that_was_never_tried_is_a_warning(reply: str, verdict: Verdict) -> None:
    assert switch.version(reply).verdict is verdict


@pytest.mark.parametrize(("reply", "verdict"), [("false", FINE), ("true", BAD)])
def test_a_paused_switch_is_bad(reply: str, verdict: Verdict) -> None:
    assert switch.takes_calls(reply).verdict is verdict


def loaded(*missing: str) -> dict[str, str]:
    return {name: "false" if name in missing else "true" for name in switch.MODULES}


def test_a_missing_module_is_bad_with_the_line_that_loads_it() -> None:
    check = switch.modules(loaded("mod_sofia"), {})
    assert of(check) == (BAD, "not loaded: mod_sofia", "modules.conf.xml, then: fs_cli -x 'load mod_sofia'")


def test_a_module_for_sounds_is_missed_only_where_such_a_sound_is_named() -> None:
    replies = loaded("mod_local_stream", "mod_say_en")
    assert switch.modules(replies, {"sorry.wav": WHO}).verdict is FINE
    assert "not needed: mod_local_stream, mod_say_en" in switch.modules(replies, {}).what
    assert switch.modules(replies, {"local_stream://moh": WHO}).what == "not loaded: mod_local_stream"


def test_a_switch_without_mod_commands_has_no_module_by_its_answer() -> None:
    assert switch.modules(dict.fromkeys(switch.MODULES, "-ERR module_exists Command not found!\n"), {}).verdict is BAD


@pytest.mark.parametrize(
    ("now", "cps", "verdict"),
    [(30, 45, BAD), (45, 45, BAD), (46, 45, WARN), (58, 45, WARN), (59, 45, FINE), (60, 45, FINE), (2, 1, FINE), (1, 0.5, BAD), (30, 10, FINE)],
)
def test_the_rate_must_be_above_what_may_be_asked_and_should_be_a_third_above(now: int, cps: float, verdict: Verdict) -> None:
    assert switch.rate(f"+OK sessions per second: {now}\n", cps).verdict is verdict


def test_a_rate_too_low_names_file_and_command() -> None:
    check = switch.rate("+OK sessions per second: 30\n", 45)
    assert of(check) == (BAD, "sessions-per-second is 30, campaigns may ask 45", "switch.conf.xml, then: fs_cli -x 'fsctl sps 60'")


@pytest.mark.parametrize("cps", [0.1, 1, 9.9, 10, 30, 45, 333])
def test_the_rate_that_is_proposed_is_fine(cps: float) -> None:
    assert switch.rate(f"+OK sessions per second: {switch.wanted_rate(cps)}\n", cps).verdict is FINE


def test_sessions_must_hold_all_lines() -> None:
    assert switch.sessions("+OK max sessions: 1000\n", 1000).verdict is FINE
    assert of(switch.sessions("+OK max sessions: 1000\n", 1001))[2] == "switch.conf.xml, then: fs_cli -x 'fsctl max_sessions 1001'"


def test_an_answer_that_is_not_understood_is_a_warning_with_the_answer() -> None:
    check = switch.sessions("-ERR Invalid command\nUSAGE: fsctl [...]\n", 10)
    assert check.verdict is WARN and "-ERR Invalid command" in check.remedy


def test_what_fsctl_was_told_must_stand_in_the_file_too() -> None:
    xml = conf(max_sessions="1000", sessions_per_second="30")
    raised = "+OK sessions per second: 60\n", "+OK max sessions: 2000\n"
    assert "sessions-per-second 30 and max-sessions 1000" in switch.after_a_restart(xml, *raised, 45, 1500).what
    assert switch.after_a_restart(xml, *raised, 20, 1000).verdict is FINE
    as_in_the_file = "+OK sessions per second: 30\n", "+OK max sessions: 1000\n"
    assert switch.after_a_restart(xml, *as_in_the_file, 45, 1500).verdict is FINE, "told by the checks of what is now"
    assert switch.after_a_restart("can't find anything\n", *raised, 45, 1500).verdict is FINE


@pytest.mark.parametrize(("lines", "verdict"), [(4999, FINE), (5000, BAD)])
def test_every_leg_needs_two_rtp_ports(lines: int, verdict: Verdict) -> None:
    assert switch.rtp_ports(conf(rtp_start_port="20000", rtp_end_port="29998"), lines).verdict is verdict


def test_without_ports_in_the_file_the_switchs_own_count() -> None:
    assert switch.rtp_ports(conf(), 8000).verdict is FINE
    assert switch.rtp_ports(conf(), 8200).verdict is BAD


@pytest.mark.parametrize(
    ("params", "host", "verdict"),
    [
        ({"listen_ip": "127.0.0.1"}, "127.0.0.1", FINE),
        ({"listen_ip": "::1"}, "127.0.0.1", FINE),
        ({}, "127.0.0.1", FINE),  # mod_event_socket.c: 127.0.0.1 where the file names none
        ({"listen_ip": "::"}, "127.0.0.1", WARN),
        ({"listen_ip": "0.0.0.0", "apply_inbound_acl": "fs_dialer"}, "10.0.0.5", WARN),
        ({"listen_ip": "10.0.0.5", "apply_inbound_acl": "fs_dialer"}, "10.0.0.5", FINE),
        ({"listen_ip": "10.0.0.5", "apply_inbound_acl": "fs_dialer"}, "127.0.0.1", WARN),
        ({"listen_ip": "10.0.0.5"}, "10.0.0.5", WARN),
    ],
)
def test_an_event_socket_beyond_loopback_is_a_warning_unless_the_daemon_needs_it(params: dict[str, str], host: str, verdict: Verdict) -> None:
    assert switch.event_socket(conf(password="a-secret", **params), host).verdict is verdict


def test_the_password_in_the_switchs_configuration_is_never_told() -> None:
    xml = conf(listen_ip="::", password="a-secret")
    assert "a-secret" not in repr((switch.event_socket(xml, "127.0.0.1"), switch.password("a-secret", xml)))


def test_the_password_that_everybody_knows_is_bad_where_others_can_try_it() -> None:
    assert switch.password("ClueCon", conf(listen_ip="127.0.0.1")).verdict is WARN
    assert switch.password("ClueCon", conf(listen_ip="::")).verdict is BAD
    assert switch.password("another", conf(listen_ip="::")).verdict is FINE


def test_the_fallback_extension_must_be_there_and_must_have_a_limit() -> None:
    assert switch.fallback(FALLBACK).verdict is FINE
    assert switch.fallback("can't find anything\n").verdict is BAD
    assert switch.fallback(FALLBACK.replace("sched_hangup", "sleep")).verdict is WARN


def test_the_fallback_that_we_ship_or_make_is_fine_and_its_sounds_are_found() -> None:
    made = fallback_file(Fallback(notice="sounds/sorry.wav", music="local_stream://waiting"))
    assert switch.fallback(made).verdict is FINE
    assert switch.fallback_sounds(made) == ["sounds/sorry.wav", "local_stream://waiting"]
    assert switch.fallback_sounds("can't find anything\n") == []


@pytest.mark.parametrize(("limit", "verdict"), [(400, FINE), (399, BAD)])
def test_the_switch_needs_four_files_for_a_leg(limit: int, verdict: Verdict) -> None:
    assert switch.open_files(limit, 100).verdict is verdict


@pytest.mark.parametrize(("host", "is_it"), [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("pbx", False)])
def test_loopback_is_known_by_its_look(host: str, is_it: bool) -> None:
    assert switch.is_loopback(host) is is_it


# --- trunks and sounds


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (GATEWAY.format("NOREG", "UP"), FINE),
        (GATEWAY.format("REGED", "UP (ping)"), FINE),
        (GATEWAY.format("FAIL_WAIT", "DOWN"), BAD),
        (GATEWAY.format("NOREG", "DOWN (ping)"), BAD),
        (GATEWAY.format("TRYING", "UP"), WARN),
        ("Invalid Gateway!\n", BAD),
        ("something else", WARN),
        ("-ERR sofia Command not found!\n", NOT_ASKED),
    ],
)
def test_a_trunk_must_be_known_up_and_registered(reply: str, verdict: Verdict) -> None:
    assert routes.gateway("trunk1", WHO, reply).verdict is verdict


def test_a_trunk_that_is_missing_tells_who_names_it() -> None:
    check = routes.gateway("trunk9", ("installation.yml", "campaign spring"), "Invalid Gateway!\n")
    assert check.what == "the switch has no gateway trunk9 (installation.yml and 1 more)"


STREAMS = "moh/8000,/opt/music/8000\nmoh/16000,/opt/music/16000\ndefault,/opt/music/8000\n"


@pytest.mark.parametrize(
    ("sound", "reply", "verdict"),
    [
        ("local_stream://moh", STREAMS, FINE),
        ("local_stream://moh", "moh,/sounds/music\n", FINE),
        ("local_stream://jazz", STREAMS, WARN),
        ("local_stream://jazz", "moh,/sounds/music\n", BAD),
        ("local_stream://mo", "moh,/sounds/music\n", BAD),
        ("local_stream://moh", "-ERR local_stream Command not found!\n", NOT_ASKED),
    ],
)
def test_a_stream_is_known_with_or_without_its_rate(sound: str, reply: str, verdict: Verdict) -> None:
    assert routes.stream(sound, WHO, reply).verdict is verdict


def test_a_sound_is_looked_for_where_the_switch_looks() -> None:
    """mod_sndfile: a folder named after the rate; switch_ivr_play_file(): sound_prefix before a relative name."""
    assert routes.files_of("ivr/sorry.wav", "/sounds/en/us/callie")[:2] == [
        "/sounds/en/us/callie/ivr/sorry.wav",
        "/sounds/en/us/callie/ivr/8000/sorry.wav",
    ]
    assert routes.files_of("/var/sorry.wav", "/sounds")[0] == "/var/sorry.wav"


@pytest.mark.parametrize(
    ("sound", "answers", "verdict"),
    [
        ("sorry.wav", ["true"], FINE),
        ("sorry.wav", ["false", "false", "true"], FINE),
        ("sorry.wav", ["false"] * 5, BAD),
        ("sorry", ["false"] * 5, WARN),
    ],
)
def test_a_sound_is_there_under_any_rate(sound: str, answers: list[str], verdict: Verdict) -> None:
    found = dict(zip(routes.files_of(sound, "/sounds"), answers, strict=False))
    assert routes.sound_file(sound, WHO, found, "/sounds").verdict is verdict


# --- the test call

LEG = "11111111-2222-4333-8444-555555555555"


@pytest.mark.parametrize(
    ("reply", "took_s", "verdict"),
    [
        (f"+OK {LEG}\n", 0.003, FINE),
        (f"+OK {LEG}\n", 1.5, WARN),
        ("+OK another-uuid\n", 0.003, BAD),
        ("-ERR CHAN_NOT_IMPLEMENTED\n", 0.003, BAD),
        ("-ERR DESTINATION_OUT_OF_ORDER\n", 0.003, BAD),
    ],
)
def test_the_test_call_must_be_answered_under_its_own_uuid(reply: str, took_s: float, verdict: Verdict) -> None:
    assert call.answered(reply, LEG, took_s).verdict is verdict


def test_the_test_call_goes_nowhere_and_is_none_of_the_daemons() -> None:
    words = call.originate(LEG)
    assert words.endswith("}null/fs-dialer-doctor &park()")
    assert "fsd_" not in words and "sofia" not in words and "user/" not in words


def test_a_call_that_does_not_reach_the_fallback_is_bad() -> None:
    assert call.arrived(None).verdict is BAD
    assert call.arrived(0.02).what == "the test call went into fsd_fallback after 20 ms"

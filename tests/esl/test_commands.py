"""Commands: accepted values give one command of one shape; everything else is refused (spec D7)."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fs_dialer.errors import EslUnsafe
from fs_dialer.esl import commands
from fs_dialer.esl.commands import Endpoint, ScheduledTransfer
from tests.esl.recordings import streams

A = "971595ae-c926-4462-8978-bd6447c0d9ce"
B = "11111111-2222-3333-4444-555555555555"
PHONE = commands.agent_endpoint("user/1001")

EVIL = (
    "${system(touch /tmp/x)}", "$x", "a{b", "a}b", "{a=b}", "[a=b]", "a|b", "a\\b", "a'b", 'a"b', "a;b", "a\nb", "a\r\nb", "a\0b", "a\tb", "a\x7fb",
    "a`b", "a<b", "a&b", "a(b)", "a=b", "a%b", "a^^:b", "caf\u00e9", "\u0661\u0662", "a\u2028b", " a", "a ", "", "x" * 300,
)  # fmt: skip


# ---- the switch's own reading of a line, after switch_separate_string() and switch_event_create_brackets() of FreeSWITCH


def blank_separated(line: str) -> list[str]:
    """Words at blanks outside quotes, quotes dropped."""
    words, word, quoted, begun = [], "", False, False
    for char in line:
        if char == "'":
            quoted, begun = not quoted, True
        elif char == " " and not quoted:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + char, True
    return [*words, word] if begun else words


def reread(line: str) -> tuple[str, dict[str, str], str, list[str]]:
    """Command, variables, endpoint and what is done with the leg, as the switch would take an originate apart."""
    verb, first, *rest = blank_separated(line)
    variables = {}
    if first.startswith("{"):
        inside, _, first = first[1:].partition("}")
        for pair in inside.split(","):
            name, value = pair.split("=")
            variables[name.strip()] = value.strip()
    return verb, variables, first, rest


# ---- originate


def test_originate_as_it_was_recorded() -> None:
    """s02a, but for the order of what it sets."""
    line = commands.originate(
        "971595ae-c926-4462-8978-bd6447c0d9ce",
        commands.agent_endpoint("sofia/internal/1555@127.0.0.1:5080"),
        {"originate_timeout": 20, "ignore_early_media": True, "origination_caller_id_name": "Acme Sales", "my_var": "hello world"},
    )
    assert line == (
        "originate {origination_uuid=971595ae-c926-4462-8978-bd6447c0d9ce,originate_timeout=20,ignore_early_media=true,"
        "origination_caller_id_name='Acme Sales',my_var='hello world'}sofia/internal/1555@127.0.0.1:5080 &park()"
    )


def test_recorded_originates_are_read_alike_by_our_reader_of_the_switchs_rules() -> None:
    sent = b"".join(streams("s02a_answer_hangup", ">>").values()).decode()
    line = next(line for line in sent.split("\n\n") if line.startswith("bgapi originate")).removeprefix("bgapi ").partition("\n")[0]
    _, variables, endpoint, rest = reread(line)
    assert variables["origination_caller_id_name"] == "Acme Sales" and endpoint.startswith("sofia/internal/") and rest == ["&park()"]


def test_originate_to_an_extension() -> None:
    line = commands.originate_to_extension(A, PHONE, {}, "fsd_ivr_7", "fsd")
    assert line == f"originate {{origination_uuid={A}}}user/1001 fsd_ivr_7 XML fsd"


@pytest.mark.spec("D7")
def test_own_fallback_is_the_only_value_the_switch_may_run() -> None:
    fallback = ScheduledTransfer(30, "fsd_fallback", "fsd")
    line = commands.originate(A, PHONE, {"execute_on_answer": fallback})
    assert "execute_on_answer='sched_transfer +30 fsd_fallback XML fsd'}" in line
    for name in ("execute_on_answer", "EXECUTE_ON_RING", "api_on_answer", "api_hangup_hook", "exec_after_bridge_app"):
        with pytest.raises(EslUnsafe):
            commands.originate(A, PHONE, {name: "sched_transfer +30 x XML fsd"})
    with pytest.raises(EslUnsafe):
        commands.originate(A, PHONE, {"lead": fallback})
    with pytest.raises(EslUnsafe):
        commands.originate(A, PHONE, {"execute_on_answer": ScheduledTransfer(30, "a b", "fsd")})


@pytest.mark.spec("D7")
@pytest.mark.parametrize("value", [*EVIL, "a,b"])
def test_value_inside_braces_is_refused(value: str) -> None:
    with pytest.raises(EslUnsafe):
        commands.originate(A, PHONE, {"lead": value})


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a,b", "1a", "a}", "${a}", "a'", "a" * 65, "origination_uuid"])
def test_variable_name_is_refused(name: str) -> None:
    with pytest.raises(EslUnsafe):
        commands.originate(A, PHONE, {name: "x"})


@pytest.mark.spec("D7")
@pytest.mark.parametrize(
    "endpoint", ["user/1001,user/1002", "user/1001|user/1002", "[a=b]user/1001", "{a=b}user/1001", "user/1001 &system(x)", "error/USER_BUSY"]
)
def test_endpoint_is_looked_at_again(endpoint: str) -> None:
    with pytest.raises(EslUnsafe):
        commands.originate(A, Endpoint(endpoint), {})


@pytest.mark.parametrize(("app", "arguments"), [("Park", ""), ("park ", ""), ("", ""), ("park", "a b"), ("park", ")"), ("park", "a,b"), ("park", "${x}")])
def test_application_is_refused(app: str, arguments: str) -> None:
    with pytest.raises(EslUnsafe):
        commands.originate(A, PHONE, {}, app, arguments)


VALUES = st.text(string.ascii_letters + string.digits + " +-._:/@,'\"={}$|\\;\n%&()[]é", max_size=20)


@pytest.mark.spec("D7")
@given(st.dictionaries(st.text(string.ascii_lowercase + "_", min_size=1, max_size=10), VALUES | st.integers() | st.booleans(), max_size=5))
def test_what_is_accepted_is_read_by_the_switch_as_it_was_meant(variables: dict[str, Any]) -> None:
    """Spec D7: no accepted value changes the shape of the command."""
    assume("origination_uuid" not in variables)
    try:
        line = commands.originate(A, PHONE, variables)
    except EslUnsafe:
        return
    meant = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in variables.items()}
    assert reread(line) == ("originate", {"origination_uuid": A, **meant}, "user/1001", ["&park()"])
    assert "\n" not in line and "$" not in line


# ---- endpoints


@pytest.mark.parametrize("number", ["1", "84901234567", "+84901234567", "0" * 20])
def test_number_of_digits_goes_out_through_the_gateway(number: str) -> None:
    assert commands.gateway_endpoint("trunk-1.vn", number) == f"sofia/gateway/trunk-1.vn/{number}"


@pytest.mark.spec("D7")
@pytest.mark.parametrize(
    "number", ["", "+", "1" * 21, "84 90", "84-90", "(84)", "84}", "84,85", "84@evil", "84\n", "\u0661", "${x}", "84&park()", "++84", "84+"]
)
def test_number_of_anything_else_is_refused(number: str) -> None:
    with pytest.raises(EslUnsafe):
        commands.gateway_endpoint("trunk", number)


@pytest.mark.parametrize("gateway", ["", "a b", "a/b", "a,b", "a}", "${x}", "a\n"])
def test_gateway_name_is_refused(gateway: str) -> None:
    with pytest.raises(EslUnsafe):
        commands.gateway_endpoint(gateway, "84901234567")


@pytest.mark.parametrize(
    "dial_string",
    [
        "user/1001",
        "user/1001@pbx.example",
        "sofia/internal/1001@127.0.0.1:5090",
        "sofia/internal/1001@pbx.example",
        "sofia/internal/1001%pbx.example",
        "sofia/gateway/pbx/1001",
        "loopback/9664/default",
    ],
)
def test_agents_dial_string_is_taken(dial_string: str) -> None:
    assert commands.agent_endpoint(dial_string) == dial_string


@pytest.mark.spec("D7")
@pytest.mark.parametrize(
    "dial_string",
    [
        "", "1001", "user/", "user/1001 ", "user/1001,user/1002", "user/1001|user/1002", "user/1001:_:user/1002", "{a=b}user/1001", "[a=b]user/1001",
        "user/1001&park()", "user/1001\n", "user/${x}", "sofia/internal/1001", "sofia/internal/1001@host;transport=tcp", "sofia/internal/1001@",
        "sofia/internal/1001@host:99999999", "sofia/gateway/pbx/1001@evil", "error/USER_BUSY", "null/x", "group/sales", "pipe/x",
    ],
)  # fmt: skip
def test_agents_dial_string_is_refused(dial_string: str) -> None:
    with pytest.raises(EslUnsafe):
        commands.agent_endpoint(dial_string)


# ---- what is done to a leg


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (commands.uuid_bridge(A, B), f"uuid_bridge {A} {B}"),
        (commands.uuid_kill(A, "ORIGINATOR_CANCEL"), f"uuid_kill {A} ORIGINATOR_CANCEL"),
        (commands.uuid_broadcast(A, "/srv/sounds/hello.wav"), f"uuid_broadcast {A} /srv/sounds/hello.wav aleg"),
        (commands.uuid_broadcast(A, "local_stream://moh", "both"), f"uuid_broadcast {A} local_stream://moh both"),
        (commands.uuid_broadcast(A, "tone_stream://%(5000,0,300)"), f"uuid_broadcast {A} tone_stream://%(5000,0,300) aleg"),
        (commands.uuid_break(A), f"uuid_break {A}"),
        (commands.uuid_break(A, everything=True), f"uuid_break {A} all"),
        (commands.uuid_record(A, "/var/rec/a.wav"), f"uuid_record {A} start /var/rec/a.wav"),
        (commands.uuid_record(A, "/var/rec/a.wav", "mask"), f"uuid_record {A} mask /var/rec/a.wav"),
        (commands.uuid_record(A, "/var/rec/a.wav", "unmask"), f"uuid_record {A} unmask /var/rec/a.wav"),
        (commands.uuid_park(A), f"uuid_park {A}"),
        (commands.uuid_park_both(A), f"uuid_transfer {A} -both park: inline"),
        (commands.uuid_answer(A), f"uuid_answer {A}"),
        (commands.uuid_transfer(A, "fsd_fallback", "fsd"), f"uuid_transfer {A} fsd_fallback XML fsd"),
        (commands.uuid_transfer(A, "9000", "fsd", both=True), f"uuid_transfer {A} -both 9000 XML fsd"),
        (commands.uuid_setvar(A, "hold_state", "waiting, still"), f"uuid_setvar {A} hold_state waiting, still"),
        (commands.uuid_getvar(A, "sip_h_X-Lead-Id"), f"uuid_getvar {A} sip_h_X-Lead-Id"),
        (commands.uuid_send_dtmf(A, "12#"), f"uuid_send_dtmf {A} 12#"),
        (commands.uuid_exists(A), f"uuid_exists {A}"),
        (commands.uuid_dump_json(A), f"uuid_dump {A} json"),
        (commands.sched_transfer(A, 30, "fsd_fallback", "fsd"), f"sched_transfer +30 {A} fsd_fallback XML fsd"),
        (commands.sched_hangup(A, 60, "ALLOTTED_TIMEOUT"), f"sched_hangup +60 {A} ALLOTTED_TIMEOUT"),
        (commands.sched_del(A), f"sched_del {A}"),
        (commands.show_channels_json(), "show channels as json"),
        (commands.status(), "status"),
        (commands.create_uuid(), "create_uuid"),
    ],
)  # fmt: skip
def test_command_is_written(line: str, expected: str) -> None:
    assert line == expected


TAKES_TEXT: list[Callable[[str], str]] = [
    lambda text: commands.originate(text, PHONE, {}),
    lambda text: commands.originate_to_extension(A, PHONE, {}, text, "fsd"),
    lambda text: commands.originate_to_extension(A, PHONE, {}, "x", text),
    lambda text: commands.uuid_bridge(A, text),
    lambda text: commands.uuid_bridge(text, A),
    lambda text: commands.uuid_kill(text, "USER_BUSY"),
    lambda text: commands.uuid_kill(A, text),
    lambda text: commands.uuid_broadcast(A, text),
    lambda text: commands.uuid_broadcast(A, "a.wav", text),  # type: ignore[arg-type]
    lambda text: commands.uuid_break(text),
    lambda text: commands.uuid_record(A, text),
    lambda text: commands.uuid_record(A, "a.wav", text),  # type: ignore[arg-type]
    lambda text: commands.uuid_park(text),
    lambda text: commands.uuid_park_both(text),
    lambda text: commands.uuid_answer(text),
    lambda text: commands.uuid_transfer(A, text, "fsd"),
    lambda text: commands.uuid_transfer(A, "x", text),
    lambda text: commands.uuid_transfer(A, "x", "fsd", text),
    lambda text: commands.uuid_setvar(A, text, "x"),
    lambda text: commands.uuid_setvar(A, "lead", text),
    lambda text: commands.uuid_getvar(A, text),
    lambda text: commands.uuid_send_dtmf(A, text),
    lambda text: commands.uuid_exists(text),
    lambda text: commands.xml_locate_context(text),
    lambda text: commands.uuid_dump_json(text),
    lambda text: commands.sched_transfer(text, 30, "x", "fsd"),
    lambda text: commands.sched_transfer(A, 30, text, "fsd"),
    lambda text: commands.sched_transfer(A, 30, "x", "fsd", text),
    lambda text: commands.sched_hangup(A, 30, text),
    lambda text: commands.sched_del(text),
]


@pytest.mark.parametrize("make", TAKES_TEXT)
@pytest.mark.parametrize("text", EVIL)
def test_no_argument_takes_what_could_be_more_than_itself(make: Callable[[str], str], text: str) -> None:
    with pytest.raises(EslUnsafe):
        make(text)


@given(st.sampled_from(TAKES_TEXT), st.text(max_size=40))
def test_accepted_text_is_one_line_with_nothing_to_expand(make: Callable[[str], str], text: str) -> None:
    try:
        line = make(text)
    except EslUnsafe:
        return
    assert line.isascii() and line.isprintable() and not set(line) & set('$|\\";`<>')


@pytest.mark.parametrize(
    "path",
    ["../etc/passwd", "/a/../b.wav", "a/.hidden", "a//b.wav", "http://evil/x.wav", "say:hello", "phrase:x", "a b.wav", "shout://x", "a.wav@@loops=9"],
)
def test_sound_that_is_no_plain_file_or_stream_is_refused(path: str) -> None:
    with pytest.raises(EslUnsafe):
        commands.uuid_broadcast(A, path)


@pytest.mark.parametrize("seconds", [0, -1, 86_401, 1.5, True, "30"])
def test_time_that_is_no_count_of_seconds_is_refused(seconds: Any) -> None:
    with pytest.raises(EslUnsafe):
        commands.sched_transfer(A, seconds, "x", "fsd")


def test_leg_is_never_bridged_to_itself() -> None:
    """The switch says +OK and the leg hangs until it is killed."""
    with pytest.raises(EslUnsafe, match="itself"):
        commands.uuid_bridge(A, A.upper())


def test_error_shows_a_long_value_shortened() -> None:
    with pytest.raises(EslUnsafe) as caught:
        commands.uuid_setvar(A, "lead", "x" * 10_000)
    assert len(str(caught.value)) < 300

"""The contract of SwitchClient, held by every client that `esl.client` may name, against a scripted switch on a real socket.

A guarantee that a library can not give is a strict xfail with its reason: should a later version give it, the run says so.
"""

from __future__ import annotations

import importlib.util
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fs_dialer.esl import wire
from tests.contract.client_process import ClientProcess
from tests.contract.scripted_switch import Connection, ScriptedSwitch
from tests.esl.recordings import events_in

PASSWORD = "pa55-w0rd"
JOB = "11111111-2222-3333-4444-555555555555"
LEG = "971595ae-c926-4462-8978-bd6447c0d9ce"
QUIET_PINGS: dict[str, Any] = {"ping_every_s": 60.0}

LIBRARY = {"greenswitch": "greenswitch", "python-esl": "ESL"}
KINDS = ("native", "native-plain", "greenswitch", "python-esl")

Connect = Callable[..., ClientProcess]


def clients(plain: bool = False, **cannot: str) -> pytest.MarkDecorator:
    """Run a test with every client, ours in both formats where `plain`; `cannot` names those that fail it and why (dashes as underscores)."""
    params = []
    for kind in KINDS:
        if kind == "native-plain" and not plain:
            continue
        marks: list[pytest.MarkDecorator] = []
        library = LIBRARY.get(kind)
        if library is not None and importlib.util.find_spec(library) is None:
            marks.append(pytest.mark.skip(reason=f"{kind} is not installed (docs/decisions/0002-esl-client.md says how)"))
        elif reason := cannot.get(kind.replace("-", "_")):
            marks.append(pytest.mark.xfail(strict=True, reason=reason, raises=AssertionError))
        params.append(pytest.param(kind, id=kind, marks=marks))
    return pytest.mark.parametrize("kind", params)


@pytest.fixture
def switch() -> Iterator[ScriptedSwitch]:
    scripted = ScriptedSwitch(password=PASSWORD)
    yield scripted
    scripted.close()


@pytest.fixture
def connect(switch: ScriptedSwitch) -> Iterator[Connect]:
    """Start a client of a kind against the scripted switch."""
    started: list[ClientProcess] = []

    def start(kind: str, **settings: Any) -> ClientProcess:
        chosen = {"port": switch.port, "password": PASSWORD, "backoff_first_s": 0.05, "backoff_most_s": 0.2, **QUIET_PINGS, **settings}
        if kind == "native-plain":
            kind, chosen["event_format"] = "native", "plain"
        started.append(ClientProcess(kind, **chosen))
        return started[-1]

    yield start
    for client in started:
        client.kill()


@pytest.fixture
def linked(connect: Connect, switch: ScriptedSwitch) -> Connect:
    """Start a client and see it up."""

    def start(kind: str, **settings: Any) -> ClientProcess:
        client = connect(kind, **settings)
        assert client.next() == {"link": "up", "epoch": 1}
        return client

    return start


# ---- connecting


@clients()
def test_link_is_up_once_both_connections_are_in_and_events_are_subscribed_with_custom_last(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    linked(kind, events=["CHANNEL_ANSWER", "BACKGROUND_JOB"], custom_events=["queue::callback_request"])
    assert switch.events.subscription.split()[1:] == ["CHANNEL_ANSWER", "BACKGROUND_JOB", "CUSTOM", "queue::callback_request"]
    assert switch.commands is not switch.events


@clients()
def test_wrong_password_is_told_once_in_words_that_help_and_tried_again(kind: str, connect: Connect, switch: ScriptedSwitch) -> None:
    client = connect(kind, password="not-the-one")
    told = client.next()
    assert told["link"] == "lost" and told["mends_itself"] is False
    assert f"the switch at 127.0.0.1:{switch.port} refused the password: check" in told["reason"]
    switch.until(lambda: switch.authentications >= 3)
    assert client.says_nothing()
    assert "not-the-one" not in told["reason"] + "".join(client.errors)


@clients()
def test_password_mended_while_we_try_brings_the_link_up(kind: str, connect: Connect, switch: ScriptedSwitch) -> None:
    switch.password = "another"
    client = connect(kind)
    assert client.next()["link"] == "lost"
    switch.password = PASSWORD
    assert client.next() == {"link": "up", "epoch": 1}


@clients()
def test_access_list_that_refuses_us_is_named(kind: str, connect: Connect, switch: ScriptedSwitch) -> None:
    switch.greeting = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
    told = connect(kind).next()
    assert told["link"] == "lost" and told["mends_itself"] is False and "apply-inbound-acl" in told["reason"]


@clients()
def test_nothing_listening_is_told_once(kind: str, connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = connect(kind, port=port)
    told = client.next()
    assert told["link"] == "lost" and f"nothing listens at 127.0.0.1:{port}" in told["reason"] and told["epoch"] == 0
    assert client.says_nothing()


@clients()
def test_switch_that_accepts_and_says_nothing_is_given_up_in_time(kind: str, connect: Connect, switch: ScriptedSwitch) -> None:
    switch.greeting = b""
    told = connect(kind, connect_timeout_s=0.3).next()
    assert told["link"] == "lost" and "did not answer within 0.3 s" in told["reason"]


@clients()
def test_event_in_the_same_packet_as_the_subscription_comes_after_link_up(kind: str, connect: Connect, switch: ScriptedSwitch) -> None:
    events_as = "json" if kind in ("native", "python-esl") else "plain"
    switch.after_subscription = switch.encoded([("Event-Name", "CHANNEL_ANSWER"), ("Unique-ID", LEG)], events_as=events_as)
    client = connect(kind)
    assert client.next() == {"link": "up", "epoch": 1}
    assert client.event()["headers"]["Unique-ID"] == LEG


# ---- commands


@clients()
def test_api_gives_the_output_as_it_is(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    switch.answers["many"] = lambda *_: wire.encode_api_response("one\ntwo: 2\n\ncafé 你好 %41\n")
    assert client.call("api", command="echo hi there")["reply"] == "hi there"
    assert client.call("api", command="many")["reply"] == "one\ntwo: 2\n\ncafé 你好 %41\n"
    assert client.call("api", command="nosuchapi")["reply"] == "-ERR nosuchapi Command not found!\n"


@clients()
def test_bgapi_is_taken_under_our_job_uuid(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    assert client.call("bgapi", command="originate user/1001 &park()", job_uuid=JOB)["reply"] is None
    assert "bgapi originate user/1001 &park()" in switch.commands.commands


@clients()
def test_bgapi_that_the_switch_refuses_raises_with_its_words_and_without_the_number(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    switch.answers["originate"] = lambda *_: wire.encode_reply("-ERR command not found")
    answer = client.call("bgapi", command="originate sofia/gateway/g/84901234567 &park()", job_uuid=JOB)
    assert answer["error"] == "EslRefused" and "-ERR command not found" in answer["text"] and "84901234567" not in answer["text"]
    assert client.call("api", command="echo still here")["reply"] == "still here"


@clients()
def test_bgapi_answered_for_another_job_is_out_of_step_and_costs_the_link(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    switch.answers["originate"] = lambda *_: wire.encode_reply(f"+OK Job-UUID: {LEG}", [("Job-UUID", LEG)])
    assert client.call("bgapi", command="originate x", job_uuid=JOB)["error"] == "EslProtocolError"
    assert client.next()["link"] == "lost"


@clients()
def test_command_of_two_lines_is_not_sent(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    assert client.call("api", command="echo a\n\napi hupall")["error"] == "EslUnsafe"
    assert client.call("bgapi", command="status", job_uuid=f"{JOB}\n\napi hupall")["error"] == "EslUnsafe"
    assert not any("hupall" in line for line in switch.commands.commands)


@clients()
def test_fifty_commands_at_once_get_their_own_replies(kind: str, linked: Connect) -> None:
    client = linked(kind)
    numbers = [client.ask("api", command=f"echo {index}") for index in range(50)]
    assert [client.answer(number)["reply"] for number in numbers] == [str(index) for index in range(50)]


@clients(python_esl="sendRecv() waits for its reply before the next command may be written")
def test_commands_do_not_wait_for_the_replies_of_others(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    switch.answers["late"] = lambda *_: None

    def both(_: Connection, __: wire.Command) -> bytes:
        return wire.encode_api_response("late") + wire.encode_api_response("second")

    switch.answers["second"] = both
    late, second = client.ask("api", command="late", deadline_s=3.0), client.ask("api", command="second", deadline_s=3.0)
    assert client.answer(late).get("reply") == "late"
    assert client.answer(second).get("reply") == "second"


@clients()
def test_passed_deadline_raises_costs_the_link_once_and_it_comes_back(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    switch.answers["uuid_bridge"] = lambda *_: None
    answer = client.call("api", command=f"uuid_bridge {LEG} {JOB}", deadline_s=0.2)
    assert answer["error"] == "EslDisconnected"
    lost = client.next()
    assert lost["link"] == "lost" and lost["epoch"] == 1 and "did not answer 'api uuid_bridge' within 0.2 s" in lost["reason"]
    assert client.next() == {"link": "up", "epoch": 2}
    assert client.call("api", command="echo again")["reply"] == "again"


# ---- the link ends


@clients()
@pytest.mark.parametrize("which", ["events", "commands"])
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_loss_of_either_connection_is_told_once_and_mended(kind: str, which: str, reset: bool, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    getattr(switch, which).close(reset=reset)
    lost = client.next()
    assert lost["link"] == "lost" and lost["epoch"] == 1 and lost["mends_itself"] is True
    assert client.next() == {"link": "up", "epoch": 2}
    assert client.call("api", command="echo back")["reply"] == "back"
    assert client.says_nothing()


@clients()
def test_waiting_commands_end_when_the_link_does(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    switch.answers["late"] = lambda *_: None
    numbers = [client.ask("api", command="late", deadline_s=30.0) for _ in range(3)]
    switch.until(lambda: any("api late" in connection.commands for connection in switch.connections))
    switch.commands.close()
    assert {client.answer(number)["error"] for number in numbers} == {"EslDisconnected"}


@clients()
def test_command_without_a_link_raises_at_once(kind: str, connect: Connect, switch: ScriptedSwitch) -> None:
    client = connect(kind, password="not-the-one")
    assert client.next()["link"] == "lost"
    answer = client.call("api", command="status", deadline_s=60.0)
    assert answer["error"] == "EslDisconnected" and "refused the password" in answer["text"]


@clients()
def test_eof_inside_the_head_of_an_event_ends_the_link(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    switch.events.send(b"Content-Length: 500\nContent-T")
    switch.events.close()
    assert client.next()["link"] == "lost"


@clients(greenswitch="_read_socket() spins on EOF without ever yielding: the whole process hangs")
def test_eof_inside_the_body_of_an_event_ends_the_link(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    switch.events.send(b"Content-Length: 500\nContent-Type: text/event-plain\n\nEvent-Name: CHANNEL_ANSWER\n")
    switch.events.close()
    assert client.next(2.0)["link"] == "lost"


@clients(greenswitch="_read_socket() spins on EOF without ever yielding: the whole process hangs")
def test_eof_inside_a_reply_ends_the_command(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)

    def half(connection: Connection, _: wire.Command) -> None:
        connection.send(b"Content-Type: api/response\nContent-Length: 500\n\nhalf")
        connection.close()

    switch.answers["half"] = half
    assert client.answer(client.ask("api", command="half"), 2.0)["error"] == "EslDisconnected"


@clients()
def test_half_a_frame_does_not_stop_the_commands(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    frame = switch.encoded([("Event-Name", "CHANNEL_ANSWER"), ("Unique-ID", LEG)])
    switch.events.send(frame[:-9])
    assert client.call("api", command="echo awake")["reply"] == "awake"
    switch.events.send(frame[-9:])
    assert client.event()["headers"]["Unique-ID"] == LEG


@clients()
def test_switch_that_shuts_down_ends_the_link(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    notice = wire.encode_disconnect_notice("The system is being shut down.\n")
    for connection in (switch.events, switch.commands):
        connection.send(notice)
    lost = client.next()
    assert lost["link"] == "lost"


@clients()
def test_switch_that_falls_silent_is_noticed_by_our_own_ping(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind, ping_every_s=0.1, ping_deadline_s=0.3)
    switch.mute = True
    assert client.next()["link"] == "lost"


@clients(
    greenswitch="its replies stand behind the events, and there is no way to ask when it last heard anything",
    python_esl="its ping waits for its own reply, whatever else comes",
)
def test_events_that_keep_coming_are_a_sign_of_life_while_the_pong_is_late(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind, ping_every_s=0.1, ping_deadline_s=0.5)
    events = switch.events
    switch.answers["echo"] = lambda connection, _: None if connection is events else wire.encode_api_response("pong")
    deadline = time.monotonic() + 1.2  # more than two ping deadlines, of which no event is ever later than a tenth
    while time.monotonic() < deadline:
        switch.send_event([("Event-Name", "CHANNEL_ANSWER"), ("Unique-ID", LEG)])
        assert client.event()["headers"]["Unique-ID"] == LEG
        threading.Event().wait(0.05)
    assert client.call("api", command="nosuchapi")["reply"] == "-ERR nosuchapi Command not found!\n"


@clients()
def test_closed_client_says_no_more_and_ends_its_commands(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    switch.answers["late"] = lambda *_: None
    number = client.ask("api", command="late", deadline_s=30.0)
    switch.until(lambda: "api late" in switch.commands.commands)
    assert client.call("close")["reply"] is None
    assert client.answer(number)["error"] == "EslDisconnected"
    assert client.says_nothing()


# ---- events


@clients(plain=True)
def test_events_come_in_order(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    for number in range(300):
        switch.send_event([("Event-Name", "CHANNEL_ANSWER"), ("Number", str(number))])
    assert [client.event()["headers"]["Number"] for _ in range(300)] == [str(number) for number in range(300)]


@clients(plain=True)
def test_background_job_brings_its_body(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    switch.send_event([("Event-Name", "BACKGROUND_JOB"), ("Job-UUID", JOB), ("Job-Command", "originate")], f"+OK {LEG}\n")
    event = client.event()
    assert (event["event"], event["headers"]["Job-UUID"], event["body"]) == ("BACKGROUND_JOB", JOB, f"+OK {LEG}\n")


@clients(plain=True)
def test_event_without_a_body_has_none(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    switch.send_event([("Event-Name", "CHANNEL_ANSWER"), ("Unique-ID", LEG)])
    assert client.event() == {"event": "CHANNEL_ANSWER", "headers": {"Event-Name": "CHANNEL_ANSWER", "Unique-ID": LEG}, "body": None}


@clients(plain=True, greenswitch="it looks for headers in the body too")
def test_body_that_looks_like_headers_is_a_body(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    body = f"Unique-ID: {JOB}\nEvent-Name: CHANNEL_HANGUP\n\nmore\n"
    switch.send_event([("Event-Name", "RECV_INFO"), ("Unique-ID", LEG)], body)
    event = client.event()
    assert (event["event"], event["headers"]["Unique-ID"], event["body"]) == ("RECV_INFO", LEG, body)


@pytest.mark.spec("D7")
@clients(plain=True, greenswitch="it decodes the frame before it looks for headers: %0A begins a new one")
def test_line_end_inside_a_value_forges_no_header(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    """Spec D7: what a caller's name says can not become somebody's uuid."""
    client = linked(kind)
    name = f"Eve\nUnique-ID: {JOB}\nHangup-Cause: USER_BUSY"
    switch.send_event([("Event-Name", "CHANNEL_ANSWER"), ("Unique-ID", LEG), ("Caller-Caller-ID-Name", name)])
    assert client.event()["headers"] == {"Event-Name": "CHANNEL_ANSWER", "Unique-ID": LEG, "Caller-Caller-ID-Name": name}


@pytest.mark.spec("D7")
@clients(plain=True, greenswitch="str.splitlines() ends a line at U+2028")
def test_line_separator_inside_a_value_forges_no_header(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    name = f"Eve\u2028Unique-ID: {JOB}"
    switch.send_event([("Event-Name", "CHANNEL_ANSWER"), ("Unique-ID", LEG), ("Caller-Caller-ID-Name", name)])
    assert client.event()["headers"]["Unique-ID"] == LEG


@clients(plain=True, greenswitch="its greenlet dies of a UnicodeDecodeError, and the link with it")
def test_bytes_that_are_not_utf8_are_replaced_and_the_link_holds(kind: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    event = switch.encoded([("Event-Name", "RECV_INFO"), ("Unique-ID", LEG)], "a?b\n").replace(b"a?b", b"a\xffb")
    switch.events.send(event)
    told = client.event()
    assert told["headers"]["Unique-ID"] == LEG and told["body"] == "a\ufffdb\n"


@clients(plain=True, greenswitch="values of several lines (an SDP) lose their CR LF")
@pytest.mark.parametrize("recording", ["s02a_answer_hangup", "s03d3_agent_park_after_bridge_two_customers"])
def test_recorded_events_come_as_they_are(kind: str, recording: str, linked: Connect, switch: ScriptedSwitch) -> None:
    client = linked(kind)
    for event in events_in(recording):
        switch.send_event(event.headers.items(), event.body)
        assert client.event() == {"event": event.name, "headers": event.headers, "body": event.body}

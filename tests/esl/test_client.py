"""The port's settings and the choice of a client."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from fs_dialer.errors import ConfigError, EslRefused, EslUnsafe
from fs_dialer.esl.client import DEFAULT_EVENTS, EslSettings, check_one_line, expect_ok, open_client


def nothing(_: object) -> None:
    pass


def test_password_does_not_show() -> None:
    settings = EslSettings(password="hush-hush")
    assert "hush-hush" not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "a\n\napi hupall"},
        {"events": ("ALL",)},
        {"events": ("CUSTOM",)},
        {"events": ("CHANNEL_ANSWER\n\napi hupall",)},
        {"events": ("channel_answer",)},
        {"custom_events": ("a::b c",)},
        {"custom_events": ("",)},
    ],
)
def test_setting_that_would_be_more_than_itself_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(EslUnsafe):
        EslSettings(**wrong)


def test_custom_events_come_last_in_the_subscription() -> None:
    """s01b: every word after CUSTOM is taken for a subclass, and an event named there is never sent."""
    assert EslSettings(events=("API", "DTMF"), custom_events=("a::b", "c::d")).subscription() == "json API DTMF CUSTOM a::b c::d"
    assert EslSettings(events=("API",)).subscription("plain") == "plain API"


@pytest.mark.spec("D2")
def test_every_leg_is_heard_of_by_default() -> None:
    """Spec D2: limits count every leg the switch has, ours or not."""
    assert {"CHANNEL_CREATE", "CHANNEL_DESTROY", "BACKGROUND_JOB", "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE"} <= set(DEFAULT_EVENTS)


@pytest.mark.parametrize("reply", ["+OK\n", "+OK 971595ae\n", "+OK Message sent\n"])
def test_ok_is_given_back(reply: str) -> None:
    assert expect_ok("uuid_bridge a b", reply) == reply


@pytest.mark.parametrize("reply", ["-ERR Invalid uuid\n", "-ERR no reply\n", "-USAGE: <uuid>\n", "", "true", "ERR +OK"])
def test_anything_else_is_a_refusal_that_names_the_command_and_not_the_number(reply: str) -> None:
    with pytest.raises(EslRefused) as caught:
        expect_ok("originate {origination_uuid=x}sofia/gateway/g/84901234567 &park()", reply)
    assert (caught.value.command, caught.value.reply) == ("originate", reply) and "84901234567" not in str(caught.value)


@pytest.mark.parametrize("command", ["", "a\nb", "a\r", "a\0b"])
def test_command_of_more_or_less_than_a_line_is_refused(command: str) -> None:
    with pytest.raises(EslUnsafe):
        check_one_line(command)


def test_unknown_client_is_a_mistake_in_the_file() -> None:
    with pytest.raises(ConfigError, match="'esl' is not one of native, greenswitch, python-esl"):
        open_client("esl", EslSettings(), nothing, nothing)


@pytest.mark.parametrize(
    ("kind", "library", "install"),
    [("greenswitch", "greenswitch", "greenswitch==0.0.19"), ("python-esl", "ESL", "--no-build-isolation python-ESL==1.4.18")],
)
def test_missing_library_is_told_with_the_line_that_installs_it(kind: str, library: str, install: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"fs_dialer.esl.adapter_{kind.replace('-', '_')}", raising=False)
    with pytest.raises(ConfigError, match="does not load") as caught:
        open_client(kind, EslSettings(), nothing, nothing)
    assert install in str(caught.value)


def test_the_port_itself_needs_no_library() -> None:
    code = "import sys, fs_dialer.esl.client; assert not {'gevent', 'greenswitch', 'ESL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

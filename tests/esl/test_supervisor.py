"""When to try again, and what an operator is told of a switch that is not there."""

from __future__ import annotations

import errno
import random
import socket
import time

import gevent
import pytest

from fs_dialer.errors import EslDisconnected
from fs_dialer.esl.client import EslSettings
from fs_dialer.esl.supervisor import address_refused, password_refused, pause_s, why_no_link

SETTINGS = EslSettings(host="10.0.0.9", port=8022, password="hush", backoff_first_s=0.5, backoff_most_s=30.0)


def test_pauses_double_up_to_the_longest_and_each_is_drawn_from_its_upper_half() -> None:
    seed = time.time_ns()
    print(f"seed {seed}")
    rng = random.Random(seed)
    for failures, longest_s in [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (6, 16.0), (7, 30.0), (50, 30.0), (5000, 30.0)]:
        drawn = [pause_s(SETTINGS, failures, True, rng) for _ in range(50)]
        assert all(longest_s / 2 <= pause <= longest_s for pause in drawn)
        assert len(set(drawn)) > 1


def test_equal_seeds_draw_equal_pauses() -> None:
    assert [pause_s(SETTINGS, n, True, random.Random(7)) for n in range(9)] == [pause_s(SETTINGS, n, True, random.Random(7)) for n in range(9)]


def test_switch_that_turns_us_away_is_asked_slowly_from_the_first() -> None:
    assert pause_s(SETTINGS, 1, False, random.Random(7)) >= 15.0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "nothing listens at 10.0.0.9:8022: is FreeSWITCH running"),
        (gevent.Timeout(), "the switch at 10.0.0.9:8022 did not answer within 5 s"),
        (TimeoutError(), "the switch at 10.0.0.9:8022 did not answer within 5 s"),
        (socket.gaierror(-2, "Name or service not known"), "the switch's name '10.0.0.9' is not known"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "the switch at 10.0.0.9:8022 can't be reached: No route to host"),
        (EslDisconnected("as it is"), "as it is"),
    ],
)
def test_reason_is_in_an_operators_words(error: BaseException, words: str) -> None:
    assert why_no_link(SETTINGS, error).startswith(words)


def test_refusals_name_the_switch_and_where_to_look_and_no_password() -> None:
    assert "10.0.0.9:8022 refused the password: check" in str(password_refused(SETTINGS))
    assert "apply-inbound-acl" in str(address_refused(SETTINGS))
    assert "hush" not in str(password_refused(SETTINGS)) + str(address_refused(SETTINGS))

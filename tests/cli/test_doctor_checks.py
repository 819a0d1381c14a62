"""How doctor speaks: the verdict line, and the lines of what is wrong."""

from __future__ import annotations

import pytest

from fs_dialer.cli.doctor.checks import Check, bad, fine, is_ready, not_asked, report, verdict_line, warn

pytestmark = pytest.mark.spec("X9")
BAD = bad("switch.rate", "sessions-per-second is 30, campaigns may ask 45", "switch.conf.xml, then: fs_cli -x 'fsctl sps 60'")
WARN = warn("machine.secrets", "a password can be read", "chmod o-rwx it")
FINE = fine("switch.version", "FreeSWITCH 1.10.12")
SKIPPED = not_asked("gateways", "gateways", "the switch is not reachable")


@pytest.mark.parametrize(
    ("checks", "line"),
    [
        ([FINE] * 18, "Ready: 18 fine."),
        ([FINE] * 15 + [WARN, BAD, BAD], "Not ready: 2 bad, 1 warning, 15 fine (--all)."),
        ([FINE, BAD], "Not ready: 1 bad, 0 warnings, 1 fine (--all)."),
        ([FINE, WARN, WARN], "Ready: 2 warnings, 1 fine (--all)."),
        ([FINE, BAD, SKIPPED], "Not ready: 1 bad, 0 warnings, 1 fine, 1 not asked (--all)."),
    ],
)
def test_the_verdict_counts_what_was_found(checks: list[Check], line: str) -> None:
    assert verdict_line(checks) == line
    assert verdict_line(checks, all_told=True) == line.replace(" (--all)", "")


def test_a_warning_does_not_keep_anybody_from_calling() -> None:
    assert is_ready([FINE, WARN, SKIPPED]) and not is_ready([FINE, BAD])


def test_only_what_is_wrong_is_told_the_worst_first_with_its_remedy_beside_it() -> None:
    assert report([FINE, WARN, SKIPPED, BAD]) == [
        "bad   sessions-per-second is 30, campaigns may ask 45  switch.conf.xml, then: fs_cli -x 'fsctl sps 60'",
        "warn  a password can be read                           chmod o-rwx it",
    ]


def test_all_is_told_in_the_order_of_asking() -> None:
    told = report([FINE, SKIPPED, WARN], all_told=True)
    assert told == [
        "fine  FreeSWITCH 1.10.12",
        "--    not asked: gateways     the switch is not reachable",
        "warn  a password can be read  chmod o-rwx it",
    ]


def test_on_a_narrow_terminal_the_remedy_stands_below_and_nothing_is_wider() -> None:
    lines = report([BAD], width=60)
    assert lines == [
        "bad  sessions-per-second is 30, campaigns may ask 45",
        " ->  switch.conf.xml, then: fs_cli -x 'fsctl sps 60'",
    ]
    assert all(len(line) <= 40 for line in report([BAD, WARN], width=40))


def test_where_nothing_is_wrong_nothing_is_told() -> None:
    assert report([FINE, SKIPPED]) == []


def test_words_of_the_switch_can_not_move_the_cursor() -> None:
    (line,) = report([bad("x", "gateway \x1b[2Jtrunk", "see \x1b]0;title\x07")])
    assert "\x1b" not in line and "\x07" not in line

"""A moment as people say it: what each form means, and what is refused with words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fs_dialer.config.moments import parse_moment
from fs_dialer.config.values import BadValue

pytestmark = pytest.mark.spec("X1", "D9")

SAIGON = "Asia/Ho_Chi_Minh"


def at(text: str, zone: str = SAIGON) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


NOW = at("2026-11-20 20:41")  # a Friday


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("now", "2026-11-20 20:41"),
        ("mon 8:00", "2026-11-23 08:00"),
        ("Monday 8:00", "2026-11-23 08:00"),
        ("fri 21:00", "2026-11-20 21:00"),
        ("fri 20:41", "2026-11-27 20:41"),
        ("friday 8:00", "2026-11-27 08:00"),
        ("8:00", "2026-11-21 08:00"),
        ("21:00", "2026-11-20 21:00"),
        ("21:00:30", "2026-11-20 21:00:30"),
        ("today 21:30", "2026-11-20 21:30"),
        ("tomorrow 9:00", "2026-11-21 09:00"),
        ("  Tomorrow   9:00 ", "2026-11-21 09:00"),
        ("2026-12-01 8:00", "2026-12-01 08:00"),
        ("2026-12-01T08:00", "2026-12-01 08:00"),
        ("+2h", "2026-11-20 22:41"),
        ("+1d12h", "2026-11-22 08:41"),
        ("in 30m", "2026-11-20 21:11"),
        ("23 Nov 8:00", "2026-11-23 08:00"),
        ("Mon 23 Nov 08:00", "2026-11-23 08:00"),
        ("Mon 23 Nov 2026 08:00", "2026-11-23 08:00"),
        ("3 january 8:00", "2027-01-03 08:00"),
        ("29 feb 2028 8:00", "2028-02-29 08:00"),
    ],
)
def test_every_form_means_one_moment_by_the_clock_of_the_zone(said: str, meant: str) -> None:
    assert parse_moment(said, SAIGON, NOW) == at(meant)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("mon", "`mon` lacks the time of day: write mon 8:00"),
        ("tomorrow", "lacks the time of day"),
        ("2026-12-01", "lacks the time of day"),
        ("8pm", "write 20:00, by the clock of 24 hours"),
        ("mon 12:30am", "write 0:30"),
        ("tomorow 9:00", "nearest: tomorrow"),
        ("monnday 8:00", "nearest: monday"),
        ("23 novembr 8:00", "nearest: november"),
        ("tue 23 nov 8:00", "23 Nov 2026 is a Monday"),
        ("31 apr 8:00", "there is no such day"),
        ("+2", "2 of what?"),
        ("25:00", "does not exist"),
        ("soon", "is not a moment: write mon 8:00, tomorrow 9:00"),
        ("", "is not a moment"),
    ],
)
def test_what_is_no_moment_is_refused_with_what_to_write(said: str, words: str) -> None:
    with pytest.raises(BadValue) as refused:
        parse_moment(said, SAIGON, NOW)
    assert words in str(refused.value)


def test_a_weekday_counts_by_the_clock_of_the_zone_and_not_by_ours() -> None:
    """When it is Friday evening in Saigon it is Friday morning in Pago Pago, and Saturday in Kiritimati."""
    assert parse_moment("sat 8:00", "Pacific/Pago_Pago", NOW) == at("2026-11-21 08:00", "Pacific/Pago_Pago")
    assert parse_moment("sat 8:00", "Pacific/Kiritimati", NOW) == at("2026-11-21 08:00", "Pacific/Kiritimati")
    assert parse_moment("sat 3:00", "Pacific/Kiritimati", NOW) == at("2026-11-28 03:00", "Pacific/Kiritimati")


def test_a_time_that_the_clocks_skip_is_refused_and_one_they_show_twice_is_the_first() -> None:
    spring, autumn = at("2026-03-28 12:00", "Europe/Madrid"), at("2026-10-24 12:00", "Europe/Madrid")
    with pytest.raises(BadValue, match="clocks go forward"):
        parse_moment("tomorrow 2:30", "Europe/Madrid", spring)
    assert parse_moment("tomorrow 2:30", "Europe/Madrid", autumn) == autumn + 14.5 * 3600


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"(mon|8|now|\+|in|today| |:|00|nov|2026|-){0,8}", fullmatch=True))
@example("١٢:٠٠")
@example("in")
@example("+1e5h")
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    try:
        assert isinstance(parse_moment(text, SAIGON, NOW), float)
    except BadValue as refused:
        assert str(refused)

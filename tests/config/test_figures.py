"""The rarer kinds of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.config import figures
from fs_dialer.config.kinds import KINDS, condition, show
from fs_dialer.config.values import BadValue
from fs_dialer.core import options
from fs_dialer.core.resources import compare

pytestmark = pytest.mark.spec("D18")

GOOD: list[tuple[Callable[[str], Any], str, Any]] = [
    (figures.per_day, "50/day", 50), (figures.per_day, " 50 / Day", 50), (figures.per_day, "50 a day", 50), (figures.per_hour, "3/hour", 3),
    (figures.span, "4", (4, 4)), (figures.span, "4..8", (4, 8)), (figures.span, " 4 .. 8 ", (4, 8)),
    (figures.span, "1 to 3", (1, 3)), (figures.span, "2-3", (2, 3)),
    (figures.compare, "3", "=3"), (figures.compare, ">= 3", ">=3"), (figures.compare, "3+", ">=3"), (figures.compare, "at least 3", ">=3"),
    (figures.compare, "at most 2", "<=2"), (figures.compare, "more than 2", ">2"), (figures.compare, "< 05", "<5"), (figures.compare, "2 or less", "<=2"),
    (figures.time_of_day, "18:30", 1110), (figures.time_of_day, "0:00", 0), (figures.extend, "2 x 15s", (2, 15.0)), (figures.extend, "none", (0, 15.0)),
    (figures.days, "12-25", [("12-25", "12-25")]), (figures.days, "2027-2-5..2027-02-10", [("2027-02-05", "2027-02-10")]),
    (figures.days, "12-24 .. 1-2", [("12-24", "12-31"), ("01-01", "01-02")]), (figures.days, "2-29", [("02-29", "02-29")]),
    (figures.host, "CRM.example.com", "crm.example.com"), (figures.url, "https://crm.example.com:8443/a?b=c", "https://crm.example.com:8443/a?b=c"),
    (figures.url, "http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"), (figures.secret, "env:CRM", "env:CRM"), (figures.secret, "file:/a/b", "file:/a/b"),
]  # fmt: skip
BAD: list[tuple[Callable[[str], Any], str, str]] = [
    (figures.per_day, "50", "50 in what time? write 50/day"), (figures.per_day, "50/hour", "counted by the day: write 50/day"),
    (figures.per_hour, "many", "write 50/hour"), (figures.compare, "about 3", "no comparison"), (figures.compare, ">= 3+", "no comparison"),
    (figures.time_of_day, "24:00", "0:00 to 23:59"), (figures.time_of_day, "8", "write 8:00"), (figures.extend, "2", "write 2 x 15s"),
    (figures.span, "8..4", "write 4..8"), (figures.span, "0", "not within 1 and 32"),
    (figures.span, "1..33", "not within"), (figures.span, "many", "write 4 or 4..8"),
    (figures.extend, "21 x 1s", "above 20"), (figures.extend, "2 x 15", "15 of what?"), (figures.extend, "1 x 2h", "not within 1s and 1h"),
    (figures.days, "25-12", "does not exist"), (figures.days, "2027-02-29", "does not exist"), (figures.days, "christmas", "not a day"),
    (figures.days, "2027-02-10..2027-02-05", "ends before it begins"), (figures.days, "12-24..2027-01-02", "one end has a year"),
    (figures.host, "https://crm.example.com/x", "the host alone is expected, as in crm.example.com"), (figures.host, "a b", "not a host"),
    (figures.url, "crm.example.com", "write https://"), (figures.url, "http://crm.example.com", "unencrypted"),
    (figures.url, "https://u:p@h/x", "user or password"),
    (figures.url, "https://h/ x", "without spaces"), (figures.url, "file:///etc/passwd", "write https://"), (figures.url, "https://[::1", "write https://"),
    (figures.secret, "hunter2", "no secret stands in a file"),
]  # fmt: skip


@pytest.mark.parametrize(("read", "text", "value"), GOOD)
def test_a_value_is_read_as_people_write_it(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(("read", "text", "what"), BAD)
def test_what_is_none_says_what_to_write(read: Callable[[str], Any], text: str, what: str) -> None:
    with pytest.raises(BadValue) as caught:
        read(text)
    assert what in str(caught.value)


def test_a_secret_that_was_written_out_is_not_repeated() -> None:
    with pytest.raises(BadValue) as caught:
        figures.secret("hunter2")
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=20), st.sampled_from(["per_day", "per_hour", "compare", "time_of_day", "extend", "url", "hosts", "secret", "filter"]))
def test_any_text_is_a_value_or_a_reason(text: str, kind: str) -> None:
    read = KINDS[kind].read
    assert read is not None
    try:
        read(text)
    except BadValue as error:
        assert str(error)


@given(st.integers(0, 999), st.sampled_from(["=", ">=", "<=", ">", "<"]), st.integers(0, 999))
def test_a_comparison_as_read_is_what_the_core_compares_by(bound: int, sign: str, value: int) -> None:
    assert (
        compare(figures.compare(f"{sign} {bound}"), value)
        is {"=": value == bound, ">=": value >= bound, "<=": value <= bound, ">": value > bound, "<": value < bound}[sign]
    )


def test_every_kind_of_setting_has_a_row() -> None:
    assert set(KINDS) == set(options.KINDS)


@pytest.mark.parametrize(
    "kind", [kind for kind, each in KINDS.items() if each.read and each.example and kind not in ("phones", "names", "refs", "texts", "hosts", "words")]
)
def test_the_example_of_a_kind_is_one_and_what_is_shown_reads_back(kind: str) -> None:
    read = KINDS[kind].read
    assert read is not None
    value = read(KINDS[kind].example)
    assert read(show(kind, value).removeprefix("=")) == value


def test_a_condition_is_kept_as_it_was_written() -> None:
    assert condition("  tier = gold ") == "tier = gold"
    with pytest.raises(BadValue):
        condition("tier =")

"""Weekly hours: read as written, refused where they would say something else than was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.config.hours import read_days, read_hours, read_times, show_hours
from fs_dialer.config.values import BadValue
from fs_dialer.config.yaml_source import Node, read_yaml
from fs_dialer.core.resources import Hours


def read(text: str) -> tuple[Hours | None, list[str]]:
    root = read_yaml("x.yml", text.encode()).root
    assert root is not None
    problems: list[str] = []

    def note(node: Node, text: str) -> None:
        problems.append(f"{node.line}:{node.column} {text}")

    return read_hours(root.entries["hours"].value, note), problems


@pytest.mark.spec("S9")
def test_days_and_ranges_of_days_have_times() -> None:
    hours, problems = read("hours:\n  mon-fri: 8:00-20:00\n  sat: 9:00-12:00, 13:00-15:00\n  sun: closed\n")
    assert not problems
    assert hours == Hours((((480, 1200),),) * 5 + (((540, 720), (780, 900)), ()))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon", (0,)),
        ("Mon-Wed", (0, 1, 2)),
        ("sat-mon", (5, 6, 0)),
        ("mon, wed, fri", (0, 2, 4)),
        ("daily", tuple(range(7))),
        ("sunday", (6,)),
        ("fri – sun", (4, 5, 6)),
    ],
)
def test_days_are_named_in_short_in_full_and_around_the_week(text: str, days: tuple[int, ...]) -> None:
    assert read_days(text) == days


@pytest.mark.parametrize("text", ["mo", "mon-fri-sun", "", "8:00", "mon,mon", "mon-sun,sat"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        read_days(text)


@pytest.mark.parametrize(("text", "spans"), [("0:00-24:00", [(0, 1440)]), ("8:00 - 9:30", [(480, 570)]), ("8:00–9:00", [(480, 540)]), ("closed", [])])
def test_times_run_from_midnight_to_midnight(text: str, spans: list[tuple[int, int]]) -> None:
    assert read_times(text) == spans


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("22:00-6:00", "22:00-24:00 and, on the next day, 0:00-6:00"),
        ("9-12", "write 9:00"),
        ("8:00", "write 8:00-20:00"),
        ("8:00-24:30", "0:00 to 24:00"),
        ("8:00-8:00", "ends before"),
        ("8am-5pm", "time of day"),
        ("8:60-9:00", "time of day"),
    ],
)
def test_what_is_no_time_span_is_refused_with_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(BadValue, match=hint):
        read_times(text)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("hours: {mon-fri: 8:00-20:00, wed: 9:00-10:00}", "1:30", "wed has hours already"),
        ("hours: {mon: [8:00-12:00, 11:00-14:00]}", "1:14", "overlap at 11:00"),
        ("hours: {mon: closed, sun: closed}", "1:8", "nobody would ever be called"),
        ("hours: {}", "1:8", "nobody would ever be called"),
        ("hours: mon-fri 8:00-20:00", "1:8", "a line each"),
        ("hours: {mon: 8:00-12:00, 13:00-15:00}", "1:26", "in [ ]"),
        ("hours: {mon: {from: 8:00}}", "1:14", "8:00-20:00"),
    ],
)
def test_hours_that_contradict_themselves_are_told_with_their_place(text: str, where: str, what: str) -> None:
    """An empty week would mean any time: so hours that are never open are a mistake."""
    hours, problems = read(text)
    assert hours is None
    assert len(problems) == 1 and problems[0].startswith(f"{where} ") and what in problems[0]


def spans() -> st.SearchStrategy[tuple[tuple[int, int], ...]]:
    edges = st.lists(st.integers(min_value=0, max_value=1440), unique=True, max_size=6).map(sorted)
    return edges.map(lambda all: tuple(zip(all[::2], all[1::2], strict=False)))


@given(st.lists(spans(), min_size=7, max_size=7).filter(any))
def test_shown_hours_read_back_to_the_same_week(week: list[tuple[tuple[int, int], ...]]) -> None:
    written = "hours:\n" + "".join(f"  {days}: {times}\n" for days, times in show_hours(Hours(tuple(week))))
    assert read(written) == (Hours(tuple(week)), [])

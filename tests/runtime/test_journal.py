"""The journal of a day, and the same day once more through the same core (X6)."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from fs_dialer.core import events as ev
from fs_dialer.core.actions import Hangup
from fs_dialer.core.model import LegId
from fs_dialer.errors import FsDialerError
from fs_dialer.runtime.journal import Journal, digest, replay
from tests.runtime.day import NOON, Day


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "day.jsonl"
    Day(seed=11, journal=path).run(900)
    return path


def changed(recorded: Path, tmp_path: Path, edit: dict[int, str | None]) -> Path:
    """A copy with some lines (from 1) replaced, or taken out."""
    lines = recorded.read_text().splitlines()
    for number, text in edit.items():
        lines[number - 1] = text if text is not None else "\0"
    copy = tmp_path / "copy.jsonl"
    copy.write_text("".join(line + "\n" for line in lines if line != "\0"))
    return copy


def line_of(recorded: Path, name: str) -> tuple[int, str]:
    """The first line with this event, from 1."""
    return next((n, line) for n, line in enumerate(recorded.read_text().splitlines(), start=1) if f'{{"$":"{name}"' in line)


@pytest.mark.spec("X6")
def test_a_recorded_day_gives_the_same_actions_again(recorded: Path) -> None:
    result = replay(recorded)
    assert result.difference is None
    assert result.events == len(recorded.read_text().splitlines()) - 1 > 100


@pytest.mark.spec("X6")
def test_an_event_told_otherwise_gives_the_first_difference_with_its_line_and_actions(recorded: Path, tmp_path: Path) -> None:
    number, line = line_of(recorded, "LegParked")
    copy = changed(recorded, tmp_path, {number: line.replace("LegParked", "LegAnswered")})
    difference = replay(copy).difference
    assert difference is not None
    assert difference.line >= number
    assert isinstance(difference.event, ev.Event)


def test_an_event_that_is_missing_is_noticed_where_it_matters(recorded: Path, tmp_path: Path) -> None:
    number, _ = line_of(recorded, "LeadsClaimed")
    difference = replay(changed(recorded, tmp_path, {number: None})).difference
    assert difference is not None
    assert difference.line >= number


def test_another_seed_in_the_header_is_a_difference(recorded: Path, tmp_path: Path) -> None:
    header = json.loads(recorded.read_text().splitlines()[0])
    copy = changed(recorded, tmp_path, {1: json.dumps({**header, "seed": header["seed"] + 1})})
    assert replay(copy).difference is not None


def test_a_torn_last_line_ends_the_replay_quietly(recorded: Path, tmp_path: Path) -> None:
    """kill -9 in the middle of a write."""
    torn = tmp_path / "torn.jsonl"
    text = recorded.read_text()
    torn.write_text(text[: len(text) - 25])
    result = replay(torn)
    assert result.difference is None
    assert result.events == len(text.splitlines()) - 2


def test_a_torn_line_in_the_middle_is_an_error_that_names_it(recorded: Path, tmp_path: Path) -> None:
    copy = changed(recorded, tmp_path, {9: '[17.5,"abc",{"$":"LegAns'})
    with pytest.raises(FsDialerError, match=r"copy\.jsonl:9: not a line of a journal"):
        replay(copy)


@pytest.mark.parametrize("line", ['{"$": "LegAnswered"}', "[]", "[1, 2]", "17", '[1.0, "", {"$": "LegAnswered", "colour": "red"}]'])
def test_a_line_of_another_shape_is_an_error_too(recorded: Path, tmp_path: Path, line: str) -> None:
    with pytest.raises(FsDialerError, match="not a line of a journal"):
        replay(changed(recorded, tmp_path, {5: line}))


@pytest.mark.parametrize("first", ["", "hello", "[1,2]", '{"seed": 3}', '{"fs-dialer journal": 1, "seed": "x"}'])
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, first: str) -> None:
    other = tmp_path / "other.txt"
    other.write_text(first + "\nmore\n")
    with pytest.raises(FsDialerError, match="no journal of fs-dialer"):
        replay(other)


def test_a_journal_of_another_version_is_refused_with_both_numbers(tmp_path: Path) -> None:
    other = tmp_path / "old.jsonl"
    other.write_text('{"fs-dialer journal": 99, "seed": 3}\n')
    with pytest.raises(FsDialerError, match="journal version 99, this fs-dialer reads 1"):
        replay(other)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary.jsonl"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "nothing.jsonl", binary, tmp_path):
        with pytest.raises(FsDialerError):
            replay(path)


def test_it_is_for_the_operators_eyes_only_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "new" / "day.jsonl"
    Journal(path, 1).close()
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        Journal(path, 1)


def test_a_tick_with_nothing_due_is_not_written_and_one_that_moved_a_timer_is(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    journal = Journal(path, 1)
    journal.record(ev.Tick(), NOON, [], due=False)
    journal.record(ev.Tick(), NOON, [], due=True)
    journal.record(ev.Tick(), NOON, [Hangup(LegId("x"), "NORMAL_CLEARING")], due=False)
    journal.close()
    assert len(path.read_text().splitlines()) == 3


def test_a_journal_on_a_full_disk_is_given_up_and_the_daemon_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "day.jsonl"
    journal = Journal(path, 1)
    journal.flush()
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal._file.fileno())  # type: ignore[union-attr]
    os.close(full)
    with caplog.at_level(logging.ERROR):
        for _ in range(2000):
            journal.record(ev.LegAnswered(LegId("x")), NOON, [])
        journal.flush()
    assert [record for record in caplog.records if "given up" in record.message]
    journal.record(ev.LegAnswered(LegId("x")), NOON, [])
    journal.flush()
    journal.close()


def test_the_digest_depends_on_order_and_on_every_field() -> None:
    one, other = Hangup(LegId("x"), "NORMAL_CLEARING"), Hangup(LegId("x"), "USER_BUSY")
    assert digest([]) == ""
    assert len({digest([one]), digest([other]), digest([one, other]), digest([other, one])}) == 4

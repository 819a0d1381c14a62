"""Numbers out of journals and recordings off the disk, also while a daemon writes."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from fs_dialer.core.events import LeadsClaimed
from fs_dialer.core.model import CampaignId, Lead, LeadId
from fs_dialer.runtime.erasing import Erased, erase
from fs_dialer.runtime.journal import Journal
from fs_dialer.runtime.lines import from_line

ADA, LONGER, BEN = "+442079460101", "+4420794601012", "+442079460102"
CALL = "6f1d0a52-7a0e-4d5e-9d0e-3f6c1d2b4a59"


def claimed(*numbers: str) -> LeadsClaimed:
    leads = tuple(Lead(LeadId(place), CampaignId("spring"), number, ("Europe/London",)) for place, number in enumerate(numbers, 1))
    return LeadsClaimed(CampaignId("spring"), leads, None, True)


def never(seconds: float) -> None:
    raise AssertionError(f"waited {seconds} s for a journal that nobody writes to")


def aged(folder: Path) -> None:
    for file in folder.glob("*"):
        os.utime(file, (1e9, 1e9))


def test_a_number_is_written_over_everywhere_and_all_else_stays(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl", 1)
    journal.record(claimed(ADA, LONGER, BEN, ADA), 1.0, ())
    journal.close()
    before = (tmp_path / "a.jsonl").read_bytes()
    aged(tmp_path)
    assert erase(tmp_path, tmp_path / "none", [ADA], [], never) == Erased(1, 2, 0)
    after = (tmp_path / "a.jsonl").read_bytes()
    assert after == before.replace(f'"{ADA}"'.encode(), b'"+000000000000"')
    line = after.decode().splitlines()[1]
    event = from_line(line[line.index("{") : -1])
    assert [lead.number for lead in event.leads] == ["+000000000000", LONGER, BEN, "+000000000000"]


def test_again_finds_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'"{ADA}"\n')
    aged(tmp_path)
    assert erase(tmp_path, tmp_path, [ADA, BEN], [], never).places == 1
    aged(tmp_path)
    assert erase(tmp_path, tmp_path, [ADA, BEN], [], never).places == 0


def test_what_a_running_daemon_had_in_its_buffer_is_written_over_too(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl", 1)
    journal.record(claimed(ADA), 1.0, ())
    journal.flush()
    journal.record(claimed(ADA), 2.0, ())  # in its buffer still

    def flushed(seconds: float) -> None:
        journal.record(claimed(BEN), 3.0, ())
        journal.flush()

    assert erase(tmp_path, tmp_path, [ADA], [], flushed).places == 2
    journal.record(claimed(BEN), 4.0, ())
    journal.close()
    text = (tmp_path / "a.jsonl").read_text()
    assert ADA not in text and text.count(BEN) == 2 and text.count("\n") == 5


def test_a_line_that_was_torn_by_the_buffer_is_seen_whole(tmp_path: Path) -> None:
    """The first look comes when half of the number is in the file."""
    chance = Random(3)
    for _ in range(20):
        file = tmp_path / "a.jsonl"
        whole = (f'["x{"y" * chance.randrange(200)}"]\n["{ADA}","{ADA}"]\n').encode()
        cut = chance.randrange(1, len(whole))
        file.write_bytes(whole[:cut])

        def rest(seconds: float, file: Path = file, tail: bytes = whole[cut:]) -> None:
            with open(file, "ab") as stream:
                stream.write(tail)

        erase(tmp_path, tmp_path, [ADA], [], rest)
        assert ADA.encode() not in file.read_bytes()
        assert len(file.read_bytes()) == len(whole)


def test_recordings_of_the_calls_are_deleted_and_no_others(tmp_path: Path) -> None:
    folder = tmp_path / "2026" / "11"
    folder.mkdir(parents=True)
    for name in (f"{CALL}.wav", f"{CALL}-agent.wav", f"x{CALL}.wav", "other.wav"):
        (folder / name).touch()
    assert erase(None, tmp_path, [ADA], [CALL], never).recordings == 2
    assert sorted(path.name for path in folder.iterdir()) == ["other.wav", f"x{CALL}.wav"]


def test_folders_that_are_not_there_have_nothing_in_them(tmp_path: Path) -> None:
    assert erase(tmp_path / "no", tmp_path / "no", [ADA], [CALL], never) == Erased()


def test_a_journal_that_cannot_be_read_says_which(tmp_path: Path) -> None:
    (tmp_path / "theirs.jsonl").mkdir()
    with pytest.raises(OSError) as error:
        erase(tmp_path, tmp_path, [ADA], [])
    assert error.value.filename == str(tmp_path / "theirs.jsonl") or error.value.filename == tmp_path / "theirs.jsonl"

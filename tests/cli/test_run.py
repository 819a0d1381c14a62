"""`run` and `replay` on the command line. How a daemon lives and dies is tests/scenarios' subject."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fs_dialer.cli.run import make_daemon, set_up_logging
from fs_dialer.config.daemon import load_settings
from fs_dialer.errors import FsDialerError
from tests.cli.runner import called, run
from tests.runtime.day import Day

NOBODY = "postgresql://nobody@127.0.0.1:9/nothing"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "day.jsonl"
    Day(seed=5, journal=path).run(300)
    return path


@pytest.fixture
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.spec("X6")
def test_the_same_actions_again_are_0_and_said_so(recorded: Path) -> None:
    done = called("replay", recorded)
    assert done.code == 0
    assert re.fullmatch(r"[\d,]+ events: the same actions again\n", done.out)


@pytest.mark.parametrize("words", [("replay", "--json"), ("--json", "replay")])
def test_json_stands_alone_wherever_it_is_asked_for(recorded: Path, words: tuple[str, ...]) -> None:
    done = called(*words, recorded)
    assert done.json == {"events": len(recorded.read_text().splitlines()) - 1, "same": True, "difference": None}


@pytest.mark.spec("X6")
def test_the_first_difference_is_1_and_shown_with_its_place(recorded: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    text = recorded.read_text()
    other.write_text(text.replace('"LegParked"', '"LegAnswered"', 1))
    done = called("replay", other)
    assert done.code == 1
    assert re.match(rf"{re.escape(str(other))}:\d+  differs after [\d,]+ events\n  event    ", done.out)
    assert "  now      " in done.out
    difference = called("replay", other, "--json").json["difference"]
    assert set(difference) == {"line", "at", "event", "actions"}


def test_a_file_that_is_no_journal_is_told_in_one_line(tmp_path: Path) -> None:
    other = tmp_path / "leads.csv"
    other.write_text("phone,name\n")
    for path in (other, tmp_path / "nothing"):
        done = called("replay", path)
        assert done.code == 1 and done.out == ""
        assert done.err.startswith("fs-dialer: ") and str(path) in done.err


def test_a_daemon_in_a_process_that_is_not_cooperative_is_refused(tmp_path: Path) -> None:
    """__main__ patches before anything else; who calls main() some other way is told."""
    settings = load_settings(None, {"FS_DIALER_DSN": NOBODY, "FS_DIALER_ESL_PASSWORD": "x", "FS_DIALER_STATE_DIR": str(tmp_path)})
    with pytest.raises(FsDialerError, match="started as `fs-dialer run`"):
        make_daemon(settings)


def test_settings_that_are_missing_are_named_before_anything_is_started() -> None:
    done = run("run")
    assert done.code == 3
    assert "FS_DIALER_DSN" in done.err and "Traceback" not in done.err
    done = run("run", dsn=NOBODY)
    assert done.code == 3
    assert "FS_DIALER_ESL_PASSWORD" in done.err


def test_its_help_says_how_it_is_stopped_and_what_its_exit_codes_mean() -> None:
    text = called("run", "--help").out
    for word in ("SIGTERM", "drains", "stands by", "Exit codes", "--json", "--config"):
        assert word in text


@pytest.mark.usefixtures("root_logger")
def test_a_log_line_has_its_time_in_utc_its_level_and_its_place() -> None:
    stream = io.StringIO()
    set_up_logging("info", stream)
    logging.getLogger("fs_dialer.daemon").info("active: epoch %d", 7)
    logging.getLogger("fs_dialer.daemon").debug("not shown")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO fs_dialer\.daemon active: epoch 7\n", stream.getvalue())

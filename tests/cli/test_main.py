"""The command line as a whole: what it imports, how it ends, and that --json is alone on stdout."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from fs_dialer import __version__
from fs_dialer.cli.command import Lazy, LazyGroup
from fs_dialer.cli.main import main
from tests.cli.runner import ROOT, a_folder, called, run

NOBODY = "postgresql://nobody@127.0.0.1:9/nowhere?connect_timeout=2"


def _modules(*words: str) -> set[str]:
    """Top-level packages in the process after a command has run there."""
    program = f"import sys; sys.argv = {['fs-dialer', *words]!r}\nfrom fs_dialer.__main__ import main\ntry: main()\nexcept SystemExit: pass\n"
    program += "print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60)
    return set(done.stderr.split())


@pytest.mark.parametrize("words", ["--help", "--version", "schema", "--json check conf", "lead --help"])
def test_output_that_finds_no_room_is_told_in_one_line(words: str) -> None:
    command = [sys.executable, "-m", "fs_dialer", *words.split()]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "fs-dialer: the output could not be written: No space left on device\n")


@pytest.mark.parametrize("words", ["--help", "schema", "--json check conf"])
def test_when_nobody_reads_it_ends_without_a_word_as_a_shell_would_have_it(words: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "fs_dialer", *words.split()]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False, timeout=60)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_the_version_is_told() -> None:
    assert called("--version").out == f"fs-dialer {__version__}\n"


@pytest.mark.parametrize("words", [("--help",), ("lead", "--help"), ("check", "conf")], ids=lambda words: " ".join(words))
def test_a_command_imports_neither_gevent_nor_psycopg2_when_it_needs_neither(words: tuple[str, ...]) -> None:
    assert _modules(*words) & {"gevent", "psycopg2", "greenswitch", "psycogreen"} == set()


def test_simulate_imports_neither_gevent_nor_psycopg2(tmp_path: Path) -> None:
    file = a_folder(tmp_path) / "campaigns" / "spring.yml"
    assert _modules("simulate", str(file), "--hours", "0.1", "--json") & {"gevent", "psycopg2"} == set()


def test_the_help_of_the_root_reads_no_settings_and_no_telephone_plans() -> None:
    assert _modules("--help") & {"yaml", "phonenumbers", "numpy"} == set()


def test_start_up_is_fast() -> None:
    """Shells complete and scripts loop: a second would be felt. Generous, for a loaded machine."""
    begun = time.monotonic()
    assert run("--help").code == 0
    assert time.monotonic() - begun < 3


# --- exit codes -----------------------------------------------------------------------------------------------------------------------


def test_a_database_that_is_not_there_is_exit_4_and_says_what_to_do() -> None:
    done = run("campaign", "list", dsn=NOBODY)
    assert (done.code, done.out) == (4, "")
    first, *rest = done.err.splitlines()
    assert first.startswith("fs-dialer: the database is not reachable: ")
    assert rest == ["  its address comes from the variable FS_DIALER_DSN", "  is PostgreSQL running there? Start it, or mend the address; nothing was changed"]


def test_with_json_a_failure_is_an_object_on_stdout_and_words_on_stderr() -> None:
    done = called("status", "--json", dsn=NOBODY)
    assert done.code == done.json["error"]["exit_code"] == 4
    assert "not reachable" in done.json["error"]["text"] and "not reachable" in done.err


def test_the_database_address_is_never_shown() -> None:
    done = called("campaign", "list", dsn="postgresql://nobody:s3cret@127.0.0.1:9/nowhere?connect_timeout=2")
    assert done.code == 4 and "s3cret" not in done.err


def test_where_no_database_is_named_the_setting_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = called("status", FS_DIALER_CONFIG=str(_file(tmp_path, "log: {level: info}\n")))
    assert done.code == 3 and "database.dsn: no database is named: set it in fs-dialer.yml, or set the variable FS_DIALER_DSN" in done.err


def test_a_mistake_in_the_settings_file_is_told_with_its_place(tmp_path: Path) -> None:
    done = called("status", "--config", _file(tmp_path, "databse: {dsn: postgresql:///x}\n"))
    assert done.code == 3 and "fs-dialer.yml:1:1  `databse` is no setting; nearest: database" in done.err


def test_an_unknown_command_names_the_nearest() -> None:
    done = called("stats")
    assert done.code == 2 and "there is no command `stats`; nearest: status" in done.err


@pytest.mark.parametrize("words", [("camp",), ("lead", "imp")])
def test_a_command_cut_short_names_the_whole_one(words: tuple[str, ...]) -> None:
    assert "nearest: " + {"camp": "campaign", "imp": "import"}[words[-1]] in called(*words).err


# --- --json and --config --------------------------------------------------------------------------------------------------------------


def test_config_before_the_command_must_be_one_word() -> None:
    """__main__ takes the first word that is no option for the command: `--config FILE run` would not be patched."""
    done = called("--config", "x.yml", "status")
    assert done.code == 2 and "before the command write --config=FILE, in one word" in done.err


@pytest.mark.parametrize(
    "words", [("--config={}", "status"), ("status", "--config", "{}"), ("status", "--config={}"), ("agent", "--config={}", "list")], ids=str
)
def test_config_is_taken_before_and_after_the_command(words: tuple[str, ...], tmp_path: Path) -> None:
    file = _file(tmp_path, f"database:\n  dsn: {NOBODY}\n")
    done = called(*(word.format(file) for word in words))
    assert done.code == 4 and f"`database.dsn` in {file}" in done.err


def test_json_is_taken_before_the_command_as_well(tmp_path: Path) -> None:
    assert called("--json", "check", a_folder(tmp_path)).json["problems"] == []


def _commands(group: click.Command, *path: str) -> list[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(group, LazyGroup):
        return [(path, group)]
    entries = {name: entry.load() if isinstance(entry, Lazy) else entry for name, entry in group.entries.items()}
    return [found for name, entry in entries.items() for found in _commands(entry, *path, name)]


@pytest.mark.parametrize(("path", "command"), _commands(main), ids=lambda each: " ".join(each) if isinstance(each, tuple) else "")
def test_every_command_has_json_config_two_examples_and_its_exit_codes(path: tuple[str, ...], command: click.Command) -> None:
    options = {name for parameter in command.params for name in parameter.opts}
    assert "--json" in options
    text = command.get_help(click.Context(command, info_name=" ".join(path)))
    assert text.count(f"  fs-dialer {' '.join(path)}") >= 1
    examples = text.partition("Examples:")[2]
    assert examples.count("fs-dialer ") >= 2


def _file(folder: Path, text: str) -> Path:
    path = folder / "fs-dialer.yml"
    path.write_text(text, encoding="utf-8")
    return path

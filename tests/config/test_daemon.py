"""fs-dialer.yml and the environment over it; no password stands in the file, and none is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from fs_dialer.config.daemon import VARIABLES, DaemonSettings, load_settings
from fs_dialer.errors import ConfigError

FULL = """\
database: {dsn: "postgresql:///dialer"}
esl: {host: 10.0.0.5, port: 8022, password: env:ESL_PW, client: greenswitch}
state_dir: /srv/dialer
log: {level: debug}
journal: {dir: /srv/journal, keep: 2d}
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fs_dialer.config.daemon.SEARCHED", (Path("fs-dialer.yml"), tmp_path / "etc" / "fs-dialer.yml"))


def settings_of(text: str, environ: dict[str, str] | None = None) -> DaemonSettings:
    Path("fs-dialer.yml").write_text(text)
    return load_settings(None, environ or {})


def told(text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        settings_of(text, environ)
    return [str(problem) for problem in caught.value.problems]


def test_every_setting_of_the_file_is_read() -> None:
    found = settings_of(FULL, {"ESL_PW": "hunter2"})
    assert found.dsn() == "postgresql:///dialer" and found.esl_password() == "hunter2"
    assert (found.esl.host, found.esl.port, found.esl.client) == ("10.0.0.5", 8022, "greenswitch")
    assert (found.state_dir, found.log.level, found.journal.keep_s, found.journal_dir()) == ("/srv/dialer", "debug", 172800.0, Path("/srv/journal"))


def test_without_a_file_there_are_defaults_and_what_is_needed_is_asked_for_when_it_is_used() -> None:
    found = load_settings(None, {})
    assert (found.esl.host, found.esl.port, found.esl.client, found.file) == ("127.0.0.1", 8021, "native", None)
    assert found.journal_dir() == Path("/var/lib/fs-dialer/journal")
    with pytest.raises(ConfigError, match="no database is named: set it in fs-dialer\\.yml, or set the variable FS_DIALER_DSN"):
        found.dsn()
    with pytest.raises(ConfigError, match="FS_DIALER_ESL_PASSWORD"):
        found.esl_password()


def test_the_file_is_looked_for_in_its_places_in_order(tmp_path: Path) -> None:
    def place(path: Path, level: str) -> Path:
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"log: {{level: {level}}}\n")
        return path

    place(tmp_path / "etc" / "fs-dialer.yml", "error")
    assert load_settings(None, {}).log.level == "error"
    place(Path("fs-dialer.yml"), "warning")
    assert load_settings(None, {}).log.level == "warning"
    by_variable = place(tmp_path / "variable.yml", "debug")
    assert load_settings(None, {"FS_DIALER_CONFIG": str(by_variable)}).log.level == "debug"
    assert load_settings(place(tmp_path / "option.yml", "info"), {"FS_DIALER_CONFIG": str(by_variable)}).log.level == "info"


def test_a_file_that_was_named_and_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_settings("nothing.yml", {})
    with pytest.raises(ConfigError, match="No such file"):
        load_settings(None, {"FS_DIALER_CONFIG": "nothing.yml"})


def test_the_environment_goes_over_the_file() -> None:
    environ = {
        "FS_DIALER_DSN": "postgresql://u:secret@h/db",
        "FS_DIALER_ESL": "[::1]:9000",
        "FS_DIALER_ESL_PASSWORD": "other",
        "FS_DIALER_ESL_CLIENT": "native",
        "FS_DIALER_STATE_DIR": "/s",
        "FS_DIALER_RECORDINGS_DIR": "/r",
        "FS_DIALER_LOG_LEVEL": "ERROR",
        "FS_DIALER_JOURNAL_DIR": "/j",
        "FS_DIALER_JOURNAL_KEEP": "1h",
        "FS_DIALER_HTTP_LISTEN": "127.0.0.1:8080",
    }
    found = settings_of(FULL, environ)
    assert found.dsn() == "postgresql://u:secret@h/db" and found.esl_password() == "other"
    assert (found.esl.host, found.esl.port, found.esl.client, found.state_dir) == ("::1", 9000, "native", "/s")
    assert (found.log.level, found.journal_dir(), found.journal.keep_s) == ("error", Path("/j"), 3600.0)
    assert set(environ) | {"FS_DIALER_CONFIG", "FS_DIALER_ESL_PASSWORD_FILE", "FS_DIALER_SWITCH_NAME"} == {variable.name for variable in VARIABLES}


def test_a_variable_set_to_nothing_is_not_set() -> None:
    assert settings_of(FULL, {"FS_DIALER_LOG_LEVEL": "", "FS_DIALER_CONFIG": ""}).log.level == "debug"


def test_the_port_may_be_left_out_of_the_address() -> None:
    assert load_settings(None, {"FS_DIALER_ESL": "switch.example"}).esl.port == 8021


def test_all_problems_of_file_and_environment_come_at_once() -> None:
    bad = "esl: {port: 0, client: telnet}\nlogs: {level: info}\njournal: {keep: 7}\n"
    environ = {"FS_DIALER_ESL": "a b:1", "FS_DIALER_LOG_LEVEL": "loud", "FS_DIALER_JOURNAL_KEEP": "7", "FS_DIALER_ESL_CLIENT": "x"}
    assert len(told(bad, environ)) == 8


def test_a_variable_for_the_password_and_one_for_its_file_contradict() -> None:
    (problem,) = told(FULL, {"FS_DIALER_ESL_PASSWORD": "a", "FS_DIALER_ESL_PASSWORD_FILE": "b"})
    assert problem == "environment  FS_DIALER_ESL_PASSWORD: FS_DIALER_ESL_PASSWORD_FILE is set as well: keep one"


@pytest.mark.parametrize(
    "text", ["database: {dsn: 'postgresql://u:hunter2@h/db'}\n", "database: {dsn: host=h password=hunter2}\n", "esl: {password: hunter2}\n"]
)
def test_a_password_in_the_file_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(text)
    (problem,) = caught.value.problems
    assert "write env:NAME or file:PATH" in problem.text
    assert "hunter2" not in repr(problem)


def test_no_problem_of_this_file_repeats_a_line_that_may_hold_a_password() -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of("esl: {password: hunter2, prot: 1}\n")
    assert len(caught.value.problems) == 2 and "hunter2" not in repr(caught.value.problems)


def test_a_secret_s_file_is_found_beside_the_settings(tmp_path: Path) -> None:
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "esl.password").write_text("hunter2\n")
    (folder / "fs-dialer.yml").write_text("esl: {password: file:esl.password}\n")
    assert load_settings(folder / "fs-dialer.yml", {}).esl_password() == "hunter2"


def test_settings_show_no_secret() -> None:
    found = settings_of(FULL, {"ESL_PW": "hunter2", "FS_DIALER_DSN": "postgresql://u:secret@h/db"})
    assert "hunter2" not in repr(found) and "secret@" not in repr(found)


def test_no_journal_is_kept_for_no_time() -> None:
    assert settings_of("journal: {keep: 0s}\n").journal_dir() is None

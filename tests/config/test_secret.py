"""Secrets are named in one place and held in another; nothing shows what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from fs_dialer.config.secret import Secret, has_password
from fs_dialer.errors import ConfigError, Problem

PLACE = Problem("fs-dialer.yml", 3, 5, "esl.password", "")


def refusal(secret: Secret) -> str:
    with pytest.raises(ConfigError) as caught:
        secret.reveal()
    return str(caught.value)


def test_a_secret_is_read_from_the_environment_when_it_is_used() -> None:
    assert Secret("env:PW", PLACE, environ={"PW": "hunter2"}).reveal() == "hunter2"
    assert refusal(Secret("env:PW", PLACE, environ={})) == "fs-dialer.yml:3:5  esl.password: the variable PW is not set"


def test_a_secret_is_the_one_line_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("hunter2\n")
    assert Secret("file:pw", PLACE, base=tmp_path).reveal() == "hunter2"
    assert Secret(f"file:{tmp_path / 'pw'}", PLACE).reveal() == "hunter2"


@pytest.mark.parametrize(
    ("data", "what"),
    [(b"", "empty"), (b"\n", "empty"), (b"a\nb\n", "more than one line"), (b"a\0b", "control"), (b"\xff", "UTF-8"), (b"x" * 5000, "too large")],
)
def test_a_file_that_holds_no_secret_is_told_without_saying_what_it_holds(tmp_path: Path, data: bytes, what: str) -> None:
    (tmp_path / "pw").write_bytes(data)
    said = refusal(Secret("file:pw", PLACE, base=tmp_path))
    assert what in said and "a\nb" not in said


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "No such file" in refusal(Secret("file:nothing", PLACE, base=tmp_path))


def test_nothing_shows_what_a_secret_says() -> None:
    secret = Secret("FS_DIALER_DSN", PLACE, text="hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:pw@h/db",
        "postgres://u:@h/db",
        "postgresql://h/db?password=x",
        "postgresql://h/db?sslpassword=x",
        "host=h password=x",
        "password = 'x'",
        "PASSWORD=x",
    ],
)
def test_a_dsn_with_a_password_is_recognised_in_both_forms(dsn: str) -> None:
    assert has_password(dsn)


@pytest.mark.parametrize("dsn", ["postgresql:///db", "postgresql://u@h:5432/db?sslmode=require", "host=/run/pg dbname=db user=u", "dbname=db passfile=/x"])
def test_a_dsn_without_one_is_not(dsn: str) -> None:
    assert not has_password(dsn)

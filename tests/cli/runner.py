"""How the tests of the command line call it: in this process (fast), or as the user's shell does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from fs_dialer.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout, which must be alone there."""
        assert self.out.count("\n") == 1 and self.out.endswith("\n"), f"not one line of JSON: {self.out!r}"
        return json.loads(self.out)


def called(*words: str | Path, dsn: str = "", given: str | None = None, **environ: str) -> Done:
    """The command in this process. Settings of the machine that runs the tests are out of sight."""
    hidden: dict[str, str | None] = {name: None for name in os.environ if name.startswith("FS_DIALER_")}
    env: Mapping[str, str | None] = {**hidden, **({"FS_DIALER_DSN": dsn} if dsn else {}), **environ}
    result = CliRunner().invoke(main, [str(word) for word in words], env=env, input=given, prog_name="fs-dialer")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


def run(*words: str | Path, dsn: str = "", cwd: Path | None = None, environ: Mapping[str, str] | None = None, **also: str) -> Done:
    """The command as a process of its own. `environ`: rather than this process's, without its settings."""
    env = dict(environ or {name: value for name, value in os.environ.items() if not name.startswith("FS_DIALER_")})
    env |= {"PYTHONPATH": str(ROOT), **({"FS_DIALER_DSN": dsn} if dsn else {}), **also}
    command = [sys.executable, "-m", "fs_dialer", *map(str, words)]
    done = subprocess.run(command, env=env, cwd=cwd or ROOT, capture_output=True, text=True, check=False, timeout=120)
    return Done(done.returncode, done.stdout, done.stderr)


AGENTS = "agents:\n  lan: {dial: user/1001, leg: nailed, name: Lan}\n  hoa: {dial: user/1002, name: Hoa}\n"
INSTALLATION = "lines: 60\ncps: 10\nregion: GB\ngateways:\n  trunk1: {lines: 30}\n"
CAMPAIGN = "type: progressive\ncaller_id: +44 20 7946 0100\nwindow: {zone: Europe/London}\nagents: {people: [lan, hoa]}\n"


def a_folder(folder: Path, *, campaign: str = "spring", extra: str = "") -> Path:
    """campaigns/spring.yml, agents.yml and installation.yml, as an admin has them."""
    (folder / "campaigns").mkdir(parents=True, exist_ok=True)
    (folder / "campaigns" / f"{campaign}.yml").write_text(CAMPAIGN + extra, encoding="utf-8")
    (folder / "agents.yml").write_text(AGENTS, encoding="utf-8")
    (folder / "installation.yml").write_text(INSTALLATION, encoding="utf-8")
    return folder


def applied(folder: Path, dsn: str) -> Path:
    """The same, stored."""
    done = called("apply", a_folder(folder), dsn=dsn)
    assert done.code == 0, done.err
    return folder


def a_csv(folder: Path, *rows: str, name: str = "leads.csv") -> Path:
    path = folder / name
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path

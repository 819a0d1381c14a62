"""docs/tutorial.md, from its first line to its last, by the commands it shows: a page that lies is a broken test.

A fenced block says how it is run: `console` in order, and each line of output that the page shows must come, in its order, `…` standing for anything;
`terminal=N` in the background; `fails=N` must end so, `fails=any` may; `plan` puts the plan's name in the place of PLAN; `file=NAME` is written.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UP_S = 90.0
GRACE_S = 30.0


@dataclass
class Shell:
    """The reader's terminals: a folder to be in, what is exported, what runs in other terminals."""

    top: Path
    folder: Path
    environ: dict[str, str]
    background: list[subprocess.Popen[str]] = field(default_factory=list)
    plan: str = ""

    def words(self, line: str) -> list[str]:
        words = shlex.split(line.replace("PLAN", self.plan) if self.plan else line)
        return [sys.executable, "-m", "fs_dialer", *words[1:]] if words[0] == "fs-dialer" else words

    def start(self, line: str, number: str) -> None:
        log = (self.top / f"terminal-{number}.log").open("w")
        self.background.append(subprocess.Popen(self.words(line), cwd=self.folder, env=self.environ, stdout=log, stderr=log, text=True))
        if "--env" in line:
            self.export(self.folder / line.split()[-1])
        else:
            self.until(lambda: '"daemon":null' not in self.run("fs-dialer status --json")[1].replace(" ", ""), "the daemon did not come up")

    def export(self, file: Path) -> None:
        self.until(lambda: file.exists() and "STATE_DIR" in file.read_text(), "the sandbox did not come up")
        for line in file.read_text().splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            self.environ[name] = "".join(shlex.split(value))

    def until(self, true: object, what: str) -> None:
        end = time.monotonic() + UP_S
        while not true():  # type: ignore[operator]
            logs = "".join(path.read_text() for path in self.top.glob("terminal-*.log"))
            assert time.monotonic() < end and all(each.poll() is None for each in self.background), f"{what}\n{logs}"
            time.sleep(0.3)

    def run(self, line: str) -> tuple[int, str]:
        """Exit code and everything that was printed."""
        words = self.words(line)
        if words[0] == "cd":
            self.folder = self.folder / words[1]
            return 0, ""
        done = subprocess.run(words, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False, timeout=120)
        if found := re.search(r"^Plan (p-[0-9a-f]+):", done.stdout, re.MULTILINE):
            self.plan = found[1]
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FS_DIALER_")}
    made = Shell(tmp_path, tmp_path, environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "160"})
    yield made
    for process in reversed(made.background):
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
        process.wait(GRACE_S)


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each `$ command` of a console block, with the lines of output below it."""
    command: str = ""
    shown: list[str] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:], []
        elif line.strip():
            shown.append(line)
    yield command, shown


def missing(shown: list[str], printed: str) -> str | None:
    """The first line of the page that did not come, None when all did, in their order."""
    lines = iter(printed.splitlines())
    for line in shown:
        if line.strip() == "…":
            continue
        pattern = re.compile(r"\s*" + r".*".join(r"\s+".join(map(re.escape, part.split())) for part in line.split("…")).replace(".*", r"\s*.*\s*"))
        if not any(pattern.match(each) for each in lines):
            return line
    return None


@pytest.mark.timeout(280)
@pytest.mark.spec("S2", "S3", "S23", "S24", "S25", "S26", "M19", "M20", "X1", "X5")
def test_the_tutorial_works_from_start_to_end(shell: Shell) -> None:
    ran = 0
    for kind, info, text in BLOCK.findall(TUTORIAL.read_text(encoding="utf-8")):
        said = dict(part.partition("=")[::2] for part in info.split())
        if "file" in said:
            (shell.folder / said["file"]).write_text(text, encoding="utf-8")
        elif kind == "console":
            for command, shown in commands(text):
                ran += 1
                if "terminal" in said:
                    shell.start(command, said["terminal"])
                    continue
                code, printed = shell.run(command)
                wanted = said.get("fails", "0")
                assert wanted == "any" or code == int(wanted), f"$ {command}\nended with {code}\n{printed}"
                assert "Traceback" not in printed, printed
                gone = missing(shown, printed)
                assert gone is None, f"$ {command}\nthe page shows: {gone}\nit printed:\n{printed}"
    assert ran > 20


def test_a_line_that_does_not_come_is_noticed() -> None:
    assert missing(["one …", "…", "two   words"], "zero\none 1\nnoise\n  two words and more\n") is None
    assert missing(["two", "one"], "one\ntwo\n") == "one"
    assert missing(["Plan …: 1 to change"], "Plan p-1: 2 to change") == "Plan …: 1 to change"

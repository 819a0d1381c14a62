"""A whole small telephone world on this machine: embedded PostgreSQL, a simulated switch as a process of its own, and a campaign set up by the very
commands a user would type. For `demo`, the benchmarks and the tests."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.errors import FsDialerError

CAMPAIGN = "demo"
GRACE_S = 10.0


@dataclass(slots=True)
class Rig:
    """A running world. `environ`: what its commands and its daemon need."""

    folder: Path
    dsn: str
    environ: dict[str, str]
    port: int = 0
    switch: subprocess.Popen[str] | None = field(default=None)

    def command(self, *words: str, ok: tuple[int, ...] = (0,)) -> str:
        """One fs-dialer command in a process of its own; its stdout. FsDialerError with its words when it fails."""
        done = subprocess.run([sys.executable, "-m", "fs_dialer", *words], env=self.environ, capture_output=True, text=True, check=False)
        if done.returncode not in ok:
            raise FsDialerError(f"fs-dialer {' '.join(words)} failed ({done.returncode}): {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def start_switch(self, people: Mapping[str, Any], seed: int, sps: int = 0, port: int = 0, dialplan: Path | None = None) -> None:
        """A simulated switch on loopback, on a free port unless one is named; it ends with us, whatever happens to us."""
        model = self.folder / "people.json"
        model.write_text(json.dumps(people), encoding="utf-8")
        words = [sys.executable, "-m", "fs_dialer.sim.esl_server", "--people-json", str(model), "--seed", str(seed), "--until-stdin-ends"]
        words += ["--password-file", str(self.folder / "esl.password"), "--sps", str(sps), "--port", str(port)]
        words += ["--dialplan", str(dialplan)] if dialplan is not None else []
        self.switch = subprocess.Popen(
            words, env=self.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.switch.stdout is not None
        line = self.switch.stdout.readline()
        if not line.startswith("listening "):
            raise FsDialerError("the simulated switch did not start")
        self.port = int(line.split()[1])
        self.environ["FS_DIALER_ESL"] = f"127.0.0.1:{self.port}"

    def counters(self) -> dict[str, int]:
        """What the simulated switch has done, from its own mouth."""
        return dict(json.loads(self.ask_switch("api sim counters")))

    def ask_switch(self, command: str) -> str:
        """One command on a connection of its own, answered in line."""
        import socket

        password = (self.folder / "esl.password").read_text(encoding="utf-8").strip()
        with socket.create_connection(("127.0.0.1", self.port), timeout=GRACE_S) as sock, sock.makefile("rwb") as stream:
            for text in (f"auth {password}", command):
                stream.write(f"{text}\n\n".encode())
            stream.flush()
            while True:
                headers = dict(line.split(": ", 1) for line in iter(lambda: stream.readline().decode().rstrip("\n"), "") if ": " in line)
                body = stream.read(int(headers.get("Content-Length", 0))).decode()
                if headers.get("Content-Type") == "api/response":
                    return body

    def close(self) -> None:
        if self.switch is not None and self.switch.poll() is None:
            self.switch.send_signal(signal.SIGTERM)
            try:
                self.switch.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self.switch.kill()
                self.switch.wait()


@contextlib.contextmanager
def rig(*, durable: bool = True) -> Iterator[Rig]:
    """Start the database and make a folder for the rest; everything is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="fs-dialer-") as name, EmbeddedPostgres(durable=durable) as postgres:
        folder = Path(name)
        password = folder / "esl.password"
        password.touch(0o600)
        password.write_text(secrets.token_urlsafe(18), encoding="utf-8")
        environ = {key: value for key, value in os.environ.items() if not key.startswith("FS_DIALER_")}
        environ |= {
            "FS_DIALER_DSN": postgres.dsn,
            "FS_DIALER_ESL_PASSWORD_FILE": str(password),
            "FS_DIALER_STATE_DIR": str(folder / "state"),
        }
        world = Rig(folder, postgres.dsn, environ)
        try:
            yield world
        finally:
            world.close()


def write_definitions(
    folder: Path,
    *,
    agents: int,
    leads: int,
    nailed: int,
    cps: float,
    lines: int,
    wrap_up_s: int = 3,
    campaign: str = CAMPAIGN,
    type: str = "progressive",
    ring_s: int = 12,
) -> Path:
    """A campaign as an admin would write it, its agents and its leads; the folder to apply. The first `nailed` agents have nailed legs."""
    place = folder / "definitions"
    (place / "campaigns").mkdir(parents=True)
    names = [f"agent-{n}" for n in range(1, agents + 1)]
    (place / "campaigns" / f"{campaign}.yml").write_text(
        f"type: {type}\ntitle: A demonstration\ncaller_id: +15550100000\nring: {ring_s}s\nwrap_up: {wrap_up_s}s\n"
        f"attempts: {{max: 3, gap: 30m, busy: {{gap: 10m}}}}\nwaiting: {{music: local_stream://moh, at_most: 30s}}\nagent_ring: 10s\n"
        f"leads: {{new_rows: join}}\nagents:\n  people: [{', '.join(names)}]\n",
        encoding="utf-8",
    )
    rows = [f"  {name}: {{dial: user/{1000 + n}, leg: {'nailed' if n < nailed else 'per_call'}}}" for n, name in enumerate(names)]
    (place / "agents.yml").write_text("agents:\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (place / "installation.yml").write_text(f"lines: {lines}\ncps: {cps:g}\ngateways:\n  trunk1: {{plus: yes}}\n", encoding="utf-8")
    with open(place / "leads.csv", "w", encoding="utf-8") as file:
        file.write("phone,name\n")
        file.writelines(f"+1212{2000000 + n},Person {n}\n" for n in range(leads))
    return place

"""What stands around a test with a real switch: a database of its own, definitions as an admin writes them, and daemons as processes.

Agents are sofia/internal/NAME@127.0.0.1:5090, customers are behind the gateway trunk1.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from fs_dialer.core.model import CampaignId
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.shapes import LeadRow
from tests.freeswitch.watch import AGENTS_AT, PATIENCE_S, Address, Watch

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = "trunk1"
CALLER_ID = "+15550100000"
POLL_S = 0.1


def write_definitions(
    folder: Path,
    agents: Mapping[str, str],
    campaigns: Mapping[str, str],
    *,
    type: str = "progressive",
    lines: int = 100,
    cps: float = 20,
    gateway_lines: int = 100,
) -> Path:
    """A folder to apply. `agents`: name → nailed or per_call; `campaigns`, all of one type: name → what its file says beyond the least."""
    place = folder / "definitions"
    (place / "campaigns").mkdir(parents=True)
    gateway = f"  {GATEWAY}: {{plus: yes, lines: {gateway_lines}}}\n"
    (place / "installation.yml").write_text(f"lines: {lines}\ncps: {cps:g}\ngateways:\n{gateway}", encoding="utf-8")
    rows = [f"  {name}: {{dial: sofia/internal/{name}@{AGENTS_AT}, leg: {leg}}}\n" for name, leg in agents.items()]
    (place / "agents.yml").write_text("agents:\n" + "".join(rows), encoding="utf-8")
    for name, text in campaigns.items():
        (place / "campaigns" / f"{name}.yml").write_text(f"type: {type}\ncaller_id: {CALLER_ID}\n{text}", encoding="utf-8")
    return place


class Daemon:
    """`fs-dialer run` in a process of its own."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        self.log = log
        with open(log, "ab") as stream:
            self.process = subprocess.Popen([sys.executable, "-m", "fs_dialer", "run"], env=dict(environ), cwd=ROOT, stdout=stream, stderr=stream)

    def says(self, text: str, timeout_s: float = PATIENCE_S) -> None:
        """Until its log has the text."""
        deadline = time.monotonic() + timeout_s
        while text not in self.log.read_text(encoding="utf-8"):
            assert self.process.poll() is None, f"the daemon ended with {self.process.returncode}:\n{self.tail()}"
            assert time.monotonic() < deadline, f"the daemon did not say {text!r} in {timeout_s:g} s:\n{self.tail()}"
            time.sleep(POLL_S)

    def tail(self) -> str:
        return self.log.read_text(encoding="utf-8")[-4000:]

    def kill(self) -> float:
        """kill -9; the time of it."""
        self.process.kill()
        self.process.wait()
        return time.monotonic()

    def drain(self, timeout_s: float = 60.0) -> None:
        """SIGTERM: no new calls, and the end, with 0, when the last is over."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not drained in {timeout_s:g} s:\n{self.tail()}") from None
        assert code == 0, self.tail()

    def end(self) -> None:
        if self.process.poll() is None:
            self.kill()


@dataclass(slots=True)
class World:
    """`address`: the switch. The daemon reaches it there unless `esl` says otherwise."""

    folder: Path
    dsn: str
    address: Address
    watch: Watch
    esl: str = ""
    daemons: list[Daemon] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        environ = {key: value for key, value in os.environ.items() if not key.startswith("FS_DIALER_")}
        return environ | {
            "FS_DIALER_DSN": self.dsn,
            "FS_DIALER_ESL": self.esl or f"{self.address.host}:{self.address.port}",
            "FS_DIALER_ESL_PASSWORD": self.address.password,
            "FS_DIALER_STATE_DIR": str(self.folder / "state"),
        }

    def command(self, *words: str, ok: Sequence[int] = (0,)) -> str:
        """What one fs-dialer command printed."""
        done = subprocess.run([sys.executable, "-m", "fs_dialer", *words], env=self.environ, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode in ok, f"fs-dialer {' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    # --- definitions --------------------------------------------------------------------------------------------------------------------

    def set_up(self, agents: Mapping[str, str], campaign: str, numbers: Sequence[str], **limits: Any) -> None:
        """One campaign, `c`, with these agents and leads, in the database."""
        people = f"agents: {{people: [{', '.join(agents)}]}}\n"
        self.command("apply", str(write_definitions(self.folder, agents, {"c": campaign + people}, **limits)))
        self.add_leads("c", numbers)

    def add_leads(self, campaign: str, numbers: Sequence[str]) -> None:
        with closing(Backoffice(self.dsn)) as office:
            office.import_leads(CampaignId(campaign), [LeadRow(number, ("America/New_York",)) for number in numbers], "test")

    def order_start(self, agents: Sequence[str], campaign: str = "c") -> None:
        """Approve, start, agents available: what waits in the database is done as soon as a daemon is active."""
        with closing(Backoffice(self.dsn)) as office:
            for verb in ("approve", "start"):
                office.submit_command(verb, campaign, {}, "test")
            for agent in agents:
                office.submit_command("agent_status", agent, {"status": "available"}, "test")

    def say(self, agent: str, word: str, **args: str) -> tuple[bool, str]:
        """A verb of the agent interface, and what the daemon answers."""
        with closing(Backoffice(self.dsn)) as office:
            reply = office.wait_reply(office.submit_command("agent", agent, {"verb": word, **args}, "test"), PATIENCE_S)
        assert reply is not None, f"no reply to {word} of {agent}"
        return reply

    def granted(self, agent: str, word: str, **args: str) -> str:
        """The same, as soon as it is granted."""
        deadline = time.monotonic() + PATIENCE_S
        while not (reply := self.say(agent, word, **args))[0]:
            assert time.monotonic() < deadline, f"{word} of {agent} was refused for {PATIENCE_S:g} s: {reply[1]}"
            time.sleep(POLL_S)
        return reply[1]

    def start_daemon(self) -> Daemon:
        self.daemons.append(Daemon(self.environ, self.folder / f"daemon-{len(self.daemons) + 1}.log"))
        return self.daemons[-1]

    # --- what the database has ------------------------------------------------------------------------------------------------------------

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()

    def change(self, statement: str, *values: object) -> None:
        with closing(psycopg2.connect(self.dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, values)

    def one(self, query: str, *values: object) -> Any:
        return self.rows(query, *values)[0][0]

    def until(self, query: str, expected: object, what: str, timeout_s: float = 60.0) -> None:
        """Until the one value of a query is as expected."""
        deadline = time.monotonic() + timeout_s
        while (value := self.one(query)) != expected:
            running = [daemon for daemon in self.daemons if daemon.process.poll() is None]
            tail = self.daemons[-1].tail() if self.daemons else ""
            assert running, f"no daemon is running:\n{tail}"
            assert time.monotonic() < deadline, f"not in {timeout_s:g} s: {what}; it is {value!r}, not {expected!r}\n{tail}"
            time.sleep(POLL_S)

    def until_all_tried(self, timeout_s: float = 60.0) -> None:
        """Until every lead has a closed attempt."""
        query = "SELECT count(*) FROM leads WHERE NOT EXISTS (SELECT FROM all_attempts AS attempts WHERE attempts.lead = leads.id AND closed_at IS NOT NULL)"
        self.until(query, 0, "every lead has been called", timeout_s)

    def close(self) -> None:
        for daemon in self.daemons:
            daemon.end()
        self.watch.hang_up_all()

"""A small telephone world for one scenario: a database, the simulated switch in a process of its own, daemons as real subprocesses, quick people.

Every process here is started by the test and ended with it, by its pid. Nothing waits a fixed time: `until` polls for a fact and says which one failed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psycopg2
import pytest

from fs_dialer.cli.rig import Rig
from fs_dialer.config.load import load_paths
from fs_dialer.core.model import CampaignId
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.shapes import LeadRow
from tests.scenarios.witness import Witness

T = TypeVar("T")
CAMPAIGN = "spring"
POLL_S = 0.03
START_S = 30.0
SAY_S = 30.0
GAP_S = 1800.0
PASSWORD = "scenario-password"

QUICK: Mapping[str, Any] = {
    "outcomes": {"person": "60%", "no_answer": "15%", "busy": "10%", "rejected": "5%", "bad_number": "5%", "503": "5%"},
    "first_response": "uniform(0.05s, 0.2s)",
    "ring": "uniform(0.3s, 1.5s)",
    "refuse": "uniform(0.2s, 0.6s)",
    "ring_out": "uniform(0.5s, 1.5s)",
    "talk": "uniform(0.5s, 2.5s)",
    "patience": "uniform(10s, 20s)",
}


def person(**laws: Any) -> dict[str, Any]:
    """A number whose owner answers; laws over QUICK's, as in people.yml."""
    return {"outcome": "person", "first_response": "0.05s", "ring": "0.3s", "talk": "1s", "patience": "never", "early_media": "0%", **laws}


def until(fact: Callable[[], T], deadline_s: float, what: str) -> T:
    """The first true value of `fact`; the test fails, naming what was waited for, when there is none in time."""
    end = time.monotonic() + deadline_s
    while True:
        found = fact()
        if found:
            return found
        if time.monotonic() > end:
            pytest.fail(f"not within {deadline_s:g} s: {what} (last seen: {found!r})")
        time.sleep(POLL_S)


class Daemon:
    """`fs-dialer run` as a process of its own."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        self.log_path = log
        with open(log, "wb") as file:
            words = [sys.executable, "-m", "fs_dialer", "run"]
            self.process = subprocess.Popen(words, env=dict(environ), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def says(self, text: str, deadline_s: float = START_S) -> None:
        """Wait until its log holds this."""

        def said() -> bool:
            if text in self.log():
                return True
            if self.process.poll() is not None:
                pytest.fail(f"the daemon ended with {self.process.returncode} before it said {text!r}:\n{self.log()[-3000:]}")
            return False

        until(said, deadline_s, f"the daemon says {text!r}")

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """As kill -9 does, and gone when this returns."""
        self.process.kill()
        self.process.wait()

    def ended(self, deadline_s: float) -> int:
        """Its exit code."""
        try:
            return self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the daemon did not end within {deadline_s:g} s:\n{self.log()[-3000:]}")

    def terminate(self, deadline_s: float = 40.0) -> int:
        """SIGTERM: drains; its exit code."""
        self.signal(signal.SIGTERM)
        return self.ended(deadline_s)


class World:
    """What a scenario has at hand. `dsn`: a database of its own, with our schema."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder, self.dsn = folder, dsn
        (folder / "esl.password").write_text(PASSWORD, encoding="utf-8")
        environ = {key: value for key, value in os.environ.items() if not key.startswith("FS_DIALER_")}
        environ |= {"FS_DIALER_DSN": dsn, "FS_DIALER_ESL_PASSWORD": PASSWORD, "FS_DIALER_STATE_DIR": str(folder / "state")}
        self.rig = Rig(folder, dsn, environ)
        self.daemons: list[Daemon] = []
        self._witness: Witness | None = None
        self._people: Mapping[str, Any] = {}

    # --- the switch -------------------------------------------------------------------------------------------------------------------

    def start_switch(
        self,
        *,
        seed: int = 1,
        customers: Mapping[str, Any] | None = None,
        numbers: Mapping[str, Any] | None = None,
        agents: Sequence[Mapping[str, Any]] = (),
        port: int = 0,
    ) -> None:
        """Quick people, over them what `customers`, `numbers` and `agents` say in the words of people.yml."""
        people: dict[str, Any] = {"customers": {**QUICK, **(customers or {})}, "numbers": dict(numbers or {})}
        people["agents"] = [*agents, {"match": "user/*", "ring": "uniform(0.2s, 0.8s)"}]
        self._people = people
        self.rig.start_switch(people, seed, port=port)
        self._witness = Witness(self.rig.port, PASSWORD)
        self._witness.start()

    def kill_switch(self) -> None:
        """All its legs are gone, and nobody is told."""
        assert self.rig.switch is not None
        self.rig.switch.kill()
        self.rig.switch.wait()
        self.witness.switch_died()

    def restart_switch(self) -> None:
        """On the same port, with no memory of what was."""
        self.rig.start_switch(self._people, 2, port=self.rig.port)

    @property
    def witness(self) -> Witness:
        assert self._witness is not None
        return self._witness

    def channels(self) -> int:
        return int(self.rig.ask_switch("api show channels count").split()[0])

    # --- the daemon -------------------------------------------------------------------------------------------------------------------

    def start_daemon(self, *, active: bool = True, **environ: str) -> Daemon:
        """`active`: return when it has the lead; the switch may still be told apart. Else return at once."""
        daemon = Daemon(self.rig.environ | environ, self.folder / f"daemon{len(self.daemons) + 1}.log")
        self.daemons.append(daemon)
        if active:
            daemon.says("active: epoch")
        return daemon

    # --- definitions, leads, orders ---------------------------------------------------------------------------------------------------

    def define(self, *, agents: int, nailed: int = 0, cps: float = 20, lines: int = 200, wrap_up_s: int = 1, gap: str = "30m", at_most_s: int = 20) -> None:
        """A progressive campaign; the first `nailed` agents have nailed legs, and agent-1 is user/1001. Defined again it is a new revision."""
        place = self.folder / "definitions"
        (place / "campaigns").mkdir(parents=True, exist_ok=True)
        names = [f"agent-{n}" for n in range(1, agents + 1)]
        (place / "campaigns" / f"{CAMPAIGN}.yml").write_text(
            f"type: progressive\ncaller_id: +15550100000\nring: 12s\nwrap_up: {wrap_up_s}s\nattempts: {{max: 3, gap: {gap}, busy: {{gap: {gap}}}}}\n"
            f"waiting: {{at_most: {at_most_s}s}}\nagent_ring: {at_most_s // 2 + 2}s\nleads: {{new_rows: join}}\nagents:\n  people: [{', '.join(names)}]\n",
            encoding="utf-8",
        )
        rows = [f"  {name}: {{dial: user/{1001 + n}, leg: {'nailed' if n < nailed else 'per_call'}}}" for n, name in enumerate(names)]
        (place / "agents.yml").write_text("agents:\n" + "\n".join(rows) + "\n", encoding="utf-8")
        (place / "installation.yml").write_text(f"lines: {lines}\ncps: {cps:g}\ngateways:\n  trunk1: {{plus: yes}}\n", encoding="utf-8")
        found = load_paths([place])
        with self.office() as office:
            office.apply_definitions(found.campaigns, found.agents, found.installation, "test")

    def define_type(self, type: str, *, agents: int, nailed: int = 0, settings: str = "", agent: str = "", lines: int = 200) -> None:
        """A campaign of another type, `settings` as lines of its file; `agent`: what each agent's line says beyond the least."""
        place = self.folder / "definitions"
        (place / "campaigns").mkdir(parents=True, exist_ok=True)
        names = [f"agent-{n}" for n in range(1, agents + 1)]
        (place / "campaigns" / f"{CAMPAIGN}.yml").write_text(
            f"type: {type}\ncaller_id: +15550100000\nagents:\n  people: [{', '.join(names)}]\n{settings}", encoding="utf-8"
        )
        rows = [f"  {name}: {{dial: user/{1001 + n}, leg: {'nailed' if n < nailed else 'per_call'}{agent}}}" for n, name in enumerate(names)]
        (place / "agents.yml").write_text("agents:\n" + "\n".join(rows) + "\n", encoding="utf-8")
        (place / "installation.yml").write_text(f"lines: {lines}\ncps: 20\ngateways:\n  trunk1: {{plus: yes}}\n", encoding="utf-8")
        self.apply_again()

    def apply_again(self) -> None:
        """What stands in the definitions' files now."""
        found = load_paths([self.folder / "definitions"])
        with self.office() as office:
            office.apply_definitions(found.campaigns, found.agents, found.installation, "test")

    def add_leads(self, numbers: Sequence[str]) -> None:
        with self.office() as office:
            office.import_leads(CampaignId(CAMPAIGN), [LeadRow(number, ("America/New_York",)) for number in numbers], "test")

    def order(self, verb: str, target: str = CAMPAIGN, wait_s: float = 10.0, **args: str) -> tuple[bool, str]:
        """A command through the database, and the daemon's reply."""
        with self.office() as office:
            reply = office.wait_reply(office.submit_command(verb, target, args, "test"), wait_s)
        if reply is None:
            pytest.fail(f"no reply to {verb} {target}")
        return reply

    def order_start(self, agents: int, *, screens: bool = False) -> None:
        """Approve, start, everybody available, with his campaign screen open where asked for: written down for a daemon that may not run yet."""
        with self.office() as office:
            for verb in ("approve", "start"):
                office.submit_command(verb, CAMPAIGN, {}, "test")
            for n in range(1, agents + 1):
                office.submit_command("agent_status", f"agent-{n}", {"status": "available"}, "test")
                if screens:
                    office.submit_command("agent", f"agent-{n}", {"verb": "open_screen", "lease_s": "86400"}, "test")

    def say(self, agent: int, word: str, **args: str) -> tuple[bool, str]:
        """A verb of the agent interface, and what the daemon answers: agent-1 says skip."""
        with self.office() as office:
            reply = office.wait_reply(office.submit_command("agent", f"agent-{agent}", {"verb": word, **args}, "test"), SAY_S)
        if reply is None:
            pytest.fail(f"no reply to {word} of agent-{agent}")
        return reply

    def granted(self, agent: int, word: str, **args: str) -> str:
        """The same, as soon as it is granted: a phone may still be on its way to the hook."""
        last = ""

        def asked() -> bool:
            nonlocal last
            ok, last = self.say(agent, word, **args)
            return ok

        end = time.monotonic() + SAY_S
        while not asked():
            if time.monotonic() > end:
                pytest.fail(f"{word} of agent-{agent} was refused for {SAY_S:g} s: {last}")
            time.sleep(POLL_S)
        return last

    # --- the database -----------------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def office(self) -> Iterator[Backoffice]:
        office = Backoffice(self.dsn)
        try:
            yield office
        finally:
            office.close()

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.dsn)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description is not None else []
        finally:
            connection.close()

    def one(self, statement: str, *values: Any) -> Any:
        return self.rows(statement, *values)[0][0]

    def closed(self) -> int:
        return int(self.one("SELECT count(*) FROM all_attempts WHERE closed_at IS NOT NULL"))

    def outcomes(self) -> dict[str, str]:
        """By number, of the last attempt; open ones are ''."""
        return dict(self.rows("SELECT DISTINCT ON (number) number, coalesce(outcome, '') FROM all_attempts ORDER BY number, opened_at DESC"))

    def missed(self) -> list[str]:
        """Numbers whose call is kept as missed."""
        return [number for (number,) in self.rows("SELECT number FROM all_attempts WHERE missed ORDER BY opened_at")]

    def agent_state(self, agent: int) -> str:
        """As the daemon last said, "" before it has."""
        return next((str(each["state"]) for each in self.snapshot().get("agents", ()) if each["id"] == f"agent-{agent}"), "")

    def snapshot(self) -> dict[str, Any]:
        """What the daemon last said of itself."""
        found = self.rows("SELECT snapshot FROM daemon_status")
        return dict(found[0][0]) if found else {}

    def journals(self) -> list[Path]:
        """Of every daemon that became active, oldest first."""
        return sorted((self.folder / "state" / "journal").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)

    def close(self) -> None:
        for daemon in self.daemons:
            if daemon.process.poll() is None:
                daemon.kill()
            print(f"--- {daemon.log_path.name}, exit code {daemon.process.returncode}\n{daemon.log()[-6000:]}")
        if self._witness is not None:
            self._witness.close()
        self.rig.close()


def numbers(start: int, count: int) -> list[str]:
    """Consecutive telephone numbers: numbers(7, 2) = +12125550007, +12125550008."""
    return [f"+1212555{n:04d}" for n in range(start, start + count)]

"""An agent's day: a daemon, a simulated switch over TCP, an agent at his console and at the HTTP interface.

One world for all of them; the tests stand in the order of the day.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from fs_dialer.cli.agent_http import AgentHttp, HttpRefused, Unreachable
from fs_dialer.cli.rig import Rig, rig
from tests.cli.pty_screen import Program
from tests.cli.runner import ROOT, Done, called
from tests.cli.test_reference import covers, documented, paths
from tests.db.rows import Database

PEOPLE = {"customers": {"outcomes": {"person": 1}, "ring": "0.3s", "talk": "120s", "first_response": "0.1s"}}
DEADLINE_S = 40.0
FILES = {
    "campaigns/winback.yml": "type: manual\ntitle: Win back\ncaller_id: +15550100000\nagents: {people: [lan, hoa]}\nscript: renew\n"
    "dispositions: [sold, later, refused]\nwindow: {zone: UTC}\n",
    "agents.yml": "agents:\n  lan: {dial: user/1001, name: Lan Nguyen}\n  hoa: {dial: user/1002, name: Hoa}\n",
    "installation.yml": "lines: 40\ncps: 20\ngateways:\n  trunk1: {plus: yes}\n",
    "rest.yml": "dispositions:\n  sold: {label: Sold, class: success}\n  later: {label: Later, class: callback}\n"
    "  refused: {label: Refused, class: refused}\n"
    "scripts:\n  renew:\n    items:\n      - say: Your plan ends soon.\n"
    "      - {ask: Renew?, as: renew, answer: choice, options: [sure, later], required: yes}\n"
    "      - {ask: Which plan?, as: plan, answer: text}\n",
    "leads.csv": "phone,name,plan_now\n" + "".join(f"+1212{2000000 + n},Person {n},Gold\n" for n in range(20)),
}


@dataclass
class World:
    rig: Rig
    port: int
    secret: str = ""
    daemon: subprocess.Popen[str] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.rig.folder / "daemon.log").read_text()

    def start(self) -> None:
        with (self.rig.folder / "daemon.log").open("a") as log:
            self.daemon = subprocess.Popen([sys.executable, "-m", "fs_dialer", "run"], env=self.rig.environ, stdout=log, stderr=log, text=True)
        until(self.is_up, "the daemon did not come up")

    def is_up(self) -> bool:
        try:
            self.client().begin()
        except (HttpRefused, Unreachable):
            return False
        return True

    def stop(self) -> None:
        assert self.daemon is not None
        for _ in range(2):
            with contextlib.suppress(ProcessLookupError):
                self.daemon.send_signal(signal.SIGTERM)
            time.sleep(0.3)
        self.daemon.wait(30)

    def client(self, agent: str = "lan") -> AgentHttp:
        return AgentHttp(self.url, self.secret, agent)

    def desk(self) -> dict[str, Any]:
        return self.client().begin()

    def asked(self, *words: str, **environ: str) -> Done:
        return called("agent", *words, dsn=self.rig.dsn, FS_DIALER_HTTP_LISTEN=f"127.0.0.1:{self.port}", **environ)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with rig(durable=False) as made, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        made.environ |= {"PYTHONPATH": str(ROOT), "FS_DIALER_HTTP_LISTEN": f"127.0.0.1:{port}"}
        made.start_switch(PEOPLE, seed=1)
        place = made.folder / "definitions"
        for name, text in FILES.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="utf-8")
        for words in (("db", "migrate"), ("apply", str(place)), ("lead", "import", str(place / "leads.csv"), "--campaign", "winback")):
            assert called(*words, dsn=made.dsn).code == 0
        made_token = called("token", "create", "--role", "agent", "--agent", "lan", dsn=made.dsn)
        world = World(made, port, made_token.out.strip())
        world.start()
        for verb in ("approve", "start"):
            assert called(verb, "winback", "--json", dsn=made.dsn).json["result"] == "done"
        try:
            yield world
        finally:
            world.stop()


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def met(world: World, *leads: int) -> None:
    """Lan has talked to them before: they are his to speak of."""
    Database(world.rig.dsn).rows("UPDATE leads SET met = 'lan' WHERE id = ANY(%s)", list(leads))


def console(world: World, *words: str) -> Program:
    return Program(["-m", "fs_dialer", "agent", "console", "lan", *words], world.rig.environ | {"FS_DIALER_TOKEN": world.secret}, columns=80, lines=24)


def test_not_before_he_is_available(world: World) -> None:
    assert world.asked("take", "lan", "--campaign", "winback").code == 1
    assert world.asked("available", "lan").out == "lan: available\n"


@pytest.mark.spec("S14", "S29", "M12", "M23", "M24", "S83")
def test_a_whole_call_at_the_console(world: World) -> None:
    screen = console(world)
    try:
        screen.shows("screen open")
        assert screen.alternate and not screen.cursor
        screen.press("g")
        screen.shows("PREVIEW dial when you like  Person 0")
        screen.shows("“Your plan ends soon.”")
        screen.shows("plan_now: Gold")
        screen.press("h")
        screen.shows("hold is not open to you now")
        screen.press("d")
        screen.shows("TALKING")
        screen.press("\t")
        screen.shows("(1) sure  (2) later")
        screen.press("1")
        screen.shows("1 Renew? sure")
        screen.press("gold\r")
        screen.shows("2 Which plan? gold")
        screen.press("\x1b[20~")  # F9
        screen.shows("ON HOLD")
        screen.press("h")
        screen.shows("TALKING")
        screen.press("1")
        screen.shows("*1 Sold")
        screen.press("\x1b[19~")  # F8
        screen.shows("READY")
        assert screen.widest() <= 80
        screen.press("q")
        assert screen.ended() == 0
    finally:
        screen.close()
    database = Database(world.rig.dsn)
    until(lambda: database.rows("SELECT status FROM leads WHERE number = '+12122000000'") == [("succeeded",)], "the result was not filed")
    assert database.rows("SELECT disposition, disposed_by, answers FROM attempts") == [("sold", "lan", {"renew": "sure", "plan": "gold"})]


def test_the_same_over_http_with_refusals_in_words(world: World) -> None:
    client = world.client()
    client.begin()
    client.act("open_screen", {"lease_s": 600})
    with pytest.raises(HttpRefused, match="you have no call") as refused:
        client.act("hang_up", {})
    assert refused.value.status == 409
    client.act("take", {"campaign": "winback"})
    call = world.desk()["desk"]["call"]
    with pytest.raises(HttpRefused) as nothing:
        client.act("answers", {"call": call["id"], "answers": {"renew": "sure"}})
    assert nothing.value.status == 404, "a call that is not dialled yet has nothing to file"
    client.act("dial", {"call": call["id"]})
    until(lambda: (world.desk()["desk"]["call"] or {}).get("bridged_at"), "no conversation")
    with pytest.raises(HttpRefused, match="none of sure, later"):
        client.act("answers", {"answers": {"renew": "perhaps"}})
    saved = client.act("answers", {"answers": {"plan": "silver"}, "note": "mornings"})
    assert saved["answers"] == {"plan": "silver"} and saved["missing"] == ["renew"]
    promised = client.act("callback", {"at": "+2h", "to_me": True})
    assert promised["lead_status"] == "callback_scheduled"
    client.act("hang_up", {"call": call["id"]})
    until(lambda: world.desk()["desk"]["call"] is None, "the call did not end")
    with pytest.raises(HttpRefused, match=r"that call is over|no call"):
        client.act("hold", {"call": call["id"]})
    rows = Database(world.rig.dsn).rows("SELECT status, agent FROM leads WHERE number = '+12122000001'")
    assert rows == [("callback_scheduled", "lan")]


@pytest.mark.spec("S12")
def test_what_he_says_of_a_customer_from_the_command_line(world: World) -> None:
    assert world.asked("card", "lan", "--lead", "3").code == 1, "he has had nothing to do with this one"
    met(world, 3, 4)
    shown = world.asked("card", "lan", "--lead", "3")
    assert shown.code == 0 and "Person 2" in shown.out and "plan_now: Gold" in shown.out and "refused: Refused: not called for 180 days" in shown.out
    done = world.asked("do-not-call", "lan", "--lead", "3", "--why", "asked")
    assert done.code == 0 and "new → blocked" in done.out
    later = world.asked("callback", "lan", "+3h", "--lead", "4", "--json").json
    assert (later["lead_before"], later["lead_status"]) == ("new", "callback_scheduled")
    answered = world.asked("answers", "lan", "renew=later")
    assert answered.code == 0 and answered.out.endswith("saved\n")
    bad = world.asked("answers", "lan", "renew=never")
    assert bad.code == 3 and "none of sure, later" in bad.err
    assert world.asked("dispose", "lan", "solt").code == 3
    filed = world.asked("dispose", "lan", "sold", "--json")
    assert filed.code == 0 and filed.json["disposition"] == "sold", filed.err
    assert world.asked("callback", "hoa", "+3h").code == 1, "hoa had no call"


def test_an_agents_desk_is_shown_with_a_token(world: World) -> None:
    done = world.asked("show", "lan", FS_DIALER_TOKEN=world.secret)
    assert done.code == 0 and "Lan Nguyen: available" in done.out and "he may: " in done.out
    other = world.asked("show", "hoa", FS_DIALER_TOKEN=world.secret)
    assert other.code == 1 and "the token is lan's, not hoa's" in other.err
    boss = called("token", "create", "--role", "operator", dsn=world.rig.dsn).out.strip()
    both = world.asked("show", "hoa", "--json", FS_DIALER_TOKEN=boss)
    assert both.code == 0 and both.json["desk"]["agent"] == "hoa"


def test_what_is_printed_with_json_is_what_the_reference_says(world: World) -> None:
    """Every key that came is on the page, and what is on the page came."""
    met(world, 5, 6)
    titles: dict[str, list[tuple[str, ...]]] = {
        "take": [("take", "lan", "--campaign", "nosuch"), ("hold", "lan")],
        "show": [("show", "lan"), ("show", "hoa")],
        "card": [("card", "lan", "--lead", "5")],
        "dispose": [("dispose", "lan", "sold", "--answer", "renew=sure")],
        "answers": [("answers", "lan", "--note", "n")],
        "callback": [("callback", "lan", "+2h", "--lead", "5"), ("do-not-call", "lan", "--lead", "6", "--for-a-while")],
    }
    for title, asked in titles.items():
        page, seen = documented(f"fs-dialer agent {title}"), set[str]()
        for words in asked:
            token = {} if words[-1] == "hoa" else {"FS_DIALER_TOKEN": world.secret}
            seen |= set(paths(world.asked(*words, "--json", **token).json))
        assert {path for path in seen if not any(covers(pattern, path) for pattern in page)} == set(), title
        assert {pattern for pattern in page if not any(covers(pattern, path) for path in seen)} == set(), title


def test_a_daemon_that_starts_again_is_found_again_and_the_call_is_still_his(world: World) -> None:
    screen = console(world)
    try:
        screen.shows("screen open")
        screen.press("g")
        screen.shows("PREVIEW")
        screen.press("d")
        screen.shows("TALKING")
        world.stop()
        screen.shows("OFFLINE  your call is still up on your phone")
        screen.press("x")
        screen.shows("hang up: not sent")
        world.start()
        screen.until(lambda: "OFFLINE" not in "\n".join(screen.rows), "the line did not come back")
        screen.shows("screen open")
        screen.shows("TALKING")
        screen.press("x")
        screen.shows("READY")
        screen.kill(signal.SIGTERM)
        assert screen.ended() == 0
        assert not screen.alternate and screen.settings() == screen.modes
    finally:
        screen.close()


def test_events_as_lines_for_scripts_and_readers(world: World) -> None:
    environ = world.rig.environ | {"FS_DIALER_TOKEN": world.secret}
    words = [sys.executable, "-m", "fs_dialer", "agent", "console", "lan", "--plain"]
    process = subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline() + process.stdout.readline()
        assert "connected" in first and "available" in first
        world.asked("pause", "lan", "--campaign", "winback", "--why", "training")
        world.asked("not-available", "lan", "--reason", "lunch")
        line = ""
        while "not available" not in line:
            line = process.stdout.readline()
            assert line, process.communicate()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def test_nothing_of_a_customer_is_in_the_daemons_log(world: World) -> None:
    for word in ("Person", "+12122000000", "mornings", "silver", world.secret):
        assert word not in world.log, word
    assert "Traceback" not in world.log and os.path.exists(world.rig.folder)

"""`fs-dialer doctor` against an embedded PostgreSQL and a simulated switch over TCP."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fs_dialer.cli.doctor import ask_switch
from fs_dialer.cli.doctor.checks import Verdict
from fs_dialer.cli.rig import Rig, rig, write_definitions
from fs_dialer.config.daemon import load_settings
from tests.cli.runner import ROOT, Done, called

pytestmark = pytest.mark.spec("X9")
PEOPLE = {"customers": {"outcomes": {"busy": 1}}}


@pytest.fixture(scope="module")
def server() -> Iterator[Rig]:
    """A database that keeps what it promises, with one campaign. Each test has a switch of its own."""
    with rig(durable=True) as world:
        world.command("db", "migrate")
        world.command("apply", str(write_definitions(world.folder, agents=2, leads=1, nailed=1, cps=10, lines=20)))
        yield world


@pytest.fixture
def world(server: Rig) -> Iterator[Rig]:
    server.start_switch(PEOPLE, seed=1)
    yield server
    server.close()


def doctor(world: Rig, *words: str, **environ: str) -> Done:
    ours = {name: value for name, value in world.environ.items() if name.startswith("FS_DIALER_")}
    return called("doctor", *words, **(ours | environ))


def of(done: Done, verdict: str) -> list[str]:
    return [check["id"] for check in done.json["checks"] if check["verdict"] == verdict]


def test_where_everything_is_there_it_says_so_in_one_line(world: Rig) -> None:
    done = doctor(world)
    assert done.code == 0 and re.fullmatch(r"Ready: \d\d fine\.\n", done.out), done.out


def test_all_tells_every_check_and_json_holds_them(world: Rig) -> None:
    told, found = doctor(world, "--all"), doctor(world, "--json")
    assert told.code == found.code == 0
    assert found.json["ready"] is True and found.err == ""
    assert told.out.count("\n") == len(found.json["checks"]) + 1
    assert {"database.schema", "switch.rate", "gateway.trunk1", "sound.local_stream://moh", "clock.switch", "machine.disk"} <= set(of(found, "fine"))


def test_a_test_call_is_answered_goes_to_the_fallback_and_leaves_nothing(world: Rig) -> None:
    done = doctor(world, "--call", "--json")
    assert {"call.answered", "call.fallback"} <= set(of(done, "fine"))
    assert world.counters() | {"legs": 1, "lead_legs": 0, "agent_legs": 0} == world.counters()
    assert world.ask_switch("api show channels count") == "\n0 total.\n"


def test_without_call_no_call_is_made(world: Rig) -> None:
    doctor(world)
    assert world.counters()["legs"] == 0


def test_each_fault_of_the_switch_is_told_with_its_remedy(world: Rig) -> None:
    for command in ("fsctl sps 10", "fsctl max_sessions 19", "sim gateway trunk1 down", "unload mod_local_stream", "fsctl pause"):
        world.ask_switch(f"api {command}")
    done = doctor(world, "--call")
    assert done.code == 1
    assert [line.split("  ")[0] for line in done.out.splitlines()[:-1]] == ["bad"] * 6
    assert "fs_cli -x 'fsctl sps 15'" in done.out and "fs_cli -x 'fsctl max_sessions 20'" in done.out
    assert "gateway trunk1 is DOWN" in done.out and "fs_cli -x 'load mod_local_stream'" in done.out and "fs_cli -x 'fsctl resume'" in done.out
    assert re.search(r"^Not ready: 6 bad, 0 warnings, \d+ fine, \d not asked \(--all\)\.$", done.out, re.MULTILINE)


def test_a_sound_that_the_switch_has_not_is_told_with_its_campaign(world: Rig, tmp_path: Path) -> None:
    place = write_definitions(tmp_path, agents=2, leads=1, nailed=1, cps=10, lines=20, campaign="winter")
    file = place / "campaigns" / "winter.yml"
    file.write_text(file.read_text().replace("at_most: 30s", "at_most: 30s, then: nosuch.wav"))
    world.command("apply", str(place))
    done = doctor(world)
    assert "the switch has no sound nosuch.wav (campaign winter)" in done.out
    file.write_text(file.read_text().replace("nosuch.wav", "sorry.wav"))
    world.command("apply", str(place))
    assert doctor(world).code == 0


def test_without_the_switch_what_hangs_on_it_is_not_asked_and_not_bad(server: Rig) -> None:
    done = doctor(server, "--json", "--call", FS_DIALER_ESL="127.0.0.1:1")
    assert done.code == 1 and of(done, "bad") == ["switch.reachable"]
    assert {"switch.version", "switch.rate", "gateway.trunk1", "call.answered"} <= set(of(done, "not_asked"))


def test_a_wrong_password_is_told_and_never_shown(world: Rig) -> None:
    done = doctor(world, "--all", FS_DIALER_ESL_PASSWORD="not-the-one", FS_DIALER_ESL_PASSWORD_FILE="")
    assert done.code == 1 and "refused the password" in done.out and "not-the-one" not in done.out + done.err


def test_without_the_database_the_switch_is_examined_as_far_as_it_goes(world: Rig) -> None:
    done = doctor(world, "--json", FS_DIALER_DSN="postgresql://127.0.0.1:1/x")
    assert done.code == 1 and of(done, "bad") == ["database.reachable"]
    assert {"switch.version", "switch.fallback", "clock.switch"} <= set(of(done, "fine"))
    assert {"switch.rate", "gateways", "sounds", "database.schema", "clock.database"} <= set(of(done, "not_asked"))


def test_without_both_it_is_exit_4_within_its_time() -> None:
    """Two ports that take a connection and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        done = called("doctor", "--json", dsn=f"postgresql://127.0.0.1:{port}/x", FS_DIALER_ESL=f"127.0.0.1:{port}", FS_DIALER_ESL_PASSWORD="x")
        assert time.monotonic() - began < 9.5
    assert done.code == 4 and done.json["ready"] is False
    assert of(done, "bad")[:2] == ["database.reachable", "switch.reachable"]


def test_what_no_setting_names_is_told_as_missing(tmp_path: Path) -> None:
    config = tmp_path / "fs-dialer.yml"
    config.write_text(f"state_dir: {tmp_path}\n")
    done = called("doctor", "--config", config)
    assert done.code == 4
    assert "no database is named: set it in fs-dialer.yml" in done.out and "the event socket's password is not named" in done.out


def test_settings_with_problems_are_exit_3(tmp_path: Path) -> None:
    config = tmp_path / "fs-dialer.yml"
    config.write_text("esl: {prot: 8021}\n")
    assert called("doctor", "--config", config).code == 3


def test_a_forgetful_database_and_missing_tables_are_bad(pg_empty_dsn: str) -> None:
    done = called("doctor", "--json", dsn=pg_empty_dsn, FS_DIALER_ESL="127.0.0.1:1", FS_DIALER_ESL_PASSWORD="x")
    assert {"database.schema", "database.durable"} <= set(of(done, "bad"))
    assert {"database.version", "database.writable", "clock.database"} <= set(of(done, "fine"))


def test_a_switch_that_falls_silent_is_asked_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """It logs in, answers one question, and is silent."""
    monkeypatch.setattr(ask_switch, "QUESTION_S", 0.2)
    heard: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        sock, _ = listening.accept()
        with sock:
            sock.sendall(b"Content-Type: auth/request\n\n")
            sock.recv(100)
            sock.sendall(b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
            heard.append(sock.recv(100))
            sock.sendall(b"Content-Type: api/response\nContent-Length: 11\n\n1.11.3-dev\n")
            while data := sock.recv(100):
                heard.append(data)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        environ = {"FS_DIALER_ESL": f"127.0.0.1:{listening.getsockname()[1]}", "FS_DIALER_ESL_PASSWORD": "x"}
        settings = load_settings(ROOT / "conf" / "fs-dialer.yml", environ)
        line, reachable = ask_switch.connect(settings, time.monotonic() + 9)
        checks = {check.id: check for check in ask_switch.examine(line, settings, None, "no database")}
        thread.join(5)
    assert (reachable.verdict, checks["switch.version"].verdict) == (Verdict.FINE, Verdict.FINE)
    assert checks["switch.takes_calls"].remedy == "the switch did not answer 'fsctl' within 0.2 s"
    assert {check.verdict for id, check in checks.items() if id != "switch.version"} == {Verdict.NOT_ASKED}
    assert len(heard) == 2


def test_the_page_names_every_check() -> None:
    folder = ROOT / "fs_dialer" / "cli" / "doctor"
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    ids = set(re.findall(r'"((?:database|switch|clock|machine|call)\.[a-z_]+)"', source)) - {"database.dsn"}
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert len(ids) > 25
    assert sorted(id for id in ids | {"gateway.NAME", "gateways", "sound.NAME"} if f"`{id}`" not in page) == []

"""agent take, dial, hold, transfer …: which command each writes into the database. What the daemon makes of them: test_agent_with_a_daemon.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fs_dialer.core.agent_picture import VERBS
from fs_dialer.core.agent_verbs import event_of
from fs_dialer.core.model import AgentId, CommandId
from tests.cli.runner import applied, called
from tests.db.rows import Database


@pytest.fixture
def dsn(pg_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("fs_dialer.cli.campaigns.REPLY_TIMEOUT_S", 0.02)
    applied(tmp_path, pg_dsn)
    return pg_dsn


def asked(dsn: str) -> list[tuple[str, dict[str, Any]]]:
    return [(target, args) for target, args in Database(dsn).rows("SELECT target, args FROM commands WHERE verb = 'agent' ORDER BY place")]


CALL = "6f1d0a52-7a0e-4d5e-9d0e-3f6c1d2b4a59"


@pytest.mark.parametrize(
    ("words", "args"),
    [
        ("take lan --campaign spring", {"verb": "take", "campaign": "spring"}),
        ("take lan --campaign spring --lead 8", {"verb": "take", "campaign": "spring", "lead": "8"}),
        ("accept lan", {"verb": "accept"}),
        ("extend lan", {"verb": "extend_preview"}),
        (f"dial lan --call {CALL}", {"verb": "dial", "call": CALL}),
        ("skip lan --reason known", {"verb": "skip", "reason": "known"}),
        ("hangup lan", {"verb": "hang_up"}),
        ("hold lan", {"verb": "hold"}),
        ("resume lan", {"verb": "resume"}),
        ("resume lan --campaign spring", {"verb": "resume_campaign", "campaign": "spring"}),
        ("pause lan --campaign spring --why training", {"verb": "pause_campaign", "campaign": "spring", "why": "training"}),
        ("transfer lan --agent hoa --attended", {"verb": "transfer", "kind": "agent", "to": "hoa", "attended": "yes"}),
        ("transfer lan --team sales", {"verb": "transfer", "kind": "team", "to": "sales", "attended": "no"}),
        ("transfer lan --number 020-7946-0101", {"verb": "transfer", "kind": "number", "to": "+442079460101", "attended": "no"}),
        ("complete lan", {"verb": "complete_transfer"}),
        ("record start lan", {"verb": "record"}),
        ("record stop lan", {"verb": "stop_recording"}),
        ("record pause lan", {"verb": "pause_recording"}),
        ("record resume lan", {"verb": "resume_recording"}),
        ("wrap-up end lan", {"verb": "end_wrap_up"}),
        ("wrap-up extend lan", {"verb": "extend_wrap_up"}),
        ("screen open lan", {"verb": "open_screen", "lease_s": "28800"}),
        ("screen open lan --for 15m", {"verb": "open_screen", "lease_s": "900"}),
        ("screen close lan", {"verb": "close_screen"}),
        ("supervise lan --dial user/1009 --how whisper", {"verb": "supervise", "dial": "user/1009", "how": "whisper"}),
        ("supervise lan --stop", {"verb": "stop_supervising"}),
    ],
)
def test_each_writes_its_verb_which_the_engine_understands(dsn: str, words: str, args: dict[str, str]) -> None:
    done = called("agent", *words.split(), "--json", dsn=dsn, SUDO_USER="an.le")
    assert done.code == 0, done.err
    assert (done.json["agent"], done.json["verb"], done.json["result"]) == ("lan", args["verb"], "queued")
    assert asked(dsn) == [("lan", args)]
    assert event_of(CommandId("c"), "an.le", AgentId("lan"), args["verb"], {name: value for name, value in args.items() if name != "verb"})
    assert Database(dsn).one("SELECT who FROM audit WHERE what = 'agent'") == "an.le"


def test_every_verb_of_an_agent_has_a_command() -> None:
    source = "".join((Path(__file__).parents[2] / "fs_dialer" / "cli" / name).read_text() for name in ("agent_acts.py", "agents.py", "agent_filed.py"))
    spelled = {verb: verb.removeprefix("end_").removeprefix("extend_") for verb in VERBS}
    assert [verb for verb, part in spelled.items() if part not in source and part.replace("_", "-") not in source] == []


@pytest.mark.parametrize(
    "words",
    [
        "transfer lan",
        "transfer lan --agent hoa --team sales",
        "resume lan --call x --campaign spring",
        "screen close lan --for 8h",
        "screen open lan --for 8",
        "supervise lan",
        "supervise lan --dial user/1 --stop",
        "supervise lan --dial ${x}",
        "supervise lan --dial 1009",
        "take lan",
        "record play lan",
        "wrap-up lan",
    ],
)
def test_what_makes_no_sense_is_misuse_and_asks_nothing(dsn: str, words: str) -> None:
    assert called("agent", *words.split(), dsn=dsn).code == 2
    assert asked(dsn) == []


def test_a_number_that_is_none_is_refused(dsn: str) -> None:
    done = called("agent", "transfer", "lan", "--number", "12", dsn=dsn)
    assert done.code == 3 and asked(dsn) == []


def test_an_unknown_agent_gets_the_nearest_name(dsn: str) -> None:
    done = called("agent", "hold", "lam", dsn=dsn)
    assert done.code == 1 and "there is no agent lam; nearest: lan; nothing was asked" in done.err and asked(dsn) == []


def test_without_a_daemon_it_is_queued_and_said_so(dsn: str) -> None:
    done = called("agent", "hold", "lan", dsn=dsn)
    assert (done.code, done.out) == (0, "lan: queued: no daemon is running; it is done as soon as one is (fs-dialer run)\n")


@pytest.mark.spec("S85")
def test_agents_log_out_as_they_become_available(dsn: str) -> None:
    done = called("agent", "log-out", "--all", "--reason", "end of shift", "--json", dsn=dsn)
    assert done.code == 0 and done.json["status"] == "logged_out"
    rows = Database(dsn).rows("SELECT verb, target, args FROM commands ORDER BY target")
    assert rows == [("agent_status", name, {"status": "logged_out", "reason": "end of shift"}) for name in ("hoa", "lan")]


def test_show_without_a_token_is_what_the_database_knows(dsn: str) -> None:
    done = called("agent", "show", "lan", dsn=dsn)
    assert done.code == 0 and "what he does is not known: no daemon is running" in done.out and "campaigns: spring" in done.out
    assert "token create --role agent --agent lan" in done.err
    told = called("agent", "show", "lan", "--json", dsn=dsn).json
    assert (told["from"], told["status"], told["state"]) == ("database", "not_available", None)
    assert called("agent", "show", "lam", dsn=dsn).code == 1


def test_the_interfaces_description_is_printed_and_written(tmp_path: Path) -> None:
    printed = called("schema", "--openapi")
    assert printed.code == 0 and json.loads(printed.out)["openapi"] == "3.1.0"
    assert called("schema", "--openapi", "--json").json == json.loads(printed.out)
    done = called("schema", "--openapi", tmp_path / "openapi.json")
    assert done.code == 0 and json.loads((tmp_path / "openapi.json").read_text()) == json.loads(printed.out)


@pytest.mark.parametrize("words", [("console", "lan"), ("console", "lan", "--plain")])
def test_the_console_says_what_it_needs(dsn: str, words: tuple[str, ...]) -> None:
    bare = called("agent", *words, dsn=dsn)
    assert bare.code == 2 and "a token is needed" in bare.err and "token create --role agent --agent lan" in bare.err
    nowhere = called("agent", *words, dsn=dsn, FS_DIALER_TOKEN="fsd_x")
    assert nowhere.code == 2 and "http.listen" in nowhere.err
    dead = called("agent", *words, "--url", "http://127.0.0.1:1", dsn=dsn, FS_DIALER_TOKEN="fsd_x")
    assert dead.code == 4 and "http://127.0.0.1:1 does not answer" in dead.err
    odd = called("agent", *words, "--url", "ftp://x", dsn=dsn, FS_DIALER_TOKEN="fsd_x")
    assert odd.code == 2

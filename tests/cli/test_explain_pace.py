"""explain pace: what holds the pace of a campaign, now and at an earlier moment of the daemon's journal."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.mode_port import Clocks, View
from fs_dialer.core.model import AgentStatus, CampaignState, CampaignType
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.modes import OFFERED, predictive
from fs_dialer.runtime.ids import engine_sources
from fs_dialer.runtime.journal import Journal, moment
from tests.cli.runner import CAMPAIGN, Done, a_folder, called
from tests.cli.test_reference import covers, paths
from tests.core.builders import NAMES, NOON, SWITCH, UTC_SET, Desk, a_campaign, a_lead, an_agent, an_installation, some_leads

pytestmark = pytest.mark.spec("S39", "S49", "X1")

SEED = 5
DOCS = Path(__file__).resolve().parents[2] / "docs" / "explain.md"


class Kept(Desk):
    """A desk whose events go into a journal, too."""

    def __init__(self, path: Path) -> None:
        rng, new_id = engine_sources(SEED)
        super().__init__(Dialer(OFFERED, rng=rng, new_id=new_id))
        self.journal = Journal(path, SEED)

    def tell(self, *events: ev.Event) -> list[act.Action]:
        got: list[act.Action] = []
        for event in events:
            actions = self.dialer.handle(event, self.now)
            self.journal.record(event, self.now, actions)
            got += actions
        self.wanted += got
        return got


def a_morning(path: Path, type_: CampaignType = CampaignType.PREDICTIVE, calls: int = 60, agents: int = 4) -> Kept:
    """Calls end, some answered; one customer is missed. A second apart."""
    options = OFFERED[type_].Options()
    desk = Kept(path)
    desk.tell(ev.InstallationLoaded(an_installation()))
    for name in NAMES[:agents]:
        desk.tell(ev.AgentLoaded(an_agent(name), AgentStatus.AVAILABLE))
    campaign = a_campaign(type=type_, people=NAMES[:agents], options=options)
    desk.tell(ev.CampaignLoaded(campaign, CampaignState.RUNNING, True, (UTC_SET,)), ev.SwitchUp(SWITCH, ()), ev.ReconcileDone(SWITCH))
    desk.claimed(*some_leads(4 * calls))
    rng, over = Random(SEED), set()
    for _ in range(calls):
        waiting = [call.leg for call in desk.all(act.OriginateLead) if call.leg not in over]
        if waiting:
            over.add(waiting[0])
            if rng.random() < 0.3:
                desk.up(waiting[0])
            desk.over(waiting[0], "NO_ANSWER", 480)
        desk.wait(1.0)
    desk.journal.flush()
    return desk


class Office:
    def __init__(self, dsn: str, folder: Path, store: PostgresStore) -> None:
        self.dsn, self.folder, self.store = dsn, folder, store

    def define(self, type_: str) -> None:
        a_folder(self.folder)
        (self.folder / "campaigns" / "spring.yml").write_text(CAMPAIGN.replace("progressive", type_))
        done = called("apply", self.folder, dsn=self.dsn)
        assert done.code == 0, done.err

    def pace(self, *words: str, **environ: str) -> Done:
        return called("explain", "pace", "spring", *words, dsn=self.dsn, **environ)


@pytest.fixture
def office(tmp_path: Path, pg_dsn: str) -> Iterator[Office]:
    with closing(PostgresStore(pg_dsn)) as store:
        made = Office(pg_dsn, tmp_path / "definitions", store)
        made.define("predictive")
        store.take_epoch("test")
        yield made


def documented(title: str) -> list[str]:
    """The keys of the table below this heading."""
    section = DOCS.read_text(encoding="utf-8").split(f"### {title}\n")[1].split("\n### ")[0].split("\n## ")[0]
    return [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]


def test_a_predictive_campaign_tells_every_figure_of_its_last_decision(office: Office, tmp_path: Path) -> None:
    desk = a_morning(tmp_path / "day.jsonl")
    seen = desk.dialer.snapshot()
    office.store.publish(seen)
    done = office.pace()
    lines = done.out.splitlines()
    assert done.code == 0, done.err
    assert lines[0] == f"spring (predictive): {seen.campaigns[0].because}"
    assert [line[2:11].strip() for line in lines[1:]] == [
        "rule", "answers", "rings", "agents", "in time", "missed", "budget", "in flight", "leads", "decided", "lines",
    ]  # fmt: skip
    told = office.pace("--json").json
    pace = told["pace"]
    assert pace["answered"] > 5 and f"{pace['abandoned']} of {pace['answered']} answered today" in done.out
    assert pace["ring_answered_s"]["p10"] <= pace["ring_answered_s"]["p50"] <= pace["ring_answered_s"]["p90"]
    assert pace["by_lead"]["on"] is True and "all alike so far: " in done.out
    assert told["because"] == pace["because"] and told["daemon"] is True and told["journal"] is None


def test_every_figure_is_documented_and_nothing_else(office: Office, tmp_path: Path) -> None:
    office.store.publish(a_morning(tmp_path / "day.jsonl").dialer.snapshot())
    found = set(paths(office.pace("--json").json))
    keys = documented("explain pace")
    assert [path for path in found if not any(covers(key, path) for key in keys)] == []
    assert [key for key in keys if not any(covers(key, path) for path in found)] == []


@pytest.mark.parametrize("type_", ["progressive", "preview", "callback", "manual"])
def test_other_types_say_how_many_calls_a_free_agent_gets_and_why(office: Office, tmp_path: Path, type_: str) -> None:
    office.define(type_)
    office.store.publish(a_morning(tmp_path / "day.jsonl", CampaignType(type_), calls=2).dialer.snapshot())
    lines = office.pace().out.splitlines()
    assert lines[0].startswith(f"spring ({type_}): ") and lines[1].startswith("  rule")
    assert [line[2:11].strip() for line in lines[1:]] == ["rule", "agents", "lines"]
    assert office.pace("--json").json["pace"] is None


def test_without_a_daemon_the_rule_alone_is_told(office: Office) -> None:
    lines = office.pace().out.splitlines()
    assert lines[0] == "spring (predictive): no daemon is running: nothing is dialled   start it: fs-dialer run"
    assert office.pace("--json").json["daemon"] is False


@pytest.mark.spec("X6")
def test_an_earlier_decision_is_found_again_in_the_journal(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    desk = a_morning(path, calls=20)
    then = desk.dialer.snapshot()
    at = desk.now
    for _ in range(30):
        desk.wait(1.0)
    desk.journal.close()
    found = moment(path, at)
    assert found is not None and found.same and found.snapshot.campaigns[0] == then.campaigns[0]
    told = office.pace("--at", "2026-05-28 21:26:59", "--journal", str(path), "--json").json
    assert told["pace"]["decided_at"] <= told["asked_about"] and told["journal"] == str(path) and told["same"] is True
    assert "as of" in office.pace("--at", "2026-05-28 21:26:59", "--journal", str(path)).out


@pytest.mark.spec("X6")
def test_the_journal_that_was_begun_last_before_the_moment_is_read(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    path = folder / "20260528T202600Z-1.jsonl"
    a_morning(path, calls=3).journal.close()
    Journal(folder / "20260529T080000Z-2.jsonl", SEED).close()
    told = office.pace("--at", "2026-05-28 21:27:00", "--json", FS_DIALER_JOURNAL_DIR=str(folder)).json
    assert told["journal"] == str(path)
    none = office.pace("--at", "2026-05-27 21:27:00", FS_DIALER_JOURNAL_DIR=str(folder))
    assert none.code == 1 and "goes back to that moment" in none.err
    early = office.pace("--at", "2026-05-28 21:00:00", "--journal", str(path))
    assert early.code == 1 and "begins after" in early.err


def test_misuse_is_told(office: Office, tmp_path: Path) -> None:
    assert office.pace("--at", "+2h").code == 2 and office.pace("--at", "2999-01-01 8:00").code == 2 and office.pace("--at", "soon").code == 2
    assert office.pace("--journal", str(tmp_path / "x")).code == 2
    missing = called("explain", "pace", "sprnig", dsn=office.dsn)
    assert missing.code == 1 and "spring" in missing.err


def test_a_snapshot_asks_the_mode_at_most_once_a_second_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_morning(tmp_path / "day.jsonl", calls=5)
    asked: list[float] = []
    real = predictive.explain

    def explain(memory: Any, now: float) -> Any:
        asked.append(now)
        return real(memory, now)

    monkeypatch.setattr(predictive, "explain", explain)
    memory = desk.dialer._w.runs[a_campaign().id].memory
    before: Any = predictive.save(memory)
    desk.dialer.snapshot()
    desk.now += 2.0
    desk.dialer._w.now = desk.now
    for _ in range(5):
        desk.dialer.snapshot()
    assert len(asked) == 2 and predictive.save(memory) == before
    assert os.stat(desk.journal.path).st_size > 0 and desk.now > NOON


def test_explain_lead_tells_a_leads_own_chance_and_what_made_it(office: Office, pg_dsn: str) -> None:
    campaign = a_campaign(type=CampaignType.PREDICTIVE)
    with closing(Backoffice(pg_dsn)) as backoffice:
        rows = [LeadRow(number, ("Europe/London",), "", ready_at=time.time() - 60) for number in ("+447400123456", "+442079460101")]
        backoffice.import_leads(campaign.id, rows, "test")
    memory = predictive.restore(campaign, None, NOON)
    rng = Random(SEED)
    for n in range(3000):
        kind = rng.choice(("mobile", "fixed"))
        predictive.learn(memory, a_lead(n, kind=kind), rng.random() < (0.5 if kind == "mobile" else 0.15), NOON + n)
    predictive.decide(View(0, 0, 0, 1, 1, lambda: Clocks((), (), ())), NOON, campaign, memory)
    office.store.save_memory(campaign.id, predictive.save(memory))
    mobile = called("explain", "lead", "+447400123456", dsn=pg_dsn).out
    fixed = called("explain", "lead", "+442079460101", "--json", dsn=pg_dsn).json["leads"][0]["chance"]
    assert re.search(r"chance       \d\d% to be answered; the campaign's \d\d%, odds by mobile number ×\d\.\d\d", mobile), mobile
    assert fixed["probability"] < fixed["rate"] and [part["feature"] for part in fixed["made_of"]] == ["kind"]
    office.store.save_memory(campaign.id, {})
    assert "chance" not in called("explain", "lead", "+447400123456", dsn=pg_dsn).out

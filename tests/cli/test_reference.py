"""docs/cli.md and docs/reference/json.md say what the program does."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fs_dialer.cli import campaigns
from fs_dialer.cli.reference import page
from fs_dialer.core.model import (
    AgentId,
    Attempt,
    AttemptId,
    AttemptResult,
    CampaignState,
    GatewayId,
    LeadStatus,
    LeadUpdate,
    LegId,
    Outcome,
)
from fs_dialer.db.postgres import PostgresStore
from tests.cli.runner import ROOT, a_csv, a_folder, called
from tests.cli.side_outputs import beside_the_dialling
from tests.cli.test_status import SEEN, SPRING
from tests.db.rows import Database

JSON_PAGE = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8")
# Described by whoever makes them run: they need a switch, or a journal.
OTHERS = {"fs-dialer demo", "fs-dialer run", "fs-dialer replay", "Failures"}
# tests/cli/test_people_json.py shows these.
PEOPLE = ("contact", "group", "dnc", "attempt", "lead add", "lead mark", "lead timeline", "lead forget")
# tests/cli/test_agent_with_a_daemon.py shows these.
AGENTS = ("agent take", "agent show", "agent card", "agent dispose", "agent answers", "agent callback")
OTHERS |= {title for title in re.findall(r"^## (.+)$", JSON_PAGE, re.MULTILINE) if title.startswith(tuple(f"fs-dialer {words}" for words in PEOPLE + AGENTS))}
# tests/cli/test_queues.py and test_report_ivr.py show these.
OTHERS |= {"fs-dialer queue list", "fs-dialer queue show", "fs-dialer queue report", "fs-dialer report ivr", "fs-dialer report ivr --detail"}
# tests/cli/test_ivr.py shows these.
OTHERS |= set(re.findall(r"^## (fs-dialer ivr .+)$", JSON_PAGE, re.MULTILINE))
# tests/cli/test_switch_json.py shows these.
OTHERS |= {f"fs-dialer switch {verb}" for verb in ("install", "diff", "reload", "uninstall")}
# tests/cli/test_switch_json.py shows these.
OTHERS |= set(re.findall(r"^## (fs-dialer switch .+)$", JSON_PAGE, re.MULTILINE))
# tests/cli/test_simulate_json.py shows these.
OTHERS |= set(re.findall(r"^## (fs-dialer simulate --.+)$", JSON_PAGE, re.MULTILINE))


def test_the_reference_of_commands_is_current() -> None:
    """Make it anew: python -m fs_dialer.cli.reference > docs/cli.md"""
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page()


def documented(title: str) -> set[str]:
    section = JSON_PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def paths(value: Any, here: str = "") -> Iterator[str]:
    """Every place of an output, as the page writes it: a.b, a[].c."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths(each, f"{here}.{key}" if here else key)
    elif isinstance(value, list):
        for each in value:
            yield from paths(each, f"{here}[]")
        if not value:
            yield f"{here}[]"
    else:
        yield here


def covers(pattern: str, path: str) -> bool:
    """`*` stands for one name and whatever is inside it; a null or an empty list or object stands for all that could be in it."""
    expression = re.escape(pattern).replace(r"\*", r".+")
    return bool(re.fullmatch(expression, path)) or pattern.startswith((f"{path}.", f"{path}["))


@pytest.fixture
def outputs(tmp_path: Path, pg_dsn: str, pg_empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """What every command prints, by its title in the page; with nothing there, and with all there can be."""
    monkeypatch.setattr(campaigns, "REPLY_TIMEOUT_S", 0.05)
    found: dict[str, list[Any]] = {}

    def take(title: str, *words: str | Path, dsn: str = pg_dsn) -> Any:
        found.setdefault(f"fs-dialer {title}", []).append(called(*words, "--json", dsn=dsn).json)

    take("init", "init", tmp_path / "new")
    take("db status", "db", "status", dsn=pg_empty_dsn)
    take("db migrate", "db", "migrate", dsn=pg_empty_dsn)
    for title in ("agent list", "campaign list", "lead list", "status"):
        take(title, *title.split())
    folder = a_folder(tmp_path / "definitions", extra="leads: {csv: list.csv}\n")
    (folder / "campaigns" / "list.csv").write_text("phone\n")
    take("check", "check", folder)
    take("plan", "plan", folder)
    take("apply", "apply", folder)
    (folder / "schedules.yml").write_text("schedules:\n  office: {hours: {mon: 8:00-9:00}}\n")
    (folder / "campaigns" / "spring.yml").write_text(a_text(folder) + "hours: office\n")
    take("apply", "apply", folder)
    (folder / "schedules.yml").write_text("schedules:\n  office: {hours: {tue: 8:00-9:00}}\n")
    (folder / "campaigns" / "summer.yml").write_text(a_text(folder))
    (folder / "campaigns" / "spring.yml").rename(tmp_path / "spring.yml")
    for title in ("plan", "diff"):
        take(title, title, folder)
    (tmp_path / "spring.yml").rename(folder / "campaigns" / "spring.yml")
    take("history", "history", "spring")
    take("export", "export", tmp_path / "out")
    take("campaign clone", "campaign", "clone", "spring", "autumn", "--file", tmp_path / "autumn.yml")
    (folder / "campaigns" / "autumn.yml").write_text(a_text(folder) + "state: ended\n")
    take("apply", "apply", folder / "campaigns" / "autumn.yml", "--yes")
    (folder / "campaigns" / "spring.yml").write_text("type: progressive\nwrapup: 3s\n")
    take("check", "check", folder)
    take("lead import", "lead", "import", a_csv(tmp_path, "phone,name,plan", "+442079460101,Ada,gold", "+442079460102,Ben,", "12,Bad,"), "--campaign", "spring")
    list_of_leads = tmp_path / "leads.csv"
    take("lead import", "lead", "import", list_of_leads, "--campaign", "spring")
    take("lead imports", "lead", "imports")
    take("lead imports", "lead", "imports", "--limit", "1")
    undone = found["fs-dialer lead imports"][0]["imports"][0]["name"]
    take("lead import", "lead", "import", "--undo", undone, "--dry-run")
    take("lead template", "lead", "template", tmp_path / "template.csv")
    take("simulate", "simulate", ROOT / "conf" / "campaigns" / "progressive.yml", "--agents", "2", "--hours", "0.1")
    _called_once(pg_dsn)
    take("lead list", "lead", "list", "--limit", "1")
    take("lead show", "lead", "show", "+442079460101")
    take("campaign list", "campaign", "list")
    take("campaign show", "campaign", "show", "spring")
    take("agent list", "agent", "list")
    take("status", "status")
    Database(pg_dsn).rows("UPDATE attempts SET disposition = 'sold'")
    take("report campaign", "report", "campaign", "spring")
    for words in ("agent --by disposition", "caller-id --by day,cause", "gateway --by sip-status", "gateway --by outcome", "hour --by revision"):
        take("report campaign", "report", *words.split())
    take("report attempts", "report", "attempts")
    take("report attempts", "report", "attempts", "--columns", "answers.renew,ivr.pin,attributes.plan,name,status,ticket", "--limit", "1")
    take("status", "top")
    take("approve", "approve", "spring")
    take("agent available", "agent", "available", "lan")
    beside_the_dialling(take, pg_dsn)
    return found


def a_text(folder: Path) -> str:
    return (folder / "campaigns" / "spring.yml").read_text(encoding="utf-8")


def _called_once(dsn: str) -> None:
    """One lead had a call, and a daemon is seen to run."""
    now = time.time()
    with closing(PostgresStore(dsn)) as store:
        store.take_epoch("test")
        store.set_campaign_state(SPRING, 1, CampaignState.RUNNING, True, "", "test")
        (lead, *_) = store.claim_leads(SPRING, 5, [("Europe/London",)], time.time() + 60).leads
        ids = AttemptId("00000000-0000-4000-8000-000000000001"), LegId("00000000-0000-4000-8000-000000000002")
        store.open_attempts([Attempt(ids[0], SPRING, 1, lead.id, ids[1], lead.number, GatewayId("trunk1"), "+442079460100", AgentId("lan"), now)])
        result = AttemptResult(ids[0], Outcome.CONNECTED, "NORMAL_CLEARING", 200, AgentId("lan"), now, now, now, now + 60, False, True)
        store.close_attempts([(result, LeadUpdate(lead.id, LeadStatus.SUCCEEDED, 1, 0, now))])
        store.publish(SEEN)


def test_every_output_is_documented_and_everything_documented_is_there(outputs: dict[str, list[Any]]) -> None:
    titles = set(re.findall(r"^## (.+)$", JSON_PAGE, re.MULTILINE)) - OTHERS
    assert set(outputs) == titles
    wrong = []
    for title, printed in outputs.items():
        patterns = documented(title)
        seen = {path for value in printed for path in paths(value)}
        wrong += [f"{title}: {path} is printed and not documented" for path in sorted(seen) if not any(covers(pattern, path) for pattern in patterns)]
        wrong += [
            f"{title}: {pattern} is documented and not printed"
            for pattern in sorted(patterns)
            if not any(covers(pattern, path) or path.startswith((f"{pattern}.", f"{pattern}[")) for path in seen)
        ]
    assert wrong == [], "\n" + "\n".join(wrong)


def test_failures_are_documented(tmp_path: Path) -> None:
    done = called("simulate", tmp_path / "nosuch.yml", "--json")
    assert done.code == 3
    shown = {path.split("[]")[0] + ("[]" if "[]" in path else "") for path in paths(done.json)}
    assert shown == documented("Failures")

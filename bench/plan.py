"""How long `fs-dialer plan` takes: 200 campaigns over 40 shared schedules, 50 of them changed, with leads whose waiting the plan has to count.

The whole work of the command in one process: files read, everything resolved, the database asked, the words made. The database is the embedded one.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psycopg2

from fs_dialer.cli.plan_words import as_json, lines_of
from fs_dialer.cli.planning import Plan, planned, to_content, wish_of
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.db.migrate import migrate

TITLE = "seconds to plan 200 campaigns with 40 shared schedules, 50 of them changed"

CAMPAIGNS, SCHEDULES, CHANGED = 200, 40, 50
AGENTS, SCRIPTS, LEADS = 300, 20, 100_000
TURNS = 5


def run() -> dict[str, float | None]:
    """Figures. Takes about half a minute."""
    with EmbeddedPostgres() as server, tempfile.TemporaryDirectory() as folder:
        migrate(server.dsn)
        with closing(Backoffice(server.dsn)) as office:
            files = Path(folder)
            _write(files, changed=0)
            began = time.perf_counter()
            first = _planned(office, files)
            first_s = time.perf_counter() - began
            office.store(first.edits, "bench", base=first.world.fingerprint)
            _fill(server.dsn)
            unchanged_s = statistics.median(_timed(office, files, 0) for _ in range(TURNS))
            _write(files, changed=CHANGED)
            seconds = statistics.median(_timed(office, files, CHANGED) for _ in range(TURNS))
    return {"seconds": round(seconds, 2), "unchanged_s": round(unchanged_s, 2), "first_s": round(first_s, 2)}


def table(figures: dict[str, float | None]) -> str:
    """For people."""
    return "\n".join(
        [
            f"plan, {CHANGED} of {CAMPAIGNS} campaigns changed: {figures['seconds']} s (aim: at most 2)",
            f"plan, nothing changed:              {figures['unchanged_s']} s",
            f"plan, everything new:               {figures['first_s']} s",
        ]
    )


def _timed(office: Backoffice, files: Path, changed: int) -> float:
    began = time.perf_counter()
    found = _planned(office, files)
    if len(found.changes) != changed:
        raise RuntimeError(f"{len(found.changes)} changes were found, not {changed}")
    return time.perf_counter() - began


def _planned(office: Backoffice, files: Path) -> Plan:
    """As the command does it; the plan is kept only where there is something to keep."""
    found = planned(office, wish_of([files]))
    lines_of(found)
    if found.changes:
        office.save_plan("bench", found.world.fingerprint, to_content(found.wish, ""), as_json(found))
    return found


def _write(files: Path, *, changed: int) -> None:
    """Definitions such as a large house has; the first `changed` campaigns with another break, maximum, ceiling and hours."""
    (files / "campaigns").mkdir(exist_ok=True)
    agents = "".join(f"  agent-{n}: {{dial: user/{1000 + n}, name: Agent {n}}}\n" for n in range(AGENTS))
    (files / "agents.yml").write_text("agents:\n" + agents)
    (files / "installation.yml").write_text("lines: 2000\ncps: 100\ngateways:\n  north: {lines: 1000}\n  south: {lines: 1000}\n")
    (files / "defaults.yml").write_text("attempts: {gap: 4h, max: 3}\nwrap_up: 20s\nring: 25s\n")
    schedules = "".join(
        f"  office-{n}: {{hours: {{mon-fri: 8:00-20:00, sat: 9:{n:02}-12:00}}, holidays: {{Christmas: 12-25..12-26}}}}\n" for n in range(SCHEDULES)
    )
    (files / "schedules.yml").write_text("schedules:\n" + schedules)
    items = "".join(f"    - {{ask: Question {n}?, as: answer-{n}, answer: choice, options: [yes, no, later]}}\n" for n in range(10))
    (files / "scripts.yml").write_text("scripts:\n" + "".join(f"  script-{n}:\n   items:\n{items}" for n in range(SCRIPTS)))
    for n in range(CAMPAIGNS):
        people = ", ".join(f"agent-{(n * 7 + each) % AGENTS}" for each in range(20))
        words = f"""type: predictive
title: Campaign {n}
window: {{zone: Europe/Madrid}}
hours: office-{(n + 1) % SCHEDULES if n < changed else n % SCHEDULES}
agents: {{people: [{people}]}}
caller_id: +34 910 000 {n:03}
script: script-{n % SCRIPTS}
lines: {20 + n % 10}
missed: {{max: {2 if n < changed else 3}%}}
attempts: {{gap: {2 if n < changed else 4}h, max: {2 if n < changed else 3}}}
rules:
  - {{name: evening, when: {{outcome: no_answer, attempts: 2+}}, then: {{at: 18:00}}}}
"""
        (files / "campaigns" / f"campaign-{n}.yml").write_text(words)


def _fill(dsn: str) -> None:
    """Running campaigns with leads in the break after a call, in a few zones."""
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE campaigns SET state = 'running', started = true, approved_revision = newest_revision")
        cursor.execute(
            "INSERT INTO contacts (number, zones, zone_set)"
            " SELECT '+3460' || to_char(n, 'FM0000000'), ARRAY[zone], zone FROM generate_series(1, %s) AS n,"
            " LATERAL (SELECT (ARRAY['Europe/Madrid', 'Atlantic/Canary', 'Europe/Lisbon', 'America/Lima'])[1 + n %% 4] AS zone) AS zones",
            [LEADS],
        )
        cursor.execute(
            "INSERT INTO leads (campaign, contact, number, zone_set, status, attempts, ready_at, ready_why)"
            " SELECT 'campaign-' || id %% %s, id, number, zone_set, 'retry', 1 + id %% 3, now() + interval '4 hours' - random() * interval '6 hours', 'gap'"
            " FROM contacts",
            [CAMPAIGNS],
        )
        cursor.execute(
            "INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at,"
            " missed, leg_seen) SELECT gen_random_uuid(), campaign, 1, id, 'new', 1, gen_random_uuid(), number, 'north', '', ready_at - interval '4 hours',"
            " (ARRAY['no_answer', 'busy', 'connected', 'missed'])[1 + id %% 4], '', ready_at - interval '4 hours', id %% 4 = 3, true FROM leads",
            [],
        )
        cursor.execute("ANALYZE")

"""What `fs-dialer explain campaign` costs on a million leads: the whole command as a user runs it, process start included.

The leads stand in every state, in ZONE_SETS zone sets of real places, under a compliance profile with caps; some hundred thousand do-not-call entries, marks
and calls of the last week lie beside them, and of each kind some that no lead's own row tells of yet: what the store's last gate would find. The server is
the embedded one with fsync as in production.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from fs_dialer.core.definition import Attempts, Campaign, Window
from fs_dialer.core.explain import explain_campaign
from fs_dialer.core.model import CampaignId, CampaignState, CampaignType
from fs_dialer.core.resources import AttemptCap, CallerIds, Holiday, Hours, Profile
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.db.explain import ExplainStore
from fs_dialer.db.migrate import migrate
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.modes import progressive

TITLE = "seconds that `explain campaign` takes over 1,000,000 leads, process start included"

LEADS = 1_000_000
ZONE_SETS = 200
LISTED, MARKS, CALLS = 200_000, 20_000, 300_000
TIMES = 5  # the command; its median counts
SPRING = CampaignId("spring")
DAY = 86400.0
PLACES = (
    "Africa/Cairo Africa/Lagos Africa/Nairobi America/Bogota America/Chicago America/Denver America/Halifax America/Lima America/Los_Angeles "
    "America/New_York America/Sao_Paulo America/Toronto Asia/Dubai Asia/Ho_Chi_Minh Asia/Jakarta Asia/Kolkata Asia/Manila Asia/Seoul Asia/Tokyo "
    "Australia/Adelaide Australia/Perth Australia/Sydney Europe/Athens Europe/Berlin Europe/Lisbon Europe/London Europe/Madrid Europe/Moscow "
    "Europe/Paris Pacific/Auckland Pacific/Honolulu"
).split()
ROOT = Path(__file__).resolve().parents[1]


def run() -> dict[str, float | None]:
    """Figures. Takes about a minute, most of it filling the database."""
    with EmbeddedPostgres() as server:
        migrate(server.dsn)
        _define(server.dsn)
        began = time.perf_counter()
        _fill(server.dsn)
        filled_s = time.perf_counter() - began
        counted_s, judged_s, classes = _inside(server.dsn)
        bare_s = _bare(server.dsn)
        taken, answer = [], {}
        for _ in range(TIMES):
            began = time.perf_counter()
            answer = _command(server.dsn)
            taken.append(time.perf_counter() - began)
    total = answer["unfinished"] + sum(answer["finished"].values())
    if total != LEADS:
        raise RuntimeError(f"the answer is about {total:,} of {LEADS:,} leads")
    return {
        "seconds": round(statistics.median(taken), 2),
        "seconds_worst": round(max(taken), 2),
        "counting_s": round(counted_s, 2),
        "bare_s": round(bare_s, 2),
        "counting_over_bare": round(counted_s / bare_s, 1),
        "gates_s": round(judged_s, 3),
        "classes": classes,
        "leads": LEADS,
        "filled_s": round(filled_s, 1),
    }


def table(figures: dict[str, float | None]) -> str:
    """For people."""
    return "\n".join(
        [
            f"explain campaign, {figures['leads']:,} leads, median of {TIMES}: {figures['seconds']} s (aim: at most 2); worst {figures['seconds_worst']} s",
            f"of these in the database: {figures['counting_s']} s, {figures['counting_over_bare']} times a bare count by status and zone set",
            f"asking the gates of {figures['classes']:,} classes: {figures['gates_s']} s",
        ]
    )


def _define(dsn: str) -> None:
    office_hours = Hours((((480, 720), (780, 1200)),) * 5 + ((), ()), (Holiday("Christmas", "12-25", "12-26"), Holiday("New Year", "01-01", "01-01")))
    profile = Profile(name="bench", attempts=(AttemptCap(max=3, within_s=DAY), AttemptCap(max=7, within_s=7 * DAY)))
    definition = Campaign(
        id=SPRING,
        type=CampaignType.PROGRESSIVE,
        caller_id=CallerIds(numbers=("+34910000000",)),
        hours=office_hours,
        window=Window(zone="Europe/Madrid"),
        compliance=profile,
        attempts=Attempts(max=4),
        options=progressive.Options(),
    )
    with closing(PostgresStore(dsn)) as store, closing(Backoffice(dsn)) as office:
        office.apply_definitions([definition], [], None, "bench")
        store.take_epoch("bench")
        store.set_campaign_state(SPRING, 1, CampaignState.RUNNING, True, "", "bench")


def _fill(dsn: str) -> None:
    sets = list(PLACES) + [f"{a}|{b}" for a in PLACES for b in PLACES if a < b]
    words: dict[str, Any] = {"leads": LEADS, "sets": sets[:ZONE_SETS], "listed": LISTED, "marks": MARKS, "calls": CALLS}
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, words)
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM (ANALYZE)")


FILL = (
    "SELECT make_attempt_partitions(now() - interval '31 days', 2)",
    """INSERT INTO contacts (number, name) SELECT '+3491' || lpad(n::text, 7, '0'), 'Customer ' || n FROM generate_series(0, %(leads)s - 1) AS n""",
    # Of a hundred leads 55 are new, 20 wait for a retry, 5 for a promised callback, 1 is being called, the rest is over, blocked or left alone.
    """INSERT INTO leads (campaign, contact, number, zone_set, status, attempts, ready_at, ready_why, held_by, agent, status_before)
       SELECT 'spring', contacts.id, contacts.number, (%(sets)s::text[])[1 + n %% cardinality(%(sets)s::text[])], status,
              CASE WHEN status = 'new' THEN 0 ELSE 1 + n %% 3 END,
              now() + CASE WHEN status IN ('retry', 'callback_scheduled', 'refused') THEN (n %% 2000 - 700) * interval '1 minute' ELSE interval '-1 day' END,
              CASE status WHEN 'retry' THEN (ARRAY['gap', 'gap', 'gap', 'fault', 'rule'])[1 + n %% 5] WHEN 'callback_scheduled' THEN 'promised'
                          WHEN 'refused' THEN 'no_callback' ELSE '' END,
              CASE WHEN status = 'blocked' THEN 'do_not_call' WHEN status = 'retry' AND n %% 11 = 0 THEN 'caller_id' ELSE '' END,
              CASE WHEN status = 'callback_scheduled' AND n %% 2 = 0 THEN 'lan' END,
              CASE WHEN status = 'refused' THEN 'retry' END
       FROM (
           SELECT *, CASE WHEN k < 55 THEN 'new' WHEN k < 75 THEN 'retry' WHEN k < 80 THEN 'callback_scheduled' WHEN k < 90 THEN 'succeeded'
                          WHEN k < 94 THEN 'exhausted' WHEN k < 95 THEN 'error' WHEN k < 96 THEN 'invalid' WHEN k < 97 THEN 'stopped'
                          WHEN k < 99 THEN 'blocked' ELSE 'refused' END AS status
           FROM (SELECT n, n / 7 %% 100 AS k FROM generate_series(0, %(leads)s - 1) AS n) AS numbered
       ) AS judged
       JOIN contacts ON contacts.number = '+3491' || lpad(n::text, 7, '0')""",
    "INSERT INTO campaign_zone_sets (campaign, zone_set) SELECT DISTINCT campaign, zone_set FROM leads",
    # Most listed numbers are nobody's lead, as in a register; a few came on a list behind the leads' backs.
    """INSERT INTO do_not_call (number, list, added_by)
       SELECT CASE WHEN n %% 100 = 0 THEN '+3491' ELSE '+4477' END || lpad((n * 37 %% %(leads)s)::text, 7, '0'), 'register', 'bench'
       FROM generate_series(1, %(listed)s) AS n ON CONFLICT DO NOTHING""",
    "INSERT INTO do_not_call_prefixes (prefix, list, added_by) VALUES ('+3491000123', 'own', 'bench'), ('+44', 'own', 'bench'), ('+4989', 'own', 'bench')",
    # A refused lead follows from a mark on its number; some numbers were marked behind their leads' backs.
    """INSERT INTO no_callback (number, campaign, until, added_by)
       SELECT number, CASE WHEN id %% 2 = 0 THEN 'spring' ELSE '' END, ready_at, 'bench' FROM leads WHERE status = 'refused' AND ready_at > now()
       UNION ALL
       SELECT number, '', now() + interval '3 days', 'bench' FROM leads WHERE status = 'new' AND id %% 997 = 0
       UNION ALL
       SELECT '+4477' || lpad(n::text, 7, '0'), '', now() + interval '30 days', 'bench' FROM generate_series(1, %(marks)s) AS n""",
    # Calls of the last eight days: every number one or two, each tenth of them seven.
    """INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at, missed,
                             leg_seen)
       SELECT gen_random_uuid(), 'spring', 1, leads.id, 'new', 1, gen_random_uuid(), leads.number, 'north', '+34910000000', at, 'busy', 'USER_BUSY',
              at + interval '9 seconds', false, true
       FROM (
           SELECT n %% (CASE WHEN n %% 4 = 0 THEN %(calls)s / 28 ELSE %(calls)s / 2 END) AS k, now() - n %% 691 * interval '1000 seconds' AS at
           FROM generate_series(1, %(calls)s) AS n
       ) AS calls
       JOIN leads ON leads.number = '+3491' || lpad((k * 3)::text, 7, '0') AND leads.campaign = 'spring'""",
)


def _inside(dsn: str) -> tuple[float, float, int]:
    """Seconds in the database, seconds of asking the gates, and how many classes there are."""
    with closing(ExplainStore(dsn)) as store, store.moment() as seen:
        found = seen.campaign(SPRING)
        if found is None:
            raise RuntimeError("the campaign that was just made is not there")
        now = time.time()
        began = time.perf_counter()
        classes = seen.classes(found, now)
        counted = time.perf_counter()
        explain_campaign(classes, found.campaign, found.state, now)
        return counted - began, time.perf_counter() - counted, len(classes)


def _bare(dsn: str) -> float:
    """Seconds of the least that counting by class can be, in the same run: other work on the machine falls on both."""
    taken = []
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        for _ in range(TIMES):
            began = time.perf_counter()
            cursor.execute("SELECT status, zone_set, count(*), min(ready_at) FROM leads WHERE campaign = 'spring' GROUP BY status, zone_set")
            cursor.fetchall()
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _command(dsn: str) -> dict[str, Any]:
    """The answer of the command, run as the user's shell does."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FS_DIALER_")} | {"FS_DIALER_DSN": dsn, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "fs_dialer", "explain", "campaign", SPRING, "--json"]
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer

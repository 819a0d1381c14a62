"""A spring of calls by chance, in a database of our schema: several campaigns and zones, three months of partitions, clocks that change, calls at the very
edges of days and hours. For tests that count them in two ways."""

from __future__ import annotations

import json
import uuid
from contextlib import closing
from datetime import UTC, datetime
from random import Random
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

from fs_dialer.core.model import Outcome

# Clocks change in the time: New York on 10 March, London on 31 March, Lord Howe by half an hour on 7 April 2024.
ZONES = {
    "spring": "Europe/London",
    "vip": "America/New_York",
    "survey": "Asia/Ho_Chi_Minh",
    "island": "Australia/Lord_Howe",
    "hills": "Asia/Kathmandu",
}
BEGIN, END = (datetime(2024, month, 15, tzinfo=UTC).timestamp() for month in (2, 5))
AGENTS = ("lan", "hoa", "huy", None)
CALLER_IDS = ("+442079460100", "+442079460101")
GATEWAYS = ("north", "south")
DISPOSITIONS = (None, "sold", "later", "=cmd()")
# Where counting goes wrong if it goes wrong: the changes of clocks, midnights, ends of months and partitions.
EDGES = [
    datetime(2024, *rest, tzinfo=UTC).timestamp()
    for rest in ((3, 1, 0), (3, 10, 7), (3, 10, 4), (3, 11, 4), (3, 31, 0), (3, 31, 1), (3, 31, 23), (4, 1, 0), (4, 6, 15), (4, 6, 13), (4, 7, 13))
]
COLUMNS = (
    "id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, outcome, cause, sip_status, rang_at, "
    "answered_at, bridged_at, ended_at, missed, leg_seen, disposition, disposed_by, answers, decision"
)


def random_moment(rng: Random) -> float:
    """In the spring, to the millisecond; often on an edge, or a moment beside it."""
    if rng.random() < 0.3:
        return rng.choice(EDGES) + rng.choice((0.0, -0.001, 0.001, 900.0, -900.0, 3600.0, -3600.0, 86400.0))
    return round(rng.uniform(BEGIN, END), 3)


def fill(dsn: str, rng: Random, many: int = 2500) -> None:
    """Campaigns, contacts, leads, calls that are over, and a few that are up."""
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT make_attempt_partitions(to_timestamp(%s), 3)", (BEGIN,))
        cursor.execute("INSERT INTO epochs (holder, ended_at) VALUES ('before', now()) RETURNING id")
        ((epoch,),) = cursor.fetchall()
        for name, zone in ZONES.items():
            definition = {"id": name, "type": "progressive", "window": {"zone": zone}, "caller_id": {"numbers": [CALLER_IDS[0]]}, "agents": {"people": ["lan"]}}
            cursor.execute("INSERT INTO campaigns (name, newest_revision) VALUES (%s, 2)", (name,))
            for revision in (1, 2):
                words = (name, revision, json.dumps(definition))
                cursor.execute(
                    "INSERT INTO campaign_revisions (campaign, revision, type, definition, created_by) VALUES (%s, %s, 'progressive', %s, 't')", words
                )
        for agent in AGENTS[:3]:
            cursor.execute("INSERT INTO agents (id, definition) VALUES (%s, %s)", (agent, json.dumps({"id": agent, "dial_string": f"user/{agent}"})))
        leads = [_lead(cursor, name, number) for name in ZONES for number in range(8)]
        execute_values(cursor, f"INSERT INTO attempts ({COLUMNS}) VALUES %s", [_over(rng, rng.choice(leads), epoch) for _ in range(many)])
        for lead in leads[::4]:
            opened = _opened(rng, lead, epoch)
            cursor.execute(
                """
                INSERT INTO attempts_open (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, to_timestamp(%s), %s)
                """,
                [*opened[:11], opened[11].timestamp(), opened[12]],
            )


def _lead(cursor: Any, campaign: str, number: int) -> tuple[int, str, str]:
    text = f"+4420794601{number:02}"
    cursor.execute(
        """
        INSERT INTO contacts (number, name, attributes) VALUES (%s, %s, %s) ON CONFLICT (number) DO UPDATE SET name = excluded.name RETURNING id
        """,
        (text, f"Person {number}", json.dumps({"plan": "gold" if number % 2 else "", "cell": "=1+1"})),
    )
    ((contact,),) = cursor.fetchall()
    parameters = json.dumps({"tried_evening": "yes"} if number == 3 else {})
    words = (campaign, contact, text, parameters)
    cursor.execute("INSERT INTO leads (campaign, contact, number, parameters) VALUES (%s, %s, %s, %s) RETURNING id", words)
    ((lead,),) = cursor.fetchall()
    return lead, campaign, text


def _opened(rng: Random, lead: tuple[int, str, str], epoch: int) -> list[Any]:
    id, campaign, number = lead
    opened_at = datetime.fromtimestamp(random_moment(rng), UTC)
    ids = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(2)]
    way = (rng.choice(GATEWAYS), rng.choice(CALLER_IDS), rng.choice(AGENTS))
    return [ids[0], campaign, rng.choice((1, 2)), id, "new", epoch, ids[1], number, *way, opened_at, json.dumps([["hours", "ok"], ["do_not_call", "ok"]])]


def _over(rng: Random, lead: tuple[int, str, str], epoch: int) -> list[Any]:
    """A call as the engine would have closed it: what it says of itself is not in contradiction."""
    row = _opened(rng, lead, epoch)
    at = row[11].timestamp()
    outcome = rng.choice(list(Outcome))
    rang = round(at + rng.uniform(0, 5), 3) if rng.random() < 0.7 else None
    person = outcome in (Outcome.CONNECTED, Outcome.MISSED, Outcome.EARLY_HANGUP)
    answered = round(at + rng.uniform(5, 20), 3) if person or outcome is Outcome.MACHINE else None
    bridged = None if answered is None or outcome is not Outcome.CONNECTED or rng.random() < 0.2 else round(answered + rng.uniform(0, 30), 3)
    ended = round(max(at, rang or 0, answered or 0, bridged or 0) + rng.choice((0.0, 0.1, rng.uniform(0, 300))), 3)
    missed = outcome is Outcome.MISSED or (bridged is not None and rng.random() < 0.2) or (outcome is Outcome.EARLY_HANGUP and rng.random() < 0.3)
    times = [None if each is None else datetime.fromtimestamp(each, UTC) for each in (rang, answered, bridged, ended)]
    disposition = rng.choice(DISPOSITIONS) if answered is not None else None
    answers = {"renew": rng.choice(("yes", "no", "@later")), "extras": ["tv", "phone"]} if disposition else {}
    told = ("NORMAL_CLEARING", 200) if answered is not None else rng.choice((("USER_BUSY", 486), ("NO_ANSWER", None)))
    leg_seen = outcome is not Outcome.OURS or rng.random() < 0.5
    return [*row, outcome.value, *told, *times, missed, leg_seen, disposition, "lan" if disposition else None, json.dumps(answers), "tried again in 4 h"]

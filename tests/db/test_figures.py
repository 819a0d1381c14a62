"""Attempts counted by the database are those counted one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import psycopg2
import pytest

from fs_dialer.core.figures import Group, MissedCount
from fs_dialer.core.model import Outcome
from fs_dialer.core.spans import Span, missed_windows
from fs_dialer.db import figures
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.db.figures import Asked, AttemptRow
from tests.conftest import _database as database_of
from tests.db.random_attempts import AGENTS, BEGIN, CALLER_IDS, END, GATEWAYS, ZONES, fill, random_moment
from tests.db.rows import Database

SEEDS = (1, 2, 3)
PERSONS = ("connected", "missed", "early_hangup")


@pytest.fixture(scope="module")
def filled(pg_server: EmbeddedPostgres, pg_template: str) -> Iterator[str]:
    """A database that the tests of this file only read."""
    for dsn in database_of(pg_server, pg_template):
        fill(dsn, Random(1))
        yield dsn


@pytest.fixture
def office(filled: str) -> Iterator[Backoffice]:
    with closing(Backoffice(filled)) as found:
        yield found


@pytest.fixture
def own_office(pg_dsn: str) -> Iterator[Backoffice]:
    """Over a database of the test's own."""
    fill(pg_dsn, Random(2), many=300)
    with closing(Backoffice(pg_dsn)) as found:
        yield found


@pytest.fixture(params=SEEDS)
def rng(request: pytest.FixtureRequest) -> Random:
    print(f"seed {request.param}")
    return Random(request.param)


def a_span(rng: Random) -> Span:
    since, until = sorted(random_moment(rng) for _ in range(2))
    return Span(since, until + 1.0)


def group_of(row: AttemptRow) -> Group:
    outcome = None if row.outcome is None else Outcome(row.outcome)
    return Group(outcome, bool(row.missed), row.bridged_at is not None, row.leg_seen is not False, row.disposition or "")


def everything(office: Backoffice) -> list[AttemptRow]:
    return list(office.attempts(Asked({name: Span(0.0, 4e9) for name in ZONES})))


@pytest.mark.spec("D1", "M17")
def test_groups_are_the_attempts_one_by_one(office: Backoffice, rng: Random) -> None:
    rows = everything(office)
    assert len(rows) == 2510 and sum(row.outcome is None for row in rows) == 10
    for _ in range(10):
        spans = {name: a_span(rng) for name in rng.sample(list(ZONES), 3)}
        only = {"agent": rng.choice(AGENTS), "caller_id": rng.choice((None, *CALLER_IDS)), "gateway": rng.choice((None, *GATEWAYS))}
        by = rng.sample(figures.COLUMNS, rng.randrange(3))
        found, _ = office.figures(Asked(spans, **only), ZONES, by)
        wanted: Counter[object] = Counter()
        for row in rows:
            if row.campaign in spans and row.opened_at in spans[row.campaign] and all(name in (None, getattr(row, what)) for what, name in only.items()):
                keys = tuple(None if (key := getattr(row, each)) is None else str(key) for each in by)
                wanted[row.campaign, keys, group_of(row)] += 1
        counted = Counter({(each.campaign, each.keys, each.group._replace(many=1, waited_us=0, talked_us=0)): each.group.many for each in found})
        assert counted == wanted


@pytest.mark.spec("D9")
@pytest.mark.parametrize("unit", figures.TIMES)
def test_an_hour_and_a_day_hold_what_their_clock_shows(office: Backoffice, unit: str) -> None:
    """Asked of the clock of every single call: which hour, or day, and how far from UTC; hours without calls have no group."""
    span = Span(BEGIN, END)
    found, _ = office.figures(Asked(dict.fromkeys(ZONES, span)), ZONES, [unit])

    def shown(at: float, campaign: str) -> object:
        local = datetime.fromtimestamp(at, ZoneInfo(ZONES[campaign]))
        return (local.date(), local.hour, local.utcoffset()) if unit == "hour" else local.date()

    counted: Counter[object] = Counter()
    for each in found:
        assert each.starts_at is not None
        counted[each.campaign, shown(each.starts_at, each.campaign)] += each.group.many
    assert counted == Counter((row.campaign, shown(row.opened_at, row.campaign)) for row in everything(office) if row.opened_at in span)


def test_times_are_summed_to_the_microsecond(office: Backoffice) -> None:
    found, _ = office.figures(Asked(dict.fromkeys(ZONES, Span(0.0, 4e9))), ZONES)
    waited = talked = 0
    for row in everything(office):
        if row.answered_at is not None and row.bridged_at is not None and row.ended_at is not None:
            waited += round((row.bridged_at - row.answered_at) * 1e6)
            talked += round((row.ended_at - row.bridged_at) * 1e6)
    assert (sum(each.group.waited_us for each in found), sum(each.group.talked_us for each in found)) == (waited, talked)


@pytest.mark.spec("D1")
def test_the_three_windows_are_those_counted_by_hand_at_any_moment(office: Backoffice, rng: Random) -> None:
    rows = everything(office)
    for _ in range(15):
        now = random_moment(rng)
        _, missed = office.figures(Asked({}), ZONES, windows_at=dict.fromkeys(ZONES, now))
        assert set(missed) == set(ZONES)
        for campaign, found in missed.items():
            windows = missed_windows(now, ZONES[campaign])
            for span, count in ((windows.today, found.today), (windows.last_24_h, found.last_24_h), (windows.last_30_days, found.last_30_days)):
                persons = [row for row in rows if row.campaign == campaign and row.outcome in PERSONS and row.opened_at in span]
                early = sum(row.outcome == "early_hangup" for row in persons)
                assert count == MissedCount(len(persons), sum(bool(row.missed) for row in persons), early), f"now {now!r}"


def test_attempts_come_in_the_order_they_were_opened_campaign_by_campaign(office: Backoffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "PAGE", 100)
    rows = everything(office)
    assert [row.campaign for row in rows] == sorted((row.campaign for row in rows), key=list(ZONES).index)
    for campaign in ZONES:
        opened = [(row.opened_at, row.id) for row in rows if row.campaign == campaign]
        assert opened == sorted(opened)


@pytest.mark.spec("S15", "M18")
def test_whom_an_attempt_called_and_its_ticket_are_told_on_request(own_office: Backoffice, pg_dsn: str) -> None:
    asked = Asked({"spring": Span(0.0, 4e9)})
    first = next(iter(own_office.attempts(asked)))
    assert (first.name, dict(first.attributes), first.ticket) == ("", {}, None)
    ticket = Database(pg_dsn).one("INSERT INTO tickets (channel, campaign, attempt, number) VALUES ('call', 'spring', %s, '+1') RETURNING id", first.id)
    rows = list(own_office.attempts(asked, people=True, tickets=True))
    assert rows[0].ticket == ticket and all(row.ticket is None for row in rows[1:])
    of_three = next(row for row in rows if row.number == "+442079460103")
    assert (of_three.name, of_three.status) == ("Person 3", "new")
    assert of_three.attributes == {"plan": "gold", "cell": "=1+1", "tried_evening": "yes"}


def test_a_forgotten_persons_attempts_are_counted_and_name_nobody(own_office: Backoffice, pg_dsn: str) -> None:
    Database(pg_dsn).rows("UPDATE attempts SET lead = NULL, number = '' WHERE campaign = 'vip'")
    rows = list(own_office.attempts(Asked({"vip": Span(0.0, 4e9)}), people=True))
    closed = [row for row in rows if row.outcome is not None]
    assert len(closed) > 30 and {(row.lead, row.number, row.name) for row in closed} == {(None, "", "")}


def test_a_reader_who_stops_early_leaves_no_transaction_open(office: Backoffice, filled: str) -> None:
    rows = office.attempts(Asked(dict.fromkeys(ZONES, Span(0.0, 4e9))))
    next(rows)
    rows.close()
    open_ones = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state ~ '^idle in transaction'"
    assert Database(filled).one(open_ones) == 0


def test_a_report_sees_one_state_of_the_database(own_office: Backoffice, pg_dsn: str) -> None:
    """Calls go on while a long list is read: what was over when it began is in it as it was."""
    asked = Asked({"spring": Span(0.0, 4e9), "vip": Span(0.0, 4e9)})
    rows = own_office.attempts(asked)
    first = next(rows)
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE attempts SET disposition = 'changed' WHERE campaign = 'vip'")
    assert not any(row.disposition == "changed" for row in [first, *rows])


@pytest.mark.parametrize("by", [("agent", "gateway", "cause"), ("hour", "day"), ("colour",)])
def test_what_cannot_be_counted_by_is_refused(office: Backoffice, by: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="cannot group by"):
        office.figures(Asked({}), ZONES, by)


def test_what_needs_somebody_is_told_by_the_database(pg_dsn: str) -> None:
    database = Database(pg_dsn)
    with closing(Backoffice(pg_dsn)) as office:
        nothing = office.troubles()
        assert (nothing.daemon_since, dict(nothing.left_open), dict(nothing.unsent), nothing.unanswered, tuple(nothing.refused)) == (None, {}, {}, 0, ())
        fill(pg_dsn, Random(3), many=10)
        database.rows("INSERT INTO epochs (holder) VALUES ('host')")
        database.rows("INSERT INTO outbox (webhook, body, given_up) VALUES ('crm', '{}', true), ('crm', '{}', false)")
        stuck = "INSERT INTO commands (id, verb, target, who, created_at) VALUES (gen_random_uuid(), 'pause', 'spring', 'an', now() - interval '1 hour')"
        database.rows(stuck)
        counts = '{"refused": 7, "new": 3}'
        database.rows("INSERT INTO imports (name, file, hash, campaign, who, counts) VALUES ('i-00aa', 'list.csv', 'x', 'vip', 'an', %s)", counts)
        found = office.troubles()
    assert found.daemon_since is not None and abs(found.now - found.daemon_since) < 60
    assert dict(found.left_open) == dict.fromkeys(ZONES, 2)
    assert (dict(found.unsent), found.unanswered) == ({"crm": 1}, 1)
    assert tuple(found.refused) == (("i-00aa", "list.csv", "vip", 7),)

"""What explain says is what the dialer does: of random leads in a real database, one by one, counted by class, and claimed and opened by the daemon's store."""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import psycopg2
import pytest
from psycopg2.extras import execute_values

from fs_dialer.core import leads as gate
from fs_dialer.core.definition import Attempts, Campaign, Window
from fs_dialer.core.explain import ENGINES, FINISHED, Clock, LeadAnswer, explain_campaign, explain_class, explain_lead
from fs_dialer.core.leads import Facts, first_refusal
from fs_dialer.core.model import AgentId, CampaignId, CampaignState, CampaignType, Lead, LeadId, LeadStatus
from fs_dialer.core.resources import AttemptCap, CallerIds, Holiday, Hours, Profile
from fs_dialer.core.schedule import dial_verdict
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.explain import CampaignFound, ExplainStore, Seen
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.modes import progressive
from tests.contract.store_backends import an_attempt

pytestmark = pytest.mark.spec("X1", "D4", "D10", "D14", "D16")

SPRING, OTHER = CampaignId("spring"), CampaignId("other")
LEADS = 10_000
DAY = 86400.0
CAPS = ((2, DAY), (4, 7 * DAY))
MOST = 3
ZONE_SETS = [
    (), ("Pacific/Kiritimati",), ("Pacific/Pago_Pago",), ("Europe/Madrid",), ("America/New_York",), ("Asia/Ho_Chi_Minh",), ("Asia/Kathmandu",),
    ("Australia/Lord_Howe",), ("America/Chicago", "America/New_York"), ("Europe/Lisbon", "Europe/Madrid"), ("Asia/Tokyo", "Europe/Madrid"),
    ("America/Los_Angeles", "Asia/Tokyo"), ("Atlantic/Canary", "Europe/Madrid"),
]  # fmt: skip
TURNS = ((2026, 3, 29, 1), (2026, 10, 25, 1), (2026, 3, 8, 7), (2026, 11, 1, 6))  # the hours in which Madrid's and New York's clocks change, UTC
CLAIMABLE = (LeadStatus.NEW, LeadStatus.RETRY, LeadStatus.CALLBACK_SCHEDULED)
AT_CLAIM = {gate.STATUS, gate.HOURS, gate.ZONES, gate.HOLIDAYS, gate.GAP, gate.RULE_TIME}
AT_OPENING = (gate.ATTEMPTS, gate.NUMBER_IN_CALL, gate.DO_NOT_CALL, gate.NO_CALLBACK, gate.NUMBER_CAP)  # as the dialer meets them: the core's, the store's


@dataclass
class Row:
    """One lead, and all that lies about its number beside it."""

    lead: Lead
    before: LeadStatus | None
    lists: list[str] = field(default_factory=list)
    marks: dict[str, float] = field(default_factory=dict)  # campaign or "" → until
    calls: list[tuple[float, bool]] = field(default_factory=list)  # opened_at, whether it reached the network
    in_call: float | None = None  # since when the other campaign has a call to the number up

    def facts(self, at: float) -> Facts:
        """Worked out here, and not in SQL."""
        opened = sorted((opened_at for opened_at, seen in self.calls if seen), reverse=True)
        if self.in_call is not None:
            opened = sorted([*opened, self.in_call], reverse=True)
        caps = []
        for most, within_s in CAPS:
            inside = [opened_at for opened_at in opened if opened_at > at - within_s]
            caps.append((len(inside), most, within_s, inside[most - 1] + within_s if len(inside) >= most else None))
        marks = [until for campaign, until in self.marks.items() if campaign in ("", SPRING) and until > at]
        return Facts(tuple(sorted(self.lists)), 0, max(marks, default=0.0), tuple(caps), self.in_call is not None)


# --- the world ------------------------------------------------------------------------------------------------------------------------


def a_campaign(rng: Random, now: float, when: str) -> Campaign:
    lunch = tuple(((480, 720), (780, 1200)) for _ in range(5))
    today = datetime.fromtimestamp(now, UTC)
    christmas = (Holiday("Christmas", "12-24", "12-26"),)
    holidays = (Holiday("a day off", f"{today:%m-%d}", f"{today:%m-%d}"),) if when != "work" and rng.random() < 0.2 else christmas
    week: Any = (*lunch, ((540, 1320),), ()) if rng.random() < 0.8 else (((0, 1440),),) * 7
    law = Hours((((0, 1350),),) * 7)
    return Campaign(
        id=SPRING,
        type=CampaignType.PROGRESSIVE,
        caller_id=CallerIds(numbers=("+34910000000",)),
        window=Window(start=now - DAY, end=now + rng.choice((2 * DAY, 40 * DAY)), zone="Europe/Madrid"),
        hours=Hours(week, holidays, rng.choice(("", "", "Europe/Madrid"))),
        compliance=Profile(name="law", hours=law, attempts=tuple(AttemptCap(max=most, within_s=within) for most, within in CAPS)),
        attempts=Attempts(max=MOST),
        options=progressive.Options(),
    )


def a_row(rng: Random, place: int, now: float) -> Row:
    status = rng.choice((*CLAIMABLE, *CLAIMABLE, *CLAIMABLE, *LeadStatus))
    away = rng.choice((-30 * DAY, -3600.0, -1.0, 0.0, 0.0, 1.0, 1800.0, 4 * 3600.0, 3 * DAY, 200 * DAY))
    before = rng.choice((None, LeadStatus.NEW, LeadStatus.RETRY, LeadStatus.SUCCEEDED)) if status is LeadStatus.REFUSED else None
    lead = Lead(
        LeadId(place + 1),
        SPRING,
        f"+3491{place:07d}",
        rng.choice(ZONE_SETS),
        status,
        rng.choice((0, 0, 1, 2, 3, 4)),
        ready_at=now + away,
        ready_why="no_callback" if status is LeadStatus.REFUSED else rng.choice(("", "gap", "rule", "promised", "fault", "not_before")),
        agent=AgentId(rng.choice(("lan", "hoa"))) if status is LeadStatus.CALLBACK_SCHEDULED and rng.random() < 0.5 else None,
        held_by=rng.choice(("", "", "", gate.CALLER_ID, gate.NUMBER_CAP)),
        kind="fixed",
    )
    row = Row(lead, before)
    if rng.random() < 0.06:
        row.lists = rng.sample(("own", "register"), rng.choice((1, 2)))
    if lead.number.startswith("+3491000012"):
        row.lists.append("prefixes")
    if rng.random() < 0.08:
        row.marks = {campaign: now + rng.choice((-5.0, 0.0, 5.0, 7200.0, 9 * DAY)) for campaign in rng.sample(("", SPRING, OTHER), rng.choice((1, 2)))}
    if rng.random() < 0.3:
        row.calls = [(now - rng.choice((60.0, 3600.0, DAY, DAY - 1, 2 * DAY, 7 * DAY, 9 * DAY)) - n, rng.random() < 0.8) for n in range(rng.randint(1, 6))]
    if rng.random() < 0.03:
        row.in_call = now - rng.choice((5.0, 300.0))
    return row


class World:
    """Random leads in one database, and the daemon's store over it. when: work, any or turn (of the clocks)."""

    def __init__(self, dsn: str, seed: int, leads: int = LEADS, when: str = "work") -> None:
        self.dsn, rng = dsn, Random(seed)
        self.now = float(int(_moment(rng, when)))
        self.campaign = a_campaign(rng, self.now, when)
        self.rows = [a_row(rng, place, self.now) for place in range(leads)]
        self.store = PostgresStore(dsn)
        with closing(Backoffice(dsn)) as office:
            office.apply_definitions([self.campaign, replace(self.campaign, id=OTHER)], [], None, "test")
        epoch = self.store.take_epoch("test")
        assert epoch is not None
        for campaign in (SPRING, OTHER):
            self.store.set_campaign_state(campaign, 1, CampaignState.RUNNING, True, "", "an.le")
        with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
            _write(cursor, self.rows, epoch, self.now)
            cursor.execute("ANALYZE")

    def by_id(self) -> Mapping[int, Row]:
        return {int(row.lead.id): row for row in self.rows}


def _moment(rng: Random, when: str) -> float:
    if when == "turn":
        return datetime(*rng.choice(TURNS), tzinfo=UTC).timestamp() + rng.randint(-7200, 7200)
    if when == "any":
        return datetime(2026, 1, 5, tzinfo=UTC).timestamp() + rng.random() * 360 * DAY
    return datetime(2026, 2, 16 + rng.randrange(5), 15, tzinfo=UTC).timestamp() + rng.randrange(3600)  # afternoon in Madrid, morning in New York


def _write(cursor: Any, rows: Sequence[Row], epoch: int, now: float) -> None:
    def put(table: str, values: Sequence[tuple[Any, ...]], template: str, tail: str = "") -> None:
        if values:
            execute_values(cursor, f"INSERT INTO {table} VALUES %s {tail}", values, template, page_size=2000)

    put("contacts (id, number) OVERRIDING SYSTEM VALUE", [(row.lead.id, row.lead.number) for row in rows], "(%s, %s)")
    leads = [
        (
            row.lead.id, SPRING, row.lead.id, row.lead.number, "|".join(row.lead.zones), row.lead.status.value, row.lead.attempts, row.lead.ready_at,
            row.lead.ready_why, row.lead.held_by, row.lead.agent, row.before.value if row.before else None,
        )
        for row in rows
    ]  # fmt: skip
    columns = "leads (id, campaign, contact, number, zone_set, status, attempts, ready_at, ready_why, held_by, agent, status_before) OVERRIDING SYSTEM VALUE"
    template = "(%s, %s, %s, %s, %s, %s, %s, to_timestamp(%s), %s, %s, %s, %s)"
    put(columns, leads, template)
    busy = [row for row in rows if row.in_call is not None]
    others = [(row.lead.id + 1_000_000, OTHER, row.lead.id, row.lead.number, "", "in_progress", 0, now, "", "", None, None) for row in busy]
    put(columns, others, template)
    open_calls = [(row.lead.id + 1_000_000, OTHER, row.lead.number, row.in_call) for row in busy]
    open_calls += [(row.lead.id, SPRING, row.lead.number, now - 30 * DAY) for row in rows if row.lead.status is LeadStatus.IN_PROGRESS]
    put(
        "attempts_open (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at)",
        [(str(uuid.uuid4()), campaign, lead, epoch, str(uuid.uuid4()), number, opened_at) for lead, campaign, number, opened_at in open_calls],
        "(%s, %s, 1, %s, 'new', %s, %s, %s, 'north', '+34910000000', to_timestamp(%s))",
    )
    put(
        "attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at, missed, leg_seen)",
        [
            (str(uuid.uuid4()), OTHER, row.lead.id, epoch, str(uuid.uuid4()), row.lead.number, opened_at, opened_at + 9, seen)
            for row in rows
            for opened_at, seen in row.calls
        ],
        "(%s, %s, 1, %s, 'new', %s, %s, %s, 'north', '+34910000000', to_timestamp(%s), 'busy', 'USER_BUSY', to_timestamp(%s), false, %s)",
    )
    listed = [(row.lead.number, name) for row in rows for name in row.lists if name != "prefixes"]
    put("do_not_call (number, list, added_by)", [*listed, ("+447700900001", "register")], "(%s, %s, 'test')")
    put("do_not_call_prefixes (prefix, list, added_by)", [("+3491000012", "prefixes"), ("+44", "prefixes")], "(%s, %s, 'test')")
    marks = [(row.lead.number, campaign, until) for row in rows for campaign, until in row.marks.items()]
    put("no_callback (number, campaign, until, added_by)", marks, "(%s, %s, to_timestamp(%s), 'test')")
    cursor.execute("INSERT INTO campaign_zone_sets (campaign, zone_set) SELECT DISTINCT campaign, zone_set FROM leads")


@pytest.fixture(params=[("work", LEADS), ("any", 2000), ("turn", 2000)], ids=lambda param: param[0])
def world(request: pytest.FixtureRequest, pg_dsn: str) -> Iterator[World]:
    """A world of a seed that is new each time; FS_DIALER_SEED takes one again that failed."""
    when, leads = request.param
    seed = int(os.environ.get("FS_DIALER_SEED", 0)) or time.time_ns() % 2**32
    print(f"FS_DIALER_SEED={seed}")
    made = World(pg_dsn, seed, leads, when)
    yield made
    made.store.close()


@pytest.fixture
def small(pg_dsn: str) -> Iterator[World]:
    made = World(pg_dsn, 11, leads=400)
    yield made
    made.store.close()


# --- the three answers ----------------------------------------------------------------------------------------------------------------


def by_lead(world: World) -> dict[int, LeadAnswer]:
    """(a) Every lead asked by itself, with facts that were worked out here."""
    clock = Clock(world.campaign, world.now)
    return {
        int(row.lead.id): explain_lead(row.lead, world.campaign, CampaignState.RUNNING, world.now, row.facts(world.now), returns_to=row.before, clock=clock)
        for row in world.rows
    }


def found_in(seen: Seen) -> CampaignFound:
    found = seen.campaign(SPRING)
    assert found is not None
    return found


def by_dialer(world: World) -> tuple[set[int], dict[int, str]]:
    """(c) What the daemon does: claims from the open zone sets, asks the core's gates, opens through the store's last gate. Dialled, and refused by what."""
    stored = world.store.campaign(SPRING)
    assert stored is not None
    open_sets = [zones for zones in stored.zone_sets if dial_verdict(stored.campaign, zones, world.now).open]
    claimed = world.store.claim_leads(SPRING, 2 * LEADS, open_sets, world.now).leads if open_sets else ()
    refused: dict[int, str] = {}
    attempts = []
    for lead in claimed:
        check = first_refusal(lead, stored.campaign, stored.state, world.now)
        if check is not None:
            refused[lead.id] = check.gate
        else:
            attempts.append(replace_caps(an_attempt(lead, opened_at=world.now)))
    dialled: set[int] = set()
    for first in range(0, len(attempts), 500):
        some = attempts[first : first + 500]
        for attempt, refusal in zip(some, world.store.open_attempts(some), strict=True):
            if refusal is None:
                dialled.add(attempt.lead)
            else:
                refused[attempt.lead] = refusal.gate
    return dialled, refused


def replace_caps(attempt: Any) -> Any:
    return type(attempt)(**{**attempt.__dict__, "caps": CAPS})


def test_explain_counts_by_class_and_the_dialer_agree_on_every_lead(world: World) -> None:
    alone = by_lead(world)
    rows = world.by_id()
    ready = {id for id, answer in alone.items() if not answer.shut}
    named = Counter(shut.gate for answer in alone.values() if (shut := answer.own_shut) is not None)

    with closing(ExplainStore(world.dsn)) as store, store.moment() as seen:
        found = found_in(seen)
        classes = seen.classes(found, world.now)
    assert sum(cls.count for cls in classes) == len(world.rows)
    counted: Counter[str] = Counter()
    ready_by_class = 0
    firsts = []
    for cls in classes:
        answer = explain_class(cls, found.campaign, found.state, world.now)
        if answer.own_shut is None:
            ready_by_class += cls.count
        else:
            counted[answer.own_shut.gate] += cls.count
        firsts.append(answer.next_at)
    assert (ready_by_class, counted) == (len(ready), named)

    told = explain_campaign(classes, found.campaign, found.state, world.now)
    finished = sum(1 for row in world.rows if row.lead.status in FINISHED)
    assert (told.ready, told.unfinished, sum(told.finished.values())) == (len(ready), len(world.rows) - finished, finished)
    by_gate: Counter[str] = Counter()
    for held in told.held:
        by_gate[held.gate] += held.count
    assert by_gate + Counter({gate.STATUS: finished}) == named
    nexts = [answer.next_at for answer in alone.values() if answer.next_at is not None]
    assert told.next_at == min(nexts, default=None) == min((at for at in firsts if at is not None), default=None)
    if told.next_count is not None and nexts:
        assert told.next_count == sum(1 for at in nexts if at == told.next_at)
    for held in told.held:
        mine = [
            answer.next_at
            for id, answer in alone.items()
            if (shut := answer.own_shut) is not None and shut.gate == held.gate and rows[id].lead.status not in FINISHED
            and (held.gate not in (gate.GAP, gate.RULE_TIME) or (rows[id].lead.held_by or rows[id].lead.ready_why) == held.why)
        ]  # fmt: skip
        assert len(mine) == held.count
        assert held.next_at == min((at for at in mine if at is not None), default=None)
        assert held.next_count is None or held.next_count == sum(1 for at in mine if at is not None and at == held.next_at)

    dialled, refused = by_dialer(world)
    assert dialled == ready
    assert len(world.rows) < LEADS or len(dialled) > 100
    expected = {}
    for id, answer in alone.items():
        gates_shut = {check.gate for check in answer.shut}
        if rows[id].lead.status in CLAIMABLE and gates_shut and not gates_shut & AT_CLAIM:
            expected[id] = next(name for name in AT_OPENING if name in gates_shut)
    assert refused == expected
    assert Counter(refused.values()) == Counter(expected.values())


def test_what_the_database_says_of_single_leads_is_what_lies_in_it(small: World) -> None:
    world, rng = small, Random(5)
    with closing(ExplainStore(world.dsn)) as store, store.moment() as seen:
        found = found_in(seen)
        for row in rng.sample(world.rows, 80):
            (lead,) = seen.leads_named(lead=row.lead.id)
            assert (lead.lead, lead.returns_to) == (row.lead, row.before)
            at = world.now + rng.choice((0.0, 3600.0, 5 * DAY))
            facts, meant = seen.lead_known(lead.lead, found.caps, at).facts(), row.facts(at)
            assert (tuple(sorted(facts.do_not_call or ())), facts.in_call) == (tuple(sorted(set(meant.do_not_call or ()))), meant.in_call)
            assert facts.no_callback == pytest.approx(meant.no_callback)
            assert [cap[:3] for cap in facts.caps or ()] == [cap[:3] for cap in meant.caps or ()]
            assert [cap[3] for cap in facts.caps or ()] == [None if cap[3] is None else pytest.approx(cap[3]) for cap in meant.caps or ()]


def test_at_the_moment_that_is_named_every_gate_is_open_and_before_it_one_is_shut(world: World) -> None:
    alone = by_lead(world)
    rng = Random(6)
    asked = [row for row in world.rows if (at := alone[row.lead.id].next_at) is not None and at > world.now]

    def shut_at(row: Row, at: float) -> bool:
        facts = replace(row.facts(at), in_call=None)
        answer = explain_lead(row.lead, world.campaign, CampaignState.RUNNING, at, facts, returns_to=row.before, ahead=True)
        return any(check.gate not in ENGINES for check in answer.shut)

    for row in rng.sample(asked, min(200, len(asked))):
        at = alone[row.lead.id].next_at
        assert at is not None and not shut_at(row, at), row
        busy = alone[row.lead.id].next_at == world.now + 60 and row.in_call is not None  # a call that is up: nobody knows when it ends
        assert busy or shut_at(row, at - 1), row


# --- single questions -----------------------------------------------------------------------------------------------------------------


def test_all_that_is_asked_in_one_moment_is_seen_as_of_that_moment(small: World) -> None:
    with closing(ExplainStore(small.dsn)) as store, store.moment() as seen:
        found = found_in(seen)
        before = sorted(map(repr, seen.classes(found, small.now)))
        with closing(psycopg2.connect(small.dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("UPDATE leads SET status = 'stopped' WHERE status = 'new'")
            cursor.execute("UPDATE campaigns SET state = 'paused'")
        assert sorted(map(repr, seen.classes(found, small.now))) == before
        assert found_in(seen).state is CampaignState.RUNNING
    with closing(ExplainStore(small.dsn)) as store, store.moment() as seen:
        assert found_in(seen).state is CampaignState.PAUSED


def test_nothing_is_ever_written(small: World) -> None:
    with closing(ExplainStore(small.dsn)) as store, pytest.raises(Exception, match="read-only"), store.moment() as seen:
        seen._cursor.execute("UPDATE leads SET status = 'stopped'")


def test_a_number_means_every_lead_of_every_contact_who_has_it(small: World) -> None:
    number = small.rows[0].lead.number
    with closing(psycopg2.connect(small.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO contact_numbers (contact, place, number) VALUES (2, 1, %s)", (number,))
    with closing(ExplainStore(small.dsn)) as store, store.moment() as seen:
        assert {found.lead.id for found in seen.leads_named(number=number)} >= {1, 2}
        assert seen.leads_named(number=number, campaign="nobody") == []


def test_who_approved_and_who_changed_its_state_is_found_in_the_audit(small: World) -> None:
    small.store.set_campaign_state(SPRING, 1, CampaignState.PAUSED, False, "paused by hand", "hoa")
    with closing(ExplainStore(small.dsn)) as store, store.moment() as seen:
        found = found_in(seen)
    assert (found.approved_by, found.changed_by, found.reason) == ("an.le", "hoa", "paused by hand")


def test_the_leads_before_a_lead_are_those_that_a_claim_takes_first(small: World) -> None:
    stored = small.store.campaign(SPRING)
    assert stored is not None
    with closing(ExplainStore(small.dsn)) as store, store.moment() as seen:
        assert sorted(seen.zone_sets(SPRING)) == sorted(stored.zone_sets)
        waiting = {found.lead.id: found for row in small.rows if (found := seen.leads_named(lead=row.lead.id)[0]) and row.lead.status in CLAIMABLE}
        order = small.store.claim_leads(SPRING, 1000, stored.zone_sets, small.now).leads
        places = {lead.id: seen.ahead(waiting[lead.id], stored.zone_sets, small.now) for lead in order}
    assert list(places.values()) == list(range(len(order)))


def test_calls_by_a_gateway_are_told_newest_first_and_deferred_leads_counted(small: World) -> None:
    deferred = [row for row in small.rows if row.lead.held_by == gate.CALLER_ID and row.lead.ready_at > small.now and row.lead.status in CLAIMABLE]
    with closing(ExplainStore(small.dsn)) as store, store.moment() as seen:
        calls = seen.calls_over([SPRING, OTHER], gateway="north", now=small.now)
        assert len(calls) == 10 and calls == sorted(calls, key=lambda call: -call.opened_at)
        assert seen.calls_over([SPRING, OTHER], gateway="south", now=small.now) == []
        assert seen.calls_over([SPRING, OTHER], caller_id="+34910000000", now=small.now) == calls
        (told,) = seen.deferred([SPRING, OTHER], small.now)
        assert (told.campaign, told.leads, told.asked_at) == (SPRING, len(deferred), min(row.lead.ready_at for row in deferred))

"""What reports are made of: attempts counted in groups, the windows of the missed rate, and the attempts themselves, one after another.

Reads only. Everything one report says comes out of one snapshot of the database, so that its parts add up while calls go on. What is counted as what stands in
core/figures.py; which span a day is, in core/spans.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fs_dialer.core.figures import Group, MissedCount, Spent
from fs_dialer.core.model import AGENT_TIMES, Outcome
from fs_dialer.core.spans import Span, Windows, day_starts, hour_starts, missed_windows
from fs_dialer.db.pool import Cursor, Pool, Row, rows
from fs_dialer.db.queries import sql

COLUMNS = ("agent", "caller_id", "gateway", "revision", "outcome", "cause", "sip_status", "disposition")  # attempts may be grouped by two of them
TIMES = ("hour", "day")  # and by one of these, on the clocks of the campaign's zone
PAGE = 2000  # attempts fetched at a time
_OUTCOME = {outcome.value: outcome for outcome in Outcome}
_STARTS: Mapping[str, Callable[[Span, str], list[float]]] = {"hour": hour_starts, "day": day_starts}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which attempts: of each campaign those opened in its span, and of these only the named agent's, caller id's or gateway's; None = any."""

    spans: Mapping[str, Span]
    agent: str | None = None
    caller_id: str | None = None
    gateway: str | None = None

    def only(self) -> dict[str, str | None]:
        return {"agent": self.agent, "caller_id": self.caller_id, "gateway": self.gateway}


class Counted(NamedTuple):
    """A group of attempts with where it belongs. `starts_at`: of its hour or day, None where none is asked for. `keys`: of the columns asked for."""

    campaign: str
    starts_at: float | None
    keys: tuple[str | None, ...]
    group: Group


class AgentSpent(NamedTuple):
    """An agent's time. `starts_at`: of the hour or day, None where none is asked for."""

    agent: str
    starts_at: float | None
    spent: Spent


class MissedIn(NamedTuple):
    """One campaign's windows, and what was counted in each."""

    windows: Windows
    today: MissedCount
    last_24_h: MissedCount
    last_30_days: MissedCount


class AttemptRow(NamedTuple):
    """A row of all_attempts in full: None from `outcome` on while it is not over. Then what is known of whom it called, where that was asked for."""

    id: str
    campaign: str
    revision: int
    lead: int | None
    lead_status: str
    epoch: int
    leg: str
    number: str
    gateway: str
    caller_id: str
    agent: str | None
    opened_at: float
    gates: list[Any]
    outcome: str | None
    cause: str | None
    sip_status: int | None
    rang_at: float | None
    answered_at: float | None
    bridged_at: float | None
    ended_at: float | None
    missed: bool | None
    leg_seen: bool | None
    closed_at: float | None
    decision: str
    disposition: str | None
    disposed_by: str | None
    disposed_at: float | None
    answers: Mapping[str, Any]
    note: str = ""
    steps: Sequence[Sequence[str]] = ()  # of a flow: [node, do, name, value]
    left_at: str = ""
    switch: str = ""
    name: str = ""
    attributes: Mapping[str, Any] = {}
    status: str = ""
    ticket: int | None = None

    @property
    def path(self) -> str:
        """The way through the flow, `main=1;pin=1234;bye=success`."""
        return ";".join(f"{node}={value}" for node, _, _, value in self.steps)

    @property
    def ivr(self) -> dict[str, str]:
        """The last answer under each name."""
        return {name: value for _, _, name, value in self.steps}


@dataclass(frozen=True, slots=True)
class Troubles:
    """What needs somebody, as far as the database knows. `daemon_since`: when the active daemon took over, by the database's clock; None = none is."""

    now: float
    daemon_since: float | None
    open_attempts: int = 0  # calls without a result
    left_open: Mapping[str, int] = field(default_factory=dict)  # of these, by campaign, those that no daemon watches
    unsent: Mapping[str, int] = field(default_factory=dict)  # messages given up, by webhook
    unanswered: int = 0  # commands older than 10 s
    refused: Sequence[tuple[str, str, str, int]] = ()  # import, file, campaign, rows
    failing: Sequence[tuple[str, float, str]] = ()  # webhook, for how many seconds its oldest message has waited, what the last try said


class FigureReports:
    """The part of Reports that counts attempts."""

    _pool: Pool

    def campaign_zones(self) -> dict[str, str]:
        """Every campaign's time zone, by name."""
        return dict(self._pool.rows("campaign_zones"))

    def figures(
        self, asked: Asked, zones: Mapping[str, str], by: Sequence[str] = (), windows_at: Mapping[str, float] | None = None
    ) -> tuple[list[Counted], dict[str, MissedIn]]:
        """Attempts in groups, and the missed windows of each campaign in `windows_at`, that end at its moment.

        `by`: at most two of COLUMNS and one of TIMES, in any order. ValueError for anything else.
        """
        columns, times = [each for each in by if each in COLUMNS], [each for each in by if each in TIMES]
        if len(columns) + len(times) != len(by) or len(columns) > 2 or len(times) > 1:
            raise ValueError(f"cannot group by {', '.join(by)}")
        with self._snapshot() as cursor:
            found = [each for words in _alike(asked, zones, times) for each in _counted(cursor, words, columns, timed=bool(times))]
            return found, _missed(cursor, windows_at or {}, zones)

    def agent_times(self, span: Span, zone: str, agent: str | None = None, by: str = "") -> list[AgentSpent]:
        """How agents (None = all) spent the hours that begin in the span, in all campaigns. `by`: hour or day of the zone, "" = all of it. Hours are UTC's:
        where a zone's own begin in the middle of them, each belongs to the one in which it begins."""
        edges = _STARTS[by](span, zone) if by else [span.since]
        found = []
        for name, place, *times, missed_offers, previews, skipped in self._pool.rows(
            "agent_hours_of", {"since": span.since, "until": span.until, "agent": agent, "edges": edges}
        ):
            spent = Spent(dict(zip(AGENT_TIMES, map(float, times), strict=True)), int(missed_offers), int(previews), int(skipped))
            found.append(AgentSpent(name, edges[place - 1] if by else None, spent))
        return found

    def missed_windows(self, zones: Mapping[str, str], now: float | None = None) -> dict[str, MissedIn]:
        """The missed windows of these campaigns, by name, as they are now."""
        moment = time.time() if now is None else now
        with self._snapshot() as cursor:
            return _missed(cursor, dict.fromkeys(zones, moment), zones)

    def attempts(self, asked: Asked, *, people: bool = False, tickets: bool = False) -> Generator[AttemptRow, None, None]:
        """Every attempt asked for, campaign by campaign in the order of `spans`, in each by the time it was opened. Held in memory are a few thousand.

        `people`, `tickets`: with what is known of whom was called, or with the ticket's id. Close the iterator, or read it to its end.
        """
        with self._snapshot() as cursor:
            for campaign, span in asked.spans.items():
                # By name in SQL: psycopg2's own server-side cursors refuse a connection in autocommit, which begins its transactions itself.
                words = {"campaign": campaign, "since": span.since, "until": span.until, **asked.only()}
                cursor.execute("DECLARE page NO SCROLL CURSOR FOR " + sql("attempts_of_report"), words)
                while page := _fetched(cursor):
                    yield from _with_people(cursor, page, people=people, tickets=tickets)
                cursor.execute("CLOSE page")

    def known_to_attempts(self, kind: str, since: float) -> list[str]:
        """Which agents, caller_ids or gateways (`kind` without the s) attempts since then name."""
        return [str(name) for (name,) in self._pool.rows("known_to_attempts", {"kind": kind, "since": since})]

    def troubles(self) -> Troubles:
        """What somebody should look at."""
        ((since, open_attempts, left_open, unsent, unanswered, now),) = self._pool.rows("troubles")
        refused = tuple((name, file, campaign, int(count)) for name, file, campaign, count in self._pool.rows("refused_imports"))
        failing = tuple((webhook, float(waits_s), error) for webhook, waits_s, error in self._pool.rows("failing_webhooks"))
        return Troubles(now, since, int(open_attempts), left_open, unsent, int(unanswered), refused, failing)

    @contextmanager
    def _snapshot(self) -> Iterator[Cursor]:
        """All questions see the database as it was at the first."""
        with self._pool.transaction() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield cursor


def _alike(asked: Asked, zones: Mapping[str, str], times: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Campaigns that share zone and span are counted in one go: the words of a query for each."""
    together: dict[tuple[str, Span], list[str]] = {}
    for campaign, span in asked.spans.items():
        together.setdefault((zones[campaign], span), []).append(campaign)
    for (zone, span), campaigns in together.items():
        edges = _STARTS[times[0]](span, zone) if times else []
        yield {"campaigns": campaigns, "since": span.since, "until": span.until, "edges": edges or [span.since], **asked.only()}


def _counted(cursor: Cursor, words: Mapping[str, Any], columns: Sequence[str], *, timed: bool) -> Iterator[Counted]:
    by = [*columns, None, None]
    for campaign, place, key_1, key_2, outcome, missed, bridged, leg_seen, disposition, count, waited_us, talked_us in rows(
        cursor, "figure_groups", {**words, "by_1": by[0], "by_2": by[1]}
    ):
        starts_at = words["edges"][place - 1] if timed else None
        group = Group(_OUTCOME[outcome] if outcome else None, missed, bridged, leg_seen, disposition, int(count), int(waited_us), int(talked_us))
        yield Counted(campaign, starts_at, (key_1, key_2)[: len(columns)], group)


def _missed(cursor: Cursor, moments: Mapping[str, float], zones: Mapping[str, str]) -> dict[str, MissedIn]:
    windows = {campaign: missed_windows(now, zones[campaign]) for campaign, now in moments.items()}
    given = list(windows.values())
    words = {
        "campaigns": list(windows),
        "todays": [each.today.since for each in given],
        "last_24_hs": [each.last_24_h.since for each in given],
        "last_30_days": [each.last_30_days.since for each in given],
        "untils": [each.today.until for each in given],
    }
    found = {row[0]: [int(count) for count in row[1:]] for row in rows(cursor, "missed_counts", words)} if windows else {}
    return {name: MissedIn(windows[name], *(MissedCount(*counts[at : at + 3]) for at in (0, 3, 6))) for name, counts in found.items()}


def _fetched(cursor: Cursor) -> list[Row]:
    cursor.execute(f"FETCH {PAGE} FROM page")
    return cursor.fetchall()


def _with_people(cursor: Cursor, page: Sequence[Row], *, people: bool, tickets: bool) -> Iterator[AttemptRow]:
    leads: dict[int, Row] = {}
    made: dict[str, int] = {}
    if people:
        wanted = sorted({row[3] for row in page if row[3] is not None})
        leads = {row[0]: row for row in rows(cursor, "leads_of_attempts", {"leads": wanted})}
    if tickets:
        made = dict(rows(cursor, "tickets_of_attempts", {"attempts": [row[0] for row in page]}))
    for row in page:
        _, name, attributes, parameters, status = leads.get(row[3], (None, "", {}, {}, ""))
        # A list's own word on a lead goes before what the directory says of the person.
        yield AttemptRow._make((*row, name, {**attributes, **parameters}, status, made.get(row[0])))

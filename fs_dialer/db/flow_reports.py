"""What customers did in flows, and how queues fared, counted for people.

Reads only. Times are epoch seconds. What is counted is what was written when calls and callers ended; who waits in a queue now, only the daemon knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fs_dialer.config.codec import campaign_from_json
from fs_dialer.core.flow import Ivr
from fs_dialer.core.model import CampaignId
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.spans import Span
from fs_dialer.db import codec
from fs_dialer.db.caller_rules import flow_in
from fs_dialer.db.callers import queues
from fs_dialer.db.pool import Pool, rows

WITHIN_S = 20.0  # the service level: answered within so long


@dataclass(frozen=True, slots=True)
class FlowAnswer:
    """How often an answer was given at a node, in how many calls. `answer`: "" = none; of digits and messages only `given`. recorded_s: of messages."""

    node: str
    do: str
    name: str
    answer: str
    times: int
    calls: int
    recorded_s: int


@dataclass(frozen=True, slots=True)
class FlowFigures:
    """A campaign's calls that were answered. left: where persons were when the call ended, node "" = at an end; each with how many of them met an agent.

    persons, machines: who answered. messages: left voice mail; opted_out: asked not to be called; ended_well: came to an end that counts as success.
    """

    persons: int
    machines: int
    met_agent: int
    messages: int
    opted_out: int
    ended_well: int
    answers: tuple[FlowAnswer, ...] = ()
    left: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """A queue's callers. came = served + callback + voicemail + overflow + missed + hung_up + released + lost.

    Waits are of the served, longest_wait_s of all; within: how many were served within WITHIN_S. open_…: tickets that are open now; called_back,
    served_otherwise, expired: what became of the span's requests to be called back.
    """

    queue: str
    came: int = 0
    served: int = 0
    callback: int = 0
    voicemail: int = 0
    overflow: int = 0
    missed: int = 0
    hung_up: int = 0
    released: int = 0
    lost: int = 0
    wait_s: float = 0.0
    wait_p90_s: float = 0.0
    longest_wait_s: float = 0.0
    within: int = 0
    talked_s: float = 0.0
    open_callback: int = 0
    open_missed: int = 0
    open_voicemail: int = 0
    called_back: int = 0
    served_otherwise: int = 0
    expired: int = 0

    @property
    def service_level(self) -> float | None:
        """Share of all callers who were served within WITHIN_S; None = nobody came."""
        return self.within / self.came if self.came else None

    @property
    def open(self) -> int:
        return self.open_callback + self.open_missed + self.open_voicemail

    def to_json(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in self.__slots__}
        return {**found, "open": self.open, "service_level": self.service_level, "within_s": WITHIN_S}


@dataclass(frozen=True, slots=True)
class CallerLine:
    """One caller of a queue. served_at, left_at: None = he was not, or is still there."""

    id: str
    queue: str
    number: str
    came_at: float
    asked_at: float | None
    served_at: float | None
    left_at: float | None
    why: str
    agent: str | None
    waited_s: float
    talked_s: float
    missed: bool
    switch: str
    ticket: int | None


class FlowReports:
    """The part of Reports that counts what customers did in flows and queues."""

    _pool: Pool

    def flow_figures(self, campaign: CampaignId, span: Span, ivr: Ivr | None, only: Mapping[str, str | None]) -> FlowFigures:
        """Of the calls that were opened in the span. `ivr`: the flow, whose voice mail is to be told from other recordings; None = none is."""
        messages = [node.name for node in ivr.nodes if node.do == "record" and node.voicemail] if ivr is not None else []
        words = {"campaign": campaign, "since": span.since, "until": span.until, "messages": messages, **only}
        with self._pool.transaction() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            totals = rows(cursor, "flow_totals", words)[0]
            answers = tuple(FlowAnswer(*row) for row in rows(cursor, "flow_answers", words))
            left = tuple((node, int(count), int(met)) for node, count, met in rows(cursor, "flow_left", words))
        persons, machines, met_agent, left_message, opted_out, ended_well = map(int, totals)
        return FlowFigures(persons, machines, met_agent, left_message, opted_out, ended_well, answers, left)

    def flow_of(self, campaign: CampaignId) -> Ivr | None:
        """The flow of a campaign at the revision that dials; None where it has none, or where there is no such campaign."""
        found = self._pool.rows("campaigns", {"name": campaign})
        if not found:
            return None
        return flow_in(codec.definition(campaign_from_json, found[0][6], f"campaign {campaign} r{found[0][5]}").options)

    def queue_list(self) -> list[QueueDefinition]:
        """As they are defined, by name."""
        return queues(self._pool)

    def queue_figures(self, span: Span, queue: str | None = None) -> dict[str, QueueFigures]:
        """By queue, those that callers came to in the span, or that have tickets; `queue` None = all. Queues may be defined no more."""
        words = {"since": span.since, "until": span.until, "queue": queue, "within_s": WITHIN_S}
        with self._pool.transaction() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            counted = {row[0]: row[1:] for row in rows(cursor, "queue_figures", words)}
            tickets = {row[0]: row[1:] for row in rows(cursor, "queue_tickets", words)}
        found = {}
        for name in sorted({*counted, *tickets}):
            figures: dict[str, Any] = dict(zip(_CALLERS, counted.get(name, ()), strict=False)) | dict(zip(_TICKETS, tickets.get(name, ()), strict=False))
            found[name] = QueueFigures(name, **figures)
        return found

    def queue_callers(self, queue: str, span: Span, limit: int) -> list[CallerLine]:
        """The newest first."""
        words = {"queue": queue, "since": span.since, "until": span.until, "limit": limit}
        return [CallerLine(*row) for row in self._pool.rows("queue_callers", words)]


_CALLERS = (
    "came", "served", "callback", "voicemail", "overflow", "missed", "hung_up", "released", "lost", "wait_s", "wait_p90_s", "longest_wait_s", "within",
    "talked_s",
)  # fmt: skip
_TICKETS = ("open_callback", "open_missed", "open_voicemail", "called_back", "served_otherwise", "expired")

"""What came of a simulated day, and how it is counted.

A Tape listens to the engine's events and actions; figures_of makes the figures of it. Times are cut to the simulated span: calls that are up at its end are
followed to their outcome, and no new ones are made. Busy = talking or in wrap-up; staffed = available, or busy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.model import AgentId, AgentStatus, AttemptId, AttemptResult, CampaignState, LeadStatus, Outcome
from fs_dialer.core.stats import Tally, missed_rate, wilson
from fs_dialer.simulation.setting import Setting

UNFINISHED = (LeadStatus.NEW, LeadStatus.IN_PROGRESS, LeadStatus.RETRY, LeadStatus.CALLBACK_SCHEDULED)
MOST_POINTS = 96  # of the day's course
WIDTHS_S = (300.0, 900.0, 3600.0, 4 * 3600.0, 86400.0)
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Point:
    """A part of the day, `from_s` after its begin. None where there is nothing to take a share of."""

    from_s: float
    utilisation: float | None
    answered: int
    missed: int
    missed_rate: float | None
    lines: float  # calls up or being dialled, on average


@dataclass(frozen=True, slots=True)
class Filed:
    """How often agents filed a result."""

    result: str
    many: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Rates and shares 0.0–1.0, times in seconds. docs/reference/json.md says each at length."""

    campaign: str
    type: str
    agents: int
    hours: float
    seed: int
    leads: int
    zone: str
    starts_at: str
    simulated_s: float
    ended: str
    attempts: int
    outcomes: dict[str, int]
    refused_without_leg: int
    answered: int
    connected: int
    missed: int
    missed_rate: float
    missed_rate_95: tuple[float, float]
    average_wait_s: float
    longest_wait_s: float
    average_talk_s: float
    utilisation: float
    calls_per_agent_hour: float
    lines_peak: int
    lines_limit: int
    legs_peak: int
    legs_limit: int
    leads_left: int
    leads_never_called: int
    gave_up: int
    gave_up_rate: float
    ceiling: float | None
    staffed_s: float
    idle_per_call_s: float | None
    finished_s: float | None
    requests: int
    cards: int
    skipped: int
    filed: tuple[Filed, ...]
    course: tuple[Point, ...]


class Tape:
    """Looks over the runtime's shoulder: every result, every agent's status, and how many lines were in use at most."""

    def __init__(self, start: float, statuses: Mapping[AgentId, AgentStatus], also: Mapping[type[act.Action], Callable[[Any, float], None]]) -> None:
        self.results: list[tuple[float, AttemptResult]] = []  # with when it was begun
        self.tally = Tally()
        self.lines = self.lines_peak = 0
        self.ended: str | None = None  # why the campaign did, once it has
        self.available: dict[AgentId, list[Span]] = {agent: [] for agent in statuses}
        self._since: dict[AgentId, float | None] = {agent: start if status is AgentStatus.AVAILABLE else None for agent, status in statuses.items()}
        self._begun: dict[AttemptId, float] = {}
        self._also = dict(also)
        self._own: dict[type[act.Action], Callable[[Any, float], None]] = {
            act.CloseAttempt: self._close, act.StoreCampaignState: self._state, act.StoreAgentStatus: self._status,
        }  # fmt: skip

    def step(self, event: ev.Event, now: float, actions: Sequence[act.Action]) -> None:
        if isinstance(event, ev.AttemptOpened):
            self.lines += 1
            self.lines_peak = max(self.lines_peak, self.lines)
            self._begun[event.attempt] = now
        for action in actions:
            kind = type(action)
            if (own := self._own.get(kind)) is not None:
                own(action, now)
            if (also := self._also.get(kind)) is not None:
                also(action, now)

    def close(self, end: float) -> None:
        """The day is over: whoever is available has been so until now."""
        for agent, since in self._since.items():
            if since is not None and since < end:
                self.available[agent].append((since, end))
                self._since[agent] = None

    def _close(self, action: act.CloseAttempt, now: float) -> None:
        self.lines -= 1
        self.results.append((self._begun.pop(action.result.attempt, now), action.result))
        self.tally.add(action.result)

    def _state(self, action: act.StoreCampaignState, now: float) -> None:
        if action.state is CampaignState.ENDED and self.ended is None:
            self.ended = action.reason

    def _status(self, action: act.StoreAgentStatus, now: float) -> None:
        since = self._since.get(action.agent)
        if action.status is AgentStatus.AVAILABLE:
            self._since[action.agent] = now if since is None else since
        elif since is not None:
            self.available[action.agent].append((since, now))
            self._since[action.agent] = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What besides the tape is known at the end. `rest_ends`: where a rest was seen to end before or after its usual time."""

    span: Span
    ended: str
    legs_peak: int
    leads: Mapping[str, int]
    requests: int
    rest_ends: Mapping[AttemptId, float]
    cards: int
    skipped: int
    filed: Mapping[str, int]


def figures_of(setting: Setting, tape: Tape, seen: Seen) -> Figures:
    campaign, tally = setting.campaign, tape.tally
    start, end = seen.span
    bridged = [result for _, result in tape.results if result.bridged_at is not None and result.answered_at is not None]
    waits = [max(0.0, (result.bridged_at or 0.0) - (result.answered_at or 0.0)) for result in bridged]
    busy, staffed = _busy_and_staffed(tape, seen, campaign.wrap_up_s)
    busy_s, staffed_s = _length(busy), max(_length(staffed), 1e-9)
    started_here = sum((result.bridged_at or 0.0) < end for result in bridged)
    low, high = wilson(tally.missed, tally.answered)
    gave_up = tally.outcomes[Outcome.EARLY_HANGUP]
    limit = min(campaign.lines or setting.installation.lines, setting.installation.lines)
    return Figures(
        campaign=campaign.id,
        type=campaign.type.value,
        agents=setting.agent_count,
        hours=setting.hours,
        seed=setting.seed,
        leads=setting.lead_count,
        zone=campaign.window.zone,
        starts_at=datetime.fromtimestamp(start, ZoneInfo(campaign.window.zone)).isoformat(),
        simulated_s=round(end - start, 3),
        ended=seen.ended,
        attempts=tally.attempts,
        outcomes={outcome.value: count for outcome, count in tally.outcomes.items()},
        refused_without_leg=tally.refused_without_leg,
        answered=tally.answered,
        connected=tally.bridged,
        missed=tally.missed,
        missed_rate=round(missed_rate(tally), 6),
        missed_rate_95=(round(low, 6), round(high, 6)),
        average_wait_s=round(tally.waited_s / tally.bridged, 3) if tally.bridged else 0.0,
        longest_wait_s=round(max(waits, default=0.0), 3),
        average_talk_s=round(tally.talked_s / tally.bridged, 3) if tally.bridged else 0.0,
        utilisation=round(busy_s / staffed_s, 6),
        calls_per_agent_hour=round(started_here / (staffed_s / 3600), 3),
        lines_peak=tape.lines_peak,
        lines_limit=limit,
        legs_peak=seen.legs_peak,
        legs_limit=setting.installation.lines,
        leads_left=sum(seen.leads[status.value] for status in UNFINISHED),
        leads_never_called=seen.leads[LeadStatus.NEW.value],
        gave_up=gave_up,
        gave_up_rate=round(gave_up / tally.answered, 6) if tally.answered else 0.0,
        ceiling=setting.ceiling,
        staffed_s=round(_length(staffed), 3),
        idle_per_call_s=round((staffed_s - busy_s) / started_here, 3) if started_here else None,
        finished_s=round(end - start, 3) if seen.ended else None,
        requests=seen.requests,
        cards=seen.cards,
        skipped=seen.skipped,
        filed=tuple(Filed(result, many) for result, many in sorted(seen.filed.items())),
        course=_course(tape, seen.span, busy, staffed),
    )


def _busy_and_staffed(tape: Tape, seen: Seen, wrap_up_s: float) -> tuple[list[Span], list[Span]]:
    """Of all agents together: spans of talk and wrap-up, and those in which they were there, inside the day."""
    start, end = seen.span
    of: dict[AgentId, list[Span]] = {agent: [] for agent in tape.available}
    for _, result in tape.results:
        if result.bridged_at is not None and result.answered_at is not None and result.agent in of:
            of[result.agent].append((result.bridged_at, seen.rest_ends.get(result.attempt, result.ended_at + wrap_up_s)))
    busy: list[Span] = []
    staffed: list[Span] = []
    for agent, spans in of.items():
        mine = _union(spans, start, end)
        busy += mine
        staffed += _union([*tape.available[agent], *mine], start, end)
    return busy, staffed


def _union(spans: Iterable[Span], start: float, end: float) -> list[Span]:
    """The spans, cut to the day, those that overlap made one."""
    found: list[Span] = []
    for low, high in sorted((max(start, low), min(end, high)) for low, high in spans):
        if high <= low:
            continue
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _length(spans: Iterable[Span]) -> float:
    return math.fsum(high - low for low, high in spans)


def _course(tape: Tape, span: Span, busy: Sequence[Span], staffed: Sequence[Span]) -> tuple[Point, ...]:
    start, end = span
    width = next((each for each in WIDTHS_S if (end - start) / each <= MOST_POINTS), WIDTHS_S[-1])
    count = math.ceil((end - start) / width)
    if count <= 0:
        return ()
    answered, missed = [0] * count, [0] * count
    for _, result in tape.results:
        if result.answered_at is not None and start <= result.answered_at < end and (result.missed or result.outcome.value in _BY_PERSON):
            answered[int((result.answered_at - start) // width)] += 1
            missed[int((result.answered_at - start) // width)] += result.missed
    lines = _spread(((begun, min(result.ended_at, end)) for begun, result in tape.results), start, width, count)
    busy_s, staffed_s = _spread(busy, start, width, count), _spread(staffed, start, width, count)
    return tuple(
        Point(
            from_s=index * width,
            utilisation=round(busy_s[index] / staffed_s[index], 4) if staffed_s[index] > 0 else None,
            answered=answered[index],
            missed=missed[index],
            missed_rate=round(missed[index] / answered[index], 4) if answered[index] else None,
            lines=round(lines[index] / min(width, end - start - index * width), 2),
        )
        for index in range(count)
    )


_BY_PERSON = {"connected", "missed", "early_hangup"}


def _spread(spans: Iterable[Span], start: float, width: float, count: int) -> list[float]:
    """How much of the spans lies in each part of the day."""
    parts = [0.0] * count
    for low, high in spans:
        low, high = max(low, start) - start, min(high, start + count * width) - start
        if high <= low:
            continue
        first, last = int(low // width), min(int(high // width), count - 1)
        for index in range(first, last + 1):
            parts[index] += max(0.0, min(high, (index + 1) * width) - max(low, index * width))
    return parts

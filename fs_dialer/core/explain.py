"""Why a lead, or all the leads of a campaign, are not dialled now, and when next (X1): the dialer's own gates, asked for people.

The gates are leads.py's; nothing here decides whether a lead may be dialled. What is added: when all gates that open by time are open, which gate an
operator should hear of first, and the same for whole classes of leads that the store counted, asked once per class. Knows nothing of SQL.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from fs_dialer.core import leads as gate
from fs_dialer.core.changed import changed
from fs_dialer.core.definition import Campaign
from fs_dialer.core.leads import DIALABLE, NOTHING_KNOWN, Check, Facts, gates
from fs_dialer.core.model import AgentId, CampaignState, Lead, LeadId, LeadStatus
from fs_dialer.core.schedule import Verdict, dial_verdict, next_open

FINISHED = frozenset(LeadStatus) - DIALABLE - {LeadStatus.BLOCKED, LeadStatus.REFUSED}
EVERYBODYS = frozenset({gate.CAMPAIGN, gate.WINDOW})  # the same for every lead of a campaign: told once, above all counts
TIMES = frozenset({gate.HOURS, gate.ZONES, gate.HOLIDAYS})
WAITS = frozenset({gate.GAP, gate.RULE_TIME})
ENGINES = (gate.QUOTA, gate.CALLER_ID, gate.LINES, gate.AGENTS)  # not asked while another is shut
IN_CALL_AGAIN_S = 60.0  # the store's last gate asks again then
NEAR_S = 4 * 86400.0  # how far ahead openings and closings are kept
MOST_ROUNDS = 8  # each round opens every gate that time opens; a further one is needed where a cap stood behind another, or hours behind both

NOT_PUT_BACK = frozenset({"", gate.DO_NOT_CALL, gate.NO_CALLBACK})  # what held_by may say of a lead that nobody put back: its status says it too
HELD_WORDS = {
    gate.CALLER_ID: "no caller id or trunk was healthy: called after the others",
    gate.NUMBER_IN_CALL: "another call to this number was up: asked again then",
    gate.NUMBER_CAP: "the compliance profile allowed no more calls to this number: asked again then",
}


class LeadAnswer(NamedTuple):
    """What every gate says. `next_at`: the next moment at which all gates that open by time are open; None = `never` is one that no time opens."""

    checks: tuple[Check, ...]
    next_at: float | None
    never: Check | None

    @property
    def shut(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.ok)

    @property
    def own_shut(self) -> Check | None:
        return own_shut(self.checks)


def own_shut(checks: Iterable[Check]) -> Check | None:
    """The gate to name of several: one that no time opens; else what the lead itself waits for; hours only where it waits for nothing else, or at night
    they would be all that is ever named. In the dialer's order among equals. Campaign and dates, the same for all its leads, are left out."""
    own = [check for check in checks if not check.ok and check.gate not in EVERYBODYS]
    return min(own, key=lambda check: 0 if check.until is None else 2 if check.gate in TIMES else 1, default=None)


class Clock:
    """When a campaign's zone sets are open, from one moment on. Keeps what it found of the near future: classes of leads by the thousand share a few
    hundred zone sets, and ask for moments between the same few openings and closings."""

    def __init__(self, campaign: Campaign, now: float) -> None:
        self._campaign = campaign
        self._now = now
        self._kept: dict[tuple[str, ...], tuple[list[float], list[Verdict]]] = {}
        self._opens: dict[tuple[str, ...], tuple[float, float | None]] = {}

    def verdict(self, zones: tuple[str, ...], at: float) -> Verdict:
        """Open or not at this moment. Which gate is shut is told for the moment `now` itself: later, where several are, it may be another of them."""
        if not self._now <= at <= self._now + NEAR_S:
            return dial_verdict(self._campaign, zones, at)
        ends, verdicts = self._kept.setdefault(zones, ([], []))
        while not ends or ends[-1] <= at:
            verdict = dial_verdict(self._campaign, zones, ends[-1] if ends else self._now)
            ends.append(float("inf") if verdict.until is None else verdict.until)
            verdicts.append(verdict)
        return verdicts[bisect_right(ends, at)]

    def next_open(self, zones: tuple[str, ...], at: float) -> float | None:
        """As schedule.next_open; where zones have no hour in common, that is found out once."""
        verdict = self.verdict(zones, at)
        if verdict.open:
            return at
        asked_at, opens = self._opens.get(zones, (float("inf"), None))
        if asked_at <= at and (opens is None or at <= opens):
            return opens
        opens, asked_at = at, at
        while not verdict.open and verdict.until is not None and verdict.until <= self._now + NEAR_S:
            opens = verdict.until
            verdict = self.verdict(zones, opens)
        if not verdict.open:
            opens = next_open(self._campaign, zones, opens)
        self._opens[zones] = (asked_at, opens)
        return opens


def explain_lead(
    lead: Lead,
    campaign: Campaign,
    state: CampaignState,
    now: float,
    facts: Facts = NOTHING_KNOWN,
    *,
    starts_at: float | None = None,
    returns_to: LeadStatus | None = None,
    ahead: bool = False,
    clock: Clock | None = None,
) -> LeadAnswer:
    """Ask every gate. The engine's stand in `facts` and are left out while another is shut: the engine is not asked then either.

    starts_at: when the campaign begins by itself (started before its start time); None = only by hand. returns_to: what a refused lead becomes when its
    time of being left alone is over (D16); None = it may be called again. ahead: `now` is a moment yet to come, at which lead and campaign are what time
    makes of what they are today.
    """
    case = _Case(campaign, state, starts_at, clock or Clock(campaign, now))
    if ahead:
        lead, facts = _aged(lead, facts, now, returns_to)
        case = case.at(now)
    checks = case.checks(lead, facts, now)
    next_at, never = case.next(lead, facts, returns_to, now, checks)
    return LeadAnswer(checks, next_at, never)


@dataclass(frozen=True, slots=True)
class _Case:
    """A campaign as its leads are asked about it."""

    campaign: Campaign
    state: CampaignState
    starts_at: float | None
    clock: Clock

    def at(self, moment: float) -> _Case:
        """The same at a later moment: one that begins by itself has begun."""
        return replace(self, state=CampaignState.RUNNING) if self.starts_at is not None and moment >= self.starts_at else self

    def checks(self, lead: Lead, facts: Facts, now: float) -> tuple[Check, ...]:
        checks = tuple(self._asked(lead, facts, now))
        if any(not check.ok for check in checks if check.gate not in ENGINES):
            checks = tuple(check for check in checks if check.gate not in ENGINES)
        return checks

    def _asked(self, lead: Lead, facts: Facts, now: float) -> Iterable[Check]:
        """The gates, with what only explain must know: a start that is on its way, when all clocks are open at once, a call that is up, who put it back."""
        put_back = lead.held_by not in NOT_PUT_BACK and now < lead.ready_at
        for check in gates(lead, self.campaign, self.state, now, self.clock.verdict(lead.zones, now), facts):
            if check.gate == gate.CAMPAIGN and not check.ok and self.starts_at is not None:
                yield Check(gate.CAMPAIGN, False, f"{check.reason}: it begins by itself at its start time", max(self.starts_at, now))
            elif check.gate in TIMES and not check.ok:
                yield check._replace(until=self.clock.next_open(lead.zones, now))  # of all its clocks together: where one opens another may shut
            elif check.gate == gate.STATUS and lead.status is LeadStatus.IN_PROGRESS:
                yield Check(gate.STATUS, False, "being called now")
            elif check.gate == gate.NUMBER_IN_CALL and not check.ok:
                yield check._replace(until=now + IN_CALL_AGAIN_S)
            elif check.gate == gate.GAP and lead.status is LeadStatus.REFUSED:
                yield Check(gate.GAP, True, "no break to wait for")  # until when it is left alone is told by its own gate
            elif check.gate == gate.GAP and put_back:
                words = HELD_WORDS.get(lead.held_by, f"put back by the gate {lead.held_by.replace('_', ' ')}: asked again then")
                yield Check(gate.GAP, False, words, lead.ready_at)
            elif check.gate == gate.RULE_TIME and put_back:
                yield Check(gate.RULE_TIME, True, "the time that was set has come")
            else:
                yield check

    def next(self, lead: Lead, facts: Facts, returns_to: LeadStatus | None, now: float, checks: tuple[Check, ...]) -> tuple[float | None, Check | None]:
        """Each round goes to where every gate that was shut is open, then on to where the hours are, and asks again there."""
        at = now
        for _ in range(MOST_ROUNDS):
            shut = [check for check in checks if not check.ok and check.gate not in ENGINES]
            if not shut:
                return at, None
            never = next((check for check in shut if check.until is None), None)
            if never is not None:
                if at > now and never.gate == gate.WINDOW:
                    never = never._replace(reason="the campaign ends before it may be called again")
                return None, never
            by_time = max((check.until for check in shut if check.until is not None and check.gate not in TIMES), default=at)
            opens = self.clock.next_open(lead.zones, max(at, by_time))
            if opens is None:
                return None, Check(gate.ZONES, False, "no moment is in sight at which all its clocks allow a call")
            at = opens
            later, known = _aged(lead, facts, at, returns_to)
            checks = tuple(self.at(at)._asked(later, known, at))
        return None, Check(gate.ZONES, False, "no moment is in sight at which every gate is open")


def _aged(lead: Lead, facts: Facts, at: float, returns_to: LeadStatus | None) -> tuple[Lead, Facts]:
    """Lead and facts as they will be at a later moment if nothing but time passes: refusals run out, calls leave
    the windows of caps; whether calls are up then is not known."""
    if lead.status is LeadStatus.REFUSED and lead.ready_at <= at:
        lead = changed(lead, status=returns_to or LeadStatus.RETRY)
    caps = facts.caps
    if caps is not None:
        caps = tuple(cap for cap in caps if cap[3] is None or cap[3] > at)
    return lead, Facts(facts.do_not_call, facts.lists, facts.no_callback, caps)


# --- whole campaigns ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LeadClass:
    """Leads that no gate can tell apart, and how many they are. Times are the earliest among them, epoch seconds.

    due: ready_at has passed. listed: on a do-not-call list and not marked `blocked` yet: the store's last gate would refuse it. left_alone_until,
    capped_until: None = no mark not to be called back, no cap of the profile reached. opens_at: the earliest moment at which one lead's ready_at, mark
    and caps are all past: not the latest of the three earliest ones.
    """

    count: int
    status: LeadStatus
    zones: tuple[str, ...] = ()
    attempts: int = 0
    due: bool = True
    ready_at: float = 0.0
    ready_why: str = ""
    held_by: str = ""
    returns_to: LeadStatus | None = None
    promised: bool = False  # to one agent
    claimed: bool = False  # in the daemon's hands
    listed: bool = False
    in_call: bool = False  # another call to the number is up
    left_alone_until: float | None = None
    capped_until: float | None = None
    opens_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """Leads that one gate holds. why: ready_why or held_by where it tells two kinds apart. next_at: when the first of them may be dialled, None = not by
    time alone. next_count: how many may be dialled then, None = at least one."""

    gate: str
    why: str
    count: int
    next_at: float | None
    next_count: int | None


@dataclass(frozen=True, slots=True)
class CampaignAnswer:
    """checks: the gates that are the same for all its leads. ready + held = all that are not finished. next_at: when the first lead may be dialled."""

    checks: tuple[Check, ...]
    ready: int
    claimed: int  # of the ready ones
    promised: int  # of the ready ones: to one agent
    held: tuple[Held, ...]
    finished: Mapping[LeadStatus, int]
    next_at: float | None
    next_count: int | None

    @property
    def unfinished(self) -> int:
        return self.ready + sum(held.count for held in self.held)


def explain_class(
    cls: LeadClass,
    campaign: Campaign,
    state: CampaignState,
    now: float,
    *,
    starts_at: float | None = None,
    ahead: bool = False,
    clock: Clock | None = None,
) -> LeadAnswer:
    """The answer of every lead in the class: one stands for all, and the same gates are asked. `next_at` is that of the first of them."""
    first = representative(cls, campaign)

    def asked(lead: Lead) -> LeadAnswer:
        return explain_lead(lead, campaign, state, now, _facts(cls), starts_at=starts_at, returns_to=cls.returns_to, ahead=ahead, clock=clock)

    answer = asked(first)
    if answer.next_at is None or cls.opens_at <= answer.next_at:
        return answer
    # Where marks or caps stand beside ready_at, the earliest of each may belong to three different leads.
    return answer._replace(next_at=asked(changed(first, ready_at=cls.opens_at)).next_at)


def representative(cls: LeadClass, campaign: Campaign) -> Lead:
    return Lead(
        LeadId(0),
        campaign.id,
        "",
        cls.zones,
        cls.status,
        cls.attempts,
        ready_at=cls.ready_at,
        ready_why=cls.ready_why,
        agent=AgentId("") if cls.promised else None,
        held_by=cls.held_by,
    )


def _facts(cls: LeadClass) -> Facts:
    caps = () if cls.capped_until is None else ((1, 1, 0.0, cls.capped_until),)
    return Facts(("a list",) if cls.listed else (), 0, cls.left_alone_until or 0.0, caps, cls.in_call)


def explain_campaign(
    classes: Iterable[LeadClass], campaign: Campaign, state: CampaignState, now: float, *, starts_at: float | None = None, ahead: bool = False
) -> CampaignAnswer:
    """Every class asked once, and the counts put together by the gate to name. Arguments as of explain_lead."""
    case = _Case(campaign, state, starts_at, Clock(campaign, now))
    if ahead:
        case = case.at(now)
    finished: dict[LeadStatus, int] = {}
    rows: dict[tuple[str, str], list[LeadClass]] = {}
    for cls in classes:
        lead, facts = representative(cls, campaign), _facts(cls)
        if ahead:
            lead, facts = _aged(lead, facts, now, cls.returns_to)
        if lead.status in FINISHED:
            finished[lead.status] = finished.get(lead.status, 0) + cls.count
            continue
        shut = own_shut(case.checks(lead, facts, now))
        why = (cls.held_by or cls.ready_why) if shut is not None and shut.gate in WAITS else ""
        rows.setdefault((shut.gate if shut is not None else "", why), []).append(cls)
    found = {row: _first(held, case, now, ahead) for row, held in rows.items()}
    ready = rows.get(("", ""), [])
    order = sorted((row for row in rows if row[0]), key=lambda row: (gate.ORDER.index(row[0]), row[1]))
    next_at = min((at for at, _ in found.values() if at is not None), default=None)
    counts = [count for at, count in found.values() if at is not None and at == next_at]
    everybodys = case.checks(Lead(LeadId(0), campaign.id, "", ()), NOTHING_KNOWN, now)
    return CampaignAnswer(
        tuple(check for check in everybodys if check.gate in EVERYBODYS),
        sum(cls.count for cls in ready),
        sum(cls.count for cls in ready if cls.claimed),
        sum(cls.count for cls in ready if cls.promised),
        tuple(Held(*row, sum(cls.count for cls in rows[row]), *found[row]) for row in order),
        {status: finished[status] for status in LeadStatus if status in finished},
        next_at,
        None if None in counts else sum(count for count in counts if count is not None),
    )


def _first(classes: Iterable[LeadClass], case: _Case, now: float, ahead: bool) -> tuple[float | None, int | None]:
    """When the first of these leads may be dialled, and how many then: None where it can not be told from the classes, a class with times of its own being
    known by its earliest only. Asks no class whose earliest time lies behind what is found already."""
    first: float | None = None
    count: int | None = 0
    for cls in sorted(classes, key=lambda cls: cls.opens_at):
        if first is not None and cls.opens_at > first:
            break
        next_at = explain_class(cls, case.campaign, case.state, now, starts_at=case.starts_at, ahead=ahead, clock=case.clock).next_at
        if next_at is None:
            continue
        together = cls.count if cls.count == 1 or cls.opens_at <= now else None
        if first is None or next_at < first:
            first, count = next_at, together
        elif next_at == first:
            count = None if together is None or count is None else count + together
    return first, count

"""The things the core reasons about: ids, states, leads, attempts, agents, what a call's end was.

Frozen values only; what a campaign's YAML says stands in definition.py. Times are seconds since the epoch, UTC, as floats. Words follow the
glossary: a lead is one contact in one campaign, an attempt one try at it, a call the conversation that the attempt makes, a leg one FreeSWITCH channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, NewType

from fs_dialer.core.changed import value
from fs_dialer.core.flow import IvrStep

CampaignId = NewType("CampaignId", str)  # the campaign's name: the file name of its YAML
AgentId = NewType("AgentId", str)  # the agent's key in agents.yml
LeadId = NewType("LeadId", int)
AttemptId = NewType("AttemptId", str)  # a uuid; the call that an attempt makes has the same id
LegId = NewType("LegId", str)  # FreeSWITCH's Unique-ID, chosen by us; also the Job-UUID of its originate
SwitchId = NewType("SwitchId", str)
GatewayId = NewType("GatewayId", str)  # a SIP trunk by its FreeSWITCH name
CommandId = NewType("CommandId", str)


class Word(Enum):
    """One of a closed set of words. Members are single objects, so their identity is hash enough; Enum's own is computed in Python, every time."""

    __hash__ = object.__hash__


class CampaignType(Word):
    MANUAL = "manual"
    PREVIEW = "preview"
    PROGRESSIVE = "progressive"
    PREDICTIVE = "predictive"
    AUTOCALL = "autocall"
    CALLBACK = "callback"


class CampaignState(Word):
    NEW = "new"  # not approved, or its approval was for an earlier revision (D5)
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"  # no new calls; becomes ended when the last one is over
    ENDED = "ended"


class AgentStatus(Word):
    """What the agent declared."""

    AVAILABLE = "available"
    NOT_AVAILABLE = "not_available"
    LOGGED_OUT = "logged_out"


class AgentState(Word):
    """What we observe of the agent."""

    IDLE = "idle"
    RESERVED = "reserved"  # a lead is being dialled for this agent
    PREVIEWING = "previewing"
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    CONSULTING = "consulting"
    WRAP_UP = "wrap_up"
    LEG_DOWN = "leg_down"  # a nailed agent without his parked leg


class LeadStatus(Word):
    NEW = "new"
    IN_PROGRESS = "in_progress"
    RETRY = "retry"
    CALLBACK_SCHEDULED = "callback_scheduled"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    EXHAUSTED = "exhausted"
    ERROR = "error"
    INVALID = "invalid"
    STOPPED = "stopped"
    BLOCKED = "blocked"


class Outcome(Word):
    """Our class of a finished attempt, spec §4."""

    CONNECTED = "connected"
    MISSED = "missed"
    EARLY_HANGUP = "early_hangup"
    MACHINE = "machine"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    BAD_NUMBER = "bad_number"
    NETWORK = "network"
    OURS = "ours"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class CallState(Word):
    QUEUED = "queued"
    PREVIEWING = "previewing"
    RINGING_AGENT_FIRST = "ringing_agent_first"
    DIALING = "dialing"
    EARLY = "early"
    ANSWERED = "answered"
    SCREENING = "screening"
    IN_IVR = "in_ivr"
    WAITING_AGENT = "waiting_agent"
    NOTICE = "notice"  # the customer is being let go: a notice plays, or the hang-up is on its way
    BRIDGED = "bridged"
    HELD = "held"
    CONSULTING = "consulting"
    CANCELLING = "cancelling"  # an originate we no longer want, tracked to its end
    ENDED = "ended"


class LegKind(Word):
    NAILED = "nailed"  # called once, parked, bridged at once, parked again
    PER_CALL = "per_call"  # rung for each call


@value
class Lead:
    """One contact in one campaign, as claimed from the store. `zones`: every zone the number may be in; all must allow a call (D4)."""

    id: LeadId
    campaign: CampaignId
    number: str  # E.164: "+" and digits
    zones: tuple[str, ...]
    status: LeadStatus = LeadStatus.NEW
    attempts: int = 0  # attempts consumed so far
    ours_in_row: int = 0  # failures of class ours or network in a row (D3)
    ready_at: float = 0.0
    ready_why: str = ""  # why ready_at lay ahead: gap, rule, promised, fault, no_callback, not_before; "" = it did not
    agent: AgentId | None = None  # a scheduled callback is promised to this agent; None = to anyone
    caller_id: str = ""  # the one it saw last
    other_numbers: int = 0  # how many numbers the contact has besides this one
    held_by: str = ""  # the gate that last refused it; told to explain only
    met: AgentId | None = None  # the agent whom it met last
    answer_probability: float | None = None  # a lead's own estimate, for pacing; None = the campaign's
    last: str = ""  # the outcome of its last attempt, "" = none yet
    kind: str = ""  # of its number: mobile, fixed, "" = not known
    attributes: tuple[tuple[str, str], ...] = ()  # those that its campaign's flow uses: of the lead, else of its contact


@value
class Attempt:
    """What is committed before an originate is sent (D8)."""

    id: AttemptId
    campaign: CampaignId
    revision: int
    lead: LeadId
    leg: LegId
    number: str
    gateway: GatewayId
    caller_id: str
    agent: AgentId | None
    opened_at: float
    caps: tuple[tuple[int, float], ...] = ()  # (most, within_s): calls to the number by all campaigns, asked by the store's last gate (D10)
    gates: tuple[tuple[str, str], ...] = ()  # what each gate answered (X8)
    switch: SwitchId = SwitchId("main")


@value
class AttemptResult:
    """How an attempt ended. Times are ours (arrival of the event), None where it did not happen. `missed`: D1, counted once per attempt.

    `ticket`: the channel of the ticket that its campaign wants for it, "" = none (S15).
    """

    attempt: AttemptId
    outcome: Outcome
    cause: str  # FreeSWITCH's hangup cause, "" where none was seen
    sip_status: int | None
    agent: AgentId | None
    rang_at: float | None
    answered_at: float | None
    bridged_at: float | None
    ended_at: float
    missed: bool
    leg_seen: bool  # False: the switch refused it without ever making a channel
    ticket: str = ""
    recorded_from: float | None = None  # what was recorded of it lies between these
    recorded_until: float | None = None
    ivr: tuple[IvrStep, ...] = ()  # what was done in the flow, in its order
    left_at: str = ""  # the node of the flow where the customer was when it ended, "" = at an end, or there was no flow
    switch: SwitchId = SwitchId("main")


@value
class LeadUpdate:
    """What a finished attempt, or a person, makes of a lead. Absolute values, so that writing them twice changes nothing.

    number: "" = it stays, "next" = the contact's next number comes first and this one goes to the end, "drop" = this one is not called any more.
    set: parameters of the lead. leave_group: the contact leaves the group that the campaign draws from. no_callback: until when the number is left alone,
    epoch seconds, None = no such mark; status is `refused` then, and status_before what it returns to (D16). decision: for people, which rule said so.
    """

    lead: LeadId
    status: LeadStatus
    attempts: int
    ours_in_row: int
    ready_at: float
    ready_why: str = ""
    agent: AgentId | None = None
    number: str = ""
    set: tuple[tuple[str, str], ...] = ()
    leave_group: bool = False
    status_before: LeadStatus | None = None
    no_callback: float | None = None
    no_callback_for_all: bool = False
    caller_id: str = ""  # the one it saw, "" = none
    decision: str = ""


@dataclass(frozen=True, slots=True)
class LeadReturn:
    """A claimed lead that was not dialled goes back. `held_by` names the gate that refused it ("" = none), `ready_at` when to ask again.

    `last`: it goes behind all others, too: called after the list is through (S57).
    """

    lead: LeadId
    ready_at: float
    held_by: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """The store's last gate said no. `until`: when it may say yes, epoch seconds; None = not by time alone."""

    gate: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt found without a result after a restart or take-over, with its lead as it stood when it was claimed.

    definition: the Campaign (definition.py) of the revision that it was dialled under, where another one dials now; else None.
    """

    attempt: Attempt
    lead: Lead
    definition: Any = None


@dataclass(frozen=True, slots=True)
class LegFacts:
    """What a switch says of a leg that exists, at reconciliation."""

    leg: LegId
    switch: SwitchId
    gateway: GatewayId | None
    attempt: AttemptId | None  # our variable fsd_attempt
    agent: AgentId | None  # our variable fsd_agent
    answered: bool
    bridged_to: LegId | None
    met: bool = False  # it has been bridged, now or before: on hold it is parked like any other
    path: str = ""  # what was done in an IVR flow so far
    parked: bool = True  # False: an application runs that is not park: a flow, a playback


AGENT_TIMES = (
    "ready", "reserved", "previewing", "ringing", "talking", "held", "consulting", "wrap_up", "not_available", "logged_in", "screen_open",
)  # fmt: skip
"""What an agent's time is counted by. The first nine exclude one another; logged_in is any status but logged out, screen_open goes beside all of them."""


@dataclass(frozen=True, slots=True)
class AgentTimes:
    """What an agent did in a part of one hour. `hour`: its begin, UTC, epoch seconds. `until`: how far it is counted; it grows with every report, so that the
    same report again adds nothing. `seconds`: by what of AGENT_TIMES, each once. previews: cards shown; skipped: of these, passed over."""

    agent: AgentId
    hour: float
    until: float
    seconds: tuple[tuple[str, float], ...]
    missed_offers: int = 0
    previews: int = 0
    skipped: int = 0

    def and_then(self, later: AgentTimes) -> AgentTimes:
        """Both together, counted as far as the later one."""
        spent = dict(self.seconds)
        for word, seconds in later.seconds:
            spent[word] = spent.get(word, 0.0) + seconds
        missed_offers, previews = self.missed_offers + later.missed_offers, self.previews + later.previews
        return AgentTimes(self.agent, self.hour, later.until, tuple(spent.items()), missed_offers, previews, self.skipped + later.skipped)

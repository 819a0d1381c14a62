"""The things the core reasons about: ids, states, leads, attempts, agents, what a call's end was.

Frozen values only; what a campaign's YAML says stands in definition.py. Times are seconds since the epoch, UTC, as floats. Words follow the
glossary: a lead is one contact in one campaign, an attempt one try at it, a call the conversation that the attempt makes, a leg one FreeSWITCH channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NewType

from fs_dialer.core.changed import value

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
    answer_probability: float | None = None  # a lead's own estimate, for pacing; None = the campaign's


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


@value
class AttemptResult:
    """How an attempt ended. Times are ours (arrival of the event), None where it did not happen. `missed`: D1, counted once per attempt."""

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


@value
class LeadUpdate:
    """What a finished attempt makes of its lead. Absolute values, so that writing them twice changes nothing."""

    lead: LeadId
    status: LeadStatus
    attempts: int
    ours_in_row: int
    ready_at: float


@dataclass(frozen=True, slots=True)
class LeadReturn:
    """A claimed lead that was not dialled goes back. `held_by` names the gate that refused it ("" = none), `ready_at` when to ask again."""

    lead: LeadId
    ready_at: float
    held_by: str


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt found without a result after a restart or take-over, with its lead as it stood when it was claimed."""

    attempt: Attempt
    lead: Lead


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

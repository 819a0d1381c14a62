"""What must be done: everything the engine can ask of the shell. The result of each comes back as an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fs_dialer.core.agent_picture import AgentPicture
from fs_dialer.core.model import (
    AgentId,
    AgentStatus,
    AgentTimes,
    Attempt,
    AttemptId,
    AttemptResult,
    CampaignId,
    CampaignState,
    CommandId,
    GatewayId,
    LeadId,
    LeadReturn,
    LeadUpdate,
    LegId,
    SwitchId,
)
from fs_dialer.core.switch_names import IVR_CONTEXT


@dataclass(frozen=True, slots=True)
class Action:
    """Root of all actions."""


# --- the store ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClaimLeads(Action):
    """→ LeadsClaimed or ClaimFailed. Only leads whose whole zone set is open now (`zone_sets`)."""

    campaign: CampaignId
    count: int
    zone_sets: tuple[tuple[str, ...], ...]
    attributes: tuple[str, ...] = ()  # the leads' attributes that are wanted with them


@dataclass(frozen=True, slots=True)
class ReturnLeads(Action):
    """Claimed leads that were not dialled go back, each with the gate that refused it."""

    campaign: CampaignId
    leads: tuple[LeadReturn, ...]


@dataclass(frozen=True, slots=True)
class CloseAttempt(Action):
    """What became of an attempt and of its lead: written together, once; again changes nothing."""

    result: AttemptResult
    update: LeadUpdate


@dataclass(frozen=True, slots=True)
class StoreCampaignState(Action):
    """A campaign's life-cycle state at a revision, with its reason and who caused it."""

    campaign: CampaignId
    revision: int
    state: CampaignState
    started: bool
    reason: str
    who: str


@dataclass(frozen=True, slots=True)
class StoreSwitchDrained(Action):
    """A switch gets no new calls from `since` on; None = it gets them again. Kept, so that it holds over a restart."""

    switch: SwitchId
    since: float | None
    who: str


@dataclass(frozen=True, slots=True)
class StoreAgentStatus(Action):
    """What an agent declared, or what we declared for him after missed offers."""

    agent: AgentId
    status: AgentStatus
    reason: str
    who: str


@dataclass(frozen=True, slots=True)
class SaveMemory(Action):
    """A mode's own memory (pacer state), every 10 s."""

    campaign: CampaignId
    memory: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply(Action):
    """The answer to a command: done, or refused with the reason in the operator's words."""

    command_id: CommandId
    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class TakeLeadNow(Action):
    """Manual (S29–S34): claim the next ready lead of an open zone set, or the one named, for this agent and count it. → LeadTaken.

    quota: most customers he may take a day in this campaign; quota_of_agent: in all of them together (D16); None = no limit. `day`: its begin, epoch
    seconds, in the campaign's zone. own_customer: the taker becomes the contact's owner (S34).
    """

    command_id: CommandId
    agent: AgentId
    campaign: CampaignId
    lead: LeadId | None
    zone_sets: tuple[tuple[str, ...], ...]
    quota: int | None
    quota_of_agent: int | None
    day: float
    own_customer: bool


@dataclass(frozen=True, slots=True)
class SaveAgentTimes(Action):
    """How agents spent the time since it was said last: every minute, and when the daemon stops. One row for an agent and hour."""

    rows: tuple[AgentTimes, ...]


# --- legs -----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LegAction(Action):
    """Something to do to one leg."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class OriginateLead(LegAction):
    """Commit the attempt, then originate its leg (D8). → AttemptOpened or AttemptRefused, then leg events or OriginateFailed."""

    attempt: Attempt
    switch: SwitchId
    dial: str  # the digits the gateway is sent
    ring_timeout_s: float
    early_media: bool
    stereo: bool = False  # a recording of it has the customer left, the agent right
    extension: str = ""  # of an IVR flow: whoever answers goes straight there; "" = he is parked
    variables: tuple[tuple[str, str], ...] = ()  # more channel variables (switch_names.py), allow-listed (D7)


@dataclass(frozen=True, slots=True)
class OriginateAgent(LegAction):
    """Ring an agent's phone: for one call, or once and for all (`nailed`). → leg events or OriginateFailed."""

    agent: AgentId
    call: AttemptId | None  # None: a nailed leg, called once
    switch: SwitchId
    dial_string: str
    caller_id: str
    ring_timeout_s: float
    nailed: bool
    auto_answer: bool = False  # the phone is asked to answer by itself
    stays: bool = False  # the leg parks when its bridge ends, as a nailed one does: whoever is consulted may be given the customer


@dataclass(frozen=True, slots=True)
class OriginateOutside(LegAction):
    """Call a number to which a customer is being transferred. → leg events or OriginateFailed."""

    call: AttemptId
    switch: SwitchId
    gateway: GatewayId
    dial: str  # the digits the gateway is sent
    caller_id: str
    ring_timeout_s: float


@dataclass(frozen=True, slots=True)
class OriginateSupervisor(LegAction):
    """Ring a supervisor's phone and let it hear, and with `how` whisper or barge speak into, what passes through an agent's leg."""

    call: AttemptId
    switch: SwitchId
    dial_string: str
    agent_leg: LegId
    how: str
    caller_id: str
    ring_timeout_s: float


@dataclass(frozen=True, slots=True)
class Bridge(LegAction):
    """uuid_bridge lead agent: two answered legs, parked or about to be. Their fallbacks are disarmed first, in the same breath. → LegBridged or BridgeRefused.

    A leg that is bridged to somebody else is taken from him; he parks or ends by his own variables."""

    agent_leg: LegId


@dataclass(frozen=True, slots=True)
class KeepLeg(LegAction):
    """From now on this leg parks when its bridge ends, instead of ending with it."""


@dataclass(frozen=True, slots=True)
class Hangup(LegAction):
    """End a leg, whatever state it is in. → LegEnded."""

    cause: str


@dataclass(frozen=True, slots=True)
class PlayMusic(LegAction):
    """Play to a parked leg until it is bridged or ends."""

    path: str


@dataclass(frozen=True, slots=True)
class PlayNotice(LegAction):
    """Play a file once to a parked leg, in place of its music. → PlaybackStopped."""

    path: str


@dataclass(frozen=True, slots=True)
class ParkBoth(LegAction):
    """Take a bridged pair apart, both parked."""

    other: LegId


@dataclass(frozen=True, slots=True)
class StartRecording(LegAction):
    """Write what passes through a leg to a file. `path`: below the folder of recordings, which is the shell's. → RecordingStarted or RecordingFailed."""

    path: str


@dataclass(frozen=True, slots=True)
class StopRecording(LegAction):
    """→ RecordingStopped."""

    path: str


@dataclass(frozen=True, slots=True)
class PauseRecording(LegAction):
    """The file goes on with silence."""

    path: str


@dataclass(frozen=True, slots=True)
class ResumeRecording(LegAction):
    path: str


@dataclass(frozen=True, slots=True)
class EnterIvr(LegAction):
    """Send a leg into an extension of the dialplan: a flow, a node of one, a queue's overflow. Its timers in the switch go, and `at_most_s` is set anew."""

    flow: str  # the extension's name
    context: str = IVR_CONTEXT
    variables: tuple[tuple[str, str], ...] = ()  # set first; allow-listed (D7)
    at_most_s: float | None = None  # then the switch hangs it up


@dataclass(frozen=True, slots=True)
class RenewFallback(Action):
    """Put off, to 30 s from now, the transfer to fsd_fallback that saves whoever is on these parked legs if the daemon dies."""

    legs: tuple[LegId, ...]


@dataclass(frozen=True, slots=True)
class DropFallback(Action):
    """Take that transfer away: whoever is on these legs talks."""

    legs: tuple[LegId, ...]


@dataclass(frozen=True, slots=True)
class AskLeg(LegAction):
    """Does this leg still exist? → LegFound or LegGone."""


@dataclass(frozen=True, slots=True)
class ShowAgent(Action):
    """The desk of an agent whom somebody watches has changed."""

    picture: AgentPicture


@dataclass(frozen=True, slots=True)
class AskHttp(Action):
    """A flow's request to a service: POST of `send` as JSON, at most `timeout_s`. → HttpAnswered, whatever happens. `take`: the fields wanted."""

    call: AttemptId
    leg: LegId
    node: str
    url: str
    send: tuple[tuple[str, str], ...]
    take: tuple[str, ...]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class OptOut(Action):
    """A customer asked by a key not to be called any more: `number` goes on the do-not-call list `list` at once. kept: rows in the switch that this settles.
    place: the flow's extension and node, `dues-menu.3f2a91c4.stop`, or the queue; "" = not known."""

    switch: SwitchId
    call: AttemptId | None
    campaign: CampaignId | None
    number: str
    list: str
    at: float
    kept: tuple[str, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class Announce(LegAction):
    """Play these sounds, one behind the other, to a leg in place of its music. → PlaybackStopped when the last is over."""

    sounds: tuple[str, ...]


# --- queues ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallerServed(Action):
    """An agent is on the line with a queued caller, once. `number`: as the network gave it, "" = withheld. waited_s: from the queue's begin to the agent."""

    call: AttemptId
    queue: str
    number: str
    agent: AgentId
    waited_s: float
    at: float


@dataclass(frozen=True, slots=True)
class CallerLeft(Action):
    """A queued caller is gone: once for each. why: served, hung_up (before an agent was there), max_wait (let go by us), callback (he asked for it by the
    key), voicemail (left a message), overflow (put through elsewhere), released (by the fallback, while no daemon ran), lost (nobody knows how).

    agent: whom he met last, or None. `missed`: counts as missed by the queue. talked_s: with agents, 0.0 where he met none. kept: rows in the switch that
    are settled when this is written. asked_at: when he pressed the key; `found`: told by such a row alone, so the store may know better: it changes
    nothing of a caller who was served.
    """

    call: AttemptId
    queue: str
    number: str
    why: str
    agent: AgentId | None
    waited_s: float
    talked_s: float
    missed: bool
    at: float
    switch: SwitchId = SwitchId("main")
    asked_at: float | None = None
    kept: tuple[str, ...] = ()
    found: bool = False


@dataclass(frozen=True, slots=True)
class ForgetKept(Action):
    """These rows of the switch's own keeping mean nothing any more (switch_names.py)."""

    switch: SwitchId
    rows: tuple[str, ...]


# --- the shell ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reconcile(Action):
    """A link came back: tell which of these legs still exist (LegFound, LegGone), and every leg of ours not among them (LegFound)."""

    switch: SwitchId
    legs: tuple[LegId, ...]


@dataclass(frozen=True, slots=True)
class SwitchGivenUp(Action):
    """A switch was not linked for too long since we began: the attempts that an earlier daemon left open on it are told as gone (AttemptFound)."""

    switch: SwitchId


@dataclass(frozen=True, slots=True)
class Drained(Action):
    """Nothing is up any more: the daemon may stop."""


@dataclass(frozen=True, slots=True)
class Note(Action):
    """A line for the log. `level`: INFO an operator's story, WARNING a handled surprise, ERROR somebody must act. Numbers are masked by the shell."""

    level: str
    name: str
    fields: tuple[tuple[str, str], ...]

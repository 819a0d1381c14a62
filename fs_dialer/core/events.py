"""What happened: everything that can be told to the engine. The only input of Dialer.handle besides the time.

Late, doubled and reordered telephony events are normal; the machines are built for it. No event carries a name, an attribute or
anything else of a person but the number that is dialled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.core.model import (
    AgentId,
    AgentStatus,
    AttemptId,
    CampaignId,
    CampaignState,
    CommandId,
    GatewayId,
    Lead,
    LegFacts,
    LegId,
    OpenAttempt,
    SwitchId,
)


@dataclass(frozen=True, slots=True)
class Event:
    """Root of all events."""


# --- legs: what a switch says. `leg` is the Unique-ID ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LegEvent(Event):
    leg: LegId


@dataclass(frozen=True, slots=True)
class LegCreated(LegEvent):
    """CHANNEL_CREATE of any leg of the switch, ours or not (D2). `attempt` and `agent` are our own variables on it."""

    switch: SwitchId
    gateway: GatewayId | None
    attempt: AttemptId | None
    agent: AgentId | None


@dataclass(frozen=True, slots=True)
class LegRang(LegEvent):
    """CHANNEL_PROGRESS (180) or, with `early`, CHANNEL_PROGRESS_MEDIA (183): the far end was reached."""

    early: bool


@dataclass(frozen=True, slots=True)
class LegAnswered(LegEvent):
    """CHANNEL_ANSWER, the only thing that means answered."""


@dataclass(frozen=True, slots=True)
class LegParked(LegEvent):
    """CHANNEL_PARK: from now on the leg can be bridged. Bridging at ANSWER, before PARK, loses about one call in fifty."""


@dataclass(frozen=True, slots=True)
class LegBridged(LegEvent):
    """CHANNEL_BRIDGE: reported once, on the first leg named to uuid_bridge; `other` is the second."""

    other: LegId


@dataclass(frozen=True, slots=True)
class LegUnbridged(LegEvent):
    """CHANNEL_UNBRIDGE, likewise; a leg that parks after its bridge may say so before this comes."""

    other: LegId | None


@dataclass(frozen=True, slots=True)
class LegEnded(LegEvent):
    """CHANNEL_HANGUP_COMPLETE. `sip_status`: the far end's SIP answer, None where there was none or we hung up. `we_hung_up`: send_bye or send_cancel."""

    cause: str
    sip_status: int | None
    q850: int | None
    we_hung_up: bool
    was_answered: bool
    path: str = ""  # what was done in an IVR flow (switch_names.PATH)


@dataclass(frozen=True, slots=True)
class LegDestroyed(LegEvent):
    """CHANNEL_DESTROY: the leg holds no line any more."""


@dataclass(frozen=True, slots=True)
class OriginateSucceeded(LegEvent):
    """BACKGROUND_JOB +OK: `leg` is the one asked for, `given` the one the switch made; they differ when the uuid was taken."""

    given: LegId


@dataclass(frozen=True, slots=True)
class OriginateFailed(LegEvent):
    """BACKGROUND_JOB -ERR cause, or a refusal before that. `sent` False: it never reached the switch."""

    cause: str
    sent: bool = True


@dataclass(frozen=True, slots=True)
class BridgeRefused(LegEvent):
    """uuid_bridge answered -ERR, or could not be sent. `leg` is the lead's."""

    reason: str


@dataclass(frozen=True, slots=True)
class PlaybackStopped(LegEvent):
    """PLAYBACK_STOP, or the file was not found: a notice is over."""


@dataclass(frozen=True, slots=True)
class IvrSaid(LegEvent):
    """A flow tells of a leg. what: agent (at the node `node` an agent is wanted; the leg is parked), http (the node's request is to be made; the leg waits),
    opt_out (at `node`), machine, person (the detector's word), beep (an answering machine records now). `path`: the way so far."""

    what: str
    node: str = ""
    value: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class HttpAnswered(Event):
    """The answer to AskHttp. `ok` False: no answer in time, no 2xx, or no JSON object. `values`: of the fields wanted those that passed the allow-list."""

    call: AttemptId
    node: str
    ok: bool
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FlowsInSwitch(Event):
    """Which extensions a switch has in the contexts of flows and queues: at every link, and when it has read its XML again."""

    switch: SwitchId
    flows: frozenset[str]
    queues: frozenset[str]


@dataclass(frozen=True, slots=True)
class RecordingStarted(LegEvent):
    """RECORD_START: the file is being written."""


@dataclass(frozen=True, slots=True)
class RecordingStopped(LegEvent):
    """RECORD_STOP: by our command, or with the leg, just before its end is reported."""


@dataclass(frozen=True, slots=True)
class RecordingFailed(LegEvent):
    """uuid_record answered -ERR, or could not be sent. Costs nobody a call."""

    reason: str


# --- the switch's link ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SwitchUp(Event):
    """Linked and subscribed. `legs`: every leg it has, for the ledger (leg, gateway or None)."""

    switch: SwitchId
    legs: tuple[tuple[LegId, GatewayId | None], ...]


@dataclass(frozen=True, slots=True)
class SwitchLost(Event):
    """The link is gone; calls on it may well go on."""

    switch: SwitchId
    reason: str


@dataclass(frozen=True, slots=True)
class LegFound(Event):
    """Reconciliation: this leg of ours exists."""

    facts: LegFacts


@dataclass(frozen=True, slots=True)
class LegGone(LegEvent):
    """Reconciliation: uuid_exists was false twice, 3 s apart."""


@dataclass(frozen=True, slots=True)
class AttemptFound(Event):
    """Reconciliation after a restart: an attempt without a result. `facts` None = its leg is gone, for certain."""

    open: OpenAttempt
    facts: LegFacts | None


@dataclass(frozen=True, slots=True)
class ReconcileDone(Event):
    """Everything asked by Reconcile has been told, and after a restart every open attempt: dialling may go on."""

    switch: SwitchId


# --- the store ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InstallationLoaded(Event):
    """The limits and trunks of the installation, at start and whenever they were applied anew."""

    installation: Installation


@dataclass(frozen=True, slots=True)
class SwitchesDrained(Event):
    """Switches that were being drained when an earlier daemon ended, and since when: told at start, before the first link."""

    since: tuple[tuple[SwitchId, float], ...]


@dataclass(frozen=True, slots=True)
class CampaignLoaded(Event):
    """A campaign as stored: at start, and whenever its row or its leads changed. `started`: an operator's start holds (D11)."""

    campaign: Campaign
    state: CampaignState
    started: bool
    zone_sets: tuple[tuple[str, ...], ...]
    memory: Mapping[str, Any] | None = None
    today: tuple[int, int] | None = None  # persons who answered since the day began in its zone, and the missed among them; None = not counted


@dataclass(frozen=True, slots=True)
class AgentLoaded(Event):
    """An agent as stored: at start, and when the definition changed. `status` is what was declared last."""

    agent: AgentDefinition
    status: AgentStatus


@dataclass(frozen=True, slots=True)
class AgentRemoved(Event):
    """An agent stands in no definition any more."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class TeamsLoaded(Event):
    """Who is in which team: at start, and whenever that changed. Teams that are not named have nobody in them."""

    teams: Mapping[str, tuple[AgentId, ...]]


@dataclass(frozen=True, slots=True)
class LeadsClaimed(Event):
    """The answer to ClaimLeads. `next_ready_at`: when the next lead of an open zone may be ready, None = unknown or never.
    `unfinished`: whether any lead of the campaign may still be dialled some day (asked only when the claim came back short)."""

    campaign: CampaignId
    leads: tuple[Lead, ...]
    next_ready_at: float | None
    unfinished: bool


@dataclass(frozen=True, slots=True)
class ClaimFailed(Event):
    """The claim did not come through; it is asked again after a pause."""

    campaign: CampaignId


@dataclass(frozen=True, slots=True)
class AttemptOpened(Event):
    """The attempt is committed; its originate goes out now."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class AttemptRefused(Event):
    """The last gate, in the store, said no: nothing was dialled, no attempt exists. `gate` is a code that `explain` knows.

    `until`: when it may say yes, epoch seconds; None = not by time alone."""

    attempt: AttemptId
    gate: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class StoreLost(Event):
    """The database is away: nothing is claimed, committed or dialled until StoreBack."""

    reason: str


@dataclass(frozen=True, slots=True)
class StoreBack(Event):
    """The database answers again and what was kept meanwhile is written."""


# --- people's commands ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CommandEvent(Event):
    """Somebody asks for something; the answer is a Reply with the same command_id. `who`: for the audit."""

    command_id: CommandId
    who: str


@dataclass(frozen=True, slots=True)
class ApproveCampaign(CommandEvent):
    """Let the loaded revision dial (D5); refused when `revision` names another."""

    campaign: CampaignId
    revision: int | None = None  # None = the newest


@dataclass(frozen=True, slots=True)
class StartCampaign(CommandEvent):
    """Run now, or from the start time on (D11)."""

    campaign: CampaignId


@dataclass(frozen=True, slots=True)
class PauseCampaign(CommandEvent):
    """No new calls; those that are up go on. `why`: in the operator's words, for whoever wonders later."""

    campaign: CampaignId
    why: str = ""


@dataclass(frozen=True, slots=True)
class EndCampaign(CommandEvent):
    """No new calls, ever; ended when the last one is over. `why`: in the operator's words."""

    campaign: CampaignId
    why: str = ""


@dataclass(frozen=True, slots=True)
class DrainSwitch(CommandEvent):
    """No new calls by this switch, or new ones again: for maintenance. Those that are up go on."""

    switch: SwitchId
    on: bool = True


@dataclass(frozen=True, slots=True)
class SetAgentStatus(CommandEvent):
    """What an agent declares. During a call or an offer it takes effect afterwards."""

    agent: AgentId
    status: AgentStatus
    reason: str = ""


# --- the shell ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tick(Event):
    """Time has passed; due timers fire with every event, so nothing more is said."""


@dataclass(frozen=True, slots=True)
class DrainAsked(Event):
    """SIGTERM: no new calls, those that are up end by themselves, then Drained is answered."""


@dataclass(frozen=True, slots=True)
class ClockJumped(Event):
    """The wall clock was set, by this many seconds; our time follows it and never runs backwards."""

    by_s: float


@dataclass(frozen=True, slots=True)
class InboxLag(Event):
    """How far behind the inbox is; past a limit nothing new is dialled until it is short again."""

    lag_s: float

"""What agents and supervisors ask of the engine: every verb of the agent interface, as an event. Answered by a Reply with the same command_id.

`call` names the attempt that the agent means; None = the one he has. A verb that names a call he no longer has is refused, so that a click that comes
late never touches the next customer. Which verbs stand open to an agent at a moment: desk.py; how words from outside become these events: agent_verbs.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.events import CommandEvent, Event, LegEvent
from fs_dialer.core.model import AgentId, AttemptId, CampaignId, CommandId, Lead, LeadId, LegId, SwitchId
from fs_dialer.core.queue_line import Line


@dataclass(frozen=True, slots=True)
class AgentCommand(CommandEvent):
    """Asked by, or for, this agent."""

    agent: AgentId


# --- the campaign screen and the pause (S83–S85) --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenScreen(AgentCommand):
    """The campaign screen is open for `lease_s` from now, unless heard from again."""

    lease_s: float = 30.0


@dataclass(frozen=True, slots=True)
class CloseScreen(AgentCommand):
    """No more campaign calls; what he has goes on. A preview goes back undialled."""


@dataclass(frozen=True, slots=True)
class AgentHeard(Event):
    """A heartbeat of the interface: an open screen stays open for `lease_s` from now. No reply."""

    agent: AgentId
    lease_s: float = 30.0


@dataclass(frozen=True, slots=True)
class PauseInCampaign(AgentCommand):
    """This agent gets no new calls of this one campaign, or gets them again."""

    campaign: CampaignId
    paused: bool = True
    why: str = ""


# --- before the call ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TakeLead(AgentCommand):
    """Manual (S29): the next lead of the campaign, or the one named, for this agent. Counts against his quota (S30, D16)."""

    campaign: CampaignId
    lead: LeadId | None = None


@dataclass(frozen=True, slots=True)
class LeadTaken(Event):
    """The store's answer to TakeLead: the lead is claimed for him and counted, or `gate` says what refused it (`until`: when it may not any more)."""

    command_id: CommandId
    agent: AgentId
    campaign: CampaignId
    lead: Lead | None
    gate: str = ""
    until: float | None = None
    left: int | None = None  # how many more customers his quota allows today, None = no quota


@dataclass(frozen=True, slots=True)
class AcceptPreview(AgentCommand):
    """accept: agent (D17): the time before the call runs from now."""

    call: AttemptId | None = None


@dataclass(frozen=True, slots=True)
class ExtendPreview(AgentCommand):
    """More time before the call, as often as the campaign allows."""

    call: AttemptId | None = None


@dataclass(frozen=True, slots=True)
class DialNow(AgentCommand):
    """Dial the lead on his card: sooner than the preview would, or a taken one."""

    call: AttemptId | None = None


@dataclass(frozen=True, slots=True)
class SkipLead(AgentCommand):
    """Pass the lead over: it goes back undialled."""

    call: AttemptId | None = None
    reason: str = ""


# --- in the call ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HangUp(AgentCommand):
    """End the call: a conversation, or one that is being dialled for him."""

    call: AttemptId | None = None


@dataclass(frozen=True, slots=True)
class HoldCall(AgentCommand):
    """Both legs parked, music for the customer."""

    call: AttemptId | None = None


@dataclass(frozen=True, slots=True)
class ResumeCall(AgentCommand):
    """Back to the customer on hold, or taken back from a consultation or a transfer that nobody answered."""

    call: AttemptId | None = None


@dataclass(frozen=True, slots=True)
class Transfer(AgentCommand):
    """To `kind` agent, team or number, `to` its name. `attended`: the customer waits with music while the two talk first."""

    kind: str
    to: str
    attended: bool = False
    call: AttemptId | None = None


@dataclass(frozen=True, slots=True)
class CompleteTransfer(AgentCommand):
    """The customer goes to whom he was consulting; the agent is out."""

    call: AttemptId | None = None


@dataclass(frozen=True, slots=True)
class RecordCall(AgentCommand):
    """what: start, stop, pause (the recording is silent), resume."""

    what: str
    call: AttemptId | None = None


# --- after the call -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExtendWrapUp(AgentCommand):
    """More rest, as often as the campaign allows."""


@dataclass(frozen=True, slots=True)
class EndWrapUp(AgentCommand):
    """Ready before the rest is over."""


@dataclass(frozen=True, slots=True)
class Disposed(AgentCommand):
    """The store has taken a result for this call: where the campaign says so, his wrap-up ends with it."""

    call: AttemptId | None = None
    code: str = ""


# --- supervisors ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Supervise(AgentCommand):
    """Ring `dial_string` and let it hear this agent's call. how: listen, whisper (the agent hears it too), barge (both do)."""

    dial_string: str
    how: str = "listen"


@dataclass(frozen=True, slots=True)
class StopSupervising(AgentCommand):
    """Hang up whoever listens to this agent."""


# --- inbound ----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueLoaded(Event):
    """A queue as stored: at start, and whenever it changed. Callers who wait keep their terms; who serves them is as it says from now on."""

    line: Line


@dataclass(frozen=True, slots=True)
class CallerQueued(LegEvent):
    """An inbound caller waits, answered and parked, on `switch`. `call`: the id of his call; the leg's own uuid will do, and is the same after a restart.

    `number`: as the network gave it, "" = withheld. `since`: when he came into the queue, None = now. bridged_to: he talks already through this agent's leg
    (told by reconciliation after a restart). `met`: an agent has talked with him, now or before (last_bridge_to, as LegFacts.met): he is on hold, or between
    two agents. Told again for a leg that is known, it changes nothing. After a restart all of them are told before ReconcileDone: what is not known by then
    of an agent's leg can not tell whether its agent is free.
    """

    queue: str
    call: AttemptId
    number: str
    since: float | None = None
    bridged_to: LegId | None = None
    met: bool = False
    switch: SwitchId = SwitchId("main")


@dataclass(frozen=True, slots=True)
class CallerKey(LegEvent):
    """A queued caller pressed a key: the one for a callback (`right`), or another. `at`: when, epoch seconds; None = now. Told again it changes nothing."""

    key: str
    right: bool = True
    at: float | None = None


@dataclass(frozen=True, slots=True)
class KeptFound(LegEvent):
    """A row that the switch kept for us while nobody listened (switch_names.py), and whose leg is gone. After a restart all of them are told before
    ReconcileDone. `what`: key, released, voicemail, opt_out; `place`: the queue, or the flow's extension and node. Of several rows of one caller the key's is
    told, and the others are `also` there."""

    switch: SwitchId
    row: str
    what: str
    place: str
    number: str
    since: float | None
    at: float | None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueRemoved(Event):
    """A queue stands in no definition any more: callers who wait are served to the end, and nobody new is taken in."""

    queue: str


@dataclass(frozen=True, slots=True)
class LeadWithdrawn(Event):
    """A lead in our hands is not to be called any more: its customer was served otherwise (D12), or somebody stopped it. The store knows already.

    Taken out of the hopper; an agent who is being rung for it, or looks at it, is let go. Whose customer's phone rings, or who is up, goes on.
    """

    campaign: CampaignId
    lead: LeadId
    why: str = "served otherwise"


# --- who looks on -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WatchAgent(Event):
    """Somebody looks at this agent's desk: from now on every change of it is a ShowAgent, the first at once. `on` False: nobody does any more."""

    agent: AgentId
    on: bool = True

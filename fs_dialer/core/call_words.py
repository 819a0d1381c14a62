"""The words of the call machine: what a call remembers, what can happen to it (inputs), what it wants done (directives).

The machine itself is call.py (the table) and call_rules.py (what each rule does).
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.actions import Action
from fs_dialer.core.changed import value
from fs_dialer.core.flow import Ivr
from fs_dialer.core.hangup import Evidence
from fs_dialer.core.model import AgentId, AttemptId, CallState, CampaignId, GatewayId, Lead, LegId, SwitchId


@dataclass(frozen=True, slots=True)
class Terms:
    """On which a caller waits in a queue, taken when he came (queue_definition.py has them in the words of an admin).

    key_after_s: the key for a callback counts only so long after he came, None = there is no such key. then: hang_up, voicemail, number, when he has waited
    too long; then_at_most_s: how long the switch may take for that, None = it has an end by itself.
    """

    queue: str = ""
    key_after_s: float | None = None
    said_at_key: str | None = None
    said_too_early: str | None = None
    said_wrong: str | None = None
    announce_every_s: float | None = None
    place: str | None = None  # played before his place in the line
    wait: str | None = None  # played before the minutes that he will probably wait
    minutes: str | None = None  # and after them
    then: str = "hang_up"
    then_at_most_s: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call needs to know of its campaign, taken when it was placed: a changed definition does not touch a call that is up."""

    first_leg: str
    on_answer: str
    preview_s: float | None
    ring_timeout_s: float
    agent_ring_s: float
    max_wait_s: float
    music: str
    notice: str | None
    ivr: str = ""
    screening: bool = False
    preview_end: str = "dial"  # dial, skip, not_available
    accept: bool = False  # the preview runs from the agent's acceptance (D17)
    ringback: str = ""  # what an agent who was rung first hears while the customer's phone rings
    agent_hears: str | None = None  # a beep or a few words for the agent before he is bridged
    record: str = "off"  # off, answered, all, on_demand
    record_pause: bool = True
    stereo: bool = False
    zone: str = "UTC"
    terms: Terms | None = None  # of a queue: the call is an inbound caller's
    script: Ivr | None = None  # the flow whose extension `ivr` is
    attributes: tuple[str, ...] = ()  # of the lead, that the flow uses
    detect: str = ""
    machines: str = "hang_up"  # hang_up, message, go_on
    message: str | None = None
    message_succeeds: bool = False

    @property
    def in_flow(self) -> bool:
        """An answered customer is in an IVR flow, which runs in the switch by itself."""
        return self.on_answer == "ivr"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a customer is being transferred to, or whom his agent asks first.

    kind: agent, number. stage: ringing; meeting, talking = being bridged to the agent who asks, and done; handing = being bridged to the customer.
    `attended` False: he gets the customer as soon as he is there. `nailed`: his leg is parked and needs no ringing.
    """

    kind: str
    name: str
    leg: LegId
    ring_s: float
    agent: AgentId | None = None
    nailed: bool = False
    attended: bool = True
    stage: str = "ringing"

    @property
    def words(self) -> str:
        return f"{self.kind} {self.name}"


@value
class Call:
    id: AttemptId
    campaign: CampaignId
    lead: Lead
    lead_leg: LegId
    plan: Plan
    state: CallState = CallState.QUEUED
    agent: AgentId | None = None
    agent_leg: LegId | None = None
    agent_ready: bool = False  # the agent's leg is answered and parked
    nailed: bool = False
    lead_parked: bool = False
    bridging: bool = False  # uuid_bridge is on its way
    music: bool = False  # the customer is meant to hear it
    playing: int = 0  # what was sent to the customer and has not been reported as over: a newcomer may wait behind what is being played
    again_at: float | None = None  # music that was over is not begun again before this
    leg_seen: bool = False
    last_agent: AgentId | None = None  # whom the customer met, kept past his release
    dialed_at: float | None = None
    rang_at: float | None = None
    answered_at: float | None = None
    bridged_at: float | None = None
    wait_until: float | None = None
    cancel_reason: str = ""
    we_hung_up: bool = False
    machine: bool = False
    path: str = ""  # what was done in the flow, as far as it was told
    node: str = ""  # of the flow, where an agent is wanted or was wanted last
    wants_agent: bool = False  # and his leg may not be parked yet
    wanted_at: float | None = None  # when an agent was wanted first
    asking: str = ""  # the node whose HTTP request is on its way
    asked_http_at: float = 0.0
    over_at: str = ""  # the node whose service has answered, where none follows: the flow ended there, as a success (D13)
    answers: tuple[tuple[str, str], ...] = ()  # of services, by name
    opted_out: tuple[str, ...] = ()  # lists of do-not-call that have been told
    put_through: bool = False  # his flow has connected him with a number outside
    message: str = ""  # for a machine: playing, left
    caller_id: str = ""
    gateway: GatewayId | None = None
    switch: SwitchId = SwitchId("")  # where all its legs are; "" = not chosen yet, or there is only one
    gates: tuple[tuple[str, str], ...] = ()  # what each gate answered when it was placed
    gates_at: float = 0.0
    preview_until: float | None = None
    accepted: bool = True
    extended: int = 0
    target: Target | None = None
    outside: bool = False  # he was transferred to a number: agent_leg is its leg, and no agent is in the call
    parted_at: float | None = None  # put on hold, and the switch has not said yet that he is parked
    apart: int = 0  # the bridge ended without either leg's end: 1 = heard, 2 = the switch was asked
    hearing: bool = False  # the agent hears his beep; then they are bridged
    recording: str = "off"  # on, paused
    recordings: int = 0  # files begun; a second one has a name of its own
    recorded_from: float | None = None
    recorded_until: float | None = None
    news: str = ""  # what became of a transfer, for the agent
    leaving: str = ""  # a queued caller who is on his way out by callback, voicemail, overflow or released; "" = not, or by the longest wait
    key_at: float | None = None  # when he pressed the key for a callback
    kept: tuple[str, ...] = ()  # rows in the switch that are settled with him (switch_names.py)
    said_at: float | None = None  # something began to be said to him then, and its end has not been reported
    say_at: float | None = None  # when he is told next how he stands

    @property
    def waits_since(self) -> float:
        """When he began to wait for an agent, whoever he has had since."""
        return self.wanted_at if self.wanted_at is not None else self.answered_at or 0.0

    @property
    def with_target(self) -> bool:
        """His agent's leg and the target's are one pair, or about to be."""
        return self.target is not None and self.target.stage in ("meeting", "talking")


# --- inputs ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Input:
    pass


class Begin(Input):
    """Placed by the engine; its agent, if the type reserves one, is set."""


class DialNow(Input):
    """The preview is over: its time is up, or the agent said so."""


class Skip(Input):
    """The agent declined the preview."""


class Accepted(Input):
    """The agent accepts the preview: its time runs from now."""


@dataclass(frozen=True, slots=True)
class Prolonged(Input):
    """The agent wants more time before the call."""

    by_s: float


class LeadSeen(Input):
    """The lead leg exists."""


class LeadRang(Input):
    pass


class LeadEarly(Input):
    """Early media: the network's own sounds can be heard."""


class LeadAnswered(Input):
    pass


class LeadParked(Input):
    pass


@dataclass(frozen=True, slots=True)
class LeadEnded(Input):
    """The lead leg is over, or was refused. `certain` False: it is gone and nobody knows how."""

    cause: str
    sip_status: int | None = None
    q850: int | None = None
    certain: bool = True
    path: str = ""  # what was done in the flow
    by_us: bool = False  # our side hung up: we, or the flow


@dataclass(frozen=True, slots=True)
class Refused(Input):
    """The store's last gate said no, or one of ours at the moment of dialling; nothing was dialled. `until`: when it may say yes."""

    gate: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Offer(Input):
    """The engine has an agent for a waiting call. `ready`: his leg is parked; else `leg` is the one to ring him on."""

    agent: AgentId
    leg: LegId
    ready: bool
    found: bool = False  # he was rung for this very call by an earlier daemon, and is parked: his leg ends with it, as if we had rung him


class NobodyFree(Input):
    pass


class AgentParked(Input):
    """The agent's own leg for this call is answered and parked."""


class AgentGone(Input):
    """The agent's leg is over: he did not answer, refused, hung up, or was lost."""


@dataclass(frozen=True, slots=True)
class Connected(Input):
    """CHANNEL_BRIDGE of our two legs. `found`: nobody told it; asked, the switch says that they are bridged now."""

    found: bool = False


class Apart(Input):
    """CHANNEL_UNBRIDGE."""


class BridgeFailed(Input):
    pass


class MachineHeard(Input):
    pass


class PersonHeard(Input):
    pass


class BeepHeard(Input):
    """An answering machine records from now on."""


@dataclass(frozen=True, slots=True)
class IvrWantsAgent(Input):
    """The flow has come to a node that connects with an agent, and his leg parks."""

    node: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class HttpWanted(Input):
    """The flow has come to a node whose request is to be made."""

    node: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class HttpCame(Input):
    node: str
    ok: bool
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FoundInFlow(Input):
    """The switch was asked: the leg is up and bridged to nobody. `parked` False: the flow goes on by itself."""

    path: str
    parked: bool


@dataclass(frozen=True, slots=True)
class OptedOut(Input):
    """He asked not to be called any more; this list has been told."""

    list: str = ""


class PutThrough(Input):
    """His flow has bridged him with a number outside: the leg there is none of ours."""


class HoldAsked(Input):
    pass


class ResumeAsked(Input):
    pass


class HangUpAsked(Input):
    """The agent ends the call."""


@dataclass(frozen=True, slots=True)
class ConsultAsked(Input):
    """A transfer, attended or blind. The engine has found whom, and by which leg."""

    target: Target


class CompleteAsked(Input):
    """The customer goes to whom his agent consults."""


class TargetUp(Input):
    """The target's leg is answered and parked."""


class TargetGone(Input):
    """The target refused, did not answer, hung up, or was lost."""


class Met(Input):
    """CHANNEL_BRIDGE of the agent and the target."""


class Handed(Input):
    """CHANNEL_BRIDGE of the customer and the target."""


class AgentHeard(Input):
    """What was played to the agent has ended."""


@dataclass(frozen=True, slots=True)
class RecordAsked(Input):
    """what: start, stop, pause, resume."""

    what: str


@dataclass(frozen=True, slots=True)
class Recorded(Input):
    """The switch writes (RECORD_START), or has stopped (RECORD_STOP)."""

    on: bool


class RecordFailed(Input):
    """The switch can not write this recording."""


class NoticeOver(Input):
    """What was played to the customer has ended: the notice, or his music."""


@dataclass(frozen=True, slots=True)
class Due(Input):
    """A timer of this call."""


class PreviewDue(Due):
    pass


class RingDue(Due):
    """The lead leg outlived its own ring timeout without a word."""


class AgentRingDue(Due):
    pass


class WaitDue(Due):
    """The customer has waited long enough."""


class BridgeDue(Due):
    pass


class TargetDue(Due):
    """The target has been rung long enough."""


class HeardDue(Due):
    """What the agent hears before the bridge takes too long, or its end was not reported."""


class MusicDue(Due):
    """Music that ended at once may be tried again."""


class SayDue(Due):
    """A queued caller is to be told how he stands, or what he is being told takes too long."""


class GuardDue(Due):
    """A hang-up was asked for and its leg's end was not reported."""


@dataclass(frozen=True, slots=True)
class KeyPressed(Input):
    """A queued caller pressed the key for a callback, or with `right` False another one. `at`: when, None = now. `row`: where the switch keeps it."""

    right: bool
    at: float | None = None
    row: str = ""


@dataclass(frozen=True, slots=True)
class Announced(Input):
    """What a queued caller is to be told now."""

    sounds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Released(Input):
    """The fallback in the switch took this queued caller out of the queue: no daemon was heard of for too long."""

    why: str = ""  # released, voicemail, overflow; "" = as his queue says
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancel(Input):
    reason: str


INPUTS: tuple[type[Input], ...] = (
    Begin,
    DialNow,
    Skip,
    Accepted,
    Prolonged,
    LeadSeen,
    LeadRang,
    LeadEarly,
    LeadAnswered,
    LeadParked,
    LeadEnded,
    Refused,
    Offer,
    NobodyFree,
    AgentParked,
    AgentGone,
    Connected,
    Apart,
    BridgeFailed,
    MachineHeard,
    PersonHeard,
    BeepHeard,
    IvrWantsAgent,
    HttpWanted,
    HttpCame,
    FoundInFlow,
    OptedOut,
    PutThrough,
    HangUpAsked,
    HoldAsked,
    ResumeAsked,
    ConsultAsked,
    CompleteAsked,
    TargetUp,
    TargetGone,
    Met,
    Handed,
    AgentHeard,
    RecordAsked,
    Recorded,
    RecordFailed,
    NoticeOver,
    PreviewDue,
    RingDue,
    AgentRingDue,
    WaitDue,
    BridgeDue,
    GuardDue,
    TargetDue,
    HeardDue,
    MusicDue,
    KeyPressed,
    SayDue,
    Announced,
    Released,
    Cancel,
)


DUES: tuple[type[Due], ...] = (PreviewDue, RingDue, AgentRingDue, WaitDue, BridgeDue, GuardDue, TargetDue, HeardDue, MusicDue, SayDue)


# --- directives to the engine ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DialLead:
    """Commit the attempt and originate the lead leg."""


@dataclass(frozen=True, slots=True)
class RingAgent:
    """Originate the agent's leg for this call."""

    agent: AgentId
    leg: LegId


@dataclass(frozen=True, slots=True)
class RingReserved:
    """Ring the agent who was reserved for this call: the engine picks a leg and offers it."""


@dataclass(frozen=True, slots=True)
class Need:
    """An agent is wanted. Answered by Offer or NobodyFree."""


@value
class Free:
    """Give the agent back. why: served (he talked), unserved, missed_offer (he did not come), bridge_failed (he came, and the bridge did not), absent (he
    let a preview run out: not available), consulted (he was asked, and the customer is not his)."""

    agent: AgentId
    why: str


@dataclass(frozen=True, slots=True)
class Talks:
    """The agent is with the customer now."""

    agent: AgentId
    state: str  # talking, held, consulting


@dataclass(frozen=True, slots=True)
class RingTarget:
    """Originate the leg of the call's target."""


@dataclass(frozen=True, slots=True)
class Record:
    """Begin, end, silence or go on with the recording of the lead leg. what: start, stop, pause, resume."""

    what: str


@value
class Timer:
    """Set, or with None clear, one of this call's timers."""

    due: type[Due]
    at: float | None


@dataclass(frozen=True, slots=True)
class Say:
    """Tell a queued caller his place in the line and how long he will probably wait, as far as that is known. Answered by Announced, or not at all."""


@dataclass(frozen=True, slots=True)
class Forget:
    """These rows that the switch keeps of a queued caller mean nothing."""

    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskSwitch:
    """The lead leg's end is overdue: ask whether it exists."""


@value
class Finish:
    """Over. `evidence` None: nothing was dialled; then `gate` says why (a store gate's code, or "" = we changed our mind)."""

    evidence: Evidence | None
    gate: str = ""
    until: float | None = None


Directive = Action | DialLead | RingAgent | RingReserved | RingTarget | Record | Need | Free | Talks | Timer | Say | Forget | AskSwitch | Finish

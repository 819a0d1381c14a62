"""What an agent may see of himself at one moment, and what he may do: values only, made by desk.py, shown by the agent interface.

Times are epoch seconds; deadlines are the server's, so that every screen shows the same one. Whose name and attributes belong to `lead` is the database's
to say: the engine knows nobody's name.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.model import AgentId, AgentState, AgentStatus, AttemptId, CallState, CampaignId, CampaignType, LeadId

VERBS = (
    "open_screen",
    "close_screen",
    "available",
    "not_available",
    "log_out",
    "pause_campaign",
    "resume_campaign",
    "take",
    "accept",
    "extend_preview",
    "dial",
    "skip",
    "hang_up",
    "hold",
    "resume",
    "transfer",
    "complete_transfer",
    "record",
    "stop_recording",
    "pause_recording",
    "resume_recording",
    "dispose",
    "extend_wrap_up",
    "end_wrap_up",
)
"""Everything an agent can ask, in the order of a call. `take`, `accept` … are agent_events.py's; `dispose` is filed in the database."""


@dataclass(frozen=True, slots=True)
class CallPicture:
    """The call that is his. `state`: of the call machine; previewing = the card is his and nothing is dialled yet.

    preview_until: the lead is dialled (or what at_end says) then, None = he dials himself; extensions: how often he may still prolong it.
    wait_since: since when an answered customer waits. consulting: whom he consults ("agent lan", "number +44…"), `consult_up`: they talk.
    recording: off, on, paused. news: what became of a transfer, in words. `can`: the verbs open to him in this call.
    """

    id: AttemptId
    campaign: CampaignId
    lead: LeadId
    number: str
    state: CallState
    since: float
    preview_until: float | None = None
    accepted: bool = True
    extensions: int = 0
    dialed_at: float | None = None
    answered_at: float | None = None
    bridged_at: float | None = None
    consulting: str = ""
    consult_up: bool = False
    recording: str = "off"
    news: str = ""
    attempts: int = 0  # at this lead before this one
    caller_id: str = ""
    can: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LastCall:
    """The call that he has just had and that has no result of his yet."""

    id: AttemptId
    campaign: CampaignId
    lead: LeadId
    met: bool  # he talked to the customer
    disposed: bool = False


@dataclass(frozen=True, slots=True)
class CampaignDesk:
    """A campaign he serves. `paused`: for him alone. `because`: what its mode does now, in words. ready: leads at hand that he could take (manual)."""

    id: CampaignId
    type: CampaignType
    running: bool
    paused: bool
    screen_needed: bool
    because: str
    ready: int = 0


@dataclass(frozen=True, slots=True)
class AgentPicture:
    """`leaving`: a status declared during a call, which takes effect after it. rest_until: end of his wrap-up, or of the rest after a missed offer.

    `can`: the verbs open to him now. missed_in_row: offers he did not answer.
    """

    agent: AgentId
    name: str
    status: AgentStatus
    reason: str
    state: AgentState
    since: float
    screen_until: float | None
    leaving: bool
    missed_in_row: int
    rest_until: float | None
    wrap_up_extensions: int
    calls: int
    call: CallPicture | None
    last: LastCall | None
    campaigns: tuple[CampaignDesk, ...]
    can: tuple[str, ...]

"""The shapes in which a store hands things over: rows that are more than one of the core's own values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fs_dialer.core.definition import AgentDefinition, Campaign
from fs_dialer.core.model import AgentStatus, Attempt, AttemptResult, CampaignState, CampaignType, CommandId, Lead, LeadUpdate

PACED = frozenset({CampaignType.PROGRESSIVE, CampaignType.PREDICTIVE})
"""Types whose pace may miss somebody: of these a store counts who answered today."""


@dataclass(frozen=True, slots=True)
class StoredCampaign:
    """The campaign at the revision that dials (the newest approved one, else the newest), with its life-cycle state.

    `newest_revision` is above `campaign.revision` while a changed definition waits for its approval (D5). `today`: how many persons answered since the day
    began in the campaign's zone, and how many of them were missed (D1), counted a minute ago at most; None for types that cannot miss anybody by pacing.
    """

    campaign: Campaign
    state: CampaignState
    started: bool
    reason: str
    newest_revision: int
    zone_sets: tuple[tuple[str, ...], ...]
    memory: Mapping[str, Any] | None
    today: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class StoredAgent:
    agent: AgentDefinition
    status: AgentStatus
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What claim_leads brought. `next_ready_at` and `unfinished` are asked only when fewer came than wanted."""

    leads: tuple[Lead, ...]
    next_ready_at: float | None = None
    unfinished: bool = True


@dataclass(frozen=True, slots=True)
class Taken:
    """What take_lead brought: the lead, now in the agent's hands, or the gate that refused it. `until`: when it may not any more, epoch seconds; None = not
    by time alone. `left`: how many more customers the agent may take today, None = no quota."""

    lead: Lead | None
    gate: str = ""
    until: float | None = None
    left: int | None = None


@dataclass(frozen=True, slots=True)
class StoredCommand:
    """A command row the CLI wrote: verb in {approve, start, pause, end, agent_status}, and its words."""

    id: CommandId
    verb: str
    target: str
    who: str
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dialled:
    """An attempt as a daemon's journal tells it. `lead` as it was claimed; `end` None: it was still up when the journal ends."""

    attempt: Attempt
    lead: Lead
    end: tuple[AttemptResult, LeadUpdate] | None = None

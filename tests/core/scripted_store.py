"""A store made of dictionaries, for scripted hours: it keeps leads, attempts and states, and raises Wrong when the engine breaks its promises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.leads import DIALABLE
from fs_dialer.core.model import AgentId, AgentStatus, Attempt, AttemptId, CampaignId, Lead, LeadStatus, OpenAttempt


class Wrong(AssertionError):
    """The engine asked for something that must never be asked, or forgot something it must do."""


@dataclass
class Kept:
    """A lead in the store."""

    lead: Lead
    claimed: bool = False
    busy: bool = False


class ScriptedStore:
    """`up`: False while the database is away."""

    def __init__(self, leads: Iterable[Lead]) -> None:
        self.kept = {lead.id: Kept(lead) for lead in leads}
        self.opened: dict[AttemptId, Attempt] = {}
        self.lead_of: dict[AttemptId, Lead] = {}
        self.closed: dict[AttemptId, act.CloseAttempt] = {}
        self.states: dict[CampaignId, act.StoreCampaignState] = {}
        self.statuses: dict[AgentId, AgentStatus] = {}
        self.up = True

    def take_over(self) -> None:
        """A new daemon: what the former one had claimed is free again, but for leads with an open attempt."""
        for kept in self.kept.values():
            kept.claimed = kept.busy

    def claim(self, campaign: CampaignId, count: int, now: float) -> ev.Event:
        if not self.up:
            return ev.ClaimFailed(campaign)
        free = [k for k in self.kept.values() if k.lead.campaign == campaign and k.lead.status in DIALABLE and not (k.claimed or k.busy)]
        ready = [k for k in free if k.lead.ready_at <= now][:count]
        for kept in ready:
            kept.claimed = True
        waiting = [k.lead.ready_at for k in free if k.lead.ready_at > now]
        return ev.LeadsClaimed(campaign, tuple(k.lead for k in ready), min(waiting, default=None), True)

    def open(self, attempt: Attempt, now: float, *, refused: bool, gates: Random) -> str | None:
        """The last gate: None, or the code of what refused it."""
        kept = self.kept[attempt.lead]
        if not kept.claimed or kept.busy or kept.lead.ready_at > now:
            raise Wrong(f"lead {attempt.lead} was dialled while it was not ready or not ours")
        if not self.up:
            return "store_down"
        if refused:
            gate = gates.choice(["campaign_paused", "do_not_call"])
            if gate == "do_not_call":
                kept.claimed, kept.lead = False, replace(kept.lead, status=LeadStatus.BLOCKED)
            return gate
        kept.busy = True
        self.opened[attempt.id], self.lead_of[attempt.id] = attempt, kept.lead
        return None

    def still_open(self) -> list[OpenAttempt]:
        return [OpenAttempt(self.opened[i], self.lead_of[i]) for i in self.opened if i not in self.closed]

    def write(self, action: act.Action) -> None:
        if isinstance(action, act.ReturnLeads):
            self._returned(action)
        elif isinstance(action, act.CloseAttempt):
            self._closed(action)
        elif isinstance(action, act.StoreCampaignState):
            self.states[action.campaign] = action
        elif isinstance(action, act.StoreAgentStatus):
            self.statuses[action.agent] = action.status

    def _returned(self, a: act.ReturnLeads) -> None:
        for back in a.leads:
            kept = self.kept[back.lead]
            if kept.busy or not kept.claimed:
                raise Wrong(f"lead {back.lead} was given back and is not the daemon's to give")
            kept.claimed, kept.lead = False, replace(kept.lead, ready_at=back.ready_at)

    def _closed(self, a: act.CloseAttempt) -> None:
        id_ = a.result.attempt
        if id_ not in self.opened:
            raise Wrong(f"attempt {id_} was closed and never opened")
        if id_ in self.closed:
            raise Wrong(f"attempt {id_} was closed twice")
        self.closed[id_] = a
        kept, u = self.kept[a.update.lead], a.update
        kept.claimed = kept.busy = False
        kept.lead = replace(kept.lead, status=u.status, attempts=u.attempts, ours_in_row=u.ours_in_row, ready_at=u.ready_at)

    def check_end(self) -> None:
        """Every attempt was closed, and every lead came back."""
        if set(self.opened) != set(self.closed):
            raise Wrong(f"never closed: {set(self.opened) - set(self.closed)}")
        if any(kept.busy or kept.claimed for kept in self.kept.values()):
            raise Wrong(f"leads that never came back: {[k for k in self.kept.values() if k.busy or k.claimed]}")

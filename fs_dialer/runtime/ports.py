"""The shell's borders: what a store and a switch must be able to do. Implemented by db/postgres.py, db/memory.py, runtime/switch_port.py, sim/port.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from fs_dialer.core import actions
from fs_dialer.core.definition import Installation
from fs_dialer.core.events import Event
from fs_dialer.core.model import (
    AgentId,
    AgentStatus,
    AgentTimes,
    Attempt,
    AttemptResult,
    CampaignId,
    CampaignState,
    CommandId,
    LeadId,
    LeadReturn,
    LeadUpdate,
    OpenAttempt,
    Refusal,
    SwitchId,
)
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.snapshot import Snapshot
from fs_dialer.core.stored import Claim, StoredAgent, StoredCampaign, StoredCommand, Taken


class Store(Protocol):
    """Everything the daemon asks of the database. Every method is one transaction. StoreError on failure, `lost` when the connection is gone."""

    def take_epoch(self, holder: str) -> int | None:
        """Become the one active daemon: the advisory lock and a new epoch; None while another holds it."""

    def installation(self) -> Installation: ...
    def campaigns(self) -> Sequence[StoredCampaign]: ...
    def campaign(self, campaign: CampaignId) -> StoredCampaign | None: ...
    def agents(self) -> Sequence[StoredAgent]: ...
    def teams(self) -> Mapping[str, tuple[AgentId, ...]]: ...
    def claim_leads(
        self, campaign: CampaignId, count: int, zone_sets: Sequence[tuple[str, ...]], now: float, attributes: Sequence[str] = ()
    ) -> Claim: ...
    def take_lead(self, action: actions.TakeLeadNow, now: float) -> Taken:
        """Under the epoch: the next ready lead, or the one named, into an agent's hands, if his quota allows it (S29–S34, D16). It goes back like any
        claimed lead, and then does not count."""

    def return_leads(self, campaign: CampaignId, leads: Sequence[LeadReturn]) -> None: ...
    def return_all_claims(self) -> int: ...
    def open_attempts(self, attempts: Sequence[Attempt]) -> Sequence[Refusal | None]:
        """Commit them under the current epoch; per attempt None, or what refused it."""

    def close_attempts(self, results: Sequence[tuple[AttemptResult, LeadUpdate]]) -> None:
        """Idempotent by attempt id."""

    def queues(self) -> Sequence[QueueDefinition]: ...
    def caller_served(self, action: actions.CallerServed) -> None:
        """The number has been served: its open callback tickets are closed, and leads that wait to call it back are withdrawn (D12). Idempotent by call."""

    def callers_left(self, gone: Sequence[actions.CallerLeft]) -> None:
        """Each caller's row, and his ticket: channel callback when he pressed the key, missed where the queue wants one. Idempotent by call; no call twice.
        One who was served, which nobody had told, is settled as by caller_served."""

    def opt_out(self, action: actions.OptOut) -> None:
        """The number goes on the list, and every lead of it is blocked; again changes nothing."""

    def return_refused(self, now: float) -> int:
        """Leads whose no-callback time is over go back to what they were (D16); how many."""

    def open_attempts_found(self) -> Sequence[OpenAttempt]: ...
    def set_campaign_state(self, campaign: CampaignId, revision: int, state: CampaignState, started: bool, reason: str, who: str) -> None: ...
    def approve_revision(self, campaign: CampaignId, revision: int, who: str) -> None:
        """It dials from now on; the campaign's state stays as it is in this moment (D5)."""

    def drained_switches(self) -> Mapping[SwitchId, float]:
        """Which get no new calls, and since when."""

    def set_switch_drained(self, switch: SwitchId, since: float | None, who: str) -> None:
        """`since` None: it gets calls again."""

    def set_agent_status(self, agent: AgentId, status: AgentStatus, reason: str, who: str) -> None: ...
    def save_agent_times(self, rows: Sequence[AgentTimes]) -> None:
        """Added to what is there; the same rows again add nothing."""

    def save_memory(self, campaign: CampaignId, memory: Mapping[str, Any]) -> None: ...
    def pending_commands(self) -> Sequence[StoredCommand]: ...
    def reply(self, command: CommandId, ok: bool, text: str) -> None: ...


class DaemonStore(Store, Protocol):
    """A store that outlives a lost connection, for a live daemon."""

    @property
    def epoch(self) -> int | None: ...
    def still_leader(self) -> bool:
        """Whether the lock's connection is up and the epoch current; False: stop dialling, then take_epoch."""

    def publish(self, snapshot: Snapshot) -> None:
        """The engine's state for `status`, in place of the last one."""

    def close(self) -> None: ...


class VirtualStore(Store, Protocol):
    """A store in virtual time, where no trigger runs beside the daemon and nobody notifies it."""

    def call_back(self, campaign: CampaignId) -> Sequence[LeadId]:
        """What a trigger `add_to` does: who asked for a callback joins the campaign, in the order of asking (S82, S89); the new leads."""

    def withdrawn(self) -> Sequence[tuple[CampaignId, LeadId]]:
        """Leads stopped since this was asked last, because their customers were served otherwise or had waited too long (D12)."""


class Switch(Protocol):
    """What the engine's leg actions become. Results arrive as events, never as return values."""

    def originate_lead(self, action: actions.OriginateLead) -> None: ...
    def originate_agent(self, action: actions.OriginateAgent) -> None: ...
    def originate_outside(self, action: actions.OriginateOutside) -> None: ...
    def originate_supervisor(self, action: actions.OriginateSupervisor) -> None: ...
    def bridge(self, action: actions.Bridge) -> None: ...
    def hangup(self, action: actions.Hangup) -> None: ...
    def play_music(self, action: actions.PlayMusic) -> None: ...
    def play_notice(self, action: actions.PlayNotice) -> None: ...
    def park_both(self, action: actions.ParkBoth) -> None: ...
    def keep_leg(self, action: actions.KeepLeg) -> None: ...
    def start_recording(self, action: actions.StartRecording) -> None: ...
    def stop_recording(self, action: actions.StopRecording) -> None: ...
    def pause_recording(self, action: actions.PauseRecording) -> None: ...
    def resume_recording(self, action: actions.ResumeRecording) -> None: ...
    def enter_ivr(self, action: actions.EnterIvr) -> None: ...
    def announce(self, action: actions.Announce) -> None: ...
    def forget_kept(self, action: actions.ForgetKept) -> None: ...
    def renew_fallback(self, action: actions.RenewFallback) -> None: ...

    def drop_fallback(self, action: actions.DropFallback) -> None: ...
    def ask_leg(self, action: actions.AskLeg) -> None: ...
    def reconcile(self, action: actions.Reconcile) -> None: ...


class VirtualSwitch(Switch, Protocol):
    """A switch in virtual time: it is told the time, and its events are fetched."""

    def at(self, now: float) -> None:
        """What follows happens at this time."""

    def next_wakeup(self) -> float | None: ...
    def advance(self, now: float) -> Sequence[Event]:
        """All that has happened until now, as the engine's events."""

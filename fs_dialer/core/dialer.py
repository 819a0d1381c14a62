"""The engine: events and the time in, actions out. `handle` is the only mutator and never yields, so every event is atomic and no lock exists.

Reads no clock, draws no randomness of its own and makes no ids: equal seed and events give equal actions, byte for byte. How one call runs stands in
call.py, how it is stepped in calling.py, how many are placed in placing.py, restarts and lost links in adopting.py, campaigns and agents in lifecycle.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from random import Random
from typing import Any

from fs_dialer.core import adopting, callers, calling, closing, desk, fallbacks, flows, hopper, in_call, lifecycle, pictures, placing, switch_loss
from fs_dialer.core import agent as agents
from fs_dialer.core import call_words as calls
from fs_dialer.core import events as ev
from fs_dialer.core.actions import Action, Drained, Hangup
from fs_dialer.core.definition import Installation
from fs_dialer.core.invariants import check
from fs_dialer.core.mode_port import NOT_DIALLED, Mode, Observation
from fs_dialer.core.model import AgentId, AgentStatus, CallState, CampaignType, LegId
from fs_dialer.core.snapshot import Snapshot, take
from fs_dialer.core.world import LegRole, World

HELD_TIMER_S = 1.0  # a call's timer that fell due without a link is asked again after this
LOST_EVENT_S = 2.0  # how long BACKGROUND_JOB -ERR waits for its leg's HANGUP_COMPLETE


class Dialer:
    """One installation's engine. `modes`: the campaign types offered; `rng`, `new_id`: randomness and ids from outside."""

    def __init__(self, modes: Mapping[CampaignType, Mode], *, rng: Random, new_id: Callable[[], str]) -> None:
        self._modes = modes
        self._w = World(rng, new_id)
        self._handlers: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.LegCreated: self._leg_created,
            ev.LegRang: self._leg_rang,
            ev.LegAnswered: self._leg_answered,
            ev.LegParked: self._leg_parked,
            ev.LegBridged: self._leg_bridged,
            ev.LegUnbridged: self._leg_unbridged,
            ev.LegEnded: self._leg_ended,
            ev.LegDestroyed: self._leg_destroyed,
            ev.OriginateSucceeded: self._originate_succeeded,
            ev.OriginateFailed: self._originate_failed,
            ev.SwitchUp: lambda e: adopting.switch_up(self._w, e),
            ev.SwitchLost: lambda e: adopting.switch_lost(self._w, e),
            ev.LegFound: lambda e: adopting.leg_found(self._w, e),
            ev.LegGone: lambda e: adopting.leg_gone(self._w, e),
            ev.AttemptFound: lambda e: adopting.attempt_found(self._w, e),
            ev.ReconcileDone: lambda e: adopting.reconcile_done(self._w, e),
            ev.InstallationLoaded: self._installation_loaded,
            ev.CampaignLoaded: self._campaign_loaded,
            ev.AgentLoaded: lambda e: lifecycle.load_agent(self._w, e),
            ev.AgentRemoved: lambda e: lifecycle.remove_agent(self._w, e.agent),
            ev.TeamsLoaded: lambda e: lifecycle.load_teams(self._w, e),
            ev.LeadsClaimed: self._leads_claimed,
            ev.ClaimFailed: self._claim_failed,
            ev.AttemptOpened: lambda e: None,
            ev.AttemptRefused: lambda e: calling.feed(self._w, e.attempt, calls.Refused(e.gate, e.until)),
            ev.StoreLost: self._store_lost,
            ev.StoreBack: self._store_back,
            ev.ApproveCampaign: lambda e: lifecycle.command_campaign(self._w, e, e.campaign),
            ev.StartCampaign: lambda e: lifecycle.command_campaign(self._w, e, e.campaign),
            ev.PauseCampaign: lambda e: lifecycle.command_campaign(self._w, e, e.campaign),
            ev.EndCampaign: lambda e: lifecycle.command_campaign(self._w, e, e.campaign),
            ev.SetAgentStatus: lambda e: lifecycle.command_agent(self._w, e),
            ev.Tick: lambda e: None,
            ev.DrainAsked: self._drain_asked,
            ev.ClockJumped: lambda e: self._w.note("WARNING", "clock_jumped", by_s=round(e.by_s, 3)),
            ev.InboxLag: self._inbox_lag,
            ev.DrainSwitch: lambda e: switch_loss.drain(self._w, e),
            ev.SwitchesDrained: lambda e: switch_loss.drained_before(self._w, e),
        }
        for kind, rule in (*desk.HANDLERS.items(), *in_call.HANDLERS.items(), *callers.HANDLERS.items(), *flows.HANDLERS.items()):
            self._handlers[kind] = partial(rule, self._w)

    # --- the public face --------------------------------------------------------------------------------------------------------------

    def handle(self, event: ev.Event, now: float) -> list[Action]:
        """Take one event at `now` (epoch seconds; never backwards) and say what must be done. Timers that are due fire first."""
        w = self._w
        w.now = max(w.now, now)
        w.out = []
        self._fire_timers()
        self._handlers[type(event)](event)
        while w.stopped:
            calling.drop_undialed(w, w.stopped.pop(), "the campaign was stopped")
        for run in w.asked_after:
            hopper.ask_what_is_left(w, run)
        w.asked_after.clear()
        while w.logged_out:
            desk.left(w, w.logged_out.pop())
        if w.pace_due:
            placing.pace(w)
            hopper.end_if_done(w)
        if w.draining and not w.drained:
            self._drain_on()
        if w.touched:
            pictures.show_touched(w)
        return w.out

    def next_wakeup(self) -> float | None:
        """When handle wants to be called again even if nothing happens; None = not by time alone."""
        return self._w.timers.next_at()

    def snapshot(self) -> Snapshot:
        return take(self._w)

    @property
    def installation(self) -> Installation:
        """As it was loaded last."""
        return self._w.installation

    def story(self, about: str) -> list[str]:
        """What happened to one id (a call, an agent, a campaign), oldest first, as far back as memory goes."""
        return [f"{at:.3f} {what}{': ' + _words(detail) if detail else ''}" for at, who, what, detail in self._w.story if who == about]

    def check_invariants(self) -> None:
        """IllegalTransition, with the story, when anything that must always hold does not."""
        check(self._w, self.story)

    # --- time -------------------------------------------------------------------------------------------------------------------------

    def _fire_timers(self) -> None:
        w = self._w
        while (key := w.timers.pop_due(w.now)) is not None:
            assert isinstance(key, tuple)
            kind = key[0]
            if kind == "call" and not w.linked_for(w.calls.get(key[1])):
                # Nothing is concluded from silence while the link is down: the news may only be on their way.
                w.timers.set(key, w.now + HELD_TIMER_S)
            elif kind == "call":
                calling.feed(w, key[1], key[2]())
            elif kind == "rest":
                self._rest_over(key[1])
            elif kind == "fallback":
                fallbacks.begin_renewal(w)
                fallbacks.ask_after_unparked(w)
                fallbacks.arm_fallback(w)
            elif kind == "nail":
                lifecycle.nail(w, key[1])
            elif kind in ("opens", "closes"):
                lifecycle.window_due(w, kind, key[1])
            elif kind == "renew":
                fallbacks.renew_some(w)
            elif kind == "unheard":
                lifecycle.ask_unheard(w, key[1])
            elif kind == "screen":
                desk.screen_gone(w, key[1])
            elif kind == "memory":
                lifecycle.save_memories(w)
            elif kind == "times":
                lifecycle.save_times(w)
            elif kind == "pictures":
                pictures.touch_all(w)
            elif kind == "away":
                switch_loss.away_too_long(w, key[1])
            elif kind == "move":
                switch_loss.move_agents(w)
            elif kind == "job":
                self._leg_never_reported(key[1])
            w.pace_due = True

    def _rest_over(self, agent_id: AgentId) -> None:
        w = self._w
        agent = w.agents[agent_id]
        if agent.rest_until is not None and agent.rest_until > w.now:
            w.timers.set(("rest", agent_id), agent.rest_until)
            return
        if desk.unfinished(w, agent_id):
            w.step_agent(agent_id, agents.Declare(AgentStatus.NOT_AVAILABLE), reason="no result was filed in time")
        w.rest_over(agent_id)

    # --- legs -------------------------------------------------------------------------------------------------------------------------

    def _to_call(self, leg: LegId, given: calls.Input) -> None:
        role = self._w.legs.get(leg)
        if role is not None and role.call is not None and not role.orphan:
            calling.feed(self._w, role.call, given)

    def _is_current(self, role: LegRole, leg: LegId) -> bool:
        """An agent's leg that its call still waits for or talks through."""
        call = self._w.calls.get(role.call) if role.call is not None else None
        return call is not None and not role.orphan and (call.agent_leg == leg or in_call.is_target(self._w, call.id, leg))

    def _leg_created(self, e: ev.LegCreated) -> None:
        w = self._w
        w.ledger.add(e.leg, e.gateway, w.named(e.switch))
        role = w.legs.get(e.leg)
        if role is not None:
            role.seen = True
            if role.kind == "lead":
                self._to_call(e.leg, calls.LeadSeen())
        elif e.attempt is not None or e.agent is not None:
            # D6: our variable and no open attempt. Until everything is reconciled it may be an earlier daemon's, and known in a moment.
            if w.fleet.get(e.switch).reconciled:
                w.out.append(Hangup(e.leg, "NORMAL_CLEARING"))
            else:
                w.strangers[e.leg] = e.switch

    def _leg_rang(self, e: ev.LegRang) -> None:
        role = self._w.legs.get(e.leg)
        if role is not None and role.kind == "lead":
            if not e.early and role.call in self._w.calls:
                closing.way_worked(self._w, self._w.calls[role.call])
            self._to_call(e.leg, calls.LeadEarly() if e.early else calls.LeadRang())

    def _leg_answered(self, e: ev.LegAnswered) -> None:
        w = self._w
        role = w.legs.get(e.leg)
        if role is None:
            return
        if role.orphan:
            w.out.append(Hangup(e.leg, "NORMAL_CLEARING"))
        elif role.kind == "lead" and role.call in w.calls:
            call = w.calls[role.call]
            closing.way_worked(w, call)
            if call.state in (CallState.DIALING, CallState.EARLY) and call.dialed_at is not None:
                run = w.runs[call.campaign]
                run.memory = run.mode.observe(run.memory, Observation("answered", w.now - call.dialed_at), w.now)
                if run.learn is not None:
                    run.learn(run.memory, call.lead, True, w.now)
                fallbacks.arm_fallback(w)
            self._to_call(e.leg, calls.LeadAnswered())
        elif role.kind == "agent" and not self._is_current(role, e.leg):
            role.orphan = True
            w.out.append(Hangup(e.leg, "NORMAL_CLEARING"))

    def _leg_parked(self, e: ev.LegParked) -> None:
        w = self._w
        role = w.legs.get(e.leg)
        if role is None:
            return
        if role.kind == "lead":
            self._to_call(e.leg, calls.LeadParked())
        elif role.kind == "nailed" and role.agent is not None:
            adopting.nailed_parked(w, e.leg, role.agent)
        elif role.orphan or not self._is_current(role, e.leg):
            w.out.append(Hangup(e.leg, "NORMAL_CLEARING"))
        else:
            assert role.call is not None, "a leg that is current has its call"
            if in_call.is_target(w, role.call, e.leg):
                calling.feed(w, role.call, calls.TargetUp())
                return
            if not w.calls[role.call].agent_ready:
                calling.agent_came(w, w.calls[role.call])
            self._to_call(e.leg, calls.AgentParked())

    def _leg_bridged(self, e: ev.LegBridged) -> None:
        w = self._w
        if in_call.leg_bridged(w, e):
            return
        role = w.legs.get(e.leg)
        lead_leg, other = (e.leg, e.other) if role is not None and role.kind == "lead" else (e.other, e.leg)
        role = w.legs.get(lead_leg)
        if role is None or role.kind != "lead":
            adopting.part_if_nobody_s(w, e.leg, e.other)
            return
        if role.call is None or role.orphan:
            return
        call = w.calls[role.call]
        if call.agent_leg == other:
            calling.feed(w, role.call, calls.Connected())
        else:
            adopting.late_bridge(w, call, other)

    def _leg_unbridged(self, e: ev.LegUnbridged) -> None:
        """Of the customer and his agent: others part by our own doing, or with the end of a leg."""
        role = self._w.legs.get(e.leg)
        call = self._w.calls.get(role.call) if role is not None and role.kind == "lead" and role.call is not None else None
        if call is not None and e.other in (None, call.agent_leg):
            self._to_call(e.leg, calls.Apart())

    def _leg_ended(self, e: ev.LegEnded) -> None:
        w = self._w
        role = w.legs.get(e.leg)
        if role is None:
            return
        role.seen = True
        w.timers.clear(("job", e.leg))
        self._end_of(role, e.leg, calls.LeadEnded(e.cause, e.sip_status, e.q850, path=e.path, by_us=e.we_hung_up))

    def _end_of(self, role: LegRole, leg: LegId, how: calls.LeadEnded) -> None:
        w = self._w
        if role.kind == "lead" and role.call is not None:
            calling.feed(w, role.call, how)
        elif role.kind == "agent" and role.call is not None:
            current, asked = self._is_current(role, leg), in_call.is_target(w, role.call, leg)
            role.orphan = True
            if current:
                calling.feed(w, role.call, calls.TargetGone() if asked else calls.AgentGone())
        elif role.kind == "supervisor":
            role.orphan = True
            in_call.supervisor_gone(w, leg, role.agent)
        elif role.kind == "nailed" and role.agent is not None and not role.orphan:
            role.orphan = True
            adopting.nailed_gone(w, leg, role.agent)
        w.pace_due = True

    def _leg_destroyed(self, e: ev.LegDestroyed) -> None:
        w = self._w
        w.ledger.remove(e.leg)
        w.strangers.pop(e.leg, None)
        role = w.legs.get(e.leg)
        if role is not None and role.orphan:
            del w.legs[e.leg]
        elif role is not None:
            # Its HANGUP_COMPLETE was lost or is late: wait a little for the better evidence.
            role.failed = role.failed or "NORMAL_UNSPECIFIED"
            w.timers.set(("job", e.leg), w.now + LOST_EVENT_S)
        w.pace_due = True

    def _originate_succeeded(self, e: ev.OriginateSucceeded) -> None:
        if e.given != e.leg and e.leg in self._w.legs:
            # The uuid was taken and the switch made a stranger (nobody must be called twice): hang it up at once.
            self._w.note("ERROR", "uuid_taken", leg=e.leg, given=e.given)
            self._w.out.append(Hangup(e.given, "NORMAL_CLEARING"))

    def _originate_failed(self, e: ev.OriginateFailed) -> None:
        w = self._w
        role = w.legs.get(e.leg)
        if role is None or role.orphan:
            return
        if role.seen:
            role.failed = e.cause
            w.timers.set(("job", e.leg), w.now + LOST_EVENT_S)
            return
        self._end_without_leg(role, e.leg, e.cause)

    def _leg_never_reported(self, leg: LegId) -> None:
        role = self._w.legs.get(leg)
        if role is not None and not role.orphan:
            self._end_without_leg(role, leg, role.failed)

    def _end_without_leg(self, role: LegRole, leg: LegId, cause: str) -> None:
        """The reply alone ends it: some failures have no leg events at all."""
        w = self._w
        self._end_of(role, leg, calls.LeadEnded(cause))
        w.legs.pop(leg, None)
        w.ledger.remove(leg)

    # --- store, shell -----------------------------------------------------------------------------------------------------------------

    def _installation_loaded(self, e: ev.InstallationLoaded) -> None:
        w = self._w
        w.installation = e.installation
        w.ledger.configure(e.installation)
        w.configure_switches()
        switch_loss.wait_for_all(w)
        for run in w.runs.values():
            run.hopper_size, run.ways = 0, None
            if not e.installation.campaigns:
                run.because = "all campaigns are switched off: campaigns: no in installation.yml"
                lifecycle.empty_hopper(w, run, "campaign")
                calling.drop_undialed(w, run, "all campaigns are switched off")
        w.pace_due = True

    def _campaign_loaded(self, e: ev.CampaignLoaded) -> None:
        mode = self._modes.get(e.campaign.type) or NOT_DIALLED
        lifecycle.load_campaign(self._w, e, mode)

    def _leads_claimed(self, e: ev.LeadsClaimed) -> None:
        run = self._w.runs.get(e.campaign)
        if run is not None:
            hopper.leads_claimed(self._w, run, e.leads, e.next_ready_at, e.unfinished)

    def _claim_failed(self, e: ev.ClaimFailed) -> None:
        run = self._w.runs.get(e.campaign)
        if run is not None:
            hopper.claim_failed(self._w, run)

    def _store_lost(self, e: ev.StoreLost) -> None:
        if self._w.store_up:
            self._w.store_up = False
            self._w.note("ERROR", "store_down", reason=e.reason, calls=len(self._w.calls))

    def _store_back(self, e: ev.StoreBack) -> None:
        if not self._w.store_up:
            self._w.store_up = True
            self._w.note("INFO", "store_back")
            self._w.pace_due = True

    def _inbox_lag(self, e: ev.InboxLag) -> None:
        w = self._w
        behind = w.lag_s > placing.LAG_LIMIT_S
        w.lag_s = e.lag_s
        if (e.lag_s > placing.LAG_LIMIT_S) is not behind:
            w.note("WARNING", "inbox_lag" if not behind else "inbox_caught_up", lag_s=round(e.lag_s, 3))
            w.pace_due = True

    def _drain_asked(self, e: ev.DrainAsked) -> None:
        w = self._w
        w.draining = True
        for run in w.runs.values():
            lifecycle.empty_hopper(w, run, "draining")
            calling.drop_undialed(w, run, "draining")
        w.note("INFO", "draining", calls=len(w.calls))

    def _drain_on(self) -> None:
        """Nobody is called any more; when the last call is over the nailed legs are let go, and then all is quiet. What an earlier daemon left is drained
        too, once it is known."""
        w = self._w
        if w.calls:
            return
        if not w.nailed_let_go:
            w.nailed_let_go = True
            w.out += [Hangup(leg, "NORMAL_CLEARING") for leg, role in w.legs.items() if not role.orphan]
        if not w.switch_up or (w.reconciled and not any(w.fleet.get(role.switch).up and not role.lost for role in w.legs.values())):
            w.drained = True
            w.timers.clear(("fallback",))
            lifecycle.save_times(w)
            lifecycle.save_memories(w)
            w.out.append(Drained())


def _words(detail: str | tuple[Enum, Enum]) -> str:
    return detail if isinstance(detail, str) else f"{detail[0].value} → {detail[1].value}"

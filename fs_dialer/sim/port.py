"""The simulated switch behind the runtime's port, in virtual time: the engine's actions in, its events out, no text in between."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.agent_events import CallerQueued
from fs_dialer.core.leg_plan import (
    FALLBACK_AFTER_S,
    FALLBACK_CONTEXT,
    FALLBACK_EXTENSION,
    STAYS,
    LegPlan,
    agent_plan,
    lead_plan,
    outside_plan,
    supervisor_plan,
)
from fs_dialer.core.model import LegId, SwitchId
from fs_dialer.core.switch_names import IVR_CONTEXT, QUEUE_CONTEXT
from fs_dialer.esl.translate import flows_in, left_by_fallback, leg_facts, queued_caller, translate
from fs_dialer.runtime.kept_rows import KeptRows
from fs_dialer.sim.switch import SimSwitch, SwitchEvent

MAIN = SwitchId("main")
FALLBACK = f"{FALLBACK_EXTENSION} XML {FALLBACK_CONTEXT}"


class SimPort:
    """One SimSwitch for a virtual loop. Answers to questions come at once; a leg that is gone is known to be gone."""

    def __init__(self, switch: SimSwitch, name: SwitchId = MAIN) -> None:
        self.switch, self.name = switch, name
        self._now = 0.0
        self._answers: deque[ev.Event] = deque()
        self.kept = KeptRows(name, lambda command: switch.api(command, self._now), self._answers.append, lambda do, *given: do(*given))

    # --- time -------------------------------------------------------------------------------------------------------------------------

    def at(self, now: float) -> None:
        self._now = now

    def next_wakeup(self) -> float | None:
        return self._now if self._answers else self.switch.next_wakeup()

    def advance(self, now: float) -> Sequence[ev.Event]:
        out: list[ev.Event] = list(self._answers)
        self._answers.clear()
        for said in self.switch.advance(now):
            event = self.told(said)
            if event is None:
                continue
            if isinstance(event, CallerQueued):
                self.kept.came(event)
            elif isinstance(event, ev.LegBridged):
                self.kept.met(event.leg)
                self.kept.met(event.other)
            elif isinstance(event, ev.LegEnded):
                self.kept.ended(event.leg, by_fallback=left_by_fallback(said.headers))
            out.append(event)
        return out

    def told(self, said: SwitchEvent) -> ev.Event | None:
        """What the engine is told of it."""
        return self._flows() if said.name == "RELOADXML" else translate(said.name, said.headers, said.body, self.name)

    # --- actions ----------------------------------------------------------------------------------------------------------------------

    def originate_lead(self, action: act.OriginateLead) -> None:
        self._originate(action.leg, lead_plan(action))

    def originate_agent(self, action: act.OriginateAgent) -> None:
        self._originate(action.leg, agent_plan(action))

    def originate_outside(self, action: act.OriginateOutside) -> None:
        self._originate(action.leg, outside_plan(action))

    def originate_supervisor(self, action: act.OriginateSupervisor) -> None:
        self._originate(action.leg, supervisor_plan(action))

    def _originate(self, leg: LegId, plan: LegPlan) -> None:
        endpoint = f"sofia/gateway/{plan.gateway}/{plan.to}" if plan.gateway else plan.to
        armed = {variable: f"sched_transfer +{after_s} {FALLBACK}" for variable, after_s in plan.fallback_after_s.items()}
        target = f"{plan.extension} XML {plan.context}" if plan.extension else f"&{plan.application}({plan.arguments})"
        self.switch.originate(leg, leg, endpoint, plan.variables | armed, target, self._now)

    def bridge(self, action: act.Bridge) -> None:
        self.switch.sched_del(action.leg, self._now)
        self.switch.sched_del(action.agent_leg, self._now)
        reply = self.switch.bridge(action.leg, action.agent_leg, self._now)
        if not reply.startswith("+OK"):
            self._answers.append(ev.BridgeRefused(action.leg, reply.strip()))

    def hangup(self, action: act.Hangup) -> None:
        self.switch.kill(action.leg, action.cause, self._now)

    def play_music(self, action: act.PlayMusic) -> None:
        self.switch.broadcast(action.leg, action.path, "aleg", self._now)

    def play_notice(self, action: act.PlayNotice) -> None:
        self.switch.break_(action.leg, self._now)
        self.switch.broadcast(action.leg, action.path, "aleg", self._now)

    def park_both(self, action: act.ParkBoth) -> None:
        self.switch.transfer(action.leg, "park:", "inline", "", self._now, "-both")

    def keep_leg(self, action: act.KeepLeg) -> None:
        for variable, value in STAYS.items():
            self.switch.setvar(action.leg, variable, value, self._now)

    def start_recording(self, action: act.StartRecording) -> None:
        reply = self.switch.api(f"uuid_record {action.leg} start {action.path}", self._now)
        if not reply.startswith("+OK"):
            self._answers.append(ev.RecordingFailed(action.leg, reply.strip()))

    def stop_recording(self, action: act.StopRecording) -> None:
        self.switch.api(f"uuid_record {action.leg} stop {action.path}", self._now)

    def pause_recording(self, action: act.PauseRecording) -> None:
        self.switch.api(f"uuid_record {action.leg} mask {action.path}", self._now)

    def resume_recording(self, action: act.ResumeRecording) -> None:
        self.switch.api(f"uuid_record {action.leg} unmask {action.path}", self._now)

    def announce(self, action: act.Announce) -> None:
        self.switch.break_(action.leg, self._now)
        self.switch.broadcast(action.leg, action.sounds[0] if len(action.sounds) == 1 else f"file_string://{'!'.join(action.sounds)}", "aleg", self._now)

    def enter_ivr(self, action: act.EnterIvr) -> None:
        for variable, value in action.variables:
            self.switch.setvar(action.leg, variable, value, self._now)
        self.switch.sched_del(action.leg, self._now)
        if action.at_most_s is not None:
            self.switch.sched_hangup(f"+{math.ceil(action.at_most_s)}", action.leg, "ALLOTTED_TIMEOUT", self._now)
        self.switch.transfer(action.leg, action.flow, "XML", action.context, self._now)

    def forget_kept(self, action: act.ForgetKept) -> None:
        self.kept.forget(action.rows)

    def renew_fallback(self, action: act.RenewFallback) -> None:
        """A queued caller's is his queue's own, until an agent has met him."""
        for leg in action.legs:
            queue = self.kept.queued.get(leg, "")
            extension, context = (f"{queue}.fallback", QUEUE_CONTEXT) if queue else (FALLBACK_EXTENSION, FALLBACK_CONTEXT)
            self.switch.sched_del(leg, self._now)
            self.switch.sched_transfer(f"+{FALLBACK_AFTER_S}", leg, extension, "XML", context, self._now)

    def drop_fallback(self, action: act.DropFallback) -> None:
        for leg in action.legs:
            self.switch.sched_del(leg, self._now)

    def ask_leg(self, action: act.AskLeg) -> None:
        self._answers.append(self._whereabouts(action.leg))

    def reconcile(self, action: act.Reconcile) -> None:
        """Legs of ours that the engine does not know, callers among them, then what is kept, then the legs it asked for."""
        known = set(action.legs)
        for uuid in list(self.switch.legs):
            state = self.switch.state(uuid) if uuid not in known else None
            if state is None:
                continue
            caller = queued_caller(state, self.name)
            if caller is not None:
                self.kept.came(caller)
                self._answers.append(caller)
            elif "variable_fsd_attempt" in state or "variable_fsd_agent" in state:
                self._answers.append(ev.LegFound(leg_facts(state, self.name)))
        self.kept.tell()
        self._answers.extend(self._whereabouts(leg) for leg in action.legs)
        self._answers.append(self._flows())
        self._answers.append(ev.ReconcileDone(self.name))

    def _flows(self) -> ev.FlowsInSwitch:
        flows, queues = (self.switch.api(f"xml_locate dialplan context name {context}", self._now) for context in (IVR_CONTEXT, QUEUE_CONTEXT))
        return flows_in(flows, queues, self.name)

    def _whereabouts(self, leg: LegId) -> ev.LegFound | ev.LegGone:
        state = self.switch.state(leg)
        return ev.LegGone(leg) if state is None else ev.LegFound(leg_facts(state, self.name))

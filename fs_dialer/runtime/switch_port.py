"""The engine's leg actions as commands to a real switch, and its answers as events. Runs on gevent; every command is a greenlet of its own.

Commands of one action go out in order and unwaited (the switch answers in order); what matters of their answers comes back into the inbox. What cannot be
sent because the link is down is told as such, so that it costs nobody an attempt; what may have been sent is asked for after the reconnect.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gevent

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
from fs_dialer.core.model import AttemptId, GatewayId, LegFacts, LegId, OpenAttempt, SwitchId
from fs_dialer.core.switch_names import IVR_CONTEXT, QUEUE, QUEUE_CONTEXT
from fs_dialer.errors import EslDisconnected, EslError, EslProtocolError, EslRefused, EslUnsafe, StoreError
from fs_dialer.esl import commands
from fs_dialer.esl.client import LinkLost, LinkUp, SwitchClient, expect_ok
from fs_dialer.esl.translate import VARIABLE_AGENT, VARIABLE_ATTEMPT, VARIABLE_GATEWAY, flows_in, left_by_fallback, leg_facts, queued_caller, translate
from fs_dialer.esl.wire import Event
from fs_dialer.runtime.kept_rows import KeptRows

log = logging.getLogger("fs_dialer.switch")

GONE_TWICE_S = 3.0  # uuid_exists must be false twice, so far apart, before a leg is gone
ASK_AGAIN_S = 1.0
FALLBACK_SUFFIX = ".fallback"  # QUEUE.fallback is a queued caller's, until an agent has met him

Put = Callable[[ev.Event], None]
Spawn = Callable[..., Any]


class SwitchPort:
    """One switch. `put`: the inbox; `spawn`: starts a watched greenlet; `left_open`: the attempts without a result, asked once at the first link.
    recordings: the folder, as the switch's host has it, below which it writes what is recorded."""

    def __init__(self, name: SwitchId, put: Put, spawn: Spawn, left_open: Callable[[], Sequence[OpenAttempt]], recordings: Path = Path("recordings")) -> None:
        self.name = name
        self.client: SwitchClient | None = None
        self._put, self._spawn, self._left_open, self._recordings = put, spawn, left_open, recordings
        self._linked = False
        self._epoch = 0
        self._adopted = False
        self._told: set[AttemptId] = set()  # attempts of an earlier daemon that the engine knows by now
        self._asking: dict[LegId, bool] = {}  # legs being asked for → has an event of theirs come meanwhile?
        self._counting: list[ev.LegCreated | ev.LegDestroyed] | None = None  # what began and ended while the switch's legs are being counted
        self._uncommitted: dict[LegId, bool] = {}  # originates not yet sent → cancelled meanwhile?
        self.kept = KeptRows(name, lambda command: self._need_client().api(command), put, spawn)

    @property
    def linked(self) -> bool:
        return self._linked

    def tell_gone(self, left_open: Sequence[OpenAttempt]) -> None:
        """The switch stays away: what an earlier daemon left open on it is closed without its word."""
        for found in () if self._adopted else left_open:
            if found.attempt.id not in self._told:
                self._told.add(found.attempt.id)
                self._put(ev.AttemptFound(found, None))

    # --- what the switch says ---------------------------------------------------------------------------------------------------------

    def on_event(self, event: Event) -> None:
        """Called by the reader: translate and enqueue, nothing else."""
        told = translate(event.name, event.headers, event.body, self.name)
        if told is None:
            if event.name == "RELOADXML":
                self._spawn(self._tell_flows, self._epoch)
            return
        if self._counting is not None and isinstance(told, ev.LegCreated | ev.LegDestroyed):
            self._counting.append(told)
        if isinstance(told, ev.LegEvent) and told.leg in self._asking:
            self._asking[told.leg] = True
        if isinstance(told, CallerQueued):
            self.kept.came(told)
        elif isinstance(told, ev.LegBridged):
            self.kept.met(told.leg)
            self.kept.met(told.other)
        elif isinstance(told, ev.LegEnded):
            self.kept.ended(told.leg, by_fallback=left_by_fallback(event.headers))
        self._put(told)

    def on_link(self, link: LinkUp | LinkLost) -> None:
        if isinstance(link, LinkUp):
            self._linked, self._epoch = True, link.epoch
            self._spawn(self._linked_now, link.epoch)
            return
        was_linked, self._linked = self._linked, False
        if was_linked or not link.mends_itself or link.epoch == 0:
            (log.warning if link.mends_itself else log.error)("switch %s: %s", self.name, link.reason)
        if was_linked:
            self._put(ev.SwitchLost(self.name, link.reason))

    def _linked_now(self, epoch: int) -> None:
        """Events flow already; now count what is there, then say that the link is up."""
        while epoch == self._epoch and self._linked:
            self._counting = []
            try:
                legs = dict(self._legs())
            except EslDisconnected:
                return
            except EslError as error:
                log.warning("switch %s: could not list its channels: %s", self.name, error)
                gevent.sleep(ASK_AGAIN_S)
                continue
            for told in self._counting or ():
                if isinstance(told, ev.LegCreated):
                    legs[told.leg] = told.gateway
                else:
                    legs.pop(told.leg, None)
            self._counting = None
            if epoch == self._epoch and self._linked:
                self._put(ev.SwitchUp(self.name, tuple(legs.items())))
                self._tell_flows(epoch)
            return

    def _tell_flows(self, epoch: int) -> None:
        """Which of our extensions the switch has: at every link, and when it has read its XML again."""
        while epoch == self._epoch and self._linked:
            try:
                flows, queues = (self._need_client().api(commands.xml_locate_context(context)) for context in (IVR_CONTEXT, QUEUE_CONTEXT))
            except EslDisconnected:
                return
            except EslError as error:
                log.warning("switch %s: could not ask which flows it has: %s", self.name, error)
                gevent.sleep(ASK_AGAIN_S)
                continue
            if epoch == self._epoch and self._linked:
                self._put(flows_in(flows, queues, self.name))
            return

    def _legs(self) -> list[tuple[LegId, GatewayId | None]]:
        """Every leg there is, with the gateway it goes out by. The switch's list is written behind: a leg that is over stands there for a while, and
        would count for ever, since its end was told before we listened. So each is asked for."""
        client = self._need_client()
        legs: list[tuple[LegId, GatewayId | None]] = []
        for leg in self._channels():
            try:
                gateway = client.api(commands.uuid_getvar(leg, VARIABLE_GATEWAY)).strip()
            except EslUnsafe:
                gateway = ""  # somebody else's leg, under a name of his own choice
            if not gateway.startswith("-ERR"):
                legs.append((leg, GatewayId(gateway) if gateway and gateway != "_undef_" else None))
        return legs

    # --- originating ------------------------------------------------------------------------------------------------------------------

    def will_originate(self, leg: LegId) -> None:
        """Its attempt is being committed; a hang-up that comes before it is sent prevents it."""
        self._uncommitted[leg] = False

    def will_not_originate(self, leg: LegId) -> None:
        self._uncommitted.pop(leg, None)

    def originate_lead(self, action: act.OriginateLead) -> None:
        if self._uncommitted.pop(action.leg, False):
            self._put(ev.OriginateFailed(action.leg, "ORIGINATOR_CANCEL", sent=False))
            return
        self._originate(action.leg, lead_plan(action))

    def originate_agent(self, action: act.OriginateAgent) -> None:
        self._originate(action.leg, agent_plan(action))

    def originate_outside(self, action: act.OriginateOutside) -> None:
        self._originate(action.leg, outside_plan(action))

    def originate_supervisor(self, action: act.OriginateSupervisor) -> None:
        self._originate(action.leg, supervisor_plan(action))

    def _originate(self, leg: LegId, plan: LegPlan) -> None:
        cause = "INVALID_NUMBER_FORMAT" if plan.gateway else "INVALID_URL"
        try:
            endpoint = commands.gateway_endpoint(plan.gateway, plan.to) if plan.gateway else commands.agent_endpoint(plan.to)
            cause = "INVALID_URL"  # from here on it is not the number, and no lead may pay for it
            variables: dict[str, commands.Value] = dict(plan.variables)
            for variable, after_s in plan.fallback_after_s.items():
                variables[variable] = commands.ScheduledTransfer(after_s, FALLBACK_EXTENSION, FALLBACK_CONTEXT)
            if plan.extension:
                command = commands.originate_to_extension(leg, endpoint, variables, plan.extension, plan.context)
            else:
                command = commands.originate(leg, endpoint, variables, plan.application, plan.arguments)
        except EslUnsafe as error:
            log.error("refused to send an originate (D7) leg=%s; what is wrong with it is logged at level debug", leg)
            log.debug("refused to send an originate (D7) leg=%s: %s", leg, error)
            self._put(ev.OriginateFailed(leg, cause, sent=False))
            return
        if not self._linked or self.client is None:
            self._put(ev.OriginateFailed(leg, "SWITCH_LOST", sent=False))
            return
        self._spawn(self._send_originate, leg, command)

    def _send_originate(self, leg: LegId, command: str) -> None:
        """The Job-UUID is the leg's uuid. A link lost in between leaves it open: the reconciliation will tell."""
        try:
            self._need_client().bgapi(command, job_uuid=leg)
        except EslRefused as error:
            log.warning("switch %s refused an originate: %s", self.name, error.reply.strip())
            self._put(ev.OriginateFailed(leg, "SWITCH_CONGESTION"))
        except EslError as error:
            log.warning("switch %s: an originate may or may not have been sent: %s", self.name, error)

    # --- legs that are up -------------------------------------------------------------------------------------------------------------

    def bridge(self, action: act.Bridge) -> None:
        """Both timers away, then the bridge, written in this order and in one go: a timer that survives cuts the conversation."""
        self._fire(commands.sched_del(action.leg))
        self._fire(commands.sched_del(action.agent_leg))
        self._spawn(self._bridge, action)

    def _bridge(self, action: act.Bridge) -> None:
        try:
            expect_ok("uuid_bridge", self._need_client().api(commands.uuid_bridge(action.leg, action.agent_leg)))
        except EslRefused as error:
            self._put(ev.BridgeRefused(action.leg, str(error)))
        except EslError as error:  # no answer: it may have been done, which the reports or the reconciliation will tell
            log.warning("switch %s: a bridge may or may not have been made: %s", self.name, error)

    def hangup(self, action: act.Hangup) -> None:
        if action.leg in self._uncommitted:
            self._uncommitted[action.leg] = True
            return
        self._fire(commands.uuid_kill(action.leg, action.cause))

    def play_music(self, action: act.PlayMusic) -> None:
        self._play(action.leg, action.path)

    def play_notice(self, action: act.PlayNotice) -> None:
        self._fire(commands.uuid_break(action.leg, everything=True))
        self._play(action.leg, action.path)

    def _play(self, leg: LegId, path: str) -> None:
        try:
            self._fire(commands.uuid_broadcast(leg, path))
        except EslUnsafe as error:
            log.error("refused to play a sound (D7): %s", error)

    def park_both(self, action: act.ParkBoth) -> None:
        self._fire(commands.uuid_park_both(action.leg))

    def keep_leg(self, action: act.KeepLeg) -> None:
        for variable, value in STAYS.items():
            self._fire(commands.uuid_setvar(action.leg, variable, value))

    def start_recording(self, action: act.StartRecording) -> None:
        command = self._record(action.leg, action.path, "start")
        if command is None:
            self._put(ev.RecordingFailed(action.leg, "the folder of recordings, or the campaign's name, has characters that are not sent to the switch"))
        elif not self._linked:
            self._put(ev.RecordingFailed(action.leg, "the switch is not linked"))
        else:
            self._spawn(self._started_recording, action.leg, command)

    def _started_recording(self, leg: LegId, command: str) -> None:
        try:
            expect_ok("uuid_record", self._need_client().api(command))
        except EslError as error:
            self._put(ev.RecordingFailed(leg, str(error)))

    def stop_recording(self, action: act.StopRecording) -> None:
        self._change_recording(action.leg, action.path, "stop")

    def pause_recording(self, action: act.PauseRecording) -> None:
        self._change_recording(action.leg, action.path, "mask")

    def resume_recording(self, action: act.ResumeRecording) -> None:
        self._change_recording(action.leg, action.path, "unmask")

    def _change_recording(self, leg: LegId, path: str, what: commands.Recording) -> None:
        command = self._record(leg, path, what)
        if command is not None:
            self._fire(command)

    def _record(self, leg: LegId, path: str, what: commands.Recording) -> str | None:
        try:
            return commands.uuid_record(leg, str(self._recordings / path), what)
        except EslUnsafe as error:
            log.error("refused to record (D7): %s", error)
            return None

    def enter_ivr(self, action: act.EnterIvr) -> None:
        """Written in this order and in one go: variables first, for the extension reads them; no timer of what was before may cut it short."""
        for variable, value in action.variables:
            try:
                self._fire(commands.uuid_setvar(action.leg, variable, value))
            except EslUnsafe as error:
                log.error("refused to set %s (D7): %s", variable, error)
        self._fire(commands.sched_del(action.leg))
        if action.at_most_s is not None:
            self._fire(commands.sched_hangup(action.leg, math.ceil(action.at_most_s), "ALLOTTED_TIMEOUT"))
        self._fire(commands.uuid_transfer(action.leg, action.flow, action.context))

    def announce(self, action: act.Announce) -> None:
        """What plays goes first; what is refused costs nobody his music."""
        try:
            command = commands.uuid_announce(action.leg, action.sounds)
        except EslUnsafe as error:
            log.error("refused to play a sound (D7): %s", error)
            return
        self._fire(commands.uuid_break(action.leg, everything=True))
        self._fire(command)

    def forget_kept(self, action: act.ForgetKept) -> None:
        self.kept.forget(action.rows)

    def renew_fallback(self, action: act.RenewFallback) -> None:
        """A queued caller's is his queue's own, until an agent has met him."""
        for leg in action.legs:
            queue = self.kept.queued.get(leg, "")
            extension, context = (queue + FALLBACK_SUFFIX, QUEUE_CONTEXT) if queue else (FALLBACK_EXTENSION, FALLBACK_CONTEXT)
            self._fire(commands.sched_del(leg))
            self._fire(commands.sched_transfer(leg, FALLBACK_AFTER_S, extension, context))

    def drop_fallback(self, action: act.DropFallback) -> None:
        for leg in action.legs:
            self._fire(commands.sched_del(leg))

    def _fire(self, command: str) -> None:
        """Send and forget; a refusal means that the leg is gone, which its own events tell."""
        if self._linked:
            self._spawn(self._fired, command)

    def _fired(self, command: str) -> None:
        try:
            reply = self._need_client().api(command)
        except EslError as error:
            log.debug("switch %s: %s not done: %s", self.name, command.partition(" ")[0], error)
        else:
            if not reply.startswith("+OK"):
                log.debug("switch %s: %s: %s", self.name, command.partition(" ")[0], reply.strip())

    # --- what exists ------------------------------------------------------------------------------------------------------------------

    def ask_leg(self, action: act.AskLeg) -> None:
        self._spawn(self._asked_leg, action.leg)

    def _asked_leg(self, leg: LegId) -> None:
        try:
            self._tell([leg], self._tell_leg)
        except EslError as error:
            log.debug("switch %s: a leg could not be asked for: %s", self.name, error)

    def reconcile(self, action: act.Reconcile) -> None:
        self._spawn(self._reconcile, action, self._epoch)

    def _reconcile(self, action: act.Reconcile, epoch: int) -> None:
        """Our own legs, then legs of ours that we do not know (an earlier daemon's), then attempts without a result. Then dialling may go on."""
        told = ""
        while epoch == self._epoch and self._linked:  # else the next link asks again
            try:
                self._tell_everything(action)
            except EslDisconnected:
                return
            except (EslError, StoreError) as error:
                if str(error) != told:
                    told = str(error)
                    log.warning("switch %s: its legs can't be told apart yet, and nothing is dialled: %s", self.name, told)
                gevent.sleep(ASK_AGAIN_S)
                continue
            self._adopted = True
            self._put(ev.ReconcileDone(self.name))
            return

    def _tell_everything(self, action: act.Reconcile) -> None:
        left = {} if self._adopted else {found.attempt.leg: found for found in self._left_open() if found.attempt.id not in self._told}

        def tell(leg: LegId, facts: LegFacts | None) -> None:
            if leg in left:
                self._told.add(left[leg].attempt.id)
                self._put(ev.AttemptFound(left[leg], facts))
            else:
                self._tell_leg(leg, facts)

        known = [leg for leg in (*action.legs, *left) if leg not in self._uncommitted]
        for leg in self._channels():
            if leg in known:
                continue
            if self._is_ours(leg):
                facts = self._facts(leg)
                if facts is not None:
                    self._put(ev.LegFound(facts))
            elif self._has(leg, QUEUE):
                self._tell_caller(leg)
        self.kept.tell()  # before anybody is told to be gone: what a caller asked for goes before how his leg ended
        self._tell(known, tell)

    def _tell_caller(self, leg: LegId) -> None:
        """One who came before this daemon, or while the link was down."""
        state = self._state(leg)
        caller = None if state is None else queued_caller(state, self.name)
        if caller is not None:
            self.kept.came(caller)
            self._put(caller)

    def _tell_leg(self, leg: LegId, facts: LegFacts | None) -> None:
        if facts is None:
            self.kept.gone(leg)
        self._put(ev.LegGone(leg) if facts is None else ev.LegFound(facts))

    def _tell(self, legs: Sequence[LegId], tell: Callable[[LegId, LegFacts | None], None]) -> None:
        """Each leg as soon as it is known. uuid_exists must be false twice, 3 s apart: an originate may be on its way."""
        missing = []
        for leg in legs:
            facts = self._facts(leg)
            if facts is None:
                missing.append(leg)
            else:
                tell(leg, facts)
        if missing:
            gevent.sleep(GONE_TWICE_S)
        for leg in missing:
            tell(leg, self._facts(leg))

    def _facts(self, leg: LegId) -> LegFacts | None:
        """None when the switch does not know it."""
        state = self._state(leg)
        return None if state is None else leg_facts(state, self.name)

    def _state(self, leg: LegId) -> dict[str, str] | None:
        """All that the switch says of it. What comes next in the inbox must not be older than what stands there: a leg of which an event came meanwhile is
        asked for again, and the caller puts what follows into the inbox before anybody else runs."""
        while True:
            self._asking[leg] = False
            try:
                state = self._ask_state(leg)
            finally:
                news = self._asking.pop(leg, True)
            if not news:
                return state

    def _ask_state(self, leg: LegId) -> dict[str, str] | None:
        client = self._need_client()
        if client.api(commands.uuid_exists(leg)).strip() != "true":
            return None
        dump = client.api(commands.uuid_dump_json(leg))
        if dump.startswith("-ERR"):
            return None
        try:
            state = json.loads(dump)
        except ValueError:
            state = None
        if not isinstance(state, dict):
            raise EslProtocolError(f"uuid_dump answered {dump[:80]!r}")
        return state

    def _is_ours(self, leg: LegId) -> bool:
        return any(self._has(leg, variable) for variable in (VARIABLE_ATTEMPT, VARIABLE_AGENT))

    def _has(self, leg: LegId, variable: str) -> bool:
        try:
            value = self._need_client().api(commands.uuid_getvar(leg, variable)).strip()
        except EslUnsafe:
            return False  # ours have uuids
        return bool(value) and value != "_undef_" and not value.startswith("-ERR")

    def _channels(self) -> list[LegId]:
        reply = self._need_client().api(commands.show_channels_json())
        try:
            return [LegId(row["uuid"]) for row in json.loads(reply).get("rows", [])]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EslProtocolError(f"show channels answered {reply[:80]!r}") from None

    def _need_client(self) -> SwitchClient:
        if self.client is None:
            raise EslDisconnected("no link to the switch yet")
        return self.client

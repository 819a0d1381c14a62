"""An action becomes a call on a port: the table for the switch, and what the store's answers become as events.

Knows no queues and no greenlets: the virtual loop calls it directly, the live loop from its workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.agent_events import LeadTaken, QueueLoaded
from fs_dialer.core.model import SwitchId
from fs_dialer.core.queue_line import line_of
from fs_dialer.runtime.ports import Store, Switch

MAIN_SWITCH = SwitchId("main")

SWITCH_ACTIONS: dict[type[act.Action], Callable[[Switch, Any], None]] = {
    act.OriginateLead: lambda s, a: s.originate_lead(a),
    act.OriginateAgent: lambda s, a: s.originate_agent(a),
    act.OriginateOutside: lambda s, a: s.originate_outside(a),
    act.OriginateSupervisor: lambda s, a: s.originate_supervisor(a),
    act.Bridge: lambda s, a: s.bridge(a),
    act.Hangup: lambda s, a: s.hangup(a),
    act.PlayMusic: lambda s, a: s.play_music(a),
    act.PlayNotice: lambda s, a: s.play_notice(a),
    act.ParkBoth: lambda s, a: s.park_both(a),
    act.KeepLeg: lambda s, a: s.keep_leg(a),
    act.StartRecording: lambda s, a: s.start_recording(a),
    act.StopRecording: lambda s, a: s.stop_recording(a),
    act.PauseRecording: lambda s, a: s.pause_recording(a),
    act.ResumeRecording: lambda s, a: s.resume_recording(a),
    act.EnterIvr: lambda s, a: s.enter_ivr(a),
    act.Announce: lambda s, a: s.announce(a),
    act.ForgetKept: lambda s, a: s.forget_kept(a),
    act.RenewFallback: lambda s, a: s.renew_fallback(a),
    act.DropFallback: lambda s, a: s.drop_fallback(a),
    act.AskLeg: lambda s, a: s.ask_leg(a),
    act.Reconcile: lambda s, a: s.reconcile(a),
}


def open_attempts(store: Store, wanted: Sequence[act.OriginateLead]) -> list[ev.AttemptOpened | ev.AttemptRefused]:
    """Commit the attempts in one transaction; per originate, in order, whether it may be sent."""
    refusals = store.open_attempts([a.attempt for a in wanted])
    return [
        ev.AttemptOpened(a.attempt.id) if refusal is None else ev.AttemptRefused(a.attempt.id, refusal.gate, refusal.until)
        for a, refusal in zip(wanted, refusals, strict=True)
    ]


def claim(store: Store, action: act.ClaimLeads, now: float) -> ev.LeadsClaimed:
    got = store.claim_leads(action.campaign, action.count, action.zone_sets, now, action.attributes)
    return ev.LeadsClaimed(action.campaign, tuple(got.leads), got.next_ready_at, got.unfinished)


def take(store: Store, action: act.TakeLeadNow, now: float) -> LeadTaken:
    got = store.take_lead(action, now)
    return LeadTaken(action.command_id, action.agent, action.campaign, got.lead, got.gate, got.until, got.left)


def write(store: Store, action: act.Action) -> None:
    """The actions that only write; replaying one that was already done changes nothing."""
    if isinstance(action, act.CloseAttempt):
        store.close_attempts([(action.result, action.update)])
    elif isinstance(action, act.ReturnLeads):
        store.return_leads(action.campaign, action.leads)
    elif isinstance(action, act.StoreCampaignState):
        store.set_campaign_state(action.campaign, action.revision, action.state, action.started, action.reason, action.who)
    elif isinstance(action, act.StoreSwitchDrained):
        store.set_switch_drained(action.switch, action.since, action.who)
    elif isinstance(action, act.StoreAgentStatus):
        store.set_agent_status(action.agent, action.status, action.reason, action.who)
    elif isinstance(action, act.SaveMemory):
        store.save_memory(action.campaign, action.memory)
    elif isinstance(action, act.SaveAgentTimes):
        store.save_agent_times(action.rows)
    elif isinstance(action, act.Reply):
        store.reply(action.command_id, action.ok, action.text)
    elif isinstance(action, act.CallerServed):
        store.caller_served(action)
    elif isinstance(action, act.CallerLeft):
        store.callers_left([action])
    elif isinstance(action, act.OptOut):
        store.opt_out(action)
    else:
        raise TypeError(f"nothing to write for {type(action).__name__}")


def loaded(store: Store) -> list[ev.Event]:
    """Everything the engine must know before its first decision."""
    found: list[ev.Event] = [ev.InstallationLoaded(store.installation())]
    if drained := store.drained_switches():
        found.append(ev.SwitchesDrained(tuple(drained.items())))
    found += [ev.AgentLoaded(stored.agent, stored.status) for stored in store.agents()]
    found.append(ev.TeamsLoaded(store.teams()))
    found += [QueueLoaded(line_of(queue)) for queue in store.queues()]
    found += [ev.CampaignLoaded(s.campaign, s.state, s.started, tuple(s.zone_sets), s.memory, s.today) for s in store.campaigns()]
    return found

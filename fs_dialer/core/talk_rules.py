"""What the rules of a conversation do: hold, transfer (blind and attended), hanging up, recording. When each applies stands in the table of call.py.

A customer who is parked hears music, and somebody owes him a voice: the agent who put him there keeps his own leg until the customer talks to somebody
else, and gets him back when nobody comes. Legs change partners by commands sent one behind the other, which the switch carries out in their order: parked
together, bridged anew, without waiting for the reports in between (tried on FreeSWITCH 1.11).
"""

from __future__ import annotations

from dataclasses import replace

from fs_dialer.core.actions import AskLeg, Bridge, Hangup, KeepLeg, ParkBoth, PlayMusic, RenewFallback
from fs_dialer.core.call_rules import BRIDGE_DEADLINE_S, GUARD_S, Result, agent_lost_in_call, connect, ended, let_agent_go, let_lead_go, start_recording
from fs_dialer.core.call_words import (
    AgentGone,
    AskSwitch,
    BridgeDue,
    BridgeFailed,
    Call,
    CompleteAsked,
    ConsultAsked,
    Directive,
    Free,
    GuardDue,
    Handed,
    HangUpAsked,
    HeardDue,
    HoldAsked,
    Input,
    LeadEnded,
    LeadParked,
    Met,
    MusicDue,
    NoticeOver,
    Record,
    RecordAsked,
    Recorded,
    RecordFailed,
    ResumeAsked,
    RingTarget,
    Talks,
    Target,
    TargetDue,
    TargetGone,
    TargetUp,
    Timer,
)
from fs_dialer.core.changed import changed
from fs_dialer.core.model import CallState

S = CallState

MUSIC_EVERY_S = 1.0  # music that is over is begun again no oftener
WITH_THE_AGENT = ("meeting", "talking")  # stages in which the target's leg and the agent's are one pair


def hang_up(call: Call, ev: HangUpAsked, now: float) -> Result:
    """The agent ends it, whatever he and the customer are in the middle of; his rest begins at once."""
    call, out = _without_target(call)
    out += [Timer(BridgeDue, None), *let_agent_go(call, "served")]
    call = changed(call, state=S.NOTICE, agent=None, agent_leg=None, agent_ready=False, nailed=False, bridging=False, music=False)
    call, more = let_lead_go(call, now)
    return call, [*out, *more]


# --- hold -----------------------------------------------------------------------------------------------------------------------------


def hold(call: Call, ev: HoldAsked, now: float) -> Result:
    """Both legs parked, music for the customer: a phone that refuses a re-INVITE would lose the call to uuid_hold."""
    agent, leg = call.agent, call.agent_leg
    if agent is None or leg is None:
        return call, []  # he has hung up already
    call = changed(call, state=S.HELD, music=True, playing=1, parted_at=now, apart=0, news="")
    return call, [
        Timer(GuardDue, None),
        ParkBoth(call.lead_leg, leg),
        PlayMusic(call.lead_leg, call.plan.music),
        RenewFallback((call.lead_leg, leg)),
        Talks(agent, "held"),
    ]


def parted(call: Call, ev: LeadParked, now: float) -> Result:
    """What is heard of a bridge from now on is of a new one."""
    return changed(call, parted_at=None), []


def resume(call: Call, ev: ResumeAsked, now: float) -> Result:
    return (call, []) if call.bridging else connect(changed(call, news=""), now)


def resume_failed(call: Call, ev: Input, now: float) -> Result:
    """The customer hears music again and the agent may try again. One of the two may be gone without our having heard of it."""
    if not call.bridging:
        return call, []
    out: list[Directive] = [Timer(BridgeDue, None), AskSwitch(), PlayMusic(call.lead_leg, call.plan.music)]
    call = changed(call, bridging=False, music=True, playing=call.playing + 1)
    return call, out if call.agent_leg is None else [*out, AskLeg(call.agent_leg)]


def music_over(call: Call, ev: Input, now: float) -> Result:
    """A file is played once, so it is begun again; at most once a second, in case there is next to nothing in it. What a bridge ended stays ended."""
    if isinstance(ev, NoticeOver):
        call = changed(call, playing=max(call.playing - 1, 0))
    being_bridged = call.bridging and not call.with_target
    if not call.music or call.playing or being_bridged:
        return call, []
    if call.again_at is not None and now < call.again_at:
        return call, [Timer(MusicDue, call.again_at)]
    return changed(call, playing=1, again_at=now + MUSIC_EVERY_S), [PlayMusic(call.lead_leg, call.plan.music)]


# --- transfer -------------------------------------------------------------------------------------------------------------------------


def consult(call: Call, ev: ConsultAsked, now: float) -> Result:
    """The customer waits with music. A target whose leg is parked is bridged at once, any other one is rung."""
    agent, leg = call.agent, call.agent_leg
    if agent is None or leg is None or call.bridging:
        return consulted_too_late(call, ev, now)
    out: list[Directive] = []
    if call.state is S.BRIDGED:
        call, out = hold(call, HoldAsked(), now)
    call = changed(call, state=S.CONSULTING, target=ev.target, news="")
    out.append(Talks(agent, "consulting"))
    if ev.target.attended and not call.nailed:
        out.append(KeepLeg(leg))  # else his leg ends when the target hangs up
    if ev.target.nailed:
        call, more = target_up(call, TargetUp(), now)
        return call, [*out, *more]
    return call, [*out, RingTarget(), Timer(TargetDue, now + ev.target.ring_s)]


def consulted_too_late(call: Call, ev: ConsultAsked, now: float) -> Result:
    return call, [] if ev.target.agent is None or ev.target.agent == call.agent else [Free(ev.target.agent, "consulted")]


def target_up(call: Call, ev: TargetUp, now: float) -> Result:
    """Attended: the two talk first. Blind, or the agent has hung up meanwhile: the customer is next."""
    target = call.target
    if target is None or target.stage != "ringing":
        return call, []
    if not target.attended or call.agent_leg is None:
        return _hand(call, target, now)
    out: list[Directive] = [Timer(TargetDue, None), Bridge(call.agent_leg, target.leg), Timer(BridgeDue, now + BRIDGE_DEADLINE_S)]
    return changed(call, target=replace(target, stage="meeting"), bridging=True), out


def _hand(call: Call, target: Target, now: float) -> Result:
    out: list[Directive] = [Timer(TargetDue, None), Bridge(call.lead_leg, target.leg), Timer(BridgeDue, now + BRIDGE_DEADLINE_S)]
    return changed(call, target=replace(target, stage="handing"), bridging=True), out


def met(call: Call, ev: Met, now: float) -> Result:
    target = call.target
    if target is None or target.stage != "meeting":
        return call, []
    out: list[Directive] = [Timer(BridgeDue, None)]
    if target.agent is not None:
        out.append(Talks(target.agent, "talking"))
    return changed(call, target=replace(target, stage="talking"), bridging=False), out


def complete(call: Call, ev: CompleteAsked, now: float) -> Result:
    """To whom he talks; to whom is still being rung, as soon as he is there."""
    target = call.target
    if target is None or target.stage in ("meeting", "handing"):
        return call, []
    if target.stage == "ringing":
        return changed(call, target=replace(target, attended=False)), []
    return _hand(call, target, now)


def handed(call: Call, ev: Handed, now: float) -> Result:
    """The customer talks to the target. Whoever gave him away is free; what he leaves behind is his own leg."""
    target = call.target
    if target is None or target.stage != "handing":
        return call, []
    out: list[Directive] = [Timer(BridgeDue, None), *let_agent_go(call, "served")]
    call = changed(
        call,
        state=S.BRIDGED,
        agent=target.agent,
        agent_leg=target.leg,
        agent_ready=True,
        nailed=target.nailed,
        last_agent=target.agent or call.last_agent,
        outside=target.agent is None,
        target=None,
        bridging=False,
        music=False,
        playing=0,
        apart=0,
    )
    return call, out if target.agent is None else [*out, Talks(target.agent, "talking")]


def target_gone(call: Call, ev: Input, now: float) -> Result:
    """Nobody there, or not any more. Blind, or at the hand-over: the customer is back with his agent at once. Attended: the agent decides what is next."""
    target = call.target
    if target is None:
        return call, []
    if isinstance(ev, BridgeFailed | BridgeDue) and not call.bridging:
        return call, []  # of a bridge that was given up since
    back = not target.attended or target.stage == "handing"
    unbridged = isinstance(ev, BridgeFailed | BridgeDue)
    call, out = _without_target(call, gone=isinstance(ev, TargetGone), missed=not unbridged)
    if unbridged:
        out = [AskSwitch(), *([AskLeg(call.agent_leg)] if call.agent_leg is not None else []), *out]
    call = changed(call, state=S.HELD, news=_news(target))
    if call.agent is None:
        call = changed(call, music=call.music and not unbridged)  # the attempt may have ended it
        call, more = agent_lost_in_call(call, AgentGone(), now)
        return call, [*out, *more]
    out.append(Talks(call.agent, "held"))
    if not back:
        return call, out
    call, more = connect(call, now)
    return call, [*out, *more]


def _news(target: Target) -> str:
    what = {"ringing": "did not answer", "talking": "has hung up"}.get(target.stage, "could not be connected")
    return f"{target.words} {what}"


def _without_target(call: Call, *, gone: bool = False, missed: bool = False) -> tuple[Call, list[Directive]]:
    """The target is let go. `gone`: his leg has ended by itself. `missed`: he was rung and did not come."""
    target = call.target
    if target is None:
        return call, []
    out: list[Directive] = [Timer(TargetDue, None), Timer(BridgeDue, None)]
    if target.stage in WITH_THE_AGENT and call.agent_leg is not None and not gone:
        out.append(ParkBoth(call.agent_leg, target.leg))
    if not target.nailed and not gone:
        out.append(Hangup(target.leg, "ORIGINATOR_CANCEL" if target.stage == "ringing" else "NORMAL_CLEARING"))
    if target.agent is not None:
        out.append(Free(target.agent, "missed_offer" if missed and target.stage == "ringing" else "consulted"))
    return changed(call, target=None, bridging=False), out


def take_back(call: Call, ev: ResumeAsked, now: float) -> Result:
    """Out of the consultation, or out of a transfer that nobody has answered yet, and back to the customer."""
    target = call.target
    if target is None or target.stage == "handing" or call.agent_leg is None:
        return call, []
    call, out = _without_target(call)
    call, more = connect(changed(call, state=S.HELD), now)
    return call, [*out, *more]


def agent_left_consulting(call: Call, ev: AgentGone, now: float) -> Result:
    """The agent who consults hangs up: that completes the transfer, or leaves the customer to whoever is rung. With nobody to go to he waits anew."""
    target = call.target
    if target is None or (target.stage == "ringing" and target.attended):
        call, out = _without_target(call)
        call, more = agent_lost_in_call(call, ev, now)
        return call, [*out, *more]
    if call.agent is None:
        return call, []
    free: Directive = Free(call.agent, "served")
    call = changed(call, agent=None, agent_leg=None, agent_ready=False, nailed=False)
    if target.stage in WITH_THE_AGENT:
        call, out = _hand(call, target, now)
        return call, [free, *out]
    return call, [free]


def ended_consulting(call: Call, ev: LeadEnded, now: float) -> Result:
    """The customer has hung up while his agent asked somebody: both are free."""
    call, out = _without_target(call)
    call, more = ended(call, ev, now)
    return call, [*out, *more]


# --- a bridge that came apart ---------------------------------------------------------------------------------------------------------


def came_apart(call: Call, ev: Input, now: float) -> Result:
    """A bridge that ended without either leg's end (yet): give the events time, then ask, then make sure. Heard twice: the news of an earlier one is late."""
    if call.apart == 2:
        return apart_due(changed(call, apart=3), GuardDue(), now)
    return changed(call, apart=1), [Timer(GuardDue, now + GUARD_S / 2)]


def apart_due(call: Call, ev: GuardDue, now: float) -> Result:
    if call.apart == 1 and not call.we_hung_up:
        return changed(call, apart=2), [AskSwitch(), Timer(GuardDue, now + GUARD_S)]
    call, out = let_lead_go(call, now)
    return call, [AskSwitch(), *out]


# --- recording ------------------------------------------------------------------------------------------------------------------------


def record(call: Call, ev: RecordAsked, now: float) -> Result:
    if ev.what == "start":
        return start_recording(call) if call.recording == "off" else (call, [])
    after = {"stop": "off", "pause": "paused", "resume": "on"}[ev.what]
    if call.recording == "off" or call.recording == after:
        return call, []
    return changed(call, recording=after), [Record(ev.what)]


def recorded(call: Call, ev: Recorded, now: float) -> Result:
    """The switch's own word: it writes, or has ended the file."""
    if ev.on:
        recording = "on" if call.recording == "off" else call.recording
        return changed(call, recording=recording, recorded_from=now if call.recorded_from is None else call.recorded_from), []
    return changed(call, recording="off", recorded_until=now), []


def record_failed(call: Call, ev: RecordFailed, now: float) -> Result:
    return changed(call, recording="off"), []


def heard(call: Call, ev: Input, now: float) -> Result:
    """The agent has heard his beep, or it takes too long."""
    if not call.hearing:
        return call, []
    call, out = connect(call, now)
    return call, [Timer(HeardDue, None), *out]


RECORD_DONE = {"start": "recording", "stop": "the recording has ended", "pause": "the recording is silent", "resume": "recording again"}


def why_not_record(call: Call, what: str) -> str:
    """Why a recording can not be started, stopped, silenced or gone on with (what: start, stop, pause, resume); "" = it can."""
    rule, now = call.plan.record, call.recording
    if what not in RECORD_DONE:
        return f"a recording can be started, stopped, paused and resumed, not {what!r}"
    if rule == "off":
        return "this campaign records no calls"
    if what == "start":
        return "" if now == "off" else "it is being recorded already"
    if now == "off":
        return "it is not being recorded"
    if what == "stop":
        return "" if rule == "on_demand" else "this campaign records its calls; you may not stop it"
    if not call.plan.record_pause:
        return "this campaign does not let you pause its recordings"
    if what == "pause":
        return "" if now == "on" else "it is paused already"
    return "" if now == "paused" else "it is not paused"

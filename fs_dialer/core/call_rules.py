"""What each rule of the call machine does; when it applies stands in the table of call.py.

A rule takes the call, the input and the time, and gives the changed call and its directives. It asks nobody and remembers nothing but the call.
"""

from __future__ import annotations

from fs_dialer.core.actions import AskLeg, Bridge, DropFallback, Hangup, PlayMusic, PlayNotice
from fs_dialer.core.call_words import (
    Accepted,
    AgentGone,
    AgentParked,
    AgentRingDue,
    AskSwitch,
    Begin,
    BridgeDue,
    BridgeFailed,
    Call,
    Cancel,
    Connected,
    DialLead,
    Directive,
    Due,
    Finish,
    Free,
    GuardDue,
    HeardDue,
    Input,
    LeadAnswered,
    LeadEarly,
    LeadEnded,
    LeadParked,
    LeadRang,
    LeadSeen,
    MachineHeard,
    Need,
    NobodyFree,
    NoticeOver,
    Offer,
    PreviewDue,
    Prolonged,
    Record,
    Refused,
    RingAgent,
    RingDue,
    RingReserved,
    Skip,
    Talks,
    Timer,
    WaitDue,
)
from fs_dialer.core.changed import changed
from fs_dialer.core.hangup import Evidence
from fs_dialer.core.model import AgentId, CallState, LegId
from fs_dialer.core.steering import onward, otherwise, walked

S = CallState

BRIDGE_DEADLINE_S = 5.0  # a bridge that is not reported by then is taken as failed
GUARD_S = 10.0  # how long the end of a leg may stay unreported before it is asked for again
RING_SLACK_S = 10.0  # past the switch's own ring timeout
EARLY_SLACK_S = 1.5  # the same, once early media has come
NOTICE_MOST_S = 30.0
HEARD_MOST_S = 5.0  # what an agent hears before the bridge is cut short then
SCREENING_MOST_S = 6.0
RANG_OUT = "NO_ANSWER"  # the cause the switch itself gives when its originate_timeout ends a leg
SKIPPED = "skipped"  # an agent passed the lead over
LOST_IN_CALL_S = 60.0  # how long a customer waits anew whose agent vanished in mid-call

Result = tuple[Call, list[Directive]]


def begin(call: Call, ev: Begin, now: float) -> Result:
    if call.plan.preview_s is None:
        return after_preview(call, ev, now)
    call = changed(call, state=S.PREVIEWING, accepted=not call.plan.accept)
    if not call.accepted:
        return call, [Timer(AgentRingDue, now + call.plan.agent_ring_s)]
    return _shown_from(call, now)


def _shown_from(call: Call, now: float) -> Result:
    """The lead is on the agent's card; where the time before the call has an end, it begins now."""
    assert call.plan.preview_s is not None
    if call.plan.preview_s == float("inf"):
        return call, []
    until = now + call.plan.preview_s
    return changed(call, preview_until=until), [Timer(PreviewDue, until)]


def accepted(call: Call, ev: Accepted, now: float) -> Result:
    if call.accepted:
        return call, []
    call, out = _shown_from(changed(call, accepted=True), now)
    return call, [Timer(AgentRingDue, None), *out]


def prolonged(call: Call, ev: Prolonged, now: float) -> Result:
    if call.preview_until is None:
        return call, []
    until = max(now, call.preview_until) + ev.by_s
    return changed(call, preview_until=until, extended=call.extended + 1), [Timer(PreviewDue, until)]


def preview_over(call: Call, ev: PreviewDue, now: float) -> Result:
    """The time before the call is over and the agent did nothing."""
    if call.plan.preview_end == "dial":
        return after_preview(call, ev, now)
    why = "absent" if call.plan.preview_end == "not_available" else "unserved"
    return changed(call, state=S.ENDED, agent=None, agent_leg=None), [*let_agent_go(call, why), Finish(None, SKIPPED)]


def after_preview(call: Call, ev: Input, now: float) -> Result:
    if call.plan.first_leg == "agent" and not call.agent_ready:
        call = changed(call, state=S.RINGING_AGENT_FIRST)
        return call, [Timer(PreviewDue, None), RingReserved(), Timer(AgentRingDue, now + call.plan.agent_ring_s)]
    return _dial(call, now)


def _dial(call: Call, now: float) -> Result:
    call = changed(call, state=S.DIALING, dialed_at=now)
    out: list[Directive] = [Timer(PreviewDue, None), Timer(AgentRingDue, None), DialLead(), Timer(RingDue, now + call.plan.ring_timeout_s + RING_SLACK_S)]
    if call.plan.ringback and call.agent_ready and call.agent_leg is not None:
        out.append(PlayMusic(call.agent_leg, call.plan.ringback))  # else he sits in silence and thinks the line is dead
    return call, out


def first_agent_offer(call: Call, ev: Offer, now: float) -> Result:
    """Agent first: the engine names the leg on which the reserved agent is rung, or finds that he is up already."""
    if call.agent is not None and call.agent != ev.agent:
        return call, [Free(ev.agent, "unserved")]
    call = changed(call, agent=ev.agent, agent_leg=ev.leg, agent_ready=ev.ready, nailed=ev.ready)
    return _dial(call, now) if ev.ready else (call, [RingAgent(ev.agent, ev.leg)])


def first_agent_ready(call: Call, ev: AgentParked, now: float) -> Result:
    return (call, []) if call.agent_leg is None else _dial(changed(call, agent_ready=True), now)


def first_agent_missed(call: Call, ev: Input, now: float) -> Result:
    out: list[Directive] = []
    if call.agent is not None:
        if call.agent_leg is not None and isinstance(ev, Due) and not call.nailed:
            out.append(Hangup(call.agent_leg, "ORIGINATOR_CANCEL"))
        out.append(Free(call.agent, "missed_offer"))
    return changed(call, state=S.ENDED, agent=None, agent_leg=None), [*out, Finish(None)]


def drop_undialed(call: Call, ev: Input, now: float) -> Result:
    gate = SKIPPED if isinstance(ev, Skip) else ""
    return changed(call, state=S.ENDED, agent=None, agent_leg=None), [*let_agent_go(call, "unserved"), Finish(None, gate)]


def seen(call: Call, ev: LeadSeen, now: float) -> Result:
    return (call, []) if call.leg_seen else (changed(call, leg_seen=True), [])


def rang(call: Call, ev: LeadRang, now: float) -> Result:
    return changed(call, leg_seen=True, rang_at=now if call.rang_at is None else call.rang_at), []


def early(call: Call, ev: LeadEarly, now: float) -> Result:
    """Where early media is wanted the originate has succeeded now, and with it ended the switch's own timeout: the ring time is ours to keep."""
    call = changed(call, leg_seen=True, state=S.EARLY, rang_at=now if call.rang_at is None else call.rang_at)
    since = now if call.dialed_at is None else call.dialed_at
    call, out = start_recording(call) if call.plan.record == "all" and call.recording == "off" else (call, [])
    return call, [*out, Timer(RingDue, since + call.plan.ring_timeout_s + EARLY_SLACK_S)]


def answered(call: Call, ev: LeadAnswered, now: float) -> Result:
    until = now + call.plan.max_wait_s
    call = changed(call, state=S.ANSWERED, leg_seen=True, answered_at=now, wait_until=until)
    out: list[Directive] = [Timer(RingDue, None), Timer(WaitDue, until)]
    if call.plan.record in ("answered", "all") and call.recording == "off":
        call, more = start_recording(call)
        out += more
    if not call.lead_parked:
        return call, out
    call, more = _route(call, now)
    return call, out + more


def start_recording(call: Call) -> Result:
    return changed(call, recording="on", recordings=call.recordings + 1), [Record("start")]


def parked_early(call: Call, ev: LeadParked, now: float) -> Result:
    """PARK may be reported before ANSWER, and comes at 183 where early media is wanted."""
    return changed(call, leg_seen=True, lead_parked=True), []


def parked(call: Call, ev: LeadParked, now: float) -> Result:
    return _route(changed(call, lead_parked=True), now)


def _route(call: Call, now: float) -> Result:
    if call.plan.screening:
        return changed(call, state=S.SCREENING), [Timer(GuardDue, now + SCREENING_MOST_S)]
    return past_screening(call, None, now)


def past_screening(call: Call, ev: Input | None, now: float) -> Result:
    call, out = seek(changed(call, state=S.WAITING_AGENT), now)
    return call, out if ev is None else [Timer(GuardDue, None), *out]


def seek(call: Call, now: float) -> Result:
    """An answered, parked customer: to the agent who is ready, to the one reserved, or to whoever is free."""
    if call.agent is not None and call.agent_ready:
        return connect(call, now)
    if call.agent is not None and call.agent_leg is None:
        return call, [RingReserved(), Timer(AgentRingDue, now + call.plan.agent_ring_s)]
    if call.agent is not None:
        return _with_music(call)
    elsewhere = call.plan.terms is not None and call.plan.terms.then != "hang_up"  # a queue's: WaitDue sends him there
    if call.wait_until is not None and now >= call.wait_until and not elsewhere:
        return give_up(call, None, now)
    return call, [Need()]


def _with_music(call: Call) -> Result:
    if call.music and call.playing:
        return call, []
    return changed(call, music=True, playing=call.playing + 1), [PlayMusic(call.lead_leg, call.plan.music)]


def connect(call: Call, now: float) -> Result:
    """Bridge the customer and his agent; before the first time, the agent hears what the campaign wants him to. Whoever was rung first needs no warning."""
    leg, sound = call.agent_leg, call.plan.agent_hears
    assert leg is not None
    if sound is not None and call.state is S.WAITING_AGENT and not call.hearing and call.plan.first_leg != "agent":
        call, music = _with_music(changed(call, hearing=True))
        return call, [Timer(AgentRingDue, None), *music, PlayNotice(leg, sound), Timer(HeardDue, now + HEARD_MOST_S)]
    call = changed(call, bridging=True, hearing=False)
    return call, [Timer(AgentRingDue, None), Bridge(call.lead_leg, leg), Timer(BridgeDue, now + BRIDGE_DEADLINE_S)]


def offered(call: Call, ev: Offer, now: float) -> Result:
    if call.agent is not None and call.agent != ev.agent:
        return call, [Free(ev.agent, "unserved")]
    call = changed(call, agent=ev.agent, agent_leg=ev.leg, agent_ready=ev.ready, nailed=ev.ready and not ev.found)
    if ev.ready:
        return connect(call, now)
    call, out = _with_music(call)
    return call, [*out, RingAgent(ev.agent, ev.leg), Timer(AgentRingDue, now + call.plan.agent_ring_s)]


def offered_elsewhere(call: Call, ev: Offer, now: float) -> Result:
    return call, [Free(ev.agent, "unserved")] if ev.agent != call.agent else []


def nobody(call: Call, ev: NobodyFree, now: float) -> Result:
    return _with_music(call)


def agent_ready(call: Call, ev: AgentParked, now: float) -> Result:
    if call.bridging or call.hearing or call.agent_ready or call.agent_leg is None:
        return call, []
    return connect(changed(call, agent_ready=True), now)


def agent_missed(call: Call, ev: Input, now: float) -> Result:
    """The agent did not come, or his leg broke before the bridge: the next one, while the customer's music goes on."""
    out: list[Directive] = [Timer(AgentRingDue, None), Timer(BridgeDue, None), Timer(HeardDue, None)]
    if isinstance(ev, BridgeFailed | BridgeDue):
        # One of the two may be gone without our having heard of it.
        out += [AskSwitch(), *([AskLeg(call.agent_leg)] if call.agent_leg is not None and call.nailed else [])]
        call = changed(call, music=False)  # the attempt may have ended it
    if call.agent is not None:
        if call.agent_leg is not None and not call.nailed and not isinstance(ev, AgentGone):
            out.append(Hangup(call.agent_leg, "ORIGINATOR_CANCEL"))
        out.append(Free(call.agent, "bridge_failed" if isinstance(ev, BridgeFailed | BridgeDue) else "missed_offer"))
    call = changed(call, agent=None, agent_leg=None, agent_ready=False, nailed=False, bridging=False, hearing=False)
    call, music = _with_music(call)
    call, more = seek(call, now)
    return call, out + music + more


def bridge_failed(call: Call, ev: Input, now: float) -> Result:
    return agent_missed(call, ev, now) if call.bridging else (call, [])


def agent_lost_before_answer(call: Call, ev: AgentGone, now: float) -> Result:
    """While the lead's phone rings. Agent first: the call is void without him, until the customer has answered. Else another agent may be free by then."""
    if call.agent is None:
        return call, []
    free: Directive = Free(call.agent, "missed_offer")
    lost = changed(call, agent=None, agent_leg=None, agent_ready=False, nailed=False)
    if call.plan.first_leg != "agent" or call.answered_at is not None:
        return lost, [free]
    lost, out = cancel_ringing(lost, Cancel("the agent hung up before the customer answered"), now)
    return lost, [free, *out]


def connected(call: Call, ev: Connected, now: float) -> Result:
    if call.state is S.BRIDGED and call.apart == 2 and not call.we_hung_up:
        return changed(call, apart=0), [Timer(GuardDue, None)]  # asked for, they talk: what was heard was news of an earlier bridge
    late = ev.found and call.state is S.HELD and not call.bridging
    if call.state is S.HELD and not call.bridging and not late:
        return call, [AskSwitch()]  # of the bridge that the hold ended, or of one that came too late
    if call.state is not S.WAITING_AGENT and not call.bridging and not late:
        return call, []  # said twice
    bridged_at = now if call.bridged_at is None else call.bridged_at
    call = changed(call, state=S.BRIDGED, bridging=False, hearing=False, bridged_at=bridged_at, music=False, playing=0, last_agent=call.agent)
    out: list[Directive] = [Timer(WaitDue, None), Timer(BridgeDue, None), Timer(AgentRingDue, None), Timer(HeardDue, None)]
    if late and call.agent_leg is not None:
        out.append(DropFallback((call.lead_leg, call.agent_leg)))  # armed again since the bridge was given up
    if call.agent is not None:
        out.append(Talks(call.agent, "talking"))
    return call, out


def give_up(call: Call, ev: Input | None, now: float) -> Result:
    """Long enough: on in his flow, where it has a way for that; else let the customer go, with a notice if there is one. Missed."""
    if (call.bridging or call.hearing) and ev is not None:
        return call, [Timer(WaitDue, now + BRIDGE_DEADLINE_S)]
    out: list[Directive] = [Timer(WaitDue, None), Timer(AgentRingDue, None), Timer(BridgeDue, None), *let_agent_go(call, "unserved")]
    if call.plan.in_flow and (way := otherwise(call)):
        call = changed(call, agent=None, agent_leg=None, agent_ready=False, nailed=False, bridging=False, hearing=False)
        call, more = onward(call, way, now)
        return call, out + more
    playing = call.music and call.playing > 0
    call = changed(call, state=S.NOTICE, agent=None, agent_leg=None, agent_ready=False, nailed=False, bridging=False, music=playing)
    if call.plan.notice is not None and call.lead_parked:
        return call, [*out, PlayNotice(call.lead_leg, call.plan.notice), Timer(GuardDue, now + NOTICE_MOST_S)]
    call, more = let_lead_go(call, now)
    return call, out + more


def let_lead_go(call: Call, now: float) -> Result:
    return changed(call, we_hung_up=True), [Hangup(call.lead_leg, "NORMAL_CLEARING"), Timer(GuardDue, now + GUARD_S)]


def notice_over(call: Call, ev: NoticeOver, now: float) -> Result:
    """The notice has been heard. What stops first is the music it replaced."""
    return (changed(call, music=False), []) if call.music else let_lead_go(call, now)


def hang_up_again(call: Call, ev: GuardDue, now: float) -> Result:
    call, out = let_lead_go(call, now)
    return call, [AskSwitch(), *out]


def machine(call: Call, ev: MachineHeard, now: float) -> Result:
    out = let_agent_go(call, "unserved")
    call = changed(call, state=S.NOTICE, machine=True, agent=None, agent_leg=None, agent_ready=False, nailed=False, bridging=False)
    call, more = let_lead_go(call, now)
    return call, [Timer(WaitDue, None), *out, *more]


def cancel_ringing(call: Call, ev: Cancel, now: float) -> Result:
    out: list[Directive] = [Timer(RingDue, None), *let_agent_go(call, "unserved")]
    call = changed(call, state=S.CANCELLING, cancel_reason=ev.reason, we_hung_up=True, agent=None, agent_leg=None, agent_ready=False, nailed=False)
    return call, [*out, Hangup(call.lead_leg, "ORIGINATOR_CANCEL"), Timer(GuardDue, now + GUARD_S)]


def agent_cancels(call: Call, ev: Input, now: float) -> Result:
    return cancel_ringing(call, Cancel("the agent hung up"), now)


def ring_overdue(call: Call, ev: RingDue, now: float) -> Result:
    """The switch should have ended it. Ask, and hang it up as the switch would have: it counts as what it was, not as a call we thought better of."""
    out = let_agent_go(call, "unserved")
    call = changed(call, state=S.CANCELLING, we_hung_up=True, agent=None, agent_leg=None, agent_ready=False, nailed=False)
    return call, [AskSwitch(), *out, Hangup(call.lead_leg, RANG_OUT), Timer(GuardDue, now + GUARD_S)]


def answered_too_late(call: Call, ev: LeadAnswered, now: float) -> Result:
    """D6: an answer after our cancel is hung up and never bridged. The person did answer, so it counts as missed."""
    call = changed(call, answered_at=now if call.answered_at is None else call.answered_at, leg_seen=True)
    return call, [Hangup(call.lead_leg, "NORMAL_CLEARING"), Timer(GuardDue, now + GUARD_S)]


def cancel_overdue(call: Call, ev: GuardDue, now: float) -> Result:
    cause = "NORMAL_CLEARING" if call.answered_at is not None else "ORIGINATOR_CANCEL" if call.cancel_reason else RANG_OUT
    return call, [AskSwitch(), Hangup(call.lead_leg, cause), Timer(GuardDue, now + GUARD_S)]


def agent_lost_in_call(call: Call, ev: AgentGone, now: float) -> Result:
    """The customer is on hold and his agent is gone: the next agent, with a fresh wait."""
    out: list[Directive] = [Timer(BridgeDue, None)]
    if call.agent is not None:
        out.append(Free(call.agent, "served"))
    until = now + LOST_IN_CALL_S
    call = changed(call, state=S.WAITING_AGENT, agent=None, agent_leg=None, agent_ready=False, nailed=False, bridging=False, wait_until=until)
    call, more = seek(call, now)
    return call, [*out, Timer(WaitDue, until), *more]


def agent_hung_up(call: Call, ev: AgentGone, now: float) -> Result:
    """The conversation is over. The lead leg ends with the bridge by itself; asking costs nothing and leaves nobody in silence."""
    out: list[Directive] = []
    if call.agent is not None:
        out.append(Free(call.agent, "served"))
    call = changed(call, agent=None, agent_leg=None, agent_ready=False, nailed=False, we_hung_up=True)
    return call, [*out, Hangup(call.lead_leg, "NORMAL_CLEARING"), Timer(GuardDue, now + GUARD_S)]


def ended(call: Call, ev: LeadEnded, now: float) -> Result:
    out = let_agent_go(call, "served" if call.state in (S.BRIDGED, S.HELD, S.CONSULTING) else "unserved")
    evidence = Evidence(
        cause=ev.cause,
        sip_status=ev.sip_status,
        q850=ev.q850,
        leg_seen=call.leg_seen,
        rang=call.rang_at is not None,
        answered_at=call.answered_at,
        bridged_at=call.bridged_at,
        ended_at=now,
        we_cancelled=bool(call.cancel_reason) and call.answered_at is None,
        we_hung_up=call.we_hung_up,
        machine=call.machine,
        ivr_success=call.plan.in_flow and (not call.machine or call.plan.machines == "go_on") and walked(call, ev.path).succeeded,
        certain=ev.certain,
        in_flow=call.plan.in_flow,
        wanted_at=call.wanted_at,
    )
    return changed(call, state=S.ENDED, agent=None, agent_leg=None, path=ev.path or call.path), [*out, Finish(evidence)]


def refused(call: Call, ev: Refused, now: float) -> Result:
    return changed(call, state=S.ENDED, agent=None, agent_leg=None), [*let_agent_go(call, "unserved"), Finish(None, ev.gate, ev.until)]


def let_agent_go(call: Call, why: str) -> list[Directive]:
    """Free the agent; a leg that was rung for this call alone is hung up, a nailed one stays."""
    if call.outside and call.agent_leg is not None:
        return [Hangup(call.agent_leg, "NORMAL_CLEARING")]
    if call.agent is None:
        return []
    out: list[Directive] = []
    if call.agent_leg is not None and not call.nailed:
        out.append(Hangup(call.agent_leg, "NORMAL_CLEARING" if call.agent_ready else "ORIGINATOR_CANCEL"))
    out.append(Free(call.agent, why))
    return out


def adopted_in_talk(call: Call, agent: AgentId | None, agent_leg: LegId, *, nailed: bool, now: float) -> Call:
    """A call found bridged after a restart. When it was answered is not known any more; it counts as connected at once."""
    return changed(
        call,
        state=S.BRIDGED,
        agent=agent,
        agent_leg=agent_leg,
        agent_ready=True,
        nailed=nailed,
        lead_parked=True,
        last_agent=agent,
        answered_at=now,
        bridged_at=now,
    )

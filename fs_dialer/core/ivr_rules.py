"""What the rules of a call in an IVR flow do. When each applies stands in the table of call.py.

The flow runs in the switch by itself; the call machine only follows it: it knows that the customer is in it, gives him an agent or the answer of a service
where the flow asks for one, and deals with answering machines. A leg in a flow has its own limit in the switch, and no fallback: nothing that this machine
wants may touch it unless the flow has asked for something.
"""

from __future__ import annotations

from fs_dialer.core.actions import AskHttp, DropFallback, Hangup, RenewFallback
from fs_dialer.core.call_rules import GUARD_S, Result, answered, ended, let_agent_go, machine, seek
from fs_dialer.core.call_words import (
    AgentRingDue,
    AskSwitch,
    BeepHeard,
    BridgeDue,
    Call,
    Directive,
    FoundInFlow,
    GuardDue,
    HeardDue,
    HttpCame,
    HttpWanted,
    IvrWantsAgent,
    LeadAnswered,
    LeadEnded,
    LeadParked,
    MachineHeard,
    NoticeOver,
    OptedOut,
    PutThrough,
    Timer,
    WaitDue,
)
from fs_dialer.core.caller_rules import ASK_EVERY_S, letting_go
from fs_dialer.core.changed import changed
from fs_dialer.core.model import CallState
from fs_dialer.core.steering import FLOW_SLACK_S, flow_most_s, known_values, onward, standing, to_message

S = CallState

PARK_MOST_S = 5.0  # how long a leg that wants an agent may take to be parked before it is asked for
ANSWER_SLACK_S = 1.5  # past a request's time-out: later the flow has helped itself


def answered_into_flow(call: Call, ev: LeadAnswered, now: float) -> Result:
    """He is in the flow at once: the switch has sent him there, and nobody needs to be found for him."""
    if not call.plan.in_flow:
        return answered(call, ev, now)
    parked = call.lead_parked
    call, out = answered(changed(call, lead_parked=False), ev, now)
    until = now + flow_most_s(call) + FLOW_SLACK_S
    return changed(call, state=S.IN_IVR, lead_parked=parked), [*out, Timer(WaitDue, None), Timer(GuardDue, until)]


# --- an agent -------------------------------------------------------------------------------------------------------------------------


def wants_agent(call: Call, ev: IvrWantsAgent, now: float) -> Result:
    """The flow's connect node. The leg parks next, or has done so already; two legs are bridged only when both are parked."""
    wanted_at = now if call.wanted_at is None else call.wanted_at
    call = changed(call, path=ev.path or call.path, node=ev.node, wants_agent=True, wanted_at=wanted_at, asking="")
    if call.lead_parked:
        return _waits(call, now)
    return call, [Timer(GuardDue, now + PARK_MOST_S)]


def parked_in_flow(call: Call, ev: LeadParked, now: float) -> Result:
    call = changed(call, lead_parked=True)
    return _waits(call, now) if call.wants_agent else (call, [])


def _waits(call: Call, now: float) -> Result:
    """From now on he is ours: what the flow had set for a daemon that does not answer (its music, its way on) is taken away."""
    until = now + call.plan.max_wait_s
    call = changed(call, state=S.WAITING_AGENT, wants_agent=False, wait_until=until, music=False, playing=0)
    call, out = seek(call, now)
    return call, [Timer(GuardDue, None), RenewFallback((call.lead_leg,)), Timer(WaitDue, until), *out]


def found(call: Call, ev: FoundInFlow, now: float) -> Result:
    """The switch was asked, after a lost link or a restart. Parked in a flow he waits for an agent: nothing else in it parks. Whoever hears the waiting music
    does not look parked to the switch (tried); his path tells."""
    call = changed(call, path=ev.path or call.path)
    node = standing(call, "connect")
    if not ev.parked and not node:
        guard: list[Directive] = [Timer(GuardDue, now + FLOW_SLACK_S)] if call.put_through else []  # that talk is over, and its leg should be
        return changed(call, put_through=False), guard
    if call.wants_agent:
        return parked_in_flow(call, LeadParked(), now)
    return wants_agent(changed(call, lead_parked=True), IvrWantsAgent(node, call.path), now)


def found_waiting(call: Call, ev: FoundInFlow, now: float) -> Result:
    """He waits, as we knew. Not parked any more, his flow has gone on by itself because we were not heard of: it has him."""
    call = changed(call, path=ev.path or call.path)
    if ev.parked or call.state is not S.WAITING_AGENT or call.bridging or standing(call, "connect"):
        return call, []
    call, out = _back_in_flow(call)
    node = call.plan.script.node(standing(call, "http")) if call.plan.script is not None else None
    if node is None:
        return call, [*out, Timer(GuardDue, now + flow_most_s(call) + FLOW_SLACK_S)]
    call, more = _on(call, node.otherwise, now, ())  # of its request nobody heard, and the timer that ended it is gone
    return call, [*out, *more]


def _back_in_flow(call: Call) -> Result:
    """Not ours to find an agent for any more; what was armed for one who waits would fire in the midst of what he hears now."""
    out: list[Directive] = [DropFallback((call.lead_leg,)), *let_agent_go(call, "unserved")]
    out += [Timer(due, None) for due in (WaitDue, AgentRingDue, BridgeDue, HeardDue)]
    call = changed(call, state=S.IN_IVR, agent=None, agent_leg=None, agent_ready=False, nailed=False, hearing=False, lead_parked=False, music=False, playing=0)
    return call, out


def put_through(call: Call, ev: PutThrough, now: float) -> Result:
    """He talks to a number outside, as long as they like: the limit of the flow has ended in the switch, and ends here. Only whether he is there is asked."""
    if call.bridging:
        return call, []
    out: list[Directive] = []
    if call.state is S.WAITING_AGENT:
        call, out = _back_in_flow(call)
    return changed(call, put_through=True, wants_agent=False, asking=""), [*out, Timer(GuardDue, now + ASK_EVERY_S)]


# --- a service ------------------------------------------------------------------------------------------------------------------------


def wants_answer(call: Call, ev: HttpWanted, now: float) -> Result:
    node = call.plan.script.node(ev.node) if call.plan.script is not None else None
    if node is None or node.do != "http":
        return call, []  # of a flow that was changed since: it helps itself when the time is over
    call = changed(call, path=ev.path or call.path, asking=node.name, asked_http_at=now)
    known = known_values(call)
    send = tuple((name, known[name]) for name in node.send if name in known)
    return call, [AskHttp(call.id, call.lead_leg, node.name, node.url, send, node.take, node.timeout_s)]


def answer_came(call: Call, ev: HttpCame, now: float) -> Result:
    """On to the node that the answer leads to; too late, and the flow is there already. Where no node follows, the flow lets him go by itself."""
    node = call.plan.script.node(ev.node) if call.plan.script is not None else None
    if node is None or call.asking != ev.node or now > call.asked_http_at + node.timeout_s + ANSWER_SLACK_S:
        return call, []
    if not ev.ok:
        return _on(changed(call, asking=""), node.otherwise, now, ())
    answers = dict(call.answers) | dict(ev.values)
    return _on(changed(call, asking="", answers=tuple(answers.items()), over_at="" if node.next else node.name), node.next, now, ev.values)


def _on(call: Call, node: str, now: float, taken: tuple[tuple[str, str], ...]) -> Result:
    return onward(call, node, now, taken) if node else (call, [Hangup(call.lead_leg, "NORMAL_CLEARING")])


# --- answering machines -----------------------------------------------------------------------------------------------------------------


def machine_in_flow(call: Call, ev: MachineHeard, now: float) -> Result:
    """By the campaign's choice: let go, told its message, or left in the flow as a person would be. Whoever has been put through to a number is none."""
    if call.put_through:
        return call, []
    if not call.plan.in_flow or call.plan.machines == "hang_up" or (call.plan.machines == "message" and call.plan.message is None):
        return machine(call, ev, now)
    if call.plan.machines == "go_on":
        return changed(call, machine=True), []
    out = let_agent_go(call, "unserved")
    call, more = to_message(changed(call, machine=True, agent=None, agent_leg=None, agent_ready=False, nailed=False, bridging=False), now)
    return call, out + more


def beep(call: Call, ev: BeepHeard, now: float) -> Result:
    """Where the beep alone tells of a machine."""
    return machine_in_flow(call, MachineHeard(), now)


def notice_over(call: Call, ev: NoticeOver, now: float) -> Result:
    """What an extension of the switch plays to a machine is not ours to follow."""
    return (call, []) if call.message else letting_go(call, ev, now)


# --- the end ----------------------------------------------------------------------------------------------------------------------------


def ended_notice(call: Call, ev: LeadEnded, now: float) -> Result:
    """Whether the message was left: the switch hangs up behind it, a machine that has had enough does so itself."""
    if call.message == "playing" and ev.by_us and not call.we_hung_up:
        call = changed(call, message="left")
    return ended(call, ev, now)


def opted_out(call: Call, ev: OptedOut, now: float) -> Result:
    return changed(call, opted_out=(*call.opted_out, ev.list)), []


def overdue(call: Call, ev: GuardDue, now: float) -> Result:
    """He wants an agent and his leg is not parked yet: ask. Else the flow should have ended long ago: ask, and end it."""
    if call.put_through:
        return call, [AskSwitch(), Timer(GuardDue, now + ASK_EVERY_S)]
    if call.wants_agent:
        return call, [AskSwitch(), Timer(GuardDue, now + GUARD_S)]
    return call, [AskSwitch(), Hangup(call.lead_leg, "ALLOTTED_TIMEOUT"), Timer(GuardDue, now + GUARD_S)]

"""One call, from the wish to dial to the end of its last leg: a table of (state, input) → rule.

The flow of its campaign type parametrises it (who is rung first, what an answered customer meets); there is one machine for all six types. Inputs
are what happened to *this* call, already sorted by role (lead leg, agent leg): the engine does the sorting. Directives that come out are either
actions for the shell or words to the engine (Need an agent, Free one, set a Timer, Finish).

    queued ─► previewing ─► ringing_agent_first ─► dialing ─► early ─► answered ─► screening ─► in_ivr / waiting_agent ─► bridged ⇄ held, consulting
                                                      └─► cancelling ─┐    waiting_agent ─► notice ─┐                     │
                                                                      └──────────► ended ◄──────────┴─────────────────────┘

What must never be lost on the way: a leg that is up has somebody who will end it (every waiting state has a timer), and an agent who was taken is
given back. Telephony events come late, twice and out of order, so every pair of state and input is decided: a rule, or IGNORE with its reason. Two legs
are bridged only when both are answered and parked: bridged at ANSWER one call in fifty stays in silence (tried on a real switch), bridged to a ringing
leg both die.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fs_dialer.core import call_rules as rules
from fs_dialer.core import caller_rules as callers
from fs_dialer.core import ivr_rules as flow
from fs_dialer.core import talk_rules as talk
from fs_dialer.core.call_rules import Result
from fs_dialer.core.call_words import (
    Accepted,
    AgentGone,
    AgentHeard,
    AgentParked,
    AgentRingDue,
    Announced,
    Apart,
    BeepHeard,
    Begin,
    BridgeDue,
    BridgeFailed,
    Call,
    Cancel,
    CompleteAsked,
    Connected,
    ConsultAsked,
    DialNow,
    FoundInFlow,
    GuardDue,
    Handed,
    HangUpAsked,
    HeardDue,
    HoldAsked,
    HttpCame,
    HttpWanted,
    Input,
    IvrWantsAgent,
    KeyPressed,
    LeadAnswered,
    LeadEarly,
    LeadEnded,
    LeadParked,
    LeadRang,
    LeadSeen,
    MachineHeard,
    Met,
    MusicDue,
    NobodyFree,
    NoticeOver,
    Offer,
    OptedOut,
    PersonHeard,
    PreviewDue,
    Prolonged,
    PutThrough,
    RecordAsked,
    Recorded,
    RecordFailed,
    Refused,
    Released,
    ResumeAsked,
    RingDue,
    SayDue,
    Skip,
    TargetDue,
    TargetGone,
    TargetUp,
    WaitDue,
)
from fs_dialer.core.model import CallState

S = CallState

Rule = Callable[[Call, Any, float], Result]


@dataclass(frozen=True, slots=True)
class IGNORE:
    """A pair that is decided: nothing happens, for this reason."""

    why: str


UNDIALED = (S.QUEUED, S.PREVIEWING, S.RINGING_AGENT_FIRST)
RINGING = (S.DIALING, S.EARLY)
UP = (S.ANSWERED, S.SCREENING, S.IN_IVR, S.WAITING_AGENT, S.NOTICE, S.BRIDGED, S.HELD, S.CONSULTING)
PAIRED = (S.BRIDGED, S.HELD, S.CONSULTING)
ALL = tuple(CallState)

TABLE: dict[tuple[CallState, type[Input]], Rule | IGNORE] = {}


def _put(states: tuple[CallState, ...], kinds: tuple[type[Input], ...], rule: Rule | IGNORE) -> None:
    for state in states:
        for kind in kinds:
            if (state, kind) in TABLE:
                raise ValueError(f"{state} × {kind.__name__} is decided twice")
            TABLE[state, kind] = rule


def _rest(kinds: tuple[type[Input], ...], why: str) -> None:
    """The states of these inputs that have no rule."""
    for kind in kinds:
        for state in ALL:
            TABLE.setdefault((state, kind), IGNORE(why))


# the preview, the agent first, the dialling
_put((S.QUEUED,), (Begin,), rules.begin)
_put((S.PREVIEWING,), (DialNow,), rules.after_preview)
_put((S.PREVIEWING,), (PreviewDue,), rules.preview_over)
_put((S.PREVIEWING,), (Accepted,), rules.accepted)
_put((S.PREVIEWING,), (Prolonged,), rules.prolonged)
_put((S.PREVIEWING,), (AgentRingDue,), rules.first_agent_missed)
_put((S.PREVIEWING,), (Skip,), rules.drop_undialed)
_put(UNDIALED, (Cancel,), rules.drop_undialed)
_put((S.PREVIEWING,), (AgentGone,), rules.drop_undialed)
_put((S.RINGING_AGENT_FIRST,), (Offer,), rules.first_agent_offer)
_put((S.RINGING_AGENT_FIRST,), (AgentParked,), rules.first_agent_ready)
_put((S.RINGING_AGENT_FIRST,), (AgentGone, AgentRingDue, NobodyFree), rules.first_agent_missed)
_put(RINGING, (Refused,), rules.refused)
_put((S.CANCELLING,), (Refused,), rules.refused)
# the lead leg on its way
_put((*RINGING, S.CANCELLING), (LeadSeen,), rules.seen)
_put((*RINGING, S.CANCELLING), (LeadRang,), rules.rang)
_put(RINGING, (LeadEarly,), rules.early)
_put((S.CANCELLING,), (LeadEarly,), rules.rang)
_put(RINGING, (LeadAnswered,), flow.answered_into_flow)
_put((S.CANCELLING,), (LeadAnswered,), rules.answered_too_late)
_put(RINGING, (LeadParked,), rules.parked_early)
_put((S.ANSWERED,), (LeadParked,), rules.parked)
_put(RINGING, (RingDue,), rules.ring_overdue)
_put(RINGING, (Cancel,), rules.cancel_ringing)
_put((S.CANCELLING,), (GuardDue,), rules.cancel_overdue)
_put(RINGING, (AgentGone,), rules.agent_lost_before_answer)
# an answered customer
_put((S.SCREENING,), (PersonHeard, GuardDue), rules.past_screening)
_put((S.SCREENING, S.IN_IVR, S.WAITING_AGENT, S.ANSWERED), (MachineHeard,), flow.machine_in_flow)
_put((S.WAITING_AGENT,), (Offer,), rules.offered)
_put((S.QUEUED, S.PREVIEWING, *RINGING, S.ANSWERED, S.SCREENING, S.IN_IVR, S.NOTICE, *PAIRED, S.CANCELLING, S.ENDED), (Offer,), rules.offered_elsewhere)
_put((S.WAITING_AGENT,), (NobodyFree,), rules.nobody)
_put((S.WAITING_AGENT,), (AgentParked,), rules.agent_ready)
_put((S.WAITING_AGENT,), (AgentGone, AgentRingDue), rules.agent_missed)
_put((S.WAITING_AGENT,), (BridgeFailed, BridgeDue), rules.bridge_failed)
_put((S.WAITING_AGENT,), (AgentHeard, HeardDue), talk.heard)
_put((S.ANSWERED, S.SCREENING, S.IN_IVR), (AgentGone,), rules.agent_lost_before_answer)
_put((S.ANSWERED, S.SCREENING, S.WAITING_AGENT), (WaitDue,), callers.waited_too_long)
_put((S.WAITING_AGENT, S.HELD, S.BRIDGED), (Connected,), rules.connected)
_put((S.NOTICE,), (NoticeOver,), flow.notice_over)
_put((S.WAITING_AGENT,), (NoticeOver, MusicDue), callers.sound_over)
_put((S.HELD, S.CONSULTING), (NoticeOver, MusicDue), talk.music_over)
_put((S.NOTICE,), (GuardDue,), callers.let_go_overdue)
_put((S.BRIDGED,), (GuardDue,), talk.apart_due)
# a customer in an IVR flow
_put((S.IN_IVR,), (IvrWantsAgent,), flow.wants_agent)
_put((S.IN_IVR,), (LeadParked,), flow.parked_in_flow)
_put((S.IN_IVR,), (HttpWanted,), flow.wants_answer)
_put((S.IN_IVR,), (HttpCame,), flow.answer_came)
_put((S.IN_IVR,), (FoundInFlow,), flow.found)
_put((S.WAITING_AGENT,), (FoundInFlow,), flow.found_waiting)
_put((S.IN_IVR, S.WAITING_AGENT), (PutThrough,), flow.put_through)
_put((S.IN_IVR,), (GuardDue,), flow.overdue)
_put((S.IN_IVR,), (BeepHeard,), flow.beep)
_put((S.NOTICE,), (LeadEnded,), flow.ended_notice)
_put((*RINGING, *UP, S.CANCELLING), (OptedOut,), flow.opted_out)
# an inbound caller in a queue
_put((S.WAITING_AGENT,), (KeyPressed,), callers.key)
_put((S.NOTICE,), (KeyPressed,), callers.key_at_the_end)
_put(PAIRED, (KeyPressed,), callers.key_remembered)
_put((S.WAITING_AGENT,), (SayDue,), callers.say_due)
_put((S.WAITING_AGENT,), (Announced,), callers.announced)
_put((S.WAITING_AGENT, S.NOTICE), (Released,), callers.released)
# the conversation
_put(UNDIALED, (HangUpAsked,), rules.drop_undialed)
_put(RINGING, (HangUpAsked,), rules.agent_cancels)
_put(PAIRED, (HangUpAsked,), talk.hang_up)
_put((S.BRIDGED,), (HoldAsked,), talk.hold)
_put((S.HELD, S.CONSULTING), (LeadParked,), talk.parted)
_put((S.HELD,), (ResumeAsked,), talk.resume)
_put((S.HELD,), (BridgeFailed, BridgeDue), talk.resume_failed)
_put((S.BRIDGED, S.HELD), (ConsultAsked,), talk.consult)
_put(tuple(s for s in ALL if s not in (S.BRIDGED, S.HELD)), (ConsultAsked,), talk.consulted_too_late)
_put((S.CONSULTING,), (ResumeAsked,), talk.take_back)
_put((S.CONSULTING,), (CompleteAsked,), talk.complete)
_put((S.CONSULTING,), (TargetUp,), talk.target_up)
_put((S.CONSULTING,), (TargetGone, TargetDue, BridgeFailed, BridgeDue), talk.target_gone)
_put((S.CONSULTING,), (Met,), talk.met)
_put((S.CONSULTING,), (Handed,), talk.handed)
_put((S.CONSULTING,), (AgentGone,), talk.agent_left_consulting)
_put((S.CONSULTING,), (LeadEnded,), talk.ended_consulting)
_put((S.HELD,), (AgentGone,), rules.agent_lost_in_call)
_put((S.BRIDGED,), (AgentGone,), rules.agent_hung_up)
_put((S.BRIDGED,), (Apart,), talk.came_apart)
_put((*RINGING, *(s for s in UP if s not in (S.CONSULTING, S.NOTICE)), S.CANCELLING), (LeadEnded,), rules.ended)
# the recording
_put((S.EARLY, *UP), (RecordAsked,), talk.record)
_put((*RINGING, *UP, S.CANCELLING), (Recorded,), talk.recorded)
_put((*RINGING, *UP, S.CANCELLING), (RecordFailed,), talk.record_failed)

_rest((Begin,), "begun already")
_rest((DialNow, Skip, Accepted, Prolonged, PreviewDue), "the preview is over")
_rest((LeadSeen, LeadRang, LeadEarly, RingDue), "the call is past ringing, or there is no lead leg yet")
_rest((LeadAnswered, LeadParked), "known already, or no lead leg was asked for")
_rest((LeadEnded,), "no lead leg was asked for, or it has ended")
_rest((Refused,), "the store's word comes before any leg")
_rest((NobodyFree, AgentParked, AgentGone, AgentRingDue), "no agent is being waited for")
_rest((Connected, Apart, BridgeFailed, BridgeDue), "the bridge is over, or was never asked for")
_rest((MachineHeard, PersonHeard, BeepHeard), "too late to matter, or a flow that goes on as it would")
_rest((IvrWantsAgent, HttpWanted, HttpCame, FoundInFlow, PutThrough), "not in a flow any more, or not yet")
_rest((OptedOut,), "nobody is called yet, or any more")
_rest((HangUpAsked,), "a customer who waits for somebody is not the agent's to hang up, and a call that is ending ends")
_rest((HoldAsked, ResumeAsked, CompleteAsked), "nobody to hold; the engine answers the agent")
_rest((TargetUp, TargetGone, TargetDue, Met, Handed), "he is not asked any more; the engine hangs his leg up")
_rest((AgentHeard, HeardDue), "nothing is being played to the agent")
_rest((RecordAsked, Recorded, RecordFailed), "nobody is on the line yet, or not any more")
_rest((NoticeOver, MusicDue, WaitDue, GuardDue), "settled meanwhile")
_rest((KeyPressed, SayDue, Announced, Released), "nobody who waits in a queue")
_rest((Cancel,), "an answered customer is served whatever was asked, and a call that is ending ends")


def step(call: Call, ev: Input, now: float) -> Result:
    """What one input makes of a call. KeyError never: every pair is in the table (a test walks it)."""
    rule = TABLE[call.state, type(ev)]
    return (call, []) if isinstance(rule, IGNORE) else rule(call, ev, now)

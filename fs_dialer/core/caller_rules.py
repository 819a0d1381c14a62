"""What the rules of the call machine do for inbound callers only: the key for a callback, announcements, where a caller goes who has waited too long.

When each applies stands in the table of call.py. A caller is promised one thing at most: an agent who has answered and is being connected wins over the key,
the key over everything else, and what was asked for by the key holds whoever hangs up first.
"""

from __future__ import annotations

from fs_dialer.core.actions import Announce, DropFallback, EnterIvr, PlayMusic, PlayNotice
from fs_dialer.core.call_rules import NOTICE_MOST_S, Result, give_up, hang_up_again, let_agent_go, let_lead_go, notice_over
from fs_dialer.core.call_words import (
    AgentRingDue,
    Announced,
    AskSwitch,
    BridgeDue,
    Call,
    Directive,
    Forget,
    GuardDue,
    HeardDue,
    Input,
    KeyPressed,
    NoticeOver,
    Released,
    Say,
    SayDue,
    Timer,
    WaitDue,
)
from fs_dialer.core.changed import changed
from fs_dialer.core.model import CallState
from fs_dialer.core.switch_names import KEPT_RELEASED, KEPT_VOICEMAIL, QUEUE_CONTEXT, kept_row
from fs_dialer.core.talk_rules import music_over

S = CallState

CALLBACK, VOICEMAIL, OVERFLOW, RELEASED = "callback", "voicemail", "overflow", "released"
GONE_BY = {"hang_up": RELEASED, "voicemail": VOICEMAIL, "number": OVERFLOW}
OUT_OF_OUR_HANDS = frozenset({VOICEMAIL, OVERFLOW, RELEASED})  # an extension of the switch has him: nothing is played to him and he is not hung up by us
OVERFLOW_SUFFIX = ".overflow"  # QUEUE.overflow is its extension in the switch
SAY_MOST_S = 20.0  # an announcement whose end is not reported is taken as over then
ASK_EVERY_S = 60.0  # whether somebody is still there of whom the switch alone has news
THEN_SLACK_S = 30.0  # past the switch's own limit for a message


# --- the key --------------------------------------------------------------------------------------------------------------------------


def key(call: Call, ev: KeyPressed, now: float) -> Result:
    """S72–S77. He is let go once, whatever he presses after that; before `key_after_s`, by another key, or where his number is withheld and
    nobody could call him back, he keeps his place."""
    terms = call.plan.terms
    if terms is None or terms.key_after_s is None:
        return call, [Forget((ev.row,))] if ev.row else []
    if not ev.right:
        return hint(call, terms.said_wrong, now)
    at = now if ev.at is None else ev.at
    if call.key_at is not None and call.bridged_at is None and call.agent is None:
        return let_go_for_callback(_keep(call, ev), now)  # he pressed while an agent was being connected, and nothing came of that
    if call.bridged_at is not None or call.key_at is not None:
        return _keep(call, ev), []  # an agent has talked to him, or he has pressed it already
    if not call.lead.number:
        return _not_taken(call, ev, terms.said_wrong, now)
    if call.answered_at is not None and at - call.answered_at < terms.key_after_s:
        return _not_taken(call, ev, terms.said_too_early, now)
    call = changed(_keep(call, ev), key_at=at)
    if call.bridging or call.hearing:
        return call, []  # the agent is there: should it come to nothing, he is let go then
    return let_go_for_callback(call, now)


def _not_taken(call: Call, ev: KeyPressed, sound: str | None, now: float) -> Result:
    call, out = hint(call, sound, now)
    return call, [*([Forget((ev.row,))] if ev.row else []), *out]


def _keep(call: Call, ev: KeyPressed) -> Call:
    return changed(call, kept=(*call.kept, ev.row)) if ev.row and ev.row not in call.kept else call


def let_go_for_callback(call: Call, now: float) -> Result:
    """An agent who is being rung is let go; then he hears that he will be called, and is hung up."""
    terms = call.plan.terms
    out: list[Directive] = [*_no_more_waiting(), *let_agent_go(call, "unserved")]
    playing = call.plan.notice is not None if call.state is S.NOTICE else call.music and call.playing > 0
    call = changed(call, state=S.NOTICE, leaving=CALLBACK, agent=None, agent_leg=None, agent_ready=False, nailed=False, music=playing, said_at=None)
    if terms is not None and terms.said_at_key is not None and call.lead_parked and not call.we_hung_up:
        return call, [*out, PlayNotice(call.lead_leg, terms.said_at_key), Timer(GuardDue, now + NOTICE_MOST_S)]
    call, more = let_lead_go(call, now)
    return call, [*out, *more]


def key_at_the_end(call: Call, ev: KeyPressed, now: float) -> Result:
    """He is being let go because he waited too long: that he asked in the last moment holds all the same."""
    if call.leaving or not ev.right or call.plan.terms is None:
        return _keep(call, ev), []
    return key(call, ev, now)


def key_remembered(call: Call, ev: KeyPressed, now: float) -> Result:
    """He talks to an agent: the row in the switch is settled with his call."""
    return (call, []) if call.plan.terms is None else (_keep(call, ev), [])


# --- what he is told --------------------------------------------------------------------------------------------------------------------


def hint(call: Call, sound: str | None, now: float) -> Result:
    if sound is None or not _may_hear(call, now):
        return call, []
    return announced(call, Announced((sound,)), now)


def say_due(call: Call, ev: SayDue, now: float) -> Result:
    """Every so often, if nothing is being said to him and no agent is being connected; his music, if the end of what was said was not reported."""
    terms = call.plan.terms
    if terms is None:
        return call, []
    out: list[Directive] = []
    if call.said_at is not None and now >= call.said_at + SAY_MOST_S:
        call = changed(call, said_at=None, playing=1)
        out.append(PlayMusic(call.lead_leg, call.plan.music))
    if terms.announce_every_s is None:
        return call, out
    if call.say_at is None or now >= call.say_at:
        call = changed(call, say_at=now + terms.announce_every_s)
        if not out and _may_hear(call, now):
            out.append(Say())
    return call, [Timer(SayDue, call.say_at), *out]


def _may_hear(call: Call, now: float) -> bool:
    being_told = call.said_at is not None and now < call.said_at + SAY_MOST_S
    return call.state is S.WAITING_AGENT and call.lead_parked and call.music and not (call.bridging or call.hearing or being_told)


def announced(call: Call, ev: Announced, now: float) -> Result:
    """In place of the music, which begins again when it is over (talk_rules.music_over). What was queued behind what plays now is gone with it."""
    if not ev.sounds or not _may_hear(call, now):
        return call, []
    call = changed(call, playing=min(call.playing, 1) + 1, said_at=now)
    overdue_at = now + SAY_MOST_S
    return call, [Announce(call.lead_leg, ev.sounds), Timer(SayDue, overdue_at if call.say_at is None else min(overdue_at, call.say_at))]


def sound_over(call: Call, ev: Input, now: float) -> Result:
    """Once everything that was sent has ended, nothing is being said to him any more, and his music begins again."""
    if isinstance(ev, NoticeOver) and call.said_at is not None and call.playing <= 1:
        call = changed(call, said_at=None)
    return music_over(call, ev, now)


# --- who has waited too long ------------------------------------------------------------------------------------------------------------


def waited_too_long(call: Call, ev: Input, now: float) -> Result:
    """To voice mail or to a number by the switch's own extension, or let go as any customer is."""
    terms = call.plan.terms
    if terms is None or terms.then == "hang_up" or call.bridging or call.hearing or not call.lead_parked or call.bridged_at is not None:
        return give_up(call, ev, now)
    out: list[Directive] = [*_no_more_waiting(), *let_agent_go(call, "unserved")]
    call = _out_of_our_hands(call, GONE_BY[terms.then])
    enter = EnterIvr(call.lead_leg, terms.queue + OVERFLOW_SUFFIX, QUEUE_CONTEXT, at_most_s=terms.then_at_most_s)
    return call, [*out, enter, Timer(GuardDue, now + ASK_EVERY_S)]


def released(call: Call, ev: Released, now: float) -> Result:
    """The switch's own fallback has him already; a timer of ours that may have been set since is taken away."""
    terms = call.plan.terms
    if terms is None or call.bridging or call.bridged_at is not None or call.leaving in OUT_OF_OUR_HANDS:
        return call, []
    out: list[Directive] = [*_no_more_waiting(), *let_agent_go(call, "unserved")]
    why = call.leaving or (CALLBACK if call.key_at is not None else ev.why or GONE_BY[terms.then])
    call = _out_of_our_hands(call, why)
    call = changed(call, kept=tuple(dict.fromkeys((*call.kept, *ev.rows))))
    return call, [*out, DropFallback((call.lead_leg,)), Timer(GuardDue, now + ASK_EVERY_S)]


def _out_of_our_hands(call: Call, why: str) -> Call:
    """Whatever rows that extension leaves in the switch are settled with him."""
    rows = (kept_row(call.lead_leg, KEPT_RELEASED), kept_row(call.lead_leg, KEPT_VOICEMAIL))
    return changed(
        call,
        state=S.NOTICE,
        leaving=why,
        kept=tuple(dict.fromkeys((*call.kept, *rows))),
        agent=None,
        agent_leg=None,
        agent_ready=False,
        nailed=False,
        bridging=False,
        hearing=False,
        lead_parked=False,
        music=False,
        said_at=None,
    )


def letting_go(call: Call, ev: NoticeOver, now: float) -> Result:
    """A sound is over: ours, or one of the extension that has him, which says nothing."""
    return notice_over(call, ev, now) if _in_our_hands(call) else (call, [])


def let_go_overdue(call: Call, ev: GuardDue, now: float) -> Result:
    """Whom an extension of the switch has is only asked after; his end is the switch's."""
    return hang_up_again(call, ev, now) if _in_our_hands(call) else (call, [AskSwitch(), Timer(GuardDue, now + ASK_EVERY_S)])


def _in_our_hands(call: Call) -> bool:
    return call.plan.terms is None or call.lead_parked


def _no_more_waiting() -> list[Directive]:
    return [Timer(due, None) for due in (WaitDue, AgentRingDue, BridgeDue, HeardDue, SayDue)]

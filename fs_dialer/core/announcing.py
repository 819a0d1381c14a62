"""What a queued caller is told of his waiting: his place in the line, and the minutes that he will probably wait, as far as both are known.

Asks the world and makes the list of sounds; when it is played, caller_rules.py says. Numbers are the switch's own files digits/1.wav …, up to MOST_SAID.
"""

from __future__ import annotations

from math import ceil

from fs_dialer.core.actions import ForgetKept
from fs_dialer.core.call_words import Announced, Call, Forget, Say
from fs_dialer.core.model import AttemptId
from fs_dialer.core.world import Run, World

MOST_SAID = 20
MINUTE_S = 60.0


def place_in_line(w: World, run: Run, call: Call) -> int:
    """1 = the next one. Before him are those who came earlier and whom no agent has met."""
    mine = (call.answered_at or 0.0, -call.lead.id)
    unmet = (w.calls[other] for other in run.calls)
    return 1 + sum(1 for c in unmet if c.bridged_at is None and not c.leaving and (c.answered_at or 0.0, -c.lead.id) < mine)


def expected_wait_s(w: World, run: Run, call: Call) -> float | None:
    """None = unknown: too few calls were seen, nobody serves, or an agent is on his way already."""
    if run.queue is None or call.agent is not None:
        return None
    mine = (call.answered_at or 0.0, -call.lead.id)
    before = sum(1 for other in run.waiting if ((c := w.calls[other]).answered_at or 0.0, -c.lead.id) < mine)
    return run.queue.pace.expected_s(1 + before, run.staying, w.now)


def sounds_for(w: World, call: Call) -> tuple[str, ...]:
    """In their order; () where there is nothing to say."""
    terms, run = call.plan.terms, w.runs[call.campaign]
    if terms is None:
        return ()
    sounds: list[str] = []
    if terms.place is not None and (place := place_in_line(w, run, call)) <= MOST_SAID:
        sounds += [terms.place, _number(place)]
    expected_s = expected_wait_s(w, run, call) if terms.wait is not None else None
    if terms.wait is not None and expected_s is not None and (minutes := max(1, ceil(expected_s / MINUTE_S))) <= MOST_SAID:
        sounds += [terms.wait, _number(minutes), *([terms.minutes] if terms.minutes is not None else [])]
    return tuple(sounds)


def _number(number: int) -> str:
    return f"digits/{number}.wav"


def say(w: World, call_id: AttemptId, d: Say) -> None:
    sounds = sounds_for(w, w.calls[call_id])
    if sounds:
        w.pending.append((call_id, Announced(sounds)))


def forget(w: World, call_id: AttemptId, d: Forget) -> None:
    w.out.append(ForgetKept(w.calls[call_id].switch, d.rows))

"""When to place one more call than there are free agents: probabilistic pacing under a budget of missed calls ("PPP").

**The rule.** One more call is placed while the chance that its customer would meet no free agent is at most q. That chance counts every agent who may
become free until then and every call that already rings, by its own chance to be answered (pacer_odds); how likely calls are answered and when agents
become free is learnt (pacer_answer, pacer_curves); q is the price that the budget of missed calls allows at this moment, and 0 when it is used up
(pacer_budget): then it dials one line for each free agent, which misses nobody.

Pure: events and views in, a number of calls out. Knows nothing of the engine, of leads or of FreeSWITCH; one clock in seconds, whose zero is of no
meaning. Never raises on odd input: it answers 0 and says why. The rule, how it was found and what it reaches: docs/decisions/0006-pacing.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from fs_dialer.modes.pacer_answer import AnswerRate
from fs_dialer.modes.pacer_budget import HOLD_SHARE, Budget, Price
from fs_dialer.modes.pacer_curves import LONGEST_S, RING_BINS, RING_STEPS, TALK_ROWS, TALK_STEP_S, WRAP_ROWS, WRAP_STEP_S, Floats, Handling, RingCurves
from fs_dialer.modes.pacer_odds import calls_within

VERSION = 1
REBUILD_S = 10.0
COLD_CALLS, COLD_PER_ENDED, COLD_UNTIL = 20, 2, 200  # in flight ≤ 20 + 2·ended, until 200 have ended
RESERVE_MOST = 3  # free agents kept from an overdrawn budget
SETTLED_S = 60.0  # after it every call of a bolder moment has ended
OUTAGE_S = 30.0  # so long most calls must have failed by our or the network's fault
REDIAL_S = 1.0  # so long a call that failed so is not replaced by another
OUTAGE_QUIET_S = 10.0  # without such a failure it is over
_NONE: Floats = np.zeros(0)
_NOBODY: Floats = np.zeros((0, 3))


@dataclass(frozen=True, slots=True)
class View:
    """One moment. idle: agents who could take a customer now; on_hold: customers answered and without an agent; ringing: (started_at, the lead's own
    chance to answer or None); talking, wrapping: when each began; agents: logged in and staying; room: lines still allowed."""

    idle: int
    on_hold: int
    ringing: Sequence[tuple[float, float | None]]
    talking: Sequence[float]
    wrapping: Sequence[float]
    agents: int
    room: int


@dataclass(frozen=True, slots=True)
class Decision:
    """n: how many calls to launch now. because: the one thing that holds the pace, in the operator's words. q: the price, p: the answer rate reckoned with."""

    n: int
    because: str
    q: float = 0.0
    p: float = 0.0


@dataclass(slots=True)
class _Outage:
    """Calls that left without a word of the callee: ours or the network's fault. Both counts fade within half a minute."""

    lost: float = 0.0
    ended: float = 0.0
    at: float = 0.0
    since: float | None = None
    latest: float = 0.0

    def count(self, now: float, lost: int, ended: int) -> None:
        if now > self.at:
            kept = math.exp((self.at - now) / OUTAGE_S)
            self.lost *= kept
            self.ended *= kept
            self.at = now
        self.lost += lost
        self.ended += ended
        if self.since is not None and (now - self.latest > OUTAGE_QUIET_S or self.lost <= self.ended):
            self.since = None
        if lost and self.lost > self.ended:
            self.latest = now
            self.since = now if self.since is None else self.since

    def lasts(self, now: float) -> bool:
        return self.since is not None and self.latest - self.since > OUTAGE_S


class Pacer:
    """limit: most missed calls per answer, 0–1. max_wait_s: within this an answered customer must meet his agent. window_start, window_end: this day's
    calling hours (end None = not known: nothing is lent ahead of it). pickup_rate: a first guess of the answer rate. state: of an earlier state()."""

    def __init__(
        self,
        limit: float,
        max_wait_s: float,
        agents: int,
        window_start: float,
        window_end: float | None = None,
        pickup_rate: float | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self.max_wait_s = min(600.0, max(0.0, _finite(max_wait_s, 0.0)))
        self._agents = _whole(agents)
        start = _finite(window_start, 0.0)
        end = None if window_end is None or not math.isfinite(window_end) else float(window_end)
        rate = None if pickup_rate is None or not math.isfinite(pickup_rate) else pickup_rate
        self._budget = Budget(min(1.0, max(1e-6, _finite(limit, 1e-6))), start, end, self._agents)
        self._answer = AnswerRate.new(rate)
        self._ring = RingCurves()
        self._handling = Handling()
        self._outage = _Outage(at=start)
        self._now = -math.inf
        self._built_at: float | None = None
        self._out = 0  # launched and neither answered nor ended, by what we were told
        self._free_since: float | None = None  # since when only free agents are dialled for
        self._taken = 0  # missed all the same
        self._lost: list[tuple[float, int]] = []  # in the last REDIAL_S: when, and how many
        self._ended = 0  # towards the end of the cold start
        self._lead_mean, self._lead_seen, self._lead_newest = 0.0, 0.0, -math.inf
        self._last = Decision(0, "nothing was asked yet")
        self._last_price = Price(0.0, 0.0, 1.0, 0.0, 1.0)
        self._last_risk = 0.0
        self._problem = ""
        if state:
            self._restore(state)

    # --- what happened ----------------------------------------------------------------------------------------------------------------

    def observe(self, kind: str, now: float, age_s: float | None = None) -> None:
        """launched · answered, ended, machine (ring age; the call leaves View.ringing) · talk_ended, wrap_ended (age of that spell) · abandoned (missed).

        A call that fails by our or the network's fault is reported by no event and merely leaves View.ringing. Unknown kinds are ignored.
        """
        now = self._clock(now)
        age = None if age_s is None or not math.isfinite(age_s) else min(LONGEST_S, max(0.0, age_s))
        if kind == "launched":
            self._out += 1
        elif kind in ("answered", "ended", "machine"):
            self._resolved(kind == "answered", now, age)
        elif kind == "talk_ended" and age is not None:
            self._handling.talk_hazard.saw_end(age)
        elif kind == "wrap_ended" and age is not None:
            self._handling.wrap_hazard.saw_end(age)
        elif kind == "abandoned":
            self._budget.miss()
            self._taken += self._free_since is not None and now - self._free_since > SETTLED_S + self.max_wait_s

    def _resolved(self, answered: bool, now: float, age: float | None) -> None:
        self._out = max(0, self._out - 1)
        self._ended += 1
        self._outage.count(now, 0, 1)
        self._answer.ended(answered, now)
        if age is not None:
            (self._ring.saw_answer if answered else self._ring.saw_end)(age)
        if answered:
            self._budget.answer(now, self._agents)

    # --- how many calls now -----------------------------------------------------------------------------------------------------------

    def calls_to_place(self, view: View, now: float) -> Decision:
        try:
            self._last = self._decide(view, now)
        except (TypeError, ValueError, AttributeError, OverflowError) as problem:
            self._last = Decision(0, f"the present state cannot be read: {problem}")
        return self._last

    def _decide(self, view: View, now: float) -> Decision:
        if not math.isfinite(now):
            return Decision(0, "the clock shows no time")
        now = self._clock(now)
        idle, on_hold, room, count = _whole(view.idle), _whole(view.on_hold), _whole(view.room), len(view.ringing)
        self._agents = _whole(view.agents)
        self._count_lost(count, now)
        ring_ages, multiples = self._ringing(view.ringing, now)
        talk_ages, wrap_ages = _ages(view.talking, now), _ages(view.wrapping, now)
        if self._built_at is None or not 0.0 <= now - self._built_at < REBUILD_S:
            self._rebuild(now, talk_ages, wrap_ages)
        hopes = self._hopes(ring_ages, multiples)
        p = self._answer.used
        price = self._last_price = self._budget.price(now, self._agents, on_hold)
        if price.q > 0.0:
            self._free_since, self._taken = None, 0
        elif self._free_since is None:
            self._free_since = now
        if self._agents <= 0:
            return Decision(0, "no agent is logged in and available", price.q, p)
        if room <= 0:
            return Decision(0, "no line is free", price.q, p)
        cold = self._cold_bound()
        most = room if cold is None else min(room, max(0, cold - count))
        resting = sum(lost for _, lost in self._lost)
        if price.q > 0.0:
            n, self._last_risk = calls_within(price.q, idle - on_hold, self._free(talk_ages, wrap_ages), hopes, p, most)
            n, free = max(0, n - resting), None
        else:
            free = max(0, idle - on_hold - count - resting - self._reserve(price))
            n, self._last_risk = min(most, free), 0.0
        because = self._capped(n, free, cold, count, room) or (self._priced(n, price, idle, on_hold, count) if free is None else self._spent(on_hold, price))
        return Decision(n, because, price.q, p)

    def _reserve(self, price: Price) -> int:
        """Free agents who are not dialled for: where an overdrawn budget is missed from although only free agents are dialled for. It happens where agents
        serve other campaigns too: the one for whom a call was placed is gone as its customer answers. A lone agent is always dialled for."""
        return min(RESERVE_MOST, self._agents - 1, self._taken) if self._budget.tokens + price.lent < 0.0 else 0

    def _clock(self, now: float) -> float:
        """Never backwards: what is no time counts as the latest seen."""
        if math.isfinite(now) and now > self._now:
            self._now = float(now)
        elif self._now == -math.inf:
            self._now = self._budget.start
        return self._now

    def _count_lost(self, ringing: int, now: float) -> None:
        lost = max(0, self._out - ringing)
        self._out -= lost
        self._outage.count(now, lost, 0)
        if self._lost or lost:
            self._lost = [each for each in (*self._lost, (now, lost)) if each[1] and now - each[0] < REDIAL_S]
        if self._outage.lasts(now):
            self._ended = 0

    def _rebuild(self, now: float, talk_ages: Floats, wrap_ages: Floats) -> None:
        self._built_at = now
        self._ring.refresh()
        self._handling.rebuild([at + self.max_wait_s for at in self._ring.answer_at], talk_ages, wrap_ages)

    def _ringing(self, ringing: Sequence[tuple[float, float | None]], now: float) -> tuple[Floats, Floats | None]:
        """Ring ages; and by how much each lead's odds to answer differ from the campaign's, None where no lead has its own."""
        if not ringing:
            return _NONE, None
        ages = _ages([started for started, _ in ringing], now)
        own = [pi for _, pi in ringing]
        if own.count(None) == len(own):
            return ages, None
        for started, pi in ringing:
            if pi is not None and 0.0 < pi < 1.0 and started > self._lead_newest:
                self._lead_seen = min(150.0, self._lead_seen + 1.0)
                self._lead_mean += (pi - self._lead_mean) / self._lead_seen
        self._lead_newest = max(self._lead_newest, *(s for s, _ in ringing if s <= now), self._lead_newest)
        if not 0.0 < self._lead_mean < 1.0:
            return ages, None
        # Only how leads differ is taken from outside; their common level is what is seen here.
        common = self._lead_mean / (1.0 - self._lead_mean)
        multiples = [1.0 if pi is None or not 0.0 <= pi <= 1.0 else min(50.0, pi / max(1e-3, 1.0 - pi) / common) for pi in own]
        return ages, np.array(multiples)

    def _hopes(self, ages: Floats, multiples: Floats | None) -> Floats:
        """The chance of each ringing call to be answered yet; on the way one EM step for both estimates of p."""
        answer = self._answer
        if not ages.size:
            answer.slow.step(0.0, 0.0)
            answer.fast.step(0.0, 0.0)
            return _NONE
        odds = self._ring.odds[np.minimum(ages * RING_STEPS, RING_BINS * RING_STEPS).astype(np.intp)]
        if multiples is not None:
            odds = odds / np.maximum(multiples, 1e-6)
        for each in (answer.slow, answer.fast):
            each.step(float(ages.size), float((each.p / (each.p + (1.0 - each.p) * odds)).sum()))
        p = answer.used
        hopes: Floats = p / (p + (1.0 - p) * odds)
        return hopes

    def _free(self, talk_ages: Floats, wrap_ages: Floats) -> Floats:
        talk = self._handling.talk[np.minimum(talk_ages / TALK_STEP_S, TALK_ROWS - 1).astype(np.intp)] if talk_ages.size else _NOBODY
        if not wrap_ages.size:
            return talk
        wrap = self._handling.wrap[np.minimum(wrap_ages / WRAP_STEP_S, WRAP_ROWS - 1).astype(np.intp)]
        return np.concatenate((talk, wrap)) if talk.size else wrap

    def _cold_bound(self) -> int | None:
        return None if self._ended >= COLD_UNTIL else COLD_CALLS + COLD_PER_ENDED * self._ended

    # --- why --------------------------------------------------------------------------------------------------------------------------

    def _capped(self, n: int, free: int | None, cold: int | None, ringing: int, room: int) -> str:
        """What cut the number short, besides risk and budget; "" where nothing did. free: what was wanted, None = as many as the price lets through."""
        if self._outage.lasts(self._now):
            return f"calls fail in the network or on our side: at most {COLD_CALLS} at a time until some get through"
        if free is not None and n >= free:
            return ""
        if n >= room:
            return f"lines or calls per second allow {room}"
        if cold is not None and n >= cold - ringing:
            return f"learning: at most {cold} calls at a time, as {self._ended} have ended so far"
        return ""

    def _spent(self, on_hold: int, price: Price) -> str:
        budget, kept = self._budget, self._reserve(price)
        if kept > 0:
            return f"missed budget used up, and other campaigns take our free agents: {kept} of them {'is' if kept == 1 else 'are'} not dialled for"
        if price.b + HOLD_SHARE * on_hold > 0.0:
            return f"{_customers(on_hold)} for an agent, and the missed budget covers no more: only free agents are dialled for"
        if budget.missed and budget.missed > budget.limit * budget.answered - 0.5:
            return f"missed budget used up ({budget.missed} missed of {budget.answered} answered): one call for each free agent until it recovers"
        return f"missed budget still too small for {self._agents} agents ({budget.missed} missed of {budget.answered} answered): one call for each free agent"

    def _priced(self, n: int, price: Price, idle: int, on_hold: int, ringing: int) -> str:
        shown = f"one more would be missed with a chance of {100 * self._last_risk:.0f} %, {100 * price.q:.0f} % is allowed"
        if on_hold:
            return f"{_customers(on_hold)} for an agent: {shown}"
        if idle or n:
            return f"missed budget: {shown}"
        return f"enough calls ring for the agents soon free: {shown}" if ringing else f"no agent is likely to be free soon enough: {shown}"

    def explain(self, now: float) -> dict[str, Any]:
        """What the last decision was made of, as JSON-able figures. Times in seconds, chances 0–1, budget in missed calls."""
        budget, price, answer, ring = self._budget, self._last_price, self._answer, self._ring.quantiles()
        cold = self._cold_bound()
        return {
            "n": self._last.n,
            "because": self._last.because,
            "p_slow": answer.slow.p,
            "p_fast": answer.fast.p,
            "p_used": answer.used,
            "n_eff": answer.slow.calls,
            "ring_answered_s": dict(zip(("p10", "p50", "p90"), ring["answered"], strict=True)),
            "ring_unanswered_s": dict(zip(("p10", "p50", "p90"), ring["unanswered"], strict=True)),
            "answer_at_s": list(self._ring.answer_at),
            "talk_mean_s": self._handling.talk_mean_s,
            "wrap_up_mean_s": self._handling.wrap_mean_s,
            "max_wait_s": self.max_wait_s,
            "limit": budget.limit,
            "tok": budget.tokens,
            "br": price.set_point,
            "lent": price.lent,
            "sc": price.scale,
            "B": price.b,
            "q": price.q,
            "z": budget.z,
            "risk": self._last_risk,
            "answered": budget.answered,
            "abandoned": budget.missed,
            "missed_rate": budget.missed / budget.answered if budget.answered else 0.0,
            "in_flight": self._out,
            "in_flight_bound": cold,
            "outage": self._outage.lasts(now),
            "agents": self._agents,
            "window_start": budget.start,
            "window_end": budget.end,
            "state_problem": self._problem,
        }

    # --- memory -----------------------------------------------------------------------------------------------------------------------

    def recount(self, answered: int, missed: int) -> None:
        """This window's true counts, as the attempts in the store have them: a crash must not refill the budget."""
        self._budget.recount(max(0, answered), max(0, missed))

    def state(self) -> dict[str, Any]:
        """All that was learnt, JSON-able, without the configuration; Pacer(…, state=it) goes on from there.

        The tables of forecasts are left out and made anew at the next decision, here as there, so that both go on alike.
        """
        self._built_at = None
        outage = self._outage
        return {
            "version": VERSION,
            "now": self._now if math.isfinite(self._now) else None,
            "agents": self._agents,
            "out": self._out,
            "ended": self._ended,
            "outage": [outage.lost, outage.ended, outage.at, outage.since, outage.latest],
            "free": [self._free_since, self._taken],
            "lost": [list(each) for each in self._lost],
            "leads": [self._lead_mean, self._lead_seen, self._lead_newest if math.isfinite(self._lead_newest) else None],
            "budget": self._budget.state(),
            "answer": self._answer.state(),
            "ring": self._ring.state(),
            "handling": self._handling.state(),
        }

    def _restore(self, saved: Mapping[str, Any]) -> None:
        """Part by part: what cannot be read is begun anew, and said in explain()."""
        problems = []
        parts = (("budget", self._budget), ("answer", self._answer), ("ring", self._ring), ("handling", self._handling))
        for name, part in parts:
            before = part.state()
            try:
                part.restore(saved[name])
            except (KeyError, TypeError, ValueError, OverflowError):
                problems.append(name)
                part.restore(before)
        try:
            self._ended = _whole(saved["ended"])
            same_window = float(saved["budget"]["start"]) == self._budget.start
            lead_mean, lead_seen, lead_newest = saved["leads"]
            self._lead_mean, self._lead_seen = _finite(lead_mean, 0.0), _finite(lead_seen, 0.0)
            if same_window and saved["now"] is not None:
                self._now = _finite(saved["now"], -math.inf)
                self._out = _whole(saved["out"])
                self._agents = _whole(saved["agents"])
                self._lead_newest = -math.inf if lead_newest is None else _finite(lead_newest, -math.inf)
                free_since, taken = saved["free"]
                self._free_since, self._taken = None if free_since is None else _finite(free_since, 0.0), _whole(taken)
                self._lost = [(_finite(at, 0.0), _whole(lost)) for at, lost in saved["lost"]]
                lost, ended, at, since, latest = saved["outage"]
                self._outage = _Outage(float(lost), float(ended), float(at), None if since is None else float(since), float(latest))
        except (KeyError, TypeError, ValueError, OverflowError):
            problems.append("calls")
        self._problem = f"not readable in the saved state, begun anew: {', '.join(problems)}" if problems else ""


def _customers(count: int) -> str:
    return "1 customer waits" if count == 1 else f"{count} customers wait"


def _finite(value: Any, instead: float) -> float:
    with suppress(TypeError, ValueError, OverflowError):
        found = float(value)
        if math.isfinite(found):
            return found
    return instead


def _whole(value: Any) -> int:
    """A count: 0 for what is none, and bounded."""
    found = float(value)
    return 0 if not found > 0 else int(min(found, 1e9))


def _ages(started: Sequence[float], now: float) -> Floats:
    if not started:
        return _NONE
    ages: Floats = now - np.array(started, dtype=float)
    return np.fmax(np.minimum(ages, LONGEST_S), 0.0)  # what is no time is taken as now

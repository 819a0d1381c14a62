"""A campaign's own history made a model of people: who answers when, how long phones ring and talks last, how long agents take.

Pure: counts and quantiles in (db/learning.py), the content of a people.yml out, with what each line was made of. What was seen too seldom is left to the
model underneath, and told so. Answer factors of hours and of calls to the same lead are odds against the campaign's own average, drawn towards it where
little was seen; hours are the lead's, and stand in the model by the campaign's clock, where simulated leads live.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from fs_dialer.db.learning import History, Lengths, OutcomeCount

LEAST = 30  # cases of which something is learnt
DRAWN_BY = 50.0  # calls' worth of the campaign's average, in every hour and try
LEAST_FACTOR = 0.03  # how far an hour must lie from the average to be worth a line
RINGS_ON = "1h"  # longer than anybody lets it ring
NOT_A_CALL = 0  # OutcomeCount.nth of attempts that reached nobody by no fault of theirs
OUTCOMES = {
    "connected": "person", "missed": "person", "early_hangup": "person", "machine": "machine", "no_answer": "no_answer", "busy": "busy",
    "rejected": "rejected", "unreachable": "unavailable", "bad_number": "bad_number", "network": "congestion",
}  # fmt: skip
ANSWERS = ("person", "machine")
LAWS = (
    ("first_response", "from dialling until it rings", "calls"),
    ("ring", "ringing, until a person answers", "answers"),
    ("machine_ring", "ringing, until a machine answers", "machines"),
    ("refuse", "until a refusal", "refusals"),
    ("talk", "talk", "talks"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing. `learnt`: as it stands in the model, "" = too little was seen and the model underneath holds. `many` cases of `of`; `mean_s`: of lengths."""

    what: str
    learnt: str
    many: int
    of: str
    mean_s: float | None = None


@dataclass(frozen=True, slots=True)
class Learnt:
    """`people`: what a people.yml would say."""

    campaign: str
    since: float
    until: float
    calls: int
    items: tuple[Item, ...]
    people: Mapping[str, Any]


def learn(history: History) -> Learnt:
    """What the history says. Of an empty one: nothing."""
    calls = [each for each in history.outcomes if each.nth != NOT_A_CALL]
    many = sum(each.many for each in calls)
    items: list[Item] = []
    customers: dict[str, Any] = {}
    agents: dict[str, Any] = {}
    people: dict[str, Any] = {}
    _outcomes(history.outcomes, many, customers, items)
    for kind, what, of in LAWS:
        _law(history.times.get(kind), kind, what, of, customers, items)
    _ring_out(history, calls, customers, items)
    _patience(history, customers, items)
    _law(history.times.get("agent_answer"), "ring", "until an agent answers", "calls to free agents", agents, items)
    _law(history.times.get("result"), "wrap_up", "until an agent files a result", "results", agents, items)
    _dispositions(history.dispositions, agents, items)
    if many >= LEAST:
        _hours(calls, history.zone, people, items)
        _tries(calls, people, items)
    if customers:
        people["customers"] = customers
    if agents:
        people["agents"] = [{"match": "*", **agents}]
    return Learnt(history.campaign, history.since, history.until, many, tuple(items), people)


def over(base: Mapping[str, Any], learnt: Mapping[str, Any]) -> dict[str, Any]:
    """The content of one people.yml over that of another: what was learnt holds, the rest is the base's."""
    merged = {**base, **{key: value for key, value in learnt.items() if key != "agents"}}
    if "zone" in learnt:
        merged.pop("utc_offset", None)
    if isinstance(base.get("customers"), Mapping) and isinstance(learnt.get("customers"), Mapping):
        merged["customers"] = {**base["customers"], **learnt["customers"]}
    if "agents" in learnt:
        (mine,) = learnt["agents"]
        theirs = base.get("agents")
        merged["agents"] = [{**rule, **{key: value for key, value in mine.items() if key != "match"}} for rule in theirs] if theirs else [mine]
    return merged


# --- who answers ----------------------------------------------------------------------------------------------------------------------


def _outcomes(counts: Sequence[OutcomeCount], calls: int, customers: dict[str, Any], items: list[Item]) -> None:
    found: dict[str, int] = {}
    for each in counts:
        if each.outcome in OUTCOMES and (each.nth != NOT_A_CALL or each.outcome == "network"):
            name = OUTCOMES[each.outcome]
            found[name] = found.get(name, 0) + each.many
    total = sum(found.values())
    if calls < LEAST:
        items.append(Item("how calls end", "", calls, "calls"))
        return
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    customers["outcomes"] = {name: _percent(number / total) for name, number in ranked if number}
    items.append(Item("how calls end", ", ".join(f"{name} {share}" for name, share in customers["outcomes"].items()), total, "calls"))


def _answered(counts: Sequence[OutcomeCount]) -> tuple[int, int]:
    """Answers by anybody, and calls."""
    answers = sum(each.many for each in counts if OUTCOMES.get(each.outcome) in ANSWERS)
    return answers, sum(each.many for each in counts)


def _factor(counts: Sequence[OutcomeCount], average: float) -> float:
    """The odds to answer against the campaign's own, drawn towards them."""
    answers, calls = _answered(counts)
    p = (answers + DRAWN_BY * average) / (calls + DRAWN_BY)
    return min(20.0, p / max(1e-6, 1 - p) * (1 - average) / average)


def _hours(calls: Sequence[OutcomeCount], zone: str, people: dict[str, Any], items: list[Item]) -> None:
    answers, many = _answered(calls)
    if not 0 < answers < many:
        return
    of_hour: dict[int, list[OutcomeCount]] = {}
    for each in calls:
        of_hour.setdefault(_hour(each.zones[0] if each.zones else zone, each.quarter), []).append(each)
    spans = []
    for hour, counts in sorted(of_hour.items()):
        factor = _factor(counts, answers / many)
        if sum(each.many for each in counts) >= LEAST and abs(factor - 1) >= LEAST_FACTOR:
            spans.append({"from": f"{hour}:00", "to": f"{hour + 1}:00", "answer": f"{factor * 100:.0f}%"})
    if spans:
        people["zone"] = zone
        people["hours"] = spans
    words = ", ".join(f"{span['from']} {span['answer']}" for span in spans) or "alike at all hours"
    items.append(Item("answers by hour of the lead's clock", words, many, "calls"))


def _tries(calls: Sequence[OutcomeCount], people: dict[str, Any], items: list[Item]) -> None:
    answers, many = _answered(calls)
    if not 0 < answers < many:
        return
    factors: list[str] = []
    for nth in range(1, 11):
        counts = [each for each in calls if each.nth == nth]
        if sum(each.many for each in counts) < LEAST:
            break
        factors.append(f"{_factor(counts, answers / many) * 100:.0f}%")
    if len(factors) > 1:
        people["tries"] = factors
    items.append(Item("answers by call to the same lead", ", ".join(factors) if len(factors) > 1 else "", many, "calls"))


@lru_cache(maxsize=4096)
def _hour(zone: str, quarter: int) -> int:
    return datetime.fromtimestamp(quarter * 900, ZoneInfo(zone)).hour


# --- how long it takes ----------------------------------------------------------------------------------------------------------------


def _law(lengths: Lengths | None, key: str, what: str, of: str, into: dict[str, Any], items: list[Item]) -> None:
    if lengths is None or lengths.many < LEAST:
        items.append(Item(what, "", lengths.many if lengths else 0, of))
        return
    into[key] = _quantiles(lengths.quantiles)
    items.append(Item(what, into[key], lengths.many, of, round(lengths.mean, 3)))


def _ring_out(history: History, calls: Sequence[OutcomeCount], customers: dict[str, Any], items: list[Item]) -> None:
    """Of those who did not answer, for how many the network gave up before we did: the others ring on."""
    unanswered = sum(each.many for each in calls if each.outcome == "no_answer")
    lengths, what = history.times.get("ring_out"), "ringing, until the network gives up"
    if lengths is None or unanswered < LEAST:
        items.append(Item(what, "never" if unanswered >= LEAST else "", 0, "calls without an answer"))
        if unanswered >= LEAST:
            customers["ring_out"] = "never"
        return
    share = min(1.0, lengths.many / unanswered)
    steps = [min(1.0, step / 20 / share) if step / 20 <= share else None for step in range(21)]
    customers["ring_out"] = _marks([RINGS_ON if step is None else _seconds(_at(lengths.quantiles, step)) for step in steps])
    items.append(Item(what, f"{_percent(share)} of them after {lengths.mean:.1f}s", lengths.many, "calls without an answer", round(lengths.mean, 3)))


def _patience(history: History, customers: dict[str, Any], items: list[Item]) -> None:
    """Most who wait are served before they lose patience: so the mean is all the waiting there was, by those who gave up."""
    lengths = history.times.get("patience")
    gave_up = lengths.many if lengths else 0
    if gave_up < LEAST or history.waited_s <= 0:
        items.append(Item("patience of a customer who waits", "", gave_up, "customers who gave up"))
        return
    mean = history.waited_s / gave_up
    customers["patience"] = f"exponential({_seconds(mean)})"
    items.append(Item("patience of a customer who waits", customers["patience"], gave_up, f"customers who gave up, {history.waited} waiting", round(mean, 3)))


def _dispositions(counts: Mapping[str, int], agents: dict[str, Any], items: list[Item]) -> None:
    total = sum(counts.values())
    if total < LEAST:
        items.append(Item("results", "", total, "results"))
        return
    agents["dispositions"] = {name: _percent(number / total) for name, number in counts.items()}
    items.append(Item("results", ", ".join(f"{name} {share}" for name, share in agents["dispositions"].items()), total, "results"))


def _quantiles(marks: Sequence[float]) -> str:
    return _marks([_seconds(mark) for mark in marks])


def _marks(marks: Sequence[str]) -> str:
    return marks[0] if len(set(marks)) == 1 else f"quantiles({', '.join(marks)})"


def _seconds(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{text}s"


def _percent(share: float) -> str:
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"


def _at(quantiles: Sequence[float], share: float) -> float:
    place = share * (len(quantiles) - 1)
    below = min(int(place), len(quantiles) - 2)
    return quantiles[below] + (quantiles[below + 1] - quantiles[below]) * (place - below)

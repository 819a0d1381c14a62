"""Who answers the telephone, how fast, and for how long: modelled customers and agents.

Pure: an endpoint, the variables of an originate and a random.Random in, one Behaviour out, drawn once for each originate; equal seeds give equal
days. Knows nothing of YAML (PeopleModel.from_mapping takes what a reader of YAML gives) and nothing of the switch that acts it out.
The laws of the default model are those of the pacing study: answered ring time lognormal 9 s, the rest busy in 1-3 s or ringing out, talk 120 s.
"""

from __future__ import annotations

import difflib
import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final, Literal, Protocol
from zoneinfo import ZoneInfo, available_timezones

from fs_dialer.sim import staff as staffing
from fs_dialer.sim.keypad import KeyRule, Press, read_keys
from fs_dialer.sim.laws import Law, fixed, law, share
from fs_dialer.sim.staff import Staff, minute_of_day

FinalResponse = Literal["answer", "refuse", "ring", "silent", "unreachable"]
KeySource = Literal["RTP", "ENDPOINT"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What one party does with one call. Seconds, counted from the INVITE unless said otherwise; None = never.

    `final`: answer, refuse with a SIP `status`, ring without an end, silent (no response at all, a black hole), unreachable (ICMP: 503 at once).
    """

    final: FinalResponse = "answer"
    after_s: float = 0.3
    first_response: int = 180  # 180 rings, 183 brings early media, 100 or 0: nothing that shows
    first_response_s: float = 0.005
    status: int = 486
    reason_q850: int | None = None  # a Reason header beside the status
    stay_s: float | None = None  # hangs up so long after the answer, whatever happens
    patience_s: float | None = None  # hangs up so long after the answer, or after a bridge ended, if nobody is connected
    talk_s: float | None = None  # the conversation, from the bridge
    ends_talk: bool = True  # False: the other side hangs up at the end of talk_s
    machine: bool = False
    keys: tuple[tuple[float, str], ...] = ()  # digits pressed, seconds after the answer
    rules: tuple[KeyRule, ...] = ()  # what he presses when he is asked
    key_source: KeySource = "RTP"  # how his keys come: by RFC 2833, or by SIP INFO
    listens_s: float | None = None  # the longest he stays in a flow, from its begin
    speaks_s: float = 6.0  # into a recording, before he is silent
    hangs_up_after_message: bool = True  # else he waits for what comes
    beep: Law | None = None  # of a machine: its beep, from the answer
    second: Behaviour | None = None  # another phone of the same user, rung beside it under a uuid of its own: whoever answers first has the call


class People(Protocol):
    """Whoever can be called."""

    def behaviour(self, endpoint: str, variables: Mapping[str, str], rng: random.Random, now: float = 0.0) -> Behaviour:
        """One draw for one originate. `now` in epoch seconds, for models that know the time of day."""
        ...


def number_of(endpoint: str) -> str:
    """`sofia/gateway/trunk1/84901` -> 84901, `sofia/internal/2001@10.0.0.1:5090` -> 2001, `user/1001` -> 1001."""
    last = endpoint.rpartition("/")[2]
    return last.partition("@")[0].removeprefix("sip:")


class ScriptedPeople:
    """People who do what a test wrote: a number's behaviours are used one after the other, the last one for ever."""

    def __init__(self, script: Mapping[str, Behaviour | Sequence[Behaviour]], default: Behaviour | None = None) -> None:
        self._script = {number: list(did) if isinstance(did, Sequence) else [did] for number, did in script.items()}
        self._default = default or Behaviour()

    def behaviour(self, endpoint: str, variables: Mapping[str, str], rng: random.Random, now: float = 0.0) -> Behaviour:
        """Looked up by the whole endpoint first, then by its number."""
        for key in (endpoint, number_of(endpoint)):
            turns = self._script.get(key)
            if turns:
                return turns.pop(0) if len(turns) > 1 else turns[0]
        return self._default


OUTCOMES: Final[Mapping[str, tuple[FinalResponse, int, int | None]]] = {
    "person": ("answer", 0, None),
    "machine": ("answer", 0, None),
    "no_answer": ("ring", 480, None),
    "busy": ("refuse", 486, None),
    "bad_number": ("refuse", 404, None),
    "rejected": ("refuse", 603, None),
    "forbidden": ("refuse", 403, None),
    "unavailable": ("refuse", 480, None),
    "congestion": ("refuse", 503, 34),
    "failed": ("refuse", 500, None),
    "black_hole": ("silent", 0, None),
    "unreachable": ("unreachable", 503, None),
}
"""Name -> what happens, the SIP status, and the Q.850 cause beside it. A bare SIP status ("486") is an outcome too."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """People alike: the chance of each outcome and the laws of their times."""

    outcomes: tuple[tuple[str, float], ...] = (
        ("person", 0.30),
        ("machine", 0.06),
        ("no_answer", 0.44),
        ("busy", 0.12),
        ("bad_number", 0.03),
        ("rejected", 0.02),
        ("unavailable", 0.03),
    )
    first_response: Law = law("uniform(0.3s, 1.5s)", "")  # until it rings, or brings early media
    early_media: float = 0.1  # share of the ringing calls that say 183 instead of 180
    ring: Law = law("lognormal(9s, 0.5)", "")  # ringing, until a person answers
    machine_ring: Law = law("uniform(15s, 24s)", "")
    refuse: Law = law("uniform(1s, 3s)", "")  # until a refusal
    ring_out: Law | None = None  # ringing, until the network gives up with 480; None = rings for ever
    talk: Law | None = law("lognormal(120s, 1)", "")
    patience: Law | None = law("lognormal(9s, 0.6)", "")
    machine_stay: Law = law("uniform(20s, 45s)", "")  # from the answer until a machine hangs up
    ends_talk: float = 0.7  # share of the talks that this side ends
    keys: tuple[KeyRule, ...] = ()  # what is pressed where a flow asks
    presses: tuple[Press, ...] = ()  # what is pressed whatever is going on, as a key for a callback
    listens: Law | None = None  # the longest a person stays in a flow; None = to its end
    speaks: Law = fixed(6.0)  # into a recording
    beep: Law = law("uniform(3s, 8s)", "")  # of a machine, from the answer
    two_phones: float = 0.0  # share of those who have a second phone like the first, rung beside it

    def draw(self, rng: random.Random, answer_factor: float = 1.0) -> Behaviour:
        """One person of this crowd. `answer_factor` weighs person and machine: the time of day."""
        did = self._draw_one(rng, answer_factor)
        if self.two_phones and rng.random() < self.two_phones:
            return replace(did, second=self._draw_one(rng, answer_factor))
        return did

    def _draw_one(self, rng: random.Random, answer_factor: float) -> Behaviour:
        outcome = self._outcome(rng, answer_factor)
        final, status, reason = OUTCOMES[outcome] if outcome in OUTCOMES else ("refuse", int(outcome), None)
        if final == "silent" or final == "unreachable":
            return Behaviour(final, 0.0, first_response=0, status=status)
        first_s = self.first_response.draw(rng)
        if final == "refuse" and outcome != "rejected":
            return Behaviour("refuse", max(first_s, self.refuse.draw(rng)), 100, first_s, status, reason)
        response = 183 if self.early_media and rng.random() < self.early_media else 180
        if outcome == "rejected":  # somebody saw it ring and said no
            return Behaviour("refuse", first_s + self.refuse.draw(rng), response, first_s, status, reason)
        if final == "ring":
            if self.ring_out is None:
                return Behaviour("ring", 0.0, response, first_s)
            return Behaviour("refuse", first_s + self.ring_out.draw(rng), response, first_s, status)
        if outcome == "machine":
            answer_s, stay_s = first_s + self.machine_ring.draw(rng), self.machine_stay.draw(rng)
            return Behaviour("answer", answer_s, response, first_s, stay_s=stay_s, machine=True, beep=self.beep)
        did = Behaviour(
            "answer",
            first_s + self.ring.draw(rng),
            response,
            first_s,
            patience_s=None if self.patience is None else self.patience.draw(rng),
            talk_s=None if self.talk is None else self.talk.draw(rng),
            ends_talk=self.ends_talk >= 1.0 or rng.random() < self.ends_talk,
        )
        if not self.keys and not self.presses and self.listens is None:
            return did
        return replace(
            did,
            rules=self.keys,
            keys=tuple(sorted(pressed for press in self.presses for pressed in press.draw(rng))),
            listens_s=None if self.listens is None else self.listens.draw(rng),
            speaks_s=self.speaks.draw(rng),
        )

    def _outcome(self, rng: random.Random, answer_factor: float) -> str:
        if len(self.outcomes) == 1:
            return self.outcomes[0][0]
        names = [name for name, _ in self.outcomes]
        weights = [weight * answer_factor if name in ("person", "machine") else weight for name, weight in self.outcomes]
        ends = list(accumulate(weights))
        return names[min(bisect_right(ends, rng.random() * ends[-1]), len(names) - 1)]


CALLERS: Final = Crowd((("person", 1.0),), fixed(0.1), 0.0, fixed(0.1), patience=law("lognormal(90s, 0.8)", ""))
"""Who calls in and waits in a queue."""
AGENTS: Final = Crowd((("person", 1.0),), fixed(0.1), 0.0, law("uniform(1s, 4s)", ""), refuse=fixed(1.0), talk=None, patience=None, ends_talk=0.0)
"""Agents who always answer, never hang up, and are ended by the other side or by the dialer."""


@dataclass(frozen=True, slots=True)
class Hours:
    """From and to in minutes of the day; a span may run over midnight."""

    start_min: int
    end_min: int
    answer_factor: float

    def holds(self, minute: int) -> bool:
        """Whether the minute of the day lies inside."""
        if self.start_min <= self.end_min:
            return self.start_min <= minute < self.end_min
        return minute >= self.start_min or minute < self.end_min


@dataclass(frozen=True, slots=True)
class Requests:
    """So many callers an hour ask to be called back, between these minutes of the day."""

    start_min: int
    end_min: int
    per_hour: float

    def holds(self, minute: int) -> bool:
        """Whether the minute of the day lies inside."""
        return Hours(self.start_min, self.end_min, 1.0).holds(minute)


@dataclass(frozen=True, slots=True)
class PeopleModel:
    """A town: its customers, the agents by endpoint, the numbers that are special, and the hours of the day.

    `zone`: whose clock the hours, shifts and requests go by; "" and no offset = UTC, or whatever the user of the model says. `tries`: the answer factor of
    the first call to a number, the second … the last one holds for all that follow. `staff`: how agents work, by endpoint.
    """

    customers: Crowd = Crowd()
    agents: tuple[tuple[str, Crowd], ...] = (("user/*", AGENTS),)
    numbers: tuple[tuple[str, Crowd], ...] = ()
    hours: tuple[Hours, ...] = ()
    utc_offset_min: int | None = None
    zone: str = ""
    tries: tuple[float, ...] = ()
    staff: tuple[tuple[str, Staff], ...] = ()
    requests: tuple[Requests, ...] = ()
    callers: Crowd = CALLERS

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> PeopleModel:
        """A model from conf/people.yml's content. ValueError says what and where, one problem at a time."""
        _known(given, ("customers", "agents", "numbers", "hours", "utc_offset", "zone", "tries", "requests", "callers"), "people")
        customers = _crowd(given.get("customers") or {}, Crowd(), "customers")
        rules = [(f"agents[{index}]", rule) for index, rule in enumerate(_listed(given.get("agents"), "agents"))]
        agents = tuple((_match(rule, at), _crowd(rule, AGENTS, at, also=staffing.KEYS)) for at, rule in rules)
        numbers = given.get("numbers") or {}
        if not isinstance(numbers, Mapping):
            raise ValueError("numbers: write `number: outcome` lines")
        return cls(
            customers,
            agents or cls().agents,
            tuple(
                (str(number).lstrip("+"), _crowd({"outcome": rule} if not isinstance(rule, Mapping) else rule, customers, f"numbers.{number}"))
                for number, rule in numbers.items()
            ),
            tuple(_hours(rule, f"hours[{index}]") for index, rule in enumerate(_listed(given.get("hours"), "hours"))),
            _offset(given["utc_offset"]) if given.get("utc_offset") is not None else None,
            _zone(given),
            _tries(given.get("tries")),
            tuple((_match(rule, at), staffing.staff(rule, Staff(), at)) for at, rule in rules),
            _requests(given.get("requests")),
            _crowd(given.get("callers") or {}, CALLERS, "callers"),
        )

    def local(self, zone: str) -> PeopleModel:
        """The same people, on the clocks of `zone` where they name none of their own."""
        return self if self.zone or self.utc_offset_min is not None else replace(self, zone=zone)

    def minute(self, now: float) -> int:
        """The minute of the day on their clocks."""
        offset = self.utc_offset_min or 0
        if self.zone:
            offset = _offset_min(self.zone, int(now // 900))
        return int(now // 60 + offset) % 1440

    def staff_at(self, endpoint: str) -> Staff:
        """How the agent works who is reached there."""
        return next((staff for pattern, staff in self.staff if fnmatchcase(endpoint, pattern)), Staff())


@lru_cache(maxsize=1024)
def _offset_min(zone: str, quarter: int) -> int:
    """Of a quarter of an hour since 1970: clocks change at none but its borders."""
    offset = datetime.fromtimestamp(quarter * 900, ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else int(offset.total_seconds() // 60)


class ModelledPeople:
    """People of a PeopleModel."""

    def __init__(self, model: PeopleModel | None = None) -> None:
        self.model = model or PeopleModel()
        self._exact = {number: crowd for number, crowd in self.model.numbers if "*" not in number and "?" not in number}
        self._patterns = [(number, crowd) for number, crowd in self.model.numbers if number not in self._exact]
        self._calls: dict[str, int] = {}  # so far, by number; counted only where it matters

    def behaviour(self, endpoint: str, variables: Mapping[str, str], rng: random.Random, now: float = 0.0) -> Behaviour:
        """Who calls in is a caller; an agent when fsd_role says so, or an agent's pattern fits and it does not say lead; else a special number, or anybody."""
        role = variables.get("fsd_role")
        if role == "caller":
            return self.model.callers.draw(rng)
        for pattern, crowd in self.model.agents if role != "lead" else ():
            if fnmatchcase(endpoint, pattern):
                return crowd.draw(rng)
        if role == "agent":
            return self.model.agents[0][1].draw(rng) if self.model.agents else AGENTS.draw(rng)
        number = number_of(endpoint).lstrip("+")
        special = self._exact.get(number)
        if special is None and self._patterns:
            special = next((crowd for pattern, crowd in self._patterns if fnmatchcase(number, pattern)), None)
        return (special or self.model.customers).draw(rng, self._answer_factor(now) * self._tried(number))

    def _answer_factor(self, now: float) -> float:
        if not self.model.hours:
            return 1.0
        minute = self.model.minute(now)
        return next((span.answer_factor for span in self.model.hours if span.holds(minute)), 1.0)

    def _tried(self, number: str) -> float:
        tries = self.model.tries
        if not tries:
            return 1.0
        before = self._calls[number] = self._calls.get(number, -1) + 1
        return tries[min(before, len(tries) - 1)]


# ---- reading what an administrator wrote

_LAWS: Final = ("first_response", "ring", "machine_ring", "refuse", "machine_stay", "speaks", "beep")
_LAWS_OR_NONE: Final = ("ring_out", "talk", "patience", "listens")
_SHARES: Final = ("early_media", "ends_talk", "two_phones")
_NEVER: Final = ("never", "none", "")


def _crowd(given: Any, base: Crowd, where: str, also: Sequence[str] = ()) -> Crowd:
    if not isinstance(given, Mapping):
        raise ValueError(f"{where}: write `name: value` lines")
    _known(given, (*(field.name for field in fields(Crowd) if field.name != "presses"), "outcome", "match", *also), where)
    changed: dict[str, Any] = {}
    for name, value in given.items():
        at = f"{where}.{name}"
        if name == "outcomes":
            changed["outcomes"] = _outcomes(value, at)
        elif name == "outcome":
            changed["outcomes"] = _outcomes({value: 1}, at)
        elif name == "keys":
            changed["keys"], changed["presses"] = read_keys(value, at)
        elif name in _LAWS:
            changed[name] = law(value, at)
        elif name in _LAWS_OR_NONE:
            changed[name] = None if value is None or str(value).strip().lower() in _NEVER else law(value, at)
        elif name in _SHARES:
            changed[name] = share(value, at)
    return replace(base, **changed)


def _outcomes(given: Any, where: str) -> tuple[tuple[str, float], ...]:
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"{where}: write `outcome: 30%` lines")
    weighed = []
    for name, weight in given.items():
        outcome = str(name)
        if outcome not in OUTCOMES and not (outcome.isdecimal() and 300 <= int(outcome) <= 699):
            known = f"there are {', '.join(OUTCOMES)} and any SIP status 300-699"
            raise ValueError(f"{where}: {outcome!r} is no outcome{_nearest(outcome, OUTCOMES)}; {known}")
        text = str(weight).strip()
        try:
            weighed.append((outcome, float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)))
        except ValueError:
            raise ValueError(f"{where}.{outcome}: {weight!r} is not a weight; write for example 30%") from None
    if any(weight < 0 for _, weight in weighed) or not any(weight > 0 for _, weight in weighed):
        raise ValueError(f"{where}: the weights must be 0 or more, and one of them above 0")
    return tuple(weighed)


def _known(given: Mapping[str, Any], names: Iterable[str], where: str) -> None:
    allowed = tuple(names)
    for name in given:
        if name not in allowed:
            raise ValueError(f"{where}: unknown key {name!r}{_nearest(str(name), allowed)}")


def _nearest(name: str, among: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(among), 1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _listed(given: Any, where: str) -> list[Mapping[str, Any]]:
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(item, Mapping) for item in given):
        raise ValueError(f"{where}: write a list, each item with its own lines")
    return list(given)


def _match(rule: Mapping[str, Any], where: str) -> str:
    pattern = rule.get("match")
    if not isinstance(pattern, str) or not pattern:
        raise ValueError(f"{where}.match: name the agents' dial strings, for example user/* or sofia/internal/2*")
    return pattern


def _hours(rule: Mapping[str, Any], where: str) -> Hours:
    _known(rule, ("from", "to", "answer"), where)
    start, end = (minute_of_day(rule.get(name), f"{where}.{name}") for name in ("from", "to"))
    return Hours(start, end, _factor(rule.get("answer", "100%"), f"{where}.answer"))


def _offset(value: object) -> int:
    text = str(value)
    sign = -1 if text.startswith("-") else 1
    return sign * minute_of_day(text.lstrip("+-"), "utc_offset")


def _zone(given: Mapping[str, Any]) -> str:
    zone = str(given.get("zone") or "")
    if zone and given.get("utc_offset") is not None:
        raise ValueError("zone: beside utc_offset it says the same twice; leave one out")
    if zone and zone not in available_timezones():
        raise ValueError(f"zone: {zone!r} is no time zone{_nearest(zone, available_timezones())}; write for example Europe/London")
    return zone


def _tries(given: Any) -> tuple[float, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not given:
        raise ValueError("tries: write a list, as in [100%, 80%, 60%]: the first call to a number, the second, the third and all that follow")
    return tuple(_factor(each, f"tries[{index}]") for index, each in enumerate(given))


def _factor(value: object, where: str) -> float:
    text = str(value).strip()
    try:
        factor = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        factor = -1.0
    if not 0.0 <= factor <= 100.0:
        raise ValueError(f"{where}: {text!r} is not a factor; write for example 130%")
    return factor


def _requests(given: Any) -> tuple[Requests, ...]:
    """`12/hour`, or a list of `{from: 9:00, to: 12:00, rate: 20/hour}`."""
    if given is None:
        return ()
    if not isinstance(given, list):
        return (Requests(0, 1440, _per_hour(given, "requests")),)
    found = []
    for index, rule in enumerate(_listed(given, "requests")):
        at = f"requests[{index}]"
        _known(rule, ("from", "to", "rate"), at)
        start, end = (minute_of_day(rule.get(name), f"{at}.{name}") for name in ("from", "to"))
        found.append(Requests(start, end, _per_hour(rule.get("rate"), f"{at}.rate")))
    return tuple(found)


def _per_hour(value: object, where: str) -> float:
    text = str(value).strip().replace(" ", "").removesuffix("/hour")
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0.0 <= rate <= 1e6:
        raise ValueError(f"{where}: {value!r} is not a rate; write for example 12/hour")
    return rate

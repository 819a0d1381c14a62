"""What reports say of many attempts, and how each figure is defined (D1, D3).

Pure counting. Attempts come in groups of equals, as a database counts them; a group of one is an attempt. Everything is a sum of whole numbers, so that the
figures of any parts are those of the whole.

    dialed = person + machine + no_answer + busy + rejected + unreachable + bad_number + cancelled + unknown + our_fault + up
    person = met_agent + served_by_flow + missed + early_hangup
    calls  = met_agent + met_too_late = the sum of dispositions + no_result
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fs_dialer.core.hangup import ANSWERED_BY_PERSON, FEEDS_ESTIMATE
from fs_dialer.core.model import AGENT_TIMES, Outcome
from fs_dialer.core.stats import wilson

OUR_FAULT = (Outcome.OURS, Outcome.NETWORK)
MICROSECONDS = 1_000_000


class Group(NamedTuple):
    """`many` attempts that are alike. `outcome`: None = not over. `bridged`: an agent was on the line. Times are sums of microseconds over the bridged."""

    outcome: Outcome | None
    missed: bool
    bridged: bool
    leg_seen: bool
    disposition: str  # "" = none
    many: int = 1
    waited_us: int = 0
    talked_us: int = 0


@dataclass(slots=True)
class Figures:
    """Counts of attempts. `waited_us`: from the answer to the agent; `talked_us`: from the agent to the end; both over `calls`."""

    dialed: int = 0
    up: int = 0  # not over
    outcomes: dict[Outcome, int] = field(default_factory=dict)  # only those that occurred
    missed: int = 0  # D1: a person answered and no agent was there in time
    met_too_late: int = 0  # of the missed: an agent did come
    met_agent: int = 0  # a person, and an agent in time
    served_by_flow: int = 0  # a person, and a recorded flow that came to its success (D13)
    early_hangup: int = 0  # a person who hung up before an agent had to be there, and is not counted as missed
    calls: int = 0  # an agent was on the line
    no_result: int = 0  # of the calls: without a disposition
    without_leg: int = 0  # refused by the switch without a channel
    dispositions: dict[str, int] = field(default_factory=dict)  # of the calls
    waited_us: int = 0
    talked_us: int = 0

    def add(self, group: Group) -> None:
        outcome, missed, bridged, leg_seen, disposition, many, waited_us, talked_us = group
        self.dialed += many
        if outcome is None:
            self.up += many
            return
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + many
        if not leg_seen:
            self.without_leg += many
        if outcome in ANSWERED_BY_PERSON:
            self._met(outcome, missed, bridged, many)
        if bridged:
            self.calls += many
            self.waited_us += waited_us
            self.talked_us += talked_us
            if disposition:
                self.dispositions[disposition] = self.dispositions.get(disposition, 0) + many
            else:
                self.no_result += many

    def _met(self, outcome: Outcome, missed: bool, bridged: bool, many: int) -> None:
        """What became of people who answered: exactly one of four."""
        if missed or outcome is Outcome.MISSED:
            self.missed += many
            self.met_too_late += many if bridged else 0
        elif outcome is Outcome.EARLY_HANGUP:
            self.early_hangup += many
        elif bridged:
            self.met_agent += many
        else:
            self.served_by_flow += many

    # --- what follows from the counts -------------------------------------------------------------------------------------------------

    @property
    def person(self) -> int:
        """Answered by a person: the denominator of the missed rate."""
        return sum(self.outcomes.get(outcome, 0) for outcome in ANSWERED_BY_PERSON)

    @property
    def machine(self) -> int:
        return self.outcomes.get(Outcome.MACHINE, 0)

    @property
    def our_fault(self) -> int:
        """Failures that were not the callee's: our trunk, caller id or switch, or the network between. They cost the lead no attempt (D3)."""
        return sum(self.outcomes.get(outcome, 0) for outcome in OUR_FAULT)

    @property
    def answer_rate(self) -> float:
        """Answered, by a person or a machine, of all calls that could tell (no fault of ours, not cancelled, known); 0.0 where there was none."""
        told = sum(count for outcome, count in self.outcomes.items() if outcome in FEEDS_ESTIMATE)
        return (self.person + self.machine) / told if told else 0.0

    @property
    def missed_rate(self) -> float:
        """missed ÷ person, 0.0–1.0; 0.0 where no person answered (D1)."""
        return self.missed / self.person if self.person else 0.0

    @property
    def missed_interval(self) -> tuple[float, float]:
        """Where the true rate lies with 95 % confidence."""
        return wilson(self.missed, self.person)

    @property
    def waited_s(self) -> float:
        return self.waited_us / MICROSECONDS

    @property
    def talked_s(self) -> float:
        return self.talked_us / MICROSECONDS

    def rest(self) -> dict[str, int]:
        """Outcomes besides persons, machines and our faults, by name in the order of the specification: with those and `up` they make up `dialed`."""
        told = {*ANSWERED_BY_PERSON, Outcome.MACHINE, *OUR_FAULT}
        return {outcome.value: self.outcomes[outcome] for outcome in Outcome if outcome in self.outcomes and outcome not in told}

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values, every outcome named; docs/reports.md says what each means."""
        low, high = self.missed_interval
        return {
            "dialed": self.dialed,
            "up": self.up,
            "person": self.person,
            "machine": self.machine,
            "our_fault": self.our_fault,
            "met_agent": self.met_agent,
            "served_by_flow": self.served_by_flow,
            "missed": self.missed,
            "met_too_late": self.met_too_late,
            "early_hangup": self.early_hangup,
            "missed_rate": self.missed_rate,
            "missed_rate_95": [low, high],
            "answer_rate": self.answer_rate,
            "calls": self.calls,
            "waited_s": self.waited_s,
            "talked_s": self.talked_s,
            "average_wait_s": self.waited_s / self.calls if self.calls else 0.0,
            "average_talk_s": self.talked_s / self.calls if self.calls else 0.0,
            "no_result": self.no_result,
            "without_leg": self.without_leg,
            "outcomes": {outcome.value: self.outcomes.get(outcome, 0) for outcome in Outcome},
            "dispositions": dict(sorted(self.dispositions.items())),
        }


def counted(groups: Iterable[Group]) -> Figures:
    """The figures of all of them together."""
    figures = Figures()
    for group in groups:
        figures.add(group)
    return figures


@dataclass(frozen=True, slots=True)
class MissedCount:
    """Raw counts of one window, from which any definition of the rate can be computed (D1). `missed` is of `person`; `early_hangup`: who hung up before an
    agent had to be there, missed or not."""

    person: int
    missed: int
    early_hangup: int

    @property
    def rate(self) -> float:
        """missed ÷ person, 0.0–1.0; 0.0 where no person answered."""
        return self.missed / self.person if self.person else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true rate lies with 95 % confidence."""
        return wilson(self.missed, self.person)

    def to_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {"person": self.person, "missed": self.missed, "early_hangup": self.early_hangup, "missed_rate": self.rate, "missed_rate_95": [low, high]}


# --- agents' hours ------------------------------------------------------------------------------------------------------------------------

SHOWN_TIMES = tuple(word for word in AGENT_TIMES if word != "talking")  # what an agent talked, attempts prove: Figures.talked_s


@dataclass(slots=True)
class Spent:
    """How agents spent their time, as the daemon saw it: seconds by what of AGENT_TIMES, and counts."""

    seconds: dict[str, float] = field(default_factory=dict)
    missed_offers: int = 0
    previews: int = 0
    skipped: int = 0

    def add(self, other: Spent) -> None:
        for word, seconds in other.seconds.items():
            self.seconds[word] = self.seconds.get(word, 0.0) + seconds
        self.missed_offers += other.missed_offers
        self.previews += other.previews
        self.skipped += other.skipped

    def of(self, word: str) -> float:
        return self.seconds.get(word, 0.0)

    def to_json(self) -> dict[str, Any]:
        """By column names; `open_s`: his campaign screen was open."""
        times = {SPENT_NAMES.get(word, f"{word}_s"): self.of(word) for word in SHOWN_TIMES}
        return {**times, "missed_offers": self.missed_offers, "previews": self.previews, "skipped": self.skipped}


SPENT_NAMES = {"screen_open": "open_s"}


def all_spent(parts: Iterable[Spent]) -> Spent:
    """All of them together."""
    together = Spent()
    for part in parts:
        together.add(part)
    return together

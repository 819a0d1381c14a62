"""Which numbers there are, what sipp/customers.xml does when they are called, and what spec §4 makes of it.

A number is +1 212 B XXX NNN. B and XXX say what its owner does (the table stands in customers.xml); NNN only tells him from others.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.model import Outcome

REFUSES, RINGS_AND_REFUSES = 2, 3
RINGS_AND_ANSWERS, ANSWERS_AT_ONCE, EARLY_MEDIA_AND_ANSWERS = 4, 5, 6
HAS_A_REASON, NEVER_ANSWERS = 7, 8
ANSWERING = (RINGS_AND_ANSWERS, ANSWERS_AT_ONCE, EARLY_MEDIA_AND_ANSWERS)
STAYS = 999  # tenths of a second: for as long as any test lasts

# Refused at once: by SIP status. 403 is about us, 5xx about the network; 480 without ringing is a phone that is off.
BY_STATUS = {
    403: Outcome.OURS,
    404: Outcome.BAD_NUMBER,
    410: Outcome.BAD_NUMBER,
    480: Outcome.UNREACHABLE,
    484: Outcome.BAD_NUMBER,
    486: Outcome.BUSY,
    500: Outcome.NETWORK,
    503: Outcome.NETWORK,
    603: Outcome.REJECTED,
}
AFTER_RINGING = {**BY_STATUS, 480: Outcome.NO_ANSWER}
# A Reason header's Q.850 cause goes over the 500 it comes with. 19 is "no answer", but nothing rang.
BY_REASON = {1: Outcome.BAD_NUMBER, 17: Outcome.BUSY, 19: Outcome.NETWORK, 20: Outcome.UNREACHABLE, 34: Outcome.NETWORK}
BY_SILENCE = {100: Outcome.NETWORK, 180: Outcome.NO_ANSWER, 183: Outcome.NO_ANSWER}


@dataclass(frozen=True, slots=True)
class Kind:
    """People who all do the same. `what`: a SIP status, a Q.850 cause or tenths of a second, as their digit has it."""

    digit: int
    what: int

    def numbers(self, count: int, first: int = 0) -> list[str]:
        return [f"+1212{self.digit}{self.what:03d}{index:03d}" for index in range(first, first + count)]

    @property
    def answers(self) -> bool:
        return self.digit in ANSWERING

    @property
    def outcome(self) -> Outcome:
        """Of one who is served by an agent as soon as he answers."""
        if self.answers:
            return Outcome.CONNECTED
        tables = {REFUSES: BY_STATUS, RINGS_AND_REFUSES: AFTER_RINGING, HAS_A_REASON: BY_REASON, NEVER_ANSWERS: BY_SILENCE}
        return tables[self.digit][self.what]


def kind_of(number: str) -> Kind:
    """KeyError for none of ours."""
    if len(number) != 12 or not number.startswith("+1212"):
        raise KeyError(number)
    return Kind(int(number[5]), int(number[6:9]))


def is_ours(number: str) -> bool:
    return len(number) == 12 and number.startswith("+1212")

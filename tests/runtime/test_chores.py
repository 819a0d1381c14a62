"""Refused leads return and the house is kept while a daemon runs, and a database that is away stops neither for good (D16)."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest

from fs_dialer.errors import StoreError
from fs_dialer.runtime import chores


class Asked:
    """Answers in turn; an exception among the answers is raised. Stops the asker when they are used up."""

    def __init__(self, *answers: object) -> None:
        self._answers: Iterator[object] = iter(answers)
        self.at: list[float] = []

    def _next(self, now: float) -> object:
        self.at.append(now)
        answer = next(self._answers, gevent.GreenletExit())
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def return_refused(self, now: float) -> int:
        answer = self._next(now)
        assert isinstance(answer, int)
        return answer

    def housekeep(self, now: float) -> list[str]:
        answer = self._next(now)
        assert isinstance(answer, list)
        return answer

    def close(self) -> None:
        pass


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses asked for, none of them kept."""
    pauses: list[float] = []
    monkeypatch.setattr(chores.gevent, "sleep", pauses.append)
    return pauses


@pytest.mark.spec("D16")
def test_refused_leads_are_looked_at_every_half_minute_even_after_a_lost_database(slept: list[float]) -> None:
    asked = Asked(0, StoreError("away", lost=True), 3)
    with pytest.raises(gevent.GreenletExit):
        chores.return_refused(asked, lambda: 7.0)
    assert slept == [chores.RETURN_EVERY_S] * 3 and asked.at == [7.0] * 4


def test_the_house_is_kept_daily_and_sooner_again_when_it_failed(slept: list[float]) -> None:
    with pytest.raises(gevent.GreenletExit):
        chores.housekeep(Asked(["made 3 monthly partitions"], StoreError("away", lost=True), []), lambda: 7.0)
    assert slept == [chores.HOUSEKEEP_EVERY_S, chores.AGAIN_AFTER_S, chores.HOUSEKEEP_EVERY_S]

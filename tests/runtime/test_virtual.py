"""The loop in virtual time."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.model import Outcome
from tests.runtime.day import NOON, SPRING, Day


def test_a_day_runs_to_its_end_and_leaves_nothing_open() -> None:
    day = Day().run(1800)
    assert day.runtime.drained
    assert day.switch.legs == {}
    assert day.store.open_attempts_found() == []
    snapshot = day.runtime.dialer.snapshot()
    (campaign,) = snapshot.campaigns
    assert campaign.attempts == sum(campaign.outcomes.values()) == day.switch.counters.lead_legs + campaign.refused_without_leg
    assert campaign.outcomes[Outcome.CONNECTED] > 5
    day.runtime.dialer.check_invariants()


def test_equal_seeds_give_equal_days_and_another_seed_another() -> None:
    def actions(seed: int) -> list[act.Action]:
        return list(Day(seed).run(600).actions)

    assert actions(3) == actions(3)
    assert actions(3) != actions(4)


def test_every_event_is_seen_with_the_time_it_happened_and_time_never_runs_back() -> None:
    day = Day().run(600)
    times = [at for _, at, _ in day.steps]
    assert times == sorted(times)
    assert times[0] == NOON
    assert day.runtime.steps == len(day.steps)


@pytest.mark.spec("D8")
def test_an_attempt_is_opened_in_the_store_before_its_leg_is_asked_for() -> None:
    """D8, seen from the switch: every customer's leg carries an attempt that the store knows."""
    day = Day().run(600)
    opened = {event.attempt for event in day.events if isinstance(event, ev.AttemptOpened)}
    made = {event.attempt for event in day.events if isinstance(event, ev.LegCreated) and event.attempt is not None and event.gateway is not None}
    assert made and made <= opened


def test_it_stops_when_it_is_told_that_enough_is_done() -> None:
    day = Day()
    day.runtime.begin()
    day.runtime.run_until(NOON + 3600, done=lambda: day.store.attempts_count() >= 5)
    assert 5 <= day.store.attempts_count() <= 10
    assert day.runtime.now < NOON + 3600


def test_time_goes_on_to_the_end_when_nothing_is_due() -> None:
    day = Day()
    day.store.set_campaign_state(SPRING, 1, day.store.campaigns()[0].state.PAUSED, False, "", "test")
    day.runtime.begin()
    day.runtime.run_until(NOON + 3600)
    assert day.runtime.now == NOON + 3600


def test_notes_are_kept_and_not_printed() -> None:
    day = Day().run(60)
    assert {note.name for note in day.runtime.notes} >= {"switch_up", "draining"}


def test_it_needs_neither_gevent_nor_psycopg2() -> None:
    code = "import sys, fs_dialer.runtime.virtual, fs_dialer.sim.port, fs_dialer.db.memory; sys.exit(bool({'gevent', 'psycopg2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

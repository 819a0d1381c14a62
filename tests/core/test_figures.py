"""What each figure of a report counts, and that its parts add up."""

from __future__ import annotations

from random import Random

import pytest

from fs_dialer.core.figures import Figures, Group, MissedCount, counted
from fs_dialer.core.model import Outcome

SECOND = 1_000_000


def group(outcome: Outcome | None, many: int = 1, *, missed: bool = False, bridged: bool = False, leg: bool = True, disposition: str = "") -> Group:
    talked = (2 * many * SECOND, 60 * many * SECOND) if bridged else (0, 0)
    return Group(outcome, missed, bridged, leg, disposition, many, *talked)


DAY = (
    group(Outcome.CONNECTED, 790, bridged=True, disposition="sold"),
    group(Outcome.CONNECTED, 5, bridged=True),
    group(Outcome.CONNECTED, 2, bridged=True, missed=True, disposition="later"),
    group(Outcome.CONNECTED, 3),
    group(Outcome.MISSED, 15, missed=True),
    group(Outcome.EARLY_HANGUP, 6),
    group(Outcome.EARLY_HANGUP, 1, missed=True),
    group(Outcome.MACHINE, 311),
    group(Outcome.NO_ANSWER, 604),
    group(Outcome.OURS, 11, leg=False),
    group(Outcome.NETWORK, 7),
    group(Outcome.CANCELLED, 4),
    group(None, 9),
)


@pytest.mark.spec("D1")
def test_missed_are_people_who_met_no_agent_in_time_whatever_came_after() -> None:
    f = counted(DAY)
    assert (f.person, f.missed, f.met_too_late) == (790 + 5 + 2 + 3 + 15 + 6 + 1, 15 + 2 + 1, 2)
    assert f.missed_rate == 18 / 822
    assert f.missed_interval == MissedCount(822, 18, 7).interval


def test_persons_are_met_served_missed_or_gone_early_and_nothing_else() -> None:
    f = counted(DAY)
    assert (f.met_agent, f.served_by_flow, f.missed, f.early_hangup) == (795, 3, 18, 6)
    assert f.person == f.met_agent + f.served_by_flow + f.missed + f.early_hangup


@pytest.mark.spec("D3")
def test_failures_of_ours_and_of_the_network_stand_apart_and_are_no_answers() -> None:
    f = counted(DAY)
    assert (f.our_fault, f.without_leg) == (18, 11)
    assert f.answer_rate == (822 + 311) / (822 + 311 + 604)


def test_all_that_was_dialed_is_somewhere() -> None:
    f = counted(DAY)
    assert f.rest() == {"no_answer": 604, "cancelled": 4}
    assert f.dialed == f.person + f.machine + sum(f.rest().values()) + f.our_fault + f.up == sum(each.many for each in DAY)


def test_calls_are_those_an_agent_had_each_with_a_result_or_none() -> None:
    f = counted(DAY)
    assert (f.calls, f.dispositions, f.no_result) == (797, {"sold": 790, "later": 2}, 5)
    assert (f.waited_s, f.talked_s) == (797 * 2.0, 797 * 60.0)


def test_nothing_gives_zeros_and_no_division() -> None:
    f = Figures().to_json()
    assert (f["dialed"], f["missed_rate"], f["answer_rate"], f["average_talk_s"], f["missed_rate_95"]) == (0, 0.0, 0.0, 0.0, [0.0, 1.0])
    assert MissedCount(0, 0, 0).to_json()["missed_rate"] == 0.0


def test_the_figures_of_parts_are_those_of_the_whole() -> None:
    rng = Random(5)
    groups = [
        group(rng.choice([*Outcome, None]), rng.randrange(1, 9), missed=rng.random() < 0.2, bridged=rng.random() < 0.3, disposition=rng.choice(("", "a", "b")))
        for _ in range(400)
    ]
    whole, parts = counted(groups), [counted(groups[at::7]) for at in range(7)]
    for name in (
        "dialed",
        "up",
        "person",
        "machine",
        "our_fault",
        "met_agent",
        "served_by_flow",
        "missed",
        "met_too_late",
        "early_hangup",
        "calls",
        "no_result",
    ):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts), name
    assert whole.talked_us == sum(part.talked_us for part in parts)
    assert whole.person == whole.met_agent + whole.served_by_flow + whole.missed + whole.early_hangup

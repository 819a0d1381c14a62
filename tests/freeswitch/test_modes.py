"""Each mode on a real switch, with SIPp's phones as customers and agents; the reassignment after 30 s and the missed path (progressive: test_campaign.py)."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing

import pytest

from fs_dialer.core.model import Outcome
from fs_dialer.db.backoffice import Backoffice
from tests.freeswitch import number_plan as plan
from tests.freeswitch.conftest import Sipp
from tests.freeswitch.number_plan import Kind, kind_of
from tests.freeswitch.watch import Leg
from tests.freeswitch.world import Daemon, World

AGENTS = {"nailed-0": "nailed", "ready-0": "per_call", "ready-1": "per_call"}
PEOPLE = {
    Kind(plan.RINGS_AND_ANSWERS, 28): 4,
    Kind(plan.ANSWERS_AT_ONCE, 30): 2,
    Kind(plan.EARLY_MEDIA_AND_ANSWERS, 33): 1,
    Kind(plan.REFUSES, 486): 2,
    Kind(plan.REFUSES, 404): 1,
    Kind(plan.REFUSES, 480): 1,
    Kind(plan.RINGS_AND_REFUSES, 603): 1,
    Kind(plan.NEVER_ANSWERS, 180): 1,
}
COMMON = "ring: 5s\nattempts: {max: 2, gap: 4h, busy: {gap: 4h}}\n"
SETTINGS = {
    "manual": "ring: 5s\nattempts: {max: 2}\n",
    "preview": COMMON + "wrap_up: 1s\npreview: {time: 1s}\n",
    "progressive": COMMON + "wrap_up: 1s\n",
    "predictive": COMMON + "wrap_up: 1s\nmissed: {max: 20%}\n",
    "callback": COMMON + "wrap_up: 1s\n",
}
STAYS = Kind(plan.RINGS_AND_ANSWERS, plan.STAYS)
CALLED_S = 90.0


def begin(world: World, type: str, agents: dict[str, str], numbers: list[str], settings: str) -> Daemon:
    """One campaign of that type, running, its agents available in the order they are named in, with their screens open."""
    world.set_up(agents, settings, numbers, type=type)
    world.order_start(list(agents))
    with closing(Backoffice(world.dsn)) as office:
        for name in agents:
            office.submit_command("agent", name, {"verb": "open_screen", "lease_s": "86400"}, "test")
    daemon = world.start_daemon()
    daemon.says("switch_up")
    return daemon


def take_all(world: World, count: int) -> None:
    """Manual: whoever is free takes a customer and dials."""
    deadline = time.monotonic() + CALLED_S
    while world.one("SELECT count(*) FROM all_attempts") < count:
        assert time.monotonic() < deadline, "not all were taken"
        for name in AGENTS:
            if world.say(name, "take", campaign="c")[0]:
                world.granted(name, "dial")


def end(world: World, daemon: Daemon) -> None:
    daemon.drain()
    world.watch.until(lambda: not any(leg.alive for leg in world.watch.legs.values()), "every leg is over", 10.0)
    assert world.watch.left_over() == []
    assert world.rows("SELECT id FROM all_attempts WHERE closed_at IS NULL") == []


def agent_on(world: World, uuid: str) -> Leg:
    return next(leg for leg in world.watch.agents() if leg.uuid == uuid)


@pytest.mark.spec("S29", "S36", "S38", "S44", "S66", "D8")
@pytest.mark.parametrize("type", ["manual", "preview", "progressive", "predictive", "callback"])
def test_outcomes_are_exactly_what_sipp_was_told_to_do(world: World, customers: Sipp, type: str) -> None:
    """Number by number and as counts, by the database, by the switch's BRIDGE events and by SIPp's INVITEs; who is rung first is as the type says."""
    numbers = [number for kind, count in PEOPLE.items() for number in kind.numbers(count, first=700)]
    before = len(customers.invites())
    daemon = begin(world, type, AGENTS, numbers, SETTINGS[type])
    if type == "manual":
        take_all(world, len(numbers))
    world.until_all_tried(CALLED_S)
    end(world, daemon)
    attempts = dict(world.rows("SELECT number, outcome FROM all_attempts"))
    assert attempts == {number: kind_of(number).outcome.value for number in numbers}
    told: Counter[Outcome] = Counter()
    for kind, count in PEOPLE.items():
        told[kind.outcome] += count
    assert Counter(Outcome(outcome) for outcome in attempts.values()) == told
    assert Counter(number for number in customers.invites()[before:] if number in attempts) == Counter(numbers)
    legs = {leg.number: leg for leg in world.watch.leads()}
    assert {number for number, leg in legs.items() if leg.bridged_to} == {number for number in numbers if kind_of(number).answers}
    for leg in legs.values():
        assert len(leg.bridged_to) <= 1, leg.story()
        if leg.bridged_to and type in ("manual", "preview", "callback"):
            answered_at = agent_on(world, leg.bridged_to[0]).at("CHANNEL_ANSWER")
            assert answered_at is not None and answered_at < leg.events[0][0], "dialled before the agent was there"


@pytest.mark.spec("S46", "S45")
@pytest.mark.parametrize("type", ["progressive", "predictive"])
def test_after_30_seconds_the_call_goes_to_the_next_agent(world: World, type: str) -> None:
    """S46, with the time as it stands in the guide. A's phone is cancelled; the customer hears music and meets B alone."""
    (number,) = STAYS.numbers(1)
    daemon = begin(world, type, {"never-0": "per_call", "ready-0": "per_call"}, [number], COMMON + "waiting: {at_most: 60s}\n")
    watch = world.watch
    watch.until(lambda: any(leg.bridged_to for leg in watch.leads()), "the customer meets an agent", 60.0)
    (customer,) = watch.leads()
    a, b = (next(leg for leg in watch.agents() if leg.agent == name) for name in ("never-0", "ready-0"))
    assert customer.bridged_to == [b.uuid]
    assert 29.0 < b.events[0][0] - a.events[0][0] < 32.0, a.story()
    assert customer.count("PLAYBACK_START") == 1
    world.granted("ready-0", "hang_up")
    world.until_all_tried(10.0)
    end(world, daemon)
    assert (a.cause, a.answered) == ("ORIGINATOR_CANCEL", False)
    assert world.rows("SELECT outcome, agent, missed FROM all_attempts") == [("connected", "ready-0", False)]


@pytest.mark.spec("S46")
@pytest.mark.parametrize("fault", ["absent", "rejects"])
def test_an_agent_whose_phone_refuses_is_followed_by_the_next_at_once(world: World, fault: str) -> None:
    """480, 603."""
    (number,) = Kind(plan.ANSWERS_AT_ONCE, 30).numbers(1)
    daemon = begin(world, "predictive", {f"{fault}-0": "per_call", "ready-0": "per_call"}, [number], COMMON)
    world.until_all_tried(30.0)
    end(world, daemon)
    assert world.rows("SELECT outcome, agent FROM all_attempts") == [("connected", "ready-0")]
    a, b = (next(leg for leg in world.watch.agents() if leg.agent == name) for name in (f"{fault}-0", "ready-0"))
    assert not a.answered and b.events[0][0] - a.events[0][0] < 2.0


@pytest.mark.parametrize("type", ["progressive", "callback"])
def test_of_two_phones_that_answer_one_call_at_once_the_switch_keeps_one(world: World, type: str) -> None:
    """A proxy forks and two 200s come back: one leg, one conversation."""
    (number,) = Kind(plan.ANSWERS_AT_ONCE, 20).numbers(1, first=60)
    daemon = begin(world, type, {"forked-0": "per_call"}, [number], SETTINGS[type])
    world.until_all_tried(30.0)
    end(world, daemon)
    assert world.rows("SELECT outcome, agent FROM all_attempts") == [("connected", "forked-0")]
    (agent,), (customer,) = world.watch.agents(), world.watch.leads()
    assert customer.bridged_to == [agent.uuid] and agent.count("CHANNEL_ANSWER") == 1


@pytest.mark.spec("S47", "S48", "D1")
def test_a_customer_whom_no_agent_takes_in_time_hears_the_notice_and_is_missed_once(world: World) -> None:
    (number,) = STAYS.numbers(1, first=1)
    settings = COMMON + "waiting: {at_most: 7s, then: 'silence_stream://1000'}\nagent_ring: 6s\n"
    daemon = begin(world, "predictive", {"never-0": "per_call"}, [number], settings)
    world.until_all_tried(30.0)
    end(world, daemon)
    assert world.rows("SELECT outcome, missed, bridged_at IS NULL FROM all_attempts") == [("missed", True, True)]
    (customer,) = world.watch.leads()
    (agent,) = world.watch.agents()
    waited_s = (customer.at("CHANNEL_HANGUP_COMPLETE") or 0.0) - (customer.at("CHANNEL_ANSWER") or 0.0)
    assert 7.9 < waited_s < 10.0, customer.story()
    assert customer.count("PLAYBACK_START") == 2  # the music, then the notice
    assert (agent.cause, agent.answered, customer.bridged_to) == ("ORIGINATOR_CANCEL", False, [])


@pytest.mark.spec("D6")
@pytest.mark.parametrize("type", ["preview", "callback"])
def test_a_customer_whose_agent_gives_up_while_his_phone_rings_is_never_bridged(world: World, type: str) -> None:
    (number,) = Kind(plan.NEVER_ANSWERS, 180).numbers(1, first=50)
    daemon = begin(world, type, {"ready-0": "per_call"}, [number], SETTINGS[type])
    world.watch.until(lambda: any(leg.at("CHANNEL_PROGRESS") for leg in world.watch.leads()), "the customer's phone rings", 20.0)
    world.granted("ready-0", "hang_up")
    world.until_all_tried(20.0)
    end(world, daemon)
    (customer,) = world.watch.leads()
    assert customer.cause == "ORIGINATOR_CANCEL" and customer.bridged_to == []
    assert world.rows("SELECT outcome, missed FROM all_attempts") == [("cancelled", False)]

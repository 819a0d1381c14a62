"""A progressive campaign of 300 leads, from the files an admin writes to the rows in the database, against people whose number says what they do."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from fs_dialer.core.model import Outcome
from tests.freeswitch import number_plan as plan
from tests.freeswitch.conftest import Sipp
from tests.freeswitch.number_plan import Kind
from tests.freeswitch.watch import Leg
from tests.freeswitch.world import World, write_definitions

SEED = 11
CPS, LINES, GATEWAY_LINES = 20, 40, 18
BURST = CPS * 0.25  # the limits let a quarter of a second's originates go out at once
FEW_S = 58.0  # leads of class network and ours come back after 60 s; the campaign is over before

NAILED = {f"nailed-{n}": "nailed" for n in range(10)}
AT_ONCE = {f"nailed-{n}": "nailed" for n in range(10, 14)}
PER_CALL = {f"ready-{n}": "per_call" for n in range(10)}
SLOW = {f"slow-{n}": "per_call" for n in range(3)}

SERVED = (
    {Kind(plan.RINGS_AND_ANSWERS, tenths): 10 for tenths in (20, 25, 28, 30, 35, 40)}
    | {Kind(plan.ANSWERS_AT_ONCE, tenths): 10 for tenths in (20, 30, 40)}
    | {Kind(plan.EARLY_MEDIA_AND_ANSWERS, tenths): 15 for tenths in (22, 33)}
)
REFUSED = {
    Kind(plan.REFUSES, 404): 15,
    Kind(plan.REFUSES, 410): 5,
    Kind(plan.REFUSES, 480): 15,
    Kind(plan.REFUSES, 484): 5,
    Kind(plan.REFUSES, 486): 25,
    Kind(plan.REFUSES, 603): 15,
    Kind(plan.RINGS_AND_REFUSES, 480): 15,
    Kind(plan.RINGS_AND_REFUSES, 486): 20,
    Kind(plan.RINGS_AND_REFUSES, 603): 5,
    Kind(plan.HAS_A_REASON, 1): 2,
    Kind(plan.HAS_A_REASON, 17): 5,
    Kind(plan.HAS_A_REASON, 20): 5,
    Kind(plan.NEVER_ANSWERS, 180): 14,
    Kind(plan.NEVER_ANSWERS, 183): 6,
}
COMES_BACK = {
    Kind(plan.REFUSES, 403): 10,
    Kind(plan.REFUSES, 500): 3,
    Kind(plan.REFUSES, 503): 4,
    Kind(plan.RINGS_AND_REFUSES, 500): 3,
    Kind(plan.HAS_A_REASON, 19): 2,
    Kind(plan.HAS_A_REASON, 34): 4,
    Kind(plan.NEVER_ANSWERS, 100): 2,
}
HURRIED = Kind(plan.RINGS_AND_ANSWERS, 1)  # gone 100 ms after the answer: before any phone of a slow agent is answered
HURRIED_LEADS = 15
# Gone while he is being bridged to a parked agent: either may come first. None, and 100 ms, after the answer.
RACING = (Kind(plan.ANSWERS_AT_ONCE, 0), Kind(plan.ANSWERS_AT_ONCE, 1), Kind(plan.RINGS_AND_ANSWERS, 1))
RACING_LEADS = 10  # of each


@dataclass(frozen=True)
class Day:
    """All that was seen. `invites`: whom SIPp was called as."""

    leads: list[str]
    hurried: list[str]
    racing: list[str]
    legs: list[Leg]
    agent_legs: dict[str, Leg]
    attempts: dict[str, dict[str, Any]]
    lead_rows: dict[str, tuple[str, int]]
    invites: Counter[str]
    left_over: list[str]
    most_legs: int
    most_lead_legs: int
    took_s: float


@pytest.fixture(scope="module")
def day(module_world: World, customers: Sipp) -> Day:
    """The campaign, once for all tests of this file: 300 leads of `main`. Beside it two small ones of people who hang up at once: `hurried`, whose
    agents are slow, and `racing`, whose agents are there already."""
    world, watch = module_world, module_world.watch
    rng = random.Random(SEED)
    early = [number for kind, count in (SERVED | REFUSED).items() for number in kind.numbers(count)]
    late = [number for kind, count in COMES_BACK.items() for number in kind.numbers(count)]
    rng.shuffle(early)
    rest = early[200:] + late  # what would come back after 60 s is not among the first
    rng.shuffle(rest)
    leads, hurried = early[:200] + rest, HURRIED.numbers(HURRIED_LEADS)
    racing = [number for kind in RACING for number in kind.numbers(RACING_LEADS, first=100)]
    assert len(leads) == len(set(leads)) == 300
    common = "ring: 5s\nwrap_up: 1s\nattempts: {max: 2, gap: 4h, busy: {gap: 20m}}\nwaiting: {at_most: 30s}\nagent_ring: 10s\n"
    campaigns = {
        "main": common + f"agents: {{people: [{', '.join(NAILED | PER_CALL)}]}}\n",
        "hurried": common + f"agents: {{people: [{', '.join(SLOW)}]}}\n",
        "racing": common + f"agents: {{people: [{', '.join(AT_ONCE)}]}}\n",
    }
    place = write_definitions(world.folder, NAILED | PER_CALL | SLOW | AT_ONCE, campaigns, lines=LINES, cps=CPS, gateway_lines=GATEWAY_LINES)
    for name, numbers in (("main", leads), ("hurried", hurried), ("racing", racing)):
        (world.folder / f"{name}.csv").write_text("phone,name\n" + "".join(f"{number},Person {n}\n" for n, number in enumerate(numbers)), encoding="utf-8")
    world.command("apply", str(place))
    for name in campaigns:
        world.command("lead", "import", str(world.folder / f"{name}.csv"), "--campaign", name)
    before = len(customers.invites())
    daemon = world.start_daemon()
    daemon.says("switch_up")
    for name in campaigns:
        world.command("approve", name)
    world.command("agent", "available", "--all")
    begun = time.monotonic()
    for name in campaigns:
        world.command("start", name)
    world.until_all_tried(FEW_S)
    took_s = time.monotonic() - begun
    daemon.drain(15.0)
    watch.until(lambda: not any(leg.alive for leg in watch.legs.values()), "every leg is over", 5.0)
    attempts = world.rows(
        "SELECT number, id::text, leg::text, outcome, cause, sip_status, rang_at IS NOT NULL, bridged_at IS NOT NULL, missed, agent, closed_at IS NULL "
        "FROM all_attempts"
    )
    words = ("id", "leg", "outcome", "cause", "sip_status", "rang", "bridged", "missed", "agent", "open")
    assert len({row[0] for row in attempts}) == len(attempts), "a lead was called twice"
    return Day(
        leads,
        hurried,
        racing,
        watch.leads(),
        {leg.uuid: leg for leg in watch.agents()},
        {row[0]: dict(zip(words, row[1:], strict=True)) for row in attempts},
        {row[0]: (row[1], row[2]) for row in world.rows("SELECT number, status, attempts FROM leads")},
        Counter(customers.invites()[before:]),
        watch.left_over(),
        watch.most_at_once(),
        watch.most_at_once("lead"),
        took_s,
    )


@pytest.mark.spec("D3")
def test_outcomes_are_exactly_what_sipp_was_told_to_do(day: Day) -> None:
    """§4, D3: lead by lead, then as counts."""
    wrong = {
        number: (day.attempts[number], [leg.story() for leg in day.legs if leg.number == number])
        for number in day.leads
        if day.attempts[number]["outcome"] != plan.kind_of(number).outcome.value
    }
    assert wrong == {}
    told: Counter[Outcome] = Counter()
    for kind, count in (SERVED | REFUSED | COMES_BACK).items():
        told[kind.outcome] += count
    assert Counter(Outcome(day.attempts[number]["outcome"]) for number in day.leads) == told


@pytest.mark.spec("D1")
def test_customer_who_leaves_before_a_phone_is_answered_is_an_early_hang_up(day: Day) -> None:
    """D1: gone before connect_within_s; not missed."""
    assert {day.attempts[number]["outcome"] for number in day.hurried} == {"early_hangup"}
    assert not any(day.attempts[number]["missed"] for number in day.hurried)


@pytest.mark.spec("D1")
def test_customer_who_leaves_while_he_is_being_bridged_costs_no_agent_his_line(day: Day) -> None:
    """S38, D1: connected if the switch says that they were bridged, else an early hang-up. The agents' parked legs outlive it all."""
    legs = {leg.number: leg for leg in day.legs}
    expected = {number: "connected" if legs[number].bridged_to else "early_hangup" for number in day.racing}
    assert {number: day.attempts[number]["outcome"] for number in day.racing} == expected
    print("gone at once:", Counter(expected.values()))
    nailed = Counter(leg.agent for leg in day.agent_legs.values() if leg.agent.startswith("nailed"))
    assert nailed == Counter([*NAILED, *AT_ONCE])


@pytest.mark.spec("S38")
def test_every_answered_lead_was_bridged_to_an_agents_leg(day: Day) -> None:
    """S38, D1: the switch's own BRIDGE events, and the agent in the attempt's row. Early hang-ups are the exception."""
    gone = {*day.hurried, *day.racing}
    answered = [leg for leg in day.legs if leg.answered and leg.number not in gone]
    assert len(answered) == sum(SERVED.values())
    for leg in answered:
        agents = [day.agent_legs[other].agent for other in leg.bridged_to]
        assert agents == [day.attempts[leg.number]["agent"]], leg.story()
        assert day.attempts[leg.number]["bridged"] and not day.attempts[leg.number]["missed"]
    for kind in ("nailed", "ready"):
        waits = sorted(answer_to_bridge_s(leg) for leg in answered if day.attempts[leg.number]["agent"].startswith(kind))
        middle, nearly_all, most = (round(waits[n] * 1000) for n in (len(waits) // 2, len(waits) * 9 // 10, -1))
        print(f"answer to bridge, {kind}: {len(waits)} calls, median {middle} ms, p90 {nearly_all} ms, most {most} ms")
        assert most < 5000


def answer_to_bridge_s(leg: Leg) -> float:
    return (leg.at("CHANNEL_BRIDGE") or 0) - (leg.at("CHANNEL_ANSWER") or 0)


def test_phones_rang_as_long_as_was_promised(day: Day) -> None:
    """`ring: 5s`, counted from the ringing; D3, D10. The switch's own timeout counts whole seconds and may end one early."""
    rang = [(leg.at("CHANNEL_HANGUP_COMPLETE") or 0) - (leg.at("CHANNEL_PROGRESS") or 0) for leg in day.legs if leg.number.startswith("+12128180")]
    assert len(rang) == REFUSED[Kind(plan.NEVER_ANSWERS, 180)]
    print(f"rang for {min(rang):.2f} to {max(rang):.2f} s")
    assert min(rang) > 5.0 - 0.05 and max(rang) < 6.5


@pytest.mark.spec("D8", "X4")
def test_attempts_outcomes_rows_and_legs_are_the_same_in_number(day: Day) -> None:
    """D8, X4: each lead was called once, by the database, by the switch and by SIPp's count of INVITEs."""
    everybody = {*day.leads, *day.hurried, *day.racing}
    assert day.attempts.keys() == everybody
    assert Counter(leg.number for leg in day.legs) == Counter(everybody)
    assert day.invites == Counter(everybody)
    assert {leg.uuid: leg.attempt for leg in day.legs} == {attempt["leg"]: attempt["id"] for attempt in day.attempts.values()}


def test_nothing_is_open_and_no_channel_is_left_after_the_drain(day: Day) -> None:
    assert [number for number, attempt in day.attempts.items() if attempt["open"]] == []
    assert day.left_over == []


@pytest.mark.spec("D3")
def test_leads_are_left_as_their_outcomes_say(day: Day) -> None:
    """§4: status, and whether the attempt counts."""
    status = {Outcome.CONNECTED: ("succeeded", 1), Outcome.BAD_NUMBER: ("invalid", 1), Outcome.NETWORK: ("retry", 0), Outcome.OURS: ("retry", 0)}
    expected = {number: status.get(Outcome(attempt["outcome"]), ("retry", 1)) for number, attempt in day.attempts.items()}
    assert day.lead_rows == expected


@pytest.mark.spec("D2")
def test_lines_of_the_installation_were_kept(day: Day) -> None:
    """D2: every leg counts, the agents' too."""
    assert day.most_legs <= LINES


@pytest.mark.spec("D2")
def test_lines_of_the_gateway_were_kept_and_used(day: Day) -> None:
    assert day.most_lead_legs == GATEWAY_LINES


@pytest.mark.spec("D2")
def test_calls_per_second_were_kept(day: Day) -> None:
    """D2: in any second, no more new legs than the rate and its burst; the switch reports them up to 20 ms late."""
    legs = [*day.legs, *day.agent_legs.values()]
    times = sorted(leg.events[0][0] for leg in legs)
    most = max(sum(1 for at in times[n:] if at < begin + 0.95) for n, begin in enumerate(times))
    print(f"{len(legs)} legs, at most {most} new in a second, {day.most_legs} at once, {day.most_lead_legs} of leads; all leads in {day.took_s:.1f} s")
    assert most <= CPS + BURST

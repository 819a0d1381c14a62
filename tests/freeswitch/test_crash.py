"""kill -9 of the daemon with calls ringing, waiting and talking; the next daemon, or one that stood by, goes on where it was (D8, X4)."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from tests.freeswitch import number_plan as plan
from tests.freeswitch.conftest import Sipp
from tests.freeswitch.number_plan import Kind, kind_of
from tests.freeswitch.watch import Leg
from tests.freeswitch.world import World

SEED = 5
GATEWAY_LINES = 14
AGENTS = {f"nailed-{n}": "nailed" for n in range(8)} | {f"ready-{n}": "per_call" for n in range(8)}
# Nothing that comes back after 60 s, so that a second call to anybody is a fault whenever it comes.
PEOPLE = {
    Kind(plan.RINGS_AND_ANSWERS, 50): 14,
    Kind(plan.RINGS_AND_ANSWERS, 80): 8,
    Kind(plan.ANSWERS_AT_ONCE, 25): 10,
    Kind(plan.EARLY_MEDIA_AND_ANSWERS, 30): 6,
    Kind(plan.REFUSES, 486): 5,
    Kind(plan.RINGS_AND_REFUSES, 480): 5,
    Kind(plan.REFUSES, 404): 3,
    Kind(plan.NEVER_ANSWERS, 180): 6,
}
CAMPAIGN = "ring: 6s\nwrap_up: 1s\nattempts: {max: 3, gap: 4h, busy: {gap: 20m}}\nwaiting: {at_most: 30s}\nagent_ring: 10s\n"


def talking(leg: Leg) -> bool:
    """Bridged, and neither leg over."""
    return leg.count("CHANNEL_BRIDGE") > leg.count("CHANNEL_UNBRIDGE") and leg.at("CHANNEL_HANGUP_COMPLETE") is None


def ended_by_customer(leg: Leg) -> bool:
    """The phone of the customer hung up, after as long as his number says."""
    (end,) = [(at, e) for at, e in leg.events if e.name == "CHANNEL_HANGUP_COMPLETE"]
    stayed_s = end[0] - (leg.at("CHANNEL_ANSWER") or 0)
    return end[1].headers.get("variable_sip_hangup_disposition") == "recv_bye" and stayed_s > kind_of(leg.number).what / 10 - 0.3


@pytest.mark.spec("D8", "X4")
@pytest.mark.parametrize("successor", ["restarted", "standing by"])
def test_killed_daemon_is_followed_without_a_second_call_to_anybody(world: World, customers: Sipp, successor: str) -> None:
    """D8: no lead called twice inside its gap, calls in talk survive, nothing open and no channel left over after the drain."""
    watch = world.watch
    leads = [number for kind, count in PEOPLE.items() for number in kind.numbers(count, first=500)]
    random.Random(SEED).shuffle(leads)
    world.set_up(AGENTS, CAMPAIGN, leads, gateway_lines=GATEWAY_LINES)
    world.order_start(list(AGENTS))
    before = len(customers.invites())
    first = world.start_daemon()
    first.says("active: epoch")
    if successor == "standing by":
        world.start_daemon().says("standing by")

    def in_the_middle() -> bool:
        up = [leg for leg in watch.leads() if leg.alive]
        return len(watch.leads()) >= 20 and sum(map(talking, up)) >= 6 and any(not leg.answered for leg in up)

    watch.until(in_the_middle, "at least 6 talk and somebody's phone rings")
    killed_at = first.kill()
    with watch.still():
        talked = [leg for leg in watch.leads() if talking(leg)]
        in_flight = {leg.number for leg in watch.leads() if leg.alive}
    second = world.start_daemon() if successor == "restarted" else world.daemons[-1]
    second.says("attempt_adopted")
    known_again_at = time.monotonic()
    world.until_all_tried(60.0)
    second.drain(15.0)
    watch.until(lambda: not any(leg.alive for leg in watch.legs.values()), "every leg is over", 5.0)

    called = Counter(customers.invites()[before:])
    assert {number: times for number, times in called.items() if times > 1} == {}
    assert Counter(leg.number for leg in watch.leads()) == called
    attempts = world.rows("SELECT number, leg::text, outcome, closed_at IS NULL FROM all_attempts")
    assert len({row[0] for row in attempts}) == len(attempts), "an attempt for nothing inside the gap"
    assert [row for row in attempts if row[3]] == []
    assert {leg.uuid for leg in watch.leads()} <= {row[1] for row in attempts}
    assert watch.left_over() == []
    assert [leg.story() for leg in talked if not ended_by_customer(leg)] == []
    assert watch.most_at_once("lead") <= GATEWAY_LINES

    different = []
    for number, uuid, outcome, _ in attempts:
        leg = watch.legs.get(uuid)
        if outcome == kind_of(number).outcome.value or (outcome == "unknown" and (leg is None or (leg.at("CHANNEL_DESTROY") or 0) < known_again_at)):
            continue
        if outcome == "early_hangup" and leg is not None and number in in_flight and not leg.bridged_to and ended_by_customer(leg):
            continue  # he answered while nobody led, and did not wait for it
        different.append((outcome, leg and leg.story()))
    assert different == []
    unknown = sum(1 for row in attempts if row[2] == "unknown")
    assert unknown <= len(in_flight) + 5
    late = [leg for leg in watch.leads() if (leg.at("CHANNEL_CREATE") or 0) > killed_at]
    next_s = min(leg.events[0][0] for leg in late) - killed_at
    print(f"{successor}: {len(in_flight)} leads up at the kill, {len(talked)} in talk; {unknown} unknown")
    print(f"  taken over after {known_again_at - killed_at:.1f} s, next originate after {next_s:.1f} s")

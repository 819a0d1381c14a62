"""With the daemon dead for good, nobody stays in music for ever: the switch's own timers send whoever is parked to fsd_fallback, and release him."""

from __future__ import annotations

import json

from tests.freeswitch import number_plan as plan
from tests.freeswitch.number_plan import STAYS, Kind
from tests.freeswitch.world import World, write_definitions

FALLBACK_S = 30.0
RELEASE_S = 30.0  # dialplan fsd: sched_hangup
RENEWED_S = 10.0
SLACK_S = 1.5  # the switch's timers count whole seconds, and are looked at once a second

WAITING = Kind(plan.ANSWERS_AT_ONCE, STAYS).numbers(2)
TALKING = Kind(plan.RINGS_AND_ANSWERS, STAYS).numbers(1)
CAMPAIGN = "wrap_up: 1s\nwaiting: {at_most: 5m}\nagent_ring: 2m\n"


def test_parked_customers_and_agents_reach_the_fallback_in_time_and_are_released(world: World) -> None:
    """Two customers wait for phones that nobody answers, one idle nailed agent is parked, one talks. The daemon is killed after a renewal."""
    watch = world.watch
    phones, desks = {"never-0": "per_call", "never-1": "per_call"}, {"nailed-0": "nailed", "nailed-1": "nailed"}
    campaigns = {
        "waiting": CAMPAIGN + f"agents: {{people: [{', '.join(phones)}]}}\n",
        "talking": CAMPAIGN + f"agents: {{people: [{', '.join(desks)}]}}\n",
    }
    world.command("apply", str(write_definitions(world.folder, phones | desks, campaigns)))
    world.add_leads("waiting", WAITING)
    world.add_leads("talking", TALKING)
    world.order_start(list(phones), "waiting")
    world.order_start(list(desks), "talking")
    daemon = world.start_daemon()

    def all_there() -> bool:
        waiting = [leg for leg in watch.leads() if leg.number in WAITING and leg.at("CHANNEL_PARK")]
        talking = [leg for leg in watch.leads() if leg.number in TALKING and leg.bridged_to]
        return len(waiting) == 2 and len(talking) == 1 and sum(1 for leg in watch.agents() if leg.agent in desks and leg.at("CHANNEL_PARK")) == 2

    watch.until(all_there, "two wait, one talks, and the other agent is idle")
    (talker,) = [leg for leg in watch.leads() if leg.number in TALKING]
    parked = [leg for leg in watch.leads() if leg.number in WAITING]
    parked += [leg for leg in watch.agents() if leg.agent in desks and leg.uuid not in talker.bridged_to]
    assert len(parked) == 3
    first_timer = max(leg.at("CHANNEL_ANSWER") or 0 for leg in parked) + FALLBACK_S
    world.until("SELECT clock_timestamp() >= min(opened_at) + interval '12 seconds' FROM all_attempts", True, "the fallbacks were renewed once", 20.0)
    killed_at = daemon.kill()

    watch.until(lambda: all(leg.in_fallback_at for leg in parked), "all three are in fsd_fallback", FALLBACK_S)
    for leg in parked:
        assert leg.in_fallback_at is not None and leg.in_fallback_at > first_timer + 1, f"not renewed: {leg.story()}"
    assert talker.in_fallback_at is None and talker.at("CHANNEL_UNBRIDGE") is None
    assert json.loads(watch.api(f"uuid_dump {talker.uuid} json"))["Channel-State"] in ("CS_SOFT_EXECUTE", "CS_EXCHANGE_MEDIA")
    watch.until(lambda: not any(leg.alive for leg in parked), "all three are released", RELEASE_S + SLACK_S)
    print(f"in fsd_fallback after {[round((leg.in_fallback_at or 0) - killed_at, 1) for leg in parked]} s, "
          f"released after {[round((leg.at('CHANNEL_DESTROY') or 0) - killed_at, 1) for leg in parked]} s: {[leg.cause for leg in parked]}")  # fmt: skip
    assert talker.alive and talker.at("CHANNEL_UNBRIDGE") is None, "a conversation goes on without the daemon"

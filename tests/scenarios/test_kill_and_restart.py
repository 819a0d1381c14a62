"""The daemon is killed with calls in every state, and the next one takes over what is up (D6, D8, X4); or there is no next one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from fs_dialer.db.embedded import EmbeddedPostgres
from tests.scenarios.checks import check_everything
from tests.scenarios.conftest import a_world
from tests.scenarios.world import World, numbers, person, until

FALLBACK_S = 30.0
SLACK_S = 2.0
TAKE_OVER_S = 5.0


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A customer in the music whose daemon was killed at `killed_at`, and no other was started."""

    world: World
    number: str
    killed_at: float


@pytest.fixture(scope="module", autouse=True)
def abandoned(scenario_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Abandoned]:
    """Made before the first test of this file and looked at in the last: his half minute passes meanwhile."""
    (number,) = numbers(1, 1)
    with a_world(scenario_server, tmp_path_factory.mktemp("abandoned")) as world:
        world.start_switch(numbers={number: person()}, agents=[{"match": "user/*", "ring": "4s"}])
        world.define(agents=1)
        world.add_leads([number])
        world.order_start(1)
        daemon = world.start_daemon()
        until(world.witness.waiting, 15, "the customer waits for a slow phone")
        daemon.kill()
        yield Abandoned(world, number, time.monotonic())


@pytest.mark.spec("D8", "X4")
def test_calls_in_every_state_outlive_a_kill_and_end_once(world: World) -> None:
    """X4: two customers wait for slow phones, two talk, two still ring. The next daemon serves all six, and calls no nailed agent again."""
    waiting, talking, ringing = numbers(1, 2), numbers(3, 2), numbers(5, 2)
    world.start_switch(
        numbers=dict.fromkeys(waiting, person()) | dict.fromkeys(talking, person(talk="8s")) | dict.fromkeys(ringing, person(ring="6s")),
        agents=[{"match": "user/100[56]", "ring": "4s"}],
    )
    world.define(agents=6, nailed=4)
    world.add_leads([*waiting, *talking, *ringing])
    world.order_start(6)
    first = world.start_daemon()
    eyes = world.witness
    until(lambda: len(eyes.waiting()) == len(eyes.talking()) == len(eyes.ringing()) == 2, 60, "two wait, two talk, two ring")
    first.kill()
    assert len(eyes.up("lead")) == 6

    second = world.start_daemon()
    second.says("switch_up")
    until(lambda: world.closed() == 6, 30, "every attempt is closed")
    assert set(world.outcomes().values()) == {"connected"}
    assert second.terminate() == 0
    check_everything(world)
    assert len([leg for leg in eyes.legs("agent") if leg.agent in ("agent-1", "agent-2", "agent-3", "agent-4")]) == 4, "a nailed agent was called twice"


@pytest.mark.spec("D8", "X4")
def test_eight_kills_at_random_moments_lose_no_call_and_double_none(world: World) -> None:
    """X4: whatever step of whatever call the kill hits. A standby waits each time, and takes over within seconds."""
    seed = 20261
    rng = random.Random(seed)
    print(f"seed {seed}")
    world.start_switch(seed=seed, agents=[{"match": "user/10*", "ring": "uniform(0.2s, 1.5s)"}])
    world.define(agents=10, nailed=6, cps=30)
    world.add_leads(numbers(1, 400))
    world.order_start(10)
    eyes = world.witness
    moments: list[tuple[str, Callable[[], int]]] = [
        ("attempts committed", lambda: int(world.one("SELECT count(*) FROM all_attempts"))),
        ("legs made", lambda: len(eyes.legs())),
        ("answers", lambda: len([leg for leg in eyes.legs() if leg.answered_at is not None])),
        ("conversations", lambda: sum(len(leg.met) for leg in eyes.legs("lead"))),
        ("legs ended", lambda: len([leg for leg in eyes.legs() if not leg.up])),
        ("attempts closed", world.closed),
    ]
    active = world.start_daemon()
    active.says("switch_up")
    for kill in range(8):
        standby = world.start_daemon(active=False)
        until(lambda: len(eyes.up("lead")) >= 3, 20, f"calls are up before kill {kill}")
        what, count = moments[kill % len(moments)] if kill < len(moments) else rng.choice(moments)
        enough = count() + rng.randint(1, 8)
        until(lambda count=count, enough=enough: count() >= enough, 20, f"{enough} {what} before kill {kill}")  # type: ignore[misc]
        print(f"kill {kill} at {enough} {what}: {len(eyes.ringing())} ring, {len(eyes.waiting())} wait, {len(eyes.talking())} talk")
        standby.says("standing by")
        active.kill()
        active = standby
        active.says("active: epoch", TAKE_OVER_S)
    before = world.closed()
    until(lambda: world.closed() >= before + 10, 30, "calls go on after the last kill")
    assert active.terminate() == 0
    check_everything(world)


def test_with_the_daemon_dead_a_parked_customer_reaches_the_fallback_within_30_seconds(abandoned: Abandoned) -> None:
    """Customers are safe without us (architecture.md, the shell)."""
    world, eyes = abandoned.world, abandoned.world.witness
    until(lambda: eyes.leg_of(abandoned.number).fell_back_at, FALLBACK_S + SLACK_S, "the fallback takes the customer")
    assert (eyes.leg_of(abandoned.number).fell_back_at or 0.0) - abandoned.killed_at <= FALLBACK_S + SLACK_S
    second = world.start_daemon()
    until(lambda: world.outcomes()[abandoned.number] == "connected", 15, "he is still there when the next daemon comes, and is served")
    assert second.terminate() == 0
    check_everything(world)

"""Two daemons on one database: one dials, one stands by; and the one that was thought dead comes back."""

from __future__ import annotations

import signal
from time import monotonic

from tests.scenarios.checks import check_everything
from tests.scenarios.world import World, numbers, person, until

TAKE_OVER_S = 5.0


def test_a_standby_dials_nothing_and_ends_at_once_on_sigterm(world: World) -> None:
    world.start_switch()
    world.define(agents=1)
    active = world.start_daemon()
    standby = world.start_daemon(active=False)
    standby.says("standing by")
    assert standby.terminate(5) == 0
    assert "esl_link_up" not in standby.log()
    assert active.terminate() == 0


def test_a_daemon_that_slept_through_a_take_over_touches_nothing_and_ends_with_1(world: World) -> None:
    """The frozen daemon's customer waits for an agent; when it wakes, its time for him is over, but he talks by then, to an agent the new daemon found."""
    (patient,) = numbers(1, 1)
    world.start_switch(numbers={patient: person(talk="5s")}, agents=[{"match": "user/*", "ring": "1s"}])
    world.define(agents=1, at_most_s=6)
    world.add_leads([patient])
    world.order_start(1)
    stale = world.start_daemon()
    standby = world.start_daemon(active=False)
    standby.says("standing by")
    until(lambda: world.witness.up("agent"), 15, "the agent's phone rings for the customer")
    stale.signal(signal.SIGSTOP)
    try:
        world.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%%leader'")
        standby.says("active: epoch 2", TAKE_OVER_S)
        until(world.witness.talking, 10, "the new daemon brings them together")
        answered_at = world.witness.leg_of(patient).answered_at or 0.0
        world.add_leads(numbers(2, 1))
        until(lambda: monotonic() > answered_at + 6.5, 10, "the old daemon's time for the customer is over")
    finally:
        stale.signal(signal.SIGCONT)
    assert stale.ended(10) == 1
    assert "another daemon has taken over" in stale.log()
    until(lambda: world.closed() == 2, 30, "the new daemon goes on")
    assert standby.terminate() == 0
    check_everything(world)
    talked_s = world.one("SELECT extract(epoch FROM ended_at - bridged_at)::float8 FROM all_attempts WHERE number = %s", patient)
    assert talked_s > 4, "the conversation was cut"
    assert world.one("SELECT count(*) FROM all_attempts WHERE epoch = 1") == 1

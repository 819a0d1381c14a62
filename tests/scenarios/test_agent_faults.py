"""What goes wrong with agents, over the socket: phones that fail or cross a hang-up, two phones of one agent, a screen that is gone, everybody leaving, a
dead switch with twenty on hold, a killed daemon in each mode. checks.py says what must hold after each."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.scenarios.checks import check_database, check_everything, check_missed, check_witness
from tests.scenarios.test_modes import GAPS, LONG_S, SETTINGS
from tests.scenarios.world import World, numbers, person, until

FAULTS = {
    "unreachable": {"outcome": "unreachable"},
    "unavailable": {"outcome": "unavailable", "refuse": "0.2s"},
    "rejects": {"outcome": "rejected", "refuse": "0.2s", "first_response": "0.1s"},
}
TWENTY = 20


# --- phones --------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S46")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("type", ["preview", "predictive"])
def test_a_call_goes_to_the_next_agent_when_a_phone_fails(world: World, type: str, fault: str) -> None:
    """Customer first: he waits on. Agent first: he is not dialled for the agent whose phone failed."""
    (number,) = numbers(1, 1)
    world.start_switch(numbers={number: person()}, agents=[{"match": "user/1001", **FAULTS[fault]}])
    world.define_type(type, agents=2, settings=SETTINGS[type])
    world.add_leads([number])
    world.order_start(2, screens=True)
    daemon = world.start_daemon()
    until(lambda: world.outcomes().get(number), LONG_S, "the call is over")
    assert daemon.terminate() == 0
    assert world.outcomes() == {number: "connected"}
    assert [leg.answered_at for leg in world.witness.legs("agent") if leg.agent == "agent-1"] == [None]
    (customer,) = world.witness.legs("lead")
    assert [leg.agent for leg in world.witness.legs("agent") if leg.uuid in customer.met] == ["agent-2"]
    assert world.rows("SELECT attempts FROM leads") == [(1,)]
    check_everything(world)


@pytest.mark.spec("D1", "D6")
def test_agents_who_answer_just_as_their_customers_hang_up_are_free_again(world: World) -> None:
    """Twenty customers lose patience at the moment, more or less, at which their agents pick up. Connected or an early hang-up, as the switch has it."""
    crowd = numbers(1, TWENTY)
    world.start_switch(
        numbers=dict.fromkeys(crowd, person(patience="uniform(0.7s, 0.9s)", talk="0.5s")),
        agents=[{"match": "user/*", "first_response": "0.05s", "ring": "uniform(0.6s, 0.8s)"}],
    )
    world.define_type("progressive", agents=4, settings=SETTINGS["progressive"])
    world.add_leads(crowd)
    world.order_start(4)
    daemon = world.start_daemon()
    until(lambda: len(world.outcomes()) == TWENTY and all(world.outcomes().values()), LONG_S, "all have been called")
    assert daemon.terminate() == 0
    met = {leg.number for leg in world.witness.legs("lead") if leg.met}
    assert world.outcomes() == {number: "connected" if number in met else "early_hangup" for number in crowd}
    assert world.missed() == []
    print(Counter(world.outcomes().values()))
    check_everything(world)


@pytest.mark.parametrize("ring", ["0s", "0.5s"])
def test_of_an_agents_two_phones_at_most_one_is_in_the_call(world: World, ring: str) -> None:
    """His user is registered twice and forks; both are answered at once. The leg that is not ours is hung up, and nobody meets two."""
    crowd = numbers(1, 6)
    world.start_switch(
        numbers=dict.fromkeys(crowd, person(talk="0.5s")),
        agents=[{"match": "user/*", "two_phones": "100%", "first_response": "0s", "ring": ring}],
    )
    world.define_type("progressive", agents=3, settings=SETTINGS["progressive"])
    world.add_leads(crowd)
    world.order_start(3)
    daemon = world.start_daemon()
    until(lambda: len(world.outcomes()) == len(crowd) and all(world.outcomes().values()), LONG_S, "all have been called")
    assert daemon.terminate() == 0
    met = {leg.number: leg.met for leg in world.witness.legs("lead") if leg.met}
    assert all(len(of_one) == 1 for of_one in met.values())
    assert {number for number, outcome in world.outcomes().items() if outcome == "connected"} == set(met)
    forked = [leg for leg in world.witness.legs("agent") if leg.uuid not in {uuid for of_one in met.values() for uuid in of_one}]
    assert forked and not [leg for leg in forked if leg.met]
    check_database(world)
    check_missed(world)
    until(lambda: world.channels() == 0, LONG_S, "no channel is left over")


@pytest.mark.spec("D6")
@pytest.mark.parametrize("type", ["preview", "callback"])
def test_customers_who_answer_as_their_agent_gives_up_are_never_bridged(world: World, type: str) -> None:
    """The agent hangs up as soon as he sees that a phone rings; some answers cross the cancel."""
    crowd, rounds = numbers(1, 8), 6
    world.start_switch(numbers=dict.fromkeys(crowd, person(first_response="0s", ring="uniform(0.05s, 0.3s)")), agents=[{"match": "user/*", "ring": "0.1s"}])
    world.define_type(type, agents=1, settings=SETTINGS[type].replace("time: 1s", "time: 10m"))
    world.add_leads(crowd)
    world.order_start(1, screens=True)
    daemon = world.start_daemon()
    eyes = world.witness
    for n in range(1, rounds + 1):
        if type == "preview":
            world.granted(1, "dial")
        until(lambda n=n: len(eyes.legs("lead")) >= n, LONG_S, "a phone rings")  # type: ignore[misc]
        world.say(1, "hang_up")
        until(lambda n=n: world.closed() >= n, LONG_S, "the call is over")  # type: ignore[misc]
    assert daemon.terminate() == 0
    print(Counter(outcome for (outcome,) in world.rows("SELECT outcome FROM all_attempts")))
    check_everything(world)


# --- agents who are gone --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S36")
def test_the_screen_of_an_agent_goes_away_in_a_preview_and_the_next_one_has_the_customer(world: World) -> None:
    """Nobody keeps his lease: the card goes back undialled."""
    (number,) = numbers(1, 1)
    world.start_switch(numbers={number: person()})
    world.define_type("preview", agents=2, settings=GAPS + "preview: {time: 10m}\nwrap_up: 1s\n")
    world.add_leads([number])
    world.order_start(2)
    daemon = world.start_daemon()
    world.granted(1, "open_screen", lease_s="4")
    until(lambda: world.agent_state(1) == "previewing", LONG_S, "the customer is on the first one's card")
    world.granted(2, "open_screen", lease_s="86400")
    until(lambda: world.agent_state(2) == "previewing", LONG_S, "then on the second one's")
    assert world.agent_state(1) == "idle"
    assert world.witness.legs() == []
    assert world.rows("SELECT attempts FROM leads") == [(0,)]
    world.granted(2, "dial")
    until(lambda: world.outcomes().get(number), LONG_S, "the call is over")
    assert daemon.terminate() == 0
    assert world.outcomes() == {number: "connected"}
    check_everything(world)


@pytest.mark.spec("S47", "S48", "D1")
def test_all_agents_leave_with_calls_ringing_and_whoever_answers_is_missed_once(world: World) -> None:
    crowd = numbers(1, 12)
    world.start_switch(numbers=dict.fromkeys(crowd, person(ring="7s")))
    settings = GAPS + "ring: 15s\npickup_rate: 40%\nagent_ring: 5s\nwaiting: {at_most: 6s, then: sorry.wav}\n"
    world.define_type("predictive", agents=3, nailed=3, settings=settings)
    world.add_leads(crowd)
    world.order_start(3)
    daemon = world.start_daemon()
    eyes = world.witness
    until(lambda: len(eyes.ringing()) >= 3, LONG_S, "phones ring")
    for agent in (1, 2, 3):
        assert world.order("agent_status", f"agent-{agent}", LONG_S, status="logged_out")[0]
    called = [leg.number for leg in eyes.legs("lead")]
    until(lambda: len(world.missed()) == len(called), LONG_S, "everybody called is missed")
    assert daemon.terminate() == 0
    assert world.outcomes() == dict.fromkeys(called, "missed")
    assert sorted(world.missed()) == sorted(called)
    assert [leg.heard[-1] for leg in eyes.legs("lead")] == ["sorry.wav"] * len(called)
    check_everything(world)


# --- the switch and the daemon ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D8")
@pytest.mark.parametrize("dies", [False, True], ids=["link", "switch"])
def test_a_switch_lost_with_twenty_customers_on_hold_ends_each_call_once(world: World, dies: bool) -> None:
    """A cut link leaves them on hold, and they are taken back; a dead switch has ended them, and they count as what they were: connected."""
    crowd = numbers(1, TWENTY)
    world.start_switch(numbers=dict.fromkeys(crowd, person(talk="10m")))
    world.define(agents=TWENTY, nailed=TWENTY // 2, cps=40)
    world.add_leads(crowd)
    world.order_start(TWENTY)
    daemon = world.start_daemon()
    eyes = world.witness
    until(lambda: len(eyes.talking()) == TWENTY, LONG_S, "twenty talk")
    for agent in range(1, TWENTY + 1):
        world.granted(agent, "hold")
    until(lambda: not eyes.talking(), LONG_S, "twenty are on hold")
    if dies:
        world.kill_switch()
        daemon.says("switch_lost", LONG_S)
        world.restart_switch()
    else:
        world.rig.ask_switch("api sim drop")
        until(lambda: daemon.log().count("switch_up ") == 2, LONG_S, "the link is back")
        for agent in range(1, TWENTY + 1):
            world.granted(agent, "resume")
        until(lambda: daemon.log().count("switch_up ") == 2 and len(world.rig.ask_switch("api show channels").splitlines()) > TWENTY, LONG_S, "they are up")
        for agent in range(1, TWENTY + 1):
            world.granted(agent, "hang_up")
    until(lambda: world.closed() == TWENTY, LONG_S, "every attempt is closed")
    assert world.outcomes() == dict.fromkeys(crowd, "connected")
    assert world.missed() == []
    assert daemon.terminate() == 0
    check_database(world)
    until(lambda: world.channels() == 0, LONG_S, "no channel is left over")


@pytest.mark.spec("D8", "X4")
@pytest.mark.parametrize("type", ["manual", "preview", "predictive", "callback"])
def test_a_daemon_killed_with_calls_up_is_followed_by_one_that_ends_them_once(world: World, type: str) -> None:
    """One talks, one rings, one agent's phone rings or his customer waits. (Progressive: test_kill_and_restart.py.)"""
    talks, rings, last = numbers(1, 3)
    world.start_switch(
        numbers={talks: person(talk="6s"), rings: person(ring="6s"), last: person()}, agents=[{"match": "user/1003", "first_response": "0s", "ring": "5s"}]
    )
    world.define_type(type, agents=3, nailed=1, settings=SETTINGS[type])
    world.add_leads([talks, rings, last])
    world.order_start(3, screens=True)
    first = world.start_daemon()
    if type == "manual":
        for agent in (1, 2, 3):
            world.granted(agent, "take", campaign="spring")
            world.granted(agent, "dial")
    eyes = world.witness
    until(eyes.talking, LONG_S, "somebody talks")
    first.kill()
    second = world.start_daemon()
    second.says("switch_up", LONG_S)
    for agent in (1, 2, 3):
        world.say(agent, "open_screen", lease_s="86400")
    if type != "manual":
        until(lambda: world.closed() >= 3 and "" not in world.outcomes().values(), LONG_S, "every lead has been called")
    until(lambda: world.one("SELECT count(*) FROM all_attempts WHERE closed_at IS NULL") == 0, LONG_S, "nothing is open")
    assert second.terminate() == 0
    assert world.outcomes()[talks] in ("connected", "unknown")
    assert set(world.outcomes().values()) <= {"connected", "unknown", "cancelled", "missed"}
    until(lambda: world.channels() == 0, LONG_S, "no channel is left over")
    check_database(world, gap_s=0.0)
    check_witness(world)
    check_missed(world)

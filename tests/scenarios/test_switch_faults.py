"""The switch and the link to it: not there, not letting us in, cut, dead."""

from __future__ import annotations

import socket
import uuid

import pytest

from tests.scenarios.checks import check_database, check_everything, check_witness
from tests.scenarios.world import World, numbers, person, until


def test_a_wrong_password_is_told_and_nothing_is_dialled(world: World) -> None:
    world.start_switch()
    world.define(agents=2)
    world.add_leads(numbers(1, 5))
    world.order_start(2)
    daemon = world.start_daemon(FS_DIALER_ESL_PASSWORD="wrong")
    daemon.says("refused the password: check that it is the one in the switch's event_socket.conf.xml")
    until(lambda: world.snapshot().get("switch_up") is False, 10, "status shows the switch as down")
    assert world.one("SELECT count(*) FROM all_attempts") == 0
    assert daemon.terminate() == 0
    assert "wrong" not in daemon.log()


def test_a_switch_that_is_down_at_start_is_waited_for(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    world.define(agents=3, nailed=1)
    world.add_leads(numbers(1, 6))
    world.order_start(3)
    daemon = world.start_daemon(FS_DIALER_ESL=f"127.0.0.1:{port}")
    daemon.says("is FreeSWITCH running, with mod_event_socket loaded?")
    world.start_switch(port=port)
    until(lambda: world.closed() == 6, 40, "every lead is called once the switch is there")
    assert daemon.terminate() == 0
    check_everything(world)


def test_calls_go_on_over_a_cut_link_and_are_matched_again(world: World) -> None:
    """One customer hangs up while nobody listens, one goes on, one is rung through the cut, one waits."""
    short, long, rings, waits = numbers(1, 4)
    world.start_switch(
        numbers={short: person(talk="2s"), long: person(talk="5s"), rings: person(ring="5s"), waits: person()},
        agents=[{"match": "user/1004", "ring": "4s"}],
    )
    world.define(agents=4, nailed=3)
    world.order_start(4)
    daemon = world.start_daemon()
    eyes = world.witness
    until(lambda: len(eyes.up("agent")) == 3, 60, "the nailed agents are up")
    world.add_leads([waits, short, long, rings])
    until(lambda: len(eyes.talking()) == 2 and eyes.waiting() and eyes.ringing(), 60, "two talk, one waits, one rings")
    world.rig.ask_switch("api sim drop")
    daemon.says("switch_lost")
    until(lambda: daemon.log().count("switch_up ") == 2, 10, "the link is back")
    until(lambda: world.closed() == 4, 30, "every call ends")
    assert set(world.outcomes().values()) == {"connected"}
    world.add_leads(numbers(5, 2))
    until(lambda: world.closed() == 6, 30, "dialling goes on")
    assert daemon.terminate() == 0
    check_database(world)
    until(lambda: world.channels() == 0, 5, "no channel is left over")
    counters = world.rig.counters()
    assert counters["lead_legs"] == 6


@pytest.mark.spec("D8")
def test_a_switch_that_dies_in_mid_call_closes_its_calls_and_frees_their_agents(world: World) -> None:
    """Who talked counts as connected, who rang as unknown (D8); after the restart the agents are called and dialled for again."""
    talking, ringing, later = numbers(1, 2), numbers(3, 2), numbers(5, 3)
    world.start_switch(numbers=dict.fromkeys(talking, person(talk="60s")) | dict.fromkeys(ringing, person(ring="11s")) | dict.fromkeys(later, person()))
    world.define(agents=4, nailed=2)
    world.order_start(4)
    daemon = world.start_daemon()
    until(lambda: len(world.witness.up("agent")) == 2, 60, "the nailed agents are up")
    world.add_leads([*talking, *ringing])
    until(lambda: len(world.witness.talking()) == len(world.witness.ringing()) == 2, 60, "two talk, two ring")
    world.kill_switch()
    daemon.says("switch_lost")
    world.restart_switch()
    until(lambda: world.closed() == 4, 20, "the attempts are closed")
    assert {world.outcomes()[number] for number in talking} == {"connected"}
    assert {world.outcomes()[number] for number in ringing} == {"unknown"}
    assert world.rows("SELECT DISTINCT status FROM leads WHERE number = ANY (%s)", ringing) == [("retry",)]
    world.add_leads(later)
    until(lambda: world.closed() == 7, 40, "the agents serve again")
    assert {world.outcomes()[number] for number in later} == {"connected"}
    assert daemon.terminate() == 0
    check_database(world)
    until(lambda: world.channels() == 0, 5, "no channel is left over")
    check_witness(world)


@pytest.mark.spec("D2", "D6")
def test_a_leg_with_our_variable_and_no_attempt_is_hung_up_and_a_strangers_is_left_alone(world: World) -> None:
    """D6; and D2: the stranger's leg takes one of our lines."""
    world.start_switch(customers={"outcomes": {"person": 1}, "patience": "never"})
    world.define(agents=1)
    daemon = world.start_daemon()
    until(lambda: world.snapshot().get("switch_up"), 10, "the link is up")
    ours, strangers = numbers(1, 2)
    assert world.rig.ask_switch(f"api originate sofia/gateway/trunk1/{strangers} &park()").startswith("+OK")
    until(lambda: world.snapshot().get("legs") == 1, 10, "it is counted")
    variables = f"{{fsd_role=lead,fsd_attempt={uuid.uuid4()}}}"
    assert world.rig.ask_switch(f"api originate {variables}sofia/gateway/trunk1/{ours} &park()") == "-ERR NORMAL_CLEARING\n"
    until(lambda: [leg.number for leg in world.witness.up()] == [strangers], 5, "only the stranger's is up")
    assert daemon.terminate() == 0
    assert [leg.number for leg in world.witness.up()] == [strangers]

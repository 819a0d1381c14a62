"""Each mode end to end: definitions, daemon and database as in production, the simulated switch over its socket, and people whose numbers say what they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from fs_dialer.core.resources import TriggerAction
from tests.db.rows import Database
from tests.scenarios.checks import check_everything
from tests.scenarios.witness import most_at_once
from tests.scenarios.world import World, numbers, person, until

LONG_S = 60.0
TALK_S = 0.6
DOES: Mapping[str, tuple[Mapping[str, Any], int]] = {
    "connected": (person(talk=f"{TALK_S}s"), 8),
    "busy": ({"outcome": "busy"}, 3),
    "no_answer": ({"outcome": "no_answer", "first_response": "0.1s", "ring_out": "0.4s", "early_media": "0%"}, 2),
    "rejected": ({"outcome": "rejected"}, 2),
    "bad_number": ({"outcome": "bad_number"}, 2),
    "unreachable": ({"outcome": "unavailable"}, 1),
    "network": ({"outcome": "503"}, 1),
}
"""Outcome → what people of that kind do, and how many there are."""

GAPS = "attempts: {max: 3, gap: 30m, busy: {gap: 30m}}\n"
SETTINGS = {
    "manual": "attempts: {max: 3}\nring: 12s\n",
    "preview": GAPS + "ring: 12s\npreview: {time: 1s}\nwrap_up: 0s\n",
    "progressive": GAPS + "ring: 12s\nwrap_up: 0s\nwaiting: {at_most: 30s}\nagent_ring: 10s\n",
    "predictive": GAPS + "ring: 12s\nwrap_up: 0s\nwaiting: {at_most: 30s}\nagent_ring: 10s\nmissed: {max: 10%}\n",
    "callback": GAPS + "ring: 12s\nwrap_up: 0s\nagent_ring: 10s\n",
}
AGENTS = 4


def a_town() -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """Numbers and what they do; numbers and the outcome of their call. In an order that mixes them."""
    everybody = [(outcome, does) for outcome, (does, count) in DOES.items() for _ in range(count)]
    mixed = [everybody[(n * 7) % len(everybody)] for n in range(len(everybody))]
    names = numbers(1, len(mixed))
    return dict(zip(names, (does for _, does in mixed), strict=True)), dict(zip(names, (outcome for outcome, _ in mixed), strict=True))


def told(expected: Mapping[str, str]) -> Counter[str]:
    return Counter(expected.values())


def take_all(world: World, count: int) -> None:
    """Manual: free agents take a customer each and dial him, until so many have been called."""
    while world.closed() + len(world.rows("SELECT id FROM all_attempts WHERE closed_at IS NULL")) < count:
        for agent in range(1, AGENTS + 1):
            if world.say(agent, "take", campaign="spring")[0]:
                world.granted(agent, "dial")


@pytest.mark.spec("S29", "S36", "S37", "S38", "S44", "S66")
@pytest.mark.parametrize("type", ["manual", "preview", "progressive", "predictive", "callback"])
def test_outcomes_are_exactly_what_the_people_did(world: World, type: str) -> None:
    """Number by number, then as counts; whoever answered met one agent, and who is rung first is as the type says."""
    does, expected = a_town()
    world.start_switch(numbers=does)
    world.define_type(type, agents=AGENTS, nailed=1, settings=SETTINGS[type])
    world.add_leads(list(expected))
    world.order_start(AGENTS, screens=True)
    daemon = world.start_daemon()
    if type == "manual":
        take_all(world, len(expected))
    until(lambda: len(world.outcomes()) == len(expected) and all(world.outcomes().values()), LONG_S, "every lead has been called")
    assert daemon.terminate() == 0
    assert world.outcomes() == expected
    assert Counter(world.outcomes().values()) == told(expected)
    eyes = world.witness
    agents = {leg.uuid: leg for leg in eyes.legs("agent")}
    for leg in eyes.legs("lead"):
        if leg.met and type in ("manual", "preview", "callback"):
            agent = agents[leg.met[0]]
            assert agent.answered_at is not None and agent.answered_at < leg.created_at, "the customer was dialled before his agent was there"
    if type == "progressive":
        assert most_at_once(eyes.legs("lead"), "hung_up_at") <= AGENTS
    check_everything(world, gap_s=0.0 if type == "manual" else 1800.0)


# --- manual ------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S29")
def test_a_manual_agent_calls_again_at_will_and_up_to_the_maximum(world: World) -> None:
    """S29: free of gap and break; S10 holds."""
    (busy,) = numbers(1, 1)
    world.start_switch(numbers={busy: {"outcome": "busy", "refuse": "0.1s"}})
    world.define_type("manual", agents=1, settings="attempts: {max: 2}\n")
    world.add_leads([busy])
    world.order_start(1, screens=True)
    daemon = world.start_daemon()
    lead = str(world.one("SELECT id FROM leads"))
    for call in (1, 2):
        world.granted(1, "take", campaign="spring", lead=lead)
        world.granted(1, "dial")
        until(lambda call=call: world.closed() == call, LONG_S, f"call {call} is over")  # type: ignore[misc]
    ok, why = until(lambda: refused_for_good(world, 1, lead=lead), LONG_S, "a third is refused") or (True, "")
    assert not ok and why
    assert world.rows("SELECT status, attempts FROM leads") == [("exhausted", 2)]
    assert daemon.terminate() == 0
    assert world.closed() == 2
    check_everything(world, gap_s=0.0)


@pytest.mark.spec("S30", "S31", "S32", "S33", "D16")
def test_past_his_quota_a_manual_agent_gets_no_more_customers(world: World) -> None:
    """One number for all, another for agent-2, and agent-3's own beside his name, which is the stricter one."""
    world.start_switch(customers={"outcomes": {"busy": 1}, "refuse": "0.1s"})
    world.define_type("manual", agents=3, settings="attempts: {max: 3}\nquota: {each: 2/day, except: {agent-2: 3/day}}\n")
    agents = world.folder / "definitions" / "agents.yml"
    agents.write_text(agents.read_text().replace("dial: user/1003,", "dial: user/1003, quota: 1/day,"))
    world.apply_again()
    world.add_leads(numbers(1, 20))
    world.order_start(3, screens=True)
    daemon = world.start_daemon()
    taken: Counter[int] = Counter()
    for agent, quota in ((1, 2), (2, 3), (3, 1)):
        for _ in range(quota):
            world.granted(agent, "take", campaign="spring")
            taken[agent] += 1
            world.granted(agent, "dial")
        ok, why = until(lambda agent=agent: refused_for_good(world, agent), LONG_S, f"agent-{agent} is refused")  # type: ignore[misc]
        assert (ok, why) == (False, "the agent's customers of the day are used up")
    assert taken == {1: 2, 2: 3, 3: 1}
    assert daemon.terminate() == 0
    assert len(world.witness.legs("lead")) == 6
    check_everything(world, gap_s=0.0)


def refused_for_good(world: World, agent: int, **lead: str) -> tuple[bool, str] | None:
    """The answer to a take, when it is neither that he has a call nor that he rests."""
    ok, why = world.say(agent, "take", campaign="spring", **lead)
    return None if why in ("you have a call", "end your wrap-up first") else (ok, why)


# --- preview -------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S36", "M5", "D17")
def test_a_preview_runs_out_or_is_cut_short_and_the_agent_is_rung_first(world: World) -> None:
    """The first customer is shown for 3 s, then dialled by itself; of the second the agent says at once that he is ready."""
    first, second = numbers(1, 2)
    world.start_switch(numbers={first: person(), second: person()})
    world.define_type("preview", agents=1, settings=GAPS + "preview: {time: 3s}\nwrap_up: 1s\n")
    world.add_leads([first, second])
    world.order_start(1, screens=True)
    daemon = world.start_daemon()
    until(lambda: world.agent_state(1) == "previewing", LONG_S, "the first is on his card")
    assert world.witness.legs() == [], "somebody is called while the card is read"
    until(lambda: world.outcomes().get(first), LONG_S, "the first call is over")
    world.granted(1, "dial")
    until(lambda: world.outcomes().get(second), LONG_S, "the second call is over")
    assert world.outcomes() == {first: "connected", second: "connected"}
    assert daemon.terminate() == 0
    check_everything(world)


@pytest.mark.spec("S36", "S37")
def test_a_skipped_customer_comes_again_behind_the_others_and_skipping_has_its_limit(world: World) -> None:
    skipped, other, last = numbers(1, 3)
    world.start_switch(numbers=dict.fromkeys((skipped, other, last), person(talk="0.5s")))
    world.define_type("preview", agents=1, settings=GAPS + "preview: {time: 10m, skip: {allowed: 1/hour, reason: required}}\nwrap_up: 0s\n")
    world.add_leads([skipped, other, last])
    world.order_start(1, screens=True)
    daemon = world.start_daemon()
    until(lambda: world.agent_state(1) == "previewing", LONG_S, "he has a card")
    assert world.say(1, "skip") == (False, "say why you skip: this campaign wants a reason")
    assert world.say(1, "skip", reason="on holiday")[0]
    world.granted(1, "dial")
    until(lambda: world.outcomes().get(other), LONG_S, "the next one is called")
    until(lambda: world.agent_state(1) == "previewing", LONG_S, "he has a card again")
    assert world.say(1, "skip", reason="no time") == (False, "this campaign lets you skip 1 an hour")
    assert world.rows("SELECT held_by, attempts, ready_at > now() + interval '5 minutes' FROM leads WHERE number = %s", skipped) == [("skipped", 0, True)]
    world.granted(1, "dial")
    until(lambda: world.outcomes().get(last), LONG_S, "the last one is called")
    assert daemon.terminate() == 0
    assert skipped not in world.outcomes()
    check_everything(world)


# --- predictive ------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S44", "S45", "S46")
@pytest.mark.parametrize("type", ["progressive", "predictive"])
def test_an_agent_who_does_not_answer_is_followed_by_the_next_and_his_leg_is_cancelled(world: World, type: str) -> None:
    """S46, with 6 s in place of 30: A's phone rings alone, then B's; the customer hears music all the while."""
    (number,) = numbers(1, 1)
    world.start_switch(numbers={number: person(talk="1s")}, agents=[{"match": "user/1001", "outcome": "no_answer"}])
    world.define_type(type, agents=2, settings=GAPS + "agent_ring: 6s\nwaiting: {at_most: 40s}\n")
    world.add_leads([number])
    world.order_start(2)
    daemon = world.start_daemon()
    until(lambda: world.outcomes().get(number), LONG_S, "the call is over")
    assert world.outcomes() == {number: "connected"}
    assert daemon.terminate() == 0
    eyes = world.witness
    (customer,) = eyes.legs("lead")
    a, b = ([leg for leg in eyes.legs("agent") if leg.agent == name] for name in ("agent-1", "agent-2"))
    assert [leg.uuid for leg in b] == list(customer.met)
    assert len(a) == 1 and a[0].answered_at is None and a[0].cause == "ORIGINATOR_CANCEL" and not a[0].up
    assert 5.0 <= b[0].created_at - a[0].created_at <= 6.0 + 5.0
    check_everything(world)


@pytest.mark.spec("S47", "S48", "D1")
def test_a_customer_whom_no_agent_takes_in_time_hears_the_notice_and_is_missed_once(world: World) -> None:
    (number,) = numbers(1, 1)
    world.start_switch(numbers={number: person()}, agents=[{"match": "user/*", "outcome": "no_answer"}])
    world.define_type("predictive", agents=2, settings=GAPS + "agent_ring: 5s\nwaiting: {at_most: 7s, then: sorry.wav}\n")
    world.add_leads([number])
    world.order_start(2)
    daemon = world.start_daemon()
    until(lambda: world.outcomes().get(number), LONG_S, "he is let go")
    until(lambda: [view["missed"] for view in world.snapshot()["campaigns"]] == [1], LONG_S, "status counts him")
    assert daemon.terminate() == 0
    assert world.outcomes() == {number: "missed"}
    assert world.missed() == [number]
    (customer,) = world.witness.legs("lead")
    assert (customer.destroyed_at or 0.0) - (customer.answered_at or 0.0) >= 7.0
    assert customer.heard[-1] == "sorry.wav"
    assert {leg.cause for leg in world.witness.legs("agent")} == {"ORIGINATOR_CANCEL"}
    check_everything(world)


@pytest.mark.spec("S48", "D1")
def test_a_customer_who_hangs_up_while_he_waits_is_no_missed_call(world: World) -> None:
    (number,) = numbers(1, 1)
    world.start_switch(numbers={number: person(patience="1.5s")}, agents=[{"match": "user/*", "outcome": "no_answer"}])
    world.define_type("predictive", agents=1, settings=GAPS + "agent_ring: 10s\nwaiting: {at_most: 30s}\n")
    world.add_leads([number])
    world.order_start(1)
    daemon = world.start_daemon()
    until(lambda: world.outcomes().get(number), LONG_S, "he has hung up")
    assert daemon.terminate() == 0
    assert world.outcomes() == {number: "early_hangup"}
    assert world.missed() == []
    check_everything(world)


@pytest.mark.spec("S41", "D2")
def test_predictive_never_passes_the_lines(world: World) -> None:
    """S41: 8 lines are 8 legs, agents' included. (How far it dials ahead: tests/core/test_mode_stories.py.)"""
    crowd = {"outcomes": {"person": 1, "no_answer": 1}, "ring": "2s", "ring_out": "2s", "talk": "2s", "patience": "never", "first_response": "0.1s"}
    world.start_switch(customers=crowd)
    settings = GAPS + "pickup_rate: 50%\nmissed: {max: 50%}\nwrap_up: 0s\nwaiting: {at_most: 20s}\nagent_ring: 10s\n"
    world.define_type("predictive", agents=4, nailed=4, settings=settings, lines=8)
    world.add_leads(numbers(1, 400))
    world.order_start(4)
    daemon = world.start_daemon()
    eyes = world.witness
    until(lambda: world.closed() > 20, LONG_S, "it goes on for a while")
    assert daemon.terminate() == 0
    assert most_at_once(eyes.legs()) <= 8
    check_everything(world)


# --- callback --------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S66", "S88", "S89")
def test_callbacks_are_made_in_the_order_in_which_they_were_asked_for(world: World) -> None:
    """FIFO, agent first, as long as there are customers and an agent with his screen open; it does not end when the list is through."""
    asked = numbers(1, 5)
    world.start_switch(numbers=dict.fromkeys(asked, person(talk="0.4s")))
    world.define_type("callback", agents=1, settings=SETTINGS["callback"])
    world.add_leads(asked)
    with world.office() as office:
        office.submit_command("approve", "spring", {}, "test")
        office.submit_command("agent_status", "agent-1", {"status": "available"}, "test")
    daemon = world.start_daemon()
    until(lambda: world.one("SELECT state FROM campaigns") == "running", LONG_S, "approval starts it")
    assert world.witness.legs() == [], "his screen is closed: he gets no callback"
    assert world.say(1, "open_screen", lease_s="86400")[0]
    until(lambda: world.closed() == 5, LONG_S, "all are called back")
    world.add_leads(numbers(6, 1))
    until(lambda: world.closed() == 6, LONG_S, "so is who asks later")
    assert [leg.number for leg in sorted(world.witness.legs("lead"), key=lambda leg: leg.created_at)] == numbers(1, 6)
    assert world.one("SELECT state FROM campaigns") == "running"
    assert daemon.terminate() == 0
    check_everything(world)


@pytest.mark.spec("S65", "S67", "S70", "S89", "S90", "D12")
def test_callers_who_asked_for_it_are_called_back_once_each_in_their_order(world: World) -> None:
    """Tickets of the channel callback, a trigger, and the campaign that its approval starts; who asks again after his callback comes again, at the end."""
    first, second = numbers(22, 1)[0], numbers(11, 1)[0]
    world.start_switch(numbers=dict.fromkeys((first, second), person(talk="0.4s")))
    world.define_type("callback", agents=1, settings=SETTINGS["callback"])
    database = Database(world.dsn)
    database.trigger("call-back", "ticket_created", TriggerAction(add_to="spring"), channel="callback")

    def asks(number: str) -> None:
        ticket = database.ticket(number, queue="support")
        database.happening(ticket=ticket, channel="callback", number=number, queue="support")

    with world.office() as office:
        office.submit_command("approve", "spring", {}, "test")
        office.submit_command("agent_status", "agent-1", {"status": "available"}, "test")
    daemon = world.start_daemon()
    for number in (first, second, first):
        asks(number)
    until(lambda: database.one("SELECT count(*) FROM tickets WHERE lead IS NOT NULL") == 3, LONG_S, "all requests are leads")
    assert [number for (number,) in world.rows("SELECT number FROM leads ORDER BY position")] == [first, second]
    assert world.say(1, "open_screen", lease_s="86400")[0]
    until(lambda: world.closed() == 2, LONG_S, "both are called back")
    asks(first)
    until(lambda: world.closed() == 3, LONG_S, "and who asks again")
    calls = sorted(world.witness.legs("lead"), key=lambda leg: leg.created_at)
    assert [leg.number for leg in calls] == [first, second, first]
    agents = {leg.uuid: leg for leg in world.witness.legs("agent")}
    assert all((agents[leg.met[0]].answered_at or float("inf")) < leg.created_at for leg in calls)
    assert daemon.terminate() == 0
    check_everything(world, gap_s=0.0)

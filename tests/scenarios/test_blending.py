"""Callbacks, queued callers and campaigns that share agents, on the wire: our dialplan in a simulated switch, a daemon over its socket, PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest

from fs_dialer.core.model import CampaignId
from fs_dialer.db.shapes import LeadRow
from fs_dialer.sim.leg import ANSWERED
from fs_dialer.sim.people import Behaviour
from tests.scenarios.town import Town, until
from tests.scenarios.world import World, numbers

QUEUE = """
max_wait: 120s
music: tone_stream://%(1000,0,440)
callback: {key: "1", after: 1s}
wrap_up: {time: 0s}
"""
TRIGGER = "triggers:\n  call-back: {on: ticket_created, when: {channel: callback}, then: [{add_to: back}]}\n"
BACK = "type: callback\nfrom_queue: support\ncaller_id: +34910000000\nagents: {people: [agent-1]}\nattempts: {max: 3, gap: 30m}\nring: 12s\nwrap_up: 0s\n"
AHEAD = (
    "type: predictive\ncaller_id: +34910000000\nagents: {people: [agent-1]}\nattempts: {max: 3, gap: 30m}\nring: 12s\nwrap_up: 0s\n"
    "waiting: {at_most: 60s}\nleads: {new_rows: join}\nmissed: {max: 10%}\n"
)
ANA, BEA, CARLA = "+34600000002", "+34600000003", "+34600000004"
AFTER_S = 1.2  # a little more than the least wait before the key
STAYS_AWAY_S = 2.5  # longer than the daemon takes for anything that it is going to do
BRIEF = Behaviour(after_s=0.3, talk_s=1.0)  # picks up and talks a second
pytestmark = pytest.mark.spec("S83", "S86", "S88")


@pytest.fixture
def make(world: World) -> Iterator[list[Town]]:
    made: list[Town] = []
    yield made
    for each in made:
        each.close()


def a_town(world: World, made: list[Town], *, nailed: bool = True, **campaigns: str) -> Town:
    here = Town(world, QUEUE, nailed=nailed, more=TRIGGER, campaigns={"back": BACK} | campaigns)
    made.append(here)
    for number in (ANA, BEA, CARLA):
        here.people._script[number] = [BRIEF]
    with world.office() as office:
        office.submit_command("approve", "back", {}, "test")
    return here


def screen(here: Town, word: str = "open_screen") -> None:
    ok, text = here.world.say(1, word, **({"lease_s": "86400"} if word == "open_screen" else {}))
    assert ok, text


def available(here: Town, status: str = "available") -> None:
    ok, text = here.world.order("agent_status", "agent-1", status=status)
    assert ok, text


def ask_for_callbacks(here: Town, *whom: str) -> None:
    """They come, wait the least wait behind somebody who talks, and press one after the other."""
    busy = here.calls("+34600000099")
    until(lambda: here.counts(talking=1), "the agent talks")
    legs = {number: here.calls(number) for number in sorted(whom)}
    until(lambda: here.counts(waiting=len(legs)), "they wait")
    gevent.sleep(AFTER_S)
    for number in whom:
        here.press(legs[number])
        gevent.sleep(0.1)
    until(lambda: all(here.callers().get(leg) == "callback" for leg in legs.values()), "they are to be called back")
    until(lambda: set(whom) <= set(leads(here)), "triggers have made leads of them")
    here.hang_up(busy)
    until(lambda: here.counts(talking=0, waiting=0), "nobody is there any more")


def leads(here: Town) -> dict[str, str]:
    """By number, those of the callback campaign."""
    return dict(here.world.rows("SELECT number, status FROM leads WHERE campaign = 'back'"))


def called(here: Town) -> list[str]:
    """Numbers in the order in which they were called."""
    return [number for (number,) in here.world.rows("SELECT number FROM all_attempts ORDER BY opened_at")]


def open_tickets(here: Town) -> list[str]:
    return [number for (number,) in here.world.rows("SELECT number FROM tickets WHERE closed_at IS NULL AND queue <> '' ORDER BY id")]


@pytest.mark.spec("S84", "S85")
def test_a_closed_screen_takes_callers_alone_and_who_is_not_available_takes_nobody(world: World, make: list[Town]) -> None:
    here = a_town(world, make)
    world.start_daemon()
    until(lambda: here.counts(idle=1), "the agent is there")
    ask_for_callbacks(here, ANA)
    one = here.calls("+34600000011", Behaviour(after_s=0.0, talk_s=0.5))
    until(lambda: here.callers().get(one) == "served", "with his screen closed he takes callers")
    gevent.sleep(STAYS_AWAY_S)
    assert called(here) == [] and leads(here) == {ANA: "new"}
    available(here, "not_available")
    screen(here)
    two = here.calls("+34600000012", Behaviour(after_s=0.0, talk_s=0.5))
    until(lambda: here.counts(waiting=1), "another caller waits")
    gevent.sleep(STAYS_AWAY_S)
    assert called(here) == [] and here.leg(two) is not None and here.counts(waiting=1)
    available(here)
    until(lambda: leads(here) == {ANA: "succeeded"}, "available and with his screen open he calls back")
    until(lambda: here.callers().get(two) == "served", "and serves callers")


def test_a_callback_comes_before_a_caller_and_a_caller_before_a_campaign(world: World, make: list[Town]) -> None:
    """All three wait for the only agent; each of them gets him once, in this order, and nobody is missed."""
    here = a_town(world, make, ahead=AHEAD)
    (lead,) = numbers(1, 1)
    here.people._script[lead.removeprefix("+")] = here.people._script[lead] = [BRIEF]
    with world.office() as office:
        office.import_leads(CampaignId("ahead"), [LeadRow(lead, ("America/New_York",))], "test")
        office.submit_command("approve", "ahead", {}, "test")
    world.start_daemon()
    until(lambda: here.counts(idle=1), "the agent is there")
    ask_for_callbacks(here, ANA)
    available(here, "not_available")
    screen(here)
    assert world.order("start", "ahead")[0]
    caller = here.calls(BEA, Behaviour(after_s=0.0, talk_s=1.0))
    until(lambda: here.counts(waiting=1), "a caller waits")
    assert called(here) == []
    available(here)
    until(lambda: here.world.one("SELECT count(*) FROM attempts WHERE outcome = 'connected'") == 2, "both are called", 60.0)
    until(lambda: here.callers().get(caller) == "served", "the caller is served")
    times = dict(world.rows("SELECT campaign, bridged_at FROM attempts"))
    (served_at,) = world.rows("SELECT served_at FROM callers WHERE id = %s", caller)[0]
    assert times["back"] < served_at < times["ahead"]
    assert world.missed() == []


@pytest.mark.spec("S89", "S90", "D12")
def test_callbacks_are_made_in_the_order_of_the_keys_and_one_for_each_customer(world: World, make: list[Town]) -> None:
    """Whoever came first and pressed last comes last; who calls again and presses again is one lead with two tickets, and keeps his first place."""
    here = a_town(world, make)
    world.start_daemon()
    until(lambda: here.counts(idle=1), "the agent is there")
    ask_for_callbacks(here, CARLA, ANA, BEA)
    ask_for_callbacks(here, CARLA)
    until(lambda: world.one("SELECT count(*) FROM tickets WHERE lead IS NOT NULL") == 4, "each ticket has its lead")
    assert world.one("SELECT count(*) FROM leads") == 3
    screen(here)
    until(lambda: set(leads(here).values()) == {"succeeded"}, "all are called back", 40.0)
    assert called(here) == [CARLA, ANA, BEA]
    until(lambda: open_tickets(here) == [], "nothing is left to do")
    assert set(world.rows("SELECT number, closed_how FROM tickets")) == {(CARLA, "called_back"), (ANA, "called_back"), (BEA, "called_back")}


@pytest.mark.spec("D12")
def test_who_is_served_otherwise_while_his_callback_waits_is_not_called(world: World, make: list[Town]) -> None:
    here = a_town(world, make)
    world.start_daemon()
    until(lambda: here.counts(idle=1), "the agent is there")
    ask_for_callbacks(here, ANA, BEA)
    again = here.calls(ANA, Behaviour(after_s=0.0, talk_s=0.5))
    until(lambda: here.callers().get(again) == "served", "she calls again and is served")
    until(lambda: leads(here) == {ANA: "stopped", BEA: "new"}, "her callback is not wanted any more")
    assert open_tickets(here) == [BEA]
    screen(here)
    until(lambda: leads(here)[BEA] == "succeeded", "the other one is called back")
    gevent.sleep(STAYS_AWAY_S)
    assert called(here) == [BEA]


@pytest.mark.spec("S66")
def test_the_customer_is_dialled_when_the_agent_has_answered(world: World, make: list[Town]) -> None:
    here = a_town(world, make, nailed=False)
    world.start_daemon()
    until(lambda: here.counts(idle=1), "the agent is there")
    ask_for_callbacks(here, ANA)
    here.people._script["1001"] = [Behaviour(after_s=1.0)]
    screen(here)

    def phones() -> dict[str, int]:
        return {leg.variables.get("fsd_agent", "") or "customer": leg.phase for leg in here.switch.legs.values()}

    seen: list[dict[str, int]] = []

    def dialled() -> bool:
        seen.append(phones())
        return "customer" in seen[-1]

    until(dialled, "the customer's phone is called")
    assert seen[-1]["agent-1"] == ANSWERED and any(one.get("agent-1", ANSWERED) < ANSWERED for one in seen)
    until(lambda: leads(here) == {ANA: "succeeded"}, "they talk")


@pytest.mark.spec("D8", "S89")
def test_a_request_that_is_too_old_is_not_called_any_more(world: World, make: list[Town]) -> None:
    here = a_town(world, make)
    first = world.start_daemon()
    until(lambda: here.counts(idle=1), "the agent is there")
    ask_for_callbacks(here, ANA, BEA)
    first.kill()
    world.rows("UPDATE tickets SET expires_at = now() - interval '1 s' WHERE number = %s", ANA)
    world.start_daemon()
    until(lambda: leads(here) == {ANA: "stopped", BEA: "new"}, "her time is over", 40.0)
    assert world.one("SELECT closed_how FROM tickets WHERE number = %s", ANA) == "expired"
    until(lambda: here.counts(idle=1), "the agent is there again", 40.0)
    screen(here)
    until(lambda: leads(here)[BEA] == "succeeded", "the other one is called back")
    assert called(here) == [BEA]

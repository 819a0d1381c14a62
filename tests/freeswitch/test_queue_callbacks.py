"""Callers of a queue on a real switch with a daemon: served, called back, let go; by their own telephones, to the tickets and the callback campaign's calls.

The queue is put into the switch by `switch install`. Callers come by its number; who is called back is a customer of the trunk (number_plan.py).
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from fs_dialer.db.backoffice import Backoffice
from fs_dialer.esl.wire import Event
from tests.freeswitch import number_plan as plan
from tests.freeswitch.callers import Sipps, Step
from tests.freeswitch.number_plan import Kind
from tests.freeswitch.plugged import asked, plugged_in
from tests.freeswitch.told import Told
from tests.freeswitch.watch import Address
from tests.freeswitch.world import POLL_S, Daemon, World, write_definitions

pytestmark = pytest.mark.spec("S71", "S72", "S76")

SUPPORT = "+15550002001"
NOTICE, EARLY, WRONG, PLACE = (f"tone_stream://%({length},50,{tone})" for length, tone in ((600, 800), (250, 700), (250, 300), (200, 900)))
AFTER_S, RELEASE_S, FALLBACK_S = 3.0, 3, 28.0
QUEUE = f"""
max_wait: 1m
announce: {{every: 10s, position: "{PLACE}"}}
callback: {{key: "1", after: {AFTER_S:g}s, say: "{NOTICE}", too_early: "{EARLY}", wrong: "{WRONG}"}}
ticket_for_missed: yes
wrap_up: 1s
"""
HOTLINE = "from_queue: support\nattempts: {max: 2, gap: 4h}\nagent_ring: 10s\nwrap_up: 1s\n"
TRIGGER = "triggers:\n  callback-wanted: {on: ticket_created, when: {channel: callback}, then: [{add_to: hotline}]}\n"
CUSTOMERS = Kind(plan.RINGS_AND_ANSWERS, 20)  # he talks for two seconds when he is called back
STAYS: Step = ("wait", 150.0)


def customer(n: int) -> str:
    return CUSTOMERS.numbers(1, first=n)[0]


class Hotline:
    """The queue `support` and the callback campaign `hotline` of one database, and what the switch tells."""

    def __init__(self, world: World, told: Told, sipps: Sipps, names: list[str]) -> None:
        self.world, self.told, self.sipps, self.names = world, told, sipps, names

    # --- callers ------------------------------------------------------------------------------------------------------------------------

    def calls(self, number: str, *steps: Step, display: str = "Ann", to: str = SUPPORT) -> str:
        """His leg, when he is in the queue."""
        before = self.told.count(_entered)
        self.sipps.caller(to, *steps, number=number, display=display)
        self.told.until(lambda: self.told.count(_entered) > before, f"a caller of {to} is in the queue")
        return [event.headers["Unique-ID"] for _, event in self.told.events if _entered(event)][-1]

    def when(self, leg: str, matches: Callable[[Event], bool], what: str, timeout_s: float = 30.0) -> float:
        return self.told.first(lambda e: e.headers.get("Unique-ID") == leg and matches(e), what, timeout_s)[0]

    def hears(self, leg: str, sound: str, timeout_s: float = 30.0) -> float:
        return self.when(leg, lambda e: e.name == "PLAYBACK_START" and sound in e.headers.get("Playback-File-Path", ""), f"he hears {sound}", timeout_s)

    def heard(self, leg: str) -> list[str]:
        return [e.headers.get("Playback-File-Path", "") for _, e in self.told.of(leg) if e.name == "PLAYBACK_START"]

    def talks(self, leg: str) -> float:
        """Until an agent is on his line."""
        found = self.told.first(
            lambda e: e.name == "CHANNEL_BRIDGE" and leg in (e.headers.get("Bridge-A-Unique-ID"), e.headers.get("Bridge-B-Unique-ID")), "he talks", 40.0
        )
        return found[0]

    # --- agents, and what the database has ----------------------------------------------------------------------------------------------

    def work(self, *agents: str, screen: bool = True) -> None:
        """They take callers; with an open screen callbacks, too."""
        with closing(Backoffice(self.world.dsn)) as office:
            for agent in agents or self.names:
                office.submit_command("agent_status", agent, {"status": "available"}, "test")
                if screen:
                    office.submit_command("agent", agent, {"verb": "open_screen", "lease_s": "86400"}, "test")

    def daemon(self) -> Daemon:
        daemon = self.world.start_daemon()
        daemon.says("switch_up")
        return daemon

    def became(self, leg: str, why: str, timeout_s: float = 30.0) -> None:
        self.world.until(f"SELECT coalesce((SELECT why FROM callers WHERE id = '{leg}'), 'unknown')", why, f"{leg} is {why}", timeout_s)

    def tickets(self, channel: str) -> list[str]:
        return [number for (number,) in self.world.rows("SELECT number FROM tickets WHERE channel = %s AND queue = 'support' ORDER BY id", channel)]

    def leads(self) -> dict[str, str]:
        return dict(self.world.rows("SELECT number, status::text FROM leads WHERE campaign = 'hotline'"))

    def settled(self) -> None:
        """The switch keeps nothing any more."""
        self.told.until(lambda: self.told.rows() == {}, "all rows are settled", 30.0)

    def is_called_back(self, number: str) -> None:
        """By an agent whose leg was up before his own was made; they talked."""
        watch = self.world.watch

        def legs() -> list[str]:
            return [leg.uuid for leg in watch.leads() if leg.number == number and leg.bridged_to]

        watch.until(lambda: bool(legs()), f"{number} is called back and talks", 40.0)
        (lead,) = [leg for leg in watch.leads() if leg.number == number]
        agent = watch.legs[lead.bridged_to[0]]
        answered, made = agent.at("CHANNEL_ANSWER"), lead.at("CHANNEL_CREATE")
        assert answered is not None and made is not None and answered < made, "the agent comes first"
        self.world.until(f"SELECT status::text FROM leads WHERE number = '{number}'", "succeeded", "the lead is done")


def _entered(event: Event) -> bool:
    return event.headers.get("Fsd-What") == "enter"


@pytest.fixture
def open_hotline(world: World, address: Address, tmp_path: Path) -> Iterator[Callable[..., Hotline]]:
    with ExitStack() as stack:
        told = stack.enter_context(closing(Told(address)))

        def build(queue: str = QUEUE, agents: dict[str, str] | None = None) -> Hotline:
            people = {"ready-0": "per_call"} if agents is None else agents
            names = ", ".join(people)
            campaign = {"hotline": HOTLINE + f"agents: {{people: [{names}]}}\n"}
            place = write_definitions(world.folder, people, campaign, type="callback", lines=600, cps=100)
            lines = [f'numbers: ["{SUPPORT}"]', f"agents: {{people: [{names}], ring: 8s}}", *queue.strip().splitlines()]
            (place / "queues.yml").write_text("queues:\n  support:\n" + "".join(f"    {line}\n" for line in lines), encoding="utf-8")
            (place / "triggers.yml").write_text(TRIGGER, encoding="utf-8")
            world.command("apply", str(place))
            stack.enter_context(plugged_in(world, told, "--release-after", f"{RELEASE_S}s"))
            stack.callback(_all_leave, told)
            with closing(Backoffice(world.dsn)) as office:
                office.submit_command("approve", "hotline", {}, "test")
            return Hotline(world, told, stack.enter_context(closing(Sipps(tmp_path))), list(people))

        yield build


def _all_leave(told: Told) -> None:
    told.api("hupall NORMAL_CLEARING fsd_queue support")
    deadline = time.monotonic() + 20.0
    while "support" in told.api("show channels") and time.monotonic() < deadline:
        time.sleep(POLL_S)


# --- the key ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S77", "S81", "S86", "D12")
@pytest.mark.parametrize("how", ["key", "info"])
def test_the_key_after_the_minimum_wait_leads_to_a_callback_agent_first(open_hotline: Callable[..., Hotline], how: str) -> None:
    """As RFC 2833 and as SIP INFO: he hears the notice, is released by us, becomes one lead, and is called back as soon as an agent is there."""
    here = open_hotline()
    here.daemon()
    leg = here.calls(customer(1), ("wait", AFTER_S + 2.0), (how, "1"), STAYS)  # type: ignore[arg-type]
    pressed = here.when(leg, lambda e: e.headers.get("Fsd-What") == "key", "the switch tells the key")
    noticed = here.hears(leg, NOTICE)
    ended = here.told.ended(leg)
    assert ended.headers["variable_sip_hangup_disposition"] == "send_bye"
    over = here.told.first(lambda e: e.name == "CHANNEL_HANGUP_COMPLETE" and e.headers.get("Unique-ID") == leg, "over")[0]
    print(f"key to notice {noticed - pressed:.2f} s, key to release {over - pressed:.2f} s")
    assert noticed - pressed < 1.0 and 0.5 < over - noticed < 3.0
    here.became(leg, "callback")
    assert here.tickets("callback") == [customer(1)]
    here.world.until("SELECT count(*) FROM leads WHERE campaign = 'hotline'", 1, "the trigger has made one lead")
    here.settled()
    here.work()
    here.is_called_back(customer(1))
    assert here.world.one("SELECT closed_how FROM tickets WHERE channel = 'callback'") == "called_back"


@pytest.mark.spec("S73", "S74", "S84")
def test_too_early_and_the_wrong_key_keep_their_places_and_are_served_in_order(open_hotline: Callable[..., Hotline]) -> None:
    here = open_hotline()
    here.daemon()
    early = here.calls(customer(2), ("wait", 0.8), ("key", "1"), ("wait", 25.0), ("hang_up", ""))
    wrong = here.calls(customer(3), ("wait", AFTER_S + 1.0), ("info", "7"), ("wait", 30.0), ("hang_up", ""))
    here.hears(early, EARLY)
    here.hears(wrong, WRONG)
    here.hears(early, PLACE)
    here.hears(early, "digits/1.wav")
    here.hears(wrong, "digits/2.wav")
    here.world.until("SELECT count(*) FROM callers", 0, "both wait")
    here.work()
    assert here.talks(early) < here.talks(wrong)
    here.became(early, "served", 40.0)
    here.became(wrong, "served", 40.0)
    assert here.tickets("callback") == [] == here.tickets("missed") and here.leads() == {}
    here.settled()


@pytest.mark.spec("D12", "S77")
def test_two_calls_of_one_number_are_one_lead_and_one_callback(open_hotline: Callable[..., Hotline]) -> None:
    here = open_hotline()
    here.daemon()
    for _ in range(2):
        leg = here.calls(customer(4), ("wait", AFTER_S + 1.0), ("key", "1"), ("wait", 0.3), ("key", "1"), STAYS)
        here.became(leg, "callback")
    here.world.until("SELECT count(*) FROM leads WHERE campaign = 'hotline'", 1, "one lead")
    here.work()
    here.is_called_back(customer(4))
    time.sleep(3.0)
    assert here.world.one("SELECT count(*) FROM all_attempts") == 1 and len(here.leads()) == 1
    assert here.world.one("SELECT count(*) FROM tickets WHERE closed_at IS NULL") == 0
    here.settled()


@pytest.mark.spec("D7")
def test_a_hostile_telephone_is_withheld_and_served(open_hotline: Callable[..., Hotline], tmp_path: Path) -> None:
    """Nothing that he says of himself is run. Nobody could call him back: the key leaves him in his place, and an agent takes him."""
    here, marker = open_hotline(), tmp_path / "marker"
    here.daemon()
    leg = here.calls("%24%24%7Bx%7D", ("wait", AFTER_S + 1.0), ("key", "1"), STAYS, display=f"${{system(touch {marker})}}")
    here.when(leg, lambda e: e.headers.get("Fsd-What") == "key", "the switch tells the key")
    here.hears(leg, WRONG)
    here.settled()
    here.work()
    here.talks(leg)
    here.told.api(f"uuid_kill {leg}")
    here.became(leg, "served")
    (caller,) = asked(here.world, "queue", "show", "support")["callers"]
    assert caller["number"] == "" and "withheld" in here.world.command("queue", "show", "support")
    assert here.world.rows("SELECT id FROM tickets") == [] and here.leads() == {} and not marker.exists()
    assert "touch" not in here.world.daemons[0].log.read_text(encoding="utf-8")


@pytest.mark.spec("S77", "D12")
def test_two_hundred_press_at_once_and_each_has_his_ticket_and_his_lead(open_hotline: Callable[..., Hotline]) -> None:
    here = open_hotline(QUEUE.replace("announce:", "# "))
    here.daemon()
    numbers = [*CUSTOMERS.numbers(200, first=100)]
    before = here.told.count(_entered)
    here.sipps.crowd(SUPPORT, ("wait", 9.0), ("info", "1"), STAYS, numbers=numbers, per_s=40)
    here.told.until(lambda: here.told.count(_entered) == before + 200, "all are in the queue", 30.0)
    here.world.until("SELECT count(*) FROM tickets WHERE channel = 'callback'", 200, "two hundred tickets", 60.0)
    here.world.until("SELECT count(*) FROM leads WHERE campaign = 'hotline'", 200, "two hundred leads", 60.0)
    assert Counter(here.tickets("callback")) == Counter(numbers) and here.leads().keys() == set(numbers)
    pressed = {e.headers["Unique-ID"]: e for _, e in here.told.events if e.headers.get("Fsd-What") == "key"}
    assert len(pressed) == 200
    made = dict(here.world.rows("SELECT c.id, extract(epoch FROM t.created_at) FROM callers c JOIN tickets t ON t.id = c.ticket"))
    for what, waits in (
        ("notice", _since_key(here, pressed, NOTICE)),
        ("release", _since_key(here, pressed, "")),
        ("ticket", [float(made[leg]) - int(e.headers["Event-Date-Timestamp"]) / 1e6 for leg, e in pressed.items()]),
    ):
        waits.sort()
        print(f"key to {what}: median {waits[100]:.2f} s, p99 {waits[197]:.2f} s, most {waits[-1]:.2f} s")
    here.told.until(lambda: here.told.api("db count/fsd_kept") == "0", "all rows are settled", 30.0)


def _since_key(here: Hotline, pressed: Iterable[str], sound: str) -> list[float]:
    """Seconds from each one's key to that sound, or to his release."""
    found = []
    for leg in pressed:
        events = here.told.of(leg)
        key = next(at for at, e in events if e.headers.get("Fsd-What") == "key")
        is_it = (lambda e: sound in e.headers.get("Playback-File-Path", "")) if sound else (lambda e: e.name == "CHANNEL_HANGUP_COMPLETE")
        found.append(next(at for at, e in events if at >= key and is_it(e)) - key)
    return found


@pytest.mark.spec("S77", "S85")
def test_a_key_in_the_moment_in_which_an_agent_answers_makes_one_thing_of_it(open_hotline: Callable[..., Hotline]) -> None:
    """Telephones of twelve agents are answered 200 ms after they are called; meanwhile twelve callers press, one every 50 ms."""
    here = open_hotline(agents={f"ready-{n}": "per_call" for n in range(12)})
    here.daemon()
    numbers = CUSTOMERS.numbers(12, first=20)
    came = here.told.count(_entered)
    here.sipps.crowd(SUPPORT, ("wait", 8.0), ("info", "1"), ("wait", 40.0), numbers=numbers, per_s=20)
    here.told.until(lambda: here.told.count(_entered) > came, "the first one is there")
    time.sleep(7.9)
    here.work(screen=False)
    here.world.until("SELECT count(*) FROM callers WHERE why <> '' OR served_at IS NOT NULL", 12, "each is served or called back")
    called_back = [number for (number,) in here.world.rows("SELECT number FROM callers WHERE why = 'callback'")]
    served = [number for (number,) in here.world.rows("SELECT number FROM callers WHERE served_at IS NOT NULL")]
    print(f"{len(served)} were served, {len(called_back)} are called back")
    assert sorted([*served, *called_back]) == sorted(numbers)
    here.world.until("SELECT count(*) FROM leads WHERE campaign = 'hotline'", len(called_back), "a lead for each who is called back")
    here.told.api("hupall NORMAL_CLEARING fsd_queue support")
    here.world.until("SELECT count(*) FROM callers WHERE why = 'served'", len(served), "served stays served")
    assert sorted(here.tickets("callback")) == sorted(called_back)
    here.settled()


# --- without a daemon ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S73", "S78", "D8")
def test_nobody_is_lost_while_no_daemon_runs(open_hotline: Callable[..., Hotline]) -> None:
    """kill -9 with callers waiting. One presses the key and hangs up, one presses and stays, two press nothing and are let go by the switch, one calls in
    only then. The next daemon, forty seconds later, calls back who asked, and writes a ticket for who was let go."""
    here = open_hotline()
    daemon = here.daemon()
    leaves = here.calls(customer(5), ("wait", AFTER_S + 6.0), ("key", "1"), ("wait", 1.0), ("hang_up", ""))
    presses = here.calls(customer(6), ("wait", AFTER_S + 6.0), ("key", "1"), STAYS)
    silent = here.calls(customer(7), STAYS)
    here.world.until("SELECT count(*) FROM callers", 0, "nobody is gone")
    time.sleep(1.0)
    daemon.kill()
    later = here.calls(customer(8), STAYS)
    here.told.ended(leaves, 20.0)
    here.told.ended(silent, FALLBACK_S + RELEASE_S + 5.0)
    here.told.ended(presses, FALLBACK_S + RELEASE_S + 5.0)
    here.told.ended(later, FALLBACK_S + RELEASE_S + 10.0)
    assert {re.sub(r"^.*\.", "", row) for row in here.told.rows()} == {"key", "released"}
    here.daemon()
    for leg, why in ((leaves, "callback"), (presses, "callback"), (silent, "released"), (later, "released")):
        here.became(leg, why)
    assert sorted(here.tickets("callback")) == [customer(5), customer(6)] and sorted(here.tickets("missed")) == [customer(7), customer(8)]
    here.settled()
    here.work()
    here.is_called_back(customer(5))
    here.is_called_back(customer(6))


@pytest.mark.spec("S72", "S89", "D8")
def test_a_caller_who_pressed_while_no_daemon_ran_and_waits_on_is_let_go_by_the_next_one(open_hotline: Callable[..., Hotline]) -> None:
    """With the time of his press, not of the daemon's return: the minimum wait is judged by that. Who pressed too early then keeps his place."""
    here = open_hotline()
    here.daemon().kill()
    early = here.calls(customer(9), ("wait", 0.5), ("key", "1"), STAYS)
    presses = here.calls(customer(10), ("wait", AFTER_S + 1.0), ("key", "1"), STAYS)
    here.when(presses, lambda e: e.headers.get("Fsd-What") == "key", "he has pressed")
    here.daemon()
    here.became(presses, "callback")
    assert NOTICE in " ".join(here.heard(presses))
    assert here.tickets("callback") == [customer(10)]
    here.work(screen=False)
    here.talks(early)
    assert here.leads().keys() == {customer(10)}


# --- who waits too long -------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S76", "S78")
def test_the_longest_wait_ends_in_a_missed_ticket(open_hotline: Callable[..., Hotline]) -> None:
    here = open_hotline(QUEUE.replace("1m", "12s"))
    here.daemon()
    leg = here.calls(customer(11), STAYS)
    came = here.when(leg, _entered, "he came")
    here.told.ended(leg, 20.0)
    gone = here.when(leg, lambda e: e.name == "CHANNEL_HANGUP_COMPLETE", "over")
    assert 11.5 < gone - came < 14.0
    here.became(leg, "max_wait")
    assert here.tickets("missed") == [customer(11)] and here.tickets("callback") == []


@pytest.mark.spec("S76")
def test_who_waited_too_long_leaves_a_message_and_its_file(open_hotline: Callable[..., Hotline]) -> None:
    here = open_hotline(QUEUE.replace("1m", "12s") + f'then: {{do: voicemail, sound: "{PLACE}", at_most: 20s}}\n')
    here.daemon()
    leg = here.calls(customer(12), ("wait", 13.5), ("talk", 5.0), ("wait", 4.0), ("hang_up", ""))
    here.told.first(lambda e: e.name == "RECORD_START" and e.headers.get("Unique-ID") == leg, "his message is recorded", 25.0)
    here.told.ended(leg, 20.0)
    here.became(leg, "voicemail")
    assert here.tickets("voicemail") == [customer(12)] and here.tickets("missed") == []
    recording = here.world.one("SELECT recording FROM tickets WHERE channel = 'voicemail'")
    assert (here.world.folder / "state" / "recordings" / recording).stat().st_size > 16_000
    here.settled()

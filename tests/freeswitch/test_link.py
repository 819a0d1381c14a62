"""The event socket is cut with calls up. The switch goes on; the daemon comes back, finds what is there, and goes on too."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.freeswitch import number_plan as plan
from tests.freeswitch.conftest import Sipp
from tests.freeswitch.number_plan import Kind, kind_of
from tests.freeswitch.test_crash import ended_by_customer, talking
from tests.freeswitch.watch import Address
from tests.freeswitch.world import World

AWAY_S = 3.0
AGENTS = {f"nailed-{n}": "nailed" for n in range(6)} | {f"ready-{n}": "per_call" for n in range(6)}
PEOPLE = {
    Kind(plan.RINGS_AND_ANSWERS, 25): 10,
    Kind(plan.RINGS_AND_ANSWERS, 80): 10,
    Kind(plan.ANSWERS_AT_ONCE, 30): 6,
    Kind(plan.REFUSES, 486): 5,
    Kind(plan.NEVER_ANSWERS, 180): 5,
}
CAMPAIGN = "ring: 6s\nwrap_up: 1s\nattempts: {max: 3, gap: 4h, busy: {gap: 20m}}\nwaiting: {at_most: 30s}\nagent_ring: 10s\n"


class Proxy:
    """A wire between the daemon and the event socket that can be cut."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._whole = threading.Event()
        self._whole.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            if not self._whole.is_set():
                near.close()
                continue
            far = socket.create_connection((self._address.host, self._address.port))
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
        except OSError:
            pass  # cut
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # cut from the other side

    def cut(self) -> None:
        """Every connection is gone, and none can be made."""
        self._whole.clear()
        ends, self._ends = self._ends, []
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # over already

    def mend(self) -> None:
        self._whole.set()

    def close(self) -> None:
        self.cut()
        self._server.close()


@pytest.fixture
def proxy(address: Address) -> Iterator[Proxy]:
    with closing(Proxy(address)) as proxy:
        yield proxy


@pytest.mark.spec("D8")
def test_cut_link_is_mended_calls_go_on_and_nobody_is_called_twice(world: World, customers: Sipp, proxy: Proxy) -> None:
    """D8: calls in talk outlive the cut; those that ended meanwhile are closed; nothing is dialled before the switch has been asked."""
    watch = world.watch
    world.esl = f"127.0.0.1:{proxy.port}"
    leads = [number for numbers in zip(*(kind.numbers(5, first=700) for kind in PEOPLE), strict=True) for number in numbers]
    leads += [number for kind, count in PEOPLE.items() for number in kind.numbers(count - 5, first=705)]
    world.set_up(AGENTS, CAMPAIGN, leads)
    world.order_start(list(AGENTS))
    before = len(customers.invites())
    daemon = world.start_daemon()
    watch.until(lambda: sum(map(talking, watch.leads())) >= 5 and any(leg.alive and not leg.answered for leg in watch.leads()), "5 talk, one phone rings")
    proxy.cut()
    cut_at = time.monotonic()
    with watch.still():
        talked = [leg for leg in watch.leads() if talking(leg)]
        in_flight = {leg.number for leg in watch.leads() if leg.alive}
        made = len(watch.legs)
    daemon.says("switch_lost")
    world.until(f"SELECT clock_timestamp() >= max(opened_at) + interval '{AWAY_S} seconds' FROM all_attempts", True, "the outage has lasted", 20.0)
    made_meanwhile = len(watch.legs) - made
    proxy.mend()
    mended_at = time.monotonic()
    world.until_all_tried(60.0)
    daemon.drain(15.0)
    watch.until(lambda: not any(leg.alive for leg in watch.legs.values()), "every leg is over", 5.0)

    called = Counter(customers.invites()[before:])
    assert called == Counter(leads)
    attempts = world.rows("SELECT number, leg::text, outcome, closed_at IS NULL FROM all_attempts")
    assert Counter(row[0] for row in attempts) == called
    assert [row for row in attempts if row[3]] == []
    assert watch.left_over() == []
    assert [leg.story() for leg in talked if not ended_by_customer(leg)] == []
    assert made_meanwhile <= 2, "originates that were under way"
    different = {row[0]: row[2] for row in attempts if row[2] != kind_of(row[0]).outcome.value}
    assert different.keys() <= in_flight
    assert {number for number in different if number in {leg.number for leg in talked}} == set(), "bridged calls stay connected"
    for number, outcome in different.items():
        (leg,) = [leg for leg in watch.leads() if leg.number == number]
        ended_at = leg.at("CHANNEL_DESTROY") or 0
        assert outcome == "unknown" or (outcome == "early_hangup" and leg.answered and not leg.bridged_to), leg.story()
        assert ended_at < mended_at + 5.0, leg.story()
    next_at = min(leg.events[0][0] for leg in watch.leads() if leg.events[0][0] > mended_at)
    print(f"cut for {mended_at - cut_at:.1f} s: {len(talked)} in talk, {len(in_flight)} leads up; differently closed: {different}")
    print(f"  next originate {next_at - mended_at:.1f} s after the mending")

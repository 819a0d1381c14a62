"""Callers of the simulated switch in a queue of our own dialplan, behind the runtime's port; keys, rows that are kept, and what is told after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.agent_events import CallerKey, CallerQueued, KeptFound
from fs_dialer.core.model import AgentId, AttemptId, LegId, SwitchId
from fs_dialer.core.queue_definition import CallbackKey, Overflow, QueueDefinition
from fs_dialer.dialplans.files import switch_files
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.runtime.ids import uuids
from fs_dialer.sim.people import Behaviour, ModelledPeople, PeopleModel
from fs_dialer.sim.port import SimPort
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch

NOON, MAIN, AGENT = 1_780_000_000.0, SwitchId("main"), LegId("22222222-2222-4222-8222-222222222222")
SUPPORT = QueueDefinition(name="support", numbers=("+34910000001",), callback=CallbackKey(key="1"))
pytestmark = pytest.mark.spec("S72", "S73")


class House:
    """A switch with one queue, and whoever listens to it."""

    def __init__(self, queue: QueueDefinition = SUPPORT, people: dict[str, object] | None = None) -> None:
        settings = SwitchSettings(dialplan=tuple(switch_files((), (queue,), SwitchOptions()).values()), order_variety=0.0)
        model = ModelledPeople(PeopleModel.from_mapping(people or {}))
        self.switch = SimSwitch(model, rng=Random(3), new_uuid=uuids(Random(4)), settings=settings, started_at=NOON)
        self.port, self.now = SimPort(self.switch), NOON
        self.seen: list[ev.Event] = []

    def calls(self, *keys: tuple[float, str], number: str = "+34600000009", name: str = "A. B.", **did: float) -> LegId:
        behaviour = Behaviour(keys=keys, hangs_up_after_message=True, **did)  # type: ignore[arg-type]
        return LegId(self.switch.inbound(number, name, "+34910000001", "public", behaviour, self.now))

    def run(self, seconds: float) -> Sequence[ev.Event]:
        end, begin = self.now + seconds, len(self.seen)
        while (at := self.port.next_wakeup()) is not None and at <= end:
            self.now = max(self.now, at)
            self.port.at(self.now)
            self.seen += self.port.advance(self.now)
        self.now = end
        self.port.at(end)
        return self.seen[begin:]

    def restarted(self, *legs: LegId) -> Sequence[ev.Event]:
        """What a new daemon is told."""
        self.port = SimPort(self.switch)
        self.port.at(self.now)
        self.port.reconcile(act.Reconcile(MAIN, legs))
        return self.port.advance(self.now)


@pytest.fixture
def house() -> House:
    return House()


def of(kind: type[ev.Event], events: Sequence[ev.Event]) -> list[ev.Event]:
    return [event for event in events if isinstance(event, kind)]


def test_a_caller_comes_answered_with_his_number_and_parks(house: House) -> None:
    leg = house.calls()
    told = house.run(1.0)
    assert [type(event).__name__ for event in told] == ["LegCreated", "LegAnswered", "CallerQueued", "LegParked"]
    assert told[2] == CallerQueued(leg, "support", AttemptId(leg), "+34600000009")


@pytest.mark.spec("D7")
@pytest.mark.parametrize("number", ["anonymous", "${system(id)}", "+3460000000000000000000001", ""])
def test_a_number_that_is_none_is_withheld_and_his_name_is_never_looked_at(house: House, number: str) -> None:
    house.calls(number=number, name="${system(reboot)}")
    assert [event.number for event in of(CallerQueued, house.run(1.0)) if isinstance(event, CallerQueued)] == [""]
    assert house.switch.attempted == []


def test_he_hangs_up_when_his_patience_is_over(house: House) -> None:
    leg = house.calls(patience_s=20.0)
    house.run(19.0)
    assert house.switch.exists(leg) == "true"
    told = of(ev.LegEnded, house.run(2.0))
    assert isinstance(told[0], ev.LegEnded) and (told[0].leg, told[0].cause, told[0].we_hung_up) == (leg, "NORMAL_CLEARING", False)


def test_the_right_key_is_told_and_kept_a_wrong_one_is_only_told(house: House) -> None:
    leg = house.calls((3.0, "7"), (5.0, "1"))
    keys = of(CallerKey, house.run(8.0))
    assert [(key.key, key.right) for key in keys if isinstance(key, CallerKey)] == [("7", False), ("1", True)]
    assert house.switch.api("db list/fsd_kept", house.now) == f"{leg}.key"
    assert house.switch.api(f"db select/fsd_kept/{leg}.key", house.now) == f"support;+34600000009;{int(NOON)};{int(NOON) + 5}"


def test_no_key_does_anything_once_an_agent_is_there(house: House) -> None:
    leg = house.calls((6.0, "1"))
    house.run(2.0)
    house.port.originate_agent(act.OriginateAgent(AGENT, AgentId("ana"), None, MAIN, "user/1001", "", 20.0, nailed=True))
    house.run(2.0)
    house.port.bridge(act.Bridge(leg, AGENT))
    told = house.run(5.0)
    assert of(ev.LegBridged, told) and not of(CallerKey, told) and house.switch.database == {}


def test_after_a_restart_callers_are_told_with_their_time_then_keys_then_rows_of_those_gone(house: House) -> None:
    gone = house.calls((2.0, "1"), stay_s=4.0, number="+34600000001")
    house.run(5.0)
    leg = house.calls((2.0, "1"), number="+34600000002")
    house.run(5.0)
    told = house.restarted()
    assert isinstance(told[0], CallerQueued) and (told[0].leg, told[0].number, told[0].since) == (leg, "+34600000002", NOON + 5)
    keys, rows = of(CallerKey, told), of(KeptFound, told)
    assert [(key.leg, key.at) for key in keys if isinstance(key, CallerKey)] == [(leg, NOON + 7)]
    assert [(row.leg, row.what, row.place, row.number) for row in rows if isinstance(row, KeptFound)] == [(gone, "key", "support", "+34600000001")]
    assert told[-1] == ev.ReconcileDone(MAIN)


def test_a_row_is_forgotten_on_demand(house: House) -> None:
    leg = house.calls((2.0, "1"), stay_s=4.0)
    house.run(6.0)
    house.port.forget_kept(act.ForgetKept(MAIN, (f"{leg}.key",)))
    assert house.switch.database == {}


def test_with_a_dead_daemon_the_fallback_lets_him_go_and_keeps_who_he_was(house: House) -> None:
    leg = house.calls()
    house.run(120.0)
    assert house.switch.legs == {} and list(house.switch.database) == [("fsd_kept", f"{leg}.released")]


def test_with_a_dead_daemon_a_message_is_kept_as_voice_mail() -> None:
    house = House(QueueDefinition(name="support", numbers=("+34910000001",), overflow=Overflow(do="voicemail")))
    leg = house.calls(speaks_s=7.0)
    house.run(120.0)
    assert list(house.switch.database) == [("fsd_kept", f"{leg}.voicemail")]


def test_an_announcement_plays_its_sounds_in_place_of_the_music_and_tells_its_end_once(house: House) -> None:
    leg = house.calls()
    house.run(2.0)
    house.port.announce(act.Announce(leg, ("a.wav", "b.wav")))
    music, announcement = of(ev.PlaybackStopped, house.run(4.0))
    assert (music, announcement) == (ev.PlaybackStopped(leg), ev.PlaybackStopped(leg))


def test_a_caller_drawn_from_the_model_presses_the_key_that_it_says() -> None:
    house = House(people={"callers": {"patience": "never", "keys": [{"answered": "4s", "press": {1: "100%"}}]}})
    house.switch.inbound("+34600000003", "", "+34910000001", "public", None, house.now)
    assert [key.key for key in of(CallerKey, house.run(6.0)) if isinstance(key, CallerKey)] == ["1"]


def test_a_switch_that_is_full_or_paused_takes_no_caller(house: House) -> None:
    house.switch.api("fsctl pause", house.now)
    assert house.calls() == "" and house.run(1.0) == []


def test_a_leg_goes_where_it_is_sent_with_variables_and_a_limit(house: House) -> None:
    leg = house.calls()
    house.run(2.0)
    house.port.enter_ivr(act.EnterIvr(leg, "support.overflow", "fsd_queue", (("fsd_v_sum", "12.50"),), at_most_s=9.0))
    house.run(0.5)
    assert house.switch.legs == {}, "an overflow that does nothing lets him go"

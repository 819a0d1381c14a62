"""The engine's leg actions on a real socket to a simulated switch, and what exists there as events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import gevent
import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.leg_plan import FALLBACK_AFTER_S
from fs_dialer.core.model import AgentId, Attempt, AttemptId, LegId, OpenAttempt, SwitchId
from fs_dialer.errors import StoreError
from fs_dialer.esl.client import EslSettings, open_client
from fs_dialer.esl.translate import SUBSCRIBE, SUBSCRIBE_CUSTOM
from fs_dialer.esl.wire import Event
from fs_dialer.runtime import switch_port
from fs_dialer.runtime.ids import uuids
from fs_dialer.runtime.switch_port import SwitchPort
from fs_dialer.sim.esl_server import EslServer
from fs_dialer.sim.people import Behaviour, ScriptedPeople
from fs_dialer.sim.switch import SimSwitch
from tests.core.builders import a_lead
from tests.runtime.day import GATEWAY, NOON, SPRING
from tests.runtime.greens import settle, until

MAIN = SwitchId("main")
PASSWORD = "a-password"
QUICK = Behaviour(after_s=0.05)
RINGS = Behaviour("ring", 0.0)
new_id = uuids(Random(3))
E = TypeVar("E", bound=ev.Event)


class Line:
    """A switch, a port, and the link between them."""

    def __init__(self) -> None:
        self.people = ScriptedPeople({"+34600000009": RINGS}, QUICK)
        self.switch = SimSwitch(self.people, rng=Random(1), new_uuid=uuids(Random(2)))
        self.server = EslServer(self.switch, password=PASSWORD)
        self.server.start()
        self.events: list[ev.Event] = []
        self.greenlets: list[gevent.Greenlet] = []
        self.left_open: Callable[[], Sequence[OpenAttempt]] = lambda: ()
        self.port = SwitchPort(MAIN, self.events.append, self.spawn, lambda: self.left_open(), Path("/var/rec"))

    def spawn(self, work: Any, *args: Any) -> gevent.Greenlet:
        self.greenlets.append(gevent.spawn(work, *args))
        return self.greenlets[-1]

    def link(self) -> None:
        settings = EslSettings(
            port=self.server.port, password=PASSWORD, events=SUBSCRIBE, custom_events=SUBSCRIBE_CUSTOM, backoff_first_s=0.02, backoff_most_s=0.05
        )
        self.port.client = open_client("native", settings, self.port.on_event, self.port.on_link, spawn=self.spawn)
        self.port.client.start()
        self.wait_for(ev.SwitchUp)

    def close(self) -> None:
        if self.port.client is not None:
            self.port.client.close()
        self.server.stop()
        gevent.killall(self.greenlets)

    # --- what was told ----------------------------------------------------------------------------------------------------------------

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def wait_for(self, kind: type[E], leg: LegId | None = None) -> E:
        return until(lambda: [e for e in self.all(kind) if leg is None or getattr(e, "leg", None) == leg], f"{kind.__name__} {leg}")[0]

    # --- legs -------------------------------------------------------------------------------------------------------------------------

    def lead_leg(self, number: str = "+34600000001") -> LegId:
        """An answered, parked customer."""
        action = lead_originate(number)
        self.port.originate_lead(action)
        self.wait_for(ev.LegParked, action.leg)
        return action.leg

    def agent_leg(self) -> LegId:
        leg = LegId(new_id())
        self.port.originate_agent(act.OriginateAgent(leg, AgentId("ana"), None, MAIN, "user/1001", "", 20.0, nailed=True))
        self.wait_for(ev.LegParked, leg)
        return leg


def lead_originate(number: str = "+34600000001") -> act.OriginateLead:
    leg = LegId(new_id())
    attempt = Attempt(AttemptId(new_id()), SPRING, 1, a_lead().id, leg, number, GATEWAY, "+34910000000", None, NOON)
    return act.OriginateLead(leg, attempt, MAIN, number, 20.0, False)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.close()
    assert [one for one in made.greenlets if one.exception is not None] == [], "a greenlet failed"


@pytest.fixture
def linked(line: Line) -> Line:
    line.link()
    return line


# --- originating ----------------------------------------------------------------------------------------------------------------------


def test_a_customers_call_is_told_from_its_creation_to_its_parking_under_the_uuid_we_chose(linked: Line) -> None:
    action = lead_originate()
    linked.port.originate_lead(action)
    linked.wait_for(ev.OriginateSucceeded, action.leg)
    linked.wait_for(ev.LegParked, action.leg)
    created = linked.wait_for(ev.LegCreated, action.leg)
    assert (created.attempt, created.agent, created.gateway) == (action.attempt.id, None, GATEWAY)
    assert linked.wait_for(ev.OriginateSucceeded).given == action.leg
    assert linked.all(ev.LegAnswered) == [ev.LegAnswered(action.leg)]


def test_an_agents_leg_carries_his_name_and_no_attempt_when_it_is_nailed(linked: Line) -> None:
    leg = linked.agent_leg()
    created = linked.wait_for(ev.LegCreated, leg)
    assert (created.attempt, created.agent) == (None, "ana")
    assert linked.switch.legs[leg].variables["park_after_bridge"] == "true"


def test_every_leg_has_its_fallback_armed_from_its_answer_on(linked: Line) -> None:
    """Nothing of ours must happen between the answer and the timer: the daemon may die there."""
    for leg in (linked.lead_leg(), linked.agent_leg()):
        assert [task for task in linked.switch.tasks.values() if task.group == leg] != []


@pytest.mark.spec("D7")
@pytest.mark.parametrize("number", ["+1212}{a=b", "+34600,+34601", "${system(x)}", "12 34", "", "+34600\n\nauth x"])
def test_a_number_that_is_not_digits_is_refused_before_the_wire_and_costs_no_call(linked: Line, number: str, caplog: pytest.LogCaptureFixture) -> None:
    """D7. What it holds is not in the log either, above DEBUG."""
    action = lead_originate()
    with caplog.at_level(logging.INFO):
        linked.port.originate_lead(replace(action, dial=number))
    assert linked.events[-1] == ev.OriginateFailed(action.leg, "INVALID_NUMBER_FORMAT", sent=False)
    assert linked.switch.counters.legs == 0
    assert "D7" in caplog.text and (not number or number not in caplog.text)


@pytest.mark.spec("D7")
def test_a_dial_string_that_is_two_is_refused_too(linked: Line) -> None:
    leg = LegId(new_id())
    linked.port.originate_agent(act.OriginateAgent(leg, AgentId("ana"), None, MAIN, "user/1001,user/1002", "", 20.0, nailed=False))
    assert linked.events[-1] == ev.OriginateFailed(leg, "INVALID_URL", sent=False)


def test_a_call_hung_up_while_its_attempt_is_being_committed_is_never_made(linked: Line) -> None:
    action = lead_originate()
    linked.port.will_originate(action.leg)
    linked.port.hangup(act.Hangup(action.leg, "ORIGINATOR_CANCEL"))
    linked.port.originate_lead(action)
    assert linked.events[-1] == ev.OriginateFailed(action.leg, "ORIGINATOR_CANCEL", sent=False)
    assert linked.switch.counters.legs == 0


def test_without_a_link_nothing_is_sent_and_it_is_told_as_the_switchs_fault(line: Line) -> None:
    action = lead_originate()
    line.port.originate_lead(action)
    assert line.events == [ev.OriginateFailed(action.leg, "SWITCH_LOST", sent=False)]


# --- legs that are up -----------------------------------------------------------------------------------------------------------------


def test_a_recording_lies_below_the_folder_of_recordings(linked: Line) -> None:
    leg = linked.lead_leg()
    linked.port.start_recording(act.StartRecording(leg, "c/2026-05-28/a.wav"))
    linked.wait_for(ev.RecordingStarted, leg)
    assert list(linked.switch.legs[leg].recordings) == ["/var/rec/c/2026-05-28/a.wav"]
    linked.port.stop_recording(act.StopRecording(leg, "c/2026-05-28/a.wav"))
    linked.wait_for(ev.RecordingStopped, leg)


@pytest.mark.parametrize("path", ["nosuch/a.wav", "../../etc/passwd", "${system(id)}.wav"])
def test_a_recording_that_can_not_be_is_told_and_nothing_else_happens(linked: Line, path: str) -> None:
    leg = linked.lead_leg()
    linked.port.start_recording(act.StartRecording(leg, path))
    linked.wait_for(ev.RecordingFailed, leg)
    assert linked.switch.legs[leg].is_up and not linked.switch.legs[leg].recordings


def test_a_held_pair_is_bridged_again_at_once(linked: Line) -> None:
    lead, agent = linked.lead_leg(), linked.agent_leg()
    linked.port.bridge(act.Bridge(lead, agent))
    linked.wait_for(ev.LegBridged, lead)
    linked.events.clear()
    linked.port.park_both(act.ParkBoth(lead, agent))
    linked.port.bridge(act.Bridge(lead, agent))
    linked.wait_for(ev.LegBridged, lead)
    assert linked.switch.legs[lead].partner is linked.switch.legs[agent]


def test_a_supervisor_s_leg_runs_what_lets_him_hear(linked: Line) -> None:
    agent, boss = linked.agent_leg(), LegId(new_id())
    linked.port.originate_supervisor(act.OriginateSupervisor(boss, AttemptId(new_id()), MAIN, "user/1009", agent, "whisper", "", 20.0))
    linked.wait_for(ev.OriginateSucceeded, boss)
    until(lambda: linked.switch.legs[boss].app == "eavesdrop", "he listens")
    assert linked.switch.legs[boss].variables["eavesdrop_whisper_bleg"] == "true", "the agent hears it; aleg is the customer (tried)"


def test_two_parked_legs_are_bridged_and_their_fallbacks_are_off(linked: Line) -> None:
    lead, agent = linked.lead_leg(), linked.agent_leg()
    linked.port.bridge(act.Bridge(lead, agent))
    assert linked.wait_for(ev.LegBridged) == ev.LegBridged(lead, agent)
    assert list(linked.switch.tasks.values()) == []


def test_a_bridge_to_a_leg_that_is_gone_is_refused_and_told(linked: Line) -> None:
    lead = linked.lead_leg()
    linked.port.bridge(act.Bridge(lead, LegId(new_id())))
    assert linked.wait_for(ev.BridgeRefused).leg == lead


def test_renewing_the_fallback_puts_it_off_and_does_not_add_another(linked: Line) -> None:
    lead = linked.lead_leg()
    (before,) = [task for task in linked.switch.tasks.values() if task.group == lead]
    linked.port.renew_fallback(act.RenewFallback((lead,)))
    until(lambda: before.number not in linked.switch.tasks)
    (after,) = until(lambda: [task for task in linked.switch.tasks.values() if task.group == lead])
    assert after.at >= before.at
    assert after.at - linked.server.clock() <= FALLBACK_AFTER_S + 1  # the switch counts whole seconds


def test_a_hang_up_names_its_cause(linked: Line) -> None:
    lead = linked.lead_leg()
    linked.port.hangup(act.Hangup(lead, "NORMAL_CLEARING"))
    assert linked.wait_for(ev.LegEnded, lead).cause == "NORMAL_CLEARING"
    linked.wait_for(ev.LegDestroyed, lead)


def test_a_sound_whose_path_is_unsafe_is_not_played_and_the_daemon_goes_on(linked: Line, caplog: pytest.LogCaptureFixture) -> None:
    lead = linked.lead_leg()
    with caplog.at_level(logging.ERROR):
        linked.port.play_music(act.PlayMusic(lead, "${system(x)}"))
    assert "refused to play a sound" in caplog.text
    settle()
    assert lead in linked.switch.legs


def test_music_that_is_a_file_is_told_when_it_is_over(linked: Line) -> None:
    lead = linked.lead_leg()
    linked.port.play_music(act.PlayMusic(lead, "music/short.wav"))
    linked.wait_for(ev.PlaybackStopped, lead)


def test_a_bridge_without_an_answer_is_not_told_as_refused(linked: Line) -> None:
    """The link went between the command and its answer: the pair may well talk."""
    lead, agent = linked.lead_leg(), linked.agent_leg()
    client = linked.port.client
    assert client is not None
    client.close()
    linked.port._bridge(act.Bridge(lead, agent))
    assert not linked.all(ev.BridgeRefused)


def test_a_bridge_that_the_switch_refuses_is_told(linked: Line) -> None:
    lead = linked.lead_leg()
    linked.port.bridge(act.Bridge(lead, LegId(new_id())))
    linked.wait_for(ev.BridgeRefused, lead)


def test_a_fallback_that_is_dropped_never_fires(linked: Line) -> None:
    lead = linked.lead_leg()
    linked.port.drop_fallback(act.DropFallback((lead,)))
    until(lambda: not [task for task in linked.switch.tasks.values() if task.group == lead], "the transfer is taken away")


def test_a_notice_that_was_played_to_its_end_is_told(linked: Line) -> None:
    lead = linked.lead_leg()
    linked.port.play_notice(act.PlayNotice(lead, "ivr/sorry.wav"))
    linked.wait_for(ev.PlaybackStopped, lead)


def test_an_event_without_a_meaning_for_the_engine_is_dropped(line: Line) -> None:
    line.port.on_event(Event("HEARTBEAT", {"Event-Name": "HEARTBEAT"}, None))
    assert line.events == []


# --- what exists ----------------------------------------------------------------------------------------------------------------------


def test_the_legs_that_are_there_at_the_link_are_counted_with_their_gateways(line: Line) -> None:
    line.link()
    lead, agent = line.lead_leg(), line.agent_leg()
    line.server.drop_connections()
    line.wait_for(ev.SwitchLost)
    up = until(lambda: line.all(ev.SwitchUp)[1:])[0]
    assert dict(up.legs) == {lead: GATEWAY, agent: None}
    assert len(line.all(ev.SwitchLost)) == 1


def test_asked_for_a_leg_it_says_what_it_is_or_that_it_is_gone(linked: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switch_port, "GONE_TWICE_S", 0.02)
    lead, nobody = linked.lead_leg(), LegId(new_id())
    linked.port.ask_leg(act.AskLeg(lead))
    linked.port.ask_leg(act.AskLeg(nobody))
    assert linked.wait_for(ev.LegFound).facts.answered
    assert linked.wait_for(ev.LegGone) == ev.LegGone(nobody)


def test_a_leg_is_gone_only_when_it_was_not_there_twice(linked: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """An originate may be on its way: the first look is too early for it."""
    monkeypatch.setattr(switch_port, "GONE_TWICE_S", 0.3)
    action = lead_originate()
    linked.port.ask_leg(act.AskLeg(action.leg))
    settle()
    linked.port.originate_lead(action)
    assert linked.wait_for(ev.LegFound).facts.leg == action.leg
    assert linked.all(ev.LegGone) == []


def test_reconciliation_tells_our_legs_and_strangers_of_ours_and_nobody_elses(linked: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switch_port, "GONE_TWICE_S", 0.02)
    mine, unknown, gone = linked.lead_leg(), linked.agent_leg(), LegId(new_id())
    others = new_id()
    linked.switch.originate("job", others, "user/1009", {}, "&park()", linked.server.clock())
    until(lambda: others in linked.switch.legs)
    linked.port.reconcile(act.Reconcile(MAIN, (mine, gone)))
    linked.wait_for(ev.ReconcileDone)
    found = {event.facts.leg: event.facts for event in linked.all(ev.LegFound)}
    assert set(found) == {mine, unknown}
    assert found[unknown].agent == "ana"
    assert linked.all(ev.LegGone) == [ev.LegGone(gone)]
    assert isinstance(linked.events[-1], ev.ReconcileDone)


@pytest.mark.spec("D8")
def test_attempts_left_open_are_told_once_with_their_legs_or_without(linked: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart: D8."""
    monkeypatch.setattr(switch_port, "GONE_TWICE_S", 0.02)
    up, gone = lead_originate(), lead_originate()
    linked.port.originate_lead(up)
    linked.wait_for(ev.LegParked, up.leg)
    linked.left_open = lambda: [OpenAttempt(action.attempt, a_lead()) for action in (up, gone)]
    for round_ in (1, 2):
        linked.port.reconcile(act.Reconcile(MAIN, ()))
        until(lambda round_=round_: len(linked.all(ev.ReconcileDone)) == round_)  # type: ignore[misc]
    found = {event.open.attempt.leg: event.facts for event in linked.all(ev.AttemptFound)}
    facts = found[up.leg]
    assert facts is not None and facts.answered and facts.attempt == up.attempt.id
    assert found[gone.leg] is None
    assert len(linked.all(ev.AttemptFound)) == 2


def test_with_the_database_away_the_reconciliation_is_tried_until_it_is_back(linked: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be dialled before the attempts of the last daemon are known, and it must not be given up either."""
    monkeypatch.setattr(switch_port, "ASK_AGAIN_S", 0.005)
    asked: list[int] = []

    def left_open() -> Sequence[OpenAttempt]:
        asked.append(1)
        if len(asked) < 12:
            raise StoreError("the database does not answer", lost=True)
        return ()

    linked.left_open = left_open
    linked.port.reconcile(act.Reconcile(MAIN, ()))
    linked.wait_for(ev.ReconcileDone)
    assert len(asked) == 12


def test_legs_whose_attempt_is_still_being_committed_are_not_taken_for_gone(linked: Line) -> None:
    action = lead_originate()
    linked.port.will_originate(action.leg)
    linked.port.reconcile(act.Reconcile(MAIN, (action.leg,)))
    linked.wait_for(ev.ReconcileDone)
    assert linked.all(ev.LegGone) == []

"""The simulated switch behind the runtime's port, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.leg_plan import FALLBACK_AFTER_S
from fs_dialer.core.model import AgentId, Attempt, AttemptId, GatewayId, LegId, SwitchId
from fs_dialer.runtime import perform
from fs_dialer.runtime.ids import uuids
from fs_dialer.sim.people import Behaviour, ScriptedPeople
from fs_dialer.sim.port import SimPort
from fs_dialer.sim.switch import SimSwitch
from tests.core.builders import NOON, SPRING, a_lead

MAIN, TRUNK = SwitchId("main"), GatewayId("trunk1")
LEAD, AGENT = LegId("lead-leg"), LegId("agent-leg")


class Line:
    """A port and its clock; everybody answers after 0.3 s but those who are told otherwise."""

    def __init__(self, **numbers: Behaviour) -> None:
        people = ScriptedPeople({number.removeprefix("n"): did for number, did in numbers.items()})
        self.port = SimPort(SimSwitch(people, rng=Random(1), new_uuid=uuids(Random(2)), started_at=NOON))
        self.now = NOON
        self.seen: list[ev.Event] = []
        self.port.at(NOON)

    def run(self, seconds: float) -> Sequence[ev.Event]:
        """What was told in this time."""
        end, begin = self.now + seconds, len(self.seen)
        while (at := self.port.next_wakeup()) is not None and at <= end:
            self.now = max(self.now, at)
            self.port.at(self.now)
            self.seen += self.port.advance(self.now)
        self.now = end
        self.port.at(end)
        return self.seen[begin:]

    def dial(self, number: str = "+34600000001", leg: LegId = LEAD, **more: float) -> None:
        attempt = Attempt(AttemptId(f"attempt of {leg}"), SPRING, 1, a_lead().id, leg, number, TRUNK, "+34910000000", None, self.now)
        self.port.originate_lead(act.OriginateLead(leg, attempt, MAIN, number, more.get("ring_timeout_s", 20.0), False))

    def call_agent(self, leg: LegId = AGENT, *, nailed: bool = True) -> None:
        self.port.originate_agent(act.OriginateAgent(leg, AgentId("ana"), None, MAIN, "user/1001", "", 20.0, nailed=nailed))

    def names(self, leg: LegId) -> list[str]:
        return [type(event).__name__ for event in self.seen if getattr(event, "leg", None) == leg]


@pytest.fixture
def line() -> Line:
    return Line()


def test_a_call_is_told_from_creation_to_parking(line: Line) -> None:
    line.dial()
    line.run(1.0)
    assert line.names(LEAD)[:3] == ["LegCreated", "LegRang", "LegAnswered"]
    assert set(line.names(LEAD)[3:]) == {"OriginateSucceeded", "LegParked"}, "in either order (16)"
    created = line.seen[0]
    assert created == ev.LegCreated(LEAD, MAIN, TRUNK, AttemptId("attempt of lead-leg"), None)


def test_an_agents_leg_names_him_and_goes_by_no_gateway(line: Line) -> None:
    line.call_agent()
    line.run(1.0)
    assert line.seen[0] == ev.LegCreated(AGENT, MAIN, None, None, AgentId("ana"))


def test_a_refused_call_says_how_it_was_refused() -> None:
    line = Line(**{"n+34600000002": Behaviour("refuse", 1.0, 100, status=486)})
    line.dial("+34600000002")
    line.run(2.0)
    (ended,) = [event for event in line.seen if isinstance(event, ev.LegEnded)]
    assert (ended.cause, ended.sip_status, ended.was_answered) == ("USER_BUSY", 486, False)
    assert line.names(LEAD)[-1] == "LegDestroyed"


def test_a_phone_that_nobody_takes_rings_as_long_as_was_promised_and_then_stops() -> None:
    line = Line(**{"n+34600000003": Behaviour("ring", 0.0)})
    line.dial("+34600000003", ring_timeout_s=10)
    line.run(9.9)
    assert "LegEnded" not in line.names(LEAD)
    line.run(2.0)
    (ended,) = [event for event in line.seen if isinstance(event, ev.LegEnded)]
    assert ended.cause == "NO_ANSWER"


def test_two_parked_legs_are_bridged_and_the_nailed_one_parks_again_afterwards(line: Line) -> None:
    line.dial()
    line.call_agent()
    line.run(2.0)
    line.port.bridge(act.Bridge(LEAD, AGENT))
    assert ev.LegBridged(LEAD, AGENT) in line.run(1.0)
    line.port.hangup(act.Hangup(LEAD, "NORMAL_CLEARING"))
    assert ev.LegParked(AGENT) in line.run(1.0)


def test_a_bridge_takes_both_fallbacks_away(line: Line) -> None:
    """One that survived would tear the conversation apart half a minute later."""
    line.dial()
    line.call_agent()
    line.run(2.0)
    line.port.bridge(act.Bridge(LEAD, AGENT))
    events = line.run(2.0 * FALLBACK_AFTER_S)
    assert [event for event in events if isinstance(event, ev.LegEnded | ev.LegUnbridged)] == []


def test_a_bridge_that_can_not_be_is_refused_at_once(line: Line) -> None:
    line.dial()
    line.run(1.0)
    line.port.bridge(act.Bridge(LEAD, AGENT))
    assert line.port.next_wakeup() == line.now
    (refused,) = line.port.advance(line.now)
    assert isinstance(refused, ev.BridgeRefused) and refused.leg == LEAD


def test_a_parked_leg_that_nobody_renews_leaves_the_music(line: Line) -> None:
    line.dial()
    line.run(1.0)
    line.port.play_music(act.PlayMusic(LEAD, "local_stream://moh"))
    line.run(25.0)
    line.port.renew_fallback(act.RenewFallback((LEAD,)))
    line.run(25.0)
    assert line.port.switch.legs[LEAD].variables.get("fsd_fallback") is None
    line.run(6.0)
    assert line.port.switch.legs[LEAD].variables.get("fsd_fallback") == "true"
    line.run(60.0)
    assert line.names(LEAD)[-1] == "LegDestroyed"


def test_music_that_is_a_file_is_told_when_it_is_over(line: Line) -> None:
    line.dial()
    line.run(1.0)
    line.port.play_music(act.PlayMusic(LEAD, "moh.wav"))
    assert [event for event in line.run(20.0) if isinstance(event, ev.PlaybackStopped)] == [ev.PlaybackStopped(LEAD)]


def test_a_leg_whose_fallback_was_dropped_stays(line: Line) -> None:
    line.dial()
    line.run(1.0)
    line.port.drop_fallback(act.DropFallback((LEAD,)))
    line.run(60.0)
    assert line.port.switch.legs[LEAD].variables.get("fsd_fallback") is None


def test_a_notice_ends_the_music_and_is_told_when_it_is_over(line: Line) -> None:
    line.dial()
    line.run(1.0)
    line.port.play_music(act.PlayMusic(LEAD, "local_stream://moh"))
    line.run(1.0)
    line.port.play_notice(act.PlayNotice(LEAD, "sorry.wav"))
    stops = [event for event in line.run(5.0) if isinstance(event, ev.PlaybackStopped)]
    assert len(stops) == 2


def test_both_legs_of_a_conversation_can_be_parked(line: Line) -> None:
    line.dial()
    line.call_agent()
    line.run(2.0)
    line.port.bridge(act.Bridge(LEAD, AGENT))
    line.run(1.0)
    line.port.park_both(act.ParkBoth(LEAD, AGENT))
    events = line.run(1.0)
    assert ev.LegParked(LEAD) in events and ev.LegParked(AGENT) in events


def test_asked_for_a_leg_it_answers_at_once(line: Line) -> None:
    line.dial()
    line.run(1.0)
    line.port.ask_leg(act.AskLeg(LEAD))
    line.port.ask_leg(act.AskLeg(LegId("nobody")))
    found, gone = line.port.advance(line.now)
    assert isinstance(found, ev.LegFound)
    facts = found.facts
    assert (facts.leg, facts.attempt, facts.gateway, facts.answered, facts.bridged_to) == (LEAD, "attempt of lead-leg", TRUNK, True, None)
    assert gone == ev.LegGone(LegId("nobody"))


def a_pair(line: Line, *, nailed: bool) -> None:
    """A conversation."""
    line.dial()
    line.call_agent(nailed=nailed)
    line.run(2.0)
    line.port.bridge(act.Bridge(LEAD, AGENT))
    line.run(1.0)


@pytest.mark.parametrize("nailed", [True, False])
def test_a_held_pair_is_bridged_again_without_waiting_for_its_parks(line: Line, nailed: bool) -> None:
    """Tried on a real switch: commands sent one behind the other are carried out in their order."""
    a_pair(line, nailed=nailed)
    line.port.park_both(act.ParkBoth(LEAD, AGENT))
    line.port.bridge(act.Bridge(LEAD, AGENT))
    assert ev.LegBridged(LEAD, AGENT) in line.run(1.0)
    line.port.park_both(act.ParkBoth(LEAD, AGENT))
    assert {ev.LegParked(LEAD), ev.LegParked(AGENT)} <= set(line.run(1.0))


def test_a_leg_that_was_told_to_stay_parks_when_its_partner_hangs_up(line: Line) -> None:
    a_pair(line, nailed=False)
    line.port.keep_leg(act.KeepLeg(AGENT))
    line.port.hangup(act.Hangup(LEAD, "NORMAL_CLEARING"))
    assert ev.LegParked(AGENT) in line.run(1.0) and "LegEnded" not in line.names(AGENT)


def test_a_consulted_leg_is_taken_from_the_agent_and_given_to_the_customer(line: Line) -> None:
    a_pair(line, nailed=True)
    other = LegId("other-leg")
    line.port.originate_agent(act.OriginateAgent(other, AgentId("bob"), AttemptId("a"), MAIN, "user/1002", "", 20.0, nailed=False, stays=True))
    line.port.park_both(act.ParkBoth(LEAD, AGENT))
    line.run(1.0)
    line.port.bridge(act.Bridge(AGENT, other))
    assert ev.LegBridged(AGENT, other) in line.run(1.0)
    line.port.bridge(act.Bridge(LEAD, other))
    told = line.run(1.0)
    assert ev.LegBridged(LEAD, other) in told and ev.LegParked(AGENT) in told


def test_a_recording_begins_goes_on_through_a_hold_and_ends_with_its_leg(line: Line) -> None:
    a_pair(line, nailed=True)
    line.port.start_recording(act.StartRecording(LEAD, "c/2026-05-28/a.wav"))
    line.port.pause_recording(act.PauseRecording(LEAD, "c/2026-05-28/a.wav"))
    line.port.resume_recording(act.ResumeRecording(LEAD, "c/2026-05-28/a.wav"))
    line.port.park_both(act.ParkBoth(LEAD, AGENT))
    line.run(1.0)
    assert line.names(LEAD).count("RecordingStarted") == 1 and "RecordingStopped" not in line.names(LEAD)
    line.port.hangup(act.Hangup(LEAD, "NORMAL_CLEARING"))
    line.run(1.0)
    names = line.names(LEAD)
    assert names.index("RecordingStopped") < names.index("LegEnded")


def test_a_recording_is_stopped_by_command_and_one_that_can_not_be_written_says_so(line: Line) -> None:
    a_pair(line, nailed=True)
    line.port.start_recording(act.StartRecording(LEAD, "c/a.wav"))
    line.run(0.5)
    line.port.stop_recording(act.StopRecording(LEAD, "c/a.wav"))
    assert ev.RecordingStopped(LEAD) in line.run(0.5)
    line.port.start_recording(act.StartRecording(LEAD, "nosuch/a.wav"))
    (failed,) = line.port.advance(line.now)
    assert failed == ev.RecordingFailed(LEAD, "-ERR Cannot record session!")


@pytest.mark.parametrize("how", ["listen", "whisper", "barge"])
def test_a_supervisor_hears_a_leg_and_goes_with_it(line: Line, how: str) -> None:
    a_pair(line, nailed=True)
    boss = LegId("boss-leg")
    line.port.originate_supervisor(act.OriginateSupervisor(boss, AttemptId("a"), MAIN, "user/1009", AGENT, how, "", 20.0))
    line.run(2.0)
    assert "LegAnswered" in line.names(boss) and "LegParked" not in line.names(boss)
    line.run(60.0)
    line.port.hangup(act.Hangup(LEAD, "NORMAL_CLEARING"))
    line.run(1.0)
    assert "LegEnded" not in line.names(boss), "a nailed leg goes on, and he with it"
    line.port.hangup(act.Hangup(AGENT, "NORMAL_CLEARING"))
    line.run(1.0)
    assert line.names(boss)[-1] == "LegDestroyed"


def test_a_supervisor_of_a_leg_that_is_gone_is_hung_up(line: Line) -> None:
    boss = LegId("boss-leg")
    line.port.originate_supervisor(act.OriginateSupervisor(boss, AttemptId("a"), MAIN, "user/1009", AGENT, "listen", "", 20.0))
    line.run(2.0)
    assert line.names(boss)[-1] == "LegDestroyed"


def test_a_number_outside_is_called_by_its_gateway(line: Line) -> None:
    leg = LegId("outside-leg")
    line.port.originate_outside(act.OriginateOutside(leg, AttemptId("a"), MAIN, TRUNK, "+442079460000", "+34910000000", 20.0))
    line.run(2.0)
    assert line.seen[0] == ev.LegCreated(leg, MAIN, TRUNK, AttemptId("a"), None) and "LegParked" in line.names(leg)


def test_a_reconciliation_names_every_leg_asked_for_and_is_then_done(line: Line) -> None:
    line.dial()
    line.call_agent()
    line.run(2.0)
    line.port.bridge(act.Bridge(LEAD, AGENT))
    line.run(1.0)
    line.port.reconcile(act.Reconcile(MAIN, (LEAD, AGENT, LegId("nobody"))))
    *told, done = line.port.advance(line.now)
    facts = {event.facts.leg: event.facts.bridged_to for event in told if isinstance(event, ev.LegFound)}
    assert facts == {LEAD: AGENT, AGENT: LEAD}
    assert done == ev.ReconcileDone(MAIN)


def test_it_can_do_all_that_the_engine_may_ask_of_a_switch(line: Line) -> None:
    others = ("at", "next_wakeup", "advance", "told")
    for method in others:
        assert callable(getattr(line.port, method))
    assert len(perform.SWITCH_ACTIONS) == len([name for name in vars(SimPort) if not name.startswith("_")]) - len(others)

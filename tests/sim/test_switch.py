"""What the switch does in virtual time, beyond the recordings; numbers: freeswitch.md."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from typing import Any

import pytest

from fs_dialer.sim.leg import SwitchEvent
from fs_dialer.sim.people import Behaviour, ModelledPeople, People, ScriptedPeople
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch

START = 1_800_000_000.25
LEAN = frozenset((
    "CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_PARK CHANNEL_UNPARK CHANNEL_BRIDGE CHANNEL_UNBRIDGE "
    "CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY CHANNEL_EXECUTE PLAYBACK_START PLAYBACK_STOP DTMF BACKGROUND_JOB").split())
SIP = "sofia/gateway/trunk/{}"


class World:
    """A switch and its clock."""

    def __init__(self, people: People, seed: int = 1, start: float = START, **settings: Any) -> None:
        settings.setdefault("events", LEAN)
        numbers = itertools.count(1)
        self.now = start
        self.switch = SimSwitch(
            people, rng=random.Random(seed), new_uuid=lambda: f"uuid-{next(numbers)}", settings=SwitchSettings(**settings))
        self.seen: list[SwitchEvent] = []

    def run(self, seconds: float) -> list[SwitchEvent]:
        """Let time pass; what happened meanwhile."""
        end, begin = self.now + seconds, len(self.seen)
        while (wakeup := self.switch.next_wakeup()) is not None and wakeup <= end:
            self.now = max(self.now, wakeup)
            self.seen += self.switch.advance(self.now)
        self.now = end
        return self.seen[begin:]

    def dial(self, uuid: str, number: str = "1", target: str = "&park()", **variables: str) -> None:
        given = {"ignore_early_media": "true", "fsd_role": "lead", **variables}
        self.switch.originate(f"job-{uuid}", uuid, SIP.format(number), given, target, self.now)

    def job(self, uuid: str) -> str:
        return next(event.body or "" for event in self.seen if event.headers.get("Job-UUID") == f"job-{uuid}")

    def of(self, uuid: str) -> list[str]:
        return [event.name for event in self.seen if event.uuid == uuid]

    def last(self, uuid: str, name: str) -> SwitchEvent:
        return next(event for event in reversed(self.seen) if (event.uuid, event.name) == (uuid, name))


def parked(*uuids: str, did: Behaviour | None = None, **settings: Any) -> World:
    """Legs that have been answered and wait."""
    world = World(ScriptedPeople({}, default=did or Behaviour(after_s=0.5)), **settings)
    for uuid in uuids:
        world.dial(uuid)
    world.run(2)
    return world


# ---- dialling

def test_lean_headers_tell_a_translator_all_it_needs() -> None:
    world = World(ScriptedPeople({"1": Behaviour("refuse", 0.2, 180, 0.1, 603)}))
    world.dial("a", fsd_attempt="77", secret="x")
    world.run(1)
    end = world.last("a", "CHANNEL_HANGUP_COMPLETE").headers
    assert end["Unique-ID"] == "a" and end["Hangup-Cause"] == "CALL_REJECTED" and end["Channel-Call-State"] == "HANGUP"
    assert end["variable_sip_term_status"] == "603" and end["variable_hangup_cause_q850"] == "21" and end["variable_fsd_attempt"] == "77"
    assert end["variable_sip_gateway_name"] == "trunk" and end["variable_answer_epoch"] == "0" and "variable_secret" not in end
    assert world.job("a") == "-ERR CALL_REJECTED\n"


@pytest.mark.parametrize("timeout_s", [1, 2, 3, 15, 30])
@pytest.mark.parametrize("phase", [0.01, 0.5, 0.99])
def test_originate_timeout_counts_whole_seconds_of_the_clock(timeout_s: int, phase: float) -> None:
    """20."""
    world = World(ScriptedPeople({"1": Behaviour("ring")}), start=1_800_000_000 + phase)
    begun = world.now
    world.dial("a", originate_timeout=str(timeout_s))
    world.run(timeout_s + 2)
    took = world.last("a", "CHANNEL_HANGUP_COMPLETE").at - begun
    assert timeout_s - 1 <= took <= timeout_s + 0.05
    assert world.job("a") == "-ERR NO_ANSWER\n"


def test_nobody_answering_at_all_is_no_answer_without_ringing() -> None:
    """20, 21: a black hole below the SIP timer ends with our own timeout."""
    world = World(ScriptedPeople({"1": Behaviour("silent")}))
    world.dial("a", originate_timeout="5")
    world.run(6)
    assert world.job("a") == "-ERR NO_ANSWER\n"
    assert "CHANNEL_PROGRESS" not in world.of("a")
    assert world.last("a", "CHANNEL_HANGUP_COMPLETE").headers["variable_sip_hangup_disposition"] == "send_cancel"


def test_the_sip_timer_ends_a_black_hole_before_a_long_timeout() -> None:
    """21."""
    world = World(ScriptedPeople({"1": Behaviour("silent")}))
    world.dial("a", originate_timeout="60")
    world.run(40)
    assert world.job("a") == "-ERR RECOVERY_ON_TIMER_EXPIRE\n"
    assert world.last("a", "CHANNEL_HANGUP_COMPLETE").headers["variable_sip_term_status"] == "408"


def test_a_reason_header_wins_over_the_status() -> None:
    world = World(ScriptedPeople({"1": Behaviour("refuse", 0.2, 100, 0.1, 503, reason_q850=34)}))
    world.dial("a")
    world.run(1)
    assert world.job("a") == "-ERR NORMAL_CIRCUIT_CONGESTION\n"


def test_early_media_that_is_not_ignored_makes_the_originate_succeed_before_any_answer() -> None:
    """19."""
    world = World(ScriptedPeople({"1": Behaviour(after_s=5.0, first_response=183)}))
    world.dial("a", ignore_early_media="false")
    world.run(2)
    assert world.job("a") == "+OK a\n"
    assert "CHANNEL_PARK" in world.of("a") and "CHANNEL_ANSWER" not in world.of("a")
    world.run(5)
    assert "CHANNEL_ANSWER" in world.of("a")


@pytest.mark.parametrize(("command", "settings"), [("fsctl pause", {}), ("fsctl max_sessions 0", {}), ("fsctl sps 1", {})])
def test_a_switch_at_its_limits_refuses_without_a_leg(command: str, settings: dict[str, Any]) -> None:
    """18."""
    world = World(ScriptedPeople({}), **settings)
    world.switch.api(command, world.now)
    world.dial("a")
    world.run(1)
    assert world.job("a") == "-ERR DESTINATION_OUT_OF_ORDER\n"
    assert world.of("a") == [] and world.switch.counters.refused_without_leg == 1 and world.switch.counters.lead_legs == 0


def test_sps_lets_one_leg_less_pass_than_it_says() -> None:
    """s02v."""
    world = World(ScriptedPeople({}), sessions_per_second=5)
    for number in range(10):
        world.dial(f"leg{number}")
    assert world.switch.counters.legs == 4
    world.run(1)
    world.dial("later")
    assert world.switch.counters.legs == 5


def test_a_gateway_that_is_down_gives_a_lone_destroy_and_its_cause() -> None:
    """18."""
    world = World(ScriptedPeople({}), gateways={"trunk": True})
    world.switch.set_gateway("trunk", False)
    world.dial("a")
    world.run(1)
    assert world.job("a") == "-ERR GATEWAY_DOWN\n"
    assert [event.name for event in world.seen] == ["CHANNEL_DESTROY", "BACKGROUND_JOB"] and world.seen[0].uuid != "a"
    assert "DOWN" in world.switch.api("sofia status gateway trunk", world.now)
    world.switch.set_gateway("trunk", True)
    world.dial("b")
    world.run(1)
    assert world.job("b") == "+OK b\n"


def test_a_uuid_in_use_is_refused_by_sofia_and_replaced_by_other_endpoints() -> None:
    """22 was recorded with null/. mod_sofia hands origination_uuid to the core, which says "Duplicate UUID!" and makes no leg."""
    world = parked("a")
    world.dial("a")
    world.run(1)
    assert [event.body for event in world.seen if event.name == "BACKGROUND_JOB"] == ["+OK a\n", "-ERR DESTINATION_OUT_OF_ORDER\n"]
    world.switch.originate("job-n", "a", "null/x", {}, "&park()", world.now)
    world.run(1)
    stranger = world.job("n")[4:].strip()
    assert stranger != "a" and world.switch.exists(stranger) == "true"


def test_retries_reuse_the_uuid() -> None:
    """22."""
    world = World(ScriptedPeople({"1": [Behaviour("refuse", 0.1, 100, 0.05, 486), Behaviour(after_s=0.3)]}))
    world.dial("a", originate_retries="2", originate_retry_sleep_ms="500")
    world.run(4)
    assert world.of("a").count("CHANNEL_CREATE") == 2
    assert world.job("a") == "+OK a\n"


def test_a_kill_while_ringing_ends_with_the_cause_that_was_given() -> None:
    """23."""
    for cause, told in (("", "NORMAL_CLEARING"), ("ORIGINATOR_CANCEL", "ORIGINATOR_CANCEL"), ("17", "USER_BUSY"), ("bogus", "NORMAL_CLEARING")):
        world = World(ScriptedPeople({"1": Behaviour("ring")}))
        world.dial("a")
        world.run(1)
        assert world.switch.kill("a", cause, world.now) == "+OK\n"
        world.run(1)
        assert world.job("a") == f"-ERR {told}\n"
        assert world.switch.kill("a", cause, world.now) == "-ERR No such channel!\n"


def test_the_result_and_the_end_of_a_failed_leg_come_in_both_orders() -> None:
    """17."""
    orders = set()
    for seed in range(60):
        world = World(ScriptedPeople({"1": Behaviour("refuse", 0.1, 100, 0.05, 486)}), seed=seed)
        world.dial("a")
        world.run(1)
        orders.add(tuple(event.name for event in world.seen if event.name in ("BACKGROUND_JOB", "CHANNEL_HANGUP_COMPLETE")))
    assert len(orders) == 2


# ---- a user with two phones

def test_the_phone_that_answers_first_has_the_call_and_the_other_loses_the_race() -> None:
    for first_s, second_s, winner, loser in ((0.5, 2.0, "a", "uuid-1"), (2.0, 0.5, "uuid-1", "a")):
        world = World(ScriptedPeople({"1": Behaviour(after_s=first_s, second=Behaviour(after_s=second_s))}))
        world.dial("a")
        world.run(3)
        assert world.job("a") == f"+OK {winner}\n"
        assert world.last(loser, "CHANNEL_HANGUP_COMPLETE").headers["Hangup-Cause"] == "LOSE_RACE"
        assert list(world.switch.legs) == [winner] and world.switch.legs[winner].parked


def test_two_phones_answered_in_the_same_moment_leave_one_leg() -> None:
    for seed in range(20):
        world = World(ScriptedPeople({"1": Behaviour(after_s=0.5, second=Behaviour(after_s=0.5))}), seed=seed)
        world.dial("a")
        world.run(2)
        assert [event.name for event in world.seen].count("CHANNEL_ANSWER") == 2
        assert world.job("a") == f"+OK {next(iter(world.switch.legs))}\n" and len(world.switch.legs) == 1


def test_two_phones_have_failed_when_the_second_one_has() -> None:
    def busy(second: Behaviour) -> Behaviour:
        return Behaviour("refuse", 0.2, 100, 0.05, 486, second=second)

    world = World(ScriptedPeople({"1": busy(Behaviour("refuse", 1.0, 100, 0.05, 603)), "2": busy(Behaviour())}))
    world.dial("a")
    world.dial("b", number="2")
    world.run(2)
    assert world.job("a") == "-ERR CALL_REJECTED\n"
    assert world.job("b").startswith("+OK uuid-")


# ---- people

def test_a_customer_in_silence_loses_patience_and_hangs_up() -> None:
    world = parked("a", did=Behaviour(after_s=0.5, patience_s=4.0))
    world.run(5)
    end = world.last("a", "CHANNEL_HANGUP_COMPLETE")
    assert end.headers["variable_sip_hangup_disposition"] == "recv_bye"
    assert end.at - world.last("a", "CHANNEL_ANSWER").at == pytest.approx(4.0, abs=0.05)


def test_being_connected_ends_the_wait_and_starts_the_talk() -> None:
    people = ScriptedPeople({"1": Behaviour(after_s=0.2, patience_s=3.0, talk_s=10.0), "2": Behaviour(after_s=0.2)})
    world = World(people)
    world.dial("lead", "1")
    world.dial("agent", "2", park_after_bridge="true")
    world.run(1)
    world.switch.bridge("agent", "lead", world.now)
    world.run(30)
    talked = world.last("lead", "CHANNEL_HANGUP_COMPLETE").at - world.last("agent", "CHANNEL_BRIDGE").at
    assert talked == pytest.approx(10.0, abs=0.05)
    assert world.switch.exists("agent") == "true" and world.switch.exists("lead") == "false"


def test_a_talk_that_the_agent_ends_ends_the_customers_leg_and_keeps_a_nailed_one() -> None:
    people = ScriptedPeople({"1": Behaviour(after_s=0.2, talk_s=5.0, ends_talk=False), "2": Behaviour(after_s=0.2)})
    for nailed in ("true", "false"):
        world = World(people)
        world.dial("lead", "1")
        world.dial("agent", "2", park_after_bridge=nailed)
        world.run(1)
        world.switch.bridge("agent", "lead", world.now)
        world.run(10)
        assert world.switch.exists("lead") == "false"
        assert world.switch.exists("agent") == nailed


def test_keys_become_dtmf_events() -> None:
    world = World(ScriptedPeople({"1": Behaviour(after_s=0.2, keys=((1.0, "5"), (2.0, "#")))}))
    world.dial("a")
    world.run(5)
    assert [event.headers["DTMF-Digit"] for event in world.seen if event.name == "DTMF"] == ["5", "#"]


# ---- bridges

def test_the_reply_to_uuid_bridge_comes_before_anything_is_bridged() -> None:
    """11, 28."""
    world = parked("a", "b")
    assert world.switch.bridge("a", "b", world.now) == "+OK b\n"
    assert world.switch.advance(world.now) == []
    world.run(0.2)
    bridged = world.last("a", "CHANNEL_BRIDGE")
    assert (bridged.headers["Bridge-A-Unique-ID"], bridged.headers["Bridge-B-Unique-ID"]) == ("a", "b")
    assert "CHANNEL_BRIDGE" not in world.of("b")


def test_a_bridge_to_a_leg_that_is_gone_leaves_the_other_parked_for_ever() -> None:
    """32."""
    world = parked("a")
    assert world.switch.bridge("a", "gone", world.now) == "-ERR Invalid uuid\n"
    world.run(3600)
    assert world.switch.exists("a") == "true"


def test_a_bridge_to_a_ringing_leg_kills_both() -> None:
    """31."""
    world = World(ScriptedPeople({"1": Behaviour(after_s=0.2), "2": Behaviour("ring")}))
    world.dial("agent", "1")
    world.dial("lead", "2")
    world.run(1)
    assert world.switch.bridge("agent", "lead", world.now) == "+OK lead\n"
    world.run(1)
    assert world.last("lead", "CHANNEL_HANGUP_COMPLETE").headers["Hangup-Cause"] == "DESTINATION_OUT_OF_ORDER"
    assert world.last("agent", "CHANNEL_HANGUP_COMPLETE").headers["Hangup-Cause"] == "ORIGINATOR_CANCEL"
    assert world.job("lead") == "-ERR ORIGINATOR_CANCEL\n"


def test_a_leg_bridged_to_itself_is_stuck_until_it_is_killed() -> None:
    """31."""
    world = parked("a")
    assert world.switch.bridge("a", "a", world.now) == "+OK a\n"
    world.run(60)
    assert world.switch.exists("a") == "true" and "CHANNEL_BRIDGE" not in world.of("a")
    world.switch.kill("a", "", world.now)
    world.run(1)
    assert world.switch.exists("a") == "false"


def test_a_nailed_leg_serves_one_customer_after_the_other() -> None:
    """30."""
    world = World(ScriptedPeople({}, default=Behaviour(after_s=0.2)))
    world.dial("agent", park_after_bridge="true")
    world.run(1)
    for number in range(5):
        lead = f"lead{number}"
        world.dial(lead)
        world.run(1)
        world.switch.bridge("agent", lead, world.now)
        world.run(1)
        world.switch.kill(lead, "", world.now)
        world.run(1)
    assert world.of("agent").count("CHANNEL_BRIDGE") == world.of("agent").count("CHANNEL_UNBRIDGE") == 5
    assert world.of("agent").count("CHANNEL_PARK") == 6 and world.switch.exists("agent") == "true"


def test_without_park_after_bridge_the_leg_ends_with_its_bridge() -> None:
    """29, 30."""
    world = parked("a", "b")
    world.switch.bridge("a", "b", world.now)
    world.run(1)
    world.switch.kill("b", "USER_BUSY", world.now)
    world.run(1)
    assert world.last("b", "CHANNEL_HANGUP_COMPLETE").headers["Hangup-Cause"] == "USER_BUSY"
    assert world.last("a", "CHANNEL_HANGUP_COMPLETE").headers["Hangup-Cause"] == "NORMAL_CLEARING"


def test_a_customer_who_leaves_on_the_way_into_the_bridge_takes_a_nailed_leg_along_unless_it_may_park() -> None:
    """switch_ivr_bridge.c: after the reset only uuid_bridge_park_on_cancel keeps the first leg."""
    for keep in ("true", "false"):
        world = World(ScriptedPeople({}, default=Behaviour(after_s=0.2)), bridge_delay_s=(0.02, 0.02))
        world.dial("agent", park_after_bridge="true", uuid_bridge_park_on_cancel=keep)
        world.dial("lead")
        world.run(1)
        world.switch.bridge("agent", "lead", world.now)
        world.run(0.03)
        world.switch.kill("lead", "", world.now)
        world.run(1)
        assert world.switch.exists("agent") == keep


# ---- playing, transferring, scheduling

def test_a_broadcast_starts_late_and_ends_by_itself() -> None:
    """34."""
    world = parked("a", file_lengths_s={"hello.wav": 3.0})
    begun = world.now
    assert world.switch.broadcast("a", "hello.wav", "aleg", begun) == "+OK Message sent\n"
    world.run(10)
    start, stop = world.last("a", "PLAYBACK_START"), world.last("a", "PLAYBACK_STOP")
    assert 0.1 <= start.at - begun <= 0.2 and stop.at - start.at == pytest.approx(3.0)
    assert stop.headers["Playback-Status"] == "done"


def test_a_missing_file_is_executed_and_not_played() -> None:
    """34."""
    world = parked("a")
    world.switch.broadcast("a", "/sounds/nosuch.wav", "aleg", world.now)
    world.run(5)
    assert "PLAYBACK_START" not in world.of("a") and world.of("a").count("CHANNEL_EXECUTE") == 2


def test_uuid_break_ends_music_with_break() -> None:
    """43."""
    world = parked("a")
    world.switch.broadcast("a", "local_stream://moh", "aleg", world.now)
    world.run(60)
    assert world.switch.break_("a", world.now) == "+OK\n"
    world.run(1)
    assert world.last("a", "PLAYBACK_STOP").headers["Playback-Status"] == "break"
    assert world.switch.exists("a") == "true"


def test_an_unknown_application_hangs_up_the_call() -> None:
    """35."""
    world = World(ScriptedPeople({}, default=Behaviour(after_s=0.2)))
    world.dial("a", target="&nosuchapp(x)")
    world.run(1)
    assert world.last("a", "CHANNEL_HANGUP_COMPLETE").headers["Hangup-Cause"] == "DESTINATION_OUT_OF_ORDER"
    assert "CHANNEL_EXECUTE" not in world.of("a")


def test_a_leg_whose_daemon_is_dead_reaches_the_fallback_within_31_seconds_and_ends() -> None:
    """The switch runs execute_on_answer by itself."""
    world = World(ScriptedPeople({}, default=Behaviour(after_s=0.5)))
    world.dial("a", execute_on_answer="sched_transfer +30 fsd_fallback XML fsd")
    world.run(3)
    world.switch.broadcast("a", "local_stream://moh", "aleg", world.now)
    world.run(60)
    answered = world.last("a", "CHANNEL_ANSWER").at
    notice = [event for event in world.seen if event.name == "PLAYBACK_START"][-1]
    assert 29 <= notice.at - answered <= 31
    assert world.switch.exists("a") == "false"


def test_sched_del_takes_the_fallback_away() -> None:
    world = World(ScriptedPeople({}, default=Behaviour(after_s=0.5)))
    world.dial("a", execute_on_answer="sched_transfer +30 fsd_fallback XML fsd")
    world.run(3)
    assert world.switch.sched_del("a", world.now) == "+OK Deleted: 1\n"
    assert world.switch.sched_del("a", world.now) == "+OK Deleted: 0\n"
    world.run(3600)
    assert world.switch.exists("a") == "true"


def test_sched_hangup_cuts_a_conversation() -> None:
    world = parked("a", "b")
    world.switch.sched_hangup("+5", "a", "ALLOTTED_TIMEOUT", world.now)
    world.switch.bridge("a", "b", world.now)
    world.run(10)
    assert world.last("a", "CHANNEL_HANGUP_COMPLETE").headers["Hangup-Cause"] == "ALLOTTED_TIMEOUT"
    assert world.switch.exists("b") == "false"


def test_a_transfer_to_an_extension_that_does_not_exist_ends_the_call() -> None:
    world = parked("a")
    assert world.switch.transfer("a", "nowhere", "XML", "fsd", world.now) == "+OK\n"
    world.run(1)
    assert world.last("a", "CHANNEL_HANGUP_COMPLETE").headers["Hangup-Cause"] == "NO_ROUTE_DESTINATION"


def test_an_inline_transfer_runs_its_applications_in_order() -> None:
    """36."""
    world = parked("a")
    world.switch.transfer("a", "playback:silence_stream://1500,hangup:USER_BUSY", "inline", "", world.now)
    world.run(5)
    end = world.last("a", "CHANNEL_HANGUP_COMPLETE")
    assert end.headers["Hangup-Cause"] == "USER_BUSY"
    assert world.last("a", "PLAYBACK_STOP").at - world.last("a", "PLAYBACK_START").at == pytest.approx(1.5)


def test_parking_both_legs_of_a_bridge_keeps_both() -> None:
    world = parked("a", "b")
    world.switch.bridge("a", "b", world.now)
    world.run(1)
    assert world.switch.transfer("a", "park", "inline", "", world.now, "-both") == "+OK\n"
    world.run(60)
    assert world.switch.exists("a") == world.switch.exists("b") == "true"
    assert world.of("a")[-2:] == ["CHANNEL_EXECUTE", "CHANNEL_PARK"] and world.of("b")[-1] == "CHANNEL_PARK"


def test_uuid_park_of_a_bridged_leg_ends_its_partner() -> None:
    world = parked("a", "b")
    world.switch.bridge("a", "b", world.now)
    world.run(1)
    world.switch.park("a", world.now)
    world.run(5)
    assert world.switch.exists("a") == "true" and world.switch.exists("b") == "false"


# ---- texts and the whole

def test_values_that_would_be_expanded_do_not_become_variables() -> None:
    """freeswitch.md: dropped silently."""
    world = World(ScriptedPeople({}))
    world.switch.bgapi("originate {origination_uuid=a,bad=${system(id)},good='two words, one'}sofia/gateway/trunk/1 &park()", "j", world.now)
    world.run(1)
    assert world.switch.getvar("a", "bad") == "_undef_" and world.switch.getvar("a", "good") == "two words, one"


def test_show_channels_does_not_know_a_leg_of_this_moment() -> None:
    """37."""
    world = World(ScriptedPeople({"1": Behaviour("ring")}))
    world.dial("a")
    assert world.switch.api("show channels as json", world.now) == '{"row_count": 0}\n'
    assert world.switch.exists("a") == "true"
    world.run(0.1)
    assert '"uuid":"a"' in world.switch.api("show channels as json", world.now)


def test_a_dump_without_details_still_tells_whose_leg_it_is() -> None:
    world = parked("a", detailed=False)
    dump = dict(line.split(": ", 1) for line in world.switch.dump("a", world.now).strip().split("\n"))
    assert (dump["Unique-ID"], dump["variable_fsd_role"], dump["Answer-State"]) == ("a", "lead", "answered")


def test_events_that_nobody_wants_are_not_made() -> None:
    world = World(ScriptedPeople({}), events=frozenset({"CHANNEL_ANSWER"}))
    world.dial("a")
    world.run(1)
    assert {event.name for event in world.seen} == {"CHANNEL_ANSWER"}


def test_a_lag_delays_events_and_keeps_their_order() -> None:
    prompt, late = parked("a"), parked("a", event_lag_s=0.5)
    assert [(event.name, event.at) for event in prompt.seen] == [(event.name, event.at) for event in late.seen]
    world = World(ScriptedPeople({}), event_lag_s=0.5)
    world.dial("a")
    assert world.switch.next_wakeup() is not None
    assert world.run(0.4) == [] and world.run(0.2) != []


def test_shutting_down_ends_every_call_and_says_so() -> None:
    """15."""
    world = parked("a", "b", events=None)
    assert world.switch.api("fsctl shutdown", world.now) == "+OK\n"
    world.run(1)
    assert {world.last(uuid, "CHANNEL_HANGUP_COMPLETE").headers["Hangup-Cause"] for uuid in "ab"} == {"SYSTEM_SHUTDOWN"}
    assert world.seen[-1].name == "API" and "SHUTDOWN" in {event.name for event in world.seen}


def busy_hour(seed: int, detailed: bool) -> list[tuple[str, str, float, tuple[tuple[str, str], ...]]]:
    """Twenty nailed agents and a stream of leads; every agent that parks gets the lead that has waited longest."""
    world = World(ModelledPeople(), seed=seed, detailed=detailed)
    idle: list[str] = []
    waiting: list[str] = []
    for number in range(20):
        world.switch.originate(f"a{number}", f"agent{number}", f"user/{number}", {"fsd_role": "agent", "park_after_bridge": "true"}, "&park()", world.now)
    for number in range(900):
        world.dial(f"lead{number}", f"1555{number}", originate_timeout="30")
        for event in world.run(1.0):
            if event.name == "CHANNEL_PARK":
                (idle if event.headers.get("variable_fsd_role") == "agent" else waiting).append(event.uuid)
        waiting = [uuid for uuid in waiting if world.switch.exists(uuid) == "true"]
        while idle and waiting:
            world.switch.bridge(idle.pop(0), waiting.pop(0), world.now)
    world.switch.hang_up_all("NORMAL_CLEARING", world.now)
    world.run(60)
    assert world.switch.legs == {}
    return [(event.name, event.uuid, event.at, tuple(item for item in event.headers.items() if item[0] != "Application-UUID")) for event in world.seen]


def test_equal_seeds_give_equal_hours_and_other_seeds_others() -> None:
    first, again, other = busy_hour(5, False), busy_hour(5, False), busy_hour(6, False)
    assert first == again and first != other
    kinds = [name for name, *_ in first]
    assert kinds.count("CHANNEL_CREATE") == kinds.count("CHANNEL_DESTROY") and kinds.count("CHANNEL_BRIDGE") == kinds.count("CHANNEL_UNBRIDGE") > 50


def test_keeping_the_details_changes_nothing_that_happens() -> None:
    assert busy_hour(5, True) == busy_hour(5, False)


def test_the_switch_knows_neither_gevent_nor_sockets() -> None:
    """Virtual time runs in processes that must not load them."""
    code = "import sys, fs_dialer.sim.switch; print([name for name in ('gevent', 'psycopg2', 'socket') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"

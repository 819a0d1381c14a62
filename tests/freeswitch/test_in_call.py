"""Hold, transfer, recording and listening in on the wire: what agents ask, and what the switch then says of the legs."""

from __future__ import annotations

import time
import wave
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import pytest

from fs_dialer.db.backoffice import Backoffice
from tests.freeswitch import number_plan as plan
from tests.freeswitch.number_plan import STAYS, Kind
from tests.freeswitch.watch import AGENTS_AT, Leg, Watch
from tests.freeswitch.world import World

CUSTOMER = Kind(plan.ANSWERS_AT_ONCE, STAYS).numbers(1, first=900)
FRIEND = Kind(plan.ANSWERS_AT_ONCE, STAYS).numbers(1, first=901)[0]
CAMPAIGN = "wrap_up: 30s\nagent_ring: 20s\n"
KINDS = pytest.mark.parametrize("leg", ["per_call", "nailed"])
BRIEF_S = 0.5  # for what must not happen


@dataclass
class Talk:
    """A customer and his agent, who talk; another agent is free."""

    world: World
    lead: Leg
    mine: Leg
    other: str

    @property
    def watch(self) -> Watch:
        return self.world.watch

    @property
    def agent(self) -> str:
        return self.mine.agent

    def ask(self, verb: str, agent: str = "", ok: bool = True, **args: str) -> str:
        with closing(Backoffice(self.world.dsn)) as office:
            id = office.submit_command("agent", agent or self.agent, {"verb": verb, **args}, "test")
            answer = office.wait_reply(id, 10.0)
        assert answer is not None and answer[0] is ok, f"{verb}: {answer}\n{self.world.daemons[-1].tail()}"
        return answer[1]

    def bridged(self, times: int, one: Leg, other: Leg | None = None) -> None:
        """Until a leg was bridged so often, the last time to the other."""
        self.watch.until(lambda: len(one.bridged_to) == times and (other is None or one.bridged_to[-1] == other.uuid), f"bridged {times} times")

    def parked(self, leg: Leg, times: int) -> None:
        self.watch.until(lambda: leg.count("CHANNEL_PARK") >= times, f"parked {times} times")

    def new_leg(self, role: str, agent: str = "") -> Leg:
        """The latest leg of a role that is up."""

        def found() -> list[Leg]:
            return [leg for leg in self.watch.legs.values() if leg.role == role and leg.agent == agent and leg.alive and leg.answered]

        self.watch.until(lambda: bool(found()), f"a leg of role {role} {agent}")
        return found()[-1]

    def other_leg(self) -> Leg:
        return self.new_leg("agent", self.other)

    def over(self, *legs: Leg) -> None:
        self.watch.until(lambda: not any(leg.alive for leg in legs), "these legs are over")

    @staticmethod
    def executed(leg: Leg) -> list[str]:
        """What ran on a leg, with its data."""
        return [event.headers.get("Application-Data", "") for _, event in leg.events if event.name == "CHANNEL_EXECUTE"]


def talk(world: World, leg: str, more: str = "") -> Talk:
    agents: Mapping[str, str] = {"ana": leg, "bob": leg}
    world.set_up(agents, CAMPAIGN + more, CUSTOMER)
    world.order_start(list(agents))
    world.start_daemon()
    watch = world.watch
    watch.until(lambda: any(one.bridged_to for one in watch.leads()), "a conversation", 40.0)
    (lead,) = [one for one in watch.leads() if one.bridged_to]
    mine = watch.legs[lead.bridged_to[0]]
    return Talk(world, lead, mine, "bob" if mine.agent == "ana" else "ana")


@KINDS
def test_hold_parks_both_and_resume_connects_them_again(world: World, leg: str) -> None:
    t = talk(world, leg)
    for turn in (1, 2):
        parks = t.lead.count("CHANNEL_PARK")
        t.ask("hold")
        t.parked(t.lead, parks + 1)
        t.watch.until(lambda: any("moh" in told for told in t.executed(t.lead)), "music for the customer")
        assert "already" in t.ask("hold", ok=False)
        t.ask("resume")
        t.bridged(1 + turn, t.lead, t.mine)
    t.ask("hang_up")
    t.over(t.lead)
    if leg == "per_call":
        t.over(t.mine)
    else:
        time.sleep(BRIEF_S)
        assert t.mine.alive, "a nailed leg goes on"


@KINDS
def test_blind_transfer_to_an_agent(world: World, leg: str) -> None:
    t = talk(world, leg)
    t.ask("transfer", kind="agent", to=t.other)
    his = t.other_leg()
    t.bridged(2, t.lead, his)
    if leg == "per_call":
        t.over(t.mine)
    t.ask("hang_up", agent=t.other)
    t.over(t.lead)
    world.until("SELECT max(agent) FROM all_attempts WHERE closed_at IS NOT NULL", t.other, "the attempt is his")


def test_blind_transfer_to_a_number_and_its_end(world: World) -> None:
    t = talk(world, "per_call")
    t.ask("transfer", kind="number", to=FRIEND)
    friend = t.new_leg("transfer")
    t.bridged(2, t.lead, friend)
    t.over(t.mine)
    assert t.lead.alive
    t.watch.api(f"uuid_kill {friend.uuid}")
    t.over(t.lead)


@KINDS
def test_attended_transfer_is_consulted_then_completed(world: World, leg: str) -> None:
    t = talk(world, leg)
    t.ask("transfer", kind="agent", to=t.other, attended="yes")
    his = t.other_leg()
    t.bridged(1, his, t.mine)
    assert t.lead.alive and len(t.lead.bridged_to) == 1
    t.ask("complete_transfer")
    t.bridged(2, t.lead, his)
    if leg == "per_call":
        t.over(t.mine)
    t.watch.api(f"uuid_kill {t.lead.uuid}")
    t.over(t.lead)
    if leg == "per_call":
        t.over(his)


@KINDS
def test_attended_transfer_is_taken_back(world: World, leg: str) -> None:
    t = talk(world, leg)
    t.ask("transfer", kind="agent", to=t.other, attended="yes")
    his = t.other_leg()
    t.bridged(1, his, t.mine)
    t.ask("resume")
    t.bridged(2, t.lead, t.mine)
    if leg == "per_call":
        t.over(his)
    assert t.mine.alive
    t.ask("hang_up")
    t.over(t.lead)


def test_a_consulted_phone_that_is_put_down_leaves_both_others_where_they_are(world: World) -> None:
    t = talk(world, "per_call")
    t.ask("transfer", kind="agent", to=t.other, attended="yes")
    his = t.other_leg()
    t.bridged(1, his, t.mine)
    t.watch.api(f"uuid_kill {his.uuid}")
    t.over(his)
    time.sleep(BRIEF_S)
    assert t.mine.alive and t.lead.alive
    t.ask("resume")
    t.bridged(2, t.lead, t.mine)


def test_the_giver_s_phone_put_down_in_the_consultation_completes_it(world: World) -> None:
    t = talk(world, "per_call")
    t.ask("transfer", kind="agent", to=t.other, attended="yes")
    his = t.other_leg()
    t.bridged(1, his, t.mine)
    t.watch.api(f"uuid_kill {t.mine.uuid}")
    t.bridged(2, t.lead, his)
    assert t.lead.alive and his.alive


def test_nobody_answers_a_blind_transfer_and_the_customer_is_back(world: World) -> None:
    world.set_up({"ana": "per_call"}, CAMPAIGN, CUSTOMER)
    watch = world.watch
    world.order_start(["ana"])
    world.start_daemon()
    watch.until(lambda: any(one.bridged_to for one in watch.leads()), "a conversation", 40.0)
    (lead,) = [one for one in watch.leads() if one.bridged_to]
    t = Talk(world, lead, watch.legs[lead.bridged_to[0]], "")
    t.ask("transfer", kind="number", to=Kind(plan.RINGS_AND_REFUSES, 486).numbers(1, first=950)[0])
    t.bridged(2, t.lead, t.mine)


def test_a_call_is_recorded_paused_and_its_file_has_what_was_said(world: World) -> None:
    t = talk(world, "nailed", "recording: {calls: answered, stereo: yes}\n")
    t.ask("pause_recording")
    time.sleep(1.0)
    t.ask("resume_recording")
    t.ask("hold")
    t.ask("resume")
    time.sleep(1.0)
    assert "may not stop" in t.ask("stop_recording", ok=False)
    t.ask("hang_up")
    t.over(t.lead)
    (file,) = (world.folder / "state" / "recordings" / "c").glob(f"*/{t.lead.attempt}.wav")
    with closing(wave.open(str(file))) as sound:
        assert sound.getnchannels() == 2 and sound.getnframes() / sound.getframerate() > 1.0
    world.until("SELECT max(outcome) FROM all_attempts WHERE closed_at IS NOT NULL", "connected", "it is closed")


def test_a_recording_that_can_not_be_written_costs_no_call(world: World) -> None:
    (world.folder / "state").mkdir()
    (world.folder / "state" / "recordings").write_text("a file where the folder should be", encoding="utf-8")
    t = talk(world, "nailed", "recording: {calls: answered}\n")
    world.daemons[-1].says("recording_failed")
    assert t.lead.alive
    t.ask("hang_up")
    t.over(t.lead)


@pytest.mark.parametrize("how", ["listen", "whisper", "barge"])
def test_a_supervisor_hears_the_agent_and_goes_with_his_leg(world: World, how: str) -> None:
    t = talk(world, "per_call")
    t.ask("supervise", dial=f"sofia/internal/boss@{AGENTS_AT}", how=how)
    boss = t.new_leg("supervisor")
    application = "three_way" if how == "barge" else "eavesdrop"
    t.watch.until(lambda: f"EXECUTE {application}" in boss.story(), f"{application} runs")
    t.ask("hold")
    t.ask("resume")
    t.bridged(2, t.lead, t.mine)
    assert boss.alive
    t.ask("hang_up")
    t.over(t.lead, t.mine, boss)


def test_an_agent_hears_his_beep_before_the_customer(world: World) -> None:
    place = "tone_stream://%(300,0,800)"
    t = talk(world, "nailed", f'agent_hears: "{place}"\n')
    played = [at for at, event in t.mine.events if event.name == "CHANNEL_EXECUTE" and "tone_stream" in event.headers.get("Application-Data", "")]
    bridged = next(at for at, event in t.mine.events if event.name == "CHANNEL_BRIDGE")
    assert played and played[0] < bridged

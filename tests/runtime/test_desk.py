"""What people ask through the database becomes events, each once."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from fs_dialer.core import events as ev
from fs_dialer.core.definition import WrapUp
from fs_dialer.core.model import AgentId, AgentStatus, CampaignId, CampaignState, CommandId, LegKind
from fs_dialer.core.snapshot import Snapshot
from fs_dialer.core.stored import StoredCampaign, StoredCommand
from fs_dialer.db.listen import Hint
from fs_dialer.db.memory import MemoryStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.errors import ConfigError, Problem, StoreError
from fs_dialer.runtime.desk import LOOK_EVERY_S, Desk
from tests.core.builders import an_agent
from tests.runtime.day import NOON, SPRING, a_day_campaign, a_store


class Store(MemoryStore):
    """A store that can be away, keeps what was published, and counts how often commands were read."""

    def __init__(self) -> None:
        super().__init__(lambda: NOON)
        self.away: StoreError | ConfigError | None = None
        self.published: list[Snapshot] = []

    def campaigns(self) -> list[StoredCampaign]:
        self._ask()
        return list(super().campaigns())

    def pending_commands(self) -> list[StoredCommand]:
        self._ask()
        return list(super().pending_commands())

    def set_campaign_state(self, campaign: CampaignId, revision: int, state: CampaignState, started: bool, reason: str, who: str) -> None:
        self._ask()
        super().set_campaign_state(campaign, revision, state, started, reason, who)

    def publish(self, snapshot: Snapshot) -> None:
        self._ask()
        self.published.append(snapshot)

    def _ask(self) -> None:
        if self.away is not None:
            raise self.away


class OverError(Exception):
    """The script of hints has ended."""


class Room:
    """A desk with a store, a clock, and somebody who gives the hints of a script."""

    def __init__(self, state: CampaignState = CampaignState.RUNNING) -> None:
        self.store = Store()
        a_store(office=self.store, leads=3, state=state)
        self.events: list[ev.Event] = []
        self.now = NOON
        self.script: list[list[Hint]] = []
        self.desk = Desk(self.store, self, self.events.append, lambda: self.now)
        self.desk.seen_at_start()

    def hints(self, timeout_s: float) -> list[Hint]:
        if not self.script:
            raise OverError
        return self.script.pop(0)

    def listen(self, *hints: str, kinds_at_once: bool = False) -> list[ev.Event]:
        """One look for each "kind:name"; the events that came of it."""
        self.script = [[Hint(*hint.split(":"))] for hint in hints]
        self.events.clear()
        with pytest.raises(OverError):
            self.desk.listen()
        return list(self.events)

    def ask(self, verb: str, target: str = SPRING, **args: str) -> str:
        return self.store.submit_command(verb, target, args, "olga")

    def commands(self) -> list[ev.CommandEvent]:
        return [event for event in self.events if isinstance(event, ev.CommandEvent)]


@pytest.fixture
def room() -> Room:
    return Room()


def test_commands_that_waited_are_read_before_any_hint_comes(room: Room) -> None:
    id = room.ask("pause")
    room.listen()
    assert room.events == [ev.PauseCampaign(id, "olga", SPRING)]  # type: ignore[arg-type]


def test_each_verb_becomes_its_event_in_the_order_of_asking(room: Room) -> None:
    for verb in ("start", "pause", "end"):
        room.ask(verb)
    room.ask("agent_status", "ana", status="not_available", reason="lunch")
    room.listen("command:x")
    assert [type(event) for event in room.commands()] == [ev.StartCampaign, ev.PauseCampaign, ev.EndCampaign, ev.SetAgentStatus]
    last = room.commands()[-1]
    assert isinstance(last, ev.SetAgentStatus)
    assert (last.agent, last.status, last.reason) == ("ana", AgentStatus.NOT_AVAILABLE, "lunch")


def test_a_command_is_given_to_the_engine_once_until_it_is_answered(room: Room) -> None:
    room.ask("pause")
    room.listen("command:x", "command:x", "command:x")
    assert len(room.commands()) == 1
    room.listen("all:")
    assert room.commands() == []


def test_a_command_nobody_knows_and_a_status_nobody_has_are_refused_by_name(room: Room) -> None:
    dance, asleep = room.ask("dance"), room.ask("agent_status", "ana", status="asleep")
    assert room.listen("command:x") == []
    assert room.store.reply_of(dance) == (False, "this daemon does not know the command dance")  # type: ignore[arg-type]
    assert room.store.reply_of(asleep) == (False, "no such agent status: asleep")  # type: ignore[arg-type]


def test_a_new_campaign_is_told_before_the_command_about_it(room: Room) -> None:
    room.store.add_campaign(replace(a_day_campaign(), id=CampaignId("summer")))
    room.ask("approve", "summer")
    events = room.listen("command:x")
    kinds = [type(event) for event in events]
    assert kinds.index(ev.CampaignLoaded) < kinds.index(ev.ApproveCampaign)


@pytest.mark.spec("D5")
def test_approving_a_newer_revision_of_a_running_campaign_is_done_in_the_store_and_told_as_its_definition(room: Room) -> None:
    """D5: it stays running, and dials by the new one from now on."""
    room.store.add_campaign(replace(a_day_campaign(), wrap_up=WrapUp(time_s=30.0)))
    id = room.ask("approve")
    events = room.listen("command:x")
    (loaded,) = [event for event in events if isinstance(event, ev.CampaignLoaded)]
    assert (loaded.campaign.revision, loaded.campaign.wrap_up_s, loaded.state) == (2, 30.0, CampaignState.RUNNING)
    assert room.commands() == []
    assert room.store.reply_of(id) == (True, "spring: revision 2 approved; it stays running")  # type: ignore[arg-type]


@pytest.mark.spec("D5")
def test_approving_a_revision_that_is_not_the_newest_is_refused(room: Room) -> None:
    room.store.add_campaign(replace(a_day_campaign(), wrap_up=WrapUp(time_s=30.0)))
    id = room.ask("approve", revision="1")
    room.listen("command:x")
    assert room.store.reply_of(id) == (False, "revision 1 is not the newest; 2 is")  # type: ignore[arg-type]


def test_a_first_approval_is_the_engines() -> None:
    room = Room(CampaignState.NEW)
    id = room.ask("approve", revision="1")
    room.listen("command:x")
    assert room.commands() == [ev.ApproveCampaign(id, "olga", SPRING, 1)]  # type: ignore[arg-type]


def test_a_store_that_goes_away_in_the_middle_of_a_command_is_asked_again(room: Room) -> None:
    """The command must be neither lost nor answered."""
    room.store.add_campaign(replace(a_day_campaign(), wrap_up=WrapUp(time_s=30.0)))
    id = room.ask("approve")
    campaign = room.store.campaign(SPRING)
    assert campaign is not None
    room.store.approve_revision = _away  # type: ignore[method-assign, assignment]
    room.listen("command:x")
    assert room.store.reply_of(id) is None  # type: ignore[arg-type]
    del room.store.approve_revision
    room.listen("all:")
    assert room.store.reply_of(id) == (True, "spring: revision 2 approved; it stays running")  # type: ignore[arg-type]


def _away(*_: object) -> None:
    raise StoreError("the database does not answer", lost=True)


def test_what_the_store_refuses_is_the_answer(room: Room) -> None:
    room.store.add_campaign(replace(a_day_campaign(), wrap_up=WrapUp(time_s=30.0)))
    id = room.ask("approve")
    room.store.take_epoch("x")
    room.store._db.epoch += 1  # another daemon has taken over
    room.listen("command:x")
    answer = room.store.reply_of(id)  # type: ignore[arg-type]
    assert answer is not None and not answer[0] and "another daemon is the active one" in answer[1]


@pytest.mark.parametrize("trouble", [StoreError("away", lost=True), ConfigError([Problem("", 0, 0, "wrap_up", "is odd")])])
def test_trouble_while_looking_is_logged_and_the_next_look_is_made(room: Room, trouble: StoreError | ConfigError, caplog: pytest.LogCaptureFixture) -> None:
    room.store.away = trouble
    with caplog.at_level(logging.WARNING):
        assert [event for event in room.listen("all:") if isinstance(event, ev.CampaignLoaded)] == []
    assert caplog.records
    room.store.away = None
    room.ask("pause")
    room.listen("all:")
    assert room.commands()


# --- definitions ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M10")
def test_a_hint_about_leads_tells_the_campaign_again_so_that_it_claims(room: Room) -> None:
    room.store.add_leads(SPRING, [LeadRow("+34911000000", ("Europe/Madrid",))])
    (loaded,) = [event for event in room.listen("leads:spring") if isinstance(event, ev.CampaignLoaded)]
    assert ("Europe/Madrid",) in loaded.zone_sets


def test_what_did_not_change_is_not_told_again(room: Room) -> None:
    assert {type(event) for event in room.listen("all:", "agents:", "campaign:spring")} == {ev.InstallationLoaded}


def test_a_changed_agent_is_told_and_one_taken_out_is_removed(room: Room) -> None:
    room.store.add_agents([an_agent("ana", LegKind.NAILED, dial_string="user/2002")])
    del room.store._db.agents[AgentId("bob")]
    events = room.listen("agents:")
    assert [event.agent.dial_string for event in events if isinstance(event, ev.AgentLoaded)] == ["user/2002"]
    assert [event for event in events if isinstance(event, ev.AgentRemoved)] == [ev.AgentRemoved(AgentId("bob"))]


def test_everything_is_looked_at_every_half_minute_without_any_hint(room: Room) -> None:
    """A hint may be lost with its connection."""
    room.store.add_agents([an_agent("zoe")])
    room.script = [[], []]
    room.events.clear()
    room.now += LOOK_EVERY_S
    with pytest.raises(OverError):
        room.desk.listen()
    assert [event.agent.id for event in room.events if isinstance(event, ev.AgentLoaded)] == ["zoe"]


def test_a_status_that_can_not_be_published_troubles_nobody(room: Room) -> None:
    snapshot = Snapshot(NOON, True, True, False, 0, 10, (), ())
    room.desk.publish(snapshot)
    room.store.away = StoreError("away", lost=True)
    room.desk.publish(snapshot)
    assert room.store.published == [snapshot]


@pytest.mark.parametrize("lead", ["\N{SUPERSCRIPT TWO}", "9" * 5000, "-1", "1.5"])
def test_a_verb_with_a_lead_that_is_no_id_is_refused_and_the_next_command_is_heard(room: Room, lead: str) -> None:
    id = room.store.submit_command("agent", "ana", {"verb": "take", "campaign": SPRING, "lead": lead}, "olga")
    pause = room.ask("pause")
    room.listen("command:x")
    answer = room.store._db.commands[CommandId(id)].answer
    assert answer is not None and not answer[0] and "no lead id" in answer[1] and len(answer[1]) < 200
    assert [event.command_id for event in room.commands()] == [pause]


@pytest.mark.parametrize("revision", ["\N{SUPERSCRIPT TWO}", "9" * 5000])
def test_a_revision_that_is_no_number_ends_no_daemon(room: Room, revision: str) -> None:
    room.ask("approve", revision=revision)
    room.listen("command:x")


def test_a_command_on_which_we_fail_is_logged_and_answered(room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    id = room.ask("agent_status", "ana", status="not_available")
    monkeypatch.setattr(room.desk, "_agent_status", fails)
    room.listen("command:x")
    answer = room.store._db.commands[CommandId(id)].answer
    assert answer is not None and not answer[0] and "RuntimeError" in answer[1] and "a bug of ours" in caplog.text

"""An autocall campaign on a real switch: every way through its flow taken by a telephone of its own, and found in the report, the tickets and the leads.

The flow is put into the switch by `switch install`; customers are SIPp's, each with the keys he presses, as RFC 2833 or as SIP INFO.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fs_dialer.esl.wire import Event
from tests.freeswitch.callers import Step, answering
from tests.freeswitch.conftest import Sipp
from tests.freeswitch.plugged import asked, plugged_in
from tests.freeswitch.told import Told
from tests.freeswitch.watch import Address, Leg, Watch
from tests.freeswitch.world import World, write_definitions
from tests.runtime.service import Service, service

pytestmark = pytest.mark.spec("S50", "S51", "S52")

OWED, MENU, MUSIC, GOODBYE = "tone_stream://%(200,50,440)", "tone_stream://%(300,50,500)", "tone_stream://%(1000,0,350)", "tone_stream://%(150,50,600)"
DESK = "+12129020001"  # to whom the flow transfers
SOON = 4.0  # past the prompts before the menu, and before its time is over
FLOW = f"""
ivrs:
  survey:
    at_most: 90s
    nodes:
      owed: {{do: say, as_a: number, text: "{{due}}", sound: "{OWED}", next: gone}}
      gone: {{do: play, sound: sounds/there-is-no-such-file.wav, next: main}}
      main:
        do: menu
        sound: "{MENU}"
        keys: {{1: adviser, 2: pin, 3: nobody, 4: message, 5: desk, 6: ask, 7: asks_for_ever, 8: second, 9: stop, 0: bye, star: owed}}
        timeout: 8s
        tries: 1
        otherwise: unheard
      adviser: {{do: connect, people: [ready-0, ready-1], otherwise: message}}
      second: {{do: connect, people: [never-0, ready-2], otherwise: message}}
      nobody: {{do: connect, people: [never-1], otherwise: message}}
      pin: {{do: gather, digits: 3..5, ends_with: hash, pattern: "[1-9][0-9]+", tries: 2, timeout: 5s, as: reference, next: rating, otherwise: unheard}}
      rating: {{do: rate, tries: 1, next: mark, otherwise: mark}}
      mark: {{do: set, set: {{says_paid: "yes"}}, next: bye}}
      message: {{do: record, at_most: 20s, silence: 2s, next: bye}}
      desk: {{do: transfer, to: "{DESK}", ring: 5s, otherwise: unheard}}
      ask: {{do: http, url: "ANSWERS", send: [number, due], take: [paid], timeout: 4s, next: paid, otherwise: unheard}}
      paid: {{do: if, what: paid, is: ["yes", "true"], next: bye, otherwise: unheard}}
      asks_for_ever: {{do: http, url: "HANGS", timeout: 2s, next: bye, otherwise: unheard}}
      stop: {{do: opt_out, sound: "{GOODBYE}", next: bye}}
      bye: {{do: end, sound: "{GOODBYE}"}}
      unheard: {{do: end, success: no}}
"""
CAMPAIGN = f"""ivr: survey
lines: 30
waiting: {{at_most: 9s, music: '{MUSIC}'}}
agent_ring: 5s
tickets: on_agent_or_voicemail
attempts: {{gap: 4h}}
"""
AGENTS = {"never-0": "per_call", "never-1": "per_call", "ready-0": "per_call", "ready-1": "nailed", "ready-2": "per_call"}


def keys(*pressed: str, how: str = "key", every_s: float = 0.7) -> list[Step]:
    steps: list[Step] = [("wait", SOON)]
    for key in pressed:
        steps += [(how, key), ("wait", every_s)]  # type: ignore[list-item]
    return steps


LEAVES: Step = ("hang_up", "")
# Who does what. One who talks with an agent hangs up himself.
PEOPLE: Mapping[str, list[Step]] = {
    "adviser": [*keys("1"), ("wait", 5.0), LEAVES],
    "adviser by info": [*keys("1", how="info"), ("wait", 5.0), LEAVES],
    "second": [*keys("8"), ("wait", 9.0), LEAVES],
    "nobody": [*keys("3"), ("wait", 9.4), ("talk", 5.0)],
    "digits": keys("2", "4", "7", "1", "1", "#", "5", every_s=0.8),
    "digits by info": keys("2", "9", "8", "7", "#", "2", how="info", every_s=0.8),
    "wrong digits": [*keys("2", "0", "1", "2", "#"), ("wait", 0.5), *keys("8", "8", "#")[1:]],
    "again": [*keys("*"), *keys("0")],
    "message till silence": [*keys("4"), ("wait", 0.6), ("talk", 4.0)],
    "message till key": [*keys("4"), ("wait", 0.6), ("talk", 4.0), ("wait", 3.0), ("info", "#")],
    "message till hang-up": [*keys("4"), ("wait", 0.6), ("talk", 5.0), ("wait", 4.0), LEAVES],
    "desk": keys("5"),
    "asks": keys("6"),
    "asks for ever": keys("7"),
    "stop": keys("9"),
    "bye": keys("0"),
    "silent": [],
    "leaves": [("wait", SOON), LEAVES],
}
NUMBERS = {name: f"+1212901{n:04d}" for n, name in enumerate(PEOPLE)}
WHO = {number: name for name, number in NUMBERS.items()}


@contextmanager
def campaign(world: World, told: Told, customers: Sipp, people: Mapping[str, list[Step]], services: Mapping[str, Service], gap: str = "4h") -> Iterator[Path]:
    """The flow in the database and in the switch, a campaign `c` with these people, and their telephones; nothing is started. The switch's conf folder."""
    place = write_definitions(world.folder, AGENTS, {"c": CAMPAIGN.replace("4h", gap) + f"agents: {{people: [{', '.join(AGENTS)}]}}\n"}, type="autocall")
    flow = FLOW
    for name, each in services.items():
        flow = flow.replace(name, each.url)
    (place / "ivrs.yml").write_text(flow, encoding="utf-8")
    hosts = ", ".join(sorted({f"'{each.host}'" for each in services.values()}))
    with open(place / "installation.yml", "a", encoding="utf-8") as file:
        file.write(f"webhook_hosts: [{hosts}]\n")
    world.command("apply", str(place))
    numbers = {NUMBERS[name]: steps for name, steps in people.items()}
    (world.folder / "c.csv").write_text("phone,due\n" + "".join(f"{number},42\n" for number in numbers), encoding="utf-8")
    world.command("lead", "import", str(world.folder / "c.csv"), "--campaign", "c")
    scenario = world.folder / "customers.xml"
    scenario.write_text(answering({**numbers, DESK: [("wait", 1.5), LEAVES]}, world.folder), encoding="utf-8")
    with plugged_in(world, told) as conf, customers.instead(scenario):
        yield conf


@pytest.fixture
def told(address: Address) -> Iterator[Told]:
    with closing(Told(address)) as told:
        yield told


@dataclass(frozen=True)
class Day:
    """All that was seen, by who did what."""

    attempts: dict[str, dict[str, Any]]
    leads: dict[str, str]
    legs: dict[str, Leg]
    events: dict[str, list[tuple[float, Event]]]
    agents: dict[str, Leg]
    report: dict[str, Any]
    tickets: list[tuple[str, str, str]]
    dnc: list[str]
    asked: list[dict[str, Any]]
    kept: dict[str, str]
    recordings: Path
    left_over: list[str]

    def result(self, who: str) -> tuple[str, str, str]:
        """Outcome, what he did in the flow, where he left."""
        attempt = self.attempts[who]
        return attempt["outcome"], " ".join(f"{node}={value}" for node, _, _, value in attempt["ivr"]), attempt["left_at"]

    def played(self, who: str) -> list[str]:
        return [e.headers.get("Playback-File-Path", "") for _, e in self.events[who] if e.name == "PLAYBACK_START"]


@pytest.fixture(scope="module")
def day(module_world: World, address: Address, customers: Sipp, agents: Sipp) -> Day:
    """The campaign, once for all tests of this file that have no daemon of their own."""
    world = module_world
    with service() as answers, service() as hangs, closing(Told(address)) as told:
        answers.text, hangs.hangs = '{"paid": "yes"}', True
        with campaign(world, told, customers, PEOPLE, {"ANSWERS": answers, "HANGS": hangs}):
            world.order_start(list(AGENTS))
            daemon = world.start_daemon()
            daemon.says("switch_up")
            world.until_all_tried(90.0)
            world.until("SELECT count(*) FROM do_not_call", 1, "the opt-out is written")
            told.until(lambda: told.rows() == {}, "the row in the switch is settled")
            daemon.drain(20.0)
            legs = {WHO[leg.number]: leg for leg in world.watch.leads() if leg.number in WHO}
            columns = ("number", "outcome", "ivr", "left_at", "agent", "missed")
            rows = world.rows(f"SELECT {', '.join(columns)} FROM all_attempts")
            return Day(
                {WHO[row[0]]: dict(zip(columns, row, strict=True)) for row in rows},
                {WHO[number]: status for number, status in world.rows("SELECT number, status::text FROM leads")},
                legs,
                {who: told.of(leg.uuid) for who, leg in legs.items()},
                {leg.uuid: leg for leg in world.watch.agents()},
                asked(world, "report", "ivr", "c"),
                [(channel, WHO[number], agent or "") for channel, number, agent in world.rows("SELECT channel, number, agent FROM tickets ORDER BY id")],
                [number for (number,) in world.rows("SELECT number FROM do_not_call")],
                answers.asked,
                told.rows(),
                world.folder / "state" / "recordings",
                world.watch.left_over(),
            )


# --- what everybody did -------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S63", "D13")
@pytest.mark.parametrize(
    ("who", "result", "lead"),
    [
        ("adviser", ("connected", "main=1", "adviser"), "succeeded"),
        ("adviser by info", ("connected", "main=1", "adviser"), "succeeded"),
        ("second", ("connected", "main=8", "second"), "succeeded"),
        ("digits", ("connected", "main=2 pin=4711 rating=5 mark=done bye=success", ""), "succeeded"),
        ("digits by info", ("connected", "main=2 pin=987 rating=2 mark=done bye=success", ""), "succeeded"),
        ("wrong digits", ("early_hangup", "main=2 unheard=other", ""), "retry"),
        ("again", ("connected", "main=* main=0 bye=success", ""), "succeeded"),
        ("asks", ("connected", "main=6 bye=success", ""), "succeeded"),
        ("asks for ever", ("early_hangup", "main=7 unheard=other", ""), "retry"),
        ("stop", ("connected", "main=9 stop=yes bye=success", ""), "blocked"),
        ("bye", ("connected", "main=0 bye=success", ""), "succeeded"),
        ("silent", ("early_hangup", "unheard=other", ""), "retry"),
        ("leaves", ("early_hangup", "", "main"), "retry"),
        ("desk", ("connected", "main=5 desk=answered", "desk"), "succeeded"),
    ],
)
def test_each_way_is_found_in_the_attempt_and_the_lead(day: Day, who: str, result: tuple[str, str, str], lead: str) -> None:
    assert (day.result(who), day.leads[who]) == (result, lead), day.legs[who].story()


@pytest.mark.spec("S63")
@pytest.mark.parametrize(
    ("who", "first", "seconds", "ends"),
    [
        ("message till silence", "main=4", range(3, 8), "bye=success"),
        ("message till key", "main=4", range(2, 6), "bye=success"),
        ("message till hang-up", "main=4", range(2, 6), ""),
        ("nobody", "main=3", range(2, 9), "bye=success"),
    ],
)
def test_a_message_counts_however_it_ends(day: Day, who: str, first: str, seconds: range, ends: str) -> None:
    """By silence, by a key, by hanging up; and where no agent came in time. SIPp's silence is no packets at all: seconds count what was sent."""
    outcome, path, left_at = day.result(who)
    words = path.split()
    assert (outcome, day.leads[who], words[0]) == ("connected", "succeeded", first), (path, day.legs[who].story())
    assert int(dict(word.split("=") for word in words)["message"]) in seconds, (path, day.legs[who].story())
    assert (words[-1], left_at) == ((ends, "") if ends else (words[1], "message")), path
    assert (day.recordings / "ivr" / f"{day.legs[who].attempt}-message.wav").stat().st_size > 30_000


def test_the_report_counts_what_each_of_them_did(day: Day) -> None:
    """`report ivr c --json`."""
    report = day.report
    found = {(each["node"], each["answer"]): each["times"] for each in report["answers"]}
    menu = {answer: times for (node, answer), times in found.items() if node == "main"}
    assert menu == {"1": 2, "8": 1, "3": 1, "2": 3, "*": 1, "0": 2, "4": 3, "5": 1, "6": 1, "7": 1, "9": 1} | {k: v for k, v in menu.items() if k == ""}
    assert (report["persons"], report["met_agent"], report["messages"], report["opted_out"]) == (len(PEOPLE), 3, 4, 1)
    assert {mark: found["rating", mark] for mark in ("5", "2")} == {"5": 1, "2": 1}
    left = {each["node"]: each["persons"] for each in report["left"]}
    assert (left["adviser"], left["second"], left["main"], left["message"]) == (2, 1, 1, 1) and sum(left.values()) == len(PEOPLE)


@pytest.mark.spec("S51", "S64")
def test_an_agent_takes_over_with_music_until_he_is_there(day: Day) -> None:
    for who in ("adviser", "adviser by info", "second"):
        leg = day.legs[who]
        assert [day.agents[other].agent for other in leg.bridged_to] == [day.attempts[who]["agent"]], leg.story()
    assert {day.attempts[who]["agent"] for who in ("adviser", "adviser by info")} <= {"ready-0", "ready-1"}
    assert MUSIC in day.played("second")


@pytest.mark.spec("S46", "S64")
def test_the_next_agent_is_rung_when_the_first_does_not_answer(day: Day) -> None:
    """Each for five seconds; the switch's whole seconds make it four at least."""
    assert day.attempts["second"]["agent"] == "ready-2"
    (never,) = [leg for leg in day.agents.values() if leg.agent == "never-0"]
    bridged = day.legs["second"].at("CHANNEL_BRIDGE")
    assert bridged is not None and not never.answered
    assert 3.5 < bridged - never.events[0][0] < 8.0


def test_who_met_nobody_in_time_is_not_missed_where_the_flow_goes_on(day: Day) -> None:
    assert not day.attempts["nobody"]["missed"]
    assert MUSIC in day.played("nobody")
    rung = [leg for leg in day.agents.values() if leg.agent == "never-1"]
    assert rung and not any(leg.answered for leg in rung)


def test_an_attribute_of_the_lead_is_said(day: Day) -> None:
    said = " ".join(day.played("bye"))
    assert "digits/40.wav" in said and "digits/2.wav" in said, said


@pytest.mark.spec("M11")
def test_a_service_is_asked_and_its_answer_decides(day: Day) -> None:
    assert [(each["number"], each["due"]) for each in day.asked] == [(NUMBERS["asks"], "42")]


def test_a_service_that_hangs_costs_its_time_and_no_call(day: Day) -> None:
    events = day.events["asks for ever"]
    asks = next(at for at, e in events if e.headers.get("Fsd-What") == "http")
    ended = next(at for at, e in events if e.name == "CHANNEL_HANGUP_COMPLETE")
    assert 1.5 < ended - asks < 5.0


@pytest.mark.spec("D7")
def test_who_opts_out_is_on_the_list(day: Day) -> None:
    assert day.dnc == [NUMBERS["stop"]] and day.kept == {}


@pytest.mark.spec("S63")
def test_tickets_are_of_those_who_met_an_agent_or_left_a_message(day: Day) -> None:
    who = {"adviser", "adviser by info", "second", "nobody", "message till silence", "message till key", "message till hang-up"}
    assert {name for _, name, _ in day.tickets} == who and len(day.tickets) == len(who)


def test_a_missing_sound_is_passed_over(day: Day) -> None:
    """Node `gone` of everybody's way plays a file that is not there."""
    assert all(MENU in " ".join(day.played(who)) for who in PEOPLE)


def test_nothing_is_left_over(day: Day) -> None:
    assert day.left_over == []


# --- what may go wrong --------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D8", "D7")
def test_an_opt_out_while_no_daemon_runs_is_kept_and_written_by_the_next_one(world: World, told: Told, customers: Sipp) -> None:
    with service() as crm, campaign(world, told, customers, {"stop": PEOPLE["stop"]}, {"ANSWERS": crm, "HANGS": crm}):
        world.order_start([])
        first = world.start_daemon()
        world.watch.until(lambda: any(leg.answered for leg in world.watch.leads()), "he is called")
        first.kill()
        leg = world.watch.leads()[0].uuid
        assert told.ended(leg).headers["variable_fsd_ivr"] == "main=9;stop=yes;bye=success"
        assert list(told.rows()) == [f"{leg}.opt_out"]
        world.start_daemon()
        world.until("SELECT count(*) FROM do_not_call", 1, "the opt-out is written")
        world.until("SELECT status::text FROM leads", "blocked", "he is never called again")
        told.until(lambda: told.rows() == {}, "the row in the switch is settled")


@pytest.mark.spec("D3", "D8")
def test_the_switch_is_restarted_in_the_midst_and_everybody_is_called_to_the_end_once(world: World, told: Told, customers: Sipp) -> None:
    """Calls that were up end as ours, do not count, and their leads come back after the gap."""
    names = [f"+1212901{n:04d}" for n in range(100, 112)]
    slow: list[Step] = [("wait", SOON + 2.0), ("key", "0")]
    with service() as crm:
        NUMBERS.update({number: number for number in names})
        people = dict.fromkeys(names, slow)
        with campaign(world, told, customers, people, {"ANSWERS": crm, "HANGS": crm}, gap="1m"):
            world.order_start([])
            world.start_daemon().says("switch_up")
            watch = world.watch
            watch.until(lambda: sum(leg.answered and leg.alive for leg in watch.leads()) >= 6, "six are in the flow")
            told.api("fsctl shutdown restart")
            world.daemons[-1].says("switch_lost")
            again = _reconnected(world.address)
            with closing(again):
                world.watch = again
                world.until("SELECT count(*) FROM leads WHERE status = 'succeeded'", len(names), "everybody has been through it", 150.0)
            found = world.rows("SELECT number, array_agg(outcome ORDER BY opened_at) FROM all_attempts GROUP BY number")
            assert {outcomes[-1] for _, outcomes in found} == {"connected"}
            assert all(outcomes.count("connected") == 1 and set(outcomes[:-1]) <= {"ours", "network", "cancelled", "unknown"} for _, outcomes in found), found
            assert world.one("SELECT max(attempts) FROM leads") == 1


def _reconnected(address: Address) -> Watch:
    """As soon as the switch takes commands again."""
    deadline = time.monotonic() + 60.0
    while True:
        try:
            return Watch(address)
        except (OSError, StopIteration, AssertionError):
            assert time.monotonic() < deadline, "the switch did not come back in 60 s"
            time.sleep(0.5)


def test_a_configuration_that_the_switch_can_not_read_leaves_ours_as_it_was(world: World, told: Told, customers: Sipp) -> None:
    """Somebody's broken file beside ours: `switch reload` says so, and ours are as before. Somebody's change in ours: it tells, and --force mends."""
    with service() as crm, campaign(world, told, customers, {"bye": PEOPLE["bye"]}, {"ANSWERS": crm, "HANGS": crm}) as conf:
        flows, foreign = conf / "dialplan" / "fsd_ivr.xml", conf / "dialplan" / "zz_somebody.xml"
        before = flows.read_bytes()
        place = world.folder / "definitions" / "ivrs.yml"
        place.write_text(place.read_text(encoding="utf-8").replace("at_most: 90s", "at_most: 80s"), encoding="utf-8")
        world.command("apply", str(place.parent), ok=(0, 1, 2, 3))
        foreign.write_text("<include>\n<context name='somebody'>\n<extension name='one'>\n</context>\n</include>\n", encoding="utf-8")
        try:
            told.api("reloadxml")
            world.command("switch", "reload", "--conf-dir", str(conf), ok=(1,))
            assert flows.read_bytes() == before
            assert "survey." in told.api("xml_locate dialplan context name fsd_ivr"), "the switch goes on with what it had"
        finally:
            foreign.unlink()
        flows.chmod(0o644)
        flows.write_bytes(b"<include>\n<context name='fsd_ivr'>\n<broken>\n</include>\n")
        world.command("switch", "reload", "--conf-dir", str(conf), ok=(3,))
        world.command("switch", "reload", "--conf-dir", str(conf), "--force")
        flows.with_name(flows.name + ".fsd-kept").unlink()
        assert b"survey." in flows.read_bytes() and "survey." in told.api("xml_locate dialplan context name fsd_ivr")
        world.order_start([])
        world.start_daemon()
        world.until("SELECT status::text FROM leads", "succeeded", "he is called")

"""IVR flows on the switch that runs them, without a daemon: every path through a flow with every kind of node leaves behind what ivr/walk.py says.

SIPp's customer talks all the time; his keys are pressed by the tests when the flow waits for them. What the daemon does in a flow (an agent, a service's
answer) is done here by the same commands.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path as File

import pytest

from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.flow import Ivr, Node, extension, node_extension, steps
from fs_dialer.core.model import GatewayId
from fs_dialer.dialplans.files import switch_files
from fs_dialer.dialplans.options import MUSIC, SwitchOptions
from fs_dialer.esl.wire import Event
from fs_dialer.ivr.paths import Path, paths
from fs_dialer.ivr.words import Input
from tests.freeswitch import number_plan as plan
from tests.freeswitch.callers import Sipps, Step
from tests.freeswitch.conftest import Sipp
from tests.freeswitch.number_plan import Kind
from tests.freeswitch.told import Told, installed
from tests.freeswitch.watch import AGENTS_AT, Address

AT_ONCE = 8
QUIET_S = 0.45  # longer than any sound of the flow
SHORT, WRONG = "tone_stream://%(150,50,440)", "tone_stream://%(100,50,300)"
DUES = Ivr(
    name="paths",
    nodes=(
        Node(name="hello", do="play", sound=SHORT, next="owed"),
        Node(name="owed", do="say", say_as="money", text="{due}", sound=SHORT, next="known"),
        Node(name="known", do="if", what="tier", among=("gold", "silver"), next="adviser", otherwise="main"),
        Node(name="main", do="menu", sound=SHORT, wrong=WRONG, tries=2, timeout_s=2, otherwise="unheard",
             keys=(("1", "adviser"), ("2", "pin"), ("3", "rating"), ("4", "message"), ("5", "desk"), ("9", "stop"), ("star", "owed"), ("hash", "ask"))),
        Node(name="pin", do="gather", sound=SHORT, digits=(3, 5), pattern="[1-9][0-9]+", tries=2, timeout_s=3, between_s=3, next="wish", otherwise="main"),
        Node(name="wish", do="set", set=(("wants_call", "yes"),), next="bye"),
        Node(name="rating", do="rate", sound=SHORT, low=1, high=5, tries=1, timeout_s=2, next="bye", otherwise="unheard"),
        Node(name="message", do="record", sound=SHORT, at_most_s=20, silence_s=8, next="bye"),
        Node(name="adviser", do="connect", sound=SHORT, otherwise="message"),
        Node(name="desk", do="transfer", number=Kind(plan.RINGS_AND_ANSWERS, 20).numbers(1, first=701)[0], ring_s=5, otherwise="unheard"),
        Node(name="ask", do="http", url="https://crm.example.com/", take=("sum",), timeout_s=1, next="told", otherwise="unheard"),
        Node(name="told", do="say", say_as="number", text="{sum}", next="bye"),
        Node(name="stop", do="opt_out", sound=SHORT, next="bye"),
        Node(name="bye", do="end", sound=SHORT),
        Node(name="unheard", do="end", success=False),
    ),
)  # fmt: skip
REFUSES = Kind(plan.RINGS_AND_REFUSES, 486).numbers(1, first=702)[0]
NOBODY_THERE = replace(DUES, name="nobody", nodes=tuple(replace(node, number=REFUSES) if node.do == "transfer" else node for node in DUES.nodes))
NO_SOUNDS = Ivr(
    name="silent",
    nodes=(
        Node(name="hello", do="play", sound="fsd-tests/missing.wav", next="main"),
        Node(name="main", do="menu", sound="fsd-tests/missing.wav", keys=(("1", "bye"),), tries=2, timeout_s=5, otherwise="unheard"),
        Node(name="bye", do="end", sound="fsd-tests/missing.wav"),
        Node(name="unheard", do="end", success=False),
    ),
)
WAITS_FOR = {"play_and_get_digits": "key", "record": "record", "park": "agent", "bridge": "number", "endless_playback": "http"}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> File:
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def told(address: Address, recordings: File) -> Iterator[Told]:
    options = SwitchOptions(recordings=str(recordings), gateways=(GatewayDefinition(id=GatewayId("trunk1")),))
    with closing(Told(address)) as told, installed(told, switch_files((DUES, NOBODY_THERE, NO_SOUNDS), (), options)):
        told.forget_rows()
        yield told
        told.forget_rows()


@pytest.fixture(scope="module")
def customer(address: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of one who answers, and talks."""
    with closing(Sipps(tmp_path_factory.mktemp("customer"), 15800)) as sipps:
        yield sipps.called(("talk", 40.0), ("wait", 120.0))


class Call:
    """One customer in a flow, who does what a path says."""

    def __init__(self, told: Told, ivr: Ivr, port: int, attributes: dict[str, str] | None = None, start: str = "") -> None:
        self.told, self.ivr, self.leg, self.agent = told, ivr, str(uuid.uuid4()), str(uuid.uuid4())
        variables = {"origination_uuid": self.leg, "ignore_early_media": "true", "fsd_attempt": self.leg, "fsd_number": "+442079460000"}
        variables |= {"fsd_gateway": "trunk1", "fsd_caller_id": "+15550100000"} | {f"fsd_a_{name}": value for name, value in (attributes or {}).items()}
        block = ",".join(f"{name}={value}" for name, value in variables.items())
        where = node_extension(ivr, start) if start else extension(ivr)
        assert told.api(f"bgapi originate {{{block}}}sofia/internal/{self.leg[:8]}@127.0.0.1:{port} {where} XML fsd_ivr") != ""

    def events(self) -> list[tuple[float, Event]]:
        return self.told.of(self.leg)

    @property
    def alive(self) -> bool:
        return not any(event.name == "CHANNEL_HANGUP_COMPLETE" for _, event in self.events())

    @property
    def path(self) -> str:
        return self.told.ended(self.leg).headers.get("variable_fsd_ivr", "")

    def waits_for(self) -> str:
        """What it waits for when nothing more is played; "" = it is busy."""
        events = self.events()
        if not events or events[-1][0] > time.monotonic() - QUIET_S:
            return ""
        applications = [e.headers for _, e in reversed(events) if e.name == "CHANNEL_EXECUTE"]
        return next(
            (WAITS_FOR.get(h.get("Application", ""), "") for h in applications if (h.get("Application"), h.get("Application-Data")) != ("playback", MUSIC)), ""
        )

    def until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 30.0
        while not holds():
            latest = [f"{event.name} {event.headers.get('Application', '')}" for _, event in self.events()[-6:]]
            assert time.monotonic() < deadline, f"not in 30 s: {what}, at {latest}"
            time.sleep(0.05)

    def press(self, key: str) -> None:
        self.told.api(f"uuid_recv_dtmf {self.leg} {key}")

    def enter(self, node: str) -> None:
        """As EnterIvr does."""
        self.told.api(f"sched_del {self.leg}")
        self.told.api(f"uuid_transfer {self.leg} {node_extension(self.ivr, node)} XML fsd_ivr")

    def happen(self, happens: Input) -> None:
        self.until(lambda: self.waits_for() != "", f"{happens} can happen")
        waits, node = self.waits_for(), self._here()
        match happens.do, waits:
            case "press", _:  # where no key is waited for it does nothing
                self.press(happens.value)
                time.sleep(0.1)
            case "wait", _:
                events = len(self.events())
                self.until(lambda: len(self.events()) > events, "the time is over")
            case "spoken", "record":
                time.sleep(int(happens.value) + 0.3 - QUIET_S)
                self.press("#")
            case "hang_up", _:
                time.sleep(int(happens.value or 0))
                self.told.api(f"uuid_kill {self.leg} NORMAL_CLEARING")
            case "agent", "agent" if happens.value == "yes":
                self.told.api(f"originate {{origination_uuid={self.agent},ignore_early_media=true}}sofia/internal/ready-{self.leg[:6]}@{AGENTS_AT} &park()")
                self.told.api(f"sched_del {self.leg}")
                self.told.api(f"uuid_bridge {self.leg} {self.agent}")
            case "agent", "agent":
                self.enter(node.otherwise)
            case "answered", "http" if happens.values is not None:
                for name, value in happens.values:
                    self.told.api(f"uuid_setvar {self.leg} fsd_v_{name} {value}")
                self.enter(node.next)
            case (("answered" | "number"), ("http" | "number")):
                events = len(self.events())
                self.until(lambda: len(self.events()) > events, "it goes on by itself")
            case _:
                raise AssertionError(f"{happens} where the flow waits for {waits}")

    def _here(self) -> Node:
        name = self.told.api(f"uuid_getvar {self.leg} fsd_ivr").split(";")[-1].split("=")[0]
        return _named(self.ivr, name)


def _named(ivr: Ivr, name: str) -> Node:
    node = ivr.node(name)
    assert node is not None, name
    return node


def words(ivr: Ivr, path: str) -> list[tuple[str, str]]:
    """What was done. Where a caller only was has no value; this customer talks all the time, so of a message it counts only that there is one."""
    return [(step.node, "seconds" if step.do == "record" else step.value) for step in steps(ivr, path) if step.value]


def walked(told: Told, port: int, path: Path) -> str:
    """ "" = as the walk says, else what is otherwise."""
    ivr = NOBODY_THERE if any(each.do == "number" and each.value != "yes" for each in path.inputs) else DUES
    call = Call(told, ivr, port, {"due": "42.50", **path.attributes})
    try:
        for happens in path.inputs:
            call.happen(happens)
        if path.ended in ("connected", "put_through"):
            call.told.first(lambda e: e.name == "CHANNEL_BRIDGE" and e.headers.get("Unique-ID") == call.leg, "they talk")
            time.sleep(0.5)  # what is ordered for the beginning of a bridge is done some 0.2 s after it
            told.api(f"uuid_kill {call.leg} NORMAL_CLEARING")
        elif path.ended == "at_most":
            told.api(f"uuid_kill {call.leg} NORMAL_CLEARING")
        found = words(ivr, call.path)
    except AssertionError as error:
        return f"{path.inputs}: {error}"
    finally:
        told.api(f"uuid_kill {call.leg}")
        told.api(f"uuid_kill {call.agent}")
    wanted = words(ivr, path.path)
    if path.ended == "put_through":
        wanted = [*[word for word in wanted if word[0] != "desk"], ("desk", "answered")]
    return "" if found == wanted else f"{path.inputs}: {found} and not {wanted}"


@pytest.mark.spec("S50", "S51", "S52", "S63")
def test_every_path_leaves_behind_what_the_walk_says(told: Told, customer: int, customers: Sipp, agents: Sipp) -> None:
    found = paths(DUES, hang_ups=True)
    kinds = {node for path in found for node, _ in path.taken}
    assert kinds >= {node.name for node in DUES.nodes if node.do != "end"}, "every node is on a path"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = [text for text in pool.map(lambda path: walked(told, customer, path), found) if text]
    assert not wrong, f"{len(wrong)} of {len(found)}:\n" + "\n".join(wrong)


@pytest.mark.spec("S63")
def test_a_message_that_ends_by_hanging_up_counts(told: Told, recordings: File, tmp_path: File) -> None:
    """His own BYE, in the midst of it: the normal case."""
    with closing(Sipps(tmp_path, 16200)) as sipps:
        call = Call(told, DUES, sipps.called(("talk", 6.0), ("wait", 3.6), ("hang_up", "")), start="message")
        ended = told.ended(call.leg)
    assert ended.headers["variable_sip_hangup_disposition"] == "recv_bye"
    (step,) = steps(DUES, call.path)
    assert (step.node, step.value in ("1", "2", "3")) == ("message", True), call.path
    assert (recordings / "ivr" / f"{call.leg}-message.wav").stat().st_size > 16_000


@pytest.mark.parametrize("how", ["key", "info"])
def test_keys_are_understood_as_rfc_2833_and_as_sip_info(told: Told, tmp_path: File, how: str) -> None:
    does: list[Step] = [("wait", 1.2)]
    for key in "2123#":
        does += [(how, key), ("wait", 0.8)]  # type: ignore[list-item]
    with closing(Sipps(tmp_path, 16400 if how == "key" else 16600)) as sipps:
        port = sipps.called(*does, ("wait", 20.0))
        call = Call(told, DUES, port, start="main")
        assert call.path == "main=2;pin=123;wish=done;bye=success"


@pytest.mark.spec("S50", "D7")
def test_an_opt_out_is_kept_and_told(told: Told, customer: int) -> None:
    call = Call(told, DUES, customer, start="stop")
    said = told.first(lambda e: e.headers.get("Fsd-What") == "opt_out" and e.headers.get("Unique-ID") == call.leg, "it is told")[1]
    assert (said.headers["Fsd-Node"], said.headers["Fsd-Value"]) == ("stop", _named(DUES, "stop").list)
    assert call.path == "stop=yes;bye=success"
    place, number, since, at = told.rows()[f"{call.leg}.opt_out"].split(";")
    assert (place, number, since) == (node_extension(DUES, "stop"), "+442079460000", "")
    assert abs(int(at) - time.time()) < 30


def test_a_sound_that_is_missing_costs_no_call_and_no_try(told: Told, customer: int) -> None:
    call = Call(told, NO_SOUNDS, customer)
    call.until(lambda: call.waits_for() == "key", "the menu waits, though it said nothing")
    call.press("1")
    assert call.path == "main=1;bye=success"


@pytest.mark.spec("S51", "S64")
def test_with_a_dead_daemon_whoever_wants_an_agent_hears_music_and_goes_on(told: Told, customer: int) -> None:
    call = Call(told, DUES, customer, start="adviser")
    call.until(lambda: call.waits_for() == "agent" or any(e.headers.get("Application") == "playback" for _, e in call.events()), "he waits")
    told.first(lambda e: e.name == "RECORD_START" and e.headers.get("Unique-ID") == call.leg, "the switch sends him on to otherwise", 40.0)
    events = call.events()
    parked = next(at for at, event in events if event.name == "CHANNEL_PARK")
    music = next(at for at, event in events if event.name == "PLAYBACK_START" and at > parked)
    assert music - parked < 2.5
    told.api(f"uuid_kill {call.leg} NORMAL_CLEARING")


def test_the_longest_time_ends_it_and_its_path_tells_where(told: Told, customer: int) -> None:
    """By the same application and cause as an entry with at_most does."""
    call = Call(told, DUES, customer, start="message")
    told.first(lambda e: e.name == "RECORD_START" and e.headers.get("Unique-ID") == call.leg, "he speaks")
    told.api(f"sched_hangup +2 {call.leg} ALLOTTED_TIMEOUT")
    ended = told.ended(call.leg, 10.0)
    assert ended.headers["Hangup-Cause"] == "ALLOTTED_TIMEOUT" and [step.node for step in steps(DUES, call.path)] == ["message"]


def test_many_calls_at_once_keep_their_paths_apart(told: Told, customer: int) -> None:
    """Forty calls, each with an entry of its own."""
    calls: dict[str, Call] = {}
    lock = threading.Lock()

    def one(number: int) -> None:
        digits = f"{number + 100}"
        call = Call(told, DUES, customer, start="pin")
        with lock:
            calls[digits] = call
        call.until(lambda: call.waits_for() == "key", "it waits for digits")
        call.press(f"{digits}#")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(40)))
    assert {digits: call.path for digits, call in calls.items()} == {digits: f"pin={digits};wish=done;bye=success" for digits in calls}

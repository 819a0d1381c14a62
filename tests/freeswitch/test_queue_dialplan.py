"""The dialplan of queues on the switch that runs it, without a daemon: who comes in, which keys are kept, and what becomes of those whom nobody looks after.

Callers are SIPp's. They come by a number, through dialplan/public/00_fsd_queues.xml.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.model import GatewayId
from fs_dialer.core.queue_definition import CallbackKey, Overflow, QueueDefinition
from fs_dialer.dialplans.files import switch_files
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.esl.wire import Event
from tests.freeswitch import number_plan as plan
from tests.freeswitch.callers import Sipps, Step
from tests.freeswitch.conftest import Sipp
from tests.freeswitch.number_plan import Kind
from tests.freeswitch.told import Told, installed
from tests.freeswitch.watch import AGENTS_AT, Address

SHORT = "tone_stream://%(200,50,440)"
SUPPORT, PLAIN, LETTERBOX, DIVERTED = "+15550002001", "+15550002002", "+15550002003", "+15550002004"
QUEUES = (
    QueueDefinition(name="support", numbers=(SUPPORT,), callback=CallbackKey(key="1")),
    QueueDefinition(name="plain", numbers=(PLAIN,), music=SHORT),
    QueueDefinition(name="letterbox", numbers=(LETTERBOX,), callback=CallbackKey(key="hash"), overflow=Overflow(do="voicemail", sound=SHORT, at_most_s=20)),
    QueueDefinition(name="diverted", numbers=(DIVERTED,), overflow=Overflow(do="number", number=Kind(plan.RINGS_AND_ANSWERS, 60).numbers(1, first=777)[0])),
)
RELEASE_S = 4
STAYS: Step = ("wait", 90.0)
LEAVES: Step = ("hang_up", "")


class Queue:
    """Callers of one test, and what the switch tells of them."""

    def __init__(self, told: Told, sipps: Sipps) -> None:
        self.told, self.sipps = told, sipps

    def comes(self, to: str, *steps: Step, number: str = "+442079460000", display: str = "Ann") -> str:
        """His leg, when he is in the queue."""
        before = self.told.count(_entered)
        self.sipps.caller(to, *steps, number=number, display=display)
        self.told.until(lambda: self.told.count(_entered) > before, f"a caller of {to} is in the queue")
        return [event.headers["Unique-ID"] for _, event in self.told.events if _entered(event)][-1]

    def said(self, leg: str, what: str) -> list[Event]:
        return [event for _, event in self.told.of(leg) if event.headers.get("Fsd-What") == what]

    def pressed(self, leg: str, what: str, count: int = 1) -> Event:
        self.told.until(lambda: len(self.said(leg, what)) >= count, f"{what} is told of {leg}")
        return self.said(leg, what)[-1]

    def row(self, leg: str) -> dict[str, str]:
        return {name.removeprefix(f"{leg}."): value for name, value in self.told.rows().items() if name.startswith(leg)}

    def left_to_the_fallback(self, leg: str) -> None:
        """By the timer's own words, sooner."""
        self.told.api(f"sched_del {leg}")
        self.told.api(f"uuid_transfer {leg} fsd_fallback XML fsd")


def _entered(event: Event) -> bool:
    return event.headers.get("Fsd-What") == "enter"


@pytest.fixture(scope="module")
def told(address: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    recordings = tmp_path_factory.mktemp("recordings")
    options = SwitchOptions(recordings=str(recordings), release_after_s=RELEASE_S, gateways=(GatewayDefinition(id=GatewayId("trunk1")),))
    with closing(Told(address)) as told, installed(told, switch_files((), QUEUES, options)):
        if SUPPORT not in told.api("xml_locate dialplan context name public"):
            pytest.skip("the context public of this switch does not include dialplan/public/*.xml (tests/freeswitch/README.md)")
        told.forget_rows()
        yield told
        told.forget_rows()


@pytest.fixture
def queue(told: Told, tmp_path: Path) -> Iterator[Queue]:
    with closing(Sipps(tmp_path)) as sipps:
        yield Queue(told, sipps)
    for leg in {event.headers["Unique-ID"] for _, event in told.events if _entered(event)}:
        told.api(f"uuid_kill {leg}")


def _row(text: str) -> tuple[str, str, int, int]:
    place, number, since, at = text.split(";")
    return place, number, int(since), int(at)


# --- coming in ----------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S71")
def test_a_caller_is_told_with_his_number_and_hears_music_soon(queue: Queue) -> None:
    leg = queue.comes(SUPPORT, STAYS)
    entered = queue.said(leg, "enter")[0].headers
    assert (entered["variable_fsd_queue"], entered["variable_fsd_number"]) == ("support", "+442079460000")
    assert abs(int(entered["variable_fsd_since"]) - time.time()) < 10
    queue.told.first(lambda e: e.name == "PLAYBACK_START" and e.headers.get("Unique-ID") == leg, "music", 4.0)
    came = next(at for at, event in queue.told.of(leg) if event.name == "CHANNEL_ANSWER")
    music = next(at for at, event in queue.told.of(leg) if event.name == "PLAYBACK_START")
    assert music - came < 2.5


@pytest.mark.spec("D7")
@pytest.mark.parametrize(
    ("number", "display"),
    [
        ("+442079460001", "${system(touch MARKER)}"),
        ("%24%7Bsystem(touch%20MARKER)%7D", "$${system(touch MARKER)}"),
        ("1234/5678.key", "q/../x | ;"),
        ("a|b;1", "\\\"quoted\\\" 'x' \\n"),
        ("anonymous", "Anonymous"),
    ],
)
def test_nothing_that_a_telephone_says_of_itself_is_run_or_kept(queue: Queue, tmp_path: Path, number: str, display: str) -> None:
    """He is served like everybody; what is no number is none."""
    marker = tmp_path / "marker"
    leg = queue.comes(SUPPORT, ("wait", 0.6), ("key", "1"), ("wait", 2.0), LEAVES, number=number.replace("MARKER", str(marker)),
                      display=display.replace("MARKER", str(marker)))  # fmt: skip
    queue.pressed(leg, "key")
    assert _row(queue.row(leg)["key"])[:2] == ("support", number if re.fullmatch(r"\+?[0-9]+", number) else "")
    queue.told.ended(leg)
    assert not marker.exists()


# --- keys ---------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S72", "S73")
@pytest.mark.parametrize("how", ["key", "info"])
def test_the_right_key_is_kept_with_the_time_of_the_press(queue: Queue, how: str) -> None:
    """As RFC 2833 and as SIP INFO, beside the music; another key is told and changes nothing."""
    leg = queue.comes(SUPPORT, ("wait", 2.5), (how, "7"), ("wait", 1.0), (how, "1"), STAYS)  # type: ignore[arg-type]
    assert queue.pressed(leg, "wrong").headers["Fsd-Key"] == "7"
    assert queue.row(leg) == {}
    pressed = queue.pressed(leg, "key").headers
    place, number, since, at = _row(queue.row(leg)["key"])
    assert (place, number, pressed["Fsd-Key"]) == ("support", "+442079460000", "1")
    assert abs(int(pressed["Fsd-At"]) - at) <= 1 and 1 <= at - since <= 10
    assert not [event for _, event in queue.told.of(leg) if event.name == "PLAYBACK_STOP"], "the music goes on"


@pytest.mark.spec("S72")
@pytest.mark.parametrize("key", ["*", "#"])
def test_star_and_hash_are_keys(queue: Queue, key: str) -> None:
    leg = queue.comes(LETTERBOX, ("wait", 1.5), ("key", key), STAYS)
    assert queue.pressed(leg, "key" if key == "#" else "wrong").headers["Fsd-Key"] == key


def test_while_he_talks_with_an_agent_keys_are_heard_and_none_is_kept(queue: Queue, agents: Sipp) -> None:
    leg = queue.comes(SUPPORT, ("wait", 4.0), ("key", "1"), ("wait", 1.0), ("info", "5"), STAYS)
    agent = str(uuid.uuid4())
    queue.told.api(f"originate {{origination_uuid={agent},ignore_early_media=true}}sofia/internal/ready-77@{AGENTS_AT} &park()")
    queue.told.api(f"sched_del {leg}")
    queue.told.api(f"uuid_bridge {leg} {agent}")
    queue.told.first(lambda e: e.name == "DTMF" and e.headers.get("Unique-ID") == leg and e.headers.get("DTMF-Digit") == "5", "the second key is heard")
    assert [event.headers["DTMF-Digit"] for _, event in queue.told.of(leg) if event.name == "DTMF"] == ["1", "5"]
    assert queue.row(leg) == {} and not queue.said(leg, "key") and not queue.said(leg, "wrong")
    queue.told.api(f"uuid_kill {leg}")
    queue.told.ended(leg)
    assert queue.row(leg) == {}


def test_two_hundred_callers_press_at_once_and_none_is_lost(queue: Queue) -> None:
    queue.told.forget_rows()
    before, told_before = queue.told.count(_entered), queue.told.count(lambda e: e.headers.get("Fsd-What") == "key")
    queue.sipps.caller(SUPPORT, ("wait", 9.0), ("info", "1"), STAYS, calls=200, per_s=100)
    queue.told.until(lambda: queue.told.count(lambda e: e.headers.get("Fsd-What") == "key") >= told_before + 200, "two hundred keys", 60.0)
    assert queue.told.count(_entered) == before + 200
    assert queue.told.api("db count/fsd_kept") == "200"
    assert queue.told.forget_rows() == 200
    queue.told.api("hupall NORMAL_CLEARING fsd_queue support")
    queue.told.until(lambda: "0 total" in queue.told.api("show channels count"), "all have left", 30.0)


# --- nobody looks after them --------------------------------------------------------------------------------------------


def test_without_a_daemon_he_hears_music_all_the_time_and_is_released_in_time_with_a_row(queue: Queue) -> None:
    """Nothing is done here: the switch's own timers are."""
    leg = queue.comes(PLAIN, STAYS)
    queue.told.ended(leg, 28 + RELEASE_S + 4.0)
    events = queue.told.of(leg)
    came, gone = next(at for at, e in events if e.name == "CHANNEL_ANSWER"), next(at for at, e in events if e.name == "CHANNEL_HANGUP_COMPLETE")
    assert 28 + RELEASE_S - 2.5 < gone - came < 28 + RELEASE_S + 2.5
    silent_since, longest = came, 0.0
    for at, event in events:
        if event.name == "PLAYBACK_START":
            longest = max(longest, at - silent_since)
        elif event.name in ("PLAYBACK_STOP", "CHANNEL_HANGUP_COMPLETE"):
            silent_since = at
    assert longest < 2.5, queue.told.story()
    assert _row(queue.row(leg)["released"])[:2] == ("plain", "+442079460000")


def test_one_who_gives_up_in_the_fallback_leaves_a_row_too(queue: Queue) -> None:
    leg = queue.comes(PLAIN, ("wait", 2.0), LEAVES)
    queue.left_to_the_fallback(leg)
    queue.told.ended(leg)
    assert set(queue.row(leg)) == {"released"}


@pytest.mark.spec("S72")
def test_a_key_in_the_fallback_is_kept(queue: Queue) -> None:
    leg = queue.comes(SUPPORT, ("wait", 2.0), ("key", "1"), STAYS)
    queue.left_to_the_fallback(leg)
    queue.pressed(leg, "key")
    queue.told.ended(leg)
    assert set(queue.row(leg)) == {"key", "released"}


def test_a_message_that_ends_by_hanging_up_is_kept_as_voice_mail(queue: Queue) -> None:
    leg = queue.comes(LETTERBOX, ("wait", 1.0), ("talk", 4.0), ("wait", 3.6), LEAVES)
    queue.left_to_the_fallback(leg)
    ended = queue.told.ended(leg)
    assert re.fullmatch(r"voicemail=[1-4]", ended.headers["variable_fsd_ivr"])
    assert set(queue.row(leg)) == {"voicemail"}


def test_one_who_says_nothing_has_left_no_voice_mail(queue: Queue) -> None:
    leg = queue.comes(LETTERBOX, ("wait", 1.5), LEAVES)
    queue.left_to_the_fallback(leg)
    queue.told.ended(leg)
    assert set(queue.row(leg)) == {"released"}


def test_one_who_is_put_through_is_not_cut_and_leaves_no_row(queue: Queue, customers: Sipp, tmp_path: Path) -> None:
    """The number rings 0.6 s and talks 6 s: longer than whoever hears music only is given. His name is hostile, and his number withheld."""
    marker = tmp_path / "marker"
    leg = queue.comes(DIVERTED, STAYS, number="anonymous", display=f"${{system(touch {marker})}}")
    queue.left_to_the_fallback(leg)
    ended = queue.told.ended(leg)
    bridged = next(at for at, event in queue.told.of(leg) if event.name == "CHANNEL_BRIDGE")
    gone = next(at for at, event in queue.told.of(leg) if event.name == "CHANNEL_HANGUP_COMPLETE")
    assert gone - bridged > 5.0 and ended.headers["variable_fsd_ivr"] == "number=answered"
    assert queue.row(leg) == {} and not marker.exists()


def test_whom_an_agent_has_met_the_common_fallback_takes(queue: Queue, agents: Sipp) -> None:
    leg, agent = queue.comes(SUPPORT, STAYS), str(uuid.uuid4())
    queue.told.api(f"originate {{origination_uuid={agent},ignore_early_media=true}}sofia/internal/ready-78@{AGENTS_AT} &park()")
    queue.told.api(f"sched_del {leg}")
    queue.told.api(f"uuid_bridge {leg} {agent}")
    queue.told.first(lambda e: e.name == "CHANNEL_BRIDGE" and e.headers.get("Unique-ID") == leg, "they talk")
    queue.told.api(f"uuid_transfer {leg} -both park: inline")
    queue.left_to_the_fallback(leg)
    queue.told.first(lambda e: e.headers.get("Application") == "sched_hangup" and e.headers.get("Unique-ID") == leg, "it is in fsd_fallback")
    queue.told.api(f"uuid_kill {leg}")
    queue.told.api(f"uuid_kill {agent}")
    queue.told.ended(leg)
    assert queue.row(leg) == {}


# --- the daemon lets him go ---------------------------------------------------------------------------------------------


@pytest.mark.spec("S76")
def test_the_overflow_takes_a_message_within_the_daemons_limit_and_leaves_no_row(queue: Queue) -> None:
    """As EnterIvr does it. What he left comes with the end of his leg."""
    leg = queue.comes(LETTERBOX, ("wait", 1.0), ("talk", 12.0), STAYS)
    queue.told.api(f"sched_del {leg}")
    queue.told.api(f"sched_hangup +6 {leg} ALLOTTED_TIMEOUT")
    queue.told.api(f"uuid_transfer {leg} letterbox.overflow XML fsd_queue")
    ended = queue.told.ended(leg, 12.0)
    assert ended.headers["Hangup-Cause"] == "ALLOTTED_TIMEOUT"
    assert re.fullmatch(r"voicemail=[2-5]", ended.headers["variable_fsd_ivr"])
    assert queue.row(leg) == {}

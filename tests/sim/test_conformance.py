"""The simulated switch says what the real one said: every recording of s01 to s04, replayed with people who do what SIPp did.

Compared: which events, in an order the switch may use, with which headers, with which values, and every reply byte for byte. What may differ is
listed here with its reason; everything else may not.
"""

from __future__ import annotations

import functools
import json
import random
import re
from collections import Counter
from collections.abc import Iterable

import pytest

from fs_dialer.esl.wire import Event, unquote_value
from fs_dialer.sim.people import ScriptedPeople
from fs_dialer.sim.switch import SimSwitch
from tests.esl.recordings import NAMES, pieces
from tests.sim import replay as played
from tests.sim.replay import Said, calls_in, said_in

RECORDINGS = [name for name in NAMES if name.startswith(("s01_", "s01b", "s02", "s03", "s04", "s10a", "s10c"))]
SEEDS = (1, 2, 3)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")



@functools.cache
def replay(name: str, seed: int = 1) -> list[Said]:
    """Each replay serves all comparisons."""
    return played.replay(name, seed)


cases = pytest.mark.parametrize(("name", "seed"), [(name, seed) for name in RECORDINGS for seed in SEEDS])


def in_scope(event: Event) -> bool:
    """loopback/ makes two channels and is no ground truth (freeswitch.md 39): the simulated switch has no such endpoint. The heartbeat is a clock's."""
    return (
        not event.headers.get("Channel-Name", "").startswith("loopback/") and "loopback/" not in event.headers.get("Job-Command-Arg", "")
        and event.name not in ("HEARTBEAT", "RE_SCHEDULE"))


class Story:
    """The events of a recording, or of its replay, by leg. Legs are numbered as they appear, so that random uuids do not matter."""

    def __init__(self, said: Iterable[Said], name: str) -> None:
        self.events: list[tuple[str, str, Event]] = []  # leg, label, event
        self.names: dict[str, str] = {}
        by_job = {call.job: call.uuid for call in calls_in(name) if call.job and call.chosen}
        counts: Counter[tuple[str, str]] = Counter()
        for frame in said:
            event = frame.event
            if event is None or not in_scope(event):
                continue
            uuid = event.headers.get("Unique-ID", "")
            if event.name == "BACKGROUND_JOB":
                uuid = (event.body or "")[4:].strip() if (event.body or "").startswith("+OK") else by_job.get(event.headers["Job-UUID"], "")
                if uuid and uuid not in self.names:
                    uuid = ""
            leg = self.names.setdefault(uuid, f"leg{len(self.names)}") if uuid else "switch"
            label = event.name
            if event.name == "CHANNEL_STATE":
                label += f"({event.headers['Channel-State']})"
            if "Application" in event.headers:
                label += f"({event.headers['Application']})"
            counts[leg, label] += 1
            self.events.append((leg, f"{label}#{counts[leg, label]}", event))

    def bag(self) -> Counter[tuple[str, str]]:
        return Counter((leg, label) for leg, label, _ in self.events)

    def plain(self, value: str) -> str:
        """A value with this story's uuids replaced by their legs; other uuids are nobody's."""
        return UUID.sub(lambda found: self.names.get(found[0], found[0]), value)


# ---- events and their order

def free(one: str, two: str) -> bool:
    """Pairs of one leg that a real switch shows in both orders. Numbers: freeswitch.md."""
    first, second = one.split("#")[0], two.split("#")[0]
    for job, other in ((first, second), (second, first)):
        if job == "BACKGROUND_JOB":
            # The result is told by another thread: it races with what the leg does from the answer on (16) and with its end (17).
            return other.startswith(("CHANNEL_STATE", "CHANNEL_EXECUTE", "CHANNEL_PARK", "CHANNEL_CALLSTATE", "CHANNEL_HANGUP", "CALL_UPDATE",
                                     "PLAYBACK_START", "CHANNEL_UNPARK", "CHANNEL_DESTROY"))
    # The sequence of the API event is old when it is fired (12).
    return first == "API" or second == "API"


SOMETIMES = ("CHANNEL_STATE(CS_CONSUME_MEDIA)#2",)  # the second leg of a bridge passes it too fast to be reported each time

ACROSS = (  # what comes before what on two different legs of one bridge
    ("CHANNEL_UNPARK", "CHANNEL_BRIDGE"), ("CHANNEL_EXECUTE(uuid_bridge)", "CHANNEL_BRIDGE"), ("CHANNEL_BRIDGE", "CHANNEL_HANGUP"),
    ("CHANNEL_BRIDGE", "CHANNEL_HANGUP_COMPLETE"), ("CHANNEL_BRIDGE", "CHANNEL_DESTROY"))


@cases
def test_the_same_events_are_reported_of_the_same_legs(name: str, seed: int) -> None:
    """freeswitch.md 16-39."""
    real, simulated = Story(said_in(name), name).bag(), Story(replay(name, seed), name).bag()
    for key in [key for key in {*real, *simulated} if key[1] in SOMETIMES]:
        real.pop(key, None)
        simulated.pop(key, None)
    assert simulated == real, f"{name} seed {seed}"


@cases
def test_events_come_in_an_order_that_the_switch_may_use(name: str, seed: int) -> None:
    """Every pair of events of one leg keeps the recorded order, but for the pairs that are seen both ways."""
    real, simulated = Story(said_in(name), name), Story(replay(name, seed), name)
    place = {(leg, label): index for index, (leg, label, _) in enumerate(simulated.events)}
    wrong = []
    for index, (leg, label, _) in enumerate(real.events):
        for other_leg, other_label, _ in real.events[index + 1 :]:
            here, there = (leg, label), (other_leg, other_label)
            if here not in place or there not in place or leg == "switch" or other_leg == "switch":
                continue
            if leg == other_leg:
                bound = not free(label, other_label)
            else:
                bound = (label.split("#")[0], other_label.split("#")[0]) in ACROSS and label.endswith("#1") and other_label.endswith("#1")
            if bound and place[here] > place[there]:
                wrong.append(f"{here} after {there}")
    assert wrong == [], f"{name} seed {seed}"


# ---- headers and values

# s10: recorded with telephones that say less of themselves (no user agent, no telephone events) and a switch of another name. What a transfer leaves in the
# Other-Leg block and who was called first is not kept by the simulated switch, and means nothing to a dialer.
OTHER_PHONES = {
    "FreeSWITCH-Switchname", "variable_sip_user_agent", "variable_rtp_2833_send_payload", "variable_rtp_2833_recv_payload", "variable_dtmf_type",
    "Other-Leg-Dialplan", "variable_original_caller_id_name", "variable_original_caller_id_number", "variable_last_sent_callee_id_name",
    "variable_last_sent_callee_id_number", "Channel-Read-Codec-Name", "Channel-Read-Codec-Bit-Rate", "variable_read_codec",
}
RACES = {
    "s10a_hold_record_resume": OTHER_PHONES, "s10c_eavesdrop": OTHER_PHONES,
    # The client acted within 20 ms of the answer, while the switch was still at it: who was first is chance.
    "s04a_customerfirst_agentA_timeout_agentB": {f"variable_{name}" for name in ("hold_state", "campaign", "lead", "note")},
    "s04e_uuid_kill_with_causes": {
        "Caller-Caller-ID-Name", "Caller-Callee-ID-Name", "variable_channel_cid_flipped", "variable_current_application", "variable_last_app",
        "variable_pre_transfer_caller_id_number", "Channel-HIT-Dialplan", "Caller-Caller-ID-Number", "Caller-Callee-ID-Number", "variable_caller_id"},
}
VOLATILE = re.compile("|".join((
    "Event-Date-.*|Event-Sequence|Event-UUID|Event-Calling-.*|Core-UUID",  # when, by which line of code, of which start of the switch
    ".*-Time|.*_stamp|.*_u?epoch|variable_.*sec|variable_[mu]?duration",  # compared by themselves below
    "Application-UUID|Caller-Transfer-Source|variable_transfer_(history|source)",  # random uuids
    "variable_session_id|variable_local_media_port|variable_remote_media_port|variable_rtp_local_sdp_str|variable_switch_[rm]_sdp|variable_rtp_use_ssrc",
    "variable_sip_(call_id|cseq|to_tag|from_tag|full_from|full_to|full_via|recover_via)",  # identities of one SIP dialogue
    "variable_rtp_audio_.*|variable_playback_.*|variable_record_.*",  # counts of packets and samples
    "Job-UUID",  # where the client gave none; given ones are compared by themselves
    "filename",  # of a module: an installation's path
)) + "$")
ONE_LEG_FOR_ANOTHER = {"variable_video_media_flow", "variable_rtp_use_codec_string"}  # the bridge application offers the codec of its own leg (s03g)


def pairs(name: str, seed: int) -> Iterable[tuple[str, Event, Event, Story, Story]]:
    real, simulated = Story(said_in(name), name), Story(replay(name, seed), name)
    found = {(leg, label): event for leg, label, event in simulated.events}
    for leg, label, event in real.events:
        if (leg, label) in found:
            yield f"{leg} {label}", event, found[leg, label], real, simulated


@cases
def test_every_header_of_the_recording_is_there_and_no_other(name: str, seed: int) -> None:
    """freeswitch.md 24-26."""
    races = RACES.get(name, set())
    wrong = []
    for where, real, simulated, _, _ in pairs(name, seed):
        # The second leg of a bridge has this one from UNBRIDGE on, which comes before or after its end (29).
        either = races | ({"variable_bridge_hangup_cause"} if real.name == "CHANNEL_HANGUP_COMPLETE" else set())
        missing = set(real.headers) - set(simulated.headers) - either
        extra = set(simulated.headers) - set(real.headers) - either
        if missing or extra:
            wrong.append(f"{where}: missing {sorted(missing)}, extra {sorted(extra)}")
    assert wrong == [], f"{name} seed {seed}"


@cases
def test_values_that_are_determined_are_equal(name: str, seed: int) -> None:
    """States, causes, dispositions, caller ids, who is bridged to whom, what a job answered."""
    skipped = RACES.get(name, set()) | (ONE_LEG_FOR_ANOTHER if name.startswith("s03g") else set())
    wrong = []
    for where, real, simulated, story, other in pairs(name, seed):
        for header, value in real.headers.items():
            if VOLATILE.match(header) or header in skipped or header not in simulated.headers:
                continue
            if real.name == "CHANNEL_HANGUP_COMPLETE" and header in ("Channel-Call-UUID", "variable_call_uuid"):
                continue  # the second leg has its own again from UNBRIDGE on, which comes before or after (29)
            if story.plain(value) != other.plain(simulated.headers[header]):
                wrong.append(f"{where} {header}: {value!r} became {simulated.headers[header]!r}")
        uptime = real.headers.get("Job-Command") == "status"
        if real.body is not None and not uptime and story.plain(real.body) != other.plain(simulated.body or ""):
            wrong.append(f"{where}: {real.body!r} became {simulated.body!r}")
    assert wrong == [], f"{name} seed {seed}"


@cases
def test_calls_last_as_long_as_they_did(name: str, seed: int) -> None:
    """Milliseconds to the answer and of the whole call, to within three ticks of the switch's clock and of its event poll each."""
    wrong = []
    for where, real, simulated, _, _ in pairs(name, seed):
        for header in ("variable_mduration", "variable_billmsec", "variable_answermsec"):
            if header in real.headers and abs(int(real.headers[header]) - int(simulated.headers[header])) > 120:
                wrong.append(f"{where} {header}: {real.headers[header]} became {simulated.headers[header]}")
    assert wrong == [], f"{name} seed {seed}"


# ---- replies

def reply(said: Said, known: set[str]) -> str:
    """A frame that is no event, without what no two switches share: uptimes, counts, clocks, and uuids that the client did not choose."""
    headers = "\n".join(f"{key}: {value}" for key, value in said.message.headers.items() if key != "Content-Length")
    body = said.message.body.decode("utf-8", "replace")
    if said.message.kind == "log/data":
        body = re.sub(r"^.*?% ", "", body)
        headers = re.sub(r"Log-Line: \d+", "", headers)
    if body.startswith(("UP ", "task_id,")) or re.fullmatch(r"\d+\n?|\d{4}-\d\d-\d\d .*", body):
        body = re.sub(r"[0-9]+(\.[0-9]+)?", "0", body)
        body = body.replace("0 second,", "0 seconds,").replace("0 minute,", "0 minutes,")
    body = re.sub(r'(_epoch":"|created":")[^"]+"', r"\1-", body)
    body = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{10}|<(created|created_epoch)>[^<]*", "-", body)
    text = f"{headers}\n\n{body}"
    return UUID.sub(lambda found: found[0] if found[0] in known else "-", text)


NOT_COMPARED = (
    "CODECS OUT",  # sofia status profile: a page about one installation
    "Event-Name: CHANNEL_DATA", '"Event-Name":"CHANNEL_DATA"',  # uuid_dump: compared by itself below
)


def replies(said: Iterable[Said], name: str) -> dict[str, list[str]]:
    known = set(UUID.findall(" ".join(piece.data.decode("utf-8", "replace") for piece in pieces(name) if piece.direction == ">>")))
    found: dict[str, list[str]] = {}
    for frame in said:
        if frame.event is None and frame.message.kind != "text/event-xml":
            found.setdefault(frame.who, []).append(reply(frame, known))
    return found


@cases
def test_every_reply_is_the_same_byte_for_byte(name: str, seed: int) -> None:
    """freeswitch.md 6-9, 13."""
    real, simulated = replies(said_in(name), name), replies(replay(name, seed), name)
    wrong = []
    for who, texts in real.items():
        others = simulated[who]
        goodbyes = [text for text in others[len(texts) :] if "+OK bye" not in text and "disconnect-notice" not in text]
        assert len(texts) <= len(others) and goodbyes == [], f"{name} {who}: {len(texts)} replies became {len(others)}"
        for text, other in zip(texts, others, strict=False):  # a client that left at once has not recorded the goodbye
            if text != other and not any(mark in text for mark in NOT_COMPARED):
                wrong.append(f"{who}: {text[:600]!r}\nbecame {other[:600]!r}")
    assert wrong == [], f"{name} seed {seed}"


def test_a_heartbeat_has_the_headers_of_the_recorded_one() -> None:
    """s01c. When it beats is the server's business."""
    switch = SimSwitch(ScriptedPeople({}), rng=random.Random(1), new_uuid=lambda: "uuid", started_at=1000.0)
    switch.heartbeat(1020.0)
    simulated = {event.name: dict(switch.full_headers(event)) for event in switch.advance(1020.0)}
    real = {said.event.name: said.event.headers for said in said_in("s01c_heartbeat") if said.event is not None}
    assert {name: set(headers) for name, headers in simulated.items()} == {name: set(headers) for name, headers in real.items()}
    assert simulated["HEARTBEAT"]["Up-Time"].startswith("0 years, 0 days, 0 hours, 0 minutes, 20 seconds")


def dumped(said: Iterable[Said]) -> list[dict[str, str]]:
    found = []
    for frame in said:
        body = frame.message.body.decode("utf-8", "replace")
        if frame.event is None and body.startswith("Event-Name: CHANNEL_DATA"):
            found.append({key: unquote_value(value) for key, value in (line.split(": ", 1) for line in body.strip().split("\n"))})
        elif frame.event is None and body.startswith('{"Event-Name":"CHANNEL_DATA"'):
            found.append(json.loads(body))
    return found


@pytest.mark.parametrize("name", [name for name in RECORDINGS if name.startswith(("s03d_", "s03h", "s04c"))])
def test_uuid_dump_prints_the_leg_as_an_event_in_both_formats(name: str) -> None:
    real, simulated = dumped(said_in(name)), dumped(replay(name))
    assert len(real) == len(simulated) > 0
    for one, other in zip(real, simulated, strict=True):
        assert set(one) == set(other)
        assert {key: value for key, value in one.items() if not VOLATILE.match(key)} == {key: value for key, value in other.items() if not VOLATILE.match(key)}

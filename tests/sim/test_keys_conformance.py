"""Flows, keys, recordings and callers: the simulated switch tells of them what the real one told, in its order (recordings s05, s06, s11, s12).

The dialplan is the one that was recorded; the far ends do what SIPp did, at the times of the recording. Compared for each leg: every event that the client
had subscribed to, with its application, its argument as expanded, sounds, digits and their source, causes, and for CUSTOM events the headers of their own.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

import pytest

from fs_dialer.core.queue_definition import CallbackKey, QueueDefinition
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.dialplans.queues import queue_file
from fs_dialer.esl.wire import CommandDecoder, Event
from fs_dialer.sim.dialstring import read_originate
from fs_dialer.sim.people import Behaviour, KeySource, ScriptedPeople
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch
from tests.esl.recordings import pieces
from tests.sim.replay import said_in, started_at

HELLO, BEEP = "/srv/fswitch/sounds/hello.wav", "/srv/fswitch/sounds/beep.wav"
SOUNDS = "/srv/switch/sounds"  # as the recordings name it
ASK = f"1 1 2 2000 none '{SOUNDS}/hello.wav' {SOUNDS}/beep.wav fsd_key [*1] 2000 'small.1bc0df80.lost XML fsd_ivr'"
KEY = "Event-Name=CUSTOM,Event-Subclass=queue::callback_request,Requested-Digit="
DIALPLAN = rf"""<include>
<context name="public"><extension name="all"><condition field="destination_number" expression="^(.+)$">
  <action application="transfer" data="$1 XML default"/></condition></extension></context>
<context name="default">
  <extension name="ivr"><condition field="destination_number" expression="^ivr$">
    <action application="answer"/>
    <action application="play_and_get_digits" data="1 4 2 4000 # {HELLO} {BEEP} ivr_digits \d+ 3500"/>
    <action application="log" data="INFO IVR GOT ${{ivr_digits}}"/>
    <action application="event" data="Event-Name=CUSTOM,Event-Subclass=ivr::result,IVR-Digits=${{ivr_digits}}"/>
    <action application="sleep" data="300"/>
    <action application="hangup"/>
  </condition></extension>
  <extension name="bound"><condition field="destination_number" expression="^holdbda$">
    <action application="answer"/>
    <action application="bind_digit_action" data="queue,1,exec:event,'{KEY}1'"/>
    <action application="bind_digit_action" data="queue,~^2\d$,exec:event,'{KEY}2x'"/>
    <action application="digit_action_set_realm" data="queue"/>
    <action application="playback" data="local_stream://moh"/>
  </condition></extension>
  <extension name="parked"><condition field="destination_number" expression="^holdbda(park|i)$">
    <action application="answer"/>
    <action application="bind_digit_action" data="queue,1,exec[i]:event,'{KEY}1'"/>
    <action application="digit_action_set_realm" data="queue"/>
    <action application="park"/>
  </condition></extension>
  <extension name="moved"><condition field="destination_number" expression="^holdbdaxfer$">
    <action application="answer"/>
    <action application="bind_digit_action" data="queue,1,exec:transfer,9000 XML default"/>
    <action application="digit_action_set_realm" data="queue"/>
    <action application="playback" data="local_stream://moh"/>
  </condition></extension>
  <extension name="9000"><condition field="destination_number" expression="^9000$">
    <action application="set" data="seen_9000=yes"/>
    <action application="playback" data="{HELLO}"/>
    <action application="hangup" data="NORMAL_CLEARING"/>
  </condition></extension>
  <extension name="ended"><condition field="destination_number" expression="^holdterm$">
    <action application="answer"/>
    <action application="set" data="playback_terminators=1"/>
    <action application="playback" data="local_stream://moh"/>
    <action application="event" data="{KEY}${{playback_terminator_used}}"/>
    <action application="playback" data="{HELLO}"/>
    <action application="hangup"/>
  </condition></extension>
  <extension name="park"><condition field="destination_number" expression="^park$">
    <action application="answer"/><action application="park"/>
  </condition></extension>
  <extension name="ring"><condition field="destination_number" expression="^ring$">
    <action application="ring_ready"/><action application="sleep" data="600000"/>
  </condition></extension>
</context>
<context name="fsd_ivr">
  <extension name="asked"><condition field="destination_number" expression="^small\.1bc0df80\.main$">
    <action application="set" data="fsd_ivr=${{fsd_done}}main="/>
    <action application="play_and_get_digits" data="{ASK}"/>
    <action application="hangup" data="NORMAL_CLEARING"/>
  </condition></extension>
  <extension name="lost"><condition field="destination_number" expression="^small\.1bc0df80\.lost$">
    <action application="set" data="fsd_ivr=${{fsd_done}}lost=other"/>
    <action application="hangup" data="NORMAL_CLEARING"/>
  </condition></extension>
  <extension name="stop"><condition field="destination_number" expression="^dues-menu\.cd0c64d7\.stop$">
    <action application="set" data="fsd_ivr=${{fsd_done}}stop=yes"/>
    <action application="set" data="fsd_done=${{fsd_ivr}};"/>
    <action application="db" data="insert/fsd_kept/${{uuid}}.opt_out/dues-menu.cd0c64d7.stop;${{fsd_number}};;${{strepoch()}}"/>
    <action application="event" data="Event-Name=CUSTOM,Event-Subclass=fsd::ivr,Fsd-What=opt_out,Fsd-Node=stop,Fsd-Value=own"/>
    <action application="playback" data="{SOUNDS}/beep.wav"/>
    <action application="transfer" data="dues-menu.cd0c64d7.bye XML fsd_ivr"/>
  </condition></extension>
  <extension name="look"><condition field="destination_number" expression="^dues-menu\.cd0c64d7\.look$">
    <action application="set" data="fsd_ivr=${{fsd_done}}look="/>
    <action application="sched_transfer" data="+5 dues-menu.cd0c64d7.lost XML fsd_ivr"/>
    <action application="event" data="Event-Name=CUSTOM,Event-Subclass=fsd::ivr,Fsd-What=http,Fsd-Node=look"/>
    <action application="playback" data="{SOUNDS}/beep.wav"/>
    <action application="playback" data="silence_stream://1500"/>
    <action application="endless_playback" data="local_stream://moh"/>
  </condition></extension>
  <extension name="mail"><condition field="destination_number" expression="^dues-menu\.cd0c64d7\.mail$">
    <action application="set" data="fsd_ivr=${{fsd_done}}mail="/>
    <action application="playback" data="{SOUNDS}/beep.wav"/>
    <action application="playback" data="tone_stream://%(400,100,800)"/>
    <action application="mkdir" data="/srv/recordings/ivr"/>
    <action application="set" data="playback_terminators=#"/>
    <action application="set" data="execute_on_record_stop=set fsd_ivr=${{fsd_done}}mail=\\\${{record_seconds}}"/>
    <action application="record" data="/srv/recordings/ivr/${{fsd_attempt}}-mail.wav 20 200 3"/>
    <action application="set" data="execute_on_record_stop="/>
    <action application="set" data="playback_terminators=none"/>
    <action application="set" data="fsd_v_mail=${{record_seconds}}"/>
    <action application="set" data="fsd_done=${{fsd_ivr}};"/>
    <action application="transfer" data="dues-menu.cd0c64d7.bye XML fsd_ivr"/>
  </condition></extension>
  <extension name="bye"><condition field="destination_number" expression="^dues-menu\.cd0c64d7\.bye$">
    <action application="set" data="fsd_ivr=${{fsd_done}}bye=success"/>
    <action application="playback" data="{SOUNDS}/hello.wav"/>
    <action application="hangup" data="NORMAL_CLEARING"/>
  </condition></extension>
</context>
</include>"""
SHOWN = ("Application", "Application-Data", "Application-Response", "Playback-File-Path", "Playback-File-Type", "Playback-Status", "DTMF-Digit", "DTMF-Source",
         "Record-File-Path", "Event-Subclass", "Hangup-Cause", "Requested-Digit", "IVR-Digits", "Fsd-What", "Fsd-Node", "Fsd-Key", "variable_fsd_ivr",
         "Answer-State", "variable_sip_hangup_disposition", "variable_playback_terminator_used", "variable_last_matching_digits",
         "variable_last_non_matching_digits", "variable_fsd_number", "variable_read_result", "variable_ivr_digits")  # fmt: skip
VOLATILE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b17[0-9]{8}\b")  # uuids and seconds of the day
NOT_TOLD = ("MEDIA_BUG_START", "MEDIA_BUG_STOP", "API")


@dataclass
class Call:
    """What SIPp did. keys: seconds after the answer, the key, its source."""

    recording: str
    destination: str = ""  # of a caller; "" = the client originates
    keys: tuple[tuple[float, str], ...] = ()
    source: KeySource = "RTP"
    stay_s: float | None = None
    patience_s: float | None = None
    answers_s: float = 0.3
    rings: bool = True
    context: str = "public"
    caller: str = "15559990000"
    dialplan: tuple[str, ...] = (DIALPLAN,)
    lengths: dict[str, float] = field(default_factory=dict)
    bound_key_s: float = 0.3


QUEUE = Call(
    "s12a_queue_enter_wrong_key_right_key_hangup",
    "support",
    keys=((2.2, "7"), (3.2, "1"), (4.7, "1")),
    stay_s=6.0,
    caller="+442079460000",
    dialplan=(
        '<context name="public"><extension name="in"><condition field="destination_number" expression="^support$">'
        '<action application="transfer" data="support XML fsd_queue"/></condition></extension></context>',
        queue_file((QueueDefinition(name="support", callback=CallbackKey(key="1")),), SwitchOptions()),
    ),
)
CALLS = (
    Call("s05a_ivr_dtmf_rfc2833", keys=((2.26, "1"), (4.15, "4"), (6.07, "#"))),
    Call("s05b_ivr_dtmf_sip_info_and_uuid_recv_dtmf", keys=((1.52, "5"),), source="ENDPOINT"),
    Call("s06a_inbound_bind_digit_action_during_playback", "holdbda", keys=((1.66, "1"), (5.3, "2"), (7.2, "3")), stay_s=11.6),
    Call("s06b_inbound_bind_digit_action_while_parked", "holdbdapark", keys=((1.66, "1"), (3.57, "9")), stay_s=7.8),
    Call("s06c_inbound_bind_digit_action_transfer", "holdbdaxfer", keys=((1.66, "1"),)),
    Call("s06e_inbound_playback_terminators", "holdterm", keys=((1.66, "1"),)),
    Call("s06h_inbound_plain_park_dtmf_events_only", "park", keys=((1.66, "1"), (3.57, "#")), stay_s=7.8),
    Call("s06j_inbound_caller_cancels_while_ringing", "ring", patience_s=0.84),
    Call("s06k_inbound_bind_digit_action_exec_inline_parked_with_broadcast_moh", "holdbdai", keys=((1.86, "1"), (4.07, "9")), stay_s=5.8),
    Call("s11b_flow_record_hung_up_in_the_middle", stay_s=4.51, answers_s=0.001, rings=False),
    Call("s11c_flow_record_ended_by_hash", answers_s=0.001, rings=False),
    Call("s11d_flow_wrong_key_then_none", answers_s=0.6),
    Call("s11f_flow_opt_out", answers_s=0.6),
    Call("s11h_flow_http_answered_by_transfer", answers_s=0.6),
)


def subscribed(name: str) -> frozenset[str]:
    """The events that the recording's client wanted."""
    words: set[str] = set()
    for piece in pieces(name):
        if piece.direction == ">>" and piece.data.startswith(b"event plain"):
            words |= set(piece.data.decode().split())
    return frozenset(words - set(NOT_TOLD))


def told(events: list[Event], wanted: frozenset[str]) -> list[tuple[str, ...]]:
    """Each event with what it shows, uuids and seconds left out; a job's result races with its leg (freeswitch.md 16)."""
    found = []
    for event in events:
        if event.name in wanted and event.name != "BACKGROUND_JOB":
            shown = (f"{name}={VOLATILE.sub('…', event.headers[name])}" for name in SHOWN if name in event.headers)
            found.append((event.name, *(each for each in shown if event.name != "CHANNEL_CREATE" or not each.startswith("variable_"))))
    return found


def simulated(call: Call) -> list[Event]:
    """The same call on the simulated switch, with the client's commands at the recording's times."""
    base = started_at(call.recording)
    answers = Behaviour(
        after_s=call.answers_s, first_response=180 if call.rings else 100, stay_s=call.stay_s, patience_s=call.patience_s, keys=call.keys,
        key_source=call.source, hangs_up_after_message=False, speaks_s=600.0)  # fmt: skip
    lengths = {HELLO: 1.19, BEEP: 0.3, f"{SOUNDS}/hello.wav": 1.19, f"{SOUNDS}/beep.wav": 0.3}
    settings = SwitchSettings(dialplan=call.dialplan, file_lengths_s=lengths, order_variety=0.0)
    ids = random.Random(2)
    switch = SimSwitch(ScriptedPeople({}, answers), rng=random.Random(1), new_uuid=lambda: f"{ids.getrandbits(32):08x}-0000-4000-8000-000000000000",
                       settings=settings, started_at=base - 300)  # fmt: skip
    events: list[Event] = []

    def run(until: float) -> None:
        while (at := switch.next_wakeup()) is not None and at <= until:
            for event in switch.advance(at):
                events.append(Event(event.name, dict(switch.full_headers(event)), event.body))

    uuids: dict[str, str] = {}
    if call.destination:
        run(base + 0.12)
        recorded = next(said.event.headers["Unique-ID"] for said in said_in(call.recording) if said.event and "Unique-ID" in said.event.headers)
        uuids[recorded] = switch.inbound(call.caller, "Cust Omer", call.destination, call.context, answers, base + 0.12)
    for piece in pieces(call.recording):
        if piece.direction != ">>":
            continue
        now = base + piece.at_ms / 1000
        run(now)
        decoder = CommandDecoder()
        decoder.feed(piece.data)
        for command in decoder:
            line = re.sub(VOLATILE, lambda found: uuids.get(found[0], found[0]), command.args)
            if command.verb == "api" and not line.startswith("hupall"):
                switch.api(line, now)
            elif command.verb == "bgapi":
                assert read_originate(line.removeprefix("originate ")) is not None
                switch.bgapi(line, "job", now)
    run(base + 3600)
    return events


@pytest.mark.parametrize("call", [*CALLS, QUEUE], ids=lambda call: call.recording)
def test_what_is_told_of_a_flow_and_its_keys_is_what_the_real_switch_told(call: Call) -> None:
    wanted = subscribed(call.recording)
    real = told([said.event for said in said_in(call.recording) if said.event is not None], wanted)
    here = told(simulated(call), wanted)
    assert here == real


@pytest.mark.parametrize("call", [QUEUE, CALLS[2], CALLS[7]], ids=lambda call: call.recording)
def test_an_inbound_legs_headers_have_the_names_of_the_recorded_ones(call: Call) -> None:
    """But for a SIP header of SIPp's own, and those that only a real media stream has."""
    odd = ("variable_sip_h_", "variable_rtp_audio_", "variable_DP_", "variable_rtp_use_codec_string", "variable_record_", "variable_sip_gateway")
    real = {said.event.name: said.event for said in reversed(said_in(call.recording)) if said.event is not None}
    here = {event.name: event for event in reversed(simulated(call))}
    for name in ("CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_PARK", "CUSTOM"):
        if name in real:
            missing = {header for header in real[name].headers if not header.startswith(odd)} - set(here[name].headers)
            more = {header for header in here[name].headers if not header.startswith(odd)} - set(real[name].headers)
            assert (name, missing, more) == (name, set(), set())

"""All headers of an event, in the switch's order.

Pure: SwitchEvent in, name and value pairs out. Knows the fourteen headers in front of every event and where a leg's blocks stand; the blocks
themselves come from picture.py. Nothing here runs unless an event is sent to somebody.
"""

from __future__ import annotations

import time
from typing import Final

from fs_dialer.sim.leg import WITH_VARIABLES, Leg, SwitchEvent
from fs_dialer.sim.picture import Picture, stamp_us
from fs_dialer.sim.settings import SwitchSettings

SOURCES: Final[dict[str, tuple[str, str, str]]] = {
    "API": ("switch_loadable_module.c", "switch_api_execute", "3140"),
    "BACKGROUND_JOB": ("mod_event_socket.c", "api_exec", "1580"),
    "CALL_UPDATE": ("switch_channel.c", "switch_channel_flip_cid", "3279"),
    "CHANNEL_ANSWER": ("switch_channel.c", "switch_channel_perform_mark_answered", "3848"),
    "CHANNEL_BRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", "1689"),
    "CHANNEL_CALLSTATE": ("switch_channel.c", "switch_channel_perform_set_callstate", "302"),
    "CHANNEL_CREATE": ("switch_core_state_machine.c", "switch_core_session_run", "626"),
    "CHANNEL_DATA": ("mod_commands.c", "uuid_dump_function", "6495"),
    "CHANNEL_DESTROY": ("switch_core_session.c", "switch_core_session_perform_destroy", "1588"),
    "CHANNEL_EXECUTE": ("switch_core_session.c", "switch_core_session_exec", "2949"),
    "CHANNEL_EXECUTE_COMPLETE": ("switch_core_session.c", "switch_core_session_exec", "2972"),
    "CHANNEL_HANGUP": ("switch_channel.c", "switch_channel_perform_hangup", "3447"),
    "CHANNEL_HANGUP_COMPLETE": ("switch_core_state_machine.c", "switch_core_session_reporting_state", "943"),
    "CHANNEL_ORIGINATE": ("switch_core_state_machine.c", "switch_core_session_run", "632"),
    "CHANNEL_OUTGOING": ("switch_core_session.c", "switch_core_session_outgoing_channel", "768"),
    "CHANNEL_PARK": ("switch_ivr.c", "switch_ivr_park", "1002"),
    "CHANNEL_PROGRESS": ("switch_channel.c", "switch_channel_perform_mark_ring_ready_value", "3507"),
    "CHANNEL_PROGRESS_MEDIA": ("switch_channel.c", "switch_channel_perform_mark_pre_answered", "3562"),
    "CHANNEL_STATE": ("switch_channel.c", "switch_channel_perform_set_running_state", "2409"),
    "CHANNEL_UNBRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", "1879"),
    "CHANNEL_UNPARK": ("switch_ivr.c", "switch_ivr_park", "1213"),
    "CODEC": ("switch_core_codec.c", "switch_core_session_set_real_read_codec", "189"),
    "CUSTOM": ("mod_event_socket.c", "parse_command", "2283"),
    "CUSTOM on a channel": ("mod_dptools.c", "event_function", "1902"),
    "DTMF": ("switch_channel.c", "switch_channel_dequeue_dtmf", "678"),
    "HEARTBEAT": ("switch_core.c", "send_heartbeat", "95"),
    "PLAYBACK_START": ("switch_ivr_play_say.c", "switch_ivr_play_file", "1649"),
    "PLAYBACK_STOP": ("switch_ivr_play_say.c", "switch_ivr_play_file", "2023"),
    "RECORD_START": ("switch_ivr_async.c", "record_callback", "1482"),
    "RECORD_STOP": ("switch_ivr_async.c", "send_record_stop_event", "1241"),
    "RELOADXML": ("switch_xml.c", "switch_xml_open_root", "2423"),
    "RE_SCHEDULE": ("switch_scheduler.c", "switch_scheduler_execute", "73"),
    "MODULE_LOAD": ("switch_loadable_module.c", "switch_loadable_module_process", "713"),
    "MODULE_UNLOAD": ("switch_loadable_module.c", "switch_loadable_module_unprocess", "1635"),
    "ADD_SCHEDULE": ("switch_scheduler.c", "task_thread_loop", "150"),
    "DEL_SCHEDULE": ("switch_scheduler.c", "task_thread_loop", "160"),
    "SHUTDOWN": ("switch_core.c", "switch_core_destroy", "3160"),
    "PRIVATE_COMMAND": ("switch_core_session.c", "switch_core_session_queue_private_event", "1250"),
}
ON_A_CHANNEL: Final = "CUSTOM on a channel"
_UNKNOWN_SOURCE: Final = ("switch_event.c", "switch_event_fire_detailed", "2000")


class Headers:
    """Renders events of one switch. Keeps the texts of the running second, as many events share them."""

    def __init__(self, settings: SwitchSettings) -> None:
        self._settings = settings
        self._second = -1
        self._dates: list[tuple[str, str]] = []
        self._who = [
            ("Core-UUID", settings.core_uuid), ("FreeSWITCH-Hostname", settings.hostname), ("FreeSWITCH-Switchname", settings.switchname),
            ("FreeSWITCH-IPv4", settings.ipv4), ("FreeSWITCH-IPv6", settings.ipv6)]

    def full(self, event: SwitchEvent) -> list[tuple[str, str]]:
        """Everything the switch sends for this event, without the Content-Length of its body."""
        leg = event.leg
        if leg is None:
            if event.name == "CUSTOM":  # Event-Subclass and the sender's own headers come first (freeswitch.md 4)
                return [*event.front, *self._head(event), *event.tail]
            return [*self._head(event), *event.front, *event.tail]
        pairs = [*self._head(event), *event.front]
        if event.name == "CUSTOM":  # made on a channel: Event-Subclass first, Event-Name before the headers of its own (s06k)
            name, *head = self._head(event, ON_A_CHANNEL)
            pairs = [*event.front[:1], *head, name, *event.front[1:]]
        if event.state == "CS_NONE" and event.name == "CHANNEL_DESTROY":
            return pairs + self._stillborn(leg)
        picture = self.picture(leg, event.mark)
        lean = event.headers
        pairs += picture.channel(
            event.state, event.state_number, lean["Channel-Call-State"], lean["Answer-State"], lean.get("Hangup-Cause", ""))
        pairs += picture.caller()
        pairs += picture.other
        if event.name in WITH_VARIABLES:
            pairs += [("variable_" + name, value) for name, value in picture.variables.items()]
        return [*pairs, *event.tail]

    def picture(self, leg: Leg, mark: int) -> Picture:
        """The leg after `mark` lines of its journal. Events are rendered in the order they happened, so hardly ever from the start."""
        picture: Picture | None = leg.painted
        if picture is None or picture.mark > mark:
            picture = Picture(leg, self._settings)
            if leg.painted is None:
                leg.painted = picture
        picture.advance(mark)
        return picture

    def _head(self, event: SwitchEvent, source: str = "") -> list[tuple[str, str]]:
        second = int(event.at)
        if second != self._second:
            clock = time.gmtime(second)
            self._second = second
            self._dates = [
                ("Event-Date-Local", time.strftime("%Y-%m-%d %H:%M:%S", clock)),
                ("Event-Date-GMT", time.strftime("%a, %d %b %Y %H:%M:%S GMT", clock))]
        file, function, line = SOURCES.get(source or event.name, _UNKNOWN_SOURCE)
        return [
            ("Event-Name", event.name), *self._who, *self._dates, ("Event-Date-Timestamp", stamp_us(event.at)), ("Event-Calling-File", file),
            ("Event-Calling-Function", function), ("Event-Calling-Line-Number", line), ("Event-Sequence", str(event.sequence))]

    def _stillborn(self, leg: Leg) -> list[tuple[str, str]]:
        """The lone CHANNEL_DESTROY of a leg that never was (freeswitch.md 18)."""
        return [
            ("Channel-State", "CS_NONE"), ("Channel-Call-State", "DOWN"), ("Channel-State-Number", "0"), ("Channel-Name", "N/A"),
            ("Unique-ID", leg.uuid), ("Call-Direction", "outbound"), ("Presence-Call-Direction", "outbound"), ("Channel-HIT-Dialplan", "false"),
            ("Channel-Call-UUID", leg.uuid), ("Answer-State", "ringing"), ("variable_direction", "outbound"),
            ("variable_is_outbound", "true"), ("variable_uuid", leg.uuid), ("variable_call_uuid", leg.uuid),
            ("variable_session_id", str(leg.session_id))]

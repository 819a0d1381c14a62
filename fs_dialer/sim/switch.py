"""A simulated FreeSWITCH made of values in and values out.

Pure: no clock, no sockets, no gevent. Time is an argument (epoch seconds, never backwards), chance a random.Random, uuids a callable: equal
arguments give equal events. Used in virtual time by calling originate(), bridge() ... and advance(), and over TCP by esl_server.py with texts.
This file is the clock, the table of legs and the way events leave; what happens in a call is in dialling, applications, bridging and ending.

A reply always comes before the events it causes (freeswitch.md 11): methods return it, events wait for advance().
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fs_dialer.sim import (
    api,
    applications,
    bindings,
    bridging,
    dialling,
    dialplan_xml,
    dialstring,
    digits,
    ending,
    expansion,
    hunting,
    inbound,
    kept,
    listing,
    picture,
    says,
    variables,
)
from fs_dialer.sim.headers import Headers
from fs_dialer.sim.leg import HUNG_UP, LOG_LINE, STATE_NUMBERS, WITH_VARIABLES, Leg, Pairs, SwitchEvent
from fs_dialer.sim.people import Behaviour, People
from fs_dialer.sim.settings import Applications, SwitchSettings

Action = Callable[..., None]
Due = tuple[float, int, Action, tuple[Any, ...]]
_APPLICATIONS: dict[str, applications.Handler] = {
    **applications.APPLICATIONS, **variables.APPLICATIONS, **hunting.APPLICATIONS, **digits.APPLICATIONS, **bindings.APPLICATIONS, **says.APPLICATIONS,
    **kept.APPLICATIONS, **inbound.APPLICATIONS, "bridge": dialling.bridge_application,
}


@dataclass(slots=True)
class Counters:
    """What the switch has done since it started."""

    legs: int = 0
    lead_legs: int = 0  # legs whose originate said fsd_role=lead
    agent_legs: int = 0
    refused_without_leg: int = 0  # originates that ended before there was a leg
    answered: int = 0
    bridges: int = 0
    peak_legs: int = 0


class Task(NamedTuple):
    """Something the scheduler will do."""

    number: int
    description: str
    group: str
    at: float


class SimSwitch:
    """One switch. Every method that takes `now` takes epoch seconds not smaller than any before."""

    settings: SwitchSettings
    new_uuid: Callable[[], str]

    def __init__(
        self, people: People, *, rng: random.Random, new_uuid: Callable[[], str], settings: SwitchSettings | None = None, started_at: float = 0.0,
    ) -> None:
        self.people, self.rng, self.new_uuid = people, rng, new_uuid
        self.settings = settings or SwitchSettings()
        self.started_at = started_at
        self.legs: dict[str, Leg] = {}
        self.counters = Counters()
        self.delays: deque[float] = deque(maxlen=100_000)  # seconds from an answer to its first uuid_bridge
        self.gateways: dict[str, bool] = dict(self.settings.gateways or {})
        self.paused = False
        self.shutting_down = False
        self.max_sessions, self.sessions_per_second = self.settings.max_sessions, self.settings.sessions_per_second
        self.rate_second, self.rate_left = -1, 0
        self.commands = 0  # bridges asked for; a transfer is older than those that come after it
        self.detailed = self.settings.detailed
        self.globals: dict[str, str] = {"domain": self.settings.domain, "hostname": self.settings.hostname, "switchname": self.settings.switchname}
        self.globals["sound_prefix"] = self.settings.sound_prefix
        self.unloaded: set[str] = set()  # names of modules
        self.database: dict[tuple[str, str], str] = {}  # mod_db
        self.hashes: dict[tuple[str, str], str] = {}
        self.tasks: dict[int, Task] = {}
        self._groups: dict[str, list[int]] = {}  # a leg's uuid -> the numbers of its tasks, of the fired ones too
        self.attempted: list[tuple[str, str]] = []  # what some text wanted done outside the switch: nothing was
        self.dialplan = dialplan_xml.read(self.settings.dialplan)
        self.files: Callable[[], Sequence[str]] = lambda: self.settings.dialplan  # what reloadxml reads
        self.handlers: dict[str, applications.Handler] = {**_APPLICATIONS}
        self._wanted = self.settings.events
        self._heap: list[Due] = []
        self._order = 0
        self._sequence = 500
        self._sessions = 0
        self._task_number = 3  # the switch has its own first ones
        self._out: deque[SwitchEvent] = deque()
        self._headers = Headers(self.settings)

    # ---- values in

    def originate(self, job: str, uuid: str | None, endpoint: str, variables: Mapping[str, str], app: str, now: float) -> None:
        """As `bgapi originate`: the result arrives as a BACKGROUND_JOB event. `app`: `&park()` or `extension dialplan context`."""
        def result(text: str, later: float) -> None:
            self.job_done(job, "originate", "", text, later)

        dialling.originate(self, dialling.Originate(endpoint, variables, app, result, uuid, *dialling.timeouts(variables)), now)

    def inbound(
        self, from_number: str, display_name: str, destination: str, context: str, behaviour: Behaviour | None, now: float, uuid: str | None = None,
    ) -> str:
        """Somebody calls in. His leg's uuid, "" where the switch takes no call. Without a behaviour he is one of the people."""
        return inbound.call_in(self, from_number, display_name, destination, context, behaviour, now, uuid)

    def state(self, uuid: str) -> dict[str, str] | None:
        """What uuid_dump would say of a leg, as far as a translator reads it; None = there is no such leg."""
        leg = self.legs.get(uuid)
        if leg is None:
            return None
        found = {
            **leg.lean_variables, "Answer-State": leg.answer_state, "Channel-State": leg.state, "Caller-Context": leg.context,
            "Caller-Destination-Number": leg.destination_now, "variable_current_application": leg.app or ("park" if leg.parked else "")}
        if leg.app == "bridge" and leg.partner is not None:
            found |= {"variable_signal_bond": leg.partner.uuid, "Other-Leg-Unique-ID": leg.partner.uuid}
        if "last_bridge_to" in leg.variables:
            found["variable_last_bridge_to"] = leg.variables["last_bridge_to"]
        return found

    def bridge(self, a: str, b: str, now: float) -> str:
        """uuid_bridge."""
        first, second = self.legs.get(a), self.legs.get(b)
        if first is None or second is None:
            return "-ERR Invalid uuid\n"
        bridging.bridge(self, first, second, now)
        return f"+OK {b}\n"

    def kill(self, uuid: str, cause: str, now: float) -> str:
        """uuid_kill; "" = the default cause NORMAL_CLEARING."""
        return api.call(self, f"uuid_kill {uuid} {cause}".strip(), now)

    def transfer(self, uuid: str, extension: str, dialplan: str, context: str, now: float, which: str = "") -> str:
        """uuid_transfer; `which`: "", "-bleg" or "-both"."""
        leg = self.legs.get(uuid)
        if leg is None:
            return "-ERR No such channel!\n"
        applications.transfer(self, leg, which, extension, dialplan, context, now)
        return "+OK\n"

    def broadcast(self, uuid: str, path: str, which: str, now: float) -> str:
        """uuid_broadcast; `which`: aleg, bleg or both."""
        leg = self.legs.get(uuid)
        if leg is None:
            return "-ERR invalid uuid\n"
        if which != "bleg" or leg.partner is None:
            applications.broadcast(self, leg, path, now)
        if which in ("bleg", "both") and leg.partner is not None:
            applications.broadcast(self, leg.partner, path, now)
        return "+OK Message sent\n"

    def break_(self, uuid: str, now: float) -> str:
        """uuid_break."""
        return api.call(self, f"uuid_break {uuid}", now)

    def park(self, uuid: str, now: float) -> str:
        """uuid_park."""
        return api.call(self, f"uuid_park {uuid}", now)

    def sched_transfer(self, when: str, uuid: str, extension: str, dialplan: str, context: str, now: float) -> str:
        """`when`: `+seconds` or an epoch second."""
        leg = self.legs.get(uuid)
        if leg is None:
            return "-ERR No such channel!\n"
        applications.schedule_transfer(self, leg, when, extension, dialplan, context, now)
        return "+OK\n"

    def sched_hangup(self, when: str, uuid: str, cause: str, now: float) -> str:
        """`when`: `+seconds` or an epoch second; "" = ALLOTTED_TIMEOUT."""
        leg = self.legs.get(uuid)
        if leg is None:
            return "-ERR No such channel!\n"
        applications.schedule_hangup(self, leg, when, cause, now)
        return "+OK\n"

    def sched_del(self, group: str, now: float) -> str:
        """All tasks of a leg, or the one task of that number."""
        numbers = [int(group)] if group.isdecimal() else self._groups.pop(group, ())
        return f"+OK Deleted: {sum([self._forget_task(number, now) for number in numbers])}\n"

    def exists(self, uuid: str) -> str:
        """uuid_exists: no newline (freeswitch.md 7)."""
        return "true" if uuid in self.legs else "false"

    def getvar(self, uuid: str, name: str) -> str:
        """uuid_getvar."""
        return api.call(self, f"uuid_getvar {uuid} {name}", 0.0)

    def setvar(self, uuid: str, name: str, value: str | None, now: float) -> str:
        """uuid_setvar; None removes."""
        leg = self.legs.get(uuid)
        if leg is None:
            return "-ERR No such channel!\n"
        self.set_variable(leg, name, value)
        return "+OK\n"

    def dump(self, uuid: str, now: float, form: str = "txt") -> str:
        """uuid_dump, `txt` or `json`."""
        return api.call(self, f"uuid_dump {uuid} {form}", now)

    def set_gateway(self, name: str, up: bool) -> None:
        """A trunk goes down or comes up: calls through it end GATEWAY_DOWN."""
        self.gateways[name] = up

    # ---- texts in

    def api(self, line: str, now: float) -> str:
        """An api command that answers at once. ValueError for originate, which takes as long as the call: use bgapi or call()."""
        return api.call(self, line, now)

    def call(self, line: str, now: float, done: Callable[[str, float], None]) -> None:
        """An api command on a thread of its own: the reply comes through `done`, sooner or later."""
        api.start(self, line, now, done)

    def bgapi(self, line: str, job: str, now: float) -> None:
        """bgapi: the reply arrives as a BACKGROUND_JOB event."""
        verb, _, args = line.partition(" ")
        api.start(self, line, now, lambda text, later: self.job_done(job, verb, args, text, later))

    # ---- time and events out

    def next_wakeup(self) -> float | None:
        """When advance() has something to do or to give; None = never, unless a command comes."""
        due = self._heap[0][0] if self._heap else None
        if self._out:
            ready = self._out[0].at + self.settings.event_lag_s
            return ready if due is None or ready < due else due
        return due

    def advance(self, now: float) -> list[SwitchEvent]:
        """Everything that is due until `now`, in an order a real switch may use."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= now:
            at, _, action, details = pop(heap)
            action(self, *details, at)
        out, lag = self._out, self.settings.event_lag_s
        if not lag:
            events = list(out)
            out.clear()
            return events
        events = []
        while out and out[0].at + lag <= now:
            events.append(out.popleft())
        return events

    def full_headers(self, event: SwitchEvent) -> list[tuple[str, str]]:
        """Everything the real switch sends for that event, in its order. Without SwitchSettings.detailed nothing was kept but the lean headers."""
        if not self.detailed:
            return list(event.headers.items())
        return self._headers.full(event)

    # ---- for the files that make calls happen

    def at(self, when: float, action: Action, *details: Any) -> None:
        """Call action(switch, *details, when) when the clock gets there."""
        self._order += 1
        heapq.heappush(self._heap, (when, self._order, action, details))

    def wants(self, name: str) -> bool:
        """Whether anybody wants events of that name."""
        return self._wanted is None or name in self._wanted

    def rarely(self) -> bool:
        """The rarer of two orders that a real switch shows."""
        return self.rng.random() < self.settings.order_variety

    def app_uuid(self) -> str:
        """An Application-UUID, where one would be seen."""
        return self.new_uuid() if self.detailed else ""

    def next_session(self) -> int:
        """session_id of a new leg."""
        self._sessions += 1
        return self._sessions

    def next_sequence(self) -> int:
        """Event-Sequence is given when an event is made, not when it leaves (freeswitch.md 12)."""
        self._sequence += 1
        return self._sequence

    def emit(self, leg: Leg, name: str, now: float, front: Pairs = (), tail: Pairs = ()) -> None:
        """Report something about a leg as it is now. `front` and `tail`: the event's own headers, before and after the leg's."""
        wanted = self._wanted
        if wanted is not None and name not in wanted:
            return
        headers = (leg.lean_variables if name in WITH_VARIABLES else leg.lean).copy()
        headers["Event-Name"] = name
        headers["Answer-State"] = leg.answer_state
        headers["Channel-Call-State"] = leg.call_state
        if front:
            headers.update(front)
        if tail:
            headers.update(tail)
        self._sequence += 1
        mark = 0 if leg.journal is None else len(leg.journal)
        self._out.append(SwitchEvent(name, leg.uuid, headers, None, self._sequence, now, leg, mark, leg.state, leg.state_number, front, tail))

    def emit_plain(self, name: str, now: float, pairs: Pairs = (), body: str | None = None, sequence: int = 0) -> None:
        """Report something that is about no leg."""
        if self.wants(name):
            self._out.append(SwitchEvent(name, "", {"Event-Name": name, **dict(pairs)}, body, sequence or self.next_sequence(), now, front=pairs))

    def send_event(self, event: SwitchEvent) -> None:
        """An event that a client made (sendevent)."""
        self._out.append(event)

    def enter(self, leg: Leg, state: str, now: float) -> None:
        """CHANNEL_STATE."""
        leg.state, leg.state_number = state, STATE_NUMBERS[state]
        self.emit(leg, "CHANNEL_STATE", now)

    def call_state(self, leg: Leg, state: str, number: str, now: float) -> None:
        """CHANNEL_CALLSTATE."""
        before, leg.call_state = leg.call_state, state
        self.emit(leg, "CHANNEL_CALLSTATE", now, front=(("Original-Channel-Call-State", before), ("Channel-Call-State-Number", number)))

    def job_done(self, job: str, command: str, argument: str, text: str, now: float) -> None:
        """BACKGROUND_JOB, to every listener (freeswitch.md 14)."""
        pairs = [("Job-UUID", job), ("Job-Command", command)]
        if argument:
            pairs.append(("Job-Command-Arg", argument))
        self.emit_plain("BACKGROUND_JOB", now, tuple(pairs), text)

    def count(self, leg: Leg) -> None:
        """A leg has been made."""
        counters = self.counters
        counters.legs += 1
        if leg.role == "lead":
            counters.lead_legs += 1
        elif leg.role == "agent":
            counters.agent_legs += 1
        if len(self.legs) > counters.peak_legs:
            counters.peak_legs = len(self.legs)

    def forget(self, leg: Leg) -> None:
        """The leg is destroyed. Its scheduled tasks stay until their time, and find nobody."""
        if self.legs.get(leg.uuid) is leg:
            del self.legs[leg.uuid]
            self._groups.pop(leg.uuid, None)

    def set_variable(self, leg: Leg, name: str, value: str | None) -> None:
        """A channel variable, from a command or an application; None removes it."""
        if value is None:
            leg.variables.pop(name, None)
            leg.lean_variables.pop(f"variable_{name}", None)
        else:
            leg.variables[name] = value
            if name.startswith("fsd_"):
                leg.put_variable(name, value)
        leg.note(picture.variable, name, value)

    def schedule(self, group: str, description: str, moment: float, now: float, action: Action, *details: Any) -> int:
        """A task under a leg's uuid; sched_del removes it."""
        self._task_number += 1
        number = self._task_number
        task = self.tasks[number] = Task(number, description, group, moment)
        self._groups.setdefault(group, []).append(number)
        self.at(moment, _fire, number, action, details)
        if self.wants("ADD_SCHEDULE"):
            self.emit_plain("ADD_SCHEDULE", now, self._task_pairs(task))
        return number

    def _task_pairs(self, task: Task) -> Pairs:
        return (("Task-ID", str(task.number)), ("Task-Desc", task.description), ("Task-Group", task.group), ("Task-Runtime", str(int(task.at))))

    def _forget_task(self, number: int, now: float) -> bool:
        task = self.tasks.pop(number, None)
        if task is None:
            return False
        if self.wants("DEL_SCHEDULE"):
            self.emit_plain("DEL_SCHEDULE", now, self._task_pairs(task))
        return True

    def next_application(self, leg: Leg, now: float) -> None:
        """The running application is over."""
        applications.run_next(self, leg, now)

    def expand(self, leg: Leg | None, text: str, now: float) -> str:
        """`${…}` in what an application is given."""
        return expansion.expand(self, leg, text, now)

    def hunt(self, leg: Leg, extension: str, context: str, now: float) -> Applications | None:
        """The dialplan's applications for a leg."""
        return hunting.hunt(self, leg, extension, context, now)

    def execute_on(self, leg: Leg, prefix: str, now: float) -> None:
        """The applications in all variables whose name begins so, in the order of the names, whatever state the leg is in."""
        for name in sorted(each for each in leg.variables if each.startswith(prefix)):
            application, _, data = leg.variables.get(name, "").partition("::" if "::" in leg.variables.get(name, "").split(" ")[0] else " ")
            if application:
                applications.beside(self, leg, application, data, now)

    def run_hook(self, leg: Leg, hook: str, now: float, expanded: bool = True) -> str:
        """An api command that a leg runs, with its variables: api_hangup_hook, or a key's."""
        verb, _, arguments = hook.partition(" ")
        return expansion.function(self, verb, expansion.expand(self, leg, arguments, now) if expanded else arguments, now)

    def catch_up(self, leg: Leg, now: float) -> None:
        """Keys whose action had to wait for the end of the music."""
        self.at(now, bindings.catch_up, leg)

    def reload(self, now: float) -> str:
        """reloadxml: the files are read again; what is wrong with them leaves everything as it was."""
        try:
            self.dialplan = dialplan_xml.read(self.files())
        except dialplan_xml.DialplanError as error:
            return f"+OK [[error near line 1]: {error}]\n"
        self.emit_plain("RELOADXML", now)
        return "+OK [Success]\n"

    def route(self, leg: Leg, extension: str, dialplan: str, context: str, now: float) -> None:
        """Into the dialplan."""
        applications.route(self, leg, extension, dialplan, context, now)

    def read_originate(self, text: str) -> dialling.Originate | None:
        """A dial string with its variables; None when it is none."""
        return dialstring.read_dial_string(text)

    def join(self, a: Leg, b: Leg, now: float) -> None:
        """The bridge application's leg answered: CHANNEL_BRIDGE at once."""
        bridging.join(self, a, b, now)

    def picture(self, leg: Leg) -> picture.Picture:
        """Every variable of a leg as it is now."""
        return self._headers.picture(leg, len(leg.journal or ()))

    def heartbeat(self, now: float) -> None:
        """HEARTBEAT and RE_SCHEDULE, when whoever keeps the time says so."""
        up, count = max(0.0, now - self.started_at), str(len(self.legs))
        self.emit_plain("HEARTBEAT", now, (
            ("Event-Info", "System Ready"), ("Up-Time", listing.uptime_text(up)), ("FreeSWITCH-Version", self.settings.version_long),
            ("Uptime-msec", str(int(up * 1000))), ("Session-Count", count), ("Max-Sessions", str(self.max_sessions)),
            ("Session-Per-Sec", str(self.sessions_per_second)), ("Session-Per-Sec-Last", "0"), ("Session-Per-Sec-Max", "0"),
            ("Session-Per-Sec-FiveMin", "0"), ("Session-Since-Startup", str(self.counters.legs)), ("Session-Peak-Max", str(self.counters.peak_legs)),
            ("Session-Peak-FiveMin", str(self.counters.peak_legs)), ("Idle-CPU", "95.000000")))
        self.emit_plain("RE_SCHEDULE", now, (
            ("Task-ID", "1"), ("Task-Desc", "heartbeat"), ("Task-Group", "core"), ("Task-Runtime", str(int(now + self.settings.heartbeat_s)))))

    def log(self, level: str, text: str, now: float) -> None:
        """A line of the switch's log, for those who asked for it."""
        if self.wants(LOG_LINE):
            self.send_event(SwitchEvent(LOG_LINE, "", {"level": level.lower(), "text": text}, None, 0, now))

    def shut_down(self, now: float) -> None:
        """fsctl shutdown: calls end SYSTEM_SHUTDOWN and SHUTDOWN is reported; the connections are the server's to close (freeswitch.md 15)."""
        self.paused = self.shutting_down = True
        self.hang_up_all("SYSTEM_SHUTDOWN", now)
        self.emit_plain("SHUTDOWN", now, (("Event-Info", "System Shutting Down"),))

    def hang_up_all(self, cause: str, now: float, matching: tuple[str, str] | None = None) -> None:
        """hupall."""
        for leg in list(self.legs.values()):
            if leg.phase != HUNG_UP and (matching is None or leg.variables.get(matching[0]) == matching[1]):
                ending.hangup(self, leg, cause, now)


def _fire(sw: SimSwitch, number: int, action: Action, details: tuple[Any, ...], now: float) -> None:
    """A scheduled task whose number is still in the table."""
    if sw._forget_task(number, now):
        action(sw, *details, now)

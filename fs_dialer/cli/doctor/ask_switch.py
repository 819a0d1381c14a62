"""Asks the switch, over one connection to its event socket, with a deadline for each question and one for all of them.

Knows which commands are asked and in which order; what the replies mean stands in switch.py, routes.py and clocks.py. Nothing is changed. A switch that
falls silent is asked nothing more: its answers would come in the wrong order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn

import gevent

from fs_dialer.cli.doctor import ask_machine, clocks, plugin, routes, switch
from fs_dialer.cli.doctor.checks import Check, bad, fine, not_asked
from fs_dialer.cli.doctor.clocks import Sample
from fs_dialer.cli.doctor.wanted import Wanted
from fs_dialer.config.daemon import DaemonSettings
from fs_dialer.core.leg_plan import FALLBACK_CONTEXT
from fs_dialer.errors import ConfigError, EslDisconnected, EslError
from fs_dialer.esl.client import EslSettings
from fs_dialer.esl.connection import Link
from fs_dialer.esl.supervisor import NotAdmitted, why_no_link

CONNECT_S = 3.0
QUESTION_S = 2.0
BETWEEN_SAMPLES_S = 0.009  # five of them are spread over two steps of FreeSWITCH's clock
_CONF = "xml_locate configuration configuration name"
SWITCH_CONF, EVENT_SOCKET_CONF = f"{_CONF} switch.conf", f"{_CONF} event_socket.conf"
FALLBACK = f"xml_locate dialplan context name {FALLBACK_CONTEXT}"
NOT_REACHABLE = "the switch is not reachable"


class Line:
    """The connection. `until`: on time.monotonic(). EslDisconnected from the first question that was not answered in time, and from all after it."""

    def __init__(self, link: Link, until: float) -> None:
        self._link: Link | None = link
        self._until = until
        self.trouble = ""
        self._replies: dict[str, str] = {}

    def ask(self, command: str) -> str:
        """The output of an API command; a question asked before is not asked again."""
        if command not in self._replies:
            self._replies[command] = self.ask_now(command)
        return self._replies[command]

    def ask_now(self, command: str) -> str:
        """As ask(), for what may change."""
        if self._link is None:
            raise EslDisconnected(self.trouble)
        patience = min(QUESTION_S, self._until - time.monotonic())
        if patience <= 0:
            self._end("there was no time left")
        try:
            with gevent.Timeout(patience):
                reply = self._link.exchange(f"api {command}")
        except gevent.Timeout:
            self._end(f"the switch did not answer {command.partition(' ')[0]!r} within {patience:.1f} s")
        except (EslError, OSError) as error:
            self._end(str(error))
        return reply.body.decode("utf-8", "replace") if reply.kind == "api/response" else reply.headers.get("Reply-Text", "")

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
            self.trouble = self.trouble or "the connection is closed"

    def _end(self, trouble: str) -> NoReturn:
        self.trouble = trouble
        self.close()
        raise EslDisconnected(trouble)


def connect(settings: DaemonSettings, until: float) -> tuple[Line | None, Check]:
    """The line, and the check that tells whether there is one."""
    id = "switch.reachable"
    try:
        password = settings.esl_password()
    except ConfigError as error:
        return None, bad(id, error.problems[0].text, "docs/reference/config.md: esl.password")
    esl = EslSettings(settings.esl.host, settings.esl.port, password, connect_timeout_s=CONNECT_S)
    try:
        link = Link(esl)
    except NotAdmitted as error:
        return None, bad(id, str(error).partition(": ")[0], f"{str(error).partition(': ')[2]}; ours is named at esl.password of fs-dialer.yml")
    except (EslError, OSError, gevent.Timeout) as error:
        return None, bad(
            id, why_no_link(esl, error).partition(": is ")[0], "start FreeSWITCH; mod_event_socket must be loaded and listen where `esl` of fs-dialer.yml says"
        )
    return Line(link, until), fine(id, f"the switch answers at {esl.address}, and takes our password")


Question = tuple[str, str, Callable[[], Check | Sequence[Check]]]
"""Id, what it is about, and what finds it out."""


def examine(line: Line | None, settings: DaemonSettings, wanted: Wanted | None, why_not: str) -> list[Check]:
    """Every check of the switch, its trunks and sounds. `wanted`: None = not known, because of `why_not`."""
    questions: list[Question] = [
        ("switch.version", "the switch's version", lambda: switch.version(_ask(line, "version short"))),
        ("switch.takes_calls", "whether the switch takes calls", lambda: switch.takes_calls(_ask(line, "fsctl pause_check"))),
        ("switch.modules", "the switch's modules", lambda: _modules(line, wanted)),
        ("switch.event_socket", "who can reach the event socket", lambda: switch.event_socket(_ask(line, EVENT_SOCKET_CONF), settings.esl.host)),
        ("switch.password", "the event socket's password", lambda: _password(line, settings)),
        ("switch.fallback", "the fallback extension", lambda: switch.fallback(_ask(line, FALLBACK))),
        ("clock.switch", "the switch's clock", lambda: clocks.clock("clock.switch", "the switch", _samples(line), stepped=True, remedy=_CLOCK_REMEDY)),
    ]
    checks = _asked(line, questions)
    if wanted is None:
        needs_definitions = ("switch.rate", "calls per second"), ("switch.sessions", "sessions"), ("gateways", "gateways"), ("sounds", "sounds")
        return checks + [not_asked(id, subject, NOT_REACHABLE if line is None else why_not) for id, subject in needs_definitions]
    return checks + _asked(line, _for_definitions(line, settings, wanted))


_CLOCK_REMEDY = "chrony or ntpd on both machines, then: fs_cli -x 'fsctl sync_clock'; proof of missed calls needs < 50 ms"


def _for_definitions(line: Line | None, settings: DaemonSettings, wanted: Wanted) -> list[Question]:
    lines, cps = wanted.lines, wanted.cps
    questions: list[Question] = [
        ("switch.rate", "calls per second", lambda: switch.rate(_ask(line, "fsctl sps"), cps)),
        ("switch.sessions", "sessions", lambda: switch.sessions(_ask(line, "fsctl max_sessions"), lines)),
        ("switch.restart", "the switch's limits after its next start", lambda: _after_a_restart(line, wanted)),
        ("switch.rtp_ports", "RTP ports", lambda: switch.rtp_ports(_ask(line, SWITCH_CONF), lines)),
    ]
    limit = ask_machine.files_of_process("freeswitch") if switch.is_loopback(settings.esl.host) else None
    if limit is not None and line is not None:
        questions.append(("switch.open_files", "the switch's open files", lambda: switch.open_files(limit, lines)))
    if wanted.flows:
        questions.append(("switch.flows", "flows in the switch", lambda: plugin.flows(_ask(line, plugin.FLOWS), wanted.flows)))
    if wanted.queues:
        questions.append(("switch.queues", "queues in the switch", lambda: plugin.queues(_ask(line, plugin.QUEUES), wanted.queues)))
    if wanted.modules:
        questions.append(("switch.flow_modules", "modules of flows and queues", lambda: _flow_modules(line, wanted)))
    if not wanted.gateways:
        questions.append(("gateways", "gateways", routes.no_gateway))
    questions += [(f"gateway.{name}", f"gateway {name}", partial(_gateway, line, name, who)) for name, who in wanted.gateways.items()]
    questions.append(("sounds", "sounds", lambda: _sounds(line, wanted)))
    return questions


def _asked(line: Line | None, questions: Sequence[Question]) -> list[Check]:
    """One after the other; from the first silence on none is asked."""
    checks: list[Check] = []
    for id, subject, find_out in questions:
        try:
            found = find_out()
        except EslDisconnected as error:
            found = not_asked(id, subject, str(error))
        checks += [found] if isinstance(found, Check) else found
    return checks


def _ask(line: Line | None, command: str) -> str:
    if line is None:
        raise EslDisconnected(NOT_REACHABLE)
    return line.ask(command)


def _modules(line: Line | None, wanted: Wanted | None) -> Check:
    sounds = [*(wanted.sounds if wanted else ()), *switch.fallback_sounds(_ask(line, FALLBACK))]
    return switch.modules({name: _ask(line, f"module_exists {name}") for name in switch.MODULES}, dict.fromkeys(sounds))


def _flow_modules(line: Line | None, wanted: Wanted) -> Check:
    return plugin.modules({name: _ask(line, f"module_exists {name}") for name in wanted.modules}, wanted.modules)


def _password(line: Line | None, settings: DaemonSettings) -> Check:
    xml = _ask(line, EVENT_SOCKET_CONF)
    return switch.password(settings.esl_password(), xml)


def _after_a_restart(line: Line | None, wanted: Wanted) -> Check:
    return switch.after_a_restart(_ask(line, SWITCH_CONF), _ask(line, "fsctl sps"), _ask(line, "fsctl max_sessions"), wanted.cps, wanted.lines)


def _gateway(line: Line | None, name: str, who: Sequence[str]) -> Check:
    if not routes.SAFE_NAME.fullmatch(name):
        return not_asked(f"gateway.{name}", f"gateway {name}", "its name may not be sent to the switch")
    return routes.gateway(name, who, _ask(line, f"sofia status gateway {name}"))


def _sounds(line: Line | None, wanted: Wanted) -> list[Check]:
    """Those of the definitions, and what the fallback plays."""
    sounds = dict(wanted.sounds)
    for sound in switch.fallback_sounds(_ask(line, FALLBACK)):
        sounds[sound] = (*sounds.get(sound, ()), "the fallback extension")
    checks = []
    for sound, who in sorted(sounds.items()):
        if sound.startswith("local_stream://"):
            checks.append(routes.stream(sound, who, _ask(line, "local_stream show")))
        elif "://" not in sound and routes.SAFE_FILE.fullmatch(sound):
            checks.append(_sound_file(line, sound, who))
    return checks


def _sound_file(line: Line | None, sound: str, who: Sequence[str]) -> Check:
    prefix, found = _ask(line, "global_getvar sound_prefix").strip(), {}
    for place in routes.files_of(sound, prefix):
        found[place] = _ask(line, f"file_exists {place}")
        if found[place].strip() == "true":
            break
    return routes.sound_file(sound, who, found, prefix)


def _samples(line: Line | None) -> list[Sample]:
    samples = []
    for number in range(clocks.SAMPLES):
        if number:
            time.sleep(BETWEEN_SAMPLES_S)
        before = time.time()
        if line is None:
            raise EslDisconnected(NOT_REACHABLE)
        said = line.ask_now("strmicroepoch").strip()
        if said.isdecimal():
            samples.append(Sample(before, time.time(), int(said) / 1e6))
    if not samples:
        raise EslDisconnected("strmicroepoch is not understood: mod_dptools is not loaded")
    return samples

"""What the switch itself is asked while files are put into it: its folders, who is in our contexts, its modules; and `reloadxml`, judged by what it then has.

Knows API commands and their replies; the connection is the doctor's. FreeSWITCH answers +OK to every reloadxml and tells in brackets how it went, and a file
that lies where nothing includes it is no error at all: so what counts is that our contexts are there afterwards.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fs_dialer.cli.doctor.ask_switch import Line, connect
from fs_dialer.cli.doctor.switch import is_loopback
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.settings import Session, nearest_name
from fs_dialer.config.daemon import DaemonSettings
from fs_dialer.config.switch_links import MAIN
from fs_dialer.core.leg_plan import FALLBACK_EXTENSION
from fs_dialer.core.model import SwitchId
from fs_dialer.core.switch_names import FALLBACK_CONTEXT, IVR_CONTEXT, QUEUE_CONTEXT
from fs_dialer.dialplans.old_flows import flow_of, queue_of
from fs_dialer.errors import ConfigError, EslDisconnected
from fs_dialer.esl.translate import flows_in

ALL_S = 20.0
ALIAS = "fsd"
ALIAS_COMMAND = "lua fsd.lua"
RELOADED = "+OK [Success]"


@dataclass(frozen=True, slots=True)
class Here:
    """One FreeSWITCH. `line` None: it was not reachable, because of `why`. `near`: its event socket is on this machine, so that its folders may be too."""

    name: str
    line: Line | None
    why: str
    near: bool

    def ask(self, command: str) -> str:
        """ "" where it is not reachable, or falls silent."""
        try:
            return self.line.ask_now(command) if self.line is not None else ""
        except EslDisconnected:
            return ""


@contextmanager
def reached(session: Session, name: str | None) -> Iterator[Here]:
    """The switch of that name, None = the one below `esl`. CommandFailed where fs-dialer.yml knows no such switch; one that can not be reached is no error."""
    settings = _settings_of(session.settings(), name)
    line, check = None, None
    try:
        line, check = connect(settings, time.monotonic() + ALL_S)
    except ConfigError as error:
        why = error.problems[0].text
    else:
        why = "" if line is not None else f"{check.what}; {check.remedy}"
    try:
        yield Here(name or MAIN, line, why, is_loopback(settings.esl.host))
    finally:
        if line is not None:
            line.close()


def _settings_of(settings: DaemonSettings, name: str | None) -> DaemonSettings:
    if name in (None, MAIN):
        return settings
    if name not in settings.switches:
        known = [MAIN, *settings.switches]
        advice = f"there are: {', '.join(known)}; further ones stand below `switches` in fs-dialer.yml"
        raise CommandFailed(f"fs-dialer.yml knows no switch {name}{nearest_name(str(name), known)}", advice)
    return replace(settings, esl=settings.switches[str(name)], switches={})


def folder_of(here: Here, variable: str) -> Path | None:
    """conf_dir or script_dir, as the switch itself names it; None where it does not answer, or lives on another machine."""
    said = here.ask(f"global_getvar {variable}").strip() if here.near else ""
    return Path(said) if said.startswith("/") and Path(said).is_dir() else None


# --- who is in our contexts -----------------------------------------------------------------------------------------------------------------


def legs(here: Here) -> list[dict[str, Any]] | None:
    """Rows of `show channels as json`; None = not known."""
    if here.line is None:
        return None
    try:
        told = json.loads(here.ask("show channels as json"))
        rows = told.get("rows", [])
        return [row for row in rows if isinstance(row, dict)]
    except (ValueError, AttributeError):
        return None


def in_our_contexts(rows: Iterable[dict[str, Any]]) -> int:
    return sum(row.get("context") in (FALLBACK_CONTEXT, IVR_CONTEXT, QUEUE_CONTEXT) for row in rows)


def has_callers(rows: Sequence[dict[str, Any]] | None) -> Callable[[str], bool]:
    """Whether a flow or queue that is wanted no more must stay: a call is in it, or one that rings may be on its way there, or nothing is known."""
    if rows is None or any(row.get("direction") == "outbound" and row.get("callstate") not in ("ACTIVE", "HELD", "HANGUP") for row in rows):
        return lambda _: True
    here = {flow_of(str(row.get("dest", ""))) for row in rows if row.get("context") == IVR_CONTEXT}
    here |= {queue_of(str(row.get("dest", ""))) for row in rows if row.get("context") == QUEUE_CONTEXT}
    return lambda name: name in here


# --- reloading ------------------------------------------------------------------------------------------------------------------------------


def reload(here: Here, flows: Iterable[str], queues: Iterable[str], numbers: Iterable[str]) -> str:
    """`reloadxml`, and a look at what the switch has then. What is wrong, "" = all is there. `numbers`: those that are routed in the context public."""
    if trouble := reload_only(here):
        return trouble
    if f'<extension name="{FALLBACK_EXTENSION}"' not in _located(here, FALLBACK_CONTEXT):
        said = here.ask("global_getvar conf_dir").strip()
        said = said or "not known"
        return f"it has no {FALLBACK_EXTENSION} afterwards: its own conf folder is {said}, and freeswitch.xml there has to include dialplan/*.xml"
    there = flows_in(_located(here, IVR_CONTEXT), _located(here, QUEUE_CONTEXT), SwitchId(here.name))
    missing = [f"flow {name}" for name in flows if name not in there.flows] + [f"queue {name}" for name in queues if name not in there.queues]
    if missing:
        return f"afterwards it does not have {', '.join(missing)}; is there a second context fsd_ivr or fsd_queue in its dialplan?"
    wanted = list(numbers)
    public = _located(here, "public") if wanted else ""
    missing = [number for number in wanted if f'<extension name="{number}"' not in public]
    if missing:
        return f"afterwards its context public does not have {missing[0]}: it has to include dialplan/public/*.xml"
    return ""


def reload_only(here: Here) -> str:
    """What it said where it refused; "" = it has read its configuration anew."""
    said = here.ask("reloadxml").strip()
    return "" if said == RELOADED else said or "it did not answer"


def _located(here: Here, context: str) -> str:
    return here.ask(f"xml_locate dialplan context name {context}")


def need_line(here: Here) -> None:
    """CommandFailed where the switch can not be asked."""
    if here.line is None:
        raise CommandFailed(f"the switch is not reachable: {here.why}", "nothing was changed; without --reload, files are only written", code=Exit.UNREACHABLE)


def set_alias(here: Here) -> bool:
    """`fsd status` for users of fs_cli; the switch remembers it over restarts, in its own database. Whether it took it."""
    has_lua = here.ask("module_exists mod_lua").strip() == "true"
    return has_lua and here.ask(f"alias stickyadd {ALIAS} {ALIAS_COMMAND}").startswith("+OK")


def drop_alias(here: Here) -> None:
    here.ask(f"alias del {ALIAS}")

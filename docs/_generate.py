"""Makes the pages of docs/reference/ that say what the code already says: events, actions, outcomes.

    python -m docs._generate            writes them
    python -m docs._generate --check    exit code 1 and their names where they are not what the code makes

Every row comes from the dataclasses, their docstrings and the functions themselves; only introductions and the recorded SIP answers are written here.
docs/reference/config.md has its own maker, fs_dialer/config/docs.py.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

from fs_dialer.core import actions, events, hangup
from fs_dialer.core.definition import Attempts, BusyRetry, Campaign
from fs_dialer.core.hangup import Evidence
from fs_dialer.core.model import CampaignId, CampaignType, Lead, LeadId, LeadStatus, Outcome, SwitchId
from fs_dialer.core.resources import CallerIds
from fs_dialer.core.retry import Ended, next_lead
from fs_dialer.esl.translate import RULES
from fs_dialer.runtime.perform import SWITCH_ACTIONS

REFERENCE = Path(__file__).resolve().parent / "reference"
MADE = "Made by `python -m docs._generate`; do not edit."

# --- events and actions -----------------------------------------------------------------------------------------------

EVENTS = """# Events: what can happen to the engine

{made} From `fs_dialer/core/events.py`.

`Dialer.handle(event, now)` takes one of these and the time, in seconds since the epoch, and answers with [actions](actions.md). They come from
the switch (`esl/translate.py`), the store (`runtime/perform.py`), people's commands (`runtime/desk.py`) and the clock. They may come late, twice
and in another order than they happened: every pair of state and event is decided in the machines' tables.

Ids are texts, times are seconds since the epoch, `…_s` is seconds. A journal holds them one to a line, with the class name under `$`
(`runtime/lines.py`).
"""

ACTIONS = """# Actions: what the engine asks for

{made} From `fs_dialer/core/actions.py`.

`Dialer.handle` answers with these. The loop hands them on and waits for none (`runtime/live.py`, `runtime/virtual.py`); where a result matters,
it comes back as the [event](events.md) after the arrow. Those about legs go to the `Switch` [port](ports.md), the others to the `Store`.
"""


def events_page() -> str:
    said_by = _freeswitch_events()
    return "\n".join([EVENTS.format(made=MADE), *_grouped(events, events.Event, "FreeSWITCH says", said_by)]).rstrip() + "\n"


def actions_page() -> str:
    done_by = {kind: f"`Switch.{_method(rule)}`" for kind, rule in SWITCH_ACTIONS.items()}
    return "\n".join([ACTIONS.format(made=MADE), *_grouped(actions, actions.Action, "port", done_by)]).rstrip() + "\n"


def _grouped(module: ModuleType, root: type, column: str, more: dict[type, str]) -> Iterator[str]:
    """One table for each `# --- title ---` of the module, in its own order. A group whose column would be empty goes without it."""
    source = inspect.getsource(module)
    titles = [(found.start(), found[1]) for found in re.finditer(r"^# --- (.+?) -+$", source, re.MULTILINE)]
    places = [(found.start(), getattr(module, found[1])) for found in re.finditer(r"^class (\w+)", source, re.MULTILINE)]
    parents = {parent for _, cls in places for parent in cls.__mro__[1:]}
    concrete = [(at, cls) for at, cls in places if issubclass(cls, root) and cls not in parents]
    for title, group in groupby(concrete, lambda entry: next((text for at, text in reversed(titles) if at < entry[0]), "")):
        classes = [cls for _, cls in group]
        wide = any(cls in more for cls in classes)
        yield from (f"## {title[:1].upper()}{title[1:]}", "")
        yield f"| name | fields |{f' {column} |' if wide else ''} meaning |"
        yield "|---|---|---|" + ("---|" if wide else "")
        for cls in classes:
            extra = f" {more.get(cls, '')} |" if wide else ""
            yield f"| `{cls.__name__}` | {_fields(cls)} |{extra} {_cell(_doc(cls))} |"
        yield ""


def _fields(cls: type) -> str:
    assert dataclasses.is_dataclass(cls)
    return "<br>".join(f"`{each.name}`: {_cell(str(each.type))}" for each in dataclasses.fields(cls))


def _doc(cls: type) -> str:
    """Its own docstring; not the signature that dataclass writes where there is none."""
    text = cls.__dict__.get("__doc__") or ""
    return "" if text.startswith(f"{cls.__name__}(") else " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _freeswitch_events() -> dict[type, str]:
    """Which event of the switch becomes which of ours: asked of the translation itself."""
    found: dict[type, list[str]] = {}
    for name, rule in RULES.items():
        for body in ("+OK x\n", "-ERR USER_BUSY\n") if name == "BACKGROUND_JOB" else (None,):
            event = rule({"Job-UUID": "x"}, body, SwitchId("main"))
            if event is not None:
                found.setdefault(type(event), []).append(f"`{name}`" + (f" `{body.split()[0]}`" if body else ""))
    return {cls: ", ".join(names) for cls, names in found.items()}


def _method(rule: Callable[[Any, Any], None]) -> str:
    """The name of the port's method that a rule calls."""

    class Port:
        called = ""

        def __getattr__(self, name: str) -> Callable[[Any], None]:
            self.called = name
            return lambda action: None

    port = Port()
    rule(port, None)
    return port.called


# --- outcomes ---------------------------------------------------------------------------------------------------------

OUTCOMES = """# Outcomes: how an attempt ended

{made} From `fs_dialer/core/hangup.py` and `fs_dialer/core/retry.py`; spec §4, D1, D3.

An outcome is decided by the hangup cause, the SIP answer, whether it rang (`CHANNEL_PROGRESS` or `CHANNEL_PROGRESS_MEDIA` was seen), whether
there was a leg, and who hung up: never by the cause alone.

*Attempt*: does it count against `attempts.max`? *Estimate*: does the pacer learn from it how many calls are answered? *Person*: is it in the
denominator of the missed rate? An attempt that reaches `attempts.max` makes its lead `exhausted` instead of `retry`. A campaign's rules, and what an agent
chooses, come before this table.
"""

SIP = """## What the network's answer becomes

The causes are those that FreeSWITCH 1.11 gives on a SIP trunk (recorded; the recordings are in `tests/captures/`). A header `Reason:
Q.850;cause=N` from the far end wins over the SIP code and gives its own cause.
"""

CAUSES = """## Causes without a SIP answer

*No leg*: the switch refused the originate and never made a channel. Any cause that is not here is `network` with a leg and `ours` without one; with a
Q.850 cause of {q850} it is `network`.
"""

WHEN = {
    Outcome.CONNECTED: "answered, and bridged to an agent (or the IVR reached a success, D13)",
    Outcome.MISSED: "answered by a person who met no agent in time, or was let go (D1)",
    Outcome.EARLY_HANGUP: "answered, and hung up by the customer before the time in which an agent must be there (D1)",
    Outcome.MACHINE: "answered, and classed as a machine",
    Outcome.NO_ANSWER: "rang, and was not answered",
    Outcome.BUSY: "busy",
    Outcome.REJECTED: "the callee refused it (603)",
    Outcome.UNREACHABLE: "not reachable now: switched off, not registered",
    Outcome.BAD_NUMBER: "no such number",
    Outcome.NETWORK: "congestion, or a fault between us and the callee",
    Outcome.OURS: "our trunk, caller id, limit or switch",
    Outcome.CANCELLED: "we hung up before the answer: pause, end, nobody left to serve",
    Outcome.UNKNOWN: "found open after a crash, with no evidence left (D8)",
}

# SIP answers in the order of their codes, with the cause that a recorded FreeSWITCH made of each.
SIP_CAUSES = {
    400: "NORMAL_TEMPORARY_FAILURE", 401: "CALL_REJECTED", 403: "CALL_REJECTED", 404: "UNALLOCATED_NUMBER", 405: "SERVICE_UNAVAILABLE",
    407: "CALL_REJECTED", 408: "RECOVERY_ON_TIMER_EXPIRE", 410: "NUMBER_CHANGED", 413: "INTERWORKING", 415: "SERVICE_NOT_IMPLEMENTED",
    420: "INTERWORKING", 423: "INTERWORKING", 480: "NO_USER_RESPONSE", 481: "NORMAL_TEMPORARY_FAILURE", 482: "EXCHANGE_ROUTING_ERROR",
    483: "EXCHANGE_ROUTING_ERROR", 484: "INVALID_NUMBER_FORMAT", 485: "NO_ROUTE_DESTINATION", 486: "USER_BUSY", 487: "ORIGINATOR_CANCEL",
    488: "INCOMPATIBLE_DESTINATION", 491: "NORMAL_UNSPECIFIED", 500: "NORMAL_TEMPORARY_FAILURE", 501: "SERVICE_NOT_IMPLEMENTED",
    502: "NETWORK_OUT_OF_ORDER", 503: "NORMAL_TEMPORARY_FAILURE", 504: "RECOVERY_ON_TIMER_EXPIRE", 600: "USER_BUSY", 603: "CALL_REJECTED",
    604: "NO_ROUTE_DESTINATION", 606: "INCOMPATIBLE_DESTINATION",
}  # fmt: skip

WITHOUT_ANSWER = sorted(
    {"USER_BUSY", "CALL_REJECTED", "NO_ROUTE_DESTINATION", "DESTINATION_OUT_OF_ORDER", "SUBSCRIBER_ABSENT"}
    | hangup.BAD_NUMBER | hangup.NETWORK | hangup.OURS | hangup.NOT_ANSWERED_IF_RANG | hangup.HUNG_UP_BEFORE_ANSWER
)  # fmt: skip


def outcomes_page() -> str:
    causes = CAUSES.format(q850=_numbers(hangup.NETWORK_Q850))
    return "\n".join([OUTCOMES.format(made=MADE), *_outcomes(), "", SIP, *_sip(), "", causes, *_causes()]) + "\n"


def _outcomes() -> Iterator[str]:
    yield "| outcome | when | attempt | estimate | person | lead becomes | called again |"
    yield "|---|---|---|---|---|---|---|"
    for outcome in Outcome:
        marks = (outcome in hangup.CONSUMES_ATTEMPT, outcome in hangup.FEEDS_ESTIMATE, outcome in hangup.ANSWERED_BY_PERSON)
        status, again = _after(outcome)
        yield f"| `{outcome.value}` | {WHEN[outcome]} | {' | '.join('yes' if mark else 'no' for mark in marks)} | {status} | {again} |"


def _after(outcome: Outcome) -> tuple[str, str]:
    """What becomes of a lead, and when it is called again: asked of the rules, with gaps that tell themselves apart."""
    policy = Attempts(max=9, gap_s=7000.0, busy=BusyRetry(gap_s=800.0))
    campaign = Campaign(id=CampaignId("c"), type=CampaignType.PROGRESSIVE, caller_id=CallerIds(numbers=("+15550100",)), attempts=policy)
    lead = Lead(LeadId(1), CampaignId("c"), "+15550100", ("UTC",), status=LeadStatus.NEW)
    update = next_lead(lead, Ended(outcome), campaign, 0.0)
    rang = next_lead(lead, Ended(outcome, rang=True), campaign, 0.0)
    status = "as before" if update.status is LeadStatus.NEW else f"`{update.status.value}`"
    if update.status in (LeadStatus.SUCCEEDED, LeadStatus.INVALID):
        return status, "–"
    words = {7000.0: "after `attempts.gap`", 800.0: "after `attempts.busy.gap`", 60.0: "after 60 s, doubling to 15 min", 0.0: "at once"}
    if outcome is Outcome.OURS:
        status += ", `error` after five in a row"
    return status, words[update.ready_at] + ("" if rang.ready_at == update.ready_at else f"; if it rang, {words[rang.ready_at]}")


def _sip() -> Iterator[str]:
    yield "| SIP answer | hangup cause | outcome | if it rang before |"
    yield "|---|---|---|---|"
    rows: dict[tuple[str, str, str], list[int]] = {}
    for code, cause in SIP_CAUSES.items():
        rows.setdefault((cause, _outcome(cause, code, rang=False), _outcome(cause, code, rang=True)), []).append(code)
    for (cause, silent, rang), codes in rows.items():
        yield f"| {', '.join(map(str, codes))} | {cause} | {silent} | {'the same' if rang == silent else rang} |"


def _causes() -> Iterator[str]:
    yield "| outcome without a leg | with a leg that did not ring | with one that rang | causes |"
    yield "|---|---|---|---|"
    rows: dict[tuple[str, str, str], list[str]] = {}
    for cause in WITHOUT_ANSWER:
        verdicts = (_outcome(cause, None, rang=False, leg=False), _outcome(cause, None, rang=False), _outcome(cause, None, rang=True))
        rows.setdefault(verdicts, []).append(cause)
    for verdicts, causes in sorted(rows.items()):
        yield f"| {' | '.join(verdicts)} | {', '.join(causes)} |"


def _outcome(cause: str, sip_status: int | None, *, rang: bool, leg: bool = True) -> str:
    evidence = Evidence(cause, sip_status, None, leg, rang, None, None, 0.0, we_cancelled=False, we_hung_up=False)
    return f"`{hangup.outcome(evidence, 60.0).value}`"


def _numbers(numbers: frozenset[int]) -> str:
    first, last = sorted(numbers)[:-1], max(numbers)
    return f"{', '.join(map(str, first))} or {last}"


# --- writing ----------------------------------------------------------------------------------------------------------

PAGES: dict[str, Callable[[], str]] = {"events.md": events_page, "actions.md": actions_page, "outcomes.md": outcomes_page}


def outdated() -> list[str]:
    """The pages that are not what the code makes."""
    return [name for name, make in PAGES.items() if not (REFERENCE / name).exists() or (REFERENCE / name).read_text(encoding="utf-8") != make()]


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        found = outdated()
        for name in found:
            print(f"docs/reference/{name} is not what the code makes: python -m docs._generate")
        return 1 if found else 0
    if arguments:
        print((__doc__ or "").strip())
        return 2
    REFERENCE.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

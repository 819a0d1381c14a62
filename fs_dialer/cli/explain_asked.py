"""What all of `explain` shares: which moment is asked about, which daemon runs, and how gates and moments are called.

Knows words and clocks; the answers are the core's (core/explain.py), the facts the database's (db/explain.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from fs_dialer.cli.output import clean
from fs_dialer.cli.settings import Session, no_campaign
from fs_dialer.cli.snapshots import Written
from fs_dialer.config.moments import parse_moment
from fs_dialer.config.values import BadValue
from fs_dialer.core import leads as gate
from fs_dialer.core.explain_engine import Engine, engine
from fs_dialer.core.leads import Check
from fs_dialer.modes import OFFERED

if TYPE_CHECKING:
    from fs_dialer.db.explain import CampaignFound, Seen

NO_DAEMON = "no daemon is running: nothing is dialled"
START_DAEMON = "start it: fs-dialer run"
DAY_S = 86400.0

NAMES = {
    gate.CAMPAIGN: "campaign",
    gate.WINDOW: "dates",
    gate.STATUS: "status",
    gate.HOURS: "our hours",
    gate.ZONES: "hours",
    gate.HOLIDAYS: "holidays",
    gate.DO_NOT_CALL: "do-not-call",
    gate.NO_CALLBACK: "no callback",
    gate.ATTEMPTS: "attempts",
    gate.NUMBER_CAP: "profile cap",
    gate.NUMBER_IN_CALL: "number busy",
    gate.GAP: "gap",
    gate.RULE_TIME: "set time",
    gate.QUOTA: "quota",
    gate.CALLER_ID: "caller id",
    gate.LINES: "lines",
    gate.AGENTS: "agents",
}
"""What an operator calls each gate; --json has the code."""


def at_option(what: str) -> Any:
    return click.option("--at", "at", metavar="TIME", help=f"Ask ahead: `mon 8:00`, `tomorrow 9:00`, `2026-12-01 8:00`, `+2h`, by the clock of {what}.")


@contextmanager
def database(session: Session) -> Iterator[Seen]:
    """The database as it is at this moment."""
    from fs_dialer.db.explain import ExplainStore

    with closing(ExplainStore(session.settings().dsn())) as store, store.moment() as seen:
        yield seen


def moment_asked(text: str | None, zone: str, now: float) -> float:
    """The moment of --at, or now. Misuse where it is none, or lies behind us: what was then is not kept."""
    if text is None:
        return now
    try:
        at = parse_moment(text, zone, now)
    except BadValue as error:
        raise click.UsageError(f"--at {error}") from None
    if at < now:
        raise click.UsageError(
            f"--at {text}: that was {said_when(at, zone, now)} ({zone}), and explain asks about now or later; past calls: fs-dialer lead show ID"
        )
    return at


def campaign_asked(seen: Seen, name: str) -> CampaignFound:
    """The campaign, or CommandFailed with the nearest name."""
    found = seen.campaign(name)
    if found is None:
        raise no_campaign(name, list(seen.campaigns()))
    return found


def running(seen: Seen, campaign: str = "") -> Engine | None:
    """What the running daemon says; None while none is running."""
    written = seen.snapshot()
    return engine(written[1], campaign) if written is not None and Written(*written).fresh else None


def said_when(at: float, zone: str, now: float) -> str:
    """As short as it can be told from now: 13:00 today, Mon 23 Nov 08:00, with the year where it is another."""
    local, today = datetime.fromtimestamp(at, ZoneInfo(zone)), datetime.fromtimestamp(now, ZoneInfo(zone))
    if local.date() == today.date():
        return local.strftime("%H:%M")
    return local.strftime("%a %-d %b %H:%M" if local.year == today.year else "%a %-d %b %Y %H:%M")


def in_full(at: float, zone: str, now: float) -> str:
    """Fri 20 Nov 20:41: with the day also where it is today."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return local.strftime("%a %-d %b %H:%M" if local.year == datetime.fromtimestamp(now, ZoneInfo(zone)).year else "%a %-d %b %Y %H:%M")


def to_ask(at: float, zone: str, now: float) -> str:
    """The same as --at understands it."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    text = f"{local:%a}".lower() if 0 <= at - now < 6 * DAY_S else f"{local:%Y-%m-%d}"
    return f"{text} {local.hour}:{local:%M}"


def state_said(found: CampaignFound, zone: str, now: float) -> str:
    """`running, r7 approved by an.le`; `paused by an.le 10:42: paused by hand`."""
    revision = found.campaign.revision
    by = f" by {clean(found.approved_by)}" if found.approved_by else ""
    if found.approved_revision is None:
        return f"{found.state.value}, r{revision} is not approved: fs-dialer approve {found.campaign.id}"
    approved = f"r{revision} approved{by}"
    if found.state.value == "running":
        newer = f"; r{found.newest_revision} waits for approval" if found.newest_revision > revision else ""
        return f"running, {approved}{newer}"
    who = f" by {clean(found.changed_by)}" if found.changed_by else ""
    when = f" {said_when(found.changed_at, zone, now)}" if found.changed_at is not None else ""
    reason = f": {clean(found.reason)}" if found.reason else ""
    return f"{found.state.value}{who}{when}{reason}"


def mended_by(found: CampaignFound) -> str:
    """The command that lets a campaign dial, "" where none does."""
    name = found.campaign.id
    if found.campaign.type not in OFFERED:
        return ""
    commands = {"new": f"fs-dialer approve {name}", "approved": f"fs-dialer start {name}", "paused": f"fs-dialer start {name}"}
    return commands.get(found.state.value, "")


def check_json(check: Check) -> Mapping[str, Any]:
    return {"gate": check.gate, "ok": check.ok, "reason": check.reason, "until": check.until}

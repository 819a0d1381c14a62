"""explain pace: how many calls a campaign places now, what that rests on, and what holds it down (S38–S49, X6).

The figures are those of the running daemon's last decision, as it writes them every second; with --at those of an earlier one, found by running the
daemon's journal through the same engine once more. Times are by the clock of the campaign.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.explain_asked import NO_DAEMON, START_DAEMON, campaign_asked, database
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import clean, percent, plural
from fs_dialer.cli.settings import Session
from fs_dialer.cli.snapshots import Written
from fs_dialer.config.moments import parse_moment
from fs_dialer.config.values import BadValue
from fs_dialer.core.model import CampaignId, CampaignType
from fs_dialer.core.snapshot import as_json

DAY_S = 86400.0
RULES = {
    CampaignType.MANUAL: "none by itself: agents take their customers and dial",
    CampaignType.PREVIEW: "one customer for each free agent to look at; his phone is called first",
    CampaignType.PROGRESSIVE: "one call for each free agent, who is kept for it: nobody who answers is without an agent",
    CampaignType.PREDICTIVE: "as many as the missed budget allows: one more while its chance to be missed is below the price",
    CampaignType.AUTOCALL: "as many as lines allow, without agents",
    CampaignType.CALLBACK: "one callback for each free agent, whose phone is called first",
}
FEATURES = {"hour": "hour", "weekend": "day", "attempts": "calls so far", "last": "last outcome", "kind": "kind of number"}


@dataclass(frozen=True, slots=True)
class Asked:
    """view: the campaign in the daemon's snapshot, None = it has none of it, or no daemon runs. at: when it was so; journal: where an earlier moment was
    found, and `same`: whether this version decides as the one that wrote it."""

    campaign: str
    type: CampaignType
    zone: str
    view: Mapping[str, Any] | None
    at: float
    now: float
    why_not: str = ""
    journal: str = ""
    same: bool = True

    @property
    def pace(self) -> Mapping[str, Any]:
        found = self.view.get("pace") if self.view is not None else None
        return found if isinstance(found, Mapping) else {}


@command(
    "pace",
    examples=("fs-dialer explain pace spring-renewals", 'fs-dialer explain pace spring-renewals --at "13:04" --json'),
    exits={
        Exit.DONE: "answered, whatever the answer is",
        Exit.FAILED: "there is no such campaign, or no journal of that moment",
        Exit.UNREACHABLE: "the database was not reachable",
    },
)
@click.argument("campaign", metavar="NAME")
@click.option("--at", metavar="TIME", help="An earlier decision, out of the journal: `13:04`, `mon 8:00`, `2026-12-01 8:00:30`, by the clock of the campaign.")
@click.option("--journal", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="With --at: the journal, rather than the daemon's own.")
def explain_pace(session: Session, campaign: str, at: str | None, journal: Path | None) -> None:
    """How many calls a campaign places, on which figures, and what holds the pace down.

    The first line is the one thing that holds it. For predictive campaigns the figures of that decision follow: how likely calls are answered, how long
    phones ring, how long agents talk and wrap up, how many calls may still be missed today and what one more may risk.
    """
    if journal is not None and at is None:
        raise click.UsageError("--journal is read with --at TIME only")
    now = time.time()
    with database(session) as seen:
        found = campaign_asked(seen, campaign)
        name, kind, zone = found.campaign.id, found.campaign.type, found.campaign.window.zone
        written = seen.snapshot() if at is None else None
    if at is not None:
        asked = _earlier(session, name, kind, zone, _before(at, zone, now), journal, now)
    elif written is None or not Written(*written).fresh:
        asked = Asked(name, kind, zone, None, now, now, f"{NO_DAEMON}   {START_DAEMON}")
    else:
        asked = Asked(name, kind, zone, _view(written[1], name), now, now, "the daemon has not read this campaign yet")
    session.say(f"{asked.campaign} ({asked.type.value}): {_headline(asked)}")
    session.say(*(f"  {title:<9} {text}" for title, text in _lines(asked)))
    session.result(_json(asked))


# --- finding it -----------------------------------------------------------------------------------------------------------------------


def _view(snapshot: Mapping[str, Any], campaign: str) -> Mapping[str, Any] | None:
    return next((view for view in snapshot.get("campaigns", ()) if view["id"] == campaign), None)


def _before(text: str, zone: str, now: float) -> float:
    """The moment of --at; one without a date is the last such moment."""
    try:
        for since in (0.0, DAY_S, 7 * DAY_S):
            at = parse_moment(text, zone, now - since)
            if at <= now and not text.strip().startswith("+"):
                return at
    except BadValue as error:
        raise click.UsageError(f"--at {error}") from None
    raise click.UsageError(f"--at {text}: that lies ahead, and nothing is decided yet")


def _earlier(session: Session, campaign: CampaignId, kind: CampaignType, zone: str, at: float, journal: Path | None, now: float) -> Asked:
    from fs_dialer.runtime.journal import moment  # it brings the engine and all campaign types along

    path = journal or _journal_of(session.settings().journal_dir(), at)
    found = moment(path, at)
    if found is None:
        raise CommandFailed(f"{path} begins after {_clock(at, zone, now)}")
    view = next((as_json(each) for each in found.snapshot.campaigns if each.id == campaign), None)
    why_not = f"the daemon had not read this campaign then, by {path}"
    return Asked(campaign, kind, zone, view, found.now, now, why_not, str(path), found.same)


def _journal_of(folder: Path | None, at: float) -> Path:
    """The one that was begun last before this moment; its name says when."""
    if folder is None:
        raise CommandFailed("no journal is kept on this machine", "journal: in fs-dialer.yml; or name one: --journal FILE")
    begun = {path: _begun(path) for path in folder.glob("*.jsonl")}
    before = [path for path, when in begun.items() if when is not None and when <= at]
    if not before:
        raise CommandFailed(f"no journal in {folder} goes back to that moment", "name another: --journal FILE")
    return max(before, key=lambda path: begun[path] or 0.0)


def _begun(path: Path) -> float | None:
    try:
        return datetime.strptime(path.name.split("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


# --- telling it -----------------------------------------------------------------------------------------------------------------------


def _clock(at: float, zone: str, now: float) -> str:
    local, today = datetime.fromtimestamp(at, ZoneInfo(zone)), datetime.fromtimestamp(now, ZoneInfo(zone))
    return local.strftime("%H:%M:%S" if local.date() == today.date() else "%a %-d %b %Y %H:%M:%S")


def _headline(asked: Asked) -> str:
    if asked.view is None:
        return asked.why_not
    return clean(str(asked.view["because"])) or "nothing was decided yet"


def _lines(asked: Asked) -> list[tuple[str, str]]:
    view, pace = asked.view, asked.pace
    lines = [("rule", RULES[asked.type])]
    if view is None:
        return lines
    lines += _of_predictive(asked) if pace else [("agents", f"{view.get('idle', 0)} free, {view.get('staying', 0)} available, {view.get('crew', 0)} in all")]
    limit = f" of {view['lines_limit']}" if view.get("lines_limit") is not None else ""
    lines.append(
        ("lines", f"{view['lines']}{limit} in use by the campaign" + (f"; {pace['room']:,.0f} more may be placed this moment" if "room" in pace else ""))
    )
    if asked.journal:
        lines.append(("as of", f"{_clock(asked.at, asked.zone, asked.now)}, by {clean(asked.journal)}" + ("" if asked.same else _OTHERWISE)))
    return lines


_OTHERWISE = "; this version decides otherwise than the one that wrote it, so figures may differ"


def _of_predictive(asked: Asked) -> list[tuple[str, str]]:
    pace = asked.pace
    seen = plural(round(pace["n_eff"]), "call")
    lines = [
        (
            "answers",
            f"{percent(pace['p_slow'])} of the last {seen} by a person, {percent(pace['p_fast'])} of the newest; reckoned with {percent(pace['p_used'])}",
        ),
        ("rings", f"{_spread(pace['ring_answered_s'])} until answered, {_spread(pace['ring_unanswered_s'])} until it ends unanswered (of ten: 1st, 5th, 9th)"),
        ("agents", f"{pace['agents']} logged in and staying{_free(pace)}; they talk {pace['talk_mean_s']:.0f} s and wrap up {pace['wrap_up_mean_s']:.0f} s"),
        ("in time", _patience(pace)),
        ("missed", _missed(pace)),
        ("budget", _budget(pace)),
        ("in flight", _in_flight(pace)),
        ("leads", _leads(pace)),
    ]
    if pace.get("decided_at") is not None:
        lines.append(("decided", f"{_clock(pace['decided_at'], asked.zone, asked.now)}: {plural(pace['n'], 'call')} more"))
    return lines


def _free(pace: Mapping[str, Any]) -> str:
    return f", {pace['idle']} free" if "idle" in pace else ""


def _spread(seconds: Mapping[str, float]) -> str:
    return " · ".join(f"{seconds[name]:.0f}" for name in ("p10", "p50", "p90")) + " s"


def _patience(pace: Mapping[str, Any]) -> str:
    rung = pace.get("agent_answer_s", 0.0)
    after = f", what is left once an agent has taken {rung:.0f} s to answer his phone" if rung else ""
    return f"an answered customer must meet a free agent within {pace['max_wait_s']:.0f} s{after}"


def _missed(pace: Mapping[str, Any]) -> str:
    allowed = pace["limit"] * pace["answered"]
    rate = f" ({percent(pace['missed_rate'])})" if pace["answered"] else ""
    left = f"{allowed - pace['abandoned']:.1f} left" if allowed >= pace["abandoned"] else f"{pace['abandoned'] - allowed:.1f} too many so far"
    return f"{pace['abandoned']} of {pace['answered']:,} answered today{rate}; {percent(pace['limit'], 2)} is steered for: {allowed:.1f} allowed, {left}"


def _budget(pace: Mapping[str, Any]) -> str:
    lent = f", {pace['lent']:.1f} lent ahead on the rest of the day" if pace["lent"] >= 0.05 else ""
    price = f"one more call may be missed with a chance of {percent(pace['q'])}" if pace["q"] > 0 else "used up: one call for each free agent until it recovers"
    return f"{pace['tok']:.2f} missed calls in hand{lent}, {pace['B']:.2f} after reserves; {price}"


def _in_flight(pace: Mapping[str, Any]) -> str:
    told = f"{plural(pace.get('ringing', pace['in_flight']), 'call rings', 'calls ring')}, {plural(pace.get('on_hold', 0), 'customer waits', 'customers wait')}"
    if pace["in_flight_bound"] is not None:
        told += f"; at most {pace['in_flight_bound']} until 200 calls have ended"
    return told + ("; most calls fail by our or the network's fault" if pace["outage"] else "")


def _leads(pace: Mapping[str, Any]) -> str:
    found = pace.get("by_lead") or {}
    if not found.get("on"):
        return "all alike: by_lead: no"
    seen = plural(found["calls"], "call")
    if not found["used"]:
        return f"all alike so far: {seen} show no difference that is more than chance"
    told = [FEATURES[name] for name, weight in sorted(found["features"].items(), key=lambda each: -each[1]) if weight > 0]
    return f"each by its own chance, learnt from {seen}: {', '.join(told)}"


def _json(asked: Asked) -> dict[str, Any]:
    view = asked.view
    return {
        "campaign": asked.campaign,
        "type": asked.type.value,
        "zone": asked.zone,
        "now": asked.now,
        "asked_about": asked.at,
        "rule": RULES[asked.type],
        "because": _headline(asked),
        "daemon": view is not None,
        "lines": view["lines"] if view is not None else None,
        "lines_limit": view.get("lines_limit") if view is not None else None,
        "idle": view.get("idle") if view is not None else None,
        "staying": view.get("staying") if view is not None else None,
        "pace": dict(asked.pace) or None,
        "journal": asked.journal or None,
        "same": asked.same,
    }

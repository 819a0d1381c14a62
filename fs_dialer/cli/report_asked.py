"""What every `report` takes: campaigns, days and times on the clocks of each one's zone, an agent, a caller id, a gateway.

Knows how people write days; counts nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click

from fs_dialer.cli.failures import CommandFailed
from fs_dialer.cli.output import clean
from fs_dialer.cli.settings import nearest_name, no_campaign
from fs_dialer.core.spans import MICROSECOND, Span, day_at, day_span

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.figures import Asked

F = TypeVar("F", bound=Callable[..., Any])
LONGEST_S = 36600 * 86400.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options as they were given; None = not given. `campaigns` () = all."""

    campaigns: tuple[str, ...] = ()
    agent: str | None = None
    caller_id: str | None = None
    gateway: str | None = None
    day: str | None = None
    since: str | None = None
    until: str | None = None
    now: float = field(default_factory=time.time)


def asking(*, campaign: bool = True, agent: bool = True, caller_id: bool = True, gateway: bool = True) -> Callable[[F], F]:
    """The options, without those that a report takes as its argument."""
    options = [
        click.option("--campaign", "campaigns", metavar="NAME", multiple=True, help="Only this campaign; may be said several times.") if campaign else None,
        click.option("--agent", metavar="AGENT", help="Only attempts that this agent had.") if agent else None,
        click.option("--caller-id", metavar="NUMBER", help="Only attempts that showed this number.") if caller_id else None,
        click.option("--gateway", metavar="NAME", help="Only attempts over this trunk.") if gateway else None,
        click.option("--day", metavar="DAY", help="2026-11-20, `today` or `yesterday`, in the campaign's zone. Left out: today."),
        click.option("--from", "since", metavar="TIME", help="From then on: `2026-11-20 8:00`, 2026-11-20, or 8:00 today."),
        click.option("--until", metavar="TIME", help="Until then; a day is meant with its end. Left out: the end of today."),
    ]

    def with_options(function: F) -> F:
        for option in reversed([each for each in options if each is not None]):
            function = option(function)
        return function

    return with_options


def asked(office: Backoffice, wishes: Wishes) -> tuple[Asked, dict[str, str]]:
    """Which attempts are meant, and the zone of each campaign among them. CommandFailed for a campaign or agent there is none of; click's BadParameter for
    a time that is none."""
    from fs_dialer.db.figures import Asked

    _check_times(wishes)
    zones = office.campaign_zones()
    for name in wishes.campaigns:
        if name not in zones:
            raise no_campaign(name, list(zones))
    if wishes.agent is not None:
        _check_agent(office, wishes.agent)
    chosen = {name: zones[name] for name in (dict.fromkeys(wishes.campaigns) or zones)}
    spans = {zone: span_of(wishes, zone) for zone in set(chosen.values())}
    return Asked({name: spans[zone] for name, zone in chosen.items()}, wishes.agent, _as_stored(wishes.caller_id), wishes.gateway), chosen


def note_if_unknown(office: Backoffice, asked: Asked) -> str:
    """Where no attempt was found: that the caller id or gateway asked for is in none of the time, with the nearest; "" where it is not that."""
    since = min((span.since for span in asked.spans.values()), default=0.0)
    for kind, name, word in (("caller_id", asked.caller_id, "showed the caller id"), ("gateway", asked.gateway, "went over the gateway")):
        if name is not None and name not in (known := office.known_to_attempts(kind, since)):
            return f"no attempt of this time {word} {clean(name)}{nearest_name(name, known)}"
    return ""


def windows_end(asked: Asked, now: float) -> dict[str, float]:
    """Where the three windows of the missed rate end: with what is asked for, and never after now."""
    return {name: min(now, span.until) for name, span in asked.spans.items() if span.since <= now}


def span_words(span: Span, zone: str) -> str:
    """Fri 20 Nov 2026 · Fri 20 Nov 2026 08:00 to 12:00, on the clocks of the zone."""
    begin, end = (datetime.fromtimestamp(at, ZoneInfo(zone)) for at in (span.since, span.until))
    first = day_at(span.since, zone)
    last = day_at(span.until - MICROSECOND, zone)
    whole = day_span(first, zone).since == span.since and day_span(last, zone).until == span.until
    if whole:
        return f"{_day(first)}" if first == last else f"{_day(first)} to {_day(last)}"
    until = f"{end:%H:%M}" if first == end.date() else f"{_day(end.date())} {end:%H:%M}"
    return f"{_day(first)} {begin:%H:%M} to {until}"


def iso(at: float, zone: str) -> str:
    """2026-11-20T14:05:32+07:00, with milliseconds where there are any."""
    local = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
    return local.isoformat(timespec="milliseconds" if round(at * 1000) % 1000 else "seconds")


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def _check_agent(office: Backoffice, agent: str) -> None:
    known = [line.id for line in office.agent_list()]
    if agent not in known and agent not in (called := office.known_to_attempts("agent", 0.0)):
        everybody = sorted({*known, *called})
        advice = "which there are: fs-dialer agent list" if everybody else "none is defined yet: fs-dialer apply PATH"
        raise CommandFailed(f"there is no agent {clean(agent)}{nearest_name(agent, everybody)}", advice)


def _as_stored(number: str | None) -> str | None:
    """+44 20 7946 0100 as it stands in the database; another text as it is."""
    from fs_dialer.config.values import BadValue, phone

    try:
        return None if number is None else phone(number)
    except BadValue:
        return number


def span_of(wishes: Wishes, zone: str) -> Span:
    """The time that is meant, on the clocks of a zone. click's errors for what makes none."""
    _check_times(wishes)
    today = day_at(wishes.now, zone)
    if wishes.since is None:
        return day_span(_read_day(wishes.day or "today", today, "--day"), zone)
    since = _read_time(wishes.since, zone, today, "--from").since
    until = day_span(today, zone).until if wishes.until is None else _read_time(wishes.until, zone, today, "--until").until
    if not 0 < until - since <= LONGEST_S:
        raise click.BadParameter(f"`{clean(wishes.until or 'the end of today')}` does not come after `{clean(wishes.since)}`", param_hint="--until")
    return Span(since, until)


def _check_times(wishes: Wishes) -> None:
    if wishes.day is not None and (wishes.since is not None or wishes.until is not None):
        raise click.UsageError("--day is a whole day: leave it out, or --from and --until")
    if wishes.until is not None and wishes.since is None:
        raise click.UsageError("--until needs --from")


def _read_day(text: str, today: date, option: str) -> date:
    days: Mapping[str, date] = {"today": today, "yesterday": today - timedelta(days=1)}
    if text.strip().lower() in days:
        return days[text.strip().lower()]
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter(f"`{clean(text)}` is no day: write 2026-11-20, today or yesterday", param_hint=option) from None
    if not 2000 <= day.year <= 2200:
        raise click.BadParameter(f"the year {day.year} is out of reach: 2000 to 2200", param_hint=option)
    return day


def _read_time(text: str, zone: str, today: date, option: str) -> Span:
    """A moment, as a span without length; or a day, as its span."""
    from fs_dialer.config.values import BadValue, moment

    text = text.strip()
    if ":" not in text:
        return day_span(_read_day(text, today, option), zone)
    try:
        at = moment(text if "-" in text else f"{today} {text}", zone)
    except BadValue as error:
        raise click.BadParameter(str(error), param_hint=option) from None
    return Span(at, at)

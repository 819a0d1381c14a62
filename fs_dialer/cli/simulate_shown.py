"""What a simulation found, for people: one day, a forecast of several, campaigns side by side; with progress while it runs, and as the object for --json.

Knows words and tables; the figures are simulation/'s.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import click

from fs_dialer.cli.output import ago, moment, percent, plural
from fs_dialer.cli.settings import Session
from fs_dialer.core.model import CampaignType
from fs_dialer.simulation.figures import Figures
from fs_dialer.simulation.forecast import Forecast, Outlook, Range, outlook
from fs_dialer.simulation.jobs import simulate_all
from fs_dialer.simulation.plots import Picture, over_the_day, over_values
from fs_dialer.simulation.setting import Setting, as_type
from fs_dialer.simulation.variants import Question, Variant

MANY_GIVE_UP = 0.05  # of the answered: worth a word
TELL_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """One variant with its days. `first`: what all its days have in common stands in each."""

    variant: Variant
    first: Figures
    seeds: int
    found: Outlook


@dataclass(frozen=True, slots=True)
class Shown:
    """The object for --json, and the picture of it."""

    result: dict[str, Any]
    picture: Picture


class Progress:
    """How far it is, on stderr: one line that changes on a terminal, a line every ten seconds elsewhere; nothing of what is done at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began, self._told_at = clock, clock(), clock()
        self._terminal = sys.stderr.isatty()

    def __call__(self, done: int, of: int) -> None:
        now = self._clock()
        left = (now - self._began) / done * (of - done)
        words = f"{done} of {plural(of, 'day')} simulated" + (f", {ago(left)} left" if done < of else f" in {ago(now - self._began)}")
        if self._terminal:
            click.echo(f"\r\033[K{words if done < of else ''}", err=True, nl=False)
        elif now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            click.echo(words, err=True)


def several(session: Session, variants: Sequence[Variant], seeds: int, jobs: int) -> list[Told]:
    """Every variant on the same days. A predictive campaign by itself is compared with the progressive one it would else be."""
    days = [_day(variant.setting, number) for variant in variants for number in range(seeds)]
    alone = len(variants) == 1 and variants[0].setting.campaign.type is CampaignType.PREDICTIVE
    other = [as_type(day, CampaignType.PROGRESSIVE) for day in days] if alone else []
    found = simulate_all([*days, *other], jobs, Progress() if len(days) > 1 else None)
    told = []
    for number, variant in enumerate(variants):
        mine = found[number * seeds : (number + 1) * seeds]
        told.append(Told(variant, mine[0], seeds, outlook(mine, found[len(days) :] if alone else _same_as_progressive(variant, variants, found, seeds))))
    return told


def _day(setting: Setting, number: int) -> Setting:
    return replace(setting, seed=setting.seed + number)


def _same_as_progressive(variant: Variant, variants: Sequence[Variant], found: Sequence[Figures], seeds: int) -> Sequence[Figures]:
    """The days of the progressive variant with the same value, where there is one."""
    for number, each in enumerate(variants):
        if each.type == CampaignType.PROGRESSIVE.value and each.value == variant.value:
            return found[number * seeds : (number + 1) * seeds]
    return ()


# --- one day --------------------------------------------------------------------------------------------------------------------------


def shown_day(session: Session, f: Figures, setting: Setting, *, leads_given: bool) -> Shown:
    session.say(f"{_head(f)}, {f.leads:,} leads, seed {f.seed}", "")

    def share(count: int) -> str:
        return percent(count / f.attempts) if f.attempts else "-"

    happened = sorted(((count, name) for name, count in f.outcomes.items() if count), reverse=True)
    rows = [("requests", f"{f.requests:,}", "to be called back, during the day")] if f.type == CampaignType.CALLBACK.value else []
    rows += [("cards", f"{f.cards:,}", f"looked at; {f.skipped:,} passed over")] if f.cards else []
    rows += [("attempts", f"{f.attempts:,}", "")]
    rows += [(f"  {name.replace('_', ' ')}", f"{count:,}", share(count)) for count, name in happened]
    low, high = f.missed_rate_95
    waited = f"after waiting {f.average_wait_s:.1f} s on average, {f.longest_wait_s:.1f} s at most"
    ceiling = "" if f.ceiling is None else f"; ceiling {percent(f.ceiling)}"
    rows += [
        ("", "", ""),
        ("answered", f"{f.answered:,}", f"{share(f.answered)} of attempts, by a person"),
        ("connected", f"{f.connected:,}", f"{waited}; then talking {f.average_talk_s:.0f} s"),
        ("missed", f"{f.missed:,}", f"{percent(f.missed_rate, 2)} of answered; {percent(low, 2)} to {percent(high, 2)} with 95% confidence{ceiling}"),
        ("", "", ""),
        ("agents busy", percent(f.utilisation), "of their time talking or in wrap-up"),
        ("calls", f"{f.calls_per_agent_hour:.1f}", "per agent and hour"),
        ("lines", f"{f.lines_peak:,}", f"at most at a time, of {f.lines_limit:,}; with the agents' own {f.legs_peak:,} of {f.legs_limit:,}"),
        ("leads left", f"{f.leads_left:,}", f"{f.leads_never_called:,} of them never called"),
    ]
    width = max(len(figure) for _, figure, _ in rows)
    session.say(*(f"{name:<16}{figure:>{width}}  {what}".rstrip() for name, figure, what in rows))
    if f.ended:
        session.note(f"It ended by itself after {ago(f.simulated_s)}: {f.ended}." + ("" if leads_given else " More leads: --leads N"))
    elif not f.leads_never_called and f.leads:
        session.note("Every lead was called, so agents may have waited for leads that were in their gap. More leads: --leads N")
    if f.legs_peak >= f.legs_limit:
        session.note(f"All {f.legs_limit:,} lines of the installation were in use at times; more agents would not have helped.")
    _warn_of_giving_up(session, f.gave_up_rate, setting)
    result = {each.name: getattr(f, each.name) for each in fields(f)}
    return Shown(result, over_the_day(_head(f), _clock(f), [(f.type, outlook([f]))], f.ceiling))


# --- several days ---------------------------------------------------------------------------------------------------------------------


def shown_seeds(session: Session, told: Told) -> Shown:
    f, forecast = told.first, told.found.forecast
    session.say(f"{_head(f)}, {f.leads:,} leads, {_days(told)}", "")
    progressive = forecast.progressive_utilisation
    beside = "" if progressive is None else f"dialled progressively {percent(progressive.mean)}"
    kept = "" if forecast.over_ceiling is None else _kept(forecast.over_ceiling, told.seeds, f.ceiling or 0.0)
    rows = [
        ("agents busy", _shares(forecast.utilisation), beside),
        ("missed", _shares(forecast.missed_rate, 2), f"{percent(forecast.missed_rate_all, 2)} of all answered" + kept),
        ("gave up waiting", _shares(forecast.gave_up_rate, 2), "of answered; sooner than counts as missed"),
        ("customers wait", _seconds(forecast.average_wait_s), "on average, for their agent"),
        ("agents wait", _seconds(forecast.idle_per_call_s), "for each call"),
        ("calls", _numbers(forecast.calls_per_agent_hour, 1), "per agent and hour"),
        ("connected", _numbers(forecast.connected), "in the day"),
        ("lines at most", _numbers(forecast.lines_peak), f"of {f.lines_limit:,}"),
        ("list finished", *_finish(forecast, told.seeds)),
    ]
    session.table(("FIGURE", "MEAN", "8 DAYS OF 10", ""), [(name, *parts, what) for name, parts, what in rows], right="MEAN")
    if forecast.gave_up_rate is not None:
        _warn_of_giving_up(session, forecast.gave_up_rate.mean, told.variant.setting)
    result = {**_common(f), "agents": f.agents, "leads": f.leads, "seeds": told.seeds, "type": f.type, "ceiling": f.ceiling}
    result |= {"runs": told.found.runs, "forecast": forecast, "course": told.found.course}
    return Shown(result, over_the_day(f"{_head(f)}, {_days(told)}", _clock(f), [(f.type, told.found)], f.ceiling))


def shown_variants(session: Session, told: Sequence[Told], asked: Question | None) -> Shown:
    f = told[0].first
    hours = "" if asked is not None and asked.name == "hours" else f"{_hours(f)} from "
    agents = "" if asked is not None and asked.name == "agents" else f"{plural(f.agents, 'agent')}, "
    head = f"{f.campaign}: {agents}{hours}{moment(datetime.fromisoformat(f.starts_at).timestamp(), f.zone)} in {f.zone}"
    session.say(f"{head}, {_days(told[0])} each", "")
    name = asked.name if asked is not None else ""
    header = [*(["TYPE"] if len({each.variant.type for each in told}) > 1 else []), *([name.upper()] if name else [])]
    columns = ["BUSY", "8 OF 10", "MISSED", "OVER", "GAVE UP", "WAIT", "AGENT WAITS", "CALLS/H", "LINES", "FINISHED"]
    rows = []
    for each in told:
        forecast = each.found.forecast
        which = [*([each.variant.type] if "TYPE" in header else []), *([each.variant.value] if name else [])]
        busy, missed = _shares(forecast.utilisation), percent(forecast.missed_rate_all, 2)
        over = "-" if forecast.over_ceiling is None else f"{forecast.over_ceiling} of {each.seeds}"
        gave_up, wait = _shares(forecast.gave_up_rate)[0], _seconds(forecast.average_wait_s)[0]
        figures = [gave_up, wait, _seconds(forecast.idle_per_call_s)[0], _numbers(forecast.calls_per_agent_hour, 1)[0], _numbers(forecast.lines_peak)[0]]
        rows.append([*which, *busy, missed, over, *figures, _finish(forecast, each.seeds)[0][0]])
    session.table([*header, *columns], rows, right=[*([name.upper()] if name else []), *columns])
    session.note(
        "",
        "BUSY: agents talking or in wrap-up. MISSED: of all answered. OVER: days above the ceiling. GAVE UP: hung up while waiting, sooner than counts as",
        "missed. WAIT, AGENT WAITS: customers for their agent, agents for each call.",
    )
    variants = [
        {
            "type": each.variant.type, "value": each.variant.value, "agents": each.first.agents, "hours": each.first.hours, "leads": each.first.leads,
            "ceiling": each.first.ceiling, "runs": each.found.runs, "forecast": each.found.forecast, "course": each.found.course,
        }
        for each in told
    ]  # fmt: skip
    result = {**_common(f), "seeds": told[0].seeds, "setting": name, "variants": variants}
    return Shown(result, _picture(head, told, asked))


def _picture(head: str, told: Sequence[Told], asked: Question | None) -> Picture:
    ceiling = next((each.first.ceiling for each in told if each.first.ceiling is not None), None)
    title = f"{head}, {_days(told[0])} each"
    if asked is None or len(asked.values) == 1:
        return over_the_day(title, _clock(told[0].first), [(each.variant.type, each.found) for each in told], ceiling)
    types = list(dict.fromkeys(each.variant.type for each in told))
    forecasts = [(one, [each.found.forecast for each in told if each.variant.type == one]) for one in types]
    return over_values(title, asked.name, asked.values, forecasts, None if asked.name == "missed.max" else ceiling)


# --- words ----------------------------------------------------------------------------------------------------------------------------


def _common(f: Figures) -> dict[str, Any]:
    return {"campaign": f.campaign, "hours": f.hours, "zone": f.zone, "starts_at": f.starts_at}


def _head(f: Figures) -> str:
    begins = moment(datetime.fromisoformat(f.starts_at).timestamp(), f.zone)
    return f"{f.campaign} ({f.type}): {plural(f.agents, 'agent')}, {_hours(f)} from {begins} in {f.zone}"


def _hours(f: Figures) -> str:
    return f"{f.hours:g} {'hour' if f.hours == 1 else 'hours'}"


def _clock(f: Figures) -> float:
    begin = datetime.fromisoformat(f.starts_at)
    return begin.hour + begin.minute / 60


def _days(told: Told) -> str:
    first = told.first.seed
    return f"{plural(told.seeds, 'day')} (seed {first})" if told.seeds == 1 else f"{told.seeds} days (seeds {first} to {first + told.seeds - 1})"


def _kept(over: int, seeds: int, ceiling: float) -> str:
    return f"; ceiling {percent(ceiling)} " + (f"kept on {'all ' if seeds > 1 else ''}{plural(seeds, 'day')}" if not over else f"passed on {over} of {seeds}")


def _shares(found: Range | None, digits: int = 1) -> tuple[str, str]:
    return ("-", "-") if found is None else (percent(found.mean, digits), f"{percent(found.low, digits)} to {percent(found.high, digits)}")


def _seconds(found: Range | None) -> tuple[str, str]:
    return ("-", "-") if found is None else (f"{found.mean:.1f} s", f"{found.low:.1f} to {found.high:.1f} s")


def _numbers(found: Range | None, digits: int = 0) -> tuple[str, str]:
    return ("-", "-") if found is None else (f"{found.mean:,.{digits}f}", f"{found.low:,.{digits}f} to {found.high:,.{digits}f}")


def _finish(forecast: Forecast, seeds: int) -> tuple[tuple[str, str], str]:
    found = forecast.finished_s
    if found is None:
        return ("-", "-"), "not within the time simulated"
    return (ago(found.mean), f"{ago(found.low)} to {ago(found.high)}"), "" if found.days == seeds else f"on {found.days} of {plural(seeds, 'day')}"


def _warn_of_giving_up(session: Session, rate: float, setting: Setting) -> None:
    if rate <= MANY_GIVE_UP or setting.campaign.type is not CampaignType.PREDICTIVE:
        return
    within = setting.campaign.connect_within_s
    session.note(
        f"{percent(rate)} of those who answered hung up while they waited: not counted as missed before {ago(within)} (waiting.at_most, or the profile's",
        "connect_within). A shorter time makes the pace kinder: --what-if waiting.at_most=2s,5s,10s,20s",
    )

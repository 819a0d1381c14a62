"""What a changed definition will do, in words: leads that become ready, calls that wait longer, a ceiling that is passed already (X5).

Pure: a definition before and after, and facts that were counted, in; sentences out. What is counted here is what the approval of the new revision does
(D5): until then the old one dials on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignType
from fs_dialer.core.plan import OVER, Difference, Edit
from fs_dialer.core.schedule import dial_verdict, zone_of

DAY = 86400.0
LOOK_AHEAD_S = 15 * DAY  # for the first moment at which new hours differ from old ones
MOST_ZONE_SETS = 4  # of which that moment is looked for: the biggest; counts are taken over all
MOST_STEPS = 200
MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Joining:
    """Contacts that a campaign's group or filter gives. new + do_not_call + refused become leads; known are leads of it already."""

    new: int = 0
    do_not_call: int = 0
    refused: int = 0
    known: int = 0

    @property
    def leads(self) -> int:
        return self.new + self.do_not_call + self.refused


@dataclass(frozen=True, slots=True)
class Facts:
    """What was counted for one campaign. None = not asked, because nothing that changes depends on it.

    sooner, later: leads that a new gap makes ready at once, or lets wait longer. exhausted, back: leads beyond a new maximum, and exhausted ones below it.
    zones: unfinished leads by the zones of their number. days: (answered by a person, missed), the last 24 h first, one for each day of the ceiling's time.
    lines_taken: what other running campaigns may use by their own `lines`; shared_with: those that set none and may use all.
    """

    now: float
    calls_up: int = 0
    sooner: int | None = None
    later: int | None = None
    exhausted: int | None = None
    back: int | None = None
    zones: Sequence[tuple[tuple[str, ...], int]] | None = None
    days: Sequence[tuple[int, int]] | None = None
    lines_total: int | None = None
    lines_taken: int = 0
    shared_with: int = 0
    joining: Joining | None = None
    copied: int | None = None  # leads that a clone takes over


class Effect(NamedTuple):
    """`path`: the setting it belongs to, "" = the whole campaign. `warns`: somebody should look twice."""

    path: str
    text: str
    warns: bool = False


def effects(edit: Edit, found: Sequence[Difference], facts: Facts) -> tuple[Effect, ...]:
    """The sentences for a changed campaign; at most one for each setting, then those for the campaign."""
    old, new = edit.old, edit.new
    if not isinstance(old, Campaign) or not isinstance(new, Campaign):
        return ()
    said: list[Effect] = []
    for rule in (_gap, _maximum, _ceiling, _window, _hours, _lines, _leads, _agents, _type):
        effect = rule(old, new, found, facts, edit)
        if effect is not None:
            said.append(effect)
    return (*said, _afterwards(edit, facts))


def newcomer(campaign: Campaign, facts: Facts, settings: int) -> str:
    """What a new campaign brings, in one line: 11 settings, 8,312 leads (41 do-not-call), 40 lines of 60 free."""
    parts = [_many(settings, "setting")]
    if facts.copied is not None:
        parts.append(_many(facts.copied, "lead"))
    elif facts.joining is not None:
        apart = [f"{facts.joining.do_not_call:,} do-not-call"] if facts.joining.do_not_call else []
        apart += [f"{facts.joining.refused:,} not to be called back"] if facts.joining.refused else []
        parts.append(_many(facts.joining.leads, "lead") + (f" ({', '.join(apart)})" if apart else ""))
    elif campaign.leads.csv:
        parts.append(f"leads from {campaign.leads.csv} once they are imported")
    elif campaign.type is not CampaignType.CALLBACK:
        parts.append("no leads yet")
    if facts.lines_total is not None:
        free = max(0, facts.lines_total - facts.lines_taken)
        shared = f", shared with {_many(facts.shared_with, 'campaign')}" if facts.shared_with else ""
        parts.append(f"{campaign.lines} lines of {free} free{shared}" if campaign.lines else f"any of {free} free lines{shared}")
    return ", ".join(parts)


def moment(at: float, zone: str) -> str:
    """Sat 28 Nov 09:00 Europe/London."""
    return f"{datetime.fromtimestamp(at, zone_of(zone)):%a %-d %b %H:%M} {zone}"


# --- one setting after another --------------------------------------------------------------------------------------------------------


def _first(found: Sequence[Difference], *paths: str) -> str | None:
    """The first of the settings that differs; `hours` stands for hours.sat too."""
    return next((each.path for each in found for path in paths if each.path == path or each.path.startswith(f"{path}.")), None)


Rule = Callable[[Campaign, Campaign, Sequence[Difference], Facts, Edit], Effect | None]


def _gap(old: Campaign, new: Campaign, found: Sequence[Difference], facts: Facts, edit: Edit) -> Effect | None:
    path = _first(found, "attempts.gap", "attempts.busy.gap")
    if path is None or facts.sooner is None or facts.later is None:
        return None
    parts = [f"{_many(facts.sooner, 'lead')} {_verb(facts.sooner, 'becomes', 'become')} ready at once"] if facts.sooner else []
    parts += [f"{_many(facts.later, 'lead')} {_verb(facts.later, 'waits', 'wait')} longer"] if facts.later else []
    return Effect(path, "; ".join(parts) or "changes nothing for leads that wait now")


def _maximum(old: Campaign, new: Campaign, found: Sequence[Difference], facts: Facts, edit: Edit) -> Effect | None:
    if _first(found, "attempts.max") is None:
        return None
    if new.attempts.max < old.attempts.max and facts.exhausted is not None:
        if not facts.exhausted:
            return Effect("attempts.max", "no lead has been called that often")
        one = facts.exhausted == 1
        had = f"{_many(facts.exhausted, 'lead')} {'has' if one else 'have'} had {_many(new.attempts.max, 'call')} or more"
        return Effect("attempts.max", f"{had}: exhausted, not called any more", True)
    if facts.back:
        return Effect("attempts.max", f"{_many(facts.back, 'exhausted lead')} {_verb(facts.back, 'comes', 'come')} back")
    return None


def _ceiling(old: Campaign, new: Campaign, found: Sequence[Difference], facts: Facts, edit: Edit) -> Effect | None:
    path = _first(found, "missed.max", "missed.over")
    ceiling = getattr(getattr(new.options, "missed", None), "max", None)
    if path is None or ceiling is None or facts.days is None:
        return None
    if new.compliance.missed_max is not None:
        ceiling = min(ceiling, new.compliance.missed_max)
    answered, missed = (sum(each) for each in zip(*facts.days, strict=True)) if facts.days else (0, 0)
    if not answered:
        return Effect(path, "nobody has answered within that time yet")
    said = f"{missed:,} missed of {answered:,} ({missed / answered * 100:.1f}%)"
    if missed / answered <= ceiling:
        return Effect(path, f"{said}: within it")
    until = _healed(facts.days, ceiling, facts.now)
    about = f" until about {datetime.fromtimestamp(until, zone_of(new.window.zone)):%a %-d %b}" if until is not None else ""
    return Effect(path, f"{said}: over the new limit at once, so it would run as progressive{about}", True)


def _healed(days: Sequence[tuple[int, int]], ceiling: float, now: float) -> float | None:
    """When the rate is below the ceiling again if nobody is missed from now on and as many answer a day as did on average; None = not within a year."""
    window = list(days)
    called = [answered for answered, _ in window if answered]
    usual = sum(called) / len(called) if called else 0.0
    kept: list[tuple[float, float]] = [(answered, missed) for answered, missed in window]
    for day in range(1, MOST_DAYS):
        kept = [(usual, 0.0), *kept[:-1]]
        answered, missed = (sum(each) for each in zip(*kept, strict=True))
        if answered and missed / answered <= ceiling:
            return now + day * DAY
    return None


def _window(old: Campaign, new: Campaign, found: Sequence[Difference], facts: Facts, edit: Edit) -> Effect | None:
    start, end, zone = new.window.start, new.window.end, new.window.zone
    if (path := _first(found, "window.until")) is not None:
        if end is None:
            return Effect(path, "it goes on until its list is done")
        if end <= facts.now:
            return Effect(path, "that is past: it ends as soon as it is approved", True)
        return Effect(path, f"it ends {moment(end, zone)}, in {_span(end - facts.now)}")
    if (path := _first(found, "window.from")) is not None and start is not None and start > facts.now:
        running = edit.state == "running"
        return Effect(path, f"{'no calls until' if running else 'it begins'} {moment(start, zone)}, in {_span(start - facts.now)}", running)
    return None


def _hours(old: Campaign, new: Campaign, found: Sequence[Difference], facts: Facts, edit: Edit) -> Effect | None:
    path = _first(found, "hours", "compliance", "window.zone")
    if path is None or (old.hours == new.hours and old.compliance == new.compliance and old.window.zone == new.window.zone):
        return None
    zones = facts.zones if facts.zones else [((), 0)]
    shut = opened = 0
    for names, count in zones:
        before, after = dial_verdict(old, names, facts.now).open, dial_verdict(new, names, facts.now).open
        shut += count if before and not after else 0
        opened += count if after and not before else 0
    parts = [f"{_many(opened, 'lead')} {_verb(opened, 'comes', 'come')} inside hours at once"] if opened else []
    parts += [f"{_many(shut, 'lead')} {_verb(shut, 'goes', 'go')} outside hours at once"] if shut else []
    if parts:
        return Effect(path, ", ".join(parts), bool(shut))
    biggest = sorted(zones, key=lambda each: (-each[1], each[0]))[:MOST_ZONE_SETS]
    first = [(at, names) for names, _ in biggest if (at := _first_difference(old, new, names, facts.now)) is not None]
    if not first:
        return Effect(path, "makes no difference within two weeks")
    at, names = min(first)
    return Effect(path, f"first effect {moment(at, names[0] if names else new.window.zone)}")


def _first_difference(old: Campaign, new: Campaign, zones: tuple[str, ...], now: float) -> float | None:
    """The first moment at which a number of these zones may be called by one and not by the other; None = not for two weeks."""
    at = now
    for _ in range(MOST_STEPS):
        before, after = dial_verdict(old, zones, at), dial_verdict(new, zones, at)
        if before.open != after.open:
            return at
        at = min((until for until in (before.until, after.until) if until is not None and until > at), default=now + LOOK_AHEAD_S)
        if at >= now + LOOK_AHEAD_S:
            return None
    return None


def _lines(old: Campaign, new: Campaign, found: Sequence[Difference], facts: Facts, edit: Edit) -> Effect | None:
    if _first(found, "lines") is None or facts.lines_total is None:
        return None
    if new.lines is None:
        return Effect("lines", f"any of the installation's {facts.lines_total:,}")
    together = new.lines + facts.lines_taken
    if together > facts.lines_total:
        return Effect("lines", f"with the {facts.lines_taken:,} of other running campaigns that is {together:,} of {facts.lines_total:,}: they share", True)
    return Effect("lines", f"of {facts.lines_total - facts.lines_taken:,} that other running campaigns leave")


def _leads(old: Campaign, new: Campaign, found: Sequence[Difference], facts: Facts, edit: Edit) -> Effect | None:
    path = _first(found, "leads.group", "leads.filter")
    if path is None or facts.joining is None:
        return None
    apart = f" ({facts.joining.do_not_call:,} do-not-call)" if facts.joining.do_not_call else ""
    stay = "; leads it has stay"
    if not facts.joining.leads:
        return Effect(path, f"nobody joins{stay}")
    joins = f"{_many(facts.joining.leads, 'contact')}{apart} {_verb(facts.joining.leads, 'joins', 'join')} at once"
    dialled = edit.approved_revision is not None and edit.state == "running"
    return Effect(path, f"{joins}, r{edit.approved_revision} calls them too{stay}" if dialled else joins + stay, dialled)


def _agents(old: Campaign, new: Campaign, found: Sequence[Difference], facts: Facts, edit: Edit) -> Effect | None:
    path = _first(found, "agents")
    nobody = not new.agents.people and not new.agents.teams and new.type is not CampaignType.AUTOCALL
    return Effect(path, "nobody serves it then", True) if path is not None and nobody else None


def _type(old: Campaign, new: Campaign, found: Sequence[Difference], facts: Facts, edit: Edit) -> Effect | None:
    if _first(found, "type") is None:
        return None
    return Effect("type", "what its pacing has learned is forgotten", True)


def _afterwards(edit: Edit, facts: Facts) -> Effect:
    """What becomes of calls that are up, and what is needed now."""
    new, dials = f"r{edit.revision}", edit.approved_revision
    if edit.state in OVER:
        return Effect("", f"it has ended: {new} is for the record", True)
    if dials is None:
        return Effect("", f"{new} takes the place of r{edit.revision - 1}, which nobody approved")
    up = f"{_many(facts.calls_up, 'call')} in the air {_verb(facts.calls_up, 'keeps', 'keep')} r{dials}" if facts.calls_up else f"r{dials} dials on"
    return Effect("", f"{up}; {new} needs approval again")


# --- words ----------------------------------------------------------------------------------------------------------------------------


def _many(count: int, one: str) -> str:
    return f"{count:,} {one}" + ("" if count == 1 else "s")


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _span(seconds: float) -> str:
    for unit, size in (("d", DAY), ("h", 3600.0), ("m", 60.0)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"

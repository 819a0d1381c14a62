"""What a gate's answer about one lead rests on, in an operator's words: who approved, which list and how old, which calls, since when a gap runs.

Words only: the answer itself is the gate's. Times are by the clock of the zone that is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fs_dialer.cli.explain_asked import said_when, state_said
from fs_dialer.cli.output import ago
from fs_dialer.config.hours import show_hours
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.config.values import show_duration
from fs_dialer.core import leads as gate
from fs_dialer.core.definition import Campaign
from fs_dialer.core.leads import Check
from fs_dialer.core.model import Lead, LeadStatus
from fs_dialer.core.resources import DAY, Hours
from fs_dialer.core.schedule import LOOK_AHEAD_DAYS, profile_hours

if TYPE_CHECKING:
    from fs_dialer.db.explain import CampaignFound, Entry, LeadFound, LeadKnown, ListAge, Try


def zone_origin(lead: Lead, found: CampaignFound) -> str:
    """Where a lead's zones come from: its number, its list (D4), or, where nothing says, its campaign."""
    if not lead.zones:
        return f"of the campaign: the number says no place and counts as {found.campaign.window.zone}"
    try:
        by_number = set(parse_number(lead.number)[1])
    except BadNumber:
        by_number = set()
    origin = "from the number" if by_number == set(lead.zones) else "from its list"
    return origin if len(lead.zones) == 1 else f"{origin}; {len(lead.zones)} zones must allow it"


def evidence(check: Check, found: LeadFound, campaign: CampaignFound, known: LeadKnown, zone: str, now: float) -> str:
    """The gate's reason with what it rests on."""
    lead, definition = found.lead, campaign.campaign
    match check.gate:
        case gate.CAMPAIGN:
            said = state_said(campaign, zone, now)
            return said if check.until is None else f"{said}; begins by itself {said_when(check.until, zone, now)}"
        case gate.WINDOW:
            return _window(check, definition, zone, now)
        case gate.STATUS:
            return lead.status.value.replace("_", " ") if lead.status is not LeadStatus.IN_PROGRESS else check.reason
        case gate.HOURS | gate.ZONES | gate.HOLIDAYS:
            return _times(check, definition, zone, now)
        case gate.DO_NOT_CALL:
            return _lists(check, known, zone, now)
        case gate.NO_CALLBACK if not check.ok:
            return _mark(check, known, zone, now)
        case gate.ATTEMPTS:
            outcomes = [(each.outcome or "up now") for each in reversed(known.tries)]
            return check.reason + (f" ({', '.join(outcomes)})" if outcomes else "")
        case gate.GAP | gate.RULE_TIME if not check.ok:
            return _wait(check, lead, known.tries, zone, now)
        case gate.NUMBER_CAP if not check.ok and check.until is not None:
            return f"{check.reason}; the next {said_when(check.until, zone, now)}"
        case gate.CALLER_ID | gate.AGENTS if not check.ok and check.until is not None:
            return f"{check.reason}, until {said_when(check.until, zone, now)}"
    return check.reason


def _window(check: Check, campaign: Campaign, zone: str, now: float) -> str:
    window = campaign.window
    if window.start is None and window.end is None:
        return "no dates are set"
    parts = [f"from {said_when(window.start, zone, now)}"] if window.start is not None else []
    parts += [f"until {said_when(window.end, zone, now)}"] if window.end is not None else []
    return f"{' '.join(parts)}" if check.ok else f"{check.reason}: {' '.join(parts)}"


def _times(check: Check, campaign: Campaign, zone: str, now: float) -> str:
    hours = campaign.hours
    if check.ok:
        if check.gate == gate.ZONES and not hours.any_time:
            ends = check.until is not None and check.until - now < LOOK_AHEAD_DAYS * DAY  # further than is looked ahead: open all the time
            closes = f", until {said_when(check.until, zone, now)}" if ends and check.until is not None else ""
            return f"open {hours_said(hours)}{closes}"
        if check.gate == gate.HOURS:
            return f"open {hours_said(hours)} in {hours.zone}" if hours.zone else "only the clock of the number counts"
        return check.reason if campaign.hours.holidays or check.gate == gate.ZONES else "none are set"
    opens = f"; opens {said_when(check.until, zone, now)}" if check.until is not None else ""
    if check.gate == gate.HOLIDAYS:
        return f"{check.reason}{opens}"
    by_law = profile_hours(campaign.compliance)
    if check.reason.startswith("compliance profile "):
        return f"{check.reason}: open {hours_said(by_law)}{opens}"
    return f"open {hours_said(hours)} by the clock of {check.reason.rpartition(' ')[2]}{opens}"


def hours_said(hours: Hours) -> str:
    """mon-fri 8:00-20:00, sat 9:00-12:00"""
    return ", ".join(f"{days} {times}" for days, times in show_hours(hours)) or "any time"


def _lists(check: Check, known: LeadKnown, zone: str, now: float) -> str:
    if known.entries:
        return "; ".join(_entry(entry, zone, now) for entry in known.entries[:3])
    if not check.ok:
        return f"{check.reason}, when it was marked; no list names it now"
    if not known.lists:
        return "there is no list"
    imported = [each.imported_at for each in known.lists if each.imported_at is not None]
    age = f", newest {ago(now - max(imported))} old" if imported else ""
    stale = [each for each in known.lists if _is_stale(each, now)]
    warning = ""
    if stale:
        old = f"is older than its {show_duration(stale[0].stale_after_s or 0.0)}" if stale[0].imported_at is not None else "was never imported"
        warning = f"; {stale[0].list} {old}"
    named = f"on none of {len(known.lists)} lists" if len(known.lists) != 1 else f"not on the list {known.lists[0].list}"
    return f"{named}{age}{warning}"


def _is_stale(listed: ListAge, now: float) -> bool:
    return listed.stale_after_s is not None and now - (listed.imported_at or 0.0) > listed.stale_after_s


def _entry(entry: Entry, zone: str, now: float) -> str:
    number = f" as {entry.number}" if entry.number.endswith("*") else ""
    reason = f": {entry.reason}" if entry.reason else ""
    return f"on the list {entry.list}{number} since {said_when(entry.added_at, zone, now)}, by {entry.added_by}{reason}"


def _mark(check: Check, known: LeadKnown, zone: str, now: float) -> str:
    until = f" until {said_when(check.until, zone, now)}" if check.until is not None else ""
    if known.mark is None:
        return f"{check.reason}{until}"
    everybody = "" if known.mark.campaign else " by any campaign"
    reason = f": {known.mark.reason}" if known.mark.reason else ""
    return f"asked {said_when(known.mark.added_at, zone, now)} not to be called{everybody}{until} ({known.mark.added_by}{reason})"


def _wait(check: Check, lead: Lead, tries: tuple[Try, ...], zone: str, now: float) -> str:
    """`4h after 19:11, ends 23:11` where a call began it; else the reason and its end."""
    assert check.until is not None
    ends = said_when(check.until, zone, now)
    last = tries[0] if tries else None
    if lead.held_by:
        return f"{check.reason}, {ends}"
    if check.gate == gate.RULE_TIME:
        decision = f" ({last.decision})" if last is not None and last.decision and lead.ready_why == "rule" else ""
        agent = f" by {lead.agent}" if lead.agent else ""
        return f"{check.reason}{agent}: {ends}{decision}"
    if lead.ready_why in ("gap", "fault") and last is not None and last.ended_at is not None and check.until > last.ended_at:
        why = "" if lead.ready_why == "gap" else f" ({check.reason})"
        return f"{show_duration(round(check.until - last.ended_at))} after {said_when(last.ended_at, zone, now)}, ends {ends}{why}"
    return f"{check.reason}: {ends}"

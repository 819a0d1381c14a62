"""What each result will do, in a line for the agent who chooses: "Refused: not called for 180 days".

Pure, and computed by the same rules that will be obeyed (retry.py): the words say what a result makes of a lead, and nothing is typed by hand. What can not
be known yet (the time of a promise, whether hours are open by then) is not said.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import Lead, LeadId, LeadStatus, LeadUpdate, Outcome
from fs_dialer.core.resources import DAY, HOUR, MINUTE, Disposition
from fs_dialer.core.retry import Chosen, Ended, after_disposition
from fs_dialer.core.schedule import zone_of

_NOW_S = 1.0  # what waits no longer is ready at once


def effect_text(campaign: Campaign, disposition: Disposition, now: float, zone: str, lead: Lead | None = None) -> str:
    """One line. `zone`: the clock that times are told by; `lead`: counted with this call, None = its first one. The call met the customer."""
    shown = lead or Lead(LeadId(0), campaign.id, "", (zone,), LeadStatus.IN_PROGRESS, attempts=1)
    label = disposition.label or disposition.name
    return f"{label}: {_effect(campaign, disposition, shown, now, zone)}"


def _effect(campaign: Campaign, disposition: Disposition, lead: Lead, now: float, zone: str) -> str:
    if disposition.outcome_class == "callback":
        return "called again at the time you promise"
    update = after_disposition(lead, Ended(Outcome.CONNECTED), Chosen(disposition), campaign, now)
    words = _what(campaign, update, now, zone)
    words += ", out of its group" if update.leave_group else ""
    words += "".join(f", {name} = {text}" for name, text in update.set)
    rule = update.decision.startswith("rule ") and update.decision.removeprefix("rule ").split(":", 1)[0]
    return f"{words} (rule {rule})" if rule else words


def _what(campaign: Campaign, update: LeadUpdate, now: float, zone: str) -> str:
    match update.status:
        case LeadStatus.REFUSED:
            if campaign.attempts.no_callback_s <= 0:
                return "may be called again at once"
            return f"not called for {span_words(campaign.attempts.no_callback_s)}" + (", by any campaign" if update.no_callback_for_all else "")
        case LeadStatus.RETRY:
            number = " on the next number" if update.number else ""
            if update.ready_at - now < _NOW_S:
                return f"may be called again at once{number}"
            if update.ready_why == "rule":
                return f"called again{number} from {moment_words(update.ready_at, zone)}"
            return f"called again{number} after {span_words(update.ready_at - now)}"
        case LeadStatus.EXHAUSTED:
            return f"no more calls, all {campaign.attempts.max} are used" if campaign.attempts.max > 1 else "no more calls"
        case LeadStatus.INVALID:
            return "wrong number, no more calls"
        case LeadStatus.SUCCEEDED:
            return "done, no more calls"
    return "no more calls"


def span_words(seconds: float) -> str:
    """180 days, 4 hours, 20 minutes, 45 seconds: the largest unit that leaves no rest, else the largest that is not 0, rounded."""
    units = (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", 1.0))
    name, size = next(((name, size) for name, size in units if seconds >= size and seconds % size == 0), ("", 0.0))
    if not name:
        name, size = next(((name, size) for name, size in units if seconds >= size), units[-1])
    count = round(seconds / size)
    return f"{count:,} {name}" + ("" if count == 1 else "s")


def moment_words(at: float, zone: str) -> str:
    """Mon 23 Nov 08:00, on the clock of `zone`."""
    return datetime.fromtimestamp(at, UTC).astimezone(zone_of(zone)).strftime("%a %-d %b %H:%M")

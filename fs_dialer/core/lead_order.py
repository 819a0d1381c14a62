"""In which order claimed leads are dialled where their campaign's type can tell how likely each is answered.

**Nobody starves.** Leads change places only within one claim, so a lead is never overtaken by one that was claimed after it: at most one hopper of others
is dialled before it, whoever they are. Leads whose time was promised to somebody, or set by a rule, keep their place in the line; and where a type has no
odds for leads the order is the store's.
"""

from __future__ import annotations

from collections.abc import Sequence

from fs_dialer.core.changed import changed
from fs_dialer.core.leads import BY_RULE
from fs_dialer.core.model import Lead, LeadStatus
from fs_dialer.core.retry import REMEDY
from fs_dialer.core.world import Run

AT_ITS_TIME = BY_RULE | {REMEDY}  # Lead.ready_why


def with_odds(run: Run, lead: Lead, now: float) -> Lead:
    """The lead with its own chance to be answered now, for the pacer; None in it = the campaign's."""
    if run.lead_odds is None:
        return lead
    own = run.lead_odds(run.memory, lead, now)
    return lead if own == lead.answer_probability else changed(lead, answer_probability=own)


def likelier_first(run: Run, leads: Sequence[Lead], now: float) -> Sequence[Lead]:
    """One claim in the order of dialling; equal leads stay as they stood."""
    if run.lead_odds is None:
        return leads
    told = [with_odds(run, lead, now) for lead in leads]
    free = [place for place, lead in enumerate(told) if not _keeps_its_place(lead)]
    if all(told[place].answer_probability is None for place in free):
        return told
    in_order = list(told)
    for place, lead in zip(free, sorted((told[place] for place in free), key=_likelier), strict=True):
        in_order[place] = lead
    return in_order


def _likelier(lead: Lead) -> float:
    return -(lead.answer_probability or 0.0)


def _keeps_its_place(lead: Lead) -> bool:
    return lead.status is LeadStatus.CALLBACK_SCHEDULED or lead.agent is not None or lead.ready_why in AT_ITS_TIME

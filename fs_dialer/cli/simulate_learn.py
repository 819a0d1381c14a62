"""simulate --learn: a campaign's own calls as people, told and written."""

from __future__ import annotations

import time
from pathlib import Path

from fs_dialer.cli.output import moment, plural
from fs_dialer.cli.people import write_people
from fs_dialer.cli.settings import Session, no_campaign
from fs_dialer.core.model import CampaignId
from fs_dialer.db.learning import history
from fs_dialer.simulation.learning import Learnt, learn

DAY_S = 86400.0
MOST_SHOWN = 90  # of a law's text


def learn_people(session: Session, campaign: str, days: int, write: Path | None) -> Learnt:
    """From the database; told on stdout where nothing else is, and written where asked for. CommandFailed where there is no such campaign."""
    until = time.time()
    with session.definitions() as store:
        stored = store.campaign(CampaignId(campaign))
        if stored is None:
            raise no_campaign(campaign, [each.campaign.id for each in store.campaigns()])
    with session.pool() as pool:
        learnt = learn(history(pool, stored.campaign, until - days * DAY_S, until))
    zone = stored.campaign.window.zone
    span = f"{moment(learnt.since, zone)} to {moment(until, zone)}"
    session.say(f"learnt from {campaign}: {plural(learnt.calls, 'call')} of {plural(days, 'day')} ({span})", "")
    rows = []
    for item in learnt.items:
        words = item.learnt if len(item.learnt) <= MOST_SHOWN else f"{item.learnt.count(',') + 1} quantiles"
        words = f"{item.mean_s:.1f}s on average: {words}" if item.mean_s is not None and words else words
        rows.append((item.what, f"{item.many:,} {item.of}", words or "too few: the usual holds"))
    session.table(("WHAT", "FROM", "LEARNT"), rows)
    session.say("")
    if write is not None:
        notes = (
            f" from the campaign {campaign}: {learnt.calls} calls, {span} ({zone})",
            "Written by `fs-dialer simulate --learn`; a later run writes it anew.",
        )
        write_people(write, learnt.people, notes)
        session.note(f"written: {write}")
    return learnt

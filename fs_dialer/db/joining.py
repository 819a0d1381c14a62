"""Contacts of the directory that become leads of a campaign: a group, a filter, or both; and a clone's leads, taken from another campaign.

Knows how the source of leads becomes SQL. Used by applies, by `lead add`, and after imports for campaigns that let later contacts join. Whoever calls is
inside a transaction; what is locked here is held to its end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fs_dialer.config.filters import parse
from fs_dialer.core.effects import Joining
from fs_dialer.core.model import CampaignId
from fs_dialer.db.filter_sql import condition
from fs_dialer.db.pool import Cursor, rows
from fs_dialer.db.queries import sql

_GROUP = "group_members JOIN contacts ON contacts.id = group_members.contact AND group_members.contact_group = %(group)s"
_SOURCE, _CONDITION = "/* source */ contacts", "/* condition */ true"  # what stands in the queries until it is known
_OF_IMPORT = "(contacts.import = %(import)s OR group_members.import = %(import)s)"
_OF_IMPORT_ALONE = "contacts.import = %(import)s"

CLONED = {
    "unfinished": ("new", "in_progress", "retry", "callback_scheduled"),
    "all": ("new", "in_progress", "retry", "callback_scheduled", "succeeded", "refused", "exhausted", "error", "invalid", "stopped", "blocked"),
    "none": (),
}
"""Which leads a clone takes, by their status in the campaign it is made from."""


def join_leads(
    cursor: Cursor,
    campaign: CampaignId,
    group: str,
    filter: str,
    who: str,
    *,
    zone: str = "UTC",
    import_id: int | None = None,
    plan: str | None = None,
) -> Joining:
    """Make leads of the contacts in a group ("" = the whole directory) who meet a filter ("" = all of them); those who are leads already are left alone.

    `zone`: whose days `added` counts in. `import_id`: only contacts that came with this import, whose leads are counted as the import's. StoreError when
    there is no such campaign. The caller has checked the filter; BadFilter where it has not.
    """
    begin_joining(cursor)
    joined = Joining(*_asked(cursor, "join_leads", campaign, group, filter, zone, import_id))
    if joined.leads:
        _told(cursor, "join_leads", campaign, who, joined, {"group": group, "filter": filter} | ({"plan": plan} if plan else {}))
    return joined


def count_joining(cursor: Cursor, campaign: CampaignId, group: str, filter: str, *, zone: str = "UTC") -> Joining:
    """What join_leads would do now. The campaign need not exist."""
    return Joining(*_asked(cursor, "count_joining", campaign, group, filter, zone, None))


def join_later(cursor: Cursor, import_id: int, who: str) -> Mapping[CampaignId, Joining]:
    """After an import: its contacts join the campaigns that draw from their group or filter with `new_rows: join`. Only those of which somebody joined."""
    found = {}
    for name, leads, zone in rows(cursor, "live_sources"):
        joined = join_leads(cursor, CampaignId(name), leads.get("group") or "", leads.get("filter") or "", who, zone=zone or "UTC", import_id=import_id)
        if joined.leads:
            found[CampaignId(name)] = joined
    return found


def copy_leads(cursor: Cursor, campaign: CampaignId, source: CampaignId, statuses: tuple[str, ...]) -> Joining:
    """A clone's leads: new, in the same order. Do-not-call lists and marks are asked anew."""
    if not statuses:
        return Joining()
    begin_joining(cursor)
    return Joining(*rows(cursor, "copy_leads", {"campaign": campaign, "source": source, "statuses": list(statuses)})[0])


def begin_joining(cursor: Cursor) -> None:
    """One who adds leads at a time; held to the end of the transaction."""
    rows(cursor, "begin_joining")


def _asked(cursor: Cursor, name: str, campaign: CampaignId, group: str, filter: str, zone: str, import_id: int | None) -> tuple[int, ...]:
    words: dict[str, Any] = {"campaign": campaign, "group": group, "import": import_id}
    where = []
    if import_id is not None:
        where.append(_OF_IMPORT if group else _OF_IMPORT_ALONE)
    if filter:
        asked = condition(parse(filter), zone)
        where.append(asked.sql)
        words |= asked.parameters
    text = sql(name).replace(_SOURCE, _GROUP if group else "contacts").replace(_CONDITION, " AND ".join(where) or "true")
    cursor.execute(text, words)
    found = cursor.fetchone()
    assert found is not None
    return tuple(int(each) for each in found)


def _told(cursor: Cursor, what: str, campaign: CampaignId, who: str, joined: Joining, details: Mapping[str, Any]) -> None:
    counts = {"new": joined.new, "do_not_call": joined.do_not_call, "refused": joined.refused, "known": joined.known}
    rows(cursor, "audit", {"who": who, "what": what, "target": campaign, "why": "", "details": json.dumps({**details, **counts})})
    rows(cursor, "hint", {"kind": "leads", "name": campaign})

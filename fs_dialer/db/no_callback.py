"""Marks of customers who asked not to be called back for a while (S12, D16), set and taken away by hand.

A mark holds for a number, in one campaign or ("") in all, until a time. What it does to leads stands in sql/queries/no_callback.sql; a finished attempt
sets marks too (close_attempts), and the last gate asks for them (open_attempts). Leads return by the store's return_refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from fs_dialer.db.codec import epoch_time
from fs_dialer.db.pool import Pool, rows
from fs_dialer.db.shapes import Listed


def mark_no_callback(pool: Pool, numbers: Iterable[str], campaign: str, until: float, who: str, reason: str = "") -> Listed:
    """Leave E.164 numbers alone until this time, in one campaign or ("") in all; a mark that was there is replaced.

    Returns how many marks are new, and how many leads became `refused`: all that are not finished.
    """
    words = {"numbers": sorted(set(numbers)), "campaign": campaign, "until": epoch_time(until), "who": who, "reason": reason}
    return Listed(*pool.rows("mark_no_callback", words)[0])


def clear_no_callback(pool: Pool, numbers: Iterable[str], campaign: str | None, who: str, reason: str = "", now: float | None = None) -> Listed:
    """Take marks away: those of one campaign, those for all campaigns (""), or every one (None).

    Returns how many marks went, and how many leads returned: those that no other mark keeps. They may be called from `now` on.
    """
    words = {"numbers": sorted(set(numbers)), "campaign": campaign, "who": who, "reason": reason, "now": time.time() if now is None else now}
    with pool.transaction() as cursor:
        cleared = Listed(*rows(cursor, "clear_no_callback", words)[0])
        rows(cursor, "hint", {"kind": "leads", "name": campaign or ""})
    return cleared

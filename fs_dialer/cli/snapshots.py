"""What the daemon last wrote about itself: is one running, and what did it see?

The daemon writes its Snapshot (core/snapshot.py, as JSON) into the database every second. One that is older than STALE_S was written by a daemon that is
gone, or that can not reach the database: nothing of it is shown as the present.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice

STALE_S = 10.0


@dataclass(frozen=True, slots=True)
class Written:
    """`age_s`: how long ago it was written, by the database's clock."""

    age_s: float
    snapshot: Mapping[str, Any]

    @property
    def fresh(self) -> bool:
        return self.age_s <= STALE_S


def ever_written(office: Backoffice) -> Written | None:
    """The last word of any daemon, however old; None when none ever ran here."""
    found = office.daemon_status()
    return None if found is None else Written(*found)


def last_written(office: Backoffice) -> Written | None:
    """What a running daemon sees; None while none is running."""
    written = ever_written(office)
    return written if written is not None and written.fresh else None

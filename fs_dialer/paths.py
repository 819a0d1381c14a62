"""Where our own files are, and where state may be kept.

Knows two shapes of installation: a checkout (or an editable installation of one), where sql/ and conf/ stand beside the package, and a wheel, which
carries them to share/fs-dialer/ of its environment (setup.cfg, options.data_files). Reads nothing and makes no folder.
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

from fs_dialer.errors import FsDialerError

# A checkout in a read-only place is installed through a folder of links: resolve() leads back to the real one.
_PACKAGE = Path(__file__).resolve().parent


def checkout() -> Path | None:
    """The checkout that this package is run from, or None when it is installed from a wheel."""
    root = _PACKAGE.parent
    return root if (root / "setup.cfg").is_file() and (root / "bin").is_dir() else None


def sql_dir() -> Path:
    """The folder of schema.sql, queries/ and migrations/."""
    return _shipped("sql")


def conf_dir() -> Path:
    """The folder of the example campaigns and of what goes into the switch."""
    return _shipped("conf")


def state_dir() -> Path:
    """Where to keep what must outlive a run; may not exist yet.

    FS_DIALER_STATE_DIR if set; else /var/lib/fs-dialer for root, and ${XDG_STATE_HOME:-~/.local/state}/fs-dialer for everyone else.
    """
    if named := os.environ.get("FS_DIALER_STATE_DIR"):
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/fs-dialer")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "fs-dialer"


def _shipped(name: str) -> Path:
    root = checkout()
    if root is not None:
        places = [root / name]
    else:
        # The second is where `pip install --user` puts it, the third where `pip install --target` does.
        bases = [sysconfig.get_path("data"), sysconfig.get_path("data", "posix_user"), str(_PACKAGE.parent)]
        places = [Path(base) / "share" / "fs-dialer" / name for base in bases]
    for place in places:
        if place.is_dir():
            return place
    raise FsDialerError(f"the folder {name}/ of fs-dialer is missing (looked at {', '.join(map(str, places))}); install fs-dialer again")

"""What we have put into a FreeSWITCH, file by file, so that it can be compared, replaced and taken out again.

Pure: texts and hashes in, verdicts out; who reads and writes files is cli/switch_folder.py. The manifest is one JSON file in the conf folder, which
FreeSWITCH does not read (it includes *.xml): whoever can reach the folder, from whichever host, knows what in it is ours.

A file is ours as long as its bytes are those that were written. While an installation is under way two versions of a file count, the one before and the
one after, so that one that was cut off in the middle can be repeated or taken out. Nothing here depends on the time: an installation that changes nothing
leaves the same manifest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from fs_dialer.dialplans.options import MUSIC, RELEASE_AFTER_S
from fs_dialer.errors import FsDialerError

NAME = "fsd.manifest.json"
FORMAT = 1
SCRIPTS = "scripts/"  # paths that begin so lie in the scripts folder, wherever that is
KEPT = ".fsd-kept"  # what stood where a file of ours was put by force: the switch does not read it
_OURS = re.compile(r"(?:dialplan/|dialplan/public/)(?:[0-9]{2}_)?fsd[a-z0-9_]{0,40}\.xml|scripts/fsd[a-z0-9_]{0,40}\.lua")
_FOLDERS = frozenset({"dialplan", "dialplan/public"})
_SHA = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen at the installation and holds for those after it, as SwitchOptions says."""

    notice: str | None = None
    music: str = MUSIC
    release_after_s: int = RELEASE_AFTER_S


@dataclass(frozen=True, slots=True)
class Manifest:
    """files: path below the conf folder (or SCRIPTS) → SHA-256 of the versions that count. displaced: paths where a file of somebody else's stood that was
    put aside, for the day we leave. folders: those that we made. scripts_dir: "" = no script was installed."""

    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    displaced: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    scripts_dir: str = ""
    chosen: Chosen = Chosen()


class State(Enum):
    SAME = "same"
    NEW = "new"  # wanted, and not there
    OLD = "old"  # ours, and another is wanted
    GONE = "gone"  # ours, and not there any more
    STALE = "stale"  # ours, and not wanted any more
    CHANGED = "changed"  # ours once, and changed by somebody since
    FOREIGN = "foreign"  # there, and not ours


@dataclass(frozen=True, slots=True)
class FileState:
    path: str
    state: State
    found: bytes | None
    wanted: bytes | None


REFUSED = (State.CHANGED, State.FOREIGN)
DIFFERENT = (State.NEW, State.OLD, State.GONE, State.STALE, State.CHANGED, State.FOREIGN)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def is_ours(path: str) -> bool:
    """Whether a file of ours could have this path: nothing else is ever written or removed, whatever a manifest says."""
    return bool(_OURS.fullmatch(path))


def judged(manifest: Manifest | None, found: Mapping[str, bytes | None], wanted: Mapping[str, bytes]) -> list[FileState]:
    """Every path of the manifest and of `wanted`, in order. `found`: what stands there now, None = nothing."""
    known = {} if manifest is None else manifest.files
    return [
        FileState(path, _state(known.get(path), found.get(path), wanted.get(path)), found.get(path), wanted.get(path)) for path in sorted({*known, *wanted})
    ]


def _state(known: tuple[str, ...] | None, found: bytes | None, wanted: bytes | None) -> State:
    if found is None:
        return State.GONE if known is not None and wanted is not None else State.NEW if wanted is not None else State.STALE
    if found == wanted:
        return State.SAME  # also where it was copied there by hand
    if known is None:
        return State.FOREIGN
    if sha256(found) not in known:
        return State.CHANGED
    return State.STALE if wanted is None else State.OLD


# --- as JSON --------------------------------------------------------------------------------------------------------------------------------


def to_json(manifest: Manifest) -> bytes:
    value = {
        "made_by": "fs-dialer switch install; what it put here is taken out by: fs-dialer switch uninstall",
        "format": FORMAT,
        "files": {path: list(versions) for path, versions in sorted(manifest.files.items())},
        "displaced": sorted(manifest.displaced),
        "folders": sorted(manifest.folders),
        "scripts_dir": manifest.scripts_dir,
        "chosen": {"notice": manifest.chosen.notice, "music": manifest.chosen.music, "release_after_s": manifest.chosen.release_after_s},
    }
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def from_json(data: bytes) -> Manifest:
    """FsDialerError for what is no manifest of ours, or names files that can not be ours."""
    try:
        value = json.loads(data)
        if value["format"] != FORMAT:
            raise FsDialerError(f"it has the format {value['format']}, this fs-dialer knows {FORMAT}: use the fs-dialer that installed it")
        files = {str(path): tuple(map(str, versions)) for path, versions in value["files"].items()}
        chosen = value["chosen"]
        manifest = Manifest(
            files,
            tuple(map(str, value["displaced"])),
            tuple(map(str, value["folders"])),
            str(value["scripts_dir"]),
            Chosen(None if chosen["notice"] is None else str(chosen["notice"]), str(chosen["music"]), int(chosen["release_after_s"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FsDialerError(f"it is no manifest of fs-dialer: {error!r}") from None
    odd = [path for path in (*manifest.files, *manifest.displaced) if not is_ours(path)]
    odd += [path for path in manifest.folders if path not in _FOLDERS]
    odd += [version for versions in manifest.files.values() for version in versions if not _SHA.fullmatch(version)]
    if odd:
        raise FsDialerError(f"it names what can not be ours: {odd[0]!r}")
    return manifest

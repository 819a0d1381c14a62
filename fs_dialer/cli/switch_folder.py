"""FreeSWITCH's folders on this machine: what of ours lies in them, and how it gets in and out. The only place that writes there.

Knows files; what is in them and whether they may be replaced is dialplans/' affair. The rules:

- Nothing is written or removed but paths that can be ours (manifest.is_ours), the manifest, and what --force puts aside. No link is followed below the folder.
- One installation at a time (a lock on the folder itself, which leaves no trace).
- All or nothing: every new file lies beside its place, complete and on disk, before the first one is put there by a rename, and a failure in between takes
  back what was done. A program that is killed in between leaves a manifest by which the next one knows both versions.
- A file has the owner of its folder, and its mode without the right to enter: who may read the folder may read it.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.dialplans.manifest import KEPT, NAME, SCRIPTS, Manifest, from_json, is_ours, sha256, to_json
from fs_dialer.errors import FsDialerError

_TEMPORARY = ".fsd-tmp"
FREESWITCH_XML = "freeswitch.xml"


@dataclass(frozen=True, slots=True)
class Folder:
    """conf: FreeSWITCH's conf folder, without links. scripts: its scripts folder, None = not known here."""

    conf: Path
    scripts: Path | None = None

    def place(self, path: str) -> Path:
        """Where a path of the manifest lies. FsDialerError for what can not be ours, or for a link on the way."""
        if not is_ours(path.removesuffix(KEPT)) and path != NAME:
            raise FsDialerError(f"not a path of ours: {path!r}")
        if path.startswith(SCRIPTS):
            if self.scripts is None:
                raise CommandFailed(f"{path} is installed, and it is not known where the switch's scripts lie", "--scripts-dir DIR", code=Exit.REFUSED)
            base, below = self.scripts, path.removeprefix(SCRIPTS)
        else:
            base, below = self.conf, path
        place = base / below
        for each in (place, *place.parents):
            if each == base:
                break
            if each.is_symlink():
                advice = "put a folder or file of its own there: nothing is written through links"
                raise CommandFailed(f"{each} is a link", advice, code=Exit.REFUSED)
        return place


def opened(conf: Path, scripts: Path | None = None) -> Folder:
    """CommandFailed where it is not the folder of a FreeSWITCH's configuration."""
    if not conf.is_dir():
        raise CommandFailed(f"{conf} is no folder of this machine", "name the switch's own: --conf-dir /etc/freeswitch", code=Exit.REFUSED)
    if not (conf / FREESWITCH_XML).is_file():
        advice = "it is the one that fs_cli -x 'global_getvar conf_dir' names"
        raise CommandFailed(f"{conf} has no {FREESWITCH_XML}: it is not a FreeSWITCH's conf folder", advice, code=Exit.REFUSED)
    if scripts is not None and not scripts.is_dir():
        raise CommandFailed(f"{scripts} is no folder of this machine", "it is the one that fs_cli -x 'global_getvar script_dir' names", code=Exit.REFUSED)
    return Folder(conf.resolve(), None if scripts is None else scripts.resolve())


@contextmanager
def locked(folder: Folder) -> Iterator[None]:
    """Nobody else installs there meanwhile. CommandFailed where somebody does."""
    handle = os.open(folder.conf, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandFailed(f"somebody else is changing {folder.conf} by fs-dialer just now", "try again in a moment") from None
        yield
    finally:
        os.close(handle)


def manifest_of(folder: Folder) -> Manifest | None:
    """None: nothing of ours is installed. CommandFailed where it can not be read."""
    data = _read(folder.place(NAME))
    if data is None:
        return None
    try:
        return from_json(data)
    except FsDialerError as error:
        advice = "bring back the file as it was (it is the only list of what is ours there), or remove it together with the files that begin with fsd"
        raise CommandFailed(f"{folder.conf / NAME}: {error}", advice, code=Exit.REFUSED) from None


def found_in(folder: Folder, paths: Sequence[str]) -> dict[str, bytes | None]:
    return {path: _read(folder.place(path)) for path in paths}


def _read(place: Path) -> bytes | None:
    try:
        if not stat.S_ISREG(place.lstat().st_mode):
            raise CommandFailed(f"{place} is not a plain file", "somebody put it there: move it away", code=Exit.REFUSED)
        return place.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _not_possible(place, "read", error) from None


# --- writing ------------------------------------------------------------------------------------------------------------------------------


class Undo:
    """The way back from what one change() did, step by step from the newest."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], object]] = []

    def file(self, place: Path) -> None:
        """Before it is written or removed."""
        data, was = _read(place), place.lstat() if place.exists() else None
        self._steps.append(partial(place.unlink, missing_ok=True) if data is None else partial(_put, place, data, was))

    def made(self, folder: Path) -> None:
        self._steps.append(partial(_leave, folder))

    def removed(self, folder: Path, was: os.stat_result) -> None:
        self._steps.append(partial(_make, folder, was))

    def moved(self, old: Path, new: Path) -> None:
        self._steps.append(partial(os.rename, new, old))

    def back(self) -> None:
        """Everything as it was; a second time nothing is done. CommandFailed with what could not be put back; the rest is."""
        stuck = []
        while self._steps:
            try:
                self._steps.pop()()
            except OSError as error:
                stuck.append(f"{error.filename or 'a file'}: {error.strerror}")
        if stuck:
            advice = "repeat the command when that is mended: the manifest knows both versions"
            raise CommandFailed("something failed, and not all could be put back as it was", *stuck, advice)


@dataclass(frozen=True, slots=True)
class Change:
    """writes: path → bytes, None = away with it. aside: paths whose file is kept beside, as NAME.fsd-kept. restores: paths whose kept one comes back.
    after: the manifest when all is done, None = none is left. scripts_dir and folders are filled in here."""

    writes: Mapping[str, bytes | None]
    after: Manifest | None
    aside: Sequence[str] = ()
    restores: Sequence[str] = ()


def change(folder: Folder, before: Manifest | None, wanted: Change) -> Undo:
    """All of it or nothing. CommandFailed where something can not be written; then all is as it was."""
    undo = Undo()
    try:
        _carry_out(folder, before, wanted, undo)
    except BaseException as error:
        undo.back()
        if isinstance(error, OSError):
            raise _not_possible(Path(error.filename or folder.conf), "written", error) from None
        raise
    return undo


def _carry_out(folder: Folder, before: Manifest | None, wanted: Change, undo: Undo) -> None:
    places = {path: folder.place(path) for path in wanted.writes}
    kept = {path: folder.place(path + KEPT) for path in (*wanted.aside, *wanted.restores)}
    for path in wanted.aside:
        if kept[path].exists():
            advice = "it is what --force put aside before: look at it, and move it away"
            raise CommandFailed(f"{kept[path]} is there already", advice, code=Exit.REFUSED)
    manifest, after = folder.place(NAME), wanted.after
    for place in (manifest, *places.values()):
        if place.parent.is_dir():
            _temporary(place).unlink(missing_ok=True)  # of one that was killed
    if after is not None:
        made = [name for name, place in _missing_folders(folder, wanted)]
        after = replace(after, folders=tuple(sorted({*after.folders, *made})))
        undo.file(manifest)
        _put(manifest, to_json(_meanwhile(before, after)), None)
    for _, place in _missing_folders(folder, wanted):
        _make(place, place.parent.stat())
        undo.made(place)
    ready = [(places[path], _beside(places[path], data, None)) for path, data in wanted.writes.items() if data is not None]
    try:
        for path in wanted.aside:
            os.rename(places[path], kept[path])
            undo.moved(places[path], kept[path])
        for place, temporary in ready:
            undo.file(place)
            os.rename(temporary, place)
    finally:
        for _, temporary in ready:
            temporary.unlink(missing_ok=True)
    for path, data in wanted.writes.items():
        if data is None and path not in wanted.aside:
            undo.file(places[path])
            places[path].unlink(missing_ok=True)
    for path in wanted.restores:
        if kept[path].exists():
            os.rename(kept[path], places[path])
            undo.moved(kept[path], places[path])
    if after is not None:
        _put(manifest, to_json(after), None)
        return
    undo.file(manifest)
    manifest.unlink(missing_ok=True)
    for name in sorted(before.folders if before is not None else (), reverse=True):
        place = folder.conf / name
        if place.is_dir() and not place.is_symlink():
            was = place.stat()
            if _leave(place):
                undo.removed(place, was)


def _make(folder: Path, like: os.stat_result) -> None:
    folder.mkdir(mode=0o700)
    _owned(folder, like)
    os.chmod(folder, stat.S_IMODE(like.st_mode))


def _leave(folder: Path) -> bool:
    """Remove it if it is empty; whether it is gone."""
    if not folder.is_dir() or any(folder.iterdir()):
        return False
    folder.rmdir()
    return True


def _meanwhile(before: Manifest | None, after: Manifest) -> Manifest:
    """While it lasts, both versions of a file are ours."""
    old = {} if before is None else before.files
    both = {path: tuple(dict.fromkeys((*old.get(path, ()), *after.files.get(path, ())))) for path in {*old, *after.files}}
    return replace(after, files=both, displaced=tuple({*after.displaced, *(before.displaced if before else ())}))


def _missing_folders(folder: Folder, wanted: Change) -> list[tuple[str, Path]]:
    """Below conf, the upper ones first."""
    found: dict[str, Path] = {}
    for path, data in wanted.writes.items():
        if data is not None and not path.startswith(SCRIPTS):
            for above in reversed(Path(path).parents[:-1]):
                if not (folder.conf / above).exists():
                    found[above.as_posix()] = folder.conf / above
    return list(found.items())


def _put(place: Path, data: bytes, like: os.stat_result | None) -> None:
    temporary = _beside(place, data, like)
    try:
        os.rename(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)


def _beside(place: Path, data: bytes, like: os.stat_result | None) -> Path:
    """The whole file under another name in the same folder, on disk. `like`: whose owner and mode it has; None = by its folder."""
    temporary = _temporary(place)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        above = place.parent.stat()
        _owned(temporary, like or above)
        os.chmod(temporary, stat.S_IMODE(like.st_mode) if like else (stat.S_IMODE(above.st_mode) & 0o666) | 0o600)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _temporary(place: Path) -> Path:
    return place.with_name(f".{place.name}{_TEMPORARY}")


def _owned(place: Path, like: os.stat_result) -> None:
    """Only root may give files away; everybody else is told nothing, because his files are his."""
    if os.geteuid() == 0:
        os.chown(place, like.st_uid, like.st_gid, follow_symlinks=False)


def _not_possible(place: Path, verb: str, error: OSError) -> CommandFailed:
    advice = "run it as a user who may write there" if verb == "written" else "run it as a user who may read it"
    return CommandFailed(f"{place} can not be {verb}: {error.strerror}; nothing was changed", advice)


def hashes(writes: Mapping[str, bytes | None]) -> dict[str, tuple[str, ...]]:
    return {path: (sha256(data),) for path, data in writes.items() if data is not None}

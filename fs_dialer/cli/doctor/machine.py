"""What this machine's own facts mean: disk, open files, time zones, who may read a password, Python packages.

Pure: facts in, checks out. "This machine" is the one where the command runs, which should be the daemon's; so should the user.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fs_dialer.cli.doctor.checks import Check, bad, fine, not_asked, warn
from fs_dialer.cli.doctor.wanted import users

MB, GB = 10**6, 10**9
# The journal takes about 2 kB a call (its limit in time is journal.keep); a database in full swing some 10 MB a minute with its log.
STATE_BAD_BYTES, STATE_WARN_BYTES = 200 * MB, 2 * GB
DATABASE_BAD_BYTES, DATABASE_WARN_BYTES = 1 * GB, 5 * GB
FILES = 256  # connections to database and switch, journal, spool, libraries; besides, a screen for each line
ZONES_OLD_YEARS = 2

_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*([^;]*)")
_BOUND = re.compile(r"(>=|<)\s*([0-9.]+)")
_READ_BY_ALL, _WRITTEN_BY_ALL = 0o004, 0o002


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, or the nearest one above it that exists."""

    path: str
    exists: bool
    is_folder: bool
    writable: bool
    free_bytes: int


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """`version`: of the time-zone data, as in 2025b; "" = not known. `missing`: of those that definitions name, None = not known which they name."""

    version: str
    source: str
    year: int  # this year
    missing: Mapping[str, tuple[str, ...]] | None
    any_known: bool = True


def state_dir(folder: Folder, path: str) -> Check:
    id = "machine.state_dir"
    if not folder.is_folder:
        return bad(id, f"{folder.path} is no folder", f"state_dir in fs-dialer.yml is {path}: name a folder")
    if not folder.writable:
        return bad(
            id,
            f"this user may not write to {folder.path}",
            f"mkdir -p {path} && chown it to the daemon's user; or ask as that user: sudo -u … fs-dialer doctor",
        )
    return fine(id, f"{path} can be written" if folder.exists else f"{path} can be made")


def state_disk(folder: Folder) -> Check:
    what = f"{_size(folder.free_bytes)} are free for state_dir, {folder.path}"
    return _disk("machine.disk", what, folder.free_bytes, STATE_BAD_BYTES, STATE_WARN_BYTES, "make room, or a shorter `journal.keep` in fs-dialer.yml")


def database_disk(folder: Folder) -> Check:
    what = f"{_size(folder.free_bytes)} are free for the database, {folder.path}"
    return _disk("database.disk", what, folder.free_bytes, DATABASE_BAD_BYTES, DATABASE_WARN_BYTES, "make room: a full disk stops PostgreSQL, and so dialling")


def _disk(id: str, what: str, free: int, bad_below: int, warn_below: int, remedy: str) -> Check:
    if free < bad_below:
        return bad(id, f"only {what}", remedy)
    return warn(id, f"only {what}", remedy) if free < warn_below else fine(id, what)


def open_files(soft: int, lines: int) -> Check:
    """`soft`: ulimit -n, here; a service has its own."""
    id, needed = "machine.open_files", FILES + lines
    what = f"{soft:,} files may be open, with {lines:,} lines the daemon may take {needed:,}"
    remedy = f"ulimit -n {_to_thousand(needed)}; for a service: LimitNOFILE={_to_thousand(needed)}"
    if soft < FILES:
        return bad(id, what, remedy)
    return warn(id, what, remedy) if soft < needed else fine(id, what)


def time_zones(facts: ZoneFacts, why_not: str = "") -> list[Check]:
    """Are those there that we need, and do they know the laws of this year?"""
    install = "install the package tzdata, of the system or by pip"
    if not facts.any_known:
        return [bad("machine.zones", "there is no time-zone data: nobody's hours can be known", install)]
    if facts.missing is None:
        checks = [not_asked("machine.zones", "the time zones in use", why_not)]
    elif facts.missing:
        names = list(facts.missing)
        what = f"time zone {names[0]} is not known here ({users(facts.missing[names[0]])})" + (f", nor {len(names) - 1} more" if len(names) > 1 else "")
        checks = [bad("machine.zones", what, install)]
    else:
        checks = [fine("machine.zones", "every time zone in use is known")]
    if not facts.version[:4].isdecimal():
        return [*checks, fine("machine.zone_data", f"time-zone data of {facts.source}, version not told")]
    what = f"time-zone data {facts.version} of {facts.source}"
    if facts.year - int(facts.version[:4]) >= ZONES_OLD_YEARS:
        return [*checks, warn("machine.zone_data", f"{what} is old: daylight saving may have changed since", "apt upgrade tzdata, or pip install -U tzdata")]
    return [*checks, fine("machine.zone_data", what)]


def secrets(modes: Mapping[str, int]) -> Check:
    """`modes`: permission bits of each file that holds a secret."""
    id = "machine.secrets"
    told = [path for path, mode in modes.items() if mode & (_READ_BY_ALL | _WRITTEN_BY_ALL)]
    if told:
        whom = "written" if modes[told[0]] & _WRITTEN_BY_ALL else "read"
        return warn(id, f"a password can be {whom} by everybody here: {', '.join(told)}", f"chmod o-rwx {' '.join(told)}")
    return fine(id, f"no password file can be read by everybody ({len(modes)} looked at)" if modes else "no password stands in a file")


def webhook_secrets(many: int, unreadable: Mapping[str, str]) -> Check:
    """`unreadable`: why, by the webhook's name."""
    id = "machine.webhook_secrets"
    if unreadable:
        said = "; ".join(f"{name} ({why})" for name, why in sorted(unreadable.items()))
        return warn(id, f"webhooks whose secret can not be read here, nothing is sent to them: {said}", "set it for the daemon's service, and ask as its user")
    return fine(id, f"the secret of every webhook can be read ({many} looked at)" if many else "no webhook is defined")


def packages(requirements: Sequence[str], installed: Mapping[str, str]) -> Check:
    """`requirements` as pip has them, name>=1.2,<2; `installed`: version by name, nothing where it is not."""
    id, missing, outside = "machine.packages", [], []
    for requirement in requirements:
        found = _REQUIREMENT.match(requirement.strip())
        if not found:
            continue
        version = installed.get(found[1])
        if version is None:
            missing.append(requirement.strip())
        elif not _fits(version, found[2]):
            outside.append(f"{found[1]} {version} ({found[2].strip()} is wanted)")
    if missing:
        return bad(id, f"Python packages are missing: {', '.join(missing)}", f"pip install {' '.join(repr(each) for each in missing)}")
    if outside:
        return warn(id, f"Python packages that were not tried: {', '.join(outside)}", "pip install -U fs-dialer")
    return fine(id, f"{len(requirements)} Python packages are as wanted")


def client(name: str, loads: bool) -> Check:
    """The library behind `esl.client`."""
    if not loads:
        return bad("machine.client", f"esl.client is {name}, and its library does not load", "docs/reference/config.md, esl.client; or client: native")
    return fine("machine.client", f"the event socket's client is {name}")


def _fits(version: str, bounds: str) -> bool:
    return all((_parts(version) >= _parts(other)) if sign == ">=" else (_parts(version) < _parts(other)) for sign, other in _BOUND.findall(bounds))


def _parts(version: str) -> tuple[int, ...]:
    """2.9.9 → (2, 9, 9); what follows the numbers (rc1, .post2) does not count."""
    parts = []
    for part in version.split("."):
        digits = re.match(r"\d+", part)
        if not digits:
            break
        parts.append(int(digits[0]))
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _size(number: int) -> str:
    return f"{number / GB:,.1f} GB" if number >= GB else f"{number / MB:,.0f} MB"


def _to_thousand(number: int) -> int:
    return -(-number // 1000) * 1000 + 1000

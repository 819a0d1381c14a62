"""Asks this machine: its folders, limits, time-zone data, password files, packages.

Reads only. What the answers mean stands in machine.py.
"""

from __future__ import annotations

import configparser
import importlib.metadata
import importlib.util
import os
import resource
import stat
import time
import zoneinfo
from collections.abc import Iterable, Mapping
from pathlib import Path

from fs_dialer.cli.doctor import machine
from fs_dialer.cli.doctor.checks import Check, not_asked
from fs_dialer.cli.doctor.machine import Folder, ZoneFacts
from fs_dialer.cli.doctor.wanted import Wanted
from fs_dialer.config.daemon import DaemonSettings
from fs_dialer.core.resources import Webhook
from fs_dialer.paths import checkout
from fs_dialer.runtime.webhook_post import NotDelivered, secret_of

_LIBRARIES = {"greenswitch": "greenswitch", "python-esl": "ESL"}
_ELSEWHERE = {"tzdata"}  # needed only where the system has no time-zone data, which has a check of its own
_ALSO_AS = {"psycopg2-binary": "psycopg2"}


def examine(settings: DaemonSettings, wanted: Wanted | None, why_not: str) -> list[Check]:
    """`wanted`: what the definitions ask; None = not known, because of `why_not`."""
    here = folder(Path(settings.state_dir))
    checks = [machine.state_dir(here, settings.state_dir), machine.state_disk(here)]
    if wanted is None:
        checks.append(not_asked("machine.open_files", "open files", why_not))
    else:
        checks.append(machine.open_files(_soft_limit(), wanted.lines))
    checks += machine.time_zones(zones(None if wanted is None else wanted.zones), why_not)
    checks.append(machine.secrets(_secret_files(settings)))
    if wanted is None:
        checks.append(not_asked("machine.webhook_secrets", "secrets of webhooks", why_not))
    else:
        checks.append(machine.webhook_secrets(len(wanted.webhooks), unreadable_secrets(wanted.webhooks)))
    requirements = [each for each in required() if each.split(">")[0].strip() not in _ELSEWHERE]
    checks.append(machine.packages(requirements, installed()))
    library = _LIBRARIES.get(settings.esl.client)
    checks.append(machine.client(settings.esl.client, library is None or importlib.util.find_spec(library) is not None))
    return checks


def folder(path: Path) -> Folder:
    """The folder, or the nearest thing above it that exists."""
    nearest = path.absolute()
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    space = os.statvfs(nearest)
    return Folder(str(nearest), nearest == path.absolute(), nearest.is_dir(), os.access(nearest, os.W_OK | os.X_OK), space.f_bavail * space.f_frsize)


def database_disk(data_directory: str) -> Check | None:
    """None where the database's files are not on this machine, or not for our eyes."""
    try:
        space = os.statvfs(data_directory)
    except OSError:
        return None
    return machine.database_disk(Folder(data_directory, True, True, True, space.f_bavail * space.f_frsize))


def files_of_process(name: str) -> int | None:
    """How many files the one process of that name may have open; None where there is none, or more than one."""
    limits = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (place / "comm").read_text(encoding="utf-8").strip() == name:
                limits.append((place / "limits").read_text(encoding="utf-8"))
        except OSError:
            continue  # it has ended, or hides
    if len(limits) != 1:
        return None
    for line in limits[0].splitlines():
        if line.startswith("Max open files"):
            soft = line.split()[3]
            return int(soft) if soft.isdecimal() else 2**31
    return None


def zones(named: Mapping[str, tuple[str, ...]] | None) -> ZoneFacts:
    """Where Python takes time zones from, how new they are, and which of those named are not among them."""
    missing = None if named is None else {name: who for name, who in named.items() if not _is_zone(name)}
    version, source = _zone_data()
    return ZoneFacts(version, source, time.gmtime().tm_year, missing, any_known=_is_zone("Europe/London"))


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _zone_data() -> tuple[str, str]:
    """Version and place. The system's goes before the package's, as in zoneinfo itself."""
    for place in zoneinfo.TZPATH:
        if not (Path(place) / "Europe" / "London").is_file():
            continue
        for name, mark in (("tzdata.zi", "# version "), ("+VERSION", "")):
            try:
                with (Path(place) / name).open(encoding="utf-8") as stream:
                    first = stream.readline().strip()
            except OSError:
                continue
            if first.startswith(mark):
                return first.removeprefix(mark), place
        return "", place
    try:
        return importlib.metadata.version("tzdata"), "the Python package tzdata"  # 2025.2 is 2025b: the year is what counts
    except importlib.metadata.PackageNotFoundError:
        return "", "nowhere"


def required() -> list[str]:
    """What an installation of fs-dialer needs, as its own metadata say."""
    root = checkout()
    if root is not None:
        config = configparser.ConfigParser()
        config.read(root / "setup.cfg", encoding="utf-8")
        lines = config["options"]["install_requires"].splitlines()
        return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    try:
        return [each for each in importlib.metadata.requires("fs-dialer") or [] if "extra ==" not in each]
    except importlib.metadata.PackageNotFoundError:
        return []


def installed() -> dict[str, str]:
    """Version of each package that we require, where it is installed."""
    found = {}
    for requirement in required():
        name = requirement.split(">")[0].split("<")[0].split(";")[0].strip()
        for known in (name, _ALSO_AS.get(name, name)):
            try:
                found[name] = importlib.metadata.version(known)
                break
            except importlib.metadata.PackageNotFoundError:
                continue
    return found


def _soft_limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 2**31


def unreadable_secrets(webhooks: Iterable[Webhook]) -> dict[str, str]:
    """Of webhooks whose secret is not to be had here: why, by name. Never the secret."""
    found = {}
    for webhook in webhooks:
        try:
            secret_of(webhook)
        except NotDelivered as error:
            found[webhook.name] = str(error)
    return found


def _secret_files(settings: DaemonSettings) -> dict[str, int]:
    """Permission bits by path. A file that is not there is told where the secret is needed."""
    modes = {}
    for secret in (settings.database.dsn, settings.esl.password):
        if secret is not None and secret.path is not None:
            try:
                modes[str(secret.path)] = stat.S_IMODE(secret.path.stat().st_mode)
            except OSError:
                continue
    return modes

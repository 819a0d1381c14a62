"""Which flow is meant: by its name in the database, or in definition files with --from.

Knows where flows are kept, and what of a folder belongs to them: a mistake in a campaign does not keep a flow from being drawn or tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import clean
from fs_dialer.cli.settings import Session, nearest_name
from fs_dialer.config.library import read_things, references, resolve
from fs_dialer.config.load import with_companions
from fs_dialer.config.things import Thing
from fs_dialer.core.definition import Installation
from fs_dialer.core.flow import Ivr
from fs_dialer.core.plan import CAMPAIGN, INSTALLATION
from fs_dialer.errors import Problem

KIND = "ivrs"
CONCERNED = frozenset({KIND, "sounds", "dnc_lists", "agents", "teams", INSTALLATION})
EXITS = {
    Exit.FAILED: "there is no such flow, or a file could not be written",
    Exit.REFUSED: "the files have problems",
    Exit.UNREACHABLE: "without --from: the database was not reachable",
}

FLOW = click.argument("flow", metavar="FLOW")
FROM = click.option(
    "--from", "paths", multiple=True, type=click.Path(path_type=Path), metavar="PATH", help="Definition files, or a folder of them, rather than the database."
)


@dataclass(frozen=True, slots=True)
class Flows:
    """used_by: campaigns, by the flow's name. installation: None where none is defined there. warnings: what works in a file and is hardly meant."""

    ivrs: Mapping[str, Ivr]
    used_by: Mapping[str, list[str]]
    installation: Installation | None
    warnings: tuple[Problem, ...]


def flows(session: Session, paths: Sequence[Path], only: Sequence[str] = ()) -> Flows:
    """The flows of the files, or of the database; all of them, or `only` these, whatever is wrong with others.

    ConfigError with every problem of them and what they name. CommandFailed with the nearest name where there is no such flow.
    """
    if paths:
        things, _ = read_things(with_companions(paths))
    else:
        with session.office() as office:
            things = office.world().things()
    known = sorted(thing.name for thing in things if thing.kind == KIND)
    for name in only:
        if name not in known:
            advice = f"there are: {', '.join(known)}" if known else "define one below `ivrs:` (conf/ivrs.yml shows how), then: fs-dialer apply PATH"
            raise CommandFailed(f"there is no flow {clean(name)}{nearest_name(name, known)}", advice)
    library = resolve([thing for thing in things if thing.kind in CONCERNED and (thing.kind != KIND or not only or thing.name in only)])
    ivrs = {name: value for (kind, name), value in sorted(library.named.items()) if kind == KIND}
    warnings = tuple(each for each in library.warnings if each.path.split(".")[0] == KIND)
    return Flows(ivrs, _used(things), library.installation, warnings)


def flow_named(session: Session, name: str, paths: Sequence[Path]) -> Ivr:
    return flows(session, paths, [name]).ivrs[name]


def _used(things: Sequence[Thing]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for thing in things:
        if thing.kind == CAMPAIGN:
            for kind, name in references(thing):
                if kind == KIND:
                    found.setdefault(name, []).append(thing.name)
    return found

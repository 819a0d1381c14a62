"""campaign clone: a new campaign from an old one, with its definition, and its leads or some of them (M20).

Knows what of a definition can not go along (its end, when that is past). The new campaign's file is written first and applied then, as any other file; who
wants it different edits that file and applies it again, before anybody approves it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli.apply import stale, store_and_tell
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.plan import WHY, tell
from fs_dialer.cli.planning import Plan, planned, wish_of
from fs_dialer.cli.settings import Session, no_campaign
from fs_dialer.config.library import write_yaml
from fs_dialer.config.things import Thing
from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignId
from fs_dialer.core.plan import CAMPAIGN, Standing
from fs_dialer.errors import FsDialerError

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.definitions import World


@command(
    "clone",
    examples=("fs-dialer campaign clone spring summer", "fs-dialer campaign clone spring summer --leads all --json"),
    exits={
        Exit.FAILED: "failed, or there is no such campaign, or the new one is there already; nothing was written or stored",
        Exit.REFUSED: "what the campaign names is no longer there; nothing was written or stored",
        Exit.UNREACHABLE: "the database was not reachable",
    },
)
@click.argument("name")
@click.argument("new")
@click.option(
    "--leads",
    type=click.Choice(["unfinished", "all", "none"]),
    default="unfinished",
    show_default=True,
    help="Which leads come along; each begins anew. `unfinished`: those that may still be called.",
)
@click.option("--file", type=click.Path(path_type=Path), default=None, help="Where its file is written; else campaigns/NEW.yml, or NEW.yml.")
@WHY
def clone(session: Session, name: str, new: str, leads: str, file: Path | None, why: str) -> None:
    """Make campaign NEW as NAME is: the same definition and list, to be changed a little.

    Its file is written and applied. Nothing is dialled before NEW is approved and started: edit the file, apply it again, then approve it. NAME may have
    ended, and stays as it is. A window whose end is past, and the file that its leads were imported from, are left out.
    """
    from fs_dialer.db.applying import Takeover
    from fs_dialer.db.definitions import WorldMoved
    from fs_dialer.db.joining import CLONED

    with session.office() as office:
        world = office.world()
        standing = _standing(world, name, new)
        source, left_out = _source(standing, new, leads, world.at)
        path = file or (Path("campaigns") if Path("campaigns").is_dir() else Path()) / f"{new}.yml"
        if path.stem != new:
            raise CommandFailed(f"a campaign's file has its name: write --file {path.with_name(f'{new}.yml')}", code=Exit.MISUSE)
        _write(path, write_yaml(Thing(CAMPAIGN, new, source)))
        try:
            found = _planned(office, path, world, {new: Takeover(CampaignId(name), CLONED[leads])})
            tell(session, found)
            store_and_tell(session, office, found, why or f"clone of {name}")
        except WorldMoved as moved:
            path.unlink(missing_ok=True)
            raise stale("this clone", moved.moved) from None
        except (FsDialerError, OSError):
            path.unlink(missing_ok=True)
            raise
    session.note(*left_out)
    session.note(f"its file: {path}. Change it, apply it, then: fs-dialer approve {new} && fs-dialer start {new}")


def _planned(office: Backoffice, path: Path, world: World, takeovers: dict[str, Any]) -> Plan:
    return planned(office, replace(wish_of([path]), takeovers=takeovers), world)


def _standing(world: World, name: str, new: str) -> Standing:
    campaigns = {each.name: each for each in world.standing.values() if each.kind == CAMPAIGN}
    if name not in campaigns:
        raise no_campaign(name, list(campaigns))
    if new in campaigns:
        raise CommandFailed(f"there is a campaign {new} already: choose another name")
    return campaigns[name]


def _source(standing: Standing, new: str, leads: str, now: float) -> tuple[dict[str, Any], list[str]]:
    """The definition as written, without what can not go along; and what that is."""
    source = {key: value for key, value in standing.source.items() if key != "state"}
    left_out = []
    end = standing.value.window.end if isinstance(standing.value, Campaign) else None
    if end is not None and end <= now and _without(source, "window", "from", "until"):
        left_out.append(f"the window of {standing.name} is over: {new} has none")
    if _without(source, "leads", "csv"):
        left_out.append(f"the list that {standing.name} was filled from is not named again: its leads come along as they are")
    if leads != "all" and _without(source, "leads", "new_rows"):
        # Whoever joins a group later brings all of it, those who are finished too.
        left_out.append(f"new_rows is left out: nobody joins {new} later by itself")
    return source, left_out


def _without(source: dict[str, Any], section: str, *keys: str) -> bool:
    """Take settings out of a section, and the section where nothing is left in it. Whether any was there."""
    there = source.get(section)
    if not isinstance(there, dict) or not any(key in there for key in keys):
        return False
    left = {key: value for key, value in there.items() if key not in keys}
    if left:
        source[section] = left
    else:
        del source[section]
    return True


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise CommandFailed(f"{path} is there already: choose another name, or say --file") from None

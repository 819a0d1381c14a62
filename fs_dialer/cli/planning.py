"""From files, a kept plan or the way back of one → what would change: the work that plan, apply and clone share.

Knows in which order things are read, resolved and compared. What is no longer to be is named by `ended` and `removed`; an ended campaign's file is not
judged any more, since what it names may go with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.config.library import Library, read_things, references, resolve
from fs_dialer.config.load import with_companions
from fs_dialer.config.things import KINDS, Thing
from fs_dialer.core.effects import Effect, Facts, effects
from fs_dialer.core.plan import CAMPAIGN, CHANGED, DEFAULTS, ENDED, INSTALLATION, REMOVED, REWRITTEN, UNCHANGED, Edit, Key, Wanted, differences, edits
from fs_dialer.errors import ConfigError

if TYPE_CHECKING:
    from fs_dialer.db.applying import Takeover
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.definitions import World


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to stand in the database.

    ended: campaigns that are to end. removed: things that are to go; of campaigns only new ones can. pruned: they were named by no file, rather than by one.
    folders: whole folders were given, so that what is in none of their files is worth telling.
    """

    things: tuple[Thing, ...]
    ended: tuple[str, ...] = ()
    removed: tuple[Key, ...] = ()
    pruned: bool = False
    folders: bool = False
    passed_over: tuple[Path, ...] = ()
    revert_of: str = ""
    takeovers: Mapping[str, Takeover] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A wish against the world as it is. `over`: campaigns that have ended, whose files change nothing. `left_alone`: campaigns that no file names."""

    wish: Wish
    world: World
    edits: tuple[Edit, ...]
    library: Library
    facts: Mapping[str, Facts]
    effects: Mapping[str, Sequence[Effect]]  # of changed campaigns
    over: tuple[str, ...]
    left_alone: tuple[str, ...]

    @property
    def changes(self) -> tuple[Edit, ...]:
        return tuple(edit for edit in self.edits if edit.what != UNCHANGED)

    @property
    def losses(self) -> tuple[Edit, ...]:
        """What ends or goes away: asked about before it is done."""
        return tuple(edit for edit in self.edits if edit.what in (ENDED, REMOVED))


# --- what is wished -------------------------------------------------------------------------------------------------------------------


def wish_of(paths: Sequence[Path]) -> Wish:
    """What files and folders say. ConfigError with every problem of reading them."""
    things, passed_over = read_things(paths)
    if not things:
        raise CommandFailed(f"there is nothing to store in {', '.join(map(str, paths))}: it defines nothing", code=Exit.REFUSED)
    ended = tuple(thing.name for thing in things if is_to_end(thing))
    return Wish(tuple(thing for thing in things if not is_to_end(thing)), ended, folders=any(path.is_dir() for path in paths), passed_over=passed_over)


def is_to_end(thing: Thing) -> bool:
    """`state: ended` in a campaign's file; every other word there is a problem that reading it tells."""
    return thing.kind == CAMPAIGN and isinstance(thing.source, Mapping) and str(thing.source.get("state", "")).strip() == "ended"


def pruned(wish: Wish, world: World) -> Wish:
    """Of each kind of thing that the files define, what they do not name is to end or to go. Campaigns end; the installation and the defaults stay."""
    named = {thing.key for thing in wish.things} | {(CAMPAIGN, name) for name in wish.ended}
    kinds = {kind for kind, _ in named}
    live = [each for each in world.standing.values() if each.kind in kinds and each.key not in named and not each.is_over]
    return replace(
        wish,
        ended=(*wish.ended, *sorted(each.name for each in live if each.kind == CAMPAIGN)),
        removed=(*wish.removed, *sorted(each.key for each in live if each.kind in KINDS)),
        pruned=True,
    )


def to_content(wish: Wish, why: str) -> dict[str, Any]:
    """As a plan keeps it."""
    from fs_dialer.db.applying import source_to_json

    return {
        "things": [
            {"kind": thing.kind, "name": thing.name, "source": source_to_json(thing.source), "file": thing.file, "line": thing.line} for thing in wish.things
        ],
        "ended": list(wish.ended),
        "removed": [list(key) for key in wish.removed],
        "pruned": wish.pruned,
        "revert_of": wish.revert_of,
        "why": why,
    }


def from_content(content: Mapping[str, Any]) -> Wish:
    from fs_dialer.db.applying import source_from_json

    things = tuple(Thing(each["kind"], each["name"], source_from_json(each["source"]), each["file"], each["line"]) for each in content["things"])
    removed = tuple((str(kind), str(name)) for kind, name in content["removed"])
    return Wish(things, tuple(content["ended"]), removed, bool(content["pruned"]), revert_of=content.get("revert_of", ""))


# --- what comes of it -----------------------------------------------------------------------------------------------------------------


def planned(office: Backoffice, wish: Wish, world: World | None = None) -> Plan:
    """What the wish would change. ConfigError with every problem of what it names and of what hangs on it."""
    world = world or office.world()
    going = {*wish.removed, *((CAMPAIGN, name) for name in wish.ended)}
    library = resolve(wish.things, world.things(), only=(), removed=going, removed_by="--prune" if wish.pruned else "the revert" if wish.revert_of else "")
    named = {thing.key: thing for thing in wish.things}
    wanted = [_wanted(key, value, library, named.get(key)) for key, value in _values(library)]
    if (DEFAULTS, "") in named:
        wanted.append(_wanted((DEFAULTS, ""), named[DEFAULTS, ""].source, library, named[DEFAULTS, ""]))
    found, over = _without_over(edits(world.standing, wanted, ended=wish.ended, removed=wish.removed), tell_unchanged=not wish.folders)
    found = _explained(found, library)
    mentioned = {*named, *going}
    left_alone = [each.name for each in world.standing.values() if each.kind == CAMPAIGN and each.key not in mentioned and not each.is_over]
    tell = wish.folders and any(kind == CAMPAIGN for kind, _ in mentioned)
    facts = office.facts(found, world, wish.takeovers)
    said = {edit.name: effects(edit, differences(edit.old, edit.new), facts[edit.name]) for edit in found if edit.kind == CAMPAIGN and edit.what == CHANGED}
    return Plan(wish, world, found, library, facts, said, over, tuple(sorted(left_alone)) if tell else ())


def _values(library: Library) -> Iterable[tuple[Key, Any]]:
    yield from (((CAMPAIGN, name), campaign) for name, campaign in library.campaigns.items())
    yield from ((("agents", name), agent) for name, agent in library.agents.items())
    yield from library.named.items()
    if library.installation is not None:
        yield (INSTALLATION, ""), library.installation


def _wanted(key: Key, value: Any, library: Library, named: Thing | None) -> Wanted:
    thing = named or library.things[key]
    return Wanted(*key, value, thing.source, thing.file, thing.line, named is not None)


def _without_over(found: Sequence[Edit], *, tell_unchanged: bool) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """An ended campaign never changes again (D11): its file may lie about, and be told so; where its file was named, even if it says what is stored."""
    ended = [edit for edit in found if edit.kind == CAMPAIGN and edit.state in ("draining", "ended")]
    over = tuple(edit.name for edit in ended if edit.what in (CHANGED, REWRITTEN) or (tell_unchanged and edit.what == UNCHANGED and edit.file))
    return tuple(replace(edit, what=UNCHANGED) if edit.kind == CAMPAIGN and edit.name in over else edit for edit in found), over


def _explained(found: Sequence[Edit], library: Library) -> tuple[Edit, ...]:
    """Why campaigns change that no file names: by the changed things that they name, else by all changed ones that every campaign rests on."""
    changed = [edit.key for edit in found if edit.kind != CAMPAIGN and edit.what != UNCHANGED]
    explained = []
    for edit in found:
        if edit.kind == CAMPAIGN and not edit.file and edit.what == CHANGED:
            thing = library.things.get(edit.key)
            own = references(thing) if thing is not None else set()
            because = [key for key in changed if key in own] or [key for key in changed if key[0] == DEFAULTS] or changed
            edit = replace(edit, because=tuple(because))
        explained.append(edit)
    return tuple(explained)


def companions_of(paths: Sequence[Path], office: Backoffice) -> tuple[str, ...]:
    """Files that are right with those beside them, which are not stored yet: say so, since the problems alone would mislead."""
    import shlex

    whole = with_companions(paths)
    if len(whole) == len(paths):
        return ()
    try:
        planned(office, wish_of(whole))
    except (ConfigError, CommandFailed):
        return ()
    line = shlex.join(["fs-dialer", "apply", *map(str, whole)])
    return ("what stands in the files beside it is not stored yet; together they are right:", line)

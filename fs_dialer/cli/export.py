"""export, diff, history: the database's definitions as files, against files, and as they were.

Knows into which file what is written. An export is what was applied, as it was written (comments are not stored); a plan after it changes nothing.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fs_dialer.cli.acts import acts_of
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import moment, painted, plural, wants_colour
from fs_dialer.cli.planning import wish_of
from fs_dialer.cli.settings import Session, nearest_name
from fs_dialer.config.library import write_yaml
from fs_dialer.config.things import KINDS, Thing, word_of
from fs_dialer.core.plan import CAMPAIGN, DEFAULTS, INSTALLATION

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.definitions import World

_KIND_NAMES = (CAMPAIGN, INSTALLATION, DEFAULTS, *KINDS)
_REVISION = re.compile(r"(?:(?P<kind>[a-z_]+)/)?(?P<name>[A-Za-z0-9_.+-]*)@r?(?P<revision>[0-9]{1,9})")
_SCHEMA_LINE = "# yaml-language-server:"
MOST_ACTS = 1000
UNREACHABLE = {Exit.UNREACHABLE: "the database was not reachable"}


# --- export ---------------------------------------------------------------------------------------------------------------------------


@command(
    "export",
    examples=("fs-dialer export conf/", "fs-dialer export - spring      # one campaign, onto the terminal"),
    exits=UNREACHABLE | {Exit.FAILED: "failed, or a file is there already; then nothing is written"},
)
@click.argument("folder", metavar="[DIR]", default="-")
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("--overwrite", is_flag=True, help="Write over files that are there. Their comments are lost.")
def export(session: Session, folder: str, names: tuple[str, ...], overwrite: bool) -> None:
    """Write definitions back as YAML files.

    Into DIR as campaigns/NAME.yml, agents.yml, installation.yml and a file for each other kind; without DIR, or with -, onto the terminal. NAME is a
    campaign, or KIND/NAME as in schedules/office; none named = all of them. Campaigns that have ended are written where they are named.
    """
    with session.office() as office:
        world = office.world()
    files = dict(_files(_chosen(world, names)))
    if folder == "-":
        for name, text in files.items():
            session.say(f"# {name}", text.rstrip("\n"), "")
        session.result({"folder": None, "files": files})
        return
    _write(Path(folder), files, overwrite=overwrite)
    session.say(f"{folder} now holds {plural(len(files), 'file')}: {', '.join(files)}" if files else "There is nothing to export yet.")
    session.result({"folder": folder, "files": list(files)})


def _chosen(world: World, names: Sequence[str]) -> list[Thing]:
    if not names:
        return list(world.things())
    found = []
    for name in names:
        kind, _, rest = name.rpartition("/")
        key = (kind_named(kind) if kind else CAMPAIGN, rest)
        if not kind and name in (INSTALLATION, DEFAULTS):
            key = (name, "")
        standing = world.standing.get(key)
        if standing is None:
            known = [other for each, other in world.standing if each == key[0]]
            raise CommandFailed(f"there is no {word_of(key[0])} {rest}{nearest_name(rest, known)}")
        found.append(Thing(*key, standing.source))
    return found


def _files(things: Iterable[Thing]) -> Iterator[tuple[str, str]]:
    """File name → text."""
    tables: dict[str, list[Thing]] = {}
    for thing in sorted(things, key=lambda thing: thing.key):
        if thing.kind in KINDS:
            tables.setdefault(thing.kind, []).append(thing)
        elif thing.kind == CAMPAIGN:
            yield f"campaigns/{thing.name}.yml", write_yaml(thing)
        else:
            yield f"{thing.kind}.yml", write_yaml(thing)
    for kind, those in tables.items():
        yield f"{kind}.yml", write_yaml(*those)


def _write(folder: Path, files: dict[str, str], *, overwrite: bool) -> None:
    """All of them or, where one is there with other words in it, none."""
    there = [folder / name for name, text in files.items() if (folder / name).exists() and (folder / name).read_bytes() != text.encode()]
    if there and not overwrite:
        advice = "name another folder, or write over them with --overwrite: their comments are lost"
        raise CommandFailed(f"nothing was written, because {'this is' if len(there) == 1 else 'these are'} there already: {', '.join(map(str, there))}", advice)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def kind_named(word: str) -> str:
    """schedules, schedule and campaigns → the kind. CommandFailed with the nearest."""
    singular = {word_of(kind).replace(" ", "_"): kind for kind in KINDS} | {"campaigns": CAMPAIGN}
    if word in _KIND_NAMES:
        return word
    if word in singular:
        return singular[word]
    raise CommandFailed(f"there is no kind of thing `{word}`{nearest_name(word, _KIND_NAMES)}", f"there are: {', '.join(_KIND_NAMES)}", code=Exit.MISUSE)


# --- diff -----------------------------------------------------------------------------------------------------------------------------


@command(
    "diff",
    examples=("fs-dialer diff conf/", "fs-dialer diff spring@r3 spring@r5"),
    exits=UNREACHABLE | {Exit.REFUSED: "a file can not be read, or there is no such revision"},
)
@click.argument("what", metavar="PATH...|NAME@rN NAME@rM", nargs=-1, required=True)
def diff(session: Session, what: tuple[str, ...]) -> None:
    """Show in which lines files differ from the database, or one revision from another.

    Lines with - are the database's (or the first revision's), those with + the files'. NAME is a campaign, or KIND/NAME as in schedules/office. What the
    differences would do: fs-dialer plan.
    """
    with session.office() as office:
        if any(_REVISION.fullmatch(each) and not Path(each).exists() for each in what):
            pairs = [_revisions(office, what)]
        else:
            pairs = list(_against_files(office, [Path(each) for each in what]))
    found = [(old, new, lines) for old, new, lines in ((old, new, _unified(old, new)) for old, new in pairs) if lines]
    coloured = wants_colour(sys.stdout)
    for _, _, lines in found:
        session.say(*(painted(line, {"-": "red", "+": "green", "@": "cyan"}.get(line[:1], ""), coloured) for line in lines))
    if not found:
        session.say("No differences.")
    session.result({"differences": [{"old": old[0], "new": new[0], "lines": lines} for old, new, lines in found]})


Titled = tuple[str, Thing | None]


def _revisions(office: Backoffice, what: Sequence[str]) -> tuple[Titled, Titled]:
    if len(what) != 2:
        raise CommandFailed("two revisions can be compared: fs-dialer diff spring@r3 spring@r5", code=Exit.MISUSE)
    first, second = (_revision(office, each) for each in what)
    return first, second


def _revision(office: Backoffice, text: str) -> Titled:
    found = _REVISION.fullmatch(text)
    if found is None:
        raise CommandFailed(f"{text} is no revision: write NAME@rN, as in spring@r3", code=Exit.MISUSE)
    kind, name, number = kind_named(found["kind"] or CAMPAIGN), found["name"], int(found["revision"])
    thing = office.revision(kind, name, number)
    if thing is None:
        advice = f"which there are: fs-dialer history {name if kind == CAMPAIGN else f'{kind} {name}'}".rstrip()
        raise CommandFailed(f"there is no revision {number} of {word_of(kind)} {name}".rstrip(), advice, code=Exit.REFUSED)
    return f"{word_of(kind)} {name} r{number}".replace("  ", " "), thing


def _against_files(office: Backoffice, paths: Sequence[Path]) -> Iterator[tuple[Titled, Titled]]:
    wish, world = wish_of(paths), office.world()
    for thing in wish.things:
        standing = world.standing.get(thing.key)
        before = f"{thing.title} (r{standing.revision})" if standing else f"{thing.title} (not stored)"
        yield (before, Thing(*thing.key, standing.source) if standing else None), (f"{thing.title} ({thing.file})", thing)
    for name in wish.ended:
        standing = world.standing.get((CAMPAIGN, name))
        if standing is not None and not standing.is_over:
            yield (f"campaign {name} (r{standing.revision})", Thing(CAMPAIGN, name, standing.source)), (f"campaign {name} (state: ended)", None)


def _unified(old: Titled, new: Titled) -> list[str]:
    before, after = (_text_lines(thing) for _, thing in (old, new))
    return [line.rstrip("\n") for line in difflib.unified_diff(before, after, old[0], new[0], lineterm="")]


def _text_lines(thing: Thing | None) -> list[str]:
    return [line for line in write_yaml(thing).splitlines() if not line.startswith(_SCHEMA_LINE)] if thing is not None else []


# --- history --------------------------------------------------------------------------------------------------------------------------


@command(
    "history",
    examples=("fs-dialer history spring", "fs-dialer history schedules office --json"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such thing"},
)
@click.argument("what", metavar="CAMPAIGN|KIND [NAME]", nargs=-1, required=True)
def history(session: Session, what: tuple[str, ...]) -> None:
    """Every revision of a campaign, or of another thing by its KIND and NAME: when, by whom, with which plan and why; and what everybody did with it.

    One revision against another: fs-dialer diff NAME@r3 NAME@r5. Back to an older one: apply its file again, or revert its plan.
    """
    kind, name = (kind_named(what[0]), what[1]) if len(what) == 2 else (what[0], "") if what[0] in (INSTALLATION, DEFAULTS) else (CAMPAIGN, what[0])
    if len(what) > 2:
        raise CommandFailed("one campaign, or a kind and a name", code=Exit.MISUSE)
    with session.office() as office:
        revisions = office.history(kind, name)
        if not revisions:
            known = [other for each, other in office.world().standing if each == kind]
            raise CommandFailed(f"there is no {word_of(kind)} {name}".rstrip() + nearest_name(name, known))
        standing = office.world().standing.get((kind, name))
        lines = office.audit_list(name or kind, limit=MOST_ACTS)
        marks = office.marks_list(name, limit=MOST_ACTS) if kind == CAMPAIGN else []
    over, acts = standing is not None and standing.is_over, acts_of(kind, sorted([*lines, *marks], key=lambda line: line.at, reverse=True))
    rows = [
        (f"r{each.revision}", moment(each.at, "UTC"), each.who, each.plan or "-", _state(each.approved, each.there, over), each.why or "-")
        for each in revisions
    ]
    session.table(("REVISION", "UTC", "WHO", "PLAN", "STATE", "WHY"), rows)
    if acts:
        session.say("")
        session.table(("UTC", "WHO", "DID", "WHY"), [(moment(act.at, "UTC"), act.who, act.did, act.why or "-") for act in acts])
    if MOST_ACTS in (len(lines), len(marks)):
        session.note(f"the newest {MOST_ACTS:,} lines of the audit were looked at; there may be older ones")
    session.result({"kind": kind, "name": name, "revisions": revisions, "acts": acts})


def _state(approved: bool | None, there: bool, over: bool) -> str:
    if not there:
        return "removed"
    if not approved:
        return "-"
    return "dialled last" if over else "dials"

"""init, check, apply: the files in which an admin defines campaigns, agents and the installation.

Knows in which order things are read, judged and stored, and how the answers read; what a file may say is config/'s. Nothing is stored before everything
is right, and what a path does not name is left alone.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit, count_of, problem_json, problem_lines
from fs_dialer.cli.output import natural, plural
from fs_dialer.cli.settings import Session, who
from fs_dialer.config.daemon import load_settings
from fs_dialer.config.load import Definitions, load_paths, with_companions
from fs_dialer.errors import ConfigError, Problem
from fs_dialer.paths import conf_dir

# What of conf/ an admin starts from, where it goes, and what it is; conf/freeswitch is the switch's, docs/switch.md.
EXAMPLES = (
    ("fs-dialer.yml", "fs-dialer.yml", "where the database and the switch are"),
    ("installation.yml", "installation.yml", "lines, trunks, the country of your numbers"),
    ("agents.yml", "agents.yml", "who takes calls, and on which phone"),
    ("campaigns/progressive.yml", "campaigns/progressive.yml", "a campaign; its file name is its name"),
    ("leads.example.csv", "campaigns/leads.example.csv", "what a list of leads looks like"),
)


# --- init -----------------------------------------------------------------------------------------------------------------------------


@command(
    "init",
    examples=("fs-dialer init calls", "fs-dialer init . && fs-dialer check ."),
    exits={Exit.FAILED: "failed, or one of the files is there already; then nothing is written"},
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(session: Session, folder: Path) -> None:
    """Write a working set of example files into DIR.

    A campaign, its agents, the installation, this program's own settings and a short list of leads, all with comments. A file that is there already is
    never overwritten.
    """
    texts = {folder / name: (conf_dir() / source).read_bytes() for name, source, _ in EXAMPLES}
    if there := [str(path) for path in texts if path.exists() or path.is_symlink()]:
        advice = "name another folder, or move these away first"
        raise CommandFailed(f"nothing was written, because {'this is' if len(there) == 1 else 'these are'} there already: {', '.join(there)}", advice)
    _write_all(texts)
    session.say(f"{folder} now holds")
    session.say(*(f"  {name:<26} {what}" for name, _, what in EXAMPLES))
    steps = () if folder.resolve() == Path.cwd() else (f"cd {shlex.quote(str(folder))}",)
    session.say("", "Next:", *(f"  {line}" for line in (*steps, *NEXT)))
    session.result({"folder": str(folder), "files": [name for name, _, _ in EXAMPLES]})


NEXT = (
    "fs-dialer simulate campaigns/progressive.yml    # a day of it in seconds; needs no switch and no database",
    "$EDITOR *.yml campaigns/*.yml                   # your database, trunks, agents, numbers",
    "fs-dialer check .",
    "fs-dialer db migrate && fs-dialer apply .",
    "fs-dialer lead import leads.example.csv --campaign progressive",
)


def _write_all(texts: dict[Path, bytes]) -> None:
    """All of them or none: what was written is taken away again when one can not be."""
    written: list[Path] = []
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                written.append(path)
                stream.write(text)
    except OSError:
        for path in written:
            path.unlink(missing_ok=True)
        raise


# --- check ----------------------------------------------------------------------------------------------------------------------------

PATHS = click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))


@command(
    "check",
    examples=("fs-dialer check conf/", "fs-dialer check campaigns/spring.yml --json"),
    exits={Exit.REFUSED: "there are problems"},
)
@PATHS
def check(session: Session, paths: tuple[Path, ...]) -> None:
    """Find every mistake in definition files, with its line and how to mend it.

    PATH is a file or a folder with all *.yml below it. A campaign is judged together with the agents.yml and installation.yml beside it or one folder
    above. fs-dialer.yml and people.yml are read too where a folder holds them. Needs no database and no switch.
    """
    problems: list[Problem] = []
    found = Definitions()
    try:
        found = load_paths(with_companions(paths))
    except ConfigError as error:
        problems += error.problems
    others = {path.resolve(): path for path in (*_read_by_others(paths), *found.passed_over)}.values()
    for path in sorted(others):
        problems += _problems_of(partial(_read_people, path) if path.stem == "people" else partial(load_settings, path, {}))
    problems.sort(key=lambda problem: (problem.file, problem.line, problem.column, problem.path))
    if problems:
        session.say(*problem_lines(problems))
        session.say(f"{count_of(tuple(problems))}    What each setting means: docs/reference/config.md")
    else:
        session.say(f"No problems in {_what_is_there(found, len(others))}.")
    campaigns = [campaign.id for campaign in found.campaigns]
    session.result({"problems": [problem_json(problem) for problem in problems], "campaigns": campaigns, "agents": [agent.id for agent in found.agents]})
    if problems:
        raise click.exceptions.Exit(Exit.REFUSED)


def _read_by_others(paths: Sequence[Path]) -> list[Path]:
    """fs-dialer.yml and people.yml, named or below a folder that is: they define nothing, but a mistake in them is better found now."""
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.y*ml"))]
    return [file for file in files if file.stem in ("fs-dialer", "people") and not any(part.startswith(".") for part in file.parts if part not in (".", ".."))]


def _problems_of(read: Callable[[], object]) -> Sequence[Problem]:
    try:
        read()
    except ConfigError as error:
        return error.problems
    return ()


def _read_people(path: Path) -> object:
    from fs_dialer.cli.people import load_people

    return load_people(path)


def _what_is_there(found: Definitions, others: int) -> str:
    said = [plural(len(found.campaigns), "campaign")] if found.campaigns else []
    said += [plural(len(found.agents), "agent")] if found.agents else []
    said += ["the installation"] if found.installation else []
    said += [plural(others, "other file")] if others else []
    return " and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]


# --- apply ----------------------------------------------------------------------------------------------------------------------------


@command(
    "apply",
    examples=("fs-dialer apply conf/", "fs-dialer apply campaigns/spring.yml campaigns/summer.yml"),
    exits={Exit.REFUSED: "a file has problems; nothing was stored", Exit.UNREACHABLE: "the database was not reachable; nothing was stored"},
)
@PATHS
def apply(session: Session, paths: tuple[Path, ...]) -> None:
    """Store what definition files say, all of it or nothing.

    PATH is a file or a folder with all *.yml below it. What no PATH names is left alone. A changed campaign becomes a new revision, which has to be
    approved before it is dialled by; until then the old one goes on.
    """
    with session.definitions() as store:
        agents = [stored.agent for stored in store.agents()]
        gateways = [gateway.id for gateway in store.installation().gateways]
    try:
        found = load_paths(paths, known_agents=agents, known_gateways=gateways)
    except ConfigError as error:
        session.fail(replace(session.failure_of(error), advice=_companions_of(paths)))
        raise click.exceptions.Exit(Exit.REFUSED) from None
    if not (found.campaigns or found.agents or found.installation):
        raise CommandFailed(f"there is nothing to store in {', '.join(map(str, paths))}: no campaign, no agents, no installation", code=Exit.REFUSED)
    with session.office() as office:
        applied = office.apply_definitions(found.campaigns, found.agents, found.installation, who())
    campaigns = [change for change in applied.changes if change.kind == "campaign"]
    for change in campaigns:
        waits = f"waits for: fs-dialer approve {change.name}" if change.needs_approval else ""
        session.say(f"campaign {change.name:<20} {change.what:<9} r{change.revision}  {waits}".rstrip())
    for kind in ("agent", "installation"):
        for what in ("created", "changed", "unchanged"):
            names = sorted((change.name for change in applied.changes if (change.kind, change.what) == (kind, what)), key=natural)
            if names:
                session.say(f"{plural(len(names), 'agent') if kind == 'agent' else kind} {what}{_named(names) if kind == 'agent' else ''}")
    imports = [(campaign.id, found.file_of(campaign.id).parent / campaign.leads.csv) for campaign in found.campaigns if campaign.leads.csv]
    for name, path in imports:
        session.say(f"leads of {name}: fs-dialer lead import {shlex.quote(str(path))} --campaign {name}")
    session.say(_counted([change.what for change in applied.changes]))
    if found.passed_over:
        session.note(f"left aside, they define nothing: {', '.join(map(str, found.passed_over))}")
    session.result({"changes": [asdict(change) for change in applied.changes], "imports": [{"campaign": name, "file": str(path)} for name, path in imports]})


def _companions_of(paths: Sequence[Path]) -> tuple[str, ...]:
    """Files that are right with the agents.yml beside them, which is not stored yet: say so, since the problems alone would mislead."""
    whole = with_companions(paths)
    if len(whole) == len(paths) or _problems_of(partial(load_paths, whole)):
        return ()
    line = shlex.join(["fs-dialer", "apply", *map(str, whole)])
    return ("what stands in the files beside it is not stored yet; together they are right:", line)


def _named(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return f": {shown}" + (f" and {len(names) - most} more" if len(names) > most else "")


def _counted(words: Sequence[str]) -> str:
    said = [f"{words.count(word)} {word}" for word in ("created", "changed", "unchanged") if word in words]
    return f"Applied: {', '.join(said)}."

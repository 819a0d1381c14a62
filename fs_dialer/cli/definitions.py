"""init, check: the files in which an admin defines campaigns, agents and the installation, before a database has heard of them.

Knows which examples there are and how mistakes are told; what a file may say is config/'s. plan.py and apply.py bring files into the database.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit, count_of, problem_json, problem_lines
from fs_dialer.cli.output import plural
from fs_dialer.cli.settings import Session
from fs_dialer.config.daemon import load_settings
from fs_dialer.config.load import Definitions, load_paths, with_companions
from fs_dialer.errors import ConfigError, Problem
from fs_dialer.paths import conf_dir

LEADS = "leads.example.csv"
_NO_SENTENCE = "an example of it"


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
    found = examples()
    texts = {folder / name: source.read_bytes() for name, source in found.items()}
    if there := [str(path) for path in texts if path.exists() or path.is_symlink()]:
        advice = "name another folder, or move these away first"
        raise CommandFailed(f"nothing was written, because {'this is' if len(there) == 1 else 'these are'} there already: {', '.join(there)}", advice)
    _write_all(texts)
    width = max(map(len, found))
    session.say(f"{folder} now holds")
    session.say(*(f"  {name:<{width}}  {_what_it_is(source)}" for name, source in found.items()))
    steps = () if folder.resolve() == Path.cwd() else (f"cd {shlex.quote(str(folder))}",)
    session.say("", "Next:", *(f"  {line}" for line in (*steps, *NEXT)))
    session.result({"folder": str(folder), "files": list(found)})


def examples() -> dict[str, Path]:
    """What of conf/ an admin starts from: where it goes, and where it is. conf/freeswitch is the switch's, docs/switch.md."""
    conf = conf_dir()
    campaigns = conf / "campaigns"
    found = {path.name: path for path in sorted(conf.glob("*.yml"))}
    found |= {f"campaigns/{path.name}": path for path in sorted(campaigns.glob("*.yml"))}
    return found | {LEADS: campaigns / LEADS}


def _what_it_is(path: Path) -> str:
    """The first sentence of a file's own comment."""
    if path.suffix == ".csv":
        return "what a list of leads looks like"
    comments = [line.lstrip("# ").rstrip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    said = next((line for line in comments if line and not line.startswith("yaml-language-server")), _NO_SENTENCE)
    return re.split(r"(?<=[.:])\s", said)[0].rstrip(".:")


NEXT = (
    "fs-dialer simulate campaigns/progressive.yml    # a day of it in seconds; needs no switch and no database",
    "$EDITOR *.yml campaigns/*.yml                   # your database, trunks, agents, numbers",
    "fs-dialer check .",
    "fs-dialer db migrate && fs-dialer plan .        # what would be stored, and what it does; then apply it",
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
    warnings = [each for each in found.library.warnings if any(_is_below(Path(each.file), path) for path in paths)]
    session.say(*problem_lines(warnings, mark="! "))
    if problems:
        session.say(*problem_lines(problems))
        session.say(f"{count_of(tuple(problems))}    What each setting means: docs/reference/config.md")
    else:
        warned = f", {plural(len(warnings), 'warning')} above" if warnings else ""
        session.say(f"No problems in {_what_is_there(found, len(others))}{warned}.")
    campaigns = [campaign.id for campaign in found.campaigns]
    told = {"problems": [problem_json(problem) for problem in problems], "warnings": [problem_json(warning) for warning in warnings]}
    session.result(told | {"campaigns": campaigns, "agents": [agent.id for agent in found.agents]})
    if problems:
        raise click.exceptions.Exit(Exit.REFUSED)


def _is_below(file: Path, path: Path) -> bool:
    """Was this file named, or a folder around it? What is only read beside a campaign is judged without all that belongs to it."""
    return path.resolve() in (file.resolve(), *file.resolve().parents)


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
    said += [plural(len(found.library.named), "other definition")] if found.library.named else []
    said += [plural(others, "other file")] if others else []
    return " and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]

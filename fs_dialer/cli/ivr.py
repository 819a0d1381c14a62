"""ivr list, check, render, draw: the flows that autocall campaigns speak with, looked at before anybody is called.

Knows how they are told; what a flow means is ivr/walk.py's, how it is drawn ivr/draw.py's, what the switch is given ivr/render.py's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit, count_of, problem_json, problem_lines
from fs_dialer.cli.ivr_flows import EXITS, FLOW, FROM, flows
from fs_dialer.cli.output import plural
from fs_dialer.cli.settings import Session
from fs_dialer.config.load import SUFFIXES
from fs_dialer.core.flow import Ivr, attributes_used, extension
from fs_dialer.errors import ConfigError
from fs_dialer.ivr.paths import MOST_PATHS
from fs_dialer.ivr.paths import Path as Way
from fs_dialer.ivr.paths import paths as ways

PICTURES = (".svg", ".png")


# --- list -----------------------------------------------------------------------------------------------------------------------------


@command("list", examples=("fs-dialer ivr list", "fs-dialer ivr list --from conf/ --json"), exits=EXITS)
@FROM
def ivr_list(session: Session, paths: tuple[Path, ...]) -> None:
    """Every flow, the campaigns that use it, and its name in the switch.

    The name in the switch ends in a mark of all that the flow says: a changed flow is another one, and campaigns that are approved with the old one go on with
    the old one.
    """
    found = flows(session, paths)
    users = {name: ", ".join(found.used_by.get(name, [])) or "-" for name in found.ivrs}
    rows = [(name, str(len(ivr.nodes)), ivr.language, users[name], extension(ivr), ivr.title or "-") for name, ivr in found.ivrs.items()]
    if rows:
        session.table(("FLOW", "NODES", "LANGUAGE", "CAMPAIGNS", "IN THE SWITCH", "TITLE"), rows, right="NODES")
    else:
        session.say("There are no flows. Define one below `ivrs:` (conf/ivrs.yml shows how), then: fs-dialer apply PATH")
    session.result({"flows": [{**_told(ivr), "campaigns": found.used_by.get(name, [])} for name, ivr in found.ivrs.items()]})


def _told(ivr: Ivr) -> dict[str, Any]:
    return {
        "flow": ivr.name,
        "title": ivr.title,
        "language": ivr.language,
        "nodes": len(ivr.nodes),
        "attributes": list(attributes_used(ivr)),
        "extension": extension(ivr),
    }


# --- check ----------------------------------------------------------------------------------------------------------------------------


@command(
    "check",
    examples=("fs-dialer ivr check conf/ivrs.yml", "fs-dialer ivr check dues-menu --from conf/"),
    exits={**EXITS, Exit.REFUSED: "there are problems"},
)
@click.argument("what", metavar="FLOW|FILE...", nargs=-1, required=True)
@FROM
def ivr_check(session: Session, what: tuple[str, ...], paths: tuple[Path, ...]) -> None:
    """Find every mistake in flows, with its line: steps that nothing leads to, circles without a way out, keys twice, sounds that nobody declared.

    FLOW is a name, in the database or with --from in files; FILE is a file or a folder. What is found right is walked through: how many paths there are, how
    they end, and which attributes of the lead it needs.
    """
    files = [Path(each) for each in what if Path(each).suffix in SUFFIXES or Path(each).is_dir()]
    names = [each for each in what if Path(each) not in files]
    if files and names:
        raise click.UsageError(f"name flows or files, not both: of files say `--from {files[0]}`")
    try:
        found = flows(session, [*files, *paths], names)
    except ConfigError as error:
        session.say(*problem_lines(error.problems), f"{count_of(error.problems)}    How flows are written: docs/ivr.md")
        session.result({"problems": [problem_json(each) for each in error.problems], "warnings": [], "flows": []})
        raise click.exceptions.Exit(Exit.REFUSED) from None
    session.say(*problem_lines(found.warnings, mark="! "))
    walked = [(ivr, ways(ivr)) for ivr in found.ivrs.values()]
    if walked:
        session.table(("FLOW", "NODES", "PATHS", "END WELL", "NEEDS OF THE LEAD"), [_row(*each) for each in walked], right=("NODES", "PATHS", "END WELL"))
    warned = f", {plural(len(found.warnings), 'warning')} above" if found.warnings else ""
    session.say(f"No problems in {plural(len(walked), 'flow')}{warned}." if walked else "There are no flows.")
    flows_told = [{**_told(ivr), "paths": len(each), "succeed": _well(each)} for ivr, each in walked]
    session.result({"problems": [], "warnings": [problem_json(each) for each in found.warnings], "flows": flows_told})


def _row(ivr: Ivr, found: Sequence[Way]) -> tuple[str, str, str, str, str]:
    many = f"{MOST_PATHS:,}+" if len(found) == MOST_PATHS else f"{len(found):,}"
    return ivr.name, str(len(ivr.nodes)), many, f"{_well(found):,}", ", ".join(attributes_used(ivr)) or "-"


def _well(found: Sequence[Way]) -> int:
    return sum(each.succeeded for each in found)


# --- render ---------------------------------------------------------------------------------------------------------------------------


@command("render", examples=("fs-dialer ivr render dues-menu", "fs-dialer ivr render dues-menu --from conf/ --out dues.xml"), exits=EXITS)
@FLOW
@FROM
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there rather than onto the terminal.")
def ivr_render(session: Session, flow: str, paths: tuple[Path, ...], out: Path | None) -> None:
    """The dialplan that the switch is given for a flow, as XML. To put it there: fs-dialer switch install.

    Transfers go by the trunks of the installation, as far as it is defined there.
    """
    from fs_dialer.cli.switch_files import switch_options
    from fs_dialer.ivr.render import flow_file

    found = flows(session, paths, [flow])
    ivr = found.ivrs[flow]
    xml = flow_file((ivr,), switch_options(session, found.installation))
    if out is not None:
        out.write_text(xml, encoding="utf-8")
        session.note(f"written: {out}")
    else:
        session.say(xml.rstrip("\n"))
    session.result({**_told(ivr), "file": str(out) if out else None, "xml": xml})


# --- draw -----------------------------------------------------------------------------------------------------------------------------


@command("draw", examples=("fs-dialer ivr draw dues-menu", "fs-dialer ivr draw dues-menu --from conf/ --out dues.png"), exits=EXITS)
@FLOW
@FROM
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="A .svg or .png file. Left out: FLOW.svg here.")
def ivr_draw(session: Session, flow: str, paths: tuple[Path, ...], out: Path | None) -> None:
    """Draw a flow: its steps, what is said there, and which key leads where. Dashed lines lead back, and dashed boxes can not be reached.

    SVG opens in every browser and needs nothing. PNG needs matplotlib: pip install 'fs-dialer[plots]'.
    """
    if out is not None and out.suffix not in PICTURES:
        raise click.UsageError(f"--out {out}: name a file that ends in {' or '.join(PICTURES)}")
    ivr = flows(session, paths, [flow]).ivrs[flow]
    path = out or Path(f"{ivr.name}.svg")
    if path.suffix == ".png":
        from fs_dialer.cli.ivr_png import write_png

        write_png(ivr, path)
    else:
        from fs_dialer.ivr.draw import svg

        path.write_text(svg(ivr), encoding="utf-8")
    session.note(f"drawn: {path}")
    session.result({**_told(ivr), "file": str(path)})

"""lead import: what it takes. The import itself is lead_import.py's, its undo lead_imports.py's; what else is done with leads: lead_ops.py, lead_views.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from fs_dialer.cli.asked import TEXT, known_group
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.lead_import import Order, import_file
from fs_dialer.cli.lead_imports import undo
from fs_dialer.cli.settings import Session, no_campaign
from fs_dialer.config.leads_judge import owner_names
from fs_dialer.config.leads_rows import COLUMNS, Twice
from fs_dialer.core.model import CampaignState
from fs_dialer.db.imports import Known

TWICE_HELP = "A second row with the number of one above: refused as a double, a lead of its own, or newer facts. Left out: as the campaign says."
KNOWN_HELP = (
    "Who is in the directory or the campaign already: stays as he is; gets what the file knows better; that, and where he is finished in the campaign, "
    "another lead at the end of the line."
)


@command(
    "import",
    examples=(
        "fs-dialer lead import spring.csv --campaign spring --dry-run",
        "fs-dialer lead import export.xlsx --campaign spring --map phone=Handy,Festnetz --map name=Kunde --region DE",
        "fs-dialer lead import customers.csv --group customers",
        "fs-dialer lead import --undo i-9c1e",
    ),
    exits={
        Exit.DONE: "the good rows are loaded, refused ones, if any, are in FILE.refused; or the same file was loaded before",
        Exit.MISUSE: "the command line is wrong, or nobody is there to confirm an undo: --yes",
        Exit.REFUSED: "the whole file was refused; nothing was loaded",
        Exit.UNREACHABLE: "the database was not reachable; nothing was loaded",
    },
)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--campaign", "--list", "campaign", type=TEXT, metavar="NAME", help="The campaign they join.")
@click.option("--group", type=TEXT, default="", metavar="GROUP", help="The group of contacts they come into; without --campaign into the directory only.")
@click.option(
    "--map", "mapping", type=TEXT, multiple=True, metavar="OURS=THEIRS", help="Which column holds what: phone, name, zone, owner, not_before. May be repeated."
)
@click.option("--region", type=TEXT, default="", metavar="XX", help="Country of numbers without a country code, as in VN or US. Left out: the installation's.")
@click.option("--sheet", type=TEXT, default="", metavar="NAME", help="The sheet of a workbook. Left out: the first that is not hidden.")
@click.option("--twice", type=click.Choice(get_args(Twice)), help=TWICE_HELP)
@click.option("--known", type=click.Choice(get_args(Known)), default="update", show_default=True, help=KNOWN_HELP)
@click.option("--again", is_flag=True, help="Load it, even if the same file was loaded into the same place before.")
@click.option("--dry-run", is_flag=True, help="Count what would happen, and write nothing.")
@click.option("--undo", "undone", type=TEXT, metavar="NAME", help="Take back what an import brought, and nothing else.")
@click.option("--yes", is_flag=True, help="Do not ask before an undo.")
@click.option("--progress", type=click.Choice(["auto", "plain", "none"]), default="auto", show_default=True, help="How to tell how far it is.")
def lead_import(
    session: Session,
    file: Path | None,
    campaign: str | None,
    group: str,
    mapping: tuple[str, ...],
    region: str,
    sheet: str,
    twice: Twice | None,
    known: Known,
    again: bool,
    dry_run: bool,
    undone: str | None,
    yes: bool,
    progress: str,
) -> None:
    """Add the rows of a CSV, TSV or XLSX file to a campaign, a group of contacts, or both.

    The first row names the columns. `phone` is needed; further numbers (`phone2`, `mobile`, `home` …), `name`, `zone` (Area/City, where the number's own
    zone is not meant), `owner` (an agent) and `not_before` are known, every other column is kept for the agents to read. `fs-dialer lead template` writes
    a file to start from.

    All good rows are loaded in one transaction. Rows that can not be dialled are written beside FILE, as FILE.refused: your own rows and a last column
    `problem`; mend them there and import that file alone. The same file into the same place again does nothing.

    --undo takes out leads that were never called, stops those that were, takes contacts out that came with the import and that nobody else uses, and gives
    the others back what they were.
    """
    if undone is not None:
        if file or campaign or group or mapping or again:
            raise click.UsageError("--undo NAME goes with --dry-run and --yes only")
        undo(session, undone, dry_run=dry_run, yes=yes, progress=progress)
        return
    if file is None:
        raise click.UsageError("name the file: fs-dialer lead import FILE --campaign NAME")
    if not campaign and not group:
        raise click.UsageError("say where they are to go: --campaign NAME, --group GROUP, or both")
    twice, zone = _home(session, campaign, twice)
    if twice == "keep-all" and not campaign:
        raise click.UsageError("--twice keep-all makes several leads of one number: it needs --campaign")
    with session.office() as office:
        owners = owner_names([(agent.id, agent.name) for agent in office.agent_list()])
        if group:
            known_group(office, group)
    with session.definitions() as store:
        installed = store.installation().region
    asked = _mapped(mapping)
    code = import_file(session, Order(file, campaign, group, asked, region or installed, sheet, twice, known, owners, zone, again, dry_run, progress))
    if code:
        raise click.exceptions.Exit(code)


def _home(session: Session, campaign: str | None, twice: Twice | None) -> tuple[Twice, str]:
    """What a second row means, and on whose clocks times are told. CommandFailed where the campaign can take no leads."""
    if campaign is None:
        return twice or "keep-first", "UTC"
    with session.definitions() as store:
        known = {str(each.campaign.id): each for each in store.campaigns()}
    if campaign not in known:
        raise no_campaign(campaign, list(known))
    found = known[campaign]
    if found.state in (CampaignState.ENDED, CampaignState.DRAINING):
        raise CommandFailed(f"{campaign} has ended: its leads are not called any more", f"begin anew: fs-dialer campaign clone {campaign} NEW")
    said: Twice = next(each for each in get_args(Twice) if each == found.campaign.leads.twice)
    return twice or said, found.campaign.window.zone


def _mapped(texts: Sequence[str]) -> dict[str, str]:
    """phone=Handy,Festnetz,name=Kunde → our columns and the user's; what comes after a comma begins anew where it is one of ours."""
    found: dict[str, list[str]] = {}
    for text in texts:
        ours = ""
        for part in text.split(","):
            left, equals, theirs = part.partition("=")
            if equals and (not ours or left.strip() in COLUMNS):
                ours, part = left.strip(), theirs
            if not ours or not part:
                raise click.UsageError(f"--map {text}: write it as in --map phone=Handy")
            found.setdefault(ours, []).append(part)
    return {ours: ",".join(theirs) for ours, theirs in found.items()}

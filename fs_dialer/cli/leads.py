"""lead import: what it takes and says. The import itself is lead_import.py's; what else is done with leads: lead_ops.py, lead_views.py, lead_forget.py."""

from __future__ import annotations

from pathlib import Path

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.lead_import import Order, import_file
from fs_dialer.cli.settings import Session, no_campaign
from fs_dialer.core.model import CampaignId


@command(
    "import",
    examples=(
        "fs-dialer lead import spring.csv --campaign spring --dry-run",
        "fs-dialer lead import export.csv --campaign spring --map phone=Handy --map name=Kunde --region DE",
    ),
    exits={
        Exit.DONE: "the good rows are loaded; refused ones, if any, are in FILE.refused.csv",
        Exit.REFUSED: "the whole file was refused; nothing was loaded",
        Exit.UNREACHABLE: "the database was not reachable; nothing was loaded",
    },
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--campaign", required=True, metavar="NAME", help="The campaign they join.")
@click.option("--map", "mapping", multiple=True, metavar="OURS=THEIRS", help="Which column holds what: phone=…, name=…, zone=…; may be said several times.")
@click.option("--region", default="", metavar="XX", help="Country of numbers without a country code, as in VN or US. Left out: the installation's.")
@click.option("--dry-run", is_flag=True, help="Count what would happen, and write nothing.")
@click.option("--progress", type=click.Choice(["auto", "plain", "none"]), default="auto", show_default=True, help="How to tell how far it is.")
def lead_import(session: Session, file: Path, campaign: str, mapping: tuple[str, ...], region: str, dry_run: bool, progress: str) -> None:
    """Add the rows of a CSV file to a campaign.

    The first row names the columns. `phone` is needed; `name` and `zone` (Area/City, where the number's own zone is not meant) are known, every other
    column is kept for the agents to read. Comma, semicolon and tab are told apart, and so are UTF-8 and UTF-16.

    All good rows are loaded in one transaction. Rows that can not be dialled are written beside FILE, as FILE.refused.csv: your own rows and a last column
    `problem`; mend them there and import that file alone. A number that is in the campaign already is left as it is.
    """
    order = Order(file, campaign, dict(map(_mapped, mapping)), region, dry_run, progress)
    with session.office() as office:
        if office.campaign_show(CampaignId(campaign)) is None:
            raise no_campaign(campaign, [each.name for each in office.campaign_list()])
    with session.definitions() as store:
        installed = store.installation().region
    code = import_file(session, order, region or installed)
    if code:
        raise click.exceptions.Exit(code)


def _mapped(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise click.UsageError(f"--map {text}: write it as in --map phone=Handy")
    return ours.strip(), theirs

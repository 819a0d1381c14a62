"""group list, show, add, remove: named groups of contacts (S21). Files declare a group; who is in it is said here, by imports and by campaigns' rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fs_dialer.cli.asked import TEXT, WHY, condition, known_group, numbered
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.output import clean, masked, plural
from fs_dialer.cli.settings import Session, who

if TYPE_CHECKING:
    from fs_dialer.db.directory import Regrouped

EXITS = UNREACHABLE | {
    Exit.FAILED: "there is no such group, or nobody has one of the numbers; those of the others are done",
    Exit.REFUSED: "a value was refused",
}
NUMBERS = click.argument("numbers", type=TEXT, nargs=-1, metavar="[NUMBER]...")
FILTER = click.option("--filter", "where", type=TEXT, metavar="FILTER", help="Whoever meets this condition, or this saved filter.")


@command("list", examples=("fs-dialer group list", "fs-dialer group list --json"), exits=UNREACHABLE)
def group_list(session: Session) -> None:
    """All groups with how many people are in them."""
    with session.office() as office:
        groups = office.group_list()
    rows = [(group.name, f"{group.members:,}", group.title or ("" if group.declared else "in no file: declare it below groups")) for group in groups]
    if rows:
        session.table(("GROUP", "MEMBERS", "TITLE"), rows, right="MEMBERS")
    else:
        session.say("There are no groups yet. Declare one in a file (`groups: {vip: {}}`), then: fs-dialer apply PATH")
    session.result({"groups": groups})


@command("show", examples=("fs-dialer group show vip", "fs-dialer group show vip --limit 1000 --json"), exits=EXITS)
@click.argument("group", type=TEXT)
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many at most.")
@click.option("--after", type=click.IntRange(0), default=0, metavar="ID", help="Go on behind this contact: the last of the page before.")
@click.option("--full", is_flag=True, help="Show telephone numbers in full.")
def group_show(session: Session, group: str, limit: int, after: int, full: bool) -> None:
    """Who is in a group."""
    with session.office() as office:
        from fs_dialer.db.directory import Sought

        page = office.contact_page(Sought(group=known_group(office, group)), limit + 1, after)
    more, page = len(page) > limit, page[:limit]
    if page:
        rows = [(str(each.id), each.number if full else masked(each.number), each.name, each.owner or "-") for each in page]
        session.table(("CONTACT", "NUMBER", "NAME", "OWNER"), rows, right="CONTACT")
    else:
        session.say("Nobody.")
    if more:
        session.note(f"There are more: --after {page[-1].id}, or a higher --limit")
    session.result({"group": group, "contacts": page, "next_after": page[-1].id if more else None})


@command("add", examples=("fs-dialer group add vip +442079460101 +442079460102", "fs-dialer group add vip --filter 'tier = gold'"), exits=EXITS)
@click.argument("group", type=TEXT)
@NUMBERS
@FILTER
@WHY
def group_add(session: Session, group: str, numbers: tuple[str, ...], where: str | None, why: str) -> None:
    """Put people of the directory into a group: by their numbers, or all who meet a condition.

    Campaigns that draw from the group with `leads.new_rows: join` take them as leads at once; others do with `fs-dialer lead add CAMPAIGN --group GROUP`.
    """
    _one_way(numbers, where)
    with session.office() as office:
        known_group(office, group)
        if where is not None:
            done = office.group_add(group, who(), why, filter=condition(office, where))
        else:
            done = office.group_add(group, who(), why, numbers=[number for number, _ in numbered(session, numbers)])
    _told(session, done, "came into", "was in it already", "were in it already")


@command("remove", examples=("fs-dialer group remove vip +442079460101", "fs-dialer group remove vip --filter 'not tier = gold'"), exits=EXITS)
@click.argument("group", type=TEXT)
@NUMBERS
@FILTER
@WHY
def group_remove(session: Session, group: str, numbers: tuple[str, ...], where: str | None, why: str) -> None:
    """Take people out of a group. They stay in the directory, and leads that they have become stay leads."""
    _one_way(numbers, where)
    with session.office() as office:
        known_group(office, group)
        if where is not None:
            done = office.group_remove(group, who(), why, filter=condition(office, where))
        else:
            done = office.group_remove(group, who(), why, numbers=[number for number, _ in numbered(session, numbers)])
    _told(session, done, "left", "was not in it", "were not in it")


def _one_way(numbers: tuple[str, ...], where: str | None) -> None:
    if bool(numbers) == (where is not None):
        raise click.UsageError("name numbers, or say --filter")


def _told(session: Session, done: Regrouped, verb: str, one: str, many: str) -> None:
    same = f", {done.same:,} {one if done.same == 1 else many}" if done.same else ""
    session.say(f"{plural(done.changed, 'contact', 'contacts')} {verb} {clean(done.group)}{same}")
    session.say(*(f"  {clean(campaign)}: {plural(count, 'lead')} joined" for campaign, count in done.campaigns.items()))
    for number in done.unknown:
        session.note(f"fs-dialer: nobody in the directory has {number}: fs-dialer contact add {number}")
    session.result(done)
    if done.unknown:
        raise click.exceptions.Exit(Exit.FAILED)

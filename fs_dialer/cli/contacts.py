"""contact search, show, add, set, owner: the directory of people (S17, S34, M2, M14).

Knows which words of `contact set` are fields of their own; everything else is an attribute, kept as it is. Lists mask numbers, for screens are shared.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from fs_dialer.cli.asked import TEXT, WHY, Region, condition, e164, known_group, numbered, pairs
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import ago, clean, masked, moment
from fs_dialer.cli.settings import Session, who
from fs_dialer.config.leads_rows import MAX_COLUMNS
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.config.values import BadValue, zone
from fs_dialer.errors import ConfigError, Problem

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.directory import Card, Contact, Number

LONGEST_KEY, LONGEST_VALUE = 200, 8000
NO_SUCH = UNREACHABLE | {Exit.FAILED: "nobody in the directory has this number", Exit.REFUSED: "a value was refused; nothing was changed"}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NUMBER_WORDS = ("number", "phone", "telephone")
_FIELDS = {"set": "key=value, as in tier=gold; name and zone are known, an empty value takes a key away"}


# --- looking ----------------------------------------------------------------------------------------------------------------------------


@command(
    "search",
    examples=("fs-dialer contact search tran", "fs-dialer contact search --filter 'tier in (gold, silver) and city = Hanoi' --json"),
    exits=UNREACHABLE | {Exit.REFUSED: "the filter makes no sense, or the number is none"},
)
@click.argument("text", type=TEXT, required=False)
@click.option("--number", type=TEXT, metavar="NUMBER", help="Who has this number, first or further.")
@click.option("--filter", "where", type=TEXT, metavar="FILTER", help="Who meets this condition, or this saved filter.")
@click.option("--group", type=TEXT, metavar="GROUP", help="Who is in this group.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many at most.")
@click.option("--after", type=click.IntRange(0), default=0, metavar="ID", help="Go on behind this contact: the last of the page before.")
@click.option("--full", is_flag=True, help="Show telephone numbers in full.")
def contact_search(session: Session, text: str | None, number: str | None, where: str | None, group: str | None, limit: int, after: int, full: bool) -> None:
    """People of the directory. TEXT is looked for in names, numbers and attributes; what is said together must hold together.

    The language of filters: docs/leads.md. `contact show NUMBER` shows one person in full.
    """
    with session.office() as office:
        from fs_dialer.db.directory import Sought

        wanted = Sought(
            _text(text),
            e164(session, number) if number else None,
            known_group(office, group) if group else None,
            condition(office, where) if where else None,
        )
        page = office.contact_page(wanted, limit + 1, after)
    more, page = len(page) > limit, page[:limit]
    rows = [
        (str(each.id), each.number if full else masked(each.number), each.name, each.owner or "-", ", ".join(each.groups) or "-", _few(each.attributes))
        for each in page
    ]
    if rows:
        session.table(("CONTACT", "NUMBER", "NAME", "OWNER", "GROUPS", "KNOWN"), rows, right="CONTACT")
    else:
        session.say("Nobody.")
    if more:
        session.note(f"There are more: --after {page[-1].id}, or a higher --limit")
    session.result({"contacts": page, "next_after": page[-1].id if more else None})


def _few(attributes: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in list(attributes.items())[:4]) + (", …" if len(attributes) > 4 else "")


@command("show", examples=("fs-dialer contact show +442079460101", "fs-dialer contact show 02079460101 --json"), exits=NO_SUCH)
@click.argument("number", type=TEXT)
def contact_show(session: Session, number: str) -> None:
    """One person in full: numbers, groups, owner, all that is known, and the campaigns he is in.

    Found by any of his numbers. What happened with him: fs-dialer lead timeline NUMBER.
    """
    with session.office() as office:
        cards = _cards(session, office, number)
    for place, card in enumerate(cards):
        if place:
            session.say("")
        _show(session, card)
    session.result({"contacts": cards})


def _show(session: Session, card: Card) -> None:
    contact = card.contact
    session.say(f"contact {contact.id}: {contact.number}  {clean(contact.name)}".rstrip())
    lines = [("zones", ", ".join(contact.zones) or "unknown: each campaign's own counts")]
    lines += [(f"number {place}", _number(each)) for place, each in enumerate(contact.numbers, start=2)]
    lines += [("owner", contact.owner or "nobody"), ("groups", ", ".join(map(clean, contact.groups)) or "none")]
    lines += [("since", moment(contact.created_at, "UTC") + (f", import {contact.imported}" if contact.imported else ""))]
    lines += [(clean(name), clean(str(value))) for name, value in contact.attributes.items()]
    width = max(len(name) for name, _ in lines)
    session.say(*(f"  {name:<{width}}  {text}" for name, text in lines))
    if card.leads:
        session.say("")
        now = time.time()
        rows = [
            (each.campaign, str(each.lead), each.status.replace("_", " "), str(each.attempts), each.number, _next(each.ready_at, each.status, now))
            for each in card.leads
        ]
        session.table(("CAMPAIGN", "LEAD", "STATUS", "ATTEMPTS", "NUMBER", "NEXT"), rows, right="LEAD ATTEMPTS")


def _number(each: Number) -> str:
    kind = f" ({clean(each.kind)})" if each.kind else ""
    return f"{each.number}{kind}" + (f"  {', '.join(each.zones)}" if each.zones else "")


def _next(ready_at: float, status: str, now: float) -> str:
    if status not in ("new", "retry", "callback_scheduled"):
        return "-"
    return f"in {ago(ready_at - now)}" if ready_at > now else "ready"


# --- changing ---------------------------------------------------------------------------------------------------------------------------


@command(
    "add",
    examples=("fs-dialer contact add +442079460101 --name 'Ada Example' --group vip", "fs-dialer contact add 02079460101 tier=gold --also +447700900123"),
    exits=UNREACHABLE | {Exit.FAILED: "somebody has the number already, or there is no such group or agent", Exit.REFUSED: "a value was refused"},
)
@click.argument("number", type=TEXT)
@click.argument("known", type=TEXT, nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--name", type=TEXT, default="", metavar="TEXT", help="What the person is called.")
@click.option("--zone", "place", type=TEXT, metavar="AREA/CITY", help="Where he lives, where the number's own zone is not meant.")
@click.option("--owner", type=TEXT, default="", metavar="AGENT", help="The agent who manages the account.")
@click.option("--also", type=TEXT, multiple=True, metavar="NUMBER[:KIND]", help="A further number, in the order of trying; may be said several times.")
@click.option("--group", "groups", type=TEXT, multiple=True, metavar="GROUP", help="A group he comes into; may be said several times.")
@WHY
def contact_add(
    session: Session,
    number: str,
    known: tuple[str, ...],
    name: str,
    place: str | None,
    owner: str,
    also: tuple[str, ...],
    groups: tuple[str, ...],
    why: str,
) -> None:
    """A new person in the directory, with whatever is known of him as KEY=VALUE.

    He becomes a lead by `fs-dialer lead add`, or by himself where a campaign takes whoever comes into its group (leads.new_rows: join).
    """
    ((first, zones),) = numbered(session, [number])
    attributes = _attributes(known)
    if "name" in attributes or "zone" in attributes:
        raise click.UsageError("say --name and --zone for these")
    with session.office() as office:
        from fs_dialer.db.directory import ContactChange

        change = ContactChange(name, _zones(place) if place else zones, owner, attributes, tuple(_further(session, also)))
        made = office.contact_add(first, change, [known_group(office, group) for group in groups], who(), why)
    session.say(f"contact {made.id}: {made.number} is in the directory")
    session.result({"contact": made})


@command(
    "set",
    examples=("fs-dialer contact set +442079460101 tier=gold city=", "fs-dialer contact set +442079460101 name='Ada Example' zone=Europe/Paris"),
    exits=NO_SUCH,
)
@click.argument("number", type=TEXT)
@click.argument("known", type=TEXT, nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--also", type=TEXT, multiple=True, metavar="NUMBER[:KIND]", help="A further number, behind the others; may be said several times.")
@click.option("--without", type=TEXT, multiple=True, metavar="NUMBER", help="A further number that is not his any more; may be said several times.")
@WHY
def contact_set(session: Session, number: str, known: tuple[str, ...], also: tuple[str, ...], without: tuple[str, ...], why: str) -> None:
    """Change what is known of a person. KEY= takes a key away; `name` and `zone` are fields of their own, every other key is kept as it is.

    A new zone counts for his open leads at once. Leads keep the numbers that they joined with.
    """
    attributes = _attributes(known)
    name, place = attributes.pop("name", None), attributes.pop("zone", None)
    if not (known or also or without):
        raise click.UsageError("say what to set: KEY=VALUE, --also or --without")
    with session.office() as office:
        from fs_dialer.db.directory import ContactChange

        contact = _one(session, office, number)
        zones = None if place is None else _zones(place) if place else _own_zones(contact.number)
        change = ContactChange(name, zones, None, attributes, tuple(_further(session, also)), tuple(each for each, _ in numbered(session, without)))
        changed = office.contact_set(contact.id, change, who(), why)
    _told(session, changed)


@command(
    "owner",
    examples=("fs-dialer contact owner +442079460101 lan", "fs-dialer contact owner +442079460101 --nobody"),
    exits=NO_SUCH | {Exit.FAILED: "nobody has this number, or there is no such agent"},
)
@click.argument("number", type=TEXT)
@click.argument("agent", type=TEXT, required=False)
@click.option("--nobody", is_flag=True, help="Take the owner away.")
@WHY
def contact_owner(session: Session, number: str, agent: str | None, nobody: bool, why: str) -> None:
    """Which agent manages a person's account. Manual campaigns set it by themselves where they say `own_customer: yes`."""
    if nobody == bool(agent):
        raise click.UsageError("name an agent, or say --nobody")
    with session.office() as office:
        from fs_dialer.db.directory import ContactChange

        changed = office.contact_set(_one(session, office, number).id, ContactChange(owner=agent or ""), who(), why)
    _told(session, changed)


def _told(session: Session, changed: Contact | None) -> None:
    if changed is None:
        raise CommandFailed("the contact has just been taken away")
    owner = f", managed by {changed.owner}" if changed.owner else ""
    session.say(f"contact {changed.id}: {changed.number}  {clean(changed.name)}{owner}")
    session.result({"contact": changed})


# --- reading what was said --------------------------------------------------------------------------------------------------------------


def _cards(session: Session, office: Backoffice, text: str) -> list[Card]:
    number = e164(session, text)
    cards = office.contact_show(number)
    if not cards:
        raise CommandFailed(f"nobody in the directory has {number}", "who there is: fs-dialer contact search", "add him: fs-dialer contact add")
    return cards


def _one(session: Session, office: Backoffice, text: str) -> Contact:
    """The person meant: the one whose first number it is, before those who have it among others."""
    cards = _cards(session, office, text)
    number = e164(session, text)
    first = [card.contact for card in cards if card.contact.number == number]
    if not first and len(cards) > 1:
        names = ", ".join(card.contact.number for card in cards)
        raise CommandFailed(f"{number} is a number of {len(cards)} people", f"name the one you mean by his first number: {names}")
    return (first or [cards[0].contact])[0]


def _text(text: str | None) -> str | None:
    if text is not None and _CONTROL.search(text):
        raise click.UsageError("TEXT holds a control character")
    return text or None


def _attributes(words: tuple[str, ...]) -> dict[str, str]:
    """ConfigError for what a contact cannot hold."""
    found = pairs(words, _FIELDS["set"])
    problems = []
    for key, value in found.items():
        if key.casefold() in _NUMBER_WORDS:
            problems.append(Problem(clean(key), 0, 0, "", "a person's first number is what he is known by: add another with --also NUMBER"))
        elif key.casefold() == "owner":
            problems.append(Problem(clean(key), 0, 0, "", "say: fs-dialer contact owner NUMBER AGENT"))
        elif len(key) > LONGEST_KEY or _CONTROL.search(key) or "\n" in key:
            problems.append(Problem(clean(key)[:60], 0, 0, "", f"a key is one line of at most {LONGEST_KEY} characters"))
        elif len(value) > LONGEST_VALUE or _CONTROL.search(value):
            problems.append(Problem(clean(key), 0, 0, "", f"a value has at most {LONGEST_VALUE:,} characters, and no control characters"))
    if len(found) > MAX_COLUMNS:
        problems.append(Problem("", 0, 0, "", f"{len(found)} keys; at most {MAX_COLUMNS}"))
    if problems:
        raise ConfigError(problems)
    return found


def _zones(text: str) -> tuple[str, ...]:
    try:
        return (zone(text),)
    except BadValue as error:
        raise ConfigError([Problem("zone", 0, 0, "", clean(str(error)))]) from None


def _own_zones(number: str) -> tuple[str, ...]:
    """The zones that the number itself may be in."""
    try:
        return parse_number(number)[1]
    except BadNumber:
        return ()


def _further(session: Session, texts: tuple[str, ...]) -> list[Number]:
    from fs_dialer.db.directory import Number

    region, found, problems = Region(session), [], []
    for text in texts:
        written, _, kind = text.partition(":")
        try:
            number, zones = parse_number(written, region.of(written))
            if len(kind) > LONGEST_KEY or _CONTROL.search(kind):
                raise BadNumber("its kind is no word")
            found.append(Number(number, kind.strip(), zones))
        except BadNumber as error:
            problems.append(Problem(clean(text)[:60], 0, 0, "--also", str(error)))
    if problems:
        raise ConfigError(problems)
    return found

"""What commands about people and leads are given in words: telephone numbers, filters, groups, times, spans of time. Read, or refused with what would do.

Knows the installation's country and the names that the database has; asks nothing else of it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import clean
from fs_dialer.cli.settings import Session, nearest_name
from fs_dialer.config.filters import BadFilter, parse
from fs_dialer.config.moments import parse_moment
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.config.values import BadValue, duration, short
from fs_dialer.core.filters import Expr, names_in
from fs_dialer.errors import ConfigError, Problem

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice

Numbered = tuple[str, tuple[str, ...]]  # E.164, and the zones it may be in
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class _Storable(click.types.StringParamType):
    """Text that the database can hold: a shell may hand over bytes that are no UTF-8, and a program a NUL."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = str(value)
        if odd := _UNSTORABLE.search(text):
            self.fail(f"character {odd.start() + 1} is no text; is your terminal set to UTF-8?", param, ctx)
        return text


TEXT = _Storable()
WHY = click.option("--why", type=TEXT, default="", metavar="TEXT", help="Your reason, for the audit.")


class Region:
    """The country of numbers without a country code; looked up when the first such number comes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: str | None = None

    def of(self, text: str) -> str:
        if text.strip().startswith("+"):
            return ""
        if self._known is None:
            with self._session.definitions() as store:
                self._known = store.installation().region
        return self._known


def numbered(session: Session, texts: Iterable[str]) -> list[Numbered]:
    """Numbers as people write them, in E.164 with their zones, each once. ConfigError with every one that is none."""
    region = Region(session)
    found: dict[str, tuple[str, ...]] = {}
    problems = []
    for text in texts:
        try:
            number, zones = parse_number(text, region.of(text))
            found.setdefault(number, zones)
        except BadNumber as error:
            problems.append(Problem(short(clean(text)), 0, 0, "", str(error)))
    if problems:
        raise ConfigError(problems)
    return list(found.items())


def e164(session: Session, text: str) -> str:
    """One number in E.164."""
    return numbered(session, [text])[0][0]


def condition(office: Backoffice, text: str) -> Expr:
    """A filter: the name of a saved one, or the condition itself. ConfigError says what is wrong with it."""
    where = office.saved_filter(text) if text.isascii() and all(each.isalnum() or each in "_.-" for each in text) else None
    try:
        found = parse(text if where is None else where)
    except BadFilter as error:
        shown = short(clean(text))
        saved = "" if where is None else f"the saved filter {shown}: "
        raise ConfigError([Problem(shown, 0, 0, "", f"{saved}{error}")]) from None
    if names := names_in(found).attributes:
        known = office.attribute_names()
        if known and (unknown := sorted(names - set(known))):
            click.echo(f"note: no contact has an attribute {clean(unknown[0])}{nearest_name(unknown[0], known)}", err=True)
    return found


def known_group(office: Backoffice, name: str) -> str:
    """A group that files declare, or that has members. CommandFailed with the nearest otherwise."""
    known = [group.name for group in office.group_list()]
    if name not in known:
        advice = f"declare it in a file, `groups: {{{clean(name)}: {{}}}}`, and apply that; which there are: fs-dialer group list"
        raise CommandFailed(f"there is no group {clean(name)}{nearest_name(name, known)}", advice)
    return name


def at(text: str, zone: str, now: float, option: str) -> float:
    """Epoch seconds of a moment as people say it, on the clocks of `zone`."""
    try:
        return parse_moment(text, zone, now)
    except BadValue as error:
        raise click.BadParameter(clean(str(error)), param_hint=option) from None


def span(option: str, *, least_s: float = 1.0, most_s: float = 3650 * 86400.0) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    """A click callback: seconds of 30d, 4h, 15m."""

    def read(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
        if text is None:
            return None
        try:
            seconds = duration(text)
        except BadValue as error:
            raise click.BadParameter(clean(str(error)), param_hint=option) from None
        if not least_s <= seconds <= most_s:
            raise click.BadParameter(f"{clean(text)} is out of reach: at most {most_s / 86400:.0f}d", param_hint=option)
        return seconds

    return read


def file_name(path: Path) -> str:
    """A path as text that can be printed and stored: names of files need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def pairs(texts: Iterable[str], what: str) -> dict[str, str]:
    """key=value words, in their order; the last of a key counts."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"{clean(short(text))}: write {what}")
        found[key.strip()] = value
    return found


def confirmed(session: Session, yes: bool, question: str, word: str, done_by: str = "--yes") -> None:
    """Somebody types the word, or said so before. CommandFailed otherwise, with exit code 2 where nobody is there to type."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandFailed(f"{question}: say {done_by} to do it", code=Exit.MISUSE)
    session.note(f"{question}.")
    if click.prompt(f"Type {word} to go on", err=True, default="", show_default=False) != word:
        raise CommandFailed("that is something else: nothing was changed")

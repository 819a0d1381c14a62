"""attempt dispose: the result of a call, said by hand (M12, M24, D14). What a result means for the lead is the campaign's and db/dispositions.py's."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli.asked import TEXT, at
from fs_dialer.cli.attempts import no_attempt
from fs_dialer.cli.campaigns import UNREACHABLE, found
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.output import clean, moment
from fs_dialer.cli.settings import Session, who
from fs_dialer.config.values import short
from fs_dialer.errors import ConfigError, Problem

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.dispositions import Disposed


@command(
    "dispose",
    examples=(
        "fs-dialer attempt dispose 6f1d0a52-7a0e-4d5e-9d0e-3f6c1d2b4a59 sold --answer renew=yes --answer plan=gold",
        "fs-dialer attempt dispose 6f1d0a52-7a0e-4d5e-9d0e-3f6c1d2b4a59 later --callback-at 'tomorrow 9:00' --agent lan",
    ),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such call", Exit.REFUSED: "the result, an answer or the time was refused; nothing was changed"},
)
@click.argument("attempt", type=click.UUID, metavar="ID")
@click.argument("code", type=TEXT)
@click.option("--callback-at", "when", type=TEXT, metavar="TIME", help="Call again then: 'tomorrow 9:00', '+2h', on the clock where the lead lives.")
@click.option("--agent", type=TEXT, metavar="AGENT", help="This agent calls then. Left out: anyone.")
@click.option("--answer", "answers", type=TEXT, multiple=True, metavar="KEY=VALUE", help="An answer to the script's question KEY; several for several choices.")
@click.option("--why", type=TEXT, default="", metavar="TEXT", help="Your reason, for the audit.")
def attempt_dispose(session: Session, attempt: object, code: str, when: str | None, agent: str | None, answers: tuple[str, ...], why: str) -> None:
    """Give a call that is over its result: CODE is one of its campaign's dispositions.

    The lead becomes what the result says if this was its newest call; an older call's result is only written down. Another CODE within 15 minutes takes
    the first back and all that it did (marks, group, number), unless somebody changed the lead since; later, only the record is corrected, and
    `fs-dialer lead mark` changes the lead. A do-not-call entry stands above every result.
    """
    now = time.time()
    with session.office() as office:
        from fs_dialer.db.dispositions import Result

        call = office.attempt_evidence(str(attempt))
        if call is None:
            raise no_attempt(str(attempt))
        callback_at = at(when, _zone(office, call.lead, call.campaign), now, "--callback-at") if when is not None else None
        done = office.attempt_dispose(str(attempt), Result(code, callback_at, agent, _answers(answers)), who(), why, now)
        if done is None:
            raise no_attempt(str(attempt))
        zone = _zone(office, call.lead, call.campaign)
    if done.refused:
        raise ConfigError([Problem("", 0, 0, "", clean(text)) for text in done.refused])
    _told(session, done, zone)
    session.result({name: getattr(done, name) for name in _SHOWN})


_SHOWN = ("attempt", "campaign", "lead", "number", "disposition", "replaced", "lead_before", "lead_status", "ready_at", "decision", "lead_kept", "answers")


def _zone(office: Backoffice, lead: int | None, campaign: str) -> str:
    """Where the lead lives, else the campaign's."""
    story = office.lead_story(lead) if lead is not None else None
    return story.lead.zones[0] if story is not None and story.lead.zones else found(office, campaign).zone


def _answers(texts: Sequence[str]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"--answer {clean(short(text))}: write key=value, as in --answer renew=yes")
        found.setdefault(key.strip(), []).append(value)
    return found


def _told(session: Session, done: Disposed, zone: str) -> None:
    before = f", in place of {done.replaced}" if done.replaced and done.replaced != done.disposition else ""
    session.say(f"call {done.attempt}: {done.disposition}{before}")
    if done.lead_kept:
        session.say(f"  the lead stays {_word(done.lead_status)}: {clean(done.lead_kept)}" if done.lead_status else f"  {done.lead_kept}")
        return
    next_call: Any = ""
    if done.lead_status in ("retry", "callback_scheduled", "refused") and done.ready_at is not None:
        next_call = (", left alone until " if done.lead_status == "refused" else ", not called before ") + moment(done.ready_at, zone)
    session.say(f"  lead {done.lead}: {_word(done.lead_before)} → {_word(done.lead_status)}{next_call} ({clean(done.decision)})")


def _word(status: str) -> str:
    return status.replace("_", " ")

"""lead forget: a person is erased, here, in the daemon's journals and among recordings; what counts stays (GDPR).

The journals and recordings are those of this machine, in the folders that fs-dialer.yml names. Backups and the telephone system's own records are outside.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fs_dialer.cli.asked import TEXT, WHY, confirmed, e164, file_name
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import clean, plural
from fs_dialer.cli.settings import Session, who

if TYPE_CHECKING:
    from fs_dialer.db.forgetting import Forgotten, Traces
    from fs_dialer.runtime.erasing import Erased


@command(
    "forget",
    examples=("fs-dialer lead forget +442079460101", "fs-dialer lead forget +442079460101 --yes --why 'request of 12 May' --json"),
    exits=UNREACHABLE
    | {
        Exit.FAILED: "a call to him is up, or a journal could not be written to; nothing was changed in the database",
        Exit.MISUSE: "the command line is wrong, or nobody is there to confirm: use --yes",
        Exit.REFUSED: "the number is none",
    },
)
@click.argument("number", type=TEXT)
@click.option(
    "--keep-do-not-call/--drop-do-not-call",
    default=True,
    show_default=True,
    help="Whether the number stays on do-not-call lists, without a reason: else it may be imported and called again.",
)
@click.option("--dry-run", is_flag=True, help="Count what would be erased, and erase nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@WHY
def lead_forget(session: Session, number: str, keep_do_not_call: bool, dry_run: bool, yes: bool, why: str) -> None:
    """Erase a person: contact, numbers, groups, attributes, leads; number and answers of calls, tickets' numbers and notes, what the audit says of him.

    Calls, tickets and audit lines stay without him, so every total stays as it was. His number is written over in the journals of this machine, and his
    recordings are deleted; run it where the daemon runs, as its user. Not reached: backups (do it again after a restore), the switch's and the carrier's
    own records, files you imported. Refused while a call to him is up. Cannot be undone: the number has to be typed once more.
    """
    wanted = e164(session, number)
    settings = session.settings()
    journals, recordings = settings.journal_dir(), settings.recordings()
    outside: list[Erased] = []

    def erase(traces: Traces) -> None:
        from fs_dialer.runtime.erasing import erase as erase_files

        try:
            outside.append(erase_files(journals, recordings, traces.numbers, traces.attempts))
        except OSError as error:
            advice = "run this as the daemon's user; doing it again is safe"
            raise CommandFailed(f"{error.filename}: {error.strerror}; nothing was changed in the database", advice) from None

    with session.office() as office:
        before = office.forget(wanted, who(), why, keep_do_not_call=keep_do_not_call, dry_run=True)
        if not dry_run:
            confirmed(session, yes, f"{wanted}: {_amount(before)} will be erased, for ever", wanted)
            before = office.forget(wanted, who(), why, keep_do_not_call=keep_do_not_call, erase=erase)
    folder = None if journals is None else file_name(journals)
    _told(session, wanted, before, outside[0] if outside else None, journals, keep_do_not_call, dry_run)
    files = outside[0] if outside else None
    session.result(
        {
            "number": wanted,
            "dry_run": dry_run,
            "known": before.known,
            "contacts": before.contacts,
            "numbers": before.numbers,
            "leads": before.leads,
            "attempts": before.attempts,
            "tickets": before.tickets,
            "audit": before.audit,
            "messages": before.messages,
            "do_not_call": {"entries": before.do_not_call, "marks": before.no_callback, "kept": keep_do_not_call},
            "journals": None if files is None else {"files": files.journals, "places": files.places, "folder": folder},
            "recordings": None if files is None else files.recordings,
        }
    )


def _amount(done: Forgotten) -> str:
    leads = sum(sum(each.values()) for each in done.leads.values())
    return f"{plural(done.contacts, 'contact')}, {plural(leads, 'lead')}, the person in {plural(done.attempts, 'call')} and {plural(done.tickets, 'ticket')}"


def _told(session: Session, number: str, done: Forgotten, files: Erased | None, journals: Path | None, kept: bool, dry_run: bool) -> None:
    if not done.known:
        session.say(f"nothing is known of {number} in the database")
    else:
        session.say(f"{'would be erased' if dry_run else 'erased'}: {_amount(done)}; {plural(done.audit, 'audit line')} and {plural(done.messages, 'message')}")
    if done.do_not_call or done.no_callback:
        both = f"{plural(done.do_not_call, 'do-not-call entry', 'do-not-call entries')} and {plural(done.no_callback, 'mark')} not to call back"
        fate = "kept without their reasons, so that he is not called again" if kept else "gone: he may be imported and called again"
        session.say(f"{both}: {fate}")
    if files is not None:
        folder = f" in {clean(file_name(journals))}" if journals is not None else ""
        looked = f"{plural(files.journals, 'journal')}{folder} looked through, {plural(files.places, 'place')} written over"
        session.say(f"{looked}, {plural(files.recordings, 'recording')} deleted")
        session.say("journals below another state_dir, or on another host, remain as they are: run it there too")
    if dry_run:
        session.say("Nothing was erased.")

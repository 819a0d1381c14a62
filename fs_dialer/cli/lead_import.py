"""One CSV file into one campaign: read, judge, load, report.

Knows the order of the work and what is left behind: the good rows in one transaction, the refused ones in a file beside the user's. The refused rows are
on disk, under another name, before the good ones are committed: so neither can be lost by a full disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Progress, clean, plural
from fs_dialer.cli.rehearsal import Rehearsal
from fs_dialer.cli.settings import Session, who
from fs_dialer.config.leads_csv import BadRow, CellProblem, GoodRow, LeadFile
from fs_dialer.config.leads_report import LeadReport, write_refused
from fs_dialer.config.values import short
from fs_dialer.core.model import CampaignId
from fs_dialer.db.imports import import_leads
from fs_dialer.db.pool import Pool
from fs_dialer.db.reports import REPORT_TIMEOUT_S
from fs_dialer.db.shapes import Imported, LeadRow
from fs_dialer.errors import ConfigError, Problem

PROGRESS_EVERY = 10_000
PROBLEMS_IN_JSON = 100


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked. `mapping`: our column → theirs."""

    file: Path
    campaign: str
    mapping: dict[str, str]
    region: str
    dry_run: bool
    progress: str

    @property
    def refused_file(self) -> Path:
        """spring.csv → spring.refused.csv, beside it."""
        return self.file.with_name(f"{self.file.stem}.refused.csv")


class _NothingGood(Exception):
    """Ends the transaction of a file without one good row."""


def import_file(session: Session, order: Order, region: str) -> Exit:
    """Do it. `region`: the country of national numbers, "" = none. ConfigError for a file that is no list of leads, StoreError where it can not be stored."""
    try:
        stream = order.file.open("rb")
    except OSError as error:
        raise ConfigError([Problem(str(order.file), 0, 0, "", f"can not be read: {error.strerror}")]) from None
    with stream:
        leads = LeadFile(stream, str(order.file), region=region, mapping=order.mapping)
        session.note(*(f"note: {clean(note)}" for note in leads.notes))
        rows = _Rows(order, leads, stream)
        try:
            done = _stored(session, order, rows)
        except BaseException as error:
            rows.forget_refused()
            if isinstance(error, KeyboardInterrupt):  # it may have come a moment after the commit
                raise CommandFailed("stopped before the end", "an import is all or nothing; which of them, --dry-run tells") from None
            raise
        finally:
            rows.progress.clear()
    rows.keep_refused()
    if done is not None:
        rows.report.already, rows.report.do_not_call = done.known, done.do_not_call
    return _told(session, order, rows.report, loaded=done is not None)


class _Rows:
    """The file's rows on their way to the store: the good ones are handed on, the others kept for the file of refused rows."""

    def __init__(self, order: Order, leads: LeadFile, stream: BinaryIO) -> None:
        self.report = LeadReport()
        self.progress = Progress(order.progress)
        self._order, self._leads, self._stream = order, leads, stream
        self._size = max(order.file.stat().st_size, 1)
        self._waiting = order.refused_file.with_name(order.refused_file.name + ".new")

    def good(self) -> Iterator[LeadRow]:
        """Writes the refused rows once all have been read, and while nothing is committed yet. _NothingGood when there was no good one."""
        report = self.report
        for row in self._leads.rows():
            report.count(row)
            if report.rows % PROGRESS_EVERY == 0:
                share = min(99, 100 * self._stream.tell() // self._size)
                self.progress.show(f"{report.rows:,} rows read, {len(report.refused):,} refused ({share}%)")
            if isinstance(row, GoodRow):
                yield LeadRow(row.number, row.zones, row.name, row.attributes)
        if report.refused and not self._order.dry_run:
            write_refused(self._waiting, self._leads.header, report.refused, self._leads.dialect)
        if not report.good:
            raise _NothingGood
        if report.rows >= PROGRESS_EVERY:
            self.progress.show(f"{report.rows:,} rows read, {len(report.refused):,} refused; storing {report.good:,}")

    def keep_refused(self) -> None:
        """The import is done: give the refused rows their name."""
        if self._waiting.exists():
            self._waiting.replace(self._order.refused_file)

    def forget_refused(self) -> None:
        self._waiting.unlink(missing_ok=True)


def _stored(session: Session, order: Order, rows: _Rows) -> Imported | None:
    """What the store did, or in a rehearsal would have done; None where there was no good row."""
    kind = Rehearsal if order.dry_run else Pool
    with closing(kind(session.settings().dsn(), size=1, application="fs-dialer import", statement_timeout_s=REPORT_TIMEOUT_S)) as pool:
        try:
            return import_leads(pool, CampaignId(order.campaign), rows.good(), who())
        except _NothingGood:
            return None


def _told(session: Session, order: Order, report: LeadReport, *, loaded: bool) -> Exit:
    refused_file = str(order.refused_file) if report.refused and not order.dry_run else None
    if report.rows:
        session.say(*map(clean, report.lines(refused_file)))
    else:
        session.note(f"fs-dialer: {order.file} has a header and no rows below it: nothing was loaded")
    if report.rows and not loaded:
        session.note("fs-dialer: no row can be dialled: nothing was loaded")
    elif loaded and order.dry_run:
        session.say("Nothing was written. Without --dry-run the new leads are stored, in one transaction.")
    elif report.refused:
        session.note(f"warning: {plural(len(report.refused), 'row was', 'rows were')} refused; the others are loaded")
    session.result(
        {
            "campaign": order.campaign,
            "file": str(order.file),
            "dry_run": order.dry_run,
            "loaded": loaded and not order.dry_run,
            **report.to_json(),
            "refused_file": refused_file,
            "problems": [_problem(row, cell) for row in report.refused[:PROBLEMS_IN_JSON] for cell in row.problems],
        }
    )
    return Exit.DONE if loaded else Exit.REFUSED


def _problem(row: BadRow, cell: CellProblem) -> dict[str, Any]:
    return {"line": row.line, "column": cell.column, "value": short(cell.value, 200), "text": cell.text, "advice": cell.advice}

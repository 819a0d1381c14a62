"""One file of leads into a campaign, a group or the directory: read, judge, load, report.

Knows the order of the work and what is left behind: the good rows in one transaction, the refused ones in a file beside the user's. The refused rows are
on disk, under another name, before the good ones are committed: so neither can be lost by a full disk.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fs_dialer.cli.asked import file_name
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Progress, ago, clean, moment, plural
from fs_dialer.cli.rehearsal import Rehearsal
from fs_dialer.cli.settings import Session, who
from fs_dialer.config.lead_file import LeadFile, import_file_hash, open_leads
from fs_dialer.config.leads_refused import refused_path, write_refused
from fs_dialer.config.leads_report import LeadReport
from fs_dialer.config.leads_rows import BadRow, CellProblem, GoodRow, Twice
from fs_dialer.config.values import short
from fs_dialer.core.model import CampaignId
from fs_dialer.db.imports import ImportDone, ImportedBefore, ImportOrder, Known, run_import
from fs_dialer.db.pool import Pool
from fs_dialer.db.reports import REPORT_TIMEOUT_S

PROGRESS_EVERY = 10_000
PROBLEMS_IN_JSON = 100
BAR_WIDTH = 20


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked. `campaign` None: into the directory only. `mapping`: our column → theirs. `zone`: on whose clocks times are told.

    `owners`: agents by what they are called. `again`: even if the same file came before.
    """

    file: Path
    campaign: str | None
    group: str
    mapping: Mapping[str, str]
    region: str
    sheet: str
    twice: Twice
    known: Known
    owners: Mapping[str, str]
    zone: str
    again: bool
    dry_run: bool
    progress: str

    def hash(self) -> str:
        """Of the file and all that decides what becomes of it; "" for a pipe, which can not be read twice, and where the same may come again."""
        if self.again or not self.file.is_file():
            return ""
        asked = [import_file_hash(self.file), sorted(self.mapping.items()), self.region.upper(), self.sheet, self.twice, self.known]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


class _NothingGood(Exception):
    """Ends the transaction of a file without one good row."""


def import_file(session: Session, order: Order) -> Exit:
    """Do it. ConfigError for a file that is no list of leads, StoreError where it can not be stored."""
    hash = order.hash()
    how = {"region": order.region, "mapping": order.mapping, "sheet": order.sheet, "twice": order.twice, "owners": order.owners}
    with open_leads(order.file, clean(file_name(order.file)), **how) as leads:  # type: ignore[arg-type]
        session.note(*(f"note: {clean(note)}" for note in leads.notes))
        rows = _Rows(order, leads)
        try:
            done = _stored(session, order, rows, hash)
        except ImportedBefore as before:
            return _told_before(session, order, before)
        except BaseException as error:
            rows.forget_refused()
            if isinstance(error, KeyboardInterrupt):  # it may have come a moment after the commit
                raise CommandFailed("stopped before the end", "an import is all or nothing; which of them: fs-dialer lead imports") from None
            raise
        finally:
            rows.progress.clear()
    rows.keep_refused()
    report = rows.report
    if done is not None:
        report.already, report.do_not_call, report.no_callback = done.known, done.do_not_call, done.no_callback
    return _told(session, order, rows, done)


class _Rows:
    """The file's rows on their way to the store: the good ones are handed on, the others kept for the file of refused rows."""

    def __init__(self, order: Order, leads: LeadFile) -> None:
        self.report = LeadReport(where="list" if order.campaign else "directory")
        self.progress = Progress(order.progress)
        self.refused_file = refused_path(order.file, leads.dialect)
        self._order, self._leads = order, leads
        self._waiting = self.refused_file.with_name(self.refused_file.name + ".new")
        self._bar = order.progress == "auto" and sys.stderr.isatty()

    def good(self) -> Iterator[GoodRow]:
        """Writes the refused rows once all have been read, and while nothing is committed yet. _NothingGood when there was no good one."""
        report, began = self.report, time.monotonic()
        for row in self._leads.rows():
            report.count(row)
            if report.rows % PROGRESS_EVERY == 0:
                self._show(time.monotonic() - began)
            if isinstance(row, GoodRow):
                yield row
        if report.refused and not self._order.dry_run:
            write_refused(self._waiting, self._leads.header, report.refused, self._leads.dialect)
        if not report.good:
            raise _NothingGood

    def storing(self) -> None:
        if self.report.rows >= PROGRESS_EVERY:
            self.progress.show(f"{self.report.rows:,} rows read, {len(self.report.refused):,} refused; finishing")

    def also(self) -> dict[str, int]:
        """The file's own counts, for the import's row."""
        return {"rows": self.report.rows, "twice": self.report.twice, "refused": len(self.report.refused)}

    def keep_refused(self) -> None:
        """The import is done: give the refused rows their name."""
        if self._waiting.exists():
            self._waiting.replace(self.refused_file)

    def forget_refused(self) -> None:
        self._waiting.unlink(missing_ok=True)

    def _show(self, taken_s: float) -> None:
        """430,000 rows read, 13 refused (43%), 24,800 rows/s, 23 s left"""
        report, share = self.report, self._leads.share
        text = f"{report.rows:,} rows read, {len(report.refused):,} refused"
        rate = f", {report.rows / taken_s:,.0f} rows/s" if taken_s > 0 else ""
        if share:
            bar = f"[{'#' * int(share * BAR_WIDTH):-<{BAR_WIDTH}}] " if self._bar else ""
            text = f"{bar}{text} ({min(99, int(100 * share))}%){rate}, {ago(taken_s * (1 - share) / share)} left"
        else:
            text += rate
        self.progress.show(text)


def _stored(session: Session, order: Order, rows: _Rows, hash: str) -> ImportDone | None:
    """What the store did, or in a rehearsal would have done; None where there was no good row."""
    asked = ImportOrder(
        who=who(),
        campaign=CampaignId(order.campaign) if order.campaign else None,
        group=order.group,
        twice=order.twice,
        known=order.known,
        file=file_name(order.file),
        hash=hash,
        dry_run=order.dry_run,
    )
    kind = Rehearsal if order.dry_run else Pool
    with closing(kind(session.settings().dsn(), size=1, application="fs-dialer import", statement_timeout_s=REPORT_TIMEOUT_S)) as pool:
        try:
            return run_import(
                pool,
                asked,
                rows.good(),
                waiting=lambda: session.note("waiting for another import, or whoever else is adding leads"),
                storing=rows.storing,
                also=rows.also,
            )
        except _NothingGood:
            return None


# --- telling --------------------------------------------------------------------------------------------------------------------------


def _told(session: Session, order: Order, rows: _Rows, done: ImportDone | None) -> Exit:
    report = rows.report
    refused_file = file_name(rows.refused_file) if report.refused and not order.dry_run else None
    if report.rows:
        session.say(*map(clean, report.lines(refused_file)))
    else:
        session.note(f"fs-dialer: {clean(file_name(order.file))} has a header and no rows below it: nothing was loaded")
    if report.rows and done is None:
        session.note("fs-dialer: no row can be dialled: nothing was loaded")
    if done is not None:
        session.say(*_besides(order, done))
        if order.dry_run:
            session.say("Nothing was written. Without --dry-run: one transaction, and a line that undoes it.")
        else:
            session.say(f"Undo: fs-dialer lead import --undo {done.name}")
            if report.refused:
                session.note(f"warning: {plural(len(report.refused), 'row was', 'rows were')} refused; the others are loaded")
    problems = [_problem(row, cell) for row in report.refused[:PROBLEMS_IN_JSON] for cell in row.problems]
    told = _result(order, done.name if done else "", report.to_json(), done or ImportDone(), loaded=done is not None and not order.dry_run)
    session.result({**told, "refused_file": refused_file, "problems": problems})
    return Exit.DONE if done is not None else Exit.REFUSED


def _besides(order: Order, done: ImportDone) -> Iterator[str]:
    """What else it did than make leads."""
    if order.group:
        yield f"{plural(done.members, 'contact')} came into the group {order.group}"
    if done.changed:
        yield f"{plural(done.changed, 'contact')} got what the file knows better"
    for campaign, joined in done.later.items():
        yield f"{plural(joined.leads, 'lead')} joined {campaign} by it (leads.new_rows: join)"


def _told_before(session: Session, order: Order, before: ImportedBefore) -> Exit:
    at = moment(before.at, order.zone)
    session.say(f"This file was imported as {before.name}, {at} by {clean(before.who)}: nothing to do. To load it all the same: --again")
    counts = {name: int(before.counts.get(name, 0)) for name in ("rows", "new", "twice", "do_not_call", "no_callback", "refused")}
    done = ImportDone(**{name: int(before.counts.get(name, 0)) for name in ("contacts", "changed", "members")})  # type: ignore[arg-type]
    told = _result(order, before.name, {**counts, "already": int(before.counts.get("known", 0))}, done, loaded=False)
    session.result({**told, "imported_before": {"at": before.at, "who": before.who}, "refused_file": None, "problems": []})
    return Exit.DONE


def _result(order: Order, name: str, counts: Mapping[str, int], done: ImportDone, *, loaded: bool) -> dict[str, Any]:
    return {
        "import": name or None,
        "campaign": order.campaign,
        "group": order.group,
        "file": file_name(order.file),
        "dry_run": order.dry_run,
        "loaded": loaded,
        "imported_before": None,
        **counts,
        "contacts": done.contacts,
        "changed": done.changed,
        "members": done.members,
        "later": [{"campaign": campaign, "leads": joined.leads} for campaign, joined in done.later.items()],
    }


def _problem(row: BadRow, cell: CellProblem) -> dict[str, Any]:
    return {"line": row.line, "column": cell.column, "value": short(cell.value, 200), "text": cell.text, "advice": cell.advice}

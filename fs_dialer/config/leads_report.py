"""What became of a lead file's rows: the counts an admin reads, and the first of the refused.

Knows how to count and to say; decides about no row. All refused rows, as a file to repair: leads_refused.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fs_dialer.config.leads_refused import RefusedRows, write_refused
from fs_dialer.config.leads_rows import PROBLEM_COLUMN, BadRow, GoodRow
from fs_dialer.config.values import short

__all__ = ["LeadReport", "write_refused"]

SHOWN = 3


@dataclass(slots=True)
class LeadReport:
    """Counts of one import. `count` what the file gives; `already`, `do_not_call` and `no_callback` are the store's to say, of the good rows.

    `twice`: rows with the number of an earlier one, refused as doubles or bringing it newer values, as the import's policy has it. `where`: what the rows
    came into: list (a campaign) or directory.
    """

    rows: int = 0
    good: int = 0
    twice: int = 0
    already: int = 0
    do_not_call: int = 0
    no_callback: int = 0
    refused: RefusedRows = field(default_factory=RefusedRows)
    where: str = "list"

    @property
    def new(self) -> int:
        return self.good - self.already - self.do_not_call - self.no_callback

    def count(self, row: GoodRow | BadRow) -> None:
        self.rows += 1
        if row.twice:
            self.twice += 1
        elif isinstance(row, GoodRow):
            self.good += 1
        else:
            self.refused.append(row)

    def summary(self) -> str:
        """10,000 rows = 9,612 new + 214 already in list + 97 twice in file + 51 do-not-call + 26 refused; parts that are 0 are left out."""
        parts = [(self.new, "new"), (self.already, f"already in {self.where}"), (self.twice, "twice in file")]
        parts += [(self.do_not_call, "do-not-call"), (self.no_callback, "left alone for now"), (len(self.refused), "refused")]
        said = [f"{number:,} {what}" for number, what in parts if number or what == "new"]
        return f"{self.rows:,} {'row' if self.rows == 1 else 'rows'} = {' + '.join(said)}"

    def lines(self, refused_file: str | None = None) -> list[str]:
        """The summary, the first refused rows as a table (line, column, value, what, advice), and where the others are."""
        shown = [(str(row.line), p.column, short(p.value, 24), p.text, p.advice or "-") for row in self.refused[:SHOWN] for p in row.problems[:1]]
        widths = [max((len(cells[index]) for cells in shown), default=0) for index in range(5)]
        table = []
        for line, *cells in shown:
            padded = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths[1:], strict=True))
            table.append(f"{line.rjust(max(widths[0], 4))} {padded}".rstrip())
        more = len(self.refused) - SHOWN
        if refused_file and self.refused:
            others = f" ... {more:,} more: " if more > 0 else "  "
            table.append(f"{others}{refused_file} = your rows + `{PROBLEM_COLUMN}`; repair and import that file alone")
        elif more > 0:
            table.append(f" ... {more:,} more")
        return [self.summary(), *table]

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "new": self.new,
            "already": self.already,
            "twice": self.twice,
            "do_not_call": self.do_not_call,
            "no_callback": self.no_callback,
            "refused": len(self.refused),
        }

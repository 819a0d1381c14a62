"""What a lead file gives: rows that can be dialled, and rows that can not, each with its reason.

Only the shapes, and the names of the columns; who fills them: leads_judge.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

COLUMNS = {  # what we look for, by the names we know it under, best first
    "phone": (
        *("phone", "number", "telephone", "mobile", "tel", "phone_number", "telephone_number", "mobile_number"),
        *("phone1", "phone_1", "mobile_phone", "cell", "cell_phone", "cellphone"),
    ),
    "name": ("name",),
    "zone": ("zone", "tz", "timezone", "time_zone"),
    "owner": ("owner", "lead_owner", "account_owner"),
    "not_before": ("not_before", "call_after"),
}
HOLDS = {  # for the reference page
    "phone": "required; with its country code, or national where `region` in installation.yml or `--region` names the country. Further numbers of the "
    "same contact stand in `phone2` … `phone9`, `mobile`, `home`, `work` and the like, or in the columns that `--map phone=ONE,TWO` names, in their order",
    "name": "for the agent's eyes",
    "zone": "the lead's own time zone; empty = all that the number may be in, and every one of them must allow the call (D4)",
    "owner": "the agent whose contact it is (S34); empty = nobody's",
    "not_before": "no call before this date and time on the lead's own clocks, `2026-12-01 8:00`; empty = at once",
}
# A contact's further numbers. `number` alone is none of them: beside a column `phone` it may be a house's or a customer's.
FURTHER_PHONES = (
    *(name for name in COLUMNS["phone"] if name not in ("number", "phone1", "phone_1")),
    *("home", "home_phone", "home_number", "work", "work_phone", "work_number", "office", "office_phone", "business_phone", "landline"),
    *("other_phone", "second_phone", "alternative_phone", "alternate_phone"),
)
NUMBERED_PHONE = re.compile(r"(?:phone|tel|telephone|mobile|cell|number|phone_number|mobile_phone)_?[2-9]")

PROBLEM_COLUMN = "problem"  # the last column of a file of refused rows; passed over when it comes back
MAX_CELL_BYTES = 4096
MAX_COLUMNS = 300

# The second row with a number that the file had before: is refused as a double; is another lead; brings newer values for the first.
Twice: TypeAlias = Literal["keep-first", "keep-all", "update"]


class NumberAt(NamedTuple):
    """One number of a contact. `kind`: the header of the column it stood in; that is how an agent knows home from work."""

    number: str  # E.164
    zones: tuple[str, ...]  # all that the number may be in, or the contact's own; () = unknown
    kind: str


class GoodRow(NamedTuple):
    """A contact that can be dialled; a tuple, because a frozen dataclass takes five times as long to make, a million times.

    `number` and `zones` are those of the first of `numbers`. `line`: of the file, or the sheet's row, from 1.
    """

    line: int
    number: str
    zones: tuple[str, ...]
    name: str
    attributes: dict[str, str]  # every other column that holds something, by its header
    numbers: tuple[NumberAt, ...] = ()  # all of them, in the order to try them; none twice
    owner: str = ""  # the agent whose contact it is (S34): the id, where agents are known, else as written; "" = nobody's
    not_before: float | None = None  # epoch seconds
    copy: int = 0  # keep-all: how many rows above have the number
    twice: bool = False  # update: a row above has the number; this one's values are newer
    has_own_zone: bool = False  # the zone is the contact's own (D4), and not only where the number may be


@dataclass(frozen=True, slots=True)
class CellProblem:
    """`column`: the user's header, "row" for the whole row. `advice`: how to mend it, "" where that is plain."""

    column: str
    value: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.column}: {self.text}; {self.advice}" if self.advice else f"{self.column}: {self.text}"


@dataclass(frozen=True, slots=True)
class BadRow:
    """`cells` as the user wrote them. `twice`: nothing is wrong with it but that an earlier row has the same number."""

    line: int
    cells: tuple[str, ...]
    problems: tuple[CellProblem, ...]
    twice: bool = False

    @property
    def problem(self) -> str:
        return " / ".join(str(each) for each in self.problems)

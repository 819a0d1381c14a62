"""The first row of a lead file → which column holds what.

Knows the names that people give to columns, and what an admin said instead (--map); judges no row below. Everything that can not be understood is
refused here, before a single row is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from fs_dialer.config.leads_rows import COLUMNS, FURTHER_PHONES, MAX_COLUMNS, NUMBERED_PHONE, PROBLEM_COLUMN
from fs_dialer.config.values import nearest, short
from fs_dialer.errors import ConfigError, Problem

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
OPTION = "--map"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where everything stands, counted from 0; None = in no column. `problem`: the column of an earlier refusal, taken out of every row first."""

    header: tuple[str, ...]
    phones: tuple[int, ...]  # in the order to try them; never empty
    name: int | None
    zone: int | None
    owner: int | None
    not_before: int | None
    problem: int | None
    others: tuple[tuple[int, str], ...]  # the contact's attributes: index and header
    nameless: tuple[int, ...]  # columns inside the header that have no name; what stands in them can not be kept
    notes: tuple[str, ...]  # for the user's eyes


def understood(cells: Sequence[str], name: str, line: int, mapping: Mapping[str, str | Sequence[str]] | None = None) -> Columns:
    """The columns of a file's first row.

    `mapping`: our column → the user's; phone may have several, in their order, as a list or with commas between ({"phone": "Handy,Festnetz"}). `name`
    and `line` stand in the ConfigError of a header that can not be used.
    """
    return _Header(cells, name, line).columns(dict(mapping or {}))


class _Header:
    def __init__(self, cells: Sequence[str], name: str, line: int) -> None:
        self._name, self._line = name, line
        self._notes: list[str] = []
        columns = [cell.strip() for cell in cells]
        while columns and not columns[-1]:
            columns.pop()
        self._problem = len(columns) - 1 if len(columns) > 1 and columns[-1].casefold() == PROBLEM_COLUMN else None
        if self._problem is not None:
            columns.pop()
            self._notes.append(f"the last column, `{PROBLEM_COLUMN}`, is passed over: it says what was wrong before")
        while columns and not columns[-1]:
            columns.pop()
        self._header = tuple(columns)
        self._check()
        self._by_name = {_folded(column): index for index, column in reversed(list(enumerate(self._header))) if column}
        self._listed = ", ".join(short(column, 30) for column in self._header if column) or "none"

    def _check(self) -> None:
        if len(self._header) > MAX_COLUMNS:
            self._refuse(f"{len(self._header)} columns; at most {MAX_COLUMNS}")
        for index, column in enumerate(self._header):
            if CONTROL.search(column) or "\n" in column or len(column) > 200:
                self._refuse(f"column {index + 1} has a name that is no word: is the first row a header?")
            if column and column in self._header[:index]:
                self._refuse(f"the column `{column}` stands twice: rename one")

    def columns(self, mapping: dict[str, str | Sequence[str]]) -> Columns:
        for ours in mapping:
            if ours not in COLUMNS:
                self._refuse(f"{OPTION} {ours}=…: we look for {', '.join(COLUMNS)}; every other column is kept as it is", line=0)
        phones = [self._index(column) for column in self._named(mapping["phone"])] if "phone" in mapping else []
        single = {ours: self._index(str(theirs)) for ours, theirs in mapping.items() if ours != "phone"}
        taken = {*phones, *single.values()}
        for ours, names in COLUMNS.items():
            found = [self._by_name[name] for name in names if name in self._by_name and self._by_name[name] not in taken]
            if not found or ours in single or (ours == "phone" and phones):
                continue
            taken.add(found[0])
            if ours == "phone":
                phones.append(found[0])
            else:
                single[ours] = found[0]
        further = [index for index, column in enumerate(self._header) if index not in taken and _may_be_phone(column)]
        if not phones:
            self._no_phone()
        if "phone" not in mapping:
            phones += further
            if len(phones) > 1:
                self._notes.append(f"numbers are taken from {self._columns(phones)}, in this order; {OPTION} phone=COLUMN,COLUMN says otherwise")
        elif further:
            self._notes.append(f"numbers are taken from {self._columns(phones)} alone, not from {self._columns(further)}")
        chosen = {*phones, *single.values()}
        return Columns(
            header=self._header,
            phones=tuple(dict.fromkeys(phones)),
            name=single.get("name"),
            zone=single.get("zone"),
            owner=single.get("owner"),
            not_before=single.get("not_before"),
            problem=self._problem,
            others=tuple((index, column) for index, column in enumerate(self._header) if column and index not in chosen),
            nameless=tuple(index for index, column in enumerate(self._header) if not column),
            notes=tuple(self._notes),
        )

    def _named(self, theirs: str | Sequence[str]) -> list[str]:
        if not isinstance(theirs, str):
            return list(theirs)
        return [theirs] if _folded(theirs) in self._by_name else [part for part in theirs.split(",") if part.strip()] or [theirs]

    def _index(self, theirs: str) -> int:
        index = self._by_name.get(_folded(theirs))
        if index is None:
            guess = nearest(theirs, [column for column in self._header if column])
            near = f"; nearest: {guess}" if guess else ""
            self._refuse(f"there is no column `{short(theirs)}`{near}; the columns are: {self._listed}")
        return index

    def _columns(self, indexes: Sequence[int]) -> str:
        return ", ".join(short(self._header[index], 30) for index in indexes)

    def _no_phone(self) -> NoReturn:
        looks_like_data = any(re.fullmatch(r"\+?[0-9 ().-]{7,}", column) for column in self._header)
        hint = "is the first row a header? It must name the columns" if looks_like_data else f"name the one with the numbers: {OPTION} phone=COLUMN"
        self._refuse(f"no column `phone`; the columns are: {self._listed}; {hint}")

    def _refuse(self, text: str, line: int | None = None) -> NoReturn:
        at = self._line if line is None else line
        raise ConfigError([Problem(self._name, at, 1 if at else 0, "", text)])


def _folded(column: str) -> str:
    return re.sub(r"[\s_-]+", "_", column.strip().casefold())


def _may_be_phone(column: str) -> bool:
    folded = _folded(column)
    return folded in FURTHER_PHONES or NUMBERED_PHONE.fullmatch(folded) is not None

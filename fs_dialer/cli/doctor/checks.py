"""What one check says, and what all of them say together.

Pure. Knows verdicts, their words and their order on a screen; knows nothing of what is checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from fs_dialer.cli.output import Cell, clean, plural, table


class Verdict(Enum):
    """`bad`: calls will fail, or be wrong. `warn`: they will some day. `not_asked`: another check had to be fine first."""

    FINE = "fine"
    WARN = "warn"
    BAD = "bad"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Check:
    """`id` stands for the check in JSON and in docs/doctor.md. `remedy`: what to do; for not_asked, why it was not. Empty where all is fine."""

    id: str
    verdict: Verdict
    what: str
    remedy: str = ""


def fine(id: str, what: str) -> Check:
    return Check(id, Verdict.FINE, what)


def warn(id: str, what: str, remedy: str) -> Check:
    return Check(id, Verdict.WARN, what, remedy)


def bad(id: str, what: str, remedy: str) -> Check:
    return Check(id, Verdict.BAD, what, remedy)


def not_asked(id: str, subject: str, why: str) -> Check:
    return Check(id, Verdict.NOT_ASKED, f"not asked: {subject}", why)


def is_ready(checks: Sequence[Check]) -> bool:
    """A warning does not keep anybody from calling."""
    return not any(check.verdict is Verdict.BAD for check in checks)


def verdict_line(checks: Sequence[Check], *, all_told: bool = False) -> str:
    """`Not ready: 2 bad, 1 warning, 15 fine (--all).` or `Ready: 18 fine.`"""
    counts = {verdict: sum(check.verdict is verdict for check in checks) for verdict in Verdict}
    parts = [f"{counts[Verdict.FINE]} fine"]
    if counts[Verdict.NOT_ASKED]:
        parts.append(f"{counts[Verdict.NOT_ASKED]} not asked")
    if not is_ready(checks):
        parts[:0] = [f"{counts[Verdict.BAD]} bad", plural(counts[Verdict.WARN], "warning")]
    elif counts[Verdict.WARN]:
        parts.insert(0, plural(counts[Verdict.WARN], "warning"))
    hint = " (--all)" if len(parts) > 1 and not all_told else ""
    return f"{'Ready' if is_ready(checks) else 'Not ready'}: {', '.join(parts)}{hint}."


_SHOWN = {
    Verdict.BAD: Cell("bad", "red"),
    Verdict.WARN: Cell("warn", "yellow"),
    Verdict.FINE: Cell("fine", "green"),
    Verdict.NOT_ASKED: Cell("--"),
}


def report(checks: Sequence[Check], *, all_told: bool = False, width: int | None = None, colour: bool = False) -> list[str]:
    """A line for each check that is wrong, the worst first; with `all_told` for each. Where `width` is too narrow, the remedies stand below."""
    told = [check for check in checks if all_told or check.verdict in (Verdict.BAD, Verdict.WARN)]
    if not all_told:
        told.sort(key=lambda check: check.verdict is not Verdict.BAD)
    mark = max((len(_SHOWN[check.verdict].text) for check in told), default=0)
    what = max((len(clean(check.what)) for check in told if check.remedy), default=0)
    beside = width is None or all(mark + what + len(clean(check.remedy)) + 4 <= width for check in told if check.remedy)
    lines: list[str] = []
    for check in told:
        shown = _SHOWN[check.verdict]
        first = Cell(shown.text.ljust(mark), shown.colour)
        rows: list[tuple[Cell, str]] = [(first, check.what)]
        if check.remedy and beside:
            rows = [(first, f"{clean(check.what):<{what}}  {clean(check.remedy)}")]
        elif check.remedy:
            rows.append((Cell("->".rjust(mark)), check.remedy))
        lines += table(("", ""), rows, width=None if beside and check.remedy else width, colour=colour)[1:]
    return lines

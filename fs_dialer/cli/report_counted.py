"""A report of counted attempts: from what is asked to rows with their figures, and from these to JSON, CSV and the screen.

Everything comes out of one snapshot of the database, and every row is a part of the total: nothing is counted twice and nothing left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fs_dialer.cli import report_tables as tables
from fs_dialer.cli.output import natural
from fs_dialer.cli.report_asked import iso
from fs_dialer.cli.report_tables import Value
from fs_dialer.core.figures import Figures, Spent, all_spent, counted
from fs_dialer.core.spans import Span, Windows, day_at, day_starts, hour_starts

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.figures import AgentSpent, Asked, Counted, MissedIn

COLUMNS = ("agent", "caller_id", "gateway", "revision", "outcome", "cause", "sip_status", "disposition")
NUMBERS = ("revision", "sip_status")
TIMES = ("hour", "day")
DIMENSIONS = ("campaign", *COLUMNS, *TIMES)
NOBODY = {"agent": "(no agent)", "outcome": "(still up)", "cause": "(none)", "sip_status": "(none)", "disposition": "(none)"}
MOST_HOURS = 366 * 24
_STARTS: Mapping[str, Callable[[Span, str], list[float]]] = {"hour": hour_starts, "day": day_starts}


@dataclass(frozen=True, slots=True)
class Line:
    """One row: what it is of, by dimension (None = of none), and its figures. Where a time is among the dimensions: in which zone, and when it begins."""

    keys: Mapping[str, str | int | None]
    figures: Figures
    zone: str = ""
    starts_at: float | None = None
    spent: Spent | None = None  # of an agent's row

    def shown(self, dimension: str) -> str:
        """The key for people."""
        key = self.keys[dimension]
        if key is None:
            return NOBODY.get(dimension, "(none)")
        if dimension == "hour":  # 2026-11-20T14:00:00+07:00
            return f"{str(key)[:10]} {str(key)[11:16]} {str(key)[19:]}"
        return f"r{key}" if dimension == "revision" else str(key)


@dataclass(frozen=True, slots=True)
class Report:
    """`found`: the groups, and `counted_by` what they were counted by; `lines`: the rows, by `dimensions`. `missed`: the three windows of each campaign,
    where they are asked for."""

    name: str
    at: float
    asked: Asked
    zones: Mapping[str, str]
    counted_by: tuple[str, ...]
    dimensions: tuple[str, ...]
    found: Sequence[Counted]
    total: Figures
    lines: Sequence[Line]
    missed: Mapping[str, MissedIn] = field(default_factory=dict)
    spent: Sequence[AgentSpent] | None = None  # agents' hours, where they are asked for

    def by(self, *dimensions: str) -> Report:
        """The same by other dimensions, as far as they were counted."""
        return replace(self, dimensions=dimensions, lines=_lines(self, dimensions))

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "report": self.name,
            "at": self.at,
            "campaigns": [{"campaign": name, "zone": self.zones[name], "since": span.since, "until": span.until} for name, span in self.asked.spans.items()],
            "only": self.asked.only(),
            "by": list(self.dimensions),
            "total": {**self.total.to_json(), **(self.all_spent.to_json() if self.all_spent else {})},
            "rows": [_line_json(line) for line in self.lines],
        }
        if self.missed:
            found["windows"] = [_missed_json(name, each) for name, each in self.missed.items()]
        return found

    @property
    def all_spent(self) -> Spent | None:
        """Of all agents together; None where it is not asked for."""
        return None if self.spent is None else all_spent(each.spent for each in self.spent)

    def csv_rows(self, columns: Sequence[str]) -> tuple[list[str], list[list[Value]]]:
        """Header and rows."""
        rows: list[list[Value]] = [
            [*(line.keys[d] for d in self.dimensions), *(tables.value(line.figures, c, line.spent) for c in columns)] for line in self.lines
        ]
        return [*self.dimensions, *columns], rows

    def table_rows(self, columns: Sequence[str]) -> tuple[list[str], list[list[str]]]:
        """The same for people, with a last row for the total where there are several."""
        rows = [[*(line.shown(d) for d in self.dimensions), *(tables.cell(line.figures, c, line.spent) for c in columns)] for line in self.lines]
        if len(rows) > 1:
            names = ["total", *("" for _ in self.dimensions[1:])]
            rows.append([*names, *(tables.cell(self.total, c, self.all_spent) for c in columns)])
        return [*(d.replace("_", " ").upper() for d in self.dimensions), *(tables.header(c) for c in columns)], rows


def make(
    office: Backoffice, name: str, asked: Asked, zones: Mapping[str, str], dimensions: Sequence[str], now: float, windows_at: Mapping[str, float] | None = None
) -> Report:
    """Count. `dimensions`: at most two of COLUMNS, one of TIMES, and campaign."""
    by = tuple(each for each in dimensions if each != "campaign")
    found, missed = office.figures(asked, zones, by, windows_at)
    return Report(name, now, asked, zones, by, (), found, counted(each.group for each in found), (), missed).by(*dimensions)


def with_hours(office: Backoffice, report: Report) -> Report:
    """With how the agents of its rows spent their time, where rows are by agent and at most a time besides: time belongs to no campaign and no trunk. Where
    campaigns have several zones, days differ, and nothing is told by the day or hour."""
    time = next((each for each in report.dimensions if each in TIMES), "")
    zones, only = sorted(set(report.zones.values())), report.asked.only()
    apart = {*report.dimensions} - {"agent", time}
    if apart or not zones or only["caller_id"] or only["gateway"] or (time and len(zones) > 1):
        return report
    spans = list(report.asked.spans.values())
    span = Span(min(each.since for each in spans), max(each.until for each in spans))
    found = office.agent_times(span, zones[0], only["agent"], time)
    return replace(report, spent=found).by(*report.dimensions)


def hours_of(asked: Asked) -> float:
    """How many hours the longest span has, about."""
    return max((span.until - span.since for span in asked.spans.values()), default=0.0) / 3600


def _lines(report: Report, dimensions: Sequence[str]) -> list[Line]:
    asked, zones = report.asked, report.zones
    time = next((each for each in dimensions if each in TIMES), None)
    columns = [each for each in report.counted_by if each in COLUMNS]
    lines: dict[tuple[Any, ...], Line] = {}

    def line(campaign: str, zone: str, starts_at: float | None, keys: Sequence[str | None]) -> Line:
        named: dict[str, str | int | None] = {name: int(key) if key and name in NUMBERS else key for name, key in zip(columns, keys, strict=True)}
        if "campaign" in dimensions:
            named["campaign"] = campaign
        if time is not None and starts_at is not None:
            named[time] = iso(starts_at, zone) if time == "hour" else str(day_at(starts_at, zone))
        place = (zone if time else "", starts_at, *(named[each] for each in dimensions if each != time))
        if place not in lines:
            lines[place] = Line({each: named[each] for each in dimensions}, Figures(), zone if time else "", starts_at, empty())
        return lines[place]

    def empty() -> Spent | None:
        return None if report.spent is None else Spent()

    unknown = (None,) * len(columns)
    if time is not None and tuple(dimensions) == (time,):  # every hour or day that has begun has its row, and be it of nothing
        for campaign, span in asked.spans.items():
            for starts_at in _STARTS[time](span, zones[campaign]):
                if starts_at <= report.at:
                    line(campaign, zones[campaign], starts_at, unknown)
    if tuple(dimensions) == ("campaign",):
        for campaign in asked.spans:
            line(campaign, zones[campaign], None, unknown)
    for each in report.found:
        line(each.campaign, zones[each.campaign], each.starts_at, each.keys).figures.add(each.group)
    for mine in report.spent or ():  # rows by agent and perhaps a time, of one zone (with_hours): any campaign names it
        campaign = next(iter(asked.spans))
        of = line(campaign, zones[campaign], mine.starts_at, (mine.agent,))
        assert of.spent is not None
        of.spent.add(mine.spent)
    return sorted(lines.values(), key=lambda each: _order(each, dimensions))


def _order(line: Line, dimensions: Sequence[str]) -> list[Any]:
    """Zones apart, then dimension by dimension; what is of none comes last."""
    order: list[Any] = [line.zone]
    for dimension in dimensions:
        key = line.keys[dimension]
        order.append((0, line.starts_at) if dimension in TIMES else (1, []) if key is None else (0, natural(str(key))))
    return order


def _line_json(line: Line) -> dict[str, Any]:
    when = {} if line.starts_at is None else {"zone": line.zone, "starts_at": line.starts_at}
    return {**line.keys, **when, **line.figures.to_json(), **(line.spent.to_json() if line.spent else {})}


def _missed_json(campaign: str, found: MissedIn) -> dict[str, Any]:
    windows: Windows = found.windows
    return {
        "campaign": campaign,
        "today": {"since": windows.today.since, "until": windows.today.until, **found.today.to_json()},
        "last_24_h": {"since": windows.last_24_h.since, "until": windows.last_24_h.until, **found.last_24_h.to_json()},
        "last_30_days": {"since": windows.last_30_days.since, "until": windows.last_30_days.until, **found.last_30_days.to_json()},
    }

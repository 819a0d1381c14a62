"""Where the boxes and lines of a drawn graph go: in rows from top to bottom, lines around the boxes and not through them.

Pure geometry, in pixels; knows nothing of flows. Rows: the longest way from the start without circles. Within a row the order with the fewest crossings that
a few sweeps find (Sugiyama, Tagawa, Toda 1981), then places as near to their neighbours as the widths allow. What leads back goes round outside, in a lane
of its own. Equal graphs give equal pictures.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP_X, GAP_Y = 34.0, 84.0
STUB = 30.0  # so far a line goes straight down from a box, past its label
LANE = 26.0  # between the lines that lead back
THIN = 18.0  # room for a line that passes a row
CHANNEL = 9.0  # between horizontal lines in the room between two rows
SWEEPS, PULLS = 16, 160

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Edge:
    """From one box to another; `width`: of its label."""

    source: str
    target: str
    label: str
    width: float


@dataclass(frozen=True, slots=True)
class Place:
    """The middle of a box's upper edge, and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """points: where it goes, from the source's lower to the target's upper edge. back: it leads to an earlier row, with right angles."""

    edge: Edge
    points: tuple[Point, ...]
    back: bool


@dataclass(frozen=True, slots=True)
class Plan:
    places: Mapping[str, Place]
    lines: tuple[Line, ...]
    left: float
    right: float
    height: float


def planned(sizes: Mapping[str, tuple[float, float]], edges: Sequence[Edge], start: str) -> Plan:
    """`sizes`: width and height of each box by name, in order. Boxes that cannot be reached from `start` stand in a row below all others."""
    graph = _Graph(sizes, edges, start)
    graph.order()
    graph.pull()
    return graph.plan()


@dataclass(slots=True)
class _Spot:
    """Something that has a place in a row: a box, or a line that passes."""

    name: str
    row: int
    width: float
    height: float
    is_box: bool
    x: float = 0.0
    at: int = 0


class _Graph:
    def __init__(self, sizes: Mapping[str, tuple[float, float]], edges: Sequence[Edge], start: str) -> None:
        self.edges = [edge for edge in edges if edge.source in sizes and edge.target in sizes]
        self.back = _leading_back(list(sizes), self.edges, start)
        rows = _rows(list(sizes), [edge for edge in self.edges if edge not in self.back], start)
        self.back |= {edge for edge in self.edges if rows[edge.target] <= rows[edge.source]}  # from where no way leads
        self.spots = {name: _Spot(name, rows[name], width, height, True) for name, (width, height) in sizes.items()}
        self.rows: list[list[_Spot]] = [[] for _ in range(max(rows.values(), default=0) + 1)]
        self.chains: dict[Edge, list[_Spot]] = {}
        for spot in self.spots.values():
            self.rows[spot.row].append(spot)
        for number, edge in enumerate(self.edges):
            if edge not in self.back:
                self.chains[edge] = [self.spots[edge.source], *self._passing(edge, number), self.spots[edge.target]]
        self.above: dict[str, list[_Spot]] = {spot.name: [] for row in self.rows for spot in row}
        self.below: dict[str, list[_Spot]] = {spot.name: [] for row in self.rows for spot in row}
        for chain in self.chains.values():
            for upper, lower in pairwise(chain):
                self.below[upper.name].append(lower)
                self.above[lower.name].append(upper)

    def _passing(self, edge: Edge, number: int) -> list[_Spot]:
        found = []
        for row in range(self.spots[edge.source].row + 1, self.spots[edge.target].row):
            spot = _Spot(f"\0{number}.{row}", row, THIN, 0.0, False)
            self.rows[row].append(spot)
            found.append(spot)
        return found

    # --- the order in each row ------------------------------------------------------------------------------------------------------------

    def order(self) -> None:
        self._number()
        best, fewest = self._kept(), self._crossings()
        for sweep in range(SWEEPS):
            down = sweep % 2 == 0
            for row in self.rows if down else reversed(self.rows):
                beside = self.above if down else self.below
                row.sort(key=lambda spot, beside=beside: _mean([each.at for each in beside[spot.name]], spot.at))  # type: ignore[misc]
                for at, spot in enumerate(row):
                    spot.at = at
            if (found := self._crossings()) < fewest:
                best, fewest = self._kept(), found
        self.rows = best
        self._number()

    def _kept(self) -> list[list[_Spot]]:
        return [list(row) for row in self.rows]

    def _number(self) -> None:
        for row in self.rows:
            for at, spot in enumerate(row):
                spot.at = at

    def _crossings(self) -> int:
        found = 0
        for row in self.rows:
            lines = [(spot.at, lower.at) for spot in row for lower in self.below[spot.name]]
            found += sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for at, a in enumerate(lines) for b in lines[at + 1 :])
        return found

    # --- places -------------------------------------------------------------------------------------------------------------------------

    def pull(self) -> None:
        """Each spot towards the middle of its neighbours; what is to be straight, a passing line, pulls hardest."""
        for row in self.rows:
            _apart(row, [0.0] * len(row), [1.0] * len(row))
        for turn in range(PULLS):
            for row in self.rows if turn % 2 == 0 else reversed(self.rows):
                wanted, weights = [], []
                for spot in row:
                    beside = [(each.x, _pull(spot, each)) for each in self.above[spot.name] + self.below[spot.name]]
                    weight = sum(pull for _, pull in beside)
                    wanted.append(sum(x * pull for x, pull in beside) / weight if beside else spot.x)
                    weights.append(weight or 1.0)
                _apart(row, wanted, weights)

    def plan(self) -> Plan:
        tops, room, y = [], [], 0.0
        for number, row in enumerate(self.rows):
            tops.append(y)
            height = max((spot.height for spot in row), default=0.0)
            crowd = sum(CHANNEL for edge in self.back if self.spots[edge.source].row == number or self.spots[edge.target].row == number + 1)
            room.append((y + height, crowd))
            y += height + GAP_Y + crowd
        heights = [max((spot.height for spot in row), default=0.0) for row in self.rows]
        places = {spot.name: Place(spot.x, tops[spot.row], spot.width, spot.height) for spot in self.spots.values()}
        left = min((place.x - place.width / 2 for place in places.values()), default=0.0)
        right = max((place.x + place.width / 2 for place in places.values()), default=0.0)
        passing = [spot.x for row in self.rows for spot in row if not spot.is_box]
        left, right = min([left, *passing]), max([right, *passing])
        out, into = self._ports()
        lines = [Line(edge, self._way(chain, places, tops, heights, out[edge], into[edge]), False) for edge, chain in self.chains.items()]
        used: dict[int, int] = {}
        lanes = {-1: 0, 1: 0}
        middle = (left + right) / 2
        for edge in sorted(self.back, key=lambda each: (self.spots[each.source].row - self.spots[each.target].row, each.source)):
            source, target = places[edge.source], places[edge.target]
            side = -1 if (source.x + target.x) / 2 < middle else 1
            lanes[side] += 1
            lane = left - LANE * lanes[side] if side < 0 else right + LANE * lanes[side]
            from_row, to_row = self.spots[edge.source].row, self.spots[edge.target].row - 1
            low = room[from_row][0] + STUB + 6 + CHANNEL * used.setdefault(from_row, 0)
            used[from_row] += 1
            high = target.y - 20 - CHANNEL * used.setdefault(to_row, 0)
            used[to_row] += 1
            begin, end = (out[edge], source.y + source.height), (into[edge], target.y)
            lines.append(Line(edge, (begin, (begin[0], low), (lane, low), (lane, high), (end[0], high), end), True))
        bottom = max((y for line in lines for _, y in line.points), default=0.0)
        bottom = max([bottom, *(place.y + place.height for place in places.values())])
        return Plan(places, tuple(lines), left - LANE * (lanes[-1] + 0.5), right + LANE * (lanes[1] + 0.5), bottom)

    def _way(
        self, chain: Sequence[_Spot], places: Mapping[str, Place], tops: Sequence[float], heights: Sequence[float], out: float, into: float
    ) -> tuple[Point, ...]:
        first, last = places[chain[0].name], places[chain[-1].name]
        points: list[Point] = [(out, first.y + first.height)]
        points.append((out, first.y + max(first.height, heights[chain[0].row] - STUB / 2) + STUB))
        for spot in chain[1:-1]:
            points += [(spot.x, tops[spot.row]), (spot.x, tops[spot.row] + heights[spot.row])]
        return (*points, (into, last.y))

    def _ports(self) -> tuple[dict[Edge, float], dict[Edge, float]]:
        """Where lines leave a box and come in: in the order of where they go, so that they do not cross at once."""
        out: dict[Edge, float] = {}
        into: dict[Edge, float] = {}
        far = 1e6
        middle = _mean([spot.x for spot in self.spots.values()], 0.0)

        def towards(edge: Edge, near: int) -> float:
            if edge in self.chains:
                return self.chains[edge][near].x
            return -far if (self.spots[edge.source].x + self.spots[edge.target].x) / 2 < middle else far

        for name, spot in self.spots.items():
            leaving = sorted((edge for edge in self.edges if edge.source == name), key=lambda edge: towards(edge, 1))
            out |= _spread(spot, leaving, [edge.width for edge in leaving], self.back)
            coming = sorted((edge for edge in self.edges if edge.target == name), key=lambda edge: towards(edge, -2))
            into |= _spread(spot, coming, [22.0] * len(coming), self.back)
        return out, into


def _pull(spot: _Spot, other: _Spot) -> float:
    """How hard a line pulls to be upright: hardest where it passes two rows (Gansner, Koutsofios, North, Vo 1993)."""
    return 1.0 if spot.is_box and other.is_box else 2.0 if spot.is_box or other.is_box else 8.0


def _spread(spot: _Spot, edges: Sequence[Edge], widths: Sequence[float], back: Collection[Edge]) -> dict[Edge, float]:
    """Side by side, each with its width and a little more where there is room; those that lead on about the middle of the box."""
    if not edges:
        return {}
    spare = min(18.0, max(0.0, (spot.width - 16 - sum(widths)) / len(edges)))
    x, found = spot.x - (sum(widths) + spare * len(edges)) / 2, {}
    for edge, width in zip(edges, widths, strict=True):
        found[edge] = x + (width + spare) / 2
        x += width + spare
    onward = [place for edge, place in found.items() if edge not in back]
    free = spot.width / 2 - 8
    shift = spot.x - (min(onward) + max(onward)) / 2 if onward else 0.0
    shift = max(spot.x - free - min(found.values()), min(spot.x + free - max(found.values()), shift))
    return {edge: place + shift for edge, place in found.items()}


def _apart(row: Sequence[_Spot], wanted: Sequence[float], weights: Sequence[float]) -> None:
    """As near as can be to where they want to be, in their order and without touching: the least sum of squares (pool adjacent violators)."""
    offsets, x = [], 0.0
    for before, spot in zip([None, *row], row, strict=False):
        x += 0.0 if before is None else (before.width + spot.width) / 2 + (GAP_X if before.is_box or spot.is_box else THIN)
        offsets.append(x)
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for want, offset, weight in zip(wanted, offsets, weights, strict=True):
        pools.append((want - offset, weight, 1))
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (mean_a, weight_a, count_a), (mean_b, weight_b, count_b) = pools[-2:]
            both = weight_a + weight_b
            pools[-2:] = [((mean_a * weight_a + mean_b * weight_b) / both, both, count_a + count_b)]
    places = [mean for mean, _, count in pools for _ in range(count)]
    for spot, place, offset in zip(row, places, offsets, strict=True):
        spot.x = place + offset


def _leading_back(names: Sequence[str], edges: Sequence[Edge], start: str) -> set[Edge]:
    """Edges to a box on the way from the start to where they begin: without them there are no circles."""
    leaving = {name: [edge for edge in edges if edge.source == name] for name in names}
    found: set[Edge] = set()
    done: set[str] = set()
    for root in [start, *names]:
        if root not in leaving or root in done:
            continue
        way, stack = {root}, [(root, iter(leaving[root]))]
        while stack:
            name, rest = stack[-1]
            edge = next(rest, None)
            if edge is None:
                stack.pop()
                way.discard(name)
                done.add(name)
            elif edge.target in way:
                found.add(edge)
            elif edge.target not in done:
                way.add(edge.target)
                stack.append((edge.target, iter(leaving[edge.target])))
    return found


def _rows(names: Sequence[str], edges: Sequence[Edge], start: str) -> dict[str, int]:
    reached, waiting = {start}, [start]
    while waiting:
        name = waiting.pop()
        new = {edge.target for edge in edges if edge.source == name} - reached
        reached |= new
        waiting += sorted(new)
    rows = dict.fromkeys(names, 0)
    for _ in names:  # the longest way: as many rounds as there are boxes settle it
        moved = False
        for edge in edges:
            if edge.source in reached and rows[edge.target] <= rows[edge.source]:
                rows[edge.target], moved = rows[edge.source] + 1, True
        if not moved:
            break
    last = max((rows[name] for name in reached if name in rows), default=-1)
    return {name: row if name in reached else last + 1 for name, row in rows.items()}


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise

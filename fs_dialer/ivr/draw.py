"""A flow as a picture: its graph in SVG, for a browser or a page, light or dark as its surroundings are.

Pure: a flow in, a Drawing or its SVG out. Knows what stands in a box and how lines are labelled; where they go is layout.py's. Other renderers (PNG, in the
command line) draw the same Drawing. Whatever a flow says is shown as text (D7): escaped, on one line, without control characters.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fs_dialer.core.flow import Ivr, Node
from fs_dialer.ivr.layout import Edge, Line, Place, planned
from fs_dialer.ivr.words import NEXT, OTHERWISE, leaves, symbol, ways

WIDTH, MARGIN, HEAD = 236.0, 32.0, 74.0
PAD, LINE_HEIGHT, MOST_LINES = 14.0, 17.0, 2
SIZES: Mapping[str, float] = {"title": 20, "note": 12, "name": 14, "kind": 10.5, "prompt": 12.5, "fact": 11.5, "label": 12}
FAMILY = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
# Which colour: what is said, asked, done by people, decided, refused; and ends.
GROUPS: Mapping[str, str] = {
    "play": "says", "say": "says", "menu": "asks", "gather": "asks", "rate": "asks", "record": "asks", "connect": "people", "transfer": "people",
    "set": "logic", "if": "logic", "http": "logic", "opt_out": "stop", "end": "good",
}  # fmt: skip
LIGHT = {"paper": "#ffffff", "box": "#f7f9fb", "rim": "#c9d3dc", "ink": "#17212b", "soft": "#566573", "line": "#7b8a99", "back": "#b0722a",
         "says": "#5b7f95", "asks": "#2b6cb0", "people": "#7a4fb5", "logic": "#5f6b76", "stop": "#c0392b", "good": "#2e8b57", "bad": "#a3632b"}  # fmt: skip
DARK = {"paper": "#12181f", "box": "#1c252f", "rim": "#3a4856", "ink": "#e8eef4", "soft": "#a4b2c0", "line": "#8293a4", "back": "#e0a35c",
        "says": "#8fb4ca", "asks": "#6fb1f5", "people": "#b995ee", "logic": "#a4b2c0", "stop": "#ff7b6b", "good": "#5fce90", "bad": "#e0a35c"}  # fmt: skip
SAID_AS = {"number": "as a number", "digits": "digit by digit", "money": "as money", "date": "as a date", "time": "as a time"}
REACHED, AGAIN = "\u2713 reached", "\u21bb called again"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+")


@dataclass(frozen=True, slots=True)
class Text:
    """At its baseline, from the left or (middle) about its place. style: a key of SIZES. colour: a key of LIGHT and DARK."""

    text: str
    x: float
    y: float
    style: str
    colour: str
    middle: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """left, top: its corner. colour: of its stripe. round: it is an end. lost: no way leads there."""

    name: str
    left: float
    top: float
    width: float
    height: float
    colour: str
    texts: tuple[Text, ...]
    round: bool
    lost: bool


@dataclass(frozen=True, slots=True)
class Stroke:
    """moves: (x, y) for a straight line, or three points for a curve, from `start` on; an arrow at its end. label: on a patch about label_at."""

    start: tuple[float, float]
    moves: tuple[tuple[tuple[float, float], ...], ...]
    back: bool
    label: str
    label_at: tuple[float, float]
    label_width: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """In pixels from the upper left corner. begin: where the dot of the beginning stands."""

    title: str
    about: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    strokes: tuple[Stroke, ...]
    texts: tuple[Text, ...]
    begin: tuple[float, float]


# --- what stands in a box ---------------------------------------------------------------------------------------------------------------


def kind_word(node: Node) -> str:
    return {"opt_out": "opt-out", "if": "if", "rate": "rating"}.get(node.do, node.do)


def facts(node: Node) -> list[str]:
    """What a node waits for or does, each on a line; and where the call is over after it."""
    found = _facts(node)
    for way in ways(node):
        if not way.to:
            told = f"{_way_word(node, way.by)}: " if _way_word(node, way.by) else ""
            how = "then it ends" if node.do == "opt_out" else f"ends, {REACHED if leaves(node, way.by) else AGAIN}"
            found.append(told + how)
    return found


def _facts(node: Node) -> list[str]:
    match node.do:
        case "menu":
            return [f"waits {_s(node.timeout_s)}, {_tries(node.tries)}"]
        case "gather":
            low, high = node.digits
            ends = f", then {symbol(node.ends_with)}" if node.ends_with != "none" and low != high else ""
            wanted = f"{low} digits" if low == high and low != 1 else "1 digit" if low == high else f"{low} to {high} digits"
            return [f"{wanted}{ends}, {_tries(node.tries)}", *([f"like {node.pattern}"] if node.pattern else [])]
        case "rate":
            return [f"{node.low} to {node.high}, {_tries(node.tries)}"]
        case "record":
            return [f"{'voice mail' if node.voicemail else 'recording'}, at most {_s(node.at_most_s)}"]
        case "connect":
            who = [*(f"team {team}" for team in node.teams), *node.people]
            return [f"to {', '.join(who)}" if who else "to the campaign's agents"]
        case "transfer":
            return [f"to {node.number}, rings {_s(node.ring_s)}"]
        case "set":
            return [f"{name} = {value}" for name, value in node.set]
        case "if":
            return [f"{node.what} is {' or '.join(node.among)}"]
        case "http":
            return [re.sub(r"^https?://", "", node.url), f"waits {_s(node.timeout_s)}" + (f", takes {', '.join(node.take)}" if node.take else "")]
        case "opt_out":
            return ["his number is never called again" if node.list == "own" else f"onto the list {node.list}"]
        case "end":
            return [REACHED if node.success else AGAIN]
        case _:
            return []


def said(node: Node) -> list[str]:
    """What is played: files by their last name."""
    found = [f"\u266a {node.sound.rpartition('/')[2] or node.sound}"] if node.sound else []
    if node.text:
        found.append(f"{node.text}, {SAID_AS[node.say_as]}" if node.do == "say" and node.say_as in SAID_AS else f"\u201c{node.text}\u201d")
    return found


def labels(node: Node) -> dict[str, str]:
    """How the ways out of a node are labelled, by the node they lead to: keys together, and no label where an answer and none lead to the same."""
    by_target: dict[str, list[str]] = {}
    for way in ways(node):
        if way.to:
            by_target.setdefault(way.to, []).append(_way_word(node, way.by))
    return {to: " ".join(words) if all(words) else "" for to, words in by_target.items()}


def _way_word(node: Node, by: str) -> str:
    if by == OTHERWISE:
        return {"if": "else", "connect": "nobody", "transfer": "nobody", "http": "failed"}.get(node.do, "no answer")
    if by == NEXT:
        return {"if": "yes", "http": "ok"}.get(node.do, "")
    return by


def _s(seconds: float) -> str:
    if seconds >= 60 and seconds % 60 == 0:
        return f"{seconds / 60:g} min"
    return f"{seconds:g} s"


def _tries(count: int) -> str:
    return "1 try" if count == 1 else f"{count} tries"


# --- the drawing ----------------------------------------------------------------------------------------------------------------------


def drawing(ivr: Ivr) -> Drawing:
    """The whole picture. Nodes to which no way leads are drawn dashed, below the others."""
    nodes = {node.name: node for node in ivr.nodes}
    edges = [Edge(node.name, to, label, text_width(label, "label") + 16) for node in ivr.nodes for to, label in labels(node).items()]
    contents = {name: _content(node) for name, node in nodes.items()}
    sizes = {name: (_box_width(name, edges, contents[name]), _box_height(contents[name])) for name in nodes}
    plan = planned(sizes, edges, ivr.first)
    title, about = _clean(ivr.title or ivr.name), _about(ivr)
    width = max(plan.right - plan.left, text_width(title, "title"), text_width(about, "note")) + 2 * MARGIN
    dx, dy = (width - (plan.right - plan.left)) / 2 - plan.left, HEAD + MARGIN
    reached = _reached(ivr)
    boxes = tuple(_box(nodes[name], place, contents[name], dx, dy, lost=name not in reached) for name, place in plan.places.items())
    first = plan.places.get(ivr.first)
    return Drawing(
        title,
        about,
        width,
        plan.height + dy + MARGIN,
        boxes,
        tuple(_stroke(line, dx, dy) for line in plan.lines),
        (Text(title, MARGIN, 34, "title", "ink"), Text(about, MARGIN, 54, "note", "soft")),
        (first.x + dx if first else MARGIN, dy - 26),
    )


def _about(ivr: Ivr) -> str:
    many = f"{len(ivr.nodes)} nodes" if len(ivr.nodes) != 1 else "1 node"
    return _clean(f"{ivr.name} · {many} · language {ivr.language} · at most {_s(ivr.at_most_s)}")


def _content(node: Node) -> list[tuple[str, str]]:
    """Lines of a box below its head: style and text."""
    found = [("prompt", line) for text in said(node) for line in _wrapped(_clean(text), "prompt", WIDTH - 2 * PAD, MOST_LINES)]
    return found + [("fact", line) for text in facts(node) for line in _wrapped(_clean(text), "fact", WIDTH - 2 * PAD, MOST_LINES)]


def _box_width(name: str, edges: Sequence[Edge], content: Sequence[tuple[str, str]]) -> float:
    return max(WIDTH, sum(edge.width for edge in edges if edge.source == name) + 16, text_width(name, "name") + 90)


def _box_height(content: Sequence[tuple[str, str]]) -> float:
    return 34 + LINE_HEIGHT * len(content) + (6 if content else 0)


def _box(node: Node, place: Place, content: Sequence[tuple[str, str]], dx: float, dy: float, *, lost: bool) -> Box:
    left, top = place.x - place.width / 2 + dx, place.y + dy
    colour = "bad" if node.do == "end" and not node.success else GROUPS.get(node.do, "logic")
    kind = kind_word(node).upper()
    texts = [
        Text(_clean(node.name), left + PAD, top + 22, "name", "ink"),
        Text(kind, left + place.width - PAD - text_width(kind, "kind") - 0.5 * len(kind), top + 21, "kind", colour),
    ]
    for number, (style, line) in enumerate(content):
        ink = colour if node.do == "end" and style == "fact" else "ink" if style == "prompt" else "soft"
        texts.append(Text(line, left + PAD, top + 43 + LINE_HEIGHT * number, style, ink))
    return Box(_clean(node.name), left, top, place.width, place.height, colour, tuple(texts), node.do == "end", lost)


def _stroke(line: Line, dx: float, dy: float) -> Stroke:
    points = [(x + dx, y + dy) for x, y in line.points]
    moves = _angular(points) if line.back else _curved(points)
    at = (points[0][0], points[0][1] + 17)
    return Stroke(points[0], tuple(moves), line.back, _clean(line.edge.label), at, line.edge.width - 6)


def _curved(points: Sequence[tuple[float, float]]) -> list[tuple[tuple[float, float], ...]]:
    """Straight where it goes straight down, else an S that leaves and arrives upright."""
    moves: list[tuple[tuple[float, float], ...]] = []
    for (x1, y1), (x2, y2) in pairwise(points):
        bend = (y2 - y1) * 0.55
        moves.append(((x2, y2),) if abs(x1 - x2) < 0.5 else ((x1, y1 + bend), (x2, y2 - bend), (x2, y2)))
    return moves


def _angular(points: Sequence[tuple[float, float]], radius: float = 9) -> list[tuple[tuple[float, float], ...]]:
    """Right angles with round corners."""
    moves: list[tuple[tuple[float, float], ...]] = []
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into, out = _towards(corner, before, radius), _towards(corner, after, radius)
        moves += [(into,), (corner, corner, out)]
    return [*moves, (points[-1],)]


def _towards(start: tuple[float, float], end: tuple[float, float], far: float) -> tuple[float, float]:
    length = abs(end[0] - start[0]) + abs(end[1] - start[1])  # one of the two is 0
    share = min(far, length / 2) / length if length else 0.0
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _reached(ivr: Ivr) -> set[str]:
    found, waiting = set[str](), [ivr.first]
    while waiting:
        node = ivr.node(waiting.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            waiting += [way.to for way in ways(node)]
    return found


# --- texts ----------------------------------------------------------------------------------------------------------------------------


def text_width(text: str, style: str) -> float:
    """Pixels, rather too many than too few: the fonts of other machines are not known."""
    size = SIZES[style] * (1.06 if style in ("title", "name", "label") else 1.0)
    return size * sum(_share(each) for each in text)


def _share(each: str) -> float:
    if unicodedata.combining(each):
        return 0.0
    if unicodedata.east_asian_width(each) in "WF":
        return 1.0
    if each in "iljtfrI.,:;'|!()[] /\u201c\u201d":
        return 0.36
    return 0.92 if each in "mwMW@%\u2013\u2014" else 0.68 if each.isupper() else 0.58


def _wrapped(text: str, style: str, width: float, most: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if text_width(longer, style) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    cut = len(lines) > most
    return [_cut(line, style, width, dots=cut and at == most - 1) for at, line in enumerate(lines[:most])]


def _cut(line: str, style: str, width: float, *, dots: bool) -> str:
    if not dots and text_width(line, style) <= width:
        return line
    while line and text_width(line + "\u2026", style) > width:
        line = line[:-1]
    return line.rstrip() + "\u2026"


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text)


# --- SVG ------------------------------------------------------------------------------------------------------------------------------


def svg(ivr: Ivr) -> str:
    """The picture as an SVG file. Equal flows give the same file, byte for byte."""
    picture = drawing(ivr)
    width, height = round(picture.width), round(picture.height)
    body = [
        f'<rect class="paper" width="{width}" height="{height}"/>',
        *(_svg_line(stroke) for stroke in picture.strokes),
        _svg_begin(picture),
        *(_svg_box(box) for box in picture.boxes),
        *(_svg_label(stroke) for stroke in picture.strokes if stroke.label),
        *(_svg_text(text) for text in picture.texts),
    ]
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">'
    return "\n".join([opening, f"<title>{html.escape(picture.title)}</title>", f"<style>{_style()}</style>", _ARROWS, *body, "</svg>", ""])


_MARKER = (
    '<marker id="{0}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path class="f-{1}" d="M0 1 10 5 0 9z"/></marker>'
)
_ARROWS = f"<defs>{_MARKER.format('on', 'line')}{_MARKER.format('back', 'back')}</defs>"


def _style() -> str:
    rules = [f"text{{font-family:{FAMILY}}}", ".title,.name,.label{font-weight:600}", ".kind{font-weight:700;letter-spacing:.04em}"]
    rules += [f".{name}{{font-size:{size:g}px}}" for name, size in SIZES.items()]
    rules += [".line{fill:none;stroke-width:1.5}", ".back{fill:none;stroke-width:1.5;stroke-dasharray:5 4}", ".lost{stroke-dasharray:5 4;opacity:.7}"]
    dark = "".join(_colours(DARK))
    return "".join([*rules, *_colours(LIGHT), "@media (prefers-color-scheme:dark){", dark, "}"])


def _colours(palette: Mapping[str, str]) -> list[str]:
    found = [f".f-{name}{{fill:{colour}}}" for name, colour in palette.items()]
    found += [f".paper{{fill:{palette['paper']}}}", f".box{{fill:{palette['box']};stroke:{palette['rim']}}}"]
    return [*found, f".line{{stroke:{palette['line']}}}", f".back{{stroke:{palette['back']}}}"]


def _svg_line(stroke: Stroke) -> str:
    kind = "back" if stroke.back else "line"
    way = "".join((" L" if len(move) == 1 else " C") + " ".join(f"{x:.1f},{y:.1f}" for x, y in move) for move in stroke.moves)
    return f'<path class="{kind}" marker-end="url(#{"back" if stroke.back else "on"})" d="M{stroke.start[0]:.1f},{stroke.start[1]:.1f}{way}"/>'


def _svg_begin(picture: Drawing) -> str:
    x, y = picture.begin
    line = f'<path class="line" marker-end="url(#on)" d="M{x:.1f},{y + 7:.1f} L{x:.1f},{y + 26:.1f}"/>'
    return f'<circle class="f-good" cx="{x:.1f}" cy="{y:.1f}" r="7"/>{line}'


def _svg_box(box: Box) -> str:
    radius = min(18.0, box.height / 2) if box.round else 7.0
    frame = f'x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius:g}"'
    stripe = "" if box.round else f'<rect class="f-{box.colour}" x="{box.left:.1f}" y="{box.top + 7:.1f}" width="4" height="{box.height - 14:.1f}"/>'
    lost = " lost" if box.lost else ""
    return f'<g><rect class="box{lost}" {frame}/>{stripe}{"".join(map(_svg_text, box.texts))}</g>'


def _svg_label(stroke: Stroke) -> str:
    x, y = stroke.label_at
    patch = f'<rect class="paper" x="{x - stroke.label_width / 2:.1f}" y="{y - 9:.1f}" width="{stroke.label_width:.1f}" height="18" rx="9"/>'
    return patch + _svg_text(Text(stroke.label, x, y + 4.2, "label", "back" if stroke.back else "ink", middle=True))


def _svg_text(text: Text) -> str:
    anchor = ' text-anchor="middle"' if text.middle else ""
    return f'<text class="{text.style} f-{text.colour}" x="{text.x:.1f}" y="{text.y:.1f}"{anchor}>{html.escape(text.text)}</text>'

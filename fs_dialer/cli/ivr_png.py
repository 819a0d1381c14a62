"""A drawn flow as a PNG, by matplotlib: an extra (docs/decisions/0007-plots.md), imported when somebody asks for one.

The same Drawing as the SVG's, in the colours for light paper. Texts are set in matplotlib's own font, so that every machine makes the same picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fs_dialer.core.flow import Ivr
from fs_dialer.errors import FsDialerError
from fs_dialer.ivr.draw import LIGHT, SIZES, Box, Drawing, Stroke, Text, drawing

DPI = 144  # twice as fine as the SVG's pixels, for screens and print
PIXELS_PER_INCH = 72.0  # so that a font's size in pixels is its size in points
BOLD = frozenset({"title", "name", "label", "kind"})
NARROW = 0.94  # matplotlib's font is wider than those of browsers


def write_png(ivr: Ivr, path: Path) -> None:
    """FsDialerError where matplotlib is not there; OSError where the file can not be written."""
    figure, patches = _library()
    picture = drawing(ivr)
    page = figure(figsize=(picture.width / PIXELS_PER_INCH, picture.height / PIXELS_PER_INCH), dpi=DPI, facecolor=LIGHT["paper"])
    axes = page.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    axes.axis("off")
    for stroke in picture.strokes:
        _stroke(axes, patches, stroke)
    _begin(axes, patches, picture)
    for box in picture.boxes:
        _box(axes, patches, box)
    for stroke in picture.strokes:
        if stroke.label:
            _label(axes, patches, stroke)
    for text in picture.texts:
        _text(axes, text)
    page.savefig(path, dpi=DPI, metadata={"Software": None})


def _library() -> tuple[Any, Any]:
    try:
        import matplotlib
        from matplotlib import patches
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise FsDialerError("a PNG needs matplotlib, which is not installed: pip install 'fs-dialer[plots]', or draw an .svg") from None
    matplotlib.rcParams["svg.hashsalt"] = "fs-dialer"

    def figure(**settings: Any) -> Any:
        made = Figure(**settings)
        FigureCanvasAgg(made)
        return made

    return figure, patches


def _stroke(axes: Any, patches: Any, stroke: Stroke) -> None:
    from matplotlib.path import Path as Line

    points, codes = [stroke.start], [Line.MOVETO]
    for move in stroke.moves:
        points += move
        codes += [Line.LINETO] if len(move) == 1 else [Line.CURVE4] * 3
    colour = LIGHT["back" if stroke.back else "line"]
    dashes = {"linestyle": (0, (4, 3))} if stroke.back else {}
    axes.add_patch(patches.PathPatch(Line(points, codes), fill=False, edgecolor=colour, linewidth=1.5, **dashes))
    _arrow(axes, patches, stroke.moves[-1][-1], colour)


def _arrow(axes: Any, patches: Any, tip: tuple[float, float], colour: str) -> None:
    """Lines arrive from above."""
    x, y = tip
    axes.add_patch(patches.Polygon(((x - 4.5, y - 9), (x + 4.5, y - 9), (x, y)), closed=True, facecolor=colour, edgecolor="none"))


def _begin(axes: Any, patches: Any, picture: Drawing) -> None:
    x, y = picture.begin
    axes.add_patch(patches.Circle((x, y), 7, facecolor=LIGHT["good"], edgecolor="none"))
    axes.plot((x, x), (y + 7, y + 20), color=LIGHT["line"], linewidth=1.5)
    _arrow(axes, patches, (x, y + 26), LIGHT["line"])


def _box(axes: Any, patches: Any, box: Box) -> None:
    radius = min(18.0, box.height / 2) if box.round else 7.0
    style = f"round,pad=0,rounding_size={radius}"
    look = {"linestyle": (0, (4, 3))} if box.lost else {}
    corner = (box.left, box.top)
    axes.add_patch(patches.FancyBboxPatch(corner, box.width, box.height, boxstyle=style, facecolor=LIGHT["box"], edgecolor=LIGHT["rim"], **look))
    if not box.round:
        axes.add_patch(patches.Rectangle((box.left, box.top + 7), 4, box.height - 14, facecolor=LIGHT[box.colour], edgecolor="none"))
    for text in box.texts:
        _text(axes, text)


def _label(axes: Any, patches: Any, stroke: Stroke) -> None:
    x, y = stroke.label_at
    axes.add_patch(patches.Rectangle((x - stroke.label_width / 2, y - 9), stroke.label_width, 18, facecolor=LIGHT["paper"], edgecolor="none"))
    _text(axes, Text(stroke.label, x, y + 4.2, "label", "back" if stroke.back else "ink", middle=True))


def _text(axes: Any, text: Text) -> None:
    """`parse_math` off: a $ in a prompt is a $."""
    axes.text(
        text.x,
        text.y,
        text.text,
        fontsize=SIZES[text.style] * NARROW,
        color=LIGHT[text.colour],
        fontweight="bold" if text.style in BOLD else "normal",
        horizontalalignment="center" if text.middle else "left",
        verticalalignment="baseline",
        parse_math=False,
    )

"""Where boxes and lines go: rows from top to bottom, no box over another, no line through a box."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.ivr.layout import Edge, Place, Plan, planned


def a_plan(*edges: tuple[str, str], start: str = "a", size: tuple[float, float] = (200.0, 60.0)) -> Plan:
    names = dict.fromkeys(name for edge in edges for name in edge)
    return planned(dict.fromkeys(names, size), [Edge(source, target, "1", 20.0) for source, target in edges], start)


def test_what_follows_stands_below() -> None:
    places = a_plan(("a", "b"), ("b", "c"), ("a", "c")).places
    assert places["a"].y < places["b"].y < places["c"].y


def test_a_chain_is_upright() -> None:
    plan = a_plan(("a", "b"), ("b", "c"))
    assert len({round(place.x) for place in plan.places.values()}) == 1


def test_what_leads_back_goes_round_outside() -> None:
    plan = a_plan(("a", "b"), ("b", "c"), ("c", "a"))
    (back,) = [line for line in plan.lines if line.back]
    assert (back.edge.source, back.edge.target) == ("c", "a")
    edge_of_boxes = {place.x - place.width / 2 for place in plan.places.values()} | {place.x + place.width / 2 for place in plan.places.values()}
    assert any(x < min(edge_of_boxes) or x > max(edge_of_boxes) for x, _ in back.points)


def test_a_box_that_nothing_leads_to_stands_below_all_others() -> None:
    places = a_plan(("a", "b"), ("lost", "b")).places
    assert places["lost"].y > places["b"].y > places["a"].y


def test_a_node_that_leads_to_itself_has_a_line_round_itself() -> None:
    (line,) = a_plan(("a", "a")).lines
    assert line.back and line.points[0][1] > line.points[-1][1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=1, max_size=30, unique=True))
def test_no_box_touches_another_and_no_line_goes_through_one(pairs: list[tuple[int, int]]) -> None:
    plan = a_plan(*((f"n{a}", f"n{b}") for a, b in pairs), start=f"n{pairs[0][0]}")
    boxes = list(plan.places.values())
    assert not any(_overlap(one, other) for at, one in enumerate(boxes) for other in boxes[at + 1 :])
    for line in plan.lines:
        for (x1, y1), (x2, y2) in zip(line.points, line.points[1:], strict=False):
            for name, box in plan.places.items():
                if y1 == y2 or x1 == x2:  # the straight parts; curves stay between two rows
                    assert not _through((x1, y1, x2, y2), box), (line.edge, name)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20, unique=True))
def test_equal_graphs_give_equal_pictures(pairs: list[tuple[int, int]]) -> None:
    edges = [(f"n{a}", f"n{b}") for a, b in pairs]
    assert a_plan(*edges, start="n0") == a_plan(*edges, start="n0")


def _overlap(one: Place, other: Place) -> bool:
    beside = abs(one.x - other.x) >= (one.width + other.width) / 2 - 0.01
    return not beside and one.y < other.y + other.height and other.y < one.y + one.height


def _through(line: tuple[float, float, float, float], box: Place) -> bool:
    """Does an upright or level line touch the inside of the box?"""
    x1, y1, x2, y2 = line
    left, right = box.x - box.width / 2 + 0.5, box.x + box.width / 2 - 0.5
    top, bottom = box.y + 0.5, box.y + box.height - 0.5
    return min(x1, x2) < right and max(x1, x2) > left and min(y1, y2) < bottom and max(y1, y2) > top

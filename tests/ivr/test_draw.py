"""A flow as a picture: everything is in it, in words that nothing can break out of (D7)."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from fs_dialer.core.flow import NODE_KINDS
from fs_dialer.ivr.draw import AGAIN, REACHED, drawing, facts, labels, said, svg, text_width
from tests.ivr.a_flow import EVERY_KIND, a_flow, node

pytestmark = pytest.mark.spec("S52")
SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(picture).iter(f"{SVG}text")]


def test_every_node_has_a_box_with_its_name_and_kind() -> None:
    assert {each.do for each in EVERY_KIND.nodes} == set(NODE_KINDS)
    found = texts(svg(EVERY_KIND))
    assert {each.name for each in EVERY_KIND.nodes} <= set(found)
    assert {"MENU", "GATHER", "OPT-OUT", "RATING", "END"} <= set(found)


def test_the_picture_is_whole_xml_and_the_same_each_time() -> None:
    assert ET.fromstring(svg(EVERY_KIND)).tag == f"{SVG}svg"
    assert svg(EVERY_KIND) == svg(EVERY_KIND)


@pytest.mark.spec("D7")
def test_what_a_flow_says_can_not_leave_its_text() -> None:
    nasty = "</text><script>alert(1)</script>&\"'${system(id)}\x00\x1b[2J\u202e"
    flow = a_flow(node("a", "play", text=nasty, next="b"), node("b", "http", url=f"https://x/{nasty}", next="c"), node("c", "end"), title=nasty)
    root = ET.fromstring(svg(flow))
    assert {each.tag for each in root.iter()} <= {SVG + tag for tag in "svg title style defs marker path rect circle g text".split()}
    assert not any("\x1b" in text or "\u202e" in text for text in texts(svg(flow)))


def test_lines_are_labelled_with_the_keys_that_lead_there() -> None:
    menu = node("main", "menu", keys=(("1", "a"), ("2", "b"), ("star", "a"), ("hash", "main")), otherwise="b")
    assert labels(menu) == {"a": "1 *", "b": "2 no answer", "main": "#"}


def test_a_line_that_is_taken_either_way_has_no_label() -> None:
    assert labels(node("mark", "rate", next="bye", otherwise="bye")) == {"bye": ""}


@pytest.mark.spec("D13")
def test_ends_say_what_becomes_of_the_lead() -> None:
    assert facts(node("bye", "end")) == [REACHED] and facts(node("no", "end", success=False)) == [AGAIN]
    assert facts(node("bye", "play", sound="a.wav")) == [f"ends, {REACHED}"]
    assert facts(node("main", "menu", keys=(("1", "a"),), tries=1)) == ["waits 5 s, 1 try", f"no answer: ends, {AGAIN}"]


def test_settings_are_told_in_words() -> None:
    assert facts(node("pin", "gather", digits=(4, 8), pattern="\\d+", next="a", otherwise="a")) == ["4 to 8 digits, then #, 3 tries", "like \\d+"]
    assert facts(node("x", "connect", teams=("collections",), people=("lan",), otherwise="a")) == ["to team collections, lan"]
    assert said(node("x", "say", sound="sounds/you-owe.wav", text="{due}", say_as="money")) == ["\u266a you-owe.wav", "{due}, as money"]


def test_a_long_prompt_is_cut_and_no_text_is_wider_than_its_box() -> None:
    flow = a_flow(node("a-node-with-a-rather-long-name-32", "play", text="word " * 60 + "W" * 80, next="b"), node("b", "end"))
    for box in drawing(flow).boxes:
        for text in box.texts:
            assert text.x >= box.left and text.x + text_width(text.text, text.style) <= box.left + box.width
    assert any(text.endswith("\u2026") for text in texts(svg(flow)))


def test_a_node_that_nothing_leads_to_is_dashed() -> None:
    flow = a_flow(node("a", "end"), node("lost", "play", sound="a.wav", next="a"))
    assert {box.name: box.lost for box in drawing(flow).boxes} == {"a": False, "lost": True}
    assert 'class="box lost"' in svg(flow)


def test_everything_is_inside_the_picture() -> None:
    picture = drawing(EVERY_KIND)
    for box in picture.boxes:
        assert box.left >= 0 and box.left + box.width <= picture.width and box.top >= 0 and box.top + box.height <= picture.height
    for stroke in picture.strokes:
        for x, y in (stroke.start, *(point for move in stroke.moves for point in move)):
            assert 0 <= x <= picture.width and 0 <= y <= picture.height


def test_it_is_readable_on_dark_and_light_paper() -> None:
    assert "@media (prefers-color-scheme:dark)" in svg(EVERY_KIND)


def test_a_flow_without_nodes_is_an_empty_page() -> None:
    assert ET.fromstring(svg(a_flow())).tag == f"{SVG}svg"

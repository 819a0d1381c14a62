"""YAML's outside: whatever the bytes are, a tree of texts with places, or problems that a person can mend."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config import yaml_source
from fs_dialer.config.yaml_source import MAX_BYTES, Listing, Scalar, Table, YamlFile, read_yaml


def told(data: str | bytes) -> list[str]:
    return [str(problem) for problem in read_yaml("x.yml", data.encode() if isinstance(data, str) else data).problems]


def texts(data: str) -> dict[str, str]:
    file = read_yaml("x.yml", data.encode())
    assert file.root is not None and not file.problems
    return {key: entry.value.text for key, entry in file.root.entries.items() if isinstance(entry.value, Scalar)}


@pytest.mark.spec("D18")
def test_every_scalar_stays_the_text_that_was_written() -> None:
    """D18: YAML 1.1 would make 480, a number, False, null and a date of these."""
    assert texts("a: 8:00\nb: +84912345678\nc: no\nd: ~\ne: 2026-12-01\nf: 0x10\ng: 1_000") == {
        "a": "8:00",
        "b": "+84912345678",
        "c": "no",
        "d": "~",
        "e": "2026-12-01",
        "f": "0x10",
        "g": "1_000",
    }


def test_every_node_knows_its_line_and_column() -> None:
    root = read_yaml("x.yml", b"a: 1\nb:\n  c: [x, y]\n").root
    assert root is not None
    inner = root.entries["b"].value
    assert isinstance(inner, Table)
    listing = inner.entries["c"].value
    assert isinstance(listing, Listing)
    assert [(item.line, item.column) for item in listing.items] == [(3, 7), (3, 10)]
    assert (inner.entries["c"].key.line, inner.entries["c"].key.column) == (3, 3)


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    file = read_yaml("x.yml", b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert file.root is not None and list(file.root.entries) == ["a", "b"] and not file.problems


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        ("a: 1\na: 2\n", "2:1", "second time, first in line 1"),
        ("a: &x 1\n", "1:4", "&x marks"),
        ("a: *x\n", "1:4", "*x repeats"),
        ("a: 1\n<<: {b: 2}\n", "2:1", "merges"),
        ("a: !!int 5\n", "1:4", "tag"),
        ("a: !!python/object/apply:os.system [ls]\n", "1:4", "tag"),
        ("a:\n\tb: 1\n", "2:1", "tab"),
        ("a: 1\n---\nb: 2\n", "2:1", "second document"),
        ("a: 'x\n", "1:4", "quote is opened"),
        ("a: [1, 2\n", "1:4", "[ is opened"),
        ("a: {b: 1\n", "1:4", "{ is opened"),
        ("a: b: c\n", "1:5", "quotes"),
        ("a: @b\n", "1:4", "quotes"),
        ("*: hold\n", "1:2", "star"),
        ('a: "\\0"\n', "1:4", "U+0000"),
        ('a: "\\ud800"\n', "1:4", "U+D800"),
        ("a: \x00\n", "1:4", "NUL"),
        ("a: \u2028b\n", "1:4", "U+2028"),
        ("? [x]\n: y\n", "1:3", "plain text"),
        ("- a\n- b\n", "1:1", "a list"),
        ("hello\n", "1:1", "a text"),
    ],
)
def test_what_we_leave_out_of_yaml_is_told_with_its_place(data: str, where: str, what: str) -> None:
    (problem,) = told(data)
    assert problem.startswith(f"x.yml:{where}  ") and what in problem


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"# only a comment\n", "empty"),
        (b"\xff\xfea\x00", "UTF-16"),
        ("a: 1".encode("utf-16-be"), "NUL"),
        (b'a: "\\UFFFFFFFF"', "too large"),
        (b"%YAML " + b"9" * 5000 + b".1\n---\na: 1", "too large"),
        (b"a: " + b"x" * MAX_BYTES, "1,000,000"),
    ],
)
def test_what_is_no_settings_file_at_all_is_told(data: bytes, what: str) -> None:
    (problem,) = told(data)
    assert what in problem


def test_a_byte_that_is_no_utf_8_is_told_with_its_place() -> None:
    assert told("a: é\nb: ".encode() + b"\xe9\n") == ["x.yml:2:4  byte 0xe9 is not UTF-8: save the file as UTF-8"]


def test_all_mistakes_that_leave_the_tree_readable_are_told_at_once() -> None:
    assert len(told("a: *x\nb: &y 1\nc: !!int 3\nd: 1\nd: 2\n")) == 4


@pytest.mark.parametrize("data", [b"[" * 900_000, b"{a: " * 200_000, b"- " * 400_000, b"? " * 400_000])
def test_deep_nesting_is_refused_before_anything_recurses(data: bytes) -> None:
    (problem,) = told(data)
    assert "deep" in problem


def test_a_billion_laughs_are_refused_at_the_first_one() -> None:
    laughs = 'a: &a ["lol", "lol"]\n' + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    assert any("&a marks" in problem for problem in told(laughs))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_no_bytes_make_it_raise(data: bytes) -> None:
    file = read_yaml("x.yml", data)
    assert file.root is not None or file.problems


@given(st.text(alphabet="ab:{}[]&*!|>'\"%@`,-? #\n\t\\", max_size=60))
@settings(deadline=None, max_examples=300)
def test_no_text_makes_it_raise_and_every_problem_is_inside_the_file(text: str) -> None:
    file = read_yaml("x.yml", text.encode())
    assert all(problem.line <= len(text.split("\n")) for problem in file.problems)


# --- the two parsers ------------------------------------------------------------------------------------------------------------------

PIECES = [
    *("a: b\n", "  - x\n", "{a: 1, b: [c, d]}", "{a: , b: c}", "# c\n", "é: ü\n", "'it''s'", '"q\\n"', "|\n  x\n", ">\n y\n", ": ", "- ", "? ", "\n", "  "),
    *("[", "]", "{", "}", ",", "8:00-20:00", "::", "&a ", "*a", "!!int ", "---\n", "...\n", "%", "@", "`", "<<: x\n", "a:b", "-1", "~", "\t", "#x", "'", ":x"),
]


@pytest.mark.skipif(yaml_source._FAST is None, reason="PyYAML was built without libyaml")
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
@settings(deadline=None, max_examples=400)
def test_libyaml_and_pyyaml_make_the_same_tree_of_the_same_text(text: str) -> None:
    """libyaml takes a `?` inside a flow, as YAML 1.2 does, and PyYAML's own parser does not: that alone may differ."""
    fast, slow = read_yaml("x.yml", text.encode()), YamlFile("x.yml")
    try:
        slow.root = yaml_source._document(slow, yaml.parse(text, Loader=yaml.BaseLoader))
    except (yaml.YAMLError, yaml_source._Unreadable):
        return
    if fast.root is not None or slow.root is not None:
        assert fast.root == slow.root


def test_nothing_written_is_told_where_its_key_stands() -> None:
    file = read_yaml("x.yml", b"a: 1\nring:\n\n\nb: 2\n")
    assert file.root is not None
    assert file.root.entries["ring"].value == Scalar("", 2, 1)

"""docs/coverage.md says what the tests' markers say, no marker is a slip, and the numbers that nothing shows are few and known by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from docs import _coverage
from docs._coverage import Shown, read_numbers, read_tests, unshown
from fs_dialer.errors import ConfigError

# What is promised by now and no test shows yet. It shrinks as the work lands and never grows; empty, it goes.
NOT_SHOWN_YET: set[str] = set()

LAST = {"S": 90, "M": 25, "D": 18, "X": 9}
MOST_WORDS = 12


@pytest.fixture(scope="module")
def numbers() -> dict[str, _coverage.Number]:
    return read_numbers(_coverage.NUMBERS)


@pytest.fixture(scope="module")
def shown(numbers: dict[str, _coverage.Number]) -> list[Shown]:
    return read_tests(numbers, _coverage.TESTS)


# --- the tree as it is ------------------------------------------------------------------------------------------------


def test_the_page_is_what_the_tests_say() -> None:
    assert _coverage.PAGE.read_text(encoding="utf-8") == _coverage.made(), "python -m docs._coverage"


def test_the_numbers_are_those_of_the_specification_each_in_a_short_line(numbers: dict[str, _coverage.Number]) -> None:
    assert list(numbers) == [f"{kind}{n}" for kind, last in LAST.items() for n in range(1, last + 1)]
    assert [number.name for number in numbers.values() if not 1 <= len(number.what.split()) <= MOST_WORDS] == []


def test_no_number_is_without_a_test_but_those_we_know_of(numbers: dict[str, _coverage.Number], shown: list[Shown]) -> None:
    assert sorted(set(unshown(numbers.values(), shown)) - NOT_SHOWN_YET) == []


def test_what_is_shown_is_no_longer_excused(numbers: dict[str, _coverage.Number], shown: list[Shown]) -> None:
    """Else the next change could lose its tests unnoticed."""
    assert sorted(NOT_SHOWN_YET - set(unshown(numbers.values(), shown))) == [], "take them out of NOT_SHOWN_YET"


# --- how markers are read ---------------------------------------------------------------------------------------------

Read = Callable[[str], list[tuple[str, str, int]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Number, test and reach of each marker in a file of tests with this text."""

    def read(text: str) -> list[tuple[str, str, int]]:
        (tmp_path / "tests" / "core").mkdir(parents=True)
        (tmp_path / "tests" / "core" / "test_made_up.py").write_text(text, encoding="utf-8")
        found = read_tests(["S1", "S2", "S3"], tmp_path / "tests")
        assert {each.file for each in found} <= {"tests/core/test_made_up.py"}
        return [(each.number, each.test, each.reach) for each in found]

    return read


def told(read: Read, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_marker_on_a_test_shows_each_of_its_numbers(read: Read) -> None:
    assert read('@pytest.mark.spec("S1", "S3")\ndef test_a(): ...\ndef test_b(): ...\n') == [("S1", "test_a", 0), ("S3", "test_a", 0)]


def test_a_marker_on_one_case_is_its_tests(read: Read) -> None:
    text = '@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.spec("S2"))])\ndef test_a(x): ...\n'
    assert read(text) == [("S2", "test_a", 0)]


def test_a_marker_on_a_class_is_every_tests_in_it(read: Read) -> None:
    text = '@pytest.mark.spec("S1")\nclass Contract:\n    def test_a(self): ...\n    def help(self): ...\n    async def test_b(self): ...\n'
    assert read(text) == [("S1", "Contract::test_a", 1), ("S1", "Contract::test_b", 1)]


@pytest.mark.parametrize("mark", ['pytest.mark.spec("S1")', '[pytest.mark.slow, pytest.mark.spec("S1")]'])
def test_a_modules_marker_is_every_tests_in_it(read: Read, mark: str) -> None:
    assert read(f"pytestmark = {mark}\ndef test_a(): ...\nclass TestB:\n    def test_b(self): ...\n") == [("S1", "test_a", 2), ("S1", "TestB::test_b", 2)]


def test_a_class_may_say_it_inside(read: Read) -> None:
    assert read('class TestB:\n    pytestmark = pytest.mark.spec("S2")\n    def test_b(self): ...\n') == [("S2", "TestB::test_b", 1)]


def test_a_number_said_twice_of_one_test_counts_once_and_as_its_own(read: Read) -> None:
    text = 'pytestmark = pytest.mark.spec("S1")\n@pytest.mark.spec("S1")\n@pytest.mark.spec("S2")\ndef test_a(): ...\n'
    assert read(text) == [("S1", "test_a", 0), ("S2", "test_a", 0)]


def test_an_unknown_number_is_told_with_its_file_and_line_once(read: Read) -> None:
    text = '@pytest.mark.spec("S1")\ndef test_a(): ...\n\n@pytest.mark.spec("S4")\nclass TestB:\n    def test_b(self): ...\n    def test_c(self): ...\n'
    assert told(read, text) == ["tests/core/test_made_up.py:4:19  'S4' is no number of spec_numbers.yml"]


@pytest.mark.parametrize("arguments", ["", '"S1", why="so"'])
def test_a_marker_holds_numbers_and_nothing_else(read: Read, arguments: str) -> None:
    (problem,) = told(read, f"@pytest.mark.spec({arguments})\ndef test_a(): ...\n")
    assert problem.startswith("tests/core/test_made_up.py:1:2  a spec marker holds numbers and nothing else")


@pytest.mark.parametrize(
    "text",
    [
        '@pytest.fixture\n@pytest.mark.spec("S1")\ndef made(): ...\n',
        'CASES = (\n    pytest.param(1, marks=pytest.mark.spec("S1")),)\ndef test_a(): ...\n',
        "\n@pytest.mark.spec\ndef test_a(): ...\n",
        '\n@pytest.mark.spec("S1")\nclass TestNothing: ...\n',
    ],
    ids=["a fixture", "a table of cases", "no numbers", "a class without tests"],
)
def test_a_marker_that_stands_on_no_test_is_told(read: Read, text: str) -> None:
    (problem,) = told(read, text)
    assert problem.startswith("tests/core/test_made_up.py:2:") and "stands on no test" in problem


# --- the file of numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("S1: {what: again}", "numbers.yml:2:1  S1: stands here for a second time"),
        ("Q1: {what: a kind that is none}", "numbers.yml:2:1  Q1: a number is S, M, D, X and digits"),
        ("S2: words", "numbers.yml:2:1  S2: has `what`"),
        ("S2: {what: x, late: agent}", "numbers.yml:2:1  S2: has `what`"),
        ("S2: {what: x, later: never}", "numbers.yml:2:1  S2: later is one of agent, ivr, queue"),
    ],
)
def test_an_entry_that_is_none_is_told_with_its_place(tmp_path: Path, entry: str, what: str) -> None:
    (tmp_path / "numbers.yml").write_text(f"S1: {{what: one}}\n{entry}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_numbers(tmp_path / "numbers.yml")
    (problem,) = caught.value.problems
    assert str(problem).startswith(what)


# --- the page ---------------------------------------------------------------------------------------------------------


def a_test(number: str, file: str, test: str = "test_a", line: int = 1, reach: int = 0) -> Shown:
    return Shown(number, file, line, test, reach)


def rows(*shown: Shown, later: str = "") -> list[str]:
    """The page's rows when S1 is all there is."""
    text = _coverage.page({"S1": _coverage.Number("S1", "It is so", later)}, shown)
    return [line for line in text.splitlines() if line.startswith(("| S", "## ", "None"))]


def test_a_number_with_tests_links_to_three_of_several_files_and_counts_the_others() -> None:
    seen = [a_test("S1", file, test) for file in ("tests/freeswitch/test_x.py", "tests/b/test_x.py", "tests/a/test_x.py") for test in ("test_a", "test_b")]
    links = "<br>".join(f"[tests/{name}/test_x.py::test_a](../tests/{name}/test_x.py)" for name in ("a", "b", "freeswitch"))
    assert rows(*seen) == [
        "## A guide to outbound campaigns (S)",
        f"| S1 | It is so | {links} +3 |",
        "## Not shown",
        "None: each number above has its tests, or the work that will bring them.",
    ]


def test_a_tests_own_marker_stands_before_its_modules_and_needs_no_switch_before_needs_one() -> None:
    wide, own = a_test("S1", "tests/a/test_x.py", "test_wide", 1, 2), a_test("S1", "tests/a/test_x.py", "test_own", 9)
    (row,) = [row for row in rows(wide, a_test("S1", "tests/freeswitch/test_f.py"), own, a_test("S1", "tests/z/test_z.py")) if row.startswith("| S1")]
    assert row.index("test_own") < row.index("test_z") < row.index("test_f") and row.endswith(" +1 |")


def test_a_number_of_coming_work_is_open_under_its_topic_with_what_shows_a_part_of_it() -> None:
    expected = "| S1 | It is so | [tests/a/test_x.py::test_a](../tests/a/test_x.py) |"
    assert rows(a_test("S1", "tests/a/test_x.py"), later="queue")[:2] == ["## Open: inbound queues and the callback key", expected]


def test_a_number_that_nothing_shows_is_named_last() -> None:
    assert rows() == ["## Not shown", "| S1 | It is so |"]


# --- the command ------------------------------------------------------------------------------------------------------


def test_a_stale_page_is_noticed_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(_coverage, "PAGE", tmp_path / "coverage.md")
    assert _coverage.main(["--check"]) == 1
    assert "python -m docs._coverage" in capsys.readouterr().out
    assert _coverage.main([]) == 0
    assert _coverage.main(["--check"]) == 0
    (tmp_path / "coverage.md").write_text("something else")
    assert _coverage.main(["--check"]) == 1


def test_a_wrong_number_leaves_the_page_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "numbers.yml").write_text("S1: {what: one}\n")
    monkeypatch.setattr(_coverage, "PAGE", tmp_path / "coverage.md")
    monkeypatch.setattr(_coverage, "NUMBERS", tmp_path / "numbers.yml")
    assert _coverage.main([]) == 1
    assert "is no number of numbers.yml" in capsys.readouterr().out
    assert not (tmp_path / "coverage.md").exists()


def test_anything_else_is_answered_with_its_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert _coverage.main(["--force"]) == 2
    assert "--check" in capsys.readouterr().out

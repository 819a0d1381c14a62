"""Makes docs/coverage.md: which tests show which number of the specification, and which numbers nothing shows yet.

    python -m docs._coverage            writes it
    python -m docs._coverage --check    exit code 1 where it is not what the tests say

Reads docs/spec_numbers.yml and the sources of tests/: `@pytest.mark.spec("S10", "D14")` on a test, on one case of it (pytest.param), on a class, or in
a `pytestmark`. Nothing is imported or run: it knows what tests claim, not whether they pass, nor whether one was skipped for want of a switch.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TypeGuard

import yaml

from fs_dialer.errors import ConfigError, Problem

ROOT = Path(__file__).resolve().parents[1]
NUMBERS = ROOT / "docs" / "spec_numbers.yml"
TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "coverage.md"
NEEDS_A_SWITCH = "tests/freeswitch/"
TESTS_SHOWN = 3

HEAD = """# Coverage: what the tests show

Made by `python -m docs._coverage`; do not edit. From `docs/spec_numbers.yml` and the markers in `tests/`.

A test names the numbers that it shows: `@pytest.mark.spec("S10")`. S and M restate two public guides to outbound campaigns, D are our decisions where
those are silent or contradict each other, X is what no other dialer does. Three tests stand for each number, and `+n` counts the others;
`git grep '"S10"' tests` finds them all. Those in `tests/freeswitch` run where `FS_DIALER_TEST_ESL` names a real switch.

{shown} of {all} numbers are shown, by {tests} tests. {later} belong to work that is still to come, {left} are left.
"""

KINDS = {
    "S": "A guide to outbound campaigns",
    "M": "A guide to telephone campaigns",
    "D": "Our decisions",
    "X": "What no other dialer does",
}

TOPICS = {
    "agent": "Open: agents at their phones, the other modes, pacing",
    "ivr": "Open: autocall and its flows",
    "queue": "Open: inbound queues and the callback key",
}


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the specification. `later`: the topic of TOPICS whose work will show it; "" where it must be shown by now."""

    name: str
    what: str
    later: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One test that shows one number. `reach`: 0 = the marker is the test's own, 1 = its class's, 2 = its module's. `file` counts from the root."""

    number: str
    file: str
    line: int
    test: str
    reach: int


# --- the numbers ------------------------------------------------------------------------------------------------------


def read_numbers(path: Path) -> dict[str, Number]:
    """Every number in the file's order, by its name. ConfigError names every entry that is none, or is there twice."""
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    found: dict[str, Number] = {}
    problems = []
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        entry = {k.value: v.value for k, v in value.value} if isinstance(value, yaml.MappingNode) else {}
        if (text := _wrong(key.value, entry, found)) is not None:
            problems.append(Problem(path.name, key.start_mark.line + 1, key.start_mark.column + 1, str(key.value), text))
        else:
            found[key.value] = Number(key.value, entry["what"], entry.get("later", ""))
    if problems:
        raise ConfigError(problems)
    return found


def _wrong(name: str, entry: Mapping[str, str], found: Mapping[str, Number]) -> str | None:
    if name[:1] not in KINDS or not name[1:].isdecimal():
        return f"a number is {', '.join(KINDS)} and digits"
    if name in found:
        return "stands here for a second time"
    if "what" not in entry or not entry.keys() <= {"what", "later"}:
        return "has `what` and, while it is open, `later`"
    if entry.get("later", "agent") not in TOPICS:
        return f"later is one of {', '.join(TOPICS)}"
    return None


# --- the markers ------------------------------------------------------------------------------------------------------


def read_tests(known: Iterable[str], tests: Path) -> list[Shown]:
    """What every test below `tests` says it shows. ConfigError names every marker that names no known number, or that stands on no test."""
    known, found = set(known), []
    problems: list[Problem] = []
    for path in sorted(tests.rglob("test_*.py")):
        module = _Module(path, path.relative_to(tests.parent).as_posix(), known)
        found += module.shown
        problems += module.problems
    if problems:
        raise ConfigError(problems)
    return found


class _Module:
    """One file of tests. `shown` and `problems` are complete once it is made."""

    def __init__(self, path: Path, name: str, known: set[str]) -> None:
        self.name = name
        self.known = known
        self.shown: list[Shown] = []
        self.problems: list[Problem] = []
        self._used: set[ast.Attribute] = set()
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        self._walk(tree.body, "", [(call, 2) for call in _calls(_pytestmarks(tree.body))])
        for node in ast.walk(tree):
            if _is_spec(node) and node not in self._used:
                self._tell(node, "a spec marker that stands on no test, or without its ( )")
        self.problems.sort(key=lambda problem: (problem.line, problem.column))

    def _walk(self, body: Sequence[ast.stmt], inside: str, above: list[tuple[ast.Call, int]]) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                own = _calls([*node.decorator_list, *_pytestmarks(node.body)])
                self._walk(node.body, f"{inside}{node.name}::", [*((call, 1) for call in own), *above])
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                self._test(node, f"{inside}{node.name}", [*((call, 0) for call in _calls(node.decorator_list)), *above])

    def _test(self, node: ast.FunctionDef | ast.AsyncFunctionDef, test: str, marks: list[tuple[ast.Call, int]]) -> None:
        seen: set[str] = set()
        for call, reach in marks:
            for number in self._numbers(call):
                if number not in seen:
                    seen.add(number)
                    self.shown.append(Shown(number, self.name, node.lineno, test, reach))

    def _numbers(self, call: ast.Call) -> Iterator[str]:
        """The numbers of one marker. What is wrong with it is told once, however many tests it stands over."""
        first = call.func not in self._used
        assert isinstance(call.func, ast.Attribute)
        self._used.add(call.func)
        if first and (call.keywords or not call.args):
            self._tell(call, 'a spec marker holds numbers and nothing else: @pytest.mark.spec("S10")')
        for argument in call.args:
            number = argument.value if isinstance(argument, ast.Constant) else None
            if isinstance(number, str) and number in self.known:
                yield number
            elif first:
                self._tell(argument, f"{ast.unparse(argument)} is no number of {NUMBERS.name}")

    def _tell(self, node: ast.expr, text: str) -> None:
        self.problems.append(Problem(self.name, node.lineno, node.col_offset + 1, "", text))


def _is_spec(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """`….mark.spec`"""
    return isinstance(node, ast.Attribute) and node.attr == "spec" and isinstance(node.value, ast.Attribute) and node.value.attr == "mark"


def _calls(nodes: Iterable[ast.AST]) -> list[ast.Call]:
    """Every spec marker inside these, those on single cases of a parametrize too."""
    return [each for node in nodes for each in ast.walk(node) if isinstance(each, ast.Call) and _is_spec(each.func)]


def _pytestmarks(body: Iterable[ast.stmt]) -> list[ast.expr]:
    """What is assigned to `pytestmark` in a module or a class."""
    found = []
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in targets):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            found += [node.value] if node.value is not None else []
    return found


# --- the page ---------------------------------------------------------------------------------------------------------


def unshown(numbers: Iterable[Number], shown: Iterable[Shown]) -> list[str]:
    """The numbers that no test shows and no coming work excuses."""
    named = {each.number for each in shown}
    return [number.name for number in numbers if not number.later and number.name not in named]


def page(numbers: Mapping[str, Number], shown: Sequence[Shown]) -> str:
    by_number: dict[str, list[Shown]] = defaultdict(list)
    for each in shown:
        by_number[each.number].append(each)
    left = unshown(numbers.values(), shown)
    done = [number for number in numbers.values() if not number.later and number.name not in left]
    later = [number for number in numbers.values() if number.later]
    tests = len({(each.file, each.test) for each in shown})
    lines = [HEAD.format(shown=len(done), all=len(numbers), tests=tests, later=len(later), left=len(left))]
    for kind, group in groupby(done, key=lambda number: number.name[0]):
        lines += [f"## {KINDS[kind]} ({kind})", "", *_table(group, by_number, "tests"), ""]
    for topic, title in TOPICS.items():
        if coming := [number for number in later if number.later == topic]:
            lines += [f"## {title}", "", *_table(coming, by_number, "tests that show a part of it"), ""]
    lines += ["## Not shown", ""]
    lines += _table([numbers[name] for name in left], by_number, "") if left else ["None: each number above has its tests, or the work that will bring them."]
    return "\n".join(lines) + "\n"


def _table(numbers: Iterable[Number], by_number: Mapping[str, list[Shown]], column: str) -> Iterator[str]:
    """A row for each; without the third column where `column` is empty."""
    yield f"| number | what |{f' {column} |' if column else ''}"
    yield "|---|---|" + ("---|" if column else "")
    for number in numbers:
        yield f"| {number.name} | {number.what} |" + (f" {_tests(by_number.get(number.name, []))} |" if column else "")


def _tests(shown: Iterable[Shown]) -> str:
    """A test each of several files rather than several of one; a test's own marker before a wide one, what runs everywhere before what needs a switch."""
    nth: Counter[str] = Counter()
    order = []
    for each in sorted(shown, key=lambda each: (each.file, each.reach, each.line)):
        order.append((nth[each.file], each.file.startswith(NEEDS_A_SWITCH), each.reach, each.file, each.line, each.test))
        nth[each.file] += 1
    links = [f"[{file}::{test}](../{file})" for *_, file, _, test in sorted(order)]
    more = len(links) - TESTS_SHOWN
    return "<br>".join(links[:TESTS_SHOWN]) + (f" +{more}" if more > 0 else "")


# --- writing ----------------------------------------------------------------------------------------------------------


def made() -> str:
    """The page as numbers and tests are now. ConfigError where one of them is wrong."""
    numbers = read_numbers(NUMBERS)
    return page(numbers, read_tests(numbers, TESTS))


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print((__doc__ or "").strip())
        return 2
    try:
        text = made()
    except ConfigError as wrong:
        print(wrong)
        return 1
    if not arguments:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print("docs/coverage.md is not what the tests say: python -m docs._coverage")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

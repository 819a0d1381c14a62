"""`bin/bench` lists the benchmarks; `bin/bench NAME [--json] [--full]` runs one.

Knows what a benchmark is: a file bench/NAME.py with TITLE, run() and table(). Knows nothing of what they measure.
Exit codes: 0 done, 1 the benchmark failed, 2 misuse.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import importlib
import inspect
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

FOLDER = Path(__file__).resolve().parent


class Benchmark(Protocol):
    """What every file in this folder offers. A figure that could not be taken (a client that is not installed) is None."""

    TITLE: str

    def run(self, **full: bool) -> dict[str, float | None]: ...

    def table(self, figures: dict[str, float | None]) -> str: ...


def titles(folder: Path = FOLDER) -> dict[str, str]:
    """Name to TITLE of every benchmark in the folder, read without importing them: one that cannot be imported must not hide the others."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("[!_]*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            target, value = _assigned(node)
            if target == "TITLE" and isinstance(value, ast.Constant):
                found[path.stem] = str(value.value)
    return found


def _assigned(node: ast.stmt) -> tuple[str | None, ast.expr | None]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            return name, value
    return None, None


def listing(known: dict[str, str]) -> str:
    """The table that `bin/bench` alone prints."""
    width = max(map(len, known), default=0)
    return "\n".join(["Benchmarks (bin/bench NAME [--json]):", *(f"  {name:<{width}}  {title}" for name, title in known.items())])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Runs one benchmark, or lists them.")
    parser.add_argument("name", nargs="?", help="the benchmark to run; without it they are listed")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout, and nothing else there")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="the short run; it is what you get without a word")
    length.add_argument("--full", action="store_true", help="the long run, where a benchmark has one")
    options = parser.parse_args(arguments)
    known = titles()
    if options.name is None:
        print(json.dumps(known) if options.json else listing(known))
        return 0
    # `import` is no name that a module may have: the beginning of one will do.
    longer = [name for name in known if name.startswith(f"{options.name}_")]
    stem = options.name if options.name in known or len(longer) != 1 else longer[0]
    if stem not in known:
        near = difflib.get_close_matches(options.name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        print(f"bin/bench: there is no benchmark {options.name!r}{hint}\n{listing(known)}", file=sys.stderr)
        return 2
    benchmark = cast(Benchmark, importlib.import_module(f"bench.{stem}"))
    long_run = {"full": True} if options.full else {}
    if options.full and "full" not in inspect.signature(benchmark.run).parameters:
        print(f"bin/bench: {stem} has no long run; leave out --full", file=sys.stderr)
        return 2
    # What a benchmark says while it runs is talk; stdout is for the result.
    with contextlib.redirect_stdout(sys.stderr):
        figures = benchmark.run(**long_run)
    print(json.dumps({"bench": options.name, "figures": figures}, allow_nan=False) if options.json else benchmark.table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())

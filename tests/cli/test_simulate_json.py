"""What `simulate` prints with --json for several days, comparisons and what it learnt is what docs/reference/json.md says, key by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.runner import ROOT, applied, called
from tests.cli.test_reference import covers, documented, paths

PREDICTIVE = ("simulate", ROOT / "conf" / "campaigns" / "predictive.yml", "--agents", "2", "--hours", "0.05", "--json", "--jobs", "1")


def wrong(title: str, printed: Any) -> list[str]:
    seen, patterns = set(paths(printed)), documented(title)
    found = [f"{path} is printed and not documented" for path in sorted(seen) if not any(covers(each, path) for each in patterns)]
    return found + [f"{each} is documented and not printed" for each in sorted(patterns) if not any(covers(each, path) for path in seen)]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("fs-dialer simulate", ()),
        ("fs-dialer simulate --seeds", ("--seeds", "2")),
        ("fs-dialer simulate --compare, --what-if", ("--compare", "progressive,predictive", "--seeds", "1")),
        ("fs-dialer simulate --compare, --what-if", ("--what-if", "agents=1,2", "--seeds", "1")),
    ],
)
def test_every_key_of_a_simulation_is_documented_and_there(title: str, words: tuple[str, ...]) -> None:
    assert wrong(title, called(*PREDICTIVE, *words).json) == []


def test_every_key_of_what_was_learnt_is_documented_and_there(pg_dsn: str, tmp_path: Path) -> None:
    applied(tmp_path, pg_dsn)
    learnt = called("simulate", "--learn", "spring", "--json", dsn=pg_dsn).json
    assert [each for each in wrong("fs-dialer simulate --learn", learnt) if "learnt.people.*" not in each] == []

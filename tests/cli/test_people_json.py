"""What the commands about people, leads, calls and do-not-call lists print with --json is what docs/reference/json.md says, key by key."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fs_dialer.core.definition import LeadsSource
from fs_dialer.core.resources import Hours
from tests.cli.runner import called
from tests.cli.test_reference import covers, documented, paths
from tests.db.desk import ADA, BEN, EVE, Desk, a_campaign, a_desk

FROM_OTHERS = {"leads[].lead.*", "contacts[].contact.*", "contact.*", "contacts[].*"}  # told in another command's section


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn, hours=Hours()) as made:
        yield made


@pytest.fixture
def outputs(desk: Desk, tmp_path: Path) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}

    def take(title: str, *words: str | Path, section: str = "") -> Any:
        done = called(*title.split(), *words, "--json", dsn=desk.dsn, FS_DIALER_STATE_DIR=str(tmp_path))
        found.setdefault(f"fs-dialer {section or title}", []).append(done.json)
        return done.json

    desk.campaign(a_campaign("endless", hours=Hours(), leads=LeadsSource(group="customers", new_rows="join")))
    take("contact add", ADA, "tier=gold", "--name", "Ada", "--also", f"{EVE}:mobile", "--group", "customers")
    take("contact add", BEN, "tier=silver")
    take("contact set", ADA, "city=Hanoi", section="contact add")
    take("contact owner", ADA, "lan", section="contact add")
    take("group add", "customers", BEN, "+442079460109")
    take("group remove", "customers", BEN, section="group add")
    take("group list")
    take("group show", "customers", "--limit", "1")
    take("contact search", "--limit", "1")
    take("lead add", "spring", "--number", ADA, "--number", BEN)
    call = desk.called(ADA, at=time.time())
    desk.rows('UPDATE attempts SET answers = \'{"renew": "yes"}\'')
    take("attempt dispose", call, "again")
    desk.rows('UPDATE leads SET parameters = \'{"tried": "twice"}\'')
    for title, words in (("attempt list", ("spring",)), ("attempt show", (call,)), ("attempt export", ("spring", "--output", tmp_path / "x.jsonl"))):
        take(title, *words)
    take("lead list", "--number", ADA)
    take("lead show", ADA)
    take("contact show", ADA)
    take("lead mark", BEN, "do-not-call-back")
    take("lead mark", BEN, "callback-at", "+1h")
    take("dnc add", BEN)
    take("dnc show", BEN)
    take("dnc list")
    register = tmp_path / "register.txt"
    register.write_text(f"{BEN}\nrubbish\n")
    take("dnc import", register, "--list", "national")
    take("dnc remove", BEN, "--list", "own", "--reason", "wrong")
    take("lead timeline", ADA)
    take("lead forget", ADA, "--yes")
    return found


def test_every_key_that_is_printed_is_documented_and_every_documented_one_printed(outputs: dict[str, list[Any]]) -> None:
    wrong = []
    for title, printed in outputs.items():
        patterns = documented(title)
        if title == "fs-dialer attempt show":
            patterns |= {pattern.removeprefix("attempts[].") for pattern in documented("fs-dialer attempt list")}
        prose = {"fs-dialer lead list": {"leads[].parameters.*"}, "fs-dialer lead show": {"leads[].attempts[].answers.*"}}.get(title, set())
        seen = {path for value in printed for path in paths(value)}
        wrong += [f"{title}: {path} is printed and not documented" for path in sorted(seen) if not any(covers(each, path) for each in patterns | prose)]
        wrong += [f"{title}: {each} is documented and not printed" for each in sorted(patterns - FROM_OTHERS) if not any(covers(each, path) for path in seen)]
    assert wrong == [], "\n" + "\n".join(wrong)

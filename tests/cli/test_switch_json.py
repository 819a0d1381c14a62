"""docs/reference/json.md says what the commands that install print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.runner import a_folder, called
from tests.cli.switch_tree import a_switch, a_tree
from tests.cli.test_reference import covers, documented, paths
from tests.cli.test_switch_install import IVRS, QUEUES


@pytest.fixture
def outputs(tmp_path: Path) -> dict[str, list[Any]]:
    files = a_folder(tmp_path / "definitions")
    found: dict[str, list[Any]] = {}
    with a_switch(a_tree(tmp_path), tmp_path / "scripts") as switch:

        def take(verb: str, *words: str | Path) -> None:
            found.setdefault(verb, []).append(called("switch", verb, *words, "--json", **switch.environ()).json)

        (files / "ivrs.yml").write_text(IVRS)
        (files / "queues.yml").write_text(QUEUES)
        take("install", "--from", files)
        (files / "ivrs.yml").write_text(IVRS.replace("dues.wav", "other.wav"))
        (files / "queues.yml").write_text(QUEUES.replace("sales", "orders"))
        switch.channels = '[{"uuid":"1","dest":"x","context":"y","callstate":"RINGING","direction":"outbound"}]'
        take("diff", "--from", files)
        take("install", "--from", files)
        take("reload", "--from", files)
        take("uninstall")
    return found


def test_every_output_is_documented_and_everything_documented_is_there(outputs: dict[str, list[Any]]) -> None:
    wrong = []
    for verb, printed in outputs.items():
        patterns, shown = documented(f"fs-dialer switch {verb}"), {path for value in printed for path in paths(value)}
        wrong += [f"{verb}: {path} is printed and not documented" for path in sorted(shown) if not any(covers(pattern, path) for pattern in patterns)]
        wrong += [f"{verb}: {each} is documented and not printed" for each in sorted(patterns) if not any(covers(each, path) for path in shown)]
    assert wrong == []

"""schema: the JSON Schema, into a file or a pipe."""

from __future__ import annotations

import json
from pathlib import Path

from fs_dialer.config.json_schema import schema
from tests.cli.runner import called


def test_it_is_printed_alone_into_a_pipe() -> None:
    assert json.loads(called("schema").out) == schema() == json.loads(called("schema", "-").out)
    assert called("schema", "--json").json == schema()


def test_it_is_written_into_a_file_and_says_how_to_name_it(tmp_path: Path) -> None:
    file = tmp_path / ".fs-dialer.schema.json"
    said = called("schema", file)
    assert json.loads(file.read_text()) == schema() and "# yaml-language-server: $schema=.fs-dialer.schema.json" in said.out
    assert called("schema", file, "--json").json == {"file": str(file)}


def test_a_file_that_can_not_be_written_is_one_line(tmp_path: Path) -> None:
    done = called("schema", tmp_path / "no" / "such")
    assert done.code == 1 and "no/such: No such file or directory" in done.err

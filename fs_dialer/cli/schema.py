"""schema: the JSON Schema of definition files, for editors. What is in it is config/'s."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.settings import Session
from fs_dialer.config.json_schema import schema as json_schema


@command(
    "schema",
    examples=("fs-dialer schema .fs-dialer.schema.json", "fs-dialer schema - | jq .definitions.predictive"),
    exits={Exit.FAILED: "failed: the file could not be written"},
)
@click.argument("file", metavar="[FILE|-]", default="-", type=click.Path(path_type=Path, allow_dash=True, dir_okay=False))
def schema(session: Session, file: Path) -> None:
    """The JSON Schema of definition files, for editors: completion, hover texts, and mistakes underlined as you type.

    Write it once beside campaigns/ and let each file name it in its first line, as the examples do:
    # yaml-language-server: $schema=../.fs-dialer.schema.json
    """
    made = json_schema()
    if str(file) == "-":
        if not session.as_json:
            session.say(json.dumps(made, indent=1, ensure_ascii=False))
        session.result(made)
        return
    file.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    session.say(f"{file} is written. Files beside it name it in their first line: # yaml-language-server: $schema={file.name}")
    session.result({"file": str(file)})

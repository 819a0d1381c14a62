"""schema: the JSON Schema of definition files, for editors; and the description of the HTTP interface. What is in them is config/'s and web/'s."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.settings import Session
from fs_dialer.config.json_schema import schema as json_schema


@command(
    "schema",
    examples=("fs-dialer schema .fs-dialer.schema.json", "fs-dialer schema - | jq .definitions.predictive", "fs-dialer schema --openapi openapi.json"),
    exits={Exit.FAILED: "failed: the file could not be written"},
)
@click.argument("file", metavar="[FILE|-]", default="-", type=click.Path(path_type=Path, allow_dash=True, dir_okay=False))
@click.option("--openapi", is_flag=True, help="The HTTP interface as an OpenAPI 3.1 document instead.")
def schema(session: Session, file: Path, openapi: bool) -> None:
    """The JSON Schema of definition files, for editors: completion, hover texts, and mistakes underlined as you type.

    Write it once beside campaigns/ and let each file name it in its first line, as the examples do:
    # yaml-language-server: $schema=../.fs-dialer.schema.json
    """
    made = _interface() if openapi else json_schema()
    if str(file) == "-":
        if not session.as_json:
            session.say(json.dumps(made, indent=1, ensure_ascii=False))
        session.result(made)
        return
    file.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    how = "" if openapi else f" Files beside it name it in their first line: # yaml-language-server: $schema={file.name}"
    session.say(f"{file} is written.{how}")
    session.result({"file": str(file)})


def _interface() -> dict[str, Any]:
    from fs_dialer.web.routes import description

    return description()

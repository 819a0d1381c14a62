"""The HTTP interface is the same over every PostgreSQL: it is tested over the embedded one only. That every query can be planned is tested over all."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    others = [item for item in items if item.path.is_relative_to(HERE) and _server_of(item) is not None]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def _server_of(item: pytest.Item) -> object:
    """The binaries of the server that a test is for; None = the embedded one, or no server at all."""
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("pg_server")

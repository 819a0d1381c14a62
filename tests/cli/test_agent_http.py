"""How the console follows the event stream: what it takes for final, and what it tries again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fs_dialer.cli import agent_http
from fs_dialer.cli.agent_http import AgentHttp, Follower, Happened, HttpRefused


class Refusing(AgentHttp):
    """An interface that refuses the stream."""

    def __init__(self, status: int) -> None:
        super().__init__("http://127.0.0.1:1", "fsd_x", "lan")
        self._status = status

    def events(self, after: int | None) -> Iterator[Happened]:
        raise HttpRefused(self._status, "word", "why", "mend")


class OnceError(Exception):
    """It would try again now."""


@pytest.mark.parametrize(("status", "final"), [(401, True), (403, True), (404, False), (429, False), (503, False)])
def test_only_a_token_that_is_no_good_ends_the_console(monkeypatch: pytest.MonkeyPatch, status: int, final: bool) -> None:
    """An agent who is not there may come with the next change of the definitions, or with the next daemon."""

    def again(_: float) -> None:
        raise OnceError

    monkeypatch.setattr(agent_http.time, "sleep", again)
    told: list[tuple[str, Mapping[str, Any]]] = []
    with pytest.raises(OnceError):
        Follower(Refusing(status), lambda kind, data: told.append((kind, data)))._run()
    assert told == [("down", {"why": "why", "for_good": final})]

"""The HTTP interface over a real database, asked through its WSGI application; its view of the engine is what a test says."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fs_dialer.core.snapshot import Snapshot
from fs_dialer.db.lead_api import LeadApi
from fs_dialer.db.pool import Pool
from fs_dialer.db.tokens import TokenStore
from fs_dialer.runtime.lead_desk import StoredLeadDesk
from fs_dialer.runtime.web_ports import AgentInterface, Health
from fs_dialer.web.app import make_app
from tests.db.rows import Database

HOST = "127.0.0.1:8080"


class Seen:
    """A daemon as it is said to be (web_ports.DaemonView)."""

    def __init__(self) -> None:
        self.well = Health(True, ())
        self.engine: Snapshot | None = None
        self.leads: Mapping[tuple[str, str], int] = {}

    def health(self) -> Health:
        return self.well

    def snapshot(self) -> Snapshot | None:
        return self.engine

    def lead_counts(self) -> Mapping[tuple[str, str], int]:
        return self.leads

    def latencies_s(self) -> Mapping[str, float | None]:
        return {"inbox": 0.001, "esl": None, "database": 0.002}


class Http:
    """A client with a token of its own. Close it before its database goes."""

    def __init__(self, dsn: str, role: str = "operator", agents: AgentInterface | None = None) -> None:
        self.database, self.pool, self.view = Database(dsn), Pool(dsn), Seen()
        self.tokens = TokenStore(self.pool)
        self.desk = StoredLeadDesk(LeadApi(self.pool), breathe=lambda: None)
        self.clock = itertools.count(0.0, 1.0).__next__  # a second goes by with each request
        self.app = make_app(self.desk, self.view, self.tokens, agents=agents, hosts=("dialer.example.com",), now=lambda: self.clock())
        self.client: FlaskClient = self.app.test_client()
        self.token = self.tokens.create(role, "test")
        self._keys = itertools.count(1)

    def close(self) -> None:
        self.pool.close()

    def get(self, path: str, *, token: str | None = None, address: str = "127.0.0.1", **headers: str) -> TestResponse:
        return self.client.get(path, headers=self._headers(token, headers), environ_base={"REMOTE_ADDR": address})

    def post(self, path: str, body: object, *, token: str | None = None, **headers: str) -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json", **headers}
        return self.client.post(path, data=data, headers=self._headers(self.token.secret if token is None else token, given))

    def act(self, verb: str, body: object = None, *, token: str, agent: str = "", key: str = "") -> TestResponse:
        """A verb of the agent interface: his own, or with `agent` a supervisor's."""
        path = f"/api/agents/{agent}/{verb}" if agent else f"/api/agent/{verb}"
        return self.post(path, {} if body is None else body, token=token, **{"Idempotency-Key": key or f"key-{next(self._keys)}"})

    def leads(self, rows: object, campaign: str = "spring", *, key: str = "", **headers: str) -> TestResponse:
        given = {"Idempotency-Key": key or f"key-{next(self._keys)}", **headers}
        return self.post(f"/api/campaigns/{campaign}/leads", rows, **given)

    @staticmethod
    def _headers(token: str | None, headers: Mapping[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return {"Host": HOST, **({"Authorization": f"Bearer {token}"} if token else {}), **named}


def told(response: TestResponse) -> dict[str, Any]:
    """The JSON of an answer, whose headers are safe."""
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.mimetype == "application/json"
    found = response.get_json()
    assert isinstance(found, dict)
    if response.status_code >= 400:
        assert set(found) == {"error", "why", "mend"} or set(found) == {"ok", "active", "reasons"}
        assert all(found.values()) or "ok" in found
    return found

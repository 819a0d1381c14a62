"""GET /healthz and GET /api/campaigns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fs_dialer.runtime.web_ports import Health
from tests.web.client import Http, told
from tests.web.snapshots import ENGINE


@pytest.fixture
def http(pg_dsn: str) -> Iterator[Http]:
    made = Http(pg_dsn)
    yield made
    made.close()


def test_a_daemon_that_is_well_says_200_to_anybody(http: Http) -> None:
    asked = http.get("/healthz", address="192.0.2.7")
    assert (asked.status_code, told(asked)) == (200, {"ok": True, "active": True, "reasons": []})


def test_one_that_is_not_says_503_and_why(http: Http) -> None:
    http.view.well = Health(False, ("standing by",))
    asked = http.get("/healthz")
    assert (asked.status_code, told(asked)) == (503, {"ok": False, "active": False, "reasons": ["standing by"]})


def test_campaigns_are_shown_with_what_they_do_and_why(http: Http) -> None:
    http.view.engine, http.view.leads = ENGINE, {("spring", "new"): 900, ("rest", "new"): 5}
    asked = told(http.get("/api/campaigns", token=http.token.secret))
    spring, rest = asked["campaigns"]
    assert spring == {
        "name": "spring", "type": "progressive", "state": "running", "revision": 3, "because": "dialling", "lines": 6, "waiting": 1, "dials": 40,
        "answered": 32, "missed": 2, "bridged": 30, "agents": 4, "idle": 0, "leads": {"new": 900},
    }  # fmt: skip
    assert (rest["name"], rest["state"], rest["because"]) == ("rest", "paused", "paused by an.le")


def test_a_daemon_that_stands_by_shows_no_campaigns(http: Http) -> None:
    asked = http.get("/api/campaigns", token=http.token.secret)
    assert (asked.status_code, told(asked)["error"]) == (503, "standing_by")

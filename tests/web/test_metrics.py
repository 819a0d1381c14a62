"""GET /metrics, read as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from fs_dialer.runtime.web_ports import Health
from tests.web.client import Http
from tests.web.snapshots import ENGINE


@pytest.fixture
def http(pg_dsn: str) -> Iterator[Http]:
    made = Http(pg_dsn)
    made.view.engine, made.view.leads = ENGINE, {("spring", "new"): 900, ("spring", "succeeded"): 30}
    yield made
    made.close()


def figures(asked: TestResponse) -> dict[tuple[str, ...], float]:
    """Every sample by its name and its labels' values, in the order of the labels' names."""
    assert asked.status_code == 200 and asked.mimetype == "text/plain"
    found = {}
    for family in text_string_to_metric_families(asked.get_data(as_text=True)):
        assert family.documentation and family.name.startswith("fs_dialer_")
        for sample in family.samples:
            found[(sample.name.removeprefix("fs_dialer_"), *sample.labels.values())] = sample.value
    return found


def test_every_figure_of_a_campaign_is_there(http: Http) -> None:
    seen = figures(http.get("/metrics"))
    wanted = {
        ("active",): 1, ("switch_up",): 1, ("database_up",): 1, ("draining",): 0, ("lines",): 10, ("lines_limit",): 60,
        ("latency_seconds", "inbox"): 0.001, ("latency_seconds", "database"): 0.002,
        ("leads", "spring", "new"): 900, ("leads", "spring", "succeeded"): 30,
        ("agents", "talking", "available"): 2, ("agents", "idle", "not_available"): 1,
        ("campaign_state", "spring", "running", "progressive"): 1, ("campaign_state", "rest", "paused", "progressive"): 1,
        ("dials_total", "spring"): 40, ("outcomes_total", "spring", "busy"): 8, ("answered_total", "spring"): 32, ("missed_total", "spring"): 2,
        ("connected_total", "spring"): 30, ("talk_seconds_total", "spring"): 1800.5, ("wait_seconds_total", "spring"): 12.5,
        ("campaign_lines", "spring"): 6, ("campaign_lines_limit", "spring"): 20, ("campaign_calls", "spring", "bridged"): 4,
        ("campaign_waiting", "spring"): 1, ("campaign_hopper", "spring"): 40,
        ("campaign_agents", "spring", "named"): 5, ("campaign_agents", "spring", "available"): 4, ("campaign_agents", "spring", "idle"): 0,
        ("campaign_pace", "spring"): 1.5, ("resting", "caller_id", "+442079460100"): 1,
    }  # fmt: skip
    assert {key: seen.get(key) for key in wanted} == wanted


def test_what_is_not_known_is_left_out(http: Http) -> None:
    seen = figures(http.get("/metrics"))
    assert ("latency_seconds", "esl") not in seen
    assert ("campaign_lines_limit", "rest") not in seen and ("campaign_pace", "rest") not in seen


def test_a_daemon_that_stands_by_shows_that_it_does(http: Http) -> None:
    http.view.engine, http.view.well = None, Health(False, ("standing by",))
    seen = figures(http.get("/metrics"))
    assert seen[("active",)] == 0
    assert ("switch_up",) not in seen


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_this_machine_needs_no_token_unless_a_proxy_stands_between(http: Http, header: str) -> None:
    assert http.get("/metrics").status_code == 200
    assert http.get("/metrics", address="::1").status_code == 200
    assert http.get("/metrics", **{header: "192.0.2.7"}).status_code == 401
    assert http.get("/metrics", address="192.0.2.7").status_code == 401
    assert http.get("/metrics", address="192.0.2.7", token=http.token.secret).status_code == 200

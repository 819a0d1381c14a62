"""Who may come in: hosts, tokens, roles, how often; and that nothing else does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fs_dialer.errors import StoreError
from fs_dialer.web.guard import GOOD_FOR_S, MOST_BUCKETS, Buckets, Guard
from fs_dialer.web.routes import ROUTES
from tests.web.client import Http, told
from tests.web.snapshots import ENGINE


@pytest.fixture
def http(pg_dsn: str) -> Iterator[Http]:
    made = Http(pg_dsn)
    made.database.campaign()
    made.view.engine = ENGINE
    yield made
    made.close()


# --- tokens -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M15")
def test_without_a_token_nobody_gets_anything_but_health(http: Http) -> None:
    for route in ROUTES:
        path = route.path.replace("<campaign>", "spring").replace("<agent>", "lan")
        asked = http.get(path, address="192.0.2.7") if route.method == "GET" else http.post(path, [], token="")
        if route.name == "health":
            assert asked.status_code == 200
        else:
            assert (asked.status_code, told(asked)["error"]) == (401, "no_token")
            assert asked.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.spec("M15")
@pytest.mark.parametrize(("role", "status"), [("operator", 200), ("admin", 200), ("agent", 403)])
def test_operators_and_admins_may_add_leads_and_agents_may_not(http: Http, role: str, status: int) -> None:
    secret = http.tokens.create(role, "test", agent="lan" if role == "agent" else None).secret
    asked = http.post("/api/campaigns/spring/leads", [], token=secret, **{"Idempotency-Key": "k"})
    assert asked.status_code == status
    told(asked)


@pytest.mark.parametrize(
    "change", [lambda s: s[:-1] + ("A" if s[-1] != "A" else "B"), lambda s: s[:-1], lambda s: "fsd_00000000_" + s[13:], lambda s: "x", lambda s: s + " x"]
)
def test_a_secret_that_is_almost_right_is_wrong(http: Http, change: object) -> None:
    assert callable(change)
    asked = http.get("/api/campaigns", token=change(http.token.secret))
    assert (asked.status_code, told(asked)["error"]) == (401, "bad_token")
    assert http.token.secret not in asked.get_data(as_text=True)


@pytest.mark.spec("M15")
def test_a_token_that_was_revoked_or_has_expired_is_dead_at_once(http: Http) -> None:
    assert http.get("/api/campaigns", token=http.token.secret).status_code == 200
    http.tokens.revoke(http.token.token.id, "an.le")
    assert http.get("/api/campaigns", token=http.token.secret).status_code == 401
    short_lived = http.tokens.create("admin", "test", lasts_s=60)
    assert http.get("/api/campaigns", token=short_lived.secret).status_code == 200
    http.database.rows("UPDATE tokens SET expires_at = now() WHERE id = %s", short_lived.token.id)
    assert http.get("/api/campaigns", token=short_lived.secret).status_code == 401


def test_while_the_database_is_away_a_token_is_good_for_a_minute_after_its_last_word(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [0.0]
    http.clock = lambda: at[0]
    guard = Guard(http.tokens, now=http.clock)
    secret = http.token.secret
    good = guard._holder(secret, "127.0.0.1")
    with monkeypatch.context() as broken:
        broken.setattr(http.tokens, "holder", _away)
        for at[0] in (1.0, GOOD_FOR_S):
            assert guard._holder(secret, "127.0.0.1") == good
        at[0] = GOOD_FOR_S + 0.1
        with pytest.raises(StoreError):
            guard._holder(secret, "127.0.0.1")
    assert guard._holder(secret, "127.0.0.1") == good
    http.tokens.revoke(http.token.token.id, "an.le")
    assert guard._holder(secret, "127.0.0.1") is None
    monkeypatch.setattr(http.tokens, "holder", _away)
    with pytest.raises(StoreError):
        guard._holder(secret, "127.0.0.1")
    assert secret not in repr(guard._good)


def test_an_address_that_guesses_tokens_has_to_wait_and_others_do_not(http: Http) -> None:
    assert http.get("/api/campaigns", token=http.token.secret).status_code == 200
    http.clock = lambda: 100.0
    wrong = "fsd_00000000_" + "x" * 43
    statuses = [http.get("/api/campaigns", token=wrong).status_code for _ in range(32)]
    assert statuses == [401] * 30 + [429] * 2
    assert http.get("/api/campaigns", token=wrong, address="192.0.2.9").status_code == 401
    assert http.get("/api/campaigns", token=http.token.secret).status_code == 200, "who is known to be good is not kept out by others behind his proxy"


def _away(secret: str) -> None:
    raise StoreError("away", lost=True)


def test_only_a_bearer_token_counts(http: Http) -> None:
    asked = http.get("/api/campaigns", Authorization=f"Basic {http.token.secret}", Cookie=f"token={http.token.secret}")
    assert asked.status_code == 401


# --- hosts ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080", "127.0.0.2", "dialer.example.com", "DIALER.example.com:443"])
def test_requests_for_our_own_names_are_answered(http: Http, host: str) -> None:
    assert http.get("/healthz", Host=host).status_code == 200


@pytest.mark.parametrize("host", ["evil.example.com", "localhost.evil.example.com", "192.0.2.1", "", "dialer.example.com.evil.org"])
def test_requests_for_others_are_not_whatever_their_name_leads_to(http: Http, host: str) -> None:
    asked = http.get("/healthz", Host=host)
    assert (asked.status_code, told(asked)["error"]) == (421, "wrong_host")


# --- how often --------------------------------------------------------------------------------------------------------------------------


def test_a_token_that_asks_too_often_waits_and_others_do_not(http: Http) -> None:
    http.clock = lambda: 0.0
    statuses = [http.get("/api/campaigns", token=http.token.secret).status_code for _ in range(25)]
    assert statuses == [200] * 20 + [429] * 5
    late = http.get("/api/campaigns", token=http.token.secret)
    assert (told(late)["error"], late.headers["Retry-After"]) == ("too_often", "1")
    assert http.get("/api/campaigns", token=http.tokens.create("admin", "test").secret).status_code == 200
    http.clock = lambda: 1.0
    assert http.get("/api/campaigns", token=http.token.secret).status_code == 200


def test_a_bucket_fills_at_its_rate_and_never_above_its_brim() -> None:
    buckets = Buckets(rate=2.0, burst=3.0)
    assert [buckets.wait_s("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert [buckets.wait_s("a", 0.5) for _ in range(2)] == [0.0, 0.5]
    assert [buckets.wait_s("a", 100.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.wait_s("a", 99.0) == 0.5, "a clock that goes back gives nothing"


def test_many_keys_do_not_fill_the_memory() -> None:
    buckets = Buckets()
    for n in range(MOST_BUCKETS + 50):
        buckets.wait_s(str(n), 0.0)
    assert len(buckets._left) == MOST_BUCKETS


# --- anything else ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/nosuch", 404), ("GET", "/static/x", 404), ("GET", "/../etc/passwd", 404), ("DELETE", "/healthz", 405),
     ("OPTIONS", "/api/dnc", 405), ("GET", "/api/dnc", 405), ("PUT", "/api/campaigns/spring/leads", 405), ("POST", "/healthz", 405)],
)  # fmt: skip
def test_what_is_not_there_is_told_as_json(http: Http, method: str, path: str, status: int) -> None:
    asked = http.client.open(path, method=method, headers={"Host": "localhost"})
    assert asked.status_code == status
    told(asked)


def test_a_bug_is_logged_and_told_without_its_inside(http: Http, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(http.desk, "add_leads", breaks)
    asked = http.leads([])
    assert (asked.status_code, told(asked)["error"]) == (500, "bug")
    assert "the inside" not in asked.get_data(as_text=True) and "the inside" in caplog.text
    assert http.token.secret not in caplog.text


def test_a_database_that_is_away_is_503_and_worth_another_try(http: Http) -> None:
    http.pool.close()
    asked = http.leads([])
    assert (asked.status_code, told(asked)["error"], asked.headers["Retry-After"]) == (503, "database", "5")

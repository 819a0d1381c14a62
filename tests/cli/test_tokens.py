"""token create, list, revoke; db roles."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from fs_dialer.db.pool import Pool
from fs_dialer.db.tokens import TokenStore
from tests.cli.runner import applied, called
from tests.db.rows import Database


def holder(dsn: str, secret: str) -> str | None:
    with closing(Pool(dsn, size=1)) as pool:
        found = TokenStore(pool).holder(secret)
        return found.role if found else None


@pytest.mark.spec("M15")
def test_a_secret_is_shown_once_and_nowhere_else(pg_dsn: str) -> None:
    made = called("token", "create", "--role", "operator", "--title", "CRM", dsn=pg_dsn, SUDO_USER="an.le")
    assert made.code == 0 and re.fullmatch(r"fsd_[0-9a-f]{8}_[A-Za-z0-9_-]{43}\n", made.out)
    secret = made.out.strip()
    assert holder(pg_dsn, secret) == "operator"
    assert secret not in made.err + called("token", "list", dsn=pg_dsn).out + called("token", "list", "--json", dsn=pg_dsn).out
    stored = Database(pg_dsn).rows("SELECT tokens::text FROM tokens UNION ALL SELECT audit::text FROM audit")
    assert secret not in str(stored) and secret[13:] not in str(stored)
    assert Database(pg_dsn).rows("SELECT who, what FROM audit") == [("an.le", "create_token")]


def test_two_secrets_have_nothing_in_common(pg_dsn: str) -> None:
    one, two = (called("token", "create", "--role", "admin", dsn=pg_dsn).out.strip() for _ in range(2))
    assert one != two and one[13:] != two[13:]


@pytest.mark.spec("M15")
def test_a_revoked_token_is_dead_and_says_so(pg_dsn: str) -> None:
    made = called("token", "create", "--role", "admin", "--json", dsn=pg_dsn).json
    done = called("token", "revoke", made["token"], "--reason", "laptop lost", dsn=pg_dsn)
    assert (done.code, done.out) == (0, f"{made['token']}: revoked.\n")
    assert holder(pg_dsn, made["secret"]) is None
    assert "revoked before" in called("token", "revoke", made["token"], dsn=pg_dsn).out
    assert called("token", "list", "--json", dsn=pg_dsn).json["tokens"][0]["state"] == "revoked"
    assert called("token", "revoke", "t-00000000", dsn=pg_dsn).code == 1


@pytest.mark.parametrize(("expires", "lasts_s"), [("90d", 90 * 86400), ("12h", 43200), ("never", None)])
def test_a_token_lasts_as_long_as_was_said(pg_dsn: str, expires: str, lasts_s: float | None) -> None:
    made = called("token", "create", "--role", "admin", "--expires", expires, "--json", dsn=pg_dsn).json
    left = Database(pg_dsn).one("SELECT extract(epoch FROM expires_at - created_at)::float8 FROM tokens")
    assert left == lasts_s and (made["expires_at"] is None) == (lasts_s is None)


@pytest.mark.parametrize("words", [("--expires", "90"), ("--expires", "1s"), ("--expires", "x"), ("--agent", "lan"), ("--role", "boss")])
def test_what_makes_no_sense_is_misuse_and_makes_nothing(pg_dsn: str, words: tuple[str, ...]) -> None:
    assert called("token", "create", "--role", "admin", *words, dsn=pg_dsn).code == 2
    assert called("token", "create", "--role", "agent", dsn=pg_dsn).code == 2
    assert Database(pg_dsn).one("SELECT count(*) FROM tokens") == 0


def test_an_agents_token_names_an_agent_that_there_is(pg_dsn: str, tmp_path: Path) -> None:
    applied(tmp_path, pg_dsn)
    made = called("token", "create", "--role", "agent", "--agent", "lan", "--json", dsn=pg_dsn).json
    assert (made["role"], made["agent"]) == ("agent", "lan")
    done = called("token", "create", "--role", "agent", "--agent", "lam", dsn=pg_dsn)
    assert done.code == 1 and "there is no agent lam; nearest: lan" in done.err


# --- db roles ---------------------------------------------------------------------------------------------------------------------------


def as_user(dsn: str, role: str) -> str:
    """The DSN of somebody who was let in with this role."""
    name = f"test_{role}"
    database = Database(dsn)
    database.rows(f"DROP ROLE IF EXISTS {name}")
    database.rows(f"CREATE ROLE {name} LOGIN PASSWORD 'test' IN ROLE {role}")
    parts = psycopg2.extensions.parse_dsn(dsn)
    return str(psycopg2.extensions.make_dsn(**{**parts, "user": name, "password": "test"}))


@pytest.mark.spec("M15")
def test_operators_and_admins_may_do_what_their_roles_say(pg_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fs_dialer.cli.campaigns.REPLY_TIMEOUT_S", 0.05)
    printed = called("db", "roles", dsn=pg_dsn)
    assert printed.code == 0 and "CREATE POLICY operators_ask" in printed.out
    made = called("db", "roles", "--apply", dsn=pg_dsn)
    assert made.code == 0, made.err
    database = Database(pg_dsn)
    database.campaign(state="new")
    database.ticket()
    operator, admin = as_user(pg_dsn, "fs_dialer_operator"), as_user(pg_dsn, "fs_dialer_admin")
    allowed: list[tuple[str, ...]] = [
        ("ticket", "list"),
        ("ticket", "close", "1"),
        ("campaign", "list"),
        ("start", "spring"),
        ("webhook", "list"),
        ("trigger", "list"),
        ("status",),
    ]
    for words in allowed:
        done = called(*words, dsn=operator)
        assert done.code == 0, (words, done.err)
    admins: list[tuple[str, ...]] = [("approve", "spring"), ("token", "list"), ("token", "create", "--role", "admin"), ("webhook", "replay", "--given-up")]
    for words in admins:
        done = called(*words, dsn=operator)
        refusal = "only an admin may approve" if words[0] == "approve" else "this database user may not do that"
        assert done.code == 1 and refusal in done.err, (words, done.err)
        done = called(*words, dsn=admin)
        assert done.code == 0, (words, done.err)

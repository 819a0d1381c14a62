"""PostgreSQL's roles: what each may do, asked of the server with every query that the command line has (M15)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2 import errors

from fs_dialer import paths
from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.db.queries import Query, all_queries

ROLES_SQL = (paths.sql_dir() / "roles.sql").read_text(encoding="utf-8")
OPERATOR, ADMIN, AGENT = "fs_dialer_operator", "fs_dialer_admin", "fs_dialer_agent_api"

# Queries of operators' commands, by the file they stand in, and those of admins' besides. What is in none of them is the daemon's, or the HTTP interface's
# inside it. `file:query` overrides its file.
OPERATORS = {
    "commands.sql", "directory.sql", "dispositions.sql", "dnc_lists.sql", "do_not_call.sql", "doctor.sql", "explain.sql", "figures.sql", "imports.sql",
    "agent_desk.sql", "joining.sql", "lead_desk.sql", "lead_marks.sql", "no_callback.sql", "reports.sql", "tickets.sql",
}  # fmt: skip
ADMINS = {"apply.sql", "forgetting.sql", "plan_facts.sql", "plans.sql", "tokens.sql", "outbox.sql:outbox_test", "outbox.sql:outbox_replay"}
DAEMONS = {"commands.sql:reply", "tokens.sql:token_of", "tokens.sql:token_used", "outbox.sql:claim_outbox"}
READ_ALONE = {
    "outbox.sql:outbox_rows", "outbox.sql:outbox_counts", "triggers.sql:triggers", "triggers.sql:webhooks", "status.sql:daemon_status",
    "definitions.sql:installation", "definitions.sql:campaigns", "definitions.sql:agents", "definitions.sql:teams",
}  # fmt: skip


def asked_by(role: str) -> list[Query]:
    """The queries that a role must be able to run."""
    found = []
    for query in all_queries().values():
        place = f"{query.file}:{query.name}"
        admins = query.file in ADMINS or place in ADMINS
        if place in DAEMONS or "/*" in query.sql or "incoming" in query.sql or "joining" in query.sql or "leaving_list" in query.sql:
            continue  # of the daemon; or of tables that only an import has, which tests/db/test_imports.py runs
        if (role == OPERATOR and (query.file in OPERATORS or place in READ_ALONE)) or (role == ADMIN and admins):
            found.append(query)
    return found


@pytest.fixture
def cursor(pg_dsn: str) -> Iterator[psycopg2.extensions.cursor]:
    with closing(psycopg2.connect(pg_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(ROLES_SQL)
        connection.commit()
        yield cursor


def refused(cursor: psycopg2.extensions.cursor, role: str, query: Query) -> str:
    """What the server says against it; "" = nothing. Nothing is done: EXPLAIN asks for rights as a run does."""
    given = dict.fromkeys(re.findall(r"%\((\w+)\)s", query.sql))
    *before, last = [part for part in query.sql.rstrip(";").split(";\n") if part.strip()]
    cursor.execute(f"SET LOCAL ROLE {role}")
    try:
        for part in before:
            cursor.execute(part, given)
        cursor.execute("EXPLAIN " + last, given)
    except errors.InsufficientPrivilege as error:
        return str(error).splitlines()[0]
    except psycopg2.Error:
        return ""  # it got past the rights, and minds that every argument is NULL
    finally:
        cursor.connection.rollback()
    return ""


@pytest.mark.spec("M15")
@pytest.mark.parametrize("role", [OPERATOR, ADMIN])
def test_a_role_may_do_all_that_its_commands_do(cursor: psycopg2.extensions.cursor, role: str) -> None:
    queries = asked_by(role) + (asked_by(OPERATOR) if role == ADMIN else [])
    assert len(queries) > 10
    assert {query.name: text for query in queries if (text := refused(cursor, role, query))} == {}


@pytest.mark.spec("M15")
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO definitions VALUES ('teams', 'x', 1, '{}', '{}')",
        "UPDATE campaigns SET state = 'running'",
        "INSERT INTO campaign_revisions (campaign, revision, type, definition, created_by) VALUES ('x', 1, 'manual', '{}', 'x')",
        "UPDATE agents SET definition = '{}'",
        "UPDATE installation SET definition = '{}'",
        "INSERT INTO plans (id, who, base, content, effect) VALUES ('p-0000', 'x', 'x', '{}', '{}')",
        "SELECT hash FROM tokens",
        "INSERT INTO tokens (id, role, hash, created_by) VALUES ('t-00000000', 'admin', 'x', 'x')",
        "SELECT response FROM api_requests",
        "DELETE FROM audit",
        "UPDATE audit SET who = 'somebody else'",
        "UPDATE commands SET who = 'somebody else'",
        "INSERT INTO commands (id, verb, target, who) VALUES (gen_random_uuid(), 'approve', 'spring', 'x')",
        "UPDATE attempts SET outcome = 'connected'",
        "DELETE FROM attempts",
        "UPDATE outbox SET sent_at = NULL",
        "INSERT INTO epochs (holder) VALUES ('x')",
        "CREATE TABLE x (y integer)",
    ],
)
def test_an_operator_changes_no_definition_no_token_and_no_evidence(cursor: psycopg2.extensions.cursor, statement: str) -> None:
    cursor.execute(f"SET ROLE {OPERATOR}")
    with pytest.raises(errors.InsufficientPrivilege):
        cursor.execute(statement)


@pytest.mark.spec("M15", "S25")
def test_only_an_admin_approves_and_operators_may_ask_for_all_else(cursor: psycopg2.extensions.cursor) -> None:
    command = "INSERT INTO commands (id, verb, target, who) VALUES (gen_random_uuid(), %s, 'spring', 'x') ON CONFLICT (id) DO NOTHING RETURNING id"
    for role, verbs in ((OPERATOR, ("start", "pause", "end", "agent_status")), (ADMIN, ("approve", "start"))):
        cursor.execute(f"SET ROLE {role}")
        for verb in verbs:
            cursor.execute(command, (verb,))
            assert cursor.rowcount == 1


@pytest.mark.spec("M15")
def test_agents_have_no_right_in_the_database(cursor: psycopg2.extensions.cursor) -> None:
    cursor.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'S') AND relnamespace = 'public'::regnamespace")
    names = [name for (name,) in cursor.fetchall()]
    cursor.execute(
        "SELECT relname FROM unnest(%s::text[]) AS given (relname) WHERE has_table_privilege(%s, relname, 'SELECT, INSERT, UPDATE, DELETE')", (names, AGENT)
    )
    assert cursor.fetchall() == []


def test_the_roles_may_be_made_again_and_take_back_what_was_granted_besides(cursor: psycopg2.extensions.cursor) -> None:
    cursor.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {OPERATOR}")
    cursor.execute(ROLES_SQL)
    cursor.execute("SELECT has_table_privilege(%s, 'tokens', 'SELECT')", (OPERATOR,))
    assert cursor.fetchone() == (False,)


def test_the_owner_is_not_bound_by_the_rule_of_approvals(cursor: psycopg2.extensions.cursor, pg_server: EmbeddedPostgres) -> None:
    cursor.execute("INSERT INTO commands (id, verb, target, who) VALUES (gen_random_uuid(), 'approve', 'spring', 'x')")
    cursor.execute("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'commands'::regclass")
    assert cursor.fetchone() == (False,)


def test_every_table_is_granted_or_withheld_on_purpose() -> None:
    """A new table must be thought of: it stands in roles.sql, or it is one of those that nobody but the owner sees."""
    schema = (paths.sql_dir() / "schema.sql").read_text(encoding="utf-8")
    tables = {name for name in re.findall(r"^CREATE TABLE (\w+)", schema, re.MULTILINE) if not name.startswith("attempts_other")}
    assert {name for name in tables if not re.search(rf"\b{name}\b", ROLES_SQL)} == set()

"""What the database server's own words mean: version, steps taken, whether it keeps what it has promised, room for connections.

Pure: facts in, checks out.
"""

from __future__ import annotations

from collections.abc import Sequence

from fs_dialer.cli.doctor.checks import Check, bad, fine, warn
from fs_dialer.cli.output import plural
from fs_dialer.db.embedded import OLDEST_MAJOR
from fs_dialer.db.migrate import Step
from fs_dialer.db.server import ServerFacts

DAEMON_CONNECTIONS = 10  # eight of its pool, the leader's, the listener's (cli/run.py)
COMMANDS = 4  # an operator or two, an import, a report


def version(facts: ServerFacts) -> Check:
    if facts.version_number // 10_000 < OLDEST_MAJOR:
        return bad("database.version", f"PostgreSQL {facts.version} is too old", f"PostgreSQL {OLDEST_MAJOR} or later is needed")
    return fine("database.version", f"PostgreSQL {facts.version}")


def schema(steps: Sequence[Step]) -> Check:
    """As `db status` has them."""
    problems = [step for step in steps if step.problem]
    missing = [step for step in steps if not step.applied]
    if problems:
        return bad("database.schema", f"the tables do not fit this version: {problems[0].name}: {problems[0].problem}", "fs-dialer db status")
    if missing:
        return bad("database.schema", f"the tables are not at this version: {plural(len(missing), 'step')} missing", "fs-dialer db migrate")
    return fine("database.schema", "the tables are at this version")


def writable(facts: ServerFacts) -> Check:
    if facts.standby:
        return bad("database.writable", "the database is a hot standby, which only reads", "name the primary in `database.dsn`")
    if facts.read_only:
        remedy = "ALTER ROLE … or ALTER DATABASE … SET default_transaction_read_only = off"
        return bad("database.writable", "the database is read-only for this user", remedy)
    return fine("database.writable", "the database can be written")


def durable(facts: ServerFacts) -> Check:
    """An attempt that was told to be committed has been dialled: after a power cut it must be there (spec D8)."""
    id, off = "database.durable", []
    if not facts.fsync:
        off.append("fsync = off")
    if facts.synchronous_commit == "off":
        off.append("synchronous_commit = off")
    if not facts.full_page_writes:
        off.append("full_page_writes = off")
    if off:
        text = f"{', '.join(off)}: after a power cut calls are forgotten, and people are called again"
        return bad(id, text, "set it to on in postgresql.conf (where a pooler stands before it: in there), and reload")
    return fine(id, f"what is committed stays: fsync on, synchronous_commit {facts.synchronous_commit}")


def connections(facts: ServerFacts) -> Check:
    """Room for the daemon, a standby and a few commands, besides what others hold."""
    id, room = "database.connections", facts.connection_limit - facts.others_connected
    needed = 2 * DAEMON_CONNECTIONS + COMMANDS
    what = f"{room} connections are left for fs-dialer of {facts.connection_limit}"
    if room < DAEMON_CONNECTIONS + 1:
        return bad(id, f"{what}; the daemon takes {DAEMON_CONNECTIONS}", "raise max_connections (or the user's CONNECTION LIMIT), or end what holds them")
    if room < needed:
        return warn(id, f"{what}; with a standby and commands it takes {needed}", "raise max_connections (or the user's CONNECTION LIMIT)")
    return fine(id, what)

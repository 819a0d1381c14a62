"""token create, token list, token revoke: who may use the HTTP interface, and as what (M15)."""

from __future__ import annotations

import time
from dataclasses import asdict

import click

from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Cell, ago, clean, moment
from fs_dialer.cli.settings import Session, nearest_name, who

ROLES = ("operator", "admin", "agent")
LONGEST_S = 3650 * 86400.0
NEVER = "never"


@command(
    "create",
    examples=("fs-dialer token create --role operator --title CRM", "fs-dialer token create --role agent --agent lan --expires 90d"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such agent"},
)
@click.option("--role", type=click.Choice(ROLES), required=True, help="What its holder may do: docs/security.md.")
@click.option("--agent", metavar="ID", help="With --role agent: whose it is.")
@click.option("--title", default="", metavar="TEXT", help="What it is for, for `token list`.")
@click.option("--expires", default="365d", show_default=True, metavar="TIME", help=f"How long it is valid: 12h, 90d, or {NEVER}.")
def token_create(session: Session, role: str, agent: str | None, title: str, expires: str) -> None:
    """Make a token. Its secret is shown once, now, on stdout; only a hash of it is stored."""
    if (role == "agent") != (agent is not None):
        raise click.UsageError("--agent ID belongs to --role agent, and --role agent needs it")
    lasts_s = _lasts(expires)
    if agent is not None:
        with session.office() as office:
            known = [each.id for each in office.agent_list()]
        if agent not in known:
            raise CommandFailed(f"there is no agent {clean(agent)}{nearest_name(agent, known)}", "which there are: fs-dialer agent list")
    from fs_dialer.db.tokens import TokenStore

    with session.pool() as pool:
        made = TokenStore(pool).create(role, who(), agent=agent, title=title, lasts_s=lasts_s)
    until = "until it is revoked" if made.expires_at is None else f"until {moment(made.expires_at, 'UTC')} UTC"
    session.note(f"{made.token.id}: role {role}{f', agent {agent}' if agent else ''}, {until}. This is the only time that its secret is shown:")
    session.say(made.secret)
    session.result({"token": made.token.id, "role": role, "agent": agent, "secret": made.secret, "expires_at": made.expires_at})


@command("list", examples=("fs-dialer token list", "fs-dialer token list --json"), exits=UNREACHABLE)
def token_list(session: Session) -> None:
    """Every token: whose it is, whether it is valid, and when it was last used."""
    from fs_dialer.db.tokens import TokenStore

    with session.pool() as pool:
        found = TokenStore(pool).listed()
    now = time.time()
    colours = {"valid": "green", "revoked": "red", "expired": "yellow"}
    rows = [
        (
            line.id,
            line.role + (f" {line.agent}" if line.agent else ""),
            Cell(line.state, colours[line.state]),
            "never" if line.expires_at is None else moment(line.expires_at, "UTC"),
            "never" if line.last_used_at is None else f"{ago(now - line.last_used_at)} ago",
            f"{ago(now - line.created_at)} ago by {line.created_by}",
            line.title,
        )
        for line in found
    ]
    if rows:
        session.table(("TOKEN", "ROLE", "STATE", "EXPIRES", "LAST USED", "MADE", "TITLE"), rows)
    else:
        session.say("There are no tokens. Make one: fs-dialer token create --role operator")
    session.result({"tokens": [{**asdict(line), "state": line.state} for line in found]})


@command(
    "revoke",
    examples=("fs-dialer token revoke t-4f1c09ab", 'fs-dialer token revoke t-4f1c09ab --reason "laptop lost"'),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such token"},
)
@click.argument("token", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the audit.")
def token_revoke(session: Session, token: str, reason: str) -> None:
    """End a token for good, at once. Revoking it again does nothing."""
    from fs_dialer.db.tokens import TokenStore

    with session.pool() as pool:
        store = TokenStore(pool)
        ended = store.revoke(token, who(), reason)
        known = [line.id for line in store.listed()]
    if token not in known:
        raise CommandFailed(f"there is no token {clean(token)}{nearest_name(token, known)}", "which there are: fs-dialer token list")
    session.say(f"{token}: revoked." if ended else f"{token} was revoked before; nothing to do.")
    session.result({"token": token, "revoked": ended})


def _lasts(text: str) -> float | None:
    from fs_dialer.config.values import BadValue, duration

    if text.strip().lower() == NEVER:
        return None
    try:
        seconds = duration(text)
    except BadValue as error:
        raise click.UsageError(f"--expires: {error}") from None
    if not 60 <= seconds <= LONGEST_S:
        raise click.UsageError("--expires: from 1m to 3650d, or never")
    return seconds

"""agent show: one agent at this moment. From the agent interface where a token is at hand, with all he may do; else what the daemon writes for `status`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fs_dialer.cli.agent_acts import AGENT, known_agent
from fs_dialer.cli.agent_filed import card_lines
from fs_dialer.cli.agent_http import AgentHttp, HttpRefused, Unreachable, configured, given_token
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import ago, clean
from fs_dialer.cli.settings import Session
from fs_dialer.cli.snapshots import last_written

URL = click.option("--url", metavar="URL", help="Where the agent interface is. Left out: as `http.listen` says.")
TOKEN_FILE = click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="A file with a token: his own, or an operator's. Left out: the variable FS_DIALER_TOKEN.",
)
NOT_DIALLED = ("queued", "previewing", "ringing_agent_first")


@command(
    "show",
    examples=("fs-dialer agent show lan", "FS_DIALER_TOKEN=fsd_… fs-dialer agent show lan --json"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such agent, or the token may not see him"},
)
@AGENT
@URL
@TOKEN_FILE
def show(session: Session, agent: str, url: str | None, token_file: Path | None) -> None:
    """One agent now: what he declared, what he does, his call, and what he may do.

    With a token it is asked of the daemon, and shows all of that. Without one it is what the daemon wrote last, which is less.
    """
    token = given_token(token_file)
    certificate: Path | None = None
    if token is not None and url is None:
        url, certificate = configured(session)
    if token is not None and url is not None:
        body = desk_of(AgentHttp(url, token, agent, certificate))
        session.say(*desk_lines(body))
        session.result({"agent": agent, "from": "interface", **body})
        return
    with session.office() as office:
        known_agent(office, agent)
        live = last_written(office)
        line = next(each for each in office.agent_list() if each.id == agent)
    seen = None if live is None else next((each for each in live.snapshot["agents"] if each["id"] == agent), None)
    session.say(f"{line.name or agent}: {_word(line.status)}{f' ({clean(line.reason)})' if line.reason else ''}, {ago(time.time() - line.status_at)}")
    if seen is None:
        session.say("  what he does is not known: no daemon is running" if live is None else "  the daemon does not know him yet")
    else:
        session.say(f"  {_word(seen['state'])}" + (f", call {seen['call']}" if seen["call"] else ""), f"  {seen['calls']} calls since the daemon started")
    session.say(f"  campaigns: {', '.join(line.campaigns) or 'none'}")
    session.note(f"more is seen with a token: fs-dialer token create --role agent --agent {agent}")
    session.result(
        {"agent": agent, "from": "database", "status": line.status, "reason": line.reason, "state": seen and seen["state"], "call": seen and seen["call"]}
    )


def desk_of(client: AgentHttp) -> dict[str, Any]:
    """The desk, or CommandFailed in the interface's own words."""
    try:
        return client.begin()
    except HttpRefused as refused:
        raise CommandFailed(refused.why, refused.mend, code=Exit.UNREACHABLE if refused.status == 503 else Exit.FAILED) from None
    except Unreachable as error:
        raise CommandFailed(str(error), "is the daemon running, and `http.listen` set?", code=Exit.UNREACHABLE) from None


def desk_lines(body: Mapping[str, Any]) -> list[str]:
    """A desk for people; pure."""
    desk, now = body["desk"], body["now"]
    reason = f" ({clean(desk['reason'])})" if desk["reason"] else ""
    lines = [f"{clean(desk['name'] or desk['agent'])}: {_word(desk['status'])}{reason}, {_word(desk['state'])} for {ago(now - desk['since'])}"]
    if desk["leaving"]:
        lines.append(f"  {_word(desk['status'])} takes effect after this call")
    until = desk["screen_until"]
    lines.append("  campaign screen closed" if until is None else f"  campaign screen open for {ago(until - now)} more")
    if desk["missed_in_row"]:
        lines.append(f"  {desk['missed_in_row']} offers missed in a row")
    if desk["rest_until"] is not None:
        lines.append(f"  rests for {ago(desk['rest_until'] - now)} more")
    for each in desk["campaigns"]:
        state = "paused for him" if each["paused"] else each["because"]
        lines.append(f"  {each['id']}  {each['type']}: {clean(state)}")
    if (call := desk["call"]) is not None:
        lines.append(f"  call {call['id']}: {_word(call['state'])}, {call['number']}, {call['campaign']}, lead {call['lead']}")
    if desk["last"] is not None and not desk["last"]["disposed"]:
        lines.append(f"  call {desk['last']['id']} has no result yet")
    lines.append(f"  he may: {', '.join(desk['can'])}")
    if body.get("card"):
        lines += card_lines(body["card"], now)
    return lines


def _word(text: str) -> str:
    return text.replace("_", " ")

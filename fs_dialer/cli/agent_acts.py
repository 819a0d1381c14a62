"""agent take, dial, skip, hold, transfer …: what an agent does at his screen, from a command line; and what supervisors do.

Changes nothing by itself: every act is a command in the database, which the daemon answers. What may be done at the moment is the engine's to say, and its
words are passed on. Results, answers and promises: agent_filed.py.
"""

from __future__ import annotations

from typing import Any

import click

from fs_dialer.cli.asked import TEXT, span
from fs_dialer.cli.campaigns import deadline, told
from fs_dialer.cli.command import Command, command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import clean, natural
from fs_dialer.cli.settings import Session, nearest_name, who
from fs_dialer.config.values import BadValue, dial_string

VERB = "agent"  # of the rows in the database: target is the agent, args name what he does
EXITS = {
    Exit.DONE: "done, or queued because no daemon is running",
    Exit.FAILED: "the daemon refused, or there is no such agent",
    Exit.UNREACHABLE: "the database was not reachable; nothing was asked",
}
AGENT = click.argument("agent", metavar="AGENT", type=TEXT)
CALL = click.option("--call", type=TEXT, metavar="ID", help="The call that is meant: refused when he has another one now. Left out: the one he has.")


def known_agent(office: Any, name: str) -> None:
    """CommandFailed with the nearest name where there is no such agent."""
    known = sorted((agent.id for agent in office.agent_list()), key=natural)
    if name not in known:
        advice = "which there are: fs-dialer agent list" if known else "none is defined yet: fs-dialer apply PATH"
        raise CommandFailed(f"there is no agent {clean(name)}{nearest_name(name, known)}; nothing was asked", advice)


def ask(session: Session, agent: str, verb: str, **args: str | None) -> None:
    """Ask the daemon, tell its answer, end with 1 where it refused. What is None is left out."""
    given = {"verb": verb, **{name: value for name, value in args.items() if value is not None}}
    with session.office() as office:
        known_agent(office, agent)
        result, text = told(office, office.submit_command(VERB, agent, given, who()), deadline())
    text = text.removeprefix(f"{agent}: ")
    if result == "refused":
        session.note(f"fs-dialer: {agent}: refused: {text}")
    else:
        session.say(f"{agent}: {text}")
    session.result({"agent": agent, "verb": verb, "result": result, "text": text})
    if result == "refused":
        raise click.exceptions.Exit(Exit.FAILED)


def _on_his_call(name: str, verb: str, help: str, *examples: str) -> Command:
    """A command that names at most the call."""

    def act(session: Session, agent: str, call: str | None) -> None:
        ask(session, agent, verb, call=call)

    act.__doc__ = help
    shown = examples or (f"fs-dialer agent {name} lan", f"fs-dialer agent {name} lan --json")
    return command(name, examples=shown, exits=EXITS)(AGENT(CALL(act)))


# --- before the call ------------------------------------------------------------------------------------------------------------------


@command("take", examples=("fs-dialer agent take lan --campaign winback", "fs-dialer agent take lan --campaign winback --lead 812"), exits=EXITS)
@AGENT
@click.option("--campaign", type=TEXT, required=True, metavar="NAME", help="A manual campaign that he serves.")
@click.option("--lead", type=click.IntRange(1), metavar="ID", help="This lead, rather than the next one.")
def take(session: Session, agent: str, campaign: str, lead: int | None) -> None:
    """Take the next customer of a manual campaign: he comes on the agent's card, and counts against his quota (S29, S30)."""
    ask(session, agent, "take", campaign=campaign, lead=None if lead is None else str(lead))


@command("skip", examples=("fs-dialer agent skip lan", "fs-dialer agent skip lan --reason 'knows him personally'"), exits=EXITS)
@AGENT
@CALL
@click.option("--reason", type=TEXT, metavar="TEXT", help="Why; some campaigns want one.")
def skip(session: Session, agent: str, call: str | None, reason: str | None) -> None:
    """Pass over the lead on the agent's card: it goes back undialled, behind the others."""
    ask(session, agent, "skip", call=call, reason=reason)


accept = _on_his_call("accept", "accept", """Accept a preview: the time before the call runs from now (only where the campaign says `accept: agent`).""")
extend = _on_his_call("extend", "extend_preview", """Prolong the time before the call, as often as the campaign allows.""")
dial = _on_his_call(
    "dial",
    "dial",
    """Dial the lead on the agent's card now.""",
    "fs-dialer agent dial lan",
    "fs-dialer agent take lan --campaign winback && fs-dialer agent dial lan",
)

# --- in the call ----------------------------------------------------------------------------------------------------------------------

hangup = _on_his_call("hangup", "hang_up", """End the agent's call, or the dialling of it.""")
hold = _on_his_call("hold", "hold", """Put the customer on hold, with music.""")
complete = _on_his_call("complete", "complete_transfer", """End an attended transfer: the customer goes to whom the agent consulted.""")


@command("resume", examples=("fs-dialer agent resume lan", "fs-dialer agent resume lan --campaign spring"), exits=EXITS)
@AGENT
@CALL
@click.option("--campaign", type=TEXT, metavar="NAME", help="Give him calls of this campaign again, after `agent pause`.")
def resume(session: Session, agent: str, call: str | None, campaign: str | None) -> None:
    """Go back to the customer on hold, or who waits during a consultation; with --campaign, end a pause in that campaign."""
    if campaign is not None and call is not None:
        raise click.UsageError("--call belongs to a customer on hold, --campaign to a pause: say one of them")
    if campaign is None:
        ask(session, agent, "resume", call=call)
    else:
        ask(session, agent, "resume_campaign", campaign=campaign)


@command("transfer", examples=("fs-dialer agent transfer lan --agent hoa --attended", "fs-dialer agent transfer lan --number +442079460101"), exits=EXITS)
@AGENT
@click.option("--agent", "to_agent", type=TEXT, metavar="AGENT", help="To this agent.")
@click.option("--team", type=TEXT, metavar="TEAM", help="To whoever of this team is free.")
@click.option("--number", type=TEXT, metavar="NUMBER", help="To a telephone number, with its country code.")
@click.option("--attended", is_flag=True, help="Talk to them first while the customer waits; then `agent complete`, or `agent resume`.")
@CALL
def transfer(session: Session, agent: str, to_agent: str | None, team: str | None, number: str | None, attended: bool, call: str | None) -> None:
    """Transfer the customer. Without --attended he goes at once; where nobody answers he comes back."""
    given = [(kind, to) for kind, to in (("agent", to_agent), ("team", team), ("number", number)) if to is not None]
    if len(given) != 1:
        raise click.UsageError("say to whom: one of --agent, --team, --number")
    (kind, to) = given[0]
    if kind == "number":
        from fs_dialer.cli.asked import e164

        to = e164(session, to)
    ask(session, agent, "transfer", kind=kind, to=to, attended="yes" if attended else "no", call=call)


RECORDING = {"start": "record", "stop": "stop_recording", "pause": "pause_recording", "resume": "resume_recording"}


@command("record", examples=("fs-dialer agent record start lan", "fs-dialer agent record pause lan"), exits=EXITS)
@click.argument("what", type=click.Choice(list(RECORDING)))
@AGENT
@CALL
def record(session: Session, what: str, agent: str, call: str | None) -> None:
    """Record the agent's call, stop that, or make the recording silent for a while (pause, resume). What the campaign allows is its own to say."""
    ask(session, agent, RECORDING[what], call=call)


# --- between calls --------------------------------------------------------------------------------------------------------------------


@command("wrap-up", examples=("fs-dialer agent wrap-up end lan", "fs-dialer agent wrap-up extend lan"), exits=EXITS)
@click.argument("what", type=click.Choice(["end", "extend"]))
@AGENT
def wrap_up(session: Session, what: str, agent: str) -> None:
    """End the rest after a call, or prolong it as often as the campaign allows (S13)."""
    ask(session, agent, f"{what}_wrap_up")


@command("screen", examples=("fs-dialer agent screen open lan --for 8h", "fs-dialer agent screen close lan"), exits=EXITS)
@click.argument("what", type=click.Choice(["open", "close"]))
@AGENT
@click.option("--for", "lease_s", callback=span("--for", most_s=86400.0), metavar="TIME", help="How long it stays open without a screen that follows. [8h]")
def screen(session: Session, what: str, agent: str, lease_s: float | None) -> None:
    """Open the agent's campaign screen, so that he gets the calls of campaigns that need it, or close it (S83–S85).

    A screen that follows the event stream keeps it open by itself; this one stays open for the time named.
    """
    if what == "close":
        if lease_s is not None:
            raise click.UsageError("--for belongs to open")
        ask(session, agent, "close_screen")
    else:
        ask(session, agent, "open_screen", lease_s=f"{8 * 3600.0 if lease_s is None else lease_s:g}")


@command("pause", examples=("fs-dialer agent pause lan --campaign spring", "fs-dialer agent pause lan --campaign spring --why training"), exits=EXITS)
@AGENT
@click.option("--campaign", type=TEXT, required=True, metavar="NAME", help="The campaign that gives him no new calls.")
@click.option("--why", type=TEXT, default="", metavar="TEXT", help="Why, for those who wonder later.")
def pause(session: Session, agent: str, campaign: str, why: str) -> None:
    """Pause one agent in one campaign: it gives him no new calls. What he has goes on; `agent resume --campaign` ends it."""
    ask(session, agent, "pause_campaign", campaign=campaign, why=why)


# --- supervisors ----------------------------------------------------------------------------------------------------------------------


@command("supervise", examples=("fs-dialer agent supervise lan --dial user/1009", "fs-dialer agent supervise lan --stop"), exits=EXITS)
@AGENT
@click.option("--dial", "telephone", type=TEXT, metavar="TELEPHONE", help="The supervisor's own telephone, as the switch calls it: user/1009.")
@click.option(
    "--how", type=click.Choice(["listen", "whisper", "barge"]), default="listen", show_default=True, help="whisper: the agent hears you; barge: both do."
)
@click.option("--stop", is_flag=True, help="Hang up whoever listens to him.")
def supervise(session: Session, agent: str, telephone: str | None, how: str, stop: bool) -> None:
    """Listen to an agent's call: the supervisor's telephone is rung, and hears it."""
    if stop == (telephone is not None):
        raise click.UsageError("say --dial TELEPHONE, or --stop")
    if telephone is None:
        ask(session, agent, "stop_supervising")
        return
    try:
        dial_string(telephone)
    except BadValue as error:
        raise click.BadParameter(clean(str(error)), param_hint="--dial") from None
    ask(session, agent, "supervise", dial=telephone, how=how)

"""agent dispose, answers, callback, do-not-call, card: what an agent says of a customer, from a command line.

These go into the database at once, whether a daemon runs or not; a running one is told of a result, so that the wrap-up ends with it. What a result means for
the lead is the campaign's and db/dispositions.py's. Which call is meant, where nobody says: the one the agent has, else his newest.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli.agent_acts import VERB, known_agent
from fs_dialer.cli.asked import TEXT, at
from fs_dialer.cli.campaigns import UNREACHABLE, deadline, told
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import ago, clean, moment
from fs_dialer.cli.settings import Session, who
from fs_dialer.cli.snapshots import last_written
from fs_dialer.config.values import short
from fs_dialer.errors import ConfigError, Problem

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice

EXITS = UNREACHABLE | {Exit.FAILED: "there is no such agent or call, or it is not his", Exit.REFUSED: "it was refused; nothing was changed"}
NEWEST_WITHIN_S = 86400.0
MOST_LOOKED_AT = 1000
AGENT = click.argument("agent", metavar="AGENT", type=TEXT)
CALL = click.option("--call", type=click.UUID, metavar="ID", help="The call that is meant. Left out: the one he has, else his newest.")
LEAD = click.option("--lead", type=click.IntRange(1), metavar="ID", help="This lead, rather than the customer of a call; one he has, had or promised to call.")
NOTE = click.option("--note", type=TEXT, metavar="TEXT", help="A note on the call, for whoever calls next.")
WHY = click.option("--why", type=TEXT, default="", metavar="TEXT", help="A reason, for the audit.")


@command(
    "dispose",
    examples=("fs-dialer agent dispose lan sold --answer renew=yes", "fs-dialer agent dispose lan later --callback-at 'tomorrow 9:00' --to-me"),
    exits=EXITS,
)
@AGENT
@click.argument("code", type=TEXT)
@CALL
@click.option("--callback-at", "when", type=TEXT, metavar="TIME", help="Call again then: 'tomorrow 9:00', '+2h', by the clock where the customer lives.")
@click.option("--to-me", is_flag=True, help="The agent promises to call himself. Left out: anyone may.")
@click.option("--answer", "answers", type=TEXT, multiple=True, metavar="KEY=VALUE", help="An answer to the script's question KEY; several for several choices.")
@NOTE
def dispose(session: Session, agent: str, code: str, call: object, when: str | None, to_me: bool, answers: tuple[str, ...], note: str | None) -> None:
    """Give the agent's call its result: CODE is one of its campaign's dispositions.

    While the call is up the result is kept and filed at its end. After it, where the campaign says so, the wrap-up ends with it.
    """
    from fs_dialer.db.dispositions import Result

    now = time.time()
    with session.office() as office:
        known_agent(office, agent)
        meant, his = _call(office, agent, call, now)
        callback_at = at(when, _zone(office, agent, meant, None, his, now), now, "--callback-at") if when is not None else None
        result = Result(code, callback_at, agent if callback_at is not None and to_me else None, _answers(answers))
        done = office.agent_dispose(agent, meant, result, now, note=note, has_call=his, who=who())
        if done is None:
            raise _not_his(meant, agent)
        _refused(done.refused)
        told(office, office.submit_command(VERB, agent, {"verb": "disposed", "call": meant, "code": code}, who()), deadline())
    replaced = f", in place of {done.replaced}" if done.replaced and done.replaced != code else ""
    kept = "; it is filed when the call is over" if done.kept_for_end else ""
    session.say(f"{agent}: call {meant}: {code}{replaced}{kept}")
    if done.lead_kept:
        session.say(f"  the lead stays as it is: {clean(done.lead_kept)}")
    elif not done.kept_for_end:
        session.say(f"  lead {done.lead}: {_word(done.lead_before)} → {_word(done.lead_status)} ({clean(done.decision)})")
    shown = ("disposition", "replaced", "lead", "lead_before", "lead_status", "ready_at", "decision", "lead_kept", "kept_for_end", "answers")
    session.result({"agent": agent, "call": meant, **{name: getattr(done, name) for name in shown}})


@command("answers", examples=("fs-dialer agent answers lan renew=yes plan=gold", "fs-dialer agent answers lan --note 'mornings are better'"), exits=EXITS)
@AGENT
@click.argument("answers", metavar="[KEY=VALUE]...", nargs=-1, type=TEXT)
@CALL
@NOTE
def answers(session: Session, agent: str, answers: tuple[str, ...], call: object, note: str | None) -> None:
    """Save answers to the script's questions, and a note, during the call or after it (S14, M24). KEY= takes an answer away."""
    if not answers and note is None:
        raise click.UsageError("say an answer, KEY=VALUE, or --note TEXT")
    now = time.time()
    with session.office() as office:
        known_agent(office, agent)
        meant, his = _call(office, agent, call, now)
        done = office.save_answers(agent, meant, _answers(answers), now, note=note, has_call=his, who=who())
    if done is None:
        raise _not_his(meant, agent)
    _refused(done.refused)
    missing = f"; still to be answered: {', '.join(done.missing)}" if done.missing else ""
    session.say(f"{agent}: call {meant}: saved{missing}")
    session.result({"agent": agent, "call": meant, "answers": done.answers, "note": done.note, "missing": list(done.missing)})


@command("callback", examples=("fs-dialer agent callback lan 'tomorrow 9:00'", "fs-dialer agent callback lan +2h --to-me --lead 812"), exits=EXITS)
@AGENT
@click.argument("when", metavar="TIME", type=TEXT)
@click.option("--to-me", is_flag=True, help="The agent promises to call himself. Left out: anyone may.")
@CALL
@LEAD
@WHY
def callback(session: Session, agent: str, when: str, to_me: bool, call: object, lead: int | None, why: str) -> None:
    """Promise the customer to call again, by the clock where he lives. Times outside the campaign's hours are refused."""
    from fs_dialer.db.lead_marks import CALL_AT, Mark

    now = time.time()
    with session.office() as office:
        known_agent(office, agent)
        meant, his = (None, False) if lead is not None and call is None else _call(office, agent, call, now)
        moment_ = at(when, _zone(office, agent, meant, lead, his, now), now, "TIME")
        _marked(session, office, agent, Mark(CALL_AT, at=moment_, agent=agent if to_me else None), meant, lead, his, why, now)


@command("do-not-call", examples=("fs-dialer agent do-not-call lan", "fs-dialer agent do-not-call lan --for-a-while --lead 812"), exits=EXITS)
@AGENT
@click.option("--for-a-while", is_flag=True, help="Only for as long as the campaign leaves such people alone (S12), and not for good.")
@CALL
@LEAD
@WHY
def do_not_call(session: Session, agent: str, for_a_while: bool, call: object, lead: int | None, why: str) -> None:
    """The customer does not want to be called: his number goes on the do-not-call list `own`."""
    from fs_dialer.db.lead_marks import DO_NOT_CALL, LEAVE_ALONE, Mark

    now = time.time()
    with session.office() as office:
        known_agent(office, agent)
        meant, his = (None, False) if lead is not None and call is None else _call(office, agent, call, now)
        _marked(session, office, agent, Mark(LEAVE_ALONE if for_a_while else DO_NOT_CALL), meant, lead, his, why, now)


@command("card", examples=("fs-dialer agent card lan", "fs-dialer agent card lan --lead 812 --json"), exits=EXITS)
@AGENT
@CALL
@LEAD
def card(session: Session, agent: str, call: object, lead: int | None) -> None:
    """What the agent sees of a customer: who he is, earlier calls, the script with its answers, what each result would mean."""
    now = time.time()
    with session.office() as office:
        known_agent(office, agent)
        meant, his = (None, False) if lead is not None and call is None else _call(office, agent, call, now)
        found = office.agent_card(agent, now, attempt=meant, lead=lead if meant is None else None, has_call=his)
    if found is None:
        raise _not_his(meant or f"of lead {lead}", agent)
    body = found.to_json()
    session.say(*card_lines(body, now))
    session.result({"agent": agent, "card": body})


# --- words ----------------------------------------------------------------------------------------------------------------------------


def card_lines(card: Mapping[str, Any], now: float) -> list[str]:
    """A card for people; pure."""
    zone = card.get("zone") or "UTC"
    lines = [f"{clean(card['name'] or 'no name')}  {card['number']}  {clean(zone)}, {moment(now, zone)} there"]
    lines.append(
        f"  {clean(card['title'] or card['campaign'])}, lead {card['lead']}: {_word(card['status'])}, call {card['attempts']} of {card['attempts_max']} made"
    )
    lines += [f"  {clean(str(key))}: {clean(str(value))}" for key, value in {**card["attributes"], **(card.get("parameters") or {})}.items()]
    for call in card["calls"]:
        words = [moment(call["at"], zone), _word(call["outcome"] or "up"), call["disposition"] or "", call["agent"] or "", clean(call["note"] or "")]
        lines.append("  " + "  ".join(word for word in words if word))
    lines += [f"  ticket {each['id']}, {each['channel']}, {ago(now - each['created_at'])} ago: {clean(each['note'] or '')}" for each in card["tickets"]]
    lines += [f"  promised for {moment(each['at'], zone)} by {each['agent'] or 'anyone'}" for each in card["promised"]]
    for item in card["script"]:
        if item["say"]:
            lines.append(f"  “{clean(item['say'])}”")
        if item["ask"]:
            given = card["answers"].get(item["key"])
            choices = f" ({', '.join(map(clean, item['options']))})" if item["options"] else ""
            shown = "-" if given in (None, "", []) else clean(", ".join(map(str, given)) if isinstance(given, list) else str(given))
            lines.append(f"  {'*' if item['required'] else ' '} {item['key']}: {clean(item['ask'])}{choices}: {shown}")
    lines += [f"  {each['code']}: {clean(each['effect'])}" for each in card["dispositions"]]
    return lines


def _word(status: str) -> str:
    return status.replace("_", " ")


# --- what is meant --------------------------------------------------------------------------------------------------------------------


def _call(office: Backoffice, agent: str, named: object, now: float) -> tuple[str, bool]:
    """The call, and whether a daemon says that this agent has it."""
    live = last_written(office)
    his = None if live is None else next((each["call"] for each in live.snapshot["agents"] if each["id"] == agent), None)
    if named is not None:
        return str(named), str(named) == his
    if his is not None:
        return str(his), True
    for each in office.attempt_page(since=now - NEWEST_WITHIN_S, limit=MOST_LOOKED_AT):
        if each.agent == agent:
            return each.id, False
    raise CommandFailed(f"{clean(agent)} has no call, and had none of late", "name the call: --call ID; which there are: fs-dialer attempt list")


def _zone(office: Backoffice, agent: str, call: str | None, lead: int | None, his: bool, now: float) -> str:
    """Where the customer lives."""
    found = office.agent_card(agent, now, attempt=call, lead=lead if call is None else None, has_call=his)
    if found is None:
        raise _not_his(call or f"of lead {lead}", agent)
    return found.zone or "UTC"


def _marked(session: Session, office: Backoffice, agent: str, mark: Any, call: str | None, lead: int | None, his: bool, why: str, now: float) -> None:
    done = office.agent_mark(agent, mark, now, attempt=call, lead=lead if call is None else None, why=why, has_call=his, who=who())
    if done is None:
        raise _not_his(call or f"of lead {lead}", agent)
    if done.refused:
        instead = " or ".join(moment(each, done.zone) for each in done.instead)
        raise CommandFailed(f"lead {done.lead}: {clean(done.refused)}", *([f"possible: {instead}"] if instead else []), code=Exit.REFUSED)
    session.say(f"{agent}: lead {done.lead}: {_word(done.before)} → {_word(done.status)}, {clean(done.text)}")
    shown = {"lead": done.lead, "campaign": done.campaign, "lead_before": done.before, "lead_status": done.status, "ready_at": done.ready_at}
    session.result({"agent": agent, "mark": mark.verb, **shown, "text": done.text})


def _answers(texts: Sequence[str]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"{clean(short(text))}: write key=value, as in renew=yes")
        found.setdefault(key.strip(), []).append(value)
    return found


def _refused(reasons: Sequence[str]) -> None:
    if reasons:
        raise ConfigError([Problem("", 0, 0, "", clean(text)) for text in reasons])


def _not_his(what: str, agent: str) -> CommandFailed:
    return CommandFailed(f"there is no call {clean(what)}, or it is not {clean(agent)}'s", "which there are: fs-dialer attempt list")

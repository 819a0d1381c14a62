"""trigger list, trigger test: what happens by itself, and what would happen."""

from __future__ import annotations

import json
from typing import Any

import click

from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Cell, clean
from fs_dialer.cli.settings import Session, nearest_name
from fs_dialer.core.resources import EVENTS, Trigger, TriggerAction
from fs_dialer.core.triggers import FIELDS, judge


@command("list", examples=("fs-dialer trigger list", "fs-dialer trigger list --json"), exits=UNREACHABLE)
def trigger_list(session: Session) -> None:
    """Every trigger: the event it listens for, its conditions (all must hold), and what it does."""
    found = _triggers(session)
    rows = [(each.name, each.on, _conditions(each), _actions(each), each.title) for each in found]
    if rows:
        session.table(("TRIGGER", "ON", "WHEN", "THEN", "TITLE"), rows)
    else:
        session.say("There are no triggers. Define them in a file (conf/triggers.yml shows how), then: fs-dialer apply PATH")
    session.result(
        {"triggers": [{"trigger": each.name, "on": each.on, "when": dict(each.when), "then": list(each.then), "title": each.title} for each in found]}
    )


@command(
    "test",
    examples=(
        """fs-dialer trigger test callback-wanted --event '{"channel": "callback", "number": "+442079460101"}'""",
        """fs-dialer trigger test --on attempt_ended --event '{"campaign": "spring", "missed": true}'""",
    ),
    exits=UNREACHABLE | {Exit.FAILED: "none would fire, or there is no such trigger"},
)
@click.argument("trigger", required=False)
@click.option("--event", "event_text", required=True, metavar="JSON", help="What the event tells, as an object.")
@click.option("--on", "kind", type=click.Choice(EVENTS), help="The kind of event; left out: the one that the trigger listens for.")
def trigger_test(session: Session, trigger: str | None, event_text: str, kind: str | None) -> None:
    """Would this trigger fire, or which of all would? Does nothing.

    For each that would not, the condition that stands in its way is told.
    """
    data = _event(event_text)
    found = _triggers(session)
    if trigger is not None:
        known = {each.name: each for each in found}
        if trigger not in known:
            raise CommandFailed(f"there is no trigger {clean(trigger)}{nearest_name(trigger, list(known))}", "which there are: fs-dialer trigger list")
        found = [known[trigger]]
    elif kind is None:
        raise click.UsageError("name a trigger, or say --on KIND to ask all of them")
    judged = [judge(each, kind or each.on, data) for each in found]
    for odd in sorted(set(data) - set(FIELDS[kind or found[0].on])) if found else ():
        session.note(f"note: events of this kind do not tell `{clean(odd)}`{nearest_name(odd, FIELDS[kind or found[0].on])}")
    rows = [
        (each.trigger.name, Cell("fires", "green") if each.fires else Cell("no", "yellow"), _actions(each.trigger) if each.fires else each.why_not)
        for each in judged
    ]
    if rows:
        session.table(("TRIGGER", "FIRES", "WHAT, OR WHY NOT"), rows)
    else:
        session.say("There are no triggers.")
    told = [
        {"trigger": each.trigger.name, "fires": each.fires, "why_not": each.why_not, "then": list(each.trigger.then) if each.fires else []} for each in judged
    ]
    session.result({"triggers": told})
    if not any(each.fires for each in judged):
        raise click.exceptions.Exit(Exit.FAILED)


def _triggers(session: Session) -> list[Trigger]:
    from fs_dialer.db.happenings import Happenings

    with session.pool() as pool:
        return Happenings(pool).triggers()


def _event(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"--event is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise click.UsageError('--event must be an object, as in {"channel": "callback"}')
    return found


def _conditions(trigger: Trigger) -> str:
    return ", ".join(f"{field} = {wanted.replace('|', ' or ') or 'empty'}" for field, wanted in trigger.when) or "always"


def _actions(trigger: Trigger) -> str:
    return ", ".join(words for action in trigger.then for words in _words(action)) or "nothing"


def _words(action: TriggerAction) -> list[str]:
    done = []
    if action.add_to:
        done.append(f"add to {action.add_to}")
    if action.set:
        done.append("set " + ", ".join(f"{name} = {value}" for name, value in action.set))
    if action.webhook:
        done.append(f"webhook {action.webhook}")
    return done

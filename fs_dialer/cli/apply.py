"""apply: store what files or a plan say, and undo it again.

Knows what has to be asked before something ends, and what is told of a world that moved. Everything is stored in one transaction or not at all; what is
stored is what was planned (planning.py), and what was planned is kept with the way back.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli.campaigns import deadline, told
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import clean, natural, plural
from fs_dialer.cli.plan import FULL, PRUNE, WHY, keep, read_and_plan, tell
from fs_dialer.cli.plan_words import as_json, last_line, named
from fs_dialer.cli.planning import Plan, Wish, from_content, planned
from fs_dialer.cli.settings import Session, nearest_name, who
from fs_dialer.config.things import Thing, word_of
from fs_dialer.core.definition import Campaign
from fs_dialer.core.plan import CAMPAIGN, CHANGED, CREATED, ENDED, REMOVED, REWRITTEN, UNCHANGED, one_of

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.shapes import Applied, AuditLine, Change, StoredPlan

PLAN_NAME = re.compile(r"p-[0-9a-z]{1,16}")  # wider than the names that are given, so that a mistyped one is told as a plan and not as a file
TRIES = 3  # of an apply of files, while others change things at the same time


@command(
    "apply",
    examples=("fs-dialer apply p-4f1c", "fs-dialer apply conf/ --why 'spring is over'"),
    exits={
        Exit.MISUSE: "the command line is wrong, or something ends and nobody is there to confirm: use --yes or --confirm",
        Exit.REFUSED: "a file has problems, or the plan is stale; nothing was stored",
        Exit.UNREACHABLE: "the database was not reachable; nothing was stored",
    },
)
@click.argument("what", metavar="PLAN|PATH...", nargs=-1, required=True)
@click.option("--revert", is_flag=True, help="Undo this plan: what stood before it becomes new revisions.")
@PRUNE
@FULL
@WHY
@click.option("--yes", is_flag=True, help="Do not ask when a file says that a campaign ends.")
@click.option("--confirm", default="", metavar="TEXT", help="What would have to be typed when something ends: its name, or how many they are.")
def apply(session: Session, what: tuple[str, ...], revert: bool, prune: bool, full: bool, why: str, yes: bool, confirm: str) -> None:
    """Store a plan, or what definition files say, all of it or nothing.

    With a PLAN (p-4f1c) just that is done, or nothing when definitions or states have changed since. With PATHs they are planned and stored in one go. What
    is not named is left alone. A changed campaign becomes a new revision, which has to be approved before it is dialled by; until then the old one goes on.
    """
    is_plan = len(what) == 1 and PLAN_NAME.fullmatch(what[0]) is not None and not Path(what[0]).exists()
    if revert and not is_plan:
        raise click.UsageError("--revert undoes one plan: fs-dialer apply --revert p-4f1c")
    if is_plan and (prune or full):
        raise click.UsageError("a plan holds already what is pruned; --prune and --full go with PATHs")
    with session.office() as office:
        if not is_plan:
            _apply_paths(session, office, [Path(each) for each in what], prune=prune, full=full, why=why, yes=yes, confirm=confirm)
        elif revert:
            _revert(session, office, _stored_plan(office, what[0]), why=why, yes=yes, confirm=confirm)
        else:
            _apply_plan(session, office, _stored_plan(office, what[0]), why=why, yes=yes, confirm=confirm)


# --- files ----------------------------------------------------------------------------------------------------------------------------


def _apply_paths(session: Session, office: Backoffice, paths: Sequence[Path], *, prune: bool, full: bool, why: str, yes: bool, confirm: str) -> None:
    from fs_dialer.db.definitions import WorldMoved

    for left in range(TRIES - 1, -1, -1):
        found = read_and_plan(session, office, paths, prune=prune)
        if not found.changes:
            tell(session, found, full=full)
            session.say(f"Nothing to do: the database says what these files say ({last_line(found).rpartition(', ')[2]}).")
            session.result({"plan": None, "changes": _unchanged(found), "imports": imports_of(found), "ending": []})
            return
        tell(session, found, full=full)
        confirmed(session, found, yes=yes, confirm=confirm)
        try:
            store_and_tell(session, office, found, why)
            return
        except WorldMoved as moved:
            # Somebody else's apply came between. What ends was confirmed for the world as it was shown, and for no other.
            if found.losses or not left:
                raise stale("this apply", moved.moved) from None
            session.note("somebody else changed definitions or states just now: planned again")


def store_and_tell(session: Session, office: Backoffice, found: Plan, why: str) -> None:
    """Keep the plan and carry it out at once."""
    name = keep(office, found, why)
    applied = office.store(found.edits, who(), base=found.world.fingerprint, plan=name, why=why, takeovers=found.wish.takeovers, since=found.world.at)
    told_applied(session, office, found, applied, name)


# --- a plan ---------------------------------------------------------------------------------------------------------------------------


def _stored_plan(office: Backoffice, name: str) -> StoredPlan:
    stored = office.plan(name)
    if stored is None:
        recent = office.recent_plans()
        advice = f"the newest: {named(recent)}" if recent else "none was made yet: fs-dialer plan PATH"
        raise CommandFailed(f"there is no plan {name}{nearest_name(name, recent)}", advice, code=Exit.REFUSED)
    return stored


def _apply_plan(session: Session, office: Backoffice, stored: StoredPlan, *, why: str, yes: bool, confirm: str) -> None:
    from fs_dialer.db.definitions import WorldMoved

    if stored.applied_at is not None:
        when = f"{datetime.fromtimestamp(stored.applied_at):%a %-d %b %H:%M}"
        raise CommandFailed(f"{stored.id} was applied by {stored.applied_by} on {when}", f"undo it: fs-dialer apply --revert {stored.id}", code=Exit.REFUSED)
    world = office.world()
    if world.fingerprint != stored.base:
        raise stale(stored.id, office.moved_since(stored.created_at))
    found = planned(office, from_content(stored.content), world)
    confirmed(session, found, yes=yes, confirm=confirm)
    reason = why or str(stored.content.get("why", ""))
    try:
        applied = office.store(found.edits, who(), base=stored.base, plan=stored.id, why=reason, since=stored.created_at)
    except WorldMoved as moved:
        raise stale(stored.id, moved.moved) from None
    told_applied(session, office, found, applied, stored.id)


def stale(what: str, moved: Sequence[AuditLine]) -> CommandFailed:
    """refused: p-4f1c is stale, an.le paused spring-renewals at 10:42. Nothing was changed."""
    said = f", {_moved(moved[0])}" if moved else ""
    more = f" (and {len(moved) - 1} more changes)" if len(moved) > 1 else ""
    advice = [_moved(line) for line in moved[1:4]]
    return CommandFailed(
        f"refused: {what} is stale{said}{more}. Nothing was changed.", *advice, "see what it would do now: fs-dialer plan PATH", code=Exit.REFUSED
    )


_DID = {"approved": "approved", "running": "started", "paused": "paused", "draining": "ended", "ended": "ended", "new": "changed"}


def _moved(line: AuditLine) -> str:
    details = line.details
    if line.what == "campaign_state":
        same = details.get("from") == details.get("to")
        did = f"approved r{details.get('revision')} of" if same else _DID.get(str(details.get("to")), "changed")
    elif line.what.startswith("remove"):
        did = "removed"
    else:
        did = "applied"
    kind = str(details.get("kind", CAMPAIGN))
    thing = line.target if kind == CAMPAIGN or line.target == kind else f"{word_of(kind)} {line.target}"
    return clean(f"{line.who} {did} {thing} at {datetime.fromtimestamp(line.at):%H:%M}")


# --- the way back ---------------------------------------------------------------------------------------------------------------------


def _revert(session: Session, office: Backoffice, stored: StoredPlan, *, why: str, yes: bool, confirm: str) -> None:
    from fs_dialer.db.definitions import WorldMoved

    if stored.undo is None:
        raise CommandFailed(f"{stored.id} was not applied: there is nothing to undo", code=Exit.REFUSED)
    world = office.world()
    moved = [item for item in stored.undo if not _stands(item, world.standing.get((item["kind"], item["name"])))]
    if moved:
        changed = [_title(item) for item in moved]
        advice = f"see what was done since: {_history_of(moved[0])}; an older file can be applied again too"
        raise CommandFailed(f"refused: {named(changed)} changed since {stored.id} was applied. Nothing was changed.", advice, code=Exit.REFUSED)
    over = [item["name"] for item in stored.undo if item["what"] == ENDED]
    found = planned(office, _way_back(stored), world)
    tell(session, found)
    for name in over:
        session.note(f"{name} was ended by {stored.id}, and an ended campaign never restarts: fs-dialer campaign clone {name} NEW")
    if not found.changes:
        session.say("Nothing to undo.")
        session.result({"plan": None, "changes": _unchanged(found), "imports": [], "ending": []})
        return
    confirmed(session, found, yes=yes, confirm=confirm)
    try:
        store_and_tell(session, office, found, why or f"reverts {stored.id}")
    except WorldMoved as error:
        raise stale(f"the way back from {stored.id}", error.moved) from None


def _stands(item: dict[str, Any] | Any, standing: Any) -> bool:
    """Is the thing still as the plan left it?"""
    from fs_dialer.db.applying import mark_of

    if item["what"] == REMOVED:
        return standing is None
    if item["what"] == ENDED:
        return True
    return standing is not None and standing.revision == item["revision"] and mark_of(standing.source) == item["mark"]


def _way_back(stored: StoredPlan) -> Wish:
    from fs_dialer.db.applying import source_from_json

    assert stored.undo is not None
    things = [Thing(item["kind"], item["name"], source_from_json(item["source"])) for item in stored.undo if item["source"] is not None]
    removed = [(str(item["kind"]), str(item["name"])) for item in stored.undo if item["what"] == CREATED]
    return Wish(tuple(things), removed=tuple(removed), revert_of=stored.id)


def _title(item: Any) -> str:
    return str(item["name"]) if item["kind"] == CAMPAIGN else f"{word_of(item['kind'])} {item['name']}".strip()


def _history_of(item: Any) -> str:
    words = [item["name"]] if item["kind"] == CAMPAIGN else [item["kind"], item["name"]]
    return shlex.join(["fs-dialer", "history", *(str(word) for word in words if word)])


# --- asking ---------------------------------------------------------------------------------------------------------------------------


def confirmed(session: Session, found: Plan, *, yes: bool, confirm: str) -> None:
    """Whoever ends or removes something types its name, or how many they are. CommandFailed where that was not done."""
    losses = found.losses
    if not losses or (yes and not found.wish.pruned):
        return
    wanted = losses[0].name if len(losses) == 1 else str(len(losses))
    ends = [edit.name for edit in losses if edit.what == ENDED]
    goes = [_title({"kind": edit.kind, "name": edit.name}) for edit in losses if edit.what == REMOVED]
    parts = [f"{_verbed(ends, 'ends', 'end')} for good"] if ends else []
    said = " and ".join([*parts, *([_verbed(goes, "goes", "go")] if goes else [])])
    if confirm:
        if confirm == wanted:
            return
        raise CommandFailed(f"{said}: --confirm has to be {wanted}, not {clean(confirm)}. Nothing was changed.", code=Exit.MISUSE)
    if not sys.stdin.isatty():
        way = f"--confirm {shlex.quote(wanted)}" + ("" if found.wish.pruned else ", or --yes")
        raise CommandFailed(f"{said}: say {way}. Nothing was changed.", code=Exit.MISUSE)
    session.note(f"{said}.")
    asked = "its name" if len(losses) == 1 else "how many they are"
    if click.prompt(f"Type {asked} to go on", err=True, default="", show_default=False) != wanted:
        raise CommandFailed(f"that is not {asked}: nothing was changed")


def _verbed(names: Sequence[str], one: str, many: str) -> str:
    return f"{named(names)} {one if len(names) == 1 else many}"


# --- telling --------------------------------------------------------------------------------------------------------------------------


def told_applied(session: Session, office: Backoffice, found: Plan, applied: Applied, plan: str) -> None:
    """What was stored, what is to be done now, and how to undo it."""
    pairs = zip(found.edits, applied.changes, strict=True)
    lines = [_ok(change, edit.approved_revision) for edit, change in pairs if edit.kind == CAMPAIGN and edit.what not in (UNCHANGED, ENDED)]
    for kind in dict.fromkeys(edit.kind for edit in found.changes if edit.kind != CAMPAIGN):
        for what in (CREATED, CHANGED, REWRITTEN, REMOVED):
            names = sorted((edit.name for edit in found.changes if (edit.kind, edit.what) == (kind, what)), key=natural)
            if names:
                many = f"{plural(len(names), word_of(kind))}" if names != [""] else kind
                lines.append(f"ok {many} {what}" + (f": {named(names)}" if names != [""] else ""))
    ending, until = [], deadline()
    for name, command_id in applied.ending:
        result, text = told(office, command_id, until)
        said = text.removeprefix(f"{name}: ")
        way_on = f", for good (no undo). To go on with its leads: fs-dialer campaign clone {name} NEW"
        lines.append(f"no {name}  {said}" if result == "refused" else f"ok {name}  {said}{way_on}")
        ending.append({"campaign": name, "result": result, "text": text})
    session.say(*lines)
    imports = imports_of(found)
    for each in imports:
        session.say(f"leads of {each['campaign']}: fs-dialer lead import {shlex.quote(each['file'])} --campaign {each['campaign']}")
    last = f"Applied {len(found.changes)} of {len(found.changes)}."
    if any(edit.what != ENDED for edit in found.changes):
        last += f"     Undo{' of the rest' if ending else ''}: fs-dialer apply --revert {plan}"
    session.say(last)
    session.result({"plan": plan, "changes": [asdict(change) for change in applied.changes], "imports": imports, "ending": ending, "planned": as_json(found)})


def _ok(change: Change, dials: int | None) -> str:
    leads = f", {plural(change.leads, 'lead')} joined" if change.leads else ""
    if change.what == REMOVED:
        return f"ok {change.name}  taken away again, with its leads"
    if change.what == REWRITTEN:
        return f"ok {change.name}  r{change.revision} in other words"
    if dials is not None:
        return f"ok {change.name}  r{change.revision} stored{leads}, r{dials} dials on until: fs-dialer approve {change.name}@{change.revision}"
    return f"ok {change.name}  r{change.revision} stored, unapproved{leads}: fs-dialer approve {change.name}"


def _unchanged(found: Plan) -> list[dict[str, Any]]:
    from fs_dialer.db.shapes import Change

    return [
        asdict(Change(one_of(edit.kind), edit.name, edit.what, edit.revision if edit.kind == CAMPAIGN else None, edit.needs_approval)) for edit in found.edits
    ]


def imports_of(found: Plan) -> list[dict[str, str]]:
    """Campaigns whose leads stand in a file beside theirs."""
    files = []
    for edit in found.edits:
        if isinstance(edit.new, Campaign) and edit.new.leads.csv and edit.file:
            files.append({"campaign": edit.name, "file": str(Path(edit.file).parent / edit.new.leads.csv)})
    return files

"""A plan in words and in JSON: each thing, each setting old -> new, and what it will do.

Knows how a plan reads on a terminal and in a pipe. The sentences are core/effects.py's, values are shown as config/kinds.py writes them.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from fs_dialer.cli.campaigns import NOT_YET, is_offered
from fs_dialer.cli.output import clean, natural, plural, table
from fs_dialer.cli.planning import Plan
from fs_dialer.config.kinds import show
from fs_dialer.config.things import word_of
from fs_dialer.core.definition import Campaign
from fs_dialer.core.effects import Effect, newcomer
from fs_dialer.core.plan import (
    CAMPAIGN,
    CHANGED,
    CREATED,
    ENDED,
    INSTALLATION,
    REMOVED,
    REWRITTEN,
    UNCHANGED,
    Difference,
    Edit,
    Leaf,
    differences,
    leaves,
    one_of,
    settings_in,
)

MOST_NAMES = 5
LONGEST_VALUE = 60


# --- JSON -----------------------------------------------------------------------------------------------------------------------------


def as_json(plan: Plan) -> dict[str, Any]:
    """What `plan --json` shows, and what is kept with the plan."""
    return {
        "counts": counts(plan.edits),
        "changes": [_change(plan, edit) for edit in plan.changes],
        "ended_before": list(plan.over),
        "left_alone": list(plan.left_alone),
    }


def counts(edits: Iterable[Edit]) -> dict[str, int]:
    words = [edit.what for edit in edits]
    return {
        "change": words.count(CHANGED),
        "add": words.count(CREATED),
        "end": words.count(ENDED),
        "remove": words.count(REMOVED),
        "rewrite": words.count(REWRITTEN),
        "unchanged": words.count(UNCHANGED),
    }


def _change(plan: Plan, edit: Edit) -> dict[str, Any]:
    found, said = _differences(edit), _effects(plan, edit)
    by_path = {effect.path: effect for effect in said if effect.path}
    told: dict[str, Any] = {
        "kind": one_of(edit.kind),
        "name": edit.name,
        "what": edit.what,
        "revision": edit.revision,
        "state": edit.state,
        "file": edit.file,
        "needs_approval": edit.needs_approval,
        "because": [f"{word_of(kind)} {name}".strip() for kind, name in edit.because],
        "differences": [_difference(each, by_path.get(each.path)) for each in found],
        "notes": [effect.text for effect in said if not effect.path],
    }
    if edit.kind == CAMPAIGN and edit.what == CREATED:
        told["notes"].append(_brings(plan, edit))
    told["notes"] += _not_dialled(edit)
    return told


def _difference(each: Difference, effect: Effect | None) -> dict[str, Any]:
    old, new = (None if _is_nothing(value) else show(each.kind, value) for value in (each.old, each.new))
    return {"setting": each.path, "old": old, "new": new, "effect": effect.text if effect else "", "warns": bool(effect and effect.warns)}


# --- words ----------------------------------------------------------------------------------------------------------------------------


def lines_of(plan: Plan, *, full: bool = False) -> list[str]:
    """The plan for people, without its last line."""
    width = max((len(_title(edit)) for edit in plan.changes if not _is_brief(edit)), default=0)
    lines: list[str] = []
    for edits in _grouped(plan.changes):
        lines += _group(edits) if len(edits) > 1 or _is_brief(edits[0]) else _one(plan, edits[0], width)
    for name in plan.over:
        lines.append(f"{name:<{width}}  has ended, and never changes again: what its file says is left aside. A new one: fs-dialer campaign clone {name} NEW")
    lines += _of_the_switch(plan.changes)
    lines += _left_alone(plan.left_alone, width)
    if full:
        lines += _all_settings(plan)
    return [clean(line) for line in lines]


def _of_the_switch(edits: Sequence[Edit]) -> list[str]:
    """Flows and queues are dialplan: a changed one is in the switch only after a reload."""
    found = [edit for edit in edits if edit.kind in ("ivrs", "queues") and edit.what in (CREATED, CHANGED, REMOVED)]
    names = ", ".join(f"{'flow' if edit.kind == 'ivrs' else 'queue'} {edit.name}" for edit in found[:MOST_NAMES])
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    return [f"{names}{more} changed: after the apply run fs-dialer switch reload, for the switch keeps its own copy"] if found else []


def last_line(plan: Plan) -> str:
    """1 to change, 1 to add, 0 to end, 3 unchanged."""
    found = counts(plan.edits)
    parts = [f"{found['change']} to change", f"{found['add']} to add", f"{found['end']} to end"]
    parts += [f"{found['remove']} to remove"] if found["remove"] else []
    parts += [f"{found['rewrite']} in other words"] if found["rewrite"] else []
    return ", ".join([*parts, f"{found['unchanged']} unchanged"])


def named(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """lan, hoa and 7 more."""
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _is_brief(edit: Edit) -> bool:
    """A thing of which only the name is told."""
    return edit.kind != CAMPAIGN and edit.what in (CREATED, REMOVED, REWRITTEN)


def _grouped(edits: Sequence[Edit]) -> list[list[Edit]]:
    """New, removed and rewritten things of one kind together; all others, and each campaign, alone."""
    groups: list[list[Edit]] = []
    for edit in edits:
        if groups and _is_brief(edit) and _is_brief(groups[-1][0]) and (groups[-1][0].kind, groups[-1][0].what) == (edit.kind, edit.what):
            groups[-1].append(edit)
        else:
            groups.append([edit])
    return groups


def _group(edits: Sequence[Edit]) -> list[str]:
    first = edits[0]
    what = {CREATED: "new", REMOVED: "removed", REWRITTEN: "the same in other words"}[first.what]
    if not first.name:
        return [f"{first.kind}, {what}" + (f": {plural(settings_in(first.source), 'setting')}" if first.what == CREATED else "")]
    names = sorted((edit.name for edit in edits), key=natural)
    return [f"{plural(len(edits), word_of(first.kind))}, {what}: {named(names)}"]


def _title(edit: Edit) -> str:
    return edit.name if edit.kind == CAMPAIGN else f"{word_of(edit.kind)} {edit.name}".strip()


def _one(plan: Plan, edit: Edit, width: int) -> list[str]:
    head = f"{_title(edit):<{width}}  {_headline(plan, edit)}"
    if edit.file and edit.what in (CHANGED, REWRITTEN):
        head = f"{head:<70}  {edit.file}"
    return [head.rstrip(), *_details(plan, edit)]


def _headline(plan: Plan, edit: Edit) -> str:
    kind = edit.new.type.value if isinstance(edit.new, Campaign) else edit.old.type.value if isinstance(edit.old, Campaign) else ""
    if edit.kind != CAMPAIGN:
        return f"r{edit.revision - 1} -> r{edit.revision}"
    match edit.what:
        case "created":
            return f"{kind}, new: {_brings(plan, edit)}"
        case "ended":
            return f"{kind}, {edit.state}: it ends, for good" + (", no file names it" if plan.wish.pruned and not edit.file else "")
        case "removed":
            return f"{kind}, new: taken away again, with its leads"
        case "rewritten":
            return f"{kind}, {edit.state}   r{edit.revision}, the same in other words: needs no approval"
    return f"{kind}, {edit.state}   r{edit.revision - 1} -> r{edit.revision}"


def _details(plan: Plan, edit: Edit) -> list[str]:
    found, said = _differences(edit), _effects(plan, edit)
    by_path = {effect.path: effect for effect in said if effect.path}
    rows = [(each.sign, each.path, _old_new(each), by_path.get(each.path)) for each in found]
    path_width = max((len(row[1]) for row in rows), default=0)
    # One long value must not push all effects to the right.
    value_width = max((len(row[2]) for row in rows if row[3] is not None and len(row[2]) <= LONGEST_VALUE // 2), default=0)
    lines = []
    for sign, path, value, effect in rows:
        line = f"  {sign} {path:<{path_width}}  {value:<{value_width if effect else 0}}"
        lines += _with_effect(line, effect)
    if edit.because:
        lines.append(f"  . because of {', '.join(f'{word_of(kind)} {name}'.strip() for kind, name in edit.because)}")
    lines += [f"  . {effect.text}" for effect in said if not effect.path]
    lines += [f"  . {note}" for note in _not_dialled(edit)]
    if edit.kind not in (CAMPAIGN, INSTALLATION):
        users = [other.name for other in plan.changes if other.kind == CAMPAIGN and edit.key in other.because]
        lines += [f"  . {named(users)} {'rests' if len(users) == 1 else 'rest'} on it: new revisions below"] if users else []
    return lines


def _with_effect(line: str, effect: Effect | None) -> list[str]:
    if effect is None:
        return [line.rstrip()]
    lead = f"{line}  {'! ' if effect.warns else ''}"
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 0
    if not width or len(lead) + len(effect.text) <= width or len(lead) > width - 30:
        return [lead + effect.text]
    first, *more = textwrap.wrap(effect.text, width - len(lead))
    return [lead + first, *(" " * len(lead) + each for each in more)]


def _old_new(each: Difference) -> str:
    old, new = (shortened(show(each.kind, value)) for value in (each.old, each.new))
    if each.sign == "~":
        return f"{old} -> {new}"
    value = new if each.sign == "+" else old
    return "" if each.kind == "flag" and (each.old is None or each.new is None) else value


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _left_alone(names: Sequence[str], width: int) -> list[str]:
    if not names:
        return []
    if len(names) > MOST_NAMES:
        return [f"{len(names)} campaigns are in none of these files, and are left alone: {named(names)}   (--prune would end them)"]
    width = max(width, *map(len, names))
    return [f"{name:<{width}}  in none of these files: left alone   (--prune would end it)" for name in names]


def _all_settings(plan: Plan) -> list[str]:
    """Each merged value with its origin (ux: plan --full)."""
    lines: list[str] = []
    named_here = {thing.name for thing in plan.wish.things if thing.kind == CAMPAIGN}
    for name in sorted(named_here & set(plan.library.campaigns)):
        campaign, origins = plan.library.campaigns[name], plan.library.origins[name]
        values = {leaf.path: shortened(_shown(leaf)) for leaf in leaves(campaign)}
        rows = [(path, values[path], origin) for path, origin in origins.items() if path in values]
        lines += ["", f"{name}, all settings:", *table(("  SETTING", "VALUE", "FROM"), [(f"  {path}", value, origin) for path, value, origin in rows])]
    return lines


def _shown(leaf: Leaf) -> str:
    if leaf.kind == "by_name" and leaf.value:
        return "{" + ", ".join(f"{name}: {show(leaf.of, value)}" for name, value in leaf.value) + "}"
    return show(leaf.kind, leaf.value)


# --- what both say --------------------------------------------------------------------------------------------------------------------


def _differences(edit: Edit) -> tuple[Difference, ...]:
    return differences(edit.old, edit.new) if edit.what == CHANGED else ()


def _effects(plan: Plan, edit: Edit) -> Sequence[Effect]:
    return plan.effects.get(edit.name, ()) if edit.kind == CAMPAIGN and edit.what == CHANGED else ()


def _not_dialled(edit: Edit) -> list[str]:
    """What keeps a campaign from being dialled, whoever approves it."""
    coming = edit.what in (CREATED, CHANGED) and isinstance(edit.new, Campaign) and not is_offered(edit.new.type)
    return [NOT_YET] if coming else []


def _brings(plan: Plan, edit: Edit) -> str:
    facts = plan.facts.get(edit.name)
    assert facts is not None and isinstance(edit.new, Campaign), "facts are taken for every new campaign"
    return newcomer(edit.new, facts, settings_in(edit.source))


def _is_nothing(value: Any) -> bool:
    return value is None or value == () or value == ""

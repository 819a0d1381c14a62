"""What an apply would change: definitions as they stand and as files want them, compared setting by setting.

Pure: two sets of values in, edits and differences out. Knows how settings are declared (options.py) and nothing of YAML or SQL; what a difference means for
leads and calls stands in effects.py. Values are handed on as they are: how a duration is written is config/'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NamedTuple

from fs_dialer.core.definition import Campaign
from fs_dialer.core.options import declared
from fs_dialer.core.resources import Holiday, Hours

Key = tuple[str, str]  # kind and name of a thing

CAMPAIGN, AGENTS, INSTALLATION, DEFAULTS = "campaign", "agents", "installation", "defaults"

CREATED, CHANGED, REWRITTEN, REMOVED, ENDED, UNCHANGED = "created", "changed", "rewritten", "removed", "ended", "unchanged"
OVER = ("draining", "ended")  # campaign states that no definition brings back (D11)

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SETS = ("names", "phones", "refs", "texts", "choices", "hosts")
_PAIRS = ("words", "by_name")
_NAMES = ("id", "name", "number", "key")  # by which of these a list's items are told apart


def one_of(kind: str) -> str:
    """What one thing of a kind is called in reports for programs: agent, schedule, caller_id; campaign, installation and defaults as they are."""
    return kind if kind == DEFAULTS else kind.removesuffix("s")


# --- what becomes of each thing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """A thing as it is stored. `value`: None where this program cannot read it; `source`: the file as written; `state`: a campaign's."""

    kind: str
    name: str
    revision: int
    value: Any
    source: Any
    state: str = ""
    approved_revision: int | None = None

    @property
    def key(self) -> Key:
        return self.kind, self.name

    @property
    def is_over(self) -> bool:
        return self.state in OVER


@dataclass(frozen=True, slots=True)
class Wanted:
    """A thing as files want it. `value`: resolved; `named`: it stands in the files itself, else only what it refers to changed."""

    kind: str
    name: str
    value: Any
    source: Any
    file: str = ""
    line: int = 0
    named: bool = True
    because: tuple[Key, ...] = ()

    @property
    def key(self) -> Key:
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Edit:
    """What an apply does to one thing.

    what: created, changed, rewritten (the same meaning in other words: stored, needs no approval), removed, ended, unchanged. `revision`: the one it has
    afterwards. `because`: the changed things that changed a campaign which no file names.
    """

    kind: str
    name: str
    what: str
    revision: int
    old: Any = None
    new: Any = None
    old_source: Any = None
    source: Any = None
    file: str = ""
    line: int = 0
    state: str = ""
    approved_revision: int | None = None
    because: tuple[Key, ...] = ()

    @property
    def key(self) -> Key:
        return self.kind, self.name

    @property
    def needs_approval(self) -> bool:
        """The revision is not, or not any more, the approved one (D5)."""
        return self.kind == CAMPAIGN and self.what not in (ENDED, REMOVED) and self.state not in OVER and self.approved_revision != self.revision


def edits(stored: Mapping[Key, Standing], wanted: Iterable[Wanted], *, ended: Iterable[str] = (), removed: Iterable[Key] = ()) -> tuple[Edit, ...]:
    """What has to be done, in the order of doing: what campaigns are made of, then campaigns, each by name. A campaign that no file names is left out where
    nothing changes for it."""
    found = [edit for thing in wanted if (edit := _edit(stored.get(thing.key), thing)).what != UNCHANGED or thing.named]
    for name in ended:
        before = stored.get((CAMPAIGN, name))
        if before is not None:
            what = UNCHANGED if before.is_over else ENDED
            found.append(Edit(CAMPAIGN, name, what, before.revision, before.value, state=before.state, approved_revision=before.approved_revision))
    for key in removed:
        before = stored.get(key)
        if before is not None:
            found.append(Edit(*key, REMOVED, before.revision + 1, before.value, None, before.source, None))
    return tuple(sorted(found, key=lambda edit: (_rank(edit.kind), edit.kind, edit.name)))


def _edit(before: Standing | None, after: Wanted) -> Edit:
    if before is None:
        return Edit(*after.key, CREATED, 1, None, after.value, None, after.source, after.file, after.line, "new" if after.kind == CAMPAIGN else "")
    same = before.value is not None and _comparable(before.value) == _comparable(after.value)
    rewritten = same and before.source != after.source
    # A campaign's revision stands for its meaning: that alone is approved. Other things are numbered by what was written.
    counts = not same or (rewritten and after.kind != CAMPAIGN)
    return Edit(
        *after.key,
        (REWRITTEN if rewritten else UNCHANGED) if same else CHANGED,
        before.revision + 1 if counts else before.revision,
        before.value,
        after.value,
        before.source,
        after.source,
        after.file,
        after.line,
        before.state,
        before.approved_revision,
        after.because,
    )


def _comparable(value: Any) -> Any:
    """Without what means nothing: the revision's number, and routes that leave all trunks to a number."""
    if not isinstance(value, Campaign):
        return value
    routes = tuple(route for route in value.caller_id.routes if route.gateways)
    return replace(value, revision=0, caller_id=replace(value.caller_id, routes=routes))


def _rank(kind: str) -> int:
    return {INSTALLATION: 0, DEFAULTS: 1, CAMPAIGN: 3}.get(kind, 2)


# --- setting by setting ---------------------------------------------------------------------------------------------------------------


class Difference(NamedTuple):
    """One setting. `path`: as in the file; `kind`: of options.py, says how old and new are shown; the one that is not there is None."""

    path: str
    kind: str
    old: Any
    new: Any

    @property
    def sign(self) -> str:
        """~ changed, + added, - taken away."""
        if _is_nothing(self.old):
            return "+"
        return "-" if _is_nothing(self.new) else "~"


def differences(old: Any, new: Any) -> tuple[Difference, ...]:
    """Every setting that differs, in the order in which settings are declared. Of a thing that is new or removed: none."""
    if old is None or new is None:
        return ()
    return tuple(_of_things("", _comparable(old), _comparable(new)))


def _of_things(path: str, old: Any, new: Any) -> list[Difference]:
    """Two values of one dataclass; settings of a mode stand beside the campaign's own, as in the file."""
    if isinstance(old, Mapping) or isinstance(new, Mapping):
        return _of_trees(path, old, new)
    found: list[Difference] = []
    cls: type = type(new)
    known = {f.name: (key, f.metadata["kind"], f.metadata.get("of", "")) for key, f in declared(cls).items()}
    for each in fields(new):
        before, after = getattr(old, each.name), getattr(new, each.name)
        if before == after or each.name in ("id", "revision"):
            continue
        if each.name == "options":
            found += _of_options(before, after)
            continue
        key, kind, of = known.get(each.name, (each.name, "choice" if each.name == "type" else "text", ""))
        found += _of_values(f"{path}.{key}" if path and key else path or key, kind, of, before, after)
    return found


def _of_options(old: Any, new: Any) -> list[Difference]:
    if type(old) is type(new):
        return [] if old is None else _of_things("", old, new)
    found = [Difference(leaf.path, leaf.kind, leaf.value, None) for leaf in _leaves("", old)]
    found += [Difference(leaf.path, leaf.kind, None, leaf.value) for leaf in _leaves("", new)]
    return [each for each in found if not (_is_nothing(each.old) and _is_nothing(each.new))]


class Leaf(NamedTuple):
    """A plain setting. `of`: of what kind the values of a table are."""

    path: str
    kind: str
    of: str
    value: Any


def leaves(value: Any) -> list[Leaf]:
    """Every plain setting of a thing; of a campaign those of its mode too."""
    return _leaves("", value) + (_leaves("", value.options) if isinstance(value, Campaign) else [])


def _leaves(path: str, value: Any) -> list[Leaf]:
    found: list[Leaf] = []
    cls: type = type(value)
    for key, setting in declared(cls).items() if value is not None else ():
        own, here = getattr(value, setting.name), f"{path}.{key}" if path else key
        found += _leaves(here, own) if setting.metadata["kind"] == "section" else [Leaf(here, setting.metadata["kind"], setting.metadata["of"], own)]
    return found


def _of_values(path: str, kind: str, of: str, old: Any, new: Any) -> list[Difference]:
    if isinstance(old, Hours) and isinstance(new, Hours):
        return _of_hours(path, old, new)
    if is_dataclass(old) and is_dataclass(new) and type(old) is type(new):
        name = getattr(new, "name", "")
        if kind in ("ref", "refs") and getattr(old, "name", "") != name:
            return [Difference(path, kind, old, new)]  # another thing: what stands in it is the business of its own file
        return _of_things(path, old, new)
    if isinstance(old, tuple) and isinstance(new, tuple):
        return _of_lists(path, kind, of, old, new)
    return [Difference(path, kind, old, new)]


def _of_lists(path: str, kind: str, of: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> list[Difference]:
    if kind in _PAIRS or kind == "holidays" or any(is_dataclass(each) for each in (*old, *new)):
        return _of_items(path, kind, of, _by_name(old), _by_name(new))
    if kind in _SETS and set(old) != set(new):
        gone = [Difference(path, "text", each, None) for each in old if each not in new]
        return gone + [Difference(path, "text", None, each) for each in new if each not in old]
    return [Difference(path, kind, old, new)]


def _of_items(path: str, kind: str, of: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    inner = of or "text"
    found = []
    for name in dict.fromkeys((*old, *new)):
        before, after, here = old.get(name), new.get(name), f"{path}.{name}"
        if before == after:
            continue
        if before is not None and after is not None and is_dataclass(after) and not isinstance(after, Holiday):
            found += _of_things(here, before, after)
        elif kind == "holidays":
            found.append(Difference(here, "text", _holiday(before), _holiday(after)))
        else:
            # A whole item that comes or goes is shown by its name alone, which stands in the path.
            shown = [True if is_dataclass(each) else each for each in (before, after)]
            found.append(Difference(here, "flag" if True in shown else inner, *shown))
    if not found:
        found.append(Difference(path, "texts", tuple(old), tuple(new)))  # the same items in another order, which counts for rules
    return found


def _by_name(items: tuple[Any, ...]) -> dict[str, Any]:
    """Items by their name, those without one by their place from 1."""
    named: dict[str, Any] = {}
    for place, item in enumerate(items, start=1):
        if isinstance(item, tuple) and len(item) == 2 and not is_dataclass(item):
            name, value = str(item[0]), item[1]
        else:
            name, value = next((str(word) for each in _NAMES if (word := getattr(item, each, ""))), str(place)), item
        while name in named:
            name += f"-{place}"
        named[name] = value
    return named


def _of_hours(path: str, old: Hours, new: Hours) -> list[Difference]:
    found = []
    if old.schedule != new.schedule:
        found.append(Difference(path, "text", old.schedule or "(written here)", new.schedule or "(written here)"))
    for day, before, after in zip(_DAYS, old.week, new.week, strict=True):
        if before != after:
            found.append(Difference(f"{path}.{day}", "text", spans(before), spans(after)))
    found = _folded(found)
    if old.holidays != new.holidays:
        found += _of_items(f"{path}.holidays", "holidays", "", _by_name(old.holidays), _by_name(new.holidays))
    if old.zone != new.zone:
        found.append(Difference(f"{path}.zone", "zone", old.zone, new.zone))
    return found


def _folded(found: Sequence[Difference]) -> list[Difference]:
    """Days in a row that change alike in one line: hours.mon-fri."""
    folded: list[Difference] = []
    for each in found:
        before = folded[-1] if folded else None
        stem, _, day = each.path.rpartition(".")
        if before is not None and day in _DAYS and before[2:] == each[2:]:
            first, _, last = before.path.rpartition(".")[2].partition("-")
            if _DAYS.index(last or first) + 1 == _DAYS.index(day):
                folded[-1] = before._replace(path=f"{stem}.{first}-{day}")
                continue
        folded.append(each)
    return folded


def _of_trees(path: str, old: Any, new: Any) -> list[Difference]:
    """Texts as they were written, for what has no settings of its own: the defaults."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        found = []
        for name in dict.fromkeys((*old, *new)):
            if old.get(name) != new.get(name):
                found += _of_trees(f"{path}.{name}" if path else str(name), old.get(name), new.get(name))
        return found
    return [Difference(path, "text", _flat(old), _flat(new))]


def _flat(tree: Any) -> str | None:
    if isinstance(tree, Mapping):
        return "{" + ", ".join(f"{key}: {_flat(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list | tuple):
        return "[" + ", ".join(str(_flat(each)) for each in tree) + "]"
    return None if tree is None else str(tree)


def spans(day: tuple[tuple[int, int], ...]) -> str | None:
    """A day's hours as they are written: 8:00-12:00, 13:00-20:00; None = closed."""
    return ", ".join(f"{start // 60}:{start % 60:02}-{end // 60}:{end % 60:02}" for start, end in day) or None


def _holiday(holiday: Any) -> str | None:
    if not isinstance(holiday, Holiday):
        return None
    return holiday.first if holiday.first == holiday.last else f"{holiday.first}..{holiday.last}"


def _is_nothing(value: Any) -> bool:
    return value is None or value == () or value == ""


def settings_in(source: Any) -> int:
    """How many settings a file has: its plain values, lists counted once."""
    if isinstance(source, Mapping):
        return sum(settings_in(value) for value in source.values())
    return 1

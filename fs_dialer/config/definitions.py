"""One thing as written → what it defines: a campaign, an agent, a schedule, the installation, the defaults.

Each is judged alone here, with what its names stand for; what things say about each other stands in crosscheck.py and crosscheck_things.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, replace
from typing import Any

import phonenumbers

from fs_dialer.config.declarations import Values, complete, listed
from fs_dialer.config.form import Form
from fs_dialer.config.shelf import Default, Defaults, Shelf
from fs_dialer.config.things import DEFAULTS, INSTALLATION, KINDS, Thing, kind_of, node_of, things_of
from fs_dialer.config.values import BadValue, name, nearest, short
from fs_dialer.config.yaml_source import Broken, Entry, Listing, Scalar, Table, YamlFile
from fs_dialer.core.definition import SCRIPTED, Campaign, GatewayDefinition, Installation, SwitchDefinition
from fs_dialer.core.model import CampaignId, CampaignType, GatewayId, SwitchId
from fs_dialer.core.options import declared
from fs_dialer.core.resources import CallerIdDefinition, CallerIds, CallerRoute, Disposition, Profile, Schedule, Script
from fs_dialer.modes import SETTINGS

__all__ = ["Unit", "kind_of", "read_defaults", "read_thing", "read_unit"]

TYPES = tuple(each.value for each in SETTINGS)
_OTHERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    each.value: {
        key: tuple(other.value for other, theirs in SETTINGS.items() if key in declared(theirs))
        for options in SETTINGS.values()
        for key in declared(options)
        if key not in declared(SETTINGS[each])
    }
    for each in SETTINGS
}


@dataclass(slots=True)
class Unit:
    """A thing, its file, and the form that knows where each setting stands and which are bad. `value`: None where too much is wrong with it."""

    thing: Thing
    file: YamlFile
    form: Form
    value: Any = None

    @property
    def kind(self) -> str:
        return self.thing.kind

    @property
    def campaign(self) -> Campaign | None:
        return self.value if isinstance(self.value, Campaign) else None


def read_thing(thing: Thing, file: YamlFile, shelf: Shelf | None = None, defaults: Defaults | None = None) -> Unit:
    """Read a thing; problems go to `file`. Where there are some, the value holds stand-ins and is fit for judging the rest only."""
    node = thing.origin.node if thing.origin else node_of(thing.source)
    key = thing.origin.key if thing.origin else None
    if thing.kind == "campaign":
        return _campaign(thing, file, _root(node), shelf, defaults)
    if thing.key == INSTALLATION:
        return _installation(thing, file, _root(node))
    assert thing.key != DEFAULTS, "defaults are read by read_defaults"
    return _named(thing, file, node, key, shelf)


def _root(node: Any) -> Table:
    return node if isinstance(node, Table) else Table({}, node.line, node.column)


def read_unit(file: YamlFile, kind: str) -> Unit | None:
    """A campaign's file alone, its names unlooked for; None where it holds none."""
    if kind != "campaign" or file.root is None:
        return None
    return next((read_thing(thing, file) for thing in things_of(file)), None)


# --- campaigns ------------------------------------------------------------------------------------------------------------------------


def _campaign(thing: Thing, file: YamlFile, root: Table, shelf: Shelf | None, defaults: Defaults | None) -> Unit:
    campaign_type, mended = _type_of(file, root)
    options_of = SETTINGS[campaign_type] if campaign_type else None
    word = campaign_type.value if campaign_type else ""
    others = _OTHERS.get(word, {})
    # An unknown type may well have that setting, and what it has is not asked for either.
    form = Form(file, word, lenient=campaign_type is None, shelf=shelf, defaults=defaults, others=others, root=root)
    values, own = form.fill(Campaign, root, beside=("type", "state"), also=(options_of,) if options_of else ())
    if mended:
        form.bad.add("type")
    _check_state(form, root)
    unit = Unit(thing, file, form)
    values.setdefault("caller_id", CallerIds())  # a stand-in beside a problem, as is the type: never handed out
    options = options_of(**own) if options_of and complete(options_of, own) else None
    unit.value = Campaign(id=CampaignId(thing.name), type=campaign_type or CampaignType.PROGRESSIVE, options=options, **values)
    unit.value = _settled(unit.value, form, shelf)
    return unit


def _type_of(file: YamlFile, root: Table) -> tuple[CampaignType | None, bool]:
    """The type, and whether it is only a guess at what was meant, so that the rest of the file can be judged too."""
    entry = root.entries.get("type")
    known = listed(TYPES)
    if entry is None:
        file.problems.append(file.problem(root, "type", f"is missing: what kind of campaign is it? There are {known}"))
        return None, True
    node = entry.value
    if isinstance(node, Broken):
        return None, True
    word = node.text.strip() if isinstance(node, Scalar) else ""
    try:
        return CampaignType(word), False
    except ValueError:
        guess = "callback" if word == "auto_callback" else nearest(word, TYPES) if word else None
        text = f"`{short(word)}` is no type of campaign" + (f"; nearest: {guess}" if guess else "") + f". There are {known}"
        file.problems.append(file.problem(node, "type", text))
        return (CampaignType(guess) if guess else None), True


def _check_state(form: Form, root: Table) -> None:
    """A campaign's life is led by commands; only its end may stand in the file."""
    if (entry := root.entries.get("state")) and not isinstance(entry.value, Broken):
        form.places["state"] = entry.value
        if not (isinstance(entry.value, Scalar) and entry.value.text.strip() == "ended"):
            form.note(entry.value, "state", "only `ended` can stand here; approve, start and pause are commands")


def _settled(campaign: Campaign, form: Form, shelf: Shelf | None) -> Campaign:
    """With everything that it takes from others: trunks of its caller ids, the script and the dispositions it does not name."""
    if not campaign.caller_id.numbers and form.clean("caller_id"):
        if ("caller_ids", "all") in form.used.values():
            form.tell("caller_id", "`all` is none yet: no number stands below caller_ids")
        else:
            form.tell("caller_id", "names no number: the customer must see one")
    if campaign.type is CampaignType.AUTOCALL and campaign.tickets == "yes":
        campaign = replace(campaign, tickets="on_agent_or_voicemail")
    if shelf is None:
        return campaign
    routes = []
    for number in campaign.caller_id.numbers:
        found = shelf.find("caller_ids", number)
        routes.append(CallerRoute(number, found.gateways if isinstance(found, CallerIdDefinition) else ()))
    campaign = replace(campaign, caller_id=replace(campaign.caller_id, routes=tuple(routes)))
    if campaign.script is None and campaign.type.value in SCRIPTED and form.clean("script") and (script := shelf.find("scripts", "default")):
        form.used["script"] = ("scripts", "default")
        if isinstance(script, Script):
            campaign = replace(campaign, script=script)
    if not form.written("dispositions"):
        form.used["dispositions"] = ("dispositions", "all")
        every = [shelf.find("dispositions", each) for each in sorted(shelf.names("dispositions"))]
        campaign = replace(campaign, dispositions=tuple(each for each in every if isinstance(each, Disposition)))
    return campaign


def read_defaults(thing: Thing, file: YamlFile, shelf: Shelf | None) -> dict[str, Default]:
    """The settings of defaults.yml by path. All types' settings may stand there."""
    root = _root(thing.origin.node if thing.origin else node_of(thing.source))
    form = Form(file, partial=True, shelf=shelf, root=root)
    for word in ("type", "state"):
        if word in root.entries:
            file.problems.append(file.problem(root.entries[word].key, word, "belongs into each campaign's own file"))
    form.fill(Campaign, root, beside=("type", "state"), also=SETTINGS.values())
    found = {}
    for path, value in form.leaves.items():
        if form.clean(path):
            found[path] = Default(value, form.places[path], file, form.used.get(path))
    return found


# --- all others -----------------------------------------------------------------------------------------------------------------------


def _installation(thing: Thing, file: YamlFile, root: Table) -> Unit:
    form = Form(file, root=root)
    values, _ = form.fill(Installation, root, beside=("switch", "switches", "gateways"))
    region = values.get("region", "")
    if region:
        values["region"] = region.upper()
        if region.upper() not in phonenumbers.SUPPORTED_REGIONS:
            guess = {"UK": "; the United Kingdom is GB", "EN": "; the United Kingdom is GB"}.get(region.upper(), ": two letters, as in VN or US")
            form.tell("region", f"`{short(region)}` is no country{guess}")
    if entry := root.entries.get("switch"):
        node = entry.value
        form.places["switch"] = node
        if isinstance(node, Scalar):
            try:
                values["switch"] = SwitchId(name(node.text))
            except BadValue as error:
                form.note(node, "switch", str(error))
        else:
            form.note(node, "switch", "one name is expected")
    if entry := root.entries.get("gateways"):
        values["gateways"] = tuple(_gateways(form, entry))
    if entry := root.entries.get("switches"):
        values["switches"] = _switches(form, entry, values)
    return Unit(thing, file, form, Installation(**values))


def gateway_names(thing: Thing) -> list[str]:
    """The trunks that an installation names, whatever else is wrong with them."""
    gateways = thing.source.get("gateways") if isinstance(thing.source, dict) else None
    return list(gateways) if isinstance(gateways, dict) else []


MAIN = "main"  # the switch that `esl` of fs-dialer.yml reaches, where several are declared


def _switches(form: Form, entry: Entry, values: Mapping[str, Any]) -> tuple[SwitchDefinition, ...]:
    form.places["switches"] = entry.key
    if not isinstance(entry.value, Table):
        form.note(entry.value, "switches", f"names are expected below, each with its settings ({', '.join(declared(SwitchDefinition))})")
        return ()
    found = [SwitchDefinition(id=SwitchId(word), **own) for word, own in _by_name(form, "switches", entry.value, SwitchDefinition)]
    trunks = {gateway.id for gateway in values.get("gateways", ())}
    for switch in found:
        for gateway in switch.gateways:
            if gateway not in trunks:
                form.tell(f"switches.{switch.id}", f"there is no gateway {gateway} below gateways")
    if found and MAIN not in {switch.id for switch in found}:
        form.tell("switches", f"one of them must be named {MAIN}: the one that `esl` of fs-dialer.yml reaches")
    if found and values.get("switch", MAIN) != MAIN:
        form.tell("switch", f"with several switches it is named {MAIN}: leave this out")
    return tuple(found)


def _by_name(form: Form, group: str, table: Table, cls: type) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for word, each in table.entries.items():
        here = f"{group}.{word}"
        form.places[here] = each.key
        try:
            name(word)
        except BadValue as error:
            form.note(each.key, group, str(error))
            continue
        own = _settings(form, cls, each.value, here)
        if own is not None:
            found.append((word, own))
    return found


def _gateways(form: Form, entry: Entry) -> list[GatewayDefinition]:
    form.places["gateways"] = entry.key
    if not isinstance(entry.value, Table):
        form.note(entry.value, "gateways", f"names are expected below, each with its settings ({', '.join(declared(GatewayDefinition))})")
        return []
    return [GatewayDefinition(id=GatewayId(word), **own) for word, own in _by_name(form, "gateways", entry.value, GatewayDefinition)]


def _named(thing: Thing, file: YamlFile, node: Any, key: Scalar | None, shelf: Shelf | None) -> Unit:
    kind = KINDS[thing.kind]
    here = f"{thing.kind}.{thing.name}"
    form = Form(file, shelf=shelf, root=_root(node))
    form.places[here] = key or node
    values = _settings(form, kind.cls, node, here, kind.short)
    unit = Unit(thing, file, form)
    if values is not None:
        unit.value = _whole(kind.cls(**{kind.key: thing.name}, **values))
    return unit


def _settings(form: Form, cls: type, node: Any, path: str, short_key: str = "") -> Values | None:
    """The settings of a named thing; None where one that must be there is missing or bad, which has been told. `trunk1:` alone: all defaults."""
    required = any(f.default is MISSING for f in declared(cls).values())
    if isinstance(node, Scalar) and node.plain and not node.text and not required:
        node = Table({}, node.line, node.column)
    elif short_key and (isinstance(node, Listing) or (isinstance(node, Scalar) and node.text)):
        node = Table({short_key: Entry(Scalar(short_key, node.line, node.column), node)}, node.line, node.column)
    if not isinstance(node, Table):
        form.note(node, path, f"settings are expected here: {', '.join(declared(cls))}")
        return None
    values, _ = form.fill(cls, node, path)
    return values if complete(cls, values) else None


def _whole(value: Any) -> Any:
    """A schedule's and a profile's hours carry all that decides when calls are allowed."""
    if isinstance(value, Schedule):
        return replace(value, hours=replace(value.hours, holidays=value.holidays, zone=value.zone, schedule=value.name))
    if isinstance(value, Profile):
        return replace(value, hours=replace(value.hours, holidays=(*value.hours.holidays, *value.holidays)))
    return value

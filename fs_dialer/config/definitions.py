"""What one file of the admin's defines: a campaign, the agents, or the installation.

Knows the kinds of files and how they are told apart; each file is judged alone here. What files say about each other stands in crosscheck.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field
from pathlib import PurePath
from typing import Any, Literal

import phonenumbers

from fs_dialer.config.form import Form, complete, listed
from fs_dialer.config.values import BadValue, name, nearest, short
from fs_dialer.config.yaml_source import Broken, Scalar, Table, YamlFile
from fs_dialer.core.definition import AgentDefinition, Campaign, GatewayDefinition, Installation
from fs_dialer.core.model import AgentId, CampaignId, CampaignType, GatewayId, SwitchId
from fs_dialer.core.options import declared
from fs_dialer.modes import OFFERED

Kind = Literal["campaign", "agents", "installation", "daemon", "people", "unknown"]

_CAMPAIGN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_BY_NAME: dict[str, Kind] = {"agents": "agents", "installation": "installation", "fs-dialer": "daemon", "people": "people"}
_DAEMON_KEYS = {"database", "esl", "state_dir", "log", "journal"}
_INSTALLATION_KEYS = {*declared(Installation), "switch", "gateways"}


@dataclass(slots=True)
class Unit:
    """One file, what it defines, and the form that knows where each setting stands and which are bad."""

    kind: Kind
    file: YamlFile
    form: Form
    campaign: Campaign | None = None  # holds stand-ins where its file has problems
    agents: dict[str, AgentDefinition] = field(default_factory=dict)
    installation: Installation | None = None
    names: set[str] = field(default_factory=set)  # agents or gateways that stand in this file, right or wrong


def kind_of(file: YamlFile) -> Kind:
    """By content first (a campaign has `type:`), then by the file's name, then by its folder's."""
    path = PurePath(file.name)
    keys = set(file.root.entries) if file.root else set()
    by_name = _BY_NAME.get(path.stem)
    if by_name in ("daemon", "people"):
        return by_name
    if "type" in keys:
        return "campaign"
    if by_name:
        return by_name
    if path.parent.name == "campaigns":
        return "campaign"
    if "agents" in keys and len(keys) == 1:
        return "agents"
    if keys & _DAEMON_KEYS and not keys & set(declared(Campaign)):
        return "daemon"
    if keys and keys <= _INSTALLATION_KEYS:
        return "installation"
    if "people" in keys and len(keys) == 1:
        return "people"
    return "unknown"


def read_unit(file: YamlFile, kind: Kind) -> Unit | None:
    """None where the file is no kind of definition, or could not be read as YAML; its problems are in `file.problems`."""
    if file.root is None:
        return None
    if kind == "unknown":
        text = "what is this file? a campaign has `type:`, agents stand in agents.yml below `agents:`, lines and gateways in installation.yml"
        file.problems.append(file.problem_at(1, 1, "", text))
        return None
    reader: dict[Kind, Callable[[YamlFile, Table], Unit]] = {"campaign": _campaign, "agents": _agents, "installation": _installation}
    return reader[kind](file, file.root)


def _campaign(file: YamlFile, root: Table) -> Unit:
    campaign_id = PurePath(file.name).stem
    if not _CAMPAIGN_NAME.fullmatch(campaign_id):
        better = re.sub(r"[^a-z0-9]+", "-", campaign_id.lower()).strip("-")[:60]
        text = f"the file's name is the campaign's name: lower-case letters, digits, - and _; rename it to {better or 'spring'}.yml"
        file.problems.append(file.problem_at(0, 0, "", text))
    campaign_type, mended = _type_of(file, root)
    mode = OFFERED.get(campaign_type) if campaign_type else None
    form = Form(file, campaign_type.value if campaign_type else "", lenient=mode is None)  # an unknown type may well have that setting
    values, own = form.fill(Campaign, root, beside=("type",), also=mode.Options if mode else None)
    if values.get("caller_id") == () and form.clean("caller_id"):
        form.tell("caller_id", "names no number: the customer must see one")
    if mended:
        form.bad.add("type")
    whole = mode is not None and complete(mode.Options, own)
    values.setdefault("caller_id", ("0",))  # a stand-in beside a problem, as is the type: never handed out
    options = mode.Options(**own) if mode and whole else None
    campaign = Campaign(id=CampaignId(campaign_id), type=campaign_type or CampaignType.PROGRESSIVE, options=options, **values)
    return Unit("campaign", file, form, campaign)


def _type_of(file: YamlFile, root: Table) -> tuple[CampaignType | None, bool]:
    """The type, and whether it is only a guess at what was meant, so that the rest of the file can be judged too."""
    entry = root.entries.get("type")
    offered = listed(tuple(each.value for each in OFFERED))
    if entry is None:
        file.problems.append(file.problem(root, "type", f"is missing: what kind of campaign is it? Offered: {offered}"))
        return None, True
    node = entry.value
    if isinstance(node, Broken):
        return None, True
    word = node.text.strip() if isinstance(node, Scalar) else ""
    try:
        found = CampaignType(word)
    except ValueError:
        guess = nearest(word, [each.value for each in CampaignType]) if word else None
        text = f"`{short(word)}` is no type of campaign" + (f"; nearest: {guess}" if guess else "") + f". Offered: {offered}"
        file.problems.append(file.problem(node, "type", text))
        return (CampaignType(guess) if guess else None), True
    if found not in OFFERED:
        file.problems.append(file.problem(node, "type", f"{word} campaigns are not offered by this version. Offered: {offered}"))
    return found, False


def _agents(file: YamlFile, root: Table) -> Unit:
    unit = Unit("agents", file, Form(file))
    for key, entry in root.entries.items():
        if key != "agents":
            guess = nearest(key, ("agents",))
            text = f"`{short(key)}` is no setting of this file" + (f"; nearest: {guess}" if guess else ": all agents stand below `agents:`")
            file.problems.append(file.problem(entry.key, "", text))
    if "agents" not in root.entries:
        file.problems.append(file.problem(root, "agents", "is missing: all agents stand below `agents:`"))
        return unit
    unit.agents = {agent.id: agent for agent in _named(unit, root, "agents", AgentDefinition, lambda key: {"id": AgentId(key)})}
    return unit


def _installation(file: YamlFile, root: Table) -> Unit:
    unit = Unit("installation", file, Form(file))
    form = unit.form
    values, _ = form.fill(Installation, root, beside=("switch", "gateways"))
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
    if "gateways" in root.entries:
        values["gateways"] = tuple(_named(unit, root, "gateways", GatewayDefinition, lambda key: {"id": GatewayId(key)}))
    unit.installation = Installation(**values)
    return unit


def _named(unit: Unit, root: Table, key: str, cls: type, identity: Callable[[str], dict[str, Any]]) -> list[Any]:
    """A table of named things: `gateways: {trunk1: {lines: 60}}`. Those with a missing setting are left out; it has been told."""
    form = unit.form
    node = root.entries[key].value
    form.places[key] = root.entries[key].key
    if not isinstance(node, Table):
        keys = ", ".join(declared(cls))
        form.note(node, key, f"names are expected below, each with its settings ({keys})")
        return []
    found: list[Any] = []
    for word, entry in node.entries.items():
        here = f"{key}.{word}"
        form.places[here] = entry.key
        try:
            identifier = name(word)
        except BadValue as error:
            form.note(entry.key, key, str(error))
            continue
        unit.names.add(identifier)
        settings = entry.value
        if isinstance(settings, Scalar) and settings.plain and not settings.text and not any(f.default is MISSING for f in declared(cls).values()):
            settings = Table({}, settings.line, settings.column)  # `trunk1:` alone: all defaults
        if not isinstance(settings, Table):
            form.note(settings, here, f"settings are expected here: {', '.join(declared(cls))}")
            continue
        values, _ = form.fill(cls, settings, here)
        if complete(cls, values):
            found.append(cls(**identity(identifier), **values))
    return found

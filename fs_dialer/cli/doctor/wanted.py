"""What the definitions in the database ask of the switch and of this machine: trunks, sounds, lines, pace, time zones.

Pure. Knows that settings declare what they hold (core/options.py: `kind`), and so finds every sound and zone wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from fs_dialer.core.definition import AgentDefinition, Campaign, Installation, SwitchDefinition
from fs_dialer.core.flow import Ivr, Node, extension
from fs_dialer.core.queue_definition import QueueDefinition, sounds_used
from fs_dialer.core.resources import Webhook
from fs_dialer.dialplans.modules import modules_needed
from fs_dialer.modes.autocall import Options

_AGENTS_TRUNK = re.compile(r"sofia/gateway/([A-Za-z0-9_.-]{1,64})/")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Names point to who asks for them, for people: `campaign spring`, `installation.yml`."""

    lines: int
    cps: float  # originates a second, as the installation may ask
    gateways: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sounds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    webhooks: tuple[Webhook, ...] = ()
    switches: tuple[SwitchDefinition, ...] = ()
    flows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by their names in the switch
    queues: tuple[str, ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)  # of flows and queues, each with the first who needs it


def wanted(
    installation: Installation,
    campaigns: Sequence[tuple[Campaign, Iterable[str]]],
    agents: Sequence[AgentDefinition],
    webhooks: Iterable[Webhook] = (),
    queues: Iterable[QueueDefinition] = (),
) -> Wanted:
    """Of the installation, of campaigns that have not ended (each with the zones of its leads' numbers) and their flows, of all agents, of queues."""
    gateways, sounds, zones, flows = _Users(), _Users(), _Users(), _Users()
    ivrs, detectors, lines = dict[str, Ivr](), set[str](), tuple(queues)
    for gateway in installation.gateways:
        gateways.add(gateway.id, "installation.yml")
    for sound in values_of("sound", installation):
        sounds.add(sound, "installation.yml")
    for campaign, lead_zones in campaigns:
        who = f"campaign {campaign.id}"
        for name in campaign.gateways:
            gateways.add(name, who)
        for sound in values_of("sound", campaign, campaign.type.value):
            sounds.add(sound, who)
        if isinstance(campaign.options, Options):
            ivrs[extension(campaign.options.ivr)] = campaign.options.ivr
            flows.add(extension(campaign.options.ivr), who)
            detectors |= {campaign.options.machines.detect} - {"off"}
        for zone in (*values_of("zone", campaign, campaign.type.value), *lead_zones):
            zones.add(zone, who)
    for queue in lines:
        for sound in sounds_used(queue):
            sounds.add(sound, f"queue {queue.name}")
        gateways.add(queue.overflow.gateway, f"queue {queue.name}")
    for agent in agents:
        if found := _AGENTS_TRUNK.match(agent.dial_string):
            gateways.add(found[1], f"agent {agent.id}")
    return Wanted(
        installation.lines,
        installation.cps,
        gateways.found,
        sounds.found,
        zones.found,
        tuple(webhooks),
        installation.switches,
        flows.found,
        tuple(queue.name for queue in lines),
        modules_needed(tuple(ivrs.values()), lines, sorted(detectors)),
    )


class _Users:
    def __init__(self) -> None:
        self.found: dict[str, tuple[str, ...]] = {}

    def add(self, name: str, who: str) -> None:
        if name and who not in self.found.get(name, ()):
            self.found[name] = (*self.found.get(name, ()), who)


def values_of(kind: str, value: object, campaign_type: str = "") -> Iterator[str]:
    """Every text that a setting of this kind holds, in this dataclass and in those inside it. Settings that the type does not have count for nothing."""
    if isinstance(value, tuple | list):
        for each in value:
            yield from values_of(kind, each, campaign_type)
    if not is_dataclass(value) or isinstance(value, type):
        return
    if isinstance(value, Node):
        campaign_type = value.do  # a node has the settings of its kind
    for each in fields(value):
        types = each.metadata.get("types", ())
        if types and campaign_type and campaign_type not in types:
            continue
        inside = getattr(value, each.name)
        if each.metadata.get("kind") == kind:
            yield from _texts(inside)
        elif each.metadata.get("kind") == "by_name" and each.metadata.get("of") == kind:
            yield from (text for pair in inside for text in _texts(pair[1]))
        else:
            yield from values_of(kind, inside, campaign_type)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        yield from (each for each in value if isinstance(each, str))


def users(who: Sequence[str]) -> str:
    """`campaign spring`, `campaign spring and 3 more`."""
    return who[0] + (f" and {len(who) - 1} more" if len(who) > 1 else "") if who else ""

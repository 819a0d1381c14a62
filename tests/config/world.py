"""A small set of files that is right, for tests that change one thing in it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fs_dialer.config.library import Library, Thing, resolve
from fs_dialer.config.things import things_of
from fs_dialer.config.yaml_source import read_yaml
from fs_dialer.errors import ConfigError

SHARED = """\
agents:
  lan: {dial: user/1001, leg: nailed}
  hoa: {dial: user/1002, leg: nailed}
  tam: {dial: user/1003}
teams:
  renewals: [lan, hoa]
  slow: {people: [tam]}
schedules:
  office: {hours: {mon-fri: 8:00-20:00}, holidays: {Christmas: 12-25..12-26}, zone: Europe/London}
  sundays: {hours: {sun: 10:00-12:00}}
caller_ids:
  +44 20 7946 0101: {gateways: [trunk1]}
  +44 20 7946 0102:
sounds: {sorry: sounds/sorry.wav}
scripts:
  winback: [{ask: Why did you leave?, as: reason}]
dispositions: {sold: {class: success}, later: {class: callback, final: no}}
groups: {customers: }
filters: {gold: tier = gold}
rule_sets:
  persistent: [{when: {outcome: busy}, then: {again: 5m}}]
ivrs:
  dues: {nodes: {bye: {do: end}}}
  dues-menu: {nodes: {hello: {do: play, sound: hello.wav, next: bye}, bye: {do: end}}}
queues:
  support: {agents: {people: [lan]}, callback: {key: 1}}
dnc_lists: {register: }
profiles:
  house: {ring_at_least: 15s, missed_max: 2%, hours: {mon-sat: 9:00-18:00}}
"""
INSTALLATION = "lines: 60\ngateways:\n  trunk1: {lines: 30}\n  trunk2:\nwebhook_hosts: [crm.example.com]\n"
COMMON = "caller_id: +44 20 7946 0100\nagents: {people: [lan]}\n"
NEEDED = {  # what a thing can not do without
    "agents": "dial: user/1", "sounds": "file: a.wav", "scripts": "items: [{say: x}]", "dispositions": "class: success", "filters": "where: a = 1",
    "rule_sets": "rules: [{then: {stop: yes}}]", "triggers": "on: ticket_created, then: [{set: {a: b}}]",
    "ivrs": "nodes: {hello: {do: end}}",
    "webhooks": "url: https://crm.example.com/x, secret: env:X",
}  # fmt: skip
OWN = {"autocall": "ivr: dues\n"}  # what a type can not do without


def campaign(campaign_type: str = "progressive", more: str = "", *, without: str = "") -> str:
    """The text of a campaign. `without`: a line of COMMON to leave out, by its key."""
    common = "".join(line + "\n" for line in COMMON.splitlines() if not (without and line.startswith(without)))
    return f"type: {campaign_type}\n{common}{OWN.get(campaign_type, '')}{more}"


def things(files: Mapping[str, str]) -> tuple[Thing, ...]:
    """Files that YAML has no problem with → things."""
    found: list[Thing] = []
    for name, text in files.items():
        file = read_yaml(name, text.encode())
        found += things_of(file)
        if file.problems:
            raise ConfigError(file.problems)
    return tuple(found)


def shelf(**more: str) -> dict[str, str]:
    """The files around campaigns; `more` are campaigns by name, with the whole text of each, or `shared`, `installation`, `defaults`."""
    files = {"shared.yml": SHARED, "installation.yml": INSTALLATION}
    for name, text in more.items():
        known = {"shared": "shared.yml", "installation": "installation.yml", "defaults": "defaults.yml", "extra": "extra.yml"}
        files[known.get(name, f"campaigns/{name}.yml")] = text
    return files


def library(**more: str) -> Library:
    return resolve(things(shelf(**more)))


def as_stored(found: tuple[Thing, ...]) -> tuple[Thing, ...]:
    """The same things as the database gives them back."""
    return tuple(Thing(thing.kind, thing.name, thing.source) for thing in found)


def problems(**more: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        library(**more)
    return [str(problem) for problem in caught.value.problems]


def problem(**more: str) -> str:
    (found,) = problems(**more)
    return found

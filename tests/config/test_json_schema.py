"""The JSON Schema: whatever our reader takes, it takes, as an editor that reads YAML 1.2 sees it; what a type does not have, it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from fs_dialer.config.fields import Setting, all_settings
from fs_dialer.config.json_schema import schema
from fs_dialer.config.library import resolve
from fs_dialer.config.things import KINDS, kind_of
from fs_dialer.config.yaml_source import Broken, Listing, Node, Table, read_yaml
from fs_dialer.core.flow import NODE_KINDS
from fs_dialer.core.options import declared
from fs_dialer.core.resources import OUTCOMES
from fs_dialer.errors import ConfigError
from fs_dialer.modes import SETTINGS
from tests.config.world import NEEDED, SHARED, campaign, shelf, things

ROOT = Path(__file__).resolve().parents[2]
DEFINITIONS = [path for path in sorted((ROOT / "conf").rglob("*.yml")) if path.stem not in ("people", "fs-dialer")]


@cache
def validator() -> Draft7Validator:
    return Draft7Validator(schema())


def seen(node: Node) -> Any:
    """A node as YAML 1.2's core schema resolves it: what an editor hands to the schema."""
    if isinstance(node, Table):
        return {word: seen(entry.value) for word, entry in node.entries.items()}
    if isinstance(node, Listing):
        return [seen(item) for item in node.items]
    assert not isinstance(node, Broken)
    text = node.text
    if not node.plain:
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch(r"0o[0-7]+|0x[0-9a-fA-F]+", text):
        return int(text, 0)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text


def complaints(name: str, text: str) -> list[str]:
    file = read_yaml(name, text.encode())
    assert file.root is not None and not file.problems, file.problems
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator().iter_errors(seen(file.root))]


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(schema())
    assert json.loads(json.dumps(schema())) == schema()


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.name)
def test_every_example_is_right_by_the_schema(path: Path) -> None:
    assert complaints(str(path), path.read_text()) == []
    assert path.read_text().splitlines()[0].endswith("$schema=" + ("../" if path.parent.name == "campaigns" else "") + ".fs-dialer.schema.json")


def test_the_files_around_these_tests_are_right_by_the_schema() -> None:
    assert [line for name, text in shelf(a=campaign()).items() for line in complaints(name, text)] == []


@pytest.mark.parametrize("campaign_type", [each.value for each in SETTINGS])
@pytest.mark.parametrize("setting", [each for each in all_settings() if each.where == "campaign"], ids=lambda setting: setting.path)
def test_a_campaign_has_the_settings_of_its_type_and_no_others(setting: Setting, campaign_type: str) -> None:
    text = setting.example()
    key = text.partition(":")[0]
    wrong = complaints("campaigns/a.yml", campaign(campaign_type, text + "\n", without=key).replace("ivr: dues\n", "" if key == "ivr" else "ivr: dues\n"))
    assert bool(wrong) == bool(setting.types and campaign_type not in setting.types), wrong


@pytest.mark.parametrize(
    "line",
    ["ring: 25", "missed: {max: 3}", "caller_id: yes!", "lines: 0", "attempts: {max: many}", "early_media: maybe", "waiting: {musik: a.wav}", "hours: [a]",
     "window: {from: 2026-12-01}", "rules: [{when: {outcome: maybe}}]", "tickets: sometimes", "title: [a]",
     "type: telepathic", "stat: ended", "pickup_rate: 3"],
)  # fmt: skip
def test_an_editor_underlines_what_the_reader_refuses(line: str) -> None:
    key = line.partition(":")[0]
    text = campaign("predictive", without=key if key == "caller_id" else "")
    assert complaints("campaigns/a.yml", (text.partition("\n")[2] if key == "type" else text) + line + "\n")


def test_every_setting_tells_the_editor_what_it_is() -> None:
    for word, campaign_type in ((each.value, each) for each in SETTINGS):
        for key, made in schema()["definitions"][word]["properties"].items():
            assert made["description"], key
        assert set(declared(SETTINGS[campaign_type])) <= set(schema()["definitions"][word]["properties"])
    assert schema()["definitions"]["predictive"]["properties"]["ring"]["default"] == "25s"


def test_references_within_the_schema_lead_somewhere() -> None:
    def within(made: Any) -> Iterator[str]:
        if isinstance(made, dict):
            for key, value in made.items():
                yield from [value.removeprefix("#/definitions/")] if key == "$ref" else within(value)
        elif isinstance(made, list):
            for item in made:
                yield from within(item)

    assert set(within(schema())) <= set(schema()["definitions"])


# --- whatever is written ---------------------------------------------------------------------------------------------------------------

FORMS = {
    "text": ["x", "2027", "true", "null", "'3'", "1.5", "0x1f"], "name": ["office", "7", "true", "null"], "count": ["3", "'3'", "+4", "007"],
    "number": ["0.5", "2", "'1.5'", "+3"], "duration": ["30s", "1h30m", "'45 s'", "1.5H", "20 m", "1 0s"], "rate": ["3%", "0.03", "2.5 %", "'0.02'", ".5%"],
    "flag": ["yes", "no", "true", "False", "ON", "'yes'", "YES"],
    "phones": ["+44 20 7946 0100", "02079460100", "[1, +442, '3', 4.5]", "(020) 7946-0100", "all", "ALL"],
    "phone": ["00", "+44", "'1'"], "zone": ["UTC", "Asia/Ho_Chi_Minh", "Etc/GMT+3"], "moment": ["2026-12-01 8:00", "2026-12-1T08:00:30", "'2026-12-01  8:00'"],
    "hours": ["office", "{mon-fri: 8:00-20:00, sat: closed}", "{daily: [8:00-9:00, 10:00-11:00], sun: No}", "{mon: '8:00 – 9:00'}"],
    "holidays": ["{x: 12-25}", "{x: [12-25, 2027-01-01..2027-01-03]}", "12-25", "[12-25]"], "sound": ["a.wav", "local_stream://moh", "7", "true"],
    "refs": ["[lan, hoa]", "lan", "[sold]", "sold", "trunk1", "[renewals]"], "ref": ["winback", "persistent", "customers", "gold", "house"],
    "filter": ["tier = gold", "gold", "'tier in (a, b)'"], "compare": ["3", "3+", "'>= 3'", "at least 3", "'05'"], "time_of_day": ["18:30", "8:05"],
    "per_day": ["50/day", "50 a day", "'5 / Day'"], "per_hour": ["3/hour", "0/HOUR"], "by_name": ["{lan: 80/day}", "{}"],
    "span": ["4", "'4..8'", "4 .. 8", "4-8", "'1 to 3'"], "table": ["{hello: {do: end}}", "{a: {do: END, success: no}, 7: {do: play, sound: x.wav, next: a}}"],
    "extend": ["2 x 15s", "none", "2X1m", "3*2s"],
    "texts": ["a", "[a, 3, true]"], "words": ["{a: b}", "{a: [b, 3], c: true}"], "dial_string": ["user/1001", "loopback/9/x"], "names": ["[a, b]"],
    "url": ["https://crm.example.com/x", "HTTPS://crm.example.com/"], "hosts": ["crm.example.com", "[a.b, 7]"], "secret": ["env:X", "file:/x"],
}  # fmt: skip


def written(setting: Setting) -> st.SearchStrategy[str]:
    meta = setting.field.metadata
    if meta["choices"]:
        words = [form for word in meta["choices"] for form in (word, word.upper(), f"' {word} '")]
        return st.sampled_from(words) if setting.kind == "choice" else st.lists(st.sampled_from(words), max_size=3).map(lambda found: f"[{', '.join(found)}]")
    return st.sampled_from(FORMS[setting.kind])


LEAVES = [
    each
    for each in all_settings()
    if each.kind not in ("section", "sections") and each.where not in ("fs-dialer", "gateways") and not each.lists and not each.tables
]
RULE = st.fixed_dictionaries(
    {"then": st.sampled_from(["{again: 1h}", "{at: 18:30, next_number: yes}", "{stop: Yes}", "{set: {a: 3}}"])},
    optional={"when": st.sampled_from(["{}", f"{{outcome: [{OUTCOMES[0]}, {OUTCOMES[1]}], attempts: 3}}", "{disposition: sold, missed: no}"]),
              "name": st.sampled_from(["a", "7", "true"])},
)  # fmt: skip


@given(st.sampled_from(LEAVES).flatmap(lambda setting: st.tuples(st.just(setting), written(setting))), st.sampled_from([each.value for each in SETTINGS]))
@settings(deadline=None, max_examples=500)
def test_what_the_reader_takes_of_one_setting_the_schema_takes(pair: tuple[Setting, str], campaign_type: str) -> None:
    setting, value = pair
    text = value
    for part in reversed(setting.path.split(".")[1:]):
        text = f"{{{part}: {text}}}"
    key = setting.path.split(".")[0]
    line = f"{key}: {text}"
    if setting.where == "campaign":
        judge("campaigns/a.yml", campaign(campaign_type, line + "\n", without=key))
    elif setting.where == "installation":
        judge("installation.yml", f"{line}\ngateways: {{trunk1: , trunk2: }}\n")
    else:
        needed = NEEDED.get(setting.where, "")
        rest = ", ".join(part for part in needed.split(", ") if part and not part.startswith(f"{key}:"))
        name = "+44123" if setting.where == "caller_ids" else "mine"
        judge("x.yml", f"{setting.where}:\n  {name}: {{{line}{', ' + rest if rest else ''}}}\n")


@given(st.lists(RULE, max_size=2))
@settings(deadline=None, max_examples=60)
def test_what_the_reader_takes_as_rules_the_schema_takes(rules: list[dict[str, str]]) -> None:
    items = ", ".join("{" + ", ".join(f"{key}: {value}" for key, value in rule.items()) + "}" for rule in rules)
    judge("campaigns/a.yml", campaign(more=f"rules: [{items}]\n"))


def judge(name: str, text: str) -> None:
    """If our reader takes it, the schema must."""
    files = {
        "shared.yml": SHARED,
        "installation.yml": "gateways: {trunk1: , trunk2: }\nwebhook_hosts: [crm.example.com]\n",
        "campaigns/hotline-callback.yml": campaign("callback"),
    }
    try:
        found = things(files | {name: text})
        resolve(found)
    except ConfigError:
        return
    assert complaints(name, text) == [], text


def test_kinds_of_files_that_the_schema_is_for_are_those_that_define_something() -> None:
    for path in DEFINITIONS:
        assert kind_of(read_yaml(str(path), path.read_bytes())) in ("campaign", "tables", "installation", "defaults")
    assert set(KINDS) <= set(schema()["definitions"]["tables"]["properties"])


# --- flows ------------------------------------------------------------------------------------------------------------------------------

NODE_SETTINGS = [each for each in all_settings() if each.where == "ivrs" and each.tables and each.path != "nodes.do"]


@pytest.mark.spec("S52", "D18")
@pytest.mark.parametrize("do", NODE_KINDS)
@pytest.mark.parametrize("setting", NODE_SETTINGS, ids=lambda setting: setting.path)
def test_a_node_has_the_settings_of_its_kind_and_no_others(setting: Setting, do: str) -> None:
    text = setting.example().replace(f"do: {setting.types[0] if setting.types else 'end'}", f"do: {do}")
    assert f"do: {do}" in text
    assert bool(complaints("ivrs.yml", text)) == bool(setting.types and do not in setting.types)


@given(st.sampled_from(NODE_SETTINGS).flatmap(lambda setting: st.tuples(st.just(setting), written(setting))), st.sampled_from([*NODE_KINDS, "PLAY", "End"]))
@settings(deadline=None, max_examples=300)
def test_what_the_reader_takes_of_a_node_the_schema_takes(pair: tuple[Setting, str], do: str) -> None:
    setting, value = pair
    rest = {"play": "sound: x.wav", "say": "text: x", "menu": "keys: {1: b}", "gather": "next: b", "rate": "next: b", "transfer": "to: +44 1",
            "set": "set: {a: b}", "if": "what: a, is: b, next: b", "http": "url: https://crm.example.com/x"}.get(do.lower(), "")  # fmt: skip
    key = setting.path.rpartition(".")[2]
    others = ", ".join(part for part in rest.split(", ") if part and not part.startswith(f"{key}:"))
    ending = "" if do.lower() in ("menu", "connect", "transfer", "end") or key == "next" or "next:" in others else ", next: b"
    node = f"{{do: {do}, {key}: {value}{', ' + others if others else ''}{ending}}}"
    judge("x.yml", f"ivrs:\n  f:\n    nodes:\n      a: {node}\n      b: {{do: end}}\n      office: {{do: end}}\n")


@pytest.mark.parametrize("node", ["{do: sing}", "{sound: a.wav}", "play", "{do: play, digits: 4}", "{do: gather, digits: many}", "{do: menu, keys: [1, 2]}"])
def test_an_editor_underlines_a_node_that_the_reader_refuses(node: str) -> None:
    assert complaints("ivrs.yml", f"ivrs: {{f: {{nodes: {{a: {node}}}}}}}\n")


@pytest.mark.spec("S72")
@pytest.mark.parametrize("key", ["1", "'1'", "star", "Hash"])
def test_the_key_of_a_queue_is_a_number_to_an_editor_and_right(key: str) -> None:
    for text in (f"callback: {key}", f"callback: {{key: {key}, after: 20s}}"):
        judge("x.yml", f"queues: {{q: {{{text}}}}}\n")
        assert complaints("x.yml", f"queues: {{q: {{{text}}}}}\n") == []
    assert complaints("x.yml", "queues: {q: {callback: 0}}\n")

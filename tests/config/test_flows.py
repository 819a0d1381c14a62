"""Flows and queues read whole: their values, their way through JSON and back, and what a change of one means for the campaigns that name it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fs_dialer.config.as_written import as_written
from fs_dialer.config.codec import campaign_from_json, campaign_to_json, from_json, to_json
from fs_dialer.config.library import Thing, references, resolve
from fs_dialer.config.load import load_paths
from fs_dialer.core.flow import Ivr, Node, Voice, extension
from fs_dialer.core.flow import sounds_used as sounds_of_flow
from fs_dialer.core.plan import differences
from fs_dialer.core.queue_definition import CallbackKey, Overflow, QueueDefinition
from fs_dialer.core.queue_definition import sounds_used as sounds_of_queue
from fs_dialer.errors import ConfigError
from fs_dialer.modes import autocall
from tests.config.world import as_stored, campaign, library, shelf, things

CONF = Path(__file__).resolve().parents[2] / "conf"
FLOW = """\
ivrs:
  f:
    title: Dues
    language: vi
    voice: {engine: flite, voice: slt}
    start: main
    at_most: 5m
    nodes:
      main: {do: menu, sound: sorry, keys: {1: pin, star: main}, timeout: 4s, tries: 2, wrong: sorry, otherwise: bye}
      pin: {do: gather, text: "Hello {name}, your pin?", digits: 4..8, ends_with: star, pattern: "[1-9]\\\\d+", between: 2s, as: code, next: bye}
      bye: {do: end, success: no}
"""


def f(text: str = FLOW) -> Ivr:
    found = library(extra=text).named["ivrs", "f"]
    assert isinstance(found, Ivr)
    return found


@pytest.mark.spec("S50", "S51", "S52", "D18")
def test_a_flow_is_read_whole() -> None:
    ivr = f()
    main, pin, bye = ivr.nodes
    assert (ivr.name, ivr.language, ivr.voice, ivr.first, ivr.at_most_s) == ("f", "vi", Voice(engine="flite", name="slt"), "main", 300)
    assert (main.sound, main.wrong, main.keys, main.timeout_s, main.tries) == ("sounds/sorry.wav", "sounds/sorry.wav", (("1", "pin"), ("star", "main")), 4, 2)
    assert (pin.digits, pin.ends_with, pin.pattern, pin.between_s, pin.kept_as) == ((4, 8), "star", "[1-9]\\d+", 2, "code")
    assert (bye.do, bye.success) == ("end", False)


def test_a_voice_may_stand_for_itself() -> None:
    assert f(FLOW.replace("{engine: flite, voice: slt}", "slt")).voice == Voice(name="slt")


@pytest.mark.spec("S71", "S72", "S74", "S76", "S77", "S78", "S86")
def test_a_queue_is_read_whole() -> None:
    found = load_paths([CONF]).library.named["queues", "support"]
    assert isinstance(found, QueueDefinition)
    assert (found.numbers, found.agents.teams, found.agents.ring_s, found.max_wait_s) == (("+442079460200",), ("support",), 20, 180)
    assert found.callback is not None and (found.callback.key, found.callback.after_s, found.callback.expires_s) == ("1", 20, 86400)
    assert (found.overflow.do, found.overflow.at_most_s, found.ticket_for_missed, found.wrap_up.time_s) == ("voicemail", 120, True, 20)
    assert found.announce.every_s == 45 and found.announce.position == "fs-dialer/queue/your-place.wav"


@pytest.mark.parametrize("key", [*"123456789", "star", "hash"])
@pytest.mark.spec("S72")
def test_the_key_is_1_to_9_star_or_hash_and_may_stand_alone(key: str) -> None:
    found = library(extra=f"queues: {{q: {{agents: {{people: [lan]}}, callback: {key}, then: hang_up}}}}\n").named["queues", "q"]
    assert found.callback == CallbackKey(key=key) and found.overflow == Overflow()


@pytest.mark.spec("D5")
def test_a_campaign_keeps_the_flow_itself_and_a_changed_flow_is_a_change_of_it() -> None:
    before = library(extra=FLOW, a=campaign("autocall").replace("ivr: dues", "ivr: f")).campaigns["a"]
    changed = FLOW.replace("tries: 2", "tries: 3")
    after = library(extra=changed, a=campaign("autocall").replace("ivr: dues", "ivr: f")).campaigns["a"]
    assert isinstance(before.options, autocall.Options) and isinstance(after.options, autocall.Options)
    assert before.options.ivr == f() and extension(before.options.ivr) != extension(after.options.ivr)
    assert [(each.path, each.old, each.new) for each in differences(before, after)] == [("ivr.nodes.main.tries", 2, 3)]


@pytest.mark.spec("D5")
def test_a_stored_campaign_is_judged_again_when_its_flow_changes() -> None:
    stored = as_stored(things(shelf(extra=FLOW, a=campaign("autocall").replace("ivr: dues", "ivr: f"))))
    found = resolve(things({"x.yml": FLOW.replace("tries: 2", "tries: 3")}), stored, only=[])
    assert found.campaigns["a"].options.ivr.node("main").tries == 3  # type: ignore[attr-defined]
    gone = FLOW.replace("pin: {do: gather", "pin: {do: connect, otherwise: bye}\n      old: {do: gather").replace(", keys: {1: pin", ", keys: {1: pin, 2: old")
    with pytest.raises(ConfigError, match=r"campaign a, as stored  agents.people: node pin of ivr f puts customers through"):
        without = as_stored(things(shelf(extra=FLOW, a=campaign("autocall", "agents: {}\n", without="agents").replace("ivr: dues", "ivr: f"))))
        resolve(things({"x.yml": gone}), without)


def test_a_flow_names_its_sounds_agents_teams_and_lists_and_a_queue_its_own() -> None:
    (ivr,) = [each for each in things({"x.yml": FLOW}) if each.kind == "ivrs"]
    assert references(ivr) == {("sounds", "sorry")}
    text = "ivrs: {g: {nodes: {a: {do: connect, teams: [t], people: lan}, b: {do: opt_out, list: register}}}}\nqueues: {q: {agents: {teams: t}, music: m}}\n"
    flow, queue = things({"x.yml": text})
    assert references(flow) == {("teams", "t"), ("agents", "lan"), ("dnc_lists", "register")}
    assert references(queue) == {("teams", "t"), ("sounds", "m")}


def test_every_flow_and_queue_of_the_examples_comes_back_from_json_and_from_its_own_words() -> None:
    found = load_paths([CONF])
    for (kind, name), value in found.library.named.items():
        if kind in ("ivrs", "queues"):
            assert from_json(type(value), json.loads(json.dumps(to_json(value))), name) == value
            own = [thing for thing in found.library.things.values() if thing.key != (kind, name)]
            again = resolve([*own, Thing(kind, name, as_written(value))])
            assert again.named[kind, name] == value, as_written(value)
    autocall_ = next(each for each in found.campaigns if each.id == "autocall")
    assert campaign_from_json(json.loads(json.dumps(campaign_to_json(autocall_)))) == autocall_


def test_a_campaign_that_was_stored_with_the_name_of_its_flow_alone_is_read() -> None:
    data = campaign_to_json(library(a=campaign("autocall")).campaigns["a"])
    data["options"] = {"ivr": "dues"}
    options = campaign_from_json(data).options
    assert options == autocall.Options(ivr=Ivr(name="dues"))


def test_the_sounds_of_a_flow_and_of_a_queue_are_told_once_each() -> None:
    assert sounds_of_flow(f()) == ("sounds/sorry.wav",)
    queue = QueueDefinition(music="m.wav", callback=CallbackKey(key="1", say="a.wav", wrong="m.wav"), overflow=Overflow(sound="b.wav"))
    assert sounds_of_queue(queue) == ("m.wav", "b.wav", "a.wav")


def test_the_mark_of_a_flow_does_not_hang_on_its_title() -> None:
    assert extension(f()) == extension(f(FLOW.replace("title: Dues", "title: Other"))) != extension(f(FLOW.replace("at_most: 5m", "at_most: 6m")))


def test_a_node_by_hand_is_what_the_file_says() -> None:
    assert f().nodes[2] == Node(name="bye", do="end", success=False)

"""Flows and queues as an admin writes them: what makes no sense is told at its place, with what to write instead."""

from __future__ import annotations

import pytest

from fs_dialer.config.library import resolve
from tests.config.world import campaign, library, problem, problems, shelf, things

FLOW = "ivrs:\n  f:\n    nodes:\n"
BYE = "      bye: {do: end}\n"


def flow(*nodes: str, head: str = "") -> str:
    return FLOW.replace("    nodes:", f"{head}    nodes:") + "".join(f"      {node}\n" for node in nodes) + BYE


NODES: list[tuple[str, str]] = [
    ("a: {do: play, sound: x.wav, next: by}", "extra.yml:4:41  ivrs.f.nodes.a.next: there is no node `by`; nearest: bye"),
    ("a: {do: menu, sound: x.wav, keys: {1: bye, 2: gone}}", "ivrs.f.nodes.a.keys.2: there is no node `gone`; there are a, bye"),
    ("a: {do: menu, sound: x.wav, keys: {1: [bye, a]}}", "ivrs.f.nodes.a.keys.1: one node is expected, not a list of them"),
    ("a: {do: menu, sound: x.wav, keys: {1: bye, 10: bye}}", "ivrs.f.nodes.a.keys.10: `10` is no key of a telephone: 0 to 9, star and hash"),
    ("a: {do: menu, sound: x.wav, keys: {'#': bye}}", "ivrs.f.nodes.a.keys.#: the key `#` is written hash"),
    ("a: {do: gather, digits: 4, ends_with: '#', next: bye}", "ivrs.f.nodes.a.ends_with: `#` is none of hash, star and none; nearest: hash"),
    ("a: {do: gather, digits: 8..4, next: bye}", "ivrs.f.nodes.a.digits: `8..4` ends before it begins: write 4..8"),
    ("a: {do: gather, digits: 4}", "ivrs.f.nodes.a.next: is missing: where does it go on after the digits?"),
    ("a: {do: gather, digits: 4, pattern: '[0-9]{4}', next: bye}", "how many digits there are is said by `digits`"),
    ("a: {do: rate, low: 5, high: 5, next: bye}", "ivrs.f.nodes.a.low: 5 is not below high, 5"),
    ("a: {do: say, text: 'you owe ${x}', next: bye}", "ivrs.f.nodes.a.text: `$` can not be spoken"),
    ("a: {do: say, text: {due}, next: bye}", "ivrs.f.nodes.a.text: a text that begins with { stands in quotes: '{name}'"),
    ("a: {do: ply, sound: x.wav, next: bye}", "ivrs.f.nodes.a.do: `ply` is none of play, say, menu,"),
    ("a: {do: play, sound: x.wav, next: bye, keys: {1: bye}}", "ivrs.f.nodes.a.keys: a play node has no such setting; it is there for menu"),
    ("a: {do: opt_out, list: own, next: bye, tries: 2}", "ivrs.f.nodes.a.tries: an opt_out node has no such setting; it is there for menu, gather and rate"),
    ("a: {sound: x.wav, next: bye}", "ivrs.f.nodes.a.do: is missing. What happens here. One of play, say, menu,"),
    ("a: {do: play, sound: x.wav, netx: bye}", "ivrs.f.nodes.a: `netx` is no setting; nearest: next"),
    ("a: {do: http, url: https://crm.exampel.com/x, next: bye}", "ivrs.f.nodes.a.url: crm.exampel.com is not among webhook_hosts of installation.yml"),
    ("a: {do: connect, teams: [renewal], otherwise: bye}", "ivrs.f.nodes.a.teams: `renewal` is no team we know; nearest: renewals"),
    ("a: {do: opt_out, list: registre, next: bye}", "`registre` is no do-not-call list we know; nearest: register"),
    ("a: {do: play, sound: sory, next: bye}", "ivrs.f.nodes.a.sound: `sory` is no sound we know; nearest: sorry"),
    ("a: {do: transfer, otherwise: bye}", "ivrs.f.nodes.a.to: is missing: the number"),
    ("a: {do: play, sound: x.wav, next: a}", "ivrs.f.nodes.a: goes round for ever: a leads back to itself"),
]  # fmt: skip


@pytest.mark.spec("S50", "S51", "S52", "D7", "D18")
@pytest.mark.parametrize(("node", "what"), NODES, ids=lambda text: text[:40])
def test_a_mistake_in_a_node_is_told_at_its_place(node: str, what: str) -> None:
    assert any(what in each for each in problems(extra=flow(node)))


def test_every_mistake_of_a_flow_is_told_at_once_and_none_of_them_twice() -> None:
    text = flow("a: {do: play, sund: x.wav, next: b}", "b: {do: gather, digits: many, pattern: '*', next: c}", "c: {do: menu, keys: {1: by}, tries: 30}")
    found = problems(extra=text)
    assert [each.partition("  ")[2].partition(":")[0] for each in found] == [
        "ivrs.f.nodes.a", "ivrs.f.nodes.a", "ivrs.f.nodes.b.digits", "ivrs.f.nodes.b.pattern", "ivrs.f.nodes.c.keys.1", "ivrs.f.nodes.c.tries",
    ]  # fmt: skip


def test_a_node_that_can_not_be_read_is_not_missing_besides() -> None:
    assert problem(extra=flow("a: {do: play, sound: x.wav, next: b}", "b: {do: sing}")).startswith("extra.yml:5:15  ivrs.f.nodes.b.do: `sing` is none of")


@pytest.mark.parametrize("name", ["Main", "a.b", "a b", "x" * 33])
def test_names_of_flows_nodes_and_queues_are_names_of_extensions(name: str) -> None:
    assert "can not be an extension in the switch" in problem(extra=f"ivrs:\n  {name}: {{nodes: {{bye: {{do: end}}}}}}\n")
    assert "can not be an extension in the switch" in problem(extra=f"queues:\n  {name}: {{agents: {{people: [lan]}}}}\n")
    assert any("can not be an extension in the switch" in each for each in problems(extra=f"ivrs:\n  f:\n    nodes:\n      {name}: {{do: end}}\n"))


def test_a_flow_without_nodes_and_one_whose_start_is_not_there_are_told() -> None:
    assert "ivrs.f.nodes: holds no node: write one at least" in problem(extra="ivrs: {f: {title: x}}\n")
    assert "ivrs.f.start: there is no node `hello`" in problem(extra=flow(head="    start: hello\n"))


def test_the_list_own_is_there_without_being_declared() -> None:
    named = library(extra=flow("a: {do: opt_out, list: own, next: bye}")).named
    assert named["ivrs", "f"].nodes[0].list == "own"


@pytest.mark.spec("S52", "S64")
def test_a_flow_that_connects_needs_agents_in_its_campaign_unless_the_node_names_its_own() -> None:
    whole = campaign("autocall", without="agents").replace("ivr: dues\n", "ivr: f\n")
    found = problem(extra=flow("a: {do: connect, otherwise: bye}"), a=whole)
    assert "ivr: node a of ivr f puts customers through to the campaign's agents, and it has none: write agents:" in found
    assert library(extra=flow("a: {do: connect, teams: [renewals], otherwise: bye}"), a=whole).campaigns["a"]
    assert library(extra=flow("a: {do: connect, otherwise: bye}"), a=whole + "agents: {people: [lan]}\n").campaigns["a"]


@pytest.mark.spec("S52")
def test_early_media_has_no_place_in_an_autocall_campaign() -> None:
    assert "  early_media: has no place in an autocall campaign" in problem(a=campaign("autocall", "early_media: yes\n"))


def test_a_message_for_machines_must_be_one() -> None:
    assert "machines: is missing: which sound" in problem(a=campaign("autocall", "machines: {detect: amd, then: message}\n")).replace(".message", "")
    assert library(a=campaign("autocall", "machines: {detect: amd, then: message, message: sorry}\n"))


# --- queues -----------------------------------------------------------------------------------------------------------------------------

QUEUES: list[tuple[str, str]] = [
    ("callback: {key: 0}", "queues.q.callback.key: `0` is none of 1, 2, 3,"),
    ("callback: {key: '*'}", "queues.q.callback.key: `*` is none of 1, 2, 3, 4, 5, 6, 7, 8, 9, star and hash; nearest: star"),
    ("callback: {after: 20s}", "queues.q.callback.key: is missing"),
    ("callback: {key: 1, after: 3m}\n    max_wait: 3m", "queues.q.callback.after: 3m is not before max_wait, 3m: nobody could ever press the key"),
    ("callback: 1\n    max_wait: 15s\n    agents: {people: [lan], ring: 5s}", "queues.q.callback: 20s, the default, is not before max_wait, 15s"),
    ("max_wait: 20s", "queues.q.max_wait: 20s must be longer than an agent's phone rings (20s, the default of agents.ring)"),
    ("then: {do: number}", "queues.q.then: is missing: the number"),
    ("then: {do: voicemail, to: +44 123}", "queues.q.then.to: is for `do: number`, and this says `do: voicemail`"),
    ("then: {do: number, to: +44 123, gateway: trunk9}", "queues.q.then.gateway: `trunk9` is no gateway we know; nearest: trunk"),
    ("announce: {position: sorry}", "queues.q.announce: is missing: how often are callers told?"),
    ("announce: 30s", "queues.q.announce: settings are expected here: every, position, wait, minutes"),
    ("announce: {every: 30s}", "queues.q.announce.every: nothing is said"),
    ("callback: {key: 1, say: local_stream://moh}", "queues.q.callback.say: local_stream://moh never ends: name a sound file"),
    ("then: {do: hang_up, sound: silence_stream://-1}", "queues.q.then.sound: silence_stream://-1 never ends"),
    ("music: queue music.wav", "queues.q.music: `queue music.wav`: a space has no place"),
    ("agents: {people: [hoo]}", "queues.q.agents.people: `hoo` is no agent we know; nearest: hoa"),
    ("max_weight: 3", "queues.q: `max_weight` is no setting; nearest: max_wait"),
]  # fmt: skip


@pytest.mark.spec("S71", "S72", "S74", "S76", "S77", "D18")
@pytest.mark.parametrize(("text", "what"), QUEUES, ids=lambda text: text[:40])
def test_a_queue_that_makes_no_sense_is_told_at_its_place(text: str, what: str) -> None:
    agents = "" if "agents" in text else "    agents: {people: [lan]}\n"
    found = problem(extra=f"queues:\n  q:\n{agents}    {text}\n")
    path, _, told = what.partition(": ")
    assert found.startswith("extra.yml:") and told in found and path in found, found


def test_an_overflow_to_a_number_needs_a_trunk() -> None:
    text = "queues: {q: {agents: {people: [lan]}, then: {do: number, to: +44 123}}}\n"
    assert "queues.q.then.gateway: there is no trunk to that number" in "".join(
        each.replace("queues.q.then: ", "queues.q.then.gateway: ") for each in problems(extra=text, installation="lines: 3\n")
    )
    assert library(extra=text)


def test_a_number_leads_to_one_queue() -> None:
    text = "queues:\n  a: {numbers: [+44 1, +44 2], agents: {people: [lan]}}\n  b: {numbers: +44 2, agents: {people: [lan]}}\n"
    assert "extra.yml:2:24  queues.a.numbers: +442 leads to queue b already" in problem(extra=text)


@pytest.mark.spec("S65", "S67")
def test_a_callback_campaign_names_a_queue_that_has_a_key() -> None:
    assert "from_queue: `suport` is no queue we know; nearest: support" in problem(a=campaign("callback", "from_queue: suport\n"))
    text = "queues: {q: {agents: {people: [lan]}}}\n"
    assert "from_queue: queue q has no key that asks for a callback" in problem(extra=text, a=campaign("callback", "from_queue: q\n"))
    assert library(a=campaign("callback", "from_queue: support\n"))


# --- what works and is hardly meant -----------------------------------------------------------------------------------------------------


def warnings(**more: str) -> list[str]:
    return [str(each) for each in library(**({"installation": IN_BRITAIN} | more)).warnings if each.file != "shared.yml"]


IN_BRITAIN = "lines: 30\nregion: GB\ngateways: {trunk1: }\n"


QUEUE = "queues: {q: {agents: {people: [lan]}, music: m.wav, callback: {key: 1}}}\n"
TRIGGER = "triggers: {t: {on: ticket_created, when: {channel: callback}, then: {add_to: back}}}\n"


@pytest.mark.spec("S67", "S80", "S81", "S82")
def test_a_key_whose_ticket_no_trigger_takes_up_is_a_warning() -> None:
    (found,) = warnings(extra=QUEUE, a=campaign())
    assert found.startswith("extra.yml:1:") and "queues.q.callback: who presses the key leaves a ticket, and nobody calls him" in found
    back = campaign("callback")
    assert warnings(extra=QUEUE) == [], "where nothing else is read, nothing can be missing"
    assert warnings(extra=QUEUE + TRIGGER, back=back) == []
    assert warnings(extra=QUEUE + TRIGGER.replace("callback}", "[callback, missed], queue: q}"), back=back) == []
    assert len(warnings(extra=QUEUE + TRIGGER.replace("callback}", "callback, queue: other}"), back=back)) == 1
    assert len(warnings(extra=QUEUE + TRIGGER.replace("ticket_created", "attempt_ended"), back=back)) == 1
    assert len(warnings(extra=QUEUE + TRIGGER, back=campaign(more="leads: {new_rows: join}\n"))) == 1


@pytest.mark.spec("S75")
def test_a_key_that_the_music_can_not_tell_of_is_a_warning() -> None:
    found = warnings(extra=QUEUE.replace("music: m.wav, ", "") + TRIGGER, back=campaign("callback"))
    assert len(found) == 1 and "nobody tells callers of the key 1" in found[0]


@pytest.mark.spec("S82")
def test_a_key_where_national_numbers_mean_nothing_is_a_warning() -> None:
    (found,) = warnings(extra=QUEUE + TRIGGER, back=campaign("callback"), installation="lines: 30\ngateways: {trunk1: }\n")
    assert "can not be called back: installation.yml names no region" in found


def test_an_answer_that_can_not_be_there_yet_is_a_warning() -> None:
    text = flow("a: {do: say, text: 'you said {pin}', next: b}", "b: {do: gather, digits: 4, as: pin, next: bye}")
    (found,) = warnings(extra=text)
    assert found.startswith("extra.yml:4:26  ivrs.f.nodes.a.text: `pin` can not have been answered when the call comes here: b asks for it")


def test_only_what_is_given_is_warned_of() -> None:
    """A stored queue without a trigger is nobody's business when something else is applied."""
    stored = things(shelf(extra=QUEUE))
    assert resolve(things({"x.yml": "groups: {vip: }\n"}), stored).warnings == ()

"""What makes no sense in a script, a rule, a disposition, a profile, a trigger, a webhook."""

from __future__ import annotations

import pytest

from tests.config.world import campaign, library, problem

SCRIPTS = [
    ("[{}]", "scripts.s.items.1: one of `say` and `ask` is needed"),
    ("[{say: a, ask: b, as: b}]", "scripts.s.items.1: one of `say` and `ask` is needed, not both"),
    ("[{ask: a}]", "scripts.s.items.1: `as` is missing: under which name is the answer kept?"),
    ("[{ask: a, as: a, answer: choice}]", "scripts.s.items.1: `options` is missing: what may be chosen?"),
    ("[{ask: a, as: a, answer: choices, options: [x]}]", "one option alone leaves no choice"),
    ("[{ask: a, as: a, options: [x, y]}]", "`options` are for answer: choice or choices, not for text"),
    ("[{ask: a, as: a, least: 3}]", "`least` and `most` are for answer: number, not for text"),
    ("[{ask: a, as: a, answer: number, least: 3, most: 2}]", "least, 3, is above most, 2"),
    ("[{say: a, as: x}]", "a sentence has no as: that is for a question (ask)"),
    ("[{ask: a, as: x}, {say: b}, {ask: c, as: x}]", "scripts.s.items.3.as: question 1 keeps its answer as `x` already"),
    ("[]", "scripts.s.items: holds no sentence and no question"),
]


@pytest.mark.spec("S14", "M23", "M24")
@pytest.mark.parametrize(("items", "what"), SCRIPTS)
def test_a_script_that_can_not_be_asked_is_told(items: str, what: str) -> None:
    assert what in problem(extra=f"scripts:\n  s: {items}\n")


RULES = [
    ("{then: {again: 1h, stop: yes}}", "then: again and stop contradict each other: keep one"),
    ("{then: {}}", "then: does nothing: one of again, at, remove and stop is needed, or something to `set`"),
    ("{then: {stop: no}}", "then: does nothing"),
    ("{then: {stop: yes, next_number: yes}}", "`next_number` is about the next call, and `stop` means that there is none"),
    ("{when: {connected: yes, missed: yes}, then: {stop: yes}}", "a call that was missed was not connected: this never holds"),
    ("{when: {outcome: busy}}", "then: is missing"),
]


@pytest.mark.spec("M11", "M12")
@pytest.mark.parametrize("place", ["rule set", "campaign"])
@pytest.mark.parametrize(("rule", "what"), RULES)
def test_a_rule_that_makes_no_sense_is_told_wherever_it_stands(rule: str, what: str, place: str) -> None:
    found = problem(extra=f"rule_sets: {{s: [{rule}]}}\n") if place == "rule set" else problem(a=campaign(more=f"rules: [{rule}]\n"))
    assert what in found and (("rule_sets.s.rules.1" in found) if place == "rule set" else ("  rules.1" in found))


def test_a_rule_that_only_sets_something_is_one() -> None:
    assert library(extra="rule_sets: {s: [{then: {set: {a: b}}}]}\n").named["rule_sets", "s"].rules[0].then.set == (("a", "b"),)


@pytest.mark.spec("S12", "D14")
def test_a_disposition_that_means_another_call_can_not_be_final() -> None:
    assert "dispositions.d.final: class callback means another call" in problem(extra="dispositions: {d: {class: callback, final: yes}}\n")
    assert library(extra="dispositions: {d: {class: callback}}\n")


def test_a_profile_caps_one_span_once() -> None:
    found = problem(extra="profiles: {p: {attempts: [{max: 3, in: 1d}, {max: 5, in: 24h}]}}\n")
    assert "profiles.p.attempts.2: the same span has a cap already, number 1" in found


TRIGGERS = [
    ("[]", "triggers.t.then: does nothing"),
    ("[{}]", "triggers.t.then.1: does nothing: one of add_to, webhook and set is needed"),
    ("[{add_to: hotline, set: {a: b}}]", "triggers.t.then.1: add_to and set in one"),
    ("[{add_to: hotlin}]", "triggers.t.then.1.add_to: `hotlin` is no campaign we know; nearest: hotline"),
    ("[{webhook: crm}]", "triggers.t.then.1.webhook: `crm` is no webhook we know"),
    ("[{add_to: closed}]", "add_to: closed is a progressive campaign that ends when its list is done: add to a callback campaign"),
]


@pytest.mark.spec("S67", "S82", "M25")
@pytest.mark.parametrize(("then", "what"), TRIGGERS)
def test_a_trigger_that_can_not_do_what_it_says_is_told(then: str, what: str) -> None:
    text = f"triggers:\n  t: {{on: ticket_created, then: {then}}}\n"
    assert what in problem(extra=text, hotline=campaign("callback"), closed=campaign())


@pytest.mark.spec("M10", "M22")
def test_a_trigger_may_add_to_a_campaign_that_waits_for_leads() -> None:
    text = "triggers: {t: {on: ticket_created, then: {add_to: endless}}}\n"
    assert library(extra=text, endless=campaign(more="leads: {new_rows: join}\n")).named


@pytest.mark.spec("M25")
def test_a_webhook_goes_to_hosts_that_the_installation_names_only() -> None:
    text = "webhooks: {w: {url: 'https://%s/x', secret: 'env:X'}}\n"
    assert library(extra=text % "crm.example.com").named["webhooks", "w"].url == "https://crm.example.com/x"
    found = problem(extra=text % "crm.example.net")
    assert "webhooks.w.url: crm.example.net is not among webhook_hosts of installation.yml; nearest: crm.example.com" in found

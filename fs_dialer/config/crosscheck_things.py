"""What scripts, dispositions, rules, profiles, triggers and webhooks must be to make sense: contradictions within one, and with what it names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from fs_dialer.config.declarations import listed
from fs_dialer.config.definitions import Unit
from fs_dialer.config.form import Form
from fs_dialer.config.shelf import Shelf
from fs_dialer.config.values import nearest
from fs_dialer.core.definition import Campaign, Installation
from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import declared
from fs_dialer.core.resources import Disposition, Profile, Rule, RuleSet, Script, ScriptItem, Then, Trigger, Webhook, When
from fs_dialer.core.webhooks import is_named, target_of

BUILT_IN_PROFILES = ("none", "us-tsr", "uk-ofcom")
_ACTIONS = ("again", "at", "remove", "stop")


def judge_rules(form: Form, path: str, rules: Sequence[Rule]) -> None:
    """M11: each does one thing, and can be reached."""
    always = ""
    for number, rule in enumerate(rules, 1):
        here = f"{path}.{number}"
        if always and form.clean(here):
            form.tell(here, f"can never be reached: {always} has no `when` and so always decides")
            continue
        if rule.when == When() and form.clean(f"{here}.when"):
            always = f"rule {number}" + (f" ({rule.name})" if rule.name else "")
        _judge_then(form, f"{here}.then", rule.then)
        if rule.when.connected and rule.when.missed and form.clean(f"{here}.when"):
            form.tell(f"{here}.when", "a call that was missed was not connected: this never holds")


def _judge_then(form: Form, path: str, then: Then) -> None:
    if not form.clean(path):
        return
    does = [word for word, wanted in zip(_ACTIONS, (then.again_s is not None, then.at_minute is not None, then.remove, then.stop), strict=True) if wanted]
    if len(does) > 1:
        form.tell(path, f"{listed(tuple(does))} contradict each other: keep one")
    elif not does and not then.set:
        form.tell(path, f"does nothing: one of {listed(_ACTIONS)} is needed, or something to `set`")
    elif then.next_number and does and does[0] not in ("again", "at"):
        form.tell(path, f"`next_number` is about the next call, and `{does[0]}` means that there is none")


def _rule_set(unit: Unit, shelf: Shelf) -> None:
    rules: RuleSet = unit.value
    path = f"rule_sets.{unit.thing.name}.rules"
    if not rules.rules and unit.form.clean(path):
        unit.form.tell(path, "holds no rule")
    judge_rules(unit.form, path, rules.rules)


def _script(unit: Unit, shelf: Shelf) -> None:
    script: Script = unit.value
    form, base = unit.form, f"scripts.{unit.thing.name}.items"
    if not script.items and form.clean(base):
        form.tell(base, "holds no sentence and no question")
    first: dict[str, int] = {}
    for number, item in enumerate(script.items, 1):
        here = f"{base}.{number}"
        if not form.clean(here):
            continue
        if text := _wrong_item(item, {key for key in declared(ScriptItem) if form.place(f"{here}.{key}")}):
            form.tell(here, text)
        elif item.key and first.setdefault(item.key, number) != number:
            form.tell(f"{here}.as", f"question {first[item.key]} keeps its answer as `{item.key}` already")


def _wrong_item(item: ScriptItem, written: Collection[str]) -> str | None:
    if bool(item.say) == bool(item.ask):
        return "one of `say` and `ask` is needed" + (", not both" if item.say else "")
    if item.say:
        odd = [key for key in ("as", "answer", "options", "required", "least", "most") if key in written]
        return f"a sentence has no {listed(tuple(odd))}: that is for a question (ask)" if odd else None
    if not item.key:
        return "`as` is missing: under which name is the answer kept?"
    if item.kind in ("choice", "choices") and len(item.options) < 2:
        return f"`options` is missing: what may be chosen? A {item.kind} needs two at least" if not item.options else "one option alone leaves no choice"
    if item.options and item.kind not in ("choice", "choices"):
        return f"`options` are for answer: choice or choices, not for {item.kind}"
    if (item.low is not None or item.high is not None) and item.kind != "number":
        return f"`least` and `most` are for answer: number, not for {item.kind}"
    if item.low is not None and item.high is not None and item.low > item.high:
        return f"least, {item.low:g}, is above most, {item.high:g}"
    return None


def _disposition(unit: Unit, shelf: Shelf) -> None:
    value: Disposition = unit.value
    path = f"dispositions.{unit.thing.name}"
    if value.outcome_class in ("callback", "retry") and value.final and unit.form.place(f"{path}.final") and unit.form.clean(path):
        unit.form.tell(f"{path}.final", f"class {value.outcome_class} means another call, so it can not be final")


def _profile(unit: Unit, shelf: Shelf) -> None:
    profile: Profile = unit.value
    path = f"profiles.{unit.thing.name}"
    if unit.thing.name in BUILT_IN_PROFILES:
        unit.form.tell(path, f"{unit.thing.name} comes with the program: choose another name for your own")
    caps: dict[float, int] = {}
    for number, cap in enumerate(profile.attempts, 1):
        if cap.within_s in caps and unit.form.clean(path):
            unit.form.tell(f"{path}.attempts.{number}", f"the same span has a cap already, number {caps[cap.within_s]}")
        caps.setdefault(cap.within_s, number)


def _trigger(unit: Unit, shelf: Shelf) -> None:
    trigger: Trigger = unit.value
    form = unit.form
    if not trigger.then and form.clean(f"triggers.{unit.thing.name}.then"):
        form.tell(f"triggers.{unit.thing.name}.then", "does nothing")
    for number, action in enumerate(trigger.then, 1):
        here = f"triggers.{unit.thing.name}.then.{number}"
        if not form.clean(here):
            continue
        does = [word for word, value in (("add_to", action.add_to), ("webhook", action.webhook), ("set", action.set)) if value]
        if len(does) != 1:
            form.tell(here, f"{listed(tuple(does))} in one: give each a `- ` of its own" if does else "does nothing: one of add_to, webhook and set is needed")
        elif action.add_to:
            campaign = shelf.find("campaign", action.add_to)
            if isinstance(campaign, Campaign) and campaign.type is not CampaignType.CALLBACK and campaign.leads.new_rows != "join":
                kind = campaign.type.value
                text = f"{action.add_to} is a {kind} campaign that ends when its list is done: add to a callback campaign, or to one with leads.new_rows: join"
                form.tell(f"{here}.add_to", text)


def _webhook(unit: Unit, shelf: Shelf) -> None:
    webhook: Webhook = unit.value
    path = f"webhooks.{unit.thing.name}.url"
    if unit.form.clean(path) and (text := not_named(webhook.url, shelf)):
        unit.form.tell(path, text)


def not_named(url: str, shelf: Shelf) -> str | None:
    """Why nothing is sent to this address: its host is not among webhook_hosts; None where it is, or where the installation is unsound."""
    target = target_of(url)
    installation: Any = shelf.find("installation", "")
    allowed = installation.webhook_hosts if isinstance(installation, Installation) else ()
    if is_named(target, allowed) or (installation is not None and not isinstance(installation, Installation)):
        return None
    guess = nearest(target.host, allowed)
    text = f"{target.authority} is not among webhook_hosts of installation.yml" + (f"; nearest: {guess}" if guess else "")
    return text + ": nothing is sent to a host that is not named there"


JUDGES: Mapping[str, Callable[[Unit, Shelf], None]] = {
    "rule_sets": _rule_set,
    "scripts": _script,
    "dispositions": _disposition,
    "profiles": _profile,
    "triggers": _trigger,
    "webhooks": _webhook,
}

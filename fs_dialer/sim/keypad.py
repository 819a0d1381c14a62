"""What people press when they are asked, or by themselves: rules of chance, or a script.

Pure: what is asked and a random.Random in, keys and seconds out; what an administrator wrote in, rules out. Knows nothing of the switch; how a key
arrives is digits.py's.

    keys:
      - {at: main, press: {1: 40%, 2: 20%, none: 40%}, after: uniform(1s, 4s)}    # at a node, a variable, a prompt; * = wherever a flow asks
      - {at: pin, script: ["0000", "471100#"]}                                       # in turn, the last one from then on
      - {answered: uniform(20s, 50s), press: {1: 30%, none: 70%}}                    # so long after the answer, whatever is going on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Final

from fs_dialer.sim.laws import Law, fixed, law

NOTHING: Final = "none"
BETWEEN_KEYS_S: Final = 0.35
KEY_S: Final = 0.15  # from the finger to the event


@dataclass(frozen=True, slots=True)
class KeyRule:
    """What is pressed where. `at`: a pattern of the extension, its last word (a flow's node), the variable that is asked for, or the prompt's path.

    choices: keys with their weights, `none` = nothing; a script's turns come in order, the last one for ever. after: from the end of the prompt.
    """

    at: str = "*"
    choices: tuple[tuple[str, float], ...] = ((NOTHING, 1.0),)
    after: Law = fixed(1.0)
    script: tuple[str, ...] = ()

    def holds(self, extension: str, prompt: str, variable: str) -> bool:
        node = extension.rpartition(".")[2]
        return any(fnmatchcase(name, self.at) for name in (extension, node, variable, prompt))


@dataclass(frozen=True, slots=True)
class Press:
    """Keys pressed so long after the answer, whatever is going on."""

    answered: Law
    choices: tuple[tuple[str, float], ...]

    def draw(self, rng: Random) -> list[tuple[float, str]]:
        """Seconds after the answer, and each key."""
        keys = _chosen(self.choices, rng)
        first_s = self.answered.draw(rng) if keys != NOTHING else 0.0
        return [(first_s + place * BETWEEN_KEYS_S, key) for place, key in enumerate("" if keys == NOTHING else keys)]


def _chosen(choices: tuple[tuple[str, float], ...], rng: Random) -> str:
    return choices[0][0] if len(choices) == 1 else rng.choices([each for each, _ in choices], [weight for _, weight in choices])[0]


def read_keys(given: Any, where: str) -> tuple[tuple[KeyRule, ...], tuple[Press, ...]]:
    """The list under `keys:`. ValueError with a sentence for an administrator."""
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        raise ValueError(f"{where}: write a list, as in [{{at: main, press: {{1: 40%, none: 60%}}}}]")
    rules, presses = [], []
    for index, each in enumerate(given):
        at = f"{where}[{index}]"
        if odd := [name for name in each if name not in ("at", "press", "script", "after", "answered")]:
            raise ValueError(f"{at}: unknown key {odd[0]!r}; there are at, press, script, after and answered")
        if ("press" in each) == ("script" in each):
            raise ValueError(f"{at}: write either press, as in {{1: 40%, none: 60%}}, or script, as in [1, 4711#]")
        if "answered" in each:
            if "at" in each or "after" in each or "press" not in each:
                raise ValueError(f"{at}: answered goes with press alone: it says when, whatever is asked")
            presses.append(Press(law(each["answered"], f"{at}.answered"), _choices(each["press"], f"{at}.press")))
            continue
        after = law(each.get("after", "uniform(1s, 3s)"), f"{at}.after")
        if "press" in each:
            rules.append(KeyRule(str(each.get("at", "*")), _choices(each["press"], f"{at}.press"), after))
        else:
            script = each["script"] if isinstance(each["script"], list) else [each["script"]]
            rules.append(KeyRule(str(each.get("at", "*")), after=after, script=tuple(_keys(keys, f"{at}.script") for keys in script)))
    return tuple(rules), tuple(presses)


def _choices(given: Any, where: str) -> tuple[tuple[str, float], ...]:
    if not isinstance(given, Mapping):
        given = {given: 1}
    found = []
    for keys, weight in given.items():
        text = str(weight).strip()
        try:
            found.append((_keys(keys, where), float(text.removesuffix("%"))))
        except ValueError as error:
            raise ValueError(f"{where}.{keys}: {weight!r} is not a weight; write for example 30%" if "could not" in str(error) else str(error)) from None
    if any(weight < 0 for _, weight in found) or not any(weight > 0 for _, weight in found):
        raise ValueError(f"{where}: the weights must be 0 or more, and one of them above 0")
    return tuple(found)


def _keys(given: object, where: str) -> str:
    text = {"star": "*", "hash": "#"}.get(str(given), str(given))
    if text != NOTHING and (not text or set(text) - set("0123456789*#")):
        raise ValueError(f"{where}: {given!r} are no keys of a telephone; write digits, * and #, star, hash or none")
    return text


def answer(rules: Sequence[KeyRule], extension: str, prompt: str, variable: str, turns: dict[str, int], rng: Random) -> list[tuple[float, str]]:
    """Keys and when they arrive, seconds from the end of the prompt. `turns` counts how often each rule was used; the first rule that holds decides."""
    for rule in rules:
        if not rule.holds(extension, prompt, variable):
            continue
        turn = turns.get(rule.at, 0)
        turns[rule.at] = turn + 1
        if rule.script:
            keys = rule.script[min(turn, len(rule.script) - 1)]
        else:
            keys = _chosen(rule.choices, rng)
        first_s = rule.after.draw(rng) + KEY_S
        return [(first_s + place * BETWEEN_KEYS_S, key) for place, key in enumerate("" if keys == NOTHING else keys)]
    return []

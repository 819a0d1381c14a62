"""What people press when they are asked: rules of chance, or a script.

Pure: what is asked and a random.Random in, keys and seconds out. Knows nothing of the switch; how a key arrives is digits.py's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Final

from fs_dialer.sim.laws import Law, fixed

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


def answer(rules: Sequence[KeyRule], extension: str, prompt: str, variable: str, turns: dict[str, int], rng: Random) -> list[tuple[float, str]]:
    """Keys and when they arrive, seconds from the end of the prompt. `turns` counts how often each rule was used; the first rule that holds decides."""
    for rule in rules:
        if not rule.holds(extension, prompt, variable):
            continue
        turn = turns.get(rule.at, 0)
        turns[rule.at] = turn + 1
        if rule.script:
            keys = rule.script[min(turn, len(rule.script) - 1)]
        elif len(rule.choices) == 1:
            keys = rule.choices[0][0]
        else:
            keys = rng.choices([each for each, _ in rule.choices], [weight for _, weight in rule.choices])[0]
        first_s = rule.after.draw(rng) + KEY_S
        return [(first_s + place * BETWEEN_KEYS_S, key) for place, key in enumerate("" if keys == NOTHING else keys)]
    return []

"""What the digits of an answer must look like: the few signs of regular expressions that are safe to give to the switch, and how many digits they can be.

Pure. Digits, `[1-9]`, `\\d`, groups, `|`, `+` and `?`, nothing else: no sign that the switch would expand ($ { }) or that ends an argument, and no repetition
inside a repetition, which some numbers would keep it busy with for minutes. A pattern must fit all the digits, from the first to the last.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 32
_DIGITS = "0123456789"
_KNOWN = "digits, [1-9], \\d, ( ), |, + and ?"


class BadPattern(ValueError):
    """What is wrong with a pattern; fit to stand behind a setting's name."""


@dataclass(frozen=True, slots=True)
class _Part:
    lengths: frozenset[int]  # how many digits it can be, up to LONGEST
    repeats: bool  # is a + or ? in it?


def lengths_of(pattern: str) -> frozenset[int]:
    """How many digits an answer that fits can have, 1 to LONGEST. BadPattern where it is none of ours."""
    reader = _Reader(pattern)
    part = reader.alternatives()
    if reader.at < len(pattern):
        raise BadPattern("a ) closes what no ( has opened" if reader.sign == ")" else reader.odd())
    found = part.lengths - {0}
    if not found:
        raise BadPattern(f"no answer of up to {LONGEST} digits can fit it")
    return found


class _Reader:
    """Recursive descent; a group in a group in a group is as deep as it goes."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at, self.depth = pattern, 0, 0

    @property
    def sign(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def odd(self) -> str:
        hint = {
            "*": "; for `any number of` write + (at least one)",
            "{": "; how many digits there are is said by `digits`",
            "$": "; a pattern fits from the first digit to the last anyway",
            "^": "; a pattern fits from the first digit to the last anyway",
            "#": "; # is the key that ends an entry, see ends_with",
            ".": "; any digit is \\d",
        }.get(self.sign, "")
        return f"`{self.sign}` is not among {_KNOWN}{hint}"

    def alternatives(self) -> _Part:
        parts = [self.sequence()]
        while self.sign == "|":
            self.at += 1
            parts.append(self.sequence())
        return _Part(frozenset().union(*(part.lengths for part in parts)), any(part.repeats for part in parts))

    def sequence(self) -> _Part:
        begun, lengths, repeats = self.at, frozenset({0}), False
        while self.sign and self.sign not in "|)":
            part = self.repeated(self.one())
            lengths, repeats = _joined(lengths, part.lengths), repeats or part.repeats
        if begun == self.at:
            raise BadPattern("something is missing beside a |, or between ( and )" if self.pattern else "is empty")
        return _Part(lengths, repeats)

    def repeated(self, part: _Part) -> _Part:
        sign = self.sign
        if not sign or sign not in "+?":
            return part
        self.at += 1
        if self.sign and self.sign in "+?":
            raise BadPattern(f"`{sign}{self.sign}`: one sign of repetition is enough")
        if sign == "?":
            return _Part(part.lengths | {0}, True)
        if part.repeats:
            raise BadPattern("a repetition inside a repetition: an answer could keep the switch busy for minutes")
        lengths = last = part.lengths
        while more := _joined(last, part.lengths) - lengths:
            lengths, last = lengths | more, more
        return _Part(lengths, True)

    def one(self) -> _Part:
        digit = _Part(frozenset({1}), False)
        if self.sign in _DIGITS:
            self.at += 1
            return digit
        if self.pattern.startswith("\\d", self.at):
            self.at += 2
            return digit
        if self.sign == "[":
            self.choice()
            return digit
        if self.sign != "(":
            raise BadPattern(self.odd())
        self.at, self.depth = self.at + 1, self.depth + 1
        if self.depth > 3:
            raise BadPattern("groups are nested more than three deep")
        part = self.alternatives()
        if self.sign != ")":
            raise BadPattern("a ( is opened and never closed")
        self.at, self.depth = self.at + 1, self.depth - 1
        return part

    def choice(self) -> None:
        """`[1-9]`, `[135]`."""
        end = self.pattern.find("]", self.at)
        inside = self.pattern[self.at + 1 : end].replace("\\d", "0-9") if end > 0 else ""
        if end < 0:
            raise BadPattern("a [ is opened and never closed")
        rest = inside
        while rest:
            if rest[1:2] == "-" and rest[0] in _DIGITS and rest[2:3] and rest[2] in _DIGITS:
                if rest[0] > rest[2]:
                    raise BadPattern(f"[{rest[:3]}] runs backwards: write [{rest[2]}-{rest[0]}]")
                rest = rest[3:]
            elif rest[0] in _DIGITS:
                rest = rest[1:]
            else:
                raise BadPattern(f"`[{inside}]`: between [ and ] stand digits alone, as in [1-9]")
        if not inside:
            raise BadPattern("nothing stands between [ and ]")
        self.at = end + 1


def _joined(first: frozenset[int], second: frozenset[int]) -> frozenset[int]:
    return frozenset(a + b for a in first for b in second if a + b <= LONGEST)

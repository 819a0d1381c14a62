"""What the digits of an answer must look like: the few signs of regular expressions that are safe to give to the switch, and how many digits they can be.

Pure. Digits, `[1-9]`, `\\d`, groups, `|`, `+` and `?`, nothing else: no sign that the switch would expand ($ { }) or that ends an argument, and no repetition
inside a repetition, which some numbers would keep it busy with for minutes. A pattern must fit all the digits, from the first to the last.

The switch tries every way in which an entry can be taken apart before it says that the last digit is a wrong one. How many there can be is counted, too many
at most: two alternatives that begin with different digits are one way, and so is each round of a repetition of such.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 32
MOST_WAYS = 20_000  # a few milliseconds
_DIGITS = "0123456789"
_KNOWN = "digits, [1-9], \\d, ( ), |, + and ?"


class BadPattern(ValueError):
    """What is wrong with a pattern; fit to stand behind a setting's name."""


@dataclass(frozen=True, slots=True)
class _Part:
    """ways[n]: in how many ways, at most, an entry of n digits can be taken apart; 0 = it can not be so long. first: with which digits it begins. sure: where
    it ends hangs on nothing that follows. most: the ways of all lengths together, of it or of what it begins with."""

    ways: tuple[int, ...]
    first: frozenset[str]
    repeats: bool = False  # is a + or ? in it?
    sure: bool = True
    most: int = 1

    @property
    def lengths(self) -> frozenset[int]:
        """How many digits it can be, up to LONGEST."""
        return frozenset(length for length, ways in enumerate(self.ways) if ways)


def lengths_of(pattern: str) -> frozenset[int]:
    """How many digits an answer that fits can have, 1 to LONGEST. BadPattern where it is none of ours."""
    reader = _Reader(pattern)
    part = reader.alternatives()
    if reader.at < len(pattern):
        raise BadPattern("a ) closes what no ( has opened" if reader.sign == ")" else reader.odd())
    if part.most > MOST_WAYS:
        raise BadPattern(
            "an answer could be taken apart in too many ways, and keep the switch busy: use fewer + and ?, and alternatives that begin differently"
        )
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
        first = frozenset[str]().union(*(part.first for part in parts))
        apart = len(first) == sum(len(part.first) for part in parts) and not any(part.ways[0] for part in parts)
        ways = tuple(max(each) if apart else sum(each) for each in zip(*(part.ways for part in parts), strict=True))
        return _Part(ways, first, any(part.repeats for part in parts), apart and all(part.sure for part in parts), _most(ways, *parts))

    def sequence(self) -> _Part:
        begun, row = self.at, _NOTHING
        while self.sign and self.sign not in "|)":
            part = self.repeated(self.one())
            ways = _joined(row.ways, part.ways)
            first = row.first | part.first if row.ways[0] else row.first
            row = _Part(ways, first, row.repeats or part.repeats, row.sure and part.sure, _most(ways, row, part))
        if begun == self.at:
            raise BadPattern("something is missing beside a |, or between ( and )" if self.pattern else "is empty")
        return row

    def repeated(self, part: _Part) -> _Part:
        sign = self.sign
        if not sign or sign not in "+?":
            return part
        self.at += 1
        if self.sign and self.sign in "+?":
            raise BadPattern(f"`{sign}{self.sign}`: one sign of repetition is enough")
        if sign == "?":
            ways = (part.ways[0] + 1, *part.ways[1:])
            return _Part(ways, part.first, True, False, _most(ways, part))
        if part.repeats:
            raise BadPattern("a repetition inside a repetition: an answer could keep the switch busy for minutes")
        ways = last = part.ways
        while any(last := _joined(last, part.ways)):
            ways = tuple(a + b for a, b in zip(ways, last, strict=True))
        if part.sure:
            ways = tuple(min(1, each) for each in ways)
        return _Part(ways, part.first, True, False, _most(ways, part))

    def one(self) -> _Part:
        if self.sign in _DIGITS:
            self.at += 1
            return _digit(self.pattern[self.at - 1])
        if self.pattern.startswith("\\d", self.at):
            self.at += 2
            return _digit(_DIGITS)
        if self.sign == "[":
            return _digit(self.choice())
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

    def choice(self) -> str:
        """`[1-9]`, `[135]`: the digits."""
        end = self.pattern.find("]", self.at)
        inside = self.pattern[self.at + 1 : end].replace("\\d", "0-9") if end > 0 else ""
        if end < 0:
            raise BadPattern("a [ is opened and never closed")
        rest, found = inside, ""
        while rest:
            if rest[1:2] == "-" and rest[0] in _DIGITS and rest[2:3] and rest[2] in _DIGITS:
                if rest[0] > rest[2]:
                    raise BadPattern(f"[{rest[:3]}] runs backwards: write [{rest[2]}-{rest[0]}]")
                rest, found = rest[3:], found + _DIGITS[int(rest[0]) : int(rest[2]) + 1]
            elif rest[0] in _DIGITS:
                rest, found = rest[1:], found + rest[0]
            else:
                raise BadPattern(f"`[{inside}]`: between [ and ] stand digits alone, as in [1-9]")
        if not inside:
            raise BadPattern("nothing stands between [ and ]")
        self.at = end + 1
        return found


_NOTHING = _Part((1, *(0,) * LONGEST), frozenset())


def _digit(among: str) -> _Part:
    return _Part((0, 1, *(0,) * (LONGEST - 1)), frozenset(among))


def _most(ways: tuple[int, ...], *parts: _Part) -> int:
    return max(sum(ways), *(part.most for part in parts))


def _joined(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    found = [0] * (LONGEST + 1)
    for a, ways in enumerate(first):
        if ways:
            for b in range(LONGEST + 1 - a):
                found[a + b] += ways * second[b]
    return tuple(min(each, MOST_WAYS + 1) for each in found)

"""Which numbers a file had before: a table small enough for a million of them.

Knows numbers and one small count or line for each. A dict would do the same in a hundred bytes a number; this takes 24 to 48, because the keys lie in
an array as they are (open addressing, linear probing, at most half full). Doubling needs the old table too, for a moment.
"""

from __future__ import annotations

from array import array

_FIRST_SIZE = (1 << 12) - 1  # always odd, so that numbers with the same last digits do not meet


class NumbersSeen:
    """Numbers in E.164 without their +, each with a value of 32 bits. Number 0, which is none, marks free places."""

    def __init__(self) -> None:
        self._filled = 0
        self._make_room(_FIRST_SIZE)

    def __len__(self) -> int:
        return self._filled

    def setdefault(self, number: int, value: int) -> int:
        """The value that the number has; if it has none, this one from now on."""
        keys, size = self._keys, self._size
        place = number % size
        while there := keys[place]:
            if there == number:
                return self._values[place]
            place = place + 1 if place + 1 < size else 0
        keys[place], self._values[place] = number, value
        self._filled += 1
        if self._filled * 2 > size:
            self._grow()
        return value

    def count(self, number: int) -> int:
        """How often the number was counted before."""
        before = self.setdefault(number, 0)
        self._values[self._place(number)] = before + 1
        return before

    def _place(self, number: int) -> int:
        """Where the number is, or else the free place where it belongs."""
        keys, size = self._keys, self._size
        place = number % size
        while (there := keys[place]) and there != number:
            place = place + 1 if place + 1 < size else 0
        return place

    def _grow(self) -> None:
        keys, values = self._keys, self._values
        self._make_room(self._size * 2 + 1)
        for number, value in zip(keys, values, strict=True):
            if number:
                place = self._place(number)
                self._keys[place], self._values[place] = number, value

    def _make_room(self, size: int) -> None:
        self._size = size
        self._keys, self._values = array("Q", [0]) * size, array("I", [0]) * size

"""Slot numbers of up to two digits, as they are typed. Pure: the caller says when a second digit can no longer come."""

from __future__ import annotations

from collections.abc import Collection


class Digits:
    """Holds a first digit that may be the tens. ``numbers``, wherever asked for: the slots there are."""

    def __init__(self) -> None:
        self._tens = 0

    def number(self, digit: int, numbers: Collection[int]) -> int | None:
        """Return the slot that ``digit`` selects, with the digit before it or alone; None if there is none."""
        return next((number for number in (10 * self._tens + digit, digit) if number in numbers), None)

    def press(self, digit: int, numbers: Collection[int]) -> bool:
        """Take ``digit``. Returns whether it may be the tens of a slot."""
        completes = self._tens and 10 * self._tens + digit in numbers
        self._tens = 0 if completes or not any(number // 10 == digit for number in numbers if digit) else digit
        return bool(self._tens)

    def stand_alone(self) -> int:
        """Return the first digit, which none follows any more; 0 if there is none."""
        digit, self._tens = self._tens, 0
        return digit

"""Name what somebody is to be told, before it has a language. Imports nothing, so every room may use it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Say:
    """Names a sentence of the catalogue and gives the values to fill in, in the order of the English sentence.

    False when it says nothing.
    """

    key: str = ""
    values: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.key)


NOTHING = Say()

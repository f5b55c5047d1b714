"""Name what somebody is to be told, before it has a language. Imports nothing, so every room may use it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, init=False)
class Say:
    """Names a sentence of the catalogue and gives the values to fill in, by the names the sentence has for them.

    False when it says nothing.
    """

    key: str
    named: tuple[tuple[str, str], ...]

    def __init__(self, key: str = "", /, **values: str) -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "named", tuple(values.items()))

    @property
    def values(self) -> tuple[str, ...]:
        """The values without their names, in the order of the English sentence: what records hold of them."""
        return tuple(value for _, value in self.named)

    def __bool__(self) -> bool:
        return bool(self.key)


NOTHING = Say()

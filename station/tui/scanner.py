"""Distinguishes a barcode scanner from a person by the silence between characters. Pure: the caller tells of it.

A scanner is a keyboard that types faster than any person. A character is therefore held back until
its source is known: after 30 ms of silence, or at the Enter, Tab or line feed that ends a burst. What a scanner
types never reaches a field or a key binding, not even when its burst breaks off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

GAP_S = 0.030
"""Seconds; characters with no such silence between them come from a scanner."""

LIKELY_S = 0.012
"""Seconds after which most scanners have sent their second character."""

MIN_LENGTH = 4
"""Shorter bursts are keys hit at the same time; no code on a unit, badge or order is that short."""

BROKEN_S = 1.0
"""Seconds after a burst broke off in which its rest may follow, up to the Enter or Tab that ends it; it is no scan."""

MAX_LENGTH = 256
"""Characters; longer than any label. The rest of a longer burst is dropped."""

LINE_FEED = "ctrl+j"
"""What scanners set to LF end with, those set to CR LF send behind Enter, and Enter is before the screen stands."""

ENDINGS = frozenset({"enter", "tab", LINE_FEED})
SEPARATORS = frozenset("\x1d\x1e\x04")
"""Group separator, record separator and end of transmission occur in some codes; terminals send them as Ctrl keys."""

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Typed(Generic[K]):
    """Keys typed by a person, in order, to be passed on."""

    keys: tuple[K, ...]


@dataclass(frozen=True, slots=True)
class Scanned:
    """One complete scan. It may contain a mobile secret, so ``repr`` hides it."""

    text: str

    def __repr__(self) -> str:
        return f"Scanned({len(self.text)} characters)"


@dataclass(frozen=True, slots=True)
class Broken:
    """A burst that is not a scan: it ended without Enter or Tab, or is the rest of one that did."""


Found = Typed[K] | Scanned | Broken


class ScanDetector(Generic[K]):
    """Separates scans from typing. Feed it each key, and each silence between two; ``K`` is the caller's type of a key.

    Keys between which nobody knew of a silence may have come at any speed, however late they were read.
    """

    def __init__(self) -> None:
        self._held: list[K] = []
        self._text: list[str] = []
        self._last = self._broken_at = float("-inf")

    @property
    def is_holding(self) -> bool:
        """Return whether keys are held back until their source is known."""
        return bool(self._held)

    @property
    def lone(self) -> K | None:
        """Return the key that is held back if it is the only one."""
        return self._held[0] if len(self._held) == 1 else None

    def key(self, key: K, name: str, character: str | None, at: float) -> list[Found[K]]:
        """Process a key: its ``name`` (``enter``, ``a``, ``escape``), its printable ``character`` if any.

        ``at``: when it was read, in seconds; by it the rest of a broken burst is known, not a scan.
        """
        ends = name in ENDINGS
        if ends and (len(self._text) >= MIN_LENGTH or self._is_rest(at)):
            return [self._scan(at)]
        if name == LINE_FEED and not self._held:  # the end of a CR LF; no person types it
            return []
        if not ends and character is not None and _is_of_a_code(character):
            self._hold(key, character, at)
            return []
        return [*self._release(), Typed((key,))]

    def silence(self, seconds: float) -> list[Found[K]]:
        """Release what is held back if nothing came for ``seconds`` after it, and those are enough."""
        return self._release() if seconds >= GAP_S else []

    def _hold(self, key: K, character: str, at: float) -> None:
        self._last = at
        self._held.append(key)
        if len(self._text) <= MAX_LENGTH:
            self._text.append(character)

    def _scan(self, at: float) -> Found[K]:
        text, is_rest = "".join(self._text), self._is_rest(at)
        self._clear()
        self._broken_at = float("-inf")
        return Broken() if is_rest or len(text) > MAX_LENGTH else Scanned(text)

    def _is_rest(self, at: float) -> bool:
        """Return whether input ending at ``at`` belongs to a burst that broke off, including a lone Enter or Tab."""
        return at - self._broken_at < BROKEN_S

    def _release(self) -> list[Found[K]]:
        if not self._held:
            return []
        keys, is_burst = tuple(self._held), len(self._held) >= MIN_LENGTH
        self._clear()
        if is_burst:
            self._broken_at = self._last
            return [Broken()]
        return [Typed(keys)]

    def _clear(self) -> None:
        self._held, self._text = [], []


def _is_of_a_code(character: str) -> bool:
    return len(character) == 1 and (character.isprintable() or character in SEPARATORS)

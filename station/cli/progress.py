"""Shows how far a long transfer is, on a terminal: a bar, the rate, the time left. Elsewhere nothing."""

from __future__ import annotations

import sys
from typing import TextIO

from drivers.clock import Clock
from drivers.plain_text import printable

from ..local_time import countdown

_BAR = 20
_EVERY_S = 0.1
_CLEAR = "\r\x1b[K"


class TransferLine:
    """One line on ``stream`` (standard error), rewritten as bytes arrive, and gone after the block ``with`` it.

    ``of``: what is counted in place of bytes.
    """

    def __init__(self, clock: Clock, stream: TextIO | None = None, of: str = "") -> None:
        self._clock, self._stream, self._of = clock, stream or sys.stderr, of
        self._name, self._since, self._shown = "", clock.now(), 0.0
        self._is_terminal = self._stream.isatty()

    def __enter__(self) -> TransferLine:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def begin(self, name: str) -> TransferLine:
        """Count from now, for a transfer of that name."""
        self._name, self._since, self._shown = name, self._clock.now(), 0.0
        return self

    def __call__(self, done: int, total: int | None) -> None:
        """Show that ``done`` bytes of ``total`` (None: nobody said) have arrived."""
        now = self._clock.now()
        if self._is_terminal and (now - self._shown >= _EVERY_S or done == total):
            self._shown = now
            self._write(_CLEAR + words(self._name, done, total, now - self._since, self._of))

    def clear(self) -> None:
        """Remove the line."""
        if self._is_terminal:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def words(name: str, done: int, total: int | None, seconds: float, of: str = "") -> str:
    """Return the line: ``a.bin  ██████░░░░  52 %  210 KiB/s  0:03 left``; without a total: what has arrived.

    Of other things than bytes it says how many: ``tray.csv  ██████░░░░  52 %  26 of 50 units  0:03 left``.
    """
    rate = done / seconds if seconds > 0 else 0.0
    parts = [printable(name)[:44]]
    if total:
        share = min(1.0, done / total)
        full = int(share * _BAR)
        parts += ["█" * full + "░" * (_BAR - full), f"{int(100 * share):3} %"]
    else:
        parts.append(f"{done >> 10} KiB")
    if of:
        parts.append(f"{done} of {total} {of}")
    elif rate:
        parts.append(f"{rate / 1024:.0f} KiB/s")
    if rate:
        parts += [f"{countdown(max(0.0, total - done) / rate)} left"] if total else []
    return "  ".join(parts)

"""Parts of `line_bench` that need no bench: a USB stack whose program may be dead, and what stories show and keep."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable

from drivers.virtual.backend import Handle, VirtualBackend, usb_failure
from drivers.virtual.bus import VirtualBus
from drivers.wire.usb import Setup
from station.engine.events import Event
from station.export.dump import write_dump
from station.journal import JournalReader


class DyingBackend(VirtualBackend):
    """A host's USB stack whose program may be dead already."""

    def __init__(self, is_dead: Callable[[], bool], *buses: VirtualBus) -> None:
        super().__init__(*buses)
        self._is_dead = is_dead

    def transfer(self, handle: Handle, setup: Setup, data: bytes, timeout_s: float) -> bytes:
        if self._is_dead():
            usb_failure(errno.ENODEV)
        return super().transfer(handle, setup, data, timeout_s)


def io_dump(journal: JournalReader) -> str:
    out = io.StringIO()
    write_dump(journal, out)
    return out.getvalue()


def shown(event: Event) -> str:
    """One line for a failing test."""
    facts = {k: v for k, v in event.to_json().items() if k not in ("at", "facts", "rows", "slots") and v}
    return " ".join(f"{name}={value}" for name, value in facts.items())[:300]

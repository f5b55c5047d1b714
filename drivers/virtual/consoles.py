"""Console ports for other processes: one pty per unit in application mode, with a named link in a directory.

Real time only.
"""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from ..clock import Clock
from ..host.pseudo_terminal import PseudoTerminal
from ..identity import PortPath
from ..wire.usb import UsbId
from .bus import Gone, Shown, VirtualBus

_NAME = re.compile(r"usb-([0-9a-f]{4})_([0-9a-f]{4})-(\d+-[0-9.]+)-([0-9A-Fa-f]{1,32})-if(\d\d)")
_POLL_MS = 20
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Link:
    """Whose console a link leads to, as its file name tells."""

    usb_id: UsbId
    port: PortPath
    serial_number: str
    interface: int  # number of the one that is the serial port (reference usb-and-serial 2.3)

    @property
    def name(self) -> str:
        """Return the file name, made as udev names links in ``/dev/serial/by-id``."""
        usb_id = f"{self.usb_id.vendor:04x}_{self.usb_id.product:04x}"
        return f"usb-{usb_id}-{self.port}-{self.serial_number}-if{self.interface:02d}"

    @classmethod
    def parse(cls, name: str) -> Link | None:
        """Parse a file name; None for any other file."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        return cls(UsbId(int(found[1], 16), int(found[2], 16)), PortPath(found[3]), found[4], int(found[5]))


class ConsoleLinks:
    """Maintains links to the consoles of ``bus`` in ``directory`` (created if absent, private to its owner)."""

    def __init__(self, bus: VirtualBus, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in directory.iterdir():
            if Link.parse(path.name):
                path.unlink()  # left by an earlier process
        self._bus, self._directory = bus, directory
        self._lock = threading.Lock()
        self._served: dict[PortPath, _Pty] = {}
        self._stop_listening = bus.listen(self._changed)
        for port in bus.units():
            self._changed(port)

    def close(self) -> None:
        """Remove every link and end the threads behind them."""
        self._stop_listening()
        with self._lock:
            for pty in self._served.values():
                pty.close()
            self._served.clear()

    def _changed(self, port: PortPath) -> None:
        shown = next((one for one in self._bus.shown() if one.port == port), None)
        with self._lock:
            old = self._served.get(port)
            if old is not None and (shown is None or old.shown.presence is not shown.presence):
                self._served.pop(port).close()
            if shown is None or shown.presence.serial_from is None or port in self._served:
                return
            wait = shown.presence.serial_from - self._bus.clock.now()
            if wait <= 0:
                self._served[port] = _Pty(shown, self._directory, self._bus.clock)
                return
        self._bus.at(wait, lambda: self._changed(port))


class _Pty:
    """One pty, its link, and the thread that copies bytes between it and the unit."""

    def __init__(self, shown: Shown, directory: Path, clock: Clock) -> None:
        self.shown, self._clock = shown, clock
        descriptors = shown.presence.descriptors
        (interface, *_) = descriptors.kernel_bound
        link = Link(descriptors.usb_id, shown.port, descriptors.serial, interface)
        self._terminal = PseudoTerminal(directory / link.name)
        self._line = (0, False)  # rate and DTR last passed to the unit
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name=f"pty-{shown.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Remove the pty and its link; a client that has it open gets an error."""
        self._is_open = False
        self._terminal.unlink()
        if threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    def _run(self) -> None:
        try:
            with contextlib.suppress(Gone, OSError):
                while self._is_open:
                    self._turn()
        finally:
            self._terminal.close()

    def _turn(self) -> None:
        unit, presence = self.shown.unit, self.shown.presence
        has_data, has_client = self._terminal.wait(0 if unit.serial_pending(presence) else _POLL_MS)
        line = (self._terminal.rate, has_client)
        if line != self._line:
            self._line = line
            unit.serial_line(presence, baud=line[0], dtr=line[1])
        if not has_client:
            self._clock.sleep(_POLL_MS / 1000)
            return
        if has_data:
            unit.serial_write(presence, self._terminal.read(_CHUNK))
        if data := unit.serial_read(presence, _CHUNK, 0.0):
            self._terminal.write(data)

"""The console ports of a virtual bus for pyserial: a port list and a `serial.SerialBase` that opens one.

Waits use the bus's clock. Ports exist only while their unit is in application mode, and appear
slightly after it does, as on a real host (reference usb-and-serial 2.9, 2.10, 7.1).
"""

from __future__ import annotations

import builtins
import contextlib
from typing import Any

import serial
from serial.tools.list_ports_common import ListPortInfo

from .bus import Gone, HostError, Pluggable, Presence, Shown, VirtualBus

_SCHEME = "virtual://"


class VirtualPorts:
    """Finder and opener of some buses: ``list`` is their ``comports()``, ``open`` their ``serial.Serial``."""

    def __init__(self, *buses: VirtualBus) -> None:
        self._buses = buses

    def list(self) -> builtins.list[ListPortInfo]:
        return [_info(bus, one) for bus in self._buses for one in _ports(bus)]

    def open(self, device: str) -> VirtualSerial:
        """Open ``device`` at 9600 8N1; raises `serial.SerialException` if there is no such port now."""
        named = (bus for bus in self._buses if device.startswith(f"{_SCHEME}{bus.number}-"))
        return VirtualSerial(next(named, self._buses[0]), device, timeout=None)


def _ports(bus: VirtualBus) -> list[Shown]:
    now = bus.clock.now()
    return [one for one in bus.shown() if one.presence.serial_from is not None and one.presence.serial_from <= now]


def _device(bus: VirtualBus, one: Shown) -> str:
    return f"{_SCHEME}{bus.name_of(one.port)}"


def _info(bus: VirtualBus, one: Shown) -> ListPortInfo:
    descriptors = one.presence.descriptors
    info = ListPortInfo(_device(bus, one), skip_link_detection=True)
    info.vid, info.pid = descriptors.usb_id.vendor, descriptors.usb_id.product
    info.serial_number, info.location = descriptors.serial, f"{bus.name_of(one.port)}:1.{descriptors.kernel_bound[0]}"
    info.manufacturer, info.product = descriptors.strings[1], descriptors.strings[2]
    info.description = descriptors.strings[2]
    info.hwid = info.usb_info()
    return info


class VirtualSerial(serial.SerialBase):
    """One opened console. Thread-safe for one reader and one writer."""

    def __init__(self, bus: VirtualBus, port: str | None = None, **settings: Any) -> None:
        self._bus = bus
        self._unit: Pluggable | None = None
        self._presence: Presence | None = None
        super().__init__(port, **settings)

    def open(self) -> None:
        """Connect to the unit on the port, and set DTR; raises `serial.SerialException` if there is none."""
        found = next((one for one in _ports(self._bus) if _device(self._bus, one) == self.port), None)
        if found is None:
            raise serial.SerialException(2, f"could not open port {self.port}: no such port on the virtual bus")
        self._unit, self._presence = found.unit, found.presence
        self.is_open = True
        self._reconfigure_port()

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            with contextlib.suppress(serial.SerialException):  # the unit is gone; so is its port
                self._line(dtr=False)
            self._unit = self._presence = None

    def read(self, size: int = 1) -> bytes:
        """Read up to ``size`` bytes; fewer when ``timeout`` has passed."""
        unit, presence = self._opened()
        clock, data = self._bus.clock, b""
        until = None if self.timeout is None else clock.now() + self.timeout
        while len(data) < size:
            left = None if until is None else until - clock.now()
            if left is not None and left <= 0 and data:
                break
            try:
                piece = unit.serial_read(presence, size - len(data), None if left is None else max(0.0, left))
            except Gone:
                raise serial.SerialException(f"device on {self.port} reports readiness but returned no data") from None
            except HostError as error:
                raise serial.SerialException(error.errno, f"read failed: {error}") from None
            data += piece
            if not piece:
                break
        return data

    def write(self, data: Any, /) -> int:
        """Write all of ``data``; raises `serial.SerialException` with the kernel's error when the unit has left."""
        unit, presence = self._opened()
        raw = bytes(data)
        try:
            unit.serial_write(presence, raw)
        except Gone:
            raise serial.SerialException(f"write to {self.port} failed: [Errno 5] Input/output error") from None
        except HostError as error:
            raise serial.SerialException(error.errno, f"write failed: {error}") from None
        return len(raw)

    @property
    def in_waiting(self) -> int:
        unit, presence = self._opened()
        try:
            return unit.serial_pending(presence)
        except Gone:
            raise serial.SerialException(f"{self.port}: [Errno 5] Input/output error") from None

    def reset_input_buffer(self) -> None:
        """Discard unread output of the unit."""
        unit, presence = self._opened()
        try:
            while unit.serial_pending(presence):
                unit.serial_read(presence, 4096, 0.0)
        except Gone:
            raise serial.SerialException(f"{self.port}: [Errno 5] Input/output error") from None

    def reset_output_buffer(self) -> None:
        self._opened()

    def flush(self) -> None:
        self._opened()

    # --- what SerialBase calls ---

    def _opened(self) -> tuple[Pluggable, Presence]:
        if not self.is_open or self._unit is None or self._presence is None:
            raise serial.PortNotOpenError
        return self._unit, self._presence

    def _reconfigure_port(self, force_update: bool = False) -> None:  # noqa: ARG002 - pyserial's signature
        self._line(dtr=bool(self.dtr))

    def _update_dtr_state(self) -> None:
        self._line(dtr=bool(self.dtr))

    def _update_rts_state(self) -> None:
        """Do nothing: the unit ignores RTS."""

    def _update_break_state(self) -> None:
        """Do nothing: the unit ignores breaks."""

    def _line(self, *, dtr: bool) -> None:
        if self._unit is None or self._presence is None:
            return
        try:
            self._unit.serial_line(self._presence, baud=self.baudrate, dtr=dtr)
        except Gone:
            raise serial.SerialException(f"{self.port}: [Errno 5] Input/output error") from None

"""Things with a USB plug that are no units: they show their ids and must not be talked to."""

from __future__ import annotations

import struct

from drivers.clock import SimulatedClock
from drivers.virtual.bus import Presence, Socket, Stall
from drivers.virtual.descriptors import Descriptors
from drivers.wire.usb import Setup, UsbId


class OtherThing:
    """One device that shows ``shown`` ("2b04:c02a"). ``transfers`` lists whatever was sent to it."""

    def __init__(self, shown: str, clock: SimulatedClock) -> None:
        vendor, product = (int(part, 16) for part in shown.split(":"))
        device = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0, 0, 0, 64, vendor, product, 0x0100, 1, 2, 3, 1)
        configuration = struct.pack("<BBHBBBBB", 9, 2, 9, 0, 1, 0, 0x80, 50)
        self._descriptors = Descriptors(UsbId(vendor, product), device, configuration, {3: "none of ours"})
        self._clock, self.condition = clock, clock.condition()
        self.presence: Presence | None = None
        self.transfers: list[Setup] = []

    def power_on(self, socket: Socket) -> None:
        self.presence = Presence(socket.new_address(), self._descriptors, self._clock.now())
        socket.changed()

    def power_off(self) -> None:
        self.presence = None

    def control(self, _presence: Presence, setup: Setup, _data: bytes, _timeout_s: float) -> bytes:
        self.transfers.append(setup)
        raise Stall

    def bus_reset(self, _presence: Presence) -> None:
        raise AssertionError("nobody may reset it")

    def serial_write(self, _presence: Presence, _data: bytes) -> None:
        raise AssertionError("it has no serial port")

    def serial_read(self, _presence: Presence, _max_bytes: int, _timeout_s: float | None) -> bytes:
        raise AssertionError("it has no serial port")

    def serial_pending(self, _presence: Presence) -> int:
        raise AssertionError("it has no serial port")

    def serial_line(self, _presence: Presence, *, baud: int, dtr: bool) -> None:
        raise AssertionError(f"it has no serial port to be set to {baud} baud, DTR {dtr}")

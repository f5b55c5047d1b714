"""A virtual bus in simulated time, driven through pyusb with setup packets written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
import serial
import usb.core

from drivers.clock import SimulatedClock
from drivers.identity import DeviceId, SerialNumber
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import UnitSpec, make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import AccessPoint, UnitEnd, UnitFacts, World

TIMEOUT_MS = 5000


@dataclass
class Cloud:
    """Remembers what units told it, and holds the list of active SIMs."""

    log: list[tuple[str, str]] = field(default_factory=list)
    facts: dict[str, UnitFacts] = field(default_factory=dict)
    ends: dict[str, UnitEnd] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)

    def online(self, facts: UnitFacts, unit: UnitEnd) -> None:
        self.facts[facts.device_id], self.ends[facts.device_id] = facts, unit
        self.log.append(("online", facts.device_id))

    def offline(self, device_id: str) -> None:
        self.log.append(("offline", device_id))

    def is_active(self, iccid: str) -> bool:
        return iccid in self.active


class Wire:
    """One opened unit: a transfer is eight setup bytes in hex and, for OUT, data bytes."""

    def __init__(self, bench: FrontBench, device: usb.core.Device) -> None:
        self.bench, self.device = bench, device

    def __call__(self, setup: str, data: str = "", timeout_ms: int = TIMEOUT_MS) -> str:
        """Run one transfer; the reply as spaced hex, "" for OUT."""
        raw = bytes.fromhex(setup)
        kind, request = raw[0], raw[1]
        value, index, length = (int.from_bytes(raw[i : i + 2], "little") for i in (2, 4, 6))
        if kind & 0x80:
            return self.device.ctrl_transfer(kind, request, value, index, length, timeout_ms).tobytes().hex(" ")
        assert length == len(bytes.fromhex(data))
        self.device.ctrl_transfer(kind, request, value, index, bytes.fromhex(data), timeout_ms)
        return ""

    def errno(self, setup: str, data: str = "", timeout_ms: int = TIMEOUT_MS) -> int | None:
        """The errno of a transfer that must fail."""
        with pytest.raises(usb.core.USBError) as caught:
            self(setup, data, timeout_ms)
        return caught.value.errno

    def ask(self, request_type: int, payload: bytes = b"", patience_s: float = 60.0) -> tuple[int, bytes]:
        """One whole request, polled every 20 ms: (result, reply)."""
        clock = self.bench.clock
        opened = bytes.fromhex(self(f"c001{_le(len(payload))}{_le(request_type)}4000"))
        request_id = _le(int.from_bytes(opened[6:8], "little"))
        is_pending = opened[4] == 2
        until = clock.now() + patience_s
        while clock.now() < until:
            if payload and not is_pending:
                self(f"40030000{request_id}{_le(len(payload))}", payload.hex())
                payload = b""
            clock.sleep(0.02)
            reply = bytes.fromhex(self(f"c0020000{request_id}4000"))
            is_pending = reply[4] == 2
            if reply[0] & 8:
                size = int.from_bytes(reply[6:10], "little") if reply[0] & 4 else 0
                result = int.from_bytes(reply[-4:], "little", signed=True)
                data = bytes.fromhex(self(f"c0040000{request_id}{_le(size)}")) if size else b""
                return result, data
        raise AssertionError(f"request {request_type} is still pending after {patience_s} s")


def _le(value: int) -> str:
    return value.to_bytes(2, "little").hex()


@dataclass
class FrontBench:
    """Clock, bus, world and what plugs into them."""

    clock: SimulatedClock
    bus: VirtualBus
    cloud: Cloud
    world: World

    def spec(
        self, platform: str = "boron", device_os: str = "6.2.0", number: int = 1, *, is_protected: bool = False,
        **settings: object,
    ) -> UnitSpec:  # fmt: skip
        spec = make_spec(platform, 7, number, device_os, is_protected=is_protected)
        return replace(spec, **settings) if settings else spec  # type: ignore[arg-type]

    def documented(self, device_os: str = "6.2.0") -> UnitSpec:
        """The unit of the reference's transcripts (usb-and-serial 3.9)."""
        device_id = DeviceId.parse("e00fce6819ef5f971ea9563a")
        return self.spec(device_os=device_os, device_id=device_id, serial=SerialNumber.parse("B40KAB926KXXXXX"))

    def plug(self, spec: UnitSpec, port: str = "1-1", *faults: str, wait_s: float = 3.0) -> VirtualUnit:
        unit = VirtualUnit(spec, self.clock, self.world)
        unit.order(*(parse_fault(text) for text in faults))
        self.bus.plug(port, unit)
        self.clock.sleep(wait_s)
        return unit

    def device(self, port: str = "1-1") -> usb.core.Device | None:
        """What pyusb finds on ``port`` now."""
        ports = tuple(int(part) for part in port.split("-")[1].split("."))
        return usb.core.find(backend=VirtualBackend(self.bus), port_numbers=ports)

    def wire(self, port: str = "1-1") -> Wire:
        device = self.device(port)
        assert device is not None, f"nothing enumerated on {port}"
        return Wire(self, device)

    def until(self, unit: VirtualUnit, mode: UnitMode, patience_s: float = 30.0) -> float:
        """Seconds until ``unit`` is in ``mode``."""
        start = self.clock.now()
        while unit.mode is not mode:
            assert self.clock.now() < start + patience_s, f"still {unit.mode} after {patience_s} s"
            self.clock.sleep(0.05)
        return self.clock.now() - start

    def console(self) -> serial.SerialBase:
        ports = VirtualPorts(self.bus)
        port = ports.open(ports.list()[0].device)
        port.timeout = 0.2
        return port


@pytest.fixture
def bench() -> Iterator[FrontBench]:
    clock = SimulatedClock(stall_s=20)
    cloud = Cloud()
    with clock.registered(), VirtualBus(clock) as bus:
        yield FrontBench(clock, bus, cloud, World([AccessPoint("factory-ap")], sims=cloud, cloud=cloud))
        assert bus.failures == []

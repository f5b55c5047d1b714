"""lsusb, unmodified: the descriptors a host reads from the virtual units can be decoded."""

from __future__ import annotations

import pytest
from conformance.bench import ForeignBench
from conformance.clients import Lsusb

from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec

pytestmark = pytest.mark.conformance


def test_the_application_shows_a_serial_port_and_a_vendor_interface(bench: ForeignBench, lsusb: Lsusb) -> None:
    unit = bench.plug("1-1", make_spec("boron", 7, 1))
    said = lsusb(unit)
    assert f"iSerial 3 {unit.device_id}" in said
    for expected in ("CDC ACM:", "CDC Union:", "iInterface 5 Boron CDC Mode Control Interface", "bNumInterfaces 3"):
        assert expected in said
    assert "UNRECOGNIZED" not in said


def test_the_bootloader_shows_its_dfu_interface(bench: ForeignBench, lsusb: Lsusb) -> None:
    said = lsusb(bench.plug("1-1", make_spec("argon", 7, 1, arrives=BootRequest.DFU)))
    for expected in ("Device Firmware Upgrade Interface Descriptor:", "wTransferSize 4096 bytes", "bcdDFUVersion 1.1a"):
        assert expected in said
    assert said.count("bAlternateSetting") == 3

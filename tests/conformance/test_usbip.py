"""PyPI's ``usbip``, an independent USB/IP client, unmodified, against units that ``station virtual serve`` serves.

Where a Linux kernel would need vhci_hcd this client needs a socket: it shows that our server speaks the protocol as
others read it, and units behind it answer as they do on a bus.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import usbip
import usbip.host
from support.served_units import served

from drivers.clock import SystemClock
from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.wire.image.host import parse_image
from drivers.wire.usb import Mode, UsbId
from station.settings.usb_source import parse_url

pytestmark = pytest.mark.conformance

HELD = {"photon": "3.3.1", "boron": "6.3.4", "p2": "6.3.4"}
EACH_FAMILY = pytest.mark.parametrize("platform", HELD)
CDC_CONTROL, CDC_DATA, VENDOR, DFU = (2, 2, 1), (10, 0, 0), (255, 255, 255), (254, 1, 2)
INTERFACES = {
    "stm32": [CDC_CONTROL, CDC_DATA, VENDOR], "nrf": [CDC_CONTROL, CDC_DATA, VENDOR],
    "rtl": [VENDOR, CDC_CONTROL, CDC_DATA],
}  # fmt: skip
"""Reference usb-and-serial 2.3."""
VENDOR_IN, SERVICE_BYTES = 0xC0, 64
INIT, CHECK, RECV, RAW = 1, 2, 4, 0x50


def shows(what: str, *platforms: str) -> pytest.MarkDecorator:
    return pytest.mark.operation("usbip of PyPI", what, *platforms)


def server_of(told: dict[str, Any]) -> usbip.USBIP:
    source = parse_url(told["usb"])
    return usbip.USBIP(source.host, source.port)


@contextmanager
def attached(platform: str, start: str = "") -> Iterator[tuple[usbip.Handle, dict[str, Any]]]:
    """One served unit, attached, and what its server says of it."""
    with served("--unit", f"{platform}@{HELD[platform]}{start}") as told:
        (row,) = told["units"]
        with usbip.open(busid=row["port"], transport=server_of(told)) as handle:
            yield handle, row


def ask(handle: usbip.Handle, request: int) -> bytes:
    """Run one control request without payload (reference usb-and-serial 3.3, 3.4); its reply."""
    flags, status, number = struct.unpack("<IHH", handle.control(VENDOR_IN, INIT, 0, request, SERVICE_BYTES))
    assert (flags, status) == (3, 0)
    while True:
        reply = handle.control(VENDOR_IN, CHECK, 0, number, SERVICE_BYTES)
        flags, status = struct.unpack_from("<IH", reply)
        if status != 2:  # PENDING
            break
    assert status == 0
    if not flags & 4:
        return b""
    size, result = struct.unpack_from("<Ii", reply, 6)
    assert result == 0
    return bytes(handle.control(VENDOR_IN, RECV, 0, number, size))


@shows("list", *HELD)
def test_it_lists_what_is_served_with_its_ids_and_interfaces() -> None:
    units = [word for slug, held in HELD.items() for word in ("--unit", f"{slug}@{held}")]
    with served(*units, "--unit", "argon@6.3.4:dfu") as told:
        listed = sorted(usbip.host.list_devices(server_of(told)), key=lambda one: str(one["busid"]))
    assert [one["busid"] for one in listed] == [row["port"] for row in told["units"]]
    for one, slug in zip(listed, HELD, strict=False):
        row = platform_by_slug(slug)
        assert UsbId(one["idVendor"], one["idProduct"]) == UsbId.of(Mode.APPLICATION, row.id)
        assert one["interfaces"] == INTERFACES[row.family]
    assert set(listed[-1]["interfaces"]) == {DFU}


@EACH_FAMILY
@shows("descriptors, raw and control requests")
def test_it_reads_descriptors_and_asks_requests(platform: str) -> None:
    with attached(platform) as (handle, row):
        assert handle.device_descriptor.idVendor == 0x2B04
        length, kind, *text = handle.control(0x80, 6, 0x0300 | handle.device_descriptor.iSerialNumber, 0x0409, 255)
        assert (length, kind) == (len(text) + 2, 3)
        assert bytes(text).decode("utf-16-le").rstrip("\0") == row["device_id"]
        assert handle.control(VENDOR_IN, RAW, 0, 30, SERVICE_BYTES).decode() == HELD[platform]
        assert ask(handle, 20) == b"\x0a\x18" + row["device_id"].encode()
        with pytest.raises(usbip.Stall):
            handle.control(VENDOR_IN, RAW, 0, 99, SERVICE_BYTES)
        assert ask(handle, 30)[2:].decode() == HELD[platform]  # a stall spoils nothing


@EACH_FAMILY
@shows("console")
def test_it_talks_to_the_console_by_its_endpoints(platform: str) -> None:
    with attached(platform, ":listening") as (handle, _row):
        console = INTERFACES[platform_by_slug(platform).family].index(CDC_CONTROL)
        handle.control(0x21, 0x22, 0x0003, console, b"")  # DTR and RTS: the unit prints to an open port only
        handle.bulk_out(0x01, b"v")
        said = b""
        while b"\r\n" not in said:
            said += handle.bulk_in(0x81, 64)
        assert re.search(rb"system firmware version: ([\d.]+)\n", said)[1].decode() == HELD[platform]  # type: ignore[index]


@EACH_FAMILY
@shows("DFU read")
def test_it_reads_a_system_part_in_dfu_mode(platform: str) -> None:
    number = platform_by_slug(platform).id
    parts = (parse_image(file.data, file.name) for file in synthetic.release(number, HELD[platform]))
    system = next(part for part in parts if part.function == 4)
    with attached(platform, ":dfu") as (handle, _row):
        handle.control(0x21, 1, 0, 0, b"\x21" + struct.pack("<I", system.flash_address))
        while handle.control(0xA1, 3, 0, 0, 6)[4] != 5:  # until dfuDNLOAD_IDLE
            pass
        handle.control(0x21, 6, 0, 0, b"")
        read = b"".join(handle.control(0xA1, 2, block, 0, 4096) for block in (2, 3))
        assert read == system.data[:8192]


def until_it_leaves(handle: usbip.Handle) -> None:
    while True:
        handle.control(VENDOR_IN, RAW, 0, 30, SERVICE_BYTES)


@EACH_FAMILY
@shows("a unit that restarts")
def test_a_unit_that_restarts_leaves_its_client_and_is_listed_again(platform: str) -> None:
    clock = SystemClock()
    with served("--unit", f"{platform}@{HELD[platform]}") as told:
        server = server_of(told)
        (before,) = usbip.host.list_devices(server)
        with usbip.open(busid=before["busid"], transport=server) as handle:
            assert ask(handle, 50) == b""
            with pytest.raises((usbip.USBError, OSError)):
                until_it_leaves(handle)
        while not (listed := usbip.host.list_devices(server)):
            clock.sleep(0.1)
        (after,) = listed
        assert after["busid"] == before["busid"]
        assert after["devnum"] != before["devnum"]
        assert UsbId(after["idVendor"], after["idProduct"]).mode is Mode.DFU

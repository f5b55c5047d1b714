"""The pyusb transport above a backend that answers from a script: translation, bounds, opening."""

from __future__ import annotations

import contextlib
import errno
from array import array
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import usb.backend
import usb.core
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import (
    AccessDenied,
    Disconnected,
    DriverError,
    LinkError,
    LocalProtocolError,
    NoDeviceNodes,
    NotFound,
    PortInUse,
    RemoteProtocolError,
    Stalled,
    TransferFailed,
    TransferTimeout,
    UnknownPlatform,
    WriteRefused,
)
from drivers.host.usb_files import UsbFiles
from drivers.transport.usb import PyusbHost
from drivers.wire.usb import Setup, UsbId

Answer = Callable[[Setup, bytes], bytes]
VERSION = Setup(0xC0, 0x50, 0, 30, 64)


class ScriptedBackend(usb.backend.IBackend):  # type: ignore[misc]  # the library has no types
    """One device; ``answer`` gives the data of an IN transfer or raises what libusb would raise."""

    def __init__(self, answer: Answer, *, product: int = 0xC00C, ports: tuple[int, ...] | None = (2, 3)) -> None:
        super().__init__()
        self.answer, self.product, self.ports = answer, product, ports
        self.open_error: Exception | None = None
        self.transfers: list[Setup] = []
        self.is_open = False
        self.vendor = 0x2B04

    def enumerate_devices(self) -> list[str]:
        return ["device"]

    def get_device_descriptor(self, dev: object) -> Any:
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x200, bDeviceClass=0, bDeviceSubClass=0, bDeviceProtocol=0,
            bMaxPacketSize0=64, idVendor=self.vendor, idProduct=self.product, bcdDevice=0x251, iManufacturer=1,
            iProduct=2, iSerialNumber=3, bNumConfigurations=1, address=9, bus=1, port_number=3,
            port_numbers=self.ports, speed=2,
        )  # fmt: skip

    def open_device(self, dev: object) -> str:
        if self.open_error is not None:
            raise self.open_error
        self.is_open = True
        return "handle"

    def close_device(self, handle: object) -> None:
        self.is_open = False

    def ctrl_transfer(
        self, handle: object, request_type: int, request: int, value: int, index: int, data: array[int], timeout: int
    ) -> int:
        setup = Setup(request_type, request, value, index, len(data))
        self.transfers.append(setup)
        assert timeout > 0, "a time-out of 0 would wait for ever"
        reply = self.answer(setup, data.tobytes())
        if setup.is_in:
            data[: len(reply)] = array("B", reply)
            return len(reply)
        return len(data)


def answering(data: bytes) -> Answer:
    return lambda setup, _out: data


def failing(number: int | None) -> Answer:
    def answer(setup: Setup, out: bytes) -> bytes:
        kind = usb.core.USBTimeoutError if number == errno.ETIMEDOUT else usb.core.USBError
        raise kind("scripted", -1, number)

    return answer


def string(text: str) -> bytes:
    raw = text.encode("utf-16-le")
    return bytes((len(raw) + 2, 3)) + raw


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EPIPE, Stalled),
        (errno.ENODEV, Disconnected),
        (errno.EIO, TransferFailed),
        (errno.EPROTO, TransferFailed),
        (errno.ETIMEDOUT, TransferTimeout),
        (errno.EACCES, AccessDenied),
        (errno.EBUSY, PortInUse),
        (errno.ENOENT, NotFound),
        (errno.EOVERFLOW, TransferFailed),
        (errno.ENOMEM, TransferFailed),
        (errno.EINTR, TransferFailed),
        (None, TransferFailed),
    ],
)
def test_every_usb_error_becomes_one_of_ours(number: int | None, expected: type[LinkError]) -> None:
    transport = PyusbHost(ScriptedBackend(failing(number))).candidates()[0].open()
    with pytest.raises(LinkError) as caught:
        transport.control(VERSION)
    assert type(caught.value) is expected
    assert "1-2.3" in str(caught.value)
    assert VERSION.to_bytes().hex(" ") in str(caught.value)


def test_what_the_host_cannot_do_is_a_link_error_too() -> None:
    def answer(setup: Setup, out: bytes) -> bytes:
        raise NotImplementedError("not on this system")

    with pytest.raises(LinkError, match="not possible"):
        PyusbHost(ScriptedBackend(answer)).candidates()[0].open().control(VERSION)


def test_opening_is_refused_at_open_not_at_the_first_transfer() -> None:
    backend = ScriptedBackend(answering(b""))
    backend.open_error = usb.core.USBError("Access denied", -3, errno.EACCES)
    candidate = PyusbHost(backend).candidates()[0]
    with pytest.raises(AccessDenied, match="install the udev rules"):
        candidate.open()


def test_listing_tells_port_address_and_ids_without_opening() -> None:
    backend = ScriptedBackend(answering(b""))
    (candidate,) = PyusbHost(backend).candidates()
    assert str(candidate.port_path) == "1-2.3"
    assert candidate.usb_id == UsbId(0x2B04, 0xC00C)
    assert candidate.address == (1, 9)
    assert not backend.is_open
    assert backend.transfers == []


def test_devices_of_other_vendors_are_not_listed() -> None:
    backend = ScriptedBackend(answering(b""))
    backend.vendor = 0x1234
    assert PyusbHost(backend).candidates() == []


def test_a_closed_handle_is_not_silently_opened_again() -> None:
    backend = ScriptedBackend(answering(b"6.2.0"))
    transport = PyusbHost(backend).candidates()[0].open()
    assert transport.control(VERSION) == b"6.2.0"
    transport.close()
    transport.close()
    assert not backend.is_open
    with pytest.raises(LocalProtocolError):
        transport.control(VERSION)


def test_a_transfer_that_lies_about_its_length_is_our_bug() -> None:
    transport = PyusbHost(ScriptedBackend(answering(b""))).candidates()[0].open()
    with pytest.raises(LocalProtocolError):
        transport.control(Setup(0x40, 3, 0, 1, 5), b"four")


def test_serial_string_is_read_once_in_the_units_language() -> None:
    def answer(setup: Setup, out: bytes) -> bytes:
        if setup.value == 0x0300:
            return bytes.fromhex("04030904")
        assert setup.index == 0x0409
        return string("e00fce6819ef5f971ea9563a")

    backend = ScriptedBackend(answer)
    transport = PyusbHost(backend).candidates()[0].open()
    assert transport.serial_string() == "e00fce6819ef5f971ea9563a"
    count = len(backend.transfers)
    assert transport.serial_string() == "e00fce6819ef5f971ea9563a"
    assert len(backend.transfers) == count == 2


def test_serial_string_comes_from_the_system_when_it_shows_this_very_enumeration(tmp_path: Path) -> None:
    folder = tmp_path / "1-2.3"
    folder.mkdir()
    (folder / "serial").write_text("e00fce68aaaaaaaaaaaaaaaa\n")
    (folder / "devnum").write_text("9\n")
    backend = ScriptedBackend(answering(string("other")))
    assert (
        PyusbHost(backend, UsbFiles(sysfs=tmp_path)).candidates()[0].open().serial_string()
        == "e00fce68aaaaaaaaaaaaaaaa"
    )
    assert backend.transfers == []
    (folder / "devnum").write_text("8\n")  # an earlier enumeration on that port
    assert PyusbHost(backend, UsbFiles(sysfs=tmp_path)).candidates()[0].open().serial_string() == "other"


@given(st.binary(max_size=255))
def test_no_string_descriptor_raises_anything_but_driver_errors(raw: bytes) -> None:
    transport = PyusbHost(ScriptedBackend(answering(raw))).candidates()[0].open()
    with contextlib.suppress(DriverError):
        assert len(transport.string(3)) <= 127


@pytest.mark.parametrize(
    ("raw", "shown"), [(bytes(range(0xD0, 0xFF)), "47 bytes"), (b"", "0 bytes"), (b"\x04\x01ab", "(04 01 61 62)")]
)
def test_what_is_no_string_descriptor_is_told_in_one_line_with_what_to_do(raw: bytes, shown: str) -> None:
    transport = PyusbHost(ScriptedBackend(answering(raw))).candidates()[0].open()
    with pytest.raises(RemoteProtocolError) as said:
        transport.string(3)
    assert shown in str(said.value)
    assert "plug the unit in again" in str(said.value)
    assert len(str(said.value)) < 160


@pytest.mark.parametrize("raw", [b"", b"\x09", bytes.fromhex("0902ffff01010080")])
def test_a_cut_configuration_descriptor_is_refused(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        PyusbHost(ScriptedBackend(answering(raw))).candidates()[0].open().configuration_descriptor()


def test_a_configuration_descriptor_is_bounded() -> None:
    backend = ScriptedBackend(lambda setup, out: bytes.fromhex("0902ffff0101008032").ljust(setup.length, b"\0"))
    assert len(PyusbHost(backend).candidates()[0].open().configuration_descriptor()) == 4096


def test_a_unit_in_dfu_mode_is_only_opened_under_its_write_guard() -> None:
    backend = ScriptedBackend(answering(b""), product=0xD00C)
    transport = PyusbHost(backend).candidates()[0].open()
    with pytest.raises(WriteRefused):
        transport.control(Setup(0x21, 1, 0, 0, 5), bytes.fromhex("4100000000"))  # erase the page of the MBR
    assert backend.transfers == []


def test_a_bootloader_of_an_unknown_platform_is_not_opened_at_all() -> None:
    backend = ScriptedBackend(answering(b""), product=0xD000)
    with pytest.raises(UnknownPlatform):
        PyusbHost(backend).candidates()[0].open()
    assert not backend.is_open


# --- a container ------------------------------------------------------------------------------------


def listed(tmp_path: Path, *, number: int = 9) -> Path:
    """A sysfs that lists the scripted device as ``number``."""
    folder = tmp_path / "sysfs" / "1-2.3"
    folder.mkdir(parents=True)
    (folder / "devnum").write_text(f"{number}\n")
    return folder.parent


@pytest.mark.parametrize("error", [errno.ENODEV, errno.EIO, errno.ENOENT])
def test_a_unit_the_bus_lists_without_a_device_node_is_hidden_by_a_container(error: int, tmp_path: Path) -> None:
    """libusb says "no such device" of a node that is missing, and "I/O" of one the device rules forbid."""
    backend = ScriptedBackend(lambda setup, out: b"")
    backend.open_error = usb.core.USBError("scripted", -4, error)
    candidate = PyusbHost(backend, UsbFiles(listed(tmp_path), tmp_path / "usbfs")).candidates()[0]
    with pytest.raises(NoDeviceNodes, match="container") as caught:
        candidate.open()
    assert "001/009" in str(caught.value)


@pytest.mark.parametrize("is_there", [True, False], ids=["its node is there", "it is not listed any more"])
def test_a_unit_that_just_left_is_not_blamed_on_a_container(is_there: bool, tmp_path: Path) -> None:
    node = tmp_path / "usbfs" / "001" / "009"
    if is_there:
        node.parent.mkdir(parents=True)
        node.touch()
    backend = ScriptedBackend(lambda setup, out: b"")
    backend.open_error = usb.core.USBError("scripted", -4, errno.ENODEV)
    sysfs = listed(tmp_path, number=9 if is_there else 10)
    with pytest.raises(Disconnected):
        PyusbHost(backend, UsbFiles(sysfs, tmp_path / "usbfs")).candidates()[0].open()


@pytest.mark.parametrize("is_there", [True, False])
def test_a_system_without_device_nodes_is_told_before_a_unit_is_plugged_in(is_there: bool, tmp_path: Path) -> None:
    """libusb finds nothing there, and says nothing."""
    backend = ScriptedBackend(lambda *_: b"")
    backend.vendor = 0x1234
    usbfs = tmp_path / "usbfs"
    if is_there:
        usbfs.mkdir()
    told = contextlib.nullcontext() if is_there else pytest.raises(NoDeviceNodes, match="so no unit will ever show")
    with told:
        assert PyusbHost(backend, UsbFiles(tmp_path, usbfs)).candidates() == []
    assert PyusbHost(backend).candidates() == [], "a bus that is no Linux host's"

"""Ports named by the controller they hang on, read from sysfs as Linux lays it out."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.host import port_paths
from drivers.host.usb_files import UsbFiles
from drivers.identity import PortPath


def root_hub(sysfs: Path, bus: int, devices: list[tuple[str, str]]) -> UsbFiles:
    """Make ``usb<bus>`` below ``devices``, the outermost first, each with its subsystem ("": a folder only)."""
    folder = sysfs / "devices"
    for name, subsystem in [*devices, (f"usb{bus}", "usb")]:
        folder = folder / name
        folder.mkdir(parents=True, exist_ok=True)
        if subsystem and not (folder / "subsystem").is_symlink():
            (folder / "subsystem").symlink_to(sysfs / "bus" / subsystem)
    listed = sysfs / "bus/usb/devices"
    listed.mkdir(parents=True, exist_ok=True)
    (listed / f"usb{bus}").unlink(missing_ok=True)
    (listed / f"usb{bus}").symlink_to(folder)
    return UsbFiles(listed)


PCI = [("pci0000:00", ""), ("0000:00:14.0", "pci")]
CARD = [("pci0000:00", ""), ("0000:00:1c.0", "pci"), ("0000:03:00.0", "pci")]


@pytest.mark.parametrize(
    ("devices", "name"),
    [
        (PCI, "pci-0000:00:14.0"),
        (CARD, "pci-0000:03:00.0"),
        ([("platform", ""), ("soc", "platform"), ("3f980000.usb", "platform")], "platform-3f980000.usb"),
        (
            [("platform", ""), ("scb", "platform"), ("fd500000.pcie", "platform"), *CARD],
            "platform-fd500000.pcie-pci-0000:03:00.0",
        ),
        ([("platform", ""), ("fe200000.usb", "platform"), ("xhci-hcd.1.auto", "platform")], "platform-fe200000.usb"),
        ([("virtual", "")], ""),
    ],
    ids=["on board", "a card", "a board without PCI", "PCI behind platform", "numbered by probing", "nothing lasting"],
)  # fmt: skip
def test_a_controller_is_named_by_where_it_is_wired(tmp_path: Path, devices: list[tuple[str, str]], name: str) -> None:
    assert root_hub(tmp_path, 1, devices).controller_of(1) == name


def test_a_bus_that_is_not_there_has_no_controller(tmp_path: Path) -> None:
    assert UsbFiles(tmp_path).controller_of(7) == ""


def test_two_controllers_that_swap_their_bus_numbers_keep_the_names_of_their_ports(tmp_path: Path) -> None:
    for bus, devices in ((1, PCI), (2, CARD)):
        files = root_hub(tmp_path, bus, devices)
    before = {bus: port_paths.of_usb_device(bus, (2, 3), 9, files.controller_of) for bus in (1, 2)}
    for bus, devices in ((1, CARD), (2, PCI)):
        root_hub(tmp_path, bus, devices)
    after = {bus: port_paths.of_usb_device(bus, (2, 3), 9, files.controller_of) for bus in (1, 2)}
    assert (after[1], after[2]) == (before[2], before[1])
    assert before[1].value == "pci-0000:00:14.0-usb-0:2.3"
    assert [port.on_bus for port in (before[1], after[1])] == ["1-2.3", "1-2.3"]
    assert port_paths.of_serial_port("1-2.3:1.0", files.controller_of) == after[1]


@pytest.mark.parametrize(
    ("path", "is_stable"),
    [
        ("pci-0000:00:14.0-usb-0:2.3", True),
        ("platform-3f980000.usb-usb-0:1", True),
        ("1-2.3", False),
        ("usb-0:1", False),
    ],
)
def test_a_path_that_names_its_controller_outlives_a_reboot(path: str, is_stable: bool) -> None:
    assert PortPath(path).is_stable is is_stable

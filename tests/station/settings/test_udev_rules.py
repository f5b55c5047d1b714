"""The shipped udev rules."""

from __future__ import annotations

import fnmatch
import re

import pytest

from drivers.platforms import platforms
from drivers.wire.usb import Mode, UsbId
from station.paths import udev_rules

_WORD = re.compile(r'([A-Z]+(?:\{\w+\})?)(==|=|\+=)"([^"]*)"')


def rules() -> list[dict[tuple[str, str], str]]:
    lines = [line for line in udev_rules().read_text("utf-8").splitlines() if line and not line.startswith("#")]
    found = []
    for line in lines:
        words = line.split(", ")
        assert all(_WORD.fullmatch(word) for word in words), line
        found.append({(m[1], m[2]): m[3] for word in words if (m := _WORD.fullmatch(word))})
    return found


def matching(usb_id: UsbId, subsystem: str) -> list[dict[tuple[str, str], str]]:
    attr = "ATTR" if subsystem == "usb" else "ATTRS"
    return [
        rule
        for rule in rules()
        if rule["SUBSYSTEM", "=="] == subsystem
        and rule[f"{attr}{{idVendor}}", "=="] == f"{usb_id.vendor:04x}"
        and fnmatch.fnmatchcase(f"{usb_id.product:04x}", rule[f"{attr}{{idProduct}}", "=="])
    ]


@pytest.mark.parametrize("usb_id", [UsbId.of(mode, row.id) for row in platforms() for mode in Mode], ids=str)
@pytest.mark.parametrize("subsystem", ["usb", "tty"])
def test_every_platform_in_both_modes_is_open_to_the_bench_and_closed_to_modemmanager(
    usb_id: UsbId, subsystem: str
) -> None:
    (rule,) = matching(usb_id, subsystem)
    assert rule["MODE", "="] == "0660"
    assert rule["GROUP", "="] == "plugdev"
    assert rule["TAG", "+="] == "uaccess"
    assert rule["ENV{ID_MM_DEVICE_IGNORE}", "="] == "1"


@pytest.mark.parametrize("usb_id", [UsbId(0x2B04, 0xE00C), UsbId(0x2B05, 0xC00C), UsbId(0x0403, 0x6001)], ids=str)
def test_other_devices_are_left_alone(usb_id: UsbId) -> None:
    assert matching(usb_id, "usb") == []

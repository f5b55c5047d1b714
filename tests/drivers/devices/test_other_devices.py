"""What is no unit of a known platform is listed by its name, and never opened."""

from __future__ import annotations

import pytest
from support.device_bench import DeviceBench
from support.other_things import OtherThing
from support.reference_files import needs_reference, reference

from drivers.errors import UnknownPlatform
from drivers.platforms import OTHER_DEVICES, PLATFORMS_WITHOUT_USB, platforms
from drivers.wire.usb import Mode, UsbId

OTHERS = [
    ("1d50:607d", "a Core"), ("1d50:607f", "a Core"), ("2b04:c02a", "a Tachyon"),
    ("05c6:9008", "a Tachyon in EDL mode"), ("0403:6010", "a programmer shield"), ("0d28:0204", "a Particle Debugger"),
    ("2b04:c0ff", "a new Particle product"), ("2b04:d0ff", "a new Particle product"),
    ("2b04:1234", "a new Particle product"),
]  # fmt: skip


@pytest.mark.parametrize(("shown", "called"), OTHERS)
def test_another_device_is_listed_named_and_left_alone(bench: DeviceBench, shown: str, called: str) -> None:
    thing = OtherThing(shown, bench.clock)
    bench.bus.plug("1-1", thing)
    (candidate,) = bench.host.candidates()
    assert str(candidate.usb_id) == shown
    other = candidate.usb_id.other_device
    assert other is not None
    assert other.sentence.startswith(f"this is {called} ({shown}): ")
    assert other.sentence.endswith("; take it out of this port")
    with pytest.raises(UnknownPlatform, match=f"port 1-1: this is {called}"):
        candidate.open()
    assert thing.transfers == []


def test_whatever_else_is_on_the_bus_is_not_even_listed(bench: DeviceBench) -> None:
    bench.bus.plug("1-1", OtherThing("046d:c31c", bench.clock))
    assert bench.host.candidates() == []


@pytest.mark.parametrize("mode", Mode)
def test_units_of_known_platforms_are_no_other_devices(mode: Mode) -> None:
    assert [row.slug for row in platforms() if UsbId.of(mode, row.id).other_device is not None] == []


@needs_reference
def test_the_table_has_every_other_device_of_the_reference() -> None:
    known = reference("platforms.json")
    ours = {row.id for row in platforms()}
    told = {one["vid_pid_hex"] for one in known["other_usb_ids"]}
    for one in known["platforms"]:
        if one["platform_id"] not in ours:
            told |= {mode["vid_pid_hex"] for mode in (one["run_mode"], one["dfu_mode"]) if mode}
    assert told == OTHER_DEVICES.keys()
    assert {str(key): name for key, name in PLATFORMS_WITHOUT_USB.items()} == known["platform_ids_without_usb"]

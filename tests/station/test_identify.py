"""``station identify``: one document a unit, every value with its sources, and for a missing one the reason."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from drivers.clock import SimulatedClock
from drivers.identity import Iccid
from drivers.platforms import platform_by_slug
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import VirtualUnit
from station.cli.identify import Document, document
from station.cli.looking import Place, Ports
from station.cli.main import main
from station.cli.virtual_units import virtual_place
from station.steps.shared.knowledge import VALUES

TRAY = (
    "photon@0.5.5", "p1@1.5.2", "electron@3.3.1", "argon@1.4.4", "boron@6.1.0", "e404x@6.2.1", "bsom@2.3.1",
    "b5som@5.9.0", "tracker@3.3.0", "msom@6.2.0", "p2@6.3.4",
)  # fmt: skip


def shown(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    status = main(["identify", "--json", *arguments])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def options(units: tuple[str, ...]) -> list[str]:
    return [word for unit in units for word in ("--virtual", unit)]


MUTE = "Device OS 0.5.5 has no control requests"


@pytest.fixture(scope="module")
def tray() -> list[dict[str, Any]]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["identify", "--json", *options(TRAY)]) == 0
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_tray_of_every_age_is_one_document_a_unit(tray: list[dict[str, Any]]) -> None:
    assert [(one["port"], one["fault"]) for one in tray] == [(f"1-{number}", "") for number in range(1, len(TRAY) + 1)]
    for one, text in zip(tray, TRAY, strict=True):
        slug, _, device_os = text.partition("@")
        values = one["values"]
        assert tuple(values) == VALUES
        assert one["platform"] == platform_by_slug(slug).name
        assert values["device_os"]["value"] == device_os
        for name, told in values.items():
            if told["value"] is None:
                assert len(told["missing"]) > 10, (text, name)
            else:
                assert told["sources"], (text, name)


@pytest.mark.rule("A3")
@pytest.mark.rule("A9")
@pytest.mark.rule("A10")
@pytest.mark.rule("A13")
def test_every_value_is_the_units_own(tray: list[dict[str, Any]]) -> None:
    for number, (one, text) in enumerate(zip(tray, TRAY, strict=True), 1):
        slug, _, device_os = text.partition("@")
        spec = make_spec(slug, 1, number, device_os)
        own = {
            "device_id": spec.device_id,
            "serial": spec.serial,
            "iccid": spec.iccid,
            "imei": spec.imei,
            "mac": spec.mac,
        }
        for name, value in own.items():
            told = one["values"][name]["value"]
            assert told == (None if value is None else str(value)) or (name, slug) == ("serial", "photon"), (text, name)
        assert spec.mobile_secret.reveal() not in json.dumps(one)


@pytest.mark.parametrize(
    ("unit", "name", "reason"),
    [
        ("photon@0.5.5", "serial", f"{MUTE}; Device OS 0.5.5 does not tell it by console i"),
        ("photon@0.5.5", "claimed", f"{MUTE}; Device OS 0.5.5 has no console command c"),
        ("photon@0.5.5", "setup_done", "Photon never had such a flag"),
        ("argon@1.4.4", "environment", "Device OS 1.4.4 has no request 600"),
        ("argon@1.4.4", "protection", "Device OS 1.4.4 has no request 76"),
        ("argon@1.4.4", "iccid", "Argon has no modem"),
        ("boron@6.1.0", "secret", "the console tells it, in listening mode only"),
        ("boron@6.1.0", "mac", "Boron has no Wi-Fi"),
        ("boron@6.1.0", "setup_done", "Device OS 6.1.0 has no such flag"),
        ("p1@1.5.2", "ble_mac", "P1 has no Bluetooth"),
        ("p2@6.3.4", "ble_mac", "no request, console command or memory that DFU reads tells it"),
    ],
)  # fmt: skip
def test_a_value_nobody_can_tell_says_why(tray: list[dict[str, Any]], unit: str, name: str, reason: str) -> None:
    assert tray[TRAY.index(unit)]["values"][name] == {"value": None, "sources": [], "missing": reason}


@pytest.mark.parametrize(
    ("unit", "name", "sources"),
    [
        ("photon@0.5.5", "device_id", ["console i"]),
        ("photon@0.5.5", "mac", ["console m"]),
        ("electron@3.3.1", "imei", ["console i", "console s"]),
        ("electron@3.3.1", "serial", ["request 21", "console i"]),
        ("boron@6.1.0", "imei", ["request 554"]),
        ("msom@6.2.0", "mac", ["Device ID", "request 401"]),
        ("argon@1.4.4", "device_id", ["USB serial string", "raw request 20", "request 20", "console i"]),
        ("argon@1.4.4", "ncp", ["request 90", "request 31", "console s"]),
    ],
)
def test_a_value_names_every_source_that_told_it(
    tray: list[dict[str, Any]], unit: str, name: str, sources: list[str]
) -> None:
    assert tray[TRAY.index(unit)]["values"][name]["sources"] == sources


def told_by(unit: str, **changes: Any) -> Document:
    """Look at one unit that differs from what the factory makes."""
    slug, _, device_os = unit.partition("@")
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        bus.plug("1-1", VirtualUnit(replace(make_spec(slug, 1, 1, device_os), **changes), clock))
        serial = VirtualPorts(bus)
        place = Place(PyusbHost(VirtualBackend(bus)), PyserialHost(serial.list, serial.open), clock)
        with Ports(place) as ports:
            (candidate,) = ports.wait(1)
            return document(ports, candidate)


@pytest.mark.rule("A8")
@pytest.mark.parametrize(
    ("number", "odd"),
    [
        ("89883070000000001234", False),
        ("8988307A0000000012FF", True),
        ("898830700000000012", True),
        ("8988307000000000123456", True),
    ],
)
def test_an_odd_iccid_is_kept_as_it_is_and_marked(number: str, odd: bool) -> None:
    one = told_by("boron@6.1.0", iccid=Iccid.told(number))
    assert one.fault == ""
    (iccid,) = (told for told in one.told if told.name == "iccid")
    assert iccid.value == number.rstrip("F")
    assert bool(iccid.mark) is odd


@pytest.mark.rule("A4")
@pytest.mark.parametrize("unit", ["photon@2.3.1", "electron@3.3.1"])
def test_an_old_unit_without_a_serial_number_is_identified_all_the_same(unit: str) -> None:
    one = told_by(unit, serial=None)
    (serial,) = (told for told in one.told if told.name == "serial")
    assert (one.fault, serial.value, serial.missing) == ("", None, "not programmed")


@pytest.mark.rule("H9")
@pytest.mark.parametrize("unit", ["photon@3.3.1", "electron@1.0.1", "argon@1.4.4", "boron@6.1.0", "p2@6.3.4"])
def test_a_unit_in_dfu_tells_what_its_memories_hold(unit: str) -> None:
    one = told_by(unit, arrives=BootRequest.DFU)
    values = {told.name: told for told in one.told}
    assert one.fault == ""
    assert values["device_id"].value is not None
    assert values["claimed"].value == "no"
    assert values["mode"].value == "dfu"
    assert values["serial"].missing == "in DFU mode; a unit that runs tells it"


def test_units_are_shown_one_after_the_other_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    status, documents = shown("--watch", *options(("boron@6.1.0", "argon@1.4.4")), capsys=capsys)
    assert status == 0
    assert sorted(one["platform"] for one in documents) == ["Argon", "Boron"]


def test_nothing_plugged_in_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with virtual_place([]) as place, Ports(Place(*place)) as ports:
        assert ports.wait(0) == []
    assert capsys.readouterr().out == ""

"""The vendor's command line program, unmodified, against virtual units of each chip family.

What it says is compared with what the virtual unit knows of itself. It needs no account for these commands.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conformance.bench import ForeignBench
from conformance.clients import ParticleCli

from drivers.identity import Secret
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.radio import WifiStore
from drivers.virtual.unit import UnitMode, VirtualUnit

pytestmark = pytest.mark.conformance

HELD = {"photon": "3.3.1", "electron": "3.3.1", "argon": "6.3.4", "boron": "6.3.4", "p2": "5.9.0", "msom": "6.3.4"}
EACH_FAMILY = pytest.mark.parametrize("platform", ["photon", "argon", "p2"])
PORT = ("--port", "/dev/ttyACM0")


def shows(what: str, *platforms: str) -> pytest.MarkDecorator:
    return pytest.mark.operation("particle-cli", what, *platforms)


def ready(bench: ForeignBench, platform: str, number: int = 1, **settings: Any) -> VirtualUnit:
    settings = {"setup_done": True} | settings
    return bench.plug(f"1-{number}", make_spec(platform, 7, number, HELD[platform], **settings))


@shows("usb list --ids-only", "photon", "boron", "msom")
@shows("serial list", "photon", "boron", "msom")
def test_it_lists_units_and_their_serial_ports(bench: ForeignBench, particle_cli: ParticleCli) -> None:
    names = {"photon": "Photon", "boron": "Boron", "msom": "M-SoM"}
    units = {slug: ready(bench, slug, number) for number, slug in enumerate(names, 1)}
    assert set(particle_cli("usb", "list", "--ids-only").split()) == {unit.device_id for unit in units.values()}
    found, *lines = particle_cli("serial", "list").split("\n")
    assert found == "Found 3 devices connected via serial:"
    assert [line for line in lines if line] == [
        f"/dev/ttyACM{number} - {names[slug]} - {unit.device_id}" for number, (slug, unit) in enumerate(units.items())
    ]


@shows("serial identify")
@pytest.mark.parametrize("platform", ["photon", "boron", "msom"])
def test_it_identifies_a_unit(bench: ForeignBench, particle_cli: ParticleCli, platform: str) -> None:
    unit = ready(bench, platform)
    expected = [f"Your device id is {unit.device_id}"]
    if unit.spec.imei and unit.spec.iccid:
        expected += [f"Your IMEI is {unit.spec.imei}", f"Your ICCID is {unit.spec.iccid}"]
    expected.append(f"Your system firmware version is {HELD[platform]}")
    assert particle_cli("serial", "identify", *PORT).splitlines() == expected


@shows("serial identify")
@pytest.mark.parametrize("platform", ["electron"])
def test_it_reads_a_cellular_unit_of_old_by_its_console(
    bench: ForeignBench, particle_cli: ParticleCli, platform: str
) -> None:
    unit = ready(bench, platform)
    particle_cli("usb", "start-listening", unit.device_id)
    assert particle_cli("serial", "identify", *PORT).splitlines() == [
        f"Your device id is {unit.device_id}",
        f"Your IMEI is {unit.spec.imei}",
        f"Your ICCID is {unit.spec.iccid}",
        f"Your system firmware version is {HELD[platform]}",
    ]


@shows("serial mac")
@pytest.mark.parametrize("platform", ["argon", "p2"])
def test_it_reads_the_mac_address(bench: ForeignBench, particle_cli: ParticleCli, platform: str) -> None:
    unit = ready(bench, platform)
    said = particle_cli("serial", "mac", *PORT)
    assert f"Your device MAC address is {unit.spec.mac}\nInterface is Wifi" in said


@shows("serial mac", "photon")
def test_gen_2_has_no_request_for_a_mac_address(bench: ForeignBench, particle_cli: ParticleCli) -> None:
    ready(bench, "photon")
    done = particle_cli.run("serial", "mac", *PORT)
    assert done.returncode != 0
    assert "Could not get MAC address: Not supported" in done.stdout + done.stderr


@EACH_FAMILY
@shows("usb start-listening")
@shows("serial wifi")
@shows("usb stop-listening")
def test_it_puts_a_network_in_by_the_console(
    bench: ForeignBench, particle_cli: ParticleCli, platform: str, tmp_path: Path
) -> None:
    unit = ready(bench, platform)
    particle_cli("usb", "start-listening", unit.device_id)
    assert unit.mode is UnitMode.LISTENING
    file = tmp_path / "wifi.json"
    file.write_text(json.dumps({"network": "factory-ap", "security": "WPA2_AES", "password": "hunter2hunter2"}))
    assert "Done! Your device should now restart." in particle_cli("serial", "wifi", *PORT, "--file", file)
    (stored,) = WifiStore(unit).networks()
    assert (stored.ssid, stored.password) == ("factory-ap", Secret("hunter2hunter2"))
    particle_cli("usb", "stop-listening", unit.device_id)
    bench.until(lambda: unit.mode is not UnitMode.LISTENING, "it listens no more")


@EACH_FAMILY
@shows("usb setup-done")
def test_setup_done_is_set_where_it_still_exists(bench: ForeignBench, particle_cli: ParticleCli, platform: str) -> None:
    device_os = "3.3.1" if platform != "p2" else HELD[platform]
    unit = bench.plug("1-1", make_spec(platform, 7, 1, device_os, setup_done=False))
    assert particle_cli("usb", "setup-done", unit.device_id).strip() == "Done."
    if platform == "argon":
        assert unit.memory.dct.get("setup_done") == b"\x01"


@EACH_FAMILY
@shows("usb dfu")
@shows("usb reset")
def test_it_takes_a_unit_to_dfu_and_back(bench: ForeignBench, particle_cli: ParticleCli, platform: str) -> None:
    unit = ready(bench, platform)
    particle_cli("usb", "dfu", unit.device_id)
    bench.await_mode(unit, UnitMode.DFU)
    bench.until(lambda: bench.kernel.shows(unit.presence), "the bus shows it")
    particle_cli("usb", "reset", unit.device_id)
    bench.await_mode(unit, UnitMode.NORMAL, UnitMode.LISTENING)


@EACH_FAMILY
@shows("usb list in DFU mode")
def test_units_in_dfu_mode_are_listed_too(bench: ForeignBench, particle_cli: ParticleCli, platform: str) -> None:
    unit = ready(bench, platform, arrives=BootRequest.DFU)
    assert unit.device_id in particle_cli("usb", "list", "--ids-only")

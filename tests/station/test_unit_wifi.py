"""``station unit wifi``: one unit joins, tells and forgets networks by the steps of a walk; no password is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drivers.clock import SimulatedClock
from drivers.platforms import platforms
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual import synthetic
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.faults import parse_fault
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.starts import NamedUnit
from drivers.virtual.unit import VirtualUnit
from station.cli.looking import Place, Ports
from station.cli.main import main, parser
from station.cli.outside import context, make_unit
from station.cli.unit_wifi import VERB
from station.engine.events import Event, HandsNeeded
from station.steps.shared.reading import identify_usb

PASSWORD = "hunter2hunter2"
BENCH = ("--ap", "bench=env:BENCH_WIFI", "--ap", "guests")
JOIN = ("--ssid", "bench", "--password", "env:BENCH_WIFI")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("BENCH_WIFI", PASSWORD)
    monkeypatch.setenv("WRONG", "another-password")
    monkeypatch.setenv("SHORT", "short")


def run(unit: str, *words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Run the verb on one virtual unit; whatever it writes, there is no password in it."""
    status = main(["unit", "wifi", "--virtual", unit, "--json", *BENCH, *words])
    out, err = capsys.readouterr()
    assert PASSWORD not in out + err
    return status, json.loads(out) if out else {"text": err}


@pytest.mark.rule("H5")
@pytest.mark.parametrize(
    ("unit", "proof"),
    [
        ("photon@0.5.5", "stored bench by the console; this Device OS has no request that tells more"),
        ("p1@1.5.2", "stored bench by request 113, then connected: its IP address in request 100"),
        ("photon@3.3.1", "stored bench by the console, then connected: its IP address in request 100"),
        ("argon@1.4.4", "joined bench; it is among the stored networks"),
        ("p2@6.3.4", "joined bench; it is among the stored networks"),
        ("msom@6.2.0", "joined bench; it is among the stored networks"),
        ("p2@6.3.4:normal", "joined bench; it is among the stored networks"),
        ("p2@6.3.4:safe", "joined bench; it is among the stored networks"),
        ("p2@6.3.4:flooding", "joined bench; it is among the stored networks"),
        ("photon@3.3.1:flooding", "stored bench by the console, then connected: its IP address in request 100"),
    ],
)
def test_a_unit_joins_by_what_its_device_os_has(unit: str, proof: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = run(unit, *JOIN, capsys=capsys)
    assert (status, told["done"], told["outcome"]) == (0, True, "done"), told
    assert told["text"].startswith(f"done: {proof}")


@pytest.mark.parametrize("unit", [row.slug for row in platforms() if not row.sets_wifi_in_listening_mode])
def test_a_unit_of_a_platform_without_wifi_is_refused_by_name(unit: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = run(unit, *JOIN, capsys=capsys)
    name = next(row.name for row in platforms() if row.slug == unit)
    assert (status, told["done"]) == (1, False)
    assert told["text"].startswith(f"{name}: units of this platform join no Wi-Fi network; these do: Photon, P1, Argon")


def test_what_a_unit_knows_and_hears_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    status, told = run("p2@6.3.4:normal", capsys=capsys)
    assert (status, told["stored"], told["link"]) == (0, ["elsewhere"], None)
    assert told["heard"] == [{"ssid": "bench", "signal": -52}, {"ssid": "guests", "signal": -52}]
    assert main(["unit", "wifi", "--virtual", "photon@0.7.0", *BENCH]) == 0
    out = capsys.readouterr().out
    assert out.count("-  no request of Device OS 0.7.0 tells") == 3


@pytest.mark.parametrize(
    ("unit", "words", "outcome", "left"),
    [
        ("p2@6.3.4:normal", ("--clear",), "done", "forgot 1 networks; 0 are left"),
        ("p2@6.3.4:normal", ("--clear", "--ssid", "elsewhere"), "done", "0 are left"),
        ("p2@6.3.4:normal", ("--clear", "--ssid", "bench"), "already", "it knows elsewhere"),
        ("p2@6.3.4", ("--clear",), "already", "it knows none"),
        ("photon@1.5.2:normal", ("--clear",), "done", "0 are left"),
    ],
)
def test_networks_are_forgotten_by_the_step(
    unit: str, words: tuple[str, ...], outcome: str, left: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = run(unit, *words, capsys=capsys)
    assert (status, told["outcome"]) == (0, outcome)
    assert left in told["text"]


@pytest.mark.parametrize(
    ("unit", "words", "sentence"),
    [
        ("photon@1.5.2:normal", ("--clear", "--ssid", "elsewhere"), "forgets all networks or none; leave out --ssid"),
        (
            "photon@3.3.1:normal",
            ("--clear",),
            "hold SETUP until the light blinks dark blue, and on until it blinks blue",
        ),
        ("p2@6.3.4", ("--ssid", "bench", "--password", "env:WRONG"), "it hears it with -52 dBm; nobody has joined: is"),
        ("p2@6.3.4", ("--ssid", "other", "--password", "env:BENCH_WIFI"), "hears 2 other networks, but not this one"),
        ("p2@6.3.4", (*JOIN, "--min-signal", "-20"), "hears bench with -52 dBm at best, wants -20"),
        ("p2@6.3.4:dfu", JOIN, "it is in DFU mode, where it cannot do that; restart it with: station unit reset"),
    ],
)
def test_what_a_unit_did_not_do_is_said_in_a_sentence(
    unit: str, words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = run(unit, *words, capsys=capsys)
    assert (status, told["done"]) == (1, False)
    assert sentence in told["text"]


def test_a_signal_is_measured_against_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    for least, is_out in (("-70", False), ("-20", True)):
        _, told = run("p2@6.3.4", *JOIN, "--min-signal", least, capsys=capsys)
        (value,) = told["values"]
        assert (value["value"], value["low"], value["is_out"]) == (-52, int(least), is_out)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--ssid", "bench", "--password", PASSWORD), "--password: write where it is kept"),
        (("--ssid", "bench", "--private-key", PASSWORD), "--private-key: write where it is kept"),
        (("--ssid", "bench"), "--password: there is no terminal to ask on"),
        (("--ssid", "bench", "--password", "env:NOWHERE"), "Wi-Fi password from env:NOWHERE: it holds nothing"),
        (("--ssid", "bench", "--password", "env:SHORT"), "it has 5 characters, expected 8 to 63 characters"),
        (("--ssid", "bench", "--security", "open", "--password", "env:SHORT"), "--password: expected no password for"),
        (("--ssid", "x" * 33, "--security", "open"), "--ssid: expected a network name of 1 to 32 bytes"),
        (("--ssid", "", "--security", "open"), "--ssid: expected a network name of 1 to 32 bytes"),
        ((*JOIN, "--min-signal", "7"), "--min-signal: expected dBm from -95 to -10"),
        ((*JOIN, "--security", "wpa2-enterprise"), '--eap: expected one of "peap", "tls"'),
        ((*JOIN, "--username", "line"), "--username: expected username only with an enterprise network"),
        (("--security", "open"), "--security: only with --ssid, and not with --clear"),
        ((*JOIN, "--clear"), "--password: only with --ssid, and not with --clear"),
        (("--ap", f"x={PASSWORD}"), "--ap: write SSID, SSID=env:NAME or SSID=keyring:SERVICE/USER"),
    ],
)
def test_a_command_that_cannot_be_meant_is_refused_before_a_unit_is_touched(
    words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = run("p2@6.3.4", *words, capsys=capsys)
    assert status == 2
    assert sentence in told["text"]


def test_an_enterprise_network_is_typed_into_a_photon_and_refused_for_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    login = ("--ssid", "office", *JOIN[2:], "--security", "wpa2-enterprise", "--eap", "peap", "--username", "line")
    status, told = run("photon@3.3.1", *login, "--no-join", capsys=capsys)
    assert (status, told["text"]) == (0, "done: stored office by the console, untried")
    status, told = run("p2@6.3.4", *login, capsys=capsys)
    assert status == 2
    assert "no enterprise network for Photon 2 / P2: only Photon and P1 join one" in told["text"]


@pytest.mark.parametrize("slug", [row.slug for row in platforms() if row.sets_wifi_in_listening_mode])
def test_every_device_os_of_every_platform_with_wifi_joins_somehow(
    slug: str, capsys: pytest.CaptureFixture[str]
) -> None:
    number = next(row.id for row in platforms() if row.slug == slug)
    for device_os in synthetic.versions(number):
        status, told = run(f"{slug}@{device_os}", *JOIN, capsys=capsys)
        assert (status, told["outcome"]) == (0, "done"), (device_os, told)


def test_hands_open_the_console_of_a_unit_that_does_not_listen_when_told() -> None:
    clock, asked = SimulatedClock(), list[Event]()
    with clock.registered(), VirtualBus(clock) as bus:
        unit = VirtualUnit(NamedUnit.parse("p2@6.0.0:normal", "").spec(1, 1, setup_done=True), clock)
        unit.order(*(parse_fault(f"at=request:70:{n},do=reject,code=-130") for n in range(1, 5)))
        bus.plug("1-1", unit)
        serial = VirtualPorts(bus)
        place = Place(PyusbHost(VirtualBackend(bus)), PyserialHost(serial.list, serial.open), clock)

        def press(event: Event) -> None:
            if isinstance(event, HandsNeeded):
                asked.append(event)
                unit.hold_mode_button()

        words = parser("unit").parse_args(["unit", "wifi", "--ssid", "x", "--security", "open", "--no-join"])
        with Ports(place) as ports:
            one, ctx = make_unit(ports, ports.wait(1)[0]), context(clock, "unit", press, limit_s=300.0)
            identify_usb(one, ctx)
            done = VERB.prepare(words)(one, ctx)
            one.device.close()
    assert (done.is_good, done.text) == (True, "done: stored x by the console, untried")
    assert len(asked) == 1

"""What would stop a bench, one finding for each thing that was looked at."""

from __future__ import annotations

import dataclasses
import random
from contextlib import closing
from pathlib import Path

import pytest
from support.cloud_bench import ME, populate
from support.known_steps import STEPS, load_profile

from drivers.clock import SimulatedClock
from drivers.platforms import platform_by_slug
from drivers.transport.usb import PyusbHost
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from station.cli.doctor import opened
from station.cli.doctor_cloud import ASK_S, asked, release_rows
from station.cli.main import main
from station.cloud.client import CloudClient
from station.cloud.virtual import Fault, FaultKind, VirtualCloud
from station.demo.tray import Widget
from station.firmware.examples import example_product
from station.firmware.store import FirmwareStore
from station.line.account import State
from station.paths import find_profile


def test_a_unit_that_cannot_be_opened_stops_the_bench_and_nothing_calls_its_usb_good() -> None:
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        host = PyusbHost(VirtualBackend(bus))
        assert [(one.state, one.words) for one in opened(host.candidates())] == [
            (State.OK, "libusb works, 0 units plugged in")
        ]
        for number in (1, 2):
            bus.plug(f"1-{number}", VirtualUnit(make_spec("boron", 1, number, "6.3.4"), clock))
        clock.sleep(20.0)
        found = host.candidates()
        assert [one.state for one in opened(found)] == [State.OK]
        bus.unplug("1-2")
        (finding,) = opened(found)
    assert (finding.state, finding.what) == (State.STOP, "usb")
    assert finding.words.startswith("port 1-2: ")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(FaultKind.STATUS, status=429, times=None, retry_after="86400"), "the cloud asks for fewer requests"),
        (Fault(FaultKind.STATUS, status=429, times=None, retry_after="300"), "the cloud asks to wait until"),
        (Fault(FaultKind.STATUS, status=429, times=None), "the cloud asks for fewer requests"),
        (Fault(FaultKind.STATUS, status=503, times=None), "the cloud has a problem"),
        (Fault(FaultKind.SLOW, times=None, seconds=100.0), "no answer came back"),
    ],
    ids=["a day", "five minutes", "slower", "sick", "silent"],
)
@pytest.mark.parametrize("route", ["/v1/access_tokens/current", "/v1/products"], ids=["token", "product"])
def test_the_doctor_waits_twenty_seconds_a_question_and_says_what_the_cloud_asks(
    fault: Fault, words: str, route: str
) -> None:
    clock = SimulatedClock()
    with clock.registered(), closing(VirtualCloud(clock)) as cloud:
        token = populate(cloud)
        cloud.order(dataclasses.replace(fault, route=route))
        with closing(CloudClient(cloud.serve(), lambda: token, clock, rng=random.Random(1))) as client:
            profiles = [load_profile(find_profile(name)) for name in ("boron-product", "argon-product")]
            found = list(asked(client, clock, profiles))
            seconds = clock.now()
    assert seconds <= ASK_S + 1.0
    (stop,) = [one for one in found if one.state is State.STOP]
    assert words in stop.words


@pytest.mark.parametrize("command", ["station-virtual-meter", "no-such-meter"])
def test_a_program_that_is_not_here_stops_the_bench_and_the_check_of_its_profile(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = find_profile("boron-tested").read_text(encoding="utf-8")
    file = tmp_path / "tested.toml"
    file.write_text(text.replace('["station-virtual-meter"]', f'["{command}"]'), encoding="utf-8")
    main(["doctor", "--no-cloud", "--profile", str(file), "--data-dir", str(tmp_path / "data")])
    (finding,) = [line for line in capsys.readouterr().out.splitlines() if " programs " in line]
    is_here = command == "station-virtual-meter"
    assert finding.startswith("ok" if is_here else "STOP")
    assert main(["profile", "check", str(file)]) == (0 if is_here else 2)
    missing = "[tests] power: there is no program no-such-meter that may be run; install it, or correct command"
    assert (missing in finding, missing in capsys.readouterr().err) == (not is_here, not is_here)


@pytest.mark.rule("D2")
@pytest.mark.parametrize(
    ("section", "released", "state", "words"),
    [
        ("", None, None, ""),
        ("", 7, None, ""),
        ("", 9, State.NOTE, "flashes version 7: it comes over the air, after it has left"),
        ("[release]", 7, State.OK, "wants version 7, which is flashed"),
        ("[release]", 9, State.NOTE, "flashes version 7: it comes over the air, while it is plugged in"),
        ("[release]", None, State.STOP, "no released firmware"),
        ('[release]\nota = "refuse"', 9, State.STOP, "name the file of version 9"),
    ],
)
def test_an_update_that_is_coming_is_told_before_the_shift(
    section: str, released: int | None, state: State | None, words: str, tmp_path: Path
) -> None:
    row = platform_by_slug("argon")
    made = Widget(row, "6.3.4", cloud=('offline = "hold"', "online = true"), sections=(section,))
    for file in made.files:
        (tmp_path / file.name).write_bytes(file.data)
    clock = SimulatedClock()
    with clock.registered(), closing(VirtualCloud(clock)) as cloud:
        token, product = populate(cloud), example_product(row)
        cloud.create_product(product, row.id, slug="argons", name="Argons", team=[ME])
        for version in (7, 9):
            cloud.create_firmware(product, version, made.flashed.data)
        if released is not None:
            cloud.release_firmware(product, released)
        with closing(CloudClient(cloud.serve(), lambda: token, clock)) as client:
            found = list(release_rows(client, clock, made.profile(STEPS.rules), FirmwareStore((tmp_path,))))
    if state is None:
        assert found == []
    else:
        (finding,) = found
        assert (finding.state, finding.what) == (state, "update")
        assert words in finding.words


def test_every_secret_that_a_profile_names_has_to_be_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"STATION_WIFI_PASSWORD": "of-the-bench", "CUSTOMER_ARGON_SECRET": "s3cret-of-the-client"}
    for kept in (dict[str, str](), names):
        for name in names:
            monkeypatch.delenv(name, raising=False)
        for name, secret in kept.items():
            monkeypatch.setenv(name, secret)
        main(["doctor", "--no-cloud", "--profile", "argon-customer", "--data-dir", str(tmp_path)])
        told = capsys.readouterr().out
        stops = [line for line in told.splitlines() if line.startswith("STOP  secrets")]
        assert [name in line for name, line in zip(names, stops, strict=not kept)] == [True] * (0 if kept else 2)
        assert not [secret for secret in kept.values() if secret in told]

"""What the application of a virtual unit answers to request 10, and what it can be ordered to answer instead."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.device_bench import DeviceBench

from drivers.errors import DeadlineExceeded, RequestRejected
from drivers.platforms import OsVersion, Platform, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import Stall
from drivers.virtual.control_service import ControlService, Outcome
from drivers.virtual.factory import UnitSpec, make_spec
from drivers.wire import requests
from drivers.wire.control import host as control
from drivers.wire.control.tables import PIECES_SINCE, RequestType
from drivers.wire.usb import Setup


def spec(
    number: int = 1, application: str = "selftest", platform: str = "boron", device_os: str = "6.3.4", **settings: Any
) -> UnitSpec:
    row = platform_by_slug(platform)
    release = synthetic.release(row.id, device_os)
    app = synthetic.application(row.id, device_os, seed=application)
    modules = [*(file.data for file in release), app.data]
    has_flag = row.setup_done_before is not None
    return make_spec(platform, 7, number, modules=modules, setup_done=has_flag, **settings)


def told(bench: DeviceBench, question: str, port: str = "1-1", seconds: float = 5.0) -> bytes:
    device = bench.device(port)
    device.identify(bench.within(10.0))
    return device.ask(requests.ask_application(question.encode(), seconds), bench.within(30.0))


def test_the_application_in_flash_answers_with_values_of_this_unit(bench: DeviceBench) -> None:
    unit, other = bench.plug(spec(1)), bench.plug(spec(2), port="1-2")
    values = json.loads(told(bench, "selftest"))
    assert values == {name: unit.sensors[name] for name in ("vbat", "temp", "accel", "fw")}
    assert json.loads(told(bench, "selftest", "1-2"))["vbat"] == other.sensors["vbat"]
    assert told(bench, "charger").decode() == f"charge=done\ncurrent={unit.sensors['current']}\n"


def versions_that_know_it(row: Platform) -> list[str]:
    known = [v for v in synthetic.versions(row.id) if row.knows_request(RequestType.APP_CUSTOM, OsVersion.parse(v))]
    whole = [v for v in known if OsVersion.parse(v) < PIECES_SINCE]
    return list(dict.fromkeys([*known[:1], *whole[-1:], *known[-1:]]))


@pytest.mark.parametrize(
    ("platform", "device_os"), [(row.slug, version) for row in platforms() for version in versions_that_know_it(row)]
)
def test_it_is_asked_on_every_platform_from_its_first_device_os_to_its_last(
    bench: DeviceBench, platform: str, device_os: str
) -> None:
    unit = bench.plug(spec(platform=platform, device_os=device_os))
    assert json.loads(told(bench, "selftest"))["vbat"] == unit.sensors["vbat"]
    with pytest.raises(RequestRejected, match="-120"):
        told(bench, "nothing it knows " * 200)  # 3400 bytes, which take room and a SEND of their own


@pytest.mark.parametrize(
    "settings", [{"application": "tinker"}, {"arrives": BootRequest.SAFE}, {"is_protected": True, "number": 2}]
)
def test_only_an_application_that_runs_and_has_a_handler_answers(bench: DeviceBench, settings: dict[str, Any]) -> None:
    bench.plug(spec(**settings))
    if settings.get("is_protected"):
        assert told(bench, "selftest")  # answered even by a protected unit (reference usb-and-serial 4.1)
        return
    with pytest.raises(RequestRejected) as refused:
        told(bench, "selftest")
    assert refused.value.code == -120


def test_a_value_can_be_ordered_for_some_answers(bench: DeviceBench) -> None:
    unit = bench.plug(spec(), "do=app,says=vbat:3.31,times=2")
    volts = [json.loads(told(bench, "selftest"))["vbat"] for _ in range(3)]
    assert volts == [3.31, 3.31, unit.sensors["vbat"]]


def test_silence_takes_no_other_request_with_it(bench: DeviceBench) -> None:
    bench.plug(spec(), "do=app")
    with pytest.raises(DeadlineExceeded):
        told(bench, "selftest", seconds=1.0)
    assert not bench.device().is_listening(bench.within(5.0))


def test_garbage_and_a_missing_handler_can_be_ordered(bench: DeviceBench) -> None:
    bench.plug(spec(), "do=app,says=garbage,times=1")
    with pytest.raises(UnicodeDecodeError):
        told(bench, "selftest").decode()
    bench.plug(spec(2), "do=app,says=unknown", port="1-2")
    with pytest.raises(RequestRejected, match="-120"):
        told(bench, "selftest", "1-2")


class _AtOnce:
    """A system thread that answers with five bytes at once."""

    def now(self) -> float:
        return 0.0

    def allocate(self) -> float:
        return 0.0

    def run(self, request_type: int, payload: bytes, done: Any) -> None:
        done(Outcome(data=b"12345"), 0.0)


@pytest.mark.parametrize("in_pieces", [True, False])
def test_before_1_5_0_a_reply_is_handed_out_whole_or_not_at_all(in_pieces: bool) -> None:
    service = ControlService(_AtOnce(), in_pieces=in_pieces)
    service.handle(control.init(10, 100), b"")
    service.handle(control.check(1), b"")

    def piece(setup: Setup) -> bytes:
        return service.handle(setup, bytes(setup.length))

    if in_pieces:
        piece(control.send(1, 70))
        piece(control.send(1, 30))
        assert service.handle(control.recv(1, 2), b"") == b"12"
        return
    with pytest.raises(Stall):
        piece(control.send(1, 70))
    piece(control.send(1, 100))
    with pytest.raises(Stall):
        service.handle(control.recv(1, 2), b"")
    assert service.handle(control.recv(1, 5), b"") == b"12345"

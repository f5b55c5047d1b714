"""One unit under its longer verbs: listening mode, console, updates by control request."""

from __future__ import annotations

import pytest
from support.device_bench import DeviceBench

from drivers.devices import ParticleDevice
from drivers.errors import (
    Cancelled,
    DeadlineExceeded,
    Disconnected,
    NotNow,
    RequestRejected,
    TransferTimeout,
    UnitProtected,
    WriteRefused,
)
from drivers.identity import Secret
from drivers.platforms import ModuleFunction
from drivers.virtual import synthetic
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.unit import UnitMode
from drivers.wire import requests
from drivers.wire.image.host import Image, parse_image
from drivers.wire.messages.tables import WifiSecurity


def image(file: synthetic.SyntheticFile) -> Image:
    return parse_image(file.data, file.name)


# --- listening mode and the console ---


def test_listening_mode_is_entered_and_left_on_the_units_own_word(bench: DeviceBench) -> None:
    unit = bench.unit()
    device = bench.identified()
    device.enter_listening(bench.within(10.0))
    assert unit.mode is UnitMode.LISTENING
    assert device.is_listening(bench.within(5.0))
    assert device.leave_listening(bench.within(10.0)) is True
    assert unit.mode is UnitMode.NORMAL


def test_a_wifi_unit_without_networks_returns_to_listening_and_that_is_no_error(bench: DeviceBench) -> None:
    bench.unit(platform="argon", device_os="6.3.4")
    device = bench.identified()
    if not device.is_listening(bench.within(5.0)):
        device.enter_listening(bench.within(10.0))
    device.leave_listening(bench.within(30.0))
    bench.clock.sleep(20.0)
    assert device.is_listening(bench.within(5.0))


@pytest.mark.rule("A7")
@pytest.mark.parametrize(("platform", "device_os"), [("boron", "3.3.1"), ("bsom", "6.3.4"), ("argon", "5.8.0")])
def test_the_console_tells_every_identity_and_leaves_the_mode_as_it_was(
    bench: DeviceBench, platform: str, device_os: str
) -> None:
    unit = bench.unit(platform=platform, device_os=device_os)
    device = bench.identified()
    was_listening = device.is_listening(bench.within(5.0))
    with device.console(bench.within(90.0)) as console:
        found = console.identify()
        assert console.version() == device_os
        assert console.claimed() is False
        assert console.modules().platform_id == unit.spec.platform_id
        assert console.mac() == unit.spec.mac
    assert str(found.device_id) == unit.device_id
    assert (found.serial, found.secret) == (unit.spec.serial, unit.spec.mobile_secret)
    assert device.is_listening(bench.within(5.0)) == was_listening
    assert unit.spec.mobile_secret.reveal() not in "\n".join(bench.trace)


@pytest.mark.rule("N5")
def test_the_console_stores_a_network_without_showing_its_password(bench: DeviceBench) -> None:
    unit = bench.unit(platform="argon")
    device = bench.identified()
    with device.console(bench.within(120.0)) as console:
        console.wifi("factory-ap", Secret("hunter2hunter2"), WifiSecurity.WPA2_PSK)
    assert [row.ssid for row in device.ask(requests.get_known_networks())] == ["factory-ap"]
    assert "hunter2" not in "\n".join(bench.trace)
    assert unit.score.flash_writes == 1


def test_a_silent_console_is_asked_twice_and_listening_mode_is_left(bench: DeviceBench) -> None:
    unit = bench.unit()
    device = bench.identified()
    with device.console(bench.within(60.0)) as console:
        unit.order(parse_fault("at=console:4,do=hang,for=12"))  # three bytes went when it was opened
        started = bench.clock.now()
        with pytest.raises(TransferTimeout, match="silent"):
            console.version()
        assert bench.clock.now() - started == pytest.approx(10.0, abs=0.1)
        bench.clock.sleep(3.0)
        assert console.version() == "3.3.1"
    assert unit.mode is UnitMode.NORMAL


@pytest.mark.parametrize("how", ["stopped", "too late"])
def test_a_unit_does_not_stay_in_listening_mode_when_its_reader_gives_up(bench: DeviceBench, how: str) -> None:
    unit = bench.unit()
    stop = bench.clock.token()
    device = bench.device(cancel=stop)
    device.identify(bench.within(10.0))

    def read() -> None:
        with device.console(bench.within(5.0)) as console:
            assert unit.mode is UnitMode.LISTENING
            if how == "stopped":
                stop.cancel()
            else:
                bench.clock.sleep(5.0)
            console.version()

    with pytest.raises(Cancelled if how == "stopped" else DeadlineExceeded):
        read()
    bench.clock.sleep(1.0)
    assert unit.mode is UnitMode.NORMAL


def test_two_consoles_are_told_apart_by_serial_string(bench: DeviceBench) -> None:
    bench.unit(number=1)
    second = bench.plug(make_spec("boron", 7, 2, setup_done=True), port="1-2")
    device = bench.device("1-2")
    device.identify(bench.within(10.0))
    with device.console(bench.within(90.0)) as console:
        assert str(console.identify().device_id) == second.device_id


# --- update by control requests ---


def test_a_bootloader_goes_by_control_request_and_is_there_after_the_restart(bench: DeviceBench) -> None:
    unit = bench.unit()
    device = bench.identified()
    new = image(synthetic.release(13, "6.3.4")[0])
    shares: list[float] = []
    started = bench.clock.now()
    device.update_over_control(new, bench.within(240.0), shares.append)
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    held = {(m.function, m.index): m.version for m in device.ask(requests.get_module_info())}
    assert held[2, 0] == new.version == 3200
    assert unit.score.forbidden == []
    assert bench.clock.now() - started < 30.0


def test_an_update_begins_a_second_after_listening_mode_was_entered(bench: DeviceBench) -> None:
    bench.unit()
    lines: list[tuple[float, str]] = []
    device = ParticleDevice(
        bench.watch("1-1"), bench.serial_host, bench.clock, bench.clock.token(),
        lambda line: lines.append((bench.clock.now(), line)),
    )  # fmt: skip
    device.identify(bench.within(10.0))
    device.update_over_control(image(synthetic.release(13, "6.3.4")[0]), bench.within(240.0))
    begun = next(i for i, (_, line) in enumerate(lines) if "START_FIRMWARE_UPDATE" in line)
    assert "GET_DEVICE_MODE" in lines[begun - 1][1]
    assert lines[begun][0] - lines[begun - 1][0] >= 1.0


def test_a_co_processor_may_take_minutes_to_be_written(bench: DeviceBench) -> None:
    bench.unit(platform="argon")
    device = bench.identified()
    file = synthetic.make_module(12, (7, 0), 6, 0, bytes(range(256)) * 3239, mcu=0x21, has_product=False)
    started = bench.clock.now()
    device.update_over_control(parse_image(file, "ncp.bin"), bench.within(400.0))
    assert bench.clock.now() - started > 90.0
    held = {module.function: module.version for module in device.ask(requests.get_module_info())}
    assert held[ModuleFunction.NCP] == 6


def test_a_module_of_another_platform_is_refused_before_anything_is_sent(bench: DeviceBench) -> None:
    unit = bench.unit()
    device = bench.identified()
    with pytest.raises(WriteRefused, match="Boron"):
        device.update_over_control(image(synthetic.release(12, "6.3.4")[0]), bench.within(60.0))
    assert unit.score.flash_writes == 0


def test_what_the_unit_refuses_at_the_end_is_raised_with_its_code(bench: DeviceBench) -> None:
    """A system part whose SoftDevice is missing: nothing is applied, nothing restarts."""
    unit = bench.unit()
    device = bench.identified()
    with pytest.raises(RequestRejected) as caught:
        device.update_over_control(image(synthetic.release(13, "6.3.4")[2]), bench.within(240.0))
    assert caught.value.code == -1340
    assert unit.mode is UnitMode.NORMAL, "listening mode was left again"
    assert bench.watch("1-1").generation == 1
    assert not bench.watch("1-1").is_restart_expected


def rejecting(code: int, *moments: str) -> list[str]:
    return [f"at=request:{moment},do=reject,code={code}" for moment in moments]


@pytest.mark.parametrize(
    ("code", "times"), [(-160, 1), (-160, 6), (-210, 1), (-219, 1), (-219, 2), (-260, 1), (-1330, 1), (-1390, 1)]
)
@pytest.mark.parametrize("request_type", [250, 253, 251], ids=["start", "data", "finish"])
def test_a_refusal_another_try_may_cure_is_tried_again(
    bench: DeviceBench, request_type: int, code: int, times: int
) -> None:
    bench.unit(*rejecting(code, *(f"{request_type}:{n}" for n in range(1, times + 1))))
    device = bench.identified()
    new = image(synthetic.release(13, "6.3.4")[0])
    device.update_over_control(new, bench.within(240.0))
    held = {(m.function, m.index): m.version for m in device.ask(requests.get_module_info())}
    assert held[2, 0] == new.version
    assert sum("trying again" in line for line in bench.trace) == times
    restarts = 1 if code == -260 else 0
    assert bench.watch("1-1").generation == 2 + restarts


@pytest.mark.parametrize(("code", "times"), [(-210, 1), (-219, 2), (-260, 1), (-1330, 1), (-1380, 1), (-1390, 1)])
def test_a_refusal_that_stays_is_raised_after_as_many_tries_as_it_is_worth(
    bench: DeviceBench, code: int, times: int
) -> None:
    unit = bench.unit(*rejecting(code, *(f"251:{n}" for n in range(1, 9))))
    device = bench.identified()
    with pytest.raises(RequestRejected) as caught:
        device.update_over_control(image(synthetic.release(13, "6.3.4")[0]), bench.within(240.0))
    assert caught.value.code == code
    assert sum("request 251" in line for line in bench.trace) == times + 1
    bench.clock.sleep(1.0)
    assert unit.mode is (UnitMode.SAFE if code == -1380 else UnitMode.NORMAL)


@pytest.mark.parametrize("code", [-120, -130, -190, -270, -1300, -1320, -1340, -1351, -1360, -1370])
def test_any_other_refusal_is_the_last_word_when_the_unit_says_it_twice(bench: DeviceBench, code: int) -> None:
    bench.unit(*rejecting(code, "250:1", "250:2"))
    device = bench.identified()
    new = image(synthetic.release(13, "6.3.4")[0])
    with pytest.raises(RequestRejected) as caught:
        device.update_over_control(new, bench.within(240.0))
    assert caught.value.code == code
    assert sum("trying again" in line for line in bench.trace) == 1
    device.update_over_control(new, bench.within(240.0))


@pytest.mark.parametrize("code", [-110, -250, -9999])
def test_a_refusal_of_the_moment_or_by_a_code_nobody_knows_gets_more_tries_and_judges_no_unit(
    bench: DeviceBench, code: int
) -> None:
    bench.unit(*rejecting(code, *(f"250:{n}" for n in range(1, 5))))
    device = bench.identified()
    with pytest.raises(NotNow) as caught:
        device.update_over_control(image(synthetic.release(13, "6.3.4")[0]), bench.within(240.0))
    assert caught.value.code == code
    assert sum("trying again" in line for line in bench.trace) == 3


def test_a_unit_that_says_it_is_protected_is_not_asked_again(bench: DeviceBench) -> None:
    bench.unit(*rejecting(-1801, "250:1"))
    device = bench.identified()
    with pytest.raises(UnitProtected):
        device.update_over_control(image(synthetic.release(13, "6.3.4")[0]), bench.within(240.0))
    assert not any("trying again" in line for line in bench.trace)


def test_an_application_that_forbids_updates_is_left_out_of_the_next_try(bench: DeviceBench) -> None:
    unit = bench.unit(*rejecting(-1380, "250:1"))
    device = bench.identified()
    modes: list[UnitMode] = []
    device.update_over_control(
        image(synthetic.release(13, "6.3.4")[0]), bench.within(240.0), lambda _: modes.append(unit.mode)
    )
    assert unit.report is not None
    assert bench.watch("1-1").generation == 3
    assert set(modes) == {UnitMode.LISTENING}
    assert any("(safe mode)" in line or "SAFE_MODE" in line for line in bench.trace)


def test_refusals_are_tried_again_until_the_deadline_and_not_longer(bench: DeviceBench) -> None:
    bench.unit(*rejecting(-160, *(f"250:{n}" for n in range(1, 100))))
    device = bench.identified()
    started = bench.clock.now()
    with pytest.raises(RequestRejected) as caught:
        device.update_over_control(image(synthetic.release(13, "6.3.4")[0]), bench.within(30.0))
    assert caught.value.code == -160
    assert 25.0 < bench.clock.now() - started < 32.0


def test_unplugging_in_the_middle_of_an_update_is_a_departure(bench: DeviceBench) -> None:
    bench.unit("at=request:253:20,do=unplug")
    device = bench.identified()
    with pytest.raises(Disconnected):
        device.update_over_control(image(synthetic.release(13, "6.3.4")[0]), bench.within(240.0))
    assert not bench.watch("1-1").is_restart_expected


def test_a_deadline_in_the_past_ends_every_verb_at_once(bench: DeviceBench) -> None:
    bench.unit()
    device = bench.identified()
    gone = bench.within(0.0)
    for verb in (device.enter_dfu, device.reset, device.enter_listening, device.leave_listening, device.is_listening):
        with pytest.raises(DeadlineExceeded):
            verb(gone)

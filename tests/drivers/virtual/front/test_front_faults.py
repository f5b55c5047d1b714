"""Faults ordered from a test or with --fault: they hit the unit, the moment and nobody else."""

from __future__ import annotations

import errno
from typing import Any

import pytest
import usb.core

from drivers.virtual.faults import ACTIONS, ERRNOS, BadFault, parse_fault
from drivers.virtual.unit import UnitMode

VERSION = "c0 50 00 00 1e 00 40 00"
INIT_ID = "c0 01 00 00 14 00 40 00"


@pytest.mark.parametrize(
    ("spec", "complains_of"),
    [
        ("", "'' is not of the form key=value"),
        ("do=unplug", "has no moment"),
        ("at=control:1", "do= is not one of"),
        ("at=control:0,do=stall", "at=control:0"),
        ("at=control:x,do=stall", "at=control:x"),
        ("at=request:65536,do=stall", "at=request:65536"),
        ("at=control:1,do=explode", "do=explode"),
        ("at=control:1,do=torn", "dfu-write:N"),
        ("at=control:1,do=stall,times=0", "times=0"),
        ("at=control:1,do=hang,for=-1", "for=-1"),
        ("at=control:1,do=stall,at=control:2", "twice"),
        ("at=control:1,do=stall,colour=red", "'colour'"),
        ("unit=0,at=control:1,do=stall", "unit=0"),
        ("at=control:1,do=swap,with=toaster", "with=toaster"),
        ("at=request:250,do=reject,code=5", "code=5"),
        ("at=control:1,do=error,errno=ewhat", "errno=ewhat"),
        ("at=control:1,do=error,lost=nothing", "lost=nothing"),
    ],
)
def test_a_fault_that_says_nothing_is_refused_with_the_item_that_is_wrong(spec: str, complains_of: str) -> None:
    with pytest.raises(BadFault) as caught:
        parse_fault(spec)
    assert complains_of in str(caught.value)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_of_the_table_can_be_ordered(action: str) -> None:
    assert parse_fault(f"unit=2, at=dfu-write:37, do={action}, times=3, for=2.5, by=0.1").action == action


def test_a_fault_names_its_unit_by_number_or_device_id() -> None:
    by_number, by_id = parse_fault("unit=2,at=any:1,do=stall"), parse_fault(f"unit={'AB' * 12},at=any:1,do=stall")
    assert by_number.applies_to(2, "0" * 24)
    assert not by_number.applies_to(1, "0" * 24)
    assert by_id.applies_to(9, "ab" * 12)
    assert parse_fault("at=any:1,do=stall").applies_to(7, "0" * 24)


def test_stall_hits_the_nth_transfer_and_only_that(bench: Any) -> None:
    bench.plug(bench.spec(), "1-1", "at=control:2,do=stall")
    wire = bench.wire()
    wire(VERSION)
    assert wire.errno(VERSION) == errno.EPIPE
    wire(VERSION)


@pytest.mark.parametrize("name", ERRNOS)
def test_an_error_of_the_host_says_its_errno_once_and_the_unit_never_heard_of_it(name: str, bench: Any) -> None:
    bench.plug(bench.spec(), "1-1", f"at=control:2,do=error,errno={name}")
    wire = bench.wire()
    wire(VERSION)
    assert wire.errno(INIT_ID) == ERRNOS[name]
    assert wire(INIT_ID) == "03 00 00 00 00 00 01 00", "the first request it ever heard of"


def test_an_error_that_loses_the_reply_reaches_the_unit(bench: Any) -> None:
    bench.plug(bench.spec(), "1-1", "at=control:1,do=error,errno=eproto,lost=reply,times=2")
    wire = bench.wire()
    assert [wire.errno(INIT_ID) for _ in range(2)] == [errno.EPROTO] * 2
    assert wire(INIT_ID) == "03 00 00 00 00 00 03 00"


@pytest.mark.parametrize(("lost", "heard"), [("request", b""), ("reply", b"Device claimed: no\r\n")])
def test_an_error_at_the_console_fails_the_write_or_the_next_read(lost: str, heard: bytes, bench: Any) -> None:
    bench.plug(bench.spec("argon"), "1-1", f"at=console:1,do=error,errno=eintr,lost={lost}")
    port = bench.console()
    port.timeout = 1.0
    failing = {"request": lambda: port.write(b"c"), "reply": lambda: port.write(b"c") and port.read(1000)}[lost]
    with pytest.raises(OSError, match="nterrupted") as caught:
        failing()
    assert caught.value.errno == errno.EINTR
    assert port.read(1000) == heard


def test_a_moment_that_has_passed_does_not_come_again(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    wire = bench.wire()
    wire(VERSION)
    unit.order(parse_fault("at=control:1,do=stall"), parse_fault("at=control:3,do=stall"))
    wire(VERSION)
    assert wire.errno(VERSION) == errno.EPIPE


def test_busy_refuses_requests_of_that_type_as_often_as_asked(bench: Any) -> None:
    bench.plug(bench.spec(), "1-1", "at=request:20,do=busy,times=2")
    wire = bench.wire()
    wire("c0 01 00 00 48 00 40 00")
    assert [wire(INIT_ID) for _ in range(3)] == ["01 00 00 00 03 00"] * 2 + ["03 00 00 00 00 00 02 00"]


def test_garbage_keeps_the_length_and_is_the_same_every_time(bench: Any) -> None:
    replies = []
    for number in (1, 2):
        bench.plug(bench.documented(), f"1-{number}", "at=control:1,do=garbage")
        replies.append(bench.wire(f"1-{number}")(VERSION))
    assert replies[0] == replies[1] != "36 2e 32 2e 30"
    assert len(bytes.fromhex(replies[0])) == 5


def test_slow_costs_time_on_every_transfer(bench: Any) -> None:
    bench.plug(bench.spec(), "1-1", "at=control:1,do=slow,by=2")
    start = bench.clock.now()
    bench.wire()(VERSION)
    assert 2 < bench.clock.now() - start < 2.1
    assert bench.wire().errno(VERSION, timeout_ms=1000) == errno.ETIMEDOUT


def test_a_hanging_unit_answers_nothing_and_holds_up_nobody(bench: Any) -> None:
    bench.plug(bench.spec(number=1), "1-1", "at=plug:2.5,do=hang")
    bench.plug(bench.spec(number=2), "1-2", wait_s=3)
    sick, well = bench.device("1-1"), bench.wire("1-2")
    done: list[tuple[str, float]] = []

    def read_string() -> None:
        with pytest.raises(usb.core.USBTimeoutError):
            sick.ctrl_transfer(0x80, 6, 0x0303, 0x0409, 255, 5000)
        done.append(("sick", bench.clock.now()))

    start = bench.clock.now()
    thread = bench.clock.thread("sick", read_string)
    well(VERSION)
    done.append(("well", bench.clock.now()))
    thread.join()
    assert [who for who, _ in done] == ["well", "sick"]
    assert done[0][1] - start < 0.01
    assert done[1][1] - start == pytest.approx(5.0)


def test_a_hang_with_an_end_ends(bench: Any) -> None:
    bench.plug(bench.spec(), "1-1", "at=control:1,do=hang,for=3")
    wire = bench.wire()
    assert wire.errno(VERSION, timeout_ms=2000) == errno.ETIMEDOUT
    assert wire.errno(VERSION, timeout_ms=500) == errno.ETIMEDOUT
    bench.clock.sleep(1)
    wire(VERSION)


def test_a_hang_without_an_end_lasts_until_the_unit_is_unplugged(bench: Any) -> None:
    unit = bench.plug(bench.spec(), "1-1", "at=control:1,do=hang")
    assert bench.wire().errno(VERSION) == errno.ETIMEDOUT
    bench.clock.sleep(1000)
    assert bench.wire().errno(VERSION) == errno.ETIMEDOUT
    bench.bus.unplug("1-1")
    bench.bus.plug("1-1", unit)
    bench.until(unit, UnitMode.NORMAL)
    bench.wire()(VERSION)


def test_unplug_in_the_middle_of_a_transfer_is_enodev_at_once(bench: Any) -> None:
    unit = bench.plug(bench.spec(), "1-1", "at=plug:10,do=unplug", "at=control:1,do=hang")
    start = bench.clock.now()
    assert bench.wire().errno(VERSION, timeout_ms=60_000) == errno.ENODEV
    assert bench.clock.now() - start < 8
    assert unit.mode is UnitMode.OFF
    assert bench.bus.unit_at("1-1") is None


def test_powercut_brings_the_same_unit_back(bench: Any) -> None:
    unit = bench.plug(bench.spec(), "1-1", "at=control:3,do=powercut,for=4")
    wire = bench.wire()
    wire(VERSION)
    wire(VERSION)
    assert wire.errno(VERSION) == errno.ENODEV
    assert unit.mode is UnitMode.OFF
    assert bench.until(unit, UnitMode.NORMAL) == pytest.approx(6.3, abs=0.2)


def test_swap_puts_another_unit_of_that_platform_on_the_port(bench: Any) -> None:
    unit = bench.plug(bench.spec("boron"), "1-1", "at=control:1,do=swap,with=argon")
    assert bench.wire().errno(VERSION) == errno.ENODEV
    bench.clock.sleep(4)
    stranger = bench.device()
    assert stranger.idProduct == 0xC00C
    assert stranger.serial_number != unit.device_id
    assert unit.mode is UnitMode.OFF


def test_a_wrong_label_says_somebody_else(bench: Any) -> None:
    wrong = bench.plug(bench.spec(), "1-1", "do=wrong-label")
    right = bench.plug(bench.spec(), "1-2")
    assert right.label == f"{right.spec.serial} {right.spec.mobile_secret.reveal()}"
    assert wrong.label.split()[0] != str(wrong.spec.serial)


# --- in the middle of a flash operation ---------------------------------------------------------


def _dfu(bench: Any, *faults: str) -> tuple[Any, Any]:
    unit = bench.plug(bench.spec(device_os="6.3.4"), "1-1", *faults)
    bench.wire().ask(50)
    bench.until(unit, UnitMode.DFU)
    return unit, bench.wire()


def _erase_and_write(wire: Any, address: str = "00 40 0b 00") -> str:
    """Erase the page at 0xB4000 and write 4096 zero bytes there; the last status."""
    wire("21 01 00 00 00 00 05 00", "41" + address)
    wire("a1 03 00 00 00 00 06 00")
    wire("a1 03 00 00 00 00 06 00")
    wire("21 01 00 00 00 00 05 00", "21" + address)
    wire("a1 03 00 00 00 00 06 00")
    wire("a1 03 00 00 00 00 06 00")
    wire("21 01 02 00 00 00 00 10", "00" * 4096)
    wire("a1 03 00 00 00 00 06 00")
    return wire("a1 03 00 00 00 00 06 00")


def test_dfu_writes_cost_what_the_flash_costs(bench: Any) -> None:
    unit, wire = _dfu(bench)
    start = bench.clock.now()
    assert _erase_and_write(wire) == "00 00 00 00 05 00"
    assert 0.12 < bench.clock.now() - start < 0.16  # 85 ms erase, 42 ms write, some transfers
    assert unit.score.flash_writes == 2


def test_a_torn_write_leaves_half_a_page_and_a_unit_that_comes_back(bench: Any) -> None:
    unit, wire = _dfu(bench, "at=dfu-write:1,do=torn,for=2")
    with pytest.raises(usb.core.USBError) as caught:
        _erase_and_write(wire)
    assert caught.value.errno == errno.ENODEV
    page = unit.memory.internal.read(0xB4000, 4096)
    assert page == b"\x00" * 2048 + b"\xff" * 2048
    bench.until(unit, UnitMode.SAFE)  # the application is torn, Device OS is not


def test_a_failing_flash_operation_ends_in_dfu_error(bench: Any) -> None:
    _, wire = _dfu(bench, "at=dfu-erase:1,do=fail")
    wire("21 01 00 00 00 00 05 00", "41 00 40 0b 00")
    wire("a1 03 00 00 00 00 06 00")
    status = bytes.fromhex(wire("a1 03 00 00 00 00 06 00"))
    assert status[4] == 10


def test_unplug_at_a_write_keeps_the_unit_off(bench: Any) -> None:
    unit, wire = _dfu(bench, "at=dfu-write:1,do=unplug")
    with pytest.raises(usb.core.USBError):
        _erase_and_write(wire)
    bench.clock.sleep(30)
    assert unit.mode is UnitMode.OFF


def test_flash_that_fails_under_a_request_is_minus_219(bench: Any) -> None:
    unit = bench.plug(bench.spec(device_os="3.3.1"), "1-1", "at=flash:1,do=fail")
    assert bench.wire().ask(73, b"\x08\x01") == (-219, b"")
    assert not unit.memory.dct.is_setup_done


def test_flash_that_fails_under_the_console_is_said_there(bench: Any) -> None:
    unit = bench.plug(bench.spec("argon"), "1-1", "at=flash:1,do=fail")
    port = bench.console()
    for answer in (b"w", b"factory-ap\n", b"password\n"):
        port.write(answer)
        bench.clock.sleep(5)
    assert port.read(1000).endswith(b"Derp. Sorry, we couldn't save the credentials.\r\n\r\n")
    assert unit.mode is UnitMode.LISTENING


def test_a_power_cut_while_a_pending_update_is_copied_loses_nothing(bench: Any) -> None:
    newer = bench.spec(device_os="6.3.4").modules[0]
    unit = bench.plug(bench.spec(device_os="6.2.0"))
    wire, size = bench.wire(), len(newer)
    assert wire.ask(250, bytes([8, size & 127 | 128, size >> 7 & 127 | 128, size >> 14]))[0] == 0
    for at in range(0, size, 1024):
        piece = newer[at : at + 1024]
        assert wire.ask(253, bytes([10, len(piece) & 127 | 128, len(piece) >> 7]) + piece)[0] == 0
    unit.order(parse_fault(f"at=flash:{_flash_operations(unit) + 12},do=powercut"))
    assert wire.ask(251)[0] == 0
    bench.until(unit, UnitMode.OFF)
    bench.until(unit, UnitMode.NORMAL)
    assert unit.report.bootloader_version == 3200


def _flash_operations(unit: Any) -> int:
    return sum(unit.score.operations.values())

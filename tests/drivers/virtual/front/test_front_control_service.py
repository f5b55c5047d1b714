"""The control-request protocol, byte for byte: reference usb-and-serial 3.2 to 3.9."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any

import pytest

from drivers.virtual.unit import UnitMode

BUSY = "01 00 00 00 03 00"
PENDING = "01 00 00 00 02 00"
NOT_FOUND = "01 00 00 00 05 00"
OK = "01 00 00 00 00 00"
DONE = "09 00 00 00 00 00 00 00 00 00"

TRANSCRIPT = """
c0 50 00 00 1e 00 40 00 | 36 2e 32 2e 30
c0 05 00 00 00 00 40 00 | 01 00 00 00 00 00
c0 01 00 00 14 00 40 00 | 03 00 00 00 00 00 01 00
= 0.05
c0 02 00 00 01 00 40 00 | 0d 00 00 00 00 00 1a 00 00 00 00 00 00 00
c0 04 00 00 01 00 1a 00 | 0a 18 65 30 30 66 63 65 36 38 31 39 65 66 35 66 39 37 31 65 61 39 35 36 33 61
= slow
c0 01 00 00 15 00 40 00 | 03 00 00 00 00 00 02 00
= 0.05
c0 02 00 00 02 00 40 00 | 01 00 00 00 02 00
= 0.05
c0 02 00 00 02 00 40 00 | 01 00 00 00 02 00
= 0.1
c0 02 00 00 02 00 40 00 | 0d 00 00 00 00 00 11 00 00 00 00 00 00 00
c0 04 00 00 02 00 11 00 | 0a 0f 42 34 30 4b 41 42 39 32 36 4b 58 58 58 58 58
= quick
c0 01 02 00 49 00 40 00 | 03 00 00 00 00 00 03 00
40 03 00 00 03 00 02 00 < 08 01
= 0.05
c0 02 00 00 03 00 40 00 | 09 00 00 00 00 00 00 00 00 00
c0 01 02 00 49 00 40 00 | 03 00 00 00 00 00 04 00
40 03 00 00 04 00 02 00 < 08 00
= 0.05
c0 02 00 00 04 00 40 00 | 09 00 00 00 00 00 88 ff ff ff
c0 01 00 00 48 00 40 00 | 03 00 00 00 00 00 05 00
= 0.05
c0 02 00 00 05 00 40 00 | 09 00 00 00 00 00 00 00 00 00
c0 01 00 00 32 00 40 00 | 03 00 00 00 00 00 06 00
c0 01 41 00 01 00 40 00 | 03 00 00 00 02 00 07 00
= 0.05
c0 02 00 00 07 00 40 00 | 01 00 00 00 00 00
40 03 00 00 07 00 41 00 < {65}
= 0.05
c0 02 00 00 07 00 40 00 | 0d 00 00 00 00 00 41 00 00 00 00 00 00 00
c0 04 00 00 07 00 41 00 | {65}
c0 02 00 00 06 00 40 00 | 09 00 00 00 00 00 00 00 00 00
""".replace("{65}", " ".join(["41"] * 65))


def test_the_documented_transcripts_are_answered_byte_for_byte(bench: Any) -> None:
    unit = bench.plug(bench.documented())
    wire, quick = bench.wire(), unit.timings
    for line in TRANSCRIPT.strip().splitlines():
        if line.startswith("="):
            word = line[2:]
            if word in ("slow", "quick"):
                unit.timings = replace(quick, work_s=0.18) if word == "slow" else quick
            else:
                bench.clock.sleep(float(word))
        elif "<" in line:
            setup, data = line.split(" < ")
            assert wire(setup, data) == ""
        else:
            setup, reply = line.split(" | ")
            assert wire(setup) == reply, setup
    assert bench.until(unit, UnitMode.DFU) == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize("length", ["3f 00", "41 00", "00 00"])
@pytest.mark.parametrize("service", ["01 00 00 14 00", "02 00 00 01 00", "05 00 00 00 00"])
def test_init_check_and_reset_want_exactly_64_bytes(bench: Any, service: str, length: str) -> None:
    bench.plug(bench.spec())
    assert bench.wire().errno(f"c0 {service} {length}") == errno.EPIPE


def test_a_fifth_request_is_busy_until_reset_all(bench: Any) -> None:
    bench.plug(bench.spec())
    wire = bench.wire()
    for number in range(1, 5):
        assert wire("c0 01 00 00 14 00 40 00") == f"03 00 00 00 00 00 0{number} 00"
    bench.clock.sleep(0.1)
    assert wire("c0 02 00 00 01 00 40 00").startswith("0d")  # finished, and its reply is not fetched
    assert wire("c0 01 00 00 14 00 40 00") == BUSY
    assert wire("c0 05 00 00 00 00 40 00") == OK
    assert wire("c0 01 00 00 14 00 40 00") == "03 00 00 00 00 00 05 00"  # BUSY gave no id away
    assert wire("c0 02 00 00 01 00 40 00") == NOT_FOUND


def test_reset_of_one_request_frees_it_and_a_second_reset_finds_nothing(bench: Any) -> None:
    bench.plug(bench.spec())
    wire = bench.wire()
    wire("c0 01 00 00 14 00 40 00")
    assert wire("c0 05 00 00 01 00 40 00") == OK
    assert wire("c0 05 00 00 01 00 40 00") == NOT_FOUND


def test_the_final_check_can_be_read_only_once(bench: Any) -> None:
    bench.plug(bench.spec())
    wire = bench.wire()
    wire("c0 01 00 00 48 00 40 00")
    bench.clock.sleep(0.05)
    assert wire("c0 02 00 00 01 00 40 00") == DONE
    assert wire("c0 02 00 00 01 00 40 00") == NOT_FOUND


@pytest.mark.parametrize(
    ("request_type", "why"), [(72, "normal mode"), (201, "not claimed"), (32, "no capability"), (76, "open")]
)
def test_replies_of_nothing_but_defaults_have_no_bytes(bench: Any, request_type: int, why: str) -> None:
    bench.plug(bench.spec(setup_done=True))
    assert bench.wire().ask(request_type) == (0, b""), why


def test_64_bytes_are_taken_at_once_and_65_wait_for_a_buffer(bench: Any) -> None:
    bench.plug(bench.spec())
    wire = bench.wire()
    assert wire("c0 01 40 00 01 00 40 00") == "03 00 00 00 00 00 01 00"
    assert wire("c0 01 41 00 01 00 40 00") == "03 00 00 00 02 00 02 00"
    assert wire.errno("40 03 00 00 02 00 41 00", "41" * 65) == errno.EPIPE  # too early


def test_a_payload_may_come_in_pieces(bench: Any) -> None:
    bench.plug(bench.spec())
    wire = bench.wire()
    wire("c0 01 03 00 01 00 40 00")
    wire("40 03 00 00 01 00 02 00", "aabb")
    bench.clock.sleep(0.05)
    assert wire("c0 02 00 00 01 00 40 00") == OK  # more payload wanted
    wire("40 03 00 00 01 00 01 00", "cc")
    bench.clock.sleep(0.05)
    wire("c0 02 00 00 01 00 40 00")
    assert wire("c0 04 00 00 01 00 03 00") == "aa bb cc"


def test_a_short_send_that_does_not_fit_is_lost_without_a_word(bench: Any) -> None:
    bench.plug(bench.spec())
    wire = bench.wire()
    wire("c0 01 02 00 01 00 40 00")
    wire("40 03 00 00 09 00 02 00", "0801")  # wrong id
    wire("40 03 00 00 01 00 03 00", "080108")  # too long
    bench.clock.sleep(0.05)
    assert wire("c0 02 00 00 01 00 40 00") == OK  # no result: the payload never arrived
    wire("40 03 00 00 01 00 02 00", "0801")
    bench.clock.sleep(0.05)
    wire("c0 02 00 00 01 00 40 00")
    assert wire("c0 04 00 00 01 00 02 00") == "08 01"


def test_a_long_send_that_does_not_fit_is_stalled(bench: Any) -> None:
    bench.plug(bench.spec())
    wire = bench.wire()
    assert wire.errno("40 03 00 00 09 00 41 00", "41" * 65) == errno.EPIPE


def test_recv_is_stalled_unless_it_asks_for_what_is_there(bench: Any) -> None:
    bench.plug(bench.spec())
    wire = bench.wire()
    assert wire.errno("c0 04 00 00 01 00 01 00") == errno.EPIPE  # unknown id
    wire("c0 01 00 00 14 00 40 00")
    assert wire.errno("c0 04 00 00 01 00 01 00") == errno.EPIPE  # not finished
    bench.clock.sleep(0.05)
    assert wire.errno("c0 04 00 00 01 00 00 00") == errno.EPIPE  # nothing asked
    assert wire.errno("c0 04 00 00 01 00 1b 00") == errno.EPIPE  # one too many
    assert wire("c0 04 00 00 01 00 02 00") == "0a 18"
    assert wire.errno("c0 04 00 00 01 00 19 00") == errno.EPIPE
    assert wire("c0 04 00 00 01 00 18 00").startswith("65 30 30 66")
    assert wire("c0 02 00 00 01 00 40 00") == NOT_FOUND  # fetched: freed


@pytest.mark.parametrize("size", [4096, 4097, 65535])
def test_long_replies_come_in_chunks(bench: Any, size: int) -> None:
    bench.plug(bench.spec())
    wire, payload = bench.wire(), bytes(range(256)) * 256
    wire(f"c0 01 {(size & 255):02x} {size >> 8:02x} 01 00 40 00")
    bench.clock.sleep(0.05)
    wire("c0 02 00 00 01 00 40 00")
    for at in range(0, size, 4096):
        chunk = payload[at : min(at + 4096, size)]
        wire(f"40 03 00 00 01 00 {len(chunk).to_bytes(2, 'little').hex()}", chunk.hex())
    bench.clock.sleep(0.05)
    assert bytes.fromhex(wire("c0 02 00 00 01 00 40 00"))[6:10] == size.to_bytes(4, "little")
    got = b""
    while len(got) < size:
        want = min(4096, size - len(got))
        got += bytes.fromhex(wire(f"c0 04 00 00 01 00 {want.to_bytes(2, 'little').hex()}"))
    assert got == payload[:size]


def test_nothing_restarts_before_the_final_check_was_read(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    wire = bench.wire()
    wire("c0 01 00 00 32 00 40 00")
    bench.clock.sleep(20)
    assert unit.mode is UnitMode.NORMAL
    assert wire("c0 02 00 00 01 00 40 00") == DONE
    bench.clock.sleep(0.9)
    assert unit.mode is UnitMode.NORMAL
    bench.clock.sleep(0.2)
    assert unit.mode is UnitMode.STARTING
    assert wire.errno("c0 50 00 00 1e 00 40 00") == errno.ENODEV


def test_between_check_and_restart_requests_are_taken_but_not_worked_on(bench: Any) -> None:
    bench.plug(bench.spec())
    wire = bench.wire()
    wire("c0 01 00 00 28 00 40 00")
    bench.clock.sleep(0.05)
    wire("c0 02 00 00 01 00 40 00")
    assert wire("c0 01 00 00 14 00 40 00") == "03 00 00 00 00 00 02 00"
    bench.clock.sleep(0.5)
    assert wire("c0 02 00 00 02 00 40 00") == PENDING
    assert wire("c0 50 00 00 1e 00 40 00") == "36 2e 32 2e 30"  # raw requests need no system thread


def test_a_reset_makes_an_earlier_restart_order_void(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    wire = bench.wire()
    wire("c0 01 00 00 28 00 40 00")
    bench.clock.sleep(0.05)
    wire("c0 02 00 00 01 00 40 00")  # reset to normal in one second, but
    unit.press_mode_button()
    bench.until(unit, UnitMode.DFU)
    bench.clock.sleep(10)
    assert unit.mode is UnitMode.DFU


def test_reset_all_carries_out_a_restart_whose_check_was_never_read(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    wire = bench.wire()
    wire("c0 01 00 00 32 00 40 00")
    bench.clock.sleep(1)
    assert wire("c0 05 00 00 00 00 40 00") == OK
    assert bench.until(unit, UnitMode.DFU) == pytest.approx(2.0, abs=0.2)


def test_a_bus_reset_carries_it_out_too(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    device = bench.device()
    device.ctrl_transfer(0xC0, 1, 0, 50, 64, 5000)
    bench.clock.sleep(1)
    device.reset()
    assert bench.until(unit, UnitMode.DFU) == pytest.approx(2.0, abs=0.2)


def test_an_unplugged_unit_forgets_its_open_requests(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    for _ in range(4):
        bench.wire()("c0 01 00 00 32 00 40 00")
    bench.bus.unplug("1-1")
    bench.bus.plug("1-1", unit)
    bench.clock.sleep(10)
    assert unit.mode is UnitMode.NORMAL
    assert bench.wire()("c0 01 00 00 14 00 40 00") == "03 00 00 00 00 00 01 00"


def test_raw_requests_give_upper_case_id_and_refuse_short_buffers(bench: Any) -> None:
    bench.plug(bench.documented())
    wire = bench.wire()
    assert bytes.fromhex(wire("c0 50 00 00 14 00 40 00")) == b"E00FCE6819EF5F971EA9563A"
    assert wire.errno("c0 50 00 00 14 00 17 00") == errno.EPIPE
    assert wire.errno("c0 50 00 00 14 00 41 00") == errno.EPIPE
    assert wire.errno("c0 50 00 00 15 00 40 00") == errno.EPIPE
    assert wire("40 50 00 00 15 00 01 00", "00") == ""  # unknown, but with a data byte: swallowed
    assert wire.errno("40 50 00 00 15 00 00 00") == errno.EPIPE


def test_raw_reset_restarts_at_once(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    assert bench.wire().errno("40 50 00 00 28 00 00 00") == errno.ENODEV
    assert unit.mode is UnitMode.STARTING

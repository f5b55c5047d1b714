"""What a unit answers, by platform and Device OS: reference usb-and-serial 4 and 6, provisioning rules H."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.virtual.messages import Fields
from drivers.virtual.unit import UnitMode

NOT_SUPPORTED, NOT_ALLOWED, INVALID_STATE = -120, -130, -210


@pytest.mark.parametrize(
    ("platform", "device_os", "request_type", "is_known"),
    [
        ("argon", "5.8.0", 507, False),  # came with 5.8.2
        ("argon", "6.1.1", 507, False),  # and was absent from 6.0.0 to 6.1.1
        ("argon", "6.2.0", 507, True),
        ("argon", "6.3.4", 554, False),
        ("boron", "6.3.4", 500, False),
        ("boron", "6.3.4", 31, False),
        ("boron", "5.8.0", 76, False),
        ("boron", "6.1.1", 76, True),
        ("boron", "4.1.0", 91, False),
        ("boron", "5.8.0", 91, True),
        ("boron", "6.3.4", 110, False),
        ("boron", "6.3.4", 402, False),
    ],
)
def test_requests_exist_only_where_they_do(
    bench: Any, platform: str, device_os: str, request_type: int, is_known: bool
) -> None:
    bench.plug(bench.spec(platform, device_os))
    result, _ = bench.wire().ask(request_type)
    assert (result != NOT_SUPPORTED) is is_known


@pytest.mark.parametrize(
    ("device_os", "has_imei"), [("5.8.0", True), ("6.1.1", True), ("6.3.4", True), ("4.1.0", False), ("3.3.1", False)]
)
def test_request_554_tells_the_imei_only_in_some_versions(bench: Any, device_os: str, has_imei: bool) -> None:
    spec = bench.spec(device_os=device_os)
    bench.plug(spec)
    result, reply = bench.wire().ask(554)
    assert result == 0
    assert Fields(reply).text(1) == str(spec.iccid)
    assert Fields(reply).text(2) == (str(spec.imei) if has_imei else "")


def test_a_cold_modem_takes_seconds(bench: Any) -> None:
    bench.plug(bench.spec(device_os="3.3.1"))  # listening: nothing switched the modem on
    start = bench.clock.now()
    bench.wire().ask(554)
    cold, start = bench.clock.now() - start, bench.clock.now()
    bench.wire().ask(554)
    assert cold > 5 > 1 > bench.clock.now() - start


def test_the_interface_list_is_broken_on_a_boron_with_6_2_0_only(bench: Any) -> None:
    bench.plug(bench.spec("boron", "6.2.0"), "1-1")
    bench.plug(bench.spec("boron", "6.3.4", 2), "1-2")
    bench.plug(bench.spec("argon", "6.2.0", 3), "1-3")
    assert bench.wire("1-1").ask(400) == (-100, b"")
    assert bench.wire("1-1").ask(401, b"\x08\x04")[0] == 0
    assert bench.wire("1-2").ask(400)[0] == 0
    assert bench.wire("1-3").ask(400)[0] == 0


def test_an_argon_tells_its_mac_with_its_wifi_interface(bench: Any) -> None:
    spec = bench.spec("argon")
    bench.plug(spec)
    interface = Fields(bench.wire().ask(401, b"\x08\x04")[1]).message(1)
    assert interface.text(2) == "wl3"
    assert interface.number(3) == 8
    assert interface.blob(8).hex(":") == str(spec.mac)


# --- setup-done and listening ---------------------------------------------------------------


@pytest.mark.rule("H7")
def test_before_4_0_a_unit_without_setup_done_boots_into_listening(bench: Any) -> None:
    unit = bench.plug(bench.spec(device_os="3.3.1"))
    wire = bench.wire()
    assert unit.mode is UnitMode.LISTENING
    assert wire.ask(72) == (0, b"\x08\x01")
    assert wire.ask(74) == (0, b"")
    assert wire.ask(73, b"\x08\x01") == (0, b"")
    assert wire.ask(74) == (0, b"\x08\x01")
    assert unit.mode is UnitMode.LISTENING  # the flag is looked at once per boot
    bench.bus.unplug("1-1")
    bench.bus.plug("1-1", unit)
    bench.until(unit, UnitMode.NORMAL)


@pytest.mark.rule("H8")
def test_from_4_0_setup_done_does_not_exist(bench: Any) -> None:
    unit = bench.plug(bench.spec(device_os="4.1.0"))
    wire = bench.wire()
    assert unit.mode is UnitMode.NORMAL
    assert wire.ask(74) == (0, b"\x08\x01")
    assert wire.ask(73, b"\x08\x01") == (0, b"")
    assert wire.ask(73) == (NOT_SUPPORTED, b"")
    assert unit.score.flash_writes == 0


def test_setting_setup_done_is_one_write_of_the_host(bench: Any) -> None:
    unit = bench.plug(bench.spec(device_os="3.3.1"))
    bench.wire().ask(73, b"\x08\x01")
    assert unit.score.flash_writes == 1


def test_listening_starts_later_before_4_0_and_before_the_answer_since(bench: Any) -> None:
    old = bench.plug(bench.spec(device_os="3.3.1", setup_done=True), "1-1")
    new = bench.plug(bench.spec(device_os="4.1.0", number=2), "1-2")
    assert bench.wire("1-1").ask(70) == (0, b"")
    assert old.mode is UnitMode.NORMAL
    assert bench.wire("1-2").ask(70) == (0, b"")
    assert new.mode is UnitMode.LISTENING
    bench.until(old, UnitMode.LISTENING)
    assert bench.wire("1-2").ask(71) == (0, b"")
    bench.until(new, UnitMode.NORMAL)


def test_a_unit_whose_listening_mode_is_disabled_refuses(bench: Any) -> None:
    unit = bench.plug(bench.spec(device_os="4.1.0"))
    unit.memory.dct.write(1754, b"\xf7\xff\xff\xff", "factory")
    assert bench.wire().ask(70) == (NOT_ALLOWED, b"")
    assert unit.mode is UnitMode.NORMAL


def test_an_argon_without_credentials_listens_and_comes_back_to_it(bench: Any) -> None:
    unit = bench.plug(bench.spec("argon", "6.2.0"))
    assert unit.mode is UnitMode.LISTENING
    bench.wire().ask(71)
    bench.clock.sleep(1)
    assert unit.mode is UnitMode.LISTENING
    bench.wire().ask(302)  # nobody wants the cloud any more: now it stays out
    bench.wire().ask(71)
    bench.clock.sleep(1)
    assert unit.mode is UnitMode.NORMAL


# --- modules --------------------------------------------------------------------------------


def test_module_info_has_its_old_form_before_5_6(bench: Any) -> None:
    bench.plug(bench.spec(device_os="4.1.0"))
    reply = Fields(bench.wire().ask(90)[1])
    assert reply.blob(1) != b""
    assert reply.blob(2) == b""


def test_module_info_has_hashes_since_5_6(bench: Any) -> None:
    unit = bench.plug(bench.spec(device_os="6.3.4"))
    module = Fields(bench.wire().ask(90)[1]).message(2)  # the last one
    held = unit.report.modules[-1]
    assert (module.number(1), module.number(2), module.number(3)) == (held.function, held.index, held.version)
    assert module.blob(8) == held.hash


def test_safe_mode_shows_only_in_module_info(bench: Any) -> None:
    spec = bench.spec(device_os="6.3.4")
    unit = bench.plug(bench.spec(device_os="6.3.4", modules=spec.modules[:-1]))  # no application
    assert unit.mode is UnitMode.SAFE
    wire = bench.wire()
    assert wire.device.idProduct == 0xC00D
    assert wire.ask(72) == (0, b"")
    assert all(module.function != 5 for module in unit.report.modules)


# --- update over control requests ---------------------------------------------------------------


def _feed(wire: Any, image: bytes, flip: int | None = None) -> int:
    if flip is not None:
        image = image[:flip] + bytes([image[flip] ^ 1]) + image[flip + 1 :]
    size = len(image)
    assert wire.ask(250, b"\x08" + _varint(size)) == (0, b"\x08\x80\x08")
    for at in range(0, size, 1024):
        piece = image[at : at + 1024]
        assert wire.ask(253, b"\x0a" + _varint(len(piece)) + piece) == (0, b"")
    result: int = wire.ask(251)[0]
    return result


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def test_a_bootloader_by_control_request_is_there_after_the_next_boot(bench: Any) -> None:
    newer = bench.spec(device_os="6.3.4").modules[0]
    unit = bench.plug(bench.spec(device_os="6.2.0"))
    assert _feed(bench.wire(), newer) == 0
    assert unit.report.bootloader_version == 3100  # nothing is written through
    bench.until(unit, UnitMode.STARTING)
    bench.until(unit, UnitMode.NORMAL)
    assert unit.report.bootloader_version == 3200


def test_a_damaged_module_is_refused_and_nothing_restarts(bench: Any) -> None:
    newer = bench.spec(device_os="6.3.4").modules[0]
    unit = bench.plug(bench.spec(device_os="6.2.0"))
    assert _feed(bench.wire(), newer, flip=5000) == -1330
    bench.clock.sleep(5)
    assert unit.mode is UnitMode.NORMAL
    assert unit.report.bootloader_version == 3100


def test_update_data_without_start_is_refused(bench: Any) -> None:
    bench.plug(bench.spec())
    assert bench.wire().ask(253, b"\x0a\x01A")[0] < 0
    assert bench.wire().ask(251)[0] == INVALID_STATE
    assert bench.wire().ask(252) == (0, b"")


@pytest.mark.parametrize("payload", [b"\x0a\x05ab", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x0b"])
def test_a_payload_that_does_not_decode_is_minus_280(bench: Any, payload: bytes) -> None:
    bench.plug(bench.spec())
    assert bench.wire().ask(200, payload) == (-280, b"")


def test_a_claim_code_is_stored_whatever_its_length(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    code = b"0123456789" * 6 + b"abc"
    assert bench.wire().ask(200, b"\x0a\x3f" + code) == (0, b"")
    assert unit.memory.dct.get("claim_code") == code

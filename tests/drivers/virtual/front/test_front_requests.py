"""What a unit answers, by platform and Device OS: reference usb-and-serial 4 and 6, provisioning rules H."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from drivers.virtual.boot import BootMode
from drivers.virtual.header import Dependency
from drivers.virtual.messages import Fields, blob, message, number, text
from drivers.virtual.protection import device_digest
from drivers.virtual.synthetic import make_module
from drivers.virtual.unit import UnitMode
from drivers.wire.messages.modules import asset_info, module_info

NOT_SUPPORTED, NOT_ALLOWED, INVALID_STATE = -120, -130, -210


@pytest.mark.parametrize(
    ("platform", "device_os", "request_type", "is_known"),
    [
        ("argon", "5.8.0", 507, False),  # came with 5.8.2
        ("argon", "6.1.1", 507, False),  # and was absent from 6.0.0 to 6.1.1
        ("argon", "6.2.0", 507, True),
        ("argon", "6.3.4", 554, False),
        ("argon", "6.3.4", 551, False),
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


def test_a_bootloader_with_security_mode_protects_the_unit_from_its_next_boot_on(bench: Any) -> None:
    locks = bench.spec(device_os="6.2.0", is_protected=True).modules[0]
    unit = bench.plug(bench.spec(device_os="6.2.0"))
    assert bench.wire().ask(76) == (0, b"")
    assert _feed(bench.wire(), locks) == 0
    bench.until(unit, UnitMode.STARTING)
    bench.until(unit, UnitMode.NORMAL)
    assert bench.wire().ask(76) == (0, b"\x08\x01")
    assert bench.wire().ask(90) == (REQUEST_PROTECTED, b"")


def test_an_argon_names_its_co_processor_before_its_radio_stack(bench: Any) -> None:
    bench.plug(bench.spec("argon"))
    assert [row.function for row in module_info(bench.wire().ask(90)[1])] == [2, 4, 5, 7, 8]


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


# --- device protection ---

PREPARE = bytes.fromhex("08 01 12 22 0a 20") + bytes(range(32))
REQUEST_PROTECTED = -1801


def confirm(signature: bytes = b"s" * 64, fingerprint: bytes = b"f" * 32) -> bytes:
    return number(1, 2) + message(3, blob(1, signature) + blob(2, fingerprint))


def test_an_open_unit_says_so_without_a_byte_and_needs_no_handshake(bench: Any) -> None:
    bench.plug(bench.spec())
    wire = bench.wire()
    assert wire.ask(76) == (0, b"")
    assert wire.ask(77, PREPARE) == (0, b"")
    assert wire.ask(77, confirm()) == (-210, b"")
    assert wire.ask(77) == (0, b"")


def test_a_protected_unit_answers_four_requests_and_refuses_the_rest(bench: Any) -> None:
    unit = bench.plug(bench.spec(is_protected=True))
    wire = bench.wire()
    assert wire.ask(76) == (0, b"\x08\x01")
    assert Fields(wire.ask(20)[1]).text(1) == unit.device_id
    assert wire.ask(10) == (NOT_SUPPORTED, b"")
    for request_type in (1, 21, 30, 40, 50, 60, 70, 72, 90, 91, 100, 200, 230, 250, 252, 300, 400, 554, 9999):
        assert wire.ask(request_type) == (REQUEST_PROTECTED, b"")
    assert bytes.fromhex(wire("c0 50 00 00 1e 00 40 00")).decode() == "6.2.0"
    bench.clock.sleep(5.0)
    assert unit.mode is UnitMode.NORMAL, "no restart was carried out"


def test_protection_needs_a_device_os_that_knows_it(bench: Any) -> None:
    bench.plug(bench.spec(device_os="5.8.0", is_protected=True))
    assert bench.wire().ask(21)[0] == 0


def test_the_console_of_a_protected_unit_does_not_run(bench: Any) -> None:
    unit = bench.plug(bench.spec("argon", is_protected=True))
    unit.hold_mode_button()
    bench.clock.sleep(4.0)
    port = bench.console()
    port.write(b"iv")
    assert port.read(10) == b""


def test_the_handshake_to_service_mode_ends_at_the_servers_key(bench: Any) -> None:
    bench.plug(bench.spec(is_protected=True))
    wire = bench.wire()
    result, reply = wire.ask(77, PREPARE)
    prepared = Fields(reply).message(1)
    assert (result, len(prepared.blob(1)), len(prepared.blob(3))) == (0, 32, 32)
    assert prepared.blob(2)
    assert wire.ask(77, confirm()) == (-1802, b"")
    assert wire.ask(77, confirm()) == (-210, b""), "it begins with PREPARE again"
    assert wire.ask(76) == (0, b"\x08\x01")


@pytest.mark.parametrize(
    ("payload", "result"),
    [
        (bytes.fromhex("08 01 12 03 0a 01 00"), -270),
        (bytes.fromhex("08 01"), -270),
        (bytes.fromhex("08 07"), NOT_SUPPORTED),
        (bytes.fromhex("08 01 12 7f"), -280),
    ],
    ids=["short nonce", "no nonce", "no such action", "broken"],
)
def test_a_handshake_that_is_malformed_is_refused(bench: Any, payload: bytes, result: int) -> None:
    bench.plug(bench.spec(is_protected=True))
    assert bench.wire().ask(77, payload) == (result, b"")


@pytest.mark.parametrize(
    ("proof", "wait_s", "result"),
    [(confirm(fingerprint=b"short"), 0, -270), (confirm(signature=b""), 0, -270), (confirm(), 61, -160)],
    ids=["short fingerprint", "no signature", "too late"],
)
def test_a_proof_that_is_malformed_or_late_is_refused(bench: Any, proof: bytes, wait_s: float, result: int) -> None:
    bench.plug(bench.spec(is_protected=True))
    wire = bench.wire()
    wire.ask(77, PREPARE)
    bench.clock.sleep(wait_s)
    assert wire.ask(77, proof) == (result, b"")


def test_what_a_unit_signs_is_the_documented_digest() -> None:
    digest = device_digest(bytes.fromhex("e00fce6819ef5f971ea9563a"), b"\xaa" * 32, bytes(range(32)))
    assert digest.hex() == "f5e26b2af6e80d200efbefe74dd4645d50356e582e8a9460ee6e9851736f84ff"


# --- assets, features, startup mode, SIMs ---


def test_required_assets_are_those_the_application_in_flash_names(bench: Any) -> None:
    files = {"cat.txt": b"meow", "dog.txt": b"woof"}
    needs = (Dependency(4, 1, 6200), None)
    app = make_module(13, (5, 2), 6, 0xB4000, b"an application".ljust(4000), needs, assets=files)
    spec = bench.spec()
    unit = bench.plug(replace(spec, modules=(*spec.modules[:3], app)))
    assert unit.mode is UnitMode.SAFE
    assert unit.report is not None
    assert unit.report.reason == "the application lacks cat.txt, dog.txt"
    result, reply = bench.wire().ask(91)
    found = asset_info(reply)
    assert (result, found.available) == (0, ())
    assert [(a.name, a.hash) for a in found.required] == [
        (name, hashlib.sha256(content).digest()) for name, content in files.items()
    ]


def test_an_application_without_assets_requires_none(bench: Any) -> None:
    bench.plug(bench.spec())
    assert bench.wire().ask(91) == (0, b"")


def test_ethernet_detection_is_a_cleared_bit_and_survives_a_restart(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    wire = bench.wire()
    assert wire.ask(34, b"\x08\x01") == (0, b"")
    assert wire.ask(33, bytes.fromhex("08 01 10 01")) == (0, b"")
    assert unit.memory.dct.get("feature_flags").hex(" ") == "fd ff ff ff"
    wire.ask(40)
    bench.clock.sleep(5.0)
    wire = bench.wire()
    assert wire.ask(34, b"\x08\x01") == (0, b"\x08\x01")
    assert wire.ask(33, b"\x08\x01") == (0, b"")
    assert wire.ask(34, b"\x08\x01") == (0, b"")
    for request_type in (33, 34):
        assert wire.ask(request_type, b"\x08\x02") == (NOT_SUPPORTED, b"")


def test_a_startup_mode_holds_for_one_start_in_safe_mode(bench: Any) -> None:
    unit = bench.plug(bench.spec(device_os="6.2.0"))
    assert bench.wire().ask(75, b"\x08\x01") == (0, b"")
    bench.wire().ask(60)
    bench.clock.sleep(5.0)
    assert unit.mode is UnitMode.LISTENING
    assert unit.report is not None
    assert unit.report.mode is BootMode.SAFE
    bench.wire().ask(60)
    bench.clock.sleep(5.0)
    assert unit.mode is UnitMode.SAFE


def test_a_startup_mode_can_be_taken_back(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    wire = bench.wire()
    wire.ask(75, b"\x08\x01")
    wire.ask(75)
    wire.ask(60)
    bench.clock.sleep(5.0)
    assert unit.mode is UnitMode.SAFE


def test_a_factory_reset_without_an_image_is_a_restart(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    before = unit.memory.dump()
    assert bench.wire().ask(41) == (0, b"")
    bench.clock.sleep(1.5)
    assert unit.mode is UnitMode.STARTING
    bench.until(unit, UnitMode.NORMAL)
    assert unit.memory.dump() == before


def test_sim_and_access_point_are_told_as_they_were_set(bench: Any) -> None:
    bench.plug(bench.spec())
    wire = bench.wire()
    assert wire.ask(553) == (0, b"\x08\x01")
    assert wire.ask(551, b"\x08\x01") == (0, message(1, number(4, 1)))
    stored = text(1, "carrier.example") + text(2, "me") + text(3, "secret")
    assert wire.ask(550, number(1, 2) + message(2, stored)) == (0, b"")
    assert wire.ask(552, M32) == (0, b"")
    wire.ask(40)
    bench.clock.sleep(5.0)
    wire = bench.wire()
    assert wire.ask(553) == (0, M32)
    assert wire.ask(551, b"\x08\x02") == (0, message(1, stored))
    assert wire.ask(551, b"\x08\x01") == (0, message(1, number(4, 1)))
    assert wire.ask(550, number(1, 2) + message(2, number(4, 1))) == (0, b"")
    assert wire.ask(551, b"\x08\x02") == (0, message(1, number(4, 1)))


M32 = b"\x08\x02"
"""SetActiveSimRequest of the reference's test vectors (usb-and-serial 9.3)."""


@pytest.mark.parametrize("request_type", [550, 551, 552])
def test_a_sim_that_does_not_exist_is_refused(bench: Any, request_type: int) -> None:
    bench.plug(bench.spec())
    for payload in (b"", b"\x08\x03"):
        assert bench.wire().ask(request_type, payload) == (NOT_SUPPORTED, b"")

"""Requests and replies against the vendor's bytes; decoders against anything at all."""

from __future__ import annotations

import contextlib
import string
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import LocalProtocolError, RemoteProtocolError, StrangeIdentity
from drivers.identity import DeviceId, Iccid, Imei, MacAddress, Secret, SerialNumber
from drivers.platforms import ModuleFunction, OsVersion
from drivers.wire import proto, requests
from drivers.wire.image.host import Dependency
from drivers.wire.messages import modules, network, system, tables
from drivers.wire.messages.modules import AssetInfo, ModuleInfo
from drivers.wire.messages.network import Interface, KnownNetwork, ScannedNetwork
from drivers.wire.messages.system import Protection
from drivers.wire.messages.tables import ConnectionStatus, InterfaceType, SimType, Store, WifiSecurity
from drivers.wire.results import describe_result

MESSAGES = {
    name: bytes.fromhex(text)
    for name, text in tomllib.loads(Path(__file__).with_name("usb_vectors.toml").read_text())["message"].items()
}
PASSWORD = Secret("hunter2hunter2")
CLAIM_CODE = Secret(f"{string.digits}{string.ascii_uppercase}{string.ascii_lowercase}+")
MAC = MacAddress.parse("a4b1c10203ff")


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("M5", requests.set_setup_done(True)),
        ("M9", requests.set_claim_code(CLAIM_CODE)),
        ("M13", requests.start_firmware_update(120_000)),
        ("M15", requests.firmware_update_data(bytes.fromhex("deadbeef"))),
        ("M16", requests.finish_firmware_update(validate_only=True)),
        ("M19", requests.join_new_network("factory-ap", PASSWORD, WifiSecurity.WPA2_PSK)),
        ("M20", requests.join_new_network("factory-ap", PASSWORD, WifiSecurity.WPA3_PSK, hidden=True)),
        ("M26", requests.get_interface(4)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_request_bytes(name: str, request_: requests.Request[object]) -> None:
    assert request_.payload == MESSAGES[name]


def test_default_requests_are_empty_on_the_wire() -> None:  # M6 as Python and the unit write it
    assert requests.set_setup_done(False).payload == b""
    assert requests.finish_firmware_update().payload == b""
    assert requests.get_device_id().payload == b""


@pytest.mark.parametrize("code", [CLAIM_CODE.reveal()[1:], CLAIM_CODE.reveal() + "/", "", "\N{DEGREE SIGN}" * 63])
def test_a_claim_code_that_a_unit_would_not_keep_whole_is_not_sent(code: str) -> None:
    with pytest.raises(LocalProtocolError, match=f"a claim code of {len(code)} characters") as caught:
        requests.set_claim_code(Secret(code))
    assert not code or code not in str(caught.value)


def test_no_trace_shows_a_claim_code() -> None:
    request = requests.set_claim_code(CLAIM_CODE)
    assert request.is_secret
    assert CLAIM_CODE.reveal() not in repr(request)


@pytest.mark.parametrize(("raw", "sim"), [(b"\x08\x01", SimType.INTERNAL), (b"\x08\x02", SimType.EXTERNAL)])
def test_the_sim_in_use_is_the_one_soldered_in_or_the_one_in_the_holder(raw: bytes, sim: SimType) -> None:
    assert requests.get_active_sim().decode(raw) is sim


@pytest.mark.parametrize("raw", [b"", b"\x08\x03"])
def test_a_sim_of_another_type_is_not_understood(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="expected 1 or 2"):
        requests.get_active_sim().decode(raw)


def test_m15_a_whole_chunk_takes_1027_bytes() -> None:
    payload = requests.firmware_update_data(bytes(1024)).payload
    assert len(payload) == 1027
    assert payload[:3] == b"\x0a\x80\x08"


M28_MODULE = ModuleInfo(
    function=ModuleFunction.SYSTEM_PART,
    index=1,
    version=6200,
    store=Store.MAIN,
    max_size=671744,
    size=657112,
    checked=0x1E,
    passed=0x1E,
    hash=b"\x11" * 32,
    dependencies=(Dependency(ModuleFunction.BOOTLOADER, 0, 3003), Dependency(ModuleFunction.RADIO_STACK, 0, 202)),
)


@pytest.mark.parametrize(
    ("name", "decode", "wanted"),
    [
        ("M1", requests.get_device_id().decode, DeviceId("e00fce6819ef5f971ea9563a")),
        ("M2", requests.get_serial_number().decode, SerialNumber("B40KAB926KXXXXX")),
        ("M3", requests.get_system_version().decode, OsVersion.parse("6.2.0")),
        ("M6", requests.is_setup_done().decode, False),
        ("M7", requests.get_device_mode().decode, True),
        ("M8", requests.is_claimed().decode, True),
        ("M10a", requests.get_protected_state().decode, Protection(True, False)),
        ("M10b", requests.get_protected_state().decode, Protection(False, True)),
        ("M14", requests.start_firmware_update(1).decode, 1024),
        ("M17", requests.get_connection_status().decode, ConnectionStatus.CONNECTED),
        ("M18", requests.get_iccid().decode, (Iccid("89314404000100000001"), Imei("350000000000006"))),
        (
            "M22",
            requests.get_known_networks().decode,
            (KnownNetwork("factory-ap", 3), KnownNetwork("open-net", 0)),
        ),
        (
            "M24",
            requests.scan_networks().decode,
            (
                ScannedNetwork("factory-ap", MAC, WifiSecurity.WPA_WPA2_PSK, 6, -61),
                ScannedNetwork("", MacAddress.parse("a4b1c1020400"), WifiSecurity.WPA2_PSK, 36, -80),
            ),
        ),
        (
            "M25",
            requests.get_interface_list().decode,
            (
                Interface(1, "lo0", InterfaceType.LOOPBACK),
                Interface(3, "en2", InterfaceType.ETHERNET),
                Interface(4, "wl3", InterfaceType.WIFI),
            ),
        ),
        (
            "M27",
            requests.get_interface(4).decode,
            Interface(4, "wl3", InterfaceType.WIFI, MacAddress.parse("94944a010203")),
        ),
        ("M28", requests.get_module_info().decode, (M28_MODULE,)),
        (
            "M29",
            requests.get_asset_info().decode,
            AssetInfo(available=(modules.Asset("cat.txt", b"\x22" * 32, 12),), required=()),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_reply_bytes(name: str, decode: Callable[[bytes], object], wanted: object) -> None:
    assert decode(MESSAGES[name]) == wanted


def test_empty_replies_are_messages_full_of_defaults() -> None:
    assert requests.get_device_mode().decode(b"") is False
    assert requests.is_claimed().decode(b"") is False
    assert requests.get_connection_status().decode(b"") is ConnectionStatus.DISCONNECTED
    assert requests.get_protected_state().decode(b"") == Protection(False, False)
    assert requests.get_known_networks().decode(b"") == ()
    with pytest.raises(RemoteProtocolError, match="name no module"):  # whoever answers runs one
        requests.get_module_info().decode(b"")
    assert requests.get_iccid().decode(b"") == (None, None)


def test_units_that_leave_zero_fields_out_read_the_same() -> None:  # M10, the unit's form
    assert requests.get_protected_state().decode(b"\x08\x01") == Protection(True, False)
    assert requests.get_protected_state().decode(b"\x10\x01") == Protection(False, True)


def test_old_module_info_is_brought_to_the_new_form() -> None:
    # type 2 (system), index 1, version 4100, size 469382, valid, depends on old type 6 (radio) 0 version 202;
    # then type 3 (user), index 2, dependencies failed
    system = bytes.fromhex("08 02 10 01 18 84 20 20 86 d3 1c 32 05 08 06 18 ca 01")
    user = bytes.fromhex("08 03 10 02 18 05 28 02")
    raw = b"".join(b"\x0a" + bytes((len(m),)) + m for m in (system, user))
    first, second = requests.get_module_info().decode(raw)
    assert (first.function, first.index, first.version, first.size) == (ModuleFunction.SYSTEM_PART, 1, 4100, 469_386)
    assert first.is_valid
    assert first.hash is None
    assert first.dependencies == (Dependency(ModuleFunction.RADIO_STACK, 0, 202),)
    assert second.function == ModuleFunction.USER_PART
    assert not second.is_valid
    assert second.failed == tables.CHECK_DEPENDENCIES


def test_module_info_in_the_text_of_the_console() -> None:  # reference usb-and-serial 4.1, 5.6
    raw = (
        b'{"p":6,"m":[{"s":16384,"l":"m","vc":30,"vv":30,"f":"b","n":"0","v":201,"d":[]},'
        b'{"s":131072,"l":"m","vc":30,"vv":26,"u":"' + b"AB" * 32 + b'","f":"u","n":"1","v":5,'
        b'"d":[{"f":"s","n":"2","v":1002,"_":""}]}]}'
    )
    boot, user = requests.get_module_info().decode(raw)
    assert (boot.function, boot.index, boot.version, boot.is_valid) == (ModuleFunction.BOOTLOADER, 0, 201, True)
    assert (user.function, user.failed, user.hash) == (
        ModuleFunction.USER_PART,
        tables.CHECK_DEPENDENCIES,
        b"\xab" * 32,
    )
    assert user.dependencies == (Dependency(ModuleFunction.SYSTEM_PART, 2, 1002),)


@pytest.mark.parametrize(
    "raw", [b"{", b"{}", b'{"m":7}', b'{"m":[7]}', b'{"m":[{"f":"q"}]}', b"{" * 5000, b"{\xff}", b'{"m":["a","b"]}']
)
def test_text_that_describes_no_modules_is_refused(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        requests.get_module_info().decode(raw)


def test_the_worked_module_info_with_explicit_zeros() -> None:  # reference firmware-and-dfu 6.1
    boot = "08 02 10 00 18 b9 17 20 00 28 80 80 03 35 1e 00 00 00 3d 1e 00 00 00 42 20" + "20" * 32 + "58 e6 f9 02"
    system = (
        "08 04 10 01 18 84 20 20 00 28 80 80 23 35 1e 00 00 00 3d 1a 00 00 00 42 20"
        + "b9" * 32
        + "4a 07 08 08 10 00 18 ca 01 4a 07 08 02 10 00 18 b0 09 58 8a d3 1c"
    )
    raw = bytes.fromhex("12 3d" + boot + "12 4f" + system)
    bootloader, part = requests.get_module_info().decode(raw)
    assert (bootloader.version, bootloader.max_size, bootloader.size) == (3001, 49_152, 48_358)
    assert bootloader.is_valid
    assert (part.version, part.size, part.failed) == (4100, 469_386, tables.CHECK_DEPENDENCIES)


@pytest.mark.parametrize(
    ("decode", "raw"),
    [
        (requests.get_device_id().decode, b"\x0a\x03abc"),
        (requests.get_device_id().decode, b""),
        (requests.get_serial_number().decode, b"\x0a\x01 "),
        (requests.get_system_version().decode, b"\x0a\xff\x01" + b"x" * 10),
        (requests.get_system_version().decode, b"\x0a\x80\x02" + b"x" * 256),
        (requests.get_system_version().decode, b"\x0a\x02\xff\xfe"),
        (requests.get_device_mode().decode, b"\x08\x02"),
        (requests.get_connection_status().decode, b"\x08\x09"),
        (requests.start_firmware_update(1).decode, b""),
        (requests.start_firmware_update(1).decode, b"\x08\x80\x80\x04"),
        (requests.get_iccid().decode, b"\x0a\x0388!"),
        (requests.get_known_networks().decode, b"\x0a\x00" * 129),
        (requests.get_module_info().decode, bytes.fromhex("12 05 08 02 42 01 ff")),
    ],
)
def test_replies_that_cannot_be_are_refused_in_one_sentence(decode: Callable[[bytes], object], raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(raw)
    assert "\n" not in str(caught.value)


def test_text_from_a_unit_is_fit_for_a_terminal() -> None:
    with pytest.raises(StrangeIdentity, match=r"'6\?\[m' is not written like"):
        requests.get_system_version().decode(b"\x0a\x046\x1b[m")
    network = requests.get_known_networks().decode(bytes.fromhex("0a 05 0a 03 ff 0a 41"))[0]
    assert network.ssid == "\ufffd?A"


@pytest.mark.rule("A13")
def test_an_interface_without_a_hardware_address_has_no_mac() -> None:
    assert requests.get_interface(3).decode(bytes.fromhex("0a 0a 08 03 42 06 00 00 00 00 00 00")).mac is None
    assert requests.get_interface(3).decode(bytes.fromhex("0a 04 08 03 42 00")).mac is None


DECODERS = [
    modules.module_info,
    modules.asset_info,
    system.device_id,
    system.serial_number,
    system.system_version,
    system.is_listening,
    system.flag,
    system.protection,
    system.connection_status,
    system.chunk_size,
    network.cellular_identity,
    network.interface_list,
    network.interface,
    network.known_networks,
    network.scanned_networks,
]


@pytest.mark.parametrize("decode", DECODERS, ids=lambda d: d.__name__)
@given(raw=st.one_of(st.binary(max_size=200), st.sampled_from(sorted(MESSAGES.values()))), cut=st.integers(0, 200))
def test_decoders_raise_nothing_but_remote_protocol_errors(
    decode: Callable[[bytes], object], raw: bytes, cut: int
) -> None:
    with contextlib.suppress(RemoteProtocolError):
        decode(raw)
    with contextlib.suppress(RemoteProtocolError):
        decode(raw[:cut])


# --- what we refuse to send ----------------------------------------------------------------------


@pytest.mark.parametrize("ssid", ["", "x" * 33, "ü" * 17])
def test_a_network_name_that_may_crash_the_unit_is_never_sent(ssid: str) -> None:
    with pytest.raises(LocalProtocolError):
        requests.join_new_network(ssid, None, WifiSecurity.NONE)


def test_limits_of_passwords_and_payloads() -> None:
    with pytest.raises(LocalProtocolError):
        requests.join_new_network("a", Secret("x" * 65), WifiSecurity.WPA2_PSK)
    with pytest.raises(LocalProtocolError):
        requests.firmware_update_data(b"x" * 65536)


@pytest.mark.rule("A7")
def test_secret_requests_say_so_and_never_show_their_payload() -> None:
    join = requests.join_new_network("factory-ap", PASSWORD, WifiSecurity.WPA2_PSK)
    assert join.is_secret
    assert "hunter2" not in repr(join)
    assert not requests.get_device_id().is_secret


def test_an_open_network_carries_no_credentials() -> None:
    assert requests.join_new_network("open-net", None, WifiSecurity.NONE).payload == b"\x0a\x08open-net"


def test_result_codes_have_words_and_their_number() -> None:
    assert describe_result(-120) == "not supported (-120)"
    assert describe_result(-1340).endswith("(-1340)")
    assert describe_result(-2) == "a code without a name (-2)"
    assert describe_result(-1705) == "PPP error (-1705)"


def test_committed_messages_are_what_the_proto_text_gives(tmp_path: Path) -> None:
    protoc = pytest.importorskip("grpc_tools.protoc", reason="grpcio-tools is not installed")
    root = Path(__file__).parents[3]
    folder = Path(proto.__file__).parent
    texts = sorted(folder.glob("*.proto"))
    assert len(texts) == 2
    names = [str(text.relative_to(root)) for text in texts]
    arguments = ["protoc", f"-I{root}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", *names]
    assert protoc.main(arguments) == 0
    made = sorted(path for path in tmp_path.rglob("*_pb2.py*"))
    assert len(made) == 4, sys.version
    for path in made:
        assert path.read_text() == (root / path.relative_to(tmp_path)).read_text(), f"run protoc again for {path.name}"

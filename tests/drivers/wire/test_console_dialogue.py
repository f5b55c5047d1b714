"""The listening-mode console, fed whole, byte by byte and split anywhere."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import DriverError, LocalProtocolError, RemoteProtocolError
from drivers.identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, Secret, SerialNumber
from drivers.platforms import ModuleFunction
from drivers.wire.console import host as console
from drivers.wire.console import wifi
from drivers.wire.console.host import ConsoleDialogue, ConsoleIdentity, Done, Write
from drivers.wire.console.wifi import WifiOutcome
from drivers.wire.image.host import Dependency
from drivers.wire.messages.tables import Store, WifiSecurity

VERSION = b"system firmware version: 6.2.0\n\r\n"
DEVICE_ID = "e00fce6819ef5f971ea9563a"
ARGON_I = f"Device ID: {DEVICE_ID}\r\nDevice Secret: 3ABCDEFGH123456\r\nSerial Number: P044AB926KXXXXX\r\n".encode()
BORON_I = ARGON_I + b"IMEI: 350000000000006\r\nICCID: 89314404000100000001\r\nCell Radio Version: L0.0.00.00.05.08\r\n"
DESCRIPTION = (
    b'{"p":12,"imei":"350000000000006","m":[{"s":49152,"l":"m","vc":30,"vv":30,"f":"b","n":"0","v":3001,"d":[]},'
    b'{"s":573440,"l":"m","vc":30,"vv":26,"f":"s","n":"1","v":6200,"d":[{"f":"b","n":"0","v":3100},'
    b'{"f":"a","n":"0","v":202}]},{"s":262144,"l":"f","vc":30,"vv":30,"u":"' + b"AB" * 32 + b'","f":"u","n":"2","v":6,'
    b'"d":[{"f":"s","n":"1","v":6200}],"_":0}]}\r\n'
)
IDENTITY = ConsoleIdentity(
    DeviceId(DEVICE_ID), SerialNumber("P044AB926KXXXXX"), MobileSecret("3ABCDEFGH123456"), None, None, None
)


def ways_to_split(raw: bytes) -> dict[str, list[bytes]]:
    thirds = [raw[:7], raw[7:-5], raw[-5:]]
    return {"whole": [raw], "bytes": [raw[i : i + 1] for i in range(len(raw))], "thirds": thirds}


def feed_all(dialogue: ConsoleDialogue[Any], pieces: Iterable[bytes]) -> Any:
    events = [event for piece in pieces for event in dialogue.feed(piece)]
    assert len(events) == 1, events
    assert isinstance(events[0], Done)
    return events[0].value


QUERIES: list[tuple[str, Callable[[], console.Query[Any]], bytes, bytes, object]] = [
    ("v", console.version, b"v", VERSION, "6.2.0"),
    ("v minimal", console.version, b"v", b"system firmware version: 0.9.0 minimal\n\r\n", "0.9.0 minimal"),
    ("i argon", console.identity, b"iv", ARGON_I + VERSION, IDENTITY),
    (
        "i boron",
        console.identity,
        b"iv",
        BORON_I + VERSION,
        ConsoleIdentity(
            IDENTITY.device_id,
            IDENTITY.serial,
            IDENTITY.secret,
            Imei("350000000000006"),
            Iccid("89314404000100000001"),
            "L0.0.00.00.05.08",
        ),
    ),
    (
        "i boron without modem",
        console.identity,
        b"iv",
        ARGON_I + b"IMEI: \r\nICCID: \r\n" + VERSION,
        IDENTITY,
    ),
    (
        "i old photon",
        console.identity,
        b"iv",
        f"Your device id is {DEVICE_ID}\r\n".encode() + VERSION,
        ConsoleIdentity(DeviceId(DEVICE_ID), None, None, None, None, None),
    ),
    (
        "m",
        console.mac,
        b"mv",
        b"Your device MAC address is\r\n94:94:4a:01:02:03\r\n" + VERSION,
        MacAddress.parse("94944a010203"),
    ),
    ("m none", console.mac, b"mv", b"Your device MAC address is\r\nff:ff:ff:ff:ff:ff\r\n" + VERSION, None),
    ("m zero", console.mac, b"mv", b"Your device MAC address is\r\n00:00:00:00:00:00\r\n" + VERSION, None),
    ("c yes", console.claimed, b"cv", b"Device claimed: yes\r\n" + VERSION, True),
    ("c no", console.claimed, b"cv", b"Device claimed: no\r\n" + VERSION, False),
]


@pytest.mark.parametrize("how", ["whole", "bytes", "thirds"])
@pytest.mark.parametrize(("name", "make", "keys", "answer", "wanted"), QUERIES, ids=[row[0] for row in QUERIES])
def test_queries(
    name: str, make: Callable[[], console.Query[Any]], keys: bytes, answer: bytes, wanted: object, how: str
) -> None:
    dialogue = make()
    assert dialogue.begin().data == keys
    assert feed_all(dialogue, ways_to_split(answer)[how]) == wanted


@pytest.mark.parametrize("how", ["whole", "bytes", "thirds"])
def test_module_description(how: str) -> None:
    dialogue = console.modules()
    assert dialogue.begin().data == b"sv"
    found = feed_all(dialogue, ways_to_split(DESCRIPTION + VERSION)[how])
    assert (found.platform_id, found.imei, found.iccid) == (12, Imei("350000000000006"), None)
    boot, system, user = found.modules
    assert (boot.function, boot.index, boot.version, boot.max_size) == (ModuleFunction.BOOTLOADER, 0, 3001, 49152)
    assert system.failed == 0x04
    assert system.dependencies[1] == Dependency(ModuleFunction.RADIO_STACK, 0, 202)
    assert user.store is Store.FACTORY
    assert user.hash == b"\xab" * 32


def test_noise_and_answers_of_an_abandoned_query_are_skipped() -> None:
    noise = b"AT+GCAP\r\n\x00\xff" + VERSION + b"Your device MAC address is\r\n94:94:4a:01:02:03\r\n" + VERSION
    assert feed_all(console.identity(), [noise, ARGON_I, VERSION]) == IDENTITY


def test_an_answer_is_not_complete_before_its_end_mark() -> None:
    dialogue = console.identity()
    assert dialogue.feed(ARGON_I) == []
    assert dialogue.feed(VERSION[:-1]) == []
    assert dialogue.feed(VERSION[-1:]) == [Done(IDENTITY)]


@pytest.mark.rule("A7")
def test_the_mobile_secret_stays_hidden() -> None:
    done = console.identity().feed(ARGON_I + VERSION)
    assert "3ABCDEFGH123456" not in repr(done)
    assert "3ABCDEFGH123456" not in repr(done[0].value)  # type: ignore[union-attr]
    with pytest.raises(RemoteProtocolError) as caught:
        console.identity().feed(ARGON_I.replace(b"3ABCDEFGH123456", b"3ABCDEFGH") + VERSION)
    assert "3ABCDEFGH" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        b"Device ID: 123\r\n",
        b"Device ID: \r\n",
        ARGON_I.replace(b"P044", b"...."),
        BORON_I.replace(b"350000000000006", b"35"),
        BORON_I.replace(b"8931", b"!?31"),
    ],
)
def test_identities_that_cannot_be_are_refused(answer: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        console.identity().feed(answer + VERSION)


def test_a_sims_number_is_kept_as_printed_however_odd() -> None:
    (done,) = console.identity().feed(BORON_I.replace(b"8931", b"12B1") + VERSION)
    iccid = done.value.iccid  # type: ignore[union-attr]
    assert iccid is not None
    assert (str(iccid), iccid.is_odd) == ("12B14404000100000001", True)


@pytest.mark.parametrize(
    "line",
    [
        b'{"p":12}',
        b'{"p":"x","m":[]}',
        b'{"p":12,"m":[{}]}',
        b'{"p":12,"m":[1]}',
        b'{"p":12,"m":3}',
        b'{"p":12,"m":[]',
        b'{"p":12,"m":[],"imei":"1"}',
        b'{"p":1e999,"m":[]}',
        b'{"p":' + b"9" * 5000 + b',"m":[]}',
        b'{"p":12,"m":' + b"[" * 12000 + b"]" * 12000 + b"}",
        b'{"p":12,"m":[{"s":1,"l":"m","vc":1,"vv":1,"f":"q","n":"0","v":1,"d":[]}]}',
        b'{"p":12,"m":[{"s":1,"l":"m","vc":1,"vv":1,"f":"u","n":"0","v":1,"u":"xy","d":[]}]}',
    ],
    ids=range(12),
)
def test_descriptions_that_cannot_be_are_refused(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        console.parse_description(line)


def test_a_unit_that_talks_without_end_is_stopped() -> None:
    dialogue = console.version()
    for _ in range(66):
        assert dialogue.feed(b"x" * 16_000) == []
    with pytest.raises(RemoteProtocolError):
        dialogue.feed(b"x" * 16_000)


def test_what_an_application_prints_before_and_between_replies_is_skipped() -> None:
    dialogue = console.version()
    for _ in range(40):
        assert dialogue.feed(b"tick 0123456789\r\n" * 1000) == []
    assert [event.value for event in dialogue.feed(b"system firmware version: 6.2.0\n\r\n")] == ["6.2.0"]  # type: ignore[union-attr]


# --- Wi-Fi ---------------------------------------------------------------------------------------

SSID = b"SSID: "
SECURITY = b"Security 0=unsecured, 1=WEP, 2=WPA, 3=WPA2: "
SECURITY_PHOTON = b"Security 0=unsecured, 1=WEP, 2=WPA, 3=WPA2, 4=WPA Enterprise, 5=WPA2 Enterprise: "
CIPHER = b"Security Cipher 1=AES, 2=TKIP, 3=AES+TKIP: "
PASSWORD = b"Password: "
SAVING = b"Thanks! Wait while I save those credentials...\r\n\r\n"
SAVED = (
    b"Awesome. Now we'll connect!\r\n\r\nIf you see a pulsing cyan light, your device \r\n"
    b"has connected to the Cloud and is ready to go!\r\n\r\n"
    b"If your LED flashes red or you encounter any other problems,\r\n"
    b"visit https://www.particle.io/support to debug.\r\n\r\n    Particle <3 you!\r\n\r\n"
)
DERP = b"Derp. Sorry, we couldn't save the credentials.\r\n\r\n"


class ConsoleUnit:
    """A unit at the dialogue's other end: echoes, prompts in the order given, flushes what was typed ahead."""

    def __init__(self, prompts: list[bytes], end: bytes) -> None:
        self._prompts, self._end = prompts, end
        self.answers: list[bytes] = []

    def hears(self, data: bytes) -> bytes:
        if data == b"w":
            return self._prompts.pop(0)
        assert data.endswith(b"\n")
        assert data.count(b"\n") == 1
        self.answers.append(data[:-1])
        return data[:-1] + b"\r\n" + (self._prompts.pop(0) if self._prompts else self._end)


def talk(unit: ConsoleUnit, dialogue: wifi.WifiDialogue, split: Callable[[bytes], list[bytes]]) -> WifiOutcome:
    event: Write | Done[WifiOutcome] = dialogue.begin()
    while isinstance(event, Write):
        assert event.timeout_s > 0
        events = [e for piece in split(unit.hears(event.data)) for e in dialogue.feed(piece)]
        assert len(events) == 1
        event = events[0]
    return event.value


FLOWS = {
    "seen by the scan": ([SSID, PASSWORD], [b"bench", b"hunter2!"]),
    "not seen": ([SSID, SECURITY, CIPHER, PASSWORD], [b"bench", b"3", b"1", b"hunter2!"]),
    "not seen by a photon": ([SSID, SECURITY_PHOTON, PASSWORD], [b"bench", b"3", b"hunter2!"]),
}


@pytest.mark.parametrize("how", ["whole", "bytes"])
@pytest.mark.parametrize("flow", FLOWS)
def test_wifi_dialogue(flow: str, how: str) -> None:
    prompts, answers = FLOWS[flow]
    unit = ConsoleUnit(list(prompts), SAVING + SAVED)
    dialogue = wifi.store_wifi("bench", Secret("hunter2!"), WifiSecurity.WPA2_PSK)
    split = {"whole": lambda raw: [raw], "bytes": lambda raw: [raw[i : i + 1] for i in range(len(raw))]}[how]
    assert talk_until_done(unit, dialogue, split) is WifiOutcome.SAVED
    assert unit.answers == answers


def talk_until_done(
    unit: ConsoleUnit, dialogue: wifi.WifiDialogue, split: Callable[[bytes], list[bytes]]
) -> WifiOutcome:
    """Like `talk`, but what follows the end (blank lines) is not fed: the owner stops reading at `Done`."""
    event: Write | Done[WifiOutcome] | None = dialogue.begin()
    while isinstance(event, Write):
        pieces = iter(split(unit.hears(event.data)))
        event = None
        while event is None:
            found = dialogue.feed(next(pieces))
            event = found[0] if found else None
        assert isinstance(event, Done) or next(pieces, None) is None, "an answer came before its prompt was complete"
    assert isinstance(event, Done)
    return event.value


@settings(max_examples=60)
@given(st.data())
def test_wifi_dialogue_split_anywhere(data: st.DataObject) -> None:
    def split(raw: bytes) -> list[bytes]:
        cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(raw) - 1)), max_size=6)))
        return [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True) if a < b]

    unit = ConsoleUnit([SSID, SECURITY, CIPHER, PASSWORD], SAVING + SAVED)
    dialogue = wifi.store_wifi("bench", Secret("hunter2!"), WifiSecurity.WPA3_PSK)
    assert talk_until_done(unit, dialogue, split) is WifiOutcome.SAVED
    assert unit.answers == [b"bench", b"6", b"1", b"hunter2!"]


def test_echoes_that_look_like_prompts_are_not_answered() -> None:
    unit = ConsoleUnit([SSID, PASSWORD], SAVING + SAVED)
    dialogue = wifi.store_wifi("Password: ", Secret("<3 you!"), WifiSecurity.WPA2_PSK)
    assert talk_until_done(unit, dialogue, lambda raw: [raw[i : i + 1] for i in range(len(raw))]) is WifiOutcome.SAVED
    assert unit.answers == [b"Password: ", b"<3 you!"]


def test_a_unit_that_cannot_save_says_so() -> None:
    unit = ConsoleUnit([SSID, PASSWORD], SAVING + DERP)
    dialogue = wifi.store_wifi("bench", Secret("hunter2!"), WifiSecurity.WPA2_PSK)
    assert talk(unit, dialogue, lambda raw: [raw]) is WifiOutcome.NOT_SAVED


def test_an_open_network_is_asked_for_its_cipher_too() -> None:
    unit = ConsoleUnit([SSID, SECURITY, CIPHER], SAVING + SAVED)
    dialogue = wifi.store_wifi("open", None, WifiSecurity.NONE)
    assert talk_until_done(unit, dialogue, lambda raw: [raw]) is WifiOutcome.SAVED
    assert unit.answers == [b"open", b"0", b"1"]


@pytest.mark.parametrize("prompt", [SSID, b"EAP Type 0=PEAP/MSCHAPv2, 1=EAP-TLS: ", b"Username: "])
def test_a_repeated_or_enterprise_prompt_ends_the_dialogue(prompt: bytes) -> None:
    unit = ConsoleUnit([SSID, prompt], b"")
    with pytest.raises(RemoteProtocolError):
        talk(unit, wifi.store_wifi("bench", None, WifiSecurity.NONE), lambda raw: [raw])


def test_another_program_on_the_port_is_noticed_by_the_echo() -> None:
    dialogue = wifi.store_wifi("bench", Secret("hunter2!"), WifiSecurity.WPA2_PSK)
    dialogue.feed(SSID)
    with pytest.raises(RemoteProtocolError) as caught:
        dialogue.feed(b"beAT+CGMI")
    assert "ModemManager" in str(caught.value)


def test_only_the_password_is_secret_on_the_wire_and_none_shows() -> None:
    dialogue = wifi.store_wifi("bench", Secret("hunter2!"), WifiSecurity.WPA2_PSK)
    (name,) = dialogue.feed(SSID)
    (password,) = dialogue.feed(b"bench\r\n" + PASSWORD)
    assert isinstance(name, Write)
    assert isinstance(password, Write)
    assert (name.is_secret, password.is_secret) == (False, True)
    assert "hunter2!" not in repr(password)


@pytest.mark.parametrize(
    ("ssid", "password"), [("", ""), ("x" * 33, ""), ("a\nb", ""), ("a", "b\x08c"), ("a", "x" * 65)]
)
def test_what_cannot_be_typed_is_refused_before_the_first_key(ssid: str, password: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        wifi.store_wifi(ssid, Secret(password), WifiSecurity.WPA2_PSK)
    assert not password or password not in str(caught.value)


MAKERS = [
    console.version,
    console.identity,
    console.mac,
    console.claimed,
    console.modules,
    lambda: wifi.store_wifi("bench", Secret("hunter2!"), WifiSecurity.WPA2_PSK),
]
FRAGMENTS = [
    SSID,
    PASSWORD,
    CIPHER,
    VERSION,
    ARGON_I,
    DESCRIPTION,
    SAVED,
    b'{"p":',
    b"}\r\n",
    b"Device ID: ",
    b"bench\r\n",
]


@settings(max_examples=150)
@given(st.sampled_from(MAKERS), st.lists(st.one_of(st.binary(max_size=30), st.sampled_from(FRAGMENTS)), max_size=15))
def test_whatever_a_unit_prints_raises_only_our_own_errors(
    make: Callable[[], ConsoleDialogue[Any]], pieces: list[bytes]
) -> None:
    dialogue = make()
    with contextlib.suppress(DriverError):
        for piece in pieces:
            if any(isinstance(event, Done) for event in dialogue.feed(piece)):
                break

"""Ways in which a unit may be hostile, each on any family: what it shows, answers and prints is not to be believed.

A row makes `Lies` for a seed.
"""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from drivers.virtual.control_service import Outcome, service_reply
from drivers.virtual.messages import message, number, text
from drivers.wire.control.tables import ServiceStatus
from drivers.wire.usb import Setup

from .hostile_unit import Lies, Tamper, answering, corrupting, is_dfu, is_service, on

Row = Callable[[int], Lies]
ESCAPES = "\x1b[2J\x1b]0;owned\x07[bold]=cmd|' /C calc'!A0\u202e"


def at(match: Callable[[Setup], bool], *replies: bytes) -> Row:
    """Transfers that ``match`` get these replies in turn, without end."""

    def make(_seed: int) -> Lies:
        turn = itertools.cycle(replies)
        return Lies(on(match, lambda: next(turn)))

    return make


def noise(match: Callable[[Setup], bool], share: float = 1.0) -> Row:
    """Transfers that ``match`` get random bytes of a random length."""

    def make(seed: int) -> Lies:
        dice = random.Random(f"hostile {seed}")

        def tamper(setup: Setup, reply: bytes) -> bytes:
            return dice.randbytes(dice.randrange(setup.length + 1)) if match(setup) and dice.random() < share else reply

        return Lies(tamper)

    return make


def descriptor(kind: int, index: int | None = None) -> Callable[[Setup], bool]:
    """A descriptor of that kind and index is asked for; None: of any index but 0."""
    return lambda setup: (
        (setup.request_type, setup.request, setup.value >> 8) == (0x80, 6, kind)
        and (setup.value & 0xFF == index if index is not None else setup.value & 0xFF > 0)
    )


def is_map(setup: Setup) -> bool:
    """The name of an interface is asked for: in DFU mode the map of a memory."""
    return descriptor(3)(setup) and setup.value & 0xFF > 3


def string(words: str) -> bytes:
    raw = words.encode("utf-16-le", "surrogatepass")[:252]
    return bytes([len(raw) + 2, 3]) + raw


def raw_request(index: int) -> Callable[[Setup], bool]:
    return lambda setup: (setup.request_type, setup.request, setup.index) == (0xC0, 0x50, index)


def printed(*pieces: bytes) -> Row:
    """The console prints that, whatever it is asked, as fast as it is read."""
    return lambda _seed: Lies(console=b"".join(pieces))


def heard(change: Callable[[bytes, random.Random], bytes]) -> Row:
    """What the console prints is changed on its way."""

    def make(seed: int) -> Lies:
        dice = random.Random(f"hostile {seed}")
        return Lies(printed=lambda data: change(data, dice))

    return make


def flipped(data: bytes, dice: random.Random) -> bytes:
    return bytes(one ^ (1 << dice.randrange(8)) if dice.random() < 0.05 else one for one in data)


def only_in_dfu(tamper: Tamper) -> Tamper:
    return lambda setup, reply: tamper(setup, reply) if setup.request_type == 0xA1 else reply


def check_lie(size: Callable[[int], int]) -> Row:
    """CHECK tells another size of each reply than it has."""

    def tamper(setup: Setup, reply: bytes) -> bytes:
        if is_service(2)(setup) and len(reply) == 14:
            (told,) = struct.unpack_from("<I", reply, 6)
            return reply[:6] + struct.pack("<I", size(told)) + reply[10:]
        return reply

    return lambda _seed: Lies(tamper)


def other_ids(setup: Setup, reply: bytes) -> bytes:
    """INIT tells the number of another request."""
    return reply[:6] + bytes([reply[6] ^ 0x55]) + reply[7:] if is_service(1)(setup) and len(reply) >= 8 else reply


def fixed(tamper: Tamper) -> Row:
    return lambda _seed: Lies(tamper)


def status(state: int, poll_ms: int = 0, code: int = 0) -> bytes:
    return bytes([code]) + poll_ms.to_bytes(3, "little") + bytes([state, 0])


def in_dfu(setup: Setup) -> bool:
    return is_dfu(2)(setup) and setup.value >= 2


OTHER_UNIT = b"Device ID: e00fce68aabbccddeeff0011\r\n"
LONG = b"\x09\x02\xff\xff\x01\x01\0\x80\x32"  # the head of a configuration of 64 kB
DESCRIPTORS: Mapping[str, Row] = MappingProxyType(
    {
        "no strings": at(descriptor(3), b""),
        "strings of one byte": at(descriptor(3), b"\x02"),
        "strings that lie about their length": at(descriptor(3), b"\xff\x03A\0", b"\x02\x03A\0B\0", b"\0\0"),
        "strings of another kind": at(descriptor(3), b"\x22\x09" + b"A\0" * 16),
        "strings that act on a terminal": at(descriptor(3), string(ESCAPES * 3)),
        "strings of half characters": at(descriptor(3), string("\ud800" * 100)),
        "strings that change": noise(descriptor(3)),
        "other IDs in turn": at(descriptor(3, 3), *(string(f"e00fce68{n:016x}") for n in range(7))),
        "another language": at(descriptor(3, 0), b"\x04\x03\xff\xff", b""),
        "no configuration": at(descriptor(2, 0), b""),
        "a configuration of descriptors without length": at(descriptor(2, 0), LONG + b"\0" * 64),
        "a configuration without interfaces": at(descriptor(2, 0), b"\x09\x02\x09\0\0\x01\0\x80\x32"),
        "a configuration that changes": noise(descriptor(2, 0)),
    }
)  # fmt: skip
SERVICES: Mapping[str, Row] = MappingProxyType(
    {
        "pending for ever": at(is_service(2), service_reply(ServiceStatus.PENDING)),
        "busy for ever": at(is_service(1), service_reply(ServiceStatus.BUSY)),
        "no memory for ever": at(is_service(1), service_reply(ServiceStatus.NO_MEMORY)),
        "never heard of": at(is_service(2), service_reply(ServiceStatus.NOT_FOUND)),
        "done, and no result": at(is_service(2), service_reply(ServiceStatus.OK)),
        "other numbers": fixed(other_ids),
        "replies of 4 GB": check_lie(lambda _: 0xFFFFFFFF),
        "replies of 64 kB": check_lie(lambda _: 0xFFFF),
        "replies of twice the size": check_lie(lambda told: 2 * told),
        "replies of one byte": check_lie(lambda _: 1),
        "a result above zero": at(is_service(2), service_reply(ServiceStatus.OK, result=77)),
        "a result beyond reason": at(is_service(2), service_reply(ServiceStatus.OK, result=-(2**31))),
        "statuses of no protocol": at(is_service(2), struct.pack("<IH", 1, 99), struct.pack("<IH", 0xFFFFFFFF, 0), b""),
        "replies cut short": at(is_service(1), b"\x03\0\0\0\0\0\x01", b"\x03"),
        "noise for replies": noise(lambda setup: setup.request_type == 0xC0, 0.5),
    }
)
BOMBS: Mapping[str, bytes] = MappingProxyType(
    {
        "numbers without end": b"\xff" * 60_000,
        "messages in messages": b"\x0a\xff\x7f" * 5_000,
        "groups in groups": b"\x0b" * 60_000,
        "nine thousand modules": message(2, number(1, 5)) * 9_000,
        "a text of 60 kB": text(1, "P" * 60_000),
        "a text that acts on a terminal": text(1, ESCAPES),
        "numbers of 63 bits": number(1, 2**63 - 1) + number(2, 2**63 - 1) + number(4, 2**63 - 1),
        "lists in lists": b"[" * 60_000,
        "objects in objects": b'{"m":' * 12_000,
        "a number of 60,000 digits": b'{"net:rssi":' + b"9" * 60_000 + b"}",
        "modules of nothing": b'{"m":[{},null,7,[]]}',
        "nothing at all": b"",
        "a Device ID of another unit": text(1, "e00fce68aabbccddeeff0011"),
    }
)
"""What one control request comes to, whatever it is about."""


def bomb(kind: int, name: str) -> Lies:
    """The replies to one kind of request are a bomb."""
    return Lies(requests={kind: answering(Outcome(data=BOMBS[name]))})


RAW_ONES: Mapping[str, Row] = MappingProxyType(
    {
        "a version that acts on a terminal": at(raw_request(30), ESCAPES.encode()[:64]),
        "a version beyond reason": at(raw_request(30), b"9999999999.9999999999.9999999999"),
        "no version": at(raw_request(30), b"", b"\0" * 64),
        "versions in turn": at(raw_request(30), b"6.3.4", b"0.5.0", b"3.3.1"),
        "other IDs by raw request": at(raw_request(20), b"E00FCE68AABBCCDDEEFF0011", b"\x1b[2J"),
    }
)
CONSOLES: Mapping[str, Row] = MappingProxyType(
    {
        "a flood": printed(b"x"),
        "a flood of lines": printed(b"0000012345 [app] INFO: loop\r\n"),
        "a flood of prompts": printed(b"SSID: "),
        "a flood of NULs": printed(b"\0"),
        "escape codes": printed(ESCAPES.encode()),
        "an ID without end": printed(b"Device ID: "),
        "a version again and again": printed(b"system firmware version: 6.3.4\n\r\n"),
        "another unit": printed(OTHER_UNIT, b"system firmware version: 6.3.4\n\r\n"),
        "half lines": heard(lambda data, dice: data[: dice.randrange(len(data))]),
        "NULs between": heard(lambda data, _: b"\0".join(bytes([one]) for one in data)),
        "flipped bits": heard(flipped),
        "silence": heard(lambda data, _: b""),
        "another unit's ID among the lines": heard(lambda data, _: data.replace(b"\r\n", b"\r\n" + OTHER_UNIT, 1)),
    }
)  # fmt: skip
BOOTLOADERS: Mapping[str, Row] = MappingProxyType(
    {
        "a wait of hours": at(is_dfu(3), status(4, 0xFFFFFF)),
        "busy for ever": at(is_dfu(3), status(4, 500)),
        "a minute, for ever": at(is_dfu(3), status(4, 60_000)),
        "an error for ever": at(is_dfu(3), status(10, 0, 14)),
        "states of no protocol": at(is_dfu(3), status(99), status(2, 0, 99), b"\0\0"),
        "an application's state": at(is_dfu(3), status(0)),
        "blocks cut short": at(is_dfu(2), b"\xff" * 7),
        "blocks of nothing": at(is_dfu(2), b""),
        "blocks that change": noise(in_dfu),
        "a map that acts on a terminal": at(is_map, string("@" + ESCAPES)),
        "a map beyond reason": at(
            is_map, string("@Internal Flash   /0x00000000/99999999*999999Kg")
        ),
        "a map of another memory": at(
            is_map, string("@Internal Flash   /0xFFFF0000/1*004Kg")
        ),
        "noise for bytes": lambda seed: Lies(only_in_dfu(corrupting(seed, 0.05))),
    }
)  # fmt: skip
EVERY: Mapping[str, Mapping[str, Row]] = MappingProxyType(
    {
        "descriptors": DESCRIPTORS, "services": SERVICES, "raw requests": RAW_ONES, "consoles": CONSOLES,
        "bootloaders": BOOTLOADERS,
    }
)  # fmt: skip

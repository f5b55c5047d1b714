"""A unit of every family and of every Device OS era in which a walk asks something else, and what it is really asked.

`asked_of` records a whole undisturbed walk on the virtual unit's side: what a step of tomorrow asks is in the record
without anybody naming it. `Wire` is where a test refuses what a unit is asked, or garbles what its console prints.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from line_bench import SSID, LineBench, Recipe, line_bench

from drivers.platforms import OsVersion
from drivers.virtual.bus import Presence
from drivers.virtual.faults import is_init, parse_fault
from drivers.virtual.unit import VirtualUnit
from drivers.wire.control.tables import RAW_REQUEST, RequestType
from drivers.wire.usb import Setup
from station.model import Verdict

WIFI = f'[wifi]\nssid = "{SSID}"\npassword = "env:STORY_WIFI"\n'
MEASURED, FORGOTTEN = WIFI + "min_signal = -80", WIFI + "min_signal = -80\nkeep = false"
TESTED = """
[[app_test]]
request = "selftest"
timeout_s = 5
[app_test.limits.vbat]
min = 3.6
max = 4.2
"""


@dataclass(frozen=True)
class Whole(Recipe):
    """A profile that wants of a unit all that its platform and Device OS offer."""

    is_tested: bool = True

    def text(self) -> str:
        return super().text() + (TESTED if self.is_tested else "")


@dataclass(frozen=True)
class Era:
    """A unit as it comes, and the profile it is walked by."""

    slug: str
    arrives: str
    target: str | None = None  # Device OS of the profile; None: the unit keeps its own
    networks: str = ""  # [wifi] of the profile

    def __str__(self) -> str:
        return f"{self.slug}@{self.arrives}" + (f" to {self.target}" if self.target else "")

    @property
    def recipe(self) -> Whole:
        recipe = Whole(
            self.slug, device_os=self.target, keeps="" if self.target else self.arrives, networks=self.networks,
            online=True, is_tested=OsVersion.parse(self.arrives) >= OsVersion.parse("0.8.0-0"),
        )  # fmt: skip
        return replace(recipe, application=recipe.program("selftest"))


ERAS = (
    Era("photon", "0.5.5", networks=WIFI),  # nothing but the console
    Era("photon", "0.7.0", networks=WIFI),  # raw requests, and a dialogue that scans
    Era("photon", "1.0.1", networks=FORGOTTEN),  # requests for Wi-Fi; most identities by the console
    Era("photon", "1.5.2", networks=FORGOTTEN),
    Era("photon", "3.3.1", networks=MEASURED),  # no request for Wi-Fi any more
    Era("p1", "3.3.1", networks=WIFI),
    Era("electron", "0.7.0"),
    Era("electron", "1.4.4"),
    Era("electron", "3.3.1"),
    Era("argon", "1.4.4", networks=FORGOTTEN),  # the setup-done flag
    Era("argon", "3.3.1", "6.3.4", networks=FORGOTTEN),  # an update over control requests
    Era("argon", "6.1.0", networks=MEASURED),  # protection is asked for; no request 507
    Era("boron", "1.4.4"),
    Era("boron", "3.3.1", "6.3.4"),
    Era("boron", "6.2.0"),
    Era("esomx", "6.2.0"),
    Era("bsom", "2.3.1"),
    Era("b5som", "5.9.0"),
    Era("tracker", "3.3.1"),
    Era("trackerm", "6.3.4"),
    Era("p2", "5.0.1", networks=FORGOTTEN),
    Era("p2", "6.3.4", networks=MEASURED),
    Era("msom", "6.1.0", networks=FORGOTTEN),
)

# --- the wire -----------------------------------------------------------------------------------------


def _pass(_: object) -> None: ...


@dataclass
class Wire:
    """What reaches a unit and what leaves its console, under a test's eyes and hands.

    ``on_request`` sees each control request (its type) or raw request (`RAW` + its index) before the unit does;
    ``on_typed`` the number, from 1, and the bytes of each write to the console. ``garble`` changes what the host reads.
    """

    unit: VirtualUnit
    on_request: Callable[[int], None] = _pass
    on_typed: Callable[[int, bytes], None] = lambda number, data: None
    garble: Callable[[bytes], bytes] = bytes
    typed: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._control, self._write, self._read = self.unit.control, self.unit.serial_write, self.unit.serial_read
        self.unit.control = self.control  # type: ignore[method-assign]
        self.unit.serial_write = self.serial_write  # type: ignore[method-assign]
        self.unit.serial_read = self.serial_read  # type: ignore[method-assign]

    def control(self, presence: Presence, setup: Setup, data: bytes, timeout_s: float) -> bytes:
        if is_init(setup):
            self.on_request(int(setup.index))
        elif setup.request_type & 0x60 == 0x40 and setup.request == RAW_REQUEST:
            self.on_request(RAW + int(setup.index))
        return self._control(presence, setup, data, timeout_s)

    def serial_write(self, presence: Presence, data: bytes) -> None:
        self.typed += 1
        self.on_typed(self.typed, data)
        self._write(presence, data)

    def serial_read(self, presence: Presence, max_bytes: int, timeout_s: float | None) -> bytes:
        data = self._read(presence, max_bytes, timeout_s)
        return self.garble(data) if data else data

    def next_transfer(self, does: str) -> None:
        """Let ``does`` happen at the next control transfer."""
        self.unit.order(parse_fault(f"at=control:{self.unit.transfers['control'] + 1},{does}"))


RAW = 0x10000
"""Added to the index of a raw request: it is refused by a STALL, there is no code."""


@contextmanager
def bench_of(era: Era, number: int = 1) -> Iterator[tuple[LineBench, VirtualUnit]]:
    """A bench of its own with the profile of ``era``, and such a unit."""
    with tempfile.TemporaryDirectory() as directory, line_bench(Path(directory), era.recipe) as bench:
        yield bench, bench.unit(era.slug, number, era.arrives)


@dataclass(frozen=True)
class Asked:
    """What a whole walk of a good unit asks it: how often each request, and each write to its console."""

    requests: Counter[int]
    typed: tuple[bytes, ...]


@cache
def asked_of(era: Era) -> Asked:
    """Walk a unit of ``era`` undisturbed."""
    requests, typed = Counter[int](), list[bytes]()
    with bench_of(era) as (bench, unit):
        Wire(unit, lambda kind: requests.update((kind,)), lambda _, data: typed.append(data))
        walk = bench.walk(unit)
    assert walk.verdict is Verdict.PASS, walk.finished
    return Asked(requests, tuple(typed))


# --- refusing -------------------------------------------------------------------------------------------


def refuse_each_once(wire: Wire, codes: Sequence[int], first: int) -> Counter[int]:
    """Refuse every other asking of each request: whatever is asked, and asked again, is refused once.

    The next refusal has the next one of ``codes``, beginning with number ``first``; raw requests are stalled. An
    update starts anew when it is refused anything, so of each of its requests one asking is refused. Counts refusals.
    """
    refused, asked = Counter[int](), Counter[int]()

    def on_request(kind: int) -> None:
        asked[kind] += 1
        of_update = 1 + first % 9 if kind == RequestType.FIRMWARE_UPDATE_DATA else 1
        is_due = asked[kind] == of_update if kind in OF_UPDATES else asked[kind] % 2 == 1
        if is_due:
            code = codes[(first + sum(refused.values())) % len(codes)]
            wire.next_transfer("do=stall" if kind >= RAW else f"do=reject,code={code}")
            refused[kind] += 1

    wire.on_request = on_request
    return refused


OF_UPDATES = frozenset(
    {RequestType.START_FIRMWARE_UPDATE, RequestType.FIRMWARE_UPDATE_DATA, RequestType.FINISH_FIRMWARE_UPDATE}
)


def refuse_for_good(wire: Wire, kind: int, code: int) -> None:
    """Refuse every asking of one request."""

    def on_request(asked: int) -> None:
        if asked == kind:
            wire.next_transfer("do=stall" if kind >= RAW else f"do=reject,code={code}")

    wire.on_request = on_request


# --- garbling -------------------------------------------------------------------------------------------


def _flipped(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]


def _doubled(data: bytes, _: random.Random) -> bytes:
    return b"".join(2 * line for line in data.splitlines(keepends=True))


def _interrupted(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + b"\r\n0000012345 [app] INFO: Device ID: none, IMEI: 12\r\n" + data[at:]


GARBLED: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "a bit flipped": _flipped,
    "cut": lambda data, dice: data[: dice.randrange(len(data))],
    "the front cut": lambda data, dice: data[dice.randrange(1, len(data) + 1) :],
    "lines doubled": _doubled,
    "a banner in the middle": _interrupted,
    "NULs": lambda data, _: data.replace(b" ", b"\0 \0"),
}
"""What becomes of the first thing a host reads after it has typed something."""


def garble_once(wire: Wire, number: int, manner: str, seed: str) -> list[tuple[bytes, bytes]]:
    """Garble what the host reads after its write ``number`` to the console; return what it was and became."""
    done, is_armed = list[tuple[bytes, bytes]](), False

    def on_typed(count: int, _: bytes) -> None:
        nonlocal is_armed
        is_armed = is_armed or (count == number and not done)

    def garble(data: bytes) -> bytes:
        nonlocal is_armed
        if is_armed:
            is_armed = False
            done.append((data, GARBLED[manner](data, random.Random(f"{seed} {number} {manner}"))))
            return done[0][1]
        return data

    wire.on_typed, wire.garble = on_typed, garble
    return done

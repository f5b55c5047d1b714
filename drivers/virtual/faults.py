"""Faults that a test or the command line can inject: which unit, at which moment, what happens.

Grammar of one ``--fault``, items joined with commas, in any order::

    unit=2,at=dfu-write:37,do=unplug
    unit=e00fce68aabbccdd00112233,at=request:50,do=stall
    at=plug:1.5,do=hang,for=20

``unit``: number of the unit (1 is the first), its Device ID, or ``any`` (the default: each unit separately).
``at`` and ``do``: the tables `MOMENTS` and `ACTIONS` below. Options: the table `OPTIONS`.

Each fault happens once per unit. The unit itself executes it; nothing here waits.
"""

from __future__ import annotations

import errno
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from ..errors import DriverError
from ..host.process import die
from ..platforms import platforms
from ..wire.control.tables import VENDOR_IN, Service
from ..wire.usb import Setup
from .bus import HostError
from .flash import FlashFailed, FlashStep, Operation, PowerLost, Who

MOMENTS: dict[str, str] = {
    "control:N": "the Nth control transfer to the unit, descriptor and string reads included",
    "request:TYPE[:N]": "the Nth control request of that type (0 to 65535), at its first transfer",
    "console:N": "the Nth byte the serial console receives",
    "any:N": "the Nth event that is a control transfer or a console byte",
    "dfu-write:N": "in the middle of the Nth flash write that DFU causes",
    "dfu-erase:N": "in the middle of the Nth page erase that DFU causes",
    "flash:N": "in the middle of the Nth flash operation of any kind",
    "plug:SECONDS": "that long after the unit is first powered",
}
"""What may follow ``at=``."""

ACTIONS: dict[str, str] = {
    "unplug": "the cable is pulled; it comes back after for= seconds, or never",
    "swap": "the cable is pulled and another unit (with= its platform) is plugged into that port",
    "powercut": "the unit loses power and gets it back after for= seconds (1)",
    "torn": "like powercut, but in the middle of a flash operation, so at= must be a flash moment",
    "stall": "the next times= (1) transfers are answered with STALL",
    "error": "the next times= (1) transfers fail on the host with errno= (eio); lost= says what was lost",
    "busy": "the next times= (1) control requests are refused with BUSY",
    "reject": "the next times= (1) control requests do nothing and end with the result code=",
    "slow": "every transfer takes by= seconds (0.5) longer, during for= seconds (until unplugged)",
    "hang": "no transfer is answered during for= seconds (until unplugged)",
    "garbage": "the next times= (1) replies are random bytes; on the console, random bytes appear",
    "fail": "that flash operation fails, so at= must be a flash moment",
    "kill": "this process is killed with SIGKILL",
    "app": "the test application answers request 10 with says=, times= answers long (1000); needs no at=",
    "deaf": "its Wi-Fi hears nothing; needs no at=",
    "weak": "its Wi-Fi hears everything 30 dB weaker; needs no at=",
    "wrong-label": "the unit has the label of another unit; needs no at=",
    "no-dfu": "whatever asks it to enter DFU mode restarts it into its application; needs no at=",
    "denied": "this computer's system refuses to open it in DFU mode; needs no at=",
}
"""What may follow ``do=``."""

OPTIONS: dict[str, str] = {
    "times": "how many transfers, 1 to 1000",
    "for": "seconds",
    "by": "seconds",
    "with": "platform of the unit that is plugged in instead",
    "code": "result of a control request, 0 to -9999 (-100)",
    "errno": "eio, eproto, eoverflow, enomem or eintr",
    "says": "NAME:VALUE, or silence (the default), garbage, unknown (it has no handler)",
    "lost": "request: the unit did not receive it (the default); reply: it did, but its reply was lost",
}
"""The other keys."""

ERRNOS = {name: getattr(errno, name.upper()) for name in ("eio", "eproto", "eoverflow", "enomem", "eintr")}
"""Error numbers with which a host's USB stack fails a transfer to a unit that is still there."""

_FLASH_MOMENTS = frozenset({"dfu-write", "dfu-erase", "flash"})
_FLASH_ONLY = frozenset({"torn", "fail"})
_COUNTED = re.compile(r"(control|console|any|dfu-write|dfu-erase|flash):([1-9][0-9]{0,8})")
_REQUEST = re.compile(r"request:([0-9]{1,5})(?::([1-9][0-9]{0,8}))?")
_PLUG = re.compile(r"plug:([0-9]{1,6}(?:\.[0-9]{1,3})?)")
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_CODE = re.compile(r"0|-[1-9][0-9]{0,3}")
_LOST = ("request", "reply")
_SAYS = re.compile(r"silence|garbage|unknown|[\w.-]{1,40}:[^,\n]{1,40}")
_LASTING = frozenset({"deaf", "weak", "wrong-label", "no-dfu", "denied"})
_TIMELESS = _LASTING | {"app"}
_LOSS_DB = {"deaf": 200, "weak": 30}
_UNIT = re.compile(r"any|[1-9][0-9]{0,3}|[0-9a-f]{24}")


class BadFault(DriverError):
    """A fault specification cannot be parsed."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The ``count``-th occurrence of ``kind``; for ``plug`` the ``seconds`` after power-on."""

    kind: str  # "control", "request:50", "dfu-write", "plug", ...
    count: int = 1
    seconds: float = 0.0

    @property
    def is_in_flash(self) -> bool:
        return self.kind in _FLASH_MOMENTS


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault to inject; create it with `parse_fault`. ``spec`` is the text it was parsed from."""

    spec: str
    unit: str  # "any", a number or a Device ID
    moment: Moment
    action: str  # a key of ACTIONS
    times: int = 1
    duration_s: float | None = None
    by_s: float = 0.5
    platform: str | None = None
    code: int = -100
    errno: int = errno.EIO
    loses_reply: bool = False  # of ``error``: the unit received the transfer
    says: str = "silence"

    def applies_to(self, number: int, device_id: str) -> bool:
        """Return whether it is for the ``number``-th unit (from 1), which has this Device ID."""
        return self.unit in ("any", str(number), device_id)


def parse_fault(spec: str) -> Fault:
    """Parse one ``--fault``; raises `BadFault`, which names the item and what is allowed there."""
    items = _items(spec)
    action = items.get("do", "")
    if action not in ACTIONS:
        raise BadFault(f"fault {spec!r}: do={action} is not one of {', '.join(ACTIONS)}")
    if "at" not in items and action not in _TIMELESS:
        raise BadFault(f"fault {spec!r} has no moment; add at= one of {', '.join(MOMENTS)}")
    unit = items.get("unit", "any").lower()
    if not _UNIT.fullmatch(unit):
        raise BadFault(f"fault {spec!r}: unit={unit} is not a number from 1, a Device ID of 24 hex digits or 'any'")
    moment = _moment(spec, items.get("at", "plug:0"))
    if action in _FLASH_ONLY and not moment.is_in_flash:
        raise BadFault(f"fault {spec!r}: do={action} needs at= dfu-write:N, dfu-erase:N or flash:N")
    times = items.get("times", "1000" if action == "app" else "1")
    if not times.isdecimal() or not 1 <= int(times) <= 1000:
        raise BadFault(f"fault {spec!r}: times={times} is not a number from 1 to 1000")
    says = items.get("says", "silence")
    if not _SAYS.fullmatch(says):
        raise BadFault(f"fault {spec!r}: says={says} is not silence, garbage, unknown or NAME:VALUE")
    stranger = items.get("with")
    if stranger is not None and stranger not in (known := [row.slug for row in platforms()]):
        raise BadFault(f"fault {spec!r}: with={stranger} is not one of {', '.join(known)}")
    duration, by = (_seconds(spec, items, key) for key in ("for", "by"))
    code = items.get("code", "-100")
    if not _CODE.fullmatch(code):
        raise BadFault(f"fault {spec!r}: code={code} is not a result from 0 to -9999")
    by_s = 0.5 if by is None else by
    number, lost = ERRNOS[_one_of(spec, items, "errno", tuple(ERRNOS))], _one_of(spec, items, "lost", _LOST)
    return Fault(
        spec, unit, moment, action, int(times), duration, by_s, stranger, int(code), number, lost == "reply", says
    )


def _one_of(spec: str, items: dict[str, str], key: str, known: tuple[str, ...]) -> str:
    """Return the value of ``key``, by default the first of ``known``; raises `BadFault` for any other value."""
    value = items.get(key, known[0])
    if value not in known:
        raise BadFault(f"fault {spec!r}: {key}={value} is not one of {', '.join(known)}")
    return value


def _items(spec: str) -> dict[str, str]:
    items: dict[str, str] = {}
    allowed = ("unit", "at", "do", *OPTIONS)
    for part in spec.split(","):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not value:
            raise BadFault(f"fault {spec!r}: {part!r} is not of the form key=value")
        if key not in allowed:
            raise BadFault(f"fault {spec!r}: key {key!r} is not one of {', '.join(allowed)}")
        if key in items:
            raise BadFault(f"fault {spec!r}: {key}= is given twice")
        items[key] = value
    return items


def _moment(spec: str, text: str) -> Moment:
    if match := _COUNTED.fullmatch(text):
        return Moment(match[1], int(match[2]))
    if (match := _REQUEST.fullmatch(text)) and int(match[1]) <= 0xFFFF:
        return Moment(f"request:{int(match[1])}", int(match[2] or 1))
    if match := _PLUG.fullmatch(text):
        return Moment("plug", seconds=float(match[1]))
    raise BadFault(f"fault {spec!r}: at={text} is not one of {', '.join(MOMENTS)} (numbers count from 1)")


def _seconds(spec: str, items: dict[str, str], key: str) -> float | None:
    value = items.get(key)
    if value is None:
        return None
    if not _SECONDS.fullmatch(value):
        raise BadFault(f"fault {spec!r}: {key}={value} is not a number of seconds such as 0.5")
    return float(value)


# --- execution ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Disturbance:
    """How one transfer is disturbed."""

    is_silent: bool = False
    stalls: bool = False
    host_error: HostError | None = None
    is_busy: bool = False
    garbage: str | None = None  # seed of the bytes to send instead
    delay_s: float = 0.0


UNDISTURBED = Disturbance()


class Victim(Protocol):
    """What a fault can do to a unit; called with the unit's condition held."""

    def now(self) -> float: ...
    def pull(self, back_after_s: float | None) -> None: ...
    def swap(self, platform: str | None) -> None: ...


def is_init(setup: Setup) -> bool:
    """Return whether this is INIT, the transfer that opens a control request (reference usb-and-serial 3.2)."""
    return (setup.request_type, setup.request) == (VENDOR_IN, Service.INIT)


class FaultInjector:
    """The faults to inject into one unit, with their counters."""

    def __init__(self, victim: Victim, seed: str) -> None:
        self._victim, self._seed = victim, seed
        self._orders: list[Fault] = []
        self._counts: Counter[str] = Counter()
        self._left: Counter[str] = Counter()  # action -> transfers still to disturb
        self._host_error = HostError(errno.EIO)
        self._silent_until = -math.inf
        self._slow_until, self._slow_by = -math.inf, 0.0
        self._flash_target: Fault | None = None
        self._rejection = 0
        self._says = ""
        self.lasting: set[str] = set()  # actions without a moment
        self.wifi_loss_db = 0
        self.happened: list[Fault] = []

    def order(self, faults: Iterable[Fault]) -> None:
        """Add faults. Counts start when the unit is created: a moment that has passed does not come again."""
        for fault in faults:
            if fault.action in _LASTING:
                self.lasting.add(fault.action)
                self.wifi_loss_db += _LOSS_DB.get(fault.action, 0)
                self.happened.append(fault)
            else:
                self._orders.append(fault)

    def plug_orders(self) -> list[tuple[float, Callable[[], None]]]:
        """Return, and remove, the timed faults: pairs of seconds after power-on and an action."""
        timed = [fault for fault in self._orders if fault.moment.kind == "plug"]
        self._orders = [fault for fault in self._orders if fault.moment.kind != "plug"]
        return [(fault.moment.seconds, lambda fault=fault: self._do(fault)) for fault in timed]  # type: ignore[misc]

    def unplugged(self) -> None:
        """Record a loss of power: what lasts "until unplugged" ends."""
        self._silent_until = self._slow_until = -math.inf
        self._flash_target = None

    def withdraw(self) -> None:
        """Cancel what has not happened yet and end what lasts; what needs no moment stays."""
        self._orders.clear()
        self._left.clear()
        self.unplugged()

    # --- moments ---

    def control(self, setup: Setup) -> Disturbance:
        """Record the start of a control transfer; return how it is disturbed."""
        self._reach("control", "any", *([f"request:{setup.index}"] if is_init(setup) else []))
        now = self._victim.now()
        if not self._is_disturbed and now >= max(self._silent_until, self._slow_until):
            return UNDISTURBED
        garbage = setup.is_in and self._disturb("garbage")
        return Disturbance(
            is_silent=now < self._silent_until,
            stalls=self._disturb("stall"),
            host_error=self._host_error if self._disturb("error") else None,
            is_busy=is_init(setup) and self._disturb("busy"),
            garbage=f"{self._seed}/{self._counts['control']}" if garbage else None,
            delay_s=self._slow_by if now < self._slow_until else 0.0,
        )

    def rejection(self) -> int | None:
        """Return the result to force on the request about to be processed; None if there is none."""
        return self._rejection if self._disturb("reject") else None

    def application_says(self) -> str:
        """Return what the application answers in place of the truth this time, "" for nothing."""
        return self._says if self._disturb("app") else ""

    def console_byte(self) -> Disturbance:
        """Record a byte received by the console; return how it is disturbed."""
        self._reach("console", "any")
        garbage = self._disturb("garbage")
        return Disturbance(
            is_silent=self._victim.now() < self._silent_until,
            host_error=self._host_error if self._disturb("error") else None,
            garbage=f"{self._seed}/console/{self._counts['console']}" if garbage else None,
        )

    def flash_step(self, step: FlashStep) -> None:
        """Implement `FlashFault`: raise `PowerLost` or `FlashFailed` in the middle of the selected operation."""
        if step.who is Who.FACTORY:
            return
        if step.done == 0:
            kind = {Operation.PROGRAM: "dfu-write", Operation.ERASE: "dfu-erase"}[step.operation]
            kinds = ["flash", kind] if step.who is Who.DFU else ["flash"]
            self._counts.update(kinds)
            self._flash_target = next((f for k in kinds for f in self._due(k)), None)
        if self._flash_target is not None and self._is_middle(step):
            fault, self._flash_target = self._flash_target, None
            self._orders.remove(fault)
            if fault.action == "fail":
                self.happened.append(fault)
                raise FlashFailed(f"injected: {step.operation} at {step.address:#x} of the {step.chip} fails")
            self._do(fault)
            if fault.action in ("unplug", "swap", "powercut", "torn"):
                raise PowerLost(f"injected: power is lost {step.done} bytes into a {step.operation} of the {step.chip}")

    # --- inside ---

    @staticmethod
    def _is_middle(step: FlashStep) -> bool:
        return step.done * 2 >= step.length or step.length <= 256

    def _due(self, kind: str) -> list[Fault]:
        count = self._counts[kind]
        return [fault for fault in self._orders if fault.moment.kind == kind and fault.moment.count == count]

    @property
    def _is_disturbed(self) -> bool:
        return any(self._left.values())

    def _reach(self, *kinds: str) -> None:
        for kind in kinds:
            self._counts[kind] += 1
        if not self._orders:
            return
        for fault in [fault for kind in kinds for fault in self._due(kind)]:
            self._orders.remove(fault)
            self._do(fault)

    def _disturb(self, action: str) -> bool:
        if self._left[action] == 0:
            return False
        self._left[action] -= 1
        return True

    def _do(self, fault: Fault) -> None:
        self.happened.append(fault)
        lasting = math.inf if fault.duration_s is None else self._victim.now() + fault.duration_s
        match fault.action:
            case "unplug":
                self._victim.pull(fault.duration_s)
            case "powercut" | "torn":
                self._victim.pull(1.0 if fault.duration_s is None else fault.duration_s)
            case "swap":
                self._victim.swap(fault.platform)
            case "hang":
                self._silent_until = lasting
            case "slow":
                self._slow_until, self._slow_by = lasting, fault.by_s
            case "error":
                self._host_error = HostError(fault.errno, loses_reply=fault.loses_reply)
                self._left["error"] += fault.times
            case "reject":
                self._rejection = fault.code
                self._left["reject"] += fault.times
            case "app":
                self._says = fault.says
                self._left["app"] = fault.times
            case "kill":
                die()
            case _:
                self._left[fault.action] += fault.times

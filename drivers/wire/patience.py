"""Retry policy for failed transfers and refused requests, as two tables: a single glitch must not fail a unit.

Pure: the caller that runs a transfer or a request looks up here whether to repeat it, and keeps the time itself.
Sources: reference usb-and-serial 3.2 to 3.7 (what a repeated transfer does), 4.12 (result codes), 7.3 and 8.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..errors import (
    Disconnected,
    LinkError,
    NotNow,
    NotOffered,
    RemoteProtocolError,
    RequestRejected,
    Stalled,
    TransferFailed,
    TransferTimeout,
    UnitProtected,
)
from .control.tables import RAW_REQUEST, VENDOR_IN, RequestType, Service
from .dfu.tables import CLASS_IN, DfuRequest
from .results import ResultCode, describe_result
from .usb import STANDARD_IN, TO_INTERFACE, Setup, StandardRequest

# --- transfers ------------------------------------------------------------------------------


class Kind(enum.Enum):
    """What sending a transfer twice does to the unit."""

    READ = enum.auto()  # nothing: descriptors, raw reads, UPLOAD (addressed by its block), selecting a memory
    POLL = enum.auto()  # nothing, and the unit may be too busy to answer in time: CHECK
    STATUS = enum.auto()  # as POLL, but a STALL is said only once: a Gen 2 block that failed; the one after says OK
    STEP = enum.auto()  # it advances a state machine: read the unit's state before anything is sent again


_SET_INTERFACE = (TO_INTERFACE, StandardRequest.SET_INTERFACE)

_KINDS: Mapping[tuple[int, int], Kind] = MappingProxyType(
    {
        (VENDOR_IN, RAW_REQUEST): Kind.READ,
        (VENDOR_IN, Service.CHECK): Kind.POLL,
        (VENDOR_IN, Service.RESET): Kind.READ,  # a second RESET finds nothing left to drop
        (CLASS_IN, DfuRequest.UPLOAD): Kind.READ,
        (CLASS_IN, DfuRequest.GETSTATUS): Kind.STATUS,  # it starts a pending operation; a second one waits for it
        (CLASS_IN, DfuRequest.GETSTATE): Kind.READ,
        _SET_INTERFACE: Kind.READ,
    }
)


def kind_of(setup: Setup) -> Kind:
    """Return what ``setup`` does when it is sent twice; transfers not in the table count as `Kind.STEP`."""
    if setup.request_type in STANDARD_IN:
        return Kind.READ
    return _KINDS.get((setup.request_type, setup.request), Kind.STEP)


@dataclass(frozen=True, slots=True)
class Repeats:
    """How a failed transfer is repeated: once after each pause in seconds, or until the deadline."""

    pauses_s: tuple[float, ...] = ()
    is_endless: bool = False

    def pause(self, failures: int) -> float | None:
        """Return the pause in seconds after ``failures`` failed tries (1 or more); None: the failure is final."""
        if self.is_endless:
            return 0.0
        return self.pauses_s[failures - 1] if failures <= len(self.pauses_s) else None


_NEVER, _ENDLESS = Repeats(), Repeats(is_endless=True)
_STALLED = Repeats((0.02, 0.1))  # a STALL that persists is an answer: the unit does not support the request
_BROKEN = Repeats((0.02, 0.1, 0.3, 1.0))  # a bad contact; if the unit has left, that shows within this time
_SILENT = Repeats((0.2, 1.0, 2.0))
_GARBLED = Repeats((0.02, 0.1))

_REPEATS: Mapping[tuple[Kind, type[LinkError] | type[RemoteProtocolError]], Repeats] = MappingProxyType(
    {
        (Kind.READ, Stalled): _STALLED,
        (Kind.READ, TransferFailed): _BROKEN,
        (Kind.READ, TransferTimeout): _SILENT,
        (Kind.READ, RemoteProtocolError): _GARBLED,
        (Kind.POLL, Stalled): _STALLED,
        (Kind.POLL, TransferFailed): _BROKEN,
        (Kind.POLL, TransferTimeout): _ENDLESS,
        (Kind.STATUS, TransferFailed): _BROKEN,
        (Kind.STATUS, TransferTimeout): _ENDLESS,
    }
)
"""Kind of transfer x error. Anything else is not repeated: a departure (`Disconnected`), denied access, a step."""


def repeats(kind: Kind, error: LinkError | RemoteProtocolError) -> Repeats:
    """Return how to repeat a transfer of ``kind`` that ended in ``error``."""
    if isinstance(error, Disconnected):
        return _NEVER
    return next((row for (k, e), row in _REPEATS.items() if k is kind and isinstance(error, e)), _NEVER)


# --- requests -------------------------------------------------------------------------------


class Meaning(enum.Enum):
    """What a negative result means."""

    STATE = enum.auto()  # a reply the caller interprets itself
    UNIT = enum.auto()  # about the unit itself, or its firmware: true if the unit repeats it
    MOMENT = enum.auto()  # transient: a later try may have another result


ANSWER_PAUSES_S = (0.5,)
"""Pauses before a request is repeated whose result is about the unit itself."""
MOMENT_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Pauses before a request is repeated whose result is transient; the last one applies until its deadline."""

_OWN_TABLE = frozenset(
    {
        RequestType.JOIN_NEW_NETWORK,  # the step `wifi`: a join takes half a minute, and the network may be at fault
        RequestType.START_FIRMWARE_UPDATE,  # `devices.update`: after any error the update restarts with START
        RequestType.FIRMWARE_UPDATE_DATA,
        RequestType.FINISH_FIRMWARE_UPDATE,
    }
)
_STATES: frozenset[tuple[int, int]] = frozenset({(RequestType.GET_CURRENT_NETWORK, -210)})  # joined to none

_ABOUT_THE_UNIT: tuple[range, ...] = (
    range(-1, 0),  # nothing was programmed there
    range(-120, -119),  # not supported
    range(-130, -129),  # not allowed: a feature flag or filter
    range(-180, -169),  # not found, exists already
    range(-191, -189),  # too large, not enough data
    range(-219, -218),  # its flash failed
    range(-226, -224),  # its files failed
    range(-300, -269),  # the request was invalid: the unit says so again, or it was corrupted in transit
    range(-1400, -1299),  # firmware and cryptography
    range(-1803, -1799),  # server settings, protection, keys
    range(-1912, -1899),  # its file system failed
)
"""Result codes about the unit or its firmware; all others (busy, timed out, a modem starting up) are transient."""


def meaning_of(request: int, code: int) -> Meaning:
    """Return what result ``code`` (negative) of request type ``request`` means."""
    if request in _OWN_TABLE or (request, code) in _STATES:
        return Meaning.STATE
    return Meaning.UNIT if is_about_the_unit(code) else Meaning.MOMENT


def is_about_the_unit(code: int) -> bool:
    """Return whether a result is about the unit itself, not transient."""
    return any(code in row for row in _ABOUT_THE_UNIT)


_ABOUT_THE_FIRMWARE: tuple[range, ...] = (
    range(-120, -119),  # not supported: nothing registered for it
    range(-130, -129),  # not allowed: by a feature flag, or a filter of the application
    range(-191, -189),  # too large, not enough data
    range(-300, -269),  # invalid argument, bad data, out of range, deprecated
    range(-1380, -1379),  # the application has disabled updates
)
"""Of these, the codes about what was requested of which firmware: a whole tray of good units answers the same."""


def is_about_the_firmware(code: int) -> bool:
    """Return whether a result says that the firmware does not do what was requested, and nothing of this very unit."""
    return any(code in row for row in _ABOUT_THE_FIRMWARE)


def rejected(request: int, name: str, code: int) -> RequestRejected:
    """Return the error for a request that ended with result ``code`` (negative), by what the code is about."""
    said = f"request {name} ({request}): the unit answered {describe_result(code)}"
    if code == ResultCode.PROTECTED:
        return UnitProtected(said, request=request, code=code)
    if is_about_the_firmware(code):
        advice = "its firmware does not do that; try another unit with the same Device OS and application"
        return NotOffered(f"{said}; {advice}", request=request, code=code)
    return RequestRejected(said, request=request, code=code)


def standing(refused: RequestRejected) -> RequestRejected:
    """Return the error for a refusal that there is no time left to retry: `NotNow` for a transient one."""
    if is_about_the_unit(refused.code) or isinstance(refused, NotNow):
        return refused
    return NotNow(f"{refused}, again and again; plug it in again", request=refused.request, code=refused.code)


def refusal_pause(request: int, code: int, refusals: int) -> float | None:
    """Return the pause in seconds after ``refusals`` refusals (1 or more); None: the refusal is final."""
    meaning = meaning_of(request, code)
    if meaning is Meaning.MOMENT:
        return MOMENT_PAUSES_S[min(refusals, len(MOMENT_PAUSES_S)) - 1]
    pauses = ANSWER_PAUSES_S if meaning is Meaning.UNIT else ()
    return pauses[refusals - 1] if refusals <= len(pauses) else None


ROOM_PAUSES_S = (0.1, 0.5, 1.0)
"""Pauses before a request is repeated that found no free slot (3.6 says 0.1 s); the last one applies until the
deadline."""


def room_pause(tries: int) -> float:
    """Return the pause in seconds before a request is repeated that found no free slot ``tries`` (1 or more) times."""
    return ROOM_PAUSES_S[min(tries, len(ROOM_PAUSES_S)) - 1]


ONCE = frozenset(
    {
        RequestType.RESET,  # each one restarts the unit: check whether it left the bus before asking again
        RequestType.DFU_MODE,
        RequestType.SAFE_MODE,
        RequestType.FIRMWARE_UPDATE_DATA,  # has no offset: sent twice it would be written twice
        RequestType.FINISH_FIRMWARE_UPDATE,  # it applies the update
    }
)
"""Requests whose outcome is unknown when their reply is lost. All others only read, or are idempotent."""


def is_repeatable(request: int) -> bool:
    """Return whether the request may be repeated when it is unknown whether the unit carried it out."""
    return request not in ONCE

"""Retry policy for failed transfers and refused requests, as tables: a single glitch must not fail a unit.

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
from .results import About, ResultCode, describe_result, result_of
from .usb import STANDARD_IN, TO_INTERFACE, Setup, StandardRequest

# --- transfers ------------------------------------------------------------------------------


class Kind(enum.Enum):
    """What sending a transfer twice does to the unit."""

    READ = enum.auto()  # nothing: descriptors, raw reads, UPLOAD (addressed by its block), selecting a memory
    POLL = enum.auto()  # nothing, and the unit may be too busy to answer in time: CHECK
    STATUS = enum.auto()  # as POLL, but a Gen 2 may tell by a STALL, once, that a block failed: the caller finds out
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
    """How something that failed is repeated: once after each pause in seconds, then, if endless, after the last one
    until the deadline."""

    pauses_s: tuple[float, ...] = ()
    is_endless: bool = False

    def pause(self, failures: int) -> float | None:
        """Return the pause in seconds after ``failures`` failed tries (1 or more); None: the failure is final."""
        if failures > len(self.pauses_s) and not self.is_endless:
            return None
        return self.pauses_s[min(failures, len(self.pauses_s)) - 1]


_NEVER, _ENDLESS = Repeats(), Repeats((0.0,), is_endless=True)
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


NO_ROOM = Repeats((0.1, 0.5, 1.0), is_endless=True)
"""For a request that found no free slot: 3.6 says 0.1 s."""
GARBLED_REPLY = Repeats((0.5,))
"""For a reply that is malformed, or has an impossible value."""

_REFUSALS: Mapping[About, Repeats] = MappingProxyType(
    {
        About.MOMENT: Repeats((0.1, 0.2, 0.5, 1.0, 2.0, 4.0), is_endless=True),
        About.UNIT: Repeats((0.5,)),  # said twice it is true
        About.FIRMWARE: Repeats((0.5,)),
    }
)
"""For a refused request, by what its result is about (`results.RESULTS`)."""

_OWN_TABLE = frozenset(
    {
        RequestType.JOIN_NEW_NETWORK,  # the step `wifi`: a join takes half a minute, and the network may be at fault
        RequestType.START_FIRMWARE_UPDATE,  # `devices.update`: after any error the update restarts with START
        RequestType.FIRMWARE_UPDATE_DATA,
        RequestType.FINISH_FIRMWARE_UPDATE,
    }
)
_STATES: frozenset[tuple[int, int]] = frozenset({(RequestType.GET_CURRENT_NETWORK, -210)})  # joined to none
"""Results that the caller interprets itself."""


def refusals(request: int, code: int) -> Repeats:
    """Return how to repeat a ``request`` that ended with result ``code`` (negative)."""
    is_callers = request in _OWN_TABLE or (request, code) in _STATES
    return _NEVER if is_callers else _REFUSALS[result_of(code).about]


def is_about_the_unit(code: int) -> bool:
    """Return whether a result is about the unit or its firmware, not transient."""
    return result_of(code).about in (About.UNIT, About.FIRMWARE)


def rejected(request: int, name: str, code: int) -> RequestRejected:
    """Return the error for a request that ended with result ``code`` (negative), by what the code is about."""
    said = f"request {name} ({request}): the unit answered {describe_result(code)}"
    if code == ResultCode.PROTECTED:
        return UnitProtected(said, request=request, code=code)
    if result_of(code).about is About.FIRMWARE:
        advice = "its firmware does not do that; try another unit with the same Device OS and application"
        return NotOffered(f"{said}; {advice}", request=request, code=code)
    return RequestRejected(said, request=request, code=code)


def standing(refused: RequestRejected) -> RequestRejected:
    """Return the error for a refusal that there is no time left to retry: `NotNow` for a transient one."""
    if is_about_the_unit(refused.code) or isinstance(refused, NotNow):
        return refused
    return NotNow(f"{refused}, again and again; plug it in again", request=refused.request, code=refused.code)


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

"""What one failed transfer and one refused request mean. Two tables, so that a single stumble judges no unit.

Pure: whoever runs a transfer or a request asks here whether to repeat it, and holds the time itself.
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
    RemoteProtocolError,
    RequestRejected,
    Stalled,
    TransferFailed,
    TransferTimeout,
)
from .control.tables import RAW_REQUEST, VENDOR_IN, RequestType, Service
from .dfu.tables import CLASS_IN, DfuRequest
from .usb import STANDARD_IN, TO_INTERFACE, Setup, StandardRequest

# --- transfers ------------------------------------------------------------------------------


class Kind(enum.Enum):
    """What sending a transfer twice does to the unit."""

    READ = enum.auto()  # nothing: descriptors, raw reads, UPLOAD (addressed by its block), selecting a memory
    POLL = enum.auto()  # nothing, and the unit may be too busy to answer in time: CHECK, GETSTATUS
    STEP = enum.auto()  # it moves a state machine on: look where the unit stands before anything is sent again


_SET_INTERFACE = (TO_INTERFACE, StandardRequest.SET_INTERFACE)

_KINDS: Mapping[tuple[int, int], Kind] = MappingProxyType(
    {
        (VENDOR_IN, RAW_REQUEST): Kind.READ,
        (VENDOR_IN, Service.CHECK): Kind.POLL,
        (VENDOR_IN, Service.RESET): Kind.READ,  # a second RESET finds nothing left to forget
        (CLASS_IN, DfuRequest.UPLOAD): Kind.READ,
        (CLASS_IN, DfuRequest.GETSTATUS): Kind.POLL,  # it starts a pending operation; a second one waits for it
        (CLASS_IN, DfuRequest.GETSTATE): Kind.READ,
        _SET_INTERFACE: Kind.READ,
    }
)


def kind_of(setup: Setup) -> Kind:
    """Tell what `setup` does when it is sent twice; what the table does not know counts as a step."""
    if setup.request_type in STANDARD_IN:
        return Kind.READ
    return _KINDS.get((setup.request_type, setup.request), Kind.STEP)


@dataclass(frozen=True, slots=True)
class Repeats:
    """How a failed transfer is repeated: once after each pause in seconds, or without end while there is time."""

    pauses_s: tuple[float, ...] = ()
    is_endless: bool = False

    def pause(self, failures: int) -> float | None:
        """Return the pause before the next try after ``failures`` failed ones (1 or more); None: the failure stands."""
        if self.is_endless:
            return 0.0
        return self.pauses_s[failures - 1] if failures <= len(self.pauses_s) else None


_NEVER, _ENDLESS = Repeats(), Repeats(is_endless=True)
_STALLED = Repeats((0.02, 0.1))  # a STALL that stands is an answer: the unit does not know the request
_BROKEN = Repeats((0.02, 0.1, 0.3, 1.0))  # a bad contact; a unit that left says so meanwhile
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
    }
)
"""Kind of transfer x error. What has no row is not repeated: a departure (`Disconnected`), a refused access, a step."""


def repeats(kind: Kind, error: LinkError | RemoteProtocolError) -> Repeats:
    """Tell how a transfer of ``kind`` that ended in ``error`` is repeated."""
    if isinstance(error, Disconnected):
        return _NEVER
    return next((row for (k, e), row in _REPEATS.items() if k is kind and isinstance(error, e)), _NEVER)


# --- requests -------------------------------------------------------------------------------


class Meaning(enum.Enum):
    """What a negative result says."""

    STATE = enum.auto()  # an answer the caller reads, or judges by a table of its own
    UNIT = enum.auto()  # about the unit itself: true if it says so twice
    MOMENT = enum.auto()  # about now: another moment has another answer


ANSWER_PAUSES_S = (0.5,)
"""Before a result about the unit itself is asked for again."""
MOMENT_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Before a result about the moment is asked for again, the last one repeated while the request has time."""

_OWN_TABLE = frozenset(
    {
        RequestType.JOIN_NEW_NETWORK,  # the step `wifi`: a join takes half a minute, and may fail by the network
        RequestType.START_FIRMWARE_UPDATE,  # `devices.update`: any error means to begin from START again
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
    range(-300, -269),  # what was sent cannot be: it says so again, or the bytes were hurt on their way
    range(-1400, -1299),  # firmware and cryptography
    range(-1803, -1799),  # server settings, protection, keys
    range(-1912, -1899),  # its file system failed
)
"""Result codes about the unit itself; all others (busy, timed out, a modem that starts) are of the moment."""


def meaning_of(request: int, code: int) -> Meaning:
    """Tell what result ``code`` (negative) of the request of that type says."""
    if request in _OWN_TABLE or (request, code) in _STATES:
        return Meaning.STATE
    return Meaning.UNIT if is_about_the_unit(code) else Meaning.MOMENT


def is_about_the_unit(code: int) -> bool:
    """Tell whether a result is about the unit itself, not about the moment."""
    return any(code in row for row in _ABOUT_THE_UNIT)


def standing(refused: RequestRejected) -> RequestRejected:
    """Tell what a refusal amounts to that nobody has time left to ask again: one of the moment judges no unit."""
    if is_about_the_unit(refused.code) or isinstance(refused, NotNow):
        return refused
    return NotNow(f"{refused}, again and again", request=refused.request, code=refused.code)


def refusal_pause(request: int, code: int, refusals: int) -> float | None:
    """Return the pause before a request refused ``refusals`` times (1 or more) is asked again; None: it stands."""
    meaning = meaning_of(request, code)
    if meaning is Meaning.MOMENT:
        return MOMENT_PAUSES_S[min(refusals, len(MOMENT_PAUSES_S)) - 1]
    pauses = ANSWER_PAUSES_S if meaning is Meaning.UNIT else ()
    return pauses[refusals - 1] if refusals <= len(pauses) else None


ROOM_PAUSES_S = (0.1, 0.5, 1.0)
"""Before a unit without room for a request is asked again (3.6 names 0.1 s), the last one while there is time."""


def room_pause(tries: int) -> float:
    """Return the pause before a request that found no room ``tries`` (1 or more) times is begun again."""
    return ROOM_PAUSES_S[min(tries, len(ROOM_PAUSES_S)) - 1]


ONCE = frozenset(
    {
        RequestType.RESET,  # each one restarts the unit: look whether it left, then ask again
        RequestType.DFU_MODE,
        RequestType.SAFE_MODE,
        RequestType.FIRMWARE_UPDATE_DATA,  # no offset: sent twice it would be written twice
        RequestType.FINISH_FIRMWARE_UPDATE,  # it applies the update
    }
)
"""Requests whose lost answer leaves open what happened. All others read, or set what setting again leaves as it is."""


def is_repeatable(request: int) -> bool:
    """Tell whether the request may be asked again when nobody knows whether the unit has carried it out."""
    return request not in ONCE

"""Sends a firmware module by control requests, all but the final one. Reference firmware-and-dfu 5.

The bytes go to the unit's update slot; the unit decides at the end whether to apply them.
"""

from __future__ import annotations

import contextlib
import enum
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypeVar

from ..clock import Deadline
from ..errors import BadImage, DriverError, RemoteProtocolError, RequestRejected, UnitProtected, WriteRefused
from ..platforms import ModuleFunction, ModuleSlot, Via, platform
from ..wire import requests
from ..wire.control.tables import RequestType
from ..wire.image.host import Image
from ..wire.image.tables import FLAG_DROP_PREFIX
from ..wire.patience import is_about_the_unit
from ..wire.requests import Request
from .dialogue import Progress

T = TypeVar("T")

MAX_CHUNK = 4096
START_S = 60.0
"""The unit erases its update slot first (reference firmware-and-dfu 5.3)."""
APPLY_S = 60.0
"""From the last reply of an update until the unit leaves the bus: it applies the module first."""
SLOW_APPLY_S = {ModuleFunction.NCP: 240.0}
"""The same for modules that take minutes: they are streamed to another chip (reference firmware-and-dfu 5.3, 8.1)."""


RETRY_PAUSE_S = 1.0
"""Before an update is retried: long enough for a unit to leave the listening mode of the previous try."""


class First(enum.Enum):
    """What a unit needs before an update is retried."""

    NOTHING = enum.auto()  # a new START
    RESET = enum.auto()  # a restart
    SAFE_MODE = enum.auto()  # a restart without its application; it was in listening mode already


@dataclass(frozen=True, slots=True)
class Retry:
    """How to retry an update. ``times``: at most that often in one update."""

    times: float
    first: First = First.NOTHING


RETRIES: Mapping[int, Retry] = MappingProxyType(
    {
        -160: Retry(math.inf),  # time-out
        -210: Retry(1),  # the unit lost the update, or bytes of it
        -219: Retry(2),  # flash input/output
        -260: Retry(1, First.RESET),  # no memory
        -1330: Retry(1),  # a wrong CRC may be the transfer's fault once, the second time it is the file's
        -1380: Retry(1, First.SAFE_MODE),  # the application forbids updates
        -1390: Retry(1),  # an update error without a name
    }
)
"""Result codes after which another try makes sense (reference firmware-and-dfu 5.5), and how it begins.

Where the reference gives no number: once; time-outs until the deadline.
"""
BROKEN_OFF = Retry(3)
"""An update whose data or reply was lost in transit: what arrived is unknown, so all of it is sent again."""
PASSING = Retry(3)
"""A transient refusal that has no row of its own."""
SEEN_TWICE = Retry(1)
"""Any other refusal is final when the unit repeats it."""
_OF_UPDATES = frozenset(
    {RequestType.START_FIRMWARE_UPDATE, RequestType.FIRMWARE_UPDATE_DATA, RequestType.FINISH_FIRMWARE_UPDATE}
)


class Retries:
    """Counts the retries of one update."""

    def __init__(self) -> None:
        self._used: Counter[tuple[int, int]] = Counter()  # (request, code) -> retries so far

    def after(self, error: DriverError) -> Retry | None:
        """Return how to retry after ``error`` ended an update; None when no (further) try makes sense."""
        key, row = (0, 0), BROKEN_OFF
        if isinstance(error, RequestRejected):
            if error.request not in _OF_UPDATES or isinstance(error, UnitProtected):
                return None
            usual = SEEN_TWICE if is_about_the_unit(error.code) else PASSING
            key, row = (error.request, error.code), RETRIES.get(error.code, usual)
        if self._used[key] >= row.times:
            return None
        self._used[key] += 1
        return row


class Asker(Protocol):
    """Anything that can send a control request."""

    def ask(self, request: Request[T], deadline: Deadline | None = None) -> T: ...


def send_update(device: Asker, image: Image, deadline: Deadline, on_progress: Progress) -> None:
    """Send START, then all of ``image`` in chunks of the size the unit asks for.

    An error on the way cancels the update in the unit, so that nothing is applied.
    """
    data = image.data
    chunk = device.ask(requests.start_firmware_update(len(data)), deadline.sooner(START_S))
    try:
        if not 0 < chunk <= MAX_CHUNK:
            raise RemoteProtocolError(f"the unit wants an update in pieces of {chunk} bytes, expected 1 to {MAX_CHUNK}")
        for at in range(0, len(data), chunk):
            device.ask(requests.firmware_update_data(data[at : at + chunk]), deadline)
            on_progress(min(at + chunk, len(data)) / len(data))
    except BaseException:
        with contextlib.suppress(DriverError):
            device.ask(requests.cancel_firmware_update(), deadline)
        raise


def apply_s(function: int) -> float:
    """Return the seconds a unit may take to apply a module of ``function`` before it restarts."""
    return next((seconds for slow, seconds in SLOW_APPLY_S.items() if slow == function), APPLY_S)


def check_module(platform_id: int, image: Image) -> None:
    """Raise `WriteRefused` for a module that has no place on this platform.

    The unit checks as well, but only after erasing its update slot for it.
    """
    row = platform(platform_id)
    try:
        image.check()
    except BadImage as error:
        raise WriteRefused(f"not sent: {error}") from error
    slot = row.slot(image.function, image.index)
    if image.function == ModuleFunction.ASSET:
        has_place = row.assets is not None and len(image.data) <= (row.assets.largest or 0)
    else:
        has_place = image.platform_id == row.id and slot is not None and _takes(slot, image)
    if not has_place:
        raise WriteRefused(
            f"{image.describe()} for platform {image.platform_id} has no place on {row.name} ({row.id}); "
            "choose the right file"
        )


def _takes(slot: ModuleSlot, image: Image) -> bool:
    """Return whether ``image`` has the form of a module in ``slot``; a unit may apply one of another, and not start."""
    keeps_prefix = not image.flags & FLAG_DROP_PREFIX
    return slot.via is not Via.NEVER and keeps_prefix is not slot.drop_prefix and len(image.data) <= slot.max_size

"""What a unit may be asked, by the platform table, and what it takes where a release has a hole."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol, TypeVar

from ..clock import Deadline
from ..errors import BadIdentity, RequestRejected, RequestUnknown, UnknownPlatform
from ..platforms import Kind, OsVersion, Platform, platform
from ..wire import requests
from ..wire.control.tables import RequestType
from ..wire.messages.network import Interface
from ..wire.messages.tables import InterfaceType
from ..wire.requests import Request

T = TypeVar("T")

INTERFACE_INDEXES = (3, 4, 5)
"""Those in use (reference usb-and-serial 4.6): asked one by one where the list of them is broken."""


class Asked(Protocol):
    """Implemented by `ParticleDevice`."""

    @property
    def where(self) -> str: ...
    @property
    def firmware(self) -> str: ...
    def ask(self, request: Request[T], deadline: Deadline | None = None) -> T: ...
    def os_version(self, deadline: Deadline) -> OsVersion: ...
    def knows(self, request: Request[T], deadline: Deadline) -> bool: ...


def require(device: Asked, request: Request[T], deadline: Deadline) -> None:
    """Raise `RequestUnknown` for a request that `ParticleDevice.knows` says no to."""
    if not device.knows(request, deadline):
        raise RequestUnknown(
            f"request {request.name} ({request.type_id}) was not sent: {device.where} runs {device.firmware}, which "
            "does not have it; update the unit first"
        )


def knows_request(platform_id: int | None, request_type: int, device_os: Callable[[], OsVersion]) -> bool:
    """Return whether such a unit has a control request, and ask for its Device OS only where that decides."""
    if request_type == RequestType.SYSTEM_VERSION:  # asked to find out
        return True
    return _looked_up(
        platform_id, lambda row: not row.is_listed(request_type) or row.knows_request(request_type, device_os())
    )


def _looked_up(platform_id: int | None, answer: Callable[[Platform], bool]) -> bool:
    """Return what ``answer`` reads off the platform's row; True where the table cannot say."""
    try:
        return answer(platform(platform_id or 0))
    except (BadIdentity, UnknownPlatform):
        return True


def has_ever(platform_id: int | None, kind: Kind, name: int | str, device_os: OsVersion | None) -> bool:
    """Return whether such a unit has it; where its Device OS is not known, whether any Device OS ever had."""
    if device_os is None:
        return _looked_up(platform_id, lambda row: row.capabilities.ever(kind, name))
    return _looked_up(platform_id, lambda row: row.capabilities.has(kind, name, device_os))


def command_filter(platform_id: int | None, device_os: OsVersion) -> Callable[[str], bool]:
    """Make the function that tells whether the console of such a unit has a command."""
    return lambda key: _looked_up(platform_id, lambda row: row.knows_command(key, device_os))


def read_interfaces(device: Asked, kind: InterfaceType, deadline: Deadline) -> tuple[Interface, ...]:
    """Read the network interfaces of that kind with their hardware addresses; errors as in `ParticleDevice.ask`.

    Where Device OS cannot list them they are asked for by index, and one that is not there is left out.
    """
    listing = requests.get_interface_list()
    if device.knows(listing, deadline):
        ours = [one.index for one in device.ask(listing, deadline) if one.type == kind]
        return tuple(device.ask(requests.get_interface(index), deadline) for index in ours)
    found = []
    for index in INTERFACE_INDEXES:
        with contextlib.suppress(RequestRejected):
            found.append(device.ask(requests.get_interface(index), deadline))
    return tuple(one for one in found if one.type == kind)

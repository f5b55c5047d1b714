"""One row of the table of control requests a virtual unit knows: a handler, and since when there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..platforms import OsVersion
from .control_service import Outcome
from .system import RunningSystem

UNKNOWN, NOT_SUPPORTED, NOT_ALLOWED, NOT_FOUND = -100, -120, -130, -170
INVALID_STATE, FLASH_IO, INVALID_ARGUMENT, BAD_DATA = -210, -219, -270, -280

Handler = Callable[[RunningSystem, bytes], Outcome]
Versions = tuple[tuple[str, str | None], ...]

ALWAYS: Versions = (("0.0.0", None),)


@dataclass(frozen=True, slots=True)
class Request:
    """One row: who knows the request and since when. ``radio``: "wifi", "cellular" or "" for all units."""

    name: str
    handler: Handler
    versions: Versions = ALWAYS
    radio: str = ""

    def is_known(self, system: RunningSystem) -> bool:
        """Whether this unit with this Device OS knows the request at all."""
        platform = system.board.spec.platform
        has_radio = {"": True, "wifi": platform.has_wifi, "cellular": platform.has_cellular}[self.radio]
        return has_radio and is_within(system.os, self.versions)


def is_within(version: OsVersion, versions: Versions) -> bool:
    """Whether ``version`` lies in one of the half-open ranges (since, before)."""
    return any(
        OsVersion.parse(since) <= version and (before is None or version < OsVersion.parse(before))
        for since, before in versions
    )


def query(handler: Callable[[RunningSystem], Outcome]) -> Handler:
    """A request that needs no payload and looks at none."""
    return lambda system, _payload: handler(system)

"""Parses replies about the modules and assets a unit holds. Reference usb-and-serial 4.2."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ...errors import RemoteProtocolError
from ...platforms import ModuleFunction
from ..image.host import Dependency
from ..image.tables import CRC_SIZE, SHA_SIZE
from ..proto import system_pb2
from . import reading
from .tables import (
    CHECK_DEPENDENCIES,
    CHECK_INTEGRITY,
    FUNCTION_LETTERS,
    OLD_FUNCTIONS,
    STORE_LETTERS,
    Store,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ModuleInfo:
    """One module a unit holds. ``size`` includes the CRC; it is meaningless for radio stack and NCP."""

    function: int  # a ModuleFunction, or an unknown number
    index: int
    version: int
    store: int
    max_size: int  # 0 when not reported (before 5.6.0)
    size: int
    checked: int  # CHECK_* bits
    passed: int
    hash: bytes | None  # None when not reported
    dependencies: tuple[Dependency, ...]

    @property
    def is_valid(self) -> bool:
        return self.checked == self.passed

    @property
    def failed(self) -> int:
        """Return the CHECK_* bits of the checks that failed."""
        return self.checked ^ self.passed


def module_info(raw: bytes) -> tuple[ModuleInfo, ...]:
    """Parse the modules of any reply form, in the unit's order (reference usb-and-serial 4.2).

    A unit that answers runs a module at least: a reply that names none raises `RemoteProtocolError`. Device OS 0.8.0
    to 1.0.1 of Gen 2 answers with the JSON text of the console instead of a message (4.1).
    """
    found = _listed(raw)
    if not found:
        raise RemoteProtocolError(f"{len(raw)} bytes of module info name no module; reset the unit")
    return found


def _listed(raw: bytes) -> tuple[ModuleInfo, ...]:
    if raw[:1] == b"{":
        return described(raw, lambda content: described_modules(content["m"]))
    reply = reading.parse_message(system_pb2.ModuleInfoReply, raw)
    if reply.modules:
        return tuple(_module(m) for m in reading.bounded(reply.modules, "modules"))
    return tuple(_old_module(m) for m in reading.bounded(reply.old_modules, "modules"))


def described(raw: bytes, read: Callable[[dict[str, Any]], T]) -> T:
    """Return what ``read`` takes from a module description in JSON; raises `RemoteProtocolError` whatever it holds."""
    try:
        return read(json.loads(raw))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise RemoteProtocolError(
            f"{len(raw)} bytes are no module description ({type(error).__name__}); reset the unit"
        ) from None


def described_modules(entries: Sequence[dict[str, Any]]) -> tuple[ModuleInfo, ...]:
    """Read the list of modules of such a description (reference usb-and-serial 5.6)."""
    return tuple(_described_module(entry) for entry in reading.bounded(entries, "modules"))


def _described_module(entry: dict[str, Any]) -> ModuleInfo:
    return ModuleInfo(
        function=FUNCTION_LETTERS[entry["f"]],
        index=int(entry["n"]),
        version=int(entry["v"]),
        store=STORE_LETTERS[entry["l"]],
        max_size=int(entry["s"]),
        size=0,  # not reported here
        checked=int(entry["vc"]),
        passed=int(entry["vv"]),
        hash=bytes.fromhex(entry["u"]) if "u" in entry else None,
        dependencies=tuple(Dependency(FUNCTION_LETTERS[d["f"]], int(d["n"]), int(d["v"])) for d in entry["d"]),
    )


def _module(m: system_pb2.Module) -> ModuleInfo:
    if len(m.hash) not in (0, SHA_SIZE):
        raise RemoteProtocolError(f"module hash has {len(m.hash)} bytes, expected {SHA_SIZE}; reset the unit")
    return ModuleInfo(
        function=_function(m.type),
        index=m.index,
        version=m.version,
        store=m.store,
        max_size=m.max_size,
        size=m.size,
        checked=m.checked_flags,
        passed=m.passed_flags,
        hash=m.hash or None,
        dependencies=_dependencies(m.dependencies, _function),
    )


def _old_module(m: system_pb2.OldModule) -> ModuleInfo:
    failed = m.failed_checks << 1  # integrity is bit 0 in the old format and bit 1 in the new one
    checked = CHECK_INTEGRITY | CHECK_DEPENDENCIES | failed
    return ModuleInfo(
        function=_old_function(m.type),
        index=m.index,
        version=m.version,
        store=Store.MAIN,
        max_size=0,
        size=m.size + CRC_SIZE if m.size else 0,
        checked=checked,
        passed=checked & ~failed,
        hash=None,
        dependencies=_dependencies(m.dependencies, _old_function),
    )


def _function(value: int) -> int:
    return ModuleFunction(value) if value in frozenset(ModuleFunction) else value


def _old_function(value: int) -> int:
    return OLD_FUNCTIONS.get(value, ModuleFunction.NONE)


def _dependencies(items: Sequence[system_pb2.Dependency], function: Callable[[int], int]) -> tuple[Dependency, ...]:
    found = reading.bounded(items, "dependencies")
    return tuple(Dependency(function(d.type), d.index, d.version) for d in found)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file bundled with the application. ``size``: bytes, as the application sees it."""

    name: str
    hash: bytes
    size: int


@dataclass(frozen=True, slots=True)
class AssetInfo:
    """The assets in the unit's store, and those its application requires."""

    available: tuple[Asset, ...]
    required: tuple[Asset, ...]


def asset_info(raw: bytes) -> AssetInfo:
    """Parse the assets the unit has and needs, at most 128 of each. Raises `RemoteProtocolError`."""
    reply = reading.parse_message(system_pb2.AssetInfoReply, raw)
    lists = [
        tuple(Asset(reading.clean(a.name), a.hash, a.size) for a in reading.bounded(items, "assets"))
        for items in (reply.available, reply.required)
    ]
    return AssetInfo(*lists)

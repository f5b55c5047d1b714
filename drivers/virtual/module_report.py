"""Module info as a unit reports it: request 90 in its old and new format, and console ``s``.

Reference usb-and-serial 4.2, 5.6; firmware-and-dfu 6.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from ..platforms import ModuleFunction, OsVersion
from ..wire.image.tables import CRC_SIZE
from ..wire.messages.tables import (
    CHECK_DEPENDENCIES,
    CHECK_INTEGRITY,
    FUNCTION_LETTERS,
    OLD_FUNCTIONS,
    STORE_LETTERS,
    Store,
)
from .inventory import HeldModule
from .messages import blob, fixed32, message, number

V5_6_0 = OsVersion.parse("5.6.0")

_F = ModuleFunction
_OLD_TYPE = {function: number for number, function in OLD_FUNCTIONS.items()}
_LETTER = {function: letter for letter, function in FUNCTION_LETTERS.items()}
_MAIN = next(letter for letter, store in STORE_LETTERS.items() if store is Store.MAIN)
_OLD_INTEGRITY_FAILED, _OLD_DEPENDENCY_FAILED = 1, 2


def module_info(modules: Iterable[HeldModule], device_os: OsVersion) -> bytes:
    """Encode the reply to request 90 (4.2): field 2 from Device OS 5.6.0, field 1 before."""
    if device_os < V5_6_0:
        return b"".join(message(1, _old(module)) for module in modules)
    return b"".join(message(2, _new(module)) for module in modules)


def _old(module: HeldModule) -> bytes:
    failed = module.checked ^ module.passed
    validity = _OLD_INTEGRITY_FAILED * bool(failed & CHECK_INTEGRITY) | _OLD_DEPENDENCY_FAILED * bool(
        failed & CHECK_DEPENDENCIES
    )
    head = number(1, _OLD_TYPE[_F(module.function)]) + number(2, module.index) + number(3, module.version)
    dependencies = b"".join(
        message(6, number(1, _OLD_TYPE[_F(d.function)]) + number(2, d.index) + number(3, d.version))
        for d in module.dependencies
    )
    return head + number(4, max(0, module.size - CRC_SIZE)) + number(5, validity) + dependencies


def _new(module: HeldModule) -> bytes:
    head = number(1, module.function) + number(2, module.index) + number(3, module.version)
    flags = fixed32(6, module.checked) + fixed32(7, module.passed)
    dependencies = b"".join(
        message(9, number(1, d.function) + number(2, d.index) + number(3, d.version)) for d in module.dependencies
    )
    return head + number(5, module.max_size) + flags + blob(8, module.hash) + dependencies + number(11, module.size)


def describe(platform_id: int, identity: dict[str, str], modules: Iterable[HeldModule]) -> str:
    """Return the JSON line of console ``s``; ``identity`` comes before the modules (5.6)."""
    rows = [_described(module) for module in modules]
    return json.dumps({"p": platform_id, **identity, "m": rows}, separators=(",", ":"))


def _described(module: HeldModule) -> dict[str, object]:
    row: dict[str, object] = {"s": module.max_size, "l": _MAIN, "vc": module.checked, "vv": module.passed}
    if module.function == _F.USER_PART:
        row["u"] = module.hash.hex().upper()
    dependencies = [{"f": _LETTER[_F(d.function)], "n": str(d.index), "v": d.version} for d in module.dependencies]
    return row | {"f": _LETTER[_F(module.function)], "n": str(module.index), "v": module.version, "d": dependencies[:2]}

"""Shows a plan: as lines for people, and as one document for programs. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from drivers.platforms import Via
from drivers.wire.image.host import Image

from ..local_time import countdown
from .cuts import CutWindow
from .estimate import Estimate
from .order import Case
from .plan import UpdatePlan

FORMAT = 1
"""Of the document; raised when a key is taken away or changes what it means. New keys may come at any time."""
DOCUMENT: Mapping[str, str] = MappingProxyType({
    "format": f"{FORMAT}: a key is never taken away or given another meaning without another number here",
    "unit": "what is planned for: platform, platform_id, device_id, device_os (null: unknown), mode, is_virtual",
    "target": "what it shall become: device_os (null: as it is), source, is_synthetic, application (file, or null)",
    "refused": "null, or why there is no plan: code, sentence; everything below is then empty",
    "order": "control_first or dfu_first, or null",
    "writes": "in order, each: module, file, sha256, bytes, way (dfu or request), wanted, held, why, certain "
    "(false: only if reading back shows that it differs), seconds (an estimate)",
    "assets": "files of the application that are sent last: name, sha256",
    "already": "what is there and stays: module, file, proof",
    "modules": "every module wanted or held: module, wanted, held",
    "cut": "what a power cut or a pulled cable leaves: safety (always, but_last_page, no), windows (module, "
    "from_share of its writing, needs_debugger, reason)",
    "reasons": "why it is this order, and what to know of it, in sentences",
    "seconds": "an estimate of the whole by data sheets, restarts included",
})  # fmt: skip
"""Keys of the document and what they mean."""

_ONE_WAY = MappingProxyType({
    frozenset[Via](): "nothing to do", frozenset({Via.DFU}): "one DFU visit", frozenset({Via.OTA}): Case.C.value,
})  # fmt: skip
"""The order in words of a plan that does not use both ways."""

_WAYS = MappingProxyType({Via.DFU: "dfu", Via.OTA: "request"})  # a control request


def plan_lines(plan: UpdatePlan, expected: Estimate) -> Iterator[str]:
    """Yield what will be done, in order, with sizes, reasons, times, and what a cut would leave."""
    yield "  modules (wanted / held)"
    width = max((15, *(len(name) for name, _, _ in plan.rows)))
    for name, wanted, held in plan.rows:
        yield f"    {name:{width}}  {wanted} / {held}"
    of_windows = {window.reason for window in plan.windows}
    yield f"  order: {_order(plan)}"
    yield from (f"    {reason}" for reason in plan.reasons if reason not in of_windows)
    for number, (write, seconds) in enumerate(zip(plan.writes, expected.writes, strict=True), 1):
        if_differs = "; written only if it differs" if write.compare_first else ""
        cost = f"{len(write.image.data)} bytes, about {countdown(max(1.0, seconds))}"
        yield f"    {number}  {_WAYS[write.way]:>7}    {write.name}: {write.why}{if_differs}; {cost}"
    for asset in plan.assets:
        yield f"    +  {_WAYS[Via.OTA]:>7}    asset {asset.name}: comes with the application"
    for present in plan.already:
        yield f"    =    there    {present.name}: {present.proof}"
    if plan.has_work:
        yield f"  time: about {countdown(expected.total)} with all restarts, an estimate by data sheets"
    yield f"  safe to cut: {plan.cut.value}"
    for reason in dict.fromkeys(window.reason for window in plan.windows):
        names = " and ".join(_name(plan, window) for window in plan.windows if window.reason == reason)
        yield f"    {names}: {reason}"


def _order(plan: UpdatePlan) -> str:
    ways = frozenset({write.way for write in plan.writes} | ({Via.OTA} if plan.assets else set()))
    return _ONE_WAY.get(ways, plan.case.value)


def plan_document(plan: UpdatePlan | None, expected: Estimate | None) -> dict[str, object]:
    """Return all keys of `DOCUMENT` that a plan decides, as JSON has them; empty ones for no plan."""
    if plan is None or expected is None:
        return {
            "order": None, "writes": [], "assets": [], "already": [], "modules": [], "cut": None, "reasons": [],
            "seconds": None,
        }  # fmt: skip
    return {
        "order": _ORDERS[plan.case.name] if plan.has_work else None,
        "writes": [
            {
                "module": write.name, **_file(write.image), "bytes": len(write.image.data),
                "way": _WAYS[write.way], "wanted": write.wanted, "held": write.held,
                "why": write.why, "certain": not write.compare_first, "seconds": round(seconds, 1),
            }
            for write, seconds in zip(plan.writes, expected.writes, strict=True)
        ],
        "assets": [{"name": one.name, "sha256": one.hash.hex()} for one in plan.assets],
        "already": [{"module": one.name, "file": one.image.name, "proof": one.proof} for one in plan.already],
        "modules": [{"module": name, "wanted": wanted, "held": held} for name, wanted, held in plan.rows],
        "cut": {"safety": plan.cut.name.lower(), "windows": [_window(plan, one) for one in plan.windows]},
        "reasons": list(plan.reasons),
        "seconds": round(expected.total, 1),
    }  # fmt: skip


_ORDERS = MappingProxyType({"A": "control_first", "B": "dfu_first"})


def _file(image: Image) -> dict[str, object]:
    return {"file": image.name, "sha256": hashlib.sha256(image.data).hexdigest()}


def _window(plan: UpdatePlan, window: CutWindow) -> dict[str, object]:
    return {
        "module": _name(plan, window), "from_share": window.begins, "needs_debugger": window.needs_debugger,
        "reason": window.reason,
    }  # fmt: skip


def _name(plan: UpdatePlan, window: CutWindow) -> str:
    """Return what the module of a window is called in the plan."""
    return next(write.name for write in plan.writes if write.image is window.image)

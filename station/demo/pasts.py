"""What the cloud shows of units that were somewhere before, and the supervisor's list that lets a bench mend it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drivers.virtual.factory import UnitSpec

from ..cloud.virtual import VirtualCloud
from ..firmware.examples import example_product
from ..steps.shared.allowed import Allowed, parse_allowed

_LEFT_OVER: Mapping[str, tuple[Mapping[str, object], str]] = {
    # what the cloud shows of a unit that was somewhere before, and what a list allows to be done about it
    "foreign owner": ({"owner": "previous.owner@example.com"}, "unclaim"),
    "nobody's": ({}, ""),
    "waits in quarantine": ({"quarantined": 1}, ""),
    "denied": ({"quarantined": 1, "denied": 1}, "approve"),
    "denied, and owned": ({"quarantined": 1, "denied": 1, "owner": "previous.owner@example.com"}, "unclaim, approve"),
    "marked for development": ({"development": 1}, "unmark"),
}


def were_somewhere(*pasts: str) -> Callable[[VirtualCloud, tuple[UnitSpec, ...]], None]:
    """Return what gives the units that come these pasts, in their order: members of their product all of them."""

    def opening(cloud: VirtualCloud, specs: tuple[UnitSpec, ...]) -> None:
        cloud.create_user("previous.owner@example.com")
        for spec, past in zip(specs, pasts, strict=True):
            cloud.edit_device(spec.device_id, product_id=example_product(spec.platform), **_LEFT_OVER[past][0])

    return opening


def lets_mend(*pasts: str) -> Callable[[tuple[UnitSpec, ...], str], Allowed]:
    """Return what writes the supervisor's list for units with these pasts."""

    def allows(specs: tuple[UnitSpec, ...], batch: str) -> Allowed:
        lines = [
            f"{spec.device_id} {cures}"
            for spec, past in zip(specs, pasts, strict=True)
            if (cures := _LEFT_OVER[past][1])
        ]
        return parse_allowed("\n".join(["by 0042", f"batch {batch}", *lines]).encode(), "the supervisor's list")

    return allows

"""Devices on the bus that are no units of a known platform, and platforms that have no USB."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

FILE = "others.toml"


@dataclass(frozen=True, slots=True)
class OtherDevice:
    """A device this station recognises and leaves alone."""

    name: str  # for people: "Tachyon", "new Particle product"
    shown: str  # what it shows on the bus: "2b04:c02a"
    why: str  # half a sentence
    is_tool: bool = False  # it may stay plugged in beside the units

    @property
    def sentence(self) -> str:
        """Say in one sentence what it is, why nothing is done with it and what to do."""
        return f"this is a {self.name} ({self.shown}): {self.why}; take it out of this port"


_TABLE = tomllib.loads(resources.files(__package__).joinpath(FILE).read_text("utf-8"))
OTHER_DEVICES: Mapping[str, OtherDevice] = MappingProxyType({
    shown: OtherDevice(row["name"], shown, row["why"], row.get("is_tool", False))
    for row in _TABLE["other"]
    for shown in row["usb"]
})  # fmt: skip
"""By what they show on the bus, as ``vendor:product`` in hexadecimal digits."""
PLATFORMS_WITHOUT_USB: Mapping[int, str] = MappingProxyType(
    {int(key): name for key, name in _TABLE["without_usb"].items()}
)


def unknown_device(shown: str) -> OtherDevice:
    """Describe a product of the vendor that has no row in any table."""
    return OtherDevice("new Particle product", shown, "this version of the station does not know it")

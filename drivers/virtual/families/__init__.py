"""The chip families, by their names in `drivers.platforms`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ...platforms import platform
from .family import Family
from .nrf import NRF
from .rtl import RTL
from .stm32 import STM32

__all__ = ["FAMILIES", "Family", "family_of"]

FAMILIES: Mapping[str, Family] = MappingProxyType({"nrf": NRF, "rtl": RTL, "stm32": STM32})


def family_of(platform_id: int) -> Family:
    """Find the family of a platform; raises `UnknownPlatform`."""
    return FAMILIES[platform(platform_id).family]

"""What a unit in DFU does not say although its plan depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from drivers.wire.image.host import Image

from ...firmware.checks import depends_on_sku, lacked, unreadable
from ...firmware.modules import SYSTEM_PART, image_key, module_name
from ...words.say import Say
from .knowledge import UnitKnowledge


class Hidden(NamedTuple):
    """What a unit in DFU does not say and its plan depends on."""

    what: str
    named_in: str  # where a profile may say it instead
    say: Say  # to the operator, where the unit does not start
    is_checked_later: bool = False  # by what the unit says once it runs on the files of the profile


def hidden_in_dfu(known: UnitKnowledge, release: Sequence[Image], skus: Sequence[str]) -> Hidden | None:
    """Name what decides whether ``release`` fits and only a running unit says: its SKU (D9), or a module it holds."""
    system = next((image for image in release if image_key(image) == SYSTEM_PART), None)
    if depends_on_sku(system, skus) and not known.fact("serial"):
        return Hidden("SKU", "the profile's skus", Say("identity_missing", missing="known SKU"))
    key = lacked({image_key(image): image for image in release})
    if key is None:
        return None
    name, is_checked_later = module_name(*key), key in unreadable(known.platform)
    return Hidden(name, "the profile's modules", Say("dependency_missing", module=name), is_checked_later)

"""What this station has proved of a radio stack, which no unit tells: units name only its build."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from drivers.wire.image.host import Image

from ...engine.records import UnitFacts
from ...engine.step import StepContext
from ...firmware.modules import REMEMBERED, Comparison, Key, held_modules, image_key, names_only_its_build
from ...model import IdentityFact
from .unit import Unit

RADIO_FACT = "softdevice_in_flash"
"""SHA-256 of the SoftDevice this station proved last, or "other" from the moment it may have changed."""


def _flash_digest(image: Image) -> str:
    return hashlib.sha256(image.flash_bytes).hexdigest()


def remembered(unit: Unit, release: Sequence[Image]) -> dict[Key, Comparison]:
    """Spare a finished unit a DFU visit for a module that names only its build: this station has proved the same
    bytes before, has not written any since, and the unit names the same build.
    """
    radio = next((one for one in release if names_only_its_build(one)), None)
    there = held_modules(unit.known.modules).get(image_key(radio)) if radio is not None else None
    if radio is None or there is None or there.hash is None:
        return {}
    known = unit.memory.known_facts(str(unit.known.device_id)).get(RADIO_FACT)
    return {image_key(radio): REMEMBERED} if known == _flash_digest(radio) else {}


def remember(image: Image, what: Comparison, source: str, ctx: StepContext) -> None:
    """Keep in the journal what proved such a module, or that it is about to change; other modules tell themselves."""
    if names_only_its_build(image):
        value = _flash_digest(image) if what.is_same else "other"
        ctx.record(UnitFacts(facts=(IdentityFact(RADIO_FACT, value, source),), **ctx.head()))

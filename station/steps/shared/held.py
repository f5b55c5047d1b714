"""What a unit holds at the end: kept in the journal, each module with its version and what proves its content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from drivers.platforms import Reports, platform
from drivers.wire.image.host import Image
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.messages.tables import Store

from ...engine.records import UnitFacts
from ...engine.step import StepContext
from ...errors import UnitRejected
from ...firmware.modules import READ_EQUAL, REMEMBERED, Comparison, Key, ReadBacks, image_key, module_name
from ...firmware.plan import PlannedWrite
from ...model import MODULE_FACT, IdentityFact
from ...words.say import Say
from .radio import remembered
from .sources import of_modules
from .unit import Unit


def tell_modules(
    unit: Unit, ctx: StepContext, images: Iterable[Image] = (), read_back: ReadBacks | None = None
) -> None:
    """Record the modules that module info showed last, where they differ from what the journal knows.

    A fact ``module NAME``: version, a blank, and the hash from the module's suffix in hexadecimal (reference
    firmware-and-dfu 6.1), as the unit tells it or as one of ``images`` has it that was read back equal; the version
    alone where nothing proves the content, "" for a module that is gone.
    """
    shown = [one for one in unit.known.modules if one.store == Store.MAIN]
    if not shown:
        return
    images = tuple(images)
    proofs = remembered(unit, images) | dict(read_back or {})
    facts = {fact.name: fact for fact in _facts(unit.known.platform.id, shown, images, proofs)}
    for name, version in of_modules(unit.known.modules).items():  # as identify told them, before anything was written
        if isinstance(version, str):
            facts[name] = IdentityFact(name, version, "module info")
    known = unit.memory.known_facts(str(unit.known.device_id))
    for name in known.keys() - facts.keys():
        if name.startswith(MODULE_FACT):
            facts[name] = IdentityFact(name, "", "module info")
    changed = tuple(fact for fact in facts.values() if known.get(fact.name, "") != fact.value)
    if changed:
        ctx.record(UnitFacts(facts=changed, **ctx.head()))


def _facts(
    platform_id: int, shown: Iterable[ModuleInfo], images: Iterable[Image], proofs: Mapping[Key, Comparison]
) -> Iterable[IdentityFact]:
    proved = {image_key(one): one for one in images if proofs.get(image_key(one)) in (READ_EQUAL, REMEMBERED)}
    for one in shown:
        slot = platform(platform_id).slot(one.function, one.index)
        digest, source = one.hash, "module info"
        if slot is not None and slot.reports is not Reports.HASH:
            digest = None
        image = proved.get((one.function, one.index))
        if digest is None and image is not None:
            digest, source = image.sha256, "DFU read-back"
        yield _fact(one, digest, source)


def _fact(one: ModuleInfo | Image, digest: bytes | None, source: str) -> IdentityFact:
    value = f"{one.version} {digest.hex()}" if digest else str(one.version)
    return IdentityFact(f"{MODULE_FACT}{module_name(one.function, one.index)}", value, source)


def sent(bootloader: Image) -> tuple[IdentityFact, IdentityFact]:
    """Return the facts of a bootloader that was taken and after which the unit tells nothing any more."""
    fact = _fact(bootloader, bootloader.sha256, "sent, then locked")
    return IdentityFact("bootloader", str(bootloader.version), fact.source), fact


def refuse_unproved(writes: Sequence[PlannedWrite]) -> None:
    """Whatever has not been proved to be there by now is not."""
    if writes:
        names = ", ".join(f"{write.name} ({write.why})" for write in writes)
        raise UnitRejected(
            f"after flashing the unit still does not hold {names}; walk it again, then red bin",
            say=Say("update_not_applied"),
        )

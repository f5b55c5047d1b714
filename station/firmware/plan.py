"""Decides what to write to a unit, over which channel and in which order, before the first byte is written. Pure.

Reference firmware-and-dfu 4.5 (order), 6.2 (what differs), 7.1 (what a cut leaves). A plan is made from
what the unit reports, and made again whenever it can report more than before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from drivers.platforms import ModuleFunction, ModuleSlot, OsVersion, Platform, Via, os_version_of_module
from drivers.wire.image.host import AssetDependency, Image
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.usb import Mode

from ..model import AS_IT_IS
from .by_request import order_by_request
from .checks import (
    PlanRefused,
    ProductFirmware,
    Refusal,
    check_assets,
    check_dependencies,
    check_downgrade,
    check_place,
    check_product,
    check_receiver,
    check_together,
    system_version_after,
    takes_updates,
)
from .cuts import CutSafety, CutWindow, EarlyErase, cut_safety, cut_windows, pages_to_erase_first
from .modules import (
    SYSTEM_PART,
    Comparison,
    Held,
    Key,
    ReadBacks,
    compare,
    held_modules,
    image_key,
    is_started_unchecked,
    module_name,
    slot_of,
    version_text,
)
from .order import Case, case_of, ordered, rank, reasons_of, way_of
from .rules import check_versions

__all__ = ["Case", "CutSafety", "EarlyErase", "PlanRefused", "PlannedWrite", "Present", "UpdatePlan", "make_plan"]


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """One module to write. ``wanted`` and ``held`` are for people.

    ``compare_first``: the unit could not report what it holds; read flash back (or ask again after the
    next boot) and write only if it differs.
    """

    image: Image
    name: str
    way: Via
    wanted: str
    held: str
    why: str
    compare_first: bool


@dataclass(frozen=True, slots=True)
class Present:
    """A module the unit already holds, and the proof."""

    image: Image
    name: str
    proof: str


@dataclass(frozen=True, slots=True)
class UpdatePlan:
    """What will be done to one unit. ``writes`` are in the order of execution."""

    platform: Platform
    case: Case
    writes: tuple[PlannedWrite, ...]
    already: tuple[Present, ...]
    erase_first: tuple[EarlyErase, ...]  # each to be done only if its module `before` is about to be written
    windows: tuple[CutWindow, ...]  # when a cut leaves a dead unit
    reasons: tuple[str, ...]
    rows: tuple[tuple[str, str, str], ...]  # name, wanted, held: for the technician's view
    system_version: int | None  # module version of the system part afterwards; None: unknown
    assets: tuple[AssetDependency, ...] = ()  # of the application, to be sent when everything else is there

    @property
    def cut(self) -> CutSafety:
        """Return the state of the unit after a cut in the middle."""
        return cut_safety(self.windows)

    @property
    def has_work(self) -> bool:
        return bool(self.writes or self.assets)

    @property
    def control_writes(self) -> tuple[PlannedWrite, ...]:
        """Return the writes by control request that are certain, in order."""
        return tuple(write for write in self.differing if write.way is Via.OTA)

    @property
    def slot_writes(self) -> tuple[PlannedWrite, ...]:
        """Return the certain writes for which there is only the update slot, once the Device OS runs, in order."""
        return tuple(write for write in self.differing if write.way is Via.SLOT)

    @property
    def dfu_writes(self) -> tuple[PlannedWrite, ...]:
        """Return the writes in the one DFU visit, in order."""
        return tuple(write for write in self.writes if write.way is Via.DFU)

    @property
    def dfu_visit(self) -> tuple[PlannedWrite, ...]:
        """Return the modules written or only read back in the one DFU visit, in order."""
        return tuple(
            write
            for write in self.writes
            if write.way is Via.DFU or (write.compare_first and _slot(write.image).is_readable)
        )

    @property
    def differing(self) -> tuple[PlannedWrite, ...]:
        """Return the writes of modules that certainly differ; the rest of ``writes`` must be read back first."""
        return tuple(write for write in self.writes if not write.compare_first)

    @property
    def device_os(self) -> OsVersion | None:
        """Return the Device OS afterwards, if its module version is in the table."""
        text = os_version_of_module(self.system_version) if self.system_version is not None else None
        return OsVersion.parse(text) if text else None


def make_plan(
    platform: Platform,
    held: Iterable[ModuleInfo] | None,
    release: Sequence[Image],
    application: Image | None,
    *,
    mode: Mode,
    allow_downgrade: bool = False,
    product: ProductFirmware | None = None,
    skus: Sequence[str] = (),
    serial: str | None = None,
    assets: Collection[AssetDependency] = (),
    bundled: Collection[AssetDependency] = (),
    read_back: ReadBacks = MappingProxyType({}),
    without_dfu: str = "",
) -> UpdatePlan:
    """Plan the update of one unit; raises `PlanRefused`. Nothing is sent.

    ``held``: module info, None for a unit in DFU (which reports none). ``release``: the modules of one Device OS.
    ``product``: None for a developer unit. ``skus`` and ``serial`` determine the minimum Device OS (D9). ``assets``:
    those the unit holds, ``bundled``: those beside the application's file. ``without_dfu``: why the unit cannot be had
    in DFU, "" where it can; raises `NotByRequest` if it needs that.
    """
    images = _by_key(platform, release, application)
    there = held_modules(held) if held is not None else None
    _check(platform, images, there, application, product, allow_downgrade)
    check_assets(application, (*assets, *bundled))
    check_versions(images.get(SYSTEM_PART), system_version_after({}, there), skus, serial)
    compared = _compared_all(images, there, read_back, in_dfu=not without_dfu)
    changing = {key: image for key, image in images.items() if compared[key].is_same is not True}
    after, case = system_version_after(images, there), case_of(platform, mode, changing, there, without_dfu)
    windows = cut_windows(changing, there, by_request=case is Case.C)
    return UpdatePlan(
        platform=platform,
        case=case,
        writes=_writes(platform, changing, compared, there, case, after),
        already=_already(images, compared),
        erase_first=pages_to_erase_first(changing) if case is not Case.C else (),
        windows=windows,
        reasons=reasons_of(case, platform, mode, changing, there, windows, without_dfu),
        rows=_rows(images, there),
        system_version=after,
        assets=tuple(one for one in bundled if one not in assets),
    )


def check_files(
    platform: Platform, release: Sequence[Image], application: Image | None, product: ProductFirmware | None
) -> None:
    """Raise `PlanRefused` for files that no unit of ``platform`` could hold together. Needs no unit.

    ``product``: as for `make_plan`; while its number is unknown, the application's product is not checked.
    """
    images = _by_key(platform, release, application)
    check_together(images)
    version = system_version_after(images, None)
    if application is not None and version is not None and (product is None or product.number is not None):
        check_product(application, version, product)


# --- comparison -------------------------------------------------------------------------------


def _by_key(platform: Platform, release: Sequence[Image], application: Image | None) -> dict[Key, Image]:
    images: dict[Key, Image] = {}
    for image in (*release, *((application,) if application else ())):
        check_place(platform, image)
        key = image_key(image)
        if key in images:
            raise PlanRefused(
                f"{images[key].name} and {image.name} are both {module_name(*key)}; name only one of them",
                Refusal.NOT_FLASHABLE,
            )
        images[key] = image
    return images


def _check(
    platform: Platform,
    images: Mapping[Key, Image],
    there: Mapping[Key, Held] | None,
    application: Image | None,
    product: ProductFirmware | None,
    allow_downgrade: bool,
) -> None:
    staying = there
    if there is not None:
        check_downgrade(tuple(images.values()), there, allow_downgrade)
        if application is not None:  # any application on the unit is replaced
            staying = {key: row for key, row in there.items() if row.function != ModuleFunction.USER_PART}
    check_dependencies(platform, images, staying)
    version = system_version_after(images, there)
    if application is not None:
        # an application never runs on a version older than it was built for: dependencies were just checked
        needs = max((d.version for d in application.dependencies if (d.function, d.index) == SYSTEM_PART), default=0)
        check_product(application, version if version is not None else needs, product)


def _compared(image: Image, there: Mapping[Key, Held] | None, read_back: Comparison | None) -> Comparison:
    if there is None:
        return read_back or Comparison(None, "a unit in DFU does not say what it holds: read back before writing")
    return compare(image, there.get(image_key(image)), read_back)


def _compared_all(
    images: Mapping[Key, Image], there: Mapping[Key, Held] | None, read_back: ReadBacks, *, in_dfu: bool
) -> dict[Key, Comparison]:
    """Compare ``images`` with what is there. What it boots on unchecked is never written ``in_dfu`` under a
    valid system part: that is invalidated first, so it is read back afterwards, and written again if necessary.
    """
    compared = {key: _compared(image, there, read_back.get(key)) for key, image in images.items()}
    if not in_dfu:  # a running unit shows no flash: what it does not prove differs
        return {key: Comparison(bool(one.is_same), one.why) for key, one in compared.items()}
    system = compared.get(SYSTEM_PART)
    for key, image in images.items():
        if system is not None and system.is_same and is_started_unchecked(image) and not compared[key].is_same:
            compared[SYSTEM_PART] = Comparison(None, f"to be read back after the {module_name(*key)} below it")
    return compared


def _already(images: Mapping[Key, Image], compared: Mapping[Key, Comparison]) -> tuple[Present, ...]:
    same = ((key, image) for key, image in images.items() if compared[key].is_same is True)
    return tuple(Present(image, module_name(*key), compared[key].why) for key, image in same)


def _writes(
    platform: Platform,
    changing: Mapping[Key, Image],
    compared: Mapping[Key, Comparison],
    there: Mapping[Key, Held] | None,
    case: Case,
    after: int | None,
) -> tuple[PlannedWrite, ...]:
    """Put what is to be written in order, each by its way; raises `PlanRefused`, and `NotByRequest` in case C.

    ``after``: module version of the system part that runs afterwards.
    """
    by_rank = sorted(changing, key=rank)
    order = (
        order_by_request(platform, by_rank, changing, there) if case is Case.C else ordered(changing, case, there or {})
    )
    differing = tuple(image for key, image in changing.items() if compared[key].is_same is False)
    check_receiver(platform, differing, after if case is Case.B else system_version_after({}, there))
    takes = takes_updates(platform, after)
    return tuple(_write(changing[key], compared[key], there, way_of(changing[key], case, takes)) for key in order)


def _write(image: Image, compared: Comparison, there: Mapping[Key, Held] | None, way: Via) -> PlannedWrite:
    return PlannedWrite(
        image=image,
        name=module_name(*image_key(image)),
        way=way,
        wanted=_wanted_text(image),
        held=_held_text(image_key(image), there),
        why=compared.why,
        compare_first=compared.is_same is None,
    )


def _slot(image: Image) -> ModuleSlot:
    slot = slot_of(image)
    assert slot is not None  # check_place refuses images without one
    return slot


def _wanted_text(image: Image) -> str:
    return version_text(image.function, image.version, image.sha256)


def _held_text(key: Key, there: Mapping[Key, Held] | None) -> str:
    if there is None:
        return "unknown"
    held = there.get(key)
    if held is None:
        return "none"
    return version_text(held.function, held.version, held.hash) + ("" if held.is_intact else ", damaged")


def _rows(images: Mapping[Key, Image], there: Mapping[Key, Held] | None) -> tuple[tuple[str, str, str], ...]:
    keys = sorted({*images, *(there or {})}, key=rank)
    return tuple(
        (module_name(*key), _wanted_text(images[key]) if key in images else AS_IT_IS, _held_text(key, there))
        for key in keys
    )

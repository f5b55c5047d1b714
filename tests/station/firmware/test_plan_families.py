"""Plans for every family: dependencies wherever a module may state them, stages of a bootloader, and nothing to do."""

from __future__ import annotations

import dataclasses
import hashlib
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from line_bench import Recipe

from drivers.platforms import ModuleFunction, ModuleSlot, Platform, Via, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode, boot
from drivers.virtual.header import Dependency as Needed
from drivers.virtual.memory import UnitMemory
from drivers.virtual.synthetic import SyntheticFile
from drivers.wire.image.host import Dependency, Image, parse_image
from drivers.wire.image.tables import (
    DEPENDENCY_DATA,
    EXTENSION_DEPENDENCY,
    EXTENSION_PRODUCT_DATA,
)
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.messages.tables import Store
from drivers.wire.usb import Mode
from station.errors import BadInput
from station.firmware.modules import READ_DIFFERENT, READ_EQUAL, Comparison, Key, image_key, module_name, slot_of
from station.firmware.plan import PlanRefused, UpdatePlan, make_plan
from station.firmware.release import load_release
from station.firmware.store import FirmwareStore
from station.steps.shared.knowledge import module_name as reported_name

EXAMPLES = {"photon": "2.3.1", "electron": "3.3.1", "xenon": "1.5.2"}
"""Device OS of platforms that have no newer one."""
BOUGHT = tuple(row for row in platforms() if row.was_sold)
every_platform = pytest.mark.parametrize("row", BOUGHT, ids=lambda row: row.slug)


def newest(row: Platform) -> str:
    return EXAMPLES.get(row.slug) or synthetic.usual_version(row.id, "6.3.4")


def images(files: tuple[SyntheticFile, ...]) -> tuple[Image, ...]:
    return tuple(parse_image(file.data, file.name) for file in files)


def told(memory: UnitMemory) -> tuple[ModuleInfo, ...]:
    """What the unit reports of itself, as the newest Device OS does."""
    report = boot(memory)
    return tuple(
        ModuleInfo(
            m.function, m.index, m.version, Store.MAIN, 0, m.size, m.checked, m.passed, m.hash,
            tuple(Dependency(d.function, d.index, d.version) for d in m.dependencies),
        )
        for m in report.modules
    )  # fmt: skip


# --- dependencies: in the prefix, in its second place, in an extension ---------------------------------


def application(row: Platform, place: str, version: int) -> Image:
    """An application that needs the system part in ``version`` or newer, and says so in one of three places."""
    slot = next(one for one in row.modules if one.function == ModuleFunction.USER_PART)
    kind = _device_os_part(row)
    needs = Needed(*kind, version)
    prefix = {"first": (needs, None), "second": (None, needs), "extension": (None, None)}[place]
    raw = DEPENDENCY_DATA.pack(*kind, version, 0)
    extensions = ((EXTENSION_DEPENDENCY, raw),) if place == "extension" else ()
    content = b"application".ljust(2048, b"\0")
    start = slot.start
    for _ in range(2):  # one that ends at a fixed place begins where its length puts it
        data = synthetic.make_module(row.id, (5, slot.index), 6, start, content, prefix, extensions=extensions)
        start = slot.begin(len(data))
    return parse_image(data, "application.bin")


def _device_os_part(row: Platform) -> tuple[int, int]:
    return (4, 2) if row.family == "stm32" else (4, 1)


@every_platform
@pytest.mark.parametrize("place", ["first", "second", "extension"])
def test_a_dependency_is_obeyed_wherever_a_module_states_it(row: Platform, place: str) -> None:
    release = images(synthetic.release(row.id, newest(row)))
    system = next(image for image in release if image_key(image) == _device_os_part(row))
    skus = ("any",)
    met = application(row, place, system.version)
    plan = make_plan(row, None, release, met, mode=Mode.DFU, skus=skus)
    order = [write.name for write in plan.writes]
    assert order.index(module_name(*image_key(system))) < order.index("application")
    unmet = application(row, place, system.version + 1)
    with pytest.raises(PlanRefused, match=f"needs system part [12] {system.version + 1} or newer, but the release"):
        make_plan(row, None, release, unmet, mode=Mode.DFU, skus=skus)


@every_platform
def test_a_product_in_an_extension_counts_like_one_in_the_suffix(row: Platform, tmp_path: Path) -> None:
    """D6 D7: the extension 0x0001 of a Gen 4 application, and of any other that has one."""
    slot = next(one for one in row.modules if one.function == ModuleFunction.USER_PART)
    raw = (0xFFFF).to_bytes(2, "little") + (4242).to_bytes(2, "little") + (7).to_bytes(2, "little")
    content = b"application".ljust(2048, b"\0")
    start = slot.start
    for _ in range(2):
        data = synthetic.make_module(
            row.id, (5, slot.index), 6, start, content, extensions=((EXTENSION_PRODUCT_DATA, raw),)
        )
        start = slot.begin(len(data))
    image = parse_image(data, "application.bin")
    assert (image.product(), image.product_version) == (4242, 7)
    with pytest.raises(PlanRefused, match="names product 4242, but this unit joins no product"):
        make_plan(row, None, images(synthetic.release(row.id, newest(row))), image, mode=Mode.DFU, skus=("any",))


# --- the stages of a bootloader ------------------------------------------------------------------------

STAGED = tuple(row for row in BOUGHT if row.family == "rtl" and row.slug != "sulu")  # of which one release is known


@pytest.mark.parametrize("row", STAGED, ids=lambda row: row.slug)
@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_the_second_stage_goes_before_the_bootloader_that_needs_it_and_after_the_one_that_did(
    row: Platform, is_up: bool
) -> None:
    versions = ["6.2.0", "6.3.4"] if is_up else ["6.3.4", "6.2.0"]
    memory = UnitMemory(row.id)
    memory.install(file.data for file in synthetic.release(row.id, versions[0]))
    plan = make_plan(
        row, told(memory), images(synthetic.release(row.id, versions[1])), None, mode=Mode.APPLICATION,
        allow_downgrade=True,
    )  # fmt: skip
    stages = [write.name for write in plan.writes if write.way is Via.OTA]
    assert stages == ["prebootloader-part1", "bootloader"][:: 1 if is_up else -1]
    assert plan.cut == "always", "the first stage resumes either copy"


@pytest.mark.parametrize("row", STAGED, ids=lambda row: row.slug)
def test_without_a_word_of_dependencies_the_second_stage_still_goes_first(row: Platform) -> None:
    part1, bootloader, _ = images(synthetic.release(row.id, "6.3.4"))
    free = dataclasses.replace(bootloader, dependencies=())
    plan = make_plan(row, None, (free, part1), None, mode=Mode.DFU, skus=("any",))
    assert [write.name for write in plan.writes] == ["prebootloader-part1", "bootloader"]


def refusal(recipe: Recipe, tmp_path: Path) -> str:
    for file in recipe.files():
        (tmp_path / file.name).write_bytes(file.data)
    profile = recipe.profile()
    with pytest.raises(BadInput) as caught:
        load_release(profile, platform_by_slug(recipe.platform), FirmwareStore([tmp_path]), None)
    assert str(caught.value).count(". ") == 0
    return str(caught.value)


@pytest.mark.parametrize("row", STAGED, ids=lambda row: row.slug)
@pytest.mark.parametrize("is_encrypted", [True, False])
def test_the_first_stage_is_refused_by_name_when_the_profile_is_read(
    row: Platform, is_encrypted: bool, tmp_path: Path
) -> None:
    if is_encrypted:
        ((_, file),) = synthetic.burnt_in(row.id)
        why = "is encrypted, and no station flashes such a module; leave it out"
    else:
        data = synthetic.make_module(row.id, (2, 1), 1, 0x08000000, b"first stage".ljust(2000, b"\0"))
        file = SyntheticFile("first-stage.bin", data)
        why = f"first-stage.bin: prebootloader-mbr version 1, {len(data)} bytes, cannot go into a {row.name}: it has"
    modules = (*synthetic.release(row.id, "6.3.4"), file)
    assert why in refusal(Recipe(row.slug, modules=modules, wifi=False), tmp_path)


STAGES = [(row, slot) for row in STAGED for slot in row.modules if slot.function == ModuleFunction.BOOTLOADER]


@pytest.mark.parametrize(("row", "slot"), STAGES, ids=lambda one: one.name)
def test_a_stage_before_the_bootloader_has_the_vendors_name_everywhere(row: Platform, slot: ModuleSlot) -> None:
    image = parse_image(synthetic.make_module(row.id, (2, slot.index), 1, slot.start, bytes(2000)), "x.bin")
    assert module_name(2, slot.index) == slot.name
    assert reported_name(ModuleInfo(2, slot.index, 1, Store.MAIN, 0, 2000, 0, 0, None, ())) == slot.name
    assert image.describe().startswith(f"x.bin: {slot.name} ")
    assert str(Dependency(2, slot.index, 7)).startswith(f"{slot.name} ")


# --- a plan that would act on nothing ------------------------------------------------------------------


@st.composite
def _units(draw: st.DrawFn) -> tuple[Platform, UnitMemory]:
    """A unit that holds the wanted release but for what happened to any of its modules."""
    row = draw(st.sampled_from(BOUGHT))
    wanted = (*synthetic.release(row.id, newest(row)), synthetic.application(row.id, newest(row)))
    memory = UnitMemory(row.id)
    memory.install(file.data for file in wanted)
    for file in wanted:
        image = parse_image(file.data, file.name)
        happened = draw(st.sampled_from(["nothing", "nothing", "blank", "torn", "other"]))
        at = image.flash_address + draw(st.integers(0, len(image.flash_bytes) - 1))
        if happened == "blank":
            memory.internal.place(image.flash_address, b"\xff" * len(image.flash_bytes))
        elif happened == "torn":
            memory.internal.place(at, bytes((memory.internal.read(at, 1)[0] ^ 1,)))
        elif happened == "other":
            memory.internal.place(image.flash_address, _another(image))
    return row, memory


def _another(image: Image) -> bytes:
    """The same kind of module with another content of the same length, intact."""
    data = bytearray(image.data[:-38])
    data[image.prefix_offset + 24 + 90] ^= 0xFF
    return _sealed(bytes(data), image.suffix_size)[len(image.data) - len(image.flash_bytes) :]


def _sealed(body: bytes, suffix_size: int) -> bytes:
    body += hashlib.sha256(body).digest() + suffix_size.to_bytes(2, "little")
    return body + zlib.crc32(body).to_bytes(4, "big")


def _plan(row: Platform, memory: UnitMemory, release: tuple[Image, ...], application: Image) -> UpdatePlan | None:
    """The plan of such a unit after everything a plan wants read back was read back; None if there is none."""
    report = boot(memory)
    runs = report.mode in (BootMode.NORMAL, BootMode.SAFE)
    back: dict[Key, Comparison] = {}
    for image in (*release, application):
        slot = slot_of(image)
        if slot is not None and slot.is_readable:
            same = memory.internal.read(image.flash_address, len(image.flash_bytes)) == image.flash_bytes
            back[image_key(image)] = READ_EQUAL if same else READ_DIFFERENT
    try:
        return make_plan(
            row, told(memory) if runs else None, release, application, mode=Mode.APPLICATION if runs else Mode.DFU,
            skus=("any",), read_back=back, allow_downgrade=True,
        )  # fmt: skip
    except PlanRefused:
        return None


@settings(max_examples=60, deadline=None)
@given(_units())
def test_a_plan_that_acts_on_nothing_is_of_a_unit_that_holds_everything(unit: tuple[Platform, UnitMemory]) -> None:
    row, memory = unit
    release = images(synthetic.release(row.id, newest(row)))
    (wanted,) = images((synthetic.application(row.id, newest(row)),))
    plan = _plan(row, memory, release, wanted)
    if plan is None or plan.has_work:
        return
    for image in (*release, wanted):
        assert memory.internal.read(image.flash_address, len(image.flash_bytes)) == image.flash_bytes, image.name
    assert boot(memory).mode is BootMode.NORMAL
    assert {present.image for present in plan.already} == {*release, wanted}

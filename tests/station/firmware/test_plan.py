"""Update plans: for synthetic releases on virtual memories that really boot what was planned, and for vendor files."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from support.vendor_files import needs_vendor_files, vendor_file

from drivers.devices.flashing import plan_write
from drivers.platforms import ModuleFunction, Via, os_version_of_module, platform
from drivers.virtual import header as virtual
from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode, boot
from drivers.virtual.memory import UnitMemory
from drivers.wire.image.host import Dependency, Image, parse_image
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.messages.tables import Store
from drivers.wire.usb import Mode
from station.firmware.checks import PlanRefused, ProductFirmware, Refusal
from station.firmware.cuts import CutSafety
from station.firmware.modules import READ_DIFFERENT, READ_EQUAL, REMEMBERED, ReadBacks, image_key
from station.firmware.plan import Case, UpdatePlan, make_plan

SOFTDEVICE = (ModuleFunction.RADIO_STACK, 0)
ARGON, BORON = platform(12), platform(13)
NO_HASH_BEFORE = 5600


def images(files: tuple[synthetic.SyntheticFile, ...]) -> tuple[Image, ...]:
    return tuple(parse_image(file.data, file.name) for file in files)


def app(platform_id: int, device_os: str, *, product_id: int = 0xFFFF, product_version: int = 0xFFFF) -> Image:
    file = synthetic.application(platform_id, device_os, product_id=product_id, product_version=product_version)
    return images((file,))[0]


def vendor(name: str) -> Image:
    return parse_image(vendor_file(name), name)


class Unit:
    """A virtual memory that is asked what it holds and given what a plan says."""

    def __init__(self, platform_id: int, device_os: str, *more: bytes) -> None:
        self.memory = UnitMemory(platform_id)
        self.memory.install([*(file.data for file in synthetic.release(platform_id, device_os)), *more])

    def info(self) -> tuple[ModuleInfo, ...]:
        """Module info as a unit of that version reports it: no hash before 5.6.0."""
        report = boot(self.memory)
        assert report.mode in (BootMode.NORMAL, BootMode.SAFE), report.reason
        tells = (report.system_module_version or 0) >= NO_HASH_BEFORE
        return tuple(
            ModuleInfo(
                m.function, m.index, m.version, Store.MAIN, 0, m.size, m.checked, m.passed,
                m.hash if tells else None,
                tuple(Dependency(d.function, d.index, d.version) for d in m.dependencies),
            )
            for m in report.modules
        )  # fmt: skip

    def apply(self, plan: UpdatePlan) -> None:
        for page in (page for write in plan.dfu_writes for page in plan_write(write.image).stale):
            self.memory.internal.place(page, b"\xff" * 4096)
        self.memory.install([write.image.data for write in plan.writes])


def names(plan: UpdatePlan) -> list[tuple[str, Via]]:
    return [(write.name, write.way) for write in plan.writes]


WAYS = {"bootloader": Via.OTA, "SoftDevice": Via.DFU, "system part 1": Via.DFU, "application": Via.DFU}


def ways(*modules: str) -> list[tuple[str, Via]]:
    return [(name, WAYS[name]) for name in modules]


# --- what is written, by which way, in which order ---


def test_a_fresh_unit_gets_the_bootloader_by_request_and_the_rest_in_one_dfu_visit() -> None:
    unit = Unit(13, "3.3.1", synthetic.application(13, "3.3.1").data)
    plan = make_plan(
        BORON, unit.info(), images(synthetic.release(13, "6.3.4")), app(13, "6.3.4"), mode=Mode.APPLICATION
    )
    assert plan.case is Case.A
    assert names(plan) == ways("bootloader", "SoftDevice", "system part 1", "application")
    assert [w.name for w in plan.control_writes] == ["bootloader"]
    assert [w.name for w in plan.writes if w.compare_first] == ["SoftDevice", "application"]  # 3.3.1 tells no hashes
    assert str(plan.device_os) == "6.3.4"
    unit.apply(plan)
    report = boot(unit.memory)
    assert (report.mode, report.system_version, report.missing) == (BootMode.NORMAL, "6.3.4", ())


@pytest.mark.parametrize("target", ["4.1.0", "5.8.0", "6.1.1", "6.2.0", "6.3.4"])
@pytest.mark.parametrize("start", ["3.3.1", "4.1.0", "6.2.0", "6.3.4"])
@pytest.mark.parametrize("platform_id", [12, 13])
def test_what_was_planned_boots_and_the_next_plan_is_empty(platform_id: int, start: str, target: str) -> None:
    unit = Unit(platform_id, start, synthetic.application(platform_id, start).data)
    release, application = images(synthetic.release(platform_id, target)), app(platform_id, target)

    def plan(read_back: ReadBacks = MappingProxyType({})) -> UpdatePlan:
        row = platform(platform_id)
        return make_plan(
            row, unit.info(), release, application, mode=Mode.APPLICATION, allow_downgrade=True, read_back=read_back
        )

    unit.apply(plan())
    report = boot(unit.memory)
    assert (report.mode, report.system_version, report.missing) == (BootMode.NORMAL, target, ())
    again = plan()
    assert again.differing == ()
    unproved: tuple[str, ...] = ("SoftDevice", "system part 1")
    if (report.system_module_version or 0) < NO_HASH_BEFORE:
        unproved = ("bootloader", *unproved, "application")
    assert {write.name for write in again.writes} == set(unproved)
    proved = plan(dict.fromkeys(map(image_key, (*release, application)), READ_EQUAL))
    assert (proved.has_work, len(proved.already)) == (False, 4)


def test_only_the_application_is_written_when_only_the_application_differs() -> None:
    unit = Unit(12, "6.3.4", synthetic.application(12, "6.3.4", seed="other").data)
    plan = make_plan(
        ARGON, unit.info(), images(synthetic.release(12, "6.3.4")), app(12, "6.3.4"), mode=Mode.APPLICATION,
        read_back={SOFTDEVICE: REMEMBERED},
    )  # fmt: skip
    assert [(write.name, write.why) for write in plan.writes] == [("application", "same version, other content")]
    assert {present.proof for present in plan.already} == {"version and hash are equal", REMEMBERED.why}
    assert plan.cut is CutSafety.ALWAYS
    assert ("system part 1", "6.3.4 (6305)", "6.3.4 (6305)") in plan.rows


def test_a_system_part_that_only_misses_its_bootloader_is_not_written_again() -> None:
    """The state after the DFU visit of case B: Device OS is new, the bootloader is still old."""
    old, new = synthetic.release(13, "3.3.1"), synthetic.release(13, "6.3.4")
    unit = Unit(13, "3.3.1")
    unit.memory.install([new[1].data, new[2].data, synthetic.application(13, "6.3.4").data])
    assert boot(unit.memory).mode is BootMode.SAFE
    assert old[0].data != new[0].data
    plan = make_plan(BORON, unit.info(), images(new), app(13, "6.3.4"), mode=Mode.APPLICATION)
    assert [write.name for write in plan.differing] == ["bootloader"]


def test_a_unit_in_dfu_gets_device_os_first_and_is_compared_by_reading_back() -> None:
    plan = make_plan(BORON, None, images(synthetic.release(13, "6.3.4")), app(13, "6.3.4"), mode=Mode.DFU)
    assert plan.case is Case.B
    assert names(plan) == ways("SoftDevice", "system part 1", "application", "bootloader")
    assert all(write.compare_first for write in plan.writes)
    assert {held for _, _, held in plan.rows} == {"unknown"}


def test_a_bootloader_that_goes_back_goes_last() -> None:
    unit = Unit(13, "6.3.4")
    plan = make_plan(
        BORON,
        unit.info(),
        images(synthetic.release(13, "3.3.1")),
        None,
        mode=Mode.APPLICATION,
        allow_downgrade=True,
        serial="B40T1234567",
    )
    assert plan.case is Case.B
    assert names(plan)[-1] == ("bootloader", Via.OTA)
    assert "goes last" in plan.reasons[0]


def test_every_dependency_stands_before_what_needs_it() -> None:
    """Shuffled input: the order comes from the modules, not from the profile's list."""
    release = images(synthetic.release(12, "6.3.4"))
    for shuffled in (release, release[::-1], (release[1], release[2], release[0])):
        plan = make_plan(ARGON, Unit(12, "3.3.1").info(), shuffled, app(12, "6.3.4"), mode=Mode.APPLICATION)
        assert names(plan) == ways("bootloader", "SoftDevice", "system part 1", "application")


def test_a_large_application_makes_a_valid_legacy_one_invalid() -> None:
    legacy = synthetic.make_module(
        13, (5, 1), 6, 0xD4000, b"legacy".ljust(4000), (virtual.Dependency(4, 1, 3302), None)
    )
    unit = Unit(13, "6.3.4", legacy)
    unit.apply(make_plan(BORON, unit.info(), (), app(13, "6.3.4"), mode=Mode.APPLICATION))
    assert make_plan(BORON, unit.info(), (), app(13, "6.3.4"), mode=Mode.APPLICATION).has_work is False


def test_a_damaged_module_is_written_again() -> None:
    unit = Unit(12, "6.3.4", synthetic.application(12, "6.3.4").data)
    row = next(m for m in unit.info() if m.function == 4)
    damaged = ModuleInfo(
        row.function, row.index, row.version, row.store, 0, row.size, 0x1E, 0x1C, row.hash, row.dependencies
    )
    held = tuple(damaged if m == row else m for m in unit.info())
    plan = make_plan(ARGON, held, images(synthetic.release(12, "6.3.4")), None, mode=Mode.APPLICATION)
    (write,) = plan.differing
    assert (write.name, write.held.endswith("damaged")) == ("system part 1", True)


# --- what a cut leaves ---


def test_a_plan_says_before_it_begins_what_a_cut_would_leave() -> None:
    held = Unit(13, "6.2.0").info()
    new, old = images(synthetic.release(13, "6.3.4")), images(synthetic.release(13, "6.1.1"))
    second_header = make_plan(BORON, held, new, None, mode=Mode.APPLICATION)
    assert second_header.cut is CutSafety.BUT_LAST_PAGE
    assert any("0x30000" in reason for reason in second_header.reasons)
    whole = make_plan(BORON, held, old, None, mode=Mode.APPLICATION, allow_downgrade=True)
    assert whole.cut is CutSafety.ALWAYS


def test_a_softdevice_without_its_system_part_is_no_safe_cut() -> None:
    radio = images((synthetic.softdevice(13, 202),))
    held = Unit(13, "6.3.4", synthetic.softdevice(13, 182).data).info()
    plan = make_plan(BORON, held, radio, None, mode=Mode.APPLICATION)
    assert (plan.cut, plan.erase_first) == (CutSafety.NO, ())


@pytest.mark.parametrize("device_os", ["3.3.1", "6.3.4"])
def test_a_softdevice_is_never_written_under_a_valid_system_part(device_os: str) -> None:
    """Also where the system part is the wanted one already: it goes invalid and is written again."""
    unit = Unit(13, device_os, synthetic.softdevice(13, 182).data)
    plan = make_plan(BORON, unit.info(), images(synthetic.release(13, "6.3.4")), None, mode=Mode.APPLICATION)
    (early,) = plan.erase_first
    assert (early.page, early.image.function, early.before.function) == (0x30000, 4, 8)
    assert [write.name for write in plan.dfu_writes] == ["SoftDevice", "system part 1"]
    assert plan.cut is CutSafety.BUT_LAST_PAGE


def test_a_softdevice_counts_as_there_only_when_it_was_read_back() -> None:
    """Its version, and the string a unit reports in place of a hash, say nothing of its content."""
    unit = Unit(13, "6.3.4", synthetic.application(13, "6.3.4").data)
    release = images(synthetic.release(13, "6.3.4"))
    plan = make_plan(BORON, unit.info(), release, None, mode=Mode.APPLICATION)
    assert [(write.name, write.compare_first) for write in plan.writes] == [
        ("SoftDevice", True), ("system part 1", True),
    ]  # fmt: skip
    for told, writes in ((READ_EQUAL, []), (REMEMBERED, []), (READ_DIFFERENT, ["SoftDevice"])):
        plan = make_plan(BORON, unit.info(), release, None, mode=Mode.APPLICATION, read_back={SOFTDEVICE: told})
        assert [write.name for write in plan.differing] == writes


def test_what_was_read_back_before_does_not_outweigh_what_the_unit_reports_now() -> None:
    unit = Unit(13, "6.3.4", synthetic.softdevice(13, 182).data)
    plan = make_plan(
        BORON, unit.info(), images(synthetic.release(13, "6.3.4")), None, mode=Mode.APPLICATION,
        read_back={SOFTDEVICE: REMEMBERED},
    )  # fmt: skip
    assert [write.name for write in plan.differing] == ["SoftDevice"]


def test_an_old_bootloader_that_cannot_resume_is_named() -> None:
    held = tuple(
        ModuleInfo(m.function, m.index, 1000, m.store, 0, m.size, m.checked, m.passed, m.hash, m.dependencies)
        if m.function == 2
        else m
        for m in Unit(12, "4.1.0").info()
    )
    plan = make_plan(ARGON, held, images(synthetic.release(12, "4.1.0")), None, mode=Mode.APPLICATION)
    assert plan.cut is CutSafety.NO
    assert any("(1000) cannot resume" in reason for reason in plan.reasons)


# --- refusals, before the first byte ---


def refused(*args: object, **named: object) -> PlanRefused:
    with pytest.raises(PlanRefused) as caught:
        make_plan(*args, **{"mode": Mode.APPLICATION, **named})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return caught.value


@needs_vendor_files
def test_a_release_with_an_old_softdevice_is_refused_and_names_it() -> None:
    release = tuple(
        vendor(name)
        for name in ("argon-bootloader-620.bin", "argon-softdevice-6.1.1.bin", "argon-system-part1@4.1.0.bin")
    )
    old = Unit(12, "3.3.1", synthetic.softdevice(12, 182).data)
    error = refused(ARGON, old.info(), release, vendor("tinker-0.8.0-rc.27-argon.bin"))
    assert error.code is Refusal.DEPENDENCY
    assert "needs SoftDevice 202 or newer, but the release contains 182" in str(error)


@needs_vendor_files
def test_a_unit_with_an_old_softdevice_is_refused_when_the_release_has_none() -> None:
    release = (vendor("argon-bootloader-620.bin"), vendor("argon-system-part1@4.1.0.bin"))
    old = Unit(12, "3.3.1", synthetic.softdevice(12, 182).data)
    error = refused(ARGON, old.info(), release, None)
    assert error.code is Refusal.DEPENDENCY
    assert "needs SoftDevice 202 or newer, but the unit holds 182 and the release has none" in str(error)
    unknown = refused(ARGON, None, release, None, mode=Mode.DFU)
    assert "a unit in DFU does not say what it holds" in str(unknown)


@needs_vendor_files
@pytest.mark.rule("D6")
def test_vendor_files_with_a_synthetic_softdevice_make_a_bootable_unit() -> None:
    release = (
        vendor("argon-bootloader-620.bin"),
        *images((synthetic.softdevice(12, 202),)),
        vendor("argon-system-part1@4.1.0.bin"),
    )
    tinker = vendor("tinker-0.8.0-rc.27-argon.bin")
    assert tinker.product_id == 12  # the platform's own id counts as no product
    unit = Unit(12, "3.3.1")
    plan = make_plan(ARGON, unit.info(), release, tinker, mode=Mode.APPLICATION, product=ProductFirmware(12345))
    assert names(plan) == ways("bootloader", "SoftDevice", "system part 1", "application")
    unit.apply(plan)
    report = boot(unit.memory)
    assert (report.mode, report.system_module_version, report.bootloader_version) == (BootMode.NORMAL, 4100, 3001)


def test_an_application_that_stays_must_find_its_device_os() -> None:
    unit = Unit(13, "6.3.4", synthetic.application(13, "6.3.4").data)
    error = refused(BORON, unit.info(), images(synthetic.release(13, "5.8.0")), None, allow_downgrade=True)
    assert "application 6 on the unit needs system part 1 6305 or newer, but the release contains 5800" in str(error)


def test_an_application_that_goes_asks_for_nothing() -> None:
    legacy = synthetic.make_module(13, (5, 1), 6, 0xD4000, b"x" * 4000, (virtual.Dependency(4, 1, 6305), None))
    held, release = Unit(13, "6.3.4", legacy).info(), images(synthetic.release(13, "5.8.0"))
    assert "on the unit needs system part 1 6305" in str(refused(BORON, held, release, None, allow_downgrade=True))
    plan = make_plan(BORON, held, release, app(13, "5.8.0"), mode=Mode.APPLICATION, allow_downgrade=True)
    assert names(plan) == ways("SoftDevice", "system part 1", "application", "bootloader")


def test_a_file_of_another_platform_is_refused() -> None:
    error = refused(BORON, Unit(13, "3.3.1").info(), images(synthetic.release(12, "6.3.4")), None)
    assert error.code is Refusal.WRONG_PLATFORM
    assert "is for platform 12, this is a Boron (13)" in str(error)


@pytest.mark.parametrize(
    ("kind", "start", "size", "what"),
    [
        ((3, 0), 0x30000, 5000, "has no place for it"),
        ((5, 2), 0xB0000, 5000, "no such module at 0xb0000"),
        ((5, 1), 0xB4000, 5000, "no such module at 0xb4000"),
        ((2, 0), 0xF0000, 5000, "no such module at 0xf0000"),
        ((5, 1), 0xD4000, 140_000, "has room for 131072 bytes"),
        ((4, 1), 0x30000, 550_000, "has room for 540672 bytes"),
        ((4, 2), 0x30000, 5000, "has no place for it"),
    ],
)
def test_a_module_without_a_place_is_refused(kind: tuple[int, int], start: int, size: int, what: str) -> None:
    image = parse_image(synthetic.make_module(13, kind, 6305, start, b"x" * size), "odd.bin")
    error = refused(BORON, Unit(13, "3.3.1").info(), (image,), None)
    assert error.code is Refusal.NOT_FLASHABLE
    assert what in str(error)


def test_two_files_for_one_place_are_refused() -> None:
    release = images(synthetic.release(13, "6.3.4"))
    assert "both system part 1" in str(refused(BORON, Unit(13, "3.3.1").info(), (*release, release[2]), None))


@pytest.mark.rule("H4")
def test_a_downgrade_needs_the_profiles_flag() -> None:
    held, release = Unit(13, "6.3.4").info(), images(synthetic.release(13, "5.8.0"))
    error = refused(BORON, held, release, None)
    assert error.code is Refusal.DOWNGRADE
    assert "allow_downgrade = true" in str(error)
    assert make_plan(BORON, held, release, None, mode=Mode.APPLICATION, allow_downgrade=True).has_work


@pytest.mark.rule("D9")
@pytest.mark.parametrize(
    ("target", "skus", "serial", "minimum"),
    [
        ("3.3.1", ("BRN404X",), None, "4.0.1"),
        ("3.3.1", (), "P044AB1234567", "4.0.1"),
        ("3.3.1", (), None, "4.0.1"),
        ("3.3.1", ("BRN404",), None, None),
        ("3.3.1", ("BRN404",), "B40T1234567", None),
        ("4.1.0", ("BRN404X",), "P044AB1234567", None),
    ],
)
def test_a_device_os_below_the_minimum_of_the_sku_is_refused(
    target: str, skus: tuple[str, ...], serial: str | None, minimum: str | None
) -> None:
    held, release = Unit(13, "3.3.1").info(), images(synthetic.release(13, target))
    if minimum is None:
        make_plan(BORON, held, release, None, mode=Mode.APPLICATION, skus=skus, serial=serial)
    else:
        error = refused(BORON, held, release, None, skus=skus, serial=serial)
        assert (error.code, f"older than {minimum}" in str(error)) == (Refusal.MINIMUM, True)


PRODUCTS = [
    # Device OS, product id in the application, product of the profile, what the refusal says (None: accepted)
    pytest.param("6.3.4", 12345, 12345, "(D6)", marks=pytest.mark.rule("D6")),
    pytest.param("4.1.0", 999, 12345, "(D6)", marks=pytest.mark.rule("D6")),
    pytest.param("6.3.4", 0xFFFF, 12345, None, marks=pytest.mark.rule("D6")),
    pytest.param("6.3.4", 0, 12345, None, marks=pytest.mark.rule("D6")),
    pytest.param("6.3.4", 13, 12345, None, marks=pytest.mark.rule("D6")),
    pytest.param("3.3.1", 12345, 12345, None, marks=pytest.mark.rule("D7")),
    pytest.param("3.3.1", 999, 12345, "this unit joins product 12345 (D7)", marks=pytest.mark.rule("D7")),
    pytest.param("3.3.1", 999, None, "number is not known from the cloud yet", marks=pytest.mark.rule("D7")),
    pytest.param("3.3.1", 13, 12345, None, marks=pytest.mark.rule("D7")),
    pytest.param("6.3.4", 999, "developer", "joins no product"),
    pytest.param("6.3.4", 13, "developer", None),
]


@pytest.mark.parametrize(("device_os", "number", "joins", "what"), PRODUCTS)
def test_the_product_id_in_the_application(
    device_os: str, number: int, joins: int | str | None, what: str | None
) -> None:
    product = None if joins == "developer" else ProductFirmware(joins if isinstance(joins, int) else None)
    arguments = (BORON, Unit(13, "3.3.1").info(), images(synthetic.release(13, device_os)))
    application = app(13, device_os, product_id=number)
    if what is None:
        plan = make_plan(*arguments, application, mode=Mode.APPLICATION, product=product, serial="B40T1234567")
        assert plan.has_work
    else:
        error = refused(*arguments, application, product=product)
        assert error.code is Refusal.PRODUCT
        assert what in str(error)


@pytest.mark.rule("D7")
def test_the_wildcard_is_refused_before_device_os_1_5() -> None:
    system = parse_image(synthetic.make_module(13, (4, 1), 1406, 0x30000, b"x" * 5000), "old.bin")
    application = parse_image(synthetic.make_module(13, (5, 1), 5, 0xD4000, b"x" * 500, product=(13, 1)), "old-app.bin")
    error = refused(BORON, None, (system,), application, mode=Mode.DFU, product=ProductFirmware(12345))
    assert "before Device OS 1.5" in str(error)


def test_the_product_version_in_the_application_must_be_the_profiles() -> None:
    held, release = Unit(13, "3.3.1").info(), images(synthetic.release(13, "6.3.4"))
    application = app(13, "6.3.4", product_version=7)
    error = refused(BORON, held, release, application, product=ProductFirmware(12345, 8))
    assert "says product firmware version 7, the profile says 8" in str(error)
    make_plan(BORON, held, release, application, mode=Mode.APPLICATION, product=ProductFirmware(12345, 7))


def test_modules_a_unit_invents_do_not_disturb_the_plan() -> None:
    odd = ModuleInfo(200, 9, 1, Store.MAIN, 0, 0, 0, 0, None, (Dependency(0, 0, 0),))
    factory = ModuleInfo(5, 2, 6, Store.FACTORY, 0, 0, 0x1E, 0x1E, None, (Dependency(4, 1, 65000),))
    plan = make_plan(
        BORON, (*Unit(13, "6.3.4").info(), odd, factory), images(synthetic.release(13, "6.3.4")), None,
        mode=Mode.APPLICATION, read_back={SOFTDEVICE: READ_EQUAL},
    )  # fmt: skip
    assert not plan.has_work
    assert plan.rows[-1] == ("module 200/9", "as it is", "1")
    assert os_version_of_module(plan.system_version or 0) == "6.3.4"

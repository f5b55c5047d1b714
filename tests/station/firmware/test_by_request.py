"""Updates by control request alone: a virtual memory takes each module in the planned order, and boots in between."""

from __future__ import annotations

import pytest

from drivers.platforms import ModuleFunction, OsVersion, Platform, Via, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode, boot
from drivers.virtual.memory import UnitMemory
from drivers.virtual.ota import OtaUpdate
from drivers.wire.control.tables import RequestType
from drivers.wire.image.host import Dependency, Image, parse_image
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.messages.tables import Store
from drivers.wire.results import ResultCode
from drivers.wire.usb import Mode
from station.firmware.by_request import NotByRequest
from station.firmware.plan import Case, UpdatePlan, make_plan
from station.settings.sku import minimums_of_platform

WHY = "it does not come into DFU"


def lines_of(row: Platform) -> tuple[str, ...]:
    """The first, a middle and the last Device OS of a platform that takes updates by request."""
    takes = [
        one for one in synthetic.versions(row.id)
        if row.knows_request(RequestType.START_FIRMWARE_UPDATE, OsVersion.parse(one))
    ]  # fmt: skip
    return tuple(dict.fromkeys((takes[0], takes[len(takes) // 2], takes[-1])))


def newest_minimum(row: Platform) -> OsVersion:
    """What the planner asks of a unit whose SKU it does not know (D9)."""
    oldest = row.oldest_device_os or OsVersion.parse("0.0.0")
    return max((one.device_os for one in minimums_of_platform(row.id)), default=oldest)


PAIRS = [
    (row.slug, old, new)
    for row in platforms()
    for old in lines_of(row)
    for new in lines_of(row)
    if old != new and OsVersion.parse(new) >= newest_minimum(row)
]
V1_2_1, V1_3_1, V1_4_0, V3_1_0 = map(OsVersion.parse, ("1.2.1", "1.3.1", "1.4.0", "3.1.0"))


def refusal(row: Platform, old: str, new: str) -> str:
    """What only DFU can do of such an update, a part of the sentence; "" for one that goes by request."""
    before, after = OsVersion.parse(old), OsVersion.parse(new)
    if row.slug == "electron":
        return "to 1.2.1 first" if before < V1_2_1 < after else ""  # firmware-and-dfu 4.4
    if row.family == "nrf" and before < V3_1_0 <= after:
        return "counts before"  # the application on the unit lies where it has precedence (2.3)
    # SoftDevice 202, from 1.4.0 on, asks for 1.3.1 and is asked for by what comes with it (4.4)
    return "do not agree" if row.family == "nrf" and before < V1_3_1 and after >= V1_4_0 else ""


class Unit:
    """A memory that holds a Device OS and an application of it, and takes updates as a running unit does."""

    def __init__(self, row: Platform, device_os: str) -> None:
        self.memory = UnitMemory(row.id)
        application = synthetic.application(row.id, device_os)
        self.memory.install([*(file.data for file in synthetic.release(row.id, device_os)), application.data])

    def info(self) -> tuple[ModuleInfo, ...]:
        report = boot(self.memory)
        assert report.mode in (BootMode.NORMAL, BootMode.SAFE), report.reason
        return tuple(
            ModuleInfo(
                m.function, m.index, m.version, Store.MAIN, 0, m.size, m.checked, m.passed, m.hash,
                tuple(Dependency(d.function, d.index, d.version) for d in m.dependencies),
            )
            for m in report.modules
        )  # fmt: skip

    def take(self, image: Image) -> int:
        report = boot(self.memory)
        assert report.system_module_version is not None, report.reason
        update = OtaUpdate(self.memory, report.system_module_version)
        assert update.begin(len(image.data)).code == 0
        assert update.data(image.data).code == 0
        code = update.finish().code
        if code == 0:
            assert update.apply().code == 0
        return code


def images(row: Platform, device_os: str) -> tuple[tuple[Image, ...], Image]:
    release = synthetic.release(row.id, device_os)
    application = synthetic.application(row.id, device_os)
    return tuple(parse_image(one.data, one.name) for one in release), parse_image(application.data, application.name)


def planned(row: Platform, unit: Unit, new: str) -> UpdatePlan:
    return make_plan(
        row, unit.info(), *images(row, new), mode=Mode.APPLICATION, allow_downgrade=True, without_dfu=WHY,
        serial="",
    )  # fmt: skip


@pytest.mark.parametrize(("slug", "old", "new"), PAIRS)
def test_a_unit_takes_every_module_in_the_planned_order_and_holds_them_all(slug: str, old: str, new: str) -> None:
    row = platform_by_slug(slug)
    unit = Unit(row, old)
    if why := refusal(row, old, new):
        with pytest.raises(NotByRequest, match=why):
            planned(row, unit, new)
        return
    plan = planned(row, unit, new)
    assert plan.case is Case.C
    assert plan.erase_first == ()
    assert {write.way for write in plan.writes} == {Via.OTA}
    assert not [write for write in plan.writes if write.compare_first]
    for write in plan.writes:
        assert unit.take(write.image) == 0, write.name
    report = boot(unit.memory)
    assert (report.mode, report.system_version, report.missing) == (BootMode.NORMAL, new, ())
    left = {(write.image.function, write.image.index) for write in planned(row, unit, new).writes}
    assert left <= {(ModuleFunction.RADIO_STACK, 0)}, "it tells its build only"


NO = ResultCode.OTA_DEPENDENCY_CHECK_FAILED


def test_what_does_not_agree_in_any_order_is_refused_by_a_unit_in_every_order() -> None:
    row = platform_by_slug("xenon")
    (bootloader, softdevice, system), _ = images(row, "1.5.2")
    unit = Unit(row, "0.9.0")
    assert unit.take(bootloader) == 0
    assert (unit.take(softdevice), unit.take(system)) == (NO, NO)


def test_an_application_behind_one_that_counts_before_it_never_runs() -> None:
    row = platform_by_slug("argon")
    release, application = images(row, "6.3.4")
    unit = Unit(row, "1.5.2")
    for image in (*release, application):
        assert unit.take(image) == 0
    assert [one.hash for one in unit.info() if one.function == ModuleFunction.USER_PART] != [application.sha256]


def test_parts_of_a_device_os_go_up_and_down_in_opposite_orders() -> None:
    row = platform_by_slug("photon")

    def parts(old: str, new: str) -> list[str]:
        return [one.name for one in planned(row, Unit(row, old), new).writes if "system part" in one.name]

    assert parts("2.3.1", "3.3.1") == ["system part 1", "system part 2"]
    assert parts("3.3.1", "2.3.1") == ["system part 2", "system part 1"]


def test_what_an_update_passes_over_is_said_before_the_first_write() -> None:
    row = platform_by_slug("photon")
    plan = planned(row, Unit(row, "1.5.2"), "2.3.1")
    assert plan.reasons[0] == f"Everything goes by control request: {WHY}."
    assert "factory-user-part), which is lost" in plan.reasons[1]
    assert not [
        one
        for one in planned(platform_by_slug("p2"), Unit(platform_by_slug("p2"), "5.0.1"), "6.3.4").reasons
        if "lost" in one
    ]


def test_a_bootloader_that_goes_back_and_one_that_locks_go_last() -> None:
    row = platform_by_slug("boron")
    names = [one.name for one in planned(row, Unit(row, "6.3.4"), "5.8.0").writes]
    assert names[-1] == "bootloader"


def test_a_unit_that_does_not_run_or_takes_no_updates_needs_dfu() -> None:
    photon, boron = platform_by_slug("photon"), platform_by_slug("boron")
    with pytest.raises(NotByRequest, match="takes no updates by control request"):
        planned(photon, Unit(photon, "0.5.5"), "0.7.0")
    with pytest.raises(NotByRequest, match="does not run"):
        make_plan(boron, None, *images(boron, "6.3.4"), mode=Mode.DFU, without_dfu=WHY)

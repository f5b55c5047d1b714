"""Vendor rules of versions (4.4; D6 D7 D9 H4) as one table a rule, on every platform they name."""

from __future__ import annotations

import dataclasses

import pytest

from drivers.platforms import ModuleFunction, OsVersion, Platform, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.wire.image.host import Dependency, Image, parse_image
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.messages.tables import Store
from drivers.wire.usb import Mode
from station.firmware.checks import PlanRefused, ProductFirmware
from station.firmware.plan import UpdatePlan, check_files, make_plan

OTHERS = {"photon": ("1.4.4", "2.3.1"), "p1": ("1.4.4", "2.3.1"), "electron": ("1.5.2", "3.3.1"),
          "xenon": ("0.9.0", "1.5.2")}  # fmt: skip
"""Two releases of platforms without the newest ones."""
WITH_TWO = tuple(row for row in platforms() if row.was_sold and len(synthetic.versions(row.id)) > 1)
PRODUCT = ProductFirmware(4242)


def versions(row: Platform) -> tuple[str, str]:
    made = synthetic.versions(row.id)
    return OTHERS.get(row.slug) or (made[-2], made[-1])


def release(row: Platform, device_os: str) -> tuple[Image, ...]:
    return tuple(parse_image(file.data, file.name) for file in synthetic.release(row.id, device_os))


def holding(row: Platform, device_os: str) -> tuple[ModuleInfo, ...]:
    """Module info of a unit that holds that release."""
    return tuple(
        ModuleInfo(
            one.function, one.index, one.version, Store.MAIN, 0, len(one.data), 0x1E, 0x1E, one.sha256,
            tuple(Dependency(d.function, d.index, d.version) for d in one.dependencies),
        )
        for one in release(row, device_os)
    )  # fmt: skip


def app(row: Platform, device_os: str, product: int = 0xFFFF) -> Image:
    version = 0xFFFF if product == 0xFFFF else 1
    file = synthetic.application(row.id, device_os, product_id=product, product_version=version)
    return parse_image(file.data, file.name)


def ids(row: Platform) -> str:
    return row.slug


@pytest.mark.rule("H4")
@pytest.mark.parametrize("row", WITH_TWO, ids=ids)
def test_nothing_goes_back_without_the_profiles_word(row: Platform) -> None:
    old, new = versions(row)

    def plan(allow_downgrade: bool) -> UpdatePlan:
        return make_plan(
            row, holding(row, new), release(row, old), None, mode=Mode.APPLICATION, skus=("any",),
            allow_downgrade=allow_downgrade,
        )  # fmt: skip

    with pytest.raises(PlanRefused, match=r"newer than .* of the profile \(H4\)"):
        plan(False)
    assert plan(True).has_work


D7_BEFORE, D6_FROM = (1, 5), (4, 0)


def by_product() -> list[tuple[Platform, str]]:
    """For every platform one Device OS of each of the three rules it has."""
    found: dict[tuple[str, str], tuple[Platform, str]] = {}
    for row in platforms():
        for version in synthetic.versions(row.id):
            if row.oldest_device_os is not None and OsVersion.parse(version) < row.oldest_device_os:
                continue
            number = tuple(map(int, version.split("-")[0].split(".")[:2]))
            rule = "must name" if number < D7_BEFORE else "must not" if number >= D6_FROM else "may"
            found[row.slug, rule] = (row, version)
    return list(found.values())


@pytest.mark.rule("D6")
@pytest.mark.rule("D7")
@pytest.mark.parametrize(("row", "device_os"), by_product(), ids=str)
def test_the_product_number_in_an_application(row: Platform, device_os: str) -> None:
    number = tuple(map(int, device_os.split("-")[0].split(".")[:2]))

    def refusal(named: int) -> str | None:
        try:
            make_plan(
                row, None, release(row, device_os), app(row, device_os, named), mode=Mode.DFU, skus=("any",),
                product=PRODUCT,
            )  # fmt: skip
        except PlanRefused as refused:
            return refused.code
        return None

    assert refusal(0xFFFF) == ("product" if number < D7_BEFORE else None)
    assert refusal(4242) == ("product" if number >= D6_FROM else None)
    assert refusal(31337) == "product"


@pytest.mark.rule("D9")
@pytest.mark.parametrize(
    ("slug", "skus", "serial", "device_os", "least"),
    [
        ("boron", ("BRN404X",), None, "3.3.1", "4.0.1"), ("boron", (), "P044AB1234567", "3.3.1", "4.0.1"),
        ("bsom", ("B404XMEA",), None, "3.3.1", "4.0.1"), ("bsom", ("B404MEA",), None, "2.2.0", "2.3.0"),
        ("bsom", (), "P033AB1234567", "2.2.0", "2.3.0"), ("p2", (), None, "3.2.1-p2.3", "5.0.0"),
        ("p2", ("any",), "P046AB1234567", "3.2.1-p2.3", "5.0.0"),
    ],
)  # fmt: skip
def test_no_unit_gets_a_device_os_below_its_minimum(
    slug: str, skus: tuple[str, ...], serial: str | None, device_os: str, least: str
) -> None:
    row = platform_by_slug(slug)
    with pytest.raises(PlanRefused, match=f"older than {least}, the minimum of a .*D9"):
        make_plan(row, None, release(row, device_os), None, mode=Mode.DFU, skus=skus, serial=serial)


@pytest.mark.parametrize(
    ("slug", "serial", "held", "wanted", "is_refused"),
    [
        ("boron", "B40HAB1234567", "2.0.1", "1.4.4", True), ("boron", "B40HAB1234567", "6.3.4", "1.4.4", True),
        ("bsom", "P006AB1234567", "2.0.1", "1.4.4", True), ("boron", "B40HAB1234567", "2.0.1", "1.5.2", False),
        ("boron", "B40HAB1234567", "1.5.2", "1.4.4", False), ("boron", "B31KAB1234567", "2.0.1", "1.4.4", False),
    ],
)  # fmt: skip
def test_a_modem_that_keeps_its_speed_is_not_taken_behind_1_5_2_at_once(
    slug: str, serial: str, held: str, wanted: str, is_refused: bool
) -> None:
    row = platform_by_slug(slug)

    def plan() -> UpdatePlan:
        return make_plan(
            row, holding(row, held), release(row, wanted), None, mode=Mode.APPLICATION, serial=serial,
            allow_downgrade=True,
        )  # fmt: skip

    if is_refused:
        with pytest.raises(PlanRefused, match=r"take the unit to 1\.5\.2 first and let it connect once"):
            plan()
    else:
        assert plan().has_work


@pytest.mark.parametrize("slug", ["photon", "p1", "electron"])
def test_all_system_parts_are_of_one_release(slug: str) -> None:
    row = platform_by_slug(slug)
    old, new = (release(row, version) for version in versions(row))
    parts = [one for one in new if one.function == ModuleFunction.SYSTEM_PART]
    for part in parts:
        other = next(one for one in old if (one.function, one.index) == (part.function, part.index))
        mixed = tuple(other if one is part else one for one in new)
        with pytest.raises(PlanRefused, match=r"needs system part|needs bootloader"):
            check_files(row, mixed, None, None)


@pytest.mark.parametrize(
    ("held", "wanted", "is_refused"), [("5.5.0", "5.5.0", False), ("5.6.0", "5.6.0", True), ("6.3.4", "6.3.4", True)]
)
def test_a_trackers_ncp_is_updated_only_while_its_device_os_applies_that(
    held: str, wanted: str, is_refused: bool
) -> None:
    row = platform_by_slug("tracker")
    ncp = synthetic.ncp_firmware(row.id, 9)
    images = (*release(row, wanted), parse_image(ncp.data, ncp.name))
    ours = [one for one in holding(row, held) if one.function != ModuleFunction.NCP]
    sevens = dataclasses.replace(ours[0], function=ModuleFunction.NCP, version=7, hash=b"\7\0" * 16, dependencies=())
    if is_refused:
        with pytest.raises(PlanRefused, match=f"goes to a running unit only, and Device OS {held} of a"):
            make_plan(row, [*ours, sevens], images, None, mode=Mode.APPLICATION)
    else:
        plan = make_plan(row, [*ours, sevens], images, None, mode=Mode.APPLICATION)
        assert plan.differing[0].name == "NCP firmware"

"""Rules about product firmware and Device OS versions, planned for every platform they name."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import pytest
from line_bench import Recipe
from support.known_steps import parse_profile

from drivers.platforms import OsVersion, Platform, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.wire.image.host import Image, parse_image
from drivers.wire.usb import Mode
from station.errors import BadInput
from station.firmware.checks import PlanRefused, ProductFirmware, Refusal
from station.firmware.plan import UpdatePlan, make_plan
from station.firmware.sections import Firmware
from station.settings.sku import SKU_ROWS, minimum_for_serial

ROWS = platforms()
PRODUCT = 12345
V1_5, V4, V4_1 = (OsVersion.parse(text) for text in ("1.5.0-0", "4.0.0-0", "4.1.0"))

MINIMUMS = {"P044": "4.0.1", "P042": "4.0.1", "P052": "4.0.1", "P033": "2.3.0"}
OF_PLATFORMS = {"p2": "5.0.0"}
"""Minimum of every unit of a platform, whatever it is sold as."""


def each(rows: Iterable[Platform]) -> pytest.MarkDecorator:
    chosen = list(rows)
    assert chosen
    return pytest.mark.parametrize("row", chosen, ids=lambda row: row.slug)


def between(row: Platform, since: OsVersion | None, before: OsVersion | None) -> list[str]:
    """Releases of a platform from ``since`` on and before ``before``; those no request can update are left out."""
    made = [one for one in synthetic.versions(row.id) if row.knows_request(250, OsVersion.parse(one))]
    return [
        one
        for one in made
        if (since is None or OsVersion.parse(one) >= since) and (before is None or OsVersion.parse(one) < before)
    ]


@functools.cache
def release(row: Platform, device_os: str) -> tuple[Image, ...]:
    return tuple(parse_image(file.data, file.name) for file in synthetic.release(row.id, device_os))


def application(row: Platform, device_os: str, number: int, version: int = 7) -> Image:
    file = synthetic.application(row.id, device_os, product_id=number, product_version=version)
    return parse_image(file.data, file.name)


def planned(
    row: Platform, device_os: str, app: Image | None, product: ProductFirmware | None = None, serial: str | None = None
) -> UpdatePlan:
    """Plan a unit in DFU, which holds nothing: what is left to refuse is in the files."""
    return make_plan(row, None, release(row, device_os), app, mode=Mode.DFU, product=product, serial=serial)


def refusal(
    row: Platform, device_os: str, app: Image | None, product: ProductFirmware | None = None, serial: str | None = None
) -> PlanRefused:
    with pytest.raises(PlanRefused) as caught:
        planned(row, device_os, app, product, serial)
    return caught.value


def harmless_serial(row: Platform) -> str | None:
    """A serial number of a SKU without a minimum (D9), where the platform's SKUs are told by it."""
    free = [one for one in SKU_ROWS if one.platform_id == row.id and minimum_for_serial(one.serial_prefix) is None]
    return f"{free[0].serial_prefix}AB123456789" if free else None


# --- D1: the version of product firmware -------------------------------------------------------------


@pytest.mark.rule("D1")
@each(ROWS)
def test_a_product_version_has_16_bits_and_is_not_zero(row: Platform) -> None:
    text = Recipe(row.slug, device_os=None, wifi=False).text()
    for version in (0, 65536, -1):
        with pytest.raises(BadInput, match="product_version"):
            parse_profile(with_version(text, version), "x.toml")
    for version in (1, 65535):
        (firmware,) = parse_profile(with_version(text, version), "x.toml").sections(Firmware)
        assert firmware.product_version == version


def with_version(text: str, version: int) -> bytes:
    return text.replace("[firmware]", f"[firmware]\nproduct_version = {version}").encode()


@pytest.mark.rule("D1")
@each(ROWS)
def test_the_version_in_the_file_is_the_profiles(row: Platform) -> None:
    device_os = between(row, None, None)[-1]
    number = PRODUCT if OsVersion.parse(device_os) < V1_5 else 0xFFFF
    for version in (1, 65535):
        app = application(row, device_os, number, version)
        serial = harmless_serial(row)
        assert planned(row, device_os, app, ProductFirmware(PRODUCT, version), serial).has_work
        error = refusal(row, device_os, app, ProductFirmware(PRODUCT, version - 1 or 2), serial)
        assert (error.code, "product firmware version" in str(error)) == (Refusal.PRODUCT, True)


# --- D4: the Device OS an application was built for ----------------------------------------------------


@pytest.mark.rule("D4")
@each(ROWS)
def test_what_an_application_was_built_for_is_a_minimum(row: Platform) -> None:
    """A newer Device OS is as good; an older one would leave the unit in safe mode, which is told before any write."""
    older, newer = between(row, None, None)[-2:]
    number = PRODUCT if OsVersion.parse(newer) < V1_5 else 0xFFFF
    joins, serial = ProductFirmware(PRODUCT), harmless_serial(row)
    assert planned(row, newer, application(row, older, number), joins, serial).has_work
    error = refusal(row, older, application(row, newer, number), joins, serial)
    assert (error.code, error.say.key) == (Refusal.DEPENDENCY, "dependency_missing")


# --- D6 D7: the product in the file ------------------------------------------------------------------


@pytest.mark.rule("D6")
@each(row for row in ROWS if between(row, V4_1, None))
def test_from_4_0_on_no_application_names_a_product(row: Platform) -> None:
    made = between(row, V4_1, None)  # an E404X takes no 4.0.0 (D9)
    for device_os in (made[0], made[-1]):
        for number in (PRODUCT, PRODUCT + 1):
            error = refusal(row, device_os, application(row, device_os, number), ProductFirmware(PRODUCT))
            assert (error.code, "(D6)" in str(error)) == (Refusal.PRODUCT, True)
        for nothing in (0, 0xFFFF, row.id):
            app = application(row, device_os, nothing)
            assert planned(row, device_os, app, ProductFirmware(PRODUCT), harmless_serial(row)).has_work


@pytest.mark.rule("D7")
@each(row for row in ROWS if between(row, None, V4) and row.slug not in OF_PLATFORMS)
def test_up_to_3_x_an_application_names_this_product_or_from_1_5_on_none(row: Platform) -> None:
    made = between(row, None, V4)
    for device_os in dict.fromkeys((made[0], *between(row, V1_5, V4)[:1], made[-1])):
        joins, serial = ProductFirmware(PRODUCT), harmless_serial(row)
        assert planned(row, device_os, application(row, device_os, PRODUCT), joins, serial).has_work
        error = refusal(row, device_os, application(row, device_os, PRODUCT + 1), joins, serial)
        assert (error.code, "(D7)" in str(error)) == (Refusal.PRODUCT, True)
        wildcard = application(row, device_os, row.id)
        if OsVersion.parse(device_os) >= V1_5:
            assert planned(row, device_os, wildcard, joins, serial).has_work
        else:
            assert "before Device OS 1.5" in str(refusal(row, device_os, wildcard, joins, serial))


# --- D9: the oldest Device OS of a SKU ------------------------------------------------------------------


@pytest.mark.rule("D9")
@each(ROWS)
def test_no_unit_gets_a_device_os_below_the_minimum_of_what_it_was_sold_as(row: Platform) -> None:
    serials = {one.serial_prefix for one in SKU_ROWS if one.platform_id == row.id} or {row.serial_prefix}
    for prefix in serials:
        told = MINIMUMS.get(prefix) or OF_PLATFORMS.get(row.slug)
        minimum = OsVersion.parse(told) if told else None
        for device_os in synthetic.versions(row.id)[:: max(1, len(synthetic.versions(row.id)) // 6)]:
            serial = f"{prefix}AB123456789"
            if minimum is not None and OsVersion.parse(device_os) < minimum:
                error = refusal(row, device_os, None, serial=serial)
                assert (error.code, "(D9)" in str(error)) == (Refusal.MINIMUM, True), (prefix, device_os)
            else:
                assert planned(row, device_os, None, serial=serial).has_work, (prefix, device_os)


@pytest.mark.rule("D9")
@pytest.mark.parametrize("slug", sorted({"boron", "bsom", "esomx"}))
def test_a_unit_that_tells_no_serial_number_may_be_of_the_sku_with_the_highest_minimum(slug: str) -> None:
    row = platform_by_slug(slug)
    older = [one for one in synthetic.versions(row.id) if OsVersion.parse(one) < OsVersion.parse("4.0.1")]
    for device_os in older[-2:]:
        assert "(D9)" in str(refusal(row, device_os, None))

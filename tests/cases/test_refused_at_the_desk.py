"""A check that cannot be made is refused when the profile is read, and what harms units before any write."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, OTHER_PRODUCT, PRODUCTS, Recipe, line_bench, replace
from support.known_steps import parse_profile

from drivers.errors import BadImage
from drivers.identity import SerialNumber
from drivers.platforms import platform
from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode, boot
from drivers.virtual.factory import make_spec
from drivers.virtual.header import Dependency
from drivers.virtual.memory import UnitMemory
from drivers.wire.image.host import Dependency as Needed
from drivers.wire.image.host import parse_image
from station.cli.main import main
from station.errors import BadInput
from station.firmware.checks import PlanRefused
from station.firmware.plan import make_plan
from station.firmware.release import load_release
from station.firmware.store import FirmwareStore
from station.model import Verdict
from station.settings.profile import Profile
from station.settings.sku import SKUS

HASH = "ab" * 32


def parsed(text: str) -> Profile:
    return parse_profile(text.encode(), "p.toml")


def refusal(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        parsed(text)
    return str(caught.value)


def profile(*top: str, platform: str = "boron", version: str = "6.3.4", device_os: str = "") -> str:
    return "\n".join([
        'id = "x"', "revision = 1", 'kind = "product"', f'platforms = ["{platform}"]', *top, "[product]", "id = 12345",
        "[device_os]", f'version = "{version}"', f'modules = [{{ file = "a.bin", sha256 = "{HASH}" }}]', device_os,
    ])  # fmt: skip


# --- SKUs ---


@pytest.mark.parametrize("sku", ["BRN404Y", "BORON", "B404X", "ARGNKIT", "T524XMEA", "MUONCB", "B524MEA"])
def test_a_sku_no_serial_number_of_the_platform_tells_is_refused(sku: str) -> None:
    """An unknown one switched the check off, for all the others too."""
    told = refusal(profile(f'skus = ["BRN404X", "{sku}"]'))
    assert sku in told
    for hint in re.findall(r'"([A-Z0-9-]+)"', told.split(";")[1]):
        assert hint in SKUS
    assert parsed(profile('skus = ["brn404x"]')).skus == ("BRN404X",)


def test_skus_of_a_platform_whose_serial_numbers_tell_none_are_refused() -> None:
    assert "no serial number tells the SKU of a Argon" in refusal(profile('skus = ["ARGNKIT"]', platform="argon"))


def test_a_unit_whose_serial_number_does_not_tell_its_sku_is_not_passed_nor_judged(tmp_path: Path) -> None:
    recipe = replace(BORON, skus=("BRN404X",))
    with line_bench(tmp_path, recipe) as bench:
        new = dataclasses.replace(make_spec("boron", 7, 2, "6.3.4"), serial=SerialNumber.parse("P999AB123456789"))
        walk = bench.walk(bench.unit(spec=new))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "identity_missing")
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


# --- hints that can be followed ---


@pytest.mark.parametrize(
    "text",
    [
        profile('skus = ["BRN404", "BRN404X"]', version="3.3.1"),
        profile('skus = ["BRN404Z"]'),
        profile().replace('kind = "product"', 'kind = "produkt"'),
        profile(device_os='protection = "yes"'),
        profile(device_os="protection = true", version="5.8.0"),
    ],
)
def test_what_a_refusal_says_to_write_is_accepted(text: str) -> None:
    told = refusal(text)
    key, value = re.search(r"write (\w+) = (\[.*\]|\S+?)(?:,|$| or )", told).groups()  # type: ignore[union-attr]
    parsed(re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE))


def test_the_example_of_a_file_is_of_the_profiles_own_platform() -> None:
    text = profile().replace('[{ file = "a.bin"', '["x", { file = "a.bin"')
    assert "boron-system-part1@" in refusal(text)


# --- bootloaders that lock units ---


LOCKING = synthetic.bootloader(13, "6.3.4", is_protected=True)
LOCKED = Recipe("boron", modules=(LOCKING, *synthetic.release(13, "6.3.4")[1:]))


def firmware(folder: Path, recipe: Recipe) -> FirmwareStore:
    for file in recipe.files():
        (folder / file.name).write_bytes(file.data)
    return FirmwareStore([folder])


def test_a_bootloader_that_locks_its_units_is_refused_before_any_unit_is_walked(tmp_path: Path) -> None:
    store = firmware(tmp_path, LOCKED)
    with pytest.raises(BadInput, match="puts every unit it is written to under device protection") as caught:
        load_release(LOCKED.profile(), platform(13), store, None)
    assert "protection = true" in str(caught.value)
    ordered = LOCKED.text().replace('version = "6.3.4"', 'version = "6.3.4"\nprotection = true')
    assert len(load_release(parsed(ordered), platform(13), store, None).release) == 3
    with pytest.raises(BadInput, match="puts every unit"), line_bench(tmp_path / "bench", LOCKED):
        pass


def test_protection_without_a_bootloader_that_gives_it_is_refused(tmp_path: Path) -> None:
    ordered = parsed(BORON.text().replace('version = "6.3.4"', 'version = "6.3.4"\nprotection = true'))
    with pytest.raises(BadInput, match="none of its modules"):
        load_release(ordered, platform(13), firmware(tmp_path, BORON), None)


@pytest.mark.parametrize("ordered", [False, True])
def test_profile_check_says_of_a_locking_bootloader_what_it_does(
    ordered: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    firmware(tmp_path, LOCKED)
    text = LOCKED.text().replace('version = "6.3.4"', 'version = "6.3.4"\nprotection = true') if ordered else ""
    (tmp_path / "p.toml").write_text(text or LOCKED.text())
    status = main(("profile", "check", str(tmp_path / "p.toml"), "--firmware", str(tmp_path)))
    told = capsys.readouterr()
    assert status == (0 if ordered else 2)
    assert ("name the plain bootloader" in told.out + told.err) is not ordered
    assert ("puts the unit under device protection: it goes last" in told.out) is ordered


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (profile(device_os="protection = true", version="5.8.0"), "6.1.1 or later"),
        (profile(device_os="protection = true") + '\n[wifi]\nssid = "x"\nsecurity = "open"', "takes no credentials"),
    ],
)
def test_protection_that_leaves_something_uncheckable_is_refused(text: str, word: str) -> None:
    assert word in refusal(text)


# --- extensions of a module ---


def needy(*extensions: tuple[int, bytes], product: tuple[int, int] = (0xFFFF, 0xFFFF)) -> bytes:
    wants = (Dependency(4, 1, 6305), None)
    return synthetic.make_module(
        13, (5, 2), 6, 0xB4000, b"x" * 4000, wants, extensions=extensions, product=product
    )  # fmt: skip


NEEDS_A_NEWER_BOOTLOADER = (0x0003, bytes([2, 0]) + (3300).to_bytes(2, "little") + b"\xff" * 4)


def test_a_dependency_extension_is_obeyed_like_the_two_of_the_header() -> None:
    image = parse_image(needy(NEEDS_A_NEWER_BOOTLOADER), "app.bin")
    assert image.dependencies == (Needed(4, 1, 6305), Needed(2, 0, 3300))
    release = tuple(parse_image(file.data, file.name) for file in BORON.release())
    with pytest.raises(PlanRefused, match="needs bootloader 3300 or newer"):
        make_plan(platform(13), None, release, image, mode="dfu")  # type: ignore[arg-type]


def test_a_unit_obeys_it_too() -> None:
    memory = UnitMemory(13)
    memory.install([*(file.data for file in BORON.release()), needy(NEEDS_A_NEWER_BOOTLOADER)])
    report = boot(memory)
    assert (report.mode, report.reason) == (
        BootMode.SAFE, "the application needs bootloader 3300 or newer, the unit holds 3200",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("high", "low", "product"), [(0xFFFF, 777, 777), (1, 777, 0x10309), (0xFFFF, 0xFFFF, None), (0xFFFF, 0, None)]
)
def test_a_product_extension_says_the_product(high: int, low: int, product: int | None) -> None:
    extension = b"".join(part.to_bytes(2, "little") for part in (high, low, 9))
    image = parse_image(needy((0x0001, extension)), "app.bin")
    assert image.product() == product
    if product:
        assert image.product_version == 9


def test_two_products_in_one_file_are_refused() -> None:
    one, two = (bytes([255, 255, number, 0, 9, 0]) for number in (101, 102))
    with pytest.raises(BadImage, match="names the products 101 version 9 and 102 version 9"):
        parse_image(needy((0x0001, one), (0x0001, two)), "app.bin")


@pytest.mark.parametrize("kind", [0x0001, 0x0003])
def test_an_extension_too_short_for_what_it_says_is_damaged(kind: int) -> None:
    with pytest.raises(BadImage, match="damaged"):
        parse_image(needy((kind, b"\x05")), "app.bin")


def test_an_application_of_another_product_by_its_extension_is_refused_when_the_batch_is_opened(tmp_path: Path) -> None:
    extension = b"\xff\xff" + (31337).to_bytes(2, "little") + b"\x09\0"
    app = synthetic.SyntheticFile("other.bin", needy((0x0001, extension)))
    with pytest.raises(BadInput, match="names product 31337"), line_bench(tmp_path, replace(BORON, application=app)):
        pass


# --- the product ---


@pytest.mark.parametrize("queue", ["queue", "hold"])
def test_a_product_of_another_platform_is_refused_when_the_batch_is_opened(queue: str, tmp_path: Path) -> None:
    recipe = replace(ARGON, product=OTHER_PRODUCT, online=False, wifi=False, offline=queue)
    told = f"product {OTHER_PRODUCT} is for Boron, the profile for Argon"
    with pytest.raises(BadInput, match=told), line_bench(tmp_path, recipe):
        pass


def test_a_product_that_is_not_there_is_refused_when_the_batch_is_opened(tmp_path: Path) -> None:
    recipe = replace(BORON, product=54321)
    with pytest.raises(BadInput, match="the cloud knows no product 54321"), line_bench(tmp_path, recipe):
        pass


def test_without_the_cloud_the_batch_opens_and_the_first_unit_asks(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.stop()
        bench.cloud.down_for(60.0)
        bench.start(replace(BORON, revision=2))
        assert bench.recipes[0].product in (None, PRODUCTS["boron"])
        walk = bench.walk(bench.finished_unit(BORON))
        assert walk.verdict in (Verdict.PASS, Verdict.PENDING)

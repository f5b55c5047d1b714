"""The vendor's own files on a virtual Argon, and releases that miss something: refused before any write."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, LineBench, Recipe, Walk, line_bench, old_radio, replace
from support.vendor_files import vendor_file

from drivers.clock import Deadline
from drivers.devices import ParticleDevice
from drivers.hotplug import Attached, Detached, Enumerator, HotplugEvent, PortWatch
from drivers.identity import PortPath
from drivers.platforms import ModuleFunction
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual import header, synthetic
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.factory import make_spec
from drivers.virtual.flash import Operation, Who
from drivers.virtual.layout import layout_of
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.unit import VirtualUnit
from drivers.wire import requests
from drivers.wire.messages.tables import Store
from station.errors import BadInput
from station.model import Verdict

BOOTLOADER = "argon-bootloader-620.bin"
SYSTEM = "argon-system-part1@4.1.0.bin"
TINKER = "tinker-0.8.0-rc.27-argon.bin"
SOFTDEVICE_182 = "argon-softdevice-6.1.1.bin"


def vendors(name: str) -> SyntheticFile:
    """A file of the vendor's as a recipe takes it."""
    return SyntheticFile(name, vendor_file(name))


def vendor_recipe(*softdevice: SyntheticFile) -> Recipe:
    modules = (vendors(BOOTLOADER), *softdevice, vendors(SYSTEM))
    return replace(ARGON, device_os="4.1.0", modules=modules, application=vendors(TINKER))


@pytest.mark.rule("H3")
@pytest.mark.rule("H8")
@pytest.mark.rule("D6")
def test_vendor_files_take_an_argon_from_3_3_1_to_4_1_0(tmp_path: Path) -> None:
    recipe = vendor_recipe(synthetic.softdevice(12, 202))
    bootloader, softdevice, system = (file.data for file in recipe.release())
    tinker = vendor_file(TINKER)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit("argon", modules=old_radio("argon"))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert walk.writes[:5] == [
            f"{BOOTLOADER} by control request",
            "restart into DFU",
            "synthetic-argon-softdevice@202.bin over DFU",
            f"{SYSTEM} over DFU",
            f"{TINKER} over DFU",
        ]
        assert walk.outcomes["setup_done"] == "skipped"
        assert walk.steps["setup_done"].reason.startswith("H8")

        flash = unit.memory.internal
        assert flash.read(layout_of(12).start(header.BOOTLOADER), len(bootloader)) == bootloader
        assert flash.read(0x1000, len(softdevice) - 24) == softdevice[24:]
        assert flash.read(0x30000, len(system)) == system
        assert flash.read(layout_of(12).start(header.USER_LEGACY), len(tinker)) == tinker
        assert unit.score.operations[Who.DFU, "bootloader", Operation.PROGRAM] == 0
        assert unit.score.operations[Who.BOOT, "bootloader", Operation.PROGRAM] > 0  # applied by the next boot

        bench.stop()
        _check_what_the_unit_says(bench, unit)


def _check_what_the_unit_says(bench: LineBench, unit: VirtualUnit) -> None:
    watch = PortWatch(PortPath("1-1"), bench.clock)

    def hotplug(event: HotplugEvent) -> None:
        if isinstance(event, Attached):
            watch.attached(event.candidate)
        elif isinstance(event, Detached):
            watch.detached()

    enumerator = Enumerator(PyusbHost(VirtualBackend(bench.bus)), bench.clock, hotplug)
    enumerator.start()
    bench.plug(unit)
    deadline = Deadline.after(bench.clock, 120)
    watch.wait_for(lambda candidate: True, deadline)
    ports = VirtualPorts(bench.bus)
    device = ParticleDevice(watch, PyserialHost(ports.list, ports.open), bench.clock, bench.clock.token())
    modules = {
        (row.function, row.index): row.version
        for row in device.ask(requests.get_module_info(), deadline)
        if row.store == Store.MAIN
    }
    assert modules[ModuleFunction.SYSTEM_PART, 1] == 4100
    assert modules[ModuleFunction.BOOTLOADER, 0] == 3001
    with device.console(deadline) as console:
        told = {(row.function, row.index): row.version for row in console.modules(deadline).modules}
    assert told[ModuleFunction.SYSTEM_PART, 1] == 4100
    assert told[ModuleFunction.BOOTLOADER, 0] == 3001
    device.close()
    enumerator.stop()
    bench.unplug()


def check_refused(bench: LineBench, walk: Walk, *words: str) -> None:
    """FAIL in one sentence that says ``words``, before anything was written anywhere."""
    assert walk.verdict is Verdict.FAIL
    assert set(walk.steps) == {"identify"}  # the cloud's steps begin only after it
    for word in words:
        assert word in walk.finished.reason
    assert walk.finished.reason.count(". ") == 0
    assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


def check_refused_at_the_desk(tmp_path: Path, recipe: Recipe, *words: str) -> None:
    """No batch opens with such files, and no unit is judged by them."""
    with pytest.raises(BadInput) as refused, line_bench(tmp_path, recipe):
        pass
    for word in (recipe.profile().id, *words):
        assert word in str(refused.value)


def test_a_release_with_softdevice_182_is_refused_at_the_desk(tmp_path: Path) -> None:
    recipe = vendor_recipe(vendors(SOFTDEVICE_182))
    check_refused_at_the_desk(tmp_path, recipe, "SoftDevice 202", "the release contains 182")


def test_a_unit_with_182_and_a_release_without_softdevice_are_refused_before_any_write(tmp_path: Path) -> None:
    recipe = vendor_recipe()
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit("argon", modules=old_radio("argon"))
        check_refused(bench, bench.walk(unit), "SoftDevice 202", "the unit holds 182 and the release has none")


# --- the same without vendor files ------------------------------------------------------------


def synthetic_recipe(softdevice: int | None) -> Recipe:
    modules = [file for file in synthetic.release(13, "6.3.4") if "softdevice" not in file.name]
    if softdevice is not None:
        modules.insert(1, synthetic.softdevice(13, softdevice))
    return Recipe("boron", modules=tuple(modules))


def test_a_release_whose_files_do_not_fit_together_is_refused_at_the_desk(tmp_path: Path) -> None:
    check_refused_at_the_desk(tmp_path, synthetic_recipe(182), "SoftDevice 202", "the release contains 182")


def test_a_release_that_misses_a_module_is_refused_before_any_write(tmp_path: Path) -> None:
    with line_bench(tmp_path, synthetic_recipe(None)) as bench:
        check_refused(bench, bench.walk(bench.unit(modules=old_radio())), "SoftDevice 202")


def test_an_older_release_is_refused_unless_the_profile_allows_it(tmp_path: Path) -> None:
    """H4: and once it is allowed, the unit goes back."""
    recipe = Recipe("argon", device_os="5.8.0", offline="hold", online=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit("argon", device_os="6.3.4")
        check_refused(bench, bench.walk(unit), "newer than", "allow_downgrade")
        bench.restart(replace(recipe, allow_downgrade=True, revision=2))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert "Device OS 5.8.0" in walk.steps["firmware"].proof


@pytest.mark.rule("D7")
def test_an_application_of_another_product_is_refused_at_the_desk(tmp_path: Path) -> None:
    wrong = synthetic.application(12, "3.3.1", product_id=31337, product_version=3, seed="other")
    recipe = Recipe("argon", device_os="3.3.1", application=wrong)
    check_refused_at_the_desk(tmp_path, recipe, "31337", "D7")


@pytest.mark.rule("D7")
def test_an_application_of_another_product_is_refused_before_flashing_where_only_the_cloud_knows_the_number(
    tmp_path: Path,
) -> None:
    wrong = synthetic.application(12, "3.3.1", product_id=31337, product_version=3, seed="other")
    recipe = Recipe("argon", device_os="3.3.1", application=wrong, slug="argon-product")
    with line_bench(tmp_path, recipe) as bench:
        check_refused(bench, bench.walk(bench.unit("argon")), "31337", "D7")


@pytest.mark.rule("D6")
def test_from_4_0_on_an_application_that_names_a_product_is_refused_at_the_desk(tmp_path: Path) -> None:
    named = synthetic.application(13, "6.3.4", product_id=20001, product_version=3, seed="named")
    check_refused_at_the_desk(tmp_path, Recipe("boron", application=named), "20001", "D6")


@pytest.mark.rule("D9")
def test_a_brn404x_never_gets_a_device_os_older_than_its_minimum(tmp_path: Path) -> None:
    recipe = Recipe("boron", device_os="3.3.1")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(spec=make_spec("boron", 7, 1, "3.3.1"))
        assert str(unit.spec.serial).startswith("P044")
        check_refused(bench, bench.walk(unit), "4.0.1", "D9")

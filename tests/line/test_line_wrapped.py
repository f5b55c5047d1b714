"""Combined and compressed files in a profile: the station takes them apart, and units get and report plain modules."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import Recipe, line_bench, replace
from support.wrapped import combined, compressed

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.synthetic import SyntheticFile
from station.engine.records import WriteIntended
from station.errors import BadInput
from station.model import Verdict

SLUGS = ("argon", "electron", "p2")
OLD = {"argon": "3.3.1", "electron": "2.3.1", "p2": "5.0.1"}
NEWEST = {"argon": "6.3.4", "electron": "3.3.1", "p2": "6.3.4"}


def files_of(slug: str) -> dict[str, SyntheticFile]:
    """The newest release of a platform and an application, by what they are."""
    number, device_os = platform_by_slug(slug).id, NEWEST[slug]
    files = (*synthetic.release(number, device_os), synthetic.application(number, device_os, seed="story"))
    return {file.name.removeprefix(f"synthetic-{slug}-").partition("@")[0]: file for file in files}


def one_file(slug: str) -> Recipe:
    """All of the release and the application in one combined file, which is named in both sections."""
    whole = SyntheticFile("everything.bin", combined(*(file.data for file in files_of(slug).values())))
    return Recipe(slug, device_os=NEWEST[slug], modules=(whole,), application=whole, wifi=False)


def squeezed(slug: str) -> Recipe:
    """The application compressed, and the system part too where its header stands at its beginning."""
    files = files_of(slug)
    for name in ("story", "system-part1") if slug == "p2" else ("story",):
        files[name] = SyntheticFile(f"squeezed-{name}.bin", compressed(files[name].data))
    application = files.pop("story")
    return Recipe(slug, device_os=NEWEST[slug], modules=tuple(files.values()), application=application, wifi=False)


@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
@pytest.mark.parametrize("make", [one_file, squeezed])
@pytest.mark.parametrize("slug", SLUGS)
def test_a_unit_ends_with_the_plain_modules(slug: str, make: object, arrives: BootRequest, tmp_path: Path) -> None:
    recipe = make(slug)  # type: ignore[operator]
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(slug, 1, OLD[slug], arrives=arrives)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert unit.report is not None
        held = {module.hash for module in unit.report.modules}
        missing = [name for name, file in files_of(slug).items() if file.data[-38:-6] not in held]
        assert missing == (["softdevice"] if slug == "argon" else [])  # of which no unit tells a hash
        assert bench.walk(unit).flash_writes == 0


def test_what_is_written_says_which_part_of_which_file_it_is(tmp_path: Path) -> None:
    with line_bench(tmp_path, one_file("argon")) as bench:
        walk = bench.walk(bench.unit("argon", 1, "3.3.1"))
        unit_writes = [event.what for event in walk.events if isinstance(event, WriteIntended)]
        assert "everything.bin part 1 by control request" in unit_writes
        assert "everything.bin part 3 over DFU" in unit_writes


def refusal(recipe: Recipe, tmp_path: Path) -> str:
    with pytest.raises(BadInput) as caught, line_bench(tmp_path, recipe):
        pass
    return str(caught.value)


def test_an_application_inside_a_combined_file_is_never_left_out_silently(tmp_path: Path) -> None:
    recipe = replace(one_file("argon"), application=None)
    assert "everything.bin part 4 is an application; name everything.bin in [firmware]" in refusal(recipe, tmp_path)


def test_a_damaged_part_is_named_and_opens_no_batch(tmp_path: Path) -> None:
    data = bytearray(one_file("p2").modules[0].data)  # type: ignore[index]
    data[2000] ^= 1
    broken = SyntheticFile("everything.bin", bytes(data))
    recipe = replace(one_file("p2"), modules=(broken,), application=broken)
    assert "everything.bin part 1: its CRC-32 is not the one stored" in refusal(recipe, tmp_path)


def test_a_compressed_file_whose_content_is_damaged_opens_no_batch(tmp_path: Path) -> None:
    plain = bytearray(files_of("p2")["story"].data)
    plain[3000] ^= 1
    broken = SyntheticFile("squeezed.bin", compressed(bytes(plain)))
    recipe = replace(squeezed("p2"), application=broken)
    assert "its CRC-32 is not the one stored at its end" in refusal(recipe, tmp_path)

"""Which modules a unit holds, by version and hash, is in the journal when it leaves, and changes only with the unit."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, LineBench, Recipe, line_bench
from support.device_protection import ordered

from drivers.virtual.unit import VirtualUnit
from station.firmware.release import files_of
from station.journal import Kind, Sought
from station.journal.records import FactRecord
from station.model import MODULE_FACT, Verdict


def kept(bench: LineBench, unit: VirtualUnit) -> dict[str, FactRecord]:
    """Return what the journal says that the unit holds now, by the name of the module."""
    with bench.reader() as journal:
        (found,) = journal.find(str(unit.device_id))
    return {fact.name.removeprefix(MODULE_FACT): fact for fact in found.facts if fact.name.startswith(MODULE_FACT)}


def changes(bench: LineBench, unit: VirtualUnit) -> int:
    with bench.reader() as journal:
        (found,) = journal.find(str(unit.device_id))
    return sum(fact.name.startswith(MODULE_FACT) for fact in found.facts)


@pytest.mark.parametrize("recipe", [BORON, ARGON], ids=lambda recipe: recipe.id)
def test_every_module_that_was_written_is_kept_with_the_hash_of_its_file(recipe: Recipe, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(recipe.platform)
        assert bench.walk(unit).verdict is Verdict.PASS
        held = kept(bench, unit)
        assert {"bootloader", "SoftDevice", "system part 1", "application"} <= held.keys()
        for name in ("bootloader", "SoftDevice", "system part 1", "application"):
            version, _, digest = held[name].value.partition(" ")
            assert version.isdecimal()
            assert len(bytes.fromhex(digest)) == 32, name
        assert held["SoftDevice"].source == "DFU read-back", "no unit tells the content of that one"
        assert held["bootloader"].source == "module info"
        with bench.reader() as journal:
            assert journal.known_facts(str(unit.device_id))["bootloader"] == held["bootloader"].value.split()[0]
        before = changes(bench, unit)
        assert bench.walk(unit).verdict is Verdict.PASS
        assert changes(bench, unit) == before, "nothing of it changed"


def test_a_locked_unit_is_kept_with_what_it_was_locked_with(tmp_path: Path) -> None:
    recipe = ordered("argon")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit("argon", 1, "6.2.0")
        assert bench.walk(unit).verdict is Verdict.PASS
        held = kept(bench, unit)
        assert held["bootloader"].source == "sent, then locked"
        with bench.reader() as journal:
            assert journal.known_facts(str(unit.device_id))["bootloader"] == held["bootloader"].value.split()[0]
        assert held["system part 1"].value.startswith("6305 ")
        assert bench.walk(unit).verdict is Verdict.PASS
        assert kept(bench, unit)["bootloader"] == held["bootloader"]


def test_the_hash_of_every_file_of_the_profile_leads_to_the_units_that_hold_it(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit("boron")
        assert bench.walk(unit).verdict is Verdict.PASS
        with bench.reader() as journal:
            (told,) = [one.values() for one in journal.entries() if one.kind == "FirmwareNamed"]
            pinned = {ref.sha256: ref.file for ref in files_of(BORON.profile())}
            assert {digest: name for name, digest, *_ in told["files"]} == pinned
            for digest in pinned:
                page = journal.seek(Sought(digest[:12]))
                assert (page.sought.kind, [row.device_id for row in page.rows]) == (Kind.FILE, [str(unit.device_id)])

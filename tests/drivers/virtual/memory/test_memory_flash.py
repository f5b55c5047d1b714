from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DriverError
from drivers.virtual.flash import FlashFailed, FlashStep, NorFlash, Operation, PowerLost, Score, Who
from drivers.virtual.layout import Chip, layout_of
from drivers.virtual.memory import UnitMemory

PAGE = 4096


def chip(path: Path | None = None, score: Score | None = None) -> NorFlash:
    return NorFlash(Chip.INTERNAL, 0, 0x100000, path, score=score or Score(layout_of(13)))


def test_a_new_chip_is_all_ones() -> None:
    assert chip().is_blank(0, 0x100000)


def test_programming_clears_bits_and_never_sets_one() -> None:
    flash = chip()
    flash.program(0x1000, b"\xf0\x55", Who.DFU)
    flash.program(0x1000, b"\x3c\xff", Who.DFU)
    assert flash.read(0x1000, 3) == b"\x30\x55\xff"


def test_erasing_sets_the_whole_page_around_the_address_and_nothing_else() -> None:
    flash = chip()
    flash.program(0x1FFE, bytes(PAGE + 4), Who.DFU)
    flash.erase_page(0x2ABC, Who.DFU)
    assert flash.read(0x1FFE, 2) == bytes(2)
    assert flash.is_blank(0x2000, PAGE)
    assert flash.read(0x3000, 2) == bytes(2)


@given(st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=1, max_size=600)), max_size=6))
def test_any_programs_leave_the_and_of_all_of_them(writes: list[tuple[int, bytes]]) -> None:
    flash = NorFlash(Chip.INTERNAL, 0x4000, PAGE)
    expected = bytearray(b"\xff" * PAGE)
    for offset, data in writes:
        flash.program(0x4000 + offset, data, Who.DFU)
        for i, byte in enumerate(data):
            expected[offset + i] &= byte
    assert flash.read(0x4000, PAGE) == expected


@pytest.mark.parametrize(("address", "length"), [(-1, 1), (0x100000, 1), (0xFFFFF, 2)])
def test_outside_the_chip_nothing_can_be_read_or_written(address: int, length: int) -> None:
    flash = chip()
    with pytest.raises(ValueError, match="has no bytes"):
        flash.read(address, length)
    with pytest.raises(ValueError, match="has no bytes"):
        flash.program(address, bytes(length), Who.DFU)
    assert flash.score.flash_writes == 0


def test_durations_are_those_of_the_data_sheets() -> None:
    memory = UnitMemory(13)
    flash, external = memory.internal, memory.external
    assert external is not None
    assert flash.erase_page(0, Who.DFU) == pytest.approx(0.085)
    assert flash.program(0, bytes(PAGE), Who.DFU) == pytest.approx(1024 * 41e-6)
    assert flash.program(0, bytes(5), Who.DFU) == pytest.approx(2 * 41e-6)
    assert external.erase_page(0x80000000, Who.DFU) == pytest.approx(0.045)
    assert external.program(0x80000000, bytes(PAGE), Who.DFU) == pytest.approx(16 * 0.0005)


def test_what_is_written_is_in_the_file_at_once_and_the_next_object_reads_it(tmp_path: Path) -> None:
    flash = chip(tmp_path / "internal-flash.bin")
    flash.program(0x28000, b"kept", Who.DFU)
    assert (tmp_path / "internal-flash.bin").read_bytes()[0x28000:0x28005] == b"kept\xff"
    flash.close()
    again = chip(tmp_path / "internal-flash.bin")
    assert again.read(0x28000, 4) == b"kept"
    again.close()


def test_nothing_is_cached_a_change_of_the_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "internal-flash.bin"
    flash = chip(path)
    content = bytearray(path.read_bytes())
    content[77] = 0x42
    path.write_bytes(content)
    assert flash.read(77, 1) == b"\x42"
    flash.close()


def test_a_file_of_another_size_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "internal-flash.bin").write_bytes(b"\xff" * 100)
    with pytest.raises(DriverError, match="has 100 bytes, expected 1048576"):
        chip(tmp_path / "internal-flash.bin")


def test_a_fault_is_asked_before_every_few_bytes_and_can_leave_a_page_half_programmed() -> None:
    flash, seen = chip(), []

    def fault(step: FlashStep) -> None:
        seen.append(step)
        if step.done >= 1024:
            raise PowerLost("cut")

    flash.fault = fault
    with pytest.raises(PowerLost):
        flash.program(0x1000, bytes(PAGE), Who.DFU)
    assert flash.read(0x1000, 1024) == bytes(1024)
    assert flash.is_blank(0x1400, 3072)
    assert [s.done for s in seen] == [0, 256, 512, 768, 1024]
    assert seen[0] == FlashStep(Chip.INTERNAL, Operation.PROGRAM, Who.DFU, 0x1000, PAGE, 0)


def test_a_page_can_be_torn_in_the_middle_of_its_erase() -> None:
    flash = chip()
    flash.program(0, bytes(PAGE), Who.FACTORY)

    def fault(step: FlashStep) -> None:
        if step.operation is Operation.ERASE and step.done:
            raise PowerLost("cut")

    flash.fault = fault
    with pytest.raises(PowerLost):
        flash.erase_page(0, Who.DFU)
    assert flash.is_blank(0, 2048)
    assert flash.read(2048, 2048) == bytes(2048)


# --- the unit's own score -------------------------------------------------------------------


def test_the_score_counts_what_a_host_caused_and_where() -> None:
    score = Score(layout_of(13))
    flash = chip(score=score)
    flash.erase_page(0x28000, Who.DFU)
    flash.program(0x28000, bytes(PAGE), Who.DFU)
    flash.program(0xB4000, bytes(8), Who.CONTROL)
    flash.erase_page(0xF4000, Who.BOOT)
    flash.program(0x1000, bytes(8), Who.FACTORY)
    assert score.flash_writes == 3
    assert score.writes_by_region() == {"system-part1": 2, "user-part": 1}
    assert score.host_pages == {Chip.INTERNAL: {0x28000, 0xB4000}}
    assert score.operations[Who.BOOT, "bootloader", Operation.ERASE] == 1
    assert score.forbidden == []


@pytest.mark.parametrize("address", [0x0, 0xFFF, 0x27000, 0x27FFF, 0xF4000, 0xFFFFF])
def test_a_host_that_touches_a_forbidden_page_is_remembered_even_if_the_operation_fails(address: int) -> None:
    flash = chip()

    def broken(_: FlashStep) -> None:
        raise FlashFailed("worn out")

    flash.fault = broken
    with pytest.raises(FlashFailed):
        flash.erase_page(address, Who.DFU)
    (touch,) = flash.score.forbidden
    assert touch.address == address - address % PAGE


def test_a_write_that_begins_in_a_good_region_and_ends_in_a_bad_one_is_forbidden() -> None:
    flash = chip()
    flash.program(0xF3FFF, b"ab", Who.DFU)
    assert [t.region for t in flash.score.forbidden] == ["bootloader"]


@pytest.mark.parametrize(
    ("offset", "size", "is_forbidden"),
    [(1753, 1, False), (1762, 63, False), (8134, 1, False), (34, 612, True), (8119, 15, True), (8134, 2, True)],
)
def test_in_the_configuration_area_only_named_bytes_are_open_to_a_host(
    offset: int, size: int, is_forbidden: bool
) -> None:
    memory = UnitMemory(12)
    memory.dct.write(offset, bytes(size), Who.DFU)
    assert bool(memory.score.forbidden) is is_forbidden


# --- a process that is killed ---------------------------------------------------------------

_KILLED = """
import os, signal, sys
from pathlib import Path
from drivers.virtual.flash import FlashStep, Operation, Who
from drivers.virtual.memory import UnitMemory

def kill(step: FlashStep) -> None:
    if step.operation is Operation.PROGRAM and step.done >= 2048:
        os.kill(os.getpid(), signal.SIGKILL)

memory = UnitMemory(12, Path(sys.argv[1]))
memory.dct.set("setup_done", bytes([1]), Who.CONTROL)
memory.write_network(b"networks", Who.CONTROL)
memory.set_fault(kill)
memory.internal.erase_page(0xA0000, Who.DFU)
memory.internal.program(0xA0000, bytes(4096), Who.DFU)
"""


def test_kill_minus_nine_in_the_middle_of_a_program_leaves_a_torn_page_on_disk(
    tmp_path: Path, unit: Callable[..., UnitMemory]
) -> None:
    unit("4.1.0", directory=tmp_path).close()
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)])
    assert killed.returncode == -9
    page = (tmp_path / "internal-flash.bin").read_bytes()[0xA0000:0xA1000]
    assert page == bytes(2048) + b"\xff" * 2048
    survivor = UnitMemory(12, tmp_path)
    assert survivor.dct.is_setup_done
    assert survivor.read_network() == b"networks"
    survivor.close()


def test_a_memory_that_is_closed_gives_its_megabytes_back() -> None:
    """An endless demo closes one unit after another, and what refers to them may live on."""
    memory = UnitMemory(12)
    chips = [memory.internal, memory.external, memory.ncp]
    assert all(chip is not None and chip.read(chip.base, chip.size) for chip in chips)
    memory.close()
    assert not any(chip is not None and chip.read(chip.base, chip.size) for chip in chips)

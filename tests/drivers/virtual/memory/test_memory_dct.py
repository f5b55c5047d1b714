from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from drivers.virtual.dct import Dct
from drivers.virtual.flash import FlashStep, PowerLost, Who
from drivers.virtual.layout import layout_of
from drivers.virtual.memory import UnitMemory

LAYOUT = layout_of(13)


def test_a_new_area_is_all_ones_and_8391_bytes_long() -> None:
    dct = Dct(LAYOUT)
    assert dct.read(0, 20_000) == b"\xff" * 8391
    assert not dct.is_claimed
    assert not dct.is_setup_done
    assert not dct.ota_flag_is_on


@pytest.mark.parametrize(
    ("name", "offset", "size"),
    [("claim_code", 1762, 63), ("claimed", 1825, 1), ("setup_done", 8134, 1), ("ota_update_flag", 1753, 1)],
)
def test_fields_are_where_the_reference_says(name: str, offset: int, size: int) -> None:
    dct = Dct(LAYOUT)
    dct.set(name, b"\x41" * size, Who.CONTROL)
    assert dct.read(offset - 1, size + 2) == b"\xff" + b"\x41" * size + b"\xff"
    assert dct.get(name) == b"\x41" * size


def test_no_two_fields_overlap() -> None:
    ranges = sorted((field.offset, field.size) for field in LAYOUT.dct_fields.values())
    assert all(a + size <= b for (a, size), (b, _) in itertools.pairwise(ranges))


def test_a_value_longer_than_its_field_is_refused() -> None:
    with pytest.raises(ValueError, match="claimed takes 1 bytes, got 2"):
        Dct(LAYOUT).set("claimed", b"12", Who.SYSTEM)


def test_bytes_can_be_set_again_and_again_and_last(tmp_path: Path) -> None:
    dct = Dct(LAYOUT, tmp_path / "dct.bin")
    for value in (b"\x00", b"\x01"):
        dct.set("setup_done", value, Who.CONTROL)
    dct.close()
    again = Dct(LAYOUT, tmp_path / "dct.bin")
    assert again.is_setup_done
    again.close()


def test_a_cut_before_a_write_leaves_the_old_value() -> None:
    memory = UnitMemory(13)

    def fault(_: FlashStep) -> None:
        raise PowerLost("cut")

    memory.set_fault(fault)
    with pytest.raises(PowerLost):
        memory.dct.set("setup_done", b"\x01", Who.CONTROL)
    with pytest.raises(PowerLost):
        memory.write_network(b"new", Who.CONTROL)
    assert not memory.dct.is_setup_done
    assert memory.read_network() == b""


def test_what_a_host_stores_counts_and_what_the_system_stores_does_not() -> None:
    memory = UnitMemory(13)
    memory.dct.set("claimed", b"1", Who.SYSTEM)
    assert memory.score.flash_writes == 0
    memory.dct.set("setup_done", b"\x01", Who.CONTROL)
    memory.write_network(b"ssid", Who.CONSOLE)
    assert memory.score.flash_writes == 2
    assert memory.score.writes_by_region() == {"setup_done": 1, "network-store": 1}


def test_the_network_store_survives_shorter_and_longer_content(tmp_path: Path) -> None:
    memory = UnitMemory(13, tmp_path)
    for content in (b"a long list of networks", b"short", b"", b"again"):
        memory.write_network(content, Who.CONTROL)
        assert memory.read_network() == content
    memory.close()
    again = UnitMemory(13, tmp_path)
    assert again.read_network() == b"again"
    again.close()


def test_a_network_store_too_big_is_refused() -> None:
    with pytest.raises(ValueError, match="65536"):
        UnitMemory(13).write_network(bytes(65537), Who.CONTROL)


def test_a_network_store_that_is_damaged_counts_as_empty(tmp_path: Path) -> None:
    memory = UnitMemory(13, tmp_path)
    memory.write_network(b"a network", Who.CONTROL)
    raw = (tmp_path / "network.bin").read_bytes()
    (tmp_path / "network.bin").write_bytes(raw[:-1] + b"\x00")
    assert memory.read_network() == b""
    memory.close()

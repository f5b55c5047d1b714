"""The asset store of a virtual unit keeps whole files through power cuts, and makes room for what is asked for."""

from __future__ import annotations

import hashlib

import pytest

from drivers.virtual.asset_store import AssetStore, StoreFull
from drivers.virtual.flash import FlashStep, NorFlash, PowerLost
from drivers.virtual.header import AssetDependency
from drivers.virtual.layout import Chip

START, BLOCKS = 0x8000, 40


def store() -> tuple[NorFlash, AssetStore]:
    flash = NorFlash(Chip.EXTERNAL, 0, START + BLOCKS * 4096)
    return flash, AssetStore(flash, START, START + BLOCKS * 4096)


def wanted(name: str, content: bytes) -> AssetDependency:
    return AssetDependency(name, hashlib.sha256(content).digest())


def test_files_are_kept_and_told() -> None:
    flash, assets = store()
    assets.add("cat.txt", b"meow", ())
    assets.add("dog.txt", b"woof" * 3000, ())
    again = AssetStore(flash, START, START + BLOCKS * 4096)
    assert [(one.name, one.size, one.storage_size) for one in again.held()] == [
        ("cat.txt", 4, 4104), ("dog.txt", 12000, 3 * 4104)
    ]  # fmt: skip
    assert [one.wanted for one in again.held()] == [wanted("cat.txt", b"meow"), wanted("dog.txt", b"woof" * 3000)]


def test_a_file_replaces_the_one_of_its_name() -> None:
    _, assets = store()
    assets.add("cat.txt", b"meow", ())
    assets.add("cat.txt", b"purr", ())
    assert [one.wanted for one in assets.held()] == [wanted("cat.txt", b"purr")]


def test_what_no_application_asks_for_makes_room() -> None:
    _, assets = store()
    old, new = b"o" * 4000 * 20, b"n" * 4000 * 20
    assets.add("old", old, ())
    with pytest.raises(StoreFull):
        assets.add("new", new, (wanted("old", old),))
    assets.add("new", new, (wanted("new", new),))
    assert [one.name for one in assets.held()] == ["new"]


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_power_cut_leaves_whole_files_only(cut: int) -> None:
    flash, assets = store()
    assets.add("cat.txt", b"meow", ())
    steps = 0

    def fault(_step: FlashStep) -> None:
        nonlocal steps
        steps += 1
        if steps == cut:
            raise PowerLost("cut")

    flash.fault = fault
    try:
        assets.add("dog.txt", b"woof" * 3000, ())
    except PowerLost:
        flash.fault = None
    assert {one.name for one in assets.held()} in ({"cat.txt"}, {"cat.txt", "dog.txt"})

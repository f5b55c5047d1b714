"""A walk that finds nothing to do passes only on a unit that holds every module of its profile, whatever it is told."""

from __future__ import annotations

import hashlib
import random
import zlib
from pathlib import Path

import pytest
from line_bench import Recipe, line_bench

from drivers.virtual.boot import BootRequest
from drivers.virtual.unit import VirtualUnit
from drivers.wire.image.host import Image, parse_image
from station.model import Outcome, Verdict

RECIPES = {
    "tells hashes": Recipe("boron", wifi=False),
    "tells none": Recipe("argon", device_os="4.1.0", wifi=False),
    "several parts": Recipe("electron", device_os="3.3.1"),
    "two stages": Recipe("p2", wifi=False),
}


def another(image: Image) -> bytes:
    """The same kind and version of module with another content, intact."""
    body = bytearray(image.data[:-38])
    body[image.prefix_offset + 24 + 200] ^= 0xFF
    sealed = bytes(body) + hashlib.sha256(body).digest() + image.suffix_size.to_bytes(2, "little")
    return sealed + zlib.crc32(sealed).to_bytes(4, "big")


def torn(image: Image) -> bytes:
    """The module with one wrong bit behind its header."""
    data = bytearray(image.data)
    data[image.prefix_offset + 24 + 100] ^= 1
    return bytes(data)


def is_held(unit: VirtualUnit, image: Image) -> bool:
    at, content = image.flash_address, image.flash_bytes
    return unit.memory.internal.read(at, len(content)) == content


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", RECIPES)
def test_pass_means_that_the_unit_holds_everything(kind: str, seed: int, tmp_path: Path) -> None:
    recipe, dice = RECIPES[kind], random.Random(f"{kind} {seed}")
    wanted = [parse_image(file.data, file.name) for file in recipe.files()]
    spoiled = dice.sample(wanted, dice.randint(0, 2))
    modules = []
    for image in wanted:
        is_bootloader = image.function == 2  # without one the unit shows nothing on USB
        choices = [another] if is_bootloader else [another, torn, lambda _: b""]
        data = dice.choice(choices)(image) if image in spoiled else image.data
        modules += [data] if data else []
    # a torn part of several is started all the same, and only a hand brings the unit into DFU
    arrives = BootRequest.DFU if kind == "several parts" else dice.choice([BootRequest.NORMAL, BootRequest.DFU])
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe, modules=tuple(modules), arrives=arrives)
        was_right = all(is_held(unit, image) for image in wanted)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert [image.name for image in wanted if not is_held(unit, image)] == []
        did = walk.with_outcome(Outcome.DONE) & {"dfu", "device_os", "firmware"}
        assert was_right or did
        assert (walk.flash_writes == 0) == was_right

"""Files of an application, wrapped for their way to a unit."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.platforms import ModuleFunction
from drivers.virtual.asset_store import unwrap
from drivers.virtual.flash import NorFlash
from drivers.virtual.header import read_header
from drivers.virtual.layout import Chip
from drivers.wire.image.asset import asset_module
from drivers.wire.image.host import parse_image

VECTORS = tomllib.loads(Path(__file__).with_name("module_vectors.toml").read_text())["vector"]


def unwrapped(module: bytes) -> tuple[str, bytes] | None:
    """What the device side finds in it, by its own reader."""
    flash = NorFlash(Chip.EXTERNAL, 0, -(-len(module) // 4096) * 4096)
    flash.place(0, module)
    return unwrap(flash, 0, read_header(flash, 0, (0,)))


def test_a_small_file_is_wrapped_as_the_vendors_tool_does() -> None:
    assert asset_module("hello.txt", b"hello asset\n").hex() == VECTORS["V7"]["head"]


def test_the_vendors_compressed_module_is_unwrapped() -> None:
    assert unwrapped(bytes.fromhex(VECTORS["V7c"]["head"])) == ("hello.txt", b"hello asset\n")


@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), content=st.binary(max_size=3000))
def test_any_file_arrives_as_it_is(name: str, content: bytes) -> None:
    module = asset_module(name, content)
    image = parse_image(module, "asset")
    image.check()
    assert (image.function, image.platform_id) == (ModuleFunction.ASSET, 0)
    assert unwrapped(module) == (name, content)


@pytest.mark.parametrize("content", [b"\0" * 50_000, b"text " * 9000], ids=["zeros", "text"])
def test_a_file_that_shrinks_goes_compressed(content: bytes) -> None:
    assert len(asset_module("a", content)) < len(content) / 10
    assert unwrapped(asset_module("a", content)) == ("a", content)


def test_a_file_that_does_not_shrink_goes_as_it_is() -> None:
    content = random.Random(1).randbytes(5000)
    assert content in asset_module("noise", content)

"""The reference's facts, which this repository does not hold: in ``../shared/reference`` or wherever the environment
says. Without them a test says so and is skipped, or fails where nothing may be (`conftest`)."""

from __future__ import annotations

import functools
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "STATION_REFERENCE"
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "reference"
FOLDER = Path(os.environ.get(VARIABLE) or BESIDE)

needs_reference = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no reference in {FOLDER}; set {VARIABLE} to its folder"
)


@functools.cache
def reference(name: str) -> Any:
    """Read one JSON file of the reference."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def chapter(heading: str) -> str:
    """Read one appendix of firmware-and-dfu.md, without its heading; empty without a reference."""
    if not FOLDER.is_dir():
        return ""
    text = (FOLDER / "firmware-and-dfu.md").read_text(encoding="utf-8")
    return text.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]


@functools.cache
def result_codes() -> tuple[tuple[str, str], ...]:
    """Read the rows of usb-and-serial 4.12: one or two codes or a range of them, and their symbols."""
    text = (FOLDER / "usb-and-serial.md").read_text(encoding="utf-8").split("### 4.12 ", 1)[1].split("\n---", 1)[0]
    return tuple((codes, names) for codes, names in re.findall(r"^\| (-?\d[^|]*) \| ([^|]*) \|", text, re.MULTILINE))


@dataclass(frozen=True)
class SampleFile:
    """One line of appendix B: a file of the vendor, and what the vendor's reader found in it."""

    name: str
    size: int
    prefix_offset: int
    start: int
    end: int
    flags: int
    version: int
    platform_id: int
    kind: tuple[int, int]
    dependencies: tuple[tuple[int, ...], tuple[int, ...]]  # an empty one: that slot names none
    suffix_size: int | None  # None: the CRC is not at the end, as the file is padded
    product: tuple[int, ...]  # id and version, or nothing
    crc: str
    notes: str

    @property
    def id(self) -> str:
        """Some names stand there twice: Tinker of a Core, `app.bin`."""
        return f"{self.name}-{self.crc}"


@functools.cache
def sample_files() -> tuple[SampleFile, ...]:
    """Read all lines of appendix B."""
    lines = re.findall(r"^\| (\S+\.bin) \|(.*)\|$", chapter("Appendix B."), re.MULTILINE)
    return tuple(_sample(name, [cell.strip() for cell in rest.split("|")]) for name, rest in lines)


def _sample(name: str, cells: list[str]) -> SampleFile:
    size, offset, start, end, flags, version, platform_id, kind, first, second, suffix, product, crc, notes = cells
    function, index = _numbers(kind)
    return SampleFile(
        name, int(size), int(offset, 16), int(start, 16), int(end, 16), int(flags), int(version), int(platform_id),
        (function, index), (_numbers(first), _numbers(second)), None if suffix == "–" else int(suffix),
        _numbers(product), crc, notes,
    )  # fmt: skip


def _numbers(text: str) -> tuple[int, ...]:
    """Read "4/1/6305"; a dash is no number at all."""
    return () if text == "–" else tuple(map(int, text.split("/")))


@functools.cache
def listed_releases() -> tuple[tuple[int, str, int | None], ...]:
    """Read all rows of appendix A: module version of the system part, Device OS, module version of the bootloader."""
    rows = re.findall(r"(\d+):(\d[\w.-]*)(?: \((\d+)\))?", chapter("Appendix A."))
    return tuple((int(number), name, int(bootloader) if bootloader else None) for number, name, bootloader in rows)

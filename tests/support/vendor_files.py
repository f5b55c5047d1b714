"""The vendor's own firmware files, which this repository may not hold: in ``../shared/fixtures/firmware`` or wherever
the environment says. Without them a test says so and is skipped, or fails where nothing may be (`conftest`)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "STATION_FIRMWARE_FIXTURES"
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "firmware"
FOLDER = Path(os.environ.get(VARIABLE) or BESIDE)

needs_vendor_files = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no vendor firmware in {FOLDER}; set {VARIABLE} to the folder of vendor files"
)


def vendor_file(name: str) -> bytes:
    """The content of one file; skips, saying so, where it is absent."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name} is not in {FOLDER}; set {VARIABLE} to the folder of vendor files")
    return path.read_bytes()

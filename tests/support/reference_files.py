"""The reference's machine-readable facts, which this repository does not hold: in ``../shared/reference`` or wherever
the environment says. Without them a test says so and is skipped, or fails where nothing may be (`conftest`)."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "STATION_REFERENCE"
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "reference"
FOLDER = Path(os.environ.get(VARIABLE) or BESIDE)

needs_reference = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no reference in {FOLDER}; set {VARIABLE} to the folder of its JSON files"
)


@functools.cache
def reference(name: str) -> Any:
    """Read one JSON file of the reference."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))

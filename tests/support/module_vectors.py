"""Complete modules of reference firmware-and-dfu, appendix C.2, typed once."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

VECTORS: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[1] / "drivers/wire/module_vectors.toml").read_text(encoding="utf-8")
)


def vector(name: str) -> bytes:
    """Return the module called ``name`` there: "V1"."""
    row = VECTORS["vector"][name]
    run = bytes([row.get("byte", 0)]) * row.get("run", 0)
    return bytes.fromhex(row["head"]) + run + bytes.fromhex(row.get("tail", ""))

"""What a unit remembers about networks, in the one store it has for that: a unit may have Wi-Fi and a modem."""

from __future__ import annotations

import json
from typing import Any

from .flash import Who
from .memory import UnitMemory


def read_entries(memory: UnitMemory) -> dict[str, Any]:
    """Read all entries; none of a store that was torn."""
    raw = memory.read_network()
    content = json.loads(raw) if raw else {}
    return content if isinstance(content, dict) else {"networks": content}  # all there was before a unit had both


def write_entry(memory: UnitMemory, name: str, value: object, who: Who) -> float:
    """Replace one entry; return the seconds it takes."""
    return memory.write_network(json.dumps(read_entries(memory) | {name: value}).encode(), who)

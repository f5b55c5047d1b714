"""A virtual cloud for tests, the demo and training: see `cloud.py`."""

from __future__ import annotations

from .ask import Quirks
from .cloud import VirtualCloud
from .events import StreamTrouble
from .faults import Fault, FaultKind, Who
from .limits import Limit, Limits
from .seen import SeenRequest
from .sims import SimClass

__all__ = [
    "Fault", "FaultKind", "Limit", "Limits", "Quirks", "SeenRequest", "SimClass", "StreamTrouble", "VirtualCloud", "Who"
]  # fmt: skip

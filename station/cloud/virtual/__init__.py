"""A virtual cloud for tests, the demo and training: see `cloud.py`."""

from __future__ import annotations

from .ask import Quirks
from .cloud import VirtualCloud
from .faults import Fault, FaultKind
from .seen import SeenRequest

__all__ = ["Fault", "FaultKind", "Quirks", "SeenRequest", "VirtualCloud"]

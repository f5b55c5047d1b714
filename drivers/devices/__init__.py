"""Operations on a unit, with deadlines, retries and error messages. Independent of stations.

`ParticleDevice` is one physical unit through all its restarts; the other classes are one opened handle each.
"""

from ..wire.console.host import ConsoleIdentity
from .asking import read_interfaces
from .console import Console
from .control import ControlDevice
from .dfu import DfuDevice
from .dialogue import Progress, Trace
from .holding import Goal
from .particle import ParticleDevice

__all__ = [
    "Console",
    "ConsoleIdentity",
    "ControlDevice",
    "DfuDevice",
    "Goal",
    "ParticleDevice",
    "Progress",
    "Trace",
    "read_interfaces",
]

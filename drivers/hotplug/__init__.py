"""Hot-plug: one thread that lists the bus when it changes, and one watch per port that tells arrivals apart.

Nothing here opens a unit or reads a string from it, so a faulty unit cannot delay the others.
"""

from .enumerator import Attached, BusChanges, Detached, Enumerator, HotplugEvent
from .port import PortWatch

__all__ = ["Attached", "BusChanges", "Detached", "Enumerator", "HotplugEvent", "PortWatch"]

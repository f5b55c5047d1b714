"""Which synthetic application a unit runs. The content of its flash decides: each file begins with its own name."""

from __future__ import annotations

from collections.abc import Mapping

from .families import family_of
from .memory import UnitMemory

SELF_TEST = "selftest"
"""Name, as passed to `synthetic.application`, of an application that answers request 10 (`self_test`)."""
FLOODER = "flooder"
"""... of one that prints to the serial port without end."""

FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "tinker": ("digitalread", "digitalwrite", "analogread", "analogwrite"), "tracker-edge": ("cmd",)
}  # fmt: skip
"""What applications offer to the cloud, by name."""

_WITHIN = 512  # bytes from the module's start: vectors, header, then the text that names a synthetic file


def is_active(memory: UnitMemory, name: str) -> bool:
    """Return whether the active application is the synthetic one of that name."""
    found = family_of(memory.platform_id).find_application(memory)
    return found is not None and f"application {name} ".encode() in memory.internal.read(found.address, _WITHIN)


def functions(memory: UnitMemory) -> tuple[str, ...]:
    """Return the functions that the active application offers to the cloud."""
    return next((names for program, names in FUNCTIONS.items() if is_active(memory, program)), ())

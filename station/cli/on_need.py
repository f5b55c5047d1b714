"""What a verb loads only when it comes to need it, because most runs do not: all of that, so that it is found here.

Whatever else a verb needs it loads when it starts (`main.VERBS`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.clock import Clock
    from drivers.identity import Secret
    from drivers.transport import SerialHost, UsbHost

    from ..words.catalogue import Words


def english() -> Words:
    """Load what operators are told: for the unit in hundreds that needs hands, 0.15 s."""
    from ..words.languages import load

    return load("en")


def virtual_units(
    units: Sequence[str], networks: Sequence[str] = ()
) -> AbstractContextManager[tuple[UsbHost, SerialHost, Clock]]:
    """Load what virtual units are made of, and plug ``units`` in, ``networks`` in range: for those who try, 0.1 s."""
    from .virtual_units import virtual_place

    return virtual_place(units, networks)


@contextlib.contextmanager
def virtual_cloud(clock: Clock) -> Iterator[tuple[str, Secret]]:
    """Load a cloud of this program's own and serve it; yields address and token: for those who try a verb, 0.1 s."""
    from ..cloud.virtual import VirtualCloud

    cloud = VirtualCloud(clock)
    try:
        yield cloud.serve(), cloud.create_token("factory@example.com")
    finally:
        cloud.close()


def version_of(distribution: str) -> str:
    """Look up which version is installed: for ``--version``, 0.03 s."""
    import importlib.metadata

    return importlib.metadata.version(distribution)

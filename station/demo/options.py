"""Options of ``station demo``, and the names it gives to batches and ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drivers.virtual.factory import UnitSpec
from drivers.virtual.faults import Fault
from drivers.virtual.synthetic import SyntheticFile

from ..cloud.virtual import VirtualCloud
from ..settings.profile import Profile
from ..steps.shared.allowed import Allowed
from .records import Wanted
from .tray import Arrival

FACTORY_OS = "3.3.1"
"""Device OS of a virtual unit that comes out of its box."""
SHOW_S = 3.0
"""How long virtual hands look at a verdict before they unplug the unit."""
SCAN_S = 1.5
"""How long virtual hands take to pick up the scanner, or to find the button."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """Options of one demo. ``data_dir`` None: nothing is kept at the end.

    ``arrivals``: what comes to slot 1, 2, ... and from the first again behind the last; without it, units of the
    platforms of ``profiles``. ``files``: by platform, all that its units have to hold when they leave; given, each of
    them is looked at as it is unplugged (`Demo.reconciliation`). ``wants``: what the cloud has to show in the end of a
    unit. ``opening``: what happens in the cloud before the first unit comes, to the units of the first turn.
    ``allows``: a supervisor's list for a batch, by those units and its name.
    ``has_list``: a list of these units came with their tray, and is imported before they come.
    ``total``: so many units come in all, ``units`` at a time, and one that did not pass is plugged in once more; None:
    one a slot with ``once``, else without end. ``troubles``: how many kinds of trouble are dealt out over them.
    ``keeps_bad``: a unit that did not pass stays plugged in, for a technician.
    """

    profiles: tuple[Profile, ...]
    units: int = 4
    arrivals: tuple[Arrival, ...] = ()
    seed: int = 1
    firmware: tuple[Path, ...] = ()
    data_dir: Path | None = None
    faults: tuple[Fault, ...] = ()
    cloud_down_s: float = 0.0
    once: bool = False
    traces: bool = False
    scan_after_s: float = SCAN_S
    show_s: float = SHOW_S
    factory_os: str = FACTORY_OS
    files: Mapping[int, tuple[SyntheticFile, ...]] = field(default_factory=dict)
    wants: Callable[[Profile, UnitSpec], Wanted] | None = None
    opening: Callable[[VirtualCloud, tuple[UnitSpec, ...]], None] | None = None
    allows: Callable[[tuple[UnitSpec, ...], str], Allowed] | None = None
    has_list: bool = False
    total: int | None = None
    troubles: int = 0
    keeps_bad: bool = False


def batch_of(profile: Profile) -> str:
    """Return the name of the batch that a demo profile fills."""
    return f"demo-{profile.id}"


def port_of(slot: int) -> str:
    """Return the virtual port that a demo slot is bound to."""
    return f"1-{slot}"

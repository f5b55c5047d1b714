"""The kinds of printers: our own, and those of packages installed beside the station.

A package adds one by an entry point in the group ``station.printers``: the kind's name, and a `PrinterKind`.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from drivers.clock import Clock

from ..errors import BadInput
from .device import DEVICE
from .folder import FOLDER
from .printer import LabelPrinter, PrinterKind
from .tcp import TCP

GROUP = "station.printers"
KINDS = (TCP, DEVICE, FOLDER)


def printer_of(name: str, to: str, clock: Clock, *, tells_status: bool | None = None) -> LabelPrinter:
    """Return the printer that ``to`` says, such as ``tcp:192.168.0.20``; raises `BadInput`.

    ``tells_status`` None: as printers of its kind do.
    """
    kind_name, _, place = to.partition(":")
    kind = _kind(kind_name)
    says = kind.tells_status if tells_status is None else tells_status
    return LabelPrinter(name, kind.connect_to(place), clock, tells_status=says)


def _kind(name: str) -> PrinterKind:
    own = {kind.name: kind for kind in KINDS}
    if name in own:
        return own[name]
    entries = tuple(entry_points(group=GROUP))
    for entry in entries:
        if entry.name != name:
            continue
        try:
            found = entry.load()
        except Exception as error:  # a plug-in may raise anything
            raise BadInput(f"the printers {name} ({entry.value}) cannot be loaded: {error}; uninstall it") from error
        if not isinstance(found, PrinterKind):
            raise BadInput(f"the printers {name} ({entry.value}) are no PrinterKind; uninstall its package")
        return found
    known = ", ".join([*own, *sorted({entry.name for entry in entries})])
    raise BadInput(f"printer {name}: no such kind; there are {known}")

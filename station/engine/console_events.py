"""Events of what a person does to a unit outside of a walk, its serial console above all (`station.engine.console`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .events import Event

ConsoleEnd = Literal["closed", "idle", "left", "walk", "command", "stopping", "busy", "empty", "failed"]
"""Why a console is closed; each is a text of the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandWorkBegun(Event):
    """A person works on the unit by hand: from now on no PASS or PENDING of it is proven, until it is walked again.

    Recorded before the unit is changed. ``what``: "console", or the mode of `EnterMode` it is brought into; "reset"
    only where it did not come back from that.
    """

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleOpened(Event):
    """A person works on the unit over its serial console. Recorded; what is typed and printed there is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleLine(Event):
    """One line that the unit printed on its console, secrets masked. ``is_open``: the next one takes its place.

    ``asks_secret``: it waits for a password or code. ``skipped``: lines left out before it, as they came too fast.
    """

    text: str
    is_open: bool = False
    asks_secret: bool = False
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleClosed(Event):
    """The console is closed, or could not be opened. ``why``: one of `ConsoleEnd`; ``reason``: what went wrong."""

    why: ConsoleEnd
    reason: str = ""

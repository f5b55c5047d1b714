"""Sections of the config file on what stands beside the bench: label printers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from .sections import Mistake, Section, refuse, shown

MOST_PRINTERS = 16
PRINTER_NAME = r"^[\w.-]{1,12}$"
"""Short enough for a line of the screen that names it."""


@dataclass(frozen=True, slots=True)
class PrinterPlace:
    """A label printer: ``to`` says how to reach it, ``tells_status`` None: as printers of its kind do."""

    name: str
    to: str
    tells_status: bool | None = None


class PrinterSection(Section):
    """One label printer, which profiles call by its name."""

    to: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,19}:.{1,300}$", title="where the printer is",
        examples=["tcp:192.168.0.20", "device:/dev/usb/lp0", "folder:/var/lib/station/labels"],
        description="tcp:HOST or tcp:HOST:9100, device:/dev/usb/lp0, or folder:/path for a file a label.",
    )  # fmt: skip
    status: bool | None = Field(
        default=None, title="true or false", examples=[False],
        description="false: it answers no ~HS, as behind a print server. Unless said, tcp and device printers do.",
    )  # fmt: skip


def printers_field() -> Any:
    """Return the field of ``[printers.NAME]``."""
    return Field(
        default={}, title="tables [printers.NAME]", examples=[{"bench": {"to": "tcp:192.168.0.20"}}],
        description="Label printers by the names that profiles call them.",
    )  # fmt: skip


def are_named(printers: dict[str, PrinterSection]) -> dict[str, PrinterSection]:
    """Return ``printers``; refuse names no screen has room for."""
    advice = 'write [printers.bench], and to = "tcp:192.168.0.20" below it'
    refuse(
        Mistake(name, "a name of 1 to 12 letters, digits, dots and dashes", advice, shown(name))
        for name in printers
        if not re.fullmatch(PRINTER_NAME, name)
    )
    return printers

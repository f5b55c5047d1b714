"""Sections of the config file on what stands beside the bench: label printers, and programs of the factory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from .secrets import SecretField, SecretRef
from .sections import Mistake, Section, refuse, shown

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


UNIT_ARRIVED, MAY_START, FINISHED, BATCH_CLOSED = EVENTS = ("unit_arrived", "may_start", "finished", "batch_closed")
"""What a hook may be told; ``may_start`` is asked."""
MOST_HOOKS = 8
_HERE = r"https://[^\s/?#@]+|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?"
"""Where a token may go: over TLS, or in clear only within this host."""


@dataclass(frozen=True, slots=True)
class HookPlace:
    """One hook of the config file; of ``url``, ``command`` and ``folder`` one says where it goes."""

    name: str
    events: tuple[str, ...]
    url: str = ""
    command: tuple[str, ...] = ()
    folder: str = ""
    token: SecretRef | None = None
    timeout_s: float = 5.0
    otherwise: str = "start"

    @property
    def kind(self) -> str:
        return next(kind for kind in ("url", "command", "folder") if getattr(self, kind))


class HookSection(Section):
    """One program of the factory that is told what happens here, or asked."""

    name: str = Field(
        pattern=PRINTER_NAME, title="a name of 1 to 12 letters, digits, dots and dashes", examples=["mes"],
        description="What records call it.",
    )  # fmt: skip
    events: tuple[Literal["unit_arrived", "may_start", "finished", "batch_closed"], ...] = Field(
        strict=False, min_length=1, max_length=4, title=f"some of {', '.join(EVENTS)}", examples=[["finished"]],
        description="What it is told; with may_start it is asked, and may refuse a unit before its first write.",
    )  # fmt: skip
    url: str = Field(
        default="", max_length=500, pattern=r"^(https?://[^\s/?#@]+(/[^\s#@]*)?)?$", examples=["https://mes/hook"],
        title="an address, https:// or http://", description="A POST of JSON goes there.",
    )  # fmt: skip
    command: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        default=(), strict=False, max_length=32, title="a program and its arguments, each a text in quotes",
        examples=[["/usr/local/bin/to-mes"]], description="It gets JSON on standard input.",
    )  # fmt: skip
    folder: str = Field(
        default="", max_length=500, pattern=r"^(/.*)?$", title="the absolute path of a folder",
        examples=["/srv/mes/in"], description="It gets a file for each event.",
    )  # fmt: skip
    token: SecretField | None = Field(
        default=None, title="a reference to the token, never the token itself", examples=["env:MES_TOKEN"],
        description="Sent with each POST as a bearer token.",
    )  # fmt: skip
    timeout_s: float = Field(default=5.0, ge=0.5, le=60, description="How long it may take; the line waits no longer.")
    otherwise: Literal["start", "hold"] = Field(
        default="start", title='"start" or "hold"', examples=["hold"],
        description="Without an answer to may_start the unit starts, or waits for one.",
    )  # fmt: skip

    def place(self) -> HookPlace:
        """Return it as a plain value."""
        return HookPlace(
            self.name, self.events, self.url, self.command, self.folder, self.token, self.timeout_s, self.otherwise
        )  # fmt: skip


def hooks_field() -> Any:
    """Return the field of ``[[hooks]]``."""
    return Field(
        default=(), strict=False, max_length=MOST_HOOKS, title="tables [[hooks]]",
        examples=[[{"name": "mes", "events": ["finished"], "url": "https://mes/hook"}]],
        description="Programs of the factory that are told what happens here.",
    )  # fmt: skip


def go_somewhere(hooks: tuple[HookSection, ...]) -> tuple[HookSection, ...]:
    """Return ``hooks``; refuse what no single hook can tell is wrong."""
    mistakes = []
    for at, one in enumerate(hooks):
        where = [kind for kind in ("url", "command", "folder") if getattr(one, kind)]
        if len(where) != 1:
            expected, advice = "one of url, command and folder", 'write url = "https://mes/hook"'
            mistakes.append(Mistake((at, "name"), expected, advice, " and ".join(where) or "none"))
        if one.name in [other.name for other in hooks[:at]]:
            mistakes.append(Mistake((at, "name"), "a name of its own for every hook", 'write name = "mes-2"', one.name))
        if one.folder and MAY_START in one.events:
            mistakes.append(Mistake((at, "events"), "no may_start for a folder: it answers nothing", "take it out"))
        if one.token is not None and not re.match(_HERE, one.url):
            expected = "a token only where it goes over https://, or stays within this host"
            mistakes.append(Mistake((at, "token"), expected, "write url with https://"))
    refuse(mistakes)
    return hooks

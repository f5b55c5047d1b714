"""What a unit's console prints, made into lines that a person may see: printable, bounded, and without secrets.

Pure. The unit echoes a typed password and claim code, and prints its mobile secret (reference usb-and-serial 5.4, 5.5).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

from ...plain_text import printable
from . import tables

MAX_LINE = 4096
"""Characters shown of one line; the longest real one, that of ``s``, has about 2 KiB."""
MASK = "***"
MIN_SECRET = 4  # characters; a shorter one is masked behind its prompt only, as it would be found in other words

PROMPTS = (
    tables.SSID, tables.WIFI_SECURITY, tables.ENTERPRISE_SECURITY, tables.CIPHER, tables.PASSWORD, tables.EAP_TYPE,
    tables.USERNAME, tables.OUTER_IDENTITY, tables.CLAIM_CODE,
)  # fmt: skip
"""Without a line end: the unit waits for a line."""
_BEFORE_SECRETS = (
    tables.PASSWORD, tables.CLAIM_CODE, tables.CLAIM_CODE_SET.partition("{}")[0], f"{tables.SECRET}: "
)  # fmt: skip
_SECRET_PROMPTS = (tables.PASSWORD, tables.CLAIM_CODE)
_KEY_PROMPT = tables.PRIVATE_KEY.strip()
_AFTER_KEY = (
    tables.USERNAME,
    tables.OUTER_IDENTITY,
    tables.ROOT_CA.strip(),
    tables.SAVING.strip(),
    tables.NOT_PREPARED,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One line. ``is_open``: it may go on, and what comes next takes its place.

    ``asks_secret``: the unit waits for a password or claim code.
    """

    text: str
    is_open: bool = False
    asks_secret: bool = False


class Display:
    """Collects what arrives. A secret is masked from the text in front of it to the end of its line, echo included."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._line = ""  # the one not ended yet, cut at `MAX_LINE`
        self._is_shown = True  # as it stands
        self._is_in_key = False
        self._typed: set[str] = set()  # secrets a person typed: masked wherever they turn up

    @property
    def is_asking(self) -> bool:
        """Whether the unit waits for a line at one of its prompts, which ends with Enter; else a key is a command."""
        return self._line.endswith(PROMPTS)

    @property
    def asks_secret(self) -> bool:
        return self._line.endswith(_SECRET_PROMPTS)

    def typed(self, text: str) -> None:
        """Note what is about to be typed, so that a secret among it is never shown."""
        if self.asks_secret and len(text) >= MIN_SECRET:
            self._typed.add(text)

    def feed(self, data: bytes) -> tuple[Shown, ...]:
        """Return the lines that ``data`` ends; empty ones are left out."""
        *ended, rest = self._decode(data).split("\n")
        lines = []
        for piece in ended:
            self._add(piece)
            lines += self._ended()
        self._add(rest)
        return tuple(lines)

    def open_line(self) -> Shown | None:
        """Return the line that is not ended, once after each change of it; a prompt is one."""
        if self._is_shown:
            return None
        self._is_shown = True
        return Shown(self._masked(self._line), is_open=True, asks_secret=self.asks_secret)

    def _add(self, text: str) -> None:
        text = text.replace("\r", "")
        if text:
            self._line = (self._line + text)[:MAX_LINE]
            self._is_shown = False

    def _ended(self) -> list[Shown]:
        line, self._line, self._is_shown = self._line, "", True
        shown = [Shown(self._masked(line))] if line.strip() else []
        self._is_in_key = line.endswith(_KEY_PROMPT) or (self._is_in_key and not _has_any(line, _AFTER_KEY))
        return shown

    def _masked(self, line: str) -> str:
        if self._is_in_key and not _has_any(line, _AFTER_KEY):
            return MASK
        ends = [line.find(mark) + len(mark) for mark in _BEFORE_SECRETS if mark in line]
        if ends and len(line) > min(ends):
            line = line[: min(ends)] + MASK
        for secret in self._typed:
            line = line.replace(secret, MASK)
        return printable(line)


def _has_any(line: str, marks: Iterable[str]) -> bool:
    return any(mark in line for mark in marks)

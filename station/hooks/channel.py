"""What a hook is: where it tells which events, and how an answer from outside is read. Answers are untrusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from drivers.clock import CancelToken
from drivers.plain_text import printable

from ..errors import StationError
from ..settings.outside import MAY_START

MOST_ANSWER = 16 * 1024
"""Bytes of an answer that are read; more is no answer."""
MOST_REASON = 200
"""Characters of a sentence from outside."""


class HookTrouble(StationError):
    """The other side did not take it, or did not say so in words that count. Worth trying again."""


class Channel(Protocol):
    """One way to the other side. Thread-safe."""

    def send(self, body: bytes, key: str, timeout_s: float, cancel: CancelToken) -> bytes:
        """Hand over one JSON text, at most ``timeout_s``; return the answer, at most `MOST_ANSWER` bytes.

        ``key`` is the same whenever the same text is handed over again. Raises `HookTrouble`, `Cancelled`.
        """
        ...

    def look(self, timeout_s: float) -> None:
        """Return if the other side seems to be there, and tell it nothing. Raises `HookTrouble`."""
        ...


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook of the config file. ``holds``: a unit waits until the question is answered, however long."""

    name: str
    events: frozenset[str]
    channel: Channel
    timeout_s: float = 5.0
    holds: bool = False

    @property
    def asks(self) -> bool:
        return MAY_START in self.events


def body_of(message: Mapping[str, Any]) -> bytes:
    """Return the JSON text of a message."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode()


def read_answer(raw: bytes) -> dict[str, Any]:
    """Return the object in an answer, an empty one for nothing at all. Raises `HookTrouble` for anything else."""
    if len(raw) > MOST_ANSWER:
        raise HookTrouble(f"its answer has more than {MOST_ANSWER} bytes")
    if not raw.strip():
        return {}
    try:
        found = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise HookTrouble("its answer is no JSON; a page of a proxy or of a portal does not count") from None
    if not isinstance(found, dict):
        raise HookTrouble("its answer is no JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; raises ValueError for one that says two things under one name."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("two values of one name")
    return found


@dataclass(frozen=True, slots=True)
class MayStartAnswer:
    """What the other side says of one unit; ``reason`` is fit for any screen."""

    starts: bool
    reason: str = ""


def read_may_start(raw: bytes) -> MayStartAnswer:
    """Return the answer to "may I start?": ``{"start": false, "reason": "..."}``. Raises `HookTrouble`."""
    found = read_answer(raw)
    starts, reason = found.get("start"), found.get("reason", "")
    if not isinstance(starts, bool):
        raise HookTrouble('its answer has no "start": true or false')
    text = " ".join(printable(reason[: 4 * MOST_REASON], " ").split()) if isinstance(reason, str) else ""
    return MayStartAnswer(starts, text[:MOST_REASON])

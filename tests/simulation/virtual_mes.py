"""A MES on the simulated clock, in the place of a webhook: notes what it is asked and told, in any mood."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from drivers.clock import CancelToken, Clock
from station.hooks.channel import HookTrouble, read_answer

RUBBISH = (
    b"<html>Please log in</html>", b"{}", b'{"start": "no"}', b"[]", b"\xff\xfe", b"null", b'{"start": 0}', b"{",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that reached it. ``answer``: what it said, and the other side heard; None where it did not hear."""

    message: dict[str, Any]
    key: str
    began: float
    ended: float
    answer: bytes | None


class VirtualMes:
    """Set ``mood`` (a key of `outside_story.MES`, empty: well) and ``detail``. ``refused``: whom it never wants."""

    def __init__(self, clock: Clock, refused: Collection[str]) -> None:
        self._clock, self._refused = clock, frozenset(refused)
        self._lock = threading.Lock()
        self.heard: list[Heard] = []
        self.bodies: dict[str, set[bytes]] = {}
        self.mood, self.detail = "", 0

    def send(self, body: bytes, key: str, timeout_s: float, cancel: CancelToken) -> bytes:
        """Implement `station.hooks.Channel.send`, with the troubles that a webhook meets."""
        began, mood = self._clock.now(), self.mood
        message = json.loads(body)
        waits_s = {"slow": float(self.detail % 30), "silent": timeout_s + 1.0}.get(mood, 0.1)
        answer: bytes | None = self._answer(mood, message, key)
        if mood == "dead":
            raise HookTrouble("it does not answer (Connection refused)")
        self._clock.sleep(min(waits_s, timeout_s), cancel)
        if waits_s > timeout_s or mood == "lost":
            answer = None
        with self._lock:
            self.bodies.setdefault(key, set()).add(body)
            self.heard.append(Heard(message, key, began, self._clock.now(), answer))
        if answer is None:
            raise HookTrouble("it does not answer (timed out)")
        read_answer(answer)
        return answer

    def look(self, timeout_s: float) -> None:
        """Implement `station.hooks.Channel.look`."""

    def _answer(self, mood: str, message: dict[str, Any], key: str) -> bytes:
        if mood == "rubbish":
            return RUBBISH[self.detail % len(RUBBISH)]
        if message["event"] != "may_start":
            return b""
        is_first = not any(one.key == key for one in self.heard)
        refuses = message["device_id"] in self._refused or mood == "refuses" or (mood == "refuses-once" and is_first)
        said = json.dumps({"start": not refuses, "reason": "not in the order"}).encode()
        return said * 2 if mood == "twice" else said

    def refusals(self, attempt: str) -> int:
        """Count how often it refused the unit of that attempt, and was heard."""
        return sum(
            one.message["event"] == "may_start" and one.message["attempt"] == attempt and _refuses(one.answer)
            for one in self.heard
        )

    def taken(self) -> list[str]:
        """Return the keys of what it was told and said so, in order, each once."""
        keys = [
            one.key
            for one in self.heard
            if one.message["event"] != "may_start" and one.answer is not None and one.answer not in _NO_OBJECT
        ]
        return list(dict.fromkeys(keys))


def _refuses(answer: bytes | None) -> bool:
    try:
        found = json.loads(answer or b"null")
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("start") is False


_NO_OBJECT = tuple(one for one in RUBBISH if not one.startswith(b"{") or one == b"{")

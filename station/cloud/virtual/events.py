"""Event streams: who listens, and what each of them is told (reference cloud-api 7.3)."""

from __future__ import annotations

import enum
import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

KEEP_ALIVE_S = 9.0
"""Real seconds between signs of life: less than the 15 s of silence after which the vendor's client gives up."""


class StreamTrouble(enum.Enum):
    """How a stream can misbehave; see `Fault`."""

    STALL = "says nothing more, and does not close"
    REPEAT = "tells every event twice"
    REORDER = "tells every second event before the first"
    CLOSE = "closes after the next event"


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """An event, and what is known of the device that sent it."""

    name: str
    data: str
    device_id: str
    published_at: str
    owner: str = ""
    product_id: int | None = None

    @property
    def text(self) -> bytes:
        """Return the event as it goes over the wire."""
        body = {"data": self.data, "ttl": 60, "published_at": self.published_at, "coreid": self.device_id}
        return f"event: {self.name}\ndata: {json.dumps(body)}\n\n".encode()


Wanted = Callable[[CloudEvent], bool]


class EventHub:
    """Passes events on to open streams. Thread-safe. Events that nobody listens to are gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[queue.SimpleQueue[CloudEvent | None], tuple[Wanted, str]] = {}
        self.trouble: StreamTrouble | None = None

    def open_streams(self, address: str) -> int:
        """Return how many streams an address holds open."""
        with self._lock:
            return sum(1 for _, listener in self._open.values() if listener == address)

    def publish(self, event: CloudEvent) -> None:
        """Tell everybody who wants to know."""
        with self._lock:
            for news, (wanted, _) in self._open.items():
                if wanted(event):
                    news.put(event)

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            for news in self._open:
                news.put(None)

    def listen(self, wanted: Wanted, address: str) -> Iterator[bytes]:
        """Open a stream. What is published from now on is in it, though it is read later."""
        news: queue.SimpleQueue[CloudEvent | None] = queue.SimpleQueue()
        with self._lock:
            self._open[news] = (wanted, address)
        return self._told(news)

    def _told(self, news: queue.SimpleQueue[CloudEvent | None]) -> Iterator[bytes]:
        held: list[CloudEvent] = []
        try:
            yield b":ok\n\n"
            while True:
                try:
                    event = news.get(timeout=KEEP_ALIVE_S)
                except queue.Empty:
                    if self.trouble is not StreamTrouble.STALL:
                        yield b":\n\n"
                    continue
                if event is None:
                    return
                held.append(event)
                if self.trouble is StreamTrouble.REORDER and len(held) < 2:
                    continue
                yield from self._misread(held)
                held.clear()
                if self.trouble is StreamTrouble.CLOSE:
                    return
        finally:
            with self._lock:
                self._open.pop(news, None)

    def _misread(self, events: list[CloudEvent]) -> Iterator[bytes]:
        match self.trouble:
            case StreamTrouble.STALL:
                return
            case StreamTrouble.REPEAT:
                events = [event for event in events for _ in range(2)]
            case StreamTrouble.REORDER:
                events = events[::-1]
        yield from (event.text for event in events)

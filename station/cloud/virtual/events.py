"""Event streams: who listens, and what each of them is told (reference cloud-api 7.3)."""

from __future__ import annotations

import enum
import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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


@dataclass(slots=True)
class _Listener:
    """An open stream. ``news``: what it still has to tell, None is the end; ``held``: what waits to be reordered."""

    wanted: Wanted
    address: str
    news: queue.SimpleQueue[CloudEvent | None] = field(default_factory=queue.SimpleQueue)
    held: CloudEvent | None = None

    def hear(self, event: CloudEvent, trouble: StreamTrouble | None) -> None:
        match trouble:
            case StreamTrouble.STALL:
                told: tuple[CloudEvent | None, ...] = ()
            case StreamTrouble.REPEAT:
                told = (event, event)
            case StreamTrouble.CLOSE:
                told = (event, None)
            case StreamTrouble.REORDER:
                told, self.held = ((), event) if self.held is None else ((event, self.held), None)
            case None:
                told = (event,)
        for one in told:
            self.news.put(one)


class EventHub:
    """Passes events on to open streams. Thread-safe. Events that nobody listens to are gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[_Listener] = []
        self.trouble: StreamTrouble | None = None

    def open_streams(self, address: str) -> int:
        """Return how many streams an address holds open."""
        with self._lock:
            return sum(listener.address == address for listener in self._open)

    def publish(self, event: CloudEvent) -> None:
        """Tell everybody who wants to know."""
        with self._lock:
            for listener in self._open:
                if listener.wanted(event):
                    listener.hear(event, self.trouble)

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            for listener in self._open:
                listener.news.put(None)

    def listen(self, wanted: Wanted, address: str) -> Iterator[bytes]:
        """Open a stream. What is published from now on is in it, though it is read later."""
        listener = _Listener(wanted, address)
        with self._lock:
            self._open.append(listener)
        return self._told(listener)

    def _told(self, listener: _Listener) -> Iterator[bytes]:
        try:
            yield b":ok\n\n"
            while True:
                try:
                    event = listener.news.get(timeout=KEEP_ALIVE_S)
                except queue.Empty:
                    if self.trouble is not StreamTrouble.STALL:
                        yield b":\n\n"
                    continue
                if event is None:
                    return
                yield event.text
        finally:
            with self._lock:
                self._open.remove(listener)

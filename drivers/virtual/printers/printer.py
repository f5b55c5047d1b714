"""The printer itself: takes bytes, answers ``~HS``, prints while it has paper, and can be in any trouble.

In simulated time a station reaches it by `connect`; `serve` puts it on a real TCP port, for other programs.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...clock import Clock
from .zpl import Format, commands, read_format

STX, ETX = "\x02", "\x03"
LABEL_S = 0.6
"""How long one label takes."""
_START, _END = b"^XA", b"^XZ"
Says = Callable[[bytes], Sequence[tuple[float, bytes]]]
"""What of an answer goes out when: seconds after it was asked, and bytes."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label that came out."""

    format: Format
    zpl: bytes
    at: float  # seconds of the clock

    @property
    def text(self) -> str:
        """All that people can read on it."""
        return "\n".join(self.format.texts)

    @property
    def scanned(self) -> tuple[str, ...]:
        """What a scanner reads off its codes, in their order."""
        return tuple(code.text for code in self.format.codes)


class VirtualPrinter:
    """One printer. Set its attributes to bring it into trouble, and out of it; thread-safe."""

    def __init__(self, clock: Clock, paper: int | None = None) -> None:
        self._clock = clock
        self._changed = clock.condition()
        self._labels: list[Label] = []
        self.connections = 0
        self.paper = paper  # labels left on the roll; None: no end
        self.is_head_open = self.has_no_ribbon = self.is_paused = False
        self.is_away = False  # its cable is out: no connection
        self.is_off = False  # no connection, and what was in it is gone
        self.is_hanging = False  # takes connections and answers nothing
        self.is_stuck = False  # takes labels, prints none, and reports no trouble
        self.fails_within = ""  # the name of one of these that begins when it has a label, once
        self.drops_after: int | None = None  # bytes of a connection after which it breaks off, once
        self.misprints: dict[str, str] = {}  # text of a code -> what comes out instead
        self.says: Says = lambda answer: ((0.0, answer),)  # in simulated time
        self.takes_s = 0.0  # how long a label stays in it, in simulated time
        self.others = 0  # labels of others that it says are left in it
        self.is_node = False  # what it has to say waits for whoever opens it next, in simulated time
        self._queue: list[bytes] = []  # formats received and not printed
        self._ready_at = 0.0
        self._to_say: list[tuple[float, bytes]] = []

    @property
    def labels(self) -> list[Label]:
        """All labels that came out, in their order."""
        with self._changed:
            self._print()
        return self._labels

    # --- what it does with what it gets ---

    def received(self, buffer: bytearray) -> bytes:
        """Take whole formats out of ``buffer``; return the answer to status requests in it."""
        answer = b""
        with self._changed:
            while (start := buffer.find(_START)) >= 0 and (end := buffer.find(_END, start)) >= 0:
                answer += self._obeyed(bytes(buffer[:start]))
                self._queue.append(bytes(buffer[start : end + len(_END)]))
                self._ready_at = max(self._ready_at, self._clock.now()) + self.takes_s
                if self.fails_within:
                    setattr(self, self.fails_within, True)
                    self.fails_within = ""
                del buffer[: end + len(_END)]
            if start < 0:
                answer += self._obeyed(bytes(buffer))
                buffer.clear()
            self._print()
        return answer

    def _obeyed(self, data: bytes) -> bytes:
        """Answer the host status requests in ``data``. Lock held."""
        self._print()
        return b"".join(self.status() for name, _ in commands(data) if name == "~HS")

    def _print(self) -> None:
        """Print what can be printed. Lock held."""
        if self.is_off:
            self._queue.clear()
        is_stopped = self.is_head_open or self.has_no_ribbon or self.is_paused or self.is_stuck
        while self._queue and not is_stopped and self.paper != 0 and self._clock.now() >= self._ready_of_next:
            zpl = self._queue.pop(0)
            for wrong, instead in self.misprints.items():
                zpl = zpl.replace(wrong.encode(), instead.encode())
            format_ = read_format(zpl)
            for _ in range(format_.copies):
                self._labels.append(Label(format_, zpl, self._clock.now()))
                self.paper = None if self.paper is None else max(0, self.paper - 1)

    @property
    def _ready_of_next(self) -> float:
        return self._ready_at - (len(self._queue) - 1) * self.takes_s

    def status(self) -> bytes:
        """Answer as host status does: three lines, each between STX and ETX."""
        left = len(self._queue) + self.others
        lines = (
            f"030,{self.paper == 0:d},{self.is_paused:d},0609,{left:03d},0,0,0,000,0,0,0",
            f"000,0,{self.is_head_open:d},{self.has_no_ribbon:d},0,2,0,0,{left:08d},1,000",
            "1234,0",
        )
        return "".join(f"{STX}{line}{ETX}\r\n" for line in lines).encode()

    def mend(self) -> None:
        """End all troubles; what waits in it is printed."""
        with self._changed:
            self._print()
            self.is_head_open = self.has_no_ribbon = self.is_paused = self.is_away = self.is_hanging = False
            self.is_stuck, self.is_off, self.paper = False, False, None
            self._print()

    # --- in simulated time ---

    def connect(self, timeout_s: float) -> _Line:
        """Return a connection; raises `OSError` as a socket would. Waits on the printer's clock."""
        if self.is_away or self.is_off:
            self._clock.sleep(min(1.0, timeout_s))
            raise ConnectionRefusedError(111, "Connection refused")
        self.connections += 1
        return _Line(self, self._clock)

    # --- on a real port ---

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Iterator[int]:
        """Listen on loopback for the block; gives the port."""
        with socket.create_server(("127.0.0.1", port)) as server:
            thread = threading.Thread(target=self._accept, args=(server,), name="printer", daemon=True)
            thread.start()
            try:
                yield server.getsockname()[1]
            finally:
                with contextlib.suppress(OSError):
                    server.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                with client, contextlib.suppress(OSError):
                    self.connections += 1
                    self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        buffer, count = bytearray(), 0
        while data := client.recv(4096):
            count += len(data)
            if self.drops_after is not None and count >= self.drops_after:
                self.drops_after = None
                return
            buffer += data
            if not self.is_hanging:
                client.sendall(self.received(buffer))


class _Line:
    """One connection in simulated time."""

    def __init__(self, printer: VirtualPrinter, clock: Clock) -> None:
        self._printer, self._clock = printer, clock
        self._buffer, self._count = bytearray(), 0
        self._to_say = printer._to_say if printer.is_node else []

    def send(self, data: bytes, timeout_s: float) -> None:
        """Send all of ``data``."""
        printer = self._printer
        self._check_there()
        if printer.drops_after is not None and self._count + len(data) >= printer.drops_after:
            printer.drops_after = None
            raise ConnectionResetError(104, "Connection reset by peer")
        self._count += len(data)
        if printer.is_hanging:
            return
        if _END in data:
            self._clock.sleep(min(LABEL_S, timeout_s))
        self._buffer += data
        if answer := printer.received(self._buffer):
            now = self._clock.now()
            self._to_say += [(now + after_s, part) for after_s, part in printer.says(answer)]
            self._to_say.sort(key=lambda one: one[0])

    def receive(self, timeout_s: float) -> bytes:
        """Return what was answered; raises `TimeoutError` when that is nothing."""
        until = self._clock.now() + timeout_s
        while not (self._to_say and self._to_say[0][0] <= self._clock.now()):
            self._check_there()
            now, due = self._clock.now(), min([until, *(at for at, _ in self._to_say)])
            if now >= until:
                raise TimeoutError("timed out")
            self._clock.sleep(max(0.0, due - now))
        self._check_there()
        return self._to_say.pop(0)[1]

    def _check_there(self) -> None:
        if self._printer.is_away or self._printer.is_off:
            raise ConnectionResetError(104, "Connection reset by peer")

    def close(self) -> None:
        """Hang up."""

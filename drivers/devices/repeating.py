"""Runs transfers and repeats those that are safe to repeat, as `wire.patience` says; adds time and the trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..clock import CancelToken, Clock, Deadline
from ..errors import LinkError, RemoteProtocolError
from ..transport import TRANSFER_TIMEOUT_S, UsbTransport
from ..wire.patience import Kind, kind_of, repeats
from ..wire.usb import Setup

T = TypeVar("T")

Trace = Callable[[str], None]
"""Receives each exchange for the technician's view, secrets masked: what was asked and what came back, in words.

Behind a line break follow its bytes, where they are known.
"""


def no_trace(_line: str) -> None:
    """Ignore the line."""


class Repeater:
    """Transfers of one opened unit. One owner thread, like the transport.

    Raises the error of the last try once the table allows no further one; ``deadline`` and ``cancel`` are
    checked between tries, and no transfer waits past the deadline.
    """

    def __init__(self, transport: UsbTransport, clock: Clock, trace: Trace = no_trace) -> None:
        self._transport, self._clock, self._trace = transport, clock, trace

    def transfer(
        self, setup: Setup, data: bytes, what: str, deadline: Deadline, cancel: CancelToken | None = None
    ) -> bytes:
        """Run one control transfer. One that advances a state machine is sent only once."""

        def run() -> bytes:
            timeout_s = min(TRANSFER_TIMEOUT_S, deadline.remaining)
            return self._transport.control(setup, data, timeout_s=timeout_s)

        return self._repeated(kind_of(setup), run, what, deadline, cancel)

    def read(self, run: Callable[[], T], what: str, deadline: Deadline, cancel: CancelToken | None = None) -> T:
        """Call ``run``, which may be repeated: it only reads or selects something (descriptors, strings, a memory)."""
        return self._repeated(Kind.READ, run, what, deadline, cancel)

    def _repeated(
        self, kind: Kind, run: Callable[[], T], what: str, deadline: Deadline, cancel: CancelToken | None
    ) -> T:
        failures = 0
        while True:
            if cancel is not None:
                cancel.check()
            deadline.check(what)
            try:
                return run()
            except (LinkError, RemoteProtocolError) as error:
                failures += 1
                pause_s = repeats(kind, error).pause(failures)
                if pause_s is None or deadline.remaining <= pause_s:
                    raise
                self._trace(f"again: {what}: {error}")
                self._clock.sleep(pause_s, cancel)

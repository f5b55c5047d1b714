"""One label printer of the station: whose turn it is, whether it can print, and whether a label came out.

A label counts as printed when the printer says that nothing is left in it (``~HS``); one that tells no status, when it
took all bytes. `PrinterTrouble` is always worth waiting for: it is about the printer, and no unit is judged by it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from drivers.clock import CancelToken, Clock

from ..engine.turn import Turn
from ..errors import StationError
from ..words.say import Say

CONNECT_S, SEND_S, STATUS_S = 5.0, 10.0, 3.0
PRINT_S = 20.0
"""How long a label may take after the printer has all of it."""
RETRY_S = 2.0
LOOK_S = 0.3
MOST_STATUS = 1024
"""Bytes of an answer to ``~HS``; three lines of at most 40 are usual."""


class PrinterTrouble(StationError):
    """The printer cannot print now. ``say`` tells the operator what to do about it."""

    def __init__(self, message: str, *, say: Say) -> None:
        super().__init__(message)
        self.say = say


class Link(Protocol):
    """A connection to a printer. All raise `OSError`, `TimeoutError` among them."""

    def send(self, data: bytes, timeout_s: float) -> None:
        """Send all of ``data``."""
        ...

    def receive(self, timeout_s: float) -> bytes:
        """Return what came, at least one byte; nothing when the printer hung up."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


Connect = Callable[[float], Link]
"""Opens a connection within some seconds; raises `OSError`."""


@dataclass(frozen=True, slots=True)
class PrinterKind:
    """One way to a printer, as ``NAME:PLACE`` says it. ``connect_to`` raises `BadInput` for a place that is none.

    ``tells_status``: whether it answers ``~HS`` unless the config file says otherwise.
    """

    name: str
    help: str
    connect_to: Callable[[str], Connect]
    tells_status: bool


@dataclass(frozen=True, slots=True)
class Status:
    """What a printer says of itself (``~HS``). ``left``: formats and labels that have not come out."""

    is_out_of_paper: bool
    is_paused: bool
    is_head_open: bool
    is_out_of_ribbon: bool
    left: int


_STATUS = re.compile(
    rb"\x02\d{3},([01]),([01]),\d{4},(\d{3}),[01],[01],([01]),[^\x03]*\x03\s*"
    rb"\x02\d{3},\d,([01]),([01]),[^,\x03]*,[^,\x03]*,[^,\x03]*,[^,\x03]*,(\d{8}),[^\x03]*\x03"
)
"""The first two lines of host status: paper out, pause, formats waiting, a format half received; head up, ribbon out,
labels left. The third has the password of the printer, which nobody here needs."""


def read_status(answer: bytes) -> Status | None:
    """Return the status in an answer to ``~HS``, None as long as it is not whole."""
    found = _STATUS.search(answer)
    if found is None:
        return None
    paper, paused, formats, half, head, ribbon, labels = map(int, found.groups())
    return Status(bool(paper), bool(paused), bool(head), bool(ribbon), formats + half + labels)


_SENTENCES = {
    "is_head_open": "printer_open", "is_out_of_paper": "printer_paper", "is_out_of_ribbon": "printer_ribbon",
    "is_paused": "printer_paused",
}  # fmt: skip
"""What is said of each flag of `Status`. An open head shows as no paper, too: it comes first."""


@dataclass(slots=True)
class _Job:
    """One label. ``is_inside``: the printer has all of it, by all that is known; ``sent``: how often it was sent."""

    zpl: bytes
    is_inside: bool = False
    sent: int = 0


class LabelPrinter:
    """One printer, shared by all slots: hold ``turn`` while `print_label` runs."""

    def __init__(self, name: str, connect: Connect, clock: Clock, *, tells_status: bool = True) -> None:
        self.name, self.turn = name, Turn(clock)
        self._connect, self._clock, self.tells_status = connect, clock, tells_status

    def print_label(
        self, zpl: bytes, cancel: CancelToken, waiting: Callable[[Say], contextlib.AbstractContextManager[None]],
        patience_s: float,
    ) -> int:  # fmt: skip
        """Print one label; return how often it was sent, as one whose end got lost is sent again.

        While the printer is in trouble, waits inside of ``waiting(what)``. Raises `PrinterTrouble` after
        ``patience_s`` of it, `Cancelled`.
        """
        job, until = _Job(zpl), self._clock.now() + patience_s
        trouble = self._tried(job, cancel)
        while trouble is not None:
            says = trouble.say
            with waiting(says):
                while trouble is not None and trouble.say == says:
                    if self._clock.now() >= until:
                        raise trouble
                    self._clock.sleep(RETRY_S, cancel)
                    trouble = self._tried(job, cancel)
        return job.sent

    def look(self) -> None:
        """Print nothing and return if the printer could print; raises `PrinterTrouble`."""
        try:
            with contextlib.closing(self._connect(CONNECT_S)) as link:
                if self.tells_status:
                    self._check(self._ask(link))
        except OSError as error:
            raise self._away(error) from error

    def _tried(self, job: _Job, cancel: CancelToken) -> PrinterTrouble | None:
        try:
            self._try(job, cancel)
        except OSError as error:
            job.is_inside = False  # it may have been switched off with the label in it
            return self._away(error)
        except PrinterTrouble as trouble:
            return trouble
        return None

    def _away(self, error: OSError) -> PrinterTrouble:
        reason = error.strerror or str(error) or type(error).__name__
        return PrinterTrouble(
            f"printer {self.name} does not answer ({reason}); check its cable and power",
            say=Say("printer_away", printer=self.name),
        )

    def _try(self, job: _Job, cancel: CancelToken) -> None:
        with contextlib.closing(self._connect(CONNECT_S)) as link:
            if self.tells_status and not job.is_inside:
                self._check(self._ask(link))
            if not job.is_inside:
                job.sent += 1
                link.send(job.zpl, SEND_S)
                job.is_inside = True
            until = self._clock.now() + PRINT_S
            while self.tells_status and (status := self._ask(link)).left:  # the last label of a roll leaves none
                self._check(status)
                if self._clock.now() >= until:
                    raise TimeoutError("it keeps the label and prints nothing")
                self._clock.sleep(LOOK_S, cancel)

    def _ask(self, link: Link) -> Status:
        link.send(b"~HS\r\n", SEND_S)
        answer, until = b"", self._clock.now() + STATUS_S
        while (status := read_status(answer)) is None:
            left_s = until - self._clock.now()
            if left_s <= 0 or len(answer) > MOST_STATUS:
                raise TimeoutError("its answer to ~HS is no status; write status = false if it has none")
            more = link.receive(left_s)
            if not more:
                raise ConnectionAbortedError("it hung up")
            answer += more
        return status

    def _check(self, status: Status) -> None:
        """Raise `PrinterTrouble` for a printer from which nothing will come out."""
        for flag in _SENTENCES:
            if getattr(status, flag):
                what = flag.replace("_", " ").removeprefix("is ")
                raise PrinterTrouble(
                    f"printer {self.name}: it is {what}", say=Say(_SENTENCES[flag], printer=self.name)
                )  # fmt: skip

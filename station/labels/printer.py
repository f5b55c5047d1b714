"""One label printer of the station: whose turn it is, whether it can print, and whether a label came out.

A label counts as printed when the printer says, asked after it took the label, that nothing is left in it (``~HS``);
one that tells no status, when it took all bytes. What it took is never sent again: where nobody can tell whether it
came out, a person has to look. `PrinterTrouble` is always worth waiting for: it is about the printer, and no unit is
judged by it.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from drivers.clock import CancelToken, Clock

from ..engine.turn import Turn
from ..errors import StationError
from ..words.say import Say

CONNECT_S, SEND_S, STATUS_S = 5.0, 10.0, 3.0
PRINT_S = 20.0
"""How long a label may take after the printer has all of it, unless it says why; a person looks after that."""
RETRY_S = 2.0
LOOK_S = 0.3
QUIET_S = 0.1
"""Silence after which an answer is over: some printers, and boxes before them, say everything twice."""
EMPTY_LOOKS = 2
"""How often in a row it has to say that nothing is left: an answer may be that to the question before."""
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
    rb"\x02\d{3},([01]),([01]),\d{1,5},(\d{3}),[01],[01],([01]),\d{3},[01],[01],[01]\x03[\r\n]*"
    rb"\x02\d{3},\d,([01]),([01]),[01],\w,\d,[01],(\d{8}),\d,\d{3}\x03[\r\n]*"
    rb"\x02\w{0,8},\d\x03[\r\n]*"
)
"""The three lines of host status. The first: paper out, pause, formats waiting, a format half received. The second:
head up, ribbon out, labels left. The third has the password of the printer, which nobody here needs."""
_LINES, _END_OF_LINE = 3, b"\x03"


def read_status(answer: bytes) -> Status | None:
    """Return the status in an answer to ``~HS``; None for one with anything else in it, or that contradicts itself."""
    told, at = set[Status](), 0
    while at < len(answer):
        found = _STATUS.match(answer, at)
        if found is None:
            return None
        paper, paused, formats, half, head, ribbon, labels = map(int, found.groups())
        told.add(Status(bool(paper), bool(paused), bool(head), bool(ribbon), formats + half + labels))
        at = found.end()
    return told.pop() if len(told) == 1 else None


_SENTENCES = {
    "is_head_open": "printer_open", "is_out_of_paper": "printer_paper", "is_out_of_ribbon": "printer_ribbon",
    "is_paused": "printer_paused",
}  # fmt: skip
"""What is said of each flag of `Status`. An open head shows as no paper, too: it comes first."""


@dataclass(slots=True)
class _Job:
    """One label. ``begins`` is called before its first byte leaves.

    ``is_handed_over``: the printer took all of it; ``is_doubtful``: whether it came out nobody knows.
    """

    zpl: bytes
    begins: Callable[[], None]
    has_begun: bool = False
    is_handed_over: bool = False
    is_doubtful: bool = False


class LabelPrinter:
    """One printer, shared by all slots: hold ``turn`` while `print_label` runs."""

    def __init__(self, name: str, connect: Connect, clock: Clock, *, tells_status: bool = True) -> None:
        self.name, self.turn = name, Turn(clock)
        self._connect, self._clock, self.tells_status = connect, clock, tells_status
        self._questions: dict[int, CancelToken] = {}  # by slot, the first that asked first
        self._lock = threading.Lock()  # guards it

    def print_label(
        self, zpl: bytes, cancel: CancelToken, waiting: Callable[[Say], contextlib.AbstractContextManager[None]],
        patience_s: float, begins: Callable[[], None] = lambda: None,
    ) -> bool:  # fmt: skip
        """Print one label once; return whether it came out, False where that is not known: a person has to look.

        While the printer is in trouble, waits inside of ``waiting(what)``. ``begins`` is called once, before the first
        byte leaves. Raises `PrinterTrouble` after ``patience_s`` of trouble, `Cancelled`.
        """
        job, until = _Job(zpl, begins), self._clock.now() + patience_s
        trouble = self._tried(job, cancel)
        while trouble is not None:
            says = trouble.say
            with waiting(says):
                while trouble is not None and trouble.say == says:
                    if self._clock.now() >= until:
                        raise trouble
                    self._clock.sleep(RETRY_S, cancel)
                    trouble = self._tried(job, cancel)
        return not job.is_doubtful

    @contextlib.contextmanager
    def offers_another(self, slot: int, question: CancelToken) -> Iterator[None]:
        """Let `print_another` end the ``question`` of ``slot``, where its label is, while the block runs."""
        with self._lock:
            self._questions[slot] = question
        try:
            yield
        finally:
            with self._lock:
                del self._questions[slot]

    def print_another(self, slot: int | None) -> bool:
        """Let ``slot``, or (None) the first of all, print its label once more if it asks for it; False: it does not."""
        with self._lock:
            asks = next((token for one, token in self._questions.items() if slot in (None, one)), None)
        if asks is not None:
            asks.cancel()
        return asks is not None

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
            job.is_doubtful = job.is_handed_over  # it may have been switched off with the label in it
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
        if self.tells_status and not job.is_handed_over:
            with contextlib.closing(self._connect(CONNECT_S)) as link:  # what it still says of before stays in there
                self._check(self._ask(link))
        with contextlib.closing(self._connect(CONNECT_S)) as link:
            if not job.is_handed_over:
                if not job.has_begun:
                    job.begins()
                    job.has_begun = True
                link.send(job.zpl, SEND_S)
                job.is_handed_over = True
            if self.tells_status:
                self._follow(job, link, cancel)

    def _follow(self, job: _Job, link: Link, cancel: CancelToken) -> None:
        """Wait until nothing is left in the printer, or nobody can tell any more what became of the label."""
        until, empty = self._clock.now() + PRINT_S, 0
        while True:
            status = self._ask(link)
            empty = 0 if status.left else empty + 1
            if empty == EMPTY_LOOKS:
                return
            if status.left:  # the last label of a roll leaves none
                self._check(status)
            if self._clock.now() >= until:
                job.is_doubtful = True
                return
            self._clock.sleep(LOOK_S, cancel)

    def _ask(self, link: Link) -> Status:
        """Ask until there is an answer with nothing else in it."""
        until = self._clock.now() + STATUS_S
        _heard(link, self._clock, self._clock.now() + QUIET_S / 10, 0)  # what it said before is no answer
        while True:
            link.send(b"~HS\r\n", SEND_S)
            if (status := read_status(_heard(link, self._clock, until, _LINES))) is not None:
                return status
            if self._clock.now() >= until:
                raise TimeoutError("its answer to ~HS is no status; write status = false if it has none")

    def _check(self, status: Status) -> None:
        """Raise `PrinterTrouble` for a printer from which nothing will come out."""
        for flag in _SENTENCES:
            if getattr(status, flag):
                what = flag.replace("_", " ").removeprefix("is ")
                raise PrinterTrouble(
                    f"printer {self.name}: it is {what}", say=Say(_SENTENCES[flag], printer=self.name)
                )  # fmt: skip


def _heard(link: Link, clock: Clock, until: float, lines: int) -> bytes:
    """Return what comes until ``until``; from so many whole ``lines`` on only until it is silent for `QUIET_S`."""
    answer = b""
    while (left_s := until - clock.now()) > 0:
        if len(answer) > MOST_STATUS:
            raise TimeoutError("its answer to ~HS is no status; write status = false if it has none")
        is_whole = 0 < lines <= answer.count(_END_OF_LINE)
        try:
            more = link.receive(min(left_s, QUIET_S) if is_whole else left_s)
        except TimeoutError:
            break
        if not more:
            raise ConnectionAbortedError("it hung up")
        answer += more
    return answer

"""Finds whom a scan is for: an operator, a field of the screen, a slot, or nobody."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from drivers.clock import Clock

from ..engine.commands import Scan
from ..engine.events import OperatorChanged, ScanRead
from ..engine.records import LotScanned
from ..engine.runner import SlotRunner
from ..engine.step import Emit
from ..model import NO_LOT, KnownUnit, lot_name
from ..scan.grammar import ScannedBadge, ScannedBatch, ScannedCommand, ScannedLot
from ..scan.reading import Reading, may_be_label, read_scan, refusal_of
from ..words.say import NOTHING, Say

Whose = Callable[[str, str], KnownUnit | None]
"""Finds a unit of the journal by serial number, Device ID, ICCID or IMEI, except the one with the second Device ID."""

DOUBLE_READ_S = 1.0
"""An equal scan within this time is the same read: scanners repeat a code after 0.3 to 0.8 s, a person asked to scan
again takes longer."""


class ScanDesk:
    """Reads every scan of one station once and passes it on. Any thread.

    ``whose`` knows the units of the journal, ``open_batches`` names the batches that are open; ``runners`` lists the
    slots, ``commands`` what a scanned ``CMD:NAME`` does, for the slot it was typed for if it was.
    """

    def __init__(
        self,
        clock: Clock,
        publish: Emit,
        record: Emit,
        whose: Whose,
        open_batches: Callable[[], tuple[str, ...]],
        runners: Callable[[], tuple[SlotRunner, ...]],
        commands: Mapping[str, Callable[[int | None], None]] = MappingProxyType({}),
    ) -> None:
        self._commands = commands
        self._clock, self._publish, self._record = clock, publish, record
        self._whose, self._open_batches, self._runners = whose, open_batches, runners
        self._lock = threading.Lock()  # guards the fields below
        self._batch = ""  # the one whose code was scanned last: lots go to it
        self._last_scan: tuple[Scan, float] | None = None

    def take(self, command: Scan) -> None:
        """Take in one scan or typed label; whatever becomes of it is an event."""
        read = read_scan(command.text)
        if isinstance(read.scanned, ScannedBadge):
            self.hand_over_to(read.scanned.badge)
            self._read(f"OP:{read.scanned.badge}", accepted=True)
        elif _FIELDS[command.field](read):
            self._fill_field(command, read)
        elif isinstance(read.scanned, ScannedBatch):
            self._tell_batch(read.scanned.batch)
        elif isinstance(read.scanned, ScannedLot):
            self._take_lot(read.scanned, command.slot)
        elif isinstance(read.scanned, ScannedCommand):
            self._obey(read.scanned.command, command.slot)
        else:
            self._route(command, read)

    def _obey(self, name: str, slot: int | None) -> None:
        act = self._commands.get(name)
        if act is None:
            self._read(f"CMD:{name}", accepted=False, say=Say("scan_unclaimed"), reason="not used here")
            return
        self._read(f"CMD:{name}", accepted=True)
        act(slot)

    def _fill_field(self, command: Scan, read: Reading) -> None:
        """Answer a scan for a field. A number as long as a mobile secret is shown only if it names a known unit."""
        text = read.batch_name if command.field == "batch" else read.number or read.lot
        is_usable = bool(text) and ("***" not in read.shown or self._whose(text, "") is not None)
        say, reason = (NOTHING, "") if is_usable else refusal_of(read)
        self._read(text if is_usable else read.shown, accepted=is_usable, say=say, reason=reason, field=command.field)

    def _tell_batch(self, batch: str) -> None:
        is_open = batch in self._open_batches()
        with self._lock:
            self._batch = batch if is_open else self._batch
        say = Say("batch_open" if is_open else "batch_not_open", batch=batch)
        self._read(batch, accepted=is_open, say=say, reason="" if is_open else "not open")

    def _take_lot(self, read: ScannedLot, slot: int | None) -> None:
        """Record a lot for the unit in ``slot``, if it was scanned for one, else for the batch that is open.

        Of several open batches it goes to the one whose code was scanned last.
        """
        lot = lot_name(read.part, read.lot)
        if slot is not None:
            self._lot_of_unit(read, lot, slot)
            return
        batches = self._open_batches()
        with self._lock:
            batch = self._batch if self._batch in batches else ""
        if len(batches) != 1 and not batch:
            reason = "several batches are open" if batches else "no batch is open"
            self._read(lot, accepted=False, say=Say("lot_of_no_batch", lot=lot), reason=reason)
            return
        batch = batch or batches[0]
        self._record(LotScanned(at=self._clock.utc(), batch=batch, lot=read.lot, part=read.part))
        self._read(lot, accepted=True, say=_answer(read, Say("lot_of_batch", lot=lot, batch=batch)))

    def _lot_of_unit(self, read: ScannedLot, lot: str, slot: int) -> None:
        names = next((runner.names for runner in self._runners() if runner.slot.number == slot), frozenset())
        unit = next((name for name in names if _DEVICE_ID.fullmatch(name)), None)
        if unit is None:
            say = Say("lot_of_no_unit", lot=lot)
            self._read(lot, accepted=False, slot=slot, say=say, reason="no unit is known there")
            return
        self._record(LotScanned(at=self._clock.utc(), slot=slot, device_id=unit, lot=read.lot, part=read.part))
        say = _answer(read, Say("lot_of_slot", lot=lot, slot=str(slot)))
        self._read(lot, accepted=True, slot=slot, say=say)

    def _route(self, command: Scan, read: Reading) -> None:
        """Pass the scan to the slot that waits for it or whose unit it names, else answer with the unit's history."""
        runner = self._target(command.slot, read)
        if runner is not None and (read.number or runner.is_waiting_scan):
            self._hand_over(command, read, runner)
        elif read.number:
            self._tell_history(read)
        else:
            say, reason = refusal_of(read)
            self._read(read.shown, accepted=False, say=say, reason=reason)

    def _target(self, number: int | None, read: Reading) -> SlotRunner | None:
        """Return the slot it was typed for, else the one that asks, else the one whose unit it names.

        A slot that does not ask yet keeps the label until it does; so does the only one whose unit is not identified
        yet.
        """
        running = [r for r in self._runners() if r.is_running]
        choices = (
            [r for r in running if r.slot.number == number],
            [r for r in running if r.is_waiting_scan],
            [r for r in running if read.number in r.names],
            [r for r in running if len(r.names) < 2 and may_be_label(read.scanned)],
        )
        found = next((some for some in choices if some), [])
        return found[0] if len(found) == 1 else None

    def _hand_over(self, command: Scan, read: Reading, runner: SlotRunner) -> None:
        """Give the scan to the slot, unless the scanner only repeated the one before."""
        now = self._clock.now()
        with self._lock:
            last, self._last_scan = self._last_scan, (command, now)
        if last is not None and last[0] == command and now - last[1] < DOUBLE_READ_S:
            return
        if runner.is_waiting_scan:
            runner.scan(read)  # the step answers it
        elif owner := runner.neighbour(read.number):
            reason = f"label of slot {owner}, not {runner.slot.number}"
            say = Say("label_of_slot", slot=str(owner))
            self._read(read.shown, accepted=False, say=say, reason=reason, slot=runner.slot.number)
        else:
            runner.scan(read)
            self._read(read.shown, accepted=True, slot=runner.slot.number)

    def _tell_history(self, read: Reading) -> None:
        known = self._whose(read.number, "")
        if known is None:
            self._read(read.shown, accepted=False, say=Say("scan_unclaimed"), reason="no slot waits for it")
        elif known.seen is None or known.seen.is_by_hand:
            self._read(read.number, accepted=True, say=Say("unit_begun", unit=known.label))
        else:
            at = known.seen.at.isoformat(timespec="seconds")
            say = Say("unit_history", unit=known.label, verdict=known.seen.verdict.name, at=at)
            self._read(read.number, accepted=True, say=say)

    def _read(
        self, shown: str, *, accepted: bool, reason: str = "", slot: int = 0, field: str = "", say: Say = NOTHING,
    ) -> None:  # fmt: skip
        self._publish(
            ScanRead(
                at=self._clock.utc(), slot=slot, shown=shown, accepted=accepted, reason=reason, field=field,
                say=say,
            )
        )  # fmt: skip

    def hand_over_to(self, badge: str) -> None:
        """Record who works here from now on."""
        self._record(OperatorChanged(at=self._clock.utc(), operator=badge))


_DEVICE_ID = re.compile("[0-9a-f]{24}")
_FIELDS: dict[str, Callable[[Reading], bool]] = {
    "": lambda _read: False,
    "find": lambda read: not isinstance(read.scanned, ScannedCommand | ScannedBatch),
    "batch": lambda read: not isinstance(read.scanned, ScannedCommand | ScannedLot) and not may_be_label(read.scanned),
}
"""Which scans each field of the open screen takes."""


def _answer(read: ScannedLot, taken: Say) -> Say:
    return Say("lot_out", lot=lot_name(read.part, read.lot)) if read.lot == NO_LOT else taken

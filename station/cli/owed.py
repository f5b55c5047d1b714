"""Implements ``station owed``: what units still owe to the cloud, and what is done about it. Works beside a station."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from drivers.clock import SystemClock
from drivers.plain_text import escaped

from ..engine.events import Event, OutboxChanged, StationStarted
from ..errors import BadInput, JournalError, JournalInUse
from ..journal import AttemptRecord, Journal, JournalReader, OwedUnit
from ..line.outbox import OutboxWorker
from ..line.owed import OwedDesk
from ..line.owed_orders import OwedOrder, OwedOrders
from ..line.releases import is_badge
from ..local_time import moment
from ..model import VERDICT_WORD, Mender, Verdict
from ..settings.config import DEFAULT_CLOUD, load_config
from ..steps.table import StepTable
from .account import cloud_client, token_of, token_source
from .asking import confirm
from .batch import own_journal
from .log_find import result_line, wanted
from .places import add_data_dir, known_journal, reader
from .telling import sub_verbs, tell, tell_all

TAKEN_S = 60.0
"""How long a running station may take to see an order: it looks every few seconds, but not while a request waits."""
LOOK_S = 0.2
WHO = {
    Mender.NETWORK: "the network's administrator", Mender.ACCOUNT: "the account's administrator",
    Mender.PRODUCT: "the product's supervisor", Mender.PROFILE: "the process engineer",
    Mender.VENDOR: "the vendor", Mender.NOBODY: "nobody: wait",
}  # fmt: skip


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``owed list``, ``owed retry`` and ``owed drop``."""
    parser = parsers.add_parser("owed", help="cloud work that units still owe: list it, try it now, or drop it")
    verbs = sub_verbs(parser, "what", "WHAT")
    lister = verbs.add_parser("list", help="one line per step that is owed, with what stands in its way")
    lister.add_argument("--json", action="store_true", help="one JSON object a line")
    retrier = verbs.add_parser("retry", help="try it now; without a running station this command does the work itself")
    retrier.add_argument("--all", action="store_true", help="everything that is owed")
    retrier.add_argument(
        "--wait", type=_seconds, default=60.0, metavar="S",
        help="without a running station: wait for what passes by itself and comes due that soon (%(default)g)",
    )  # fmt: skip
    dropper = verbs.add_parser("drop", help="give it up: the unit ends STOPPED, never PASS")
    dropper.add_argument("--reason", required=True, metavar="TEXT", help="why, for the records")
    dropper.add_argument("--operator", required=True, metavar="BADGE", help="who drops it")
    dropper.add_argument("--yes", action="store_true", help="do not ask")
    for sub, run in ((lister, run_list), (retrier, run_retry), (dropper, run_drop)):
        sub.add_argument("id", nargs="+" if sub is dropper else "*", metavar="ID", help="a unit, by any of its ids")
        if sub is not dropper:
            sub.add_argument("--batch", metavar="B", help="the units of this batch")
        add_data_dir(sub)
        sub.set_defaults(run=run)


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit() and int(text) <= 3600):
        raise argparse.ArgumentTypeError(f"{text!r}: expected whole seconds, 0 to 3600")
    return float(text)


# --- list ------------------------------------------------------------------------------------


def run_list(arguments: argparse.Namespace) -> int:
    """Print what is owed, oldest first; returns 0."""
    with reader(arguments) as journal:
        found = _chosen(journal, arguments.id, arguments.batch)
    if arguments.json:
        tell_all(json.dumps(_told(one), ensure_ascii=False) for one in found)
        return 0
    tell_all(_lines(found))
    tell(_summary(found))
    return 0


def _lines(found: Sequence[OwedUnit]) -> Iterator[str]:
    """Yield, for each unit, a line that names it, one for the step it is at, one for those behind that."""
    for steps in _by_attempt(found).values():
        first, *others = steps
        at = first.owed.retry_at
        when = "next try as soon as it can be" if at is None else f"next try {moment(at)}"
        unit = f"{first.label or '-'}  {first.owed.item.device_id}"
        yield f"{unit}  batch {first.batch or '-'}  since {moment(first.since)}"
        wait = (
            f"after {first.after}"
            if first.after
            else f"{when}  {WHO[first.mender]}  {first.reason or 'waits for its turn'}"
        )
        yield f"    {first.owed.item.action}: {wait}"
        if others:
            yield f"    after that: {', '.join(one.owed.item.action for one in others)}"


def _by_attempt(found: Sequence[OwedUnit]) -> dict[str, list[OwedUnit]]:
    attempts: dict[str, list[OwedUnit]] = {}
    for one in found:
        attempts.setdefault(one.owed.item.attempt, []).append(one)
    return attempts


def _told(one: OwedUnit) -> dict[str, object]:
    item, at = one.owed.item, one.owed.retry_at
    return {
        "unit": one.label, "device_id": item.device_id, "batch": one.batch, "attempt": item.attempt,
        "step": item.action, "after": one.after or None, "since": one.since.isoformat(timespec="milliseconds"),
        "tries": one.owed.tries, "next_try": None if at is None else at.isoformat(timespec="milliseconds"),
        "mender": one.mender.value, "reason": one.reason,
    }  # fmt: skip


def _summary(found: Sequence[OwedUnit]) -> str:
    if not found:
        return "nothing is owed to the cloud"
    units = {one.owed.item.attempt: one for one in reversed(found)}  # the first step of each decides
    menders = Counter(WHO[one.mender] for one in units.values())
    who = "; ".join(f"{name}: {_count(count, 'unit')}" for name, count in menders.most_common())
    return f"{_count(len(found), 'step')} of {_count(len(units), 'unit')} owed. Who can mend it: {who}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)


def _chosen(journal: JournalReader, ids: Sequence[str], batch: str | None) -> list[OwedUnit]:
    """Return what is owed by the units of ``ids``, or of ``batch``, or by all. Raises `BadInput` for unknown ones.

    Raises `JournalError` when the tables do not say of them what the journal's entries say.
    """
    owed = journal.owed_units()
    if batch is not None and journal.batch(batch) is None:
        raise BadInput(f"no batch {escaped(batch)[:60]} in this journal; see: station batch list")
    units: set[str] = set()
    for known, shown in map(wanted, ids):
        found = journal.find(known) or journal.find_by_end(known)
        journal.verify_found(known, [unit.device_id for unit in found])
        if not found:
            raise BadInput(f"no unit {escaped(shown)} in this journal; nothing was done")
        if len(found) > 1:
            raise BadInput(f"{len(found)} units have an id that ends with {escaped(shown)}; nothing was done")
        units.add(found[0].device_id)
    chosen = [
        one for one in owed if (not ids or one.owed.item.device_id in units) and (batch is None or one.batch == batch)
    ]
    journal.verify_units({one.owed.item.device_id for one in chosen})
    return chosen


# --- retry -----------------------------------------------------------------------------------


def run_retry(arguments: argparse.Namespace) -> int:
    """Let what is owed be tried now. Returns 0 if all of it is done and PASS, or a running station took it over."""
    if (bool(arguments.id) + (arguments.batch is not None) + arguments.all) != 1:
        raise BadInput("name the units whose owed work is to be tried, or --batch B, or --all")
    with reader(arguments) as journal:
        chosen = _chosen(journal, arguments.id, arguments.batch)
    if not chosen:
        tell("nothing of that is owed to the cloud")
        return 0
    attempts = frozenset(one.owed.item.attempt for one in chosen)
    own = _own_or_handed_over(arguments, OwedOrder(attempts))
    if own is None:
        tell(f"the running station tries {_count(len(attempts), 'unit')} now; what comes of it: station owed list")
        return 0
    with contextlib.closing(own):
        return _drained(own, arguments, chosen)


def _own_or_handed_over(arguments: argparse.Namespace, order: OwedOrder) -> Journal | None:
    """Return the journal, open for writing; None when a running station has it and took ``order``.

    Raises `JournalError` when that station does neither end nor take it.
    """
    directory, path = known_journal(arguments), None
    until = time.monotonic() + TAKEN_S
    try:
        while path is None or path.exists():
            with contextlib.suppress(JournalInUse):
                return own_journal(arguments, directory)
            path = path or OwedOrders(directory).put(order)
            if time.monotonic() > until:
                raise JournalError(
                    f"the station that uses {directory} did not take the order within {TAKEN_S:.0f} s;"
                    " nothing was done: look at its screen, then try again"
                )
            time.sleep(LOOK_S)
        return None
    finally:
        if path is not None:
            path.unlink(missing_ok=True)


def _drained(journal: Journal, arguments: argparse.Namespace, chosen: Sequence[OwedUnit]) -> int:
    """Do the work of ``chosen`` on this thread; tell what became of each unit."""
    config, clock = load_config(arguments.config), SystemClock()
    if config.cloud_url == DEFAULT_CLOUD and _is_of_virtual_units(journal):
        raise BadInput(
            f"the units of this journal are virtual, and so is their cloud: start the same demo again, or name the"
            f" cloud in the config file, not {DEFAULT_CLOUD}; nothing was sent"
        )
    token_of(config)
    attempts = {one.owed.item.attempt: one for one in reversed(chosen)}
    progress = _Progress(len(chosen), journal.waiting())

    def saw(event: Event) -> None:
        if isinstance(event, OutboxChanged):
            progress.show(event.waiting)

    client = cloud_client(config, token_source(config), clock, sends_again=True)
    try:
        worker = OutboxWorker(
            clock, journal, OwedDesk(client, StepTable.found(), clock, journal.record, journal.known_facts), saw
        )
        journal.make_due(attempts.keys())
        worker.settle_due(attempts.keys())
        while (pause_s := _pause_s(journal, attempts)) <= arguments.wait:
            progress.show(journal.waiting(), f", the next try is in {pause_s:.0f} s")
            clock.sleep(max(0.1, pause_s))
            worker.settle_due(attempts.keys())
    finally:
        client.close()
        progress.clear()
    left = {one.owed.item.attempt: one for one in reversed(journal.owed_units())}
    ended = {attempt: record for attempt in attempts if (record := journal.attempt(attempt)) is not None}
    tell_all(_outcome(one, ended[attempt], left.get(attempt)) for attempt, one in attempts.items())
    passed = sum(record.result == VERDICT_WORD[Verdict.PASS] for record in ended.values())
    tell(f"{passed} of {_count(len(attempts), 'unit')} PASS, {len(attempts.keys() & left.keys())} still owed")
    return 0 if passed == len(attempts) else 1


def _pause_s(journal: JournalReader, attempts: Collection[str]) -> float:
    """Return in how many seconds the first step comes due that passes by itself; infinity if there is none."""
    now = SystemClock().utc()
    owed = (one for one in journal.owed_units() if one.owed.item.attempt in attempts and not one.after)
    pauses = ((one.owed.retry_at or now) - now for one in owed if one.mender is Mender.NOBODY)
    return min((pause.total_seconds() for pause in pauses), default=math.inf)


def _is_of_virtual_units(journal: JournalReader) -> bool:
    starts = [row.values() for row in journal.entries() if row.kind == StationStarted.__name__]
    return bool(starts) and bool(starts[-1].get("virtual"))


def _outcome(unit: OwedUnit, ended: AttemptRecord, left: OwedUnit | None) -> str:
    who = f"{unit.label or '-'}  {unit.owed.item.device_id}"
    if left is not None:
        return f"{who}  still owes {left.owed.item.action}: {left.reason}  ({WHO[left.mender]})"
    return f"{who}  {result_line(ended)}" + (f": {ended.reason}" if ended.reason else "")


class _Progress:
    """One line on a terminal's standard error: how many of ``steps`` are done."""

    def __init__(self, steps: int, waiting: int) -> None:
        self._steps, self._waiting, self._is_shown = steps, waiting, sys.stderr.isatty()

    def show(self, waiting: int, more: str = "") -> None:
        """Write that ``waiting`` steps are still owed by all units."""
        done = min(self._steps, max(0, self._waiting - waiting))
        self._write(f"\r\x1b[K{done} of {_count(self._steps, 'step')} done{more}")

    def clear(self) -> None:
        """Remove the line."""
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._is_shown:
            sys.stderr.write(text)
            sys.stderr.flush()


# --- drop ------------------------------------------------------------------------------------


def run_drop(arguments: argparse.Namespace) -> int:
    """Give up what units owe, after a confirmation. Returns 1 when that is refused or there is nothing to drop."""
    if not is_badge(arguments.operator):
        raise BadInput(f"--operator {arguments.operator[:60]!r}: expected a badge of letters, digits, dots and dashes")
    if not arguments.reason.strip():
        raise BadInput("--reason: say why, the records will show it")
    with reader(arguments) as journal:
        chosen = _chosen(journal, arguments.id, None)
    if not chosen:
        tell("nothing of that is owed to the cloud; nothing was done")
        return 1
    tell_all(_losses(chosen))
    confirm("Drop it?", is_agreed=arguments.yes)
    reason = f"dropped by {arguments.operator}: {escaped(' '.join(arguments.reason.split()))[:200]}"
    order = OwedOrder(frozenset(one.owed.item.attempt for one in chosen), drop_for=reason)
    own = _own_or_handed_over(arguments, order)
    if own is not None:
        with contextlib.closing(own):
            order.carry_out(own)
    tell(f"{_count(len(chosen), 'step')} dropped: {reason}")
    return 0


def _losses(chosen: Sequence[OwedUnit]) -> Iterator[str]:
    for steps in _by_attempt(chosen).values():
        names = ", ".join(one.owed.item.action for one in steps)
        yield f"{steps[0].label or '-'}  {steps[0].owed.item.device_id}  will never be asked for: {names}"
    yield f"Each of them ends {VERDICT_WORD[Verdict.ABORTED]}, and has to be walked again to pass."

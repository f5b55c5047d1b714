"""Implements ``station log find``: units and attempts by whatever one has of them, and the whole life of one unit."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from drivers.clock import SystemClock
from drivers.plain_text import escaped

from ..errors import BadInput
from ..export.cells import unguarded
from ..journal import (
    AttemptRecord,
    FactRecord,
    FoundPage,
    FoundRow,
    JournalReader,
    Kind,
    Sought,
    UnitHistory,
    sought_in,
)
from ..journal.entries import stamp
from ..journal.finding import MIN_FILE, MIN_HASH, PAGE, moment_in
from ..journal.told import lost_its_wire, wire_of_attempt
from ..local_time import moment
from ..model import VERDICT_WORD
from ..scan.reading import read_scan
from ..settings.config import load_config
from .places import add_data_dir, reader, store_of
from .telling import released, tell, tell_all

_HARMLESS = re.compile(r"a-[0-9a-f]{12}|([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}|.{1,14}")
"""Matches attempt ids, MAC addresses and anything shorter than a mobile secret."""
_FILE = re.compile(rf"[0-9a-fA-F]{{{MIN_FILE},64}}")


_LOST = "no exchanges: they are kept when an attempt ends, and the station was stopped during this one"
_OF_FILES = "a firmware file is known from the batches that opened here, and while this bench has it"
_NAMES = {
    Kind.UNIT: "an id of a unit", Kind.BATCH: "a batch", Kind.LOT: "a lot of parts", Kind.END: "the end of an id",
    Kind.MODULE: "the hash of a module that units hold", Kind.FILE: "the SHA-256 of a firmware file",
    Kind.LABEL: "a part of a label", Kind.PART: "a part of an id",
    Kind.BADGE: "the badge of an operator", Kind.REASON: "words of a reason", Kind.ATTEMPTS: "attempts",
}  # fmt: skip
"""What words were taken for, as the answer says it."""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``log find``."""
    find = verbs.add_parser(
        "find", help="units and attempts by anything one has of them",
        description="An id or a part of it, a label, a batch, a lot; the hash of a module that units hold, whole or its"
        f" first digits ({MIN_HASH} or more); the SHA-256 of a firmware file, as `station firmware list` and `profile"
        f" hash` print it, whole or its first digits ({MIN_FILE} or more): the units that hold a module of it; a badge"
        " (OP:0417), a reason in words or as `station stats --by reason` names it; a verdict (PASS), a slot (slot 3), a"
        " span of time (today, 10:00..11:00, 2026-11-29 10:00..11:00), also several of these with one of the others."
        " The answer says what the words were taken for.",
    )  # fmt: skip
    find.add_argument("words", nargs="*", metavar="ANYTHING", help="see above")
    find.add_argument("--as", dest="kind", choices=[kind.value for kind in Kind][:-1], help="take the words for this")
    find.add_argument("--since", type=_begin, metavar="TIME", help="attempts from then on: a day, or with a time")
    find.add_argument("--until", type=_begin, metavar="TIME", help="attempts before then")
    find.add_argument("--limit", type=int, default=PAGE, metavar="N", help=f"show that many ({PAGE}; 0: all)")
    find.add_argument(
        "--wire", action="store_true", help="of one unit also the last exchanges before each FAIL or CHECK STATION"
    )
    find.add_argument("--json", action="store_true", help="one JSON object a line")
    add_data_dir(find)
    find.set_defaults(run=run)


def _begin(text: str) -> datetime.datetime:
    try:
        return moment_in(text)[0]
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(arguments: argparse.Namespace) -> int:
    """Print the history of the only unit found, else a line for each unit or attempt. Returns 1 if there is none."""
    words = " ".join(arguments.words)
    sought, shown = _sought(words, arguments)
    limit = arguments.limit or sys.maxsize
    with reader(arguments) as journal:
        page = journal.seek(sought, limit=min(limit, PAGE))
        if not page.rows and (file := _file_here(sought, arguments)) is not None:
            page = journal.seek(file, limit=min(limit, PAGE))
        _verify(journal, sought, page)
        if not page.rows:
            is_batch = not sought.is_narrowed and journal.batch(sought.text) is not None
            said = f"batch {sought.text} has no attempt yet" if is_batch else _nothing(sought, shown)
            sys.stderr.write(f"{escaped(said)}\n")
            return 1
        count = len(page.rows) if not page.after else journal.count(page.sought)
        found = _pages(journal, page, limit)
        if arguments.json:
            tell_all(_as_json(page.sought, row) for row in found)
        else:
            tell_all(_as_text(journal, page, found, count, shown, with_wire=arguments.wire))
            if count > limit:
                tell(f"{count - limit} more; ask for less, or for more with --limit")
    return 0


def _sought(words: str, arguments: argparse.Namespace) -> tuple[Sought, str]:
    """Return what ``words`` look for, and the same as it may be printed. Raises `BadInput` for nothing."""
    known, shown = wanted(words)
    bare = unguarded(words.strip())
    sought = sought_in(bare, now=SystemClock().utc())
    if code := _of_code(bare):
        sought, shown = code, code.text
    elif code := _of_code(sought.text):
        sought = replace(sought, text=code.text, kind=code.kind)
    elif not sought.is_narrowed:  # a label is looked for by its number, any other word as it was typed
        sought = Sought(bare if bare.upper() == known.upper() else known)
        shown = bare if shown == known == bare.upper() else shown
    since, until = arguments.since or sought.since, arguments.until or sought.until
    kind = Kind(arguments.kind) if arguments.kind else sought.kind
    sought = replace(sought, kind=kind, since=since, until=until)
    if not sought.text and not sought.is_narrowed:
        raise BadInput("nothing to look for; give an id, a lot, a verdict, a time or a word of a reason")
    return sought, shown or "of that time"


def _of_code(text: str) -> Sought | None:
    """Return what a scanned code names a batch, a lot or a badge by; None for any other text."""
    read = read_scan(text)
    if name := read.lot or (read.batch_name if ":" in text else ""):
        return Sought(name)
    return Sought(read.badge, Kind.BADGE) if read.badge else None


def _file_here(sought: Sought, arguments: argparse.Namespace) -> Sought | None:
    """Look for a file among those this bench has: a journal names those of batches that opened since it learned to."""
    if sought.kind not in (None, Kind.FILE) or not _FILE.fullmatch(sought.text):
        return None
    digits, modules = sought.text.lower(), list[str]()
    with contextlib.suppress(BadInput):
        for ref, image in store_of(load_config(arguments.config)).files():
            modules += [image.sha256.hex()] if ref.sha256.startswith(digits) else []
    return replace(sought, text=" ".join([digits, *modules]), kind=Kind.FILE) if modules else None


def _verify(journal: JournalReader, sought: Sought, page: FoundPage) -> None:
    """Compare what was found with the chain, unless all of it is known to agree; what was not found, too."""
    units = {row.device_id for row in page.rows if row.device_id}
    if page.sought.kind in (None, Kind.UNIT, Kind.END):
        journal.verify_found(sought.text, units)
    else:
        journal.verify_units(units)
        journal.verify_batches()


def _pages(journal: JournalReader, page: FoundPage, limit: int) -> Iterator[FoundRow]:
    while True:
        yield from page.rows[:limit]
        limit -= len(page.rows)
        if limit <= 0 or not page.after:
            return
        page = journal.seek(page.sought, page.after)


def _as_text(
    journal: JournalReader, page: FoundPage, rows: Iterator[FoundRow], count: int, shown: str, *, with_wire: bool
) -> Iterator[str]:
    sought, of_units = page.sought, page.sought.is_of_units
    if of_units and (count == 1 or sought.kind is Kind.UNIT):
        if sought.kind is not Kind.UNIT:
            yield f"taken for {_NAMES[sought.kind or Kind.UNIT]}"
        for row in rows:
            for unit in journal.find(row.device_id or ""):
                yield from story(unit, journal, with_wire=with_wire)
        return
    if sought.kind is Kind.END and of_units:
        yield f"{count} units have an id that ends with {escaped(shown)}; look at one with its whole id"
    else:
        yield f"taken for {_told(sought)}: {count} {'unit' if of_units else 'attempt'}{'' if count == 1 else 's'}"
    for row in rows:
        yield from map(line_of, journal.find(row.device_id or "")) if of_units else (_attempt_line(row),)


def _told(sought: Sought) -> str:
    parts = [_NAMES[sought.kind]] if sought.kind not in (None, Kind.ATTEMPTS) else []
    parts += [VERDICT_WORD[sought.verdict]] if sought.verdict is not None else []
    parts += [f"slot {sought.slot}"] if sought.slot is not None else []
    times = [f"from {moment(sought.since)}"] if sought.since is not None else []
    times += [f"before {moment(sought.until)}"] if sought.until is not None else []
    return ", ".join([*parts, *times] if parts else [f"the time {times[0]}", *times[1:]])


def _nothing(sought: Sought, shown: str) -> str:
    """Say that nothing was found, and what the words were taken for where they were understood."""
    if not sought.is_narrowed:
        if _FILE.fullmatch(sought.text):
            return f"no unit, attempt or SIM {shown} in this journal; {_OF_FILES}"
        return f"no unit, attempt or SIM {shown} in this journal; `station log find --help` says what it takes"
    rest = f" with {wanted(sought.text)[1]}" if sought.text else ""
    return f"taken for {_told(replace(sought, kind=None))}: no attempt{rest} in this journal"


def _as_json(sought: Sought, row: FoundRow) -> str:
    told: dict[str, Any] = {
        "taken_for": sought.kind, "device_id": row.device_id, "platform": row.platform, "label": row.label,
    }  # fmt: skip
    if (one := row.attempt) is not None:
        told |= {
            "attempt": one.attempt, "batch": one.batch, "slot": one.slot, "operator": one.operator,
            "started": stamp(one.started_at), "finished": one.finished_at and stamp(one.finished_at),
            "verdict": None if one.verdict is None else one.verdict.name, "failed_step": one.failed_step,
            "reason": one.reason, "lots": list(one.lots), "by_hand_since": one.by_hand_at and stamp(one.by_hand_at),
        }  # fmt: skip
    return json.dumps(told)


def _attempt_line(row: FoundRow) -> str:
    attempt = row.attempt
    if attempt is None:
        return f"  {row.platform:8} {row.label:16} {row.device_id}"
    verdict = result_line(attempt)
    unit = f"{row.platform:8} {row.label:16} {row.device_id or 'no unit known':24}"
    why = f": {attempt.reason}" if attempt.reason else ""
    return f"  {moment(attempt.started_at)}  {unit}  batch {attempt.batch or '-'}  slot {attempt.slot}  {verdict}{why}"


def result_line(attempt: AttemptRecord) -> str:
    """Return how an attempt ended, and since when that is not proven any more."""
    if attempt.by_hand_at is None:
        return attempt.result
    assert attempt.verdict is not None
    return f"{attempt.result} ({VERDICT_WORD[attempt.verdict]}, worked on by hand since {moment(attempt.by_hand_at)})"


def wanted(text: str) -> tuple[str, str]:
    """Return the id in ``text``, and the same as it may be printed: masked if it could be a mobile secret.

    ``text``: an id typed or copied, also with a spreadsheet's apostrophe, or a whole label (drivers.identity).
    """
    bare = unguarded(text.strip())
    if number := read_scan(bare).number:
        return number, number
    return bare, bare if _HARMLESS.fullmatch(bare) else "of this id (not repeated: it may hold a mobile secret)"


def line_of(unit: UnitHistory) -> str:
    """Describe a unit in one line, enough to tell it from others."""
    last = unit.attempts[-1] if unit.attempts else None
    verdict = result_line(last) if last is not None else "not finished"
    iccid = unit.fact("iccid")
    return f"  {unit.platform:8} {unit.label:16} {unit.device_id}  {moment(unit.last_seen)}  {verdict}" + (
        f"  SIM {iccid}" if iccid else ""
    )


def story(unit: UnitHistory, journal: JournalReader, *, with_wire: bool = False) -> Iterator[str]:
    """Yield the history of one unit, line by line; ``with_wire``: the last exchanges of an attempt below its steps."""
    yield f"{unit.platform} {unit.label}  first seen {moment(unit.first_seen)}"
    names = dict.fromkeys(fact.name for fact in unit.facts)
    room = max((14, *map(len, names)))
    yield f"  {'device_id':{room}} {unit.device_id}"
    for name in names:
        facts = [fact for fact in unit.facts if fact.name == name]
        yield from _fact(f"{name:{room}}", facts, ", ".join(unit.earlier(name)))
    for attempt in unit.attempts:
        yield from _attempt(attempt, journal)
        if with_wire:
            yield from (f"          {line}" for line in wire_of_attempt(journal, attempt.attempt))
            if lost_its_wire(journal, attempt.attempt):
                yield f"          {_LOST}"


def _fact(name: str, facts: list[FactRecord], earlier: str) -> Iterator[str]:
    """Yield the newest value with earlier ones, then the values of other sources that were disputed."""
    believed = [fact for fact in facts if not fact.is_disputed]
    if believed:
        newest = believed[-1]
        yield f"  {name} {newest.value}  ({newest.source})" + (f"  was {earlier}" if earlier else "")
    for fact in facts:
        if fact.is_disputed:
            yield f"  {name} {fact.value}  ({fact.source})  disputed"


def _attempt(attempt: AttemptRecord, journal: JournalReader) -> Iterator[str]:
    verdict = result_line(attempt)
    batch = f"batch {attempt.batch or '-'}{released(attempt.release)}"
    lots = f"  lots {', '.join(attempt.lots)}" if attempt.lots else ""
    yield f"  {moment(attempt.started_at)}  {batch}  slot {attempt.slot}{lots}  {verdict}" + (
        f": {attempt.reason}" if attempt.reason else ""
    )
    for step in journal.steps(attempt.attempt):
        yield f"      {step.step:12} {step.outcome.value:8} {step.seconds:7.1f} s  {step.proof or step.reason}"

"""Implements ``station stats``: how batches go, told apart by slot, step, reason, operator, station or hour."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..figures import counts, percent, remaining, yields
from ..journal import JournalReader
from ..journal.answers import time_of
from ..journal.drift import drifts, recent
from ..journal.export_rows import require_batches
from ..journal.lists import expected_units
from ..journal.pages import takt_of
from ..journal.tallies import BY, Failure, failures, figures_of, on_no_unit, shares, step_times, worked_on
from ..local_time import minute
from ..model import VERDICT_WORD, Verdict
from .batch import came
from .places import add_data_dir, reader
from .telling import nobodys, table, tell_all, unproven


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("stats", help="how a batch goes: figures, and by slot, step, reason ...")
    parser.add_argument("--batch", action="append", default=[], metavar="B", help="of this one (of all open ones)")
    parser.add_argument("--by", choices=("step", "reason", *BY), help="tell units apart by this")
    parser.add_argument("--drift", action="store_true", help="name what leaves its control limits now")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_data_dir(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the figures of each batch, then a row for each slot, step ...; returns 0."""
    with reader(arguments) as journal:
        names = arguments.batch or [record.batch.id for record in journal.open_batches()]
        batches = require_batches(journal, names)
        rows = _rows(journal, batches, arguments.by)
        tell_all(_as_json(rows) if arguments.json else _as_text(rows))
        if arguments.drift:
            tell_all(_drift(journal, as_json=arguments.json))
    return 0


def _drift(journal: JournalReader, *, as_json: bool) -> Iterator[str]:
    with journal.snapshot() as db:
        walked = recent(db)
    found = drifts(walked)
    if as_json:
        yield from (json.dumps(dataclasses.asdict(one)) for one in found)
    else:
        yield from map(str, found)
        if not found:
            yield f"no slot, port or batch leaves its control limits in the last {len(walked)} attempts"


Rows = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def _rows(journal: JournalReader, batches: Sequence[str], by: str | None) -> Rows:
    """Return a row for each batch, and one for each thing they are told apart by."""
    with journal.exporting(batches) as db:
        of_batches = [
            {
                "batch": batch,
                "target": record.batch.target if record else None,
                "figures": figures_of(db, batch),
                "takt_s": takt_of(db, batch),
                "expected": expected_units(db, batch),
                "on_no_unit": on_no_unit(db, batch),
                "worked_on": worked_on(db, batch),
            }
            for batch in batches
            for record in (journal.batch(batch),)
        ]
        if by is None:
            return of_batches, []
        if by == "step":
            return of_batches, [dataclasses.asdict(one) for one in step_times(db, batches)]
        if by == "reason":
            return of_batches, _by_reason(failures(db, batches))
        found = shares(db, batches, by)
    return of_batches, [
        {by: one.key} | {k: v for k, v in dataclasses.asdict(one).items() if k != "key"} for one in found
    ]


def _by_reason(found: Iterable[Failure]) -> list[dict[str, Any]]:
    """Add up the slots: one row for each result, step and sentence, the most frequent first."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in found:
        key = (VERDICT_WORD[one.verdict], one.step, one.sentence)
        row = rows.setdefault(
            key, {"result": key[0], "step": one.step, "reason": one.sentence, "attempts": 0, "example": one.example}
        )
        row["attempts"] += one.attempts
    return sorted(rows.values(), key=lambda row: -int(row["attempts"]))


def _as_json(rows: Rows) -> Iterator[str]:
    of_batches, others = rows
    for row in of_batches:
        figures = row["figures"]
        told: dict[str, Any] = {"first_pass_yield": figures.first_pass_yield, "final_yield": figures.final_yield}
        told |= {name: row[name] for name in ("on_no_unit", "worked_on")}
        told["takt_s"], told["remaining_s"] = row["takt_s"], remaining(figures, row["target"], row["takt_s"])
        if (expected := row["expected"]) is not None:
            told |= {"expected": expected.listed, "never_came": list(expected.missing)}
        yield json.dumps({"batch": row["batch"], "target": row["target"], **dataclasses.asdict(figures), **told})
    yield from map(json.dumps, others)


def _long(seconds: float) -> str:
    """Format a time as hours, below one hour as minutes."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 60 else f"{seconds / 3600:.1f} h"


def _as_text(rows: Rows) -> Iterator[str]:
    of_batches, others = rows
    for row in of_batches:
        yield f"batch {row['batch']}: {counts(row['figures'], row['target'])}; {yields(row['figures'])}"
        if row["takt_s"]:
            left_s = remaining(row["figures"], row["target"], row["takt_s"])
            yield f"  takt {row['takt_s']:.1f} s" + (f", {_long(left_s)} to the target" if left_s else "")
        yield from nobodys(row["on_no_unit"])
        yield from unproven(row["worked_on"])
        if row["expected"] is not None:
            yield came(row["expected"])
    if not of_batches:
        yield "no batch is open; name one with --batch"
    if others and "first_passed" in others[0]:
        others = [_with_yield(row) for row in others]
        yield "judged and passed first time: units; FAIL, STOPPED and CHECK STATION: attempts, retests among them"
    if others:
        yield from table([_HEADS.get(name, name) for name in others[0]], [_cells(row) for row in others])


_HEADS = {"unsure": "error", "median_s": "median s", "p95_s": "p95 s", "most_s": "longest s"}
_VERDICTS = {"failed": Verdict.FAIL, "stopped": Verdict.ABORTED, "unsure": Verdict.ERROR}
_NONE = {"lot": "no lot", "operator": "no badge"}


def _with_yield(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row as people read it: units, their FPY, and attempts by the words of their verdicts."""
    by, key = next(iter(row.items()))
    judged, passed = row["judged"], row["first_passed"]
    return {
        by: minute(time_of(key)) if by == "hour" else key or _NONE.get(by, "-"), "judged": judged,
        "passed first time": passed, "FPY": percent(passed / judged if judged else None),
        **{VERDICT_WORD[verdict]: row[name] for name, verdict in _VERDICTS.items()},
    }  # fmt: skip


def _cells(row: dict[str, Any]) -> list[str]:
    return [f"{value:.1f}" if isinstance(value, float) else str(value) for value in row.values()]

"""The report of a batch as an HTML page to print and to sign: figures, failures, every unit, in one file."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TextIO

from ..figures import Figures, percent
from ..journal.export_rows import ExportRow
from ..journal.records import AttemptRecord, BatchRecord
from ..local_time import minute, moment
from ..model import SHIPPED, TRIAL, VERDICT_WORD, Verdict
from .batch_log import BatchLog
from .exporter import Exporter
from .markup import PAGE_NUMBER, html, table

_SIGNED_BY = ("Line supervisor", "Quality", "Received by")
_MOST_FAILURES = 20
_RELEASED = {TRIAL: "on trial, released by nobody", SHIPPED: "which comes with the program"}
_CSS = (
    f"@page {{ size: A4; margin: 14mm; {PAGE_NUMBER} }}"
    + """
body { font: 10pt "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; color: #1a1a1a;
  max-width: 182mm; margin: 8mm auto; }
h1 { font-size: 18pt; margin: 0 0 2mm; } h2 { font-size: 12pt; margin: 7mm 0 2mm; break-after: avoid; }
table { border-collapse: collapse; width: 100%; } thead { display: table-header-group; } tr { break-inside: avoid; }
th, td { text-align: left; padding: 1mm 2mm; border-bottom: .2mm solid #ccc; vertical-align: top; }
th { border-bottom: .4mm solid #555; font-size: 8.5pt; } td.n, th.n { text-align: right; }
.id { font-family: "DejaVu Sans Mono", Consolas, monospace; font-size: 8.5pt; }
.figures { display: flex; gap: 2.5mm; margin: 5mm 0; }
.figures div { border: .3mm solid #bbb; padding: 2mm; flex: 1; min-width: 0; box-sizing: border-box; }
.figures b { display: block; font-size: 13pt; white-space: nowrap; }
.at { white-space: nowrap; font-size: 8.5pt; } .PASS { color: #2e6b12; } .FAIL { color: #b00000; font-weight: bold; }
.bar { background: #b9b9b9; height: 3mm; display: inline-block; } .bar.good { background: #548235; }
.bar.bad { background: #c00000; } .signs { display: flex; gap: 8mm; margin-top: 18mm; break-inside: avoid; }
.signs div { flex: 1; border-top: .3mm solid #333; padding-top: 1mm; font-size: 8.5pt; }
footer { margin-top: 6mm; font-size: 8pt; color: #555; }
"""
)


def write_report(log: BatchLog, file: TextIO) -> int:
    """Write the page; return how many units it lists."""
    title = html(", ".join(log.batches))
    file.write(f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Batch {title}</title>')
    file.write(f"<style>{_CSS}</style></head>\n<body>\n")
    for batch in log.batches:
        file.writelines(_head(log.records[batch], log.figures[batch], log.on_no_unit[batch], log.worked_on[batch]))
    file.writelines(_hours(log))
    file.writelines(_failures(log))
    rows = (
        row for row in log.rows(detailed=False)
        if row.attempt.verdict is not Verdict.PASS or row.attempt.by_hand_at is not None
    )  # fmt: skip
    file.writelines(
        table("Units that did not pass", ("Unit", "Device ID", "Result", "Step", "Reason"), map(_bad, rows))
    )
    count = 0

    def units() -> Iterator[tuple[str, ...]]:
        nonlocal count
        for row in log.rows(detailed=False):
            count += 1
            yield _unit(row)

    file.writelines(table("Units", ("Unit", "Device ID", "Device OS", "Firmware", "Finished", "Result"), units()))
    signs = "".join(f"<div>{who}: name, date, signature</div>" for who in _SIGNED_BY)
    file.write(f'<div class="signs">{signs}</div>\n')
    entry, digest = log.newest
    file.write(f"<footer>Made from journal entry {entry}, hash <span class='id'>{digest}</span>; `station log verify`")
    file.write(" follows the chain up to it.")
    if key := log.signer.made_fingerprint():
        file.write(
            f"<br>This station signs device passports and closed batches by the key <span class='id'>{key}</span>."
        )
    file.write("</footer>\n</body></html>\n")
    return count


def _head(record: BatchRecord, figures: Figures, on_no_unit: int, worked_on: int) -> Iterator[str]:
    batch = record.batch
    of = f" of {batch.target}" if batch.target else ""
    closed = f"closed {moment(record.closed_at)}" if record.closed_at else "still open"
    released = f", {_RELEASED.get(batch.release, f'released by {html(batch.release)}')}" if batch.release else ""
    yield f"<h1>Batch {html(batch.id)}</h1>\n<p>{html(record.title)}; opened {moment(record.opened_at)}, {closed}<br>"
    yield f"profile {html(batch.profile.id)} revision {batch.profile.revision}{released}, SHA-256 "
    yield f'<span class="id">{html(batch.profile.sha256)}</span></p>\n<div class="figures">'
    yield from (
        f"<div><b>{value}</b>{name}</div>"
        for name, value in (
            (f"PASS{of}", figures.passed), ("FAIL", figures.failed), ("FPY", percent(figures.first_pass_yield)),
            ("final yield", percent(figures.final_yield)), ("SET ASIDE", figures.pending),
            ("STOPPED", figures.aborted), ("CHECK STATION", figures.error),
        )
    )  # fmt: skip
    seen = f"{figures.units} unit{_s(figures.units)} seen, {figures.judged} judged"
    lost = f" {on_no_unit} attempt{_s(on_no_unit)} on no known unit, listed below, not counted." if on_no_unit else ""
    yield f"</div>\n<p>{seen}, {figures.retests} retest{_s(figures.retests)}.{lost}</p>\n"
    if worked_on:
        were = "was" if worked_on == 1 else "were"
        yield f"<p><b>{worked_on} unit{_s(worked_on)} {were} worked on by hand since the verdict counted above:"
        yield " not proven any more, to be walked again, and listed below.</b></p>\n"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _hours(log: BatchLog) -> Iterator[str]:
    most = max((hour.judged for hour in log.hours), default=1)
    yield from table(
        "First verdicts by the hour", ("Hour", "Units judged", "Passed first time", "FPY", ""),
        (
            (
                f'<span class="at">{minute(hour.at)}</span>', str(hour.judged), str(hour.first_passed),
                percent(hour.first_passed / hour.judged),
                _bar(hour.first_passed / most, "good") + _bar((hour.judged - hour.first_passed) / most),
            )
            for hour in log.hours
        ),
    )  # fmt: skip


def _failures(log: BatchLog) -> Iterator[str]:
    most = max((one.attempts for one in log.failures), default=1)
    yield from table(
        "Why attempts failed, most frequent first", ("Step", "Slot", "Result", "Attempts", "Example", ""),
        (
            (
                html(one.step), str(one.slot), _verdict(one.verdict), str(one.attempts), html(one.example),
                _bar(one.attempts / most, "bad"),
            )
            for one in log.failures[:_MOST_FAILURES]
        ),
    )  # fmt: skip


def _bad(row: ExportRow) -> tuple[str, ...]:
    attempt = row.attempt
    why = [attempt.reason] if attempt.reason else []
    if attempt.by_hand_at is not None:
        why.append(f"worked on by hand since {moment(attempt.by_hand_at)}")
    return (*_who(row), _result(attempt), html(attempt.failed_step), html("; ".join(why)))


def _unit(row: ExportRow) -> tuple[str, ...]:
    at = row.attempt.finished_at
    return (
        *_who(row), html(row.fact("device_os")), html(row.fact("firmware_version")), _at(at) if at else "",
        _result(row.attempt),
    )  # fmt: skip


def _who(row: ExportRow) -> tuple[str, str]:
    return (
        f'<span class="id">{html(row.fact("serial"))}</span>',
        f'<span class="id">{html(row.attempt.device_id or "not identified")}</span>',
    )


def _result(attempt: AttemptRecord) -> str:
    if attempt.verdict is None or attempt.by_hand_at is not None:
        return attempt.result
    return _verdict(attempt.verdict)


def _verdict(verdict: Verdict) -> str:
    return f'<span class="{verdict.name}">{VERDICT_WORD[verdict]}</span>'


def _at(at: datetime.datetime) -> str:
    return f'<span class="at">{moment(at)}</span>'


def _bar(share: float, kind: str = "") -> str:
    return f'<span class="bar {kind}" style="width:{share * 24:.1f}mm"></span>'


HTML = Exporter("html", "a report to print and sign: figures, failures, every unit", write_report)

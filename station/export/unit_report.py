"""The report of one attempt as an HTML page: everything a support engineer would ask for, in one file, no secret."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import IO

from ..journal.reader import JournalReader
from ..journal.records import AttemptRecord, BatchRecord, UnitHistory
from ..journal.told import lost_its_wire, program_of_attempt, told_of_attempt
from ..local_time import moment
from ..model import AS_IT_IS, MODULE_FACT, SHIPPED, TRIAL, Outcome
from ..view.details import OUTCOME_LOOK, how_it_ended, measurement, trace_text
from ..view.look import LIGHT, UNICODE, Look, light
from ..view.state import SlotState, StepLine
from ..words.catalogue import Words
from .markup import PAGE_NUMBER, html, table
from .retold import slot_of

_RELEASED = {"": "", TRIAL: ", on trial, released by nobody", SHIPPED: ", which comes with the program"}
_PROGRAMS = ("provisioning-station", "libusb-package", "pyusb", "pyserial")
_CSS = (
    f"@page {{ size: A4; margin: 12mm; {PAGE_NUMBER} }}"
    + """
body { font: 10pt "Helvetica Neue", Arial, "DejaVu Sans", "Noto Sans CJK SC", sans-serif; color: #1a1a1a;
  max-width: 190mm; margin: 8mm auto; padding: 0 4mm; }
h1 { font-size: 17pt; margin: 0 0 1mm; } h2 { font-size: 11.5pt; margin: 6mm 0 1.5mm; break-after: avoid; }
table { border-collapse: collapse; width: 100%; } thead { display: table-header-group; } tr { break-inside: avoid; }
th, td { text-align: left; padding: .8mm 2mm; border-bottom: .2mm solid #ccc; vertical-align: top; }
th { border-bottom: .4mm solid #555; font-size: 8.5pt; white-space: nowrap; }
tr > th:only-of-type { width: 26mm; border-bottom: .2mm solid #ccc; } td.n { text-align: right; }
td.n, .chip, .at { white-space: nowrap; }
.id, pre { font-family: "DejaVu Sans Mono", Consolas, monospace; font-size: 8.5pt; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; border: .2mm solid #ccc; padding: 2mm; }
.chip { padding: .3mm 2mm; border: .2mm solid #888; border-radius: .8mm; font-weight: bold; }
.big { font-size: 15pt; padding: 1mm 4mm; } .lamp { font-size: 13pt; text-shadow: 0 0 .4mm #000; }
.advice { border: .5mm solid #555; padding: 2mm 4mm; margin: 4mm 0; break-inside: avoid; }
.advice dt { font-weight: bold; float: left; clear: left; width: 22mm; } .advice dd { margin: 0 0 1.5mm 24mm; }
.out { font-weight: bold; } .dim { color: #555; } footer { margin-top: 6mm; font-size: 8pt; color: #555; }
"""
)


@dataclass(frozen=True, slots=True)
class UnitReport:
    """All that a page says: an attempt with what was seen in it, its batch and its unit, as far as they are known."""

    slot: SlotState
    attempt: AttemptRecord
    batch: BatchRecord | None
    unit: UnitHistory | None
    program: str  # the version of the station that made the attempt, "" if no record tells
    trace: tuple[str, ...]
    words: Words
    is_wire_lost: bool

    @property
    def name(self) -> str:
        """What a person calls the unit."""
        return f"{self.slot.platform} {self.slot.name}".strip() or "Unit that was not identified"


def unit_report(journal: JournalReader, attempt: str, words: Words, trace: Sequence[str] = ()) -> UnitReport | None:
    """Collect what the journal knows of ``attempt``, None if it knows nothing.

    ``trace``: its wire, line by line, as a screen kept it; without one the end of it that the journal may have.
    """
    record = journal.attempt(attempt)
    slot = slot_of(told_of_attempt(journal, attempt), words) if record is not None else None
    if record is None or slot is None:
        return None
    found = journal.unit(record.device_id) if record.device_id else None
    batch = journal.batch(record.batch) if record.batch else None
    wire = tuple(trace) or trace_text(slot)
    program, is_lost = program_of_attempt(journal, attempt), lost_its_wire(journal, attempt)
    return UnitReport(slot, record, batch, found, program, wire, words, is_lost)


def write_unit_report(report: UnitReport, file: IO[str]) -> None:
    """Write the page."""
    title = html(f"{report.name}, {report.attempt.attempt}")
    language = report.words.language
    file.write(f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>')
    file.write(f"<style>{_CSS}{''.join(map(_chip_style, Look))}</style></head>\n<body>\n")
    for part in (_head, _advice, _steps, _identities, _modules, _wire, _history, _station):
        file.writelines(part(report))
    file.write(f"<footer>Attempt {html(report.attempt.attempt)} of station {html(report.attempt.station_id)}.")
    file.write(" Secrets are not in the journal, so they cannot be on this page.</footer>\n</body></html>\n")


# --- parts ---


def _head(report: UnitReport) -> Iterator[str]:
    attempt, slot, words = report.attempt, report.slot, report.words
    yield f"<h1>{html(report.name)}</h1>\n"
    look = slot.look if slot.verdict is not None else Look.RUNNING
    word = words.verdict(slot.verdict) if slot.verdict is not None else "not finished"
    say, is_proven = slot.say, slot.ask is None
    if slot.ask is not None:  # it was worked on by hand since
        say, word = slot.ask.say, words.face(look.value).word
    said = words.line(say) if say else ""
    yield f'<p><span class="chip big {look.value}">{UNICODE.shape(look)} {html(word)}</span> &nbsp;{html(said)}</p>\n'
    ended = moment(attempt.finished_at) if attempt.finished_at else "not finished"
    took = f", {words.seconds(attempt.seconds)}" if attempt.seconds is not None else ""
    batch, profile = report.batch, report.batch.batch.profile if report.batch else None
    made = f"{profile.id} revision {profile.revision}, SHA-256 {profile.sha256}" if profile else attempt.profile
    yield from _facts(
        (
            ("Device ID", slot.device_id or "not identified"),
            ("Attempt ended", "" if is_proven else how_it_ended(slot, words)),
            ("Light seen", _lamp(slot.light_seen, words) or "nobody told what the light did"),
            ("Failed step", words.step_title(slot.failed_step) if slot.failed_step else ""),
            ("Slot and port", f"slot {attempt.slot}, USB port {attempt.port_path}"),
            ("Mode", slot.mode),
            ("Time", f"{moment(attempt.started_at)} to {ended}{took}"),
            ("Batch", f"{batch.batch.id}, {batch.title}" if batch is not None else attempt.batch or "none"),
            ("Profile", f"{made}{_RELEASED.get(attempt.release, f', released by {attempt.release}')}"),
            ("Operator", attempt.operator),
        )
    )


def _lamp(name: str, words: Words) -> str:
    """Return name and meaning of the light a person saw (M4); "" for one nobody told of."""
    return f"{words.led(name)}: {words.led_means(name)}" if light(name) is not None else ""


def _advice(report: UnitReport) -> Iterator[str]:
    """Yield what was seen, what it means and what to try next, in this order; nothing for a good end."""
    slot, words = report.slot, report.words
    if slot.verdict is None or slot.look in (Look.PASS, Look.PENDING):
        return
    means, advice = words.help(slot.say if slot.ask is None else slot.ask.say)
    told = (("details-seen", slot.reason), ("details-means", means), ("details-try", advice))
    rows = "".join(f"<dt>{html(words.text(label))}</dt><dd>{html(text)}</dd>" for label, text in told if text)
    yield f'<dl class="advice">{rows}</dl>\n'


def _steps(report: UnitReport) -> Iterator[str]:
    words = report.words
    yield from table(
        words.text("details-steps"), ("", "Step", "Seconds", "Proof or reason, and what was measured"),
        (
            (
                _chip(step, words), _whole(html(words.step_title(step.step, step.title))), f"{step.seconds:.1f}",
                "<br>".join(
                    (
                        html(step.proof or step.reason),
                        *(_measured(one.is_out, measurement(one, words)) for one in step.measurements),
                    )
                ),
            )
            for step in report.slot.steps
            if step.outcome is not None
        ),
        numbers={2},
    )  # fmt: skip
    left = [words.step_title(step.step, step.title) for step in report.slot.steps if step.outcome is None]
    if left:
        yield f'<p class="dim">Not begun, or not finished: {html(", ".join(left))}</p>\n'


def _measured(is_out: bool, text: str) -> str:
    return f'<span class="out">{UNICODE.differ} {html(text)}</span>' if is_out else html(text)


def _identities(report: UnitReport) -> Iterator[str]:
    """Yield each value with all its sources; values that differ stand below each other, marked."""
    rows = [
        (
            _sign(row.agrees), html(row.name.replace("_", " ")), _id(value),
            html(", ".join(source for other, source in row.sources if other == value)), html(", ".join(row.former)),
        )
        for row in report.slot.identities
        if not row.name.startswith(MODULE_FACT)
        for value in dict.fromkeys(value for value, _ in row.sources)
    ]  # fmt: skip
    yield from table(report.words.text("details-identities"), ("", "Name", "Value", "Sources", "Was"), rows)


def _modules(report: UnitReport) -> Iterator[str]:
    """Yield what was wanted and what is held, with the hash; a module nobody asked for is neither right nor wrong."""
    known = report.unit.facts if report.unit is not None else ()
    facts = {fact.name.removeprefix(MODULE_FACT): fact for fact in known if fact.name.startswith(MODULE_FACT)}
    rows = report.slot.modules or tuple((name, AS_IT_IS, fact.value.split(" ")[0]) for name, fact in facts.items())
    yield from table(
        report.words.text("details-firmware"), ("", "Module", "Wanted", "Held", "SHA-256"),
        (
            (
                UNICODE.neutral if wanted == AS_IT_IS else _sign(wanted == held), html(name),
                "" if wanted == AS_IT_IS else html(wanted or UNICODE.nothing), html(held or UNICODE.nothing),
                _id(facts[name].value.partition(" ")[2] if name in facts else ""),
            )
            for name, wanted, held in rows
        ),
    )  # fmt: skip


def _wire(report: UnitReport) -> Iterator[str]:
    """Yield the wire as far as it was kept."""
    if report.trace:
        yield f"<h2>{html(report.words.text('details-wire'))}</h2>\n"
        yield '<p class="dim">The last exchanges with the unit, oldest first; times are UTC.</p>\n<pre>'
        yield from (f"{html(line)}\n" for line in report.trace)
        yield "</pre>\n"
    elif report.is_wire_lost:
        yield f"<h2>{html(report.words.text('details-wire'))}</h2>\n"
        yield f'<p class="dim">{html(report.words.text("details-wire-lost"))}</p>\n'


def _history(report: UnitReport) -> Iterator[str]:
    """Yield every attempt on the unit, the newest first."""
    attempts = report.unit.attempts if report.unit is not None else ()
    yield from table(
        "HISTORY OF THE UNIT", ("Began", "Batch", "Slot", "Result", "Reason", "Attempt"),
        (
            (
                _whole(moment(one.started_at)), html(one.batch), str(one.slot),
                html(one.result), html(one.reason),
                _whole(_id(one.attempt)),
            )
            for one in reversed(attempts)
        ),
    )  # fmt: skip


def _station(report: UnitReport) -> Iterator[str]:
    """Yield the program that made the attempt, and the host that wrote this page."""
    yield "<h2>STATION</h2>\n"
    yield from _facts((("Station", report.attempt.station_id), ("Made with", report.program or "not recorded")))
    yield '<p class="dim">This page was written on:</p>\n'
    yield from _facts(
        (
            ("System", platform.platform()), ("Kernel", f"{platform.system()} {platform.release()}"),
            ("Python", platform.python_version()), ("Programs", ", ".join(f"{p} {version(p)}" for p in _PROGRAMS)),
        )
    )  # fmt: skip


# --- HTML ---


def _chip_style(look: Look) -> str:
    paint = LIGHT[look]
    return f".chip.{look.value} {{ background: {paint.fill}; color: {paint.text}; }}\n" if paint.fill else ""


def _chip(step: StepLine, words: Words) -> str:
    assert step.outcome is not None
    look = OUTCOME_LOOK[step.outcome]
    sign = UNICODE.already if step.outcome is Outcome.ALREADY else UNICODE.shape(look)
    return f'<span class="chip {look.value}">{sign} {html(words.outcome(step.outcome))}</span>'


def _sign(is_good: bool) -> str:
    look, sign = (Look.PASS, UNICODE.agree) if is_good else (Look.FAIL, UNICODE.differ)
    return f'<span class="chip {look.value}">{sign}</span>'


def _facts(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield "<table>"
    yield from (f"<tr><th>{html(name)}</th><td>{html(value)}</td></tr>\n" for name, value in rows if value)
    yield "</table>\n"


def _whole(cell: str) -> str:
    return f'<span class="at">{cell}</span>'


def _id(text: str) -> str:
    return f'<span class="id">{html(text)}</span>'

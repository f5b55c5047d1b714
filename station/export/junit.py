"""The batch log as JUnit XML, which test servers read: a suite for each unit, a case for each step."""

from __future__ import annotations

from typing import IO, Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring
from xml.sax.saxutils import quoteattr

from drivers.plain_text import printable

from ..journal.entries import stamp
from ..journal.export_rows import ExportRow
from ..model import Outcome
from .batch_log import BatchLog
from .exporter import Exporter

_TAG = {
    Outcome.FAILED: "failure", Outcome.ERROR: "error", Outcome.ABORTED: "error", Outcome.SKIPPED: "skipped",
    Outcome.DEFERRED: "skipped",
}  # fmt: skip
"""How an outcome that is no success is told. Owed work is not judged yet, so it is no failure."""


def write_junit(log: BatchLog, file: IO[Any]) -> int:
    """Write one suite for each row of ``log``; return how many."""
    file.write(f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites name={quoteattr(", ".join(log.batches))}>\n')
    count = 0
    for row in log.rows():
        suite = _suite(row)
        indent(suite)
        file.write(tostring(suite, encoding="unicode") + "\n")
        count += 1
    file.write("</testsuites>\n")
    return count


def _suite(row: ExportRow) -> Element:
    attempt = row.attempt
    last = {one.step: one for one in row.steps}.values()  # the last try of a step is what it came to
    tags = [_TAG.get(one.outcome) for one in last]
    is_by_hand = attempt.by_hand_at is not None
    suite = Element("testsuite", {
        "name": _clean(row.fact("serial") or attempt.device_id or attempt.attempt), "id": attempt.attempt,
        "package": _clean(attempt.batch), "hostname": _clean(attempt.station_id),
        "timestamp": stamp(attempt.started_at), "time": f"{attempt.seconds or 0.0:.3f}",
        "tests": str(len(tags) + is_by_hand),
        "failures": str(tags.count("failure")), "errors": str(tags.count("error") + is_by_hand),
        "skipped": str(tags.count("skipped")),
    })  # fmt: skip
    kind = _clean(row.fact("platform_name", "platform") or "unit")
    for one, tag in zip(last, tags, strict=True):
        case = SubElement(suite, "testcase", {"name": one.step, "classname": kind, "time": f"{one.seconds:.3f}"})
        if tag is not None:
            SubElement(case, tag, {"message": _clean(one.reason), "type": one.outcome.value})
        elif one.proof:
            SubElement(case, "system-out").text = _clean(one.proof)
    if attempt.by_hand_at is not None:  # a case more, or the suite would be one that passed
        case = SubElement(suite, "testcase", {"name": "by_hand", "classname": kind, "time": "0.000"})
        since = f"worked on by hand since {stamp(attempt.by_hand_at)}; what the steps proved has to be proved again"
        SubElement(case, "error", {"message": since, "type": "by_hand"})
    return suite


def _clean(text: str) -> str:
    return printable(text, " ")  # XML 1.0 has no control characters, not even escaped


JUNIT = Exporter("junit", "JUnit XML, a suite for each unit", write_junit, ending="-junit.xml")

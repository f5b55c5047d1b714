"""``station report``: one page about a unit, for whoever helps from afar; what it says, and what it never says."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, LineBench, line_bench

from station.cli.main import main
from station.engine.commands import SaveReport, SaveTrace, TellLight
from station.engine.events import AttemptFinished, CommandDone, CommandRefused, WireTraced
from station.model import Verdict

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Reads a page as a browser would; fails for a tag that is not closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


BARRED = replace(BORON, skus=("BRN402",))
"""A batch that wants another order code than its units have."""


def ended(bench: LineBench, platform: str, verdict: Verdict) -> AttemptFinished:
    """Walk a unit out of its box to its end, and leave it in its slot."""
    bench.plug(bench.unit(platform))
    finished = bench.wait_finished()
    assert finished.verdict is verdict, finished.reason
    bench.sleep(1.0)
    return finished


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "page.html"


def report(bench: LineBench, what: str, page: Path) -> Page:
    assert main(["report", what, "-o", str(page), "--data-dir", str(bench.journal_dir.parent)]) == 0
    return Page(page.read_text(encoding="utf-8"))


def test_a_failure_says_what_was_seen_what_it_means_and_what_to_try(tmp_path: Path, page: Path) -> None:
    with line_bench(tmp_path, BARRED) as bench:
        finished = ended(bench, "boron", Verdict.FAIL)
        shown = report(bench, finished.attempt or "", page)
    seen, means, advice = (shown.text.index(word) for word in ("Seen ", "Means ", "Try next "))
    assert seen < means < advice
    for wanted in (
        "FAIL", "This is a BRN404X", finished.reason, f"Device ID {finished.device_id}", "Failed step Identify",
        "USB port 1-1", "slot 1", BARRED.batch,
        "The order code of the unit is not one that the profile allows.", "Light seen nobody told what the light did",
        "Not begun, or not finished: ", "Python 3.", "libusb-package ", "provisioning-station ", "Kernel Linux",
        "Made with ",
    ):  # fmt: skip
        assert wanted in shown.text, wanted
    assert re.search(r"revision 1, SHA-256 [0-9a-f]{64}", shown.text)
    assert shown.links == []  # nothing from elsewhere: it is read in a mail


@pytest.mark.rule("M4", "A7", "N5")
def test_a_unit_that_passed_shows_all_that_was_read_and_written_and_no_secret(tmp_path: Path, page: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        finished = ended(bench, "argon", Verdict.PASS)
        unit = bench.units[-1]
        bench.command(TellLight(1, finished.attempt or "", finished.device_id or "", "breathing cyan"))
        shown = report(bench, str(unit.spec.serial), page)
        bench.check_no_secret(page.read_text(encoding="utf-8"))
    for wanted in (
        "PASS", "Light seen breathing cyan: online", str(unit.spec.device_id), str(unit.spec.serial), "request 21",
        "Device OS", "read-back equal", "HISTORY OF THE UNIT", "module info",
    ):  # fmt: skip
        assert wanted in shown.text, wanted
    assert "Try next" not in shown.text
    assert re.search(r"bootloader\s+\S+\s+\S+\s+[0-9a-f]{64}", shown.text)  # wanted, held, hash


@pytest.mark.rule("N5")
def test_what_the_bench_saves_has_the_wire_and_no_secret(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        finished = ended(bench, "argon", Verdict.PASS)
        traced = [event for _, event in bench.events if isinstance(event, WireTraced)]
        trace = tuple(f"{one.line}\n{one.raw}" for one in traced)
        for command in (
            SaveReport(1, finished.attempt or "", trace),
            SaveTrace(1, finished.attempt or "", trace),
        ):
            bench.command(command)
        saved = [Path(event.what) for _, event in bench.events if isinstance(event, CommandDone)]
        assert [path.parent for path in saved] == [bench.journal_dir.parent / "reports"] * 2
        for path in saved:
            text = path.read_text(encoding="utf-8")
            assert "GET_SERIAL_NUMBER: P" in text or "SERIAL_NUMBER" in text
            assert "JOIN_NEW_NETWORK: ok" in text
            bench.check_no_secret(text)
            bench.check_no_secret(bytes.fromhex("".join(re.findall(r"\b[0-9a-f]{2}\b", text))).decode("latin-1"))
        assert "WIRE" in Page(saved[0].read_text(encoding="utf-8")).text


def test_a_report_that_cannot_be_written_says_why_and_is_no_fault_of_the_station(tmp_path: Path) -> None:
    with line_bench(tmp_path, BARRED) as bench:
        finished = ended(bench, "boron", Verdict.FAIL)
        (bench.journal_dir.parent / "reports").write_text("a file in the way", encoding="utf-8")
        bench.command(SaveReport(1, finished.attempt or ""))
        bench.command(SaveReport(1, "a-000000000000"))
        refused = [event.reason for _, event in bench.events if isinstance(event, CommandRefused)]
    assert "cannot be written" in refused[0]
    assert refused[1].startswith("the journal knows no attempt a-000000000000")


def test_last_digits_name_a_unit_and_its_last_attempt(tmp_path: Path, page: Path) -> None:
    with line_bench(tmp_path, BARRED) as bench:
        first = ended(bench, "boron", Verdict.FAIL)
        again = bench.retry().finished
        shown = report(bench, (first.device_id or "")[-6:], page)
    assert f"Attempt {again.attempt} of station" in shown.text
    assert (first.attempt or "?") in shown.text  # in the history


def test_an_unknown_or_ambiguous_unit_is_refused_and_nothing_is_written(
    tmp_path: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with line_bench(tmp_path, BARRED) as bench:
        ended(bench, "boron", Verdict.FAIL)
        folder = ["-o", str(page), "--data-dir", str(bench.journal_dir.parent)]
        assert main(["report", "P000NOBODY", *folder]) == 1
        assert "no attempt on a unit P000NOBODY in this journal" in capsys.readouterr().err
        assert not page.exists()
        assert main(["report", "x", "-o", str(tmp_path), "--data-dir", str(bench.journal_dir.parent)]) == 2
        assert "this is a folder" in capsys.readouterr().err

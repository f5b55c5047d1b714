"""The end of the wire in the record of an attempt that went wrong: what support reads months later, and no secret."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, DEVELOPER, PASSWORD, SSID, LineBench, line_bench, replace

from drivers.clock import SimulatedClock
from drivers.identity import Secret
from drivers.virtual.world import AccessPoint
from station.cli.main import main
from station.cli.records import JournalRecords
from station.engine.commands import SaveReport
from station.engine.events import AttemptFinished, CommandDone, StepFinished, WireTraced
from station.journal.told import wire_of_attempt
from station.line.wire_tail import MOST_BYTES, MOST_LINES, WireTail
from station.model import Verdict

BARRED = replace(BORON, skus=("BRN402",))
"""A batch that wants another order code than its units have."""
CHANGED = AccessPoint(SSID, Secret("somebody changed it"))


def recorded(bench: LineBench, finished: AttemptFinished) -> tuple[str, ...]:
    """What the journal keeps of the wire of an attempt."""
    with bench.reader() as journal:
        return wire_of_attempt(journal, finished.attempt or "")


def traced(bench: LineBench, finished: AttemptFinished) -> list[str]:
    """What the wire panel of the details was told of an attempt, up to its end."""
    told = [event for _, event in bench.events[: bench.place_of(finished)] if isinstance(event, WireTraced)]
    return [
        f"{one.at:%H:%M:%S}.{one.at.microsecond // 1000:03}Z {one.line}"
        for one in told
        if one.attempt == finished.attempt
    ]


def place(bench: LineBench) -> tuple[str, str]:
    """Where the station keeps its journal, as the command line is told."""
    return "--data-dir", str(bench.journal_dir.parent)


def exported(bench: LineBench, name: str, file: Path) -> bytes:
    """The log of the batch in a format."""
    batch = bench.recipes[0].batch
    assert main(("log", "export", "--batch", batch, "--format", name, "-o", str(file), *place(bench))) == 0
    return file.read_bytes()


@pytest.mark.parametrize("traces", [True, False])
def test_a_failed_attempt_keeps_the_end_of_its_wire_whether_or_not_a_screen_traces(
    traces: bool, tmp_path: Path
) -> None:
    with line_bench(tmp_path, BARRED, traces=traces) as bench:
        finished = bench.walk(bench.unit("boron")).finished
        kept = recorded(bench, finished)
        assert (finished.verdict, finished.wire) == (Verdict.FAIL, kept)
        assert any("SERIAL_NUMBER: P0" in line for line in kept)
        if traces:
            assert list(kept) == traced(bench, finished)[-len(kept) :], "decoded once, for the screen and the record"


@pytest.mark.rule("N5", "A7", "K4")
def test_the_end_of_a_wire_tells_neither_password_nor_claim_code_nor_a_secret(tmp_path: Path) -> None:
    """The requests that carry them are among the last ones. That no claim code is told the end of the story checks."""
    with line_bench(tmp_path, replace(DEVELOPER, claim_by="code")) as bench:
        bench.world.access_points[SSID] = CHANGED
        unit = bench.unit("argon")
        finished = bench.walk(unit).finished
        kept = recorded(bench, finished)
        assert finished.verdict is Verdict.ERROR
        for carrying in ("SET_CLAIM_CODE: ok", "JOIN_NEW_NETWORK: "):
            assert any(carrying in line for line in kept), carrying
        told = "\n".join(kept)
        bench.check_no_secret(told)
        for secret in (PASSWORD, unit.spec.mobile_secret.reveal(), bench.token.reveal()):
            assert secret.encode().hex(" ") not in told
            assert secret.encode().hex() not in told
        assert "; got " not in told, "no bytes of an exchange are kept"
        page = tmp_path / "page.html"
        assert main(("report", finished.attempt or "", "-o", str(page), *place(bench))) == 0
        for shown in (page.read_text(encoding="utf-8"), exported(bench, "jsonl", tmp_path / "log.jsonl").decode()):
            assert "JOIN_NEW_NETWORK: " in shown
            bench.check_no_secret(shown)


def test_a_good_attempt_keeps_nothing_of_its_wire(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        finished = bench.walk(bench.unit("argon")).finished
        assert (finished.verdict, finished.wire, recorded(bench, finished)) == (Verdict.PASS, (), ())
        with bench.reader() as journal:
            (entry,) = [row for row in journal.entries() if row.kind == "AttemptFinished"]
        assert "wire" not in entry.values()


def test_only_json_lines_have_the_end_of_the_wire_among_the_exports(tmp_path: Path) -> None:
    with line_bench(tmp_path, BARRED) as bench:
        finished = bench.walk(bench.unit("boron")).finished
        (line,) = exported(bench, "jsonl", tmp_path / "log.jsonl").splitlines()
        assert tuple(json.loads(line)["wire"]) == finished.wire
        names = ("csv", "steps", "openhtf", "html", "junit", "devices")
        others = {name: exported(bench, name, tmp_path / f"log.{name}") for name in names}
        with zipfile.ZipFile(io.BytesIO(exported(bench, "xlsx", tmp_path / "log.xlsx"))) as book:
            others |= {name: book.read(name) for name in book.namelist()}
        for name, content in others.items():
            assert b"SERIAL_NUMBER" not in content, name


def test_after_a_restart_report_find_and_the_life_of_the_unit_show_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    with line_bench(tmp_path, BARRED, traces=False) as bench:
        unit = bench.unit("boron")
        finished = bench.walk(unit).finished
        last = finished.wire[-1]
        bench.stop()
        bench.start(BARRED)
        assert main(("report", finished.attempt or "", "-o", str(page), *place(bench))) == 0
        bench.command(SaveReport(1, finished.attempt or ""))
        saved = [Path(event.what) for _, event in bench.events if isinstance(event, CommandDone)]
        for path in (page, saved[-1]):
            assert f"{last}\n</pre>" in path.read_text(encoding="utf-8")
        capsys.readouterr()
        assert main(("log", "find", str(unit.spec.device_id), *place(bench))) == 0
        assert last not in capsys.readouterr().out
        assert main(("log", "find", str(unit.spec.device_id), "--wire", *place(bench))) == 0
        assert last in capsys.readouterr().out
        with bench.reader() as journal:
            life = JournalRecords(journal, tmp_path).life(str(unit.spec.device_id))
        assert life is not None
        assert [walk.wire for walk in life.walks] == [finished.wire]


def test_the_end_of_a_wire_is_bounded_whatever_a_unit_says() -> None:
    clock = SimulatedClock()
    tail, also = WireTail(clock), list[str]()
    for number in range(1000):
        tail.add(f"request 21 SERIAL_NUMBER: {number}\nsent 0 bytes; got 0a")
    assert len(tail.lines()) == MOST_LINES
    assert tail.lines()[-1].endswith(" request 21 SERIAL_NUMBER: 999")
    tail = WireTail(clock, also.append)
    said = "raw 30: " + "\u0416\x1b[2J\u202e" * 10_000
    for _ in range(1000):
        tail.add(said)
    kept = "".join(tail.lines())
    assert 0 < len(kept.encode()) <= MOST_BYTES
    assert kept.isprintable()
    assert also == [said] * 1000


def test_a_walk_that_begins_again_begins_with_an_empty_wire(tmp_path: Path) -> None:
    with line_bench(tmp_path, BARRED) as bench:
        bench.plug(bench.unit("boron"))
        first = bench.wait_finished()
        again = bench.retry().finished
        assert again.attempt != first.attempt
        assert set(again.wire).isdisjoint(first.wire)
        steps = [event for _, event in bench.events if isinstance(event, StepFinished)]
        assert {event.attempt for event in steps} == {first.attempt, again.attempt}

"""How a run ends by itself, and when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import child_process

from station.cli.main import main
from station.paths import find_profile

ONE = ("demo", "--headless", "--json", "--units", "1", "--profile", "boron-product")


def test_work_owed_to_a_cloud_that_stays_away_is_waited_for_a_minute(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--once", "--data-dir", str(tmp_path))
    assert main((*ONE, *place)) == 0
    capsys.readouterr()
    assert main((*ONE, *place, "--seed", "6", "--cloud-down-for", "100000")) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (walk,) = [one for one in told if one["kind"] == "AttemptFinished"]
    assert (walk["verdict"], told[-1]["kind"]) == ("PENDING", "BatchSummary")
    assert 60 < told[-1]["seconds"] - walk["seconds"] < 70


def test_a_demo_that_cannot_begin_says_why_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ("--once", "--data-dir", str(tmp_path))
    assert main((*ONE, *place)) == 0
    capsys.readouterr()
    changed = tmp_path / "boron-product.toml"
    changed.write_text(find_profile("boron-product").read_text("utf-8") + "\n# another text\n", "utf-8")
    assert main(("demo", "--headless", "--units", "1", "--profile", str(changed), *place)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (why,) = said.err.splitlines()
    assert "close it and open a new batch" in why
    assert main(("log", "verify", "--data-dir", str(tmp_path))) == 0


@pytest.mark.parametrize("told_by", [signal.SIGTERM, signal.SIGINT])
def test_a_bench_that_is_told_to_end_says_its_closing_line(told_by: signal.Signals) -> None:
    line = [sys.executable, "-m", "station", *ONE]
    with child_process.start(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as bench:
        assert bench.stdout is not None
        while json.loads(bench.stdout.readline())["kind"] != "UnitIdentified":  # no unit is counted before
            pass
        bench.send_signal(told_by)
        said, faults = bench.communicate()
    assert bench.returncode in (0, 1)
    assert faults == ""
    last = json.loads(said.splitlines()[-1])
    assert last["kind"] == "BatchSummary"
    assert sum(last["units"].values()) >= 1


# --- words that nobody meant ---


@pytest.mark.parametrize("words", [("log", "find", "M\udcfcller"), ("stats", "--batch=M\udcfcller")])
def test_what_was_typed_in_another_encoding_speaks_against_no_journal(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--data-dir", str(tmp_path)]) == 2
    assert "M\\udcfcller is no text in UTF-8; set terminal" in capsys.readouterr().err
    folder = tmp_path / "B\udcfcro"
    folder.mkdir()
    assert main(["log", "find", "Miller", "--data-dir", str(folder)]) == 2
    assert "no journal in" in capsys.readouterr().err


def test_two_dashes_are_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["barcodes", "--badge=--", "-o", "codes.html"]) == 2
    assert capsys.readouterr().err == "station: --badge takes a value, and -- is none; write another\n"

"""A platform of a known family from another package: one row, and it is identified and walked like any other."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.house_tools import ROOT

ROW = '''
ROWS = """
[[platform]]
family = "nrf"
id = 77
slug = "toy"
name = "Toy SoM"
serial_prefix = "TOY1"
has_cellular = true
memories = ["internal", "dct", "external-8m"]
"""
'''

STORY = """
import sys
from pathlib import Path
import line_bench
from line_bench import Recipe
from station.engine.events import UnitIdentified
from station.export import export
from station.journal import JournalReader

line_bench.PRODUCTS["toy"] = 20077
with line_bench.line_bench(Path(sys.argv[1]), Recipe("toy")) as bench:
    unit = bench.unit("toy", 1, "3.3.1")
    first = bench.walk(unit)
    again = bench.walk(unit)
    with JournalReader(bench.journal_dir) as journal:
        export(journal, [Recipe("toy").batch], sys.stderr)
    assert "Toy SoM" in {event.platform for event in first.of(UnitIdentified)}
print(first.verdict.name, unit.report.system_version, unit.memory.external.size >> 20, again.flash_writes)
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder as pip would leave it: one module, and the entry point that names its rows."""
    folder = tmp_path / "site"
    info = folder / "toy-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "toy.py").write_text(ROW, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[drivers.platforms]\ntoy = toy:ROWS\n", encoding="utf-8")
    return folder


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a fresh interpreter that finds the folder beside this project."""
    path = os.pathsep.join(map(str, (site, ROOT, ROOT / "tests")))
    return subprocess.run(
        [sys.executable, *arguments], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )


def test_it_is_identified(site: Path) -> None:
    shown = run(site, "-m", "station", "identify", "--virtual", "toy")
    assert shown.returncode == 0, shown.stderr
    assert "port 1-1  Toy SoM" in shown.stdout
    assert "TOY1" in shown.stdout


def test_it_walks_to_pass_and_has_nothing_left_to_do(site: Path, tmp_path: Path) -> None:
    told = run(site, "-c", STORY, str(tmp_path))
    assert told.returncode == 0, told.stderr
    assert told.stdout.split() == ["PASS", "6.3.4", "8", "0"]
    (row,) = csv.DictReader(io.StringIO(told.stderr))
    assert (row["Platform ID"], row["Platform Name"]) == ("77", "toy")
    assert row["Serial"].startswith("TOY1")


def test_a_profile_may_name_it_and_names_it_among_the_known(site: Path, tmp_path: Path) -> None:
    profile = tmp_path / "wrong.toml"
    profile.write_text('id = "x"\nrevision = 1\nkind = "developer"\nplatforms = ["toys"]\n', encoding="utf-8")
    told = run(site, "-m", "station", "profile", "check", str(profile))
    assert told.returncode != 0
    assert '"toy"' in told.stderr


def test_editors_are_offered_it(site: Path) -> None:
    shown = run(site, "-m", "station", "profile", "schema")
    assert shown.returncode == 0, shown.stderr
    assert {"toy", "boron"} <= set(re.findall(r'"(\w+)"', shown.stdout))


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (ROW.replace("77", "13"), "has a row already"),
        (ROW.replace("ROWS", "OTHER"), "cannot be loaded"),
        (ROW.replace("has_cellular", "has_wings"), "has_wings"),
        ("ROWS = 3", "not the TOML of platform rows"),
    ],
    ids=["an id twice", "no such name", "an unknown key", "no text"],
)
def test_rows_that_cannot_be_used_are_refused_in_one_sentence(site: Path, rows: str, why: str) -> None:
    (site / "toy.py").write_text(rows, encoding="utf-8")
    told = run(site, "-m", "station", "identify", "--virtual", "boron")
    assert told.returncode in (2, 3)
    assert "plug-in toy:ROWS" in told.stderr
    assert why in told.stderr
    assert told.stderr.count("\n") == 1

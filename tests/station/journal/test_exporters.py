"""Formats of the batch log: ours, and one of somebody else's package that is one file and one entry point."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.house_tools import run_python
from support.journal_story import finished, identified, opened, started, step, unit_id

from drivers.clock import SimulatedClock
from station.errors import BadInput
from station.export import COLUMNS, EXPORTERS, Type, exporter_names, find_exporter
from station.journal import Journal

TOYS = Path(__file__).parents[2] / "house" / "toys"


def installed(place: Path, points: str) -> Path:
    """A folder as a package with the toy's file leaves it on the path."""
    info = place / "toy-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(TOYS / "house_list.py", place)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[station.exporters]\n{points}\n", encoding="utf-8")
    return place


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A data directory with one unit."""
    with Journal.open(tmp_path / "place" / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(
            opened(), started("a-1"), identified("a-1", serial="P044AB1234567"), step("a-1"), finished("a-1")
        )
    return tmp_path / "place"


def test_a_format_of_another_package_is_offered_and_written(place: Path, tmp_path: Path) -> None:
    """In a fresh interpreter: nothing but the path tells of it."""
    site = installed(tmp_path / "site", "house-list = house_list:EXPORTER")
    main = (
        f"import sys; sys.path.insert(0, {str(site)!r});"
        " from station.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    told = run_python("-c", main, "log", "export", "--help")
    assert "house-list" in told.stdout
    batch = ("--data-dir", str(place), "--batch", "B1")
    done = run_python("-c", main, "log", "export", *batch, "--format", "house-list")
    assert (done.returncode, done.stdout) == (0, f"{unit_id(1)} read back (Seconds 9.25 device_os s 2.5)\n"), (
        done.stderr
    )
    file = tmp_path / "list.txt"
    done = run_python("-c", main, "log", "export", *batch, "--format", "house-list", "-o", str(file))
    assert (done.returncode, file.read_text().count("\n")) == (0, 1)
    assert "list.txt: 1 row" in done.stdout


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ("house-list = house_list:NOTHING", "cannot be loaded"),
        ("house-list = house_list:write", "is not an Exporter of that name"),
        ("other = house_list:EXPORTER", "is not an Exporter of that name"),
    ],
)
def test_a_format_that_cannot_be_used_is_refused_with_its_package(
    points: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(installed(tmp_path / "site", points))
    name = points.split(" ", 1)[0]
    assert name in exporter_names()
    with pytest.raises(BadInput, match=said):
        find_exporter(name)


def test_our_own_formats_are_found_first_and_another_name_lists_them() -> None:
    assert [find_exporter(exporter.name) for exporter in EXPORTERS] == list(EXPORTERS)
    with pytest.raises(BadInput, match="no format is called ods; there are csv, jsonl, xlsx"):
        find_exporter("ods")


def test_the_file_of_a_batch_stays_in_its_folder_however_the_batch_is_called() -> None:
    names = [one.file_of("../a b/c") for one in EXPORTERS]
    assert all("/" not in name and not name.startswith(".") for name in names)
    assert len(set(names)) == len(EXPORTERS)


def test_every_column_is_declared_once_with_its_type() -> None:
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    assert {column.type for column in COLUMNS} == set(Type) - {Type.VALUE}  # of what was measured

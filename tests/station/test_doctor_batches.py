"""The doctor looks at the profiles of open batches without being told their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from station.cli.main import main
from station.paths import find_profile

Doctor = Callable[..., list[str]]


@pytest.fixture
def doctor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Doctor:
    def run(*words: str) -> list[str]:
        main(["doctor", "--no-cloud", "--data-dir", str(tmp_path / "data"), *words])
        return capsys.readouterr().out.splitlines()

    return run


def rows(told: list[str], what: str) -> list[str]:
    return [line for line in told if line.split()[1] == what]


def opens(tmp_path: Path, batch: str, profile: str) -> None:
    assert main(["batch", "open", batch, "--profile", profile, "--data-dir", str(tmp_path / "data")]) == 0


def test_the_files_of_an_open_batch_are_looked_at_once(tmp_path: Path, doctor: Doctor) -> None:
    (told,) = rows(doctor(), "firmware")
    assert "name profiles with --profile" in told
    opens(tmp_path, "B-1", "boron-product")
    opens(tmp_path, "B-2", "boron-product")
    for words in ((), ("--profile", "boron-product")):
        (told,) = rows(doctor(*words), "release")
        assert "revision 1 of widget-boron is not released" in told
    assert rows(doctor(), "batches") == []


def test_a_closed_batch_is_not_looked_at(tmp_path: Path, doctor: Doctor) -> None:
    opens(tmp_path, "B-1", "boron-product")
    assert main(["batch", "close", "B-1", "--data-dir", str(tmp_path / "data")]) == 0
    assert rows(doctor(), "release") == []


def test_a_batch_whose_profile_is_a_file_somewhere_is_named(tmp_path: Path, doctor: Doctor) -> None:
    own = tmp_path / "own.toml"
    own.write_text(find_profile("boron-product").read_text(encoding="utf-8") + "# ours\n", encoding="utf-8")
    opens(tmp_path, "B-1", str(own))
    (told,) = rows(doctor(), "batches")
    assert told.startswith("note ")
    assert "batch B-1 is open with widget-boron revision 1; name the file of it with --profile" in told
    assert rows(doctor(), "release") == []
    assert rows(doctor("--profile", str(own)), "batches") == []

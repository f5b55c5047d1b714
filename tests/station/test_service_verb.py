"""``station service print``: a unit that systemd takes, for this very installation, with the rights it needs."""

from __future__ import annotations

import argparse
import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from station.cli.main import main
from station.cli.run import add as add_run


def printed(capsys: pytest.CaptureFixture[str], data: Path, *more: str, status: int = 0) -> str:
    words = ("service", "print", "--profile", "boron-product", "--batch", "B1", "--user", "bench")
    assert main((*words, "--data-dir", str(data), *more)) == status
    said = capsys.readouterr()
    return said.out if status == 0 else said.err


def parsed(unit: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None, strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(unit)
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this computer")
@pytest.mark.parametrize("folder", ["data", 'a folder with blanks; 100 % of "them" \\ $HOME'])
def test_systemd_takes_the_unit(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / folder).mkdir()
    file = tmp_path / "station.service"
    file.write_text(printed(capsys, tmp_path / folder))
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", file], capture_output=True, text=True, check=False)
    assert [line for line in ran.stderr.splitlines() if "station.service" in line] == []
    assert ran.returncode == 0


def test_it_runs_this_installation_with_words_that_run_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "station.toml"
    config.write_text('[station]\nid = "bench-7"\n')
    unit = parsed(printed(capsys, tmp_path, "--config", str(config)))
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert Path(program) == Path(sys.executable).absolute()
    assert words[:2] == ["-m", "station"]
    top = argparse.ArgumentParser()
    add_run(top.add_subparsers())
    taken = top.parse_args(words[2:])
    assert (taken.profile, taken.batch, taken.headless) == (["boron-product"], ["B1"], True)
    assert (taken.data_dir, taken.config) == (tmp_path, config)
    assert "bench-7" in unit["Unit"]["Description"]


def test_it_may_write_its_data_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service = parsed(printed(capsys, tmp_path))["Service"]
    assert service["User"] == "bench"
    assert service["ReadWritePaths"] == str(tmp_path)
    assert (service["ProtectSystem"], service["NoNewPrivileges"]) == ("strict", "yes")
    assert service["CapabilityBoundingSet"] == ""
    assert service["DevicePolicy"] == "closed"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--user", "root"), "a login of its own"),
        (("--user", "a b"), "a login of its own"),
        (("--batch", "B2"), "one --batch for each --profile"),
        (("--profile", "nobody", "--batch", "B2"), "no such file"),
        (("--profile", "boron-product", "--batch", "../x"), "batch"),
    ],
)
def test_what_would_not_start_is_refused(
    more: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in printed(capsys, tmp_path, *more, status=2)

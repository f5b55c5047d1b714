"""``station udev install``: rights, repetition, and saying what is done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from station.cli.udev import RELOAD, UdevFailed, _run, install
from station.errors import BadInput
from station.paths import udev_rules


class Ran:
    def __init__(self) -> None:
        self.commands: list[Sequence[str]] = []

    def __call__(self, words: Sequence[str]) -> None:
        self.commands.append(words)


def test_the_rules_are_written_and_udev_reads_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran, target = Ran(), tmp_path / "rules.d" / udev_rules().name
    install(tmp_path / "rules.d", dry_run=False, is_root=True, run=ran)
    assert target.read_bytes() == udev_rules().read_bytes()
    assert target.stat().st_mode & 0o777 == 0o644
    assert ran.commands == list(RELOAD)
    told = capsys.readouterr().out
    assert all(one in told for one in (f"wrote {target}", *(f"ran {' '.join(words)}" for words in RELOAD)))


def test_a_second_time_nothing_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(tmp_path, dry_run=False, is_root=True, run=Ran())
    again = Ran()
    install(tmp_path, dry_run=False, is_root=False, run=again)
    assert again.commands == []
    assert "nothing to do" in capsys.readouterr().out


def test_rules_of_an_older_station_are_replaced(tmp_path: Path) -> None:
    target = tmp_path / udev_rules().name
    target.write_text("# older")
    install(tmp_path, dry_run=False, is_root=True, run=Ran())
    assert target.read_bytes() == udev_rules().read_bytes()


@pytest.mark.parametrize("is_root", [True, False])
def test_a_dry_run_says_everything_and_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_root: bool
) -> None:
    ran = Ran()
    install(tmp_path, dry_run=True, is_root=is_root, run=ran)
    assert ran.commands == []
    assert list(tmp_path.iterdir()) == []
    told = capsys.readouterr().out
    assert f"write {tmp_path / udev_rules().name}" in told
    assert all(" ".join(words) in told for words in RELOAD)


def test_without_root_nothing_is_written_and_sudo_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="sudo"):
        install(tmp_path, dry_run=False, is_root=False, run=Ran())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [(("no-such-udevadm",), "is not on this computer"), (("false",), "failed"), (("ls", "--nope"), "ls --nope failed")],
)
def test_a_udev_that_does_not_take_them_is_said(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(UdevFailed, match=why):
        _run(words)

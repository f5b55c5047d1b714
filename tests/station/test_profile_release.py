"""Released profiles and trials: what `station run` takes, and who stands in the records for it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from line_bench import line_bench
from support.known_steps import load_profile

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.engine.commands import OpenBatch
from station.engine.events import AttemptStarted, BatchOpened, CommandRefused
from station.errors import BadInput
from station.export import export
from station.journal import Journal, JournalReader
from station.line.releases import BatchRefused, ReleaseGate, line_of, place_of_line, releases_beside
from station.model import SHIPPED, TRIAL, Batch, Release
from station.paths import find_profile
from station.words.languages import load
from station.words.say import Say

TEXT = find_profile("boron-product").read_text("utf-8")


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    file = tmp_path / "boron.toml"
    file.write_text(TEXT, encoding="utf-8")
    return file


@contextmanager
def bench(folder: Path) -> Iterator[Journal]:
    """The journal of another bench."""
    journal = Journal.open(folder / "bench" / "journal", "bench", SimulatedClock())
    try:
        yield journal
    finally:
        journal.close()


def release(file: Path, badge: str, *more: str) -> int:
    return main(["profile", "release", str(file), "--by", badge, *more])


def gate(journal: Journal, file: Path, *, as_trial: bool = False) -> str:
    return ReleaseGate(journal, SimulatedClock(), as_trial)(load_profile(file))


def test_a_release_stands_in_the_journal_and_in_one_line_beside_the_file(profile: Path, tmp_path: Path) -> None:
    assert release(profile, "0417", "--data-dir", str(tmp_path / "data")) == 0
    ref = load_profile(profile).ref
    with JournalReader(tmp_path / "data" / "journal") as journal:
        held = journal.release("widget-boron", 1)
        assert held is not None
        assert (held.profile, held.by) == (ref, "0417")
        journal.verify()
    (line,) = place_of_line(profile).read_text("utf-8").splitlines()
    assert line.startswith(f"widget-boron revision 1 sha256 {ref.sha256} released by 0417 at 20")


def test_an_office_without_a_journal_writes_the_line_and_no_journal(
    profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    assert release(profile, "0417") == 0
    assert [one.by for one in releases_beside(profile)] == ["0417"]
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("where", ["journal", "line"])
def test_a_revision_is_released_with_one_text_for_good(
    where: str, profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data-dir", str(tmp_path / "data"))
    assert release(profile, "0417", *data) == 0
    if where == "journal":
        place_of_line(profile).unlink()
    else:
        data = ("--data-dir", str(tmp_path / "other"))
    assert release(profile, "0500", *data) == 0
    said = capsys.readouterr().out
    assert "already released by 0417" in said
    assert f"{profile.name}.release; take both files to every bench" in said
    profile.write_text(TEXT + "# another text\n", encoding="utf-8")
    assert release(profile, "0500", *data) == 2
    assert "raise revision to 2 or more" in capsys.readouterr().err
    profile.write_text(TEXT.replace("revision = 1", "revision = 2"), encoding="utf-8")
    assert release(profile, "0500", *data) == 0
    assert [(one.profile.revision, one.by) for one in releases_beside(profile)] == [(1, "0417"), (2, "0500")]


@pytest.mark.parametrize("badge", ["", "a b", "trial", "Shipped", "x" * 41, "04\n17"])
def test_only_a_badge_releases(badge: str, profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release(profile, badge) == 2
    assert "expected a badge" in capsys.readouterr().err
    assert not place_of_line(profile).exists()


def test_an_unreleased_profile_is_refused_unless_it_is_a_trial(profile: Path, tmp_path: Path) -> None:
    with bench(tmp_path) as journal:
        with pytest.raises(
            BatchRefused, match=r"not released; release it with station profile release .* or try it with --tri"
        ) as refused:
            gate(journal, profile)
        assert refused.value.say == Say("profile_unreleased", profile="widget-boron")
        assert gate(journal, profile, as_trial=True) == TRIAL


def test_the_screen_refuses_a_batch_of_an_unreleased_profile_in_its_own_language(profile: Path, tmp_path: Path) -> None:
    with line_bench(tmp_path / "line") as bench:
        bench.stop()
        bench.settings["gate"] = lambda journal, clock: ReleaseGate(journal, clock, as_trial=False)
        bench.start()
        mark = bench.mark()
        bench.command(OpenBatch("B1", str(profile)))
        refused = bench.wait_for(CommandRefused, since=mark)
    assert isinstance(refused, CommandRefused)
    assert {language: load(language).line(refused.say) for language in ("en", "de", "zh")} == {
        "en": "Profile widget-boron is not released. Type another one.",
        "de": "Profil widget-boron ist nicht freigegeben. Ein anderes eingeben.",
        "zh": "配置 widget-boron 尚未发布。请输入别的配置。",
    }
    assert "station profile release" in refused.reason, "the record says how"


def test_the_doctor_says_whether_the_line_takes_a_profile(
    profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> str:
        command = ["doctor", "--no-cloud", "--profile", str(profile), "--data-dir", str(tmp_path / "data")]
        main(command)
        (line,) = [line for line in capsys.readouterr().out.splitlines() if " release " in line]
        return " ".join(line.split())

    assert said().startswith(f"STOP release {profile}: revision 1 of widget-boron is not released; release it with")
    assert release(profile, "0417") == 0
    capsys.readouterr()
    assert said() == "ok release widget-boron revision 1 was released by 0417"
    profile.write_text(TEXT + "# another text\n", encoding="utf-8")
    assert said().startswith(f"STOP release {profile}: revision 1 of widget-boron was released by 0417 with another")


def test_a_line_that_came_with_the_file_is_kept_in_the_journal_and_needed_no_more(
    profile: Path, tmp_path: Path
) -> None:
    assert release(profile, "0417", "--data-dir", str(tmp_path / "office")) == 0
    with bench(tmp_path) as journal:
        assert gate(journal, profile) == gate(journal, profile, as_trial=True) == "0417"
        place_of_line(profile).unlink()
        assert gate(journal, profile) == "0417"
        assert [row.kind for row in journal.entries()] == ["ProfileReleased"]


def test_a_text_changed_after_its_release_is_refused_and_no_line_written_by_hand_helps(
    profile: Path, tmp_path: Path
) -> None:
    assert release(profile, "0417", "--data-dir", str(tmp_path / "office")) == 0
    with bench(tmp_path) as journal:
        assert gate(journal, profile) == "0417"
        profile.write_text(TEXT + "# changed\n", encoding="utf-8")
        with pytest.raises(BatchRefused, match="released by 0417 with another text; raise revision to 2"):
            gate(journal, profile)
        forged = Release(load_profile(profile).ref, "0417", SimulatedClock().utc())
        place_of_line(profile).write_text(line_of(forged) + "\n", encoding="utf-8")
        with pytest.raises(BatchRefused, match="with another text"):
            gate(journal, profile)
        assert gate(journal, profile, as_trial=True) == TRIAL


@pytest.mark.parametrize("line", ["garbage", "widget-boron revision 1 sha256 00 released by 1 at 2026", "\x00\xff"])
def test_a_line_that_nobody_wrote_so_is_told(line: str, profile: Path, tmp_path: Path) -> None:
    place_of_line(profile).write_text(line, encoding="utf-8")
    with bench(tmp_path) as journal, pytest.raises(BadInput, match=re.escape(f"{place_of_line(profile)} line 1")):
        gate(journal, profile)


def test_station_run_refuses_before_anything_is_opened(
    profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTICLE_TOKEN", "t0ken")
    config = tmp_path / "station.toml"
    config.write_text('[cloud]\nurl = "http://127.0.0.1:9"\n[firmware]\nfolders = ["."]\n[data]\ndir = "data"\n')
    assert main(["run", "--headless", "--config", str(config), "--profile", str(profile), "--batch", "B"]) == 2
    assert "is not released" in capsys.readouterr().err
    with JournalReader(tmp_path / "data" / "journal") as journal:
        assert journal.batches() == ()


def test_every_attempt_names_whose_release_held_when_it_began(profile: Path, tmp_path: Path) -> None:
    at, ref = SimulatedClock().utc(), load_profile(profile).ref
    with bench(tmp_path) as journal:
        for number, held in enumerate(("", TRIAL, "0417")):
            journal.record(
                BatchOpened(at=at, batch=Batch("B", ref, None, held)),
                BatchOpened(at=at, batch=Batch("B-other", ref, None, "0999")),
                AttemptStarted(
                    at=at,
                    slot=1,
                    attempt=f"a-{number}",
                    device_id=f"{number:024x}",
                    batch="B",
                    profile="p",
                    port_path="1-1",
                    steps=(),
                ),
            )
        assert [one.release for one in journal.attempts("B")] == ["", TRIAL, "0417"]
        assert [one.batch.release for one in journal.batches()] == ["0417", "0999"]
        with (tmp_path / "log.csv").open("w", newline="") as file:
            export(journal, "B", file)
    with (tmp_path / "log.csv").open(newline="") as file:
        assert [row["Profile Released By"].lstrip("'") for row in csv.DictReader(file)] == ["", TRIAL, "0417"]


@pytest.mark.parametrize(("change", "held"), [("", SHIPPED), ("# mine\n", TRIAL)])
def test_the_demo_tells_its_own_profiles_from_yours(
    change: str, held: str, profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile.write_text(TEXT + change, encoding="utf-8")
    demo = [
        "demo",
        "--headless",
        "--once",
        "--units",
        "1",
        "--profile",
        str(profile),
        "--data-dir",
        str(tmp_path / "d"),
    ]
    assert main(demo) == 0
    assert ("revision 1 TRIAL" in capsys.readouterr().out) == (held == TRIAL)
    export_it = [
        "log",
        "export",
        "--batch",
        "demo-widget-boron",
        "--format",
        "jsonl",
        "--data-dir",
        str(tmp_path / "d"),
    ]
    assert main(export_it) == 0
    assert json.loads(capsys.readouterr().out)["released_by"] == held
    assert main(["batch", "list", "--data-dir", str(tmp_path / "d")]) == 0
    assert f"revision 1, {held}" in capsys.readouterr().out

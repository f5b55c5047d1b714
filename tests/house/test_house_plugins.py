"""A step of somebody else's package: one file, found in order, schema, refusals, screen, journal and export."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from line_bench import BORON, Recipe, line_bench

from station.cli.main import main
from station.engine.events import Measured, StepStarted
from station.engine.walk import Lane
from station.errors import BadInput
from station.export import export
from station.model import Verdict
from station.settings.profile import Kind, Profile, parse_profile
from station.steps.table import StepTable
from station.words.languages import load

TOYS = Path(__file__).with_name("toys")


@pytest.fixture
def plugged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy is installed: its file and its entry point are on the path. Where."""
    place = tmp_path / "site"
    info = place / "toy-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(TOYS / "burn_in.py", place)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n", encoding="utf-8")
    points = "[station.steps]\nburn_in = burn_in:SPEC\n[station.languages]\nen = burn_in:WORDS\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(place)
    return place


class Warm(Recipe):
    """A profile that speaks of the toy."""

    most_c = 60

    def text(self) -> str:
        return f"{super().text()}\n[burn_in]\nmost_c = {self.most_c}\n[steps.burn_in]\nlimit_s = 30\n"

    def profile(self) -> Profile:
        return parse_profile(self.text().encode(), f"{self.id}.toml", StepTable.found().rules)


class TooWarm(Warm):
    most_c = 2


@pytest.mark.usefixtures("plugged_in")
def test_it_stands_in_the_order_of_both_kinds_behind_its_predecessor_and_before_the_last_look() -> None:
    for kind in Kind:
        plans = {plan.name: plan for plan in StepTable.found().plans_without(kind, (), {})}
        assert (plans["burn_in"].after, plans["burn_in"].lane) == (("setup_done",), Lane.UNIT)
        assert "burn_in" in plans["online"].after  # which asks the unit, and nobody else may speak to it then
    assert "burn_in" not in {plan.name for plan in StepTable.found().plans(BORON.profile())}


@pytest.mark.usefixtures("plugged_in")
def test_its_section_is_in_the_schema_and_its_mistakes_are_told_with_their_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", "schema"]) == 0
    assert "The highest temperature in degrees Celsius." in capsys.readouterr().out
    file = tmp_path / "warm.toml"
    file.write_text(Warm("boron").text().replace("most_c = 60", "most_c = 600\nleast_c = 3"), encoding="utf-8")
    assert main(["profile", "check", str(file)]) == 2
    told = capsys.readouterr().err
    assert "line 25, [burn_in] most_c: expected" in told
    assert "from 0 to 100, found 600" in told
    assert "[burn_in] least_c" in told


@pytest.mark.usefixtures("plugged_in")
def test_its_measurement_is_on_the_screen_in_the_journal_and_in_the_export(tmp_path: Path) -> None:
    with line_bench(tmp_path / "bench", Warm("boron")) as bench:
        walk = bench.walk(bench.finished_unit(bench.recipes[0]))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        started = [e for e in walk.events if isinstance(e, StepStarted) and e.step == "burn_in"]
        assert [e.title for e in started] == ["Burn-in"]
        told = [e.measurement for e in walk.events if isinstance(e, Measured) and e.step == "burn_in"]
        assert [(m.name, m.value, m.unit, m.high) for m in told] == [("temperature", 4.0, "degC", 60.0)]
        with bench.reader() as journal:
            steps = {step.step: step for step in journal.steps(walk.finished.attempt or "")}
            assert list(steps["burn_in"].measurements) == told
            sheet = io.StringIO()
            export(journal, bench.recipes[0].batch, sheet)
        (row,) = csv.DictReader(io.StringIO(sheet.getvalue().lstrip("\ufeff")))
        assert row["burn_in"] == "already"


@pytest.mark.usefixtures("plugged_in")
def test_its_refusal_fails_the_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path / "bench", TooWarm("boron")) as bench:
        walk = bench.walk(bench.finished_unit(bench.recipes[0]))
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "burn_in")
        sentence = load("en").say(walk.finished.say)
        assert sentence is not None
        assert sentence.lines == ("4 degrees, too warm.", "Let it cool.")
        assert load("de").line(walk.finished.say) == "4 degrees, too warm. Let it cool."  # no German from that package


ASKING = """
import burn_in

def __getattr__(name):
    if name == "STEP":
        print("asked for STEP")
        return burn_in.SPEC
    raise AttributeError(name)
"""


@pytest.mark.parametrize(
    "words",
    [
        ["profile", "schema"],
        ["profile", "check", "developer"],  # two platforms
        ["doctor", "--no-cloud", "--profile", "boron-product", "--profile", "argon-product"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_command_asks_packages_for_their_steps_once(words: list[str], plugged_in: Path, tmp_path: Path) -> None:
    """In an interpreter of its own, as modules stay loaded."""
    (plugged_in / "asking.py").write_text(ASKING, encoding="utf-8")
    points = next(plugged_in.glob("*/entry_points.txt"))
    points.write_text("[station.steps]\nburn_in = asking:STEP\n", encoding="utf-8")
    paths = {"PYTHONPATH": str(plugged_in), "XDG_DATA_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "station", *words]
    ran = subprocess.run(command, env={**os.environ, **paths}, capture_output=True, text=True, check=False)
    assert "burn_in" not in ran.stderr
    assert ran.stdout.count("asked for STEP") == 1, ran.stderr


def test_the_doctor_names_a_step_that_cannot_be_loaded(plugged_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    next(plugged_in.glob("*/entry_points.txt")).write_text(
        "[station.steps]\nburn_in = burn_in:NONE\n", encoding="utf-8"
    )
    assert main(["doctor", "--no-cloud"]) == 1
    assert "STOP  firmware     the step burn_in (burn_in:NONE) cannot be loaded" in capsys.readouterr().out


def test_a_profile_that_speaks_of_a_step_nobody_brings_is_refused() -> None:
    with pytest.raises(BadInput, match="burn_in"):
        Warm("boron").profile()

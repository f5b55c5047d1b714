"""The README says what is true: its commands exist, its files are read, and no verb is missing."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from support.house_tools import ROOT
from support.known_steps import load_profile, steps_of

from drivers.clock import SimulatedClock
from drivers.virtual.faults import parse_fault
from station.cli.main import main, parser
from station.firmware.sections import DeviceOs, Firmware
from station.journal import JOURNAL_FILE, Journal
from station.model import VERDICT_WORD, Verdict
from station.paths import find_profile
from station.settings.config import load_config
from station.steps.app_test import AppTest
from station.steps.local_test import LocalTest

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```(\w+)\n(.*?)^ *```$", README, re.DOTALL | re.MULTILINE)
SHELL = [line.partition("  #")[0].strip() for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
PROSE = re.sub(r"^ *```.*?^ *```$", "", README, flags=re.DOTALL | re.MULTILINE)
SPANS = re.findall(r"`([^`\n]+)`", PROSE)
COMMANDS = [words for words in dict.fromkeys([*SHELL, *SPANS]) if re.match(r"(station|make) ", words)]
STATION = [words for words in COMMANDS if words.startswith("station ")]


def tomls() -> list[str]:
    return [text for kind, text in BLOCKS if kind == "toml"]


@pytest.mark.parametrize("command", STATION)
def test_every_station_command_is_one(command: str) -> None:
    words = shlex.split(command)[1:]
    if words[-1] == "--help":
        with pytest.raises(SystemExit) as left:
            parser().parse_args(words)
        assert left.value.code == 0
        return
    parsed = parser().parse_args(words)
    assert callable(parsed.run)
    for spec in getattr(parsed, "fault", []):
        assert parse_fault(spec)


@pytest.mark.parametrize("command", [words for words in COMMANDS if words.startswith("make ")])
def test_every_make_command_is_a_target(command: str) -> None:
    target = command.split()[1]
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_verb_and_every_target_for_people_is_named() -> None:
    help_text = parser().format_help()
    verbs = re.findall(r"^    (\w+) ", help_text, re.MULTILINE)
    assert set(verbs) >= {"demo", "run", "identify", "log", "batch", "profile", "udev", "doctor"}
    assert not [verb for verb in verbs if not any(words.split()[1] == verb for words in STATION)]
    for target in ("setup", "demo", "test", "check", "rules", "mutants", "simulate", "bench"):
        assert f"make {target}" in README


def test_the_profile_in_it_makes_a_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "first.toml"
    file.write_text(next(text for text in tomls() if "[device_os]" in text), encoding="utf-8")
    assert main(["profile", "check", str(file)]) == 0
    assert "SoftDevice" in capsys.readouterr().out
    profile, full = load_profile(file), load_profile(ROOT / "profiles/boron-product.toml")
    assert profile.id == full.id
    assert profile.section(DeviceOs) == full.section(DeviceOs) is not None
    assert profile.sections(Firmware) == full.sections(Firmware) != ()
    assert [plan.name for plan in steps_of(profile)] == [plan.name for plan in steps_of(full)]


def test_the_tests_in_it_are_those_of_the_shipped_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, full = tmp_path / "tested.toml", find_profile("boron-tested")
    example = next(text for text in tomls() if "[[app_test]]" in text)
    file.write_text(full.read_text(encoding="utf-8").partition("# Each [[app_test]]")[0] + example, encoding="utf-8")
    profile, shipped = load_profile(file), load_profile(full)
    (row,) = profile.sections(AppTest)
    assert row.limits == {key: shipped.sections(AppTest)[0].limits[key] for key in row.limits}
    assert profile.sections(LocalTest) == shipped.sections(LocalTest)
    assert main(["profile", "check", str(file)]) == 0
    assert "app_test" in capsys.readouterr().out


def test_the_station_file_in_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text("".join(text for text in tomls() if "[slots]" in text or "[bench]" in text), encoding="utf-8")
    config = load_config(file)
    ports = [f"pci-0000:00:14.0-usb-0:2.{number}" for number in (1, 2)]
    assert (config.station_id, [slot.port_path for slot in config.slots]) == ("bench-3", ports)
    assert config.firmware_folders == (tmp_path / "firmware",)


def test_every_section_of_a_profile_is_explained() -> None:
    shipped = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "profiles").glob("*.toml"))
    keys = set(re.findall(r"^\[+(\w+)", shipped, re.MULTILINE))
    assert keys >= {"product", "device_os", "firmware", "wifi", "cloud", "name", "label", "steps"}
    assert not [key for key in keys if f"| `[{key}" not in README]


def test_files_and_folders_it_names_exist() -> None:
    named = [span for span in SPANS if re.fullmatch(r"(station|drivers|tests|profiles|udev)/[\w./]*", span)]
    assert len(named) > 5
    assert not [name for name in named if not (ROOT / name).exists()]


def test_it_is_short_enough_to_be_read() -> None:
    assert len(PROSE.split()) < 3150


def test_every_verdict_is_explained_once_with_its_code_and_its_word() -> None:
    for verdict in Verdict:
        assert PROSE.count(f"| `{verdict.name}` | {VERDICT_WORD[verdict]} |") == 1


VIRTUAL_BORON = ("demo", "--headless", "--once", "--units", "1", "--profile", "boron-product")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ((*VIRTUAL_BORON,), 0),
        ((*VIRTUAL_BORON, "--fault", "unit=1,do=wrong-label"), 1),
        ((*VIRTUAL_BORON, "--fault", "nonsense"), 2),
        (("identify", "--virtual", "boron"), 0),
        (("log", "find", "nobody", "--data-dir", "{data}"), 1),
        (("log", "export", "--batch", "none", "--data-dir", "{data}"), 2),
        (("batch", "list", "--data-dir", "{data}/none"), 2),
        (("profile", "check", "boron-product"), 0),
        (("profile", "check", "boron-product", "--held", "6.3.4"), 0),
        (("profile", "check", "{downgrade}", "--held", "6.3.4"), 2),
        (("udev", "print"), 0),
        (("doctor", "--no-cloud", "--profile", "{downgrade}", "--config", "{config}", "--data-dir", "{data}"), 1),
        (("batch", "open", "B2", "--profile", "boron-product", "--data-dir", "{damaged}"), 3),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, tuple) else str(value),
)  # fmt: skip
def test_the_exit_status_is_the_one_it_says(words: tuple[str, ...], status: int, tmp_path: Path) -> None:
    places = {name: tmp_path / name for name in ("data", "damaged", "downgrade", "config")}
    Journal.open(places["data"] / "journal", "bench", SimulatedClock()).close()
    (places["damaged"] / "journal").mkdir(parents=True)
    (places["damaged"] / "journal" / JOURNAL_FILE).write_bytes(b"no database at all" * 100)
    older = find_profile("developer").read_text(encoding="utf-8").replace("allow_downgrade = true", "")
    places["downgrade"].write_text(older, encoding="utf-8")
    places["config"].write_text('[firmware]\nfolders = ["nowhere"]\n', encoding="utf-8")
    assert main([word.format(**places) for word in words]) == status

"""``station unit``: a technician's commands, by the verbs of the steps, on virtual units of every age."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from station.cli.main import main


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any, str]:
    """Run one verb with ``--json``; return its status, what it wrote, and what it told on standard error."""
    status = main(["unit", *arguments, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out else None, err


BY_PORT = "; only its port tells that it is the same unit"
"""Said of a unit that restarted and shows the USB serial string of every unit (usb-and-serial 2.4)."""


@pytest.fixture(autouse=True)
def no_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.mark.parametrize("unit", ["photon@0.5.5", "electron@3.3.1", "argon@1.4.4", "boron@6.3.4", "p2@6.3.4"])
@pytest.mark.parametrize(
    ("verb", "mode", "text"),
    [
        ("dfu", "dfu", "in DFU mode"),
        ("listen", "application", "in listening mode"),
        ("reset", "application", "restarted"),
        ("safe", "application", "restarted for safe mode"),
    ],
)
def test_a_unit_is_brought_into_a_mode(
    unit: str, verb: str, mode: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told, err = run(verb, "--virtual", unit, capsys=capsys)
    doubt = BY_PORT if unit == "photon@0.5.5" and text.startswith("restarted") else ""
    assert (status, told["text"], told["mode"], err) == (0, text + doubt, mode, "")


def test_what_is_plugged_in_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    status, rows, _ = run("list", "--virtual", "boron@6.3.4", "--virtual", "photon@2.3.1", capsys=capsys)
    assert status == 0
    assert [(row["port"], row["platform"], row["mode"]) for row in rows] == [
        ("1-1", "Boron", "application"), ("1-2", "Photon", "application"),
    ]  # fmt: skip
    assert all(len(row["device_id"]) == 24 for row in rows)


@pytest.mark.parametrize("how", ["port", "device", "slot"])
def test_one_of_several_units_is_named(how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    units = ("--virtual", "boron@6.3.4", "--virtual", "argon@6.3.4")
    _, rows, _ = run("list", *units, capsys=capsys)
    config = tmp_path / "station.toml"
    config.write_text('[slots]\n7 = "1-2"\n')
    named = {
        "port": ("--port", "1-2"), "device": ("--device", rows[1]["device_id"].upper()),
        "slot": ("--slot", "7", "--config", str(config)),
    }  # fmt: skip
    status, told, _ = run("info", *units, *named[how], capsys=capsys)
    assert (status, told["platform"], told["port"]) == (0, "Argon", "1-2")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "2 units are plugged in, on ports 1-1, 1-2; name one with --port, --slot or --device"),
        (("--port", "1-9"), "no unit on port 1-9; there are units on port 1-1, 1-2"),
        (("--slot", "3"), "slot 3 has no port in the config file; name the unit with --port"),
        (("--device", "e" * 24), f"no unit with Device ID {'e' * 24}; there are units on port 1-1, 1-2"),
        (("--device", "12"), "'12' is no Device ID (24 hexadecimal digits) or serial number; check its label"),
        (
            ("--device", "P044AB123456789"),
            "no unit with serial number P044AB123456789; there are units on port 1-1, 1-2",
        ),
    ],
)
def test_a_unit_that_is_not_there_is_said_in_a_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run("dfu", "--virtual", "boron", "--virtual", "argon", *arguments, capsys=capsys)
    assert (status, err) == (2, f"station: {sentence}\n")


def test_a_light_shouts_and_is_quiet_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("shout", "--virtual", "boron@6.3.4", capsys=capsys)[0] == 0
    assert run("shout", "--off", "--virtual", "boron@6.3.4", capsys=capsys)[0] == 0


@pytest.mark.parametrize(
    ("verb", "unit", "sentence"),
    [
        ("shout", "photon@0.5.5", "request START_NYAN_SIGNAL (230) was not sent"),
        ("env", "boron@6.3.4", "request ENV_GET (600) was not sent"),
    ],
)
def test_what_a_unit_is_too_old_for_is_said_in_a_sentence(
    verb: str, unit: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told, _ = run(verb, "--virtual", unit, capsys=capsys)
    assert (status, told["done"]) == (1, False)
    assert sentence in told["text"]


@pytest.mark.parametrize("unit", ["photon@0.5.5", "electron@1.0.1", "boron@6.3.4", "p2@6.3.4"])
def test_the_console_is_shown_without_the_secret(unit: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, told, _ = run("console", "v", "i", "c", "--virtual", unit, capsys=capsys)
    assert status == 0
    assert told["console"]["v"] == unit.partition("@")[2]
    assert told["console"]["i"]["device_id"] == told["device_id"]
    assert told["console"]["i"].get("secret", "***") == "***"
    if unit == "photon@0.5.5":
        assert "does not have it" in told["console"]["c"]


@pytest.mark.parametrize(
    ("unit", "outcome"), [("boron@3.3.1", "already"), ("boron@6.3.4", "skipped"), ("photon@2.3.1", "skipped")]
)
def test_the_setup_flag_is_set_by_the_step(unit: str, outcome: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, told, _ = run("setup-done", "--virtual", unit, capsys=capsys)
    assert (status, told["outcome"]) == (0, outcome)


def profile(tmp_path: Path, low: float = 0.1) -> str:
    path = tmp_path / "test.toml"
    path.write_text(
        'id = "test"\nrevision = 1\nkind = "developer"\nplatforms = ["boron"]\n'
        '[cloud]\nclaim = true\n[name]\ntemplate = "{serial}"\nfallback = "{id6}"\n'
        f'[app_test]\nrequest = "selftest"\nlimits.vbat = {{ min = {low}, max = 9.0, unit = "V" }}\n'
    )
    return str(path)


@pytest.mark.parametrize(("low", "outcome"), [(0.1, "already"), (8.9, "failed")])
def test_the_application_is_tested_by_the_step(
    low: float, outcome: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told, _ = run(
        "test", "--profile", profile(tmp_path, low), "--virtual", "boron@6.3.4:selftest", capsys=capsys
    )
    assert (status, told["outcome"]) == (int(outcome == "failed"), outcome)
    (value,) = told["values"]
    assert (value["name"], value["is_out"]) == ("vbat", outcome == "failed")
    assert (f"vbat {value['value']} V" in told["text"]) is (outcome == "failed")


def test_values_are_shown_with_their_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["unit", "test", "--profile", profile(tmp_path, 8.9), "--virtual", "boron@6.3.4:selftest"]
    assert main(command) == 1
    shown = capsys.readouterr()
    assert re.fullmatch(r"  vbat  [0-9.]+ V  \(8\.9\.\.9\)  OUT\n", shown.out)
    assert "wants 8.9 to 9 V" in shown.err


def test_an_application_without_a_handler_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told, _ = run("test", "--profile", profile(tmp_path), "--virtual", "boron@6.3.4", capsys=capsys)
    assert (status, told["done"]) == (1, False)
    assert "answers no such question" in told["text"]


@pytest.mark.parametrize("verb", ["list", "info", "reset", "wifi"])
def test_a_computer_without_units_is_told_from_one_whose_units_nobody_can_list(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(verb, "--virtual", "boron:dark", capsys=capsys)
    assert (status, err) == (1, "station: no Particle unit is plugged in; see: station doctor\n")
    status, _, err = run(verb, "--usb", "usbip://127.0.0.1:1", capsys=capsys)
    assert (status, err) == (
        3, "station: usbip://127.0.0.1:1: no server of units answers there; start station virtual serve\n",
    )  # fmt: skip


def test_a_unit_that_does_not_say_who_it_is_is_listed_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    _, rows, _ = run("list", "--virtual", "photon@0.4.9:normal", "--virtual", "boron", capsys=capsys)
    assert [bool(row["device_id"]) for row in rows] == [False, True]
    assert "hold its SETUP button" in rows[0]["fault"]


@pytest.mark.parametrize("verb", ["shout", "setup-done", "console", "env", "wifi"])
def test_a_verb_that_needs_the_firmware_says_how_to_leave_dfu_mode(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told, _ = run(verb, "--virtual", "boron:dfu", capsys=capsys)
    assert (status, told["mode"], told["done"]) == (1, "dfu", False)
    assert told["text"] == "it is in DFU mode, where it cannot do that; restart it with: station unit reset"


def test_every_reading_key_of_the_console_is_typed_if_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unit", "console", "--virtual", "boron@6.3.4:normal"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["v", "i", "m", "s", "c"]
    assert lines[1:] == [line for line in lines[1:] if not set("{}'") & set(line)], "no Python is shown to people"
    with pytest.raises(SystemExit, match="2"):
        main(["unit", "console", "q", "--virtual", "boron"])
    assert "'q' prints nothing that is read; keys are v i m s c" in capsys.readouterr().err


def test_a_profile_of_another_platform_tests_no_unit(capsys: pytest.CaptureFixture[str]) -> None:
    status, told, _ = run("test", "--profile", "boron-tested", "--virtual", "p2@6.3.4:selftest", capsys=capsys)
    assert (status, told["text"]) == (1, "boron-tested is for Boron, this is a unit of Photon 2 / P2")


@pytest.mark.rule("H3")
@pytest.mark.parametrize("start", ["normal", "listening", "safe", "flooding"])
@pytest.mark.parametrize("unit", ["photon@0.5.5", "photon@0.6.4", "electron@0.6.4", "boron@6.3.4"])
def test_safe_mode_is_reached_from_any_mode(unit: str, start: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, told, err = run("safe", "--virtual", f"{unit}:{start}", capsys=capsys)
    assert (status, told["text"], err) == (0, f"restarted for safe mode{BY_PORT * (unit == 'photon@0.5.5')}", "")


def test_hands_that_do_not_come_are_said_with_what_was_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    status, told, err = run("reset", "--virtual", "photon@0.4.9:normal", capsys=capsys)
    assert (status, err) == (1, "port 1-1: Hold SETUP. Let go at DARK BLUE. Light: blinking dark blue.\n")
    assert told["text"].endswith("hold its SETUP button until the light blinks dark blue; nobody did that in time")
    assert main(["identify", "--virtual", "photon@0.4.9:normal", "--json"]) == 1
    one = json.loads(capsys.readouterr().out)
    assert one["values"]["device_id"]["missing"] == "not asked", "it is not in DFU mode"

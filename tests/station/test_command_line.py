"""What a person at the command line is told, and the exit status: 2 bad usage or configuration, 3 the station."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import io
import itertools
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.journal_story import at, identified, opened, pending, started, unit_id
from support.journal_story import walked as walked_units

from drivers.clock import SimulatedClock
from drivers.virtual.synthetic import softdevice
from station.cli.main import main
from station.cli.typed_scans import MAX_SCAN_BYTES, scans
from station.engine.records import UnitFacts
from station.journal import Journal
from station.model import IdentityFact, Verdict
from station.paths import find_profile, shipped_profiles

ONCE = ("demo", "--headless", "--once", "--units", "1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--units", "1001"), "1 to 32 slots"),
        (("--units", "many"), "1 to 32 slots"),
        (("--cloud-down-for", "-3"), "seconds from 0 on"),
        (("--cloud-down-for", "nan"), "seconds from 0 on"),
        (("--factory-os", "9.9.9"), "6.3.4"),
        (("--fault", "unit=1,do=explode"), "wrong-label"),
        (("--firmware", "/no/such/folder"), "no such folder"),
        (("--export", "/no/such/folder/log.csv"), "no such folder"),
        (("--profile", "/no/such/profile.toml"), "boron-product"),
    ],
)
def test_bad_usage_ends_with_2_and_one_sentence(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main((*ONCE, *words))
    except SystemExit as left:  # what argparse finds out by itself
        status = int(left.code or 0)
    told = capsys.readouterr().err
    assert status == 2
    assert said in told
    assert "Traceback" not in told


def test_a_disk_that_takes_no_firmware_is_the_stations_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "units"
    blocked.write_text("a file where the folder should be")
    assert main((*ONCE, "--data-dir", str(tmp_path))) == 3
    assert str(blocked) in capsys.readouterr().err


def test_a_reader_who_leaves_early_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "station", *ONCE, "--json"],
            stdout=closed, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


def test_virtual_hands_let_a_unit_that_came_back_be_walked_again(capsys: pytest.CaptureFixture[str]) -> None:
    """A power cut tears the page; the unit returns by itself and passes, instead of being pulled half-way."""
    assert main((*ONCE, "--json", "--profile", "argon-product", "--fault", "unit=1,at=dfu-write:20,do=torn")) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["verdict"] for one in told if one["kind"] == "AttemptFinished"] == ["ABORTED", "PASS"]
    assert told[-1]["kind"] == "BatchSummary"
    assert told[-1]["units"] == {"PASS": 1}


def test_an_ordered_fault_that_no_unit_came_to_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    happens, never, nobody = "unit=1,at=control:5,do=slow,for=1", "at=dfu-write:9999,do=torn", "unit=9,do=wrong-label"
    faults = [word for spec in (happens, never, nobody) for word in ("--fault", spec)]
    assert main((*ONCE, "--profile", "argon-product", *faults)) == 0
    told = capsys.readouterr().err
    assert never in told
    assert nobody in told
    assert happens not in told


@pytest.mark.parametrize("name", ["", "a b", "=cmd", "x\ny", "../x", "B" * 41, "-B"])
def test_a_batch_is_called_by_a_name_that_can_be_scanned(name: str, tmp_path: Path) -> None:
    assert main(("batch", "open", "--profile", "boron-product", "--data-dir", str(tmp_path), "--", name)) == 2
    assert not list(tmp_path.glob("*.db"))


def test_an_export_of_an_unknown_batch_leaves_the_file_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--data-dir", str(tmp_path / "data"))
    assert main(("batch", "open", "B-1", "--profile", "boron-product", "--target", "5", *place)) == 0
    log = tmp_path / "log.csv"
    log.write_text("last week")
    assert main(("log", "export", "--batch", "B-2", "-o", str(log), *place)) == 2
    assert "B-1" in capsys.readouterr().err
    assert log.read_text() == "last week"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "log.csv"]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_log_of_a_batch_is_exported_later_as_it_was_at_the_end_of_the_run(form: str, tmp_path: Path) -> None:
    at_the_end, later = tmp_path / "end.csv", tmp_path / f"later.{form}"
    assert main((*ONCE, "--profile", "boron-product", "--data-dir", str(tmp_path), "--export", str(at_the_end))) == 0
    place = ("--data-dir", str(tmp_path))
    assert main(("log", "export", "--batch", "demo-widget-boron", "--format", form, "-o", str(later), *place)) == 0
    if form == "csv":
        assert later.read_text() == at_the_end.read_text()
    else:
        rows = [json.loads(line) for line in later.read_text().splitlines()]
        assert [row["verdict"] for row in rows] == ["PASS"]


def test_several_batches_are_exported_into_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = ("--profile", "boron-product", "--profile", "argon-product", "--units", "2")
    assert main((*ONCE, *both, "--data-dir", str(tmp_path))) == 0
    capsys.readouterr()
    batches = ("--batch", "demo-widget-boron", "--batch", "demo-widget-argon")
    assert main(("log", "export", *batches, "--data-dir", str(tmp_path))) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_closing_a_batch_where_no_journal_is_makes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("batch", "close", "NOPE", "--data-dir", str(tmp_path / "brandnew"))) == 2
    assert "no journal in" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_batches_of_another_stations_journal_are_opened_and_closed_as_that_station(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--data-dir", str(tmp_path / "data"))
    ours, theirs = tmp_path / "ours.toml", tmp_path / "theirs.toml"
    ours.write_text('[station]\nid = "bench-3"\n')
    theirs.write_text('[station]\nid = "bench-4"\n')
    assert main(("batch", "open", "B-1", "--profile", "boron-product", *place, "--config", str(ours))) == 0
    assert main(("batch", "open", "B-2", "--profile", "boron-product", *place)) == 0
    assert main(("batch", "close", "B-1", *place)) == 0
    assert main(("batch", "close", "B-2", *place, "--config", str(theirs))) == 3
    assert "holds the journal of station bench-3, this is bench-4" in capsys.readouterr().err
    assert main(("batch", "list", *place)) == 0
    assert [line.split()[4] for line in capsys.readouterr().out.splitlines()] == ["closed", "open"]


# --- looking a unit up ---------------------------------------------------------------------------

SECRET = "Zq7-kT4_pL2+wX9"


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A data directory after one Boron, and its row in the export."""
    folder = tmp_path_factory.mktemp("walked")
    log = folder / "log.csv"
    assert main((*ONCE, "--profile", "boron-product", "--data-dir", str(folder), "--export", str(log))) == 0
    with log.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    return folder, row


@pytest.mark.parametrize("column", ["Device ID", "Serial", "ICCID", "IMEI", "Attempt"])
def test_a_unit_is_found_by_every_id_as_the_export_writes_it(
    column: str, walked: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, row = walked
    assert main(("log", "find", row[column], "--data-dir", str(folder))) == 0
    assert row["Device ID"] in capsys.readouterr().out


@pytest.mark.parametrize("column", ["Device ID", "Serial", "ICCID", "IMEI"])
def test_a_unit_is_found_by_the_last_digits_of_every_id(
    column: str, walked: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, row = walked
    assert main(("log", "find", row[column][-4:], "--data-dir", str(folder))) == 0
    said = capsys.readouterr().out
    assert row["Device ID"] in said
    assert "final_check" in said  # the only one: its whole story


def test_of_several_units_with_the_same_last_digits_each_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), *walked_units("a-1", 1, Verdict.FAIL), identified("a-1", 1, serial="P044AB1114567"))
        journal.record(started("b-1", 2), identified("b-1", 2, serial="P044AB2224567", iccid="89310410106543789301"))
    assert main(("log", "find", "4567", "--data-dir", str(tmp_path))) == 0
    first, *others = sorted(capsys.readouterr().out.splitlines(), reverse=True)
    assert first == "2 units have an id that ends with 4567; look at one with its whole id"
    second, failed = (line.split() for line in others)
    assert second[:3] == ["boron", "P044AB2224567", unit_id(2)]
    assert second[-4:] == ["not", "finished", "SIM", "89310410106543789301"]
    assert (failed[:3], failed[-1]) == (["boron", "P044AB1114567", unit_id(1)], "FAIL")


def test_the_story_of_a_unit_has_the_newest_value_what_it_was_and_what_nobody_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read = identified("a-1", serial="P044AB1234567", device_os="3.3.1")
    mixed = replace(read, facts=(*read.facts, IdentityFact("serial", "P044AB7654321", "label")))
    updated = UnitFacts(
        at=at(5), slot=3, device_id=unit_id(1), attempt="a-1", facts=(IdentityFact("device_os", "6.3.4", "request 30"),)
    )
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), started("a-1"), mixed, updated)
    assert main(("log", "find", "1234567", "--data-dir", str(tmp_path))) == 0
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["device_os", "6.3.4", "(request", "30)", "was", "3.3.1"] in told
    assert ["serial", "P044AB1234567", "(request", "21)"] in told
    assert ["serial", "P044AB7654321", "(label)", "disputed"] in told


# --- a newcomer's hour ---------------------------------------------------------------------------


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(("--version",))
    assert left.value.code == 0
    assert capsys.readouterr().out == f"station {importlib.metadata.version('provisioning-station')}\n"


@pytest.mark.parametrize(
    ("words", "verbs"),
    [((), ("demo", "run", "doctor")), (("batch",), ("open", "close", "list")), (("log",), ("find", "export")),
     (("profile",), ("check",)), (("udev",), ("print",))],
)  # fmt: skip
def test_a_command_without_a_verb_shows_its_help(
    words: tuple[str, ...], verbs: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"usage: {' '.join(('station', *words))}")
    assert all(f"    {verb} " in told for verb in verbs)


def test_opening_and_closing_a_batch_say_what_they_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ("--data-dir", str(tmp_path))
    assert main(("batch", "open", "B1", "--profile", "boron-product", "--target", "5", *place)) == 0
    opened = capsys.readouterr().out.splitlines()[-1]
    assert opened == "batch B1 is open: widget-boron revision 1, 5 units ordered"
    with Journal.open(tmp_path / "journal", "bench", SimulatedClock()) as journal:
        journal.record(*pending("a-1", "name"))
    assert main(("batch", "close", "B1", *place)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "batch B1 is closed for good: 0/5 PASS, 1 SET ASIDE; FPY –, final yield –, 0 retests",
        "1 job is still owed to the cloud; the next run of the station finishes it",
    ]


@pytest.mark.parametrize("verb", [("profile", "check"), ("demo", "--once", "--units", "1", "--profile")])
def test_a_wrong_hash_or_a_missing_file_names_no_folder_that_is_gone(
    verb: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = find_profile("boron-product").read_text(encoding="utf-8")
    for old, new, said in (
        ("9b67dbeb", "00000000", "the synthetic one this program makes has 9b67dbeb"),
        ("synthetic-boron-widget", "synthetic-boron-gadget", "the synthetic files this program makes"),
    ):
        file = tmp_path / "p.toml"
        file.write_text(text.replace(old, new), encoding="utf-8")
        assert main((*verb, str(file))) == 2
        told = capsys.readouterr().err
        assert said in told
        named = re.findall(r"(?<=[ ,;])/[^ ,;:]+", told.removeprefix(f"station: {file}"))
        assert all(Path(name).exists() or name.endswith(("/firmware", "/firmware-cache")) for name in named), named


def test_a_hint_names_where_the_value_came_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked, config = tmp_path / "file", tmp_path / "station.toml"
    blocked.write_text("")
    config.write_text(f'[data]\ndir = "{blocked}"\n')
    assert main(("batch", "list", "--config", str(config))) == 2
    assert f"name a folder with dir below [data] in {config}" in capsys.readouterr().err
    assert main(("batch", "list", "--config", str(config), "--data-dir", str(blocked))) == 2
    assert "name a folder with --data-dir" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(("profile", "check", "boron-product", "--held", "9.9.9"))
    told = capsys.readouterr().err
    assert "--held" in told
    assert "--virtual" not in told


@pytest.mark.rule("A7")
def test_a_unit_is_found_by_its_whole_label_and_the_secret_on_it_is_not_repeated(
    walked: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, row = walked
    assert main(("log", "find", f"{row['Serial']} {SECRET}", "--data-dir", str(folder))) == 0
    said = capsys.readouterr()
    assert row["Device ID"] in said.out
    assert SECRET not in said.out + said.err


@pytest.mark.rule("A7")
@pytest.mark.parametrize("typed", [f"P044AB9999999 {SECRET}", SECRET, f"'{SECRET}", f"P044AB9999999 {SECRET}x"])
def test_an_id_nobody_has_is_said_back_without_a_secret(
    typed: str, walked: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("log", "find", typed, "--data-dir", str(walked[0]))) == 1
    said = capsys.readouterr()
    assert SECRET not in said.out + said.err
    assert "in this journal" in said.err


# --- profiles ------------------------------------------------------------------------------------


def test_a_profile_is_not_checked_against_a_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("profile", "check", "boron-product", "--firmware", "/nonexist")) == 2
    assert "--firmware /nonexist: no such folder" in capsys.readouterr().err


@pytest.mark.parametrize("path", shipped_profiles(), ids=lambda path: path.stem)
def test_every_shipped_profile_is_planned_and_walked(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("profile", "check", path.stem)) == 0
    assert main((*ONCE, "--profile", path.stem)) == 0
    assert "1 PASS" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.rule("E5")
@pytest.mark.rule("E6")
def test_whoever_claims_units_of_a_product_is_told_once_what_it_is_good_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = find_profile("boron-product").read_text("utf-8")
    claiming = tmp_path / "claiming.toml"
    assert "claim = false" in text
    claiming.write_text(text.replace("claim = false", "claim = true"), "utf-8")
    assert main(("profile", "check", str(claiming))) == 0
    told = capsys.readouterr().out
    assert told.count("note: claim = true.") == 1
    for why in ("Photon or P1 is set up by its SDK", "webhooks are in the owner's sandbox", "a data operation"):
        assert why in told
    assert main(("profile", "check", "boron-product")) == 0
    assert main(("profile", "check", "developer")) == 0
    assert "note: claim" not in capsys.readouterr().out
    assert main(("profile", "schema")) == 0
    assert "webhooks are in the owner's sandbox" in capsys.readouterr().out


def test_the_check_of_a_profile_knows_the_files_a_demo_of_it_finds(tmp_path: Path) -> None:
    """A SoftDevice of another release, which the program makes for trying things out."""
    text = find_profile("argon-product").read_text("utf-8")
    name = "synthetic-argon-softdevice@202.bin"
    lines = text.splitlines(keepends=True)
    file = softdevice(12, 202)
    assert file.name == name
    other = f'    {{ file = "{name}", sha256 = "{hashlib.sha256(file.data).hexdigest()}" }},\n'
    mixed = tmp_path / "mixed.toml"
    mixed.write_text("".join(other if "softdevice" in line else line for line in lines), "utf-8")
    assert main(("profile", "check", str(mixed))) == 0
    assert main((*ONCE, "--profile", str(mixed))) == 0


def test_a_release_that_cannot_be_put_on_a_unit_ends_the_check_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its bootloader the release does not start: the unit holds an older one."""
    lines = find_profile("argon-product").read_text("utf-8").splitlines(keepends=True)
    lacking = tmp_path / "lacking.toml"
    lacking.write_text("".join(line for line in lines if "bootloader" not in line), "utf-8")
    assert main(("profile", "check", str(lacking))) == 2
    assert "refused: " in capsys.readouterr().out


# --- before a bench starts -----------------------------------------------------------------------

RUN = ("run", "--headless", "--profile", "boron-product", "--batch", "B-1")


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, "run: station login, or set PARTICLE_TOKEN"),
        ("", "run: station login, or set PARTICLE_TOKEN"),
        ("s3cret\x07", "no token has"),
        ("s3 cret", "no token has"),
    ],
)
def test_a_bench_without_a_usable_token_does_not_start(
    token: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARTICLE_TOKEN", raising=False)
    if token is not None:
        monkeypatch.setenv("PARTICLE_TOKEN", token)
    assert main((*RUN, "--data-dir", str(tmp_path / "data"))) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "PARTICLE_TOKEN" in told
    assert "s3" not in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("away", [("--no-cloud",), ()])
def test_the_doctor_says_why_the_clock_was_not_compared(
    away: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTICLE_TOKEN", "some-token")
    config = tmp_path / "station.toml"
    config.write_text('[cloud]\nurl = "http://127.0.0.1:9"\n')
    main(("doctor", *away, "--config", str(config), "--data-dir", str(tmp_path)))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if " clock " in line]
    assert "not compared with the cloud's: " in line
    assert ("was not asked" if away else "no answer") in line


# --- what reaches a terminal ---------------------------------------------------------------------


def test_a_name_that_would_move_the_cursor_is_told_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("doctor", "--config", "/no/\x1b[2J\u202egnirts.toml")) == 2
    told = capsys.readouterr().err
    assert told.rstrip("\n").isprintable()
    assert "gnirts.toml" in told


def test_a_terminal_of_another_encoding_gets_escapes_and_the_whole_story(tmp_path: Path) -> None:
    text = find_profile("boron-product").read_text("utf-8")
    accented = tmp_path / "accented.toml"
    accented.write_text(re.sub(r'title = ".*?"', 'title = "WIDG\u00c9T"', text), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "station", *ONCE, "--profile", str(accented)], capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"WIDG\xc9T" in done.stdout
    assert b"1 PASS in " in done.stdout


def test_every_line_of_a_scanner_is_one_scan_whatever_bytes_it_holds() -> None:
    typed = b"P044AB1234567\r\n\xff\xfeP044\n\n  \n" + b"x" * 1_000_000 + b"\nOP:0417"
    found = list(scans(io.BytesIO(typed)))
    assert found == ["P044AB1234567", "\ufffd\ufffdP044", "x" * MAX_SCAN_BYTES, "OP:0417"]


def test_a_demo_without_a_screen_takes_every_line_of_standard_input_for_a_scan() -> None:
    command = [sys.executable, "-m", "station", "demo", "--json", "--units", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdin is not None
        assert demo.stdout is not None
        demo.stdin.write("OP:0042\n")
        demo.stdin.flush()
        told = map(json.loads, itertools.islice(demo.stdout, 20_000))
        assert any(event.get("operator") == "0042" for event in told if event["kind"] == "OperatorChanged")
        demo.terminate()
        demo.communicate()

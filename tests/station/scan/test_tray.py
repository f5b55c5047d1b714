"""Tray lists of any layout: identities are told by their form, everything else is left (A16)."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.journal_story import opened, unit_id, walked

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.journal import Journal
from station.model import Verdict
from station.scan.tray import read_tray

ID = "e00fce68aabbccddeeff0011"
DIGITS = "890143211118510720123456"  # 24 of them: a Device ID, though it begins like an ICCID
ICCID, SERIAL = "89014103211118510720", "P044AB926ABCDEF"


def read(text: str) -> list[tuple[int, str, str, str]]:
    return [
        (one.line, str(one.device_id or ""), str(one.serial or ""), str(one.iccid or "")) for one in read_tray(text)
    ]


@pytest.mark.rule("A16")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{ID},{SERIAL},{ICCID}\r\n", [(1, ID, SERIAL, ICCID)]),
        (f"Device ID\tSerial\tICCID\r\n{ID.upper()}\t{SERIAL.lower()}\t{ICCID}F", [(2, ID, SERIAL, ICCID)]),
        (f'"3";"Boron";"{ICCID}";"{SERIAL}";"{ID}";"2026-11-24"', [(1, ID, SERIAL, ICCID)]),
        (f"box 17 | {DIGITS} | tray 4", [(1, DIGITS, "", "")]),
        (f"{ID}\n\n{ICCID}\n{SERIAL}\n", [(1, ID, "", ""), (3, "", "", ICCID), (4, "", SERIAL, "")]),
        ("898600000000000001", [(1, "", "", "898600000000000001")]),  # the shortest the vendor's own tool takes
        ("E31KABC12345678\nT40MABC12345678", [(1, "", "E31KABC12345678", "")]),  # known model codes only
        (f"{ID}0 x{ICCID} {ICCID}00 {SERIAL}X BRN404XTRAY50 8.90141E+19 20261124", []),
        (f"{ID} {DIGITS}", [(1, ID, "", "")]),
        ("", []),
    ],
)
def test_ids_iccids_and_serial_numbers_are_taken_by_their_form(
    text: str, found: list[tuple[int, str, str, str]]
) -> None:
    assert read(text) == found


@pytest.mark.rule("A16")
def test_a_list_is_compared_with_the_units_that_were_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, file = tmp_path / "data", tmp_path / "tray-17.csv"
    with Journal.open(data / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), *walked("pass", 1), *walked("bad", 2, Verdict.FAIL))
    command = ["log", "tray", str(file), "--data-dir", str(data)]
    file.write_bytes(f"\ufeffNo,Device ID\r\n1,{unit_id(1).upper()}\r\n2,{unit_id(2)}\r\n".encode())
    assert main(command) == 0
    first, second, end = capsys.readouterr().out.splitlines()
    assert (first.split()[-1], second.split()[-1], end) == ("PASS", "FAIL", "2 of 2 were here")
    file.write_text(f"{unit_id(1)}\n{unit_id(9)}\n", encoding="utf-8")
    assert main(command) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [f"  line 2: {unit_id(9)} was not here", "1 of 2 were here"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"\xff\xfe\x00\xd8", "is no text in UTF-8"), (b"a,b\r\n", "names no unit")],
)
def test_a_file_that_is_no_tray_list_is_refused_in_one_sentence(
    content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "list").write_bytes(content)
    assert main(["log", "tray", str(tmp_path / "list"), "--data-dir", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err

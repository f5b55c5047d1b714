"""Lists of trays and SIM cards in any layout: identities are told by their form, everything else is left (A16)."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.journal_story import identified, opened, started, unit_id, walked

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.errors import BadInput
from station.journal import Journal
from station.model import Verdict
from station.scan.lists import MAX_BYTES, MAX_LINES, read_list, units_of

ID = "e00fce68aabbccddeeff0011"
DIGITS = "890143211118510720123456"  # 24 of them: a Device ID, though it begins like an ICCID
ICCID, SERIAL, IMEI = "89014103211118510720", "P044AB926ABCDEF", "357520000000000"


def read(text: str) -> list[tuple[int, str, str, str]]:
    found = read_list(text.encode())
    return [
        (one.number, str(one.device_id or ""), str(one.serial or ""), str(one.iccid or ""))
        for one in found
        if one.numbers
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
        (f"{ID} {ID.upper()}", [(1, ID, "", "")]),  # the same one twice
        (f'="{ICCID}"\t\'{SERIAL}\t‘{ID}’', [(1, ID, SERIAL, ICCID)]),  # how people keep a spreadsheet from counting
        (f"{ICCID}.0;{DIGITS}.00", [(1, DIGITS, "", ICCID)]),
        ("8901 4103 2111 1851 0720, e00fce68 aabbccdd eeff0011", [(1, ID, "", ICCID)]),  # as printed
        (f"{ICCID} 1", [(1, "", "", ICCID)]),  # the box is no 21st digit
        (f"\u200b{ID}\xa0;\u2009{SERIAL}\ufeff", [(1, ID, SERIAL, "")]),  # copied from a web page
        *(
            (f"{mark}{ID}\u202c;{SERIAL[:4]}{mark}{SERIAL[4:]}", [(1, ID, SERIAL, "")])  # of a system's own windows
            for mark in ("\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2069", "\u061c", "\u2063", "\u034f")
        ),
        (f"{ID}\r{DIGITS}\n\r\n{SERIAL}", [(1, ID, "", ""), (2, DIGITS, "", ""), (4, "", SERIAL, "")]),
        (f"{SERIAL} ABCDEFGHIJKLMNO", [(1, "", SERIAL, "")]),  # a scanned label with its secret
        (f"348012345678901234,{ICCID}", [(1, "", "", ICCID)]),  # the number of the carton beside that of the SIM
        ("", []),
    ],
)
def test_ids_iccids_and_serial_numbers_are_taken_by_their_form(
    text: str, found: list[tuple[int, str, str, str]]
) -> None:
    assert read(text) == found


@pytest.mark.rule("A11")
@pytest.mark.rule("A16")
def test_fifteen_digits_are_an_imei_and_no_serial_number() -> None:
    (line,) = read_list(f"Electron;{IMEI}".encode())
    assert (str(line.imei), line.serial, line.iccid) == (IMEI, None, None)


@pytest.mark.parametrize(
    "encoded",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("latin-1"),
    ],
    ids=["utf-8", "utf-8 bom", "utf-16 le bom", "utf-16 be bom", "utf-16 le", "utf-16 be", "latin-1"],
)
def test_a_list_is_read_in_the_encoding_a_spreadsheet_gave_it(encoded: object) -> None:
    (line,) = read_list(encoded(f"Gerät;SIM\r\n{ID};{ICCID}\r\n"))  # type: ignore[operator]
    assert (line.number, line.numbers) == (2, (ID, ICCID))


@pytest.mark.rule("A16")
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("8.96E+19", "8.96E+19 is a number that a spreadsheet destroyed; format the column as text and export the "
         "list again"),
        ("8,96E+19;x", "8,96E+19 is a number that a spreadsheet destroyed; format the column as text and export the "
         "list again"),
        ("4,8.96E+19,x", "8.96E+19 is a number that a spreadsheet destroyed; format the column as text and export the "
         "list again"),
        ("89014103211118500000", "89014103211118500000 is a number that a spreadsheet destroyed; format the column as"
         " text and export the list again"),
        ("890143211118510000000000", "890143211118510000000000 is a number that a spreadsheet destroyed; format the "
         "column as text and export the list again"),
        (ID[:-1], f"{ID[:-1]} has 23 hexadecimal digits, expected the 24 of a Device ID"),
        (ID + "0", f"{ID}0 has 25 hexadecimal digits, expected the 24 of a Device ID"),
        ("eOOfce68aabbccddeeff0011", "eOOfce68aabbccddeeff0011 has the letter O, expected the 24 hexadecimal digits of"
         " a Device ID"),
        ("89014103211118510720123", "89014103211118510720123 has 23 digits, expected 24 of a Device ID"),
        ("89014103211118510", "89014103211118510 has 17 digits, expected 19 to 21 of an ICCID"),
        (SERIAL[:-1], f"{SERIAL[:-1]} has 14 characters, expected the 15 of a serial number"),
    ],
)  # fmt: skip
def test_what_only_looks_like_an_identity_is_told_as_what_it_is(text: str, fault: str) -> None:
    assert [(line.number, line.numbers, line.fault) for line in read_list(text.encode())] == [(1, (), fault)]


@pytest.mark.parametrize(
    ("text", "numbers", "fault"),
    [
        (f"{ID} {DIGITS}", (), "names 2 Device IDs, expected one unit a line"),
        (f"{SERIAL};P044AB926ABCDEG", (), "names 2 serial numbers, expected one unit a line"),
        (f"{ICCID};89014103211118510721", (), "names 2 ICCIDs, expected one SIM card a line"),
        (f"{ID};8.96E+19", (ID,), "8.96E+19 is a number that a spreadsheet destroyed; format the column as text and"
         " export the list again"),
    ],
)  # fmt: skip
def test_a_line_that_names_two_of_a_kind_names_none(text: str, numbers: tuple[str, ...], fault: str) -> None:
    (line,) = read_list(text.encode())
    assert (line.numbers, line.fault) == (numbers, fault)


def test_a_round_number_with_its_check_digit_is_an_iccid() -> None:
    good = next(f"8901410321111{two:02}0000" for two in range(100) if read(f"8901410321111{two:02}0000"))
    assert read(good) == [(1, "", "", good)]
    assert len([two for two in range(100) if read(f"8901410321111{two:02}0000")]) == 10


def test_headings_are_left_and_what_stands_between_units_without_naming_one_is_told() -> None:
    lines = read_list(f"Order 4711\nNo,Device ID\n1,{ID}\n,,\n2,missing\n\nTotal 2\n".encode())
    assert [(line.number, line.numbers) for line in lines] == [(3, (ID,)), (5, ()), (7, ())]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04rest", "is an Excel or LibreOffice workbook; save its list as CSV or text"),
        (b"\xd0\xcf\x11\xe0", "is an old Excel workbook"),
        (b"%PDF-1.7", "is a PDF"),
        (b"\xff\xfe\x00\xd8", "is no text in UTF-16"),
        (b"\x01\x00\x02\x00\x00\x00\x03\x00", "is no text"),
        (b"1\n" * MAX_LINES, f"has {MAX_LINES + 1} lines, expected at most {MAX_LINES}"),
        (b" " * (MAX_BYTES + 1), "is longer than the 8 MiB"),
    ],
)
def test_what_is_no_list_is_refused_in_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_list(data)
    assert str(refused.value).startswith(said)
    assert len(refused.value.sentences) == 1


@given(st.binary(max_size=300) | st.text(alphabet="0189aAeEfFP,.;\t\"'=+ \r\n\0é", max_size=200).map(str.encode))
def test_nothing_but_a_refusal_comes_of_any_bytes(data: bytes) -> None:
    with contextlib.suppress(BadInput):
        for line in read_list(data):
            assert line.number >= 1


@pytest.mark.parametrize("text", ["0" * 1_000_000, "a" * 1_000_000, "1.1E+" * 200_000, "0" * 999_999 + ".0x"])
def test_an_endless_word_is_no_identity_and_is_repeated_nowhere(text: str) -> None:
    """Whoever compares each of its characters with all behind it reads it for hours."""
    assert [line for line in read_list(text.encode()) if line.numbers or len(line.fault) > 200] == []


UNITS = st.lists(
    st.tuples(
        st.from_regex(r"[0-9a-f]{24}", fullmatch=True).filter(lambda text: not text.endswith("000")),
        st.from_regex(r"89[0-9]{17,19}", fullmatch=True).filter(lambda text: not text.endswith("000")),
        st.from_regex(r"P044[A-Z]{2}[A-Z0-9]{9}", fullmatch=True),
    ),
    min_size=1, max_size=8,
)  # fmt: skip
LAYOUTS = st.tuples(
    st.sampled_from([",", ";", "\t", " , ", "|", " "]), st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["{}", '"{}"', "'{}", '="{}"']), st.permutations([0, 1, 2]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]), st.booleans(),
)  # fmt: skip


@given(UNITS, LAYOUTS)
def test_units_written_in_any_layout_are_read_back(
    units: list[tuple[str, str, str]], layout: tuple[str, str, str, list[int], str, bool]
) -> None:
    between, end, quoted, order, encoding, is_upper = layout
    rows = [between.join(quoted.format(unit[place]) for place in order) for unit in units]
    text = end.join([between.join(["Device ID", "SIM", "Serial"]), *rows, ""])
    found = read_list((text.upper() if is_upper else text).encode(encoding))
    assert [(str(one.device_id), str(one.iccid), str(one.serial)) for one in found] == units
    assert [one.number for one in found] == list(range(2, len(units) + 2))


# --- station log tray ------------------------------------------------------------------------------


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


def test_lines_that_repeat_a_unit_count_once_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, file = tmp_path / "data", tmp_path / "tray"
    with Journal.open(data / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), *walked("pass", 1), *walked("bad", 2, Verdict.FAIL))
    file.write_text(f"{unit_id(1)}\n{unit_id(2)}\n{unit_id(1).upper()}\n{unit_id(9)}\n{unit_id(9)}\n", encoding="utf-8")
    assert main(["log", "tray", str(file), "--data-dir", str(data)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == "2 of 3 were here; 2 lines named a unit again"
    assert len(out) == 4


def test_a_line_with_the_numbers_of_two_units_counts_as_neither(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, file = tmp_path / "data", tmp_path / "tray"
    with Journal.open(data / "journal", "bench-1", SimulatedClock()) as journal:
        serials = {1: "P044AB1234567AA", 2: "P044AB7654321AA"}
        read = [identified(name, number, serial=serials[number]) for name, number in (("one", 1), ("two", 2))]
        journal.record(opened(), started("one", 1), read[0], started("two", 2), read[1])
    for text, why in (
        (f"{unit_id(1)},{serials[2]}\n", f"names {serials[2]}, but {unit_id(1)} was here with serial number"),
        (
            f"{unit_id(1)},{serials[1]}\n{unit_id(2)},{serials[1]}\n",
            "line 1 names the same unit with another Device ID",
        ),
    ):
        file.write_text(text, encoding="utf-8")
        assert main(["log", "tray", str(file), "--data-dir", str(data)]) == 1
        assert why in capsys.readouterr().out


# --- units of a list -------------------------------------------------------------------------------

PAIRS = [(f"e00fce680000000000000{n:03d}", f"P044AB00000{n:04d}") for n in range(1, 5)]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["id", "serial", "both"])), max_size=12))
def test_each_unit_of_a_true_list_is_there_once_or_told_as_mixed(rows: list[tuple[int, str]]) -> None:
    """Nothing a list says of a unit again makes two of it; a unit is two only until a line names both its numbers."""
    words = {"id": "{0}", "serial": "{1}", "both": "{0} {1}"}
    lines = read_list("\n".join(words[kind].format(*PAIRS[unit]) for unit, kind in rows).encode())
    found = units_of(lines)
    assert len(found.firsts) + len(found.repeats) + len(found.crossed) == len(lines)
    for number, first in found.repeats.items():
        assert rows[number - 1][0] == rows[first.number - 1][0]
    for number in found.crossed:  # it joins two lines that stood for two units until then
        assert rows[number - 1][1] == "both"


@given(st.permutations(range(5)))
def test_of_two_units_that_a_list_mixes_no_line_is_believed_in_any_order(order: list[int]) -> None:
    (one, its), (two, _), (three, other), *_ = PAIRS
    rows = [f"{one} {its}", f"{two} {its}", two, f"{three} {other}", three]
    found = units_of(read_list("\n".join(rows[row] for row in order).encode()))
    sure = {line.number for line in found.firsts} - found.doubted.keys()
    assert {order[number - 1] for number in sure} <= {3, 4}
    assert len(sure) == 1


@given(st.integers(0, 3), st.integers(0, 3))
def test_a_device_id_and_a_serial_number_of_two_units_are_never_one(one: int, two: int) -> None:
    text = f"{PAIRS[0][0]} {PAIRS[0][1]}\n{PAIRS[1][0]} {PAIRS[1][1]}\n{PAIRS[one][0]} {PAIRS[two][1]}\n"
    assert bool(units_of(read_list(text.encode())).crossed) is (one != two and {one, two} & {0, 1} != set())


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"\xff\xfe\x00\xd8", "is no text in UTF-16"), (b"a,b\r\n", "names no unit")],
)
def test_a_file_that_is_no_tray_list_is_refused_in_one_sentence(
    content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "list").write_bytes(content)
    assert main(["log", "tray", str(tmp_path / "list"), "--data-dir", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.rule("A16")
@pytest.mark.parametrize("serial", ["ARNKABZWH23LJTD", "PHTNABCTH1EP12Y", "P044AB75GAD2J26"])
def test_serial_numbers_of_platforms_without_skus_are_read_too(serial: str) -> None:
    (line,) = read_list(f"{serial}\n".encode())
    assert line.numbers == (serial,)

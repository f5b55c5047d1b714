"""``station barcodes``: what is drawn is read by another program, and by our own grammar, as what it says."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import zxingcpp
from line_bench import BORON, line_bench
from support.screen_story import Story

from station.cli.barcodes import COMMANDS
from station.cli.main import main
from station.scan.codes import code_of
from station.scan.sheet import COLUMNS, ROWS

SVG = "{http://www.w3.org/2000/svg}"
OPTIONS = (
    "--badge", "0417", "--badge", "QA.12-b", "--batch", "2026-11-22-A", "--batch", "b" * 40, "--lot", "2231-A",
    "--lot", "ANT=2231-A",
)  # fmt: skip
CODES = [
    "CMD:RETRY", "CMD:LIGHT", "CMD:STOP", "CMD:REPRINT", "OP:0417", "OP:QA.12-b", "BATCH:2026-11-22-A",
    f"BATCH:{'b' * 40}", "LOT:2231-A", "LOT:ANT=2231-A",
]  # fmt: skip
DOTS = 4


def sheet(tmp_path: Path, name: str, *options: str) -> str:
    assert main(["barcodes", *options, "-o", str(tmp_path / name)]) == 0
    return (tmp_path / name).read_text(encoding="utf-8")


def pictures(text: str) -> list[ElementTree.Element]:
    """Every picture in a sheet that holds one code."""
    found = re.findall(r"<svg x=.*?</svg></svg>", text, re.DOTALL)
    return [
        ElementTree.fromstring(one.replace("<svg x", '<svg xmlns="http://www.w3.org/2000/svg" x', 1)) for one in found
    ]


def read(picture: ElementTree.Element) -> str:
    """Draw the strokes of a picture as dots, and read them with another program than the one that drew them."""
    inner = picture.find(f"{SVG}svg")
    assert inner is not None
    size = int(inner.attrib["viewBox"].split()[2])
    dark = [[False] * size for _ in range(size)]
    for path in inner.iter(f"{SVG}path"):
        if path.attrib.get("stroke", "").lower() not in ("#000", "black", ""):
            continue
        x = y = 0.0
        for sign, numbers in re.findall(r"([Mmh])([^Mmh]*)", path.attrib["d"]):
            values = [float(one) for one in re.findall(r"-?[0-9.]+", numbers)]
            if sign == "M":
                x, y = values
            elif sign == "m":
                x, y = x + values[0], y + values[1]
            else:
                for column in range(int(x), int(x + values[0])):
                    dark[int(y)][column] = True
                x += values[0]
    rows = [[0 if one else 255 for one in row for _ in range(DOTS)] for row in dark for _ in range(DOTS)]
    image = memoryview(bytes(dot for row in rows for dot in row)).cast("B", (size * DOTS, size * DOTS))
    (found,) = zxingcpp.read_barcodes(image)
    return found.text


@pytest.mark.parametrize("name", ["sheet.svg", "sheet.html"])
def test_another_reader_reads_every_code_that_was_drawn(tmp_path: Path, name: str) -> None:
    assert [read(one) for one in pictures(sheet(tmp_path, name, *OPTIONS))] == CODES


def test_below_each_code_stands_what_it_is(tmp_path: Path) -> None:
    root = ElementTree.fromstring(sheet(tmp_path, "sheet.svg", *OPTIONS).partition("\n")[2])
    told = [text.text for text in root.iter(f"{SVG}text")]
    assert told[1::2] == CODES
    assert told[0:10:2] == ["retry", "light", "stop", "print the label again", "op 0417"]


def test_the_commands_are_those_that_screen_and_line_obey(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        assert {*Story(1).app()._keys_to_scan, *bench.station.line._scans._commands} == set(COMMANDS)
    assert all(code_of(f"CMD:{command}") == ("CMD", command) for command in COMMANDS)


def test_more_codes_than_a_page_holds_go_to_the_next(tmp_path: Path) -> None:
    badges = [option for number in range(COLUMNS * ROWS) for option in ("--badge", f"{number:04}")]
    assert sheet(tmp_path, "sheet.html", *badges).count('class="page"') == 2
    text = sheet(tmp_path, "sheet.svg", *badges)
    assert text.count('class="page"') == 1
    assert len(pictures(text)) == len(COMMANDS) + COLUMNS * ROWS
    assert 'height="594mm"' in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--badge", "0417 Smith"), "no badge"), (("--badge", ""), "no badge"), (("--batch", "B 1"), "B 1"),
        (("--batch", "<b>"), "letters"), (("--lot", "a b"), "LOT"),
    ],
)  # fmt: skip
def test_a_code_that_a_scan_could_not_mean_is_refused(
    tmp_path: Path, options: tuple[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["barcodes", *options, "-o", str(tmp_path / "sheet.svg")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "sheet.svg").exists()


def test_a_file_of_another_form_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["barcodes", "-o", str(tmp_path / "sheet.png")]) == 2
    assert ".svg" in capsys.readouterr().err

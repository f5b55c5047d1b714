"""The customer's verifier and files made to break it: a sentence and exit status 1, and good files never suffer."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.export import verifier

EXAMPLE = Path(__file__).parent / "data" / "passport.json"
Checked = Callable[..., tuple[int, str, str]]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Checked:
    """Run the verifier on files; return exit status, output and complaints."""

    def run(*files: Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["verify_log.py", *map(str, files)])
        status = verifier.main()
        return status, *capsys.readouterr()

    return run


def zipped(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, content in members:
            folder.writestr(name, content)
    return path


def sealed_by_nobody(body: str) -> str:
    entry = verifier.hash_of("s", 1, "t", "BatchSealed", body, "0" * 64)
    return "\t".join(("s", "1", "t", "BatchSealed", body, entry)) + "\n"


def nested(left: str, right: str, depth: int) -> str:
    return f'{{"form":"{verifier.PASSPORT}","x":{left * depth}1{right * depth}}}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (nested("[", "]", 990), ": "),  # Python 3.11 reads it, and cannot write it again; 3.13 can
        (nested('{"a":', "}", 9000), "it is nested deeper"),
        (sealed_by_nobody("[" * 50_000), "it is nested deeper"),
        (sealed_by_nobody("[]"), "list indices"),
        (nested("", "", 0).replace("1}", "9" * 5000 + "}"), ": "),
        (nested("", "", 0).replace("1}", "NaN}"), "signature does not fit"),
        (nested("", "", 0).replace("1}", '"\\ud800"}'), "surrogates"),
        ("", "there is no entry in it"),
    ],
    ids=["lists", "objects", "a log", "a list for a seal", "long number", "no number", "half a pair", "empty"],
)  # fmt: skip
def test_a_crafted_file_is_a_sentence_and_no_proof(text: str, said: str, tmp_path: Path, checked: Checked) -> None:
    path = tmp_path / "crafted"
    path.write_text(text, encoding="utf-8")
    status, output, complaint = checked(path)
    assert (status, output) == (1, "")
    assert complaint.startswith(f"{path}: ")
    assert said in complaint


def test_many_names_in_a_passport_take_no_longer_than_its_bytes() -> None:
    pairs = [(f"{number:x}", number) for number in range(200_000)]  # each compared with each, it would take minutes
    assert verifier.once(pairs) == dict(pairs)
    with pytest.raises(ValueError, match="two values of the name 0"):
        verifier.once([*pairs, ("0", 1)])


@pytest.mark.parametrize("places", [((6, 1), (8, 1)), ((8, 99), (10, 99))], ids=["locked", "packed by no known method"])
def test_a_zip_nobody_can_open_is_a_sentence(
    places: tuple[tuple[int, int], ...], tmp_path: Path, checked: Checked
) -> None:
    path = zipped(tmp_path / "all.zip", ("one.json", EXAMPLE.read_bytes()))
    content = bytearray(path.read_bytes())
    (at, value), (beyond, other) = places  # in the header of the file, and in the list at the end
    content[at] |= value
    content[content.find(b"PK\x01\x02") + beyond] |= other
    path.write_bytes(content)
    status, _, complaint = checked(path)
    assert status == 1
    assert complaint.startswith(f"{path}: ")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_of_a_zip_ends_the_verifier(data: st.DataObject, tmp_path: Path, checked: Checked) -> None:
    path = zipped(tmp_path / "all.zip", ("one.json", EXAMPLE.read_bytes()))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    status, output, complaint = checked(path)
    assert status == bool(complaint)
    assert complaint or output.startswith(str(path))


def test_what_else_lies_in_a_zip_or_a_folder_speaks_against_no_passport(tmp_path: Path, checked: Checked) -> None:
    """Explorer and zip -r put the folder itself in, a Mac a file beside each."""
    beside = ("__MACOSX/in/._one.json", b"\0\5\x16\7"), ("in/.DS_Store", b"\0"), ("in/read me.txt", b"ours")
    path = zipped(tmp_path / "all.zip", ("in/", b""), ("in/one.JSON", EXAMPLE.read_bytes()), *beside)
    assert checked(path)[::2] == (0, "")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "one.json").write_bytes(EXAMPLE.read_bytes())
    (folder / "._one.json").write_bytes(b"\0\5\x16\7")
    status, output, complaint = checked(folder)
    assert (status, complaint, output.count("PASS")) == (0, "", 1)


def test_a_zip_that_is_full_of_other_things_is_no_proof(tmp_path: Path, checked: Checked) -> None:
    path = zipped(tmp_path / "all.zip", ("in/", b""), ("read me.txt", b"ours"))
    assert checked(path) == (1, "", f"{path}: there is no passport in it\n")


def test_nothing_in_a_file_or_a_name_commands_the_terminal(tmp_path: Path, checked: Checked) -> None:
    path = tmp_path / "\x1b[2J\u202elog"
    batch = "\x1b[31mB1\r\u202eall good"
    path.write_text(sealed_by_nobody(json.dumps({"key": "00", "signature": "00", "batch": batch})), encoding="utf-8")
    status, output, complaint = checked(path)
    assert (status, output) == (1, "")
    assert complaint[:-1].isprintable()


def test_a_name_that_a_code_page_lacks_makes_no_passport_a_bad_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "合格.json"
    path.write_bytes(EXAMPLE.read_bytes())
    screen = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "argv", ["verify_log.py", str(path)])
    monkeypatch.setattr(sys, "stdout", screen)
    assert verifier.main() == 0
    screen.seek(0)
    assert "\\u5408\\u683c.json: " in screen.read()

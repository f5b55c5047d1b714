"""A device passport says what the journal says, and one changed field, another key or a cut file is found."""

from __future__ import annotations

import ast
import io
import json
import zipfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.house_tools import run_python
from support.journal_story import at, finished, identified, opened, pending, started, step, unit_id

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.engine.events import StationStarted
from station.engine.records import UnitFacts
from station.export import export, find_exporter, verifier
from station.export.passport import MOST_BYTES, passport
from station.journal import Journal, JournalReader
from station.journal.batch_seal import Signer, fingerprint, seal_key
from station.journal.passport_rows import told_of
from station.model import Batch, IdentityFact, Outcome, ProfileRef, Verdict

SERIAL, ICCID, IMEI, HASH = "P044AB1234567", "89310410106543789301", "358227158716661", "ab" * 32


def facts(attempt: str, *told: tuple[str, str, str]) -> UnitFacts:
    return UnitFacts(at=at(3), device_id=unit_id(1), attempt=attempt, facts=tuple(IdentityFact(*one) for one in told))


def story() -> list[Any]:
    """Unit 1 fails, then passes as the second attempt in batch B1; somebody renames it afterwards."""
    held = (
        ("module bootloader", f"3200 {HASH}", "module info"), ("module asset", "", "module info"),
        ("protection_intended", "open", "profile"), ("protection", "open", "request 76"),
        ("imei", IMEI, "request 88"), ("imei", "490154203237518", "label"),  # the first of them was believed
    )  # fmt: skip
    return [
        StationStarted(at=at(), station_id="bench-1", slots=(), operator="0417", program="1.2.3"),
        started("a-1"), identified("a-1", serial=SERIAL), step("a-1", outcome=Outcome.FAILED),
        finished("a-1", Verdict.FAIL, reason="no"),
        started("a-2"), identified("a-2", serial=SERIAL, iccid=ICCID), facts("a-2", *held), step("a-2"),
        finished("a-2"), facts("a-9", ("name", "renamed later", "cloud"), ("module bootloader", "9", "module info")),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("place")
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened("B0"), started("a-0", batch="B0"), finished("a-0"))  # counts in no passport of B1
        journal.record(opened(), *story(), *pending("a-3", "device_os", unit=2))
        journal.record(started("a-4", None), finished("a-4", Verdict.ERROR, None), started("a-5", 3))
    return place


@pytest.fixture(scope="module")
def made(place: Path) -> bytes:
    """The passport of unit 1."""
    with JournalReader(place / "journal") as journal, journal.snapshot() as db:
        attempt, record = journal.attempt("a-2"), journal.batch("B1")
        assert attempt is not None
        told = told_of(db, attempt)
        assert told is not None
        return passport(told, record, Signer(seal_key(journal.directory)))


def key_of(place: Path) -> str:
    return fingerprint(Signer(seal_key(place / "journal")).public_key())


def test_a_passport_says_what_the_attempt_was_and_nothing_that_came_later(made: bytes, place: Path) -> None:
    said = verifier.checked_passport(made, key_of(place))
    profile = opened().batch.profile
    assert {name: said[name] for name in ("verdict", "batch", "slot", "attempts", "attempt", "operator", "lots")} == {
        "verdict": "PASS", "batch": "B1", "slot": 3, "attempts": 2, "attempt": "a-2", "operator": "0417", "lots": [],
    }  # fmt: skip
    assert said["identities"] == {
        "device_id": [unit_id(1), ""], "platform": ["boron", "identify"],
        "serial": [SERIAL, "request 21"], "iccid": [ICCID, "request 21"], "imei": [IMEI, "request 88"],
    }  # fmt: skip
    assert said["modules"] == {"bootloader": ["3200", HASH, "module info"]}
    assert said["protection"] == {"intended": "open", "observed": "open"}
    assert said["profile"] == {"id": profile.id, "revision": 7, "sha256": profile.sha256, "released_by": ""}
    assert (said["station"]["id"], said["station"]["version"]) == ("bench-1", "1.2.3")
    assert (said["started"], said["finished"]) == ("2026-01-05T06:00:00.000+00:00", "2026-01-05T06:00:09.000+00:00")
    with JournalReader(place / "journal") as journal:
        (entry,) = [row for row in journal.entries() if row.kind == "AttemptFinished" and "a-2" in row.body]
    assert (said["entry"], said["hash"]) == (entry.seq, entry.hash)


def test_the_folder_of_passports_has_one_of_each_unit_with_a_verdict_always_the_same(place: Path) -> None:
    contents = []
    for _ in range(2):
        file = io.BytesIO()
        with JournalReader(place / "journal") as journal:
            assert export(journal, "B1", file, find_exporter("passports")) == 2
        contents.append(file.getvalue())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(io.BytesIO(contents[0])) as folder:
        said = [verifier.checked_passport(folder.read(name), key_of(place)) for name in folder.namelist()]
        assert folder.namelist() == [f"{unit_id(1)}-B1.json", f"{unit_id(2)}-B1.json"]
    assert [one["verdict"] for one in said] == ["PASS", "PENDING"]


def test_all_attempts_have_a_passport_each(place: Path) -> None:
    file = io.BytesIO()
    with JournalReader(place / "journal") as journal:
        assert export(journal, "B1", file, find_exporter("passports"), all_attempts=True) == 3
    with zipfile.ZipFile(file) as folder:
        said = [verifier.checked_passport(folder.read(name), "") for name in folder.namelist()]
    assert [(one["attempt"], one["verdict"]) for one in said] == [("a-1", "FAIL"), ("a-2", "PASS"), ("a-3", "PENDING")]


def test_the_program_that_checks_it_is_python_of_old() -> None:
    assert ast.parse(Path(verifier.__file__).read_text(encoding="utf-8"), feature_version=(3, 9)).body


# --- what is found ---


def places() -> list[str]:
    """The place of every value that a full passport has."""
    return [path for path, _ in verifier.values_of(json.loads(EXAMPLE.read_bytes()))]


EXAMPLE = Path(__file__).parent / "data" / "passport.json"
"""As an early version of the station signed it: it has to be checked for ever."""


def test_a_passport_of_an_earlier_station_still_holds(capsys: pytest.CaptureFixture[str]) -> None:
    said = verifier.checked_passport(EXAMPLE.read_bytes(), "fff2-70ed-56f2-e238")
    assert said["identities"]["iccid"][0] == "89883075542405366176"


@pytest.mark.parametrize("path", places())
def test_a_changed_value_is_named(path: str) -> None:
    body = json.loads(EXAMPLE.read_bytes())
    *way, last = path.split(".")
    at_ = body
    for name in way:
        at_ = at_[name]
    old = at_[last]
    at_[last] = old + 1 if isinstance(old, int) else [*old, "x"] if isinstance(old, list) else f"{old}x"
    with pytest.raises(ValueError, match="changed") as caught:
        verifier.checked_passport(json.dumps(body).encode(), "")
    assert path in str(caught.value)


@settings(max_examples=40)
@given(st.data())
def test_any_other_value_anywhere_is_named(data: st.DataObject) -> None:
    body = json.loads(EXAMPLE.read_bytes())
    path = data.draw(st.sampled_from([one for one in places() if one != "form"]))
    *way, last = path.split(".")
    at_ = body
    for name in way:
        at_ = at_[name]
    values = st.one_of(st.text(max_size=20), st.integers(), st.booleans(), st.none(), st.lists(st.text(max_size=3)))
    at_[last] = data.draw(values.filter(lambda one: type(one) is not type(at_[last]) or one != at_[last]))
    with pytest.raises(ValueError, match="changed after it was signed") as caught:
        verifier.checked_passport(json.dumps(body).encode(), "")
    assert str(caught.value).endswith(f": {path}")


@settings(max_examples=60)
@given(st.data())
def test_any_flipped_bit_of_a_passport_is_found(data: st.DataObject) -> None:
    content = bytearray(EXAMPLE.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError):  # noqa: PT011  each says something else; that it is found is the point
        verifier.checked_passport(bytes(content), "")


def test_a_signature_has_one_form_only() -> None:
    """With the order of the curve added, its second half stands for the same number (RFC 8032, 5.1.7)."""
    body = json.loads(EXAMPLE.read_bytes())
    s = int.from_bytes(bytes.fromhex(body["signature"])[32:], "little") + verifier.ORDER
    body["signature"] = body["signature"][:64] + s.to_bytes(32, "little").hex()
    with pytest.raises(ValueError, match="the signature does not fit"):
        verifier.checked_passport(json.dumps(body).encode(), "")


@settings(max_examples=30)
@given(st.integers(0, len(EXAMPLE.read_bytes()) - 2))
def test_a_cut_passport_is_found(size: int) -> None:
    with pytest.raises(ValueError, match="cut off at character"):
        verifier.checked_passport(EXAMPLE.read_bytes()[:size], "")


def test_values_taken_out_or_put_in_are_told(made: bytes) -> None:
    body = json.loads(made)
    del body["operator"]
    with pytest.raises(ValueError, match="a value was taken out"):
        verifier.checked_passport(json.dumps(body).encode(), "")
    with pytest.raises(ValueError, match=r"changed after it was signed: grade$"):
        verifier.checked_passport(json.dumps(json.loads(made) | {"grade": "A"}).encode(), "")
    twice = made.replace(b'"slot":3', b'"slot":3,"slot":4')
    with pytest.raises(ValueError, match="two values of the name slot"):
        verifier.checked_passport(twice, "")


def test_a_changed_digest_blames_no_value(made: bytes) -> None:
    body = json.loads(made)
    body["check"] = "000000" + body["check"][6:]
    with pytest.raises(ValueError, match="check; all values are as they were signed"):
        verifier.checked_passport(json.dumps(body).encode(), "")


def test_another_key_is_found_also_by_who_signs_a_changed_passport_anew(
    made: bytes, place: Path, tmp_path: Path
) -> None:
    other = Signer(seal_key(tmp_path / "journal"))
    body = json.loads(made)
    body["verdict"], body["station"]["key"] = "PASS", other.public_key()
    body["check"] = verifier.check_of(body)
    body["signature"] = other.signed(verifier.signed_text(body))
    anew = verifier.canonical(body)
    assert verifier.checked_passport(anew, "")["station"]["id"] == "bench-1", "without the fingerprint nobody knows"
    with pytest.raises(ValueError, match=f"not by {key_of(place)}"):
        verifier.checked_passport(anew, key_of(place))
    body["signature"] = json.loads(made)["signature"]
    with pytest.raises(ValueError, match="the signature does not fit"):
        verifier.checked_passport(verifier.canonical(body), "")


# --- what people run ---


def test_the_verb_writes_it_and_the_one_file_checks_it(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program, one, many = tmp_path / "verify.py", tmp_path / "one.json", tmp_path / "all.zip"
    where = ("--data-dir", str(place))
    assert main(["log", "verifier", "-o", str(program)]) == 0
    assert main(["log", "passport", SERIAL, "-o", str(one), *where]) == 0
    assert main(["log", "export", "--batch", "B1", "--format", "passports", "-o", str(many), *where]) == 0
    checked = run_python("-I", "-S", str(program), str(one), str(many), "--key", key_of(place))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert [line.split(": ")[-1].split(",")[0] for line in checked.stdout.splitlines()] == [
        "PASS 2026-01-05T06:00:09.000+00:00 in batch B1", "PASS 2026-01-05T06:00:09.000+00:00 in batch B1",
        "PENDING 2026-01-05T06:00:09.000+00:00 in batch B1",
    ]  # fmt: skip
    one.write_bytes(one.read_bytes().replace(ICCID.encode(), ICCID[:-1].encode() + b"0"))
    checked = run_python("-I", "-S", str(program), str(one))
    assert checked.returncode == 1
    assert checked.stderr == f"{one}: changed after it was signed: identities.iccid\n"
    capsys.readouterr()
    assert main(["log", "passport", unit_id(3), *where]) == 1
    assert "with a verdict in this journal" in capsys.readouterr().err


def test_a_folder_without_a_passport_is_no_proof(tmp_path: Path) -> None:
    checked = run_python("-I", "-S", verifier.__file__, str(tmp_path))
    assert (checked.returncode, checked.stderr) == (1, f"{tmp_path}: there is no passport in it\n")


def test_a_dump_has_to_hold_what_the_passports_beside_it_name(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So also a cut-off end is found, which the chain alone cannot show."""
    dump, one, where = tmp_path / "dump.txt", tmp_path / "one.json", ("--data-dir", str(place))
    assert main(["log", "passport", SERIAL, "-o", str(one), *where]) == 0
    capsys.readouterr()
    assert main(["log", "dump", *where]) == 0
    whole = capsys.readouterr().out
    entry = json.loads(one.read_bytes())["entry"]
    cut = "".join(whole.splitlines(keepends=True)[: entry - 1])
    other = dict(json.loads(one.read_bytes()), hash="0" * 64)
    other["check"], other["signature"] = (
        verifier.check_of(other),
        Signer(seal_key(place / "journal")).signed(verifier.signed_text(other)),
    )
    for text, passport_, said in (
        (whole, one.read_bytes(), ""),
        (cut, one.read_bytes(), f"it ends at entry {entry - 1}, a passport names entry {entry}: it was cut off"),
        (whole, verifier.canonical(other), f"entry {entry} is not the one that a passport names"),
    ):
        dump.write_text(text, encoding="utf-8")
        one.write_bytes(passport_)
        checked = run_python("-I", "-S", verifier.__file__, str(dump), str(one))
        assert checked.returncode == bool(said)
        assert said in checked.stderr


def test_no_unit_makes_its_passport_long(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), started("a-1"), identified("a-1", serial="x" * 5000, name="x" * 5000))
        journal.record(finished("a-1"))
        attempt = journal.attempt("a-1")
        assert attempt is not None
        with journal.snapshot() as db:
            told = told_of(db, attempt)
        assert told is not None
        signer = Signer(seal_key(journal.directory))
        made = passport(told, journal.batch("B1"), signer)
        assert len(made) < MOST_BYTES
        lots = tuple(f"lot-{number:060}" for number in range(50))
        many = replace(told, attempt=replace(attempt, lots=lots))
        said = verifier.checked_passport(made := passport(many, journal.batch("B1"), signer), "")
        assert MOST_BYTES - 80 < len(made) <= MOST_BYTES
        *kept, more = said["lots"]
        assert (tuple(kept), more) == (lots[: len(kept)], f"and {50 - len(kept)} more, which the batch log has")
        modules = {f"module asset {number:060}": ("9" * 5000, "module info") for number in range(200)}
        held = {"module bootloader": (f"3200 {HASH}", "module info")}
        said = verifier.checked_passport(
            made := passport(replace(many, facts={**modules, **held, **many.facts}), journal.batch("B1"), signer), ""
        )
        assert len(made) <= MOST_BYTES
        assert said["modules"]["bootloader"] == ["3200", HASH, "module info"]
        assert int(said["modules"]["more"][0]) + len(said["modules"]) - 1 == 201
        assert said["lots"] == ["and 50 more, which the batch log has"]


def test_of_every_platform_it_has_at_most_4_kib_and_the_hash_of_its_application(tmp_path: Path) -> None:
    """14 units, one of each: what the profile wrote is proved by hash or read-back, and is in the passport."""
    data = ("--data-dir", str(tmp_path))
    done = run_python("-m", "station", "demo", "--headless", "--once", "--units", "14", "--seed", "3", *data)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = {}
    with JournalReader(tmp_path / "journal") as journal:
        file = io.BytesIO()
        export(journal, [record.batch.id for record in journal.batches()], file, find_exporter("passports"))
    with zipfile.ZipFile(file) as folder:
        for name in folder.namelist():
            said = verifier.checked_passport(folder.read(name), "")
            found[said["identities"]["platform"][0]] = len(folder.read(name))
            assert said["station"]["version"] == version("provisioning-station")
            assert len(said["modules"]["application"][1]) == 64, said["modules"]
            assert len(said["modules"]) >= 3
    assert max(found.values()) <= MOST_BYTES
    assert len(found) == 14


def test_the_profile_of_a_passport_names_who_released_it(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        batch = Batch("B1", ProfileRef("boron-product", 8, "5" * 64), release="0412")
        journal.record(type(opened())(at=at(), batch=batch), started("a-1"), identified("a-1"), finished("a-1"))
        journal.record(type(opened())(at=at(), batch=replace(batch, release="0499")))  # again, by another
    assert main(["log", "passport", unit_id(1), "--data-dir", str(tmp_path), "-o", str(tmp_path / "p.json")]) == 0
    said = verifier.checked_passport((tmp_path / "p.json").read_bytes(), "")
    assert said["profile"] == {"id": "boron-product", "revision": 8, "sha256": "5" * 64, "released_by": "0412"}

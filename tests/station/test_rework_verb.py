"""``station rework`` as a supervisor types it: shown first, asked, done, a line a unit, the exit status."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.traffic import Traffic

from drivers.clock import SystemClock
from drivers.identity import SerialNumber
from drivers.virtual import synthetic
from drivers.virtual.factory import UnitSpec, make_spec
from station.cli.main import main
from station.cli.virtual_units import parse_virtual
from station.cloud.virtual import VirtualCloud
from station.firmware.cache import FirmwareCache, Origin
from station.journal import JournalReader

ME, SOMEBODY = "factory@example.com", "somebody@example.com"
PRODUCT = 20001
OWNER, REMOVE = "DELETE /v1/products/:p/devices/:id/owner", "DELETE /v1/products/:p/devices/:id"


class Place:
    """A cloud with a product and two members of somebody else, and the desk's config."""

    def __init__(self, folder: Path, cloud: VirtualCloud, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.cloud, self._capsys = folder, cloud, capsys
        cloud.create_product(PRODUCT, 13, slug="widget", name="Widget", team=[ME])
        cloud.create_user(SOMEBODY)
        self.token = cloud.create_token(ME)
        self.units = [self.member(number) for number in (1, 2)]
        url = cloud.serve()
        self.config = folder / "station.toml"
        self.config.write_text(f'[station]\nid = "desk"\n[cloud]\nurl = "{url}"\n')

    def member(self, number: int) -> UnitSpec:
        spec = make_spec("boron", 7, number, "3.3.1")
        self.cloud.register_unit(spec.device_id, 13, serial=spec.serial, iccid=spec.iccid, imei=spec.imei)
        self.cloud.edit_device(spec.device_id, product_id=PRODUCT, owner=SOMEBODY)
        return spec

    def rework(self, *words: str) -> tuple[int, str, str]:
        """Return exit status, standard output and standard error."""
        status = main(["rework", *words, "--config", str(self.config), "--data-dir", str(self.folder / "data")])
        told = self._capsys.readouterr()
        return status, told.out, told.err


@pytest.fixture
def place(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    traffic = Traffic(tmp_path / "data" / "journal")
    cloud = VirtualCloud(SystemClock(), on_request=traffic.cloud_saw)
    made = Place(tmp_path, cloud, capsys)
    monkeypatch.setenv("PARTICLE_TOKEN", made.token.reveal())
    monkeypatch.setattr("sys.stdin", io.StringIO())
    yield made
    cloud.close()
    assert traffic.faults() == []


def ids(place: Place) -> list[str]:
    return [str(one.device_id) for one in place.units]


def test_without_a_yes_it_says_what_would_happen_and_does_nothing(place: Place) -> None:
    status, out, err = place.rework("unclaim", *ids(place))
    assert status == 2
    assert out.count("takes its owner s***@example.com off, through product 20001; it may be offline") == 2
    assert out.count("note: it stays in product 20001") == 2
    assert "nothing was done" in err
    assert "--yes" in err
    assert place.cloud.writes == {}


def test_each_unit_gets_a_line_and_one_that_cannot_be_had_keeps_no_other_from_its_rework(place: Place) -> None:
    nobody = "e00fce68ffffffffffffffff"
    three = (ids(place)[0].upper(), nobody, str(place.units[1].serial))
    status, out, _ = place.rework("unclaim", *three, "--product", "widget", "--yes", "--by", "0042")
    assert status == 1
    lines = [line for line in out.splitlines() if line.startswith(("done", "NOT DONE"))]
    assert len(lines) == 3
    assert sum(line.startswith("done") and "the cloud shows no owner" in line for line in lines) == 2
    assert any(line.startswith("NOT DONE") and nobody in line for line in lines)
    assert SOMEBODY not in out
    assert place.cloud.effects == {OWNER: 2}
    again, out, _ = place.rework("unclaim", *ids(place), "--yes")
    assert (again, out.count("already")) == (0, 2)


def test_a_person_at_the_terminal_is_asked_and_no_means_no(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for answer, count in (("n\n", 0), ("\n", 0), ("y\n", 1)):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        status, _, err = place.rework("unclaim", ids(place)[0])
        assert "unclaim this unit? [y/N]" in err
        assert place.cloud.effects.get(OWNER, 0) == count
        assert status == (0 if count else 1)
        assert ("declined: nothing was done" in err) is not bool(count)


@pytest.mark.rule("G8")
def test_a_slow_sim_is_asked_about_by_itself_and_a_script_has_to_say_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    iccid = place.units[0].iccid
    assert iccid is not None
    place.cloud.edit_sim(iccid, status="active", product_id=PRODUCT)
    place.cloud.edit_device(place.units[0].device_id, serial_number=str(SerialNumber.parse("E40KAB123456789")))
    status, out, _ = place.rework("release", ids(place)[0], "--yes")
    assert status == 1
    assert "WARNING: a SIM of this SKU may take tens of minutes, sometimes days" in out
    assert "say --slow-too if it is meant" in out
    assert place.cloud.writes == {}
    status, out, _ = place.rework("release", ids(place)[0], "--yes", "--slow-too")
    assert status == 0, out
    assert place.cloud.effects == {"DELETE /v1/products/:p/sims/:iccid": 1}


def test_a_script_gets_one_object_a_unit(place: Place) -> None:
    status, out, _ = place.rework("remove", *ids(place), "--json", "--yes")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [row["device_id"] for row in rows] == ids(place)
    assert {row["outcome"] for row in rows} == {"done"}
    assert [len(row["parts"]) for row in rows] == [2, 2]
    assert place.cloud.effects == {OWNER: 2, REMOVE: 2}


def test_a_list_of_any_form_is_taken_and_each_unit_reworked_once(place: Place) -> None:
    one, two = ids(place)
    path = place.folder / "list.csv"
    path.write_bytes(
        f"Device ID;Serial\r\n{one.upper()};{place.units[0].serial}\r\n{two};\r\n{one};\r\n".encode("utf-16")
    )
    status, out, _ = place.rework("unclaim", "--file", str(path), "--yes")
    assert (status, out.count("done ")) == (0, 2)
    assert place.cloud.effects == {OWNER: 2}


def test_a_unit_that_is_named_twice_is_reworked_and_told_once(place: Place) -> None:
    one, two = ids(place)
    path = place.folder / "list.txt"
    path.write_text(f"{one}\n{place.units[0].serial}\n{two}\n", encoding="utf-8")
    status, out, _ = place.rework("unclaim", "--file", str(path), "--product", "widget", "--yes")
    assert (status, out.count("done "), out.count(f"the same unit as {one}")) == (0, 2, 1)
    assert place.cloud.effects == {OWNER: 2}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{0} {serial0}\n{1} {serial0}\n", "line 2: line 1 names the same unit with another Device ID"),
        ("{0}\n{serial1}\n{0} {serial1}\n", "line 3: names the units of lines 1 and 2 as one"),
    ],
)
def test_a_list_that_mixes_two_units_is_refused_before_anything_is_asked(text: str, why: str, place: Place) -> None:
    path = place.folder / "list.txt"
    serials = {f"serial{number}": one.serial for number, one in enumerate(place.units)}
    path.write_text(text.format(*ids(place), **serials), encoding="utf-8")
    status, _, err = place.rework("remove", "--file", str(path), "--yes")
    assert status == 2
    assert why in err
    assert place.cloud.requests() == []


def test_a_line_whose_serial_number_is_another_units_by_the_cloud_is_not_reworked(place: Place) -> None:
    path = place.folder / "list.txt"
    path.write_text(f"{ids(place)[0]} {place.units[1].serial}\n", encoding="utf-8")
    status, out, _ = place.rework("unclaim", "--file", str(path), "--yes")
    assert status == 1
    assert f"line 1 names it with serial number {place.units[1].serial}, the cloud knows it with" in out
    assert place.cloud.writes == {}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("unclaim",), "name units by Device ID"),
        (("unclaim", "not-a-unit!"), "is no Device ID"),
        (("unclaim", "e00fce68ffffffffffffffff", "--product", "99999"), "the cloud knows no product 99999"),
        (("unclaim", "e00fce68ffffffffffffffff", "--by", "two words"), "expected a badge"),
        (("rename", "e00fce68ffffffffffffffff", "--name", "all alike"), "names have to differ from unit to unit"),
        (("rename", "e00fce68ffffffffffffffff", "--name", "{sn}"), "no other field but {platform}"),
        (("unclaim", "--file", "nowhere.csv"), "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    words: tuple[str, ...], why: str, place: Place
) -> None:
    status, _, err = place.rework(*words, "--yes")
    assert status == 2
    assert why in err
    assert place.cloud.writes == {}


def test_a_cloud_that_goes_away_stops_it_and_says_that_the_rest_is_still_to_do(place: Place) -> None:
    place.cloud.revoke_tokens(ME)
    status, out, err = place.rework("unclaim", *ids(place), "--yes")
    assert status == 3
    assert "NOT KNOWN" in out
    assert "say it again" in err


def test_the_journal_has_each_write_before_it_and_no_secret(place: Place) -> None:
    place.rework("unclaim", ids(place)[0], "--yes", "--by", "0042")
    with JournalReader(place.folder / "data" / "journal") as journal:
        rows = [row for row in journal.entries() if row.kind.startswith("Write")]
        journal.verify()
        text = " ".join(row.body for row in journal.entries())
    assert [row.kind for row in rows] == ["WriteIntended", "WriteConfirmed"]
    assert rows[0].values()["what"] == f"unclaim {ids(place)[0]} in product {PRODUCT}"
    assert place.token.reveal() not in text
    assert SOMEBODY not in text


@pytest.mark.rule("L5")
def test_the_unit_that_is_plugged_in_is_retired_and_somebody_has_to_say_what_becomes_of_its_sim(place: Place) -> None:
    spec = parse_virtual("boron@6.3.4:normal").spec(1, 1, setup_done=True)
    place.cloud.register_unit(spec.device_id, 13, serial=spec.serial, iccid=spec.iccid, imei=spec.imei)
    place.cloud.edit_device(spec.device_id, product_id=PRODUCT, owner=SOMEBODY)
    assert spec.iccid is not None
    place.cloud.edit_sim(spec.iccid, status="active", product_id=PRODUCT)
    cache, tinker = place.folder / "cache", synthetic.application(13, "6.3.4", seed="tinker")
    FirmwareCache(cache).add(tinker.data, tinker.name, tinker.name, Origin("test", SystemClock().utc()))
    words = ("retire", "--virtual", "boron@6.3.4:normal", "--product", "widget", "--cache", str(cache))
    status, _, err = place.rework(*words, "--yes")
    assert (status, "--sim release, or --sim keep" in err) == (2, True)
    status, out, _ = place.rework(*words, "--sim", "keep")
    assert status == 2
    assert "writes" not in out  # a unit fresh from its factory runs it
    assert "billed; --sim release gives it back" in out
    assert place.cloud.writes == {}
    status, _, err = place.rework(*words, "--sim", "keep", "P044AB9999999ZZ")
    assert (status, "no unit with serial number P044AB9999999ZZ" in err) == (2, True)
    status, _, err = place.rework(*words, "--virtual", "boron@6.3.4:normal", "--sim", "keep")
    assert status == 2
    assert "name one with --port, --slot or its Device ID or serial number" in err
    status, out, _ = place.rework(*words, "--sim", "release", "--yes", str(spec.serial))
    assert status == 0, out
    assert out.splitlines()[-1].startswith(("done", "under way"))  # the cloud here has a clock of its own
    assert place.cloud.effects == {OWNER: 1, REMOVE: 1, "DELETE /v1/products/:p/sims/:iccid": 1}

"""``station product import`` and ``station sim import``: what a person reads, is asked, and gets back."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from line_bench import PRODUCTS, Recipe
from support.cloud_bench import ME
from support.import_bench import IMPORT, SIMS, device, iccid, serial
from support.journal_story import identified, started
from support.traffic import Traffic

from drivers.clock import SimulatedClock, SystemClock
from station.cli.main import main
from station.cloud.virtual import VirtualCloud
from station.export.dump import write_dump
from station.journal import Journal, JournalReader
from station.journal.lists import expected_units
from station.scan.lists import read_list

BORONS = PRODUCTS["boron"]
API_SCOPES = ("products:get", "devices:list", "devices:get", "devices:import")


@dataclass
class Desk:
    """A terminal of a station with a virtual cloud: two Borons fit, one is of a stranger."""

    folder: Path
    cloud: VirtualCloud
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    token: str

    def run(self, verb: str, text: str, *options: str) -> tuple[int, list[str], str]:
        """Exit status, lines of standard output, and standard error of an import."""
        (self.folder / "tray-17.csv").write_text(text, encoding="utf-8")
        command = [verb, "import", str(self.folder / "tray-17.csv"), *options]
        status = main([*command, "--config", str(self.folder / "station.toml"), "--data-dir", str(self.data)])
        told = self.capsys.readouterr()
        assert self.token not in told.out + told.err
        return status, told.out.splitlines(), told.err

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def dump(self) -> str:
        text = io.StringIO()
        with JournalReader(self.data / "journal") as journal:
            write_dump(journal, text)
        return text.getvalue()

    def profile(self, recipe: Recipe) -> str:
        path = self.folder / "profile.toml"
        path.write_text(recipe.text(), encoding="utf-8")
        return str(path)

    def sit_down(self, answer: str) -> None:
        """Have a person at the terminal who answers."""
        self.monkeypatch.setattr(sys, "stdin", Terminal(answer))
        self.monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    def use(self, token: str) -> None:
        self.token = token
        self.monkeypatch.setenv("IMPORT_TOKEN", token)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    traffic = Traffic(tmp_path / "data" / "journal")
    cloud = VirtualCloud(SystemClock(), activation_s=0.0, on_request=traffic.cloud_saw)
    cloud.create_product(BORONS, 13, slug="widget", name="Widget", team=[ME])
    for number in (1, 2, 3):
        cloud.register_unit(device(number), 13, serial=serial(number), iccid=iccid(number))
    cloud.edit_device(device(3), owner="stranger@example.com")
    (tmp_path / "station.toml").write_text(
        f'[cloud]\nurl = "{cloud.serve()}"\ntoken = "env:IMPORT_TOKEN"\n', encoding="utf-8"
    )
    desk = Desk(tmp_path, cloud, monkeypatch, capsys, "")
    desk.use(cloud.create_token(ME).reveal())
    yield desk
    assert desk.token not in (desk.dump() if (desk.data / "journal").exists() else "")
    cloud.close()
    assert traffic.faults() == []


def table(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


LIST = f"No,Unit\n1,{device(1)}\n2,{serial(2)}\n3,{device(3)}\n4,8.96E+19\n5,{device(1)}\n"


# --- C10: counts, costs, and a yes -----------------------------------------------------------------


@pytest.mark.rule("C10")
def test_nothing_is_added_without_a_yes(desk: Desk) -> None:
    status, _, err = desk.run("product", LIST, "--product", str(BORONS))
    assert status == 2
    assert "say --yes if that is what you want" in err
    for answer in ("n\n", ""):
        desk.sit_down(answer)
        status, _, err = desk.run("product", LIST, "--product", str(BORONS))
        assert (status, "declined: nothing was done" in err) == (1, True)
    assert desk.run("sim", f"{iccid(1)}\n", "--product", str(BORONS))[0] == 1
    assert desk.cloud.writes == {}
    desk.sit_down("y\n")
    status, _, err = desk.run("product", LIST, "--product", str(BORONS))
    assert "Add 3 units to product 20001? [y/N] " in err
    assert (status, desk.cloud.effects) == (1, {IMPORT: 1})


@pytest.mark.rule("C10")
def test_product_counts_and_costs_are_told_before(desk: Desk) -> None:
    desk.cloud.edit_device(device(2), product_id=BORONS)
    _, out, _ = desk.run("product", LIST, "--product", "widget")
    assert out == [
        "tray-17.csv: 5 lines, 3 units, 1 of them without a Device ID, 1 named again, 1 not readable",
        "  line 5: 8.96E+19 is a number that a spreadsheet destroyed; format the column as text and export the list"
        " again",
        "product 20001 (Widget, for Boron), 1 device so far",
        "in it already: 1; to be added: 2; 3 devices then",
        "Each device of a product costs: on a paid plan from its first connection, on the free plan from now on, and"
        " that holds 100 in all; its built-in SIM is activated.",
    ]


@pytest.mark.rule("E8")
def test_units_that_are_there_already_are_not_counted_as_added_when_they_are_claimed(desk: Desk) -> None:
    desk.cloud.edit_device(device(1), product_id=BORONS)
    text = f"{device(1)}\n{device(2)}\n"
    desk.sit_down("y\n")
    status, out, err = desk.run("product", text, "--product", "widget", "--claim-user", ME)
    assert "in it already: 1; to be added: 1; 2 devices then" in out
    assert "in it already and nobody's, to be claimed: 1" in out
    assert f"Add 1 unit to product 20001, and claim 1 unit of it for {ME}? [y/N] " in err
    assert (status, out[-1]) == (0, "tray-17.csv: 1 added, 1 present")


# --- results ---------------------------------------------------------------------------------------


def test_each_line_of_the_list_is_told_and_kept(desk: Desk) -> None:
    out_file = desk.folder / "results.csv"
    status, out, _ = desk.run("product", LIST, "--product", "widget", "--yes", "--out", str(out_file))
    assert status == 1
    assert out[-7:] == [
        f"line 2: {device(1)}  added: read back in product 20001",
        f"line 3: {serial(2)}  added: read back in product 20001",
        f"line 4: {device(3)}  refused: is claimed by an account outside the team; have it unclaimed first",
        "line 5: unreadable: 8.96E+19 is a number that a spreadsheet destroyed; format the column as text and export"
        " the list again",
        f"line 6: {device(1)}  repeated: the same as line 2: read back in product 20001",
        "tray-17.csv: 2 added, 1 repeated, 1 unreadable, 1 refused",
        f"{out_file}: 5 rows",
    ]
    rows = table(out_file)
    assert rows[0] == ["line", "result", "words", "device_id", "serial", "imei", "iccid"]
    assert [row[:2] for row in rows[1:]] == [
        ["2", "added"], ["3", "added"], ["4", "refused"], ["5", "unreadable"], ["6", "repeated"],
    ]  # fmt: skip
    again = [line for line in read_list(out_file.read_bytes()) if line.device_id or line.serial]
    assert [line.numbers[0] for line in again] == [str(device(1)), str(serial(2)), str(device(3)), str(device(1))]
    assert '"lines":{"added":2,"repeated":1,"unreadable":1,"refused":1}' in desk.dump()


def test_a_results_file_keeps_its_numbers_in_a_spreadsheet(desk: Desk) -> None:
    out_file = desk.folder / "results.csv"
    desk.run("sim", f"{iccid(1)}\n", "--product", "widget", "--yes", "--out", str(out_file))
    assert table(out_file)[1][-1] == f"'{iccid(1)}"


def test_a_script_reads_json_and_gets_0_when_all_is_well(desk: Desk) -> None:
    status, out, err = desk.run("product", f"{device(1)}\n{device(2)}\n", "--product", "widget", "--yes", "--json")
    assert status == 0
    assert [json.loads(line) for line in out] == [
        {
            "line": number, "result": "added", "words": "read back in product 20001", "device_id": str(device(number)),
            "serial": "", "imei": "", "iccid": "",
        }
        for number in (1, 2)
    ]  # fmt: skip
    assert "to be added: 2" in err
    assert desk.run("product", f"{device(1)}\n", "--product", "widget")[0] == 0  # nothing to do: nobody is asked


def test_sim_cards_are_activated_and_looked_at_until_they_are(desk: Desk) -> None:
    status, out, _ = desk.run("sim", f"{iccid(1)}\n{iccid(2)}\n", "--product", "widget", "--yes")
    assert (status, desk.cloud.effects) == (0, {SIMS: 1})
    assert out == [
        "tray-17.csv: 2 lines, 2 SIM cards",
        "product 20001 (Widget, for Boron), 0 SIM cards so far",
        "in it already: 0; to be imported and activated: 2",
        "An active SIM card costs. Importing the SIM card of a device adds that device to the product, too.",
        f"line 1: {iccid(1)}  added: active",
        f"line 2: {iccid(2)}  added: active",
        "tray-17.csv: 2 added",
    ]
    assert desk.run("sim", f"{iccid(9)}\n", "--product", "widget", "--yes", "--wait", "0")[0] == 1
    assert desk.cloud.sim_status(iccid(3)) == "inactive"


# --- the batch of a list ---


def test_an_imported_list_is_what_its_batch_expects(desk: Desk) -> None:
    opens = ["batch", "open", "B-1", "--profile", desk.profile(Recipe()), "--config", str(desk.folder / "station.toml")]
    assert main([*opens, "--data-dir", str(desk.data)]) == 0
    status, out, _ = desk.run("product", LIST, "--product", str(BORONS), "--yes", "--batch", "B-1")
    assert (status, out[-1]) == (1, "batch B-1: 3 units expected")
    with Journal.open(desk.data / "journal", "bench", SimulatedClock()) as journal:
        unit = serial(2)
        journal.record(started("a-1", 2, batch="B-1"), identified("a-1", 2, serial=str(unit)))
        with journal.snapshot() as db:
            expected = expected_units(db, "B-1")
    assert expected is not None
    assert (expected.listed, expected.missing) == (3, (str(device(1)), str(device(3))))


# --- profiles and owners ---------------------------------------------------------------------------


@pytest.mark.rule("E8")
def test_a_profile_says_which_product_and_whose_the_units_are(desk: Desk) -> None:
    named = desk.profile(Recipe(claim=True, claim_user="stranger@example.com"))
    status, _, err = desk.run("product", f"{device(1)}\n", "--profile", named, "--yes")
    assert (status, desk.cloud.writes) == (2, {})
    assert "stranger@example.com is not in the team of product 20001 (Widget)" in err
    named = desk.profile(Recipe(claim=True, claim_user=ME))
    status, out, _ = desk.run("product", f"{device(1)}\n", "--profile", named, "--yes")
    assert status == 0
    assert f"all of them will belong to {ME}" in out
    assert out[-2] == f"line 1: {device(1)}  added: read back in product 20001, owner l***@example.com"


@pytest.mark.rule("E8")
def test_a_token_that_may_not_see_the_team_imports_all_the_same(desk: Desk) -> None:
    desk.use(desk.cloud.create_token("api@example.com", scopes=API_SCOPES, is_api=True).reveal())
    desk.cloud.create_product(BORONS, 13, slug="widget", name="Widget", team=["api@example.com"])
    status, out, _ = desk.run("product", f"{device(1)}\n", "--product", "widget", "--yes", "--claim-user", ME)
    assert status == 0
    assert out[0] == f"note: whether {ME} is in the team cannot be seen with this token"


@pytest.mark.parametrize(
    ("recipe", "options", "said"),
    [
        (Recipe("argon", product=BORONS), (), "product 20001 (Widget) is for Boron, profile story-argon-product for"
         " Argon (C3)"),
        (Recipe("argon", kind="developer", claim=True, online=True), (), "makes developer units, which join no"
         " product"),
        (Recipe(), ("--claim-user", ME), "--claim-user: the profile says who owns its units"),
        (Recipe(), ("--out", "/nowhere/results.csv"), "--out /nowhere/results.csv: no such folder"),
        (Recipe(), ("--batch", "B-9"), "--batch: no open batch B-9; open it first: station batch open B-9"),
    ],
)  # fmt: skip
def test_what_can_be_known_before_the_first_write_is_told_before_it(
    recipe: Recipe, options: tuple[str, ...], said: str, desk: Desk
) -> None:
    status, _, err = desk.run("product", f"{device(1)}\n", "--profile", desk.profile(recipe), "--yes", *options)
    assert (status, desk.cloud.writes) == (2, {})
    assert said in err


@pytest.mark.rule("A7")
@pytest.mark.rule("N5")
def test_a_mobile_secret_in_a_list_is_told_and_kept_nowhere(desk: Desk) -> None:
    """A list made of scanned labels holds one beside every serial number, and one that stands alone by mistake."""
    secrets = ("CANARY000000001", "CANARY000000002", "CANARY000000003")
    out_file = desk.folder / "results.csv"
    text = f"{serial(1)} {secrets[0]}\n{serial(9)};{secrets[1]}\n{secrets[2]}\n"
    status, out, err = desk.run("product", text, "--product", "widget", "--yes", "--out", str(out_file))
    assert status == 1
    assert [row[1] for row in table(out_file)[1:]] == ["added", "refused", "unreadable"]
    for secret in secrets:
        assert secret not in "\n".join(out) + err + out_file.read_text(encoding="utf-8") + desk.dump()
        assert not any(secret.encode() in file.read_bytes() for file in desk.data.rglob("*") if file.is_file())
        assert not [call for call in desk.cloud.requests() if secret in str(call)]


def test_a_workbook_is_no_list(desk: Desk) -> None:
    status, _, err = desk.run("product", "PK\x03\x04...", "--product", "widget", "--yes")
    assert status == 2
    assert "tray-17.csv is an Excel or LibreOffice workbook; save its list as CSV" in err


@pytest.mark.parametrize("text", ["", "\n\n", "no,unit\nhere,at all\n"])
def test_a_list_without_any_number_is_the_wrong_file(text: str, desk: Desk) -> None:
    for verb in ("product", "sim"):
        status, _, err = desk.run(verb, text, "--product", "widget", "--yes")
        assert (status, desk.cloud.requests()) == (2, [])
        assert "names nothing: no line has a Device ID, serial number or ICCID; is it the right file?" in err


def test_an_interrupted_import_says_that_it_may_be_started_again(desk: Desk) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    desk.monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    desk.monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    desk.monkeypatch.setattr(sys.stdin, "readline", interrupt)
    status, _, err = desk.run("product", f"{device(1)}\n", "--product", "widget")
    assert status == 1
    assert "stopped in between: import the list again, nothing is done twice" in err


def test_the_journal_of_a_running_station_is_left_alone(desk: Desk) -> None:
    with Journal.open(desk.data / "journal", "bench", SystemClock()):
        status, _, _ = desk.run("product", f"{device(1)}\n", "--product", "widget", "--yes")
    assert (status, desk.cloud.writes) == (3, {})

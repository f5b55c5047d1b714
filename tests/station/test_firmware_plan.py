"""``station firmware plan`` as a person uses it, and the document it writes for programs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from support.zips import bundle, release, zipped

from drivers.clock import SystemClock
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.usbip_bench import served
from drivers.virtual.world import World
from station.cli.main import main
from station.firmware.plan_view import DOCUMENT
from station.paths import find_profile
from station.settings.usb_source import UsbSource

ARGON = ("--virtual", "argon@3.3.1", "--target", "6.3.4")
TEXT, NUMBER, FLAG = {"type": "string"}, {"type": "number", "minimum": 0}, {"type": "boolean"}
MAYBE = {"type": ["string", "null"]}


def _object(**properties: object) -> dict[str, object]:
    """Return a schema of exactly these keys."""
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _list(**properties: object) -> dict[str, object]:
    return {"type": "array", "items": _object(**properties)}


SHA = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
SCHEMA = _object(
    format={"const": 1},
    unit=_object(platform=TEXT, platform_id=NUMBER, device_id=TEXT, device_os=MAYBE, mode=TEXT, is_virtual=FLAG),
    target=_object(device_os=MAYBE, source=TEXT, is_synthetic=FLAG, application=MAYBE),
    refused={"anyOf": [{"type": "null"}, _object(code=TEXT, sentence=TEXT)]},
    order={"enum": ["control_first", "dfu_first", None]},
    writes=_list(
        module=TEXT, file=TEXT, sha256=SHA, bytes=NUMBER, way={"enum": ["dfu", "request"]}, wanted=TEXT,
        held=TEXT, why=TEXT, certain=FLAG, seconds=NUMBER,
    ),
    assets=_list(name=TEXT, sha256=SHA),
    already=_list(module=TEXT, file=TEXT, proof=TEXT),
    modules=_list(module=TEXT, wanted=TEXT, held=TEXT),
    cut={
        "anyOf": [
            {"type": "null"},
            _object(
                safety={"enum": ["always", "but_last_page", "no"]},
                windows=_list(module=TEXT, from_share=NUMBER, needs_debugger=FLAG, reason=TEXT),
            ),
        ]
    },
    reasons={"type": "array", "items": TEXT},
    seconds={"type": ["number", "null"]},
)  # fmt: skip
"""The document as it is published; a program that reads it relies on this."""


class Verb:
    """Runs ``station firmware plan`` on an empty cache, or the one it is told, and keeps what it says."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.cache = folder / "cache"
        self._capsys, self._config = capsys, folder / "station.toml"
        self._config.write_text('[firmware]\nfolders = ["none"]\n')
        self.out = self.err = ""

    def __call__(self, *words: str | Path) -> int:
        self._capsys.readouterr()
        place = ("--cache", str(self.cache), "--config", str(self._config))
        status = main(("firmware", "plan", *map(str, words), *place))
        self.out, self.err = self._capsys.readouterr()
        return status

    def document(self, *words: str) -> dict[str, Any]:
        """Return what ``--json`` writes; its status is 2 exactly where the plan is refused."""
        status = self(*words, "--json")
        document: dict[str, Any] = json.loads(self.out)
        Draft202012Validator(SCHEMA).validate(document)
        assert status == (0 if document["refused"] is None else 2)
        return document


@pytest.fixture
def plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verb:
    return Verb(tmp_path, capsys)


def filled(plan: Verb, folder: Path, *files: synthetic.SyntheticFile) -> None:
    path = folder / "files.zip"
    path.write_bytes(zipped({one.name: one.data for one in files}))
    assert main(("firmware", "import", str(path), "--cache", str(plan.cache))) == 0


# --- for people -------------------------------------------------------------------------------


def test_every_write_is_told_in_order_with_size_way_time_and_reason(plan: Verb) -> None:
    assert plan(*ARGON) == 0
    writes = [line for line in plan.out.splitlines() if re.match(r"    \d  ", line)]
    wanted = (
        ("1  request    bootloader: ", "the unit holds 1100"),
        ("2      dfu    SoftDevice: ", "written only if it differs"),
        ("3      dfu    system part 1: ", "the unit holds 3302"),
    )
    assert len(writes) == len(wanted)
    for line, words in zip(writes, wanted, strict=True):
        assert all(word in line for word in words), line
        assert re.search(r"; \d+ bytes, about 0:\d\d$", line)
    assert "made by this program; synthetic files, good for trying, never for a unit that is sold" in plan.out
    assert re.search(r"time: about 0:\d\d with all restarts, an estimate by data sheets", plan.out)
    assert "safe to cut: but for the last page\n    system part 1: Page 0x30000" in plan.out


def test_what_is_there_is_told_with_its_proof(plan: Verb) -> None:
    assert plan("--virtual", "p2@6.3.4", "--target", "6.3.4") == 0
    assert "order: nothing to do" in plan.out
    assert "    =    there    system part 1: version and hash are equal" in plan.out
    assert "time:" not in plan.out
    assert "safe to cut: always" in plan.out


def test_the_order_names_no_way_that_nothing_goes(plan: Verb) -> None:
    assert plan("--virtual", "argon@6.3.4", "--target", "6.3.4") == 0
    assert "  order: one DFU visit\n" in plan.out


def test_the_longest_name_of_a_module_keeps_the_columns(plan: Verb) -> None:
    assert plan("--virtual", "p2@5.0.1", "--target", "6.3.4") == 0
    table = plan.out.split("(wanted / held)\n")[1].split("  order:")[0].splitlines()
    assert any(line.startswith("    prebootloader-part1  11 / 7") for line in table)
    assert all(line[24] == " " != line[25] for line in table), table


def test_a_window_that_needs_a_debugger_names_its_module(plan: Verb) -> None:
    assert plan("--virtual", "photon@2.3.1", "--target", "3.3.1") == 0
    assert "safe to cut: no" in plan.out
    assert "    bootloader: The bootloader on the unit (1006) cannot resume" in plan.out
    assert "    system part 1 and system part 2: A power cut while the system parts" in plan.out


@pytest.mark.rule("H4")
def test_a_downgrade_wants_a_word(plan: Verb) -> None:
    downgrade = ("--virtual", "boron@6.3.4:safe", "--target", "5.8.0")
    assert plan(*downgrade) == 2
    assert "  refused: the unit holds bootloader 3200, newer than 2600" in plan.out
    assert "to plan it all the same: --allow-downgrade" in plan.out
    assert plan(*downgrade, "--allow-downgrade") in (0, 2)
    assert "newer than" not in plan.out


def test_the_plan_of_a_profile_is_the_one_its_check_prints(plan: Verb, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan("--virtual", "argon@3.3.1", "--profile", "argon-product") == 0
    assert "application synthetic-argon-widget@6.3.4.bin (profile widget-argon revision 1" in plan.out
    planned = plan.out.splitlines()[2:]
    assert main(("profile", "check", "argon-product")) == 0
    checked = capsys.readouterr().out.splitlines()
    assert checked[-len(planned) :] == planned


def test_a_release_of_the_cache_is_taken_before_a_synthetic_one(plan: Verb, tmp_path: Path) -> None:
    filled(plan, tmp_path, *release(12))
    assert plan(*ARGON) == 0
    assert "(the cache or the firmware folders; synthetic files" in plan.out
    plan.document("--virtual", "argon@3.3.1", "--target", "6.2.0")
    assert "made by this program" in plan.out


def test_the_files_of_a_bundle_are_planned_as_what_comes_last(plan: Verb, tmp_path: Path) -> None:
    (tmp_path / "app.zip").write_bytes(bundle())
    assert main(("firmware", "import", str(tmp_path / "app.zip"), "--cache", str(plan.cache))) == 0
    profile = tmp_path / "p.toml"
    named = ("--platform", "argon", "--product", "12345", "--device-os", "6.3.4")
    assert main(("profile", "new", str(profile), *named)) == 0
    profile.write_text(f'{profile.read_text("utf-8")}\n[firmware]\nfile = "app.zip"\nsha256 = ""\n', encoding="utf-8")
    config = tmp_path / "with-cache.toml"
    config.write_text(f'[firmware]\ncache = "{plan.cache}"\n')
    assert main(("profile", "hash", str(profile), "--config", str(config))) == 0
    document = plan.document("--virtual", "argon@6.3.4", "--profile", str(profile))
    assert [one["name"] for one in document["assets"]] == ["cat.txt", "house.txt"]
    assert [one["module"] for one in document["writes"] if one["certain"]] == ["application"]
    assert document["target"]["application"] == "app.zip: app.bin"


# --- for programs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ARGON,
        ("--virtual", "argon@3.3.1:dfu", "--target", "6.3.4"),
        ("--virtual", "photon@0.5.5", "--target", "2.3.1"),
        ("--virtual", "tracker@6.3.4", "--target", "6.3.4"),
        ("--virtual", "boron@6.3.4", "--target", "3.3.1"),
        ("--virtual", "boron@3.3.1", "--profile", "boron-product"),
        ("--virtual", "boron@3.3.1", "--profile", "boron-product", "--target", "6.2.0"),
    ],
)
def test_the_document_has_the_keys_it_is_said_to_have(words: tuple[str, ...], plan: Verb) -> None:
    document = plan.document(*words)
    assert set(document) == set(DOCUMENT)
    assert document["unit"]["is_virtual"] is True
    assert document["target"]["is_synthetic"] is True
    if document["refused"] is None:
        assert document["seconds"] >= sum(one["seconds"] for one in document["writes"]) - 1
        assert document["target"]["device_os"] in (words[-1], "6.3.4")
    else:
        assert (document["writes"], document["seconds"], document["cut"]) == ([], None, None)


def test_the_help_tells_what_each_key_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(("firmware", "plan", "--help"))
    told = " ".join(capsys.readouterr().out.split())
    assert all(f"{key} {words}" in told for key, words in DOCUMENT.items())


def test_a_refusal_has_its_code_and_its_sentence(plan: Verb) -> None:
    document = plan.document("--virtual", "boron@6.3.4", "--target", "3.3.1")
    assert document["refused"]["code"] == "downgrade"
    assert document["refused"]["sentence"].startswith("the unit holds bootloader 3200, newer than 1100")


def test_a_unit_in_dfu_says_nothing_and_its_plan_says_so(plan: Verb) -> None:
    document = plan.document("--virtual", "argon@3.3.1:dfu", "--target", "6.3.4")
    assert (document["unit"]["mode"], document["unit"]["device_os"]) == ("dfu", None)
    assert document["order"] == "dfu_first"
    assert not any(one["certain"] for one in document["writes"])


# --- what is no plan --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--virtual", "argon"), 2, "say what the unit shall become: --target VERSION, --profile P, or both"),
        (("--virtual", "argon", "--target", "9.9.9"), 2, "there is no Device OS 9.9.9 for Argon to make; name"),
        (
            ("--virtual", "boron", "--profile", "argon-product"),
            2,
            "is for Argon, this is a Boron; name another profile",
        ),
        (("--virtual", "argon:dark", "--target", "6.3.4"), 1, "no Particle unit is plugged in"),
        (("--virtual", "argon", "--virtual", "boron", "--target", "6.3.4"), 2, "2 units are plugged in"),
        (("--virtual", "toaster", "--target", "6.3.4"), 2, "platform 'toaster' is not one of"),
        (("--virtual", "argon", "--profile", "no-such"), 2, "no-such"),
    ],
)
def test_it_says_in_one_sentence_why_there_is_none(words: tuple[str, ...], status: int, said: str, plan: Verb) -> None:
    assert plan(*words) == status
    (line,) = plan.err.splitlines()
    assert said in line
    assert plan.out == ""


@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
def test_a_unit_under_device_protection_gets_no_plan(arrives: BootRequest, plan: Verb, tmp_path: Path) -> None:
    filled(plan, tmp_path, *release(13))
    spec = make_spec("boron", 1, 1, "6.3.4", setup_done=True, is_protected=True, arrives=arrives)
    consoles = tmp_path / "consoles"
    consoles.mkdir()
    with served([spec], SystemClock(), ("127.0.0.1", 0), consoles, World([]), None, []) as bench:
        url = UsbSource(bench.host, bench.port, consoles).url
        document = plan.document("--usb", url, "--target", "6.3.4")
        (unit,) = bench.units
        assert unit.memory.score.flash_writes == 0
    assert document["refused"]["code"] == "protected"
    assert f"{unit.device_id} is a protected device; its owner has to" in document["refused"]["sentence"]
    assert document["unit"]["is_virtual"] is False, "nobody said so"


def test_a_profile_whose_file_is_missing_is_refused_before_the_unit_is_asked(plan: Verb, tmp_path: Path) -> None:
    profile = tmp_path / "p.toml"
    text = find_profile("boron-product").read_text("utf-8")
    profile.write_text(text.replace("synthetic-boron-widget", "synthetic-boron-gadget"), "utf-8")
    assert plan("--virtual", "boron", "--profile", profile) == 2
    assert "synthetic-boron-gadget@6.3.4.bin is missing" in plan.err

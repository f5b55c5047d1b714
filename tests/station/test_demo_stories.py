"""``station demo --story``: a story ends well if every unit holds exactly the files of its profile, by its own side."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.demo_run import Listener, run_demo
from support.known_steps import STEPS

from drivers.clock import SimulatedClock
from drivers.platforms import platform_by_slug, platforms
from drivers.virtual.boot import boot
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.unit import VirtualUnit
from station.cli.demo import status
from station.cli.main import main
from station.cli.story import reconciliation_words
from station.demo import STORIES, Arrival, Demo, DemoOptions, Reconciled, story
from station.demo.tray import Widget
from station.engine.events import AttemptFinished, Event
from station.headless import Tally
from station.words.languages import load

UPDATES = STORIES[0]
ARGON = Widget(platform_by_slug("argon"), "6.3.4", 9)


def told(
    files: Sequence[SyntheticFile],
    harm: Callable[[VirtualUnit], None] | None = None,
    data_dir: Path | None = None,
) -> tuple[Reconciled, Tally, Demo]:
    """One Argon through its update; ``harm`` happens to it at its verdict, behind the station's back."""
    profiles, arrivals = (ARGON.profile(STEPS.rules),), (Arrival("argon", "1.4.4"),)
    compared = {12: tuple(files), 0: ARGON.files}  # those of platform 0 are on the disk, and no unit's

    def harming(demo: Demo) -> Listener:
        def at_verdict(event: Event) -> None:
            if isinstance(event, AttemptFinished) and harm is not None:
                unit = demo.bus.unit_at("1-1")
                assert isinstance(unit, VirtualUnit)
                harm(unit)

        return at_verdict

    options = DemoOptions(profiles, 1, arrivals, once=True, files=compared, data_dir=data_dir)
    demo, tally = run_demo(options, harming)
    (row,) = demo.reconciliation
    return row, tally, demo


def test_a_unit_with_exactly_its_files_is_equal() -> None:
    row, tally, demo = told(ARGON.files)
    assert row.problems == ()
    assert (row.came_with, row.device_os) == ("1.4.4", "6.3.4")
    assert [name.rpartition(" ")[0] for name in row.modules] == [
        "bootloader", "system part 1 6.3.4", "application", "NCP firmware", "SoftDevice",
    ]  # fmt: skip
    assert row.bytes_equal == sum(len(file.data) for file in ARGON.files)
    assert (status(demo, tally), tally.units) == (0, {"PASS": 1})


def test_a_unit_kept_from_the_demo_before_comes_with_what_that_left_in_it(tmp_path: Path) -> None:
    versions = []
    for _ in range(2):
        row, _, _ = told(ARGON.files, data_dir=tmp_path)
        assert row.problems == ()
        versions.append((row.came_with, row.device_os))
    assert versions == [("1.4.4", "6.3.4"), ("6.3.4", "6.3.4")]


def flip(unit: VirtualUnit) -> None:
    flash = unit.memory.internal
    flash.place(0x31000, bytes(byte ^ 1 for byte in flash.read(0x31000, 1)))


def restart_without_application(unit: VirtualUnit) -> None:
    unit.memory.internal.place(0xB4000, b"\xff" * 0x1000)
    unit.report = boot(unit.memory)


@pytest.mark.parametrize(
    ("harm", "problems"),
    [
        (flip, ["its flash differs from synthetic-argon-system-part1@6.3.4.bin"]),
        (
            restart_without_application,
            [
                "it does not run its application",
                "it does not list application ",
                "its flash differs from synthetic-argon-widget@6.3.4.bin",
            ],
        ),
    ],
    ids=["one byte", "no application"],
)
def test_what_the_station_did_not_see_is_named_and_ends_badly(
    harm: Callable[[VirtualUnit], None], problems: list[str]
) -> None:
    row, tally, demo = told(ARGON.files, harm)
    assert tally.units == {"PASS": 1}
    assert len(row.problems) == len(problems)
    assert all(found.startswith(wanted) for found, wanted in zip(row.problems, problems, strict=True))
    assert status(demo, tally) == 1


def test_a_module_nobody_ordered_and_one_that_is_missing_are_named() -> None:
    row, _, _ = told(Widget(platform_by_slug("argon"), "6.3.4", 7).files)
    assert row.problems == (
        "it lists NCP firmware 9, which its files do not",
        "it does not list NCP firmware 7",
        "its flash differs from synthetic-argon-ncp@7.bin",
    )


def test_a_unit_that_never_left_its_slot_is_not_equal() -> None:
    clock = SimulatedClock()
    with clock.registered():
        demo = Demo(DemoOptions((ARGON.profile(STEPS.rules),), 1, files={12: ARGON.files}), clock, {})
        demo.abandon()
    assert demo.reconciliation[0].problems == ("its unit never left the slot",)
    assert status(demo, Tally()) == 1


def test_a_demo_without_files_compares_nothing() -> None:
    clock = SimulatedClock()
    with clock.registered():
        demo = Demo(DemoOptions((ARGON.profile(STEPS.rules),), 1), clock, {})
        demo.abandon()
    assert (demo.reconciliation, status(demo, Tally())) == ((), 0)


# --- the command -----------------------------------------------------------------------------------


def test_every_platform_is_updated_in_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert {arrival.slug for arrival in UPDATES.arrivals} == {row.slug for row in platforms()}
    assert main(("demo", "--story", "updates", "--json")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = [event for event in events if event["kind"] == "Reconciled"]
    assert events[-len(rows) - 1]["units"] == {"PASS": 17}
    assert [row["problems"] for row in rows] == [[]] * 17
    for row, arrival, widget in zip(rows, UPDATES.arrivals, UPDATES.widgets, strict=True):
        assert (row["platform"], row["came_with"], row["device_os"]) == (
            widget.row.name, arrival.device_os, widget.device_os,
        )  # fmt: skip
        assert row["bytes_equal"] == sum(len(file.data) for file in widget.files) > 300_000
        assert ("NCP firmware 9" in row["modules"]) == (widget.ncp is not None)


@pytest.mark.rule("G3")
def test_electrons_get_their_sim_cards_from_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    told = story("electrons-4ff")
    assert told is not None
    assert main(("demo", "--story", told.name, "--json")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = [event for event in events if event["kind"] == "Reconciled"]
    assert [(row["problems"], {"sim", "product_id", "name"} <= set(row["record"])) for row in rows] == [([], True)] * 5
    sims = {
        event["slot"]: event["outcome"]
        for event in events
        if (event.get("step"), event["kind"]) == ("sim", "StepFinished")
    }
    assert [sims[slot] for slot in range(1, 6)] == ["already", "already", "done", "done", "done"]
    asked = {event["slot"] for event in events if event.get("sentence") == "scan_card"}
    assert asked == {1, 2, 3, 4, 5}


GOOD = Reconciled(
    1, "ARNK1", "Argon", "1.4.4", "6.3.4", ("bootloader 3200", "NCP firmware 9"), 435_096, (), ("owner", "name")
)
BAD = Reconciled(12, "XENK1", "Xenon", "1.1.0", "", (), 0, ("it does not run its application",))


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            [
                "slot 1   Argon  ARNK1  1.4.4 -> 6.3.4  module list equal: 2  flash equal: 435 096 bytes  "
                "record equal: 2",
                "slot 12  Xenon  XENK1  1.1.0 ->        differs, see below",
                "    it does not run its application",
                "1 of 2 units are exactly what their profiles want, 435 096 bytes in all",
            ],
        ),
        (
            "de",
            [
                "Platz 1   Argon  ARNK1  1.4.4 -> 6.3.4  Modulliste gleich: 2     Flash gleich: 435 096 Bytes  "
                "Eintrag gleich: 2",
                "Platz 12  Xenon  XENK1  1.1.0 ->        abweichend, siehe unten",
                "    it does not run its application",
                "1 von 2 Geräten sind genau, was ihre Profile wollen, 435 096 Bytes insgesamt",
            ],
        ),
        (
            "zh",
            [
                "槽位 1   Argon  ARNK1  1.4.4 -> 6.3.4  模块列表一致：2  闪存一致：435 096 字节  云端记录一致：2",
                "槽位 12  Xenon  XENK1  1.1.0 ->        不一致，见下",
                "    it does not run its application",
                "2 台设备中 1 台与其配置文件完全一致，共 435 096 字节",
            ],
        ),
    ],
)
def test_it_ends_with_a_table_in_the_language_of_the_bench(language: str, lines: list[str]) -> None:
    assert reconciliation_words([GOOD, BAD], load(language)).splitlines()[1:] == lines


def test_a_person_reads_what_became_of_every_unit_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("demo", "--story", "updates", "--headless")) == 0
    *rows, last = capsys.readouterr().out.splitlines()[-18:]
    assert [" ".join(row.split()[:2]) for row in rows] == [f"slot {number}" for number in range(1, 18)]
    assert last.startswith("17 of 17 units are exactly what their profiles want, ")


def test_the_stories_are_listed_with_the_command_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("demo", "--stories")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[::2]] == [one.name for one in STORIES]
    assert [line.strip() for line in lines[1::2]] == [f"station demo --story {one.name}" for one in STORIES]
    assert story("updates") is UPDATES
    assert story("no such story") is None


@pytest.mark.parametrize(
    "option", [("--units", "3"), ("--profile", "argon-product"), ("--factory-os", "3.3.1")], ids=lambda one: one[0]
)
def test_a_story_brings_its_own_units(option: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("demo", "--story", "updates", "--headless", *option)) == 2
    assert capsys.readouterr().err == (
        f"station: {option[0]}: the story updates brings its own units and profiles; leave {option[0]} out\n"
    )


# --- what the cloud holds in the end ------------------------------------------------------------


def test_a_record_that_differs_from_the_profile_is_named_and_ends_badly() -> None:
    told_late = story("updates")
    assert told_late is not None
    options = dataclasses.replace(
        told_late.options(STEPS.rules), profiles=(ARGON.profile(STEPS.rules),), arrivals=(Arrival("argon", "6.3.4"),),
        units=1, opening=lambda cloud, specs: cloud.edit_device(specs[0].device_id, notes="of the first owner"),
        wants=lambda profile, spec: {"owner": "somebody@example.com", "notes": "of the first owner", "groups": ("a",)},
    )  # fmt: skip
    demo, tally = run_demo(options)
    (row,) = demo.reconciliation
    assert row.problems == (
        "the cloud shows owner None, wanted 'somebody@example.com'", "the cloud shows groups [], wanted ('a',)",
    )  # fmt: skip
    assert row.record == ("notes",)
    assert status(demo, tally) == 1


# --- a tray that came with its list ----------------------------------------------------------------


@pytest.mark.rule("C9")
def test_the_units_of_a_tray_are_imported_from_its_list_and_by_no_walk(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("demo", "--story", "tray", "--json")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (imported,) = [event for event in events if event["kind"] == "ListImported"]
    assert imported["lines"] == {"added": 6}
    assert events.index(imported) < next(n for n, event in enumerate(events) if event["kind"] == "AttemptStarted")
    added = [event for event in events if event["kind"] == "StepFinished" and event["step"] == "product_add"]
    assert [event["outcome"] for event in added] == ["already"] * 6
    (summary,) = [event for event in events if event["kind"] == "BatchSummary"]
    assert (summary["units"], summary["cloud_writes"]) == ({"PASS": 6}, 1 + 6)  # one import, and a name each
    rows = [event for event in events if event["kind"] == "Reconciled"]
    assert [row["problems"] for row in rows] == [[]] * 6
    assert all("product_id" in row["record"] and "sim" in row["record"] for row in rows)


def test_a_person_is_told_what_became_of_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("demo", "--story", "tray", "--headless", "--language", "de")) == 0
    assert "Liste tray-17.csv, Produkt 12313: 6 added" in capsys.readouterr().out

"""Whatever a walk asks a unit is refused: once with every code there is, and for good; and its console is garbled once.

What is asked comes from the virtual unit's own log (`support.eras`), on every family and in every Device OS era.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from line_bench import PRODUCTS, Recipe, Walk, line_bench
from support.eras import (
    ERAS,
    GARBLED,
    OF_UPDATES,
    RAW,
    Era,
    Wire,
    asked_of,
    bench_of,
    garble_once,
    refuse_each_once,
    refuse_for_good,
)
from support.proof_of_pass import untruths

from drivers.platforms import OsVersion, platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.flash import Who
from drivers.wire.control.tables import RequestType
from drivers.wire.results import About, ResultCode, result_of
from station.engine.events import HandsNeeded, StepProgress
from station.model import Verdict

each_era = pytest.mark.parametrize("era", ERAS, ids=str)
CODES = tuple(int(code) for code in ResultCode if code < 0)
"""Every result there is: said once, each of them passes."""


def test_the_eras_ask_of_every_family_what_its_walks_ask() -> None:
    """No era is superfluous, and what the capability table lets a walk ask is asked in one."""
    asked = {era: asked_of(era) for era in ERAS}
    assert {platform_by_slug(era.slug).family for era in ERAS} == {"stm32", "nrf", "rtl"}
    kinds = {kind for one in asked.values() for kind in one.requests}
    assert len(kinds) > 20
    assert {b"iv", b"sv", b"mv", b"cv", b"w", b"x"} <= {data for one in asked.values() for data in one.typed}
    for era, one in asked.items():
        row, version = platform_by_slug(era.slug), OsVersion.parse(era.arrives)
        if era.target is None:
            unknown = {kind for kind in one.requests if kind < RAW and not row.knows_request(kind, version)}
            assert unknown == set(), f"{era} was asked {unknown}"


@pytest.mark.parametrize("turn", range(4))
@each_era
def test_a_good_unit_passes_though_it_refuses_once_whatever_it_is_asked(era: Era, turn: int) -> None:
    """Every asking in the walk, with codes in turn; over turns and eras each request meets most codes."""
    with bench_of(era) as (bench, unit):
        refused = refuse_each_once(Wire(unit), CODES, 13 * turn + ERAS.index(era))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert untruths(bench, unit, era.recipe, is_here=True) == []
    assert set(refused) >= set(asked_of(era).requests)


TRANSIENT, FIRMWARES, OWN = (
    tuple(code for code in CODES if result_of(code).about is about and code != ResultCode.PROTECTED)
    for about in (About.MOMENT, About.FIRMWARE, About.UNIT)
)  # fmt: skip


@pytest.mark.parametrize("turn", range(2))
@each_era
def test_whatever_is_refused_for_good_ends_in_a_verdict_that_says_what(era: Era, turn: int) -> None:
    """A PASS found another way. Only what the unit says of itself makes it bad; the reason says what was refused."""
    for number, kind in enumerate(sorted(asked_of(era).requests), ERAS.index(era) + turn):
        codes = (TRANSIENT, FIRMWARES, OWN)[number % 3]
        code = codes[number % len(codes)]
        with bench_of(era) as (bench, unit):
            refuse_for_good(Wire(unit), kind, code)
            walk = bench.walk(unit, within=4000.0)
            told, about = walk.finished, f"{era}, request {kind}, {code}: {walk.finished}"
            assert unit.faults.happened, about
            assert not walk.of(HandsNeeded), about  # there is another way
            if walk.verdict is Verdict.PASS:
                assert untruths(bench, unit, era.recipe, is_here=True) == [], about
                continue
        assert walk.verdict is Verdict.ERROR or (walk.verdict is Verdict.FAIL and codes is OWN), about
        assert told.sentence not in ("", "check_station"), about
        assert is_named(kind, told.reason), about
        assert told.reason.isprintable()


def is_named(kind: int, reason: str) -> bool:
    """Whether a reason says what was refused; what only repeats a raw request is named in its place."""
    if kind >= RAW:
        return "SYSTEM_VERSION" in reason
    if kind in OF_UPDATES:  # an update begins anew with START
        return "FIRMWARE_UPDATE" in reason
    return RequestType(kind).name in reason


@each_era
def test_a_good_unit_passes_though_its_console_is_garbled_once(era: Era) -> None:
    """What the host reads after each thing it typed, in one manner after the other."""
    manners, hits = tuple(GARBLED), 0
    commands = [number for number, data in enumerate(asked_of(era).typed, 1) if data.strip()]
    for at, number in enumerate(commands):
        manner = manners[(at + ERAS.index(era)) % len(manners)]
        with bench_of(era) as (bench, unit):
            garbled = garble_once(Wire(unit), number, manner, str(era))
            walk = bench.walk(unit)
            assert walk.verdict is Verdict.PASS, (number, manner, garbled, walk.finished)
            assert untruths(bench, unit, era.recipe, is_here=True) == [], (number, manner, garbled)
            hits += bool(garbled)
    assert hits >= len(commands) - 2  # what leaves listening mode prints nothing


# --- old stock ---------------------------------------------------------------------------------------


def warned(walk: Walk) -> set[str]:
    return {event.say.key for event in walk.events if isinstance(event, StepProgress)}


@pytest.mark.rule("H12")
@pytest.mark.parametrize("is_told", [False, True])
def test_an_electron_that_listens_unasked_is_said_to_miss_its_sim(is_told: bool, tmp_path: Path) -> None:
    own = synthetic.application(10, "3.3.1", seed="story")
    with line_bench(tmp_path, Recipe("electron", device_os=None, application=own)) as bench:
        spec = make_spec("electron", 7, 1, "3.3.1", arrives=BootRequest.NORMAL if is_told else BootRequest.SAFE)
        unit = bench.unit(spec=spec)
        if not is_told:
            unit.memory.dct.set_startup_listening(True, Who.FACTORY)
        walk = bench.walk(unit)
        assert ("check_sim" in warned(walk)) is not is_told


@pytest.mark.rule("H1")
@pytest.mark.rule("H3")
@pytest.mark.rule("H11")
@pytest.mark.parametrize("device_os", ["0.4.9", "0.5.5"])
def test_a_photon_older_than_any_request_is_asked_for_by_hand_and_told_apart(device_os: str, tmp_path: Path) -> None:
    """Only its console names it; where no line rate opens that, the operator's hand does."""
    own = synthetic.application(6, device_os, seed="story", product_id=PRODUCTS["photon"], product_version=7)
    with line_bench(tmp_path, Recipe("photon", device_os=None, application=own, wifi=False)) as bench:
        unit = bench.unit(spec=dataclasses.replace(make_spec("photon", 7, 1, device_os), networks=()))
        bench.plug(unit)
        finished = bench.wait_finished()
        assert finished.device_id == unit.device_id
        assert finished.verdict is Verdict.PASS, finished

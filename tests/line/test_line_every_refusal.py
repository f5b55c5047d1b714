"""Every request a walk sends is refused: once with each passing code, and for good; and garbled once on the console."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from line_bench import PRODUCTS, Recipe, Walk, line_bench

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.flash import Who
from drivers.wire.control.tables import RequestType
from station.engine.events import StepProgress
from station.model import Verdict

PASSING = (-110, -160, -210, -260)  # busy, time-out, wrong state, no memory: a modem or a file system that starts up
UNITS = {
    "photon": "2.3.1", "p1": "3.3.1", "electron": "3.3.1", "argon": "3.3.1", "boron": "3.3.1", "esomx": "5.9.0",
    "bsom": "4.2.0", "b5som": "5.8.2", "tracker": "3.3.1", "p2": "5.8.0", "msom": "5.8.0",
}  # fmt: skip
"""A Device OS each platform comes with, and is updated from where its flash can be written from here."""


def recipe_of(slug: str) -> Recipe:
    row = platform_by_slug(slug)
    if row.family == "nrf" and slug != "tracker":
        return Recipe(slug)
    own = synthetic.application(row.id, UNITS[slug], seed="story")
    return Recipe(slug, device_os=None, application=own, wifi=None if row.family == "rtl" else False)


def refused(code: int, count: int = 1, types: tuple[int, ...] = tuple(RequestType)) -> tuple[str, ...]:
    """Faults that refuse the first ``count`` requests of each type."""
    return tuple(f"at=request:{int(one)}:{n},do=reject,code={code}" for one in types for n in range(1, count + 1))


@pytest.mark.parametrize("code", PASSING)
@pytest.mark.parametrize("slug", UNITS)
def test_a_good_unit_that_refuses_every_request_once_passes(slug: str, code: int, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe_of(slug)) as bench:
        unit = bench.unit(slug, 1, UNITS[slug], faults=refused(code))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert len(unit.faults.happened) > 3


@pytest.mark.parametrize("code", [-160, -120])
@pytest.mark.parametrize(
    "kind",
    [
        RequestType.DEVICE_ID, RequestType.SERIAL_NUMBER, RequestType.DFU_MODE, RequestType.START_LISTENING,
        RequestType.GET_DEVICE_MODE, RequestType.SET_DEVICE_SETUP_DONE, RequestType.IS_DEVICE_SETUP_DONE,
        RequestType.GET_PROTECTED_STATE, RequestType.GET_MODULE_INFO, RequestType.START_FIRMWARE_UPDATE,
        RequestType.FIRMWARE_UPDATE_DATA, RequestType.FINISH_FIRMWARE_UPDATE, RequestType.GET_ICCID,
    ],
    ids=lambda kind: kind.name.lower(),
)  # fmt: skip
def test_a_request_that_is_refused_for_good_ends_in_a_verdict_that_names_it(
    kind: RequestType, code: int, tmp_path: Path
) -> None:
    with line_bench(tmp_path, Recipe("boron", device_os="6.3.4")) as bench:
        unit = bench.unit("boron", 1, "3.3.1", faults=refused(code, 700, (kind,)))
        bench.plug(unit)
        finished = bench.wait_finished()
    if finished.verdict is Verdict.PASS:  # another way was found
        assert kind in (RequestType.DFU_MODE, RequestType.START_LISTENING, *NOT_SENT)
        return
    assert finished.failed_step
    assert finished.sentence not in ("", "check_station")
    named = "FIRMWARE_UPDATE" if "FIRMWARE_UPDATE" in kind.name else kind.name  # an update begins anew with START
    assert named in finished.reason, finished.reason


NOT_SENT = (RequestType.SET_DEVICE_SETUP_DONE, RequestType.IS_DEVICE_SETUP_DONE, RequestType.GET_PROTECTED_STATE)
"""A Boron that leaves with Device OS 6.3.4 has no setup-done flag; the one it comes with knows no protection."""


@pytest.mark.parametrize("at", range(1, 30, 3))
@pytest.mark.parametrize("slug", ["electron", "p1"])
def test_a_console_that_is_garbled_once_is_asked_again(slug: str, at: int, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe_of(slug)) as bench:
        walk = bench.walk(bench.unit(slug, 1, UNITS[slug], faults=(f"at=console:{at},do=garbage",)))
        assert walk.verdict is Verdict.PASS, walk.finished


# --- old stock ---------------------------------------------------------------------------------------


def warned(walk: Walk) -> set[str]:
    return {event.say.key for event in walk.events if isinstance(event, StepProgress)}


@pytest.mark.rule("H12")
@pytest.mark.parametrize("is_told", [False, True])
def test_an_electron_that_listens_unasked_is_said_to_miss_its_sim(is_told: bool, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe_of("electron")) as bench:
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

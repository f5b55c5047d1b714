"""Which unit it is: two with one Device ID, one without a serial number, one that arrives in DFU."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from line_bench import BORON, BootRequest, LineBench, Recipe, line_bench, replace

from drivers.identity import SerialNumber
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.unit import VirtualUnit
from station.cloud.virtual import Fault, FaultKind
from station.engine.events import AttemptFinished, StepStarted
from station.model import Verdict


def twin_of(bench: LineBench, unit: VirtualUnit) -> VirtualUnit:
    twin = VirtualUnit(unit.spec, bench.clock, bench.world)
    bench.units.append(twin)
    return twin


def last_verdicts(bench: LineBench) -> dict[int, tuple[Verdict, str]]:
    ends = [event for _, event in bench.events if isinstance(event, AttemptFinished)]
    return {end.slot: (end.verdict, end.sentence) for end in ends}


TWINS = {1: (Verdict.FAIL, "twin"), 2: (Verdict.FAIL, "twin")}


@pytest.mark.parametrize("after_s", [0.0, 2.0, 8.0, 20.0, 27.0, 60.0])
def test_of_two_units_with_one_device_id_neither_passes(after_s: float, tmp_path: Path) -> None:
    """Whether the first is at work, just through, or finished and still plugged in."""
    with line_bench(tmp_path, BORON, slots=2) as bench:
        unit = bench.unit()
        bench.plug(unit, 1)
        bench.sleep(after_s)
        bench.plug(twin_of(bench, unit), 2)
        bench.sleep(120.0)
        assert last_verdicts(bench) == TWINS


def test_a_unit_whose_twin_has_left_is_walked_again_on_demand_and_passes(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=2) as bench:
        unit = bench.finished_unit(BORON)
        bench.plug(unit, 1)
        bench.sleep(60.0)
        bench.plug(twin_of(bench, unit), 2)
        bench.sleep(60.0)
        assert last_verdicts(bench) == TWINS
        bench.unplug(2)
        bench.sleep(1.0)
        assert bench.retry(1).verdict is Verdict.PASS


def test_a_finished_unit_that_moves_to_another_slot_is_nobodys_twin(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=2) as bench:
        unit = bench.finished_unit(BORON)
        assert bench.walk(unit, 1).verdict is Verdict.PASS
        assert bench.walk(unit, 2).verdict is Verdict.PASS
        assert bench.walk(bench.finished_unit(BORON, 2), 1).verdict is Verdict.PASS


# --- no serial number ---


def unnumbered(**changes: object) -> dict[str, object]:
    return {"spec": dataclasses.replace(make_spec("boron", 7, 1, "3.3.1"), serial=None, **changes)}  # type: ignore[arg-type]


def test_a_unit_without_a_serial_number_is_called_as_the_profile_says(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:  # its profile has a fallback
        unit = bench.unit(**unnumbered())  # type: ignore[arg-type]
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        record = bench.cloud.device(unit.spec.device_id)
        assert record is not None
        assert record["name"] == f"boron-{unit.device_id[-6:]}"


@pytest.mark.parametrize("transfer", range(9, 16))  # the serial number is asked for in the middle of these
def test_a_garbled_answer_is_not_that_of_a_unit_without_a_serial_number(transfer: int, tmp_path: Path) -> None:
    """Believed once, the unit would be named by its Device ID, and pass."""
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        unit.order(parse_fault(f"at=control:{transfer},do=garbage"))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        record = bench.cloud.device(unit.spec.device_id)
        assert record is not None
        assert record["name"] == str(unit.spec.serial)


class Plain(Recipe):
    """A profile that does not say how a unit without a serial number is called."""

    def text(self) -> str:
        return "\n".join(line for line in super().text().splitlines() if not line.startswith("fallback"))


def test_a_unit_without_a_serial_number_misses_it_where_the_profile_says_nothing(tmp_path: Path) -> None:
    with line_bench(tmp_path, Plain("boron")) as bench:
        walk = bench.walk(bench.unit(**unnumbered()))  # type: ignore[arg-type]
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "identity_missing")
        assert walk.finished.values == ("serial number",)
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


# --- the oldest Device OS a unit may hold ---


OLD = replace(BORON, device_os="3.3.1", allow_downgrade=True)


@pytest.mark.rule("D9")
@pytest.mark.parametrize("told", [True, False], ids=["the cloud knows its serial number", "nobody does"])
@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
@pytest.mark.parametrize(("serial", "verdict"), [("P044AB123456789", Verdict.FAIL), ("P028AB123456789", Verdict.PASS)])
def test_a_unit_in_dfu_is_judged_by_the_same_minimum_as_one_that_runs(
    serial: str, verdict: Verdict, arrives: BootRequest, told: bool, tmp_path: Path
) -> None:
    """A BRN404X never gets a 3.3.1; a BRN404 may."""
    with line_bench(tmp_path, OLD) as bench:
        fresh = make_spec("boron", 7, 1, "6.3.4", arrives=arrives)
        unit = bench.unit(spec=dataclasses.replace(fresh, serial=SerialNumber.parse(serial)), is_known=told)
        bench.cloud.register_unit(fresh.device_id, 13, iccid=fresh.iccid, imei=fresh.imei)  # unless it knows it
        walk = bench.walk(unit)
        assert walk.verdict is verdict, walk.finished.reason
        if verdict is Verdict.FAIL:
            assert "D9" in walk.finished.reason
            assert walk.flash_writes == 0


def test_a_unit_in_dfu_that_does_not_start_and_nobody_knows_is_not_given_a_device_os_that_may_harm_it(
    tmp_path: Path,
) -> None:
    with line_bench(tmp_path, OLD) as bench:
        walk = bench.walk(bench.unit(modules=BORON_WITHOUT_SYSTEM, is_known=False))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "identity_missing")
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


BORON_WITHOUT_SYSTEM = tuple(file.data for file in BORON.release()[:2])


# --- which step it was ---


@pytest.mark.parametrize("step", ["dfu", "device_os"])
def test_after_a_pull_the_failed_step_is_the_one_at_work_on_the_unit(step: str, tmp_path: Path) -> None:
    """While the cloud's lane waits for a cloud that is sick, and is told of the pull first."""
    with line_bench(tmp_path, replace(BORON, offline="hold")) as bench:
        bench.cloud.order(Fault(FaultKind.STATUS, "POST /v1/products/:p/devices", status=503, times=None))
        bench.plug(bench.unit())
        bench.wait_for(StepStarted, step=step)
        bench.sleep(0.2)  # before any restart
        bench.unplug()
        told = bench.wait_finished()
        assert (told.verdict, told.failed_step) == (Verdict.ABORTED, step)

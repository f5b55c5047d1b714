"""The way out of a product with the unit plugged in: Tinker, SIM, owner, membership; cut anywhere, the rest is done."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from line_bench import BORON, ME, PRODUCTS, LineBench, line_bench

from drivers.host.port_paths import no_controller
from drivers.platforms import platform
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual import synthetic
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.faults import parse_fault
from drivers.virtual.hotplug import VirtualChanges
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import VirtualUnit
from station.cli.looking import Place, Ports
from station.cloud.virtual import Fault, FaultKind
from station.engine.step import StepResult
from station.errors import BadInput, CloudError
from station.firmware.cache import FirmwareCache, Origin
from station.line.rework.case import Foreseen, Wishes
from station.line.rework.desk import ReworkDesk
from station.line.rework.retiring import RETIRE, PluggedUnit, foresee
from station.model import Outcome
from station.steps.shared.knowledge import UnitKnowledge
from station.steps.shared.unit import Unit

PRODUCT, PORT = PRODUCTS["boron"], "1-9"  # no slot of the station's
MEMBER = "/v1/products/:p/devices/:id"
OWNER, REMOVE = f"DELETE {MEMBER}/owner", f"DELETE {MEMBER}"
RELEASE = "DELETE /v1/products/:p/sims/:iccid"
SOMEBODY = "somebody@example.com"
NEWS = Origin("test", datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC))
DEVICE_OS = "6.3.4"
TINKER = synthetic.application(13, DEVICE_OS, seed="tinker")
OUT = [RELEASE, OWNER, REMOVE]


class Leaving:
    """A member that ran its product's application and belongs to somebody, on a port of the desk."""

    def __init__(self, bench: LineBench) -> None:
        self.bench, self.cloud = bench, bench.cloud
        self.cache = FirmwareCache(bench.directory / "cache")
        assert "tinker" in TINKER.name
        self.cache.add(TINKER.data, TINKER.name, TINKER.name, NEWS)
        bench.traffic.know(TINKER.name, TINKER.data)
        bench.cloud.create_user(SOMEBODY)
        self.unit: VirtualUnit = bench.finished_unit(BORON)
        spec = self.unit.spec
        self.cloud.edit_device(spec.device_id, product_id=PRODUCT, owner=SOMEBODY, firmware_product_id=PRODUCT)
        assert spec.iccid is not None
        self.cloud.edit_sim(spec.iccid, status="active", activations=1, product_id=PRODUCT)
        self.iccid = spec.iccid
        bench.bus.plug(PORT, self.unit)

    @contextmanager
    def _plugged(self) -> Iterator[tuple[ReworkDesk, PluggedUnit]]:
        bench, bus, clock = self.bench, self.bench.bus, self.bench.clock
        serial = VirtualPorts(bus)
        host = PyusbHost(VirtualBackend(bus), controller_of=no_controller)
        place = Place(host, PyserialHost(serial.list, serial.open, no_controller), clock, VirtualChanges(bus))
        with Ports(place) as ports:
            (candidate,) = ports.wait(1)
            device, station = ports.device(candidate), bench.station
            unit = Unit(UnitKnowledge(platform(13)), device, station.journal, needs_serial=False)
            desk = ReworkDesk(station.client, clock, station.journal.record, product=PRODUCT, by="0042")
            try:
                yield desk, PluggedUnit(unit, station.client, self.cache, station.steps.rules, clock)
            finally:
                device.close()

    def retire(self, *, keeps_sim: bool = False, only_looks: bool = False) -> tuple[Foreseen, StepResult | None]:
        with self._plugged() as (desk, plugged):
            cancel = self.bench.clock.token()
            has_tinker = plugged.look(desk.context(None, cancel))
            known = plugged.unit.known
            assert known.device_id is not None
            case = desk.look(known.device_id, RETIRE, Wishes(releases_sim=not keeps_sim), cancel, known)
            foreseen = foresee(case, plugged, has_tinker=has_tinker)
            return foreseen, None if only_looks or not foreseen.parts else desk.act(case, foreseen.parts)

    def changes(self) -> list[str]:
        return [one.route for one in self.cloud.requests() if one.had_effect]

    @property
    def runs_tinker(self) -> bool:
        return self.unit.memory.holds(TINKER.data)

    @property
    def is_out(self) -> bool:
        record = self.cloud.device(self.unit.spec.device_id) or {}
        return (record["product_id"], record.get("owner"), self.cloud.sim_status(self.iccid)) == (13, None, "inactive")


@pytest.fixture
def leaving(tmp_path: Path) -> Iterator[Leaving]:
    with line_bench(tmp_path, BORON) as bench:
        yield Leaving(bench)


@pytest.mark.rule("I5")
@pytest.mark.rule("I6")
@pytest.mark.rule("L5")
def test_a_unit_leaves_with_tinker_on_it_its_sim_released_unclaimed_and_out(leaving: Leaving) -> None:
    foreseen, told = leaving.retire()
    assert [part.says.split()[0] for part in foreseen.parts] == ["writes", "deactivates", "takes", "takes"]
    assert told is not None
    assert told.outcome is Outcome.DONE, told.proof
    assert leaving.runs_tinker
    assert leaving.changes() == OUT
    assert leaving.is_out
    for proof in ("DFU read-back equal: application", "is released", "the cloud shows no owner", "has it no more"):
        assert proof in told.proof
    foreseen, _ = leaving.retire()
    assert foreseen.parts == ()
    assert foreseen.already == f"it runs Tinker; product {PRODUCT} has it no more, nor SIM {leaving.iccid}"


@pytest.mark.rule("I5")
def test_the_cloud_is_touched_only_when_the_unit_is_proved_to_hold_tinker(leaving: Leaving) -> None:
    leaving.retire()
    with leaving.bench.reader() as journal:
        targets = [row.values()["target"] for row in journal.entries() if row.kind == "WriteIntended"]
    assert targets == sorted(targets, reverse=True)  # the unit's before the cloud's
    assert {"unit", "cloud"} == set(targets)


def test_looking_writes_nothing_to_the_unit_and_nothing_to_the_cloud(leaving: Leaving) -> None:
    before = leaving.unit.score.flash_writes
    leaving.retire(only_looks=True)
    assert leaving.unit.score.flash_writes == before
    assert leaving.cloud.writes == {}


@pytest.mark.rule("L5")
def test_a_sim_that_is_kept_stays_active_and_that_is_said(leaving: Leaving) -> None:
    foreseen, told = leaving.retire(keeps_sim=True)
    assert any("stays in the product, active and billed" in note for note in foreseen.notes)
    assert told is not None
    assert told.outcome is Outcome.DONE
    assert leaving.changes() == [OWNER, REMOVE]
    assert leaving.cloud.sim_status(leaving.iccid) == "active"


def test_without_a_tinker_for_it_nothing_is_begun(leaving: Leaving) -> None:
    leaving.cache = FirmwareCache(leaving.bench.directory / "empty")
    with pytest.raises(BadInput, match="no Tinker for Boron"):
        leaving.retire()
    assert leaving.cloud.writes == {}


@pytest.mark.parametrize("route", OUT)
def test_cut_by_the_cloud_it_finishes_the_rest_and_does_nothing_twice(route: str, leaving: Leaving) -> None:
    outage = Fault(FaultKind.STATUS, route, status=503, times=None)
    leaving.cloud.order(outage)
    with pytest.raises(CloudError):
        leaving.retire()
    assert leaving.runs_tinker
    leaving.cloud.cancel_fault(outage)
    flashed = leaving.unit.score.flash_writes
    _, told = leaving.retire()
    assert told is not None
    assert told.outcome is Outcome.DONE, told.proof
    assert leaving.is_out
    assert sorted(leaving.changes()) == sorted(OUT)
    assert leaving.unit.score.flash_writes == flashed


@pytest.mark.parametrize("harm", [FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE])
@pytest.mark.parametrize("route", OUT)
def test_a_lost_answer_is_looked_up(route: str, harm: FaultKind, leaving: Leaving) -> None:
    leaving.cloud.order(Fault(harm, route, times=1))
    _, told = leaving.retire()
    assert told is not None
    assert told.outcome is Outcome.DONE, told.proof
    assert leaving.changes() == OUT


@pytest.mark.rule("I5")
def test_pulled_out_while_tinker_is_written_it_stays_in_the_product_and_the_rest_follows(leaving: Leaving) -> None:
    leaving.unit.order(parse_fault("at=dfu-write:2,do=unplug"))
    _, told = leaving.retire()
    assert told is not None
    assert told.outcome is not Outcome.DONE
    assert leaving.changes() == []
    leaving.bench.bus.plug(PORT, leaving.unit)
    leaving.bench.sleep(5.0)
    _, told = leaving.retire()
    assert told is not None
    assert told.outcome is Outcome.DONE, told.proof
    assert leaving.runs_tinker
    assert leaving.is_out


def test_a_unit_that_is_out_already_is_said_so_and_needs_its_product_named_for_the_sim(leaving: Leaving) -> None:
    leaving.cloud.edit_device(leaving.unit.spec.device_id, product_id=None, owner=None)
    foreseen, told = leaving.retire()
    assert told is not None
    assert told.outcome is Outcome.DONE
    assert leaving.changes() == [RELEASE]
    assert [part.says.split()[0] for part in foreseen.parts] == ["writes", "deactivates"]


def test_a_unit_in_no_product_of_anybody_here_is_flashed_only(leaving: Leaving) -> None:
    leaving.cloud.edit_device(leaving.unit.spec.device_id, product_id=None, owner=ME)
    leaving.cloud.edit_sim(leaving.iccid, product_id=None, username=SOMEBODY)
    foreseen, told = leaving.retire()
    assert [part.says.split()[0] for part in foreseen.parts] == ["writes"]
    assert told is not None
    assert told.outcome is Outcome.DONE
    assert leaving.changes() == []
    assert leaving.runs_tinker

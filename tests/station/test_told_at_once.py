"""What a verb waits for is told at the terminal with the first answer that is not the cloud's, in one line."""

from __future__ import annotations

import datetime
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.cloud_bench import BORON, ME, PRODUCT, populate

from drivers.clock import SimulatedClock
from drivers.clock.simulated import EPOCH
from drivers.platforms import platform
from station.bulk.devices import DeviceImport
from station.bulk.plan import plan_devices, plan_sims
from station.bulk.results import State
from station.bulk.sims import SimImport
from station.cli.account import LOST_WRITE_S, cloud_client
from station.cloud import api
from station.cloud.client import CloudClient
from station.cloud.errors import CloudDown, NotTheCloud
from station.cloud.virtual import Fault, FaultKind, VirtualCloud
from station.cloud.virtual.faults import Who
from station.line.rework.case import Wishes
from station.line.rework.desk import ReworkDesk
from station.line.rework.kinds import REWORKS
from station.local_time import clock_time
from station.scan.lists import read_list
from station.settings.config import load_config


class Stamped(io.StringIO):
    """A terminal that notes when each line was written to it, by the clock."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self.clock = clock
        self.lines: list[tuple[float, str]] = []

    def write(self, text: str) -> int:
        self.lines.append((self.clock.now(), text))
        return len(text)


@dataclass
class Terminal:
    """A verb's way to the cloud, and what its terminal shows."""

    clock: SimulatedClock
    cloud: VirtualCloud
    client: CloudClient
    shown: Stamped
    monkeypatch: pytest.MonkeyPatch
    records: list[object] = field(default_factory=list)

    def sit_down(self) -> None:
        """Look at the terminal from now on: within the test, as pytest replaces it between fixture and test."""
        self.monkeypatch.setattr(sys, "stderr", self.shown)

    def record(self, *events: object) -> None:
        self.records += events

    def order(self, route: str, who: Who, times: int | None = None) -> None:
        self.cloud.order(Fault(FaultKind.HTML, route, times=times, status=who.status, who=who))

    def unclaim(self) -> None:
        self.cloud.edit_device(BORON, product_id=PRODUCT, owner="somebody@example.com")
        desk = ReworkDesk(self.client, self.clock, self.record, product=PRODUCT)
        case = desk.look(BORON, REWORKS["unclaim"], Wishes(), self.clock.token())
        desk.act(case, REWORKS["unclaim"].foresee(case).parts)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    clock = SimulatedClock()
    cloud = VirtualCloud(clock)
    token = populate(cloud)
    cloud.create_user("somebody@example.com")
    (tmp_path / "station.toml").write_text(f'[cloud]\nurl = "{cloud.serve()}"\n', encoding="utf-8")
    with clock.registered():
        client = cloud_client(load_config(tmp_path / "station.toml"), lambda: token, clock, sends_again=True)
        yield Terminal(clock, cloud, client, Stamped(clock), monkeypatch)
        client.close()
        cloud.close()


@pytest.mark.parametrize("who", [Who.PORTAL, Who.FIREWALL, Who.NETWORK])
def test_a_write_that_a_stranger_answers_is_told_at_once_and_once_with_its_end(who: Who, terminal: Terminal) -> None:
    terminal.sit_down()
    route = "DELETE /v1/products/:p/devices/:id/owner"
    terminal.order(route, who)
    with pytest.raises(CloudDown):
        terminal.unclaim()
    ((at, line),) = terminal.shown.lines
    assert at == 0.0
    assert line.startswith(f"station: unclaim {BORON}")
    assert f"an answer {who.status} that is not the cloud's" in line
    until = clock_time(EPOCH + datetime.timedelta(seconds=LOST_WRITE_S))
    assert f"looked for, and sent again, until {until} at the latest\n" in line
    assert terminal.clock.now() <= LOST_WRITE_S
    assert [one.route for one in terminal.cloud.requests()].count(route) == 3, "it is still tried within its patience"


def test_a_read_that_a_stranger_answers_is_told_at_once(terminal: Terminal) -> None:
    terminal.sit_down()
    terminal.order("", Who.PORTAL)
    with pytest.raises(NotTheCloud):
        terminal.unclaim()
    ((at, line),) = terminal.shown.lines
    assert at == 0.0
    assert f"tried again until {clock_time(EPOCH + datetime.timedelta(seconds=17))} at the latest" in line
    assert terminal.clock.now() <= 18


@pytest.mark.parametrize("kind", ["units", "SIM cards"])
def test_an_import_that_a_stranger_answers_is_told_at_once_and_goes_on_by_itself(kind: str, terminal: Terminal) -> None:
    terminal.sit_down()
    terminal.order("POST ", Who.PORTAL, times=1)
    product = terminal.client.run(api.product(PRODUCT))
    work: DeviceImport | SimImport
    if kind == "units":
        lines = read_list(f"{BORON}\n".encode())
        units = plan_devices(lines, platform(13))
        work = DeviceImport(terminal.client, terminal.clock, terminal.record, product, units.items, "")
        work.look()
        work.send(lambda *_: None)
        result = units.results(lines, work.results())
    else:
        lines = read_list(b"89011703278123456789\n")
        cards = plan_sims(lines)
        asked = frozenset[str]()
        work = SimImport(terminal.client, terminal.clock, terminal.record, lambda *_: asked, product, cards.items)
        work.look()
        work.send()
        work.wait(60.0, lambda *_: None)
        result = cards.results(lines, work.results())
    assert [one.state for one in result] == [State.ADDED]
    ((at, line),) = terminal.shown.lines
    assert at == 0.0
    assert line.startswith("station: ")
    assert "sent again" in line


def test_the_line_says_who_it_is_not_and_quotes_nothing_that_controls_a_terminal(terminal: Terminal) -> None:
    terminal.sit_down()
    terminal.cloud.order(Fault(FaultKind.STATUS, times=None, status=429, body={"error": "\x1b[31mslow"}))
    with pytest.raises(Exception, match="429"):
        terminal.client.run(api.user())
    assert "\x1b" not in "".join(text for _, text in terminal.shown.lines)


def test_a_cloud_that_answers_is_not_told_of(terminal: Terminal) -> None:
    terminal.sit_down()
    terminal.unclaim()
    assert terminal.shown.lines == []
    assert terminal.client.run(api.user()).username == ME

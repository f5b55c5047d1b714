"""The enumerator with events of the system: units are seen at once; events that are lost or missing cost only time."""

from __future__ import annotations

import errno
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import LinkError
from drivers.host import hotplug_events
from drivers.host.hotplug_events import UdevChanges
from drivers.hotplug import Attached, BusChanges, Detached, Enumerator, HotplugEvent
from drivers.hotplug.enumerator import POLL_INTERVAL_S, RELIST_S
from drivers.transport import UsbCandidate
from drivers.transport.usb import PyusbHost
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.hotplug import VirtualChanges
from drivers.virtual.unit import VirtualUnit


class Bench:
    """A virtual bus, an enumerator on it, when it listed the bus and what it reported."""

    def __init__(self, clock: SimulatedClock, bus: VirtualBus) -> None:
        self.clock, self.bus, self.host = clock, bus, PyusbHost(VirtualBackend(bus))
        self.listings: list[float] = []
        self.told: list[tuple[float, HotplugEvent]] = []
        self.unit = VirtualUnit(make_spec("boron", 7, 1), clock)
        self.shown_at: list[float] = []
        bus.listen(lambda _port: self.shown_at.append(clock.now()))

    def candidates(self) -> list[UsbCandidate]:
        self.listings.append(self.clock.now())
        return self.host.candidates()

    @contextmanager
    def enumerating(self, changes: BusChanges | None) -> Iterator[None]:
        enumerator = Enumerator(self, self.clock, lambda e: self.told.append((self.clock.now(), e)), changes)
        enumerator.start()
        yield
        enumerator.stop()

    def plug_and_unplug(self) -> None:
        self.bus.plug("1-2", self.unit)
        self.clock.sleep(63.3)
        self.bus.unplug("1-2")
        self.clock.sleep(63.3)


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        yield Bench(clock, bus)


class Deaf:
    """Promises events and never sends one, as netlink in a container."""

    def __init__(self, inner: BusChanges | None = None) -> None:
        self.inner, self.is_deaf = inner, inner is None

    def listen(self, changed: Callable[[], None]) -> Callable[[], None]:
        if self.inner is None:
            return lambda: None
        return self.inner.listen(lambda: None if self.is_deaf else changed())


def test_a_unit_is_seen_when_it_appears_and_when_it_leaves(bench: Bench) -> None:
    with bench.enumerating(VirtualChanges(bench.bus)):
        bench.plug_and_unplug()
    moments = [at for at, _ in bench.told]
    assert [type(event) for _, event in bench.told] == [Attached, Detached]
    assert set(moments) <= set(bench.shown_at), "not one moment later than it happened"


def test_where_events_arrive_the_bus_is_hardly_listed(bench: Bench) -> None:
    with bench.enumerating(VirtualChanges(bench.bus)):
        bench.plug_and_unplug()
        quiet = len(bench.listings)
        bench.clock.sleep(60.0)
    assert len(bench.listings) - quiet <= 60.0 / RELIST_S + 1


@pytest.mark.parametrize("changes", [None, Deaf()], ids=["no events on this system", "events that never arrive"])
def test_without_events_the_bus_is_polled_and_the_same_is_reported(bench: Bench, changes: BusChanges | None) -> None:
    with bench.enumerating(changes):
        bench.plug_and_unplug()
    assert [type(event) for _, event in bench.told] == [Attached, Detached]
    for (at, _), shown in zip(bench.told, [bench.shown_at[0], bench.shown_at[-1]], strict=True):
        assert shown <= at <= shown + POLL_INTERVAL_S


def test_events_that_stop_arriving_are_noticed_by_the_next_change_and_the_bus_is_polled_from_then_on(
    bench: Bench,
) -> None:
    changes = Deaf(VirtualChanges(bench.bus))
    with bench.enumerating(changes):
        bench.plug_and_unplug()
        changes.is_deaf = True
        bench.plug_and_unplug()
    late = [at - max(shown for shown in bench.shown_at if shown <= at) for at, _ in bench.told[2:]]
    assert len(late) == 2
    assert late[0] <= RELIST_S
    assert late[1] <= POLL_INTERVAL_S


def test_it_listens_before_it_lists(bench: Bench) -> None:
    order: list[str] = []

    class Noting:
        def listen(self, changed: Callable[[], None]) -> Callable[[], None]:
            order.append("listen")
            return lambda: order.append("end")

    bench.candidates = lambda: order.append("list") or []  # type: ignore[method-assign, func-returns-value]
    with bench.enumerating(Noting()):
        bench.clock.sleep(POLL_INTERVAL_S / 2)
    assert order == ["listen", "list", "end"]


class Refusing:
    def listen(self, changed: Callable[[], None]) -> Callable[[], None]:
        raise LinkError("no netlink")


def test_a_system_that_refuses_events_is_polled(bench: Bench) -> None:
    with bench.enumerating(Refusing()):
        bench.plug_and_unplug()
    assert [type(event) for _, event in bench.told] == [Attached, Detached]


# --- udev's own ---


class Monitor:
    """What pyudev's monitor gives: one after the other of ``script``, then nothing."""

    def __init__(self, script: list[object]) -> None:
        self.script = script

    def poll(self, _timeout_s: float) -> object:
        step = self.script.pop(0) if self.script else None
        if isinstance(step, OSError):
            raise step
        return step


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        ([SimpleNamespace(), None, SimpleNamespace()], 2),
        ([OSError(errno.ENOBUFS, "No buffer space available"), SimpleNamespace()], 2),
        ([OSError(errno.EBADF, "Bad file descriptor"), SimpleNamespace()], 0),
    ],
    ids=["events", "an overrun is a change", "a broken socket ends it"],
)
def test_every_event_and_every_overrun_of_udev_asks_for_a_listing(script: list[object], calls: int) -> None:
    ending, counted = threading.Event(), []

    def changed() -> None:
        counted.append(1)
        if not monitor.script:
            ending.set()

    monitor = Monitor(script)
    hotplug_events._follow(monitor, changed, ending)
    assert len(counted) == calls


def test_a_system_without_libudev_has_no_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyudev", None)
    with pytest.raises(LinkError, match="is libudev installed"):
        UdevChanges().listen(lambda: None)


@pytest.mark.skipif(not hasattr(socket, "AF_NETLINK"), reason="netlink is Linux's")
def test_this_systems_own_udev_can_be_followed() -> None:
    try:
        end = UdevChanges().listen(lambda: None)
    except LinkError as error:
        pytest.skip(str(error))
    assert "udev" in {thread.name for thread in threading.enumerate()}
    end()

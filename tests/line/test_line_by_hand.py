"""The console of units of every family and age: opened by command, typed into, and left as it was found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.device_bench import DeviceBench, device_bench

from drivers.clock import CancelToken
from drivers.devices import Goal
from drivers.devices.terminal import Terminal
from drivers.errors import Cancelled, NeedsHands, Swapped
from drivers.platforms import platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import StoredNetwork
from drivers.wire.messages.tables import WifiSecurity
from station.line import by_hand

NETWORK = StoredNetwork("bench-net", None, WifiSecurity.NONE)
BY_BUTTON = "0.4.9"  # obeys no command that would bring it into listening mode
AGES = [
    pytest.param(row.slug, age, id=f"{row.slug}-{age}")
    for row in platforms()
    for made in [synthetic.versions(row.id)]
    for age in dict.fromkeys((made[0], made[-1]))
    if age != BY_BUTTON
]


@pytest.fixture
def bench() -> Iterator[DeviceBench]:
    with device_bench() as made:
        yield made


def plugged(bench: DeviceBench, slug: str, device_os: str) -> VirtualUnit:
    """A unit that was set up, so that it runs its application."""
    row = platform_by_slug(slug)
    unit = bench.plug(
        make_spec(
            slug, 7, 1, device_os, setup_done=row.setup_done_before is not None,
            networks=(NETWORK,) if row.has_wifi else (),
        )
    )  # fmt: skip
    bench.clock.sleep(10.0)
    return unit


def unheard(_device_id: str) -> None:
    """Nobody takes note of whose console it is."""


def heard(terminal: Terminal, answer: str) -> str:
    """The first line with ``answer`` in it."""
    for _ in range(200):
        for line in terminal.hear(0.2):
            if answer in line.text:
                return line.text
    raise AssertionError(f"the unit never printed {answer!r}")


@pytest.mark.parametrize(("slug", "device_os"), AGES)
def test_a_console_opens_answers_and_is_left_as_it_was(bench: DeviceBench, slug: str, device_os: str) -> None:
    unit = plugged(bench, slug, device_os)
    began = unit.mode
    device = bench.device()
    told: list[tuple[str, UnitMode]] = []
    with by_hand.console(device, bench.clock, "", lambda who: told.append((who, unit.mode))) as terminal:
        assert told == [(unit.device_id, began)]  # before it was changed
        assert unit.mode is UnitMode.LISTENING
        terminal.type("v")
        assert device_os in heard(terminal, "system firmware version: ")
        terminal.type("i")
        heard(terminal, unit.device_id)
    bench.clock.sleep(5.0)
    assert unit.mode is began


@pytest.mark.parametrize("slug", ["photon", "p1", "electron"])
def test_a_unit_that_obeys_no_command_needs_its_button_held_and_listens_afterwards(
    bench: DeviceBench, slug: str
) -> None:
    unit = plugged(bench, slug, BY_BUTTON)
    with pytest.raises(NeedsHands, match=r"hold its .* button until the light blinks dark blue"):
        _opened(bench)
    assert unit.mode is UnitMode.NORMAL
    unit.hold_mode_button()
    bench.clock.sleep(4.0)
    assert _opened(bench) == f"system firmware version: {BY_BUTTON}"
    bench.clock.sleep(5.0)
    assert unit.mode.value == UnitMode.LISTENING.value


def _opened(bench: DeviceBench) -> str:
    with by_hand.console(bench.device(), bench.clock, "", unheard) as terminal:
        terminal.type("v")
        return heard(terminal, "system firmware version: ")


@pytest.mark.parametrize(("slug", "device_os"), [("boron", "6.3.4"), ("photon", "0.5.5")])
def test_a_console_that_is_cancelled_is_left_all_the_same(bench: DeviceBench, slug: str, device_os: str) -> None:
    unit = plugged(bench, slug, device_os)
    token: CancelToken = bench.clock.token()
    device = bench.device(cancel=token)

    def cancelled() -> None:
        with by_hand.console(device, bench.clock, unit.device_id, unheard) as terminal:
            token.cancel()
            terminal.hear(0.2)

    with pytest.raises(Cancelled):
        cancelled()
    bench.clock.sleep(5.0)
    assert unit.mode is UnitMode.NORMAL


def test_a_unit_that_listened_before_listens_afterwards(bench: DeviceBench) -> None:
    unit = plugged(bench, "boron", "6.3.4")
    device = bench.device()
    device.reach(Goal.LISTENING, bench.within(60.0))
    with by_hand.console(device, bench.clock, "", unheard) as terminal:
        terminal.type("v")
        heard(terminal, "system firmware version: ")
    bench.clock.sleep(5.0)
    assert unit.mode is UnitMode.LISTENING


def test_another_unit_than_expected_is_not_brought_into_listening_mode(bench: DeviceBench) -> None:
    unit = plugged(bench, "boron", "6.3.4")
    told: list[str] = []
    with pytest.raises(Swapped), by_hand.console(bench.device(), bench.clock, "e00fce68" + "0" * 16, told.append):
        raise AssertionError("its console was opened")
    assert told == []
    assert unit.mode is UnitMode.NORMAL

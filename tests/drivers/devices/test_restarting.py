"""What the list of devices tells late does not change what became of a restart."""

from __future__ import annotations

import pytest
from support.device_bench import DeviceBench

from drivers.devices.restarting import VANISH_S
from drivers.errors import DidNotReturn
from drivers.identity import PortPath

LATE_S = 4 * VANISH_S


def test_a_unit_seen_to_leave_only_after_it_is_asked_again_has_not_been_unplugged_before_the_request(
    bench: DeviceBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.unit()
    device = bench.device()
    device.identify(bench.within(10.0))
    listed, until = bench.host.candidates(), bench.clock.now() + LATE_S
    look = bench.candidates
    monkeypatch.setattr(bench, "candidates", lambda: listed if bench.clock.now() < until else look())

    def pull_the_cable(port: PortPath) -> None:  # at the first change: when it leaves for DFU mode
        bench.bus.unplug(port)

    bench.bus.listen(pull_the_cable)
    with pytest.raises(DidNotReturn):
        device.enter_dfu(bench.within(60.0))
    assert bench.clock.now() >= until

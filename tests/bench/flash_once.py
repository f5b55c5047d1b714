"""Writes one module to one unit with our own drivers, in a process of its own: what a foreign client is put beside.

    python flash_once.py DEVICE_ID FILE

Over DFU the unit has to be in DFU mode already; by control requests it is not awaited back.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
from pathlib import Path
from typing import TypeVar

from drivers.clock import Deadline, SystemClock
from drivers.devices import DfuDevice
from drivers.devices.control import ControlDevice
from drivers.devices.opening import Opener
from drivers.devices.update import send_update
from drivers.errors import DriverError
from drivers.identity import DeviceId
from drivers.transport.usb import real_host
from drivers.wire import requests
from drivers.wire.image.host import parse_image
from drivers.wire.requests import Request

T = TypeVar("T")


class Asker:
    """What `send_update` asks of a unit."""

    def __init__(self, device: ControlDevice, deadline: Deadline) -> None:
        self._device, self._deadline = device, deadline

    def ask(self, request: Request[T], deadline: Deadline | None = None) -> T:
        return self._device.ask(request, deadline=deadline or self._deadline)


def main(device_id: str, file: str) -> None:
    clock, image = SystemClock(), parse_image(Path(file).read_bytes(), file)
    deadline = Deadline.after(clock, 600.0)
    (candidate,) = real_host().candidates()
    verbs = Opener(clock, clock.token(), lambda _: None).open(
        candidate, DeviceId.parse(device_id), lambda: True, deadline
    ).verbs  # fmt: skip
    times = [time.perf_counter()]
    if isinstance(verbs, DfuDevice):
        verbs.deadline = deadline
        verbs.write_module(image)
        times.append(time.perf_counter())
        verbs.verify(image)
    else:
        send_update(Asker(verbs, deadline), image, deadline, lambda _: None)
        times.append(time.perf_counter())
        with contextlib.suppress(DriverError):
            verbs.ask_restart(requests.finish_firmware_update(validate_only=False), deadline=deadline)
    times.append(time.perf_counter())
    print(json.dumps([later - before for before, later in itertools.pairwise(times)]))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])

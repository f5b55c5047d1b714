"""The other way round: our own drivers on libusb, pyserial and sysfs, with the pretended kernel in the same process.

Works only in a process that was started with umockdev's library preloaded; `test_own_drivers.py` starts one.
"""

from __future__ import annotations

import atexit
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from drivers.clock import Clock, SystemClock
from drivers.transport.serialport import PyserialHost, real_serial_host
from drivers.transport.usb import PyusbHost, real_host
from drivers.virtual.bus import VirtualBus

from .kernel import PRELOAD, PretendKernel


def is_inside() -> bool:
    """Whether this process sees a pretended kernel."""
    return PRELOAD in os.environ.get("LD_PRELOAD", "")


@dataclass(frozen=True, slots=True)
class RealHosts:
    """What a station on Linux uses, on the bus it was made for."""

    clock: Clock
    bus: VirtualBus
    host: PyusbHost
    serial_host: PyserialHost


@contextmanager
def real_hosts(speed: float) -> Iterator[RealHosts]:
    """A bus whose units this process finds as a program on a real machine would."""
    kernel = _kernel_of_this_process()
    with VirtualBus(SystemClock(speed)) as bus, kernel.showing(bus):
        host = real_host()
        yield RealHosts(bus.clock, bus, host, real_serial_host())
        assert bus.failures == []


@functools.cache
def _kernel_of_this_process() -> PretendKernel:
    """One, because libusb has one context per process: it cannot move to another machine."""
    kernel = PretendKernel()
    os.environ["UMOCKDEV_DIR"] = str(kernel.root)
    atexit.register(kernel.close)
    return kernel

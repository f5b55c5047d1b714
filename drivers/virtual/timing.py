"""Durations on a real unit, in seconds. Every number has a source or is marked as an estimate.

Those of flash operations are in the platform's row and in `flash.TIMINGS`, those of transfers in `drivers.wire.usb`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import Clock, SystemClock

_SLACK_REAL_S = 0.005
"""On the system clock shorter waits are accumulated: a sleep of 0.2 ms takes longer than the time it models."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Restart and radio times. The defaults are those of real units."""

    restart_after_check_s: float = 1.0  # reference usb-and-serial 3.7
    dfu_appears_s: float = 1.0  # reset to DFU on the bus; estimate of 7.1: 1 to 3 s
    application_appears_s: float = 2.0  # reset to application on the bus; estimate of 7.1: 2 to 5 s
    power_up_s: float = 0.3  # plugging in until the bootloader runs: debounce of the hub port
    serial_after_usb_s: float = 0.2  # the CDC node becomes usable slightly later (7.1)
    work_s: float = 0.001  # processing time of a request that only reads a value
    modem_on_s: float = 8.0  # request 554 and old console `i` with a cold modem: "up to tens of seconds"
    wifi_scan_s: float = 3.0
    wifi_join_s: float = 5.0  # reference 4.8: 5 to 30 s
    wifi_refused_s: float = 8.0
    wifi_reconnect_s: float = 1.5  # after a trial join the unit reconnects automatically (4.8)
    wifi_online_s: float = 4.0  # network known to cloud session
    cellular_online_s: float = 12.0
    retry_online_s: float = 10.0  # until the next attempt after a failed one
    wifi_bytes_per_s: float = 20_000.0  # of an update over the air, which is sent in small pieces; an estimate
    cellular_bytes_per_s: float = 3_000.0  # LTE-M; an estimate
    start_listening_s: float = 0.3


REAL = Timings()


def sleep_slack(clock: Clock) -> float:
    """Return the clock seconds of waiting that may accumulate before a thread sleeps; 0 in simulated time."""
    return _SLACK_REAL_S * clock.speed if isinstance(clock, SystemClock) else 0.0

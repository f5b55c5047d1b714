"""What a technician does to a unit outside of an attempt: its light, a mode, its console."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

from drivers.clock import Clock, Deadline
from drivers.devices import Goal, ParticleDevice
from drivers.devices.terminal import Terminal
from drivers.errors import DriverError, Swapped
from drivers.wire import requests
from drivers.wire.console.tables import Key
from drivers.wire.usb import Mode

from ..engine.commands import Mode as WantedMode

SIGNAL_S = 3.0
ENTER_S = 60.0
"""How long a unit may take to get into a mode a technician asked for."""
WHO_S = 10.0
"""How long it may take to say who it is, where nobody knows that yet."""
CONSOLE_S = 24 * 3600.0
"""A limit that no console reaches: the engine ends one at which nobody types any more."""
_GOALS: Mapping[WantedMode, Goal] = {
    "dfu": Goal.DFU, "listening": Goal.LISTENING, "safe": Goal.SAFE, "reset": Goal.RESTART,
}  # fmt: skip


def signal(device: ParticleDevice, clock: Clock, on: bool) -> bool:
    """Switch the LED rainbow on or off; False if the unit does not answer."""
    if device.mode is not Mode.APPLICATION:
        return False
    request = requests.start_signal() if on else requests.stop_signal()
    try:
        device.ask(request, Deadline.after(clock, SIGNAL_S))
    except DriverError:
        return False
    return True


def enter(
    device: ParticleDevice, clock: Clock, mode: WantedMode, expected: str, begins: Callable[[str], None]
) -> None:  # fmt: skip
    """Bring the unit into ``mode`` by the commands it obeys; raises as `ParticleDevice.reach`.

    ``begins`` is told its Device ID (``expected``, or the one it tells, "" for none) before the first of them: even one
    that fails may have been obeyed. A restart changes nothing as long as the unit comes back from it.
    """
    limit = Deadline.after(clock, ENTER_S)
    if not expected:
        with contextlib.suppress(DriverError):
            expected = str(device.identify(limit.sooner(WHO_S)))
    if mode != "reset":
        begins(expected)
    try:
        device.reach(_GOALS[mode], limit)
    except DriverError:
        if mode == "reset":
            begins(expected)
        raise


@contextlib.contextmanager
def console(
    device: ParticleDevice, clock: Clock, expected: str, begins: Callable[[str], None]
) -> Iterator[Terminal]:  # fmt: skip
    """Open the console of the unit, in listening mode, and yield what a person types into.

    Afterwards the unit leaves listening mode if it was not in it before: by request, or by a key if it is too old.
    ``expected``: the Device ID it should have, "" for any; ``begins`` is told the one it has, before it is changed.
    Raises `Swapped`, and as `ParticleDevice.reach` and `ParticleDevice.console`.
    """
    limit = Deadline.after(clock, ENTER_S)
    device_id = str(device.identify(limit))
    if expected and device_id != expected:
        raise Swapped(f"{device.where} is {device_id}, not {expected}", expected=expected, found=device_id)
    begins(device_id)
    was_listening = device.mode is Mode.APPLICATION and device.is_listening(limit)
    try:
        device.reach(Goal.LISTENING, limit)
        with device.console(Deadline.after(clock, CONSOLE_S), is_listening=True) as opened:
            try:
                yield Terminal(opened)
            finally:
                if not was_listening and not device.has_requests(limit):
                    with contextlib.suppress(DriverError):
                        opened.press(Key.LEAVE)
    finally:
        if not was_listening:
            device.undo_listening()

"""Implements ``station slots``: show what the slots are bound to, and learn it by plugging in unit after unit."""

from __future__ import annotations

import argparse
import collections
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from drivers.clock import Clock, SystemClock
from drivers.host.hotplug_events import system_changes
from drivers.hotplug import Attached, BusChanges, Enumerator, HotplugEvent
from drivers.identity import PortPath
from drivers.transport import UsbCandidate, UsbHost
from drivers.transport.usb import real_host

from ..errors import BadInput
from ..line.bench import platform_name
from ..line.bus_budget import overfull
from ..model import MAX_REASON, OffSlot
from ..settings.config import MAX_SLOTS, StationConfig, default_config_path, is_reason, load_config
from ..settings.config_file import with_off, with_slot
from .ending import POLL_S, Over, told_to_end
from .places import output
from .telling import sub_verbs, tell, tell_all

LEARN = "station slots learn"


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("slots", help="show what the slots are bound to, or learn it by plugging in")
    verbs = sub_verbs(parser, "what", "WHAT")
    lister = verbs.add_parser("list", help="the slots, their USB ports, and what is plugged in")
    lister.set_defaults(run=_list)
    learner = verbs.add_parser("learn", help="plug in one unit after the other; each port becomes the next slot")
    learner.add_argument("number", nargs="*", type=_number, help="slots to learn, in this order (those of the file)")
    learner.set_defaults(run=_learn)
    taker = verbs.add_parser("off", help="put a slot out of service: what is plugged in there counts nowhere")
    taker.add_argument("number", type=_number, help="of the slot")
    taker.add_argument("why", type=_why, help="the reason, which stands on the screen")
    taker.set_defaults(run=_off)
    putter = verbs.add_parser("on", help="put a slot into service again")
    putter.add_argument("number", type=_number, help="of the slot")
    putter.set_defaults(run=_on)
    for one in (lister, learner, taker, putter):
        one.add_argument("--config", type=Path, metavar="FILE", help="the station's config file")


def _number(text: str) -> int:
    if text not in map(str, range(1, MAX_SLOTS + 1)):
        raise argparse.ArgumentTypeError(f"{text!r} is no slot number, expected 1 to {MAX_SLOTS}")
    return int(text)


def _why(text: str) -> str:
    if not is_reason(text):
        raise argparse.ArgumentTypeError(f"expected a reason of 1 to {MAX_REASON} characters on one line")
    return text.strip()


def _off(arguments: argparse.Namespace) -> int:
    path = arguments.config or default_config_path()
    write_off(path, arguments.number, OffSlot(arguments.number, arguments.why, SystemClock().utc()))
    tell(f"slot {arguments.number} is out of service in {path}; a running station learns it at its next start")
    return 0


def _on(arguments: argparse.Namespace) -> int:
    path = arguments.config or default_config_path()
    write_off(path, arguments.number, None)
    tell(f"slot {arguments.number} is in service in {path}; a running station learns it at its next start")
    return 0


# --- list ---


def _list(arguments: argparse.Namespace) -> int:
    config = load_config(arguments.config)
    _check_local(config)
    tell_all(listing(config, real_host().candidates()))
    return 0


def listing(config: StationConfig, found: Iterable[UsbCandidate]) -> Iterator[str]:
    """Yield a line for each slot and each other unit, then what to do about slots that a reboot may mix up."""
    strangers = {candidate.port_path.value: candidate for candidate in found}
    off = {slot.number: slot for slot in config.off}
    for slot in config.slots:
        path = slot.port_path or ""
        candidate = next((one for one in strangers.values() if path in _names(one.port_path)), None)
        if candidate is not None:
            del strangers[candidate.port_path.value]
        state = f"OFF: {off[slot.number].why}" if slot.number in off else _unit(candidate)
        yield f"slot {slot.number:2}  {path:40} {state}".rstrip()
    for port, what in config.ignored_ports.items():
        strangers = {path: one for path, one in strangers.items() if port not in _names(one.port_path)}
        yield f"ignored  {port:40} {what}"
    for candidate in strangers.values():
        yield f"no slot  {candidate.port_path.value:40} {_unit(candidate)}"
    if not config.slots:
        yield f"no slot is bound to a USB port; run: {LEARN}"
    yield from numbered_by_bus(config)
    yield from overfull_controllers(config)


def overfull_controllers(config: StationConfig) -> Iterator[str]:
    """Yield a sentence for each USB controller that cannot take a unit in each of its slots that are in service."""
    off = {slot.number for slot in config.off}
    return overfull(slot.port_path for slot in config.slots if slot.port_path and slot.number not in off)


def numbered_by_bus(config: StationConfig) -> Iterator[str]:
    """Yield a sentence if slots are bound to bus numbers, which two controllers may swap at boot."""
    loose = [slot.number for slot in config.slots if slot.port_path and not PortPath(slot.port_path).is_stable]
    if loose:
        numbers = ", ".join(map(str, loose))
        which, them = (f"slot {numbers}: the port begins", "it") if len(loose) == 1 else (
            f"slots {numbers}: the ports begin", "them")  # fmt: skip
        yield (
            f"{which} with a bus number, which may be another after a reboot; "
            f"to bind {them} to the controller run: {LEARN} {' '.join(map(str, loose))}"
        )


def _names(port: PortPath) -> tuple[str, str]:
    return port.value, port.on_bus


def _unit(candidate: UsbCandidate | None) -> str:
    if candidate is None:
        return ""
    return f"{platform_name(candidate.usb_id.platform_id)} in {candidate.usb_id.mode or 'unknown'} mode"


# --- learn ---


def _learn(arguments: argparse.Namespace) -> int:
    config = load_config(arguments.config)
    _check_local(config)
    path = arguments.config or default_config_path()
    clock = SystemClock()
    numbers = arguments.number or [slot.number for slot in config.slots] or list(range(1, MAX_SLOTS + 1))
    tell(f"slots are written to {path}; Ctrl-C ends, what was learnt stays")
    over = Over()
    with told_to_end(over):
        learn(
            numbers, real_host(), clock, system_changes(), lambda n, port: keep(path, n, port), lambda: not over.empty()
        )
    tell_all(overfull_controllers(load_config(arguments.config)))
    return 0


def _check_local(config: StationConfig) -> None:
    if not config.usb.is_local:
        raise BadInput(
            f"{config.source}: units come over USB/IP, whose ports are named by hand; use this on a real bench"
        )


def learn(
    numbers: list[int],
    host: UsbHost,
    clock: Clock,
    changes: BusChanges | None,
    keep: Callable[[int, PortPath], None],
    is_over: Callable[[], bool],
) -> None:
    """Ask for a unit in each of ``numbers`` and call ``keep`` with the port it appears on, until ``is_over``.

    Units that are plugged in already count only when plugged in again, and a port only once.
    """
    ports = {candidate.port_path: 0 for candidate in host.candidates()}
    if ports:
        tell(f"{len(ports)} units are plugged in; unplug them, and plug each one in again at its turn")
    arrivals = _Arrivals(clock)
    enumerator = Enumerator(host, clock, arrivals, changes)
    enumerator.start()
    try:
        for number in dict.fromkeys(numbers):
            tell(f"slot {number}: plug in a unit")
            port = arrivals.next_new(ports, is_over)
            if port is None:
                return
            keep(number, port)
            ports[port] = number
            tell(f"slot {number} = {port}")
    finally:
        enumerator.stop()


class _Arrivals:
    """Queues what the enumerator reports."""

    def __init__(self, clock: Clock) -> None:
        self._condition = clock.condition()
        self._events: collections.deque[HotplugEvent] = collections.deque()

    def __call__(self, event: HotplugEvent) -> None:
        with self._condition:
            self._events.append(event)
            self._condition.notify_all()

    def next_new(self, known: dict[PortPath, int], is_over: Callable[[], bool]) -> PortPath | None:
        """Return the port of the next arrival that is not in ``known``, None when it is over.

        A departure takes a unit that was there at first (0) out of ``known``.
        """
        while not is_over():
            with self._condition:
                if not self._condition.wait_for(lambda: bool(self._events), POLL_S):
                    continue
                event = self._events.popleft()
            if not isinstance(event, Attached):
                if known.get(event.port_path) == 0:
                    del known[event.port_path]
            elif event.candidate.port_path not in known and not _is_tool(event.candidate):
                return event.candidate.port_path
        return None


def _is_tool(candidate: UsbCandidate) -> bool:
    """Return whether a debug probe or the like was plugged in, which sits in no slot."""
    other = candidate.usb_id.other_device
    return other is not None and other.is_tool


def keep(path: Path, number: int, port: PortPath) -> None:
    """Bind slot ``number`` to ``port`` in the config file ``path``, made if it is missing; its comments stay.

    Raises `BadInput` for a file that is no configuration, `OSError` when it cannot be written.
    """
    _rewrite(path, lambda text: with_slot(text, number, port))


def write_off(path: Path, number: int, off: OffSlot | None) -> None:
    """Write into the config file ``path`` that a slot is out of service, or in service again. Raises as `keep`."""
    _rewrite(path, lambda text: with_off(text, number, off))


def _rewrite(path: Path, change: Callable[[str], str]) -> None:
    if path.exists():
        load_config(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    with output(path) as file:
        file.write(change(text))

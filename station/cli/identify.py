"""Implements ``station identify``: print every identity of every unit plugged in, each with its source."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from drivers.clock import SystemClock
from drivers.errors import DriverError, UnknownPlatform
from drivers.host.hotplug_events import system_changes
from drivers.platforms import platform
from drivers.transport import UsbCandidate
from drivers.transport.serialport import real_serial_host
from drivers.transport.usb import real_host
from drivers.wire.messages.modules import ModuleInfo

from ..errors import BadInput, StationError
from ..settings.usb_source import add_usb, parse_url
from ..steps.shared.knowledge import Told, UnitKnowledge, module_name
from .looking import Place, Ports, look
from .on_need import virtual_units
from .telling import standard_output, tell_all

NO_UNIT = "no Particle unit is plugged in; see: station doctor"


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("identify", help="show every identity of every unit plugged in, with its source")
    add_place(parser)
    parser.add_argument("--watch", action="store_true", help="show one unit after the other as they are plugged in")
    parser.add_argument("--json", action="store_true", help="one unit a line as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print all that is plugged in; returns 0 when all of it are units that tell who they are, tools aside."""
    show = _as_json if arguments.json else _as_text
    with place(arguments) as found:
        if arguments.watch:
            return _watch(found, show, len(arguments.virtual))
        with Ports(replace(found, changes=None)) as ports:  # it looks once: events would cost more than they bring
            documents = list(identified(ports, ports.wait(len(arguments.virtual)), show))
    if not documents:
        sys.stderr.write(f"station: {NO_UNIT}\n")
    return 0 if documents and all(document.is_good for document in documents) else 1


def add_place(parser: argparse.ArgumentParser) -> None:
    """Declare where units are plugged in: here, at a USB/IP server, or in this process as virtual ones."""
    parser.add_argument(
        "--virtual", action="append", default=[], metavar="PLATFORM[@OSVERSION][:START]",
        help="a virtual unit in this process instead; START: as in station virtual serve --help",
    )  # fmt: skip
    parser.set_defaults(ap=[])
    add_usb(parser)


@contextlib.contextmanager
def place(arguments: argparse.Namespace) -> Iterator[Place]:
    """Return this computer's USB, that of a server, or a virtual bus; raises `BadInput`."""
    if arguments.virtual and arguments.usb:
        raise BadInput("--virtual and --usb: name one of them, they are different places")
    if arguments.virtual:
        with virtual_units(arguments.virtual, arguments.ap) as made:
            yield Place(*made)
    elif arguments.usb:
        yield Place(*parse_url(arguments.usb).remote_hosts(), SystemClock())
    else:
        yield Place(real_host(), real_serial_host(), SystemClock(), system_changes())


@dataclass(frozen=True, slots=True)
class Document:
    """All that is known of one device that is plugged in. ``fault``: why it is not more."""

    port: str
    platform: str
    platform_id: int | None
    told: tuple[Told, ...] = ()
    modules: tuple[ModuleInfo, ...] = ()
    fault: str = ""
    is_tool: bool = False

    @property
    def is_good(self) -> bool:
        """Return whether it is a unit that told who it is, or a tool that may be there."""
        return not self.fault or self.is_tool


Show = Callable[[Document], None]


def identified(ports: Ports, candidates: Iterable[UsbCandidate], show: Show) -> Iterator[Document]:
    """Read all units at the same time, and show and yield their documents in the order of ``candidates``."""
    clock, made = ports.place.clock, dict[int, Document]()
    read = [
        (number, clock.thread(f"identify-{number}", lambda n=number, c=candidate: made.update({n: document(ports, c)})))  # type: ignore[misc]
        for number, candidate in enumerate(candidates)
    ]
    for number, thread in read:
        thread.join()
        show(made[number])
        yield made[number]


def document(ports: Ports, candidate: UsbCandidate) -> Document:
    """Read what is known of one device; never raises `DriverError`."""
    port, other = candidate.port_path.value, candidate.usb_id.other_device
    if other is not None:
        return Document(port, other.name, None, fault=other.sentence, is_tool=other.is_tool)
    number = candidate.usb_id.platform_id
    try:
        known = UnitKnowledge(platform(number or 0))
    except UnknownPlatform as error:
        return Document(port, str(candidate.usb_id), number, fault=str(error))
    fault = ""
    try:
        look(ports, candidate, known)
    except (DriverError, StationError) as error:
        fault = str(error)
    return Document(port, known.platform.name, number, known.told(), known.modules, fault)


def _watch(found: Place, show: Show, last: int) -> int:
    """Show one unit after the other as they are plugged in; ends by Ctrl-C, or after ``last`` virtual units."""
    clock = found.clock
    news, arrived = clock.condition(), list[UsbCandidate]()

    def note(candidate: UsbCandidate) -> None:
        with news:
            arrived.append(candidate)
            news.notify_all()

    good = True
    with Ports(found, note) as ports, contextlib.suppress(KeyboardInterrupt):
        shown = 0
        while not last or shown < last:
            with news:
                if not news.wait_for(lambda: bool(arrived), 1.0):
                    ports.check()
                    continue
                candidate = arrived.pop(0)
            if ports.watch(candidate).current is candidate:  # else it has left, or is here again
                for one in identified(ports, [candidate], show):
                    good = good and one.is_good
                shown += 1
    return 0 if good else 1


# --- how it looks ------------------------------------------------------------------------------


def as_object(one: Document) -> dict[str, object]:
    """Return a document as JSON has it."""
    return {
        "port": one.port, "platform": one.platform, "platform_id": one.platform_id,
        "values": {told.name: _value(told) for told in one.told},
        "modules": [
            {
                "name": module_name(row), "version": row.version, "is_valid": row.is_valid,
                "hash": row.hash.hex() if row.hash else None,
            }
            for row in one.modules
        ],
        "fault": one.fault,
    }  # fmt: skip


def _value(told: Told) -> dict[str, object]:
    if told.value is None:
        return {"value": None, "sources": [], "missing": told.missing}
    row: dict[str, object] = {"value": told.value, "sources": list(told.sources)}
    if told.others:
        row["others"] = [{"value": value, "source": source} for value, source in told.others]
    if told.mark:
        row["mark"] = told.mark
    return row


def _as_json(one: Document) -> None:
    with standard_output() as file:
        file.write(json.dumps(as_object(one)) + "\n")


def _as_text(one: Document) -> None:
    tell_all(text_of(one))


def text_of(one: Document) -> Iterator[str]:
    """Return the lines of a document."""
    yield f"port {one.port}  {one.platform}"
    for told in one.told:
        if told.value is None:
            yield f"  {told.name:12} -   {told.missing}"
            continue
        yield f"  {told.name:12} {told.value:28} {', '.join(told.sources)}{f'  ({told.mark})' if told.mark else ''}"
        for value, source in told.others:
            yield f"  {'':12} {value:28} {source}"
    if one.fault:
        yield f"  {one.fault}"

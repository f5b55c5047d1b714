"""A unit's serial console in listening mode: typed replies to one-letter commands, and the Wi-Fi dialogue.

Adds time and the port to the pure dialogues of ``wire.console.host``. What the unit prints never
reaches the trace, because it contains the mobile secret and typed passwords.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from ..clock import CancelToken, Clock, Deadline
from ..errors import (
    BadIdentity,
    DeadlineExceeded,
    DriverError,
    GarbledConsole,
    LinkError,
    NotFound,
    RateRefused,
    RemoteProtocolError,
    RequestUnknown,
    TransferFailed,
    TransferTimeout,
)
from ..identity import DeviceId, MacAddress, PortPath, Secret
from ..platforms import OsVersion
from ..transport import SerialHost, SerialPort, SerialTransport
from ..wire.console import host as console
from ..wire.console import wifi
from ..wire.console.host import ConsoleDialogue, ConsoleIdentity, Description, Done, Write
from ..wire.console.tables import Key
from ..wire.console.wifi import WifiOutcome
from ..wire.messages.network import Enterprise
from ..wire.messages.tables import WifiSecurity
from ..wire.usb import Mode
from .dialogue import Trace, no_trace

T = TypeVar("T")

PORT_S = 10.0
"""Seconds to wait for the serial port, usable slightly after the vendor interface (reference usb-and-serial 7.1)."""
PORT_POLL_S = 0.1
"""How often the ports are listed until it is there; a listing reads some files and asks no unit."""
TRIES = 3
"""Tries of a command whose reply cannot be parsed or breaks off; one that gets none at all is typed once more."""
DRAIN_S = 2.0
_SLICE_S = 0.25
_READ_BYTES = 1024


class Console:
    """One opened console. One owner thread.

    Every method ends by the ``deadline`` it is passed, else by the one passed here.
    """

    def __init__(
        self,
        port: SerialTransport,
        clock: Clock,
        deadline: Deadline,
        cancel: CancelToken | None = None,
        trace: Trace | None = None,
        reopen: Callable[[], SerialTransport] | None = None,
        knows: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._port, self._clock, self._deadline, self._cancel = port, clock, deadline, cancel
        self._trace, self._reopen, self._knows = trace or no_trace, reopen, knows

    def identify(self, deadline: Deadline | None = None) -> ConsoleIdentity:
        """Read every identity the unit prints; up to Device OS 5.5.x that powers up the modem (20 s or more)."""
        return self._ask("i", console.identity, deadline)

    def version(self, deadline: Deadline | None = None) -> str:
        """Read the Device OS version."""
        return self._ask("v", console.version, deadline)

    def mac(self, deadline: Deadline | None = None) -> MacAddress | None:
        """Read the Wi-Fi MAC address; None when the unit shows none."""
        return self._ask("m", console.mac, deadline)

    def modules(self, deadline: Deadline | None = None) -> Description:
        """Read the platform and the modules in flash."""
        return self._ask("s", console.modules, deadline)

    def claimed(self, deadline: Deadline | None = None) -> bool:
        """Read the unit's own claimed bit: a hint, not proof."""
        return self._ask("c", console.claimed, deadline)

    def wifi(
        self,
        ssid: str,
        password: Secret | None,
        security: WifiSecurity,
        enterprise: Enterprise | None = None,
        deadline: Deadline | None = None,
    ) -> WifiOutcome:
        """Store a network without connecting to it; success ends listening mode. Limits as in `wifi.store_wifi`.

        A disturbed dialogue is begun anew; one in which the unit is stuck is led to its end first, and that raises
        `RemoteProtocolError`, as the unit then leaves listening mode: enter it and try again.
        """
        takes_over = False
        for left in reversed(range(TRIES)):
            dialogue = wifi.store_wifi(ssid, password, security, enterprise, takes_over=takes_over)
            try:
                return self._talk("w", dialogue, deadline)
            except (RemoteProtocolError, TransferTimeout):
                if left == 0 or takes_over:  # at its end the unit leaves listening mode
                    raise
                self._drain()
            except TransferFailed as error:
                self._open_again(error, left)
            takes_over = not self._is_at_top(deadline or self._deadline)
        raise AssertionError("unreachable: the last try returns or raises")

    def _is_at_top(self, deadline: Deadline) -> bool:
        """Return whether the unit waits for a command; if it waits for an answer, ``v`` is left standing there."""
        try:
            _Talk(self._port, self._clock, deadline, self._cancel).run("v", console.version())
        except (TransferTimeout, RemoteProtocolError):
            return False
        return True

    def press(self, key: Key) -> None:
        """Type a command that prints nothing."""
        if not self._knows(key):
            raise RequestUnknown(f"console command {key} was not typed: the unit's Device OS does not have it")
        self._port.write(key.encode())

    def listen(self, timeout_s: float) -> bytes:
        """Return what the unit printed, at least a byte as soon as there is one; nothing after ``timeout_s``."""
        if self._cancel is not None:
            self._cancel.check()
        return self._port.read(_READ_BYTES, timeout_s)

    def type(self, data: bytes) -> None:
        """Send what a person typed, unseen by any dialogue."""
        self._port.write(data)

    def resync(self) -> None:
        """Leave any prompt an abandoned dialogue may be waiting at; the main level ignores this."""
        self._port.write(console.RESYNC)

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _ask(self, name: str, query: Callable[[], ConsoleDialogue[T]], deadline: Deadline | None) -> T:
        """Run a command that only reads, up to `TRIES` times, twice if there is no reply: a byte may have been lost.

        Raises `GarbledConsole` when no reply could be parsed: the console is no evidence against the unit.
        """
        for left in reversed(range(TRIES)):
            try:
                return self._talk(name, query(), deadline)
            except TransferTimeout:
                if left < TRIES - 1:
                    raise
            except RemoteProtocolError as error:
                if left == 0:
                    raise GarbledConsole(f"{error}; is another program on its serial port?") from error
                self._drain()
            except TransferFailed as error:
                self._open_again(error, left)
        raise AssertionError("unreachable: the last try returns or raises")

    def _open_again(self, error: TransferFailed, tries_left: int) -> None:
        """Open the port anew after a failed transfer; raises ``error`` when no try is left."""
        if tries_left == 0 or self._reopen is None:
            raise error
        self._port.close()
        self._port = self._reopen()
        self.resync()

    def _drain(self) -> None:
        """Discard the rest of a reply that could not be parsed."""
        until = self._clock.now() + DRAIN_S
        while self._clock.now() < until and self._port.read(_READ_BYTES, _SLICE_S):
            self._deadline.check("console")

    def _talk(self, name: str, dialogue: ConsoleDialogue[T], deadline: Deadline | None) -> T:
        """Type the command ``name``, unless the unit's Device OS has none of that key: `RequestUnknown`."""
        if not self._knows(name):
            raise RequestUnknown(f"console command {name} was not typed: the unit's Device OS does not have it")
        talk = _Talk(self._port, self._clock, deadline or self._deadline, self._cancel)
        try:
            value = talk.run(name, dialogue)
        except DriverError as error:
            self._trace(f"console {name}: sent {talk.sent} bytes, got {talk.got} bytes; {error}")
            with contextlib.suppress(LinkError):
                self.resync()
            raise
        self._trace(f"console {name}: sent {talk.sent} bytes, got {talk.got} bytes, ok")
        return value


class _Talk:
    """One dialogue and its byte counters."""

    def __init__(self, port: SerialTransport, clock: Clock, deadline: Deadline, cancel: CancelToken | None) -> None:
        self._port, self._clock, self._deadline, self._cancel = port, clock, deadline, cancel
        self.sent = self.got = 0

    def run(self, name: str, dialogue: ConsoleDialogue[T]) -> T:
        """Write what the dialogue sends and feed it what arrives until it is done.

        Raises `TransferTimeout` after a silence longer than the dialogue allows, `DeadlineExceeded`,
        `Cancelled`, `LinkError` and `RemoteProtocolError`.
        """
        pending: list[Write | Done[T]] = [dialogue.begin()]
        silence_s = 0.0
        while True:
            for event in pending:
                if isinstance(event, Done):
                    return event.value
                self._port.write(event.data)
                self.sent += len(event.data)
                silence_s = event.timeout_s
            pending = dialogue.feed(self._read(name, silence_s))

    def _read(self, name: str, silence_s: float) -> bytes:
        """Read what arrives next, in slices, so that cancelling does not wait for a silent unit."""
        until = self._clock.now() + silence_s
        while True:
            if self._cancel is not None:
                self._cancel.check()
            self._deadline.check(f"console {name}")
            left = until - self._clock.now()
            data = self._port.read(_READ_BYTES, max(0.0, min(_SLICE_S, left, self._deadline.remaining)))
            self.got += len(data)
            if data or silence_s == 0.0:
                return data
            if left <= 0:
                raise TransferTimeout(
                    f"console {name}: silent for {silence_s:.0f} s; is it in listening mode? Other cable, other port?"
                )


@contextlib.contextmanager
def open_console(
    host: SerialHost,
    device_id: DeviceId | None,
    port_path: PortPath,
    clock: Clock,
    deadline: Deadline,
    cancel: CancelToken,
    trace: Trace | None = None,
    knows: Callable[[str], bool] = lambda _: True,
) -> Iterator[Console]:
    """Find and open the unit's serial port, and close it afterwards. Raises `NotFound` when none appears in time."""

    def open_it() -> SerialTransport:
        return _on_port(host, device_id, port_path, clock, deadline.sooner(PORT_S), cancel, host.open)

    opened = Console(open_it(), clock, deadline, cancel, trace, open_it, knows)
    try:
        with contextlib.suppress(TransferFailed):  # then the first command finds out, and reopens the port
            opened.resync()
        yield opened
    finally:
        opened.close()


def _on_port(
    host: SerialHost,
    device_id: DeviceId | None,
    port_path: PortPath,
    clock: Clock,
    deadline: Deadline,
    cancel: CancelToken,
    act: Callable[[SerialPort], T],
) -> T:
    """Return what ``act`` makes of the unit's serial port, as soon as there is one that it does not fail on."""
    problem: LinkError | None = None
    while not deadline.expired:
        try:
            found = find_port(host.ports(), device_id, port_path)
            if found is not None:
                return act(found)
        except RateRefused:
            raise
        except LinkError as error:  # the node may appear before its permissions are set
            problem = error
        clock.sleep(min(PORT_POLL_S, deadline.remaining), cancel)
    raise problem or NotFound(f"the unit on port {port_path} shows no serial port; does its application disable it?")


PROBE_S = 2.0
"""How long a console that is open may take to print its version; it is in memory."""


def probe_console(opening: contextlib.AbstractContextManager[Console], deadline: Deadline) -> OsVersion | None:
    """Ask the console for the Device OS version; None when nothing that is a console answers in `PROBE_S`.

    For units too old to say by request whether they listen. An application that prints its own text does not count.
    """
    try:
        with opening as console:
            return OsVersion.parse(console.version(deadline.sooner(PROBE_S)))
    except (DeadlineExceeded, TransferTimeout, NotFound, RemoteProtocolError, BadIdentity):
        deadline.check("is it in listening mode")
        return None


def touch_port(
    host: SerialHost,
    device_id: DeviceId | None,
    port_path: PortPath,
    baud: int,
    clock: Clock,
    deadline: Deadline,
    cancel: CancelToken,
) -> None:
    """Find the unit's serial port and set ``baud`` for a moment (`SerialHost.touch`)."""
    _on_port(host, device_id, port_path, clock, deadline.sooner(PORT_S), cancel, lambda port: host.touch(port, baud))


def find_port(ports: list[SerialPort], device_id: DeviceId | None, port_path: PortPath) -> SerialPort | None:
    """Find the serial port of a unit by its serial string, or by its USB port where the port has no serial string.

    Never by the number of the device node: that depends on the order of arrival.
    """
    ours = [port for port in ports if port.usb_id.mode is Mode.APPLICATION]
    by_serial = [port for port in ours if device_id is not None and port.serial_string.lower() == str(device_id)]
    by_path = [
        port for port in ours if port.port_path == port_path and (device_id is None or not _is_id(port.serial_string))
    ]
    return next(iter(sorted(by_serial, key=lambda port: port.port_path != port_path) + by_path), None)


def _is_id(serial_string: str) -> bool:
    """Return whether a serial string is a Device ID: old firmware shows the same text on every unit (2.4)."""
    try:
        DeviceId.parse(serial_string)
    except BadIdentity:
        return False
    return True

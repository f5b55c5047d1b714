"""Asks the sources of one unit, and keeps what they tell, with where it came from, in `UnitKnowledge`. Rules A1-A13.

Serves a walk and whoever just looks at a unit: it knows no profile, label, attempt or screen. Nothing here writes to
the unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivers.devices import ParticleDevice
from drivers.errors import (
    AccessDenied,
    DeadlineExceeded,
    DeviceRefused,
    Disconnected,
    GarbledConsole,
    LinkError,
    NeedsHands,
    RemoteProtocolError,
    Swapped,
)
from drivers.identity import MobileSecret, SerialNumber

from ...errors import UnitRejected
from ...model import CHANGING_FACTS
from ...words.say import Say
from .holding import Asker
from .knowledge import UnitKnowledge, shown
from .listening import Listening
from .sources import CONSOLE, IN_DFU, NOT_THERE, RUNNING, Answer, At, Source, absent, lack, untold

CONSOLE_TRIES = 3
EXPECTED = frozenset({"device_id", "serial", "iccid", "imei", "mac", "device_os"})
"""Values that are asked for again where an answer that should have them comes without."""
RECALL_IS_ENOUGH = frozenset({"mac"})
"""Values no unit is made to listen for, which stops its application, when they were read on an earlier visit."""
_FAILURES = (DeviceRefused, RemoteProtocolError, LinkError, DeadlineExceeded)
_DEPARTURES = (Disconnected, Swapped, AccessDenied)


def introduce(device: ParticleDevice, listening: Listening, known: UnitKnowledge, asker: Asker) -> None:
    """Read what every mode shows: the platform as product id, the Device ID mostly as USB serial string.

    A unit that hands made listen for that still does.
    """
    try:
        device_id = device.identify(asker.deadline)
    except NeedsHands:  # only its console names it, and nothing that can be sent opens that
        listening.enter(asker)
        device_id = device.identify(asker.deadline)
    known.device_id = device_id
    known.note(device.id_source, device_id=str(device_id))
    known.note("USB product id", platform=known.platform.slug, platform_id=known.platform.id)
    if known.platform.has_mac:
        known.note("Device ID", mac=known.mac_by_id)


@dataclass(slots=True)
class Reader:
    """Asks one unit what a walk needs, raising what it fails on, or ``everything``.

    For everything a source that fails leaves the reason and the next one is asked. ``keep_secret``: takes its mobile
    secret, None where that is not wanted.
    """

    device: ParticleDevice
    listening: Listening
    known: UnitKnowledge
    asker: Asker
    everything: bool = False
    keep_secret: Callable[[MobileSecret], None] | None = None

    def read_running(self) -> None:
        """Read what a unit tells that runs."""
        self.read_soon()
        self.read_rest()

    def read_soon(self) -> None:
        """Read what a unit tells that runs, as far as that needs no radio and no console: it takes milliseconds."""
        if self.device.has_requests(self.asker.deadline):
            self._ask_requests(are_slow=False)

    def read_rest(self) -> None:
        """Read the rest, for which a modem may have to start.

        The console is asked where the unit listens; it is made to listen only for what nothing else tells: that stops
        its application.
        """
        if not self.device.has_requests(self.asker.deadline):
            with self.listening.during(self.asker):
                self._ask_requests(are_slow=False)
                self._ask_requests(are_slow=True)
                self._ask_console()
                self.known.learn("console", {"mode": "listening"})
            return
        self._ask_requests(are_slow=True)
        if self.device.is_listening(self.asker.deadline):
            self._ask_console()
        elif self._wants_console:
            with self.listening.during(self.asker):
                self._ask_console()
        else:
            for source in CONSOLE:
                self.known.miss(source.name, source.tells, "the console tells it, in listening mode only")

    def read_dfu(self) -> None:
        """Read what a bootloader tells; its memories only if it is not under device protection."""
        at = At(self.device, self.known.platform, self.asker.deadline)
        descriptors, memory = IN_DFU
        self._ask(descriptors, at)
        if self.known.fact("protection") == "open":
            self._ask(memory, at)
        else:
            self.known.miss(memory.name, memory.tells, "under device protection nothing can be read")

    # --- which ---

    def _ask_requests(self, *, are_slow: bool) -> None:
        """Ask what goes by request, the slow sources or the others."""
        self.known.os_version = self.device.os_version(self.asker.deadline)
        at = At(self.device, self.known.platform, self.asker.deadline)
        for source in RUNNING:
            if source.is_slow is are_slow and (source.in_walk or self.everything):
                self._ask(source, at)

    @property
    def _wants_console(self) -> bool:
        """Return whether only the console tells something that is needed."""
        return self.keep_secret is not None or any(map(self._is_wanted, ("imei", "iccid", "mac", "modules")))

    def _is_wanted(self, name: str) -> bool:
        """Return whether the unit has that value and did not tell it yet."""
        known = self.known
        is_known = known.fact(name) is not None if name in RECALL_IS_ENOUGH else known.is_told(name)
        return not is_known and not absent(name, known.platform, known.os_version)

    def _ask_console(self) -> None:
        """Ask the console of a unit that listens: for identities always, for the rest if it is wanted."""
        with self.device.console(self.asker.deadline, is_listening=True) as console:
            at = At(self.device, self.known.platform, self.asker.deadline, console)
            for source in CONSOLE:
                if self.everything or source.in_walk or any(map(self._is_wanted, source.tells)):
                    self._ask(source, at)

    # --- one source ---

    def _ask(self, source: Source, at: At) -> None:
        """Ask ``source`` unless this unit has no such thing."""
        known = self.known
        if all(absent(name, known.platform, known.os_version) for name in source.tells):
            return
        if reason := lack(source, known.platform, known.os_version):
            known.miss(source.name, source.tells, reason)
            return
        try:
            answer = self._settled(source, at)
        except _FAILURES as error:
            if not self.everything or isinstance(error, _DEPARTURES) or self.asker.deadline.expired:
                raise
            known.miss(source.name, source.tells, str(error))
            return
        known.learn(source.name, answer)
        for name in source.tells:
            if answer.get(name) is None:
                reason = untold(source, name, known.platform, known.os_version) or NOT_THERE.get(name, "told empty")
                known.miss(source.name, (name,), reason)
        secret = answer.get("secret")
        if self.keep_secret is not None and isinstance(secret, MobileSecret):
            self.keep_secret(secret)
            self.keep_secret = None

    def _settled(self, source: Source, at: At) -> Answer:
        """Ask until the answer holds: a value that differs from another source's, or is missing, is asked for again."""
        if source in CONSOLE:
            return self._told_twice(source, at)
        answer = source.read(at)
        for pause_s in source.again_s:
            if not self._contradicts(answer) and not self._lacks(source, answer):
                break
            self.asker.clock.sleep(pause_s, self.asker.cancel)
            answer = source.read(at)
        serial = answer.get("serial")
        if isinstance(serial, SerialNumber) and not self.known.fits(serial):
            raise _misfit(self.known, serial)
        return answer

    def _told_twice(self, source: Source, at: At) -> Answer:
        """Believe the console when it agrees with all that is known, or when it says the same twice.

        It always has to for what no other source and no check digit proves: a mobile secret that is kept, modules
        and a MAC address that no request tells.
        """
        alone = ("mac", "modules", *(("secret",) if self.keep_secret is not None else ()))
        found = source.read(at)
        if not self._contradicts(found) and all(self.known.fact(name) or not found.get(name) for name in alone):
            return found
        for _ in range(CONSOLE_TRIES):
            last, found = found, source.read(at)
            if found == last:
                return found
        raise GarbledConsole("the console gave another answer each time it was asked; is another program on its port?")

    def _contradicts(self, answer: Answer) -> bool:
        known = self.known
        serial = answer.get("serial")
        return (isinstance(serial, SerialNumber) and not known.fits(serial)) or any(
            value is not None and name not in CHANGING_FACTS and known.fact(name) not in (None, shown(name, value))
            for name, value in answer.items()
        )

    def _lacks(self, source: Source, answer: Answer) -> bool:
        version = self.known.os_version
        return any(
            answer.get(name) is None and not untold(source, name, self.known.platform, version)
            for name in source.tells
            if name in EXPECTED
        )


def _misfit(known: UnitKnowledge, serial: SerialNumber) -> UnitRejected:
    return UnitRejected(
        f"serial number {serial} cannot be that of {known.device_id}: on a {known.platform.name} it ends "
        "with the last six digits of the Device ID; hand the unit to the technician",
        say=Say("numbers_differ"),
    )

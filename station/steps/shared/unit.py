"""One unit on one port: its device, who it is, and what firmware it says it holds.

`station.steps.reading` fills it in, everybody else looks. It belongs to the slot's thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import Field

from drivers.clock import Deadline
from drivers.devices import ParticleDevice
from drivers.identity import MobileSecret, Secret
from drivers.wire import requests
from drivers.wire.messages.tables import ConnectionStatus

from ...errors import UnitRejected
from ...model import KnownUnit, SeenBefore
from ...settings.profile_sections import SectionWithDefaults
from ...words.say import Say
from .knowledge import UnitKnowledge
from .listening import Listening


class UnitMemory(Protocol):
    """What the journal remembers of units."""

    def seen_before(self, device_id: str) -> SeenBefore | None: ...
    def known_facts(self, device_id: str) -> dict[str, str]:
        """Identity facts read on earlier visits, name -> value; empty for a stranger."""
        ...

    def whose(self, number: str, besides: str) -> KnownUnit | None:
        """Another unit than ``besides`` (its Device ID) with that Device ID, or that had that serial, ICCID or IMEI."""
        ...

    def out_of_limits(self, profile: str, name: str) -> tuple[str, ...]:
        """Device IDs of the last units measured under ``profile``, all with that value out of its limit."""
        ...

    def wifi_digest(self, device_id: str) -> str | None:
        """Keyed digest of the credentials this station last saw the unit join with."""
        ...

    def knows_secret(self, device_id: str) -> bool:
        """The unit's mobile secret is kept already."""
        ...

    def keep_secret(self, device_id: str, secret: MobileSecret) -> None:
        """For profiles that say so only: a label is to be printed with it."""
        ...

    def mobile_secret(self, device_id: str) -> MobileSecret | None:
        """The secret that was kept, for a label that asks for it."""
        ...

    def digest(self, device_id: str, ssid: str, password: Secret | None) -> str: ...


@dataclass(slots=True)
class _Seated:
    """The unit on one slot's port, at work or with its verdict. ``twin``: another slot with the same Device ID."""

    device: ParticleDevice
    finished_at: int | None = None  # the port's arrival it had its verdict in; None while it is walked
    twin: int | None = None
    is_told: bool = False  # it was refused because of its twin

    @property
    def is_there(self) -> bool:
        port = self.device.port
        return port.current is not None and self.finished_at in (None, port.generation)


class AtWork:
    """Which unit sits in each slot, until another one takes its place. Thread-safe.

    No two units have the same Device ID: two that tell the same one are a copy, or a mix-up nobody can untangle here,
    and neither may pass. ``walk_again(slot)`` is called for a unit that had its verdict before its twin showed up.
    """

    def __init__(self) -> None:
        self.walk_again: Callable[[int], None] = lambda _slot: None
        self._lock = threading.Lock()
        self._seated: dict[int, _Seated] = {}

    def take(self, slot: int, device: ParticleDevice) -> None:
        """Note what ``slot`` works on; raises as `check`."""
        with self._lock:
            self._seated[slot] = _Seated(device)
        self.check(slot, device)

    def check(self, slot: int, device: ParticleDevice) -> None:
        """Raises `UnitRejected` if another slot holds, or held meanwhile, a unit of that Device ID."""
        with self._lock:
            mine = self._seated.get(slot)
            if mine is None or mine.device is not device:
                return
            late = self._look_for_twin(slot, mine)
            twin, mine.is_told = mine.twin, mine.twin is not None
        if late is not None:
            self.walk_again(late)
        if twin is not None:
            raise UnitRejected(
                f"slot {twin} holds a unit with the Device ID {device.device_id} too; hand both to the technician",
                say=Say("twin", slot=str(twin)),
            )

    def _look_for_twin(self, slot: int, mine: _Seated) -> int | None:
        """Mark both when there is one. Its slot if it has its verdict already and did not know. Lock held."""
        for number, other in self._seated.items():
            if number != slot and other.is_there and other.device.device_id == mine.device.device_id:
                is_late = other.finished_at is not None and not other.is_told and other.twin is None
                mine.twin, other.twin = number, slot
                return number if is_late else None
        return None

    def leave(self, device: ParticleDevice) -> None:
        """The attempt on ``device`` is over."""
        with self._lock:
            slot, mine = next((row for row in self._seated.items() if row[1].device is device), (0, None))
            if mine is None:
                return
            mine.finished_at = device.port.generation
            is_late = mine.twin is not None and not mine.is_told
        if is_late:
            self.walk_again(slot)


class Label(SectionWithDefaults):
    """The scan of the unit's label."""

    is_expected: bool = Field(default=False, alias="expect", description="true: a scan must agree with the unit.")
    timeout_s: float = Field(default=60.0, ge=1, le=3600, description="How long to wait for the scan, in seconds.")
    keeps_secret: bool = Field(
        default=False, alias="keep_secret", description="true: keep the mobile secret, for printing labels."
    )


NO_LABEL = Label()


@dataclass(slots=True)
class Unit:
    """``label`` and ``skus`` say what the profile wants of who it is."""

    known: UnitKnowledge
    device: ParticleDevice
    memory: UnitMemory
    label: Label = NO_LABEL
    skus: tuple[str, ...] = ()  # empty: any
    needs_serial: bool = True
    scans_card: bool = False  # its SIM card, if it has one
    at_work: AtWork = field(default_factory=AtWork)
    listening: Listening = field(init=False)

    def __post_init__(self) -> None:
        self.listening = Listening(self.device)

    def is_connected(self, deadline: Deadline) -> bool:
        """Ask the unit about its own cloud session (request 300). Raises `RequestUnknown`: Gen 2 before 1.1.

        Beside the unit's own lane only from `online`, which runs after all of that: one thread at a time uses it.
        """
        return self.device.ask(requests.get_connection_status(), deadline) is ConnectionStatus.CONNECTED

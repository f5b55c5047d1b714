"""Instruments beside the units, in simulated time: programs that are functions of the identity they are given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drivers.clock import CancelToken, Clock
from drivers.host.executable import Ended

Instrument = Callable[[Mapping[str, Any]], str | Ended]


class Instruments:
    """`drivers.host.executable.Programs`, each of which takes ``seconds``. ``runs``: who ran from when to when."""

    def __init__(self, clock: Clock, seconds: float, **instruments: Instrument) -> None:
        self._clock, self._seconds, self._instruments = clock, seconds, instruments
        self.runs: list[tuple[float, float, Mapping[str, Any]]] = []

    def find(self, name: str) -> str | None:
        return name if name in self._instruments else None

    def run(self, command: Sequence[str], given: bytes, limit_s: float, cancel: CancelToken) -> Ended:
        began, told = self._clock.now(), json.loads(given)
        self._clock.sleep(self._seconds, cancel)
        self.runs.append((began, self._clock.now(), told))
        said = self._instruments[command[0]](told)
        return said if isinstance(said, Ended) else Ended(said.encode(), 0)

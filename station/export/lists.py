"""Lists of the units that passed, one number a line, as imports take them (reference cloud-api 4.1, 8.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

from ..model import Verdict
from .batch_log import BatchLog
from .exporter import Exporter


def _list_of(fact: str) -> Callable[[BatchLog, IO[Any]], int]:
    def write(log: BatchLog, file: IO[Any]) -> int:
        """Write one line for each unit whose PASS stands and that has that number; return how many."""
        count = 0
        for row in log.rows(detailed=False):
            number = row.facts.get(fact)
            if number and row.attempt.verdict is Verdict.PASS and row.attempt.by_hand_at is None:
                file.write(f"{number}\n")
                count += 1
        return count

    return write


DEVICES = Exporter(
    "devices", "the Device IDs of the units that passed, one a line", _list_of("device_id"), ending="-devices.txt"
)
ICCIDS = Exporter(
    "iccids", "the SIM numbers of the units that passed, one a line", _list_of("iccid"), ending="-iccids.txt"
)

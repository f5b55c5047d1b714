"""An exporter of somebody else's package: what left the house, a line a unit."""

from __future__ import annotations

from typing import TextIO

from station.export import BatchLog, Exporter, Type


def write(log: BatchLog, file: TextIO) -> int:
    """Write the Device ID, the verdict and the seconds of each step."""
    count = 0
    seconds = [column for column in log.columns() if column.type is Type.SECONDS]
    for row in log.rows():
        times = " ".join(f"{column.name} {value}" for column in seconds if (value := column.value(row)))
        file.write(f"{row.fact('device_id')} {'; '.join(step.proof for step in row.steps)} ({times})\n")
        count += 1
    return count


EXPORTER = Exporter("house-list", "what left the house, a line a unit", write)

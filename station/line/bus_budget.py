"""What a USB controller can take: says which ones are asked for too much, before a unit fails to appear there. Pure."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator

from ..uncertain import CONTROLLER_ENDPOINTS

UNIT_ENDPOINTS = 4
"""Of a unit in application mode: endpoint 0, and three of its serial port (reference usb-and-serial 2.3)."""
HUB_ENDPOINTS = 2
"""Endpoint 0 and the one that reports changes (USB 2.0, 11.12.1)."""
ADDRESSES = 127
"""Devices on one bus, hubs included (USB 2.0, 9.2.2)."""


def overfull(ports: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each controller that cannot take a unit on each of its ``ports`` at the same time."""
    of_controller: dict[str, set[str]] = collections.defaultdict(set)
    for port in ports:
        controller, hub_ports = _split(port)
        of_controller[controller].add(hub_ports)
    for controller, units in of_controller.items():
        hubs = {above for unit in units for above in _hubs_above(unit)}
        endpoints = UNIT_ENDPOINTS * len(units) + HUB_ENDPOINTS * len(hubs)
        if endpoints > CONTROLLER_ENDPOINTS or len(units) + len(hubs) > ADDRESSES:
            yield (
                f"{controller}: {len(units)} slots behind {len(hubs)} hubs need {endpoints} endpoints, expected at "
                f"most {CONTROLLER_ENDPOINTS} on one USB controller; move some to another one, such as a USB card"
            )


def _split(port: str) -> tuple[str, str]:
    controller, mark, hub_ports = port.rpartition("-usb-0:")
    if mark:
        return controller, hub_ports
    bus, _, hub_ports = port.partition("-")
    return f"bus {bus}", hub_ports


def _hubs_above(unit: str) -> Iterator[str]:
    """Yield the hubs between the controller and a unit: ``2`` and ``2.3`` above ``2.3.1``."""
    steps = unit.split(".")
    yield from (".".join(steps[:count]) for count in range(1, len(steps)))

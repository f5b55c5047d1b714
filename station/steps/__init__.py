"""The steps: one file each, and the two tables that name them.

A new step is a file here, a row in one of these tables, a row in `station.step_graph` and a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..engine.step import StepContext, StepResult
from .claim import claim
from .device_os import device_os
from .dfu import dfu
from .final_check import final_check
from .firmware import firmware
from .identify import identify
from .name import name
from .online import online
from .product_add import product_add
from .setup_done import setup_done
from .shared.cloudwork import CloudAct
from .shared.unitwork import UnitWork
from .sim import sim
from .wifi import wifi

UnitAct = Callable[[UnitWork, StepContext], StepResult]

UNIT_STEPS: Mapping[str, UnitAct] = {
    "identify": identify,
    "dfu": dfu,
    "device_os": device_os,
    "firmware": firmware,
    "wifi": wifi,
    "setup_done": setup_done,
}

CLOUD_STEPS: Mapping[str, CloudAct] = {
    "product_add": product_add,
    "name": name,
    "sim": sim,
    "online": online,
    "claim": claim,
    "final_check": final_check,
}

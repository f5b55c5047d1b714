"""Decision tables: setup done by platform and Device OS."""

from __future__ import annotations

import dataclasses

import pytest

from drivers.platforms import OsVersion, platform
from station.firmware.rules import needs_setup_done

ARGON, BORON = platform(12), platform(13)
PHOTON = dataclasses.replace(ARGON, id=6, slug="photon", name="Photon", setup_done_before=None)
P2 = dataclasses.replace(ARGON, id=32, slug="p2", name="P2", setup_done_before=None)


@pytest.mark.parametrize(
    ("unit", "device_os", "needed", "rule"),
    [
        pytest.param(ARGON, "3.3.1", True, "H7", marks=pytest.mark.rule("H7")),
        pytest.param(BORON, "2.3.1", True, "H7", marks=pytest.mark.rule("H7")),
        pytest.param(ARGON, "4.0.0", False, "H8", marks=pytest.mark.rule("H8")),
        pytest.param(ARGON, "4.0.0-alpha.1", False, "H8", marks=pytest.mark.rule("H8")),
        pytest.param(BORON, "6.3.4", False, "H8", marks=pytest.mark.rule("H8")),
        pytest.param(BORON, "4.0.1", False, "H8", marks=pytest.mark.rule("H8")),  # BRN404X
        pytest.param(PHOTON, "2.3.1", False, "H7", marks=pytest.mark.rule("H7")),
        pytest.param(P2, "5.8.0", False, "H7", marks=pytest.mark.rule("H7")),
    ],
)
def test_setup_done_is_for_gen_3_with_device_os_3_or_older(
    unit: object, device_os: str, needed: bool, rule: str
) -> None:
    decision = needs_setup_done(unit, OsVersion.parse(device_os))  # type: ignore[arg-type]
    assert (decision.needed, decision.rule) == (needed, rule)

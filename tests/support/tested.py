"""Profiles whose units are tested: by their own application, and by a power meter beside them."""

from __future__ import annotations

from dataclasses import dataclass

from line_bench import Recipe

from drivers.virtual.synthetic import SyntheticFile

LIMITS = """
[[app_test]]
request = "selftest"
timeout_s = 5
[app_test.limits.vbat]
name = "Battery"
min = 3.6
max = 4.2
unit = "V"
[app_test.limits.temp]
min = 10
max = 40
unit = "C"
[app_test.limits.fw]
pattern = 'v1\\..*'
[[app_test]]
request = "charger"
[app_test.limits.charge]
text = "done"
"""
METER = """
[[tests]]
name = "power"
command = ["power-meter"]
timeout_s = 5
[tests.limits.idle_ma]
max = 12
unit = "mA"
"""


@dataclass(frozen=True)
class Trial(Recipe):
    """A profile that tests: ``tests`` is the end of its text."""

    tests: str = LIMITS
    test_program: str = "selftest"

    def app(self) -> SyntheticFile | None:
        return self.program(self.test_program)

    def text(self) -> str:
        return super().text() + self.tests

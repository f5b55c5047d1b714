"""The unit's name in the cloud: a template with few fields, and a fallback for units without a serial number (F3)."""

from __future__ import annotations

import string
from dataclasses import dataclass

from ..uncertain import NAME_LENGTH

DEFAULT_NAME = "{serial}"
DEFAULT_FALLBACK = "{platform}-{id6}"
FIELDS = ("serial", "platform", "id", "id6")


@dataclass(frozen=True, slots=True)
class NameTemplate:
    """``template`` may use every field; ``fallback`` any but ``serial``.

    ``is_fallback_given``: the profile says itself how a unit without a serial number is called, so it wants such units.
    """

    template: str = DEFAULT_NAME
    fallback: str = DEFAULT_FALLBACK
    is_fallback_given: bool = False

    @staticmethod
    def fault(text: str, *, is_fallback: bool) -> str:
        """What is wrong with a template, in words of what was expected; "" when nothing is."""
        allowed = [name for name in FIELDS if not (is_fallback and name == "serial")]
        fields = ", ".join("{" + name + "}" for name in allowed)
        expected = f"text with the fields {fields}, at least one of {{serial}}, {{id}}, {{id6}}"
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError:
            return expected
        used = [name for _, name, spec, conversion in parts if name is not None or spec or conversion]
        plain = all(not spec and not conversion for _, _, spec, conversion in parts)
        if not plain or any(name not in allowed for name in used) or not set(used) - {"platform"}:
            return expected
        return ""

    def render(self, platform: str, device_id: str, serial: str | None) -> str:
        """The name of one unit, at most 100 characters. ``device_id``: 24 hexadecimal digits."""
        values = {"platform": platform, "id": device_id, "id6": device_id[-6:], "serial": serial or ""}
        needs_serial = any(name == "serial" for _, name, _, _ in string.Formatter().parse(self.template))
        chosen = self.fallback if needs_serial and not serial else self.template
        return chosen.format_map(values)[:NAME_LENGTH]

"""Who a unit is: Device ID, serial number, ICCID, IMEI, MAC, mobile secret, port path.

Each is parsed once at the edge and carried as its own type from there on. Rules A1-A11, A13, A16 of
the provisioning rules. Nothing here reads a device.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, Self

from .errors import BadIdentity

SHORTEST_SECRET = 8
"""Characters of a Wi-Fi password; a mobile secret has more."""


def quoted(text: str) -> str:
    """Return ``text`` quoted for an error message, or "" if it is long enough to be a password or mobile secret."""
    return f" {text!r}" if len(text) < SHORTEST_SECRET else ""


@dataclass(frozen=True, slots=True, order=True)
class _Text:
    """A validated text; equality, order and hash by its canonical ``value``."""

    value: str
    what: ClassVar[str] = "text"
    pattern: ClassVar[re.Pattern[str]] = re.compile(r"")
    wanted: ClassVar[str] = ""

    def __str__(self) -> str:
        return self.value

    @classmethod
    def canonical(cls, text: str) -> str:
        return text.strip()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Validate ``text`` and return it in canonical form; raises `BadIdentity`."""
        value = cls.canonical(text)
        if not cls.pattern.fullmatch(value):
            raise BadIdentity(
                f"{cls.what}{quoted(text)} has {len(value)} characters, expected {cls.wanted}; check the label"
            )
        return cls(value)


class DeviceId(_Text):
    """24 hexadecimal digits, all significant, kept in lower case (A1 A2)."""

    what = "Device ID"
    pattern = re.compile(r"[0-9a-f]{24}")
    wanted = "exactly 24 hexadecimal digits"

    @classmethod
    def canonical(cls, text: str) -> str:
        return text.strip().lower()

    @classmethod
    def parse(cls, text: str) -> Self:
        """As `_Text.parse`, and a SIM's number is told as what it is: no unit is claimed by it (E13)."""
        if Iccid.pattern.fullmatch(Iccid.canonical(text)):
            raise BadIdentity("that is an ICCID, the number of a SIM; give the unit's Device ID, 24 hexadecimal digits")
        return super().parse(text)


class SerialNumber(_Text):
    """Upper-case letters and digits (legacy ones have dashes); at most 15 characters (A3)."""

    what = "serial number"
    pattern = re.compile(r"(?=.{6,15}$)[A-Z][A-Z0-9]{3}[A-Z0-9-]*[A-Z0-9]")
    wanted = "6 to 15 letters, digits or dashes that begin with a model code such as P044 or B40T"

    @classmethod
    def canonical(cls, text: str) -> str:
        return text.strip().upper()


class Iccid(_Text):
    """19 to 21 digits that begin with 89; blanks and trailing F fillers are dropped (A8).

    `parse` enforces that format for labels, files and typed input. A modem is not held to it: what `told` accepts
    from one may deviate, and `is_odd` then says so.
    """

    what = "ICCID"
    pattern = re.compile(r"89[0-9]{17,19}")
    wanted = "19 to 21 digits that begin with 89"

    @classmethod
    def canonical(cls, text: str) -> str:
        return text.replace(" ", "").strip().rstrip("Ff")

    @classmethod
    def told(cls, text: str) -> Self:
        """Accept the number a SIM reported even if it contains letters or has an unusual length.

        Raises `BadIdentity` for anything but 1 to 32 letters and digits.
        """
        value = cls.canonical(text)
        if not _SIM_NUMBER.fullmatch(value):
            raise BadIdentity(f"ICCID has {len(value)} characters, expected letters and digits; reseat the SIM")
        return cls(value)

    @property
    def is_odd(self) -> bool:
        """Return whether this deviates from the format of an ICCID: the cloud may not know such a SIM."""
        return not self.pattern.fullmatch(self.value)


_SIM_NUMBER = re.compile(r"[0-9A-Za-z]{1,32}")


class Imei(_Text):
    """15 digits (A10 A11)."""

    what = "IMEI"
    pattern = re.compile(r"[0-9]{15}")
    wanted = "exactly 15 digits"


class MacAddress(_Text):
    """12 hexadecimal digits, in lower case with colons (A13)."""

    what = "MAC address"
    pattern = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
    wanted = "12 hexadecimal digits, with or without colons"

    @classmethod
    def canonical(cls, text: str) -> str:
        digits = text.strip().lower().replace(":", "").replace("-", "")
        return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))


HUB_PORTS = r"[0-9]{1,3}(\.[0-9]{1,3}){0,6}"
STABLE_PORT = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.:+-]{{0,99}}-usb-0:{HUB_PORTS}")


@dataclass(frozen=True, slots=True)
class PortPath:
    """A physical USB port. Stays the same across re-enumeration and, where ``value`` is stable, across reboots.

    ``value``: controller and hub ports as udev's ID_PATH has them, ``"pci-0000:00:14.0-usb-0:2.3"``; without a known
    controller bus number and hub ports, ``"1-2.3"``, and two controllers may swap numbers at boot.
    """

    value: str
    bus_name: str = field(default="", compare=False)  # "1-2.3" for now: the kernel's name, and pyserial's location

    def __str__(self) -> str:
        return self.value

    @property
    def on_bus(self) -> str:
        """Return bus number and hub ports as of now."""
        return self.bus_name or self.value

    @property
    def is_stable(self) -> bool:
        """Return whether the path names its controller, and so survives a reboot."""
        return STABLE_PORT.fullmatch(self.value) is not None


class Secret:
    """A text that must not be shown: ``repr`` and ``str`` hide it, only `reveal` returns it.

    Used for tokens, Wi-Fi passwords, mobile secrets and claim codes (N5 A7). ``called``: its kind, in a sentence.
    """

    __slots__ = ("_text",)
    called: ClassVar[str] = "secret"

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._text == other._text

    def __hash__(self) -> int:
        return hash((type(self), self._text))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError(f"a {type(self).__name__} is never written anywhere")


class MobileSecret(Secret):
    """15 printable characters from one-time-programmable memory, printed on the label. Not unique, never a key (A7)."""

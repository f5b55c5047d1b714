"""Names virtual units as people do, and makes them: ``boron``, ``photon@0.5.5``, ``p2@6.3.4:listening``."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..errors import BadIdentity
from ..platforms import OsVersion, platform_by_slug
from . import synthetic
from .boot import BootRequest
from .factory import UnitSpec, factory_modules, make_spec
from .programs import FLOODER, SELF_TEST
from .world import StoredNetwork

GRAMMAR = "PLATFORM[@OSVERSION][:START]"


class Start(enum.StrEnum):
    """How a unit is found when it is plugged in.

    None of them is a unit out of its box: one with Wi-Fi listens by itself then, as no network is stored in it.
    """

    NORMAL = "normal"  # Device OS and an application that minds its own business
    LISTENING = "listening"  # somebody held MODE until it listened
    SAFE = "safe"  # Device OS without the application
    DFU = "dfu"  # the bootloader waits for a host
    DARK = "dark"  # blank flash: nothing shows on USB
    FLOODING = "flooding"  # its application prints to the serial port without end
    SELFTEST = "selftest"  # its application answers questions of [app_test]


_ELSEWHERE = StoredNetwork("elsewhere")
_BOOTS: dict[Start | None, BootRequest] = {
    Start.LISTENING: BootRequest.LISTENING, Start.SAFE: BootRequest.SAFE, Start.DFU: BootRequest.DFU,
}  # fmt: skip

_PROGRAMS: dict[Start | None, str] = {Start.FLOODING: FLOODER, Start.SELFTEST: SELF_TEST}


@dataclass(frozen=True, slots=True)
class NamedUnit:
    """A platform's slug or trade name, a Device OS version it can have, and how it is found (None: out of its box)."""

    slug: str
    device_os: str
    start: Start | None = None

    @classmethod
    def parse(cls, text: str, usual_os: str) -> NamedUnit:
        """Parse `GRAMMAR`. ``usual_os``: the Device OS if none is named; the newest where it was never made.

        Raises `BadIdentity` and `UnknownPlatform`, with what may be written.
        """
        unit, colon, found = text.partition(":")
        slug, at, version = unit.partition("@")
        made = synthetic.versions(platform_by_slug(slug).id)
        if not at:
            version = usual_os if usual_os in made else made[-1]
        OsVersion.parse(version)
        try:
            synthetic.bootloader(platform_by_slug(slug).id, version)
        except KeyError as error:
            raise BadIdentity(f"virtual units of that platform hold one of {', '.join(made)}") from error
        if colon and found not in list(Start):
            raise BadIdentity(f"a unit is found {', '.join(Start)}; not {found!r}")
        return cls(slug, version, Start(found) if colon else None)

    def __str__(self) -> str:
        return f"{self.slug}@{self.device_os}{f':{self.start}' if self.start else ''}"

    def spec(self, seed: int, number: int, *, setup_done: bool = False) -> UnitSpec:
        """Make unit ``number`` of ``seed``, as `make_spec`."""
        knows_a_network = self.start is not None and platform_by_slug(self.slug).has_wifi
        return make_spec(
            self.slug, seed, number, self.device_os, modules=self._modules(), setup_done=setup_done,
            networks=(_ELSEWHERE,) if knows_a_network else (),
            arrives=_BOOTS.get(self.start, BootRequest.NORMAL),
        )  # fmt: skip

    def _modules(self) -> tuple[bytes, ...] | None:
        """Return the firmware it holds where that decides how it is found."""
        if self.start is Start.DARK:
            return ()
        program = _PROGRAMS.get(self.start)
        return factory_modules(platform_by_slug(self.slug).id, self.device_os, program) if program else None

"""Lets the verbs of steps be used on a unit outside of any attempt, for ``station unit``. Records nothing."""

from __future__ import annotations

from collections.abc import Callable

from drivers.clock import Clock
from drivers.identity import MobileSecret, Secret
from drivers.platforms import platform
from drivers.transport import UsbCandidate

from ..engine.events import Event, HandsNeeded
from ..engine.step import NoScanner, StepContext
from ..model import KnownUnit, SeenBefore
from ..steps.shared.knowledge import UnitKnowledge
from ..steps.shared.unit import Unit
from .looking import LOOK_S, Ports, show_hands


class _Stranger:
    """Memory without a journal: every unit is new."""

    def seen_before(self, device_id: str) -> SeenBefore | None:  # noqa: ARG002 - what `UnitMemory` asks
        return None

    def known_facts(self, device_id: str) -> dict[str, str]:  # noqa: ARG002
        return {}

    def whose(self, number: str, besides: str) -> KnownUnit | None:  # noqa: ARG002
        return None

    def out_of_limits(self, profile: str, name: str) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def knows_secret(self, device_id: str) -> bool:  # noqa: ARG002
        return False

    def mobile_secret(self, device_id: str) -> MobileSecret | None:  # noqa: ARG002
        return None

    def keep_secret(self, device_id: str, secret: MobileSecret) -> None:
        """Keep nothing."""

    def wifi_digest(self, device_id: str) -> str | None:  # noqa: ARG002
        return None

    def digest(self, device_id: str, ssid: str, password: Secret | None) -> str:  # noqa: ARG002
        return ""


def make_unit(ports: Ports, candidate: UsbCandidate, trace: Callable[[str], None] | None = None) -> Unit:
    """Make the unit of a device that is plugged in; nothing is sent to it yet. Raises `UnknownPlatform`."""
    return Unit(UnitKnowledge(platform(candidate.usb_id.platform_id or 0)), ports.device(candidate, trace), _Stranger())


def context(
    clock: Clock, step: str, announce: Callable[[Event], None] = lambda _: None, limit_s: float = LOOK_S
) -> StepContext:
    """Make what a step works through, for its verbs outside of a walk: nothing is recorded."""
    return StepContext(
        step=step, slot=0, attempt="", clock=clock, limit_s=limit_s, cancel=clock.token(),
        announce=announce, record=announce, desk=NoScanner(),
    )  # fmt: skip


def tell_hands(port: str) -> Callable[[Event], None]:
    """Return what tells a person on standard error what to do with the buttons of the unit on ``port``."""

    def announce(event: Event) -> None:
        if isinstance(event, HandsNeeded):
            show_hands(port, event.say, event.led)

    return announce

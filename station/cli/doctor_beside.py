"""The rows of ``station doctor`` about label printers and hooks. Nothing is printed or told by looking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drivers.clock import SystemClock
from drivers.host.executable import Programs

from ..errors import BadInput
from ..hooks import HookTrouble, hook_of
from ..labels import PrinterTrouble, printer_of
from ..line.account import Finding, State
from ..settings.config import StationConfig
from ..settings.profile import Profile
from ..settings.secrets import SecretSource
from ..steps.label import Print


def printer_rows(config: StationConfig, profiles: Sequence[Profile]) -> Iterator[Finding]:
    """Look at every printer. One in trouble stops the bench if ``profiles`` print with it: their units would wait."""
    wanted = {section.printer: one.id for one in profiles if (section := one.section(Print)) is not None}
    for name in sorted(wanted.keys() - {one.name for one in config.printers}):
        words = f"{wanted[name]} prints with {name}, which this station lacks; name it in [printers.{name}]"
        yield Finding(State.STOP, "printer", words)
    clock = SystemClock()
    for one in config.printers:
        try:
            printer = printer_of(one.name, one.to, clock, tells_status=one.tells_status)
            printer.look()
        except BadInput as error:
            yield Finding(State.STOP, "printer", str(error))
        except PrinterTrouble as trouble:
            yield Finding(State.STOP if one.name in wanted else State.NOTE, "printer", str(trouble))
        else:
            told = "is ready" if printer.tells_status else "can be reached; whether it has paper it does not tell"
            yield Finding(State.OK, "printer", f"{one.name} {told}")


def hook_rows(config: StationConfig, secrets: SecretSource, programs: Programs) -> Iterator[Finding]:
    """Look at every hook. One that is away stops the bench if units wait for its answer; others are told later."""
    for place in config.hooks:
        try:
            hook = hook_of(place, secrets, programs)
        except BadInput as error:
            yield Finding(State.STOP, "hook", str(error))
            continue
        try:
            hook.channel.look(hook.timeout_s)
        except HookTrouble as trouble:
            stops = hook.asks and hook.holds
            words = "every unit waits for its answer" if stops else "the line goes on without it"
            yield Finding(State.STOP if stops else State.NOTE, "hook", f"hook {hook.name}: {trouble}; {words}")
        else:
            yield Finding(State.OK, "hook", f"hook {hook.name} can be reached")

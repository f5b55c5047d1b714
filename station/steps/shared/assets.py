"""The files an application is bundled with: which of them a unit has, and sending the others.

Reference firmware-and-dfu 3.11.
"""

from __future__ import annotations

from drivers.wire import requests
from drivers.wire.image.host import AssetDependency

from ...engine.step import StepContext
from ...errors import UnitRejected
from ...firmware.release import ReleaseFiles
from ...words.say import Say
from .progress import Span
from .unit import Unit

TRIES = 2


def held_assets(unit: Unit, files: ReleaseFiles, ctx: StepContext) -> tuple[AssetDependency, ...]:
    """Ask a running unit what it holds of the application's assets; nothing is asked if there are none."""
    if files.application is None or not files.application.assets:
        return ()
    request = requests.get_asset_info()
    held = unit.device.ask(request, ctx.deadline).available if unit.device.knows(request, ctx.deadline) else ()
    return tuple(AssetDependency(asset.name, asset.hash) for asset in held)


def send_assets(unit: Unit, files: ReleaseFiles, ctx: StepContext) -> list[str]:
    """Send what the unit lacks of the bundle, a restart each, and ask for it; return the names of what was sent.

    What does not show is sent once more; raises `UnitRejected` when that did not help either.
    """
    modules = {image.name: image for image in files.assets}
    sent: dict[str, None] = {}
    for _ in range(TRIES):
        for wanted in _lacking(unit, files, ctx):
            image = modules[f"asset {wanted.name}"]
            with ctx.write("unit", f"{image.name} by control request"):
                unit.device.update_over_control(image, ctx.deadline, Span(ctx, image.name))
            sent[wanted.name] = None
    if lacking := _lacking(unit, files, ctx):
        raise UnitRejected(
            f"the unit took the asset {lacking[0].name} twice and does not show it; walk it again, then red bin",
            say=Say("update_not_applied"),
        )
    return list(sent)


def _lacking(unit: Unit, files: ReleaseFiles, ctx: StepContext) -> list[AssetDependency]:
    if not files.assets:
        return []
    held = held_assets(unit, files, ctx)
    return [one for one in files.bundled if one not in held]

"""The vendor's Tinker as a named firmware of the cache: with it a unit runs no product's application (I5 J3).

A release of Device OS lists it for most platforms (reference firmware-and-dfu 4.1); elsewhere a file is imported under
its name. Only its name tells it: its header is that of any application without a product.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from drivers.platforms import ModuleFunction, Platform
from drivers.wire.image.host import Image

from ..cloud.device_os import DeviceOsRelease
from ..errors import BadInput
from .cache import Entry, FirmwareCache
from .contents import Content, Kind
from .describe import title
from .modules import version_text

NAME = "tinker"
_WORD = re.compile(rf"(?<![a-z0-9]){NAME}(?![a-z0-9])", re.IGNORECASE)  # argon-tinker@6.3.4.bin, p1_tinker.bin


def is_called_tinker(name: str) -> bool:
    """Return whether a file's name says that it is Tinker."""
    return _WORD.search(name) is not None


def is_tinker(entry: Entry) -> bool:
    """Return whether a file of the cache is Tinker: called so, one plain application, of no product."""
    image = entry.content.main
    is_application = entry.content.kind is Kind.MODULE and image.function == ModuleFunction.USER_PART
    return is_application and image.product() is None and is_called_tinker(entry.name)


def check_tinker(content: Content, where: str) -> None:
    """Raise `BadInput` for a file that cannot be Tinker, whatever a person calls it."""
    image = content.main
    if content.kind is not Kind.MODULE or image.function != ModuleFunction.USER_PART:
        raise BadInput(f"{where} is no single application ({title(image)}), so it is not Tinker; name its own file")
    if image.product() is not None:
        raise BadInput(f"{where} is the application of product {image.product()}, not Tinker; name its own file")


def tinker_of(release: DeviceOsRelease, row: Platform) -> DeviceOsRelease:
    """Return of ``release`` nothing but its Tinker. Raises `BadInput` where the cloud lists none."""
    applications = [file for file in release.files if file.is_application]
    found = tuple(file for file in applications if is_called_tinker(file.name))
    if not found:
        others = ", ".join(file.name for file in applications)
        instead = f", but {others}" if others else ""
        raise BadInput(
            f"the cloud lists no Tinker with Device OS {release.version} for {row.name}{instead}; "
            f"import its file: station firmware import FILE --name {NAME}"
        )
    return replace(release, files=found)


def find_tinker(cache: FirmwareCache, row: Platform, system_version: int | None) -> Entry:
    """Return the newest Tinker for ``row`` in ``cache`` that starts on that system part (its module version).

    ``system_version`` None: whatever the unit holds is not known, and the oldest is returned. Raises `BadInput`.
    """
    known = sorted(filter(is_tinker, cache.of_platform(row)), key=lambda one: _needs(one.content.main))
    fitting = [one for one in known if system_version is None or _needs(one.content.main) <= system_version]
    if fitting:
        return fitting[0 if system_version is None else -1]
    on = "" if system_version is None else f" that runs on Device OS {_release(system_version)}"
    there = f", only for {_releases(known)} or newer" if known else ""
    raise BadInput(
        f"the cache has no Tinker for {row.name}{on}{there}; get it: station firmware fetch {NAME}@VERSION "
        f"--platform {row.slug}, or station firmware import FILE --name {NAME}"
    )


def _needs(image: Image) -> int:
    """Return the module version of the oldest system part it starts on."""
    wanted = (one.version for one in image.dependencies if one.function == ModuleFunction.SYSTEM_PART)
    return max(wanted, default=0)


def _release(system_version: int) -> str:
    return version_text(ModuleFunction.SYSTEM_PART, system_version, None)


def _releases(entries: Iterable[Entry]) -> str:
    return ", ".join(dict.fromkeys(_release(_needs(one.content.main)) for one in entries))

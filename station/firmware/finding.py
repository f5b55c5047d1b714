"""Finds in the folders of a station what a new profile may name: the files of a release, and applications.

A file's header says which platform it is for and what it is; that a bootloader or a radio stack belongs to a release,
only its name does (``argon-bootloader@6.3.4.bin``, reference firmware-and-dfu 4.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from drivers.platforms import ModuleFunction, OsVersion, Platform, os_versions_of_module
from drivers.wire.image.host import Image

from ..errors import BadInput
from .modules import Key, image_key, module_name
from .sections import FileRef
from .store import FirmwareStore

Found = tuple[FileRef, Image]
_NAMED = re.compile(r"@v?([0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}(?:-[0-9A-Za-z.-]{1,40}?)?)(?:\+[\w.]+)?\.bin$", re.ASCII)


def found_for(platform: Platform, stores: Iterable[FirmwareStore]) -> tuple[Sequence[Found], ...]:
    """Return for each of ``stores`` its good files for ``platform``."""
    return tuple([one for one in store.files() if one[1].platform_id == platform.id] for store in stores)


def releases(found: Iterable[Found]) -> list[OsVersion]:
    """Return the versions of Device OS of which there is a system part, newest first."""
    texts = {text for ref, image in found if _is_system(image) for text in _releases_of(ref, image)}
    return sorted(map(OsVersion.parse, texts), reverse=True)


def release_files(platform: Platform, version: OsVersion, stores: Sequence[Sequence[Found]]) -> list[FileRef]:
    """Return the modules of a release, from the first of ``stores`` that has its system part; none that lock a unit.

    Raises `BadInput` where there is none, or two files differ that are the same part of it.
    """
    found = next((one for one in stores if version in releases(one)), None)
    if found is None:
        there = ", ".join(dict.fromkeys(str(one) for store in stores for one in releases(store))) or "none"
        raise BadInput(f"Device OS {version} for {platform.name}: no folder has it, there is {there}; fetch its files")
    parts: dict[Key, dict[str, FileRef]] = {}
    for ref, image in found:
        is_part = image.function != ModuleFunction.USER_PART and not image.is_locking
        if is_part and str(version) in _releases_of(ref, image):
            parts.setdefault(image_key(image), {}).setdefault(ref.sha256, ref)
    several = [
        f"Device OS {version} for {platform.name}: {' and '.join(ref.file for ref in files.values())} are both its "
        f"{module_name(*key)}; put one of them away"
        for key, files in parts.items()
        if len(files) > 1
    ]  # fmt: skip
    if several:
        raise BadInput(*several)
    return [ref for files in parts.values() for ref in files.values()]


def applications(found: Iterable[Found]) -> list[Found]:
    """Return the applications among ``found``."""
    return [one for one in found if one[1].function == ModuleFunction.USER_PART]


def _is_system(image: Image) -> bool:
    return image.function == ModuleFunction.SYSTEM_PART


def _releases_of(ref: FileRef, image: Image) -> tuple[str, ...]:
    """Return the versions of the releases that a module may belong to: more than one where they share its version and
    its name says none of them.
    """
    told = os_versions_of_module(image.version) if _is_system(image) else ()
    match = _NAMED.search(ref.file)
    named = (match[1],) if match else ()
    return named if not told or (named and named[0] in told) else told

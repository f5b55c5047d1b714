"""Profiles that order device protection."""

from __future__ import annotations

from line_bench import Recipe

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic


class Ordered(Recipe):
    """A profile that orders device protection."""

    def text(self) -> str:
        version = f'version = "{self.device_os}"'
        return super().text().replace(version, f"{version}\nprotection = true")


def ordered(slug: str, device_os: str = "6.3.4") -> Recipe:
    """All of the newest release, its bootloader a locking one."""
    number = platform_by_slug(slug).id
    locking = synthetic.bootloader(number, device_os, is_protected=True)
    others = (one for one in synthetic.release(number, device_os) if "-bootloader@" not in one.name)
    return Ordered(slug, device_os=device_os, modules=(locking, *others), wifi=False)

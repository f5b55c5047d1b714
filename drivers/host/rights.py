"""Access rights of this process to USB devices, and the udev rules that grant them."""

from __future__ import annotations

import grp
import os
from collections.abc import Iterator
from pathlib import Path

_RULES = ("/etc/udev/rules.d", "/lib/udev/rules.d", "/usr/lib/udev/rules.d", "/run/udev/rules.d")


def is_root() -> bool:
    """Return whether this process runs as root."""
    return os.geteuid() == 0


def rules_folder() -> Path:
    """Return the folder for udev rules of the computer's administrator."""
    return Path(_RULES[0])


def refusing(folder: Path) -> Path | None:
    """Return what keeps this process from making files in ``folder``: it, or what it would be made in; None: nothing.

    Makes nothing.
    """
    there = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    return None if there.is_dir() and os.access(there, os.W_OK | os.X_OK) else there


def group_names() -> frozenset[str]:
    """Return the names of the groups this process belongs to."""
    return frozenset(grp.getgrgid(gid).gr_name for gid in os.getgroups())


def udev_rules_naming(text: str) -> Iterator[Path]:
    """Yield the udev rule files that contain ``text``."""
    for path in (path for folder in _RULES for path in Path(folder).glob("*.rules")):
        try:
            found = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if text in found:
            yield path

"""Where shipped files are: in a wheel beside the package, in a checkout beside the packages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from .errors import BadInput

_PACKAGE = Path(__file__).resolve().parent


def shipped(folder: str) -> Path:
    """The shipped folder "profiles" or "udev"; raises `BadInput` if this installation has lost it."""
    places = (_PACKAGE / "_data" / folder, _PACKAGE.parent / folder)
    for place in places:
        if place.is_dir():
            return place
    looked = " and ".join(str(place) for place in places)
    raise BadInput(f"the shipped folder {folder!r} is missing, looked in {looked}; install the station again")


def shipped_profiles() -> tuple[Path, ...]:
    """The example profiles that come with the station, by name."""
    return tuple(sorted(shipped("profiles").glob("*.toml")))


def profile_names(loaded: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names a profile can be asked for by: those ``loaded`` (SHA-256 by id), and shipped ones besides."""
    texts = frozenset(loaded.values())
    shipped = (path.stem for path in shipped_profiles() if sha256_of(path) not in texts)
    return tuple(dict.fromkeys((*loaded, *shipped)))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a shipped file, in hex: a profile is known by it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def udev_rules() -> Path:
    """The file `station udev print` prints."""
    return shipped("udev") / "70-station.rules"


def find_profile(name: str) -> Path:
    """The profile file ``name``: a path, or the name of a shipped one without ``.toml``. Raises `BadInput`."""
    path = Path(name)
    if path.is_file():
        return path
    known = {shipped_path.stem: shipped_path for shipped_path in shipped_profiles()}
    if name in known:
        return known[name]
    raise BadInput(f"profile {name!r}: no such file, and no shipped profile of that name; shipped: {', '.join(known)}")

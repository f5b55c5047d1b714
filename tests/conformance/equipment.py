"""What these tests need of the machine beyond the Python environment, and whether it is there.

``.ci/run`` installs all of it and forbids skips; elsewhere a test that lacks something is skipped and says
what.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .kernel import PRELOAD

PARTICLE_USB = "STATION_PARTICLE_USB"
"""Environment variable: a directory with the ``node_modules`` of all of the vendor's npm packages in it."""

PARTICLE_USB_VERSION = "4.1.0"
PARTICLE_CLI_VERSION = "3.43.1"  # newer ones depend on packages the registries do not have
PARTICLE_API = "particle-api-js-12"  # installed under this name: particle-cli brings an older one along
PARTICLE_API_VERSION = "12.0.3"
_DEFAULT_PARTICLE_USB = Path(__file__).parents[2] / ".venv/conformance"


def particle_usb() -> Path:
    """The directory the npm package is installed below."""
    return Path(os.environ.get(PARTICLE_USB) or _DEFAULT_PARTICLE_USB)


OPENHTF = "STATION_OPENHTF"
"""Environment variable: the environment OpenHTF is installed in; it wants other packages than the station."""
OPENHTF_VERSION = "1.6.3"


def openhtf_python() -> Path:
    """Return the Python that knows OpenHTF."""
    place = Path(os.environ.get(OPENHTF) or Path(__file__).parents[2] / ".venv/openhtf")
    return place / "bin/python"


def _lacks_openhtf() -> str:
    ask = "import importlib.metadata as m; print(m.version('openhtf'))"
    python = openhtf_python()
    run = subprocess.run([python, "-c", ask], capture_output=True, text=True) if python.exists() else None
    found = run.stdout.strip() if run is not None else ""
    return "" if found == OPENHTF_VERSION else f"openhtf {OPENHTF_VERSION} in the environment of {python}"


def _lacks_program(name: str, package: str) -> str:
    return "" if shutil.which(name) else f"the program {name} (Debian package {package})"


def _lacks_umockdev() -> str:
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "aarch64"):
        return "Linux on x86_64 or aarch64"
    nothing = [sys.executable, "-S", "-c", ""]
    run = subprocess.run(nothing, env={"LD_PRELOAD": PRELOAD}, capture_output=True, text=True)
    return f"{PRELOAD} (Debian package umockdev)" if "cannot be preloaded" in run.stderr else ""


def _lacks_npm_package(name: str, version: str) -> str:
    manifest = particle_usb() / f"node_modules/{name}/package.json"
    if f'"version": "{version}"' in (manifest.read_text() if manifest.exists() else ""):
        return ""
    return f"npm package {name} {version} below {particle_usb()}"


_CHECKS: dict[str, Callable[[], str]] = {
    "umockdev": _lacks_umockdev,
    "cc": lambda: _lacks_program("cc", "gcc, with libc6-dev"),
    "dfu-util": lambda: _lacks_program("dfu-util", "dfu-util"),
    "lsusb": lambda: _lacks_program("lsusb", "usbutils"),
    "node": lambda: _lacks_program("node", "nodejs"),
    "particle-usb": lambda: _lacks_npm_package("particle-usb", PARTICLE_USB_VERSION),
    "particle-api-js": lambda: _lacks_npm_package(PARTICLE_API, PARTICLE_API_VERSION),
    "particle-cli": lambda: _lacks_npm_package("particle-cli", PARTICLE_CLI_VERSION),
    "openhtf": _lacks_openhtf,
    "soffice": lambda: _lacks_program("soffice", "libreoffice-calc"),
    "chromium": lambda: _lacks_program("chromium", "chromium"),
    "pdftotext": lambda: _lacks_program("pdftotext", "poppler-utils"),
    "udevadm": lambda: _lacks_program("udevadm", "udev"),  # how particle-cli lists serial ports
}


def lacking(*names: str) -> str:
    """Which of ``names`` (keys of the table above) this machine has not, in words; "" if it has all."""
    return ", ".join(missing for name in names if (missing := _CHECKS[name]()))

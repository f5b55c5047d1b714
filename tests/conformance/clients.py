"""The foreign programs, each with the few ways these tests call it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.virtual.unit import VirtualUnit

from .bench import ForeignBench
from .equipment import PARTICLE_USB, particle_usb

_HERE = Path(__file__).parent


def _serial(unit: VirtualUnit) -> str:
    """The serial string it shows, which an old bootloader writes in capitals; tools compare it letter by letter."""
    assert unit.presence is not None
    return unit.presence.descriptors.serial


@dataclass(frozen=True, slots=True)
class DfuUtil:
    """``dfu-util``, from the distribution."""

    bench: ForeignBench

    def list(self) -> str:
        return self._run("-l")

    def download(self, unit: VirtualUnit, file: Path, address: int, *options: str) -> str:
        """Write ``file`` at ``address`` of memory 0; ``options``: "leave"."""
        where = ":".join([f"{address:#x}", *options])
        return self._run("-S", _serial(unit), "-a", "0", "-s", where, "-D", str(file))

    def upload(self, unit: VirtualUnit, alternate: int, address: int, size: int, file: Path) -> bytes:
        where = f"{address:#x}:{size}"
        self._run("-S", _serial(unit), "-a", str(alternate), "-s", where, "-U", str(file))
        return file.read_bytes()

    def _run(self, *options: str) -> str:
        done = self.bench.run("dfu-util", *options)
        assert done.returncode == 0, f"dfu-util {options} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout


@dataclass(frozen=True, slots=True)
class ParticleUsb:
    """The npm package ``particle-usb`` through the scenarios of ``particle_usb.js``."""

    bench: ForeignBench

    def __call__(self, scenario: str, *arguments: object) -> Any:
        """Run one scenario; its result."""
        command = ["env", f"{PARTICLE_USB}={particle_usb()}", "node", str(_HERE / "particle_usb.js"), scenario]
        done = self.bench.run(*command, *map(str, arguments))
        assert done.returncode == 0, f"{scenario} failed:\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)


@dataclass(frozen=True, slots=True)
class ParticleCli:
    """The npm package ``particle-cli``, with a ``home`` of its own so that it knows no account."""

    bench: ForeignBench
    home: Path

    def __call__(self, *words: str | Path) -> str:
        """What it says on standard output, once it has ended well."""
        done = self.run(*words)
        assert done.returncode == 0, f"particle {words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        program = particle_usb() / "node_modules/.bin/particle"
        settings = [f"HOME={self.home}", "PARTICLE_DISABLE_UPDATE=1", "FORCE_COLOR=0"]
        return self.bench.run("env", *settings, "node", program, *words)


@dataclass(frozen=True, slots=True)
class Lsusb:
    """``lsusb -v`` of one device, runs of blanks made one: versions differ in their columns."""

    bench: ForeignBench

    def __call__(self, unit: VirtualUnit) -> str:
        assert unit.presence is not None
        done = self.bench.run("lsusb", "-v", "-d", str(unit.presence.descriptors.usb_id))
        assert done.returncode == 0, done.stderr
        return " ".join(done.stdout.split())


def compile_shim(directory: Path) -> Path:
    """Compile ``netlink_shim.c`` into ``directory``."""
    library = directory / "netlink_shim.so"
    source = _HERE / "netlink_shim.c"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(library), str(source), "-ldl"], check=True
    )
    return library

"""The vendor's clients of its cloud, each pointed at a virtual one."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from station.cloud.virtual import VirtualCloud

from .equipment import PARTICLE_API, particle_usb

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Said:
    """What a call of particle-api-js ended with. ``error``: its description, "" if it went well."""

    status: int
    body: Any
    error: str = ""


class ParticleApi:
    """One ``Particle`` object of particle-api-js in a process of its own, called by the names of its methods."""

    def __init__(self, cloud: VirtualCloud, **options: object) -> None:
        settings = {"baseUrl": cloud.base_url} | options
        module = particle_usb() / "node_modules" / PARTICLE_API
        self._process = subprocess.Popen(
            ["node", str(_HERE / "particle_api.js"), str(module), json.dumps(settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment(),
        )  # fmt: skip

    def close(self) -> None:
        """End the process, and its event stream with it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait() == 0
        self._process.stdout.close()

    def call(self, method: str, **options: Any) -> Said:
        """Call a method with options; bytes among them become a Buffer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        sent = {name: _sendable(value) for name, value in options.items()}
        self._process.stdin.write(json.dumps({"call": method, "options": sent}) + "\n")
        self._process.stdin.flush()
        return Said(**({"status": 0, "body": None} | json.loads(self._process.stdout.readline())))

    def __call__(self, method: str, **options: Any) -> Any:
        """Call a method that has to go well; return the body of its answer."""
        said = self.call(method, **options)
        assert said.error == "", f"{method}({options}): {said}"
        return said.body


def _sendable(value: object) -> object:
    return {"$bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


@dataclass(frozen=True, slots=True)
class CloudCli:
    """The npm package ``particle-cli`` with a ``home`` whose settings name the virtual cloud."""

    home: Path

    @classmethod
    def at(cls, home: Path, cloud: VirtualCloud) -> CloudCli:
        """Write the settings file that the program reads its API URL from."""
        folder = home / ".particle"
        folder.mkdir()
        (folder / "particle.config.json").write_text(json.dumps({"apiUrl": cloud.base_url}))
        return cls(home)

    def __call__(self, *words: str | Path) -> str:
        """What it says on standard output, once it has ended well."""
        done = self.run(*words)
        assert done.returncode == 0, f"particle {words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start it and let it run."""
        return subprocess.Popen(
            self._command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=self._environment()
        )

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*words), stdin=subprocess.DEVNULL, capture_output=True, text=True, env=self._environment()
        )

    @property
    def token(self) -> str:
        """The token that it keeps."""
        return str(json.loads((self.home / ".particle/particle.config.json").read_text())["access_token"])

    def _command(self, *words: str | Path) -> list[str]:
        program = particle_usb() / "node_modules/.bin/particle"
        return ["node", str(program), *(str(word) for word in words)]

    def _environment(self) -> dict[str, str]:
        return _environment() | {"HOME": str(self.home), "PARTICLE_DISABLE_UPDATE": "1", "FORCE_COLOR": "0"}


def _environment() -> dict[str, str]:
    """What a program is told of this machine: no proxy, which would be asked for the way to this host."""
    return {"PATH": os.environ["PATH"]}

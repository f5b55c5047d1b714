"""Makes hooks of what the config file says: one row a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from drivers.host.executable import Programs

from ..errors import BadInput
from ..settings.outside import HookPlace
from ..settings.secrets import ApiToken, SecretSource
from .channel import Channel, Hook
from .drop import FileDrop
from .program import Program
from .webhook import Webhook


def _webhook(place: HookPlace, secrets: SecretSource, _programs: Programs) -> Channel:
    return Webhook(place.url, secrets.resolve(place.token, ApiToken) if place.token is not None else None)


def _program(place: HookPlace, _secrets: SecretSource, programs: Programs) -> Channel:
    if programs.find(place.command[0]) is None:
        raise BadInput(f"hook {place.name}: there is no program {place.command[0]} that may be run; correct command")
    return Program(place.command, programs)


def _drop(place: HookPlace, _secrets: SecretSource, _programs: Programs) -> Channel:
    return FileDrop(Path(place.folder))


KINDS: Mapping[str, Callable[[HookPlace, SecretSource, Programs], Channel]] = {
    "url": _webhook, "command": _program, "folder": _drop,
}  # fmt: skip
"""By the key of [[hooks]] that says where it goes."""


def hook_of(place: HookPlace, secrets: SecretSource, programs: Programs) -> Hook:
    """Return the hook; raises `BadInput` without its token or its program."""
    channel = KINDS[place.kind](place, secrets, programs)
    return Hook(place.name, frozenset(place.events), channel, place.timeout_s, place.otherwise == "hold")

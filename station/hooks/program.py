"""Programs as hooks: one run a message, JSON on standard input, JSON or nothing on standard output, exit status 0."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.clock import CancelToken
from drivers.host.executable import Programs

from .channel import HookTrouble, read_answer


@dataclass(frozen=True, slots=True)
class Program:
    """A program of this computer and its arguments; no shell reads them."""

    command: tuple[str, ...]
    programs: Programs

    def send(self, body: bytes, _key: str, timeout_s: float, cancel: CancelToken) -> bytes:
        """Run it; what it started ends with it."""
        ended = self.programs.run(self.command, body + b"\n", timeout_s, cancel)
        if ended.status != 0:
            raise HookTrouble(f"{self.command[0]}: {ended.trouble}")
        read_answer(ended.output)
        return ended.output

    def look(self, _timeout_s: float) -> None:
        """Check that it may be run; run by a question it would act."""
        if self.programs.find(self.command[0]) is None:
            raise HookTrouble(f"there is no program {self.command[0]} that may be run; correct command")

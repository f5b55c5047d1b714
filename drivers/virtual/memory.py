"""All the memories of one virtual unit: what is left of it when the power is off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from .boot import BootReport, BootRequest
from .dct import Dct
from .flash import FlashFault, NorFlash, Score
from .layout import Chip


class UnitMemory:
    """Internal flash, external flash, configuration area and Wi-Fi store of one unit.

    With a ``directory`` they are files there (``internal-flash.bin``, ``external-flash.bin``, ``dct.bin``,
    ``network.bin``), written as each operation executes; without one they live in this object.
    """

    platform_id: int
    score: Score
    internal: NorFlash
    external: NorFlash
    dct: Dct

    def __init__(
        self,
        platform_id: int,
        directory: Path | None = None,
        score: Score | None = None,
        fault: FlashFault | None = None,
    ) -> None:
        raise NotImplementedError

    def install(self, files: Iterable[bytes]) -> None:
        """Factory programming: put module files where they belong. Not scored."""
        raise NotImplementedError

    def boot(self, request: BootRequest = BootRequest.NORMAL) -> BootReport:
        """Reset: everything is read again from flash."""
        raise NotImplementedError

    def set_fault(self, fault: FlashFault | None) -> None:
        """Consult ``fault`` before every step of every flash operation from now on."""
        raise NotImplementedError

    def read_network(self) -> bytes:
        """The Wi-Fi store: whatever the system stored last, b"" if nothing."""
        raise NotImplementedError

    def write_network(self, content: bytes, who: str) -> float:
        """Replace the Wi-Fi store; scored. Returns seconds."""
        raise NotImplementedError

    def dump(self) -> Mapping[Chip, bytes]:
        """Raw content of every chip."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

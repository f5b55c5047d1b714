"""The non-volatile memories of one virtual unit."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import DriverError
from ..wire.image.tables import FLAG_DROP_PREFIX, PREFIX_SIZE
from . import synthetic
from .asset_store import AssetStore
from .dct import Dct
from .flash import TIMINGS, FlashFault, FlashStep, NorFlash, Operation, Score, Who, open_cells
from .header import NCP, read_header
from .layout import Chip, layout_of

NCP_SIZE = 0x10_0000
_NETWORK_LIMIT = 0x10000
_NETWORK_HEAD = 8  # length and CRC-32 of the content, little endian


class UnitMemory:
    """The memories of one unit: internal flash, configuration area, Wi-Fi store; some have others.

    With a ``directory`` they are files there (``internal-flash.bin``, ``external-flash.bin``, ``dct.bin``,
    ``network.bin``, and ``ncp.bin`` where Wi-Fi comes from a co-processor), written as each operation executes;
    without one they live in this object. ``fault`` is consulted before every step of every erase and program.
    """

    def __init__(
        self,
        platform_id: int,
        directory: Path | None = None,
        score: Score | None = None,
        fault: FlashFault | None = None,
    ) -> None:
        self.platform_id = platform_id
        self.layout = layout_of(platform_id)
        self.score = score or Score(self.layout)
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
        paths = {chip: None if directory is None else directory / f"{chip}.bin" for chip in Chip}
        self.internal = self._open_flash(Chip.INTERNAL, paths[Chip.INTERNAL])
        has_external = self.layout.has(Chip.EXTERNAL)
        self.external = self._open_flash(Chip.EXTERNAL, paths[Chip.EXTERNAL]) if has_external else None
        self.dct = Dct(self.layout, paths[Chip.DCT], self.score)
        self._network = open_cells(paths[Chip.NETWORK], b"")
        self.ncp = self._open_ncp(paths[Chip.NCP]) if NCP in self.layout.places else None
        place = self.layout.assets
        self.assets = None if place is None else AssetStore(self.flash(place[0]), *place[1:])
        self.set_fault(fault)

    def set_fault(self, fault: FlashFault | None) -> None:
        """Call ``fault`` before every step of every flash operation from now on."""
        self._fault = fault
        for chip in (self.internal, self.external, self.dct, self.ncp):
            if chip is not None:
                chip.fault = fault

    def install(self, files: Iterable[bytes]) -> None:
        """Store module files at their places, as a factory programmer does. Not counted, needs no erased flash.

        A SoftDevice is stored without its header, as in every unit. Raises `DriverError` for a file without a place.
        """
        for file in files:
            chip, start, content = self._home_of(file)
            chip.place(start, content)

    def holds(self, file: bytes) -> bool:
        """Return whether a module file stands byte for byte where `install` would have put it; raises as that does."""
        chip, start, content = self._home_of(file)
        return chip.read(start, len(content)) == content

    def _home_of(self, file: bytes) -> tuple[NorFlash, int, bytes]:
        probe = NorFlash(Chip.EXTERNAL, 0, max(len(file), 0x400))
        probe.place(0, file)
        header = read_header(probe, 0, self.layout.prefix_offsets)
        content = file[PREFIX_SIZE:] if header.flags & FLAG_DROP_PREFIX else file
        chip = self.ncp if header.kind == NCP else self.internal
        if chip is None or not header.is_plausible or not chip.holds(header.start, len(content)):
            raise DriverError(f"a file of {len(file)} bytes is not a module this virtual unit has a place for")
        return chip, header.start, content

    def flash(self, chip: Chip) -> NorFlash:
        """Return the flash chip behind an alternate setting or an update slot."""
        found = self.external if chip is Chip.EXTERNAL else self.internal
        assert found is not None  # the layout names only what there is
        return found

    def read_network(self) -> bytes:
        """Read what was last written to the Wi-Fi store; b"" if nothing was, or if the write was interrupted."""
        raw = self._network.read(0, self._network.size)
        length, crc = int.from_bytes(raw[:4], "little"), int.from_bytes(raw[4:_NETWORK_HEAD], "little")
        content = raw[_NETWORK_HEAD : _NETWORK_HEAD + length]
        return content if raw and len(content) == length and zlib.crc32(content) == crc else b""

    def write_network(self, content: bytes, who: Who) -> float:
        """Replace the Wi-Fi store, at most 64 KiB (else `ValueError`); return seconds. Counted in the score."""
        if len(content) > _NETWORK_LIMIT:
            raise ValueError(f"the Wi-Fi store takes {_NETWORK_LIMIT} bytes, got {len(content)}")
        self.score.note(Chip.NETWORK, Operation.PROGRAM, 0, len(content), who)
        if self._fault is not None:
            self._fault(FlashStep(Chip.NETWORK, Operation.PROGRAM, who, 0, len(content), 0))
        head = len(content).to_bytes(4, "little") + zlib.crc32(content).to_bytes(4, "little")
        self._network.write(0, head + content)
        return TIMINGS[Chip.NETWORK].programming(len(content))

    def dump(self) -> Mapping[Chip, bytes]:
        """Read the raw content of every chip, as in the files of a ``directory``."""
        content = {
            Chip.INTERNAL: self.internal.read(self.internal.base, self.internal.size),
            Chip.DCT: self.dct.read(0, self.dct.size),
            Chip.NETWORK: self._network.read(0, self._network.size),
        }
        if self.external is not None:
            content[Chip.EXTERNAL] = self.external.read(self.external.base, self.external.size)
        return content if self.ncp is None else content | {Chip.NCP: self.ncp.read(0, NCP_SIZE)}

    def close(self) -> None:
        """Release the files. The unit cannot be used afterwards."""
        for chip in (self.internal, self.external, self.dct, self._network, self.ncp):
            if chip is not None:
                chip.close()

    def _open_flash(self, chip: Chip, path: Path | None) -> NorFlash:
        """Whatever no host can write is in a new chip already: it left its own factory with it."""
        is_new = path is None or not path.exists()
        place = self.layout.memory(chip)
        flash = NorFlash(
            chip, place.start, place.end - place.start, path, self.score, sector=place.sector, timing=place.timing
        )
        for address, file in synthetic.burnt_in(self.platform_id) if is_new and chip is Chip.INTERNAL else ():
            flash.place(address, file.data)
        return flash

    def _open_ncp(self, path: Path | None) -> NorFlash:
        """Open the co-processor's flash; a new one comes with firmware from its own factory."""
        is_new = path is None or not path.exists()
        ncp = NorFlash(Chip.NCP, 0, NCP_SIZE, path=path, score=self.score)
        if is_new:
            ncp.place(0, synthetic.ncp_firmware(self.platform_id).data)
        return ncp

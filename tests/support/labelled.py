"""Profiles whose units get a label, and benches with a printer for it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from line_bench import BORON, LineBench, Recipe, Walk, line_bench

from drivers.virtual.printers import VirtualPrinter
from drivers.virtual.unit import VirtualUnit
from station.engine.commands import Scan
from station.engine.events import HandsNeeded
from station.labels import LabelPrinter
from station.settings.profile import Profile
from support.known_steps import parse_profile

TEMPLATE = """^XA
^FO20,20^BXN,5,200^FD{device_id}^FS
^FO140,20^A0N,24,24^FD{device_id}^FS
^FO140,50^A0N,24,24^FDS/N {serial} of {batch}^FS
^XZ
"""
FAIL = "^XA^FO20,20^A0N,40,40^FDFAIL {device_id}: {reason}^FS^XZ\n"


@dataclass(frozen=True)
class Labelled(Recipe):
    """A profile with [print]. ``folder``: where its templates are put."""

    folder: Path = Path()
    template: str = TEMPLATE
    fail_template: str = ""
    printer: str = "bench"
    verify: bool = True

    def text(self) -> str:
        lines = [
            "[print]", f'printer = "{self.printer}"', f"verify = {str(self.verify).lower()}",
            f'template = "box.zpl"\nsha256 = "{_sha256(self.template)}"',
        ]  # fmt: skip
        if self.fail_template:
            lines.append(f'fail_label = "fail.zpl"\nfail_sha256 = "{_sha256(self.fail_template)}"')
        return "\n".join([super().text(), *lines, ""])

    def profile(self) -> Profile:
        (self.folder / "box.zpl").write_text(self.template, encoding="utf-8")
        (self.folder / "fail.zpl").write_text(self.fail_template, encoding="utf-8")
        return parse_profile(self.text().encode(), str(self.folder / f"{self.id}.toml"))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class LabelBench:
    """A bench with printers, and the hands that stick labels on."""

    def __init__(self, bench: LineBench, recipes: tuple[Labelled, ...], names: tuple[str, ...]) -> None:
        self.bench = bench
        self.printers = {name: VirtualPrinter(bench.clock) for name in names}
        bench.settings["printers"] = lambda clock: {
            name: LabelPrinter(name, one.connect, clock) for name, one in self.printers.items()
        }
        bench.restart(*recipes)

    @property
    def printer(self) -> VirtualPrinter:
        return next(iter(self.printers.values()))

    @property
    def printed(self) -> list[str]:
        """Return the Device IDs on the labels printed so far."""
        return [label.scanned[0] for label in self.printer.labels]

    def scan_new_label(self, slot: int = 1, since: int = 0, asked: str = "scan_printed") -> None:
        """Wait until the slot asks for its new label, and scan what came out of the printer last."""
        self.bench.wait_for(HandsNeeded, slot=slot, since=since, sentence=asked)
        self.bench.sleep(2.0)
        self.bench.command(Scan(self.printed[-1]))

    def walk(self, unit: VirtualUnit, slot: int = 1) -> Walk:
        """See a unit through, its label stuck on and scanned."""
        mark = self.bench.mark()
        return self.bench.walk(unit, slot, during=lambda: self.scan_new_label(slot, since=mark))


@contextlib.contextmanager
def label_bench(
    folder: Path, *recipes: Labelled, slots: int = 1, printers: tuple[str, ...] = ("bench",)
) -> Iterator[LabelBench]:  # fmt: skip
    """A running bench whose profiles print; without recipes the usual one."""
    with line_bench(folder, BORON, slots=slots) as bench:
        chosen = recipes or (Labelled(),)
        yield LabelBench(bench, tuple(replace(one, folder=folder, revision=9) for one in chosen), printers)

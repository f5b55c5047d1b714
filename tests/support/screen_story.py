"""A bench told by hand: events as an engine would send them, for pictures and for the reducer."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from station.engine import events as ev
from station.engine.commands import Command
from station.figures import Figures
from station.model import Batch, IdentityFact, Outcome, ProfileRef, SlotInfo, Verdict
from station.tui.app import BenchApp
from station.view.look import DARK
from station.words.say import Say
from support.spoken import filled

from .spoken import ENGLISH

AT = datetime.datetime(2026, 11, 22, 10, 14, 3, tzinfo=datetime.UTC)
STEPS = ("identify", "device_os", "firmware", "product_add", "sim")


@dataclass
class Story:
    """Events of a bench with ``count`` slots."""

    count: int
    sent: list[Command] = field(default_factory=list)

    @property
    def slots(self) -> tuple[SlotInfo, ...]:
        return tuple(SlotInfo(n, f"1-{n}") for n in range(1, self.count + 1))

    def head(self, slot: int, attempt: str | None = None) -> dict[str, Any]:
        return {
            "at": AT, "slot": slot, "device_id": f"e00fce68{slot:016x}", "attempt": attempt or f"attempt-{slot}",
        }  # fmt: skip

    def opened(self) -> Iterator[ev.Event]:
        yield ev.StationStarted(at=AT, station_id="bench-3", slots=self.slots, operator="0417")
        batch = Batch("2026-11-22-A", ProfileRef("boron-product", 7, "0" * 64), 500)
        yield ev.BatchOpened(at=AT, batch=batch, title="WIDGET-BORON")
        figures = Figures(units=129, passed=126, pending=1, failed=2, judged=128, first_passed=125, retests=1)
        yield ev.BatchProgress(at=AT, batch=batch.id, figures=figures, target=500)
        yield ev.CloudStateChanged(at=AT, reachable=True)

    def arrives(self, slot: int, attempt: str | None = None) -> Iterator[ev.Event]:
        head = self.head(slot, attempt)
        yield ev.UnitArrived(at=AT, slot=slot, port_path=f"1-{slot}", platform="Boron", mode="application")
        yield ev.AttemptStarted(
            **head, port_path=f"1-{slot}", batch="2026-11-22-A", profile="boron-product", steps=STEPS
        )
        yield ev.StepStarted(**head, step="identify")
        facts = (
            IdentityFact("device_id", head["device_id"], "USB descriptor"),
            IdentityFact("device_id", head["device_id"], "request 20"),
            IdentityFact("serial", f"P044AB12345{slot:02d}", "request 21"),
        )
        yield ev.UnitIdentified(**head, platform="Boron", label=f"P044AB12345{slot:02d}", facts=facts)
        yield ev.StepFinished(**head, step="identify", outcome=Outcome.DONE, seconds=0.8, proof="3 sources agree")

    def writes(self, slot: int, share: float = 0.68) -> Iterator[ev.Event]:
        yield ev.StepStarted(**self.head(slot), step="device_os")
        yield ev.StepProgress(**self.head(slot), step="device_os", share=share, seconds_left=11, writing=True)

    def asks(self, slot: int) -> Iterator[ev.Event]:
        yield ev.StepStarted(**self.head(slot), step="dfu")
        yield ev.HandsNeeded(
            **self.head(slot), step="dfu", say=Say("dfu_by_hand", button="MODE"), led="blinking yellow"
        )

    def ends(
        self, slot: int, verdict: Verdict = Verdict.PASS, sentence: str = "pass", *values: str
    ) -> ev.AttemptFinished:
        return ev.AttemptFinished(
            **self.head(slot), verdict=verdict, batch="2026-11-22-A", say=filled(sentence, *values),
            reason="the sentence of the record", seconds=21.4,
        )  # fmt: skip

    def left(self, slot: int) -> ev.Event:
        return ev.UnitLeft(at=AT, slot=slot, port_path=f"1-{slot}")

    def everything(self) -> list[ev.Event]:
        """All eight looks side by side, repeating."""
        told = [*self.opened()]
        for n in range(1, self.count + 1):
            kind = (n - 1) % 8
            if kind == 3:
                continue
            told += self.arrives(n)
            told += [*self.writes(n)] if kind == 1 else [*self.asks(n)] if kind == 4 else [self._verdict(n, kind)]
        return told

    def _verdict(self, slot: int, kind: int) -> ev.Event:
        verdict, sentence, values = {
            0: (Verdict.PASS, "pass", ()),
            2: (Verdict.FAIL, "wrong_sku", ("BRN402", "BRN404")),
            5: (Verdict.PENDING, "pending", ()),
            6: (Verdict.ABORTED, "unplugged_too_early", ()),
            7: (Verdict.ERROR, "silent", ()),
        }[kind]
        return self.ends(slot, verdict, sentence, *values)

    def app(self, **options: Any) -> BenchApp:
        """The screen with nothing left to the machine it runs on; what it sends lands in ``sent``."""
        fixed: dict[str, Any] = {"palette": DARK, "ascii_only": False, "words": ENGLISH, "is_animated": False}
        return BenchApp(self.slots, self.sent.append, **(fixed | options))

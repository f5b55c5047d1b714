"""Tell the events of an attempt again from its journal entries, so that its slot can be shown as it was."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..engine import events as ev
from ..engine.console_events import ConsoleOpened, HandWorkBegun
from ..engine.events import Head
from ..engine.records import UnitFacts
from ..journal.answers import measurements
from ..journal.chain import Row
from ..model import IdentityFact, Outcome, SlotInfo, Verdict
from ..view.reduce import replay
from ..view.state import BenchState, SlotState
from ..words.catalogue import Words


def slot_of(rows: Iterable[Row], words: Words) -> SlotState | None:
    """Return the slot as it stood at the end of the attempt in ``rows``; None if no row says that it began."""
    told = list(_events(rows, words))
    number = next((event.slot for event in told if isinstance(event, ev.AttemptStarted)), 0)
    return replay(BenchState.of((SlotInfo(number),), words), told).slot(number) if number else None


def _events(rows: Iterable[Row], words: Words) -> Iterator[ev.Event]:
    for row in rows:
        tell = _TELLERS.get(row.kind)
        if tell is not None:
            told = json.loads(row.body)
            head: Head = {
                "at": datetime.datetime.fromisoformat(row.at), "slot": told["slot"], "device_id": told["device_id"],
                "attempt": told["attempt"],
            }  # fmt: skip
            yield tell(head, told, words)


def _facts(told: Iterable[Any]) -> tuple[IdentityFact, ...]:
    """Make a fact of every source that the journal lists behind a name and its value."""
    return tuple(IdentityFact(name, value, source) for name, value, *sources in told for source in sources)


def _finished(head: Head, told: Mapping[str, Any], words: Words) -> ev.Event:
    return ev.AttemptFinished(
        **head, verdict=Verdict[told["verdict"]], batch=told.get("batch", ""),
        failed_step=told.get("failed_step", ""), reason=told.get("reason", ""), seconds=told.get("seconds", 0.0),
        say=words.recalled(told.get("sentence", ""), told.get("values", ())),
        wire=tuple(map(str, told.get("wire", ()))),
    )  # fmt: skip


def _step(head: Head, told: Mapping[str, Any], _words: Words) -> ev.Event:
    return ev.StepFinished(
        **head, step=told["step"], outcome=Outcome(told["outcome"]), reason=told.get("reason", ""),
        proof=told.get("proof", ""), seconds=told.get("seconds", 0.0),
        measurements=measurements(told.get("measurements", ())),
    )  # fmt: skip


_TELLERS: Mapping[str, Callable[[Head, Mapping[str, Any], Words], ev.Event]] = {
    "AttemptStarted": lambda head, told, _: ev.AttemptStarted(
        **head, port_path=told["port_path"], batch=told.get("batch", ""), profile=told.get("profile", ""),
        steps=tuple(told.get("steps", ())),
    ),
    "UnitIdentified": lambda head, told, _: ev.UnitIdentified(
        **head, platform=told.get("platform", ""), label=told.get("label", ""), facts=_facts(told["facts"])
    ),
    "UnitFacts": lambda head, told, _: UnitFacts(**head, facts=_facts(told["facts"])),
    "ModulesRead": lambda head, told, _: ev.ModulesRead(**head, rows=tuple(map(tuple, told["rows"]))),
    "StepFinished": _step,
    "LightSeen": lambda head, told, _: ev.LightSeen(**head, light=told["light"]),
    "HandWorkBegun": lambda head, told, _: HandWorkBegun(**head, what=told["what"]),
    "ConsoleOpened": lambda head, _told, _: ConsoleOpened(**head),
    "AttemptFinished": _finished,
    "VerdictRevised": lambda head, told, _: ev.VerdictRevised(
        **head, verdict=Verdict[told["verdict"]], reason=told.get("reason", "")
    ),
}  # fmt: skip

"""The device passport: one signed JSON a unit, for whoever owns the unit later (`station log verifier` checks it).

Canonical JSON (RFC 8785: sorted keys, no blanks, texts and whole numbers only), signed with the key that seals the
station's batches. ``check`` has a short digest of every value: it proves nothing, but names the one that was changed.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import IO, Any

from drivers.plain_text import printable

from ..journal.batch_seal import Signer
from ..journal.entries import stamp
from ..journal.passport_rows import Told
from ..journal.records import BatchRecord
from ..model import MODULE_FACT
from . import verifier
from .batch_log import BatchLog
from .exporter import Exporter

MOST_BYTES = 4096
_MOST_CHARS = 80
"""Of one value: no unit makes its passport long."""
_IDENTITIES = (
    "device_id", "serial", "iccid", "imei", "mac", "sku", "platform", "platform_id", "device_os", "firmware_version",
    "product_id", "name", "modem",
)  # fmt: skip
_EPOCH_OF_ZIP = (1980, 1, 1, 0, 0, 0)
"""The same units give the same file, byte for byte."""


def passport(told: Told, batch: BatchRecord | None, signer: Signer) -> bytes:
    """Return the passport as its owner gets it, at most 4 KiB and ended by a line feed.

    Lots and modules for which there is no room are counted in it: neither an operator who scans many nor a unit that
    tells of many keeps the others of the batch from getting theirs.
    """
    attempt, facts = told.attempt, told.facts
    body: dict[str, Any] = {
        "form": verifier.PASSPORT,
        "identities": {name: list(map(_text, facts[name])) for name in _IDENTITIES if facts.get(name, ("",))[0]},
        "modules": {
            _text(name.removeprefix(MODULE_FACT)): _module(*fact)
            for name, fact in facts.items()
            if name.startswith(MODULE_FACT) and fact[0]
        },
        "protection": {
            "intended": _text(facts.get("protection_intended", ("",))[0]),
            "observed": _text(facts.get("protection", ("",))[0]),
        },
        "profile": _profile(batch, attempt.release),
        "station": {"id": _text(attempt.station_id), "version": told.program, "key": signer.public_key()},
        "verdict": "" if attempt.verdict is None else attempt.verdict.name,
        "batch": _text(attempt.batch),
        "lots": [_text(lot) for lot in attempt.lots],
        "attempt": attempt.attempt,
        "attempts": told.tries,
        "slot": attempt.slot,
        "operator": _text(attempt.operator),
        "first_seen": stamp(told.first_seen),
        "started": stamp(attempt.started_at),
        "finished": "" if attempt.finished_at is None else stamp(attempt.finished_at),
        "entry": told.entry,
        "hash": told.hash,
    }
    if not _fits(body):
        _shorten(body)
    body["check"] = verifier.check_of(body)
    body["signature"] = signer.signed(verifier.signed_text(body))
    return verifier.canonical(body) + b"\n"


def _shorten(body: dict[str, Any]) -> None:
    """Leave out as many lots, then as many modules, as it takes; assets go before the firmware itself."""
    lots, modules = body["lots"], body["modules"]
    for kept in reversed(range(len(lots))):
        body["lots"] = [*lots[:kept], f"and {len(lots) - kept} more, which the batch log has"]
        if _fits(body):
            return
    names = sorted(modules, key=lambda name: name.startswith("asset"))
    for kept in reversed(range(len(names))):
        body["modules"] = {name: modules[name] for name in names[:kept]}
        body["modules"]["more"] = [str(len(names) - kept), "", "the batch log"]
        if _fits(body):
            return


def _fits(body: Mapping[str, Any]) -> bool:
    signed = {**body, "check": verifier.check_of(dict(body)), "signature": "0" * 128}
    return len(verifier.canonical(signed)) < MOST_BYTES


def _module(value: str, source: str) -> list[str]:
    version, _, digest = value.partition(" ")
    return [_text(version), _text(digest), _text(source)]


def _profile(batch: BatchRecord | None, release: str) -> Mapping[str, str | int]:
    if batch is None:
        return {"id": "", "revision": 0, "sha256": "", "released_by": ""}
    ref = batch.batch.profile
    return {"id": _text(ref.id), "revision": ref.revision, "sha256": ref.sha256, "released_by": _text(release)}


def _text(value: str) -> str:
    return printable(value, " ")[:_MOST_CHARS]


def write_passports(log: BatchLog, file: IO[Any]) -> int:
    """Write a ZIP with one file for each unit that was identified and has a verdict that stands; return how many."""
    count = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
        for row in log.rows(detailed=False):
            told = log.told(row.attempt)
            if told is not None:
                made = passport(told, log.records.get(row.attempt.batch), log.signer)
                of_many = f"-{row.attempt.attempt}" if log.all_attempts else ""
                name = f"{row.attempt.device_id}-{row.attempt.batch}{of_many}.json"
                folder.writestr(zipfile.ZipInfo(name, _EPOCH_OF_ZIP), made, zipfile.ZIP_DEFLATED)
                count += 1
    return count


PASSPORTS = Exporter(
    "passports", "a ZIP of signed device passports, one JSON a unit", write_passports, True, "-passports.zip"
)

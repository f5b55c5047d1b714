"""The append-only log of all that happened at this station, and the tables made from it.

`open_or_begin` for the station that writes, `Journal.open` for a verb that does, `JournalReader` for everyone else.
"""

from .anew import open_or_begin
from .directory import JOURNAL_FILE
from .entries import JOURNALLED, AttemptAbandoned, Entry, OutboxHurried, OutboxPostponed, SecretStored, SerialCached
from .finding import FoundPage, FoundRow, Kind, Sought, sought_in
from .journal import Journal
from .opening import owner_of
from .reader import JournalReader
from .records import (
    AttemptRecord,
    BatchRecord,
    CachedProduct,
    CachedSerial,
    FactRecord,
    KeptSecret,
    OwedRecord,
    OwedUnit,
    UnitHistory,
    Verified,
    WriteRecord,
)
from .vault import KeyPlace

__all__ = [
    "JOURNALLED",
    "JOURNAL_FILE",
    "AttemptAbandoned",
    "AttemptRecord",
    "BatchRecord",
    "CachedProduct",
    "CachedSerial",
    "Entry",
    "FactRecord",
    "FoundPage",
    "FoundRow",
    "Journal",
    "JournalReader",
    "KeptSecret",
    "KeyPlace",
    "Kind",
    "OutboxHurried",
    "OutboxPostponed",
    "OwedRecord",
    "OwedUnit",
    "SecretStored",
    "SerialCached",
    "Sought",
    "UnitHistory",
    "Verified",
    "WriteRecord",
    "open_or_begin",
    "owner_of",
    "sought_in",
]

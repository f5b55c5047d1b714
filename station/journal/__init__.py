"""The append-only log of all that happened at this station, and the tables made from it.

`Journal.open` for the station that writes, `JournalReader` for everyone else.
"""

from .directory import JOURNAL_FILE
from .entries import JOURNALLED, AttemptAbandoned, Entry, OutboxHurried, OutboxPostponed, SecretStored, SerialCached
from .journal import Journal
from .reader import JournalReader, owner_of
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
    "Journal",
    "JournalReader",
    "KeptSecret",
    "KeyPlace",
    "OutboxHurried",
    "OutboxPostponed",
    "OwedRecord",
    "OwedUnit",
    "SecretStored",
    "SerialCached",
    "UnitHistory",
    "Verified",
    "WriteRecord",
    "owner_of",
]

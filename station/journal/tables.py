"""The tables of a journal of today, as SQL. `station.journal.migrations` makes them, and brings older files up to them.

``journal`` with ``names`` is the truth, the view ``entries`` shows it as it was hashed. Everything in `PROJECTIONS` can
be made again from it. A row of a projection names the entry it comes from (``seq``) and repeats nothing that stands
there unless somebody searches for it.
"""

from __future__ import annotations

from .chain import START

JOURNAL = (
    # station ids, kinds of entries, Device IDs and attempts: each is held once
    "CREATE TABLE names (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    # `station.journal.stored` says how an entry is kept here; the hash before an entry is the one of the row before
    """CREATE TABLE journal (
        seq INTEGER PRIMARY KEY, station INTEGER NOT NULL, at NOT NULL, kind INTEGER NOT NULL, slot INTEGER,
        unit INTEGER, attempt INTEGER, body TEXT NOT NULL, hash BLOB NOT NULL)""",
    "CREATE INDEX journal_by_attempt ON journal (attempt) WHERE attempt IS NOT NULL",
    "CREATE INDEX journal_by_unit ON journal (unit) WHERE unit IS NOT NULL",
    "CREATE INDEX journal_of_the_station ON journal (seq) WHERE unit IS NULL AND attempt IS NULL",
    f"""CREATE VIEW entries AS SELECT
        station.name AS station_id, journal.seq AS seq,
        CASE WHEN typeof(journal.at) = 'integer'
            THEN strftime('%Y-%m-%dT%H:%M:%f', journal.at / 1000.0, 'unixepoch') || '+00:00' ELSE journal.at END AS at,
        kind.name AS kind,
        CASE WHEN journal.slot IS NULL THEN journal.body ELSE
            '{{"slot":' || journal.slot
            || ',"device_id":' || CASE WHEN journal.unit IS NULL THEN 'null' ELSE '"' || unit.name || '"' END
            || ',"attempt":' || CASE WHEN journal.attempt IS NULL THEN 'null' ELSE '"' || attempt.name || '"' END
            || CASE journal.body WHEN '{{}}' THEN '}}' ELSE ',' || substr(journal.body, 2) END END AS body,
        coalesce(
            (SELECT lower(hex(before.hash)) FROM journal AS before WHERE before.seq = journal.seq - 1), '{START}'
        ) AS prev_hash,
        lower(hex(journal.hash)) AS hash
        FROM journal LEFT JOIN names AS station ON station.number = journal.station
        LEFT JOIN names AS kind ON kind.number = journal.kind LEFT JOIN names AS unit ON unit.number = journal.unit
        LEFT JOIN names AS attempt ON attempt.number = journal.attempt""",
    # the triggers stop our own bugs; against a hand with an editor stands the hash chain
    *(
        f"""CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table}
            BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"""
        for table in ("journal", "names")
        for verb in ("update", "delete")
    ),
    # also stops INSERT OR REPLACE, which would delete without asking the trigger above
    """CREATE TRIGGER journal_in_order BEFORE INSERT ON journal
        WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM journal)
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    """CREATE TRIGGER names_in_order BEFORE INSERT ON names
        WHEN EXISTS (SELECT 1 FROM names WHERE number = NEW.number OR name = NEW.name)
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
)

SECRETS = (
    "CREATE TABLE IF NOT EXISTS secrets (device_id TEXT NOT NULL PRIMARY KEY, secret TEXT NOT NULL, at TEXT NOT NULL)"
)
"""Mobile secrets a label needs. Not a projection, not in the chain: they can be forgotten for good."""

PROJECTION_TABLES = (
    "CREATE TABLE operators (station_id TEXT NOT NULL PRIMARY KEY, operator TEXT NOT NULL)",
    """CREATE TABLE batches (
        batch TEXT NOT NULL PRIMARY KEY, title TEXT NOT NULL, profile_id TEXT NOT NULL,
        profile_revision INTEGER NOT NULL, profile_sha256 TEXT NOT NULL, target INTEGER,
        opened_at TEXT NOT NULL, closed_at TEXT)""",
    # what each batch came to so far (`station.figures`), kept and not counted again
    """CREATE TABLE figures (
        batch TEXT NOT NULL PRIMARY KEY REFERENCES batches (batch), units INTEGER NOT NULL, passed INTEGER NOT NULL,
        pending INTEGER NOT NULL, failed INTEGER NOT NULL, aborted INTEGER NOT NULL, error INTEGER NOT NULL,
        judged INTEGER NOT NULL, first_passed INTEGER NOT NULL, retests INTEGER NOT NULL)""",
    # the same told apart by slot, operator, station, hour and lot; kept, too (`station.journal.counts`)
    """CREATE TABLE shares (
        batch TEXT NOT NULL REFERENCES batches (batch), told_by TEXT NOT NULL, value TEXT NOT NULL,
        attempts INTEGER NOT NULL, judged INTEGER NOT NULL, first_passed INTEGER NOT NULL, failed INTEGER NOT NULL,
        stopped INTEGER NOT NULL, unsure INTEGER NOT NULL, PRIMARY KEY (batch, told_by, value)) WITHOUT ROWID""",
    # how often a try of a step ended so and took so long, to a tenth of a second; above 100 s to a second
    """CREATE TABLE step_tally (
        batch TEXT NOT NULL REFERENCES batches (batch), step TEXT NOT NULL, outcome TEXT NOT NULL, took REAL NOT NULL,
        tries INTEGER NOT NULL, first_seq INTEGER NOT NULL, PRIMARY KEY (batch, step, outcome, took)) WITHOUT ROWID""",
    """CREATE TABLE units (
        device_id TEXT NOT NULL PRIMARY KEY, platform TEXT NOT NULL, label TEXT NOT NULL,
        first_seen TEXT NOT NULL, last_seen TEXT NOT NULL) WITHOUT ROWID""",
    # every id a unit has or had, spelled backwards: it is found by its last characters, too
    """CREATE TABLE ids (
        backwards TEXT NOT NULL, device_id TEXT NOT NULL REFERENCES units (device_id), name TEXT NOT NULL,
        disputed INTEGER NOT NULL, PRIMARY KEY (backwards, device_id, name)) WITHOUT ROWID""",
    """CREATE TABLE attempts (
        attempt TEXT NOT NULL PRIMARY KEY, station_id TEXT NOT NULL, batch TEXT REFERENCES batches (batch),
        device_id TEXT REFERENCES units (device_id), slot INTEGER NOT NULL, port_path TEXT NOT NULL,
        profile TEXT NOT NULL, planned TEXT NOT NULL, operator TEXT NOT NULL,
        started_seq INTEGER NOT NULL, started_at TEXT NOT NULL, finished_seq INTEGER, finished_at TEXT, seconds REAL,
        verdict TEXT, failed_step TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
        sentence TEXT NOT NULL DEFAULT '', by_hand_seq INTEGER, by_hand_at TEXT)""",
    # those whose PASS or PENDING is not proven any more
    "CREATE INDEX attempts_by_hand ON attempts (batch) WHERE by_hand_seq IS NOT NULL",
    "CREATE INDEX attempts_by_batch ON attempts (batch, device_id, started_seq)",
    "CREATE INDEX attempts_by_unit ON attempts (device_id, started_seq)",
    "CREATE INDEX attempts_by_end ON attempts (batch, verdict)",
    "CREATE INDEX attempts_by_verdict ON attempts (verdict, started_seq)",
    "CREATE INDEX attempts_by_time ON attempts (started_at)",
    # all that a Pareto groups and counts by
    """CREATE INDEX attempts_failed ON attempts (
        verdict, failed_step, slot, sentence, device_id, batch, started_seq) WHERE verdict IN ('FAIL', 'ERROR')""",
    # what is used up or built in: the newest lot of each part in a batch, in a unit, and what an attempt was made with
    """CREATE TABLE batch_lots (
        batch TEXT NOT NULL REFERENCES batches (batch), part TEXT NOT NULL, lot TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (batch, part)) WITHOUT ROWID""",
    """CREATE TABLE unit_lots (
        device_id TEXT NOT NULL REFERENCES units (device_id), part TEXT NOT NULL, lot TEXT NOT NULL,
        seq INTEGER NOT NULL, PRIMARY KEY (device_id, part)) WITHOUT ROWID""",
    """CREATE TABLE attempt_lots (
        attempt TEXT NOT NULL REFERENCES attempts (attempt), part TEXT NOT NULL, lot TEXT NOT NULL,
        begun_seq INTEGER NOT NULL, PRIMARY KEY (attempt, part)) WITHOUT ROWID""",
    "CREATE INDEX attempts_of_lot ON attempt_lots (lot COLLATE NOCASE, begun_seq)",
    # which modules a unit holds, by the first 60 bits of their hash: hashes have few values and many units
    """CREATE TABLE held_modules (
        image INTEGER NOT NULL, device_id TEXT NOT NULL REFERENCES units (device_id), name TEXT NOT NULL,
        PRIMARY KEY (image, device_id, name)) WITHOUT ROWID""",
    # one row per change of a value: the newest undisputed row of a name is what the unit is now
    """CREATE TABLE facts (
        device_id TEXT NOT NULL REFERENCES units (device_id), name TEXT NOT NULL, seq INTEGER NOT NULL,
        number INTEGER NOT NULL, value TEXT NOT NULL, source TEXT NOT NULL, disputed INTEGER NOT NULL,
        PRIMARY KEY (device_id, name, seq, number)) WITHOUT ROWID""",
    """CREATE TABLE steps (
        attempt TEXT NOT NULL REFERENCES attempts (attempt), number INTEGER NOT NULL, step TEXT NOT NULL,
        outcome TEXT NOT NULL, seconds REAL NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (attempt, number)) WITHOUT ROWID""",
    """CREATE TABLE measurements (
        attempt TEXT NOT NULL, step_number INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
        value, unit TEXT NOT NULL, low REAL, high REAL, wanted TEXT NOT NULL, is_out INTEGER NOT NULL,
        PRIMARY KEY (attempt, step_number, number),
        FOREIGN KEY (attempt, step_number) REFERENCES steps (attempt, number)) WITHOUT ROWID""",
    # what an export shows of an attempt that ended (`station.journal.kept_rows`), by the entry that began it
    """CREATE TABLE kept_rows (
        started_seq INTEGER PRIMARY KEY, facts TEXT NOT NULL, steps TEXT NOT NULL, outcomes TEXT NOT NULL,
        seconds TEXT NOT NULL, measured TEXT NOT NULL)""",
    # writes announced and not confirmed yet, or never
    """CREATE TABLE writes (
        seq INTEGER PRIMARY KEY, attempt TEXT, device_id TEXT, step TEXT NOT NULL, target TEXT NOT NULL,
        what TEXT NOT NULL, at TEXT NOT NULL)""",
    "CREATE INDEX writes_by_attempt ON writes (attempt, step)",
    """CREATE TABLE outbox (
        attempt TEXT NOT NULL REFERENCES attempts (attempt), action TEXT NOT NULL, queued_seq INTEGER NOT NULL,
        number INTEGER NOT NULL, device_id TEXT NOT NULL REFERENCES units (device_id), body TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0, retry_at TEXT, last_error TEXT NOT NULL DEFAULT '',
        settled_at TEXT, outcome TEXT, reason TEXT NOT NULL DEFAULT '', PRIMARY KEY (attempt, action))""",
    "CREATE INDEX outbox_waiting ON outbox (queued_seq, number) WHERE settled_at IS NULL",
    """CREATE TABLE digests (
        device_id TEXT NOT NULL PRIMARY KEY, ssid TEXT NOT NULL, digest TEXT NOT NULL,
        attempt TEXT, at TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE products (
        product_id INTEGER PRIMARY KEY, slug TEXT NOT NULL, ref TEXT NOT NULL, name TEXT NOT NULL,
        platform_id INTEGER NOT NULL, at TEXT NOT NULL)""",
    """CREATE TABLE serials (
        serial TEXT NOT NULL PRIMARY KEY, device_id TEXT NOT NULL, iccid TEXT NOT NULL,
        at TEXT NOT NULL) WITHOUT ROWID""",
)

COUNTED = ("figures", "shares", "step_tally")
"""Tables that hold sums over others."""
PROJECTIONS = (
    "kept_rows", "measurements", "steps", "writes", "outbox", "digests", "products", "serials", "facts", "ids",
    "held_modules", "attempt_lots", "unit_lots", "batch_lots", *COUNTED, "attempts", "units", "batches", "operators",
)  # fmt: skip
"""Tables that `rebuild` empties, in an order the foreign keys allow."""

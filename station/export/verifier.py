"""Checks what `station log dump` wrote: every entry against its hash, the chain, and the seals of closed batches.

For whoever receives a batch: one file, any Python from 3.9 on, nothing else needed.

    python3 verify_log.py DUMP [--key FINGERPRINT]

With --key, every seal has to be of that key: ask the factory for its fingerprint by another way than the dump came.
Ends with 0 when all holds, with 1 and a sentence when it does not. What comes after the last seal has no signature;
that nothing was cut off at the end can be seen from the newest hash only, where somebody noted it.
"""

# ruff: noqa: T201  prints, as a program of its own
from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable
from typing import Tuple  # noqa: UP035

DOMAIN = "provisioning-station batch seal 1"
P = 2**255 - 19  # Ed25519, RFC 8032: the field, the order of the base point, the constant of the curve
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)

Point = Tuple[int, int]  # noqa: UP006  runs on Python 3.9 too


def quoted(text: str) -> str:
    """Write a text as JSON does, with characters beyond ASCII as they are."""
    return json.dumps(text, ensure_ascii=False)


def hash_of(station: str, seq: int, at: str, kind: str, body: str, before: str) -> str:
    """Return the hash of an entry: SHA-256 over a JSON array of its values."""
    values = (quoted(station), str(seq), quoted(at), quoted(kind), quoted(body), quoted(before))
    return hashlib.sha256(("[" + ",".join(values) + "]").encode()).hexdigest()


def added(one: Point, other: Point) -> Point:
    """Add two points of the curve."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, P - 2, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, P - 2, P)
    return x % P, y % P


def times(number: int, point: Point) -> Point:
    """Multiply a point by a number."""
    result = (0, 1)
    while number:
        if number & 1:
            result = added(result, point)
        point, number = added(point, point), number >> 1
    return result


def point_of(packed: bytes) -> Point:
    """Unpack a point from 32 bytes; raises ValueError if there is none."""
    value = int.from_bytes(packed, "little")
    y, sign = value & (2**255 - 1), value >> 255
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if len(packed) != 32 or y >= P or x * x % P != square or (x == 0 and sign):
        raise ValueError("no point of the curve")
    return (P - x if x & 1 != sign else x), y


def is_signed(key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether ``signature`` (64 bytes) is that of ``message`` by the public ``key`` (32 bytes)."""
    try:
        point, r = point_of(key), point_of(signature[:32])
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    return len(signature) == 64 and s < ORDER and times(s, BASE) == added(r, times(k, point))


def fingerprint(key: bytes) -> str:
    """Return what people compare of a key."""
    digits = hashlib.sha256(key).hexdigest()[:16]
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4))


def wrong_seal(station: str, seq: int, before: str, body: str, wanted: str) -> str:
    """Return what is wrong with a seal; "" if it holds. Prints it then."""
    values = json.loads(body)
    key, batch = bytes.fromhex(values["key"]), values["batch"]
    text = "\n".join((DOMAIN, station, batch, str(seq - 1), before))
    if not is_signed(key, bytes.fromhex(values["signature"]), text.encode()):
        return f"entry {seq}: the seal of batch {batch} does not fit what it seals"
    if wanted not in ("", fingerprint(key)):
        return f"entry {seq}: batch {batch} was sealed by the key {fingerprint(key)}, not by {wanted}"
    print(f"batch {batch}: sealed up to entry {seq - 1} by the key {fingerprint(key)}")
    return ""


def checked(lines: Iterable[str], wanted: str) -> tuple[int, str]:
    """Follow the chain; return number and hash of its last entry. Raises ValueError with what is wrong."""
    seq, before, has_seal = 0, "0" * 64, False
    for line in lines:
        cells = line.rstrip("\n").split("\t")
        seq += 1
        if len(cells) != 6 or cells[1] != str(seq):
            raise ValueError(f"entry {seq} is missing, or its line is damaged")
        station, _, at, kind, body, told = cells
        if hash_of(station, seq, at, kind, body, before) != told:
            raise ValueError(f"entry {seq} was changed after it was written, or the one before it")
        if kind == "BatchSealed":
            has_seal = True
            wrong = wrong_seal(station, seq, before, body, wanted)
            if wrong:
                raise ValueError(wrong)
        before = told
    if wanted and not has_seal:
        raise ValueError("no batch in it is sealed")
    return seq, before


def main() -> int:
    """Check the dump that is named on the command line."""
    parser = argparse.ArgumentParser(description="Check what `station log dump` wrote.")
    parser.add_argument("dump")
    parser.add_argument("--key", default="", metavar="FINGERPRINT", help="of the key that has to have sealed it")
    arguments = parser.parse_args()
    try:
        with open(arguments.dump, encoding="utf-8", newline="\n") as lines:
            seq, newest = checked(lines, arguments.key)
    except (ValueError, KeyError, TypeError, OSError) as error:
        print(f"{arguments.dump}: {error}", file=sys.stderr)
        return 1
    print(f"{seq} entries, chain unbroken; the newest hash is {newest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Checks what a station wrote for its customer: the dump of its log, and device passports.

For whoever receives a batch: one file, any Python from 3.9 on, nothing else needed.

    python3 verify_log.py FILE... [--key FINGERPRINT]

FILE: what `station log dump` wrote (every entry is checked against its hash, the chain, and the seals of closed
batches); a device passport; a ZIP or a folder of passports. A dump has to hold the entries that the passports named
beside it tell of. With --key, every seal and every passport has to be of that key: ask the factory for its fingerprint
by another way than the files came.
Ends with 0 when all holds, with 1 and a sentence for each file that does not. What comes after the last seal of a dump
has no signature; that nothing was cut off at the end can be seen from passports, or from the newest hash, where
somebody noted it.
"""

# ruff: noqa: T201  prints, as a program of its own
from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Dict, List, Tuple  # noqa: UP035

DOMAIN = "provisioning-station batch seal 1"
P = 2**255 - 19  # Ed25519, RFC 8032: the field, the order of the base point, the constant of the curve
ORDER = 2**252 + 27742317777372353535851937790883648493
PASSPORT = "device passport 1"
PASSPORT_DOMAIN = "provisioning-station device passport 1"
UNSIGNED = ("check", "signature")
MOST_BYTES = 65536  # a passport has 4096 at most
D = -121665 * pow(121666, P - 2, P) % P
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960

Point = Tuple[int, int, int, int]  # noqa: UP006  runs on Python 3.9 too; x / z, y / z, z and x * y / z
BASE: Point = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


Heads = Dict[Tuple[str, int], str]  # noqa: UP006  by station and number of an entry its hash


def quoted(text: str) -> str:
    """Write a text as JSON does, with characters beyond ASCII as they are."""
    return json.dumps(text, ensure_ascii=False)


def hash_of(station: str, seq: int, at: str, kind: str, body: str, before: str) -> str:
    """Return the hash of an entry: SHA-256 over a JSON array of its values."""
    values = (quoted(station), str(seq), quoted(at), quoted(kind), quoted(body), quoted(before))
    return hashlib.sha256(("[" + ",".join(values) + "]").encode()).hexdigest()


def added(one: Point, other: Point) -> Point:
    """Add two points of the curve."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: Point) -> Point:
    """Multiply a point by a number."""
    result: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = added(result, point)
        point, number = added(point, point), number >> 1
    return result


def is_same(one: Point, other: Point) -> bool:
    """Tell whether two points are the same."""
    return all((one[at] * other[2] - other[at] * one[2]) % P == 0 for at in (0, 1))


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
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def is_signed(key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether ``signature`` (64 bytes) is that of ``message`` by the public ``key`` (32 bytes)."""
    try:
        point, r = point_of(key), point_of(signature[:32])
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    return len(signature) == 64 and s < ORDER and is_same(times(s, BASE), added(r, times(k, point)))


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
    print(plain(f"batch {batch}: sealed up to entry {seq - 1} by the key {fingerprint(key)}"))
    return ""


def checked(lines: Iterable[str], wanted: str, heads: Heads | None = None) -> tuple[int, str]:
    """Follow the chain; return number and hash of its last entry. Raises ValueError with what is wrong.

    ``heads``: what passports say that entries hash to.
    """
    heads = heads or {}
    seq, before, has_seal, station = 0, "0" * 64, False, ""
    for line in lines:
        cells = line.rstrip("\n").split("\t")
        seq += 1
        if len(cells) != 6 or cells[1] != str(seq):
            raise ValueError(f"entry {seq} is missing, or its line is damaged")
        station, _, at, kind, body, told = cells
        if hash_of(station, seq, at, kind, body, before) != told:
            raise ValueError(f"entry {seq} was changed after it was written, or the one before it")
        if heads.get((station, seq), told) != told:
            raise ValueError(f"entry {seq} is not the one that a passport names; either was made anew")
        if kind == "BatchSealed":
            has_seal = True
            wrong = wrong_seal(station, seq, before, body, wanted)
            if wrong:
                raise ValueError(wrong)
        before = told
    last = max((entry for one, entry in heads if one == station), default=0)
    if last > seq:
        raise ValueError(
            f"it ends at entry {seq}, a passport names entry {last}: it was cut off, or is older than that"
        )
    if wanted and not has_seal:
        raise ValueError("no batch in it is sealed")
    if not seq:
        raise ValueError("there is no entry in it")
    return seq, before


def canonical(value: Any) -> bytes:
    """Write texts, whole numbers, lists and objects in the one form that is signed (RFC 8785)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def signed_text(passport: Dict[str, Any]) -> bytes:  # noqa: UP006
    """Return what is signed of a passport."""
    signed = {name: value for name, value in passport.items() if name not in UNSIGNED}
    return PASSPORT_DOMAIN.encode() + b"\n" + canonical(signed)


def values_of(value: Any, path: str = "") -> Iterator[Tuple[str, Any]]:  # noqa: UP006
    """Yield every value with its place, such as ``identities.serial``."""
    if not isinstance(value, dict) or not value:
        yield path, value
        return
    for name in sorted(value):
        if path or name not in UNSIGNED:
            yield from values_of(value[name], path + "." + name if path else name)


def short(path: str, value: Any) -> str:
    """Return a digest of one value: enough to see that it is another one, not to prove that it is the same."""
    return hashlib.sha256(path.encode() + b"=" + canonical(value)).hexdigest()[:6]


def check_of(passport: Dict[str, Any]) -> str:  # noqa: UP006
    """Return the digests of all values, in the order of their places."""
    return " ".join(short(path, value) for path, value in values_of(passport))


def once(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:  # noqa: UP006
    """Make an object; raises ValueError if it has two values of one name, of which readers take either."""
    made: Dict[str, Any] = {}  # noqa: UP006
    for name, value in pairs:
        if name in made:
            raise ValueError(f"it has two values of the name {name}")
        made[name] = value
    return made


def loaded(content: bytes) -> Dict[str, Any]:  # noqa: UP006
    """Read a passport; raises ValueError if it is damaged."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"it has {len(content)} bytes; no passport has that many")
    try:
        passport = json.loads(content.decode(), object_pairs_hook=once)
    except UnicodeDecodeError as error:
        raise ValueError(f"it is damaged at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is damaged or cut off at character {error.pos + 1} of {len(error.doc)}") from None
    if not isinstance(passport, dict) or passport.get("form") != PASSPORT:
        raise ValueError(f"form was changed, or it is no passport: expected {quoted(PASSPORT)}")
    return passport


def binary(value: Any, size: int) -> bytes:
    """Return the bytes of a value in lower-case hexadecimal, none if it is not of that size."""
    is_one = isinstance(value, str) and re.fullmatch("[0-9a-f]*", value) and len(value) == 2 * size
    return bytes.fromhex(value) if is_one else b""


def wrong_place(passport: Dict[str, Any]) -> str:  # noqa: UP006
    """Return what was changed of a passport whose signature does not fit, as far as its digests tell."""
    known = str(passport.get("check")).split()
    now = {path: short(path, value) for path, value in values_of(passport)}
    changed = [path for path, digest in now.items() if digest not in known]
    gone = [digest for digest in known if digest not in now.values()]
    if changed and len(changed) < len(now):
        return "changed after it was signed: " + ", ".join(changed)
    if gone and not changed:
        return "a value was taken out after it was signed"
    return "the signature does not fit: it was changed, or is of another key or another passport"


def checked_passport(content: bytes, wanted: str) -> Dict[str, Any]:  # noqa: UP006
    """Return a passport whose signature holds. Raises ValueError with what is wrong."""
    passport = loaded(content)
    station = passport.get("station")
    key = binary(station.get("key") if isinstance(station, dict) else None, 32)
    if not is_signed(key, binary(passport.get("signature"), 64), signed_text(passport)):
        raise ValueError(wrong_place(passport))
    if passport.get("check") != check_of(passport):
        raise ValueError("changed after it was signed: check; all values are as they were signed")
    if wanted not in ("", fingerprint(key)):
        raise ValueError(f"it was signed by the key {fingerprint(key)}, not by {wanted}")
    return passport


def told(passport: Dict[str, Any]) -> str:  # noqa: UP006
    """Say in one line whose passport it is and what it says."""
    who = " ".join(
        passport["identities"][name][0] for name in ("serial", "device_id") if name in passport["identities"]
    )
    key = fingerprint(bytes.fromhex(passport["station"]["key"]))
    return f"{who}: {passport['verdict']} {passport['finished']} in batch {passport['batch']}, signed by the key {key}"


def plain(text: str) -> str:
    """Replace what a terminal would act on."""
    return "".join(one if one.isprintable() else "?" for one in text)


def is_named_so(name: str) -> bool:
    """Tell whether a file is named as passports are: not a folder in a ZIP, nor what a Mac puts beside each file."""
    own = name.rsplit("/", 1)[-1]
    return own.lower().endswith(".json") and not own.startswith(".")


def reason_of(error: Exception) -> str:
    """Say why a file cannot be read to its end."""
    if isinstance(error, RecursionError):
        return "it is nested deeper than any passport or log"
    return str(error) or type(error).__name__


def passports_in(path: Path) -> Iterator[Tuple[str, bytes]]:  # noqa: UP006
    """Yield name and content of every passport in a file, a ZIP or a folder; nothing if the file is a dump."""
    if path.is_dir():
        for one in sorted(path.iterdir()):
            if is_named_so(one.name):
                with one.open("rb") as file:
                    yield str(one), file.read(MOST_BYTES + 1)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as folder:
            for name in filter(is_named_so, folder.namelist()):
                with folder.open(name) as file:
                    yield f"{path}: {name}", file.read(MOST_BYTES + 1)
    else:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if content.lstrip()[:1] == b"{":
            yield str(path), content


def complaints(path: Path, wanted: str, heads: Heads) -> Iterator[str]:
    """Check the passports in a file, print which hold, note their ``heads``, and yield what is wrong with others."""
    count = 0
    for name, content in passports_in(path):
        count += 1
        try:
            passport = checked_passport(content, wanted)
            heads[passport["station"]["id"], int(passport["entry"])] = passport["hash"]
            print(plain(f"{name}: {told(passport)}"))
        except Exception as error:  # a crafted file may make a library raise anything
            yield f"{name}: {reason_of(error)}"
    if not count:
        yield f"{path}: there is no passport in it"


def is_dump(path: Path) -> bool:
    """Tell whether a file holds no passport: then it is taken for a dump."""
    return not path.is_dir() and not zipfile.is_zipfile(path) and next(passports_in(path), None) is None


def main() -> int:
    """Check the files that are named on the command line."""
    parser = argparse.ArgumentParser(description="Check what `station log dump` wrote, and device passports.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--key", default="", metavar="FINGERPRINT", help="of the key that has to have signed it")
    arguments = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that a code page lacks makes no passport a bad one
        sys.stdout.reconfigure(errors="backslashreplace")
    wrong: List[str] = []  # noqa: UP006
    heads: Heads = {}
    dumps: List[Path] = []  # noqa: UP006
    for path in arguments.files:
        try:
            if is_dump(path):
                dumps.append(path)
            else:
                wrong += complaints(path, arguments.key, heads)
        except Exception as error:  # as above
            wrong.append(f"{path}: {reason_of(error)}")
    for path in dumps:
        try:
            with path.open(encoding="utf-8", newline="\n") as lines:
                seq, newest = checked(lines, arguments.key, heads)
            print(f"{seq} entries, chain unbroken; the newest hash is {newest}")
        except Exception as error:  # as above
            wrong.append(f"{path}: {reason_of(error)}")
    for line in wrong:
        print(plain(line), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

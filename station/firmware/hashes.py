"""The SHA-256 values of a profile, taken from the files it names: checked, or written into its text.

Works on the text and not on a `Profile`: a draft without hashes is none yet.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomlkit

from ..errors import BadInput
from ..settings.sections import Section, innermost
from .sections import FileRef
from .store import SHOWN_DIGITS, FirmwareStore

_FILE = "file"


@dataclass(frozen=True, slots=True)
class Hashed:
    """A file that a profile names, the hash it states ("" for none), and that of the file that was found."""

    file: str
    stated: str
    sha256: str

    @property
    def is_right(self) -> bool:
        return self.stated == self.sha256


def hashes(
    text: str, model: type[Section], stores: Sequence[FirmwareStore], beside: Callable[[str], bytes]
) -> tuple[list[Hashed], list[str]]:
    """Return the files that the TOML ``text`` of a ``model`` names, and a sentence for each that has no one hash.

    The first of ``stores`` that holds a firmware file of the name decides; the last one searches everywhere.
    ``beside`` reads any other file, by its name; it raises `OSError`.
    """
    found: list[Hashed] = []
    refused: list[str] = []
    for row, key, pin in _named(model, tomllib.loads(text)):
        name, stated = row[key], row.get(pin, "")
        stated = stated.lower() if isinstance(stated, str) else ""
        try:
            sha256 = _sha256(name, stated, stores) if key == _FILE else hashlib.sha256(beside(name)).hexdigest()
            found.append(Hashed(name, stated, sha256))
        except BadInput as error:
            refused += error.sentences
        except OSError as error:
            refused.append(f"{key} {name}: cannot be read ({error.strerror}); put it beside the profile")
    return found, refused


def with_hashes(text: str, model: type[Section], found: Mapping[str, str]) -> str:
    """Return ``text`` with the hashes ``found``, by the names of the files; everything else in it stays as it is.

    Raises `BadInput` where a missing line cannot be put in.
    """
    document = tomlkit.parse(text)
    for row, key, pin in _named(model, document):
        sha256 = found.get(str(row[key]), "")
        if pin in row and sha256 and str(row[pin]).lower() != sha256:
            row[pin] = sha256
        elif pin not in row and sha256:
            _put_behind(row, key, f'{pin} = "{sha256}"')
    changed, wanted = tomlkit.dumps(document), tomllib.loads(text)
    for plain, key, pin in _named(model, wanted):
        if plain[key] in found and str(plain.get(pin, "")).lower() != found[plain[key]]:
            plain[pin] = found[plain[key]]
    if tomllib.loads(changed) != wanted:
        raise BadInput(
            'a sha256 cannot be put in where a file is named so; write sha256 = "" there by hand, then again'
        )
    return changed


def _named(model: type[Section], table: Mapping[str, Any]) -> Iterator[tuple[Any, str, str]]:
    """Yield every table below ``table`` that names a file, its key and that of its hash, as the sections say."""
    for name, field in model.model_fields.items():
        section, value = innermost(field.annotation), table.get(field.alias or name)
        for row in value if isinstance(value, list) else [value]:
            if issubclass(section, Section) and isinstance(row, dict):
                keys = {_FILE: "sha256"} if issubclass(section, FileRef) else section.beside
                yield from ((row, key, pin) for key, pin in keys.items() if isinstance(row.get(key), str))
                yield from _named(section, row)


def _put_behind(row: Any, key: str, line: str) -> None:
    """Write ``line`` behind ``key``. The library would put it behind comments that belong to what follows."""
    trivia = row[key].trivia
    if isinstance(row, tomlkit.items.InlineTable):
        trivia.trail = f", {line}{trivia.trail}"
    else:
        trivia.trail = (trivia.trail or "\n") + trivia.indent + line + trivia.trail


def _sha256(name: str, stated: str, stores: Sequence[FirmwareStore]) -> str:
    """Return the hash of the file ``name``, which must be good firmware; raises `BadInput`."""
    try:
        FileRef(file=name, sha256="0" * 64)
    except ValueError:
        raise BadInput(f"firmware file {name[:60]!r}: expected a file name without a folder; name it so") from None
    for store in stores:
        places = {hashlib.sha256(data).hexdigest(): where for where, data in store.copies(name)}
        if len(places) > 1 and stated not in places:
            several = " and ".join(f"{where} ({digest[:SHOWN_DIGITS]}…)" for digest, where in places.items())
            raise BadInput(
                f"firmware file {name}: {several} differ; say which with --firmware DIR, or remove the others"
            )
        if places:
            digest = stated if stated in places else next(iter(places))
            store.load_application(FileRef(file=name, sha256=digest))  # a module, or one bundled with its assets
            return digest
    raise stores[-1].missing(name)

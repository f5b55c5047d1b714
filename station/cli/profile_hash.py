"""Implements ``station profile hash``: nobody copies a SHA-256 by hand."""

from __future__ import annotations

import argparse
import re
import tempfile
from functools import partial
from pathlib import Path

from drivers.platforms import platforms

from ..errors import BadInput
from ..firmware.examples import write_example_files, write_more_files
from ..firmware.hashes import Hashed, hashes, with_hashes
from ..firmware.store import SHOWN_DIGITS, FirmwareStore
from ..labels.template import MOST_BYTES
from ..paths import find_profile
from ..settings.beside import read_beside
from ..settings.config import load_config
from ..settings.document import Document
from ..settings.profile import profile_model
from ..steps.table import StepTable
from .places import firmware_folder, output, store_of
from .telling import tell

_SYNTHETIC = re.compile(r"synthetic-[\w@.+-]+\.bin")


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``profile hash``."""
    parser = verbs.add_parser("hash", help="fill in the SHA-256 of every file it names, or check them")
    parser.add_argument("file", metavar="FILE", help="a profile file; a draft will do")
    parser.add_argument("--check", action="store_true", help="change nothing; exit status 2 if one is wrong")
    parser.add_argument("--firmware", action="append", type=Path, default=[], metavar="DIR", help="look here first")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the station's config file")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fill in the hash of every file that is found, then raise `BadInput` about the others."""
    path = find_profile(arguments.file)
    text, model = Document.read(path).raw.decode(), profile_model(StepTable.found().rules)
    with tempfile.TemporaryDirectory() as scratch:
        if named := set(_SYNTHETIC.findall(text)):
            write_example_files(Path(scratch))
            write_more_files(Path(scratch), platforms(), named)
        folders = tuple(map(firmware_folder, arguments.firmware))
        everywhere = store_of(load_config(arguments.config), folders, made=Path(scratch))
        beside = partial(read_beside, str(path), limit=MOST_BYTES)
        found, refused = hashes(text, model, (FirmwareStore(folders), everywhere), beside)
    if not found and not refused:
        raise BadInput(f"{path}: it names no file; nothing to do")
    wrong = [one for one in found if not one.is_right]
    if arguments.check:
        refused += [f"{path}: {one.file} has SHA-256 {one.sha256}, {_stated(one)}" for one in wrong]
    elif wrong:
        changed = with_hashes(text, model, {one.file: one.sha256 for one in wrong})
        with output(path) as file:
            file.write(changed)
    for one in found:
        state = "right" if one.is_right else f"wrong: {_stated(one)}" if arguments.check else f"written, {_stated(one)}"
        tell(f"{one.sha256}  {one.file}  {state}")
    if refused:
        raise BadInput(*refused)
    return 0


def _stated(one: Hashed) -> str:
    return f"the profile said {one.stated[:SHOWN_DIGITS]}…" if one.stated else "the profile said none"

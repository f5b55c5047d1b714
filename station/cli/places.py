"""Finds the journal of a verb, by ``--data-dir`` or the config file, and checks where it may write."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from ..errors import BadInput
from ..firmware.cache import FirmwareCache
from ..firmware.store import FirmwareStore
from ..journal import JOURNAL_FILE, JournalReader
from ..journal.schema import translated
from ..journal.secret_key import KEY_FILE, KeyFile, KeyringKey
from ..settings.config import StationConfig, default_config_path, load_config

JOURNAL = "journal"


def key_place(config: StationConfig) -> KeyringKey:
    """Return where the key of kept mobile secrets is: the keyring, or a file beside the config file."""
    folder = (config.source or default_config_path()).parent
    return KeyringKey(config.station_id, KeyFile(folder / KEY_FILE))


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """Declare ``--data-dir`` and ``--config``."""
    parser.add_argument("--data-dir", type=Path, metavar="D", help="where the station keeps its journal")
    add_config(parser)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Declare ``--config``."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="the station's config file")


def journal_dir(arguments: argparse.Namespace, *, make: bool = False) -> Path:
    """Return the folder of the journal; ``make`` creates the data directory around it.

    Raises `BadInput` when the data directory is not a folder or cannot be created.
    """
    base, named_by = _data_dir(arguments)
    return (made_dir(base, named_by) if make else _folder(base, named_by)) / JOURNAL


DATA_DIR = "--data-dir"


def _data_dir(arguments: argparse.Namespace) -> tuple[Path, str]:
    """Return the data directory, and where a user would name another."""
    if arguments.data_dir is not None:
        return arguments.data_dir, DATA_DIR
    config = load_config(arguments.config)
    return config.data_dir, DATA_DIR if config.source is None else f"dir below [data] in {config.source}"


def _folder(base: Path, named_by: str) -> Path:
    """Return ``base``; raises `BadInput` if it, or something on the way to it, is not a folder."""
    there = next(path for path in (base, *base.absolute().parents) if os.path.lexists(path))
    if not os.path.isdir(there):
        raise BadInput(f"folder {base}: {there} is no folder; name a folder with {named_by}")
    return base


def made_dir(base: Path, named_by: str = DATA_DIR) -> Path:
    """Return the folder ``base``, created if missing. ``named_by``: where to name another. Raises `BadInput`."""
    try:
        _folder(base, named_by).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"folder {base} cannot be made ({error.strerror}); name another one with {named_by}") from error
    return base


def firmware_folder(path: Path) -> Path:
    """Return a folder named with ``--firmware``. Raises `BadInput` if there is none."""
    if not path.is_dir():
        raise BadInput(f"--firmware {path}: no such folder; name one that holds firmware files")
    return path


def add_cache(parser: argparse.ArgumentParser) -> None:
    """Declare ``--cache``; `cache_of` wants ``--config`` beside it."""
    parser.add_argument("--cache", type=Path, metavar="DIR", help="the cache's folder (that of the config file)")


def cache_of(arguments: argparse.Namespace) -> FirmwareCache:
    """Return the cache the options or the config file name; it need not exist. Raises `BadInput`."""
    folder = arguments.cache or load_config(arguments.config).firmware_cache
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"the cache {folder} is no folder; name one with --cache, or cache below [firmware]")
    return FirmwareCache(folder)


def store_of(
    config: StationConfig, folders: Iterable[Path] = (), made: Path | None = None, cache: FirmwareCache | None = None
) -> FirmwareStore:
    """Return where a station looks for firmware: its cache or ``cache``, then ``folders``, then those of its config."""
    cache = cache or FirmwareCache(config.firmware_cache)
    return FirmwareStore((*folders, *config.firmware_folders), made, cache=cache)


@contextlib.contextmanager
def reader(arguments: argparse.Namespace) -> Iterator[JournalReader]:
    """Open the journal for reading; works beside a running station.

    Raises `BadInput` when there is none, `JournalError` when it cannot be read.
    """
    directory = known_journal(arguments)
    with translated(f"the journal in {directory} cannot be read"), JournalReader(directory) as journal:
        yield journal


def known_journal(arguments: argparse.Namespace) -> Path:
    """Return the folder of an existing journal. Raises `BadInput` when there is none."""
    directory = journal_dir(arguments)
    if not directory.is_symlink() and not os.path.lexists(directory / JOURNAL_FILE):  # the reader reports links
        _, named_by = _data_dir(arguments)
        raise BadInput(f"no journal in {directory.parent}; name the right place with {named_by}")
    return directory


# --- files a verb writes -----------------------------------------------------------------------


def check_output(path: Path, option: str) -> None:
    """Raise `BadInput` unless a file can be written at ``path``; an existing one is left untouched."""
    if path.is_dir():
        raise BadInput(f"{option} {path}: this is a folder; name a file in it")
    target, is_ours = _target(path)
    if not target.parent.is_dir():
        raise BadInput(f"{option} {path}: no such folder; name a file in one that is there")
    if not is_ours:
        return  # opening a pipe would wait for its reader
    try:
        target.open("a").close()
        target.unlink()
    except OSError as error:
        raise BadInput(f"{option} {path}: cannot be written ({error.strerror}); name another place") from error


@contextlib.contextmanager
def output(path: Path, *, is_binary: bool = False, is_secret: bool = False) -> Iterator[IO[Any]]:
    """Open a file that is replaced only when written whole, so that a failure leaves the old one intact.

    ``is_secret``: nobody but its owner may read it.
    """
    target, is_ours = _target(path)
    try:
        with target.open("wb") if is_binary else target.open("w", newline="", encoding="utf-8") as file:
            if is_secret and is_ours:
                os.chmod(file.fileno(), 0o600)
            yield file
            file.flush()
            if is_ours:
                os.fsync(file.fileno())
        if is_ours:
            target.replace(os.path.realpath(path))
    except OSError as error:  # a write error names no file
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        if is_ours:
            target.unlink(missing_ok=True)


def _target(path: Path) -> tuple[Path, bool]:
    """Return where to write first, and whether that is a temporary file; pipes and devices are written directly."""
    path = Path(os.path.realpath(path))
    is_ours = path.is_file() or not path.exists()
    return (path.with_name(f".{path.name}.part") if is_ours else path), is_ours


def add_access_points(parser: argparse.ArgumentParser) -> None:
    """Declare which Wi-Fi networks virtual units have in range."""
    parser.add_argument(
        "--ap", action="append", default=[], metavar="SSID[=SECRET]",
        help="a Wi-Fi network virtual units have in range; SECRET: where its password is, env:NAME or keyring:S/U",
    )  # fmt: skip

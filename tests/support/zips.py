"""ZIP archives as tests need them: good ones, and ones nobody should unpack."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping

from drivers.virtual import synthetic
from drivers.virtual.header import Dependency
from drivers.virtual.synthetic import SyntheticFile, make_module

NO_TIME = (1980, 1, 1, 0, 0, 0)  # the same archive in every run: test ids and hashes hold it
ASSETS = {"cat.txt": b"meow\n", "house.txt": b"a house\n"}


def zipped(members: Mapping[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive of ``members``, by name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, NO_TIME), content, how)
    return out.getvalue()


def application(assets: Mapping[str, bytes] = ASSETS) -> bytes:
    """Return an Argon's application that asks for ``assets``."""
    needs = Dependency(4, 1, 6305)
    return make_module(12, (5, 2), 6, 0xB4000, b"synthetic" + bytes(64), (needs, None), assets=assets)


def bundle(assets: Mapping[str, bytes] = ASSETS, wanted: Mapping[str, bytes] = ASSETS) -> bytes:
    """Return an application that asks for ``wanted``, with ``assets`` beside it."""
    beside = {f"assets/{name}": content for name, content in assets.items()}
    return zipped({"app.bin": application(wanted), **beside})


def release(platform_id: int = 12, version: str = "6.3.4") -> tuple[SyntheticFile, ...]:
    """Return a synthetic release with its application."""
    return (*synthetic.release(platform_id, version), synthetic.application(platform_id, version))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

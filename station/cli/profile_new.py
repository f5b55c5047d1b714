"""Implements ``station profile new``: a first profile from answers, with the hashes of the files that are there."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from drivers.errors import BadIdentity
from drivers.platforms import OsVersion, Platform, platforms

from ..errors import BadInput
from ..firmware.contents import check_content, read_content
from ..firmware.describe import platform_words, title
from ..firmware.examples import write_example_files, write_more_files
from ..firmware.finding import Found, applications, found_for, release_files, releases
from ..firmware.release import load_release
from ..firmware.store import FirmwareStore
from ..settings.config import load_config
from ..settings.profile import Kind, Profile, parse_profile, profile_model
from ..settings.profile_text import commented
from ..settings.secrets import SecretRef
from ..steps.firmware import NO_VERSION
from ..steps.product_add import Product, product_id
from ..steps.shared.claim_by import ClaimBy
from ..steps.table import StepTable
from .places import firmware_folder, store_of
from .telling import tell

T = TypeVar("T")
NONE = "none"
HEADS = (
    "What units of the platform {name} become. Written by station profile new; every value may be changed by hand.",
    "Try a change with: station profile check FILE   - and raise `revision` whenever you release one to the line.",
)


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``profile new``."""
    parser = verbs.add_parser("new", help="write one from answers or options; a terminal asks for what is not named")
    parser.add_argument("file", metavar="FILE", help="the file to write; never one that is there")
    parser.add_argument("--platform", metavar="P", help="what the units are, such as boron")
    parser.add_argument("--product", metavar="N", help="the product's number or slug, or developer")
    parser.add_argument("--device-os", metavar="V", help="the release the units shall run")
    parser.add_argument("--application", metavar="NAME", help="the application's file or its bundle (.zip), or none")
    parser.add_argument("--wifi", metavar="SSID", help="a network the units join, or none")
    parser.add_argument("--wifi-password", metavar="REF", help="where its password is: env:NAME, keyring:..., or open")
    parser.add_argument("--customer", metavar="EMAIL", help="who is to own the units, such as unit-{id}@example.com")
    parser.add_argument("--client", metavar="ID", help="the product's OAuth client that makes its customers")
    parser.add_argument("--client-secret", metavar="REF", help="where its secret is kept: env:NAME or keyring:...")
    parser.add_argument("--claim-by", metavar="HOW", help="id, or code: a claim code over USB")
    parser.add_argument("--firmware", action="append", type=Path, default=[], metavar="DIR", help="look here first")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the station's config file")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the options say, and whom to ask for the rest; nobody without a terminal."""

    arguments: argparse.Namespace
    ask: Callable[[str], str] | None

    def get(self, option: str, question: str, read: Callable[[str], T], usual: str = "") -> T:
        """Return the option's value or the answer to ``question``, as ``read`` makes it; a bad answer is asked again.

        ``usual``: what holds without an answer, "" if there must be one. Raises `BadInput` where nobody can answer.
        """
        given = getattr(self.arguments, option)
        flag = f"--{option.replace('_', '-')}"
        if given is None and self.ask is None and not usual:
            raise BadInput(f"{question}: name it with {flag}, or run the command on a terminal")
        if given is not None or self.ask is None:
            return read(given if given is not None else usual)
        while True:
            answer = self.ask(f"{question} [{usual}]: " if usual else f"{question}: ").strip() or usual
            try:
                return read(answer)
            except BadInput as error:
                tell(*error.sentences)


def run(arguments: argparse.Namespace) -> int:
    """Write the profile; raises `BadInput` for an answer that makes none."""
    path = Path(arguments.file)
    if path.exists():
        raise BadInput(f"{path} is there already and stays as it is; name another file")
    answers = Answers(arguments, _asked if sys.stdin.isatty() else None)
    steps = StepTable.found()
    platform = answers.get("platform", "Platform, such as boron or argon", _platform)
    with tempfile.TemporaryDirectory() as scratch:
        write_example_files(Path(scratch))
        write_more_files(Path(scratch), [platform])
        named, config = tuple(map(firmware_folder, arguments.firmware)), load_config(arguments.config)
        stores = (FirmwareStore(named), store_of(config), FirmwareStore((), Path(scratch)))
        values = _values(path, platform, answers, stores)
        heads = [head.format(name=platform.name) for head in HEADS]
        text = commented(profile_model(steps.rules), values, heads)
        profile = parse_profile(text.encode(), str(path), steps.rules)
        load_release(profile, platform, store_of(config, named, Path(scratch)), product_id(profile))
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    _tell(path, profile)
    return 0


def _asked(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        raise BadInput("no answer came; nothing was written") from None


def _tell(path: Path, profile: Profile) -> None:
    tell(f"{path}: {profile.id} revision {profile.revision}")
    if "synthetic-" in path.read_text(encoding="utf-8"):
        tell("it names synthetic firmware: good for trying, never for a unit that is sold")
    tell(f"next: station profile check {path}")


def _values(path: Path, platform: Platform, answers: Answers, stores: tuple[FirmwareStore, ...]) -> dict[str, Any]:
    """Ask for the rest; return what the file is to say."""
    found = found_for(platform, stores)
    product = answers.get("product", "Product number or slug, or developer", _product)
    known = [str(one) for files in found for one in releases(files)][:1]
    modules, version = answers.get(
        "device_os", "Device OS", lambda text: _release(platform, text, found), known[0] if known else ""
    )
    application = answers.get(
        "application", _which(found, version), lambda text: _application(text, platform, found, stores), NONE
    )  # fmt: skip
    wifi = _wifi(platform, answers)
    customer = _customer(answers, bool(product))
    kind = Kind.PRODUCT if product else Kind.DEVELOPER
    cloud: dict[str, Any] = {
        "offline": "queue" if product and not wifi and not customer else "hold", "claim": not product,
        "online": not product or bool(customer),
    }  # fmt: skip
    if not product and answers.arguments.claim_by is not None:
        cloud["claim_by"] = answers.arguments.claim_by
    name = re.sub(r"[^\w.-]+", "-", path.stem)[:40]
    values: dict[str, Any] = {
        "id": name, "revision": 1, "title": name.upper(), "kind": kind.value, "platforms": [platform.slug],
        "product": product,
        "device_os": {"version": version, "modules": modules, "allow_downgrade": False},
        "firmware": application and _firmware(application, kind),
        "wifi": wifi,
        "cloud": cloud,
        "customer": customer,
        "name": {"template": "{serial}", "fallback": "{platform}-{id6}"},
        "label": {"expect": bool(product), "timeout_s": 60, "keep_secret": False},
    }  # fmt: skip
    return {key: value for key, value in values.items() if value}


def _platform(text: str) -> Platform:
    row = next((row for row in platforms() if text.lower() in (row.slug, *row.other_slugs, str(row.id))), None)
    if row is None:
        raise BadInput(f"no platform {text!r}; write one of {', '.join(row.slug for row in platforms())}")
    return row


def _product(text: str) -> dict[str, Any]:
    """Return the section [product], empty for a developer profile. Raises `BadInput` for what names no product."""
    if text == "developer":
        return {}
    section: dict[str, Any] = (
        {"id": int(text)} if text.isascii() and text.isdigit() and len(text) < 20 else {"slug": text}
    )
    try:
        Product.model_validate(section)
    except ValueError:  # its key names the section; here no file is there yet to correct
        raise BadInput(
            f"{text!r} names no product; write its number, 101 or more, its slug such as widget-v1, or developer"
        ) from None
    return section


def _release(platform: Platform, text: str, found: tuple[Any, ...]) -> tuple[list[dict[str, str]], str]:
    try:
        version = OsVersion.parse(text)
    except BadIdentity as error:
        raise BadInput(str(error)) from None
    files = release_files(platform, version, found)
    return [{"file": one.file, "sha256": one.sha256} for one in files], str(version)


def _which(found: tuple[Any, ...], version: str) -> str:
    """Return the question for the application: own files first, and those named after the release before others."""
    named = f"@{version}."
    names = [
        ref.file for files in found for ref, _ in sorted(applications(files), key=lambda one: named not in one[0].file)
    ]
    names = names[:8]
    return f"Application ({', '.join(names)}), or none" if names else "Application, or none"


def _application(
    text: str, platform: Platform, found: tuple[Any, ...], stores: tuple[FirmwareStore, ...]
) -> Found | None:
    if text == NONE:
        return None
    for files in found:
        same = {ref.sha256: (ref, image) for ref, image in applications(files) if ref.file == text}
        if len(same) > 1:
            raise BadInput(f"application {text}: two files of that name differ; say which with --firmware DIR")
        if same:
            return next(iter(same.values()))
    raise _no_application(text, platform, stores)


def _no_application(text: str, platform: Platform, stores: tuple[FirmwareStore, ...]) -> BadInput:
    """Return why the file called so is none for ``platform``, or that there is no such file."""
    for where, data in (copy for store in stores for copy in store.copies(text)):
        try:
            content = read_content(data, where)
            check_content(content)
        except BadInput as error:
            return error
        what = f"{title(content.main)} for {platform_words(content.main.platform_id)}"
        return BadInput(f"{where} is {what}; name an application for {platform.name}, or none")
    return BadInput(f"application {text}: no folder has a file of that name; name one that is there, or none")


def _firmware(application: Found, kind: Kind) -> dict[str, Any]:
    ref, image = application
    has_version = kind is Kind.PRODUCT and image.product_version not in (None, 0, NO_VERSION)
    version = {"product_version": image.product_version} if has_version else {}
    return {"file": ref.file, "sha256": ref.sha256, **version}


def _customer(answers: Answers, has_product: bool) -> dict[str, Any]:
    """Return the section [customer], empty without the option: nobody is asked for what few want (K1)."""
    if answers.arguments.customer is None:
        return {}
    if not has_product:
        raise BadInput("--customer: a developer unit belongs to the developer; name a product, or leave it out")
    return {
        "email": answers.arguments.customer,
        "client_id": answers.get("client", "Id of the product's OAuth client that makes its customers", str),
        "client_secret": answers.get("client_secret", "Where its secret is kept", _secret_place),
        "claim_by": answers.get("claim_by", "How a unit is claimed, id or code", str, ClaimBy.ID.value),
    }  # fmt: skip


def _secret_place(text: str) -> str:
    if SecretRef.parse(text) is None:
        raise BadInput("the secret itself is never written; write env:NAME or keyring:SERVICE/USER")
    return text


def _wifi(platform: Platform, answers: Answers) -> dict[str, Any]:
    if not platform.sets_wifi_in_listening_mode and answers.arguments.wifi is None:
        return {}
    ssid = answers.get("wifi", "Wi-Fi network, or none", str, NONE)
    if ssid == NONE:
        return {}
    place = answers.get("wifi_password", "Where its password is kept, or open", _place, "env:STATION_WIFI_PASSWORD")
    return {"ssid": ssid, "security": "wpa2", "password": place} if place else {"ssid": ssid, "security": "open"}


def _place(text: str) -> str:
    """Return a reference to a secret, "" for an open network. Never repeats what is none: it may be the password."""
    if text != "open" and SecretRef.parse(text) is None:
        raise BadInput("the password itself is never written; write env:NAME, keyring:SERVICE/USER, or open")
    return "" if text == "open" else text

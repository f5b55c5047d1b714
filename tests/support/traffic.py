"""The traffic oracle: every write that reached a unit or the cloud was announced in the journal first (N1, N2).

`Traffic` writes one story, in one sequence: what stood committed in the journal's file when a write arrived on the
virtual side, read through a connection of its own; each state-changing request as the virtual cloud got it; each
operation on a unit's memories that a host caused. `faults_of` judges a story. It knows nothing of steps or clients:
a write that goes past `StepContext.write`, in whatever code, finds no line before it.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import re
import sqlite3
import threading
import zipfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drivers.platforms import platforms
from drivers.virtual.flash import NorFlash, Operation, Touch, Who
from drivers.virtual.header import SYSTEM, read_header
from drivers.virtual.layout import Chip, layout_of
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.update_slots import inflate
from drivers.wire.image.tables import FLAG_COMBINED, FLAG_COMPRESSED, FLAG_DROP_PREFIX, PREFIX_SIZE
from station.cloud.virtual import FaultKind, SeenRequest
from station.journal.directory import JOURNAL_FILE
from station.journal.schema import connect_reader

READ_KINDS = ("WriteIntended", "WriteConfirmed", "UnitIdentified", "HandWorkBegun")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal, as a write found it on the disk."""

    kind: str
    device_id: str
    step: str = ""
    target: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class CloudCall:
    """One request that reached the virtual cloud. ``harm``: what an ordered fault did to it or to its answer."""

    request: SeenRequest
    harm: FaultKind | None = None

    @property
    def subjects(self) -> tuple[str, ...]:
        """The units or SIMs it is about, in lower case; "" for what the journal calls a token, a code or a customer."""
        if self.request.route in _SAID_AS:
            return ("",)
        ids = (
            self.request.body.get("id"),
            self.request.body.get("name") if self.request.method == "POST" else None,
            *(one for key in ("ids", "sims", "devices") for one in _listed(self.request.body.get(key))),
        )
        named = tuple(str(one).lower() for one in ids if one)
        return named or (self.request.path.removesuffix("/owner").rpartition("/")[2].lower(),)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps whose work a write may be: that of the walk, and those that cure what the cloud shows."""
        of_field = next((_STEP_OF_FIELD[key] for key in self.request.body if key in _STEP_OF_FIELD), "")
        also = ("claim",) if self.request.body.get("claim_user") else ()  # once more, where the first one did not claim
        return (_STEP_OF_ROUTE.get(self.request.route, of_field), *also, *_CURING, *_OF_OWNERS)

    @property
    def is_refused(self) -> bool:
        """The cloud said that it did nothing: whoever asked knows that, and may ask again."""
        return self.request.status == 529 or (400 <= self.request.status < 500 and self.request.status != 408)

    @property
    def shows_state(self) -> bool:
        """A read that the cloud itself answered, and whose answer arrived."""
        broken = (FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE)
        return (
            self.request.method == "GET" and bool(self.request.username) and self.request.status in (200, 403, 404)
            and self.harm not in broken
        )  # fmt: skip

    def __str__(self) -> str:
        harm = f" ({self.harm.name})" if self.harm else ""
        return f"{self.request.method} {self.request.path} {dict(self.request.body)} -> {self.request.status}{harm}"


@dataclass(frozen=True, slots=True)
class UnitWrite:
    """One operation on a memory of a unit, on behalf of a host."""

    device_id: str
    touch: Touch
    platform_id: int = 13

    def __str__(self) -> str:
        t = self.touch
        return f"{t.who} {t.operation} of {t.length} bytes at {t.address:#x} of {t.chip} of {self.device_id}"


Story = Iterable[Line | CloudCall | UnitWrite]


class Traffic:
    """What happened on one bench, in order. Thread-safe.

    ``journal``: the directory that holds the station's journal, now or later.
    """

    def __init__(self, journal: Path) -> None:
        self.story: list[Line | CloudCall | UnitWrite] = []
        self.files: dict[str, tuple[Module, ...]] = {}
        self._path = journal / JOURNAL_FILE
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._seq = 0
        self._intended: dict[int, dict[str, str | None]] = {}  # by the number of their entry

    def know(self, name: str, data: bytes) -> None:
        """Remember the modules of a firmware file that journal lines may name; the first one of a name counts."""
        if not zipfile.is_zipfile(io.BytesIO(data)):
            self.files.setdefault(name, tuple(_modules(data)))
            return
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            for member in (one for one in bundle.namelist() if "/" not in one and one.endswith(".bin")):
                self.know(f"{name}: {member}", bundle.read(member))

    def watch(self, unit: VirtualUnit) -> None:
        """Note what hosts write to ``unit`` from now on."""
        unit.score.on_host_write = lambda touch: self._note(UnitWrite(unit.device_id, touch, unit.spec.platform_id))

    def cloud_saw(self, request: SeenRequest, harm: FaultKind | None) -> None:
        """Note one request; give it to `VirtualCloud` as ``on_request``."""
        self._note(CloudCall(request, harm))

    def pause(self) -> None:
        """Let go of the journal's file, before its station stops; the next write takes it up again."""
        with self._lock:
            self._let_go()

    def forget_uncommitted(self) -> None:
        """Go on behind the last line of a journal that is now shorter: its station was killed."""
        with self._lock:
            self._let_go()
            with contextlib.closing(connect_reader(self._path)) as db:
                self._seq = min(self._seq, db.execute("SELECT max(seq) FROM entries").fetchone()[0] or 0)

    def faults(self) -> list[str]:
        """Everything that went unannounced, twice or unread so far; see `faults_of`."""
        with self._lock:
            self._drain()
            self._let_go()
            return faults_of(self.story, self.files)

    def _let_go(self) -> None:
        if self._db is not None:
            self._drain()
            self._db.close()
            self._db = None

    def _note(self, seen: CloudCall | UnitWrite) -> None:
        with self._lock:
            self._drain()
            self.story.append(seen)

    def _drain(self) -> None:
        """Take over what is committed by now."""
        if self._db is None:
            if not self._path.exists():
                return
            self._db = connect_reader(self._path)
        rows = self._db.execute("SELECT seq, kind, body FROM entries WHERE seq > ? ORDER BY seq", (self._seq,))
        for seq, kind, body in rows:
            self._seq = seq
            if kind in READ_KINDS:
                said = json.loads(body)
                if kind == "WriteIntended":
                    self._intended[seq] = said
                self.story.append(_line(kind, self._intended[said["write"]] if "write" in said else said))


def _line(kind: str, body: Mapping[str, str | None]) -> Line:
    names = ("device_id", "step", "target", "what")
    return Line(kind, *(str(body.get(name) or "") for name in names))


def _listed(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list) else ()


# --- what each line announces -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Module:
    """A firmware module: where its content goes, and the region that is its place."""

    start: int
    end: int
    region: str
    platform_id: int = 13


_OFFSETS = sorted({offset for row in platforms() for offset in layout_of(row.id).prefix_offsets})


def _modules(data: bytes) -> Iterator[Module]:
    """The modules of a file, as a unit's own reader finds them."""
    flash = NorFlash(Chip.EXTERNAL, 0, len(data) + 0x400)
    flash.place(0, data)
    at = 0
    while at < len(data):
        header = read_header(flash, at, _OFFSETS)
        if not header.is_plausible:
            return
        layout = layout_of(header.platform_id)
        if header.flags & FLAG_COMPRESSED and not header.flags & FLAG_DROP_PREFIX:
            yield from _modules(inflate(data[at : at + header.length]) or b"")  # the station writes what it holds
        drops = PREFIX_SIZE if header.flags & FLAG_DROP_PREFIX else 0
        region = next(iter(layout.touched(Chip.INTERNAL, header.start, 1)), None)
        name = region.name if region else ""
        yield Module(header.start, header.start + header.length - drops, name, header.platform_id)
        if not header.flags & FLAG_COMBINED:
            return
        at += header.length


_OVER_DFU = re.compile(r"(?P<file>.+?)(?: part \d+)? over DFU")


_ASKED = (Who.CONTROL,)
_ASKED_OR_TYPED = (
    Who.CONTROL,
    Who.CONSOLE,
)  # the credentials of a network go by the console where no request takes them


@functools.cache
def _by_request(platform_id: int) -> tuple[tuple[str, tuple[Who, ...], Chip, int, int], ...]:
    """What a line of the journal says, and what memory who may write on behalf of it: from, to."""
    layout = layout_of(platform_id)
    slot = layout.update_slot(6305)
    if slot.chip is Chip.EXTERNAL:
        start, end = slot.start, layout.memory(slot.chip).end
    else:  # older systems keep it right behind themselves
        end = max(layout.touched(slot.chip, slot.start, 1)[0].end, slot.start + slot.length)
        start = layout.start(SYSTEM)
    in_dct = (
        (r".+ by control request", _ASKED, "flash_modules"),
        (r"set setup-done", _ASKED, "setup_done"),
        (r"set claim code", _ASKED, "claim_code"),
        (r"set setup-done in DFU", (Who.DFU,), "setup_done"),
    )
    fields = ((what, who, layout.dct_fields[name]) for what, who, name in in_dct if name in layout.dct_fields)
    flag = layout.dct_fields["ota_update_flag"]
    return (
        (r".+ by control request", _ASKED, slot.chip, start, end),
        (r".+ into its update slot", (Who.DFU,), slot.chip, start, end),
        (r".+ into its update slot", (Who.DFU,), Chip.DCT, flag.offset, flag.offset + flag.size),
        (r"(join|store|forget) .+", _ASKED_OR_TYPED, Chip.NETWORK, 0, 1 << 20),
        *((what, who, Chip.DCT, one.offset, one.offset + one.size) for what, who, one in fields),
    )


def _is_announced(line: Line, write: UnitWrite, files: Mapping[str, tuple[Module, ...]]) -> bool:
    """Whether ``line`` says that this very write is coming."""
    touch = write.touch
    over_dfu = _OVER_DFU.fullmatch(line.what)
    if over_dfu:
        return touch.who is Who.DFU and any(_has_place(m, touch) for m in files.get(over_dfu["file"], ()))
    return any(
        re.fullmatch(what, line.what) and touch.who in who and touch.chip is chip
        and start <= touch.address and _end(touch) <= end
        for what, who, chip, start, end in _by_request(write.platform_id)
    )  # fmt: skip


def _has_place(module: Module, touch: Touch) -> bool:
    """Content goes where the module says; erased is its own region, any page it lies on, and a first page of the
    system part over it.

    Whoever looks for the system part begins at one of two pages (reference firmware-and-dfu 7.1): it goes invalid
    before the SoftDevice under it is touched.
    """
    if touch.chip is not Chip.INTERNAL:
        return False
    if touch.operation is Operation.PROGRAM:
        return module.start <= touch.address and _end(touch) <= module.end
    layout = layout_of(module.platform_id)
    regions = {region.name for region in layout.touched(touch.chip, touch.address, touch.length)}
    page = len(layout.memory(touch.chip).sector(touch.address))
    if module.start < _end(touch) and touch.address < module.end:
        return True
    return regions == {module.region} or (touch.length == page and touch.address in layout.places[SYSTEM].starts)


def _end(touch: Touch) -> int:
    return touch.address + touch.length


_STEP_OF_ROUTE = {
    "POST /v1/products/:p/devices": "product_add",
    "PUT /v1/products/:p/devices": "group",
    "POST /v1/products/:p/groups": "group",
    "POST /v1/devices": "claim",
    "PUT /v1/sims/:iccid": "sim",
    "POST /v1/products/:p/sims": "sim",
}
_SAID_AS = {
    "POST /oauth/token": "take a token of the customer",
    "POST /v1/products/:p/customers": "make a customer of",
    "POST /v1/products/:p/device_claims": "take a claim code",
    "POST /v1/device_claims": "take a claim code",
}
"""Makes something new at each call, for a unit that the request does not name."""
_OF_OWNERS = ("claim_code", "customer")
_CURING = ("identify", "product_add", "rework")
_STEP_OF_FIELD = {
    "name": "name", "notes": "notes", "development": "development", "desired_firmware_version": "firmware_lock",
}  # fmt: skip
"""Of what is put into the record of a device."""
_LISTS = ("GET /v1/devices", "GET /v1/products/:p/devices", "GET /v1/products/:p/sims")


# --- the judge ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Intent:
    """A line before a write. ``is_spent``: the one write it stands for was made."""

    line: Line
    is_spent: bool = False
    was_tried: bool = False


@dataclass(slots=True)
class _Judge:
    files: Mapping[str, tuple[Module, ...]]
    faults: list[str] = field(default_factory=list)
    at_unit: dict[str, _Intent] = field(default_factory=dict)  # by Device ID: what is being written now
    for_cloud: dict[tuple[str, str], deque[_Intent]] = field(default_factory=lambda: defaultdict(deque))
    by_hand: set[str] = field(default_factory=set)  # Device IDs that a person works on
    unread: dict[tuple[str, str, str], str] = field(default_factory=dict)  # equal writes since the last read: subject

    def line(self, line: Line) -> None:
        act: Callable[[Line], None] = {
            "WriteIntended": self._intended, "WriteConfirmed": self._confirmed, "UnitIdentified": self._met_again,
            "HandWorkBegun": lambda line: self.by_hand.add(line.device_id),
        }[line.kind]  # fmt: skip
        act(line)

    def _intended(self, line: Line) -> None:
        if line.target == "printer":
            return
        if line.target == "cloud":
            queue = self.for_cloud[line.step, line.device_id or line.what]  # of a list, not all lines name a unit
            for superseded in [intent for intent in queue if not intent.is_spent]:
                queue.remove(superseded)  # it was never sent, or the cloud refused it
            queue.append(_Intent(line))
        else:
            self.at_unit[line.device_id] = _Intent(line)

    def _confirmed(self, line: Line) -> None:
        if line.target == "printer":
            return
        if line.target == "cloud":
            queue = self.for_cloud[line.step, line.device_id or line.what]
            found = next((intent for intent in reversed(queue) if intent.line.what == line.what), None)
            if found is not None:
                queue.remove(found)
        else:
            found = self.at_unit.pop(line.device_id, None)
        if found is None or found.line.what != line.what:
            self.faults.append(f"the journal confirms {line.what!r}, which it never announced")
        elif not found.was_tried and not line.what.startswith("restart "):
            self.faults.append(f"the journal confirms {line.what!r}, and no such write was ever seen")

    def _met_again(self, line: Line) -> None:
        """What was announced on the unit before it was looked at anew is not announced any more.

        The end of an attempt is no such moment: a unit may still work on a request whose answer nobody waited for.
        """
        self.at_unit.pop(line.device_id, None)
        self.by_hand.discard(line.device_id)

    def unit_write(self, write: UnitWrite) -> None:
        intent = self.at_unit.get(write.device_id)
        if write.touch.who is Who.CONSOLE and write.device_id in self.by_hand:
            return  # what a person types is announced as such, and by nothing else
        if intent is None:
            self.faults.append(f"{write} was not announced")
        elif not _is_announced(intent.line, write, self.files):
            self.faults.append(f"{write}: announced was {intent.line.what!r}")
        else:
            intent.was_tried = True

    def cloud_call(self, call: CloudCall) -> None:
        if call.request.is_write:
            for subject in call.subjects:
                self._cloud_write(call, subject)
        elif call.shows_state:
            shown = None if call.request.route in _LISTS else call.subjects
            self.unread = {
                key: subject for key, subject in self.unread.items() if shown is not None and subject not in shown
            }

    def _cloud_write(self, call: CloudCall, subject: str) -> None:
        request = call.request
        queue = self._intents(call.steps, subject) if subject else self._said_as(_SAID_AS[request.route])
        intent = next((one for one in queue if not one.is_spent), queue[-1] if queue else None)
        if intent is None:
            self.faults.append(f"{call} was not announced")
        elif intent.is_spent:
            self.faults.append(f"{call}: {intent.line.what!r} was announced once, and is sent again")
        else:
            intent.was_tried = True
            intent.is_spent = intent.is_spent or not call.is_refused
        equal = (request.route, f"{request.path} {subject}", json.dumps(dict(request.body), sort_keys=True))
        if equal in self.unread and subject:
            self.faults.append(f"{call} is sent again, and nobody read {subject} in between")
        if not call.is_refused:
            self.unread[equal] = subject

    def _intents(self, steps: tuple[str, ...], subject: str) -> deque[_Intent]:
        """What was announced of the first of ``steps`` for the unit, or the SIM, that a request is about."""
        named = (
            queue for step in steps for (its_step, device_id), queue in self.for_cloud.items()
            if its_step == step and queue and (device_id == subject or subject in queue[0].line.what.lower())
        )  # fmt: skip
        return next(named, deque())

    def _said_as(self, what: str) -> deque[_Intent]:
        """What was announced as ``what`` for any unit and not sent yet."""
        return deque(
            intent for (step, _), queue in self.for_cloud.items() if step in _OF_OWNERS
            for intent in queue if intent.line.what.startswith(what) and not intent.is_spent
        )  # fmt: skip


def faults_of(story: Story, files: Mapping[str, tuple[Module, ...]]) -> list[str]:
    """What is wrong with a story, a sentence each; empty when every write was announced, once, and read in between.

    - A write to a unit falls into what the line before it, of the same unit and not confirmed yet, announces; one by
      its console needs only a line that a person types there.
    - A state-changing request spends one line of its step and unit. One that the cloud refused spends none.
    - Two equal requests have an answered read of the same unit or SIM between them, unless the first was refused.
    - What the journal confirms was announced, and was seen to arrive.
    """
    judge = _Judge(files)
    for one in story:
        match one:
            case Line():
                judge.line(one)
            case CloudCall():
                judge.cloud_call(one)
            case UnitWrite():
                judge.unit_write(one)
    return judge.faults

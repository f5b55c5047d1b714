"""The write guard under attack: by files, by profiles, and by raw transfers on the handle every caller gets.

The judge is the virtual unit's own list of touched pages (`Score.forbidden`), which `LineBench.close` looks at too.
Below the line: `tests/drivers/devices/test_write_guard_everywhere.py` and `test_update_attack.py`.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st
from line_bench import BORON, LineBench, Recipe, line_bench, replace
from support.attack_bench import forged as forged_for
from support.attack_size import attack as attack_of
from support.device_bench import DeviceBench
from support.known_steps import parse_profile

from drivers.clock import SimulatedClock
from drivers.errors import DriverError
from drivers.platforms import platforms
from drivers.transport.guarded import GuardedTransport
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.flash import Who
from drivers.virtual.header import Dependency
from drivers.virtual.synthetic import SyntheticFile
from drivers.wire.usb import Setup
from station.errors import BadInput
from station.model import Verdict

BORON_ID = 13
SYSTEM = Dependency(4, 1, 6305)
VERSIONS = {(2, 0): 3200, (4, 1): 6305, (8, 0): 202}  # no dependency and no downgrade is to save the day


def forged(
    kind: tuple[int, int], start: int, size: int, *, platform_id: int = BORON_ID, flags: int = 0
) -> SyntheticFile:
    """A file that is right in every checksum and wrong in where it wants to go."""
    body = random.Random(f"{kind}{start}{size}").randbytes(size)
    data = synthetic.make_module(platform_id, kind, VERSIONS.get(kind, 6), start, body, (SYSTEM, None), flags=flags)
    return SyntheticFile(f"forged-{hashlib.sha256(data).hexdigest()[:12]}.bin", data)


def attack(bench: LineBench, recipe: Recipe, arrives: BootRequest) -> str:
    """Open a batch with the hostile recipe and walk a unit; returns how it was refused. Nothing may be written."""
    bench.stop()
    try:
        bench.start(recipe)
    except BadInput as error:
        return str(error)
    unit = bench.unit(arrives=arrives)
    walk = bench.walk(unit)
    assert walk.verdict is not Verdict.PASS
    assert "bootloader" not in unit.score.writes_by_region()
    if arrives is BootRequest.NORMAL:
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)
    return walk.finished.reason


APPLICATION, SYSTEM_PART, BOOTLOADER, SOFTDEVICE = (5, 2), (4, 1), (2, 0), (8, 0)


@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
@pytest.mark.parametrize(
    "file",
    [
        forged(APPLICATION, 0x00000, 20_000),  # over the MBR
        forged(APPLICATION, 0x27000, 20_000),  # over the page the MBR keeps its parameters in
        forged(APPLICATION, 0xF4000, 20_000),  # over the bootloader
        forged(APPLICATION, 0xF0000, 40_000),  # begins well, reaches into the bootloader
        forged(APPLICATION, 0xB4000, 0x41000),  # the right place, and too long for it
        forged(APPLICATION, 0xD4000, 0x21000),
        forged((5, 1), 0xB4000, 12_000),  # the old kind at the new place
        forged(APPLICATION, 0x1000, 12_000),
        forged(APPLICATION, 0x8000_0000, 12_000),  # the file system of the external flash
        forged(APPLICATION, 0xB4010, 12_000),  # not on a page
        forged(APPLICATION, 0xB4000, 12_000, platform_id=12),
        forged((9, 0), 0xB4000, 12_000),  # a kind nobody knows
        forged(BOOTLOADER, 0xF4000, 12_000),
    ],
    ids=lambda value: "",
)
def test_a_hostile_application_file_is_refused_and_writes_nothing_forbidden(
    file: SyntheticFile, arrives: BootRequest, tmp_path: Path
) -> None:
    with line_bench(tmp_path, BORON, traces=False) as bench:
        assert attack(bench, replace(BORON, application=file, revision=2), arrives)


@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
@pytest.mark.parametrize(
    "file",
    [
        forged(SYSTEM_PART, 0x00000, 100_000),
        forged(SYSTEM_PART, 0x27000, 100_000),
        forged(SYSTEM_PART, 0x30000, 0xC5000),  # reaches into the bootloader
        forged(SYSTEM_PART, 0xF4000, 40_000),
        forged(SOFTDEVICE, 0x00000, 100_000, flags=1),  # the MBR in a SoftDevice's clothes
        forged(SOFTDEVICE, 0x1000, 0x26800, flags=1),  # one page too long: the MBR's parameters
        forged(SOFTDEVICE, 0x1000, 100_000),  # keeps a header no unit has
        forged(BOOTLOADER, 0x28000, 40_000),
        forged(SYSTEM_PART, 0x28000, 100_000, flags=1),
        forged(SYSTEM_PART, 0x28000, 100_000, flags=2),
        forged(SYSTEM_PART, 0x28000, 100_000, flags=4),
        forged(SYSTEM_PART, 0x28000, 100_000, flags=8),
        forged(BOOTLOADER, 0xF4000, 0xC001),
    ],
    ids=lambda value: "",
)
def test_a_hostile_module_of_a_release_is_refused_and_writes_nothing_forbidden(
    file: SyntheticFile, arrives: BootRequest, tmp_path: Path
) -> None:
    release = {_kind(one): one for one in synthetic.release(BORON_ID, "6.3.4")}
    release[_kind(file)] = file
    with line_bench(tmp_path, BORON, traces=False) as bench:
        assert attack(bench, replace(BORON, modules=tuple(release.values()), revision=2), arrives)


def _kind(file: SyntheticFile) -> str:
    """Function of a module: the byte at 14 of its prefix, which stands at 0 or behind the vector table."""
    prefix = file.data[0x200:0x218] if file.data[14] not in (5, 8, 9) else file.data[:0x18]
    return str(prefix[14])


@attack_of(6)
@given(
    st.sampled_from([(2, 0), (4, 1), (4, 2), (5, 1), (5, 2), (7, 0), (8, 0), (9, 0)]),
    st.one_of(
        st.integers(0, 0x100_000),
        st.sampled_from([0, 0x1000, 0x27000, 0x28000, 0x30000, 0xB4000, 0xD4000, 0xF3000, 0xF4000, 0x8000_0000]),
    ),
    st.integers(1, 0x30_000),
    st.sampled_from([0, 0, 1]),
    st.sampled_from([BootRequest.NORMAL, BootRequest.DFU]),
)
@example((5, 2), 0xB4000, 0x3F_FC0, 0, BootRequest.DFU)
def test_whatever_a_file_says_of_itself_no_forbidden_page_is_touched(
    kind: tuple[int, int], start: int, size: int, flags: int, arrives: BootRequest
) -> None:
    with tempfile.TemporaryDirectory() as directory, line_bench(Path(directory), traces=False) as bench:
        recipe = replace(BORON, application=forged(kind, start, size, flags=flags), revision=2)
        bench.stop()
        with contextlib.suppress(BadInput):
            bench.start(recipe)
            bench.walk(bench.unit(arrives=arrives))


@attack_of(10)
@given(st.data())
def test_whatever_a_file_says_of_itself_no_forbidden_page_is_touched_on_any_platform(data: st.DataObject) -> None:
    row = data.draw(st.sampled_from(platforms()))
    file = SyntheticFile("forged.bin", data.draw(forged_for(row)))
    arrives = data.draw(st.sampled_from([BootRequest.DFU, BootRequest.NORMAL]))
    newest = synthetic.versions(row.id)[-1]
    release = list(synthetic.release(row.id, newest))
    is_application = data.draw(st.booleans())
    if not is_application:
        release[data.draw(st.integers(0, len(release) - 1))] = file
    recipe = Recipe(
        row.slug, device_os=newest, modules=tuple(release), application=file if is_application else None, wifi=False
    )
    with tempfile.TemporaryDirectory() as directory, line_bench(Path(directory), traces=False) as bench:
        bench.stop()
        try:
            bench.start(recipe)
        except BadInput:
            event("refused at the desk")
            return
        unit = bench.unit(row.slug, 1, newest, arrives=arrives)
        walk = bench.walk(unit)
        event(f"walked: {walk.verdict.name}")
        assert "bootloader" not in {region for who, region, _ in unit.score.operations if who is Who.DFU}


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ('file = "', 'file = "../../etc/'),
        ('file = "', 'file = "/etc/'),
        ('sha256 = "', 'sha256 = "0'),
        ("[device_os]", '[device_os]\naddress = "0xF4000"'),
        ("[firmware]", "[firmware]\nforce = true"),
        ("[cloud]", "[dfu]\nallow = [[0, 1048576]]\n[cloud]"),
    ],
)
def test_no_text_of_a_profile_widens_what_may_be_written(line: str, instead: str) -> None:

    text = BORON.text()
    assert line in text
    with pytest.raises(BadInput, match=r"hostile\.toml"):
        parse_profile(text.replace(line, instead, 1).encode(), "hostile.toml")


def test_a_file_exchanged_after_the_batch_was_opened_is_never_used(tmp_path: Path) -> None:
    """Images are parsed once, when their hash was right."""
    with line_bench(tmp_path, BORON) as bench:
        bench.write_firmware(*(SyntheticFile(file.name, b"\0" * 5000) for file in BORON.files()))
        walk = bench.walk(bench.unit())
        assert walk.verdict is Verdict.PASS


# --- raw transfers ------------------------------------------------------------------------------------

_BYTES = st.one_of(
    st.binary(max_size=16),
    st.builds(
        lambda opcode, address: bytes([opcode]) + address.to_bytes(4, "little"),
        st.sampled_from([0x21, 0x41, 0x92, 0xFA, 0xFB, 0x00]),
        st.one_of(
            st.integers(0, 0xFFFF_FFFF),
            st.sampled_from([0, 0x1000, 0x26000, 0x27000, 0x28000, 0xB4000, 0xF3000, 0xF4000, 0xFF000, 0x8024_C000]),
        ),
    ),
    st.builds(lambda seed: random.Random(seed).randbytes(4096), st.integers(0, 3)),
)
_RAW = st.one_of(
    st.tuples(
        st.just("control"), st.sampled_from([0x21, 0x21, 0x21, 0xA1, 0x00, 0x01, 0x40, 0x41, 0xC0]),
        st.one_of(st.integers(0, 6), st.integers(0, 255)), st.one_of(st.integers(0, 4), st.integers(0, 0xFFFF)),
        st.sampled_from([0, 0, 0, 1, 0xFFFF]), _BYTES,
    ),
    st.tuples(st.just("alternate"), st.integers(0, 4)),
    st.tuples(st.just("status")),
)  # fmt: skip


@attack_of(60)
@given(st.lists(_RAW, max_size=25))
def test_no_raw_transfer_on_an_opened_unit_touches_anything(script: list[tuple[object, ...]]) -> None:
    """Without a permit nothing at all may be erased or written, forbidden or not."""
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        bench = DeviceBench(clock, bus)
        bench.enumerator.start()
        unit = bench.plug(make_spec("boron", 7, 1, "6.3.4", arrives=BootRequest.DFU))
        candidate = bench.watch("1-1").current
        assert candidate is not None
        handle = candidate.open()
        assert isinstance(handle, GuardedTransport)
        handle.claim(0)
        for kind, *what in script:
            with contextlib.suppress(DriverError):
                if kind == "control":
                    request_type, request, value, index, data = what
                    length = 64 if request_type & 0x80 else len(data)  # type: ignore[operator, arg-type]
                    setup = Setup(request_type, request, value, index, length)  # type: ignore[arg-type]
                    handle.control(setup, b"" if request_type & 0x80 else data, timeout_s=1.0)  # type: ignore[operator, arg-type]
                elif kind == "alternate":
                    handle.set_alternate(0, what[0])  # type: ignore[arg-type]
                else:
                    handle.control(Setup(0xA1, 3, 0, 0, 6))
        handle.close()
        bench.enumerator.stop()
        assert unit.score.flash_writes == 0
        assert unit.score.forbidden == []
        bus.close()

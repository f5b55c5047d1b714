"""The platform table says what the reference says, and hangs together."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.house_tools import ROOT

from drivers.errors import BadIdentity, BadPlatformRow, UnknownPlatform
from drivers.platforms import (
    RELEASES,
    OsVersion,
    Platform,
    WritePolicy,
    is_made_for,
    os_version_of_module,
    platform,
    platform_by_slug,
    platforms,
    read_table,
)
from drivers.platforms.capabilities import Kind
from drivers.wire.console.tables import Key
from drivers.wire.control.tables import Raw, RequestType
from drivers.wire.usb import Mode, UsbId

ARGON, BORON, PHOTON, ELECTRON = platform(12), platform(13), platform(6), platform(10)
every = pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)
every_nrf, every_stm32 = (
    pytest.mark.parametrize("row", [row for row in platforms() if row.family == family], ids=lambda row: row.slug)
    for family in ("nrf", "stm32")
)


def test_ids_names_and_radios() -> None:
    names = [(row.id, row.slug, row.name) for row in platforms()]
    assert {(6, "photon", "Photon"), (8, "p1", "P1"), (10, "electron", "Electron")} <= {*names}
    assert {(12, "argon", "Argon"), (13, "boron", "Boron"), (32, "p2", "Photon 2 / P2"), (35, "msom", "M-SoM")} <= {
        *names
    }
    assert names == sorted(names)
    assert platform_by_slug("photon2") is platform(32)
    assert (ARGON.has_wifi, ARGON.has_cellular, BORON.has_wifi, BORON.has_cellular) == (True, False, False, True)
    assert platform_by_slug("Argon") is ARGON
    assert UsbId.of(Mode.APPLICATION, ARGON.id) == UsbId(0x2B04, 0xC00C)
    assert UsbId.of(Mode.DFU, BORON.id) == UsbId(0x2B04, 0xD00D)
    assert (UsbId(0x2B04, 0xD00D).mode, UsbId(0x2B04, 0xD00D).platform_id) == (Mode.DFU, 13)


def test_an_unknown_platform_is_refused_with_the_known_ones() -> None:
    for ask in (lambda: platform(0), lambda: platform_by_slug("core")):
        with pytest.raises(UnknownPlatform, match=r"(?i)argon"):
            ask()


PHOTON_MAY = [(0x08020000, 0x080C0000)]
HOST_MAY_WRITE = {
    "photon": PHOTON_MAY,
    "p1": PHOTON_MAY,
    "electron": [(0x08020000, 0x080A0000)],
    "nrf": [(0x1000, 0x27000), (0x28000, 0xF4000)],
    "rtl": [(0x08060000, 0x081E0000), (0x08480000, 0x08600000)],
}


@every
def test_what_a_host_may_write_over_dfu(row: Platform) -> None:
    """Default deny, page by page: radio stack, system and user parts and nothing else."""
    allowed = {
        page
        for region in row.regions
        if region.write is WritePolicy.DFU
        for page in range(region.start, region.end, 4096)
    }
    ranges = HOST_MAY_WRITE.get(row.slug) or HOST_MAY_WRITE[row.family]
    assert allowed == {page for start, end in ranges for page in range(start, end, 4096)}
    assert {region.alt for region in row.regions if region.write is WritePolicy.DFU} == {0}
    assert {f.name for f in row.dct_fields if f.writable} - {"setup_done"} == {"claim_code"}
    assert any(f.name == "setup_done" and f.writable for f in row.dct_fields) == (row.setup_done_before is not None)


@every
def test_regions_lie_in_their_memory_on_page_boundaries(row: Platform) -> None:
    for region in row.regions:
        memory = row.memory(region.alt)
        assert memory.start <= region.start < region.end <= memory.end
        assert memory.sector(region.start).start == region.start
        assert memory.sector(region.end - 1).stop == region.end
        assert all(memory.sector(page).start == page for page in region.also_erase)


@every
def test_the_sectors_fill_their_memory(row: Platform) -> None:
    for memory in row.memories:
        assert sum(count * size for count, size in memory.sectors) == memory.end - memory.start


@every_stm32
def test_sectors_of_unequal_size(row: Platform) -> None:
    flash = row.memory(0)
    sizes = {at: len(flash.sector(at)) // 1024 for at in (0x08000000, 0x0800FFFF, 0x08010000, 0x08020000)}
    assert list(sizes.values()) == [16, 16, 64, 128]
    assert flash.sector(0x0803FFFF) == range(0x08020000, 0x08040000)
    assert flash.sector_starts(0x08020000, 0x08040001) == [0x08020000, 0x08040000]
    assert flash.sector_starts(0x0800FFFF, 0x08020000) == [0x0800C000, 0x08010000]
    for outside in (0x07FFFFFF, 0x08100000):
        with pytest.raises(ValueError, match="has no address"):
            flash.sector(outside)


@every
def test_configuration_fields_do_not_overlap(row: Platform) -> None:
    fields = sorted(row.dct_fields, key=lambda f: f.offset)
    assert all(a.offset + a.size <= b.offset for a, b in itertools.pairwise(fields))
    assert fields[-1].offset + fields[-1].size <= row.dct_length == 8391
    assert [(f.offset, f.size) for f in fields if f.name == "claim_code"] == [(1762, 63)]


@every
def test_every_dfu_slot_has_its_region(row: Platform) -> None:
    for slot in row.modules:
        starts = {r.start for r in row.regions if (slot.function, slot.index) in r.modules}
        if slot.via == "dfu":
            assert slot.start in starts
            ends = {r.end for r in row.regions if (slot.function, slot.index) in r.modules}
            assert {slot.end, *(slot.once_ended or ())[:1]} == ends
    assert row.slot(5, 1) is not None
    assert row.slot(9, 0) is None
    assert (row.slot(7, 0) is not None) == (row.slug in {"argon", "asom", "tracker"})


@every_nrf
def test_room_for_an_application(row: Platform) -> None:
    """256 KiB, but 128 KiB in the old place, and everywhere on what was never sold for newer Device OS."""
    user = row.slot(5, 2)
    assert user is not None
    assert row.slot(5, 1) is user
    assert user.room(0xD4000) == 128 * 1024
    assert user.room(0xB4000) == (128 if row.slug in {"xenon", "asom", "xsom"} else 256) * 1024


@every_nrf
@pytest.mark.parametrize(
    ("device_os", "end"), [("0.8.0-rc.14", 0xD4000), ("3.0.0", 0xD4000), ("3.1.0-rc.1", 0xB4000), (None, 0xB4000)]
)
def test_room_for_a_system_part_ended_later_before_there_was_a_large_application(
    row: Platform, device_os: str | None, end: int
) -> None:
    system = row.slot(4, 1)
    assert system is not None
    version = OsVersion.parse(device_os) if device_os else None
    assert system.room(0x30000, version) == end - 0x30000
    assert system.room(0x28000, version) == 0xB4000 - 0x28000


def test_a_right_aligned_slot_begins_where_its_content_leaves_it() -> None:
    slot, fixed = platform(32).slot(5, 1), ARGON.slot(5, 2)
    assert slot is not None
    assert fixed is not None
    assert (slot.begin(0x1000), slot.begin(0x180000), slot.end) == (0x085FF000, 0x08480000, 0x08600000)
    assert fixed.begin(0x1000) == fixed.start


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("E404X", "esomx"), ("MonitorOne", "tracker"), ("b5xx", "b5som"), ("x", "xenon"), ("Photon2", "p2"),
        ("muon", "msom"),
    ],
)  # fmt: skip
def test_platforms_are_found_by_their_other_names(name: str, slug: str) -> None:
    assert platform_by_slug(name).slug == slug


@pytest.mark.parametrize(
    ("slug", "device_os", "is_made"),
    [
        ("argon", "0.8.0-rc.25", True), ("argon", "0.8.0-rc.24", False), ("argon", "6.1.1", True),
        ("xenon", "1.5.4-rc.2", True), ("xenon", "2.0.0-alpha.1", False), ("xsom", "1.4.4", True),
        ("xsom", "1.5.0-rc.1", False), ("esomx", "4.0.0-alpha.1", True), ("esomx", "3.3.1", False),
        ("b5som", "1.4.5-b5som.2", True), ("b5som", "1.4.4", False), ("tracker", "1.5.1-tracker.3", True),
        ("tracker", "1.5.2", False), ("boron", "1.5.1-tracker.3", False), ("boron", "3.0.1-p2.5", False),
        ("p2", "5.0.0", True), ("p2", "4.2.0", False), ("p2", "6.1.1", False), ("msom", "5.4.1", False),
        ("msom", "5.5.0", True),
    ],
)  # fmt: skip
def test_which_device_os_was_made_for_which_platform(slug: str, device_os: str, is_made: bool) -> None:
    assert is_made_for(platform_by_slug(slug), OsVersion.parse(device_os)) is is_made


def update_slot(row: Platform, device_os: str) -> int | None:
    region = row.ota_slot(OsVersion.parse(device_os))
    return None if region is None else region.start


@every_stm32
def test_a_header_of_the_electron_is_looked_for_in_two_places(row: Platform) -> None:
    for slot in row.modules:
        assert slot.has_prefix_at(0x184) == (slot.function != 5)
        assert slot.has_prefix_at(0) == (slot.function == 5 or (row is ELECTRON and slot.function == 4))
        assert not slot.has_prefix_at(0x200)


def test_names_of_the_electrons_files_match_neither_index_nor_address() -> None:
    slots = {slot.name: (slot.index, slot.start) for slot in ELECTRON.modules if slot.function == 4}
    assert slots == {
        "system-part2": (1, 0x08020000), "system-part3": (2, 0x08040000), "system-part1": (3, 0x08060000),
    }  # fmt: skip


def test_the_update_slot_moved_with_5_5_0() -> None:
    assert update_slot(ARGON, "5.4.1") == 0x80289000
    assert update_slot(ARGON, "5.5.0") == 0x8024C000
    assert update_slot(platform(32), "5.4.1") is None
    assert update_slot(platform(32), "5.5.0") == 0x08300000


RELEASED = ["3.3.1", "4.1.0", "5.6.0", "5.8.0", "5.8.2", "5.9.0", "6.0.0-rc.1", "6.0.0", "6.1.1", "6.2.0", "6.3.4"]


@pytest.mark.parametrize(
    ("request_type", "argon", "boron", "p2"),
    [
        (20, set(RELEASED), set(RELEASED), set(RELEASED)),
        (76, set(RELEASED[6:]), set(RELEASED[6:]), set(RELEASED[6:])),
        (91, set(RELEASED[2:]), set(RELEASED[2:]), set(RELEASED[2:])),
        (500, set(RELEASED), set(), set(RELEASED)),
        (507, {"5.8.2", "5.9.0", "6.2.0", "6.3.4"}, set(), {"5.8.2", "5.9.0", "6.2.0", "6.3.4"}),
        (554, set(), set(RELEASED), set()),
    ],
)
def test_requests_by_device_os(request_type: int, argon: set[str], boron: set[str], p2: set[str]) -> None:
    assert {v for v in RELEASED if ARGON.knows_request(request_type, OsVersion.parse(v))} == argon
    assert {v for v in RELEASED if BORON.knows_request(request_type, OsVersion.parse(v))} == boron
    assert {v for v in RELEASED if platform(32).knows_request(request_type, OsVersion.parse(v))} == p2


GEN_2_RELEASED = ["0.4.9", "0.5.5", "0.7.0", "0.8.0-rc.4", "1.0.1", "1.1.0", "1.4.4", "1.5.2", "2.3.1", "3.3.1"]
SINCE_0_8, SINCE_1_1 = set(GEN_2_RELEASED[3:]), set(GEN_2_RELEASED[5:])
KNOWN_ON_GEN_2 = {
    **dict.fromkeys((10, 40, 41, 50, 60, 70, 71, 90, 100, 200, 201, 210, 211, 222, 223, 230, 231, 240), SINCE_0_8),
    **dict.fromkeys(range(250, 254), SINCE_0_8),
    **dict.fromkeys((20, 21, 30, 32, 33, 34, 72, 75, 300, 301, 302), SINCE_1_1),
    1: set(GEN_2_RELEASED[7:]),
}  # fmt: skip


@pytest.mark.parametrize("request_type", sorted({*RequestType, *KNOWN_ON_GEN_2, *range(110, 116)}))
def test_requests_of_gen_2_by_device_os(request_type: int) -> None:
    """The rest is -120: no setup done, no protection, no interface list, no Wi-Fi or cellular requests."""
    wifi = {"0.8.0-rc.4", "1.0.1", "1.1.0", "1.4.4", "1.5.2"} if request_type in range(110, 116) else set()
    for row in (PHOTON, ELECTRON):
        known = {v for v in GEN_2_RELEASED if row.knows_request(request_type, OsVersion.parse(v))}
        assert known == KNOWN_ON_GEN_2.get(request_type, wifi if row.has_wifi else set())
        assert row.is_listed(request_type)


@pytest.mark.parametrize("request_type", [20, 30, 72, 250, 300])
def test_what_all_newer_units_know_is_no_question_of_their_version(request_type: int) -> None:
    assert not ARGON.is_listed(request_type)
    assert not BORON.is_listed(request_type)


# --- rows from outside ------------------------------------------------------------------------------

NRF = (ROOT / "drivers/platforms/nrf.toml").read_text(encoding="utf-8")
ROW = """
[[platform]]
family = "nrf"
id = 99
slug = "toy"
name = "Toy"
serial_prefix = "TOY1"
"""


def test_a_row_of_a_known_family_is_all_a_platform_takes() -> None:
    toy = read_table([("nrf", NRF), ("toy", ROW + 'memories = ["internal", "dct", "external-8m"]')]).platform(99)
    assert (toy.name, toy.has_wifi, toy.has_cellular, toy.modules) == ("Toy", False, False, BORON.modules)
    assert update_slot(toy, "3.3.1") == 0x80689000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not TOML", "not the TOML"),
        (ROW.replace("nrf", "esp"), "no 'esp'"),
        (ROW.replace('slug = "toy"', ""), "slug"),
        (ROW + "colour = 3", "colour"),
        (ROW + 'modules = ["heart"]', "no 'heart'"),
        (ROW.replace("99", "13"), "has a row already"),
        (ROW.replace('"toy"', '"boron"'), "has a row already"),
        (ROW + 'setup_done_before = "four"', "is not written like"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_by_its_name(text: str, told: str) -> None:
    with pytest.raises(BadPlatformRow, match=f"^here: .*{told}"):
        read_table([("nrf", NRF), ("here", text)])


ASKED = """
[[holes]]
types = [400]
families = ["nrf"]
ranges = [["6.2.0", "6.2.1-0"]]
result = -100
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ASKED.replace("result = -100", ""), "no 'result'"),
        (ASKED.replace("types", "keys"), "no 'types'"),
        (ASKED.replace("6.2.1-0", "soon"), "is not written like"),
        (ASKED + 'radio = "mesh"', "radio 'mesh' is not one of wifi, scan, cellular"),
    ],
)
def test_a_row_of_what_can_be_asked_that_makes_no_sense_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadPlatformRow, match=f"^here: .*{told}"):
        read_table([("nrf", NRF), ("here", text)])


def test_a_hole_is_a_request_that_is_there_and_answered_with_an_error() -> None:
    toy = read_table([("nrf", NRF), ("toy", ROW), ("asked", ASKED)]).platform(99)
    broken, whole = OsVersion.parse("6.2.0"), OsVersion.parse("6.2.1")
    assert (toy.refusal(400, broken), toy.refusal(400, whole)) == (-100, None)
    assert not toy.knows_request(400, broken)


def test_the_table_speaks_of_every_request_raw_request_and_command_there_is_a_name_for() -> None:
    listed = BORON.capabilities.listed
    assert {(Kind.REQUEST, int(one)) for one in RequestType} <= listed
    assert {(Kind.RAW, int(one)) for one in Raw} <= listed
    assert {(Kind.COMMAND, str(one)) for one in Key} == {one for one in listed if one[0] is Kind.COMMAND}


# --- versions ---------------------------------------------------------------------------------------


def test_versions_are_ordered_with_their_pre_releases() -> None:
    ordered = ["3.0.0-alpha.1", "3.0.0-alpha.2", "3.0.0-beta.1", "3.0.0-rc.1", "3.0.0-rc.10", "3.0.0", "3.0.1-p2.1"]
    ordered += ["3.0.1", "5.9.0", "5.10.0", "6.0.0"]
    parsed = [OsVersion.parse(text) for text in ordered]
    assert parsed == sorted(parsed)
    assert [str(v) for v in parsed] == ordered
    assert OsVersion.parse(" v6.2.0\n") == OsVersion(6, 2, 0)


@pytest.mark.parametrize(
    "text", ["", "6", "6.2", "6.2.0.1", "6.2.0-", "a.b.c", "6.2.0 minimal", "6.2.0-rc_1", "9" * 40]
)
def test_texts_that_are_no_version(text: str) -> None:
    with pytest.raises(BadIdentity):
        OsVersion.parse(text)


versions = st.builds(
    OsVersion, *[st.integers(0, 20)] * 3, st.sampled_from(["", "rc.1", "rc.2", "alpha.1", "tracker.1", "1", "rc"])
)


@given(versions, versions, versions)
def test_the_order_of_versions_is_total(a: OsVersion, b: OsVersion, c: OsVersion) -> None:
    assert (a < b) + (b < a) + (a == b) == 1
    assert not (a < b and b < c) or a < c
    assert OsVersion.parse(str(a)) == a


def test_module_versions_are_looked_up_never_computed() -> None:
    assert os_version_of_module(6305) == "6.3.4"
    assert os_version_of_module(5004) == "5.1.0"
    assert os_version_of_module(3302) == "3.3.1"
    assert os_version_of_module(6304) is None
    assert [r.system_version for r in RELEASES] == sorted(r.system_version for r in RELEASES)

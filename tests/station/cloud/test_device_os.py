"""Device OS releases from the cloud: what its answer may say, where files may come from, and how one is fetched."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from support.cloud_bench import ME, Bench
from support.loopback_talker import serving

from drivers.clock import SimulatedClock
from drivers.identity import Secret
from drivers.virtual import synthetic
from station.cloud.body import Answer
from station.cloud.device_os import DeviceOsRelease, ReleaseFile, device_os
from station.cloud.download import Downloads, check_address
from station.cloud.errors import BadAnswer, CloudDown, CloudError, CloudRefused, NotAllowed, RateLimited
from station.cloud.virtual import Fault, FaultKind

URL = "https://api.example.com/v1/firmware/device-os/v6.3.4"
NAME = "argon-system-part1@6.3.4.bin"
FILE = {
    "filename": NAME,
    "crc": {"ok": True, "storedCrc": "00ff00ff", "actualCrc": "00ff00ff"},
}


def release(**changes: object) -> DeviceOsRelease:
    body = {"version": "6.3.4", "base_url": URL, "modules": [FILE]} | changes
    return device_os("6.3.4", 12).read(Answer(200, body, is_json=True))


def test_a_release_is_read_as_the_vendor_writes_it() -> None:
    found = release(modules=[FILE, {"filename": "photon-bootloader@2.3.1+lto.bin", "prefixInfo": {}}])
    assert found.files == (
        ReleaseFile(NAME, "00ff00ff"),
        ReleaseFile("photon-bootloader@2.3.1+lto.bin", ""),
    )
    assert found.address(found.files[0]) == f"{URL}/argon-system-part1%406.3.4.bin"
    assert found.address(found.files[1]).endswith("/photon-bootloader%402.3.1%2Blto.bin")


HOSTILE_NAMES = [
    "../x.bin",
    "/etc/passwd",
    "a/b.bin",
    "..",
    ".hidden",
    "a\\b.bin",
    "x" * 200,
    "\x1b[2J",
    "",
    "a\0b",
    "ö.bin",
    "a b",
]


@pytest.mark.parametrize(
    "changes",
    [
        *({"modules": [{"filename": name}]} for name in HOSTILE_NAMES),
        {"modules": [{"filename": 7}]},
        {"modules": [{}]},
        {"modules": []},
        {"modules": None},
        {"modules": {"a": 1}},
        {"modules": ["x"]},
        {"modules": [FILE, FILE]},
        {"modules": [{"filename": f"{n}.bin"} for n in range(65)]},
        {"modules": [FILE | {"crc": {"storedCrc": "00ff00ff", "actualCrc": "11ff00ff"}}]},
        {"modules": [FILE | {"crc": {"ok": False, "storedCrc": "00ff00ff"}}]},
        {"modules": [FILE | {"crc": {"storedCrc": "00FF00FF"}}]},
        {"modules": [FILE | {"crc": {"storedCrc": 255}}]},
        {"modules": [FILE | {"crc": "00ff00ff"}]},
        {"version": "6.2.0"},
        {"version": None},
        {"base_url": None},
        {"base_url": URL + "?a=b"},
        {"base_url": URL + "#"},
    ],
    ids=str,
)
def test_an_answer_that_is_none_of_the_vendors_is_refused(changes: Mapping[str, object]) -> None:
    with pytest.raises(BadAnswer) as caught:
        release(**changes)
    assert str(caught.value).isprintable()


OWN = "https://api.particle.io"


@pytest.mark.parametrize(
    ("url", "cloud", "is_own"),
    [
        (f"{OWN}/v1/firmware/x.bin", OWN, True),
        (f"{OWN}:443/x.bin", OWN, True),
        ("http://127.0.0.1:8080/x.bin", "http://127.0.0.1:8080", True),
        ("https://binaries.example.com/x.bin?signature=1", OWN, False),
    ],
)
def test_files_come_from_the_cloud_or_a_public_https_host_it_names(url: str, cloud: str, is_own: bool) -> None:
    assert check_address(url, cloud) is is_own


@pytest.mark.parametrize(
    "url",
    [
        "http://binaries.example.com/x.bin", "ftp://example.com/x.bin", "file:///etc/passwd", "//example.com/x",
        "https://localhost/x", "https://printer/x", "https://10.0.0.1/x", "https://[::1]/x", "https://2130706433/x",
        "x.bin", "https://127.1/x", "https://0x7f.0.0.1/x", "https://user:pw@example.com/x", f"https://a@{OWN[8:]}/x",
        "https://example.com:8443/x", "https://example.com:99999/x", "https://exa mple.com/x", "http://api.particle.io/x",
        "https://", "", "https://-a.example.com/x", "https://example.com\u202e/x", "https://[::1", "http://127.0.0.1:81/x",
    ],
    ids=str,
)  # fmt: skip
def test_nothing_is_fetched_from_anywhere_else(url: str) -> None:
    with pytest.raises(BadAnswer, match="nothing was fetched") as caught:
        check_address(url, OWN)
    assert str(caught.value).isprintable()


# --- the virtual cloud ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "version"), [("6.2.0", "6.2.0"), ("6200", "6.2.0"), ("latest", synthetic.versions(13)[-1])]
)
def test_a_release_is_found_by_version_module_version_or_as_the_latest(asked: str, version: str, bench: Bench) -> None:
    found = bench.client.run(device_os(asked, 13))
    assert found.version == version
    assert f"synthetic-boron-system-part1@{version}.bin" in {file.name for file in found.files}
    assert all(len(file.crc) == 8 for file in found.files)


@pytest.mark.parametrize(("version", "platform_id"), [("9.9.9", 13), ("6.3.4", 6), ("6.3.4", 999)])
def test_a_release_that_does_not_exist_is_refused_by_the_cloud(version: str, platform_id: int, bench: Bench) -> None:
    with pytest.raises(CloudRefused) as caught:
        bench.client.run(device_os(version, platform_id))
    assert caught.value.status == 404


def test_a_name_that_is_no_version_leads_nowhere(bench: Bench) -> None:
    with pytest.raises(CloudError, match=r"\.\./x for platform 13"):
        bench.client.run(device_os("../x", 13))


def test_a_machine_account_is_told_that_it_lacks_the_right(bench: Bench) -> None:
    bench.token = bench.cloud.create_token("line-3@api", scopes=["devices:get"], is_api=True)
    with pytest.raises(NotAllowed, match="a person's token"):
        bench.client.run(device_os("6.3.4", 13))


def test_the_files_of_a_release_need_no_token(bench: Bench) -> None:
    found = bench.client.run(device_os("6.3.4", 13))
    bench.cloud.revoke_tokens(ME)
    downloads = Downloads(bench.cloud.base_url, bench.provide_token, bench.clock, random.Random(1))
    data = downloads.get(found.address(found.files[0]), "x", 1 << 20, lambda *_: None)
    downloads.close()
    assert data[-4:].hex() == found.files[0].crc


# --- one file ---------------------------------------------------------------------------------

BODY = bytes(range(256)) * 400


class Getter:
    """Fetches one file from whatever answers at an address, and remembers how far it came."""

    def __init__(self, url: str, clock: SimulatedClock) -> None:
        self.seen: list[tuple[int, int | None]] = []
        self._url = url
        self._downloads = Downloads(url, lambda: Secret("the-token"), clock, random.Random(1))

    def __call__(self, path: str = "/x.bin", most: int = 1 << 20) -> bytes:
        return self._downloads.get(self._url + path, "x.bin", most, lambda done, total: self.seen.append((done, total)))


@contextmanager
def answering(*answers: bytes, heard: list[bytes] | None = None) -> Iterator[Getter]:
    """Answer the first request with the first of ``answers``, and so on; the last one again and again."""
    left = list(answers)

    def talk(connection: socket.socket) -> None:
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    clock = SimulatedClock()
    with clock.registered(), serving(talk, heard) as url:
        yield Getter(url, clock)


def ok(body: bytes, length: int | None = None) -> bytes:
    claimed = len(body) if length is None else length
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % claimed + body


def status(code: int, more: str = "") -> bytes:
    return f"HTTP/1.1 {code} X\r\nConnection: close\r\nContent-Length: 0\r\n{more}\r\n".encode()


def test_a_file_arrives_whole_and_tells_how_far_it_is() -> None:
    heard: list[bytes] = []
    with answering(ok(BODY), heard=heard) as get:
        assert get() == BODY
    assert get.seen[-1] == (len(BODY), len(BODY))
    assert len(get.seen) > 2
    assert b"authorization" not in heard[0].lower()


def test_the_token_is_told_to_the_cloud_itself_and_only_if_it_asks() -> None:
    heard: list[bytes] = []
    with answering(status(401), ok(BODY), heard=heard) as get:
        assert get() == BODY
    assert [b"Bearer the-token" in one for one in heard] == [False, True]


def test_a_file_that_breaks_off_is_fetched_again_and_then_given_up() -> None:
    with answering(ok(BODY[:5000], len(BODY)), ok(BODY)) as get:
        assert get() == BODY
    with answering(ok(BODY[:70_000], len(BODY))) as get, pytest.raises(CloudDown) as caught:
        get()
    assert f"the connection broke after about 65536 of {len(BODY)} bytes" in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        ok(BODY),
        ok(b"", 1 << 40),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (len(BODY), BODY) * 4,
    ],
    ids=["claimed", "claimed far too long", "unclaimed", "chunks"],
)
def test_more_than_a_file_may_have_is_not_read(answer: bytes) -> None:
    with answering(answer) as get, pytest.raises(BadAnswer, match="has more than 100000 bytes"):
        get(most=100_000)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ((status(503),), CloudDown),
        ((status(429, "Retry-After: 7\r\n"),), RateLimited),
        ((b"",), CloudDown),
        ((b"\0\1\2",), CloudDown),
        ((status(404),), BadAnswer),
        ((status(403),), BadAnswer),
        ((status(204),), BadAnswer),
    ],
    ids=["sick", "busy", "silence", "noise", "gone", "refused", "nothing"],
)
def test_each_trouble_ends_in_one_sentence(answers: tuple[bytes, ...], error: type[CloudError]) -> None:
    with answering(*answers) as get, pytest.raises(error) as caught:
        get()
    assert str(caught.value).startswith("x.bin: ")
    assert str(caught.value).isprintable()
    assert "the-token" not in str(caught.value)


def test_passing_trouble_is_waited_out() -> None:
    with answering(status(503), status(429, "Retry-After: 7\r\n"), b"", ok(BODY)) as get:
        assert get() == BODY


def test_a_file_that_moved_is_followed_within_bounds() -> None:
    with answering(status(302, "Location: /elsewhere/x.bin\r\n"), ok(BODY)) as get:
        assert get() == BODY
    for place in ("http://example.com/x.bin", "https://10.0.0.1/x.bin", "file:///etc/passwd"):
        with (
            answering(status(302, f"Location: {place}\r\n")) as get,
            pytest.raises(BadAnswer, match="nothing was fetched"),
        ):
            get()
    with answering(status(302, "Location: /x.bin\r\n")) as get, pytest.raises(BadAnswer, match="moved more than"):
        get()


def test_nobody_at_home_is_the_network() -> None:
    clock = SimulatedClock()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with clock.registered(), pytest.raises(CloudDown, match="check the network"):
        Getter(f"http://127.0.0.1:{port}", clock)()
    assert clock.now() > 10


def test_a_fault_ordered_of_the_virtual_cloud_hits_a_file(bench: Bench) -> None:
    found = bench.client.run(device_os("6.3.4", 13))
    downloads = Downloads(bench.cloud.base_url, bench.provide_token, bench.clock, random.Random(1))
    bench.cloud.order(Fault(FaultKind.LIE, "GET /v1/firmware/device-os/:version/:file", body=b"something else"))
    assert downloads.get(found.address(found.files[0]), "x", 1 << 20, lambda *_: None) == b"something else"
    downloads.close()

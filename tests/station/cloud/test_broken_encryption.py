"""Encryption that breaks: before the request went out nothing was sent, afterwards it may have been (N2)."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.loopback_talker import serving

from drivers.identity import Secret
from station.cloud.body import Answer
from station.cloud.http import HttpLink
from station.cloud.retry import NoAnswer
from station.cloud.way_out import WayOut

HOST, CLOUD = "127.0.0.1", "cloud.invalid"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and the certificate for this host that it signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    hosts = [x509.IPAddress(ipaddress.ip_address(HOST)), x509.DNSName(CLOUD)]
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path_factory.mktemp("tls") / "host.pem"
    plain = serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@contextmanager
def garbled_after(certificate: Path, heard: list[bytes]) -> Iterator[str]:
    """A host that shakes hands, hears one request, and then goes on without encryption."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve() -> None:
        connection, _ = listener.accept()
        try:
            inner = context.wrap_socket(connection, server_side=True)
        except OSError:  # in words of TLS, or by hanging up
            return
        with inner:
            heard.append(inner.recv(65536))
            with socket.socket(fileno=socket.dup(inner.fileno())) as raw:
                raw.sendall(b"this is no TLS record, whatever it was before")

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://{HOST}:{listener.getsockname()[1]}"
        thread.join(120.0)


def claim(url: str, trusted: Path | None) -> object:
    with closing(HttpLink(url, WayOut(ca_file=trusted))) as link:
        return link.send("POST", "/v1/devices", Secret("t0ken"), {"id": "e00fce68"})


@pytest.mark.rule("N2")
def test_encryption_that_breaks_in_the_answer_leaves_open_whether_the_claim_was_done(certificate: Path) -> None:
    heard: list[bytes] = []
    with garbled_after(certificate, heard) as url:
        said = claim(url, certificate)
    assert isinstance(said, NoAnswer)
    assert heard[0].startswith(b"POST /v1/devices")
    assert said.was_sent


def test_a_host_that_is_not_trusted_was_sent_nothing(certificate: Path) -> None:
    heard: list[bytes] = []
    with garbled_after(certificate, heard) as url:
        said = claim(url, None)
    assert isinstance(said, NoAnswer)
    assert not any(heard)
    assert not said.was_sent


@pytest.mark.rule("N2")
@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "broken"])
def test_what_goes_through_the_way_a_proxy_opened_was_sent_to_the_cloud(
    is_answered: bool, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []
    times = range(2 if is_answered else 1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def open_the_way(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as inner:
            for _ in times:
                heard.append(inner.recv(65536))
                if is_answered:
                    inner.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with serving(open_the_way, heard) as proxy, closing(HttpLink(f"https://{CLOUD}")) as link:
        for name in ("https_proxy", "NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        said = [link.send("PUT", "/v1/sims/1", Secret("t0ken"), None) for _ in times]
    assert heard[0].startswith(b"CONNECT ")
    assert heard[1].startswith(b"PUT ")
    if is_answered:
        assert said == [Answer(200, {}, is_json=True)] * 2
        assert heard[2].startswith(b"PUT ")  # on the way that is open already
    else:
        assert said == [NoAnswer(was_sent=True, reason="the connection broke before an answer came")]

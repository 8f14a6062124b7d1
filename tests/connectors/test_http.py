import asyncio
import gzip
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp.connector
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from upstreams import (
    FIELDS,
    OK,
    Names,
    answering,
    black_hole,
    client,
    refusing_port,
    request_of,
    reset,
    talking,
)

from panelry import clock
from panelry.connectors.addresses import PUBLIC_HTTPS
from panelry.connectors.http import Ambiguous, Answer, HttpClient, NotAllowed, NotRead


def post(url: str, *, http: HttpClient | None = None, fresh: bool = True, limit: int = 1000) -> Answer:
    async def call() -> Answer:
        async with http or client() as opened:
            return await opened.post_form(url, FIELDS, fresh=fresh, limit=limit)

    return asyncio.run(call())


def post_to(talk: Any, **more: Any) -> Answer:
    async def call() -> Answer:
        async with talking(talk, tls=more.pop("tls", None)) as upstream, client(**more) as http:
            return await http.post_form(upstream.url, FIELDS, fresh=True, limit=1000)

    return asyncio.run(call())


# What surely was not read


def test_a_refused_connection_was_not_read() -> None:
    with refusing_port() as url, pytest.raises(NotRead):
        post(url)


def test_a_name_that_does_not_resolve_was_not_read() -> None:
    with pytest.raises(NotRead):
        post("http://panel.invalid/api/v2", http=client(connect=20, total=30))


def test_a_connection_that_does_not_come_about_in_time_was_not_read() -> None:
    with black_hole() as url, pytest.raises(NotRead, match=r"no connection within 0.3 s"):
        post(url, http=client(connect=0.3))


def test_a_total_time_out_while_connecting_was_not_read() -> None:
    with black_hole() as url, pytest.raises(NotRead, match=r"no connection within 0.3 s"):
        post(url, http=client(connect=9, total=0.3))


def test_a_name_lookup_that_hangs_was_not_read() -> None:
    class Hanging(AbstractResolver):
        async def resolve(self, *_lookup: object, **_more: object) -> list[ResolveResult]:
            await asyncio.sleep(60)
            return []

        async def close(self) -> None:
            pass

    with pytest.raises(NotRead, match=r"no connection within 0.2 s"):
        post("http://panel.example/", http=client(connect=0.2, resolver=Hanging()))


def test_a_name_without_addresses_was_not_read() -> None:
    with pytest.raises(NotRead):
        post("http://panel.example/", http=client(resolver=Names([])))


def test_tls_with_a_server_that_speaks_none_was_not_read() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async def call() -> None:
        async with talking(plain) as upstream, client() as http:
            await http.post_form(upstream.url.replace("http:", "https:"), FIELDS, fresh=True)

    with pytest.raises(NotRead):
        asyncio.run(call())


def test_a_tls_handshake_that_never_ends_was_not_read() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async def call() -> None:
        async with talking(silent) as upstream, client(connect=0.3) as http:
            await http.post_form(upstream.url.replace("http:", "https:"), FIELDS, fresh=True)

    with pytest.raises(NotRead):
        asyncio.run(call())


def test_a_certificate_nobody_vouches_for_was_not_read(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))

    with pytest.raises(NotRead, match="CERTIFICATE_VERIFY_FAILED"):
        post_to(talk, tls=certified(tmp_path))
    assert b"".join(heard) == b""


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "http://", "nonsense", "http://h\r\n/", ""]
)
def test_a_url_that_may_not_be_called_was_not_read(url: str) -> None:
    with pytest.raises(NotAllowed):
        post(url)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://[::1]:8443/", "http://1.1.1.1/", "https://2130706433/"]
)
def test_providers_must_be_public_and_https(url: str) -> None:
    with pytest.raises(NotAllowed):
        post(url, http=client(policy=PUBLIC_HTTPS))


# What may have been read


async def resets_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    reset(writer)


async def resets_before_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def leaves_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)


async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    await asyncio.sleep(30)


async def never_reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    for byte in OK:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def stops_in_the_middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(OK[:-4])
    await writer.drain()


async def stops_between_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"ord\r\n')
    await writer.drain()


async def speaks_something_else(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(b"220 smtp.example ESMTP\r\n\r\n")
    await writer.drain()


async def has_endless_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(1000):
        writer.write(b"x" * 10_000)
        await writer.drain()


async def has_endless_continues(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "talk",
    [
        resets_after_reading,
        resets_before_reading,
        leaves_after_reading,
        is_silent,
        never_reads,
        drips,
        stops_in_the_middle,
        stops_between_chunks,
        speaks_something_else,
        has_endless_headers,
        has_endless_continues,
    ],
)
def test_trouble_after_the_connection_was_made_is_ambiguous(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    with pytest.raises(Ambiguous):
        post_to(talk, total=0.5)


def test_a_reset_after_a_good_handshake_is_ambiguous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = certified(tmp_path)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate"))
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(OK)
        await writer.drain()

    assert post_to(answers, tls=tls).status == 200
    with pytest.raises(Ambiguous):
        post_to(resets_after_reading, tls=tls)


def test_a_body_of_50_megabytes_is_not_read_to_its_end() -> None:
    sent = 0

    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(500):
            writer.write(b" " * 100_000)
            await writer.drain()
            sent += 100_000

    with pytest.raises(Ambiguous, match="exceeds 1000 bytes"):
        post_to(floods, total=20)
    assert sent < 20_000_000


def test_a_compressed_bomb_is_never_inflated() -> None:
    async def call() -> Answer:
        bomb = gzip.compress(bytes(50_000_000))
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        async with answering(bomb, headers=headers) as upstream, client() as http:
            answer = await http.post_form(upstream.url, FIELDS, fresh=True, limit=100_000)
            assert upstream.headers[0]["Accept-Encoding"] == "identity"
            assert answer.body == bomb
            return answer

    assert len(asyncio.run(call()).body) < 100_000


def certified(folder: Path) -> ssl.SSLContext:
    """A TLS server's context with a certificate for 127.0.0.1 that nobody but `folder / "certificate"` vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate", folder / "key")
    return context

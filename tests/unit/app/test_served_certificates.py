"""A renewed certificate is shown to whoever connects from then on, by a real server to a real TLS client; a bad one is not, and is told."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from interpose.app.http_server import HttpServer
from interpose.app.served_certificates import SOON, ServedCertificates
from interpose.model.audit import AuditKind
from interpose.model.connection import Address
from interpose.model.errors import ConfigurationError
from interpose.net.certificates import ServerCertificate
from tests.support.gateway import free_port
from tests.support.gateway_core import Core
from tests.unit.net.conftest import issue

PATIENCE = 60.0


class Place:
    """A server with a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tls"
        self.files = issue(self.folder, "localhost")
        self.port = free_port()
        application = Starlette(routes=[Route("/", lambda _: PlainTextResponse("hello"))])
        address = Address("127.0.0.1", self.port)
        self.server = HttpServer("public", application, address, self.files.certificate, self.files.key)
        self.core, self.said = Core(), list[str]()
        self.certificates = ServedCertificates(
            self.core.audit, lambda event, _: self.said.append(event), lambda event, _: self.said.append(event)
        )
        assert self.server.certificate is not None
        self.certificates.add("public", self.server.certificate)

    async def shown(self, name: str | None = "localhost", version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> str:
        """The fingerprint of what a client is shown, and the client is answered."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = version
        async with asyncio.timeout(PATIENCE):
            while not self.server.serves:  # noqa: ASYNC110 -- uvicorn tells nobody
                await asyncio.sleep(0.01)
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname=name)
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b"hello" in await reader.read()
            certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.close()
        return hashlib.sha256(certificate).hexdigest()


async def test_a_renewed_certificate_is_shown_from_then_on(tmp_path: Path) -> None:
    place = await asyncio.to_thread(Place, tmp_path)
    place.server.start()
    try:
        first = await place.shown()
        await place.certificates.look()
        assert place.said == []
        await asyncio.to_thread(issue, place.folder, "localhost")
        assert await place.shown() == first, "nobody has looked yet"
        following = asyncio.create_task(place.certificates.run(0.005))
        async with asyncio.timeout(PATIENCE):
            while not place.said:  # noqa: ASYNC110 -- a test polls
                await asyncio.sleep(0.005)
        following.cancel()
        second = await place.shown()
        assert second != first
        # Whoever names no server, and who speaks the older TLS, is shown the same.
        assert await place.shown("") == second
        assert await place.shown(version=ssl.TLSVersion.TLSv1_2) == second
        (event,) = place.core.audit.of(AuditKind.TLS_RENEWED)
        assert (event.fields["where"], event.fields["fingerprint"]) == ("public", second)
        assert place.said == ["certificate renewed"]
    finally:
        await place.server.stop()


@pytest.mark.parametrize("how", ["broken", "mismatched", "gone"])
async def test_a_pair_that_cannot_be_used_leaves_the_old_one_and_is_told(tmp_path: Path, how: str) -> None:
    place = await asyncio.to_thread(Place, tmp_path)
    key = place.files.key
    good = key.read_bytes()
    place.server.start()
    try:
        first = await place.shown()
        if how == "gone":
            key.unlink()
        elif how == "broken":
            key.write_text("-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----\n")
        else:
            other = await asyncio.to_thread(issue, tmp_path / "other", "localhost")
            key.write_bytes(other.key.read_bytes())
        for _ in range(2):
            # Told to everybody who asks, and once in log and chain.
            with pytest.raises(ConfigurationError) as error:
                await place.certificates.check()
            assert str(place.files.certificate) in error.value.problems[0].message
        assert len(place.certificates.faults()) == 1
        assert place.said == ["certificate rejected, the old one serves"]
        (event,) = place.core.audit.of(AuditKind.TLS_REJECTED)
        assert event.fields["fingerprint"] == first, "the one that serves"
        assert await place.shown() == first
        key.write_bytes(good)
        await place.certificates.check()
        assert place.certificates.faults() == []
        assert await place.shown() == first
    finally:
        await place.server.stop()


async def test_an_end_that_is_near_and_one_that_is_there_are_warned_of_once_each(tmp_path: Path) -> None:
    files = await asyncio.to_thread(issue, tmp_path / "tls", "localhost")
    certificate = await asyncio.to_thread(ServerCertificate, files.certificate, files.key, alpn=())
    end, said, now = certificate.leaf.expires_at, list[str](), [0.0]
    certificates = ServedCertificates(
        Core().audit, lambda event, _: said.append(event), lambda event, _: said.append(event), lambda: now[0]
    )
    now[0] = end - SOON - 60.0
    certificates.add("public", certificate)
    await certificates.look()
    assert said == []
    for moment, expected in (
        (end - SOON, ["certificate ends soon"]),
        (end - 1.0, []),
        (end, ["certificate has expired, clients refuse it"]),
        (end + 1e6, []),
    ):
        said.clear()
        now[0] = moment
        await certificates.look()
        assert said == expected
    certificates.add("listener", certificate)
    assert said == ["certificate has expired, clients refuse it"], "told at the start, for each place"


async def test_a_key_that_everybody_may_read_is_warned_of_once_and_serves(tmp_path: Path) -> None:
    files = await asyncio.to_thread(issue, tmp_path / "tls", "localhost")
    said: list[tuple[str, dict[str, str | int]]] = []
    certificates = ServedCertificates(
        Core().audit, lambda event, _: None, lambda event, fields: said.append((event, fields))
    )
    for mode, expected in (
        (0o640, []),  # its group may read it: service managers set it up so
        (0o644, [("the certificate's key is open to everybody on this machine", {"where": "public"})]),
    ):
        files.key.chmod(mode)
        certificate = await asyncio.to_thread(ServerCertificate, files.certificate, files.key, alpn=())
        certificates.add("public", certificate)
        await certificates.look()
        assert said == expected

"""The TLS channel against Python's own ssl, cut anywhere, and against every kind of garbage."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interpose.net.certificates import ClientContexts, server_context
from interpose.net.tls import TlsChannel
from tests.unit.net.conftest import Certificates


class Peer:
    """Python's own ssl on the other end."""

    def __init__(self, context: ssl.SSLContext, *, server_side: bool, name: str | None = None) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side=server_side, server_hostname=name)
        self.done = False
        self.data = b""
        self.closed = False

    def feed(self, data: bytes) -> None:
        self.incoming.write(data)
        try:
            if not self.done:
                self.object.do_handshake()
                self.done = True
            while True:
                piece = self.object.read(65536)
                if not piece:
                    self.closed = True
                    return
                self.data += piece
        except ssl.SSLWantReadError:
            return

    def take(self) -> bytes:
        return self.outgoing.read()


def shake(channel: TlsChannel, peer: Peer, size: int = 1 << 20) -> bytes:
    """Carry bytes both ways in pieces of `size` until nothing moves; answers what the channel decrypted."""
    got = b""
    channel.start()
    peer.feed(b"")
    while True:
        there, back = channel.take_outgoing(), peer.take()
        if not there and not back:
            return got
        for start in range(0, len(there), size):
            peer.feed(there[start : start + size])
        for start in range(0, len(back), size):
            got += channel.receive(back[start : start + size])


def server_pair(certificates: Certificates, alpn: tuple[str, ...] = (), **client: object) -> tuple[TlsChannel, Peer]:
    """Our server and Python's client."""
    context = certificates.client()
    for name, value in client.items():
        if name == "asked":
            context.set_alpn_protocols(value)  # type: ignore[arg-type]
        else:
            setattr(context, name, value)
    ours = server_context(certificates.certificate, certificates.key, alpn)
    return TlsChannel(ours, server_side=True), Peer(context, server_side=False, name="localhost")


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_channel_talks_to_pythons_client_cut_anywhere(
    certificates: Certificates, size: int, version: ssl.TLSVersion
) -> None:
    channel, peer = server_pair(certificates, minimum_version=version, maximum_version=version)
    shake(channel, peer, size)
    assert channel.established
    assert channel.version == version.name.replace("_", ".")
    channel.send(b"down" * 10)
    peer.object.write(b"up" * 10)
    assert shake(channel, peer, size) == b"up" * 10
    assert peer.data == b"down" * 10


def test_large_writes_and_reads_are_whole(certificates: Certificates) -> None:
    channel, peer = server_pair(certificates)
    shake(channel, peer)
    data = bytes(range(256)) * 4096
    channel.send(data)
    view = memoryview(data)
    while view:
        view = view[peer.object.write(view) :]
    assert shake(channel, peer, 50_001) == data
    assert peer.data == data


def test_tls_below_1_2_is_not_spoken(certificates: Certificates) -> None:
    channel, _ = server_pair(certificates)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    old = Peer(context, server_side=False, name="localhost")
    old.feed(b"")
    channel.receive(old.take())
    assert channel.failure is not None
    assert not channel.established
    assert channel.take_outgoing()[:1] == b"\x15", "the peer is told by an alert"


@pytest.mark.parametrize(("asked", "agreed"), [(["postgresql"], "postgresql"), (["http/1.1"], None), ([], None)])
def test_alpn(certificates: Certificates, asked: list[str], agreed: str | None) -> None:
    channel, peer = server_pair(certificates, ("postgresql",), **({"asked": asked} if asked else {}))
    shake(channel, peer)
    assert channel.alpn == agreed


def test_close_notify_both_ways(certificates: Certificates) -> None:
    channel, peer = server_pair(certificates)
    shake(channel, peer)
    channel.send(b"last")
    channel.shut()
    peer.feed(channel.take_outgoing())
    assert (peer.data, peer.closed) == (b"last", True)

    channel, peer = server_pair(certificates)
    shake(channel, peer)
    peer.object.write(b"bye")
    with pytest.raises(ssl.SSLWantReadError):
        peer.object.unwrap()
    assert channel.receive(peer.take()) == b"bye"
    assert channel.peer_closed
    assert channel.failure is None
    assert channel.receive(b"more") == b""


def client_channel(verify: str, ca_file: str | None, name: str | None) -> TlsChannel:
    return TlsChannel(ClientContexts(float).make(verify, ca_file, ()), server_side=False, server_name=name)


@pytest.mark.parametrize(
    ("verify", "authority", "name", "fine"),
    [
        ("full", True, "localhost", True),
        ("full", True, "127.0.0.1", True),
        ("full", True, "other.example", False),
        ("full", False, "localhost", False),
        ("ca", True, "other.example", True),
        ("ca", False, "localhost", False),
        ("none", False, "other.example", True),
    ],
)
def test_how_an_upstream_is_verified(
    certificates: Certificates, verify: str, authority: bool, name: str, fine: bool
) -> None:
    ca_file = str(certificates.ca_file) if authority else None
    channel = client_channel(verify, ca_file, name)
    peer = Peer(certificates.server(), server_side=True)
    try:
        shake(channel, peer)
    except ssl.SSLError:
        assert not fine
    if fine:
        assert channel.established
        assert channel.peer_certificate == certificates.der
    else:
        assert not channel.established
        assert channel.failure is not None
        assert "certificate not accepted" in channel.failure
        channel.send(b"secret")
        assert b"secret" not in channel.take_outgoing()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(min_size=1, max_size=200), at=st.integers(0, 400), established=st.booleans())
def test_any_bytes_are_a_state_and_never_an_exception(
    certificates: Certificates, garbage: bytes, at: int, established: bool
) -> None:
    channel, peer = server_pair(certificates)
    if established:
        shake(channel, peer)
        peer.object.write(b"x" * 100)
    else:
        peer.feed(b"")
    data = peer.take()
    data = data[:at] + garbage + data[at:]
    seen = b"".join(channel.receive(data[start : start + 7]) for start in range(0, len(data), 7))
    channel.take_outgoing()
    channel.send(b"y")
    channel.shut()
    assert seen in (b"", b"x" * 100)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.binary(max_size=40_000), max_size=5), cut=st.integers(1, 20_000))
def test_what_goes_in_comes_out(certificates: Certificates, pieces: list[bytes], cut: int) -> None:
    channel, peer = server_pair(certificates)
    shake(channel, peer)
    for piece in pieces:
        channel.send(piece)
        view = memoryview(piece)
        while view:
            view = view[peer.object.write(view) :]
    assert shake(channel, peer, cut) == b"".join(pieces)
    assert peer.data == b"".join(pieces)


def test_records_before_a_broken_one_still_count(certificates: Certificates) -> None:
    channel, peer = server_pair(certificates)
    shake(channel, peer)
    peer.object.write(b"good")
    good = peer.take()
    peer.object.write(b"bad")
    bad = bytearray(peer.take())
    bad[-1] ^= 1
    assert channel.receive(good + bytes(bad)) == b"good"
    assert channel.failure is not None


def test_a_client_is_proven_by_a_whole_handshake_and_never_by_a_resumed_one(
    certificates: Certificates, tmp_path: Path
) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("alice@example.com")
    file = tmp_path / "alice.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(file)
    roots = authority.cert_pem.bytes().decode()
    server = server_context(certificates.certificate, certificates.key, (), roots)
    client = certificates.client()
    client.maximum_version = ssl.TLSVersion.TLSv1_2  # by session id: the server gives no tickets

    def meet(session: ssl.SSLSession | None = None) -> tuple[TlsChannel, Peer]:
        channel = TlsChannel(server, server_side=True)
        peer = Peer(client, server_side=False, name="localhost")
        if session is not None:
            peer.object.session = session
        shake(channel, peer)
        assert channel.established and peer.done, channel.failure
        return channel, peer

    assert meet()[0].proven_certificate is None  # none was shown
    client.load_cert_chain(file)
    channel, peer = meet()
    assert channel.proven_certificate == ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
    again, peer = meet(peer.object.session)
    assert peer.object.session_reused
    assert again.peer_certificate is not None  # OpenSSL remembers it
    assert again.proven_certificate is None
    # Nor is what was not asked for ever taken for proven.
    plain = TlsChannel(server_context(certificates.certificate, certificates.key, ()), server_side=True)
    shake(plain, Peer(client, server_side=False, name="localhost"))
    assert plain.established and plain.proven_certificate is None

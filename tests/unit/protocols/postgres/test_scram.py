"""SCRAM as the client, against scramp's server."""

from __future__ import annotations

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from scramp import ScramMechanism

from interpose.model.errors import UpstreamError
from interpose.protocols.postgres.scram import Scram, end_point_hash

BOTH = ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")


@pytest.fixture(scope="module")
def certificate() -> bytes:
    pem = trustme.CA().issue_cert("localhost").cert_chain_pems[0].bytes()
    return load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def server(password: str, certificate: bytes | None):
    mechanism = ScramMechanism("SCRAM-SHA-256" + ("-PLUS" if certificate else ""))
    auth = mechanism.make_auth_info(password, iteration_count=4096)
    binding = ("tls-server-end-point", end_point_hash(certificate)) if certificate else None
    return mechanism.make_server(lambda user: auth, channel_binding=binding)


@pytest.mark.parametrize("tls", [False, True])
def test_both_sides_prove_themselves(certificate: bytes, tls: bool) -> None:
    seen = certificate if tls else None
    scram = Scram(BOTH, "app", "secret", seen)
    assert scram.mechanism.endswith("-PLUS") is tls
    peer = server("secret", seen)
    peer.set_client_first(scram.first().decode())
    final = scram.final(peer.get_server_first().encode())
    peer.set_client_final(final.decode())
    assert not scram.finished
    scram.verify(peer.get_server_final().encode())
    assert scram.finished


def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    scram = Scram(BOTH, "app", "secret", None)
    peer = server("secret", None)
    peer.set_client_first(scram.first().decode())
    scram.final(peer.get_server_first().encode())
    with pytest.raises(UpstreamError, match="did not prove"):
        scram.verify(b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    assert not scram.finished


@pytest.mark.parametrize("first", [b"", b"r=x,s=y,i=z", b"\xff", b"r=other,s=QUJD,i=4096", b"r=a,s=QUJD,i=99999999"])
def test_a_malformed_challenge_is_refused(first: bytes) -> None:
    scram = Scram(BOTH, "app", "secret", None)
    scram.first()
    with pytest.raises(UpstreamError):
        scram.final(first)


@pytest.mark.parametrize("offered", [(), ("SCRAM-SHA-1",), ("OAUTHBEARER",), ("SCRAM-SHA-256-PLUS",)])
def test_nothing_weaker_is_spoken(offered: tuple[str, ...]) -> None:
    with pytest.raises(UpstreamError, match="no authentication that the gateway accepts"):
        Scram(offered, "app", "secret", None)


def test_a_downgrade_is_visible_to_the_server(certificate: bytes) -> None:
    assert Scram(("SCRAM-SHA-256",), "app", "secret", certificate).first().startswith(b"y,,")


def test_no_hash_of_what_is_no_certificate() -> None:
    assert end_point_hash(b"nonsense") is None

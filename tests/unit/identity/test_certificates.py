"""Certificates: for a proven principal and its own key, as long as its credential, and worth nothing without a record."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from interpose.app.system import SystemIds
from interpose.engine.ports import TokenRecord
from interpose.identity.authority import LONGEST, Authority
from interpose.identity.certificates import (
    CertificateIssuer,
    Certificates,
    Issued,
    certificate_digest,
    certificate_name,
    new_request,
    revoke_certificate,
)
from interpose.identity.tokens import token_digest
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, ClientError
from interpose.model.ids import TokenId
from interpose.model.principal import NOT_KNOWN, AuthenticationContext, Identity
from tests.support.memory import ManualClock, MemoryAudit, MemoryPrincipals, MemoryTokens, person


class World:
    """An issuer and a checker over one store; alice and bob exist."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = MemoryTokens()
        self.audit = MemoryAudit()
        self.people = MemoryPrincipals(person("alice", "dev"), person("bob"))
        self.authority = Authority(folder, self.clock, SystemIds())
        self.issuer = CertificateIssuer(self.authority, self.store, self.audit, self.clock, SystemIds())
        self.checker = Certificates(self.store, lambda: self.people, self.clock)
        self.alice = Identity(self.people.by_name["alice"], "token", TokenId("t1"), self.clock.wall() + 7200)

    def issue(self, request: str = "", ttl: float = 3600.0, identity: Identity | None = None) -> Issued:
        return asyncio.run(self.issuer.issue(identity or self.alice, request or new_request()[0], ttl, "192.0.2.1"))

    def identify(self, issued: Issued, name: str = "alice") -> Identity:
        return asyncio.run(self.checker.identify(name, der(issued)))

    def fault(self, issued: Issued, name: str = "alice") -> str:
        with pytest.raises(AuthenticationError) as error:
            self.identify(issued, name)
        return error.value.detail


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def parsed(issued: Issued) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issued.certificate.encode())


def der(issued: Issued) -> bytes:
    return parsed(issued).public_bytes(serialization.Encoding.DER)


def test_what_is_issued(world: World) -> None:
    request, key, key_der = new_request()
    issued = world.issue(request)
    made = parsed(issued)
    assert made.public_key() == serialization.load_pem_private_key(key, None).public_key()
    assert made.public_key() == serialization.load_der_private_key(key_der, None).public_key()
    made.verify_directly_issued_by(world.authority.signer()[0])
    extensions = made.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert certificate_name(issued.certificate.encode()) == ("alice", issued.expires_at)
    (event,) = world.audit.of(AuditKind.CERTIFICATE_ISSUED)
    assert event.actor == "User:alice"
    assert {**event.fields} == {
        "serial": issued.serial,
        "principal": "alice",
        "acting_for": None,
        "expires_at": int(issued.expires_at),
        "method": "token",
        "token": "t1",
        "source": "192.0.2.1",
    }
    assert world.issue(request).serial != issued.serial


def test_who_has_it_is_its_principal_as_it_is_now(world: World) -> None:
    issued = world.issue()
    world.people.by_name["alice"] = person("alice", "ops")
    identity = world.identify(issued, "Alice")
    assert (identity.method, identity.token, identity.expires_at) == ("certificate", issued.serial, issued.expires_at)
    assert identity.principal.groups == {"ops"}


def test_how_long_it_lives(world: World) -> None:
    now = world.clock.wall()
    assert world.issue(ttl=60).expires_at == int(now + 60)
    assert world.issue(ttl=9e9).expires_at == int(now + 7200)
    lasting = dataclasses.replace(world.alice, expires_at=None)
    assert world.issue(ttl=9e9, identity=lasting).expires_at == int(now + LONGEST)
    for ttl in (0.0, -5.0):
        with pytest.raises(ClientError, match="longer than nothing"):
            world.issue(ttl=ttl)
    with pytest.raises(ClientError, match="longer than nothing"):
        world.issue(identity=dataclasses.replace(world.alice, expires_at=now))


def test_what_is_refused(world: World) -> None:
    issued = world.issue()
    assert world.fault(issued, "bob") == "certificate_of_another"
    assert world.fault(issued, "") == "certificate_of_another"
    del world.people.by_name["alice"]
    assert world.fault(issued) == "principal_gone"
    world.people.by_name["alice"] = person("alice")
    world.clock.now -= 3600
    assert world.fault(issued) == "certificate_not_yet_valid"
    world.clock.now += 3600 + 3600
    assert world.fault(issued) == "certificate_expired"


def test_a_certificate_without_a_record_is_worth_nothing(world: World) -> None:
    issued = world.issue()
    world.store.stored.clear()
    assert world.fault(issued) == "certificate_unknown"


def test_revocation(world: World) -> None:
    issued = world.issue()
    assert asyncio.run(revoke_certificate(issued.serial, "os:root", world.store, world.audit, world.clock))
    assert world.fault(issued) == "certificate_revoked"
    (event,) = world.audit.of(AuditKind.CERTIFICATE_REVOKED)
    assert (event.actor, event.fields["serial"]) == ("os:root", issued.serial)
    assert not asyncio.run(revoke_certificate("00", "os:root", world.store, world.audit, world.clock))


def test_its_token_takes_it_along(world: World) -> None:
    issued = world.issue()
    asyncio.run(world.store.revoke(TokenId("t1"), world.clock.wall()))
    assert world.fault(issued) == "certificate_revoked"


def test_an_agent_is_bound_to_whom_it_acts_for(world: World) -> None:
    agent = dataclasses.replace(world.people.by_name["bob"], acting_for="alice", task="tidy up")
    issued = world.issue(identity=dataclasses.replace(world.alice, principal=agent))
    found = world.identify(issued, "bob").principal
    assert (found.acting_for, found.task) == ("alice", "tidy up")
    del world.people.by_name["alice"]
    assert world.fault(issued, "bob") == "acting_for_nobody"


@pytest.mark.parametrize(
    ("key", "taken"),
    [
        (ec.generate_private_key(ec.SECP384R1()), True),
        (ed25519.Ed25519PrivateKey.generate(), True),
        (rsa.generate_private_key(65537, 2048), True),
        (rsa.generate_private_key(65537, 1024), False),
        (ec.generate_private_key(ec.SECP256K1()), False),
    ],
)
def test_kinds_of_keys(world: World, key: ec.EllipticCurvePrivateKey, taken: bool) -> None:
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, algorithm)  # type: ignore[arg-type]
    text = request.public_bytes(serialization.Encoding.PEM).decode()
    if taken:
        world.identify(world.issue(text))
    else:
        with pytest.raises(ClientError, match="keys of this kind"):
            world.issue(text)


def test_a_request_must_be_signed_by_its_own_key(world: World) -> None:
    data = bytearray(x509.load_pem_x509_csr(new_request()[0].encode()).public_bytes(serialization.Encoding.DER))
    data[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(data)).public_bytes(serialization.Encoding.PEM).decode()
    for text in (forged, "", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", "\ud800"):
        with pytest.raises(ClientError):
            asyncio.run(world.issuer.issue(world.alice, text, 60.0, ""))
    assert not world.store.stored


def test_no_token_has_the_digest_of_a_certificate(world: World) -> None:
    data = der(world.issue())
    assert certificate_digest(data) != token_digest(data.decode("latin-1"))
    assert certificate_digest(b"x") != token_digest("x")


def test_what_is_no_certificate(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="no client certificate"):
        certificate_name(b"nothing")


def test_the_login_behind_a_token_is_the_login_behind_its_certificate(world: World) -> None:
    context = AuthenticationContext(world.clock.wall() - 60, frozenset({"pwd", "otp"}), "", True, "s-1")
    world.people.holders["alice"] = ("corporate", "sub-1")
    proven = dataclasses.replace(world.alice, provider="corporate", subject="sub-1", context=context)
    made = world.issue(identity=proven)
    found = world.identify(made)
    assert (found.provider, found.subject, found.context) == ("corporate", "sub-1", context)
    world.people.holders.clear()
    with pytest.raises(AuthenticationError) as error:
        world.identify(made)
    assert error.value.detail == "name_belongs_to_another_subject"
    assert world.identify(world.issue()).context == NOT_KNOWN


def test_the_chain_takes_back_what_the_store_refused(world: World) -> None:
    behind = TokenRecord(TokenId("t1"), "alice", 0.0, None, world.clock.wall())
    asyncio.run(world.store.add(b"t1", behind))
    with pytest.raises(AuthenticationError):
        world.issue()
    issued, revoked = world.audit.events
    assert (issued.kind, revoked.kind) == (AuditKind.CERTIFICATE_ISSUED, AuditKind.CERTIFICATE_REVOKED)
    assert revoked.fields == {"serial": issued.fields["serial"], "not_kept": "token_revoked"}

"""SSH user certificates: for a proven principal and its own key, and worth nothing without a record, whatever is in them.

The forged ones are signed by the true authority and have a record: what is left to refuse them is the one thing that is wrong.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1

from interpose.app.system import SystemIds
from interpose.engine.ports import TokenRecord
from interpose.identity.authority import LONGEST
from interpose.identity.certificates import Issued
from interpose.identity.principals import Principals
from interpose.identity.ssh_authority import SshAuthority, SshRole, blob_of, public_key
from interpose.identity.ssh_certificate_form import read_certificate
from interpose.identity.ssh_certificates import (
    EXTENSIONS,
    SshCertificateIssuer,
    SshKeys,
    new_serial,
    ssh_certificate_digest,
)
from interpose.identity.ssh_keys import fingerprint, packed
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, ClientError
from interpose.model.ids import TokenId
from interpose.model.principal import AuthenticationContext, Identity, Principal, PrincipalKind
from tests.support.memory import ManualClock, MemoryAudit, MemoryPrincipals, MemoryTokens, person
from tests.support.ssh_forge import Forged, names, option

HERE = "192.0.2.1"


class World:
    """An issuer and a checker over one store; alice and bob exist."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = MemoryTokens()
        self.audit = MemoryAudit()
        self.people = MemoryPrincipals(person("alice", "dev"), person("bob"))
        self.authority = SshAuthority(SshRole.USER, folder, self.clock, SystemIds())
        self.issuer = SshCertificateIssuer(self.authority, self.store, self.audit, self.clock, SystemIds())
        self.keys = SshKeys(self.authority, self.store, lambda: self.people, self.clock)
        self.alice = Identity(self.people.by_name["alice"], "token", TokenId("t1"), self.clock.wall() + 7200)
        self.key = ed25519.Ed25519PrivateKey.generate()
        now = int(self.clock.wall())
        self.forged = Forged(self.key, now - 60, now + 3600)

    def issue(self, key: str = "", ttl: float = 3600.0, *addresses: str) -> Issued:
        line = key or public_key(self.key).line
        return asyncio.run(self.issuer.issue(self.alice, line, ttl, HERE, addresses))

    def identify(self, blob: bytes, name: str = "alice", source: str = HERE) -> Identity:
        return asyncio.run(self.keys.by_certificate(name, blob, source))

    def fault(self, blob: bytes, name: str = "alice", source: str = HERE) -> str:
        with pytest.raises(AuthenticationError) as error:
            self.identify(blob, name, source)
        assert error.value.public_message == "authentication failed"
        return error.value.detail

    def recorded(self, forged: Forged, by: ed25519.Ed25519PrivateKey | None = None) -> bytes:
        """Signed by the true authority unless it is by another, and with a record all the same."""
        blob = forged.signed(by or self.authority.signer()[1])
        self.record(blob)
        return blob

    def record(self, blob: bytes) -> None:
        made = TokenRecord(TokenId(fingerprint(blob)), "alice", self.clock.wall(), self.clock.wall() + 3600, None)
        asyncio.run(self.store.add(ssh_certificate_digest(blob), made))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_is_issued_and_what_openssh_says_of_it(world: World, tmp_path: Path) -> None:
    issued = world.issue("", 3600.0, "192.0.2.0/24", "2001:db8::1")
    file = tmp_path / "made-cert.pub"
    file.write_text(issued.certificate + "\n")
    done = subprocess.run(["ssh-keygen", "-L", "-f", str(file)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    assert "Type: ssh-ed25519-cert-v01@openssh.com user certificate" in shown
    assert f'Key ID: "User:alice {issued.serial}"' in shown
    assert f"Serial: {int(issued.serial, 16)}" in shown
    assert [
        line.strip() for line in shown.split("Principals:")[1].split("Critical")[0].split("\n") if line.strip()
    ] == ["alice"]
    assert "source-address 192.0.2.0/24,2001:db8::1/128" in shown
    assert [line.strip() for line in shown.split("Extensions:")[1].split("\n") if line.strip()] == list(EXTENSIONS)
    assert world.authority.signer()[0].fingerprint in shown
    (event,) = world.audit.of(AuditKind.CERTIFICATE_ISSUED)
    assert {**event.fields} == {
        "certificate": "ssh user",
        "serial": issued.serial,
        "principal": "alice",
        "acting_for": None,
        "expires_at": int(issued.expires_at),
        "method": "token",
        "token": "t1",
        "source": HERE,
        "addresses": ("192.0.2.0/24", "2001:db8::1/128"),
    }


def test_who_has_it_is_its_principal_as_it_is_now(world: World) -> None:
    issued = world.issue()
    world.people.by_name["alice"] = person("alice", "ops")
    identity = world.identify(blob_of(issued.certificate), "Alice")
    assert (identity.method, identity.token, identity.expires_at) == (
        "ssh_certificate",
        issued.serial,
        issued.expires_at,
    )
    assert identity.principal.groups == {"ops"}
    del world.people.by_name["alice"]
    assert world.fault(blob_of(issued.certificate)) == "principal_gone"


def test_it_says_how_its_principal_signed_in(world: World) -> None:
    context = AuthenticationContext(world.clock.wall() - 9, frozenset({"pwd", "otp"}), mfa=True)
    world.alice = dataclasses.replace(world.alice, provider="corp", subject="s-1", context=context)
    world.people.holders["alice"] = ("corp", "s-1")
    blob = blob_of(world.issue().certificate)
    found = world.identify(blob)
    assert (found.provider, found.subject, found.context) == ("corp", "s-1", context)
    del world.people.holders["alice"]
    assert world.fault(blob) == "name_belongs_to_another_subject"


def test_what_an_agents_certificate_stands_for(world: World) -> None:
    agent = Principal(PrincipalKind.AGENT, "fixer")
    world.people.by_name["fixer"] = agent
    world.alice = Identity(Principal(PrincipalKind.AGENT, "fixer", acting_for="bob", task="clean"), "token")
    blob = blob_of(world.issue().certificate)
    found = world.identify(blob, "fixer").principal
    assert (found.acting_for, found.task) == ("bob", "clean")
    del world.people.by_name["bob"]
    assert world.fault(blob, "fixer") == "acting_for_nobody"


def test_it_lives_a_day_at_most_and_never_past_what_it_was_got_with(world: World) -> None:
    now = world.clock.wall()
    assert world.issue(ttl=1e9).expires_at == now + 7200
    world.alice = Identity(world.alice.principal, "token")
    assert world.issue(ttl=1e9).expires_at == now + LONGEST
    for ttl in (0.0, -5.0, 0.4):
        with pytest.raises(ClientError):
            world.issue(ttl=ttl)


def test_expiry_revocation_and_the_cascade_of_the_parent(world: World) -> None:
    blob = blob_of(world.issue().certificate)
    world.clock.now += 3600
    assert world.fault(blob) == "ssh_certificate_expired"
    world.clock.now -= 3600 + 200
    assert world.fault(blob) == "ssh_certificate_not_yet_valid"
    world.clock.now += 200
    world.identify(blob)
    asyncio.run(world.store.revoke(TokenId("t1"), world.clock.wall()))
    assert world.fault(blob) == "ssh_certificate_revoked"


def test_one_without_a_record_is_worth_nothing_even_by_the_true_key(world: World) -> None:
    assert world.fault(world.forged.signed(world.authority.signer()[1])) == "ssh_certificate_unknown"


def test_the_forged_ones_differ_from_a_good_one_by_one_thing(world: World) -> None:
    assert world.identify(world.recorded(world.forged)).principal.name == "alice"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"purpose": 2}, "ssh_certificate_of_a_host"),
        ({"purpose": 0}, "ssh_certificate_of_a_host"),
        ({"principals": b""}, "ssh_certificate_malformed"),
        ({"principals": names(b"alice", b"bob")}, "ssh_certificate_malformed"),
        ({"principals": names(b"bob")}, "ssh_certificate_malformed"),
        ({"principals": names(b"")}, "ssh_certificate_malformed"),
        ({"principals": names(b"Alice")}, "ssh_certificate_malformed"),
        ({"options": option(b"force-command", b"true")}, "ssh_certificate_option"),
        ({"options": option(b"verify-required", b"x")}, "ssh_certificate_option"),
        ({"options": option(b"verify-required")}, "ssh_certificate_malformed"),
        ({"options": option(b"anything@example.com", b"x")}, "ssh_certificate_option"),
        ({"options": option(b"source-address", b"192.0.2.9")}, "ssh_certificate_of_another_address"),
        ({"options": option(b"source-address", b"rubbish")}, "ssh_certificate_of_another_address"),
        ({"options": option(b"source-address", b"!192.0.2.9,0.0.0.0/0")}, "ssh_certificate_of_another_address"),
        ({"extensions": option(b"permit-user-rc")}, "ssh_certificate_option"),
        ({"extensions": option(b"permit-pty", b"x")}, "ssh_certificate_malformed"),
        ({"behind": b"\0"}, "ssh_certificate_malformed"),
        ({"behind_signature": b"\0"}, "ssh_certificate_malformed"),
        ({"signature_kind": b"ssh-rsa"}, "ssh_certificate_malformed"),
        ({"valid_after": 2**63}, "ssh_certificate_not_yet_valid"),
        ({"valid_before": 1}, "ssh_certificate_expired"),
        ({"valid_after": 2, "valid_before": 1}, "ssh_certificate_expired"),
    ],
)
def test_one_thing_wrong_is_enough(world: World, changes: dict[str, object], fault: str) -> None:
    assert world.fault(world.recorded(world.forged.but(**changes))) == fault


def test_forever_ends_with_its_record(world: World) -> None:
    blob = world.recorded(world.forged.but(valid_before=2**64 - 1))
    assert world.identify(blob).expires_at == world.clock.wall() + 3600
    world.clock.now += 3600
    assert world.fault(blob) == "ssh_certificate_expired"


def test_other_authorities_are_not_believed(world: World, tmp_path: Path) -> None:
    stranger = ed25519.Ed25519PrivateKey.generate()
    unknown = "ssh_certificate_of_another_authority"
    assert world.fault(world.recorded(world.forged, stranger)) == unknown
    assert world.fault(world.recorded(world.forged, world.key)) == unknown  # signed by itself
    for role in (SshRole.HOST, SshRole.UPSTREAM):
        other = SshAuthority(role, tmp_path, world.clock, SystemIds()).signer()[1]
        assert world.fault(world.recorded(world.forged, other)) == unknown
    # The true authority is named, and another has signed.
    named = world.forged.but(authority=world.authority.signer()[0].blob)
    assert world.fault(world.recorded(named, stranger)) == "ssh_certificate_signature"


def test_a_certificate_signs_no_certificate(world: World) -> None:
    first = world.recorded(world.forged)
    nested = world.forged.but(authority=first)
    assert world.fault(world.recorded(nested, world.key)) == "ssh_certificate_of_another_authority"


def test_sha1_signs_nothing(world: World) -> None:
    signer = rsa.generate_private_key(65537, 2048)
    numbers = signer.public_key().public_numbers()
    authority = b"".join(packed(part) for part in (b"ssh-rsa", b"\1\0\1", b"\0" + numbers.n.to_bytes(256, "big")))
    template = world.forged.but(authority=authority).signed(world.key)
    body = template[: template.rindex(packed(b"ssh-ed25519")) - 4]
    signature = packed(b"ssh-rsa") + packed(signer.sign(body, padding.PKCS1v15(), SHA1()))
    blob = body + packed(signature)
    assert read_certificate(blob).signature_kind == "ssh-rsa"
    world.record(blob)
    assert world.fault(blob) == "ssh_certificate_malformed"


def test_every_bit_counts(world: World) -> None:
    blob = blob_of(world.issue().certificate)
    for at in range(len(blob)):
        changed = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        world.record(changed)
        with pytest.raises(AuthenticationError):
            world.identify(changed)


def test_after_a_rotation_certificates_of_both_keys_are_taken(world: World) -> None:
    old = blob_of(world.issue().certificate)
    world.clock.now += 60
    world.authority.rotate()
    new = blob_of(world.issue().certificate)
    assert read_certificate(old).authority != read_certificate(new).authority
    for blob in (old, new):
        world.identify(blob)
    world.authority.rotate(at_once=True)
    for blob in (old, new):
        assert world.fault(blob) == "ssh_certificate_of_another_authority"


def test_it_is_good_from_where_it_says_only(world: World) -> None:
    blob = blob_of(world.issue("", 3600.0, "192.0.2.0/24", "2001:db8::/32").certificate)
    for source in ("192.0.2.77", "2001:db8::5", "::ffff:192.0.2.3", "2001:db8::5%eth0"):
        world.identify(blob, source=source)
    for source in ("192.0.3.1", "2001:db9::1", "", "unix"):
        assert world.fault(blob, source=source) == "ssh_certificate_of_another_address"


@pytest.mark.parametrize("name", ["bob", "", "alice\0", "alice+web-1", "root", "x" * 500])
def test_another_name_is_refused(world: World, name: str) -> None:
    assert world.fault(blob_of(world.issue().certificate), name) == "ssh_certificate_of_another"


def test_what_may_be_certified(world: World) -> None:
    def line(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
        form = serialization.PublicFormat.OpenSSH
        return key.public_key().public_bytes(serialization.Encoding.OpenSSH, form).decode()

    for key in (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
    ):
        world.identify(blob_of(world.issue(line(key)).certificate))
    for text in (line(rsa.generate_private_key(65537, 1024)), "nothing", world.issue().certificate):
        with pytest.raises(ClientError, match="not understood"):
            world.issue(text)
    hardware = packed(b"sk-ssh-ed25519@openssh.com") + packed(b"k" * 32) + packed(b"ssh:")
    with pytest.raises(ClientError):
        world.issue(f"sk-ssh-ed25519@openssh.com {base64.b64encode(hardware).decode()}")
    for address in ("nowhere", "192.0.2.1/24", ""):
        with pytest.raises(ClientError, match="address"):
            world.issue("", 60.0, address)
    with pytest.raises(ClientError, match="16"):
        world.issue("", 60.0, *["192.0.2.1"] * 17)


def test_a_serial_is_never_nothing() -> None:
    class Zero(SystemIds):
        def secret_bytes(self, count: int) -> bytes:
            return b"\0" * count

    assert new_serial(Zero()) == 1


def test_a_registered_key_is_its_principal_and_nobody_else(world: World) -> None:
    blob = public_key(world.key).blob
    alice = Principal(PrincipalKind.USER, "alice", ssh_keys=frozenset({fingerprint(blob)}))
    world.people = Principals((alice, person("bob")))  # type: ignore[assignment]
    identity = asyncio.run(world.keys.by_public_key("alice", blob))
    assert (identity.method, identity.key, identity.token) == ("ssh_key", fingerprint(blob), None)
    other = public_key(ed25519.Ed25519PrivateKey.generate()).blob
    for name, key, word in (
        ("bob", blob, "ssh_key_unknown"),
        ("nobody", blob, "ssh_key_unknown"),
        ("alice", other, "ssh_key_unknown"),
        ("alice", blob + b"\0", "ssh_key_malformed"),
        ("alice", blob_of(world.issue().certificate), "ssh_key_malformed"),
    ):
        with pytest.raises(AuthenticationError) as error:
            asyncio.run(world.keys.by_public_key(name, key))
        assert error.value.detail == word


def test_the_chain_takes_back_what_the_store_refused(world: World) -> None:
    behind = TokenRecord(TokenId("t1"), "alice", 0.0, None, world.clock.wall())
    asyncio.run(world.store.add(b"t1", behind))
    with pytest.raises(AuthenticationError):
        world.issue()
    issued, revoked = world.audit.events
    assert (issued.kind, revoked.kind) == (AuditKind.CERTIFICATE_ISSUED, AuditKind.CERTIFICATE_REVOKED)
    assert revoked.fields == {"serial": issued.fields["serial"], "not_kept": "token_revoked"}

"""Certificates for upstreams: for one session and one account, for minutes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from interpose.app.system import SystemIds
from interpose.identity.ssh_authority import SshAuthority, SshRole, blob_of
from interpose.identity.ssh_certificate_form import USER, read_certificate
from interpose.identity.ssh_upstream import UpstreamCertificate, UpstreamCertificates
from interpose.model.audit import AuditKind
from interpose.model.errors import ConfigurationError
from interpose.model.ids import ConnectionName, SessionId
from interpose.model.proofs import Grant, ProofError, seal_of_the_engine
from tests.support.memory import ManualClock, MemoryAudit, person


class World:
    """An issuer, and the right to one login."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.audit = ManualClock(), MemoryAudit()
        self.authority = SshAuthority(SshRole.UPSTREAM, folder, self.clock, SystemIds())
        self.upstream = UpstreamCertificates(self.authority, self.audit, self.clock, SystemIds())
        self.grant = Grant(seal_of_the_engine(), SessionId("s_1"), ConnectionName("web-1"))

    def issue(self, user: str = "deploy", *permits: str) -> UpstreamCertificate:
        given = (permits,) if permits else ()
        return asyncio.run(self.upstream.issue(self.grant, person("alice"), user, *given))


def test_it_names_session_connection_and_person_and_lives_for_minutes(tmp_path: Path) -> None:
    world = World(tmp_path)
    made = world.issue()
    form = read_certificate(blob_of(made.certificate))
    assert (form.purpose, form.principals, form.key_id) == (USER, ("deploy",), "interpose s_1 web-1 User:alice")
    assert form.valid_before - int(world.clock.wall()) == 300
    assert (dict(form.options), sorted(form.extensions)) == ({}, ["permit-port-forwarding", "permit-pty"])
    assert form.authority == world.authority.signer()[0].blob
    key = serialization.load_ssh_private_key(made.private_key, None).public_key()
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    assert blob_of(line) == form.key.blob
    assert "PRIVATE" not in repr(made)
    (event,) = world.audit.of(AuditKind.CERTIFICATE_ISSUED)
    assert (event.session, event.actor) == ("s_1", "User:alice")
    assert (event.fields["certificate"], event.fields["connection"], event.fields["user"]) == (
        "ssh upstream",
        "web-1",
        "deploy",
    )
    assert world.issue().private_key != made.private_key


def test_more_is_permitted_only_when_it_is_asked_for(tmp_path: Path) -> None:
    form = read_certificate(blob_of(World(tmp_path).issue("deploy", "permit-agent-forwarding").certificate))
    assert list(form.extensions) == ["permit-agent-forwarding"]
    with pytest.raises(ValueError, match="no such extension"):
        World(tmp_path).issue("deploy", "permit-user-rc")


def test_it_is_made_before_the_grant_is_spent(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.grant.spend(world.grant.connection)
    with pytest.raises(ProofError):
        world.issue()


@pytest.mark.parametrize("user", ["", "-o", "a b", "a\nb", "a,b", "x" * 64])
def test_an_account_has_a_plain_name(tmp_path: Path, user: str) -> None:
    world = World(tmp_path)
    with pytest.raises(ConfigurationError):
        world.issue(user)
    assert not world.audit.events

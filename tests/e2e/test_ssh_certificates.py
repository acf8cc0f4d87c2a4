"""Certificates of the gateway's SSH authorities against the real OpenSSH: its server, its client, its agent."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.app.system import SystemClock, SystemIds
from interpose.identity.ssh_authority import SshAuthority, SshRole, known_hosts_line
from interpose.identity.ssh_hosts import HostCertificates
from interpose.identity.ssh_upstream import UpstreamCertificate, UpstreamCertificates
from interpose.model.ids import ConnectionName, SessionId
from interpose.model.proofs import Grant, seal_of_the_engine
from tests.support.memory import MemoryAudit, person
from tests.support.sshd import SshServer, have_sshd, quiet

pytestmark = pytest.mark.skipif(not have_sshd(), reason="OpenSSH's server is not installed")


def authority(role: SshRole, state: Path) -> SshAuthority:
    return SshAuthority(role, state, SystemClock(), SystemIds())


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def server(tmp_path: Path, state: Path) -> Iterator[SshServer]:
    """A server that trusts the authority for upstreams and shows a certificate of the authority for hosts."""
    trusted, certificate = tmp_path / "trusted.pub", tmp_path / "host-cert.pub"
    trusted.write_text(authority(SshRole.UPSTREAM, state).signer()[0].line + "\n")
    made = SshServer(tmp_path / "sshd", more=f"TrustedUserCAKeys {trusted}\nHostCertificate {certificate}")
    (made.folder / "authorized_keys").write_text("")
    hosts = HostCertificates(authority(SshRole.HOST, state), MemoryAudit(), SystemClock(), SystemIds())
    line = asyncio.run(hosts.issue((made.folder / "host_key.pub").read_text().strip(), ["127.0.0.1"])).line
    certificate.write_text(line + "\n")
    with made:
        yield made


def log_in(
    server: SshServer, folder: Path, given: UpstreamCertificate, known: str
) -> subprocess.CompletedProcess[bytes]:
    """`ssh host echo in`, with this certificate and these known_hosts and with nothing else."""
    folder.mkdir()
    key = folder / "id"
    key.touch(0o600)
    key.write_bytes(given.private_key)
    (folder / "id-cert.pub").write_text(given.certificate + "\n")
    (folder / "known").write_text(known + "\n")
    options = [
        *quiet(folder / "known"),
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "BatchMode=yes",
        "-o",
        "HostKeyAlgorithms=ssh-ed25519-cert-v01@openssh.com",
    ]
    return subprocess.run(
        [
            "ssh",
            "-F",
            "none",
            "-p",
            str(server.port),
            "-i",
            str(key),
            *options,
            f"{server.user}@127.0.0.1",
            "echo",
            "in",
        ],
        capture_output=True,
        timeout=60,
    )


def upstream_certificate(state: Path, user: str, role: SshRole = SshRole.UPSTREAM) -> UpstreamCertificate:
    issuer = UpstreamCertificates(authority(role, state), MemoryAudit(), SystemClock(), SystemIds())
    grant = Grant(seal_of_the_engine(), SessionId("s_42"), ConnectionName("web-1"))
    return asyncio.run(issuer.issue(grant, person("alice"), user))


def test_openssh_believes_both_and_its_log_names_the_person(server: SshServer, state: Path, tmp_path: Path) -> None:
    hosts = authority(SshRole.HOST, state)
    known = known_hosts_line(hosts.roots()[0], ["127.0.0.1"])
    done = log_in(server, tmp_path / "good", upstream_certificate(state, server.user), known)
    assert (done.returncode, done.stdout) == (0, b"in\n"), done.stderr
    assert "ID interpose s_42 web-1 User:alice (serial " in server.log.read_text()
    # With the port, as a client that comes to a gateway beside port 22 would have it.
    known = known_hosts_line(hosts.roots()[0], [f"[127.0.0.1]:{server.port}"])
    assert log_in(server, tmp_path / "port", upstream_certificate(state, server.user), known).returncode == 0


def test_what_one_authority_signs_is_worth_nothing_to_the_others(
    server: SshServer, state: Path, tmp_path: Path
) -> None:
    known = known_hosts_line(authority(SshRole.HOST, state).roots()[0], ["127.0.0.1"])
    for role in (SshRole.USER, SshRole.HOST):
        done = log_in(server, tmp_path / role.value, upstream_certificate(state, server.user, role), known)
        assert done.returncode == 255
        assert b"Permission denied" in done.stderr
    done = log_in(server, tmp_path / "account", upstream_certificate(state, "nobody-here"), known)
    assert b"Permission denied" in done.stderr
    for role in (SshRole.USER, SshRole.UPSTREAM):
        maker = authority(role, state)
        maker.ensure()
        wrong = known_hosts_line(maker.roots()[0], ["127.0.0.1"])
        done = log_in(server, tmp_path / f"host-{role.value}", upstream_certificate(state, server.user), wrong)
        assert b"Host key verification failed" in done.stderr
    (tmp_path / "any").write_text(known_hosts_line(authority(SshRole.HOST, state).roots()[0], ["*"]) + "\n")
    asked = ["ssh", "-F", "none", "-p", str(server.port), *quiet(tmp_path / "any"), "-o", "BatchMode=yes"]
    done = subprocess.run(
        [*asked, "-o", "HostKeyAlias=other.example.com", "127.0.0.1", "true"], capture_output=True, timeout=60
    )
    assert done.returncode == 255
    assert b"name is not a listed principal" in done.stderr

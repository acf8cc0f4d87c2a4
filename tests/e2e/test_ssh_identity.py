"""Certificates and keys at the gateway's own SSH listener: the real client with a certificate, a key, a host certificate, and an upstream that trusts the gateway."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.app.system import SystemClock, SystemIds
from interpose.identity.ssh_authority import SshAuthority, SshRole
from tests.support.scene import until
from tests.support.ssh_scene import PRINCIPALS, SshScene
from tests.support.sshd import SshServer, have_sshd, make_key, quiet

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed"),
]


class Place:
    """A gateway with a host certificate, a service's key, and an upstream `trusting` for which it keeps no credential."""

    def __init__(self, scene: SshScene, folder: Path, service_key: Path) -> None:
        self.scene = scene
        self.folder = folder
        self.service_key = service_key
        self.certified = folder / "certified_hosts"
        line = scene.gateway.interpose("ca", "show", "--ssh", "host").stdout
        self.certified.write_text(line)

    def credential(self, name: str, *options: str) -> Path:
        """A certificate's files, got with this person's token."""
        folder = self.folder / f"credential-{name}-{len(list(self.folder.iterdir()))}"
        self.scene.gateway.interpose(
            "credential", "issue", "--ssh", "--out", str(folder), *options, token=self.scene.token(name)
        )
        return folder / "id"

    def words(self, key: Path, target: str, *options: str) -> list[str]:
        """The real client, with one key, that believes host certificates only."""
        only = ["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-i", str(key)]
        return [
            "ssh",
            "-F",
            "none",
            "-p",
            str(self.scene.port),
            *quiet(self.certified),
            *only,
            *options,
            f"{target}@127.0.0.1",
        ]

    def ssh(self, key: Path, target: str, *options: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*self.words(key, target, *options), "echo in"], capture_output=True, timeout=90)

    def failed_by(self, reason: str) -> bool:
        """Whether a login that proves nobody is told so when its connection has ended."""
        return bool(until(lambda: self.scene.events("login.failed", reason=reason), what=reason))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("ssh-identity")
    key = make_key(folder / "service")
    trusted = folder / "trusted.pub"
    trusted.write_text("")
    server = SshServer(folder / "sshd", more=f"TrustedUserCAKeys {trusted}")
    with server:
        public = key.with_suffix(".pub").read_text().strip()
        scene = SshScene(
            server,
            principals=f"{PRINCIPALS}  - {{name: backup, kind: service, groups: [ops], ssh_keys: ['{public}']}}\n",
        )
        listener = scene.gateway.settings["listeners"]
        assert isinstance(listener, list)
        listener[0]["public_names"] = ["127.0.0.1"]
        connections = scene.gateway.settings["connections"]
        assert isinstance(connections, dict)
        connections["trusting"] = server.connection(secret="ca", labels={"env": "prod"})
        scene.gateway.write()
        authority = SshAuthority(SshRole.UPSTREAM, scene.gateway.state, SystemClock(), SystemIds())
        trusted.write_text(authority.signer()[0].line + "\n")
        with scene:
            yield Place(scene, folder, key)


def test_a_certificate_opens_what_its_principal_may_and_no_other_name(place: Place) -> None:
    key = place.credential("alice")
    done = place.ssh(key, "alice+web-1")
    assert (done.returncode, done.stdout) == (0, b"in\n"), done.stderr
    (opened,) = place.scene.events("session.opened", method="ssh_certificate")[-1:]
    assert opened["actor"] == "User:alice"
    assert place.ssh(key, "bob+web-1").returncode == 255
    assert place.failed_by("ssh_certificate_of_another")
    bare = place.folder / "bare"
    bare.touch(0o600)
    bare.write_bytes(key.read_bytes())
    assert place.ssh(bare, "alice+web-1").returncode == 255
    assert place.failed_by("ssh_key_unknown")
    elsewhere = place.credential("alice", "--source-address", "192.0.2.0/24")
    assert place.ssh(elsewhere, "alice+web-1").returncode == 255


def test_revocation_ends_the_live_session(place: Place) -> None:
    key = place.credential("alice")
    shown = subprocess.run(
        ["ssh-keygen", "-L", "-f", f"{key}-cert.pub"], capture_output=True, check=True
    ).stdout.decode()
    serial = f"{int(shown.split('Serial: ')[1].split()[0]):016x}"
    live = subprocess.Popen(
        [*place.words(key, "alice+web-1"), "echo in; cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert live.stdout is not None
        assert live.stdout.readline() == b"in\n"
        place.scene.gateway.interpose("credential", "revoke", serial)
        until(lambda: live.poll() is not None, 30, "the session's end")
    finally:
        live.kill()
        live.communicate()
    assert place.ssh(key, "alice+web-1").returncode == 255
    assert place.failed_by("ssh_certificate_revoked")


def test_one_line_is_enough_to_believe_the_gateway_and_a_bare_key_still_does(place: Place) -> None:
    key = place.credential("alice")
    for kind, known in (
        ("ssh-ed25519-cert-v01@openssh.com", place.certified),
        ("ssh-ed25519", place.scene.known_hosts),
    ):
        words = place.words(key, "alice+web-1", "-o", f"HostKeyAlgorithms={kind}")
        words[words.index(f"UserKnownHostsFile={place.certified}")] = f"UserKnownHostsFile={known}"
        done = subprocess.run([*words, "echo in"], capture_output=True, timeout=90)
        assert done.stdout == b"in\n", (kind, done.stderr)
    assert place.scene.events("certificate.issued", certificate="ssh host", names=["127.0.0.1"])


def test_an_upstream_that_trusts_the_gateway_needs_no_kept_credential_and_logs_the_person(place: Place) -> None:
    done = place.ssh(place.credential("bob"), "bob+trusting")
    assert (done.returncode, done.stdout) == (0, b"in\n"), done.stderr
    opened = place.scene.events("session.opened", connection="trusting")[-1]
    assert f"ID interpose {opened['session']} trusting User:bob (serial " in place.scene.server.log.read_text()
    issued = place.scene.events("certificate.issued", certificate="ssh upstream")[-1]
    assert (issued["session"], issued["actor"]) == (opened["session"], "User:bob")


def test_a_services_key_counts_as_long_as_it_stands_in_the_file(place: Place) -> None:
    done = place.ssh(place.service_key, "backup+web-1")
    assert (done.returncode, done.stdout) == (0, b"in\n"), done.stderr
    assert place.ssh(place.service_key, "alice+web-1").returncode == 255
    live = subprocess.Popen(
        [*place.words(place.service_key, "backup+web-1"), "echo in; cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert live.stdout is not None
        assert live.stdout.readline() == b"in\n"
        file = place.scene.gateway.config.parent / "principals.yaml"
        file.write_text(f"{PRINCIPALS}  - {{name: backup, kind: service, groups: [ops]}}\n")
        until(lambda: live.poll() is not None, 30, "the session's end")
    finally:
        live.kill()
        live.communicate()
    assert place.scene.events("session.closed", reason="ssh_key_gone")
    assert place.ssh(place.service_key, "backup+web-1").returncode == 255

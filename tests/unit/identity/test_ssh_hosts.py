"""The gateway's host certificate: for its names, renewed in time; OpenSSH's own client believes it by one line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interpose.app.system import SystemIds
from interpose.identity.host_names import host_name
from interpose.identity.ssh_authority import DAY, HOST_SECONDS, SshAuthority, SshRole, blob_of, public_key
from interpose.identity.ssh_certificate_form import HOST, read_certificate
from interpose.identity.ssh_hosts import HostCertificate, HostCertificates
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import ClientError, RecordingError
from tests.support.memory import ManualClock, MemoryAudit

KEY = public_key(Ed25519PrivateKey.generate()).line


class World:
    """An issuer of host certificates."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.audit = ManualClock(), MemoryAudit()
        self.authority = SshAuthority(SshRole.HOST, folder, self.clock, SystemIds())
        self.hosts = HostCertificates(self.authority, self.audit, self.clock, SystemIds())

    def issue(self, *names: str) -> HostCertificate:
        return asyncio.run(self.hosts.issue(KEY, names))


def test_what_is_issued(tmp_path: Path) -> None:
    world = World(tmp_path)
    made = world.issue("GW.example.com.", "192.0.2.1", "gw.example.com")
    form = read_certificate(blob_of(made.line))
    assert (form.purpose, form.principals) == (HOST, ("192.0.2.1", "gw.example.com"))
    assert (form.options, form.extensions) == ({}, {})
    assert form.authority == world.authority.signer()[0].blob
    assert form.valid_before == int(made.valid_until) == int(world.clock.wall() + HOST_SECONDS)
    (event,) = world.audit.of(AuditKind.CERTIFICATE_ISSUED)
    assert event.fields["certificate"] == "ssh host"
    assert event.fields["names"] == ("192.0.2.1", "gw.example.com")


@pytest.mark.parametrize(
    "name", ["*", "*.example.com", "", "a b", "host:22", "[::1]:22", "-x", "!x", "x" * 64, "a..b", "ä.example"]
)
def test_a_name_is_one_host(name: str, tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="no name of a host"):
        host_name(name)
    with pytest.raises(ClientError):
        World(tmp_path).issue(name)


def test_without_a_name_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="needs a name"):
        World(tmp_path).issue()


def test_addresses_have_one_form() -> None:
    assert host_name("2001:DB8::0:1") == "2001:db8::1"


def test_it_is_due_after_half_its_life_and_when_another_key_signs(tmp_path: Path) -> None:
    world = World(tmp_path)
    made = world.issue("gw")
    assert not asyncio.run(world.hosts.due(made))
    world.clock.now += HOST_SECONDS / 2
    assert asyncio.run(world.hosts.due(made))
    made = world.issue("gw")
    world.authority.rotate()
    assert not asyncio.run(world.hosts.due(made))
    world.clock.now += 7 * DAY - 1
    assert not asyncio.run(world.hosts.due(made))
    world.authority.rotate(at_once=True)
    assert asyncio.run(world.hosts.due(made))


def test_it_renews_itself_and_goes_on_when_that_fails_for_a_while(tmp_path: Path) -> None:
    world = World(tmp_path)
    warned: list[Exception] = []

    def full(event: AuditEvent) -> bool:
        return event.kind is AuditKind.CERTIFICATE_ISSUED

    async def work() -> HostCertificate:
        taken: list[HostCertificate] = []
        failed_twice, renewed = asyncio.Event(), asyncio.Event()

        def warn(error: Exception) -> None:
            warned.append(error)
            if len(warned) == 2:
                failed_twice.set()

        def take(made: HostCertificate) -> None:
            taken.append(made)
            renewed.set()

        made = await world.hosts.issue(KEY, ["gw"])
        task = asyncio.create_task(world.hosts.follow(made, KEY, take, warn, 0.005))
        world.audit.fails = full
        world.clock.now += HOST_SECONDS - DAY
        await asyncio.wait_for(failed_twice.wait(), 30)
        assert not taken
        world.audit.fails = lambda _: False
        await asyncio.wait_for(renewed.wait(), 30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(taken) == 1
        return taken[0]

    renewed = asyncio.run(work())
    assert renewed.valid_until == float(int(world.clock.wall() + HOST_SECONDS))
    assert all(isinstance(error, RecordingError) for error in warned)

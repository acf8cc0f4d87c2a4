"""The demo's stage is served: both example policies in one folder, with their own tests, on the configuration that the demo writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.host import LOOKS, RESTART, start_host
from demo.stage import gateway_for
from interpose.app.loading import load
from tests.support.postgres import PostgresServer
from tests.support.sshd import have_sshd


def test_what_the_demo_serves_is_whole_without_a_host(tmp_path: Path, postgres: PostgresServer) -> None:
    gateway, authority = gateway_for(tmp_path, postgres, None, 0)
    assert [each.name for each in load(gateway.config).settings.connections] == ["orders-prod"]
    assert authority.exists()


@pytest.mark.skipif(not have_sshd(), reason="no sshd")
def test_what_the_demo_serves_is_whole_with_one(tmp_path: Path, postgres: PostgresServer) -> None:
    host = start_host()
    try:
        gateway, _ = gateway_for(tmp_path, postgres, host, 2222)
        assert [each.name for each in load(gateway.config).settings.connections] == ["orders-prod", "web-1"]
        assert host.ssh(LOOKS[0]).returncode == 0
        assert b"not really" in host.ssh(RESTART).stdout
        canary = tmp_path / "canary"
        for command in (f"touch {canary}", f"{LOOKS[0]}; touch {canary}", f"{LOOKS[0]}\ntouch {canary}"):
            refused = host.ssh(command)
            assert refused.returncode == 1 and b"for show" in refused.stderr
        assert not canary.exists()
    finally:
        host.close()

"""The real OpenSSH server that other tests stand on."""

from __future__ import annotations

import pytest

from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.live, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]


def test_a_server_runs_commands_and_can_be_cut() -> None:
    with SshServer() as server:
        done = server.ssh("cat; exit 7", stdin=b"through")
        assert (done.returncode, done.stdout, done.stderr) == (7, b"through", b"")
        assert server.running
        server.cut()
        assert server.running
        assert server.ssh("true").returncode == 0

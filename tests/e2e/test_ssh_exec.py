"""Commands through the gateway by the real `ssh`, on a real sshd."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]


@pytest.fixture(scope="module")
def scene() -> Iterator[SshScene]:
    with SshServer() as server, SshScene(server) as made:
        yield made


@pytest.mark.parametrize("connection", ["web-1", "strict"])
def test_streams_and_exit_status_are_those_of_the_command(scene: SshScene, connection: str) -> None:
    done = scene.ssh("alice", "echo out; echo err >&2; cat; exit 7", connection=connection, stdin=b"through\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\nthrough\n", b"err\n")

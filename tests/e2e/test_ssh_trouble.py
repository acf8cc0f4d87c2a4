"""SSH in bad weather: both sides ask for new keys all the time."""

from __future__ import annotations

import hashlib
import os

import pytest

from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]


def test_both_sides_change_keys_at_every_megabyte_and_no_byte_is_lost() -> None:
    data = os.urandom(1024 * 1024) * 50
    with SshServer(more="RekeyLimit 1M") as server, SshScene(server) as scene:
        done = scene.ssh("alice", "cat", options=("-o", "RekeyLimit=1M"), stdin=data, timeout=300)
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()

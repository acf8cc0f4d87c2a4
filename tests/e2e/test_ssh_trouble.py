"""SSH in bad weather: both sides ask for new keys all the time, clients are killed, and what a session may have is used up."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.recording.channel_frames import StreamName
from interpose.recording.timeline import StreamOmitted
from tests.support.scene import until
from tests.support.ssh_scene import SshScene, read_until
from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]

CAP = 64 * 1024
SESSIONS = 3


@pytest.fixture(scope="module")
def scene() -> Iterator[SshScene]:
    """Nobody is asked whether they are there, and sessions and their records are small."""
    limits = {"keepalive": "10m", "sessions_per_principal": SESSIONS}
    settings = {"limits": limits, "recording": {"result_cap": CAP}}
    with SshServer(more="RekeyLimit 1M") as server, SshScene(server, settings=settings) as made:
        yield made


def test_both_sides_change_keys_at_every_megabyte_and_no_byte_is_lost_however_few_are_kept(scene: SshScene) -> None:
    data = os.urandom(1024 * 1024) * 50
    done = scene.ssh("alice", "cat", options=("-o", "RekeyLimit=1M"), stdin=data, timeout=300)
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()
    session = scene.newest()
    until(lambda: any(each["session"] == session for each in scene.events("session.sealed")), 60, "its seal")
    gaps = [event for event in scene.timeline(session) if isinstance(event, StreamOmitted)]
    for stream in (StreamName.STDIN, StreamName.STDOUT):
        kept = scene.recorded(session, stream)
        assert CAP / 2 < len(kept) <= CAP and data.startswith(kept)
        assert len(kept) + sum(gap.count for gap in gaps if gap.stream is stream) == len(data), (
            "what is not kept is told"
        )
    assert not any(gap.lost for gap in gaps)


def test_a_held_command_is_void_soon_after_its_client_under_a_master_was_killed(
    scene: SshScene, tmp_path: Path
) -> None:
    control = tmp_path / "m"
    master = scene.start_ssh("alice", connection="held", options=("-M", "-N", "-S", str(control)))
    until(control.exists, what="the master")
    for victim in ("client", "master"):
        client = scene.start_ssh("alice", "true", connection="held", options=("-S", str(control)))
        read_until(client, b"held for approval")
        (client if victim == "client" else master).kill()
        until(lambda: not scene.api("alice", "GET", "/v1/approvals")[1]["own"], 60, f"a void: the {victim} is gone")
        client.kill()
        client.wait(60)


def test_one_session_too_many_is_refused_in_words_and_the_others_go_on(scene: SshScene) -> None:
    open_ones = [scene.start_ssh("bob", "echo here; cat") for _ in range(SESSIONS)]
    for each in open_ones:
        assert each.stdout is not None and os.read(each.stdout.fileno(), 5) == b"here\n"
    refused = scene.ssh("bob", "true")
    assert refused.returncode == 126
    assert f"you have {SESSIONS} sessions already".encode() in refused.stderr
    assert scene.ssh("alice", "echo else").stdout == b"else\n", "others are not meant"
    for each in open_ones:
        said, _ = each.communicate(b"bye\n", timeout=60)
        assert (each.returncode, said) == (0, b"bye\n")
    until(lambda: scene.ssh("bob", "true").returncode == 0, 60, "room again")

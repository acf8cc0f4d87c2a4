"""A full disk under the records of SSH: nothing is started that cannot be recorded, what runs ends readably, and it goes on when there is space."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.scene import until
from tests.support.small_disk import fill, small_disk
from tests.support.ssh_scene import SshScene, read_until
from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]

LOST = b"the record of this session cannot be written"


@pytest.fixture(scope="module")
def scene() -> Iterator[SshScene]:
    with small_disk() as small, SshServer() as server, SshScene(server, state=small / "state") as made:
        yield made


@pytest.mark.slow
def test_a_full_disk_refuses_ends_what_runs_and_recovers(scene: SshScene, tmp_path: Path) -> None:
    small = scene.gateway.state.parent
    control = tmp_path / "m"
    assert scene.sessions() == [], "carol has her token before the disk is full"
    master = scene.start_ssh("alice", options=("-M", "-N", "-S", str(control)))
    until(control.exists, what="the master")
    writer = scene.start_ssh("alice", "while echo written; do sleep 0.1; done")
    taker = scene.start_ssh("alice", f"cat > {tmp_path}/taken")
    assert writer.stdout is not None and taker.stdin is not None
    assert os.read(writer.stdout.fileno(), 7) == b"written"
    taker.stdin.write(b"before\n")
    until(lambda: (tmp_path / "taken").exists() and (tmp_path / "taken").stat().st_size == 7, what="input at the host")
    ballast = fill(small)

    # What runs writes into a record that takes nothing any more: it ends, and says why.
    assert LOST in read_until(writer, LOST)
    writer.communicate(timeout=60)
    assert writer.returncode == 255
    # On a session that lives each command is recorded before it is sent, or not sent.
    number, done = -1, None
    while (done is None or done.returncode == 0) and number < 2000:
        number += 1
        command = f"touch {tmp_path}/ran-{number}; : {'x' * 4000}"
        done = scene.ssh("alice", command, options=("-S", str(control)))
    assert done is not None and done.returncode in (126, 255) and LOST in done.stderr
    assert not (tmp_path / f"ran-{number}").exists(), "what could not be recorded was not sent"
    # Nor does input go on for which there is no room in the record.
    with suppress(OSError):
        while True:
            taker.stdin.write(b"after\n" * 1000)
    assert LOST in taker.communicate(timeout=60)[1]
    assert taker.returncode == 255
    assert (tmp_path / "taken").stat().st_size < 128 * 1024, "what is buffered for the record, and no more"
    assert master.poll() is None, "the session goes on, for when there is space"
    fill(small)  # what the ended sessions left free, too
    refused = scene.ssh("alice", f"touch {tmp_path}/never")
    assert refused.returncode == 126 and LOST in refused.stderr
    assert not (tmp_path / "never").exists()
    until(lambda: scene.api("carol", "GET", "/readyz")[0] == 503, 30, "health that says so")

    os.unlink(ballast)
    until(lambda: scene.ssh("alice", "echo again").stdout == b"again\n", 60, "service after there is space")
    until(lambda: scene.api("carol", "GET", "/readyz")[0] == 200, 30, "good health")
    until(
        lambda: "record_failed" in {each["close_reason"] for each in scene.sessions()}, what="the reason in the index"
    )
    assert scene.gateway.stop() == 0
    verified = scene.verify()
    assert verified.returncode == 0, verified.stdout
    assert {event["fields"]["state"] for event in scene.events("session.sealed")} <= {"complete", "truncated(disk)"}

"""`kill -9` of the whole gateway while much goes through SSH: the records stop within a moment of it, hold, and say what has no end."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from interpose.recording.channel_frames import StreamName
from interpose.recording.timeline import CommandDecided
from tests.support.records import stand_alone_says
from tests.support.scene import until
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd
from tests.support.terminal import Typist

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]

# Ends by itself when nobody is there to write to: `date` fails then.
STAMPS = "while date +%s.%N; do sleep 0.05; done"
STAMP = re.compile(rb"\d{10}\.\d{9}\n")
BUSY = 6
FLUSHED = 1.0
"""Seconds after which what was said stands in the recording (DESIGN: a killed gateway loses a second at most)."""
LATE = 4.0
"""Seconds by which a busy machine may be late with that."""


@dataclass(frozen=True)
class Killed:
    """What there was when the gateway was killed, and the gateway after its restart."""

    scene: SshScene
    folder: Path
    live: set[str]
    at: float
    arrived: dict[str, bytes]


def upload(scene: SshScene, source: Path, name: str, *options: str) -> subprocess.Popen[bytes]:
    """A copy to the host that takes long."""
    words = scene.arguments("-q", "-l", "4000", *options, program="scp")
    pipe = subprocess.PIPE
    target = f"{scene.target('alice')}:{source.parent}/{name}"
    return subprocess.Popen([*words, str(source), target], env=scene.environment("alice"), stdout=pipe, stderr=pipe)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    folder = tmp_path_factory.mktemp("uploads")
    source = folder / "source"
    source.write_bytes(os.urandom(20_000_000))
    with SshServer() as server, SshScene(server) as scene:
        writers = [scene.start_ssh("alice", f"echo writer {number}; {STAMPS}") for number in range(BUSY)]
        copies = [upload(scene, source, "by-sftp"), upload(scene, source, "by-scp", "-O")]
        shell = [*scene.arguments("-tt"), scene.target("alice")]
        try:
            with Typist(shell, scene.environment("alice")) as typist:
                typist.type(b"echo typed-$((6*7))\n")
                typist.until(b"typed-42")
                arrived = {f"by-{how}": folder / f"by-{how}" for how in ("sftp", "scp")}
                until(lambda: all(each.exists() and each.stat().st_size for each in arrived.values()), 60, "uploads")
                for writer in writers:
                    seen = b""
                    while len(STAMP.findall(seen)) < 40:
                        assert writer.stdout is not None
                        seen += os.read(writer.stdout.fileno(), 65536)
                live = {session["id"] for session in scene.sessions("live=true&limit=1000")}
                at = time.time()
                scene.gateway.kill()
                typist.ended()
            for process in [*writers, *copies]:
                process.communicate(timeout=60)
                assert process.returncode != 0
        finally:
            for copy in copies:
                copy.kill()
                copy.communicate()
        assert scene.verify().returncode == 0, scene.verify().stdout
        scene.gateway.start(timeout=90)
        yield Killed(scene, folder, live, at, {name: each.read_bytes() for name, each in arrived.items()})


def of(killed: Killed, text: bytes) -> str:
    """The session in whose output this text is."""
    (found,) = [each for each in killed.live if text in killed.scene.recorded(each, StreamName.STDOUT)]
    return found


def test_every_session_is_sealed_and_the_record_verifies(killed: Killed) -> None:
    assert len(killed.live) == BUSY + 3
    sealed = {event["session"]: event["fields"] for event in killed.scene.events("session.sealed")}
    assert set(sealed) == killed.live
    assert {each["state"] for each in sealed.values()} == {"truncated(crash)"}
    until(
        lambda: {each["close_reason"] for each in killed.scene.sessions() if each["id"] in killed.live} == {"crash"},
        what="the reasons in the index",
    )
    verified = killed.scene.verify()
    assert verified.returncode == 0, verified.stdout
    right, said = stand_alone_says(killed.scene.gateway.state)
    assert right, said


def test_recordings_reach_up_to_a_moment_before(killed: Killed) -> None:
    for number in range(BUSY):
        shown = killed.scene.recorded(of(killed, b"writer %d\n" % number), StreamName.STDOUT)
        stamps = [float(each) for each in STAMP.findall(shown)]
        assert killed.at - stamps[-1] < FLUSHED + LATE
    terminal = of(killed, b"typed-42\r\n")
    assert b"echo typed-$((6*7))" in killed.scene.recorded(terminal, StreamName.STDIN).replace(b"\r", b"")


@pytest.mark.parametrize("name", ["by-sftp", "by-scp"])
def test_an_upload_that_was_cut_has_no_end_and_the_replay_says_so(killed: Killed, name: str) -> None:
    scene, path = killed.scene, f"{killed.folder}/{name}"
    assert 0 < len(killed.arrived[name]) < 20_000_000
    assert killed.arrived[name] == (killed.folder / "source").read_bytes()[: len(killed.arrived[name])]
    (session,) = {
        each
        for each in killed.live
        for event in scene.timeline(each)
        if isinstance(event, CommandDecided) and event.decision == "permit" and path in event.text
    }
    ends = scene.events("command.ended", path=path)
    assert not [each for each in ends if each["fields"]["outcome"] != "error"], (
        "only scp's question whether it is there"
    )
    shown = scene.gateway.interpose("sessions", "replay", session, token=scene.token("carol"))
    unended = [line for line in shown.stdout.splitlines() if "no end is recorded of" in line]
    assert any(path in line for line in unended), shown.stdout

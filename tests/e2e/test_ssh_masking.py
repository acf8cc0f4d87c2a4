"""What is hidden in the output of a host: masked for the client, in the recording and in everything else that the gateway writes."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.recording.channel_frames import StreamName
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.scene import until
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="no sshd")]

CARD = b"4929 1234 5678 9015"
HIDDEN = b"card number: "


@pytest.fixture(scope="module")
def scene() -> Iterator[SshScene]:
    with SshServer() as server, SshScene(server) as made:
        (server.folder / "customers").write_bytes(b"alice\ncard number: " + CARD + b"\nbob\n")
        (server.folder / "binary").write_bytes(b"alice\n\0\xff" + CARD + b"\n")
        yield made


def _nowhere(scene: SshScene, session: str) -> None:
    """The number is in nothing that the gateway has kept or told."""
    for stream in StreamName:
        recorded = scene.recorded(session, stream)
        assert CARD not in recorded
        assert CARD[-9:] not in recorded
    files = [path for path in scene.gateway.folder.rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        # A recording moves when it is sealed.
        with contextlib.suppress(FileNotFoundError):
            assert CARD not in path.read_bytes(), path


def _ended(scene: SshScene) -> str:
    session = str(scene.events("session.opened")[-1]["session"])
    until(lambda: any(each["session"] == session for each in scene.events("session.closed")), 60, "the end")
    return session


def test_output_of_a_command_is_masked(scene: SshScene) -> None:
    done = scene.ssh(
        "alice",
        f"cat {scene.server.folder}/customers; cat {scene.server.folder}/customers >&2; exit 3",
        connection="detected",
    )
    assert done.returncode == 3
    for shown in (done.stdout, done.stderr):
        assert shown.startswith(b"alice\ncard number: ")
        assert shown.endswith(b"\nbob\n")
        assert CARD not in shown
        assert CARD[-4:] not in shown
    session = _ended(scene)
    assert scene.recorded(session, StreamName.STDOUT) == done.stdout
    _nowhere(scene, session)


def test_a_value_that_comes_in_pieces_is_masked(scene: SshScene) -> None:
    slowly = "; ".join(f"printf '{chr(byte)}'; sleep 0.01" for byte in CARD)
    written = scene.server.folder / "slowly.sh"
    written.write_text(f"printf 'card number: '\n{slowly}\necho\n")
    done = scene.ssh("alice", f"sh {written}", connection="detected")
    assert done.returncode == 0
    assert done.stdout.startswith(HIDDEN)
    assert CARD[-4:] not in done.stdout
    _nowhere(scene, _ended(scene))


def test_what_is_no_text_ends_the_command(scene: SshScene) -> None:
    done = scene.ssh("alice", f"cat {scene.server.folder}/binary", connection="detected")
    assert done.returncode == 126
    assert done.stdout in (b"", b"alice\n")
    assert b"is not text" in done.stderr
    session = _ended(scene)
    assert scene.events("command.ended", outcome="cut", tag="unmaskable")
    _nowhere(scene, session)


def test_a_terminal_is_masked_and_its_prompts_and_echoes_appear(scene: SshScene) -> None:
    arguments = [*scene.arguments("-tt"), scene.target("alice", "detected"), "sh"]
    with PseudoTerminal(arguments, {**scene.environment("alice"), "PS1": "$ "}) as terminal:
        terminal.wait_for("# ")
        terminal.type("echo fo''und; cat " + str(scene.server.folder / "customers") + "\r")
        terminal.wait_for("found")
        terminal.wait_for("bob")
        terminal.type("exit 4\r")
        assert terminal.end() == 4
        assert CARD.decode() not in terminal.seen
        assert CARD[-4:].decode() not in terminal.seen
        assert "card number: " in terminal.seen
    _nowhere(scene, _ended(scene))


def test_files_are_not_sent_where_they_would_have_to_be_masked(scene: SshScene, tmp_path: Path) -> None:
    batch = tmp_path / "batch"
    batch.write_text(f"get {scene.server.folder}/customers {tmp_path}/got\n")
    got = subprocess.run(
        [*scene.arguments("-oBatchMode=no", "-b", str(batch), program="sftp"), scene.target("alice", "detected")],
        env=scene.environment("alice"),
        capture_output=True,
        timeout=90,
    )
    assert got.returncode != 0
    assert b"cannot be masked" in got.stderr
    assert not (tmp_path / "got").exists() or CARD not in (tmp_path / "got").read_bytes()
    for command in (f"scp -f {scene.server.folder}/binary", f"git-upload-pack {tmp_path}"):
        out = scene.ssh("alice", command, connection="detected", stdin=b"\0\0\0").stdout
        assert CARD not in out


def test_nothing_is_masked_for_whom_nothing_is_hidden(scene: SshScene) -> None:
    done = scene.ssh("alice", f"cat {scene.server.folder}/binary")
    assert (done.returncode, done.stdout) == (0, b"alice\n\0\xff" + CARD + b"\n")

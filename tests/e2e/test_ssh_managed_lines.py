"""Whatever is typed into a managed shell: what reaches the host are texts that were judged and permitted, letter by letter.

The host is a real sshd that runs nothing: it only writes down what it was asked to run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from interpose.recording.timeline import CommandDecided
from tests.support.scene import until
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd
from tests.support.terminals import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="no sshd")]

POLICY: Final = """\
@id("ours")
permit (principal in Group::"ops", action == Action::"exec", resource is Program)
when { ["cat", "cd", "echo", "ls", "pwd", "true"].contains(resource.name) };
@id("rest")
permit (principal in Group::"ops", action in [Action::"connect", Action::"file_read", Action::"pty", Action::"managed_shell"], resource);
@id("auditors-look")
permit (principal in Group::"auditors", action in Action::"gateway", resource);
"""
SPY: Final = """\
#!/bin/sh
printf '%s\\0' "$SSH_ORIGINAL_COMMAND" >>{log}
case $SSH_ORIGINAL_COMMAND in *"pwd -P") echo /srv ;; esac
"""

WORDS: Final = st.sampled_from(
    [b"echo", b"true", b"ls", b"cd", b"forbidden", b"'", b'"', b"\\", b" ", b" ", b"a", b";", b"&", b"&&", b"|", b"||", b"(", b")", b"{", b"}", b"#", b"!", b"!!", b"$", b"$(",
     b"`", b"<", b">", b"<<E", b"\nE\n", b"\n", b"\n", b"\r", b"\t", b"\x00", b"\x01", b"\x02", b"\x03", b"\x05", b"\x06", b"\x08", b"\x0b", b"\x0c", b"\x0e", b"\x10", b"\x12", b"\x14",
     b"\x15", b"\x16", b"\x17", b"\x18\x05", b"\x19", b"\x1b", b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[H", b"\x1b[F", b"\x1b[3~", b"\x1b[200~", b"\x1b[201~", b"\x1bb",
     b"\x1bd", b"\x1b.", b"\x7f", b"\xc2\xa0", b"\xc2\x85", "\u2028".encode(), "ä".encode(), b"\xff", b"help", b"history", b"export A=b", b"cd /srv\n", b"echo a forbidden\n"]
)  # fmt: skip
LINES: Final = st.lists(WORDS, max_size=40).map(b"".join)


class Spied:
    """The scene, and what its host was asked to run."""

    def __init__(self, scene: SshScene, log: Path) -> None:
        self.scene = scene
        self._log = log
        self._seen = 0

    def asked(self) -> list[str]:
        """Since this was asked last."""
        every = self._log.read_bytes().split(b"\0")[:-1] if self._log.exists() else []
        new, self._seen = every[self._seen :], len(every)
        return [text.decode() for text in new]

    def check(self) -> None:
        """What the host was asked for is what was permitted in the newest session: the same texts, behind where it was to run and with what."""
        session = self.scene.newest()
        until(lambda: self.scene.events("session.closed", session=session) or self._closed(session), 60, "its end")
        permitted = [
            event.text
            for event in self.scene.timeline(session)
            if isinstance(event, CommandDecided) and event.decision == "permit" and event.kind == "exec"
        ]
        for sent in self.asked():
            assert any(_is(sent, text) for text in permitted), (sent, permitted)
            assert not re.match(r"\s*forbidden", sent)

    def _closed(self, session: str) -> bool:
        return any(event["session"] == session for event in self.scene.events("session.closed"))


def _is(sent: str, judged: str) -> bool:
    before, found, rest = sent.rpartition(judged)
    return (
        bool(found)
        and not rest
        and re.fullmatch(r"(?:(?:cd -- '[^']*' \|\| exit 1?[0-9]{1,2}|export [A-Z]+='[^']*')\n)*", before) is not None
    )


@pytest.fixture(scope="module")
def spied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spied]:
    folder = tmp_path_factory.mktemp("spy")
    (folder / "spy.sh").write_text(SPY.format(log=folder / "log"))
    server = SshServer(more=f"ForceCommand /bin/sh {folder / 'spy.sh'}")
    with server, SshScene(server, policy=POLICY) as scene:
        yield Spied(scene, folder / "log")


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(LINES)
@example(b"echo one\necho two\\\nforbidden\necho 'x\nforbidden'\nforbidden\n")
@example(b"cd /srv\necho here\nexport A=b\necho a;forbidden\n")
def test_lines_without_a_terminal(spied: Spied, typed: bytes) -> None:
    done = spied.scene.ssh("alice", options=("-T",), stdin=typed + b"\n")
    assert b"managed shell" in done.stderr
    spied.check()


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(LINES)
@example(b"echo one\recho two\x01forbidden; \r\x1b[A\x1b[A\r")
@example(b"\x1b[200~echo a\nforbidden\n\x1b[201~\r")
def test_keys_at_a_terminal(spied: Spied, typed: bytes) -> None:
    arguments = [*spied.scene.arguments("-tt", "-e", "none"), spied.scene.target("alice")]
    with Terminal(arguments, environment=spied.scene.environment("alice")) as terminal:
        terminal.until(b"web-1:~>")
        terminal.type(typed)
        while terminal.running:
            # Whatever state the line is in: given up, and left.
            terminal.type(b"\x1b[201~\x03\x03\rexit\r")
            terminal.look(0.3)
    spied.check()

"""Hosts that lie about files: nothing of the lie reaches the client, which gets a reason and a closed channel."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.bridges.ssh.sftp.wire.packets import Kind, string, u32, u64
from tests.e2e.test_sftp import Place
from tests.support import hostile_files
from tests.support.raw_sftp import RawSftp
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed"),
]


class Liar(Place):
    """`lie` says how the host lies from now on."""

    def lie(self, how: str) -> None:
        (self.root / "how").write_text(how)


@pytest.fixture(scope="module")
def liar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Liar]:
    root = tmp_path_factory.mktemp("liar")
    script = root / "lie.sh"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {hostile_files.__file__} "$(cat {root}/how)"\n')
    script.chmod(0o700)
    with SshServer(tmp_path_factory.mktemp("sshd"), more=f"ForceCommand {script}") as server, SshScene(server) as scene:
        yield Liar(scene, root, tmp_path_factory.mktemp("here"))


@pytest.mark.parametrize("how", ["slash", "absolute", "nul", "nameless"])
def test_names_that_lead_out_of_a_folder_are_not_handed_on(liar: Liar, how: str) -> None:
    liar.lie(how)
    into = liar.here / f"into-{how}"
    into.mkdir()
    done = liar.sftp("alice", f"get -r /srv/tree {into}/tree")
    assert done.returncode != 0
    assert b"no file in a folder can have" in done.stderr
    assert not (liar.here / "outside").exists()
    assert not Path("/srv/outside").exists()


@pytest.mark.parametrize(
    ("how", "why"),
    [("version", "another version of SFTP"), *((how, "answered with a path") for how in hostile_files.HOMES)],
)
def test_a_host_that_begins_with_a_lie_is_not_talked_to(liar: Liar, how: str, why: str) -> None:
    liar.lie(how)
    done = liar.sftp("alice", "pwd", f"get /srv/file {liar.here}/begun")
    assert done.returncode != 0
    assert why.encode() in done.stderr
    assert b"Remote working directory" not in done.stdout
    assert not (liar.here / "begun").exists()


def test_words_of_a_host_that_serves_scp_are_shown_without_what_a_terminal_obeys(liar: Liar) -> None:
    liar.lie("scp-words")
    done = liar.scp("alice", "-O", "host:/srv/wanted", f"{liar.here}/none")
    assert done.returncode != 0
    # The client's own programs of today would show `\\033`: it was the gateway that took it out.
    assert b"scp: ?[2J?]0;owned?no such file" in done.stderr
    assert b"\x1b" not in done.stderr + done.stdout
    assert b"\x07" not in done.stderr + done.stdout


def test_words_of_the_host_are_shown_without_what_a_terminal_obeys(liar: Liar) -> None:
    liar.lie("escape")
    with RawSftp(liar.scene, "alice") as raw:
        handle = b"\0\0\0\1"
        assert raw.ask(Kind.OPENDIR, string(b"/srv/tree"))[0] == Kind.HANDLE
        listed = raw.ask(Kind.READDIR, string(handle))
        # The name is the file's own, the line beside it is the host's.
        assert listed.count(b"\x1b") == 1
        assert raw.code(Kind.READDIR, string(handle)) == (1, "?[2Jend")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("more", "sent more than was asked for"),
        ("wrong-id", "answered what nobody asked"),
        ("wrong-kind", "answered with what was not asked for"),
        ("huge", "impossible length"),
    ],
)
def test_answers_to_other_questions_end_the_channel(liar: Liar, how: str, why: str) -> None:
    liar.lie(how)
    with RawSftp(liar.scene, "alice") as raw:
        handle = raw.open(b"/srv/file", 1)
        raw.send(b"\0\0\0\x19\5" + u32(3) + string(handle) + u64(0) + u32(10))
        assert why in raw.ended()


@pytest.mark.parametrize("how", sorted(hostile_files.SCP))
def test_scp_gets_what_it_asked_for_or_nothing(liar: Liar, how: str) -> None:
    liar.lie(f"scp-{how}")
    into = liar.here / f"scp-{how}"
    into.mkdir()
    done = liar.scp("alice", "-O", "host:/srv/wanted", f"{into}/")
    assert done.returncode != 0
    assert b"interpose: scp: " in done.stderr
    # Of two files that were sent, the one that was asked for was fine.
    assert {path.name for path in liar.here.rglob("*") if path.is_file() and path.parent == into} <= {"wanted"}
    assert not (liar.here / "outside").exists()
    if how != "second":
        assert not (into / "wanted").exists()

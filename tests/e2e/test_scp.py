"""`scp -O` by the real client: each file that its stream names is judged, within recursive transfers as well."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.test_sftp import FILES, Place, tree
from tests.support.scene import until
from tests.support.ssh_scene import POLICY, SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed"),
]

SCP = """
@id("strangers-run-scp")
permit (principal in Group::"strangers", action == Action::"exec", resource == Program::"web-1/scp");
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("host").resolve()
    for name in ("log", "upload", "secret", "release", "upload/private"):
        (root / name).mkdir()
    (root / "log" / "app.log").write_bytes(b"one line\n")
    (root / "log" / "sealed").mkdir()
    (root / "log" / "sealed" / "x").write_bytes(b"sealed\n")
    more = """
@id("sealed")
forbid (principal, action == Action::"read_file", resource in Path::"web-1/{root}/log/sealed");
@id("no-modes")
forbid (principal, action == Action::"change_file", resource in Path::"web-1/{root}/upload");
@id("private")
forbid (principal, action == Action::"write_file", resource in Path::"web-1/{root}/upload/tree/private");
"""
    with (
        SshServer(tmp_path_factory.mktemp("sshd")) as server,
        SshScene(server, policy=POLICY + SCP + (FILES + more).replace("{root}", str(root))) as scene,
    ):
        yield Place(scene, root, tmp_path_factory.mktemp("here"))


def test_one_file_each_way_with_its_times(place: Place) -> None:
    source = place.file("one", 2_000_000)
    assert place.scp("mallory", "-O", "-p", str(source), f"host:{place.root}/upload/one").returncode == 0
    at = place.root / "upload" / "one"
    assert at.read_bytes() == source.read_bytes()
    assert int(at.stat().st_mtime) == int(source.stat().st_mtime)
    assert place.scp("mallory", "-O", f"host:{place.root}/log/*.log", f"{place.here}/").returncode == 0
    assert (place.here / "app.log").read_bytes() == b"one line\n"
    (up,) = place.scene.events("command.ended", direction="upload", bytes_written=2_000_000)
    assert up["fields"]["path"].startswith(str(at))


def test_what_is_not_permitted_is_not_begun(place: Place) -> None:
    source = place.file("two", 100)
    for words in (
        [str(source), f"host:{place.root}/log/two"],
        [f"host:{place.root}/secret/key", f"{place.here}/stolen"],
        ["host:/etc/passwd", f"{place.here}/stolen"],
        [f"host:{place.root}/log/../secret/key", f"{place.here}/stolen"],
    ):
        done = place.scp("mallory", "-O", *words)
        assert done.returncode != 0
        assert b"interpose: " in done.stderr
    assert sorted(os.listdir(place.root / "log")) == ["app.log", "sealed"]
    assert not (place.here / "stolen").exists()


def test_what_is_forbidden_within_a_tree_ends_the_transfer_there(place: Place) -> None:
    source = place.here / "tree"
    (source / "private").mkdir(parents=True)
    (source / "private" / "x").write_bytes(b"x")
    done = place.scp("mallory", "-O", "-r", str(source), f"host:{place.root}/upload/")
    assert done.returncode != 0
    assert b"policy private" in done.stderr
    assert "private" not in tree(place.root / "upload" / "tree")
    done = place.scp("mallory", "-O", "-r", f"host:{place.root}/log", f"{place.here}/logs")
    assert done.returncode != 0
    assert b"policy sealed" in done.stderr
    assert not (place.here / "logs" / "sealed" / "x").exists()


def test_scp_among_other_commands_is_not_followed_and_refused(place: Place) -> None:
    done = place.scene.ssh("alice", f"true; scp -f {place.root}/log/app.log")
    assert done.returncode == 126
    assert b"cannot follow its files" in done.stderr


@pytest.mark.parametrize(
    "stream",
    [
        b"C0644 3 ../../secret/new\nabc\0",
        b"C0644 3 ..\nabc\0",
        b"D0755 0 ..\nC0644 3 new\nabc\0E\n",
        b"D0755 0 folder\nC0644 3 new\nabc\0E\n",
        b"T1 0 1 0\nC0644 3 timed\nabc\0",
        b"C4755 3 setuid\nabc\0",
        b"C0644 99999999999999999999 huge\nabc\0",
        b"C0644 -3 negative\nabc\0",
        # All at once, the second one behind a first that may pass.
        b"C0644 3 fine\nabc\0C0644 3 ../secret/new\nabc\0",
        b"C0644 3 long\nabcabcC0644 3 x\n",
    ],
)
def test_a_client_that_sends_what_scp_would_not_leaves_nothing_behind(place: Place, stream: bytes) -> None:
    before = tree(place.root)
    done = place.scene.ssh("mallory", f"scp -t {place.root}/upload/", stdin=stream)
    assert done.returncode == 126
    assert b"interpose: " in done.stderr
    new = set(tree(place.root)) - set(before)
    # What was permitted before it may be there.
    assert new <= {"upload/fine", "upload/long"}


@pytest.mark.parametrize("text", ["`touch {0}`", "$(touch {0})", "x;touch {0}", "x|touch {0}", "x\ntouch {0}"])
def test_a_name_is_no_place_for_a_command(place: Place, text: str) -> None:
    """CVE-2020-15778: `scp -O` hands the name to the host's shell."""
    canary = place.here / "canary"
    name = text.format(canary)
    for words in ([str(place.file("three", 10)), f"host:{name}"], [f"host:{name}", f"{place.here}/none"]):
        done = place.scp("mallory", "-O", *words)
        assert done.returncode != 0
        assert b"interpose: " in done.stderr
        assert not canary.exists()


@pytest.mark.parametrize(
    ("command", "stream", "policy"),
    [
        ("scp -r -t {root}/upload", b"D0755 0 tree\nD0755 0 private\n", b"policy private"),
        ("scp -r -f {root}/log", b"\0" * 64, b"policy sealed"),
        # Two sources of one name, of which the host sends the second.
        ("scp -r -f {root}/log/none/log {root}/log", b"\0" * 64, b"policy sealed"),
        ("scp -t {root}/upload/one", b"nonsense\n", b"a record that scp does not have"),
    ],
)
def test_a_stream_that_is_refused_in_the_middle_ends_as_a_refused_command_does(
    place: Place, command: str, stream: bytes, policy: bytes
) -> None:
    done = place.scene.ssh("mallory", command.format(root=place.root), stdin=stream)
    assert done.returncode == 126
    lines = [line for line in done.stderr.splitlines() if line.startswith(b"interpose: ")]
    assert len(lines) == 1
    assert policy in lines[0]
    assert until(lambda: place.scene.events("command.ended", outcome="cut"), what="its end in the audit chain")

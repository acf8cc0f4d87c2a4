"""Ansible, editors and key copiers under the example policy: what automation may, what people are refused, and how a group is given more."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs import ANSIBLE, environment_with
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd, make_key

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]

_ROOT = Path(__file__).parents[2]
_PAGE = _ROOT / "docs" / "how-to" / "ssh.md"
_PRINCIPALS = """\
principals:
  - {{name: olga, kind: user, groups: [operators]}}
  - {{name: adam, kind: user, groups: [admins]}}
  - {{name: erin, kind: user, groups: [admins, remote-editors]}}
  - {{name: robot, kind: service, groups: [automation], ssh_keys: ['{public}']}}
"""
_PLAYBOOK = """\
- hosts: web
  gather_facts: true
  tasks:
    - command: echo ran
      register: said
    - copy: {{content: "copied\\n", dest: "{place}/copied", mode: "0640"}}
    - template: {{src: "{template}", dest: "{place}/made"}}
    - assert: {{that: "said.stdout == 'ran'"}}
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshScene]:
    folder = tmp_path_factory.mktemp("policy")
    for path in (_ROOT / "examples" / "ssh").glob("*.cedar"):
        (folder / path.name).write_text(path.read_text())
    # What the page tells to add for editors is what is tested.
    (shown,) = re.findall(r"```cedar\n(@id\(\"remote-editors.*?)```", _PAGE.read_text(), re.DOTALL)
    (folder / "editors.cedar").write_text(shown)
    key = make_key(tmp_path_factory.mktemp("key") / "id")
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    principals = _PRINCIPALS.format(public=public)
    with SshServer() as server, SshScene(server, policy=folder, principals=principals, labels={"team": "web"}) as made:
        (made.folder / "robot").write_bytes(key.read_bytes())
        (made.folder / "robot").chmod(0o600)
        yield made


@pytest.fixture
def ansible(scene: SshScene, tmp_path: Path) -> Iterator[list[str]]:
    """An inventory with the host behind the gateway, and nothing of whoever runs the tests."""
    common = (
        f"-F none -o UserKnownHostsFile={scene.known_hosts} -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes"
    )
    host = f"ansible_host=127.0.0.1 ansible_port={scene.port} ansible_user=robot+web-1"
    own = f"ansible_ssh_private_key_file={scene.folder}/robot ansible_ssh_common_args='{common}'"
    (tmp_path / "hosts").write_text(f"web {host} {own} ansible_python_interpreter=/usr/bin/python3\n")
    yield ["-i", str(tmp_path / "hosts")]


def _run(tmp_path: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    folders = {
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
        "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(tmp_path / "control"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
    }
    command = [str(environment_with(*ANSIBLE) / program), *arguments]
    return subprocess.run(
        command, env={**os.environ, **folders, "NO_COLOR": "1"}, capture_output=True, text=True, timeout=240
    )


@pytest.mark.slow
def test_ansible_pings_and_plays(scene: SshScene, ansible: list[str], tmp_path: Path) -> None:
    done = _run(tmp_path, "ansible", *ansible, "web", "-m", "ping")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"ping": "pong"' in done.stdout
    (tmp_path / "made.j2").write_text("by {{ ansible_user }}\n")
    (tmp_path / "place").mkdir()
    (tmp_path / "play.yml").write_text(_PLAYBOOK.format(place=tmp_path / "place", template=tmp_path / "made.j2"))
    played = _run(tmp_path, "ansible-playbook", *ansible, str(tmp_path / "play.yml"))
    assert played.returncode == 0, played.stdout + played.stderr
    assert (tmp_path / "place" / "copied").read_text() == "copied\n"
    assert (tmp_path / "place" / "copied").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "place" / "made").read_text() == "by robot+web-1\n"


def test_a_script_on_standard_input_is_for_whom_policy_names(scene: SshScene) -> None:
    script = b"echo one; echo $((40 + 2))\n"
    refused = scene.ssh("adam", "bash -s", stdin=script)
    assert (refused.returncode, refused.stdout) == (126, b"")
    assert refused.stderr.startswith(b"interpose: ")
    permitted = scene.ssh("erin", "bash -s", stdin=script)
    assert (permitted.returncode, permitted.stdout) == (0, b"one\n42\n"), permitted.stderr


@pytest.mark.parametrize(
    "command",
    [
        "mosh-server new -s -c 256 -l LANG=C.UTF-8",
        "tmux attach || tmux new",
        "nc -l 80",
        # What `sftp -s` starts: files past the rules about files.
        "/usr/lib/openssh/sftp-server",
    ],
)
@pytest.mark.parametrize("person", ["olga", "adam"])
def test_what_would_open_another_way_in_is_refused_readably(scene: SshScene, command: str, person: str) -> None:
    done = scene.ssh(person, command)
    assert done.returncode == 126
    assert done.stderr.startswith(b"interpose: ")
    assert done.stderr.count(b"\n") == 1


def test_ssh_copy_id_puts_no_key_on_the_host_and_says_why(scene: SshScene, tmp_path: Path) -> None:
    key = make_key(tmp_path / "own")
    settings = [f"-o{each}" for each in (f"UserKnownHostsFile={scene.known_hosts}", "GlobalKnownHostsFile=/dev/null")]
    command = ["ssh-copy-id", "-f", "-i", str(key) + ".pub", "-p", str(scene.port), *settings, scene.target("adam")]
    (tmp_path / ".ssh").mkdir(mode=0o700)
    # The home folder of the host's account is that of whoever runs the tests: it is only looked at.
    keys = Path(f"~{scene.server.user}/.ssh/authorized_keys").expanduser()
    before = keys.read_bytes() if keys.exists() else b""
    environment = {**scene.environment("adam"), "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=90)
    assert b"interpose: " in done.stderr
    assert (keys.read_bytes() if keys.exists() else b"") == before
    assert scene.events("command.decided", kind="exec", decision="forbid")


def test_the_audit_chain_of_all_this_is_whole(scene: SshScene) -> None:
    assert scene.ssh("olga", "mosh-server").returncode == 126
    assert scene.events("command.decided", decision="forbid")
    assert scene.verify().returncode == 0

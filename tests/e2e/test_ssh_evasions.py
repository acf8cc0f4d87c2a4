"""The corpus of evasions on a real host: under the example policy none runs, and whoever tries one is told why.

The host's account runs what reaches it in a jail and notes it. So a command that came through would harm a canary there, and nothing of the machine.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.support.jail import why_not
from tests.support.scene import until
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed"),
    pytest.mark.skipif(bool(why_not()), reason="no jail can be made here"),
]

_ROOT = Path(__file__).parents[2]
_EVASIONS = _ROOT / "tests" / "corpus" / "shell" / "evasions.yaml"
_PRINCIPALS = """\
principals:
  - {name: olga, kind: user, groups: [operators]}
  - {name: adam, kind: user, groups: [admins]}
  - {name: robot, kind: service, groups: [automation]}
"""
_ACCOUNT = """\
import json, os, sys
sys.path.insert(0, {root!r})
from tests.support.jail import harms
command = os.environ.get("SSH_ORIGINAL_COMMAND", "")
harmed, printed = harms(command)
with open({notes!r}, "a") as notes:
    notes.write(json.dumps([command, harmed]) + "\\n")
print(printed, end="")
sys.exit(42 if harmed else 0)
"""


class Host:
    """A gateway with the example policy, before a host whose account runs what it is given in a jail."""

    def __init__(self, scene: SshScene, notes: Path) -> None:
        self.scene = scene
        self._notes = notes

    def ran(self) -> list[tuple[str, bool]]:
        """What reached the host since the last look, and whether it harmed."""
        found = [json.loads(line) for line in self._notes.read_text().splitlines()] if self._notes.exists() else []
        self._notes.unlink(missing_ok=True)
        return [(command, harmed) for command, harmed in found]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("host")
    account, notes = folder / "account.py", folder / "notes"
    account.write_text(_ACCOUNT.format(root=str(_ROOT), notes=str(notes)))
    more = f"ForceCommand {shlex.join([sys.executable, str(account)])}"
    with (
        SshServer(folder / "sshd", more=more) as server,
        SshScene(server, policy=_ROOT / "examples" / "ssh", principals=_PRINCIPALS, labels={"team": "web"}) as scene,
    ):
        # INVARIANT: before anything is sent that could harm, the account is seen to be jailed: root in there is nobody out here.
        jailed = server.ssh("cat /proc/self/uid_map; cat /etc/canary").stdout.split()
        assert jailed == [b"0", b"65534", b"1", b"alive"], jailed
        notes.unlink()
        yield Host(scene, notes)


def _evasions() -> list[str]:
    families = YAML(typ="safe").load(_EVASIONS.read_text(encoding="utf-8"))
    entries = [entry for entries in families.values() for entry in entries]
    return list(dict.fromkeys(entry["command"] if isinstance(entry, dict) else entry for entry in entries))


def test_what_is_permitted_reaches_the_host_and_the_host_tells_harm(host: Host) -> None:
    """The control: without it, a host that runs nothing would pass the test below."""
    assert host.scene.ssh("olga", "cat /etc/canary").stdout == b"alive"
    assert host.scene.ssh("robot", "rm -f /etc/canary").returncode == 42
    assert host.ran() == [("cat /etc/canary", False), ("rm -f /etc/canary", True)]


@pytest.mark.parametrize("person", ["olga", "adam"])
def test_no_evasion_runs_and_each_is_refused_in_words(host: Host, person: str, tmp_path: Path) -> None:
    control = ("-o", f"ControlPath={tmp_path}/mux")
    host.scene.start_ssh(person, options=(*control, "-o", "ControlMaster=yes", "-N"))
    until((tmp_path / "mux").exists, 60, "the master")
    arguments = [*host.scene.arguments(*control, "-o", "ControlMaster=no"), host.scene.target(person)]

    def attempt(command: str) -> tuple[str, subprocess.CompletedProcess[bytes]]:
        return command, subprocess.run([*arguments, command], stdin=subprocess.DEVNULL, capture_output=True, timeout=90)

    # Not more at once than there may be channels on one connection.
    with ThreadPoolExecutor(8) as pool:
        attempts = list(pool.map(attempt, _evasions()))
    assert len(attempts) > 350
    assert host.ran() == []
    for command, done in attempts:
        assert (done.returncode, done.stdout) == (126, b""), (command, done.stderr)
        assert done.stderr.startswith(b"interpose: "), command
        assert done.stderr.count(b"\n") == 1, command
        assert b" - " in done.stderr, f"{command}: {done.stderr!r} does not say what to do"
    # The connection has survived all of them, and each was judged in the one session.
    assert b"alive" in attempt("cat /etc/canary")[1].stdout
    refused = host.scene.events("command.decided", kind="exec", decision="forbid")
    assert len({event["session"] for event in refused}) <= 2
    assert host.ran() == [("cat /etc/canary", False)]

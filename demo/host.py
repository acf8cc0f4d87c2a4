"""The demo's host: a real sshd on loopback, for show. Its account runs a few commands that only look, and nothing else, whatever reaches it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.support.sshd import SSHD, SshServer, have_sshd, quiet, with_password

HOST: Final = "web-1"
OPERATORS: Final = ("olga", "otto")
LOOKS: Final = ("uptime", "df -h /", "id", "head -n 2 /etc/os-release", "ls /var/log")
RESTART: Final = "systemctl restart nginx"

# INVARIANT: nothing that a visitor of the demo types is run on their machine, even if policy let it through.
_ONLY_FOR_SHOW: Final = """\
#!/bin/sh
case $SSH_ORIGINAL_COMMAND in
{looks}
  "{restart}") echo "nginx: restarted (not really: this host is for show)" ;;
  *) echo "this host is for show, it does not run: $SSH_ORIGINAL_COMMAND" >&2; exit 1 ;;
esac
"""


def host_available() -> bool:
    """Whether OpenSSH's server and client are installed."""
    return have_sshd()


def start_host() -> SshServer:
    """An sshd that answers to the gateway's key only; raises `RuntimeError` when it does not start."""
    server = SshServer(more="DisableForwarding yes")
    script = server.folder / "for-show.sh"
    looks = "\n".join(f'  "{command}") exec {command} ;;' for command in LOOKS)
    script.write_text(_ONLY_FOR_SHOW.format(looks=looks, restart=RESTART))
    with server.config.open("a") as config:
        config.write(f"ForceCommand /bin/sh {script}\n")
    return server.start()


def add_policy(example: Path, policy: Path) -> None:
    """Put the example policy for hosts beside another one in the same folder."""
    (policy / "hosts").mkdir()
    for path in example.glob("*.cedar"):
        shutil.copy(path, policy / "hosts")
    for path in (example / "tests").iterdir():
        shutil.copy(path, policy / "tests" / f"hosts-{path.name}")


class Ssh:
    """The real client, as somebody who trusts the gateway's host key and has an access token."""

    def __init__(self, folder: Path, port: int, gateway_key: Path) -> None:
        """`gateway_key` is the gateway's private host key, of which its public half is shown to the client."""
        self._folder = folder
        self._port = port
        shown = subprocess.run(["ssh-keygen", "-y", "-f", str(gateway_key)], check=True, capture_output=True, text=True)
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text(f"[127.0.0.1]:{port} {shown.stdout}")

    def arguments(self, actor: str) -> list[str]:
        """The client's words before the command."""
        return ["ssh", "-F", "none", "-p", str(self._port), *quiet(self.known_hosts), f"{actor}+{HOST}@127.0.0.1"]

    def environment(self, token: str) -> dict[str, str]:
        """In which the client's question for a password is answered with the token."""
        return with_password(self._folder, token)

    def line(self, actor: str) -> str:
        """What a person pastes; the password that it asks for is their token."""
        return f"ssh -p {self._port} -o UserKnownHostsFile={self.known_hosts} {actor}+{HOST}@127.0.0.1"


MISSING: Final = f"no {SSHD} here, so the part on SSH is left out: `apt-get install openssh-server` brings it"

"""A real OpenSSH server with keys and a configuration of its own, and the real client, for tests.

Debian's `openssh-server` must be installed; the server runs in the foreground, on loopback, as whoever runs the tests.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.gateway import free_port

_CONFIG: Final = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
StrictModes no
UsePAM no
UseDNS no
LogLevel VERBOSE
PrintMotd no
PrintLastLog no
MaxStartups 500
MaxSessions 100
PermitUserRC no
AcceptEnv *
AllowTcpForwarding yes
AllowStreamLocalForwarding yes
AllowAgentForwarding yes
GatewayPorts clientspecified
Subsystem sftp internal-sftp
{more}
"""

SSHD: Final = "/usr/sbin/sshd"


def have_sshd() -> bool:
    """Whether OpenSSH's server and client are installed."""
    return os.path.exists(SSHD) and shutil.which("ssh") is not None


def make_key(path: Path, kind: str = "ed25519") -> Path:
    """A new key pair without a passphrase; answers the private key's file."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "test", "-f", str(path)], check=True)
    return path


class SshServer:
    """One `sshd`, to which `key` opens the account of whoever runs the tests.

    `host_key` is its public key as a configuration pins it. The user's own shell reads no start files: `home` is an empty folder.
    """

    def __init__(self, folder: Path | None = None, *, more: str = "", log_level: str = "VERBOSE") -> None:
        """Make keys and configuration; nothing runs yet. `more` are further lines of sshd_config."""
        self.folder = folder or Path(tempfile.mkdtemp(prefix="interpose-sshd-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.user = getpass.getuser()
        self.log = self.folder / "sshd.log"
        self.home = self.folder / "home"
        self.home.mkdir(exist_ok=True)
        make_key(self.folder / "host_key")
        self.key = make_key(self.folder / "user_key")
        shutil.copy(self.folder / "user_key.pub", self.folder / "authorized_keys")
        self.config = self.folder / "sshd_config"
        # The account's own start files would run at every login, and take a lock that a killed one leaves behind. sshd takes one SetEnv.
        home = f"SetEnv HOME={self.home} "
        more = more.replace("SetEnv ", home) if "SetEnv " in more else f"{home}\n{more}"
        text = _CONFIG.format(port=self.port, folder=self.folder, more=more)
        self.config.write_text(text.replace("LogLevel VERBOSE", f"LogLevel {log_level}"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host_key(self) -> str:
        """Type and base64 of the host's public key."""
        return " ".join((self.folder / "host_key.pub").read_text().split()[:2])

    @property
    def running(self) -> bool:
        """Whether the listening process lives."""
        return self._process is not None and self._process.poll() is None

    def connection(self, *, secret: str = "", **more: object) -> dict[str, object]:
        """What a configuration says of this server as an upstream; the private key is read from its file."""
        return {
            "protocol": "ssh",
            "address": f"127.0.0.1:{self.port}",
            "secret": secret or f"file:{self.key}",
            "options": {"user": self.user, "host_key": self.host_key},
            **more,
        }

    def start(self, timeout: float = 30.0) -> Self:
        """Start and wait until it greets; raises `RuntimeError` with its log when it does not."""
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                    if probe.recv(4) == b"SSH-":
                        return self
            except OSError:
                time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"sshd did not start:\n{self.log.read_text(errors='replace')[-4000:]}")

    def children(self) -> list[int]:
        """The process ids of everything that runs for logins: descendants of the listening process."""
        if self._process is None:
            return []
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
        found: list[int] = []
        waiting = [self._process.pid]
        while waiting:
            below = parents.get(waiting.pop(), [])
            found += below
            waiting += below
        return found

    def cut(self) -> None:
        """Kill what serves logins and leave the listening process: upstreams that die in the middle."""
        for pid in self.children():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def kill(self) -> None:
        """Kill everything; idempotent."""
        if self._process is None:
            return
        self.cut()
        self._process.kill()
        self._process.wait()
        self._process = None
        for pid in self._left_behind():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _left_behind(self) -> list[int]:
        """Programs whose login was cut: nobody's children, and some would run for ever."""
        mark = re.compile(rb"(?:^|\0)SSH_CONNECTION=127\.0\.0\.1 [0-9]+ 127\.0\.0\.1 %d(?:\0|$)" % self.port)
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    environment = (entry / "environ").read_bytes()
                except OSError:
                    continue
                if mark.search(environment):
                    found.append(int(entry.name))
        return found

    def close(self) -> None:
        """Kill everything and remove the folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ssh(
        self, *command: str, options: tuple[str, ...] = (), stdin: bytes = b"", timeout: float = 60
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the real client straight to this server, past any gateway."""
        arguments = ["ssh", "-F", "none", "-p", str(self.port), "-i", str(self.key), *self.client_options(), *options]
        return subprocess.run(
            [*arguments, f"{self.user}@127.0.0.1", *command], input=stdin, capture_output=True, timeout=timeout
        )

    def client_options(self) -> list[str]:
        """The real client's options that make it trust this server and ask nobody anything."""
        known = self.folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{self.port} {self.host_key}\n")
        return [*quiet(known), "-o", "IdentitiesOnly=yes"]

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop and remove everything."""
        self.close()


def quiet(known_hosts: Path) -> list[str]:
    """Options of the real client for tests: no prompts but for passwords, no files of whoever runs them."""
    return [
        "-o",
        f"UserKnownHostsFile={known_hosts}",
        "-o",
        "GlobalKnownHostsFile=/dev/null",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "LogLevel=ERROR",
    ]


def with_password(folder: Path, password: str, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which the real client asks a program for the password, and gets this one."""
    answer = folder / "askpass.sh"
    answer.write_text('#!/bin/sh\nprintf "%s\\n" "$INTERPOSE_TEST_PASSWORD"\n')
    answer.chmod(0o700)
    return {
        **(environment if environment is not None else os.environ),
        "INTERPOSE_TEST_PASSWORD": password,
        "SSH_ASKPASS": str(answer),
        "SSH_ASKPASS_REQUIRE": "force",
        "DISPLAY": "none:0",
        "SSH_AUTH_SOCK": "",
    }

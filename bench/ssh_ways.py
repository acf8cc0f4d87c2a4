"""The ways to one sshd: directly, through a bare relay, and through gateways with a key, a token and a certificate."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.gateway import GatewayProcess, free_port
from tests.support.sshd import SshServer, make_key, quiet, with_password

_POLICY = """\
@id("bench-everybody")
permit (principal, action, resource);

@id("bench-no-removal-of-everything")
forbid (principal, action == Action::"remove_file", resource is Path) when { resource.path == "/" };
"""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the host: what the client is started with, and the process in between, when there is one."""

    name: str
    port: int
    user: str
    options: tuple[str, ...]
    pid: int = 0
    environment: Mapping[str, str] | None = None

    @property
    def target(self) -> str:
        """User and host."""
        return f"{self.user}@127.0.0.1"

    def ssh(self, command: str, more: Sequence[str] = ()) -> list[str]:
        """The command line of `ssh`; without a command it asks for a shell."""
        return [
            "ssh",
            "-F",
            "none",
            "-p",
            str(self.port),
            *self.options,
            *more,
            self.target,
            *([command] if command else []),
        ]

    def scp(self, source: str, target: str) -> list[str]:
        """The command line of `scp`."""
        return ["scp", "-q", "-F", "none", "-P", str(self.port), *self.options, source, target]

    def sftp(self, *arguments: str) -> list[str]:
        """The command line of `sftp`."""
        return ["sftp", "-q", "-F", "none", "-P", str(self.port), *self.options, *arguments]

    def cpu(self) -> float:
        """Seconds of processor time that the process in between has taken so far."""
        if not self.pid:
            return 0.0
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def master(self, folder: Path) -> Master:
        """An open connection for others to go through."""
        return Master(self, folder / f"{self.port}.mux")


class Master:
    """An open connection of the real client."""

    def __init__(self, way: Way, path: Path) -> None:
        """Open it and wait until it is."""
        self.options = ("-o", f"ControlPath={path}")
        self._process = subprocess.Popen(
            way.ssh("", (*self.options, "-M", "-N")), stdin=subprocess.DEVNULL, env=way.environment
        )
        while not path.exists():
            if self._process.poll() is not None:
                raise RuntimeError(f"{way.name} did not let the client in")
            time.sleep(0.01)

    def close(self) -> None:
        """Close it."""
        self._process.terminate()
        self._process.wait()


@dataclass(frozen=True, slots=True)
class Field:
    """All ways, the file that is copied and where to. `everything` is a gateway that keeps all of what goes through, not only its beginning."""

    folder: Path
    data: Path
    sink: Path
    direct: Way
    relay: Way
    interpose: Way
    everything: Way
    token: Way
    certificate: Way


@contextmanager
def field(megabytes: int) -> Iterator[Field]:
    """Start everything on loopback, and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="interpose-bench-ssh-"))
    data = folder / "data"
    with data.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(2**20))
    key = make_key(folder / "key")
    known = folder / "known_hosts"
    started: list[GatewayProcess] = []
    bare: subprocess.Popen[bytes] | None = None
    try:
        with SshServer(folder / "sshd", log_level="ERROR") as server:
            known.write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n")
            own = (*quiet(known), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-i")
            direct = Way("direct", server.port, server.user, (*own, str(server.key)))
            bare, port = _bare(folder, server, known)
            relay = Way("bare relay", port, "anybody", (*own, str(key)), bare.pid)
            gateways = []
            for name, cap in (("gateway", "256KiB"), ("everything", "64GiB")):
                gateway, port = _gateway(folder / name, server, key, cap)
                started.append(gateway)
                gateway.start(timeout=90)
                with known.open("a") as file:
                    file.write(f"[127.0.0.1]:{port} {_public(gateway.state / 'ssh_host_key')}\n")
                gateways.append((gateway, port))
            (gateway, port), (whole, other) = gateways
            user = "alice+bench"
            certificate = folder / "certified"
            issued = ("credential", "issue", "--ssh", "--out", str(certificate))
            gateway.interpose(*issued, token=gateway.token("alice"))
            password = (*quiet(known), "-o", "PreferredAuthentications=password")
            yield Field(
                folder,
                data,
                folder / "sink",
                direct,
                relay,
                Way("interpose", port, user, (*own, str(key)), gateway.pid),
                Way("interpose, all recorded", other, user, (*own, str(key)), whole.pid),
                Way(
                    "interpose, token", port, user, password, gateway.pid, with_password(folder, gateway.token("alice"))
                ),
                Way("interpose, certificate", port, user, (*own, str(certificate / "id")), gateway.pid),
            )
    finally:
        if bare is not None:
            bare.kill()
            bare.wait()
        for gateway in started:
            gateway.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _bare(folder: Path, server: SshServer, known: Path) -> tuple[subprocess.Popen[bytes], int]:
    port, host_key = free_port(), make_key(folder / "relay_key")
    with known.open("a") as file:
        file.write(f"[127.0.0.1]:{port} {_public(host_key)}\n")
    arguments = [str(port), str(server.port), server.user, str(server.key), str(host_key)]
    process = subprocess.Popen([sys.executable, "-m", "bench.ssh_relay", *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError("the bare relay did not come up")
    return process, port


def _gateway(folder: Path, server: SshServer, key: Path, cap: str) -> tuple[GatewayProcess, int]:
    port = free_port()
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    gateway = GatewayProcess(
        folder,
        {"bench": server.connection()},
        policy={"bench.cedar": _POLICY},
        principals=f"principals:\n  - {{name: alice, kind: user, ssh_keys: ['{public}']}}\n",
        settings={
            "listeners": [{"protocol": "ssh", "address": f"127.0.0.1:{port}"}],
            "recording": {"result_cap": cap},
            "limits": {"sessions": 2000, "sessions_per_principal": 2000},
        },
    )
    return gateway, port


def _public(private: Path) -> str:
    shown = subprocess.run(["ssh-keygen", "-y", "-f", str(private)], check=True, capture_output=True, text=True)
    return " ".join(shown.stdout.split()[:2])

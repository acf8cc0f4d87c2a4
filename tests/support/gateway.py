"""A real gateway in processes of its own, as an operator runs it: used by live tests, the demo and the benchmarks.

Knows the command line and the configuration file, nothing of the gateway's inside.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ALLOW_ALL = '@id("allow-all")\npermit (principal, action, resource);\n'
"""A policy that permits everything, `unknown` included: for measuring what the gateway itself changes."""

EVERYBODY = """\
principals:
  - {name: alice, kind: user, groups: [support]}
  - {name: bob, kind: user, groups: [developers]}
  - {name: carol, kind: user, groups: [dba]}
  - {name: dave, kind: user, groups: [support, pii-readers]}
  - {name: shopbot, kind: agent, groups: [agents], acting_for: bob}
"""


_PORTS: Final = range(12_000, 32_000)
"""Below the ports that the system gives to clients: one that is free now is not taken by somebody's connection a moment later."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on; two processes hardly ever try the same one."""
    for _ in range(1000):
        port = secrets.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("there is no free port")


class GatewayProcess:
    """One `interpose serve` with its own configuration folder.

    `connections` maps names to YAML mappings as in the configuration file. `environment` carries upstream credentials.
    """

    def __init__(
        self,
        folder: Path,
        connections: Mapping[str, Mapping[str, object]],
        *,
        policy: Path | Mapping[str, str] | None = None,
        principals: str = EVERYBODY,
        environment: Mapping[str, str] | None = None,
        settings: Mapping[str, object] | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        state: Path | None = None,
    ) -> None:
        """Write the configuration; nothing runs yet. Without TLS files, plaintext tokens are allowed (loopback)."""
        self.folder = folder
        self.port = free_port()
        self.admin_port = free_port()
        self.config = folder / "interpose.yaml"
        self.state = state or folder / "state"
        self.log = folder / "gateway.log"
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.policy = folder / "policy"
        if isinstance(policy, Path):
            shutil.copytree(policy, self.policy)
        else:
            self.policy.mkdir()
            for name, text in (policy or {"allow-all.cedar": ALLOW_ALL}).items():
                (self.policy / name).write_text(text)
        (folder / "principals.yaml").write_text(principals)
        listener: dict[str, object] = {"protocol": "postgres", "address": f"127.0.0.1:{self.port}"}
        if certificate is not None:
            listener["tls"] = {"certificate": str(certificate), "key": str(key)}
        else:
            listener["allow_plaintext_tokens"] = True
        self.settings: dict[str, object] = {
            "state": str(self.state),
            "policy": "policy",
            "principals": "principals.yaml",
            "listeners": [listener],
            "admin": {"address": f"127.0.0.1:{self.admin_port}"},
            "connections": {name: dict(connection) for name, connection in connections.items()},
            **(settings or {}),
        }
        self.write()

    def write(self) -> None:
        """Write `settings` to the configuration file (JSON is YAML)."""
        self.config.write_text(json.dumps(self.settings, indent=2))

    @property
    def pid(self) -> int:
        """The process id of the supervisor."""
        assert self._process is not None, "the gateway is not running"
        return self._process.pid

    def start(self, timeout: float = 20.0) -> None:
        """Start and wait until it is ready; raises `RuntimeError` with the log when it does not come up."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "interpose", "serve", "--config", str(self.config)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the gateway did not get ready:\n{self.log.read_text(errors='replace')[-4000:]}")

    def stop(self, timeout: float = 15.0) -> int:
        """SIGTERM, wait, and answer the exit status; kills it after the timeout."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            self._process = None

    def kill(self) -> None:
        """`kill -9` of the supervisor and every worker."""
        if self._process is not None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._process.wait()
            self._process = None

    def interpose(
        self, *arguments: str, token: str | None = None, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run the `interpose` command against this gateway; raises `RuntimeError` with its output when it fails."""
        environment = {**self._environment, "INTERPOSE_CONFIG": str(self.config), "NO_COLOR": "1", "COLUMNS": "160"}
        environment["INTERPOSE_SERVER"] = f"http://127.0.0.1:{self.admin_port}"
        if token is not None:
            environment["INTERPOSE_TOKEN"] = token
        result = subprocess.run(
            [sys.executable, "-m", "interpose", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            input=stdin,
            timeout=60,
            check=False,
        )
        if check and result.returncode != 0:
            raise RuntimeError(f"interpose {' '.join(arguments)} failed:\n{result.stdout}{result.stderr}")
        return result

    def token(self, principal: str, *options: str) -> str:
        """A new access token for this principal."""
        return self.interpose("token", "create", principal, "--quiet", *options).stdout.strip()

    def psql_environment(self, principal: str, token: str, connection: str) -> dict[str, str]:
        """The libpq environment with which unmodified clients reach a connection through the gateway."""
        return {
            **self._environment,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": principal,
            "PGPASSWORD": token,
            "PGDATABASE": connection,
            "PSQLRC": "/dev/null",
            "PAGER": "",
        }

    def psql(
        self,
        principal: str,
        token: str,
        connection: str,
        *commands: str,
        options: tuple[str, ...] = (),
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run the real psql with `-c` for each command and answer what it printed."""
        arguments = ["psql", "-X", *options]
        for command in commands:
            arguments += ["-c", command]
        return subprocess.run(
            arguments,
            capture_output=True,
            text=True,
            env=self.psql_environment(principal, token, connection),
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

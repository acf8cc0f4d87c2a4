"""npm's oidc-provider in a process of its own, changed while it runs by its control port.

Knows node, npm and the control port; what it issues is the provider's own business. The packages are installed once, by
`npm ci`, beside the lock file.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pytest

_FOLDER: Final = Path(__file__).parent
_MODULES: Final = _FOLDER / "node_modules"


def install() -> None:
    """Install what the lock file names, once for all processes. Without node, tests are skipped; in CI they fail."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        said = "node and npm are not installed: the tests against a real OpenID provider cannot run (on Debian: apt-get install nodejs npm)"
        if os.environ.get("CI"):
            pytest.fail(said, pytrace=False)
        pytest.skip(said)
    wanted = (_FOLDER / "package-lock.json").read_text()
    stamp = _MODULES / ".interpose-lock"
    with (Path(tempfile.gettempdir()) / f"interpose-npm-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
            cwd=_FOLDER,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode != 0:
            raise RuntimeError(f"npm ci failed in {_FOLDER}:\n{done.stderr}")
        stamp.write_text(wanted)


class IdentityProvider:
    """One running provider. `issuer` is its URL, and stays the same to its end; it listens at `port`, which a proxy may stand before."""

    def __init__(self, *, authority: Path | None = None, **settings: object) -> None:
        """`settings` as in provider.mjs. `authority` (PEM) signs the certificates of those to whom the provider speaks."""
        self._settings = settings
        self._environment = {**os.environ} | ({} if authority is None else {"NODE_EXTRA_CA_CERTS": str(authority)})
        self._folder = Path(tempfile.mkdtemp(prefix="interpose-provider-"))
        self._process: subprocess.Popen[str] | None = None
        self.issuer = ""
        self.port = 0
        self._control = ""

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        install()
        file = self._folder / "settings.json"
        file.write_text(json.dumps(self._settings))
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                ["node", str(_FOLDER / "provider.mjs"), str(file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        # Some of the library's advice goes to standard output as well.
        while line and not line.startswith('{"issuer"'):
            line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise RuntimeError(f"the provider did not start:\n{self.log()}")
        told = json.loads(line)
        self.issuer, self.port, self._control = told["issuer"], told["port"], told["control"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def log(self) -> str:
        """What it said on standard error."""
        return (self._folder / "log").read_text(errors="replace")

    def change(self, **settings: object) -> None:
        """Lay these over the settings; keys and grants stay."""
        self._told("POST", "/settings", settings)

    def rotate(self, *, keep: int = 0, algorithm: str | None = None) -> str:
        """Sign with a new key from now on; `keep` of the old ones stay published. Answers the new key's id."""
        asked = {"keep": keep} | ({} if algorithm is None else {"algorithm": algorithm})
        return str(self._told("POST", "/rotate", asked)["kid"])

    def mode(self, mode: str, **more: object) -> None:
        """How it answers from now on: `up`, `down`, `error`, `hang`, `slow`, `huge` or `redirect`."""
        self._told("POST", "/mode", {"mode": mode, **more})

    def keys(self) -> list[dict[str, Any]]:
        """Its private keys, the one that signs first."""
        keys: list[dict[str, Any]] = self._told("GET", "/keys")["keys"]
        return keys

    def requests(self, *, forget: bool = False) -> dict[str, int]:
        """How often each path was asked for; `forget` begins to count anew."""
        counted: dict[str, int] = self._told("GET", "/requests")
        if forget:
            self._told("POST", "/requests")
        return counted

    def client_token(self, client: str, secret: str, resource: str, **more: str) -> str:
        """An access token by the client credentials grant (RFC 6749 §4.4) for a resource (RFC 8707)."""
        form = {"grant_type": "client_credentials", "resource": resource, **more}
        form |= {"client_id": client, "client_secret": secret}
        request = urllib.request.Request(f"{self.issuer}/token", urllib.parse.urlencode(form).encode())
        return str(_answer(request)["access_token"])

    def _told(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        data = None if method == "GET" else json.dumps(body or {}).encode()
        return _answer(urllib.request.Request(f"{self._control}{path}", data, method=method))


def _answer(request: urllib.request.Request) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            found: dict[str, Any] = json.loads(response.read())
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{request.full_url} answered {error.code}: {error.read().decode()}") from error
    return found

"""A gateway for SSH in front of a real sshd: everything a test of SSH through the gateway needs.

The connections: `web-1` (policy), `strict` (the same, durable to the disk), `held` (what is run there waits for `oncall`), `no-shell`, `down`
(nobody listens), `detected` (content is looked for, and e-mail addresses and card numbers are hidden), `misnamed` (another host key is pinned), `no-credential` (sshd refuses it). Mallory may connect, and do nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from interpose.recording.channel_frames import StreamName
from interpose.recording.timeline import Streamed, TimelineEvent
from interpose.store.files.reading import RecordedSessions
from tests.support.access_tokens import make_token
from tests.support.empty_store import give_empty_store
from tests.support.gateway import GatewayProcess, free_port
from tests.support.scene import until
from tests.support.sshd import SshServer, make_key, quiet, with_password

PRINCIPALS: Final = """\
principals:
  - {name: alice, kind: user, groups: [ops]}
  - {name: bob, kind: user, groups: [ops]}
  - {name: carol, kind: user, groups: [oncall, auditors]}
  - {name: mallory, kind: user, groups: [strangers]}
"""

POLICY: Final = """\
@id("everything-for-ops")
permit (principal in Group::"ops", action, resource);

@id("addresses-and-cards-are-hidden")
forbid (principal in Group::"ops", action == Action::"reveal", resource) when { resource in DataClass::"pii.email" || resource in DataClass::"pci.card" };

@id("strangers-come-in")
permit (principal in Group::"strangers", action == Action::"connect", resource);

@id("oncall-looks")
@approval("oncall")
@reason("what runs there is looked at")
forbid (principal, action in [Action::"exec", Action::"exec_dynamic", Action::"shell"], resource in Connection::"held");

@id("no-shells")
@reason("shells are not opened there")
@hint("give the command on the command line")
forbid (principal, action in [Action::"shell", Action::"managed_shell"], resource in Connection::"no-shell");

@id("auditors-look")
permit (principal in Group::"auditors", action in Action::"gateway", resource);

@id("oncall-approves")
permit (principal in Group::"oncall", action == Action::"approve", resource);

@id("no-secrets-in-the-environment")
@reason("this variable is not let through")
forbid (principal, action == Action::"set_env", resource in Connection::"web-1") when { context has env_name && context.env_name == "FORBIDDEN" };
"""


CLASSIFICATIONS: Final = """\
data_classes:
  pii.email: {description: e-mail addresses, mask: redact}
  pci.card: {description: card numbers, mask: redact}
"""


class SshScene:
    """One gateway in front of one sshd. `settings` win over the scene's own; `policy` (a text, or a folder to copy) over its policy."""

    def __init__(
        self,
        server: SshServer,
        *,
        policy: str | Path = POLICY,
        labels: Mapping[str, str] | None = None,
        settings: Mapping[str, object] | None = None,
        principals: str = PRINCIPALS,
        state: Path | None = None,
    ) -> None:
        """Write the configuration; nothing runs yet. `state` is where the gateway keeps its state, when that matters."""
        self.server = server
        self.folder = Path(tempfile.mkdtemp(prefix="interpose-ssh-"))
        self.port = free_port()
        other = make_key(self.folder / "other_host_key")
        self.other_key = make_key(self.folder / "other_user_key")
        pinned = " ".join(other.with_suffix(".pub").read_text().split()[:2])
        connection = server.connection(labels={"env": "prod", **(labels or {})})
        own = {"ssh.cedar": policy, "classifications.yaml": CLASSIFICATIONS} if isinstance(policy, str) else policy
        self.gateway = GatewayProcess(
            self.folder / "gateway",
            {
                "web-1": connection,
                "strict": {**connection, "durability": "strict"},
                "held": connection,
                "no-shell": connection,
                "detected": {**connection, "detect_content": True},
                "down": {**connection, "address": f"127.0.0.1:{free_port()}"},
                "misnamed": {**connection, "options": {"user": server.user, "host_key": pinned}},
                "no-credential": {**connection, "secret": f"file:{self.other_key}"},
            },
            policy=own,
            principals=principals,
            state=state,
            settings={"listeners": [{"protocol": "ssh", "address": f"127.0.0.1:{self.port}"}], **(settings or {})},
        )
        if state is None:
            give_empty_store(self.gateway.state)
        self.known_hosts = self.folder / "known_hosts"
        self._tokens: dict[str, str] = {}
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Start the gateway, and trust its host key."""
        try:
            self.gateway.start(timeout=90)  # two busy cores
            self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {self.host_key}\n* {self.host_key}\n")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop and remove everything."""
        self.close()

    def close(self) -> None:
        """Stop the gateway and remove its files. Idempotent."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self._started.clear()
        self.gateway.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def host_key(self) -> str:
        """The gateway's public host key, type and base64."""
        private = self.gateway.state / "ssh_host_key"
        shown = subprocess.run(["ssh-keygen", "-y", "-f", str(private)], check=True, capture_output=True, text=True)
        return " ".join(shown.stdout.split()[:2])

    # People

    def token(self, principal: str) -> str:
        """This person's token, made the first time that it is asked for."""
        if principal not in self._tokens:
            self._tokens[principal] = self.new_token(principal)[1]
        return self._tokens[principal]

    def new_token(self, principal: str, expires: str = "1h") -> tuple[str, str]:
        """The id and the text of another token. In a thread of its own: a test may have an event loop in this one."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(make_token, self.gateway.config, principal, expires).result()

    # The real client

    def environment(self, principal: str, token: str = "") -> dict[str, str]:
        """In which the real client's question for a password is answered with the token."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        return with_password(folder, token or self.token(principal))

    def arguments(self, *options: str, program: str = "ssh") -> list[str]:
        """The real client, told to trust the gateway and nothing of whoever runs the tests."""
        port = "-P" if program in ("scp", "sftp") else "-p"
        return [program, "-F", "none", port, str(self.port), *quiet(self.known_hosts), *options]

    def target(self, principal: str, connection: str = "web-1") -> str:
        """`alice+web-1@127.0.0.1`; without a connection just the name."""
        return f"{principal}+{connection}@127.0.0.1" if connection else f"{principal}@127.0.0.1"

    def ssh(
        self,
        principal: str,
        *command: str,
        connection: str = "web-1",
        options: tuple[str, ...] = (),
        stdin: bytes = b"",
        token: str = "",
        timeout: float = 90,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command through the gateway to its end."""
        return subprocess.run(
            [*self.arguments(*options), self.target(principal, connection), *command],
            env=self.environment(principal, token),
            input=stdin,
            capture_output=True,
            timeout=timeout,
        )

    def start_ssh(
        self,
        principal: str,
        *command: str,
        connection: str = "web-1",
        options: tuple[str, ...] = (),
        token: str = "",
        **more: Any,
    ) -> subprocess.Popen[bytes]:
        """Start it in the background with pipes on all three streams; what still runs at the end is killed."""
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        process = subprocess.Popen(
            [*self.arguments(*options), self.target(principal, connection), *command],
            env=self.environment(principal, token),
            bufsize=0,
            **streams,
        )
        self._started.append(process)
        return process

    # The admin API

    def api(self, principal: str, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, Any]:
        """Ask the admin API as this person; answers the status and the decoded body."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.gateway.admin_port}{path}",
            None if method == "GET" else json.dumps(body or {}).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.token(principal)}"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                status, data = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, data = error.code, error.read()
        try:
            return status, json.loads(data)
        except ValueError:
            return status, data.decode()

    def vote(self, principal: str, approval: str, word: str = "approve", comment: str = "") -> tuple[int, Any]:
        """`approve` or `deny` a held command."""
        return self.api(principal, "POST", f"/v1/approvals/{approval}/{word}", {"comment": comment} if comment else {})

    def held(self, requester: str, text: str = "") -> str:
        """The id of the command with this text that waits; waits until there is one."""

        def look() -> str | None:
            _, approvals = self.api(requester, "GET", "/v1/approvals")
            found = [each["id"] for each in approvals["own"] if each["state"] == "pending" and text in each["text"]]
            return found[-1] if found else None

        return until(look, what="a hold") or ""

    # Records

    def events(self, kind: str = "", /, **fields: object) -> list[dict[str, Any]]:
        """The audit events of all chains, of one kind and with these fields when they are given."""
        found = []
        for path in sorted((self.gateway.state / "audit").glob("*.chain"), key=lambda path: path.stat().st_mtime):
            for line in path.read_bytes().split(b"\n")[:-1]:
                event = json.loads(line)
                if (not kind or event["kind"] == kind) and all(event["fields"].get(k) == v for k, v in fields.items()):
                    found.append(event)
        return found

    def sessions(self, query: str = "limit=1000") -> list[dict[str, Any]]:
        """The sessions, newest first, as carol sees them."""
        status, found = self.api("carol", "GET", f"/v1/sessions?{query}")
        assert status == 200, found
        return list(found["sessions"] if isinstance(found, dict) else found)

    def timeline(self, session: str) -> list[TimelineEvent]:
        """What the recording of a session holds."""
        return list(RecordedSessions(self.gateway.state / "recordings").timeline(session))

    def recorded(self, session: str, stream: StreamName) -> bytes:
        """All bytes of one stream, over all channels of a session."""
        return b"".join(
            event.data for event in self.timeline(session) if isinstance(event, Streamed) and event.stream is stream
        )

    def newest(self) -> str:
        """The id of the session that was opened last, once it is in the index."""
        session = str(until(lambda: self.events("session.opened"), what="a session")[-1]["session"])
        until(lambda: any(each["id"] == session for each in self.sessions("limit=20")), what="it in the index")
        return session

    def verify(self) -> subprocess.CompletedProcess[str]:
        """`interpose audit verify`."""
        return self.gateway.interpose("audit", "verify", check=False)


def read_until(process: subprocess.Popen[bytes], text: bytes) -> bytes:
    """What a background client writes to standard error, up to `text`."""
    assert process.stderr is not None
    found = b""
    while text not in found:
        piece = os.read(process.stderr.fileno(), 65536)
        if not piece:
            raise AssertionError(f"ssh ended and never said {text!r}: {found!r}")
        found += piece
    return found

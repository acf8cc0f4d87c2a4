"""What a test needs to log in by an unmodified `ssh` and a browser: a gateway for SSH in front of a real sshd, a provider, the person."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

from tests.support.confirm_scene import ConfirmScene
from tests.support.gateway import free_port
from tests.support.postgres import PostgresServer
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.sshd import SshServer, quiet

OR_ENTER: Final = "or Enter to log in with a browser:"
PRESS: Final = "Press Enter when"
SHOWN: Final = re.compile(r"enter the code ([B-Z]{4}-[B-Z]{4})")

_POLICY: Final = """\
@id("support-works")
permit (principal in Group::"support", action, resource);

@id("dba-keeps-the-gateway")
permit (principal in Group::"dba", action in Action::"gateway", resource);

@id("not-there")
@reason("nobody enters this host")
forbid (principal, action == Action::"connect", resource in Connection::"closed");
"""


class SshBrowserScene(ConfirmScene):
    """The connections `web-1`, and `closed`, which policy lets nobody open."""

    def __init__(
        self, postgres: PostgresServer, server: SshServer, *, browser: str = "offered", **settings: object
    ) -> None:
        """Nothing runs yet."""
        self.server = server
        self.ssh_port = free_port()
        super().__init__(
            postgres,
            listener={"browser_login": browser},
            policy={"ssh.cedar": _POLICY},
            listeners=[{"protocol": "ssh", "address": f"127.0.0.1:{self.ssh_port}"}],
            connections={"web-1": server.connection(), "closed": server.connection()},
            **settings,
        )

    # The client

    def arguments(self, *options: str, connection: str = "web-1", name: str = "zoe", port: int = 0) -> list[str]:
        """The real client, told to trust the gateway's host key; its banner and its own words are shown."""
        known = self.scene.folder / "known_hosts"
        if not known.exists():
            private = str(self.scene.gateway.state / "ssh_host_key")
            shown = subprocess.run(["ssh-keygen", "-y", "-f", private], check=True, capture_output=True, text=True)
            known.write_text(f"* {' '.join(shown.stdout.split()[:2])}\n")
        trust = [each.replace("LogLevel=ERROR", "LogLevel=INFO") for each in quiet(known)]
        at = [f"{name}+{connection}@127.0.0.1"] if connection else [f"{name}@127.0.0.1"]
        return ["ssh", "-F", "none", "-p", str(port or self.ssh_port), *trust, *options, *at]

    def client_file(self) -> str:
        """The same as a configuration file, which a client passes on to the one that it starts for `-J`."""
        path = self.scene.folder / "ssh_config"
        words = self.arguments()
        settings = [words[at + 1].replace("=", " ", 1) for at, word in enumerate(words) if word == "-o"]
        path.write_text("\n".join(settings) + "\n")
        return str(path)

    @staticmethod
    def bare(**more: str) -> dict[str, str]:
        """The environment of somebody without an agent and without a program that asks."""
        left_out = ("SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY", "SSH_AUTH_SOCK")
        return {**{name: value for name, value in os.environ.items() if name not in left_out}, **more}

    def ssh(
        self, *command: str, options: tuple[str, ...] = (), connection: str = "web-1", name: str = "zoe"
    ) -> PseudoTerminal:
        """The client on a terminal."""
        return PseudoTerminal([*self.arguments(*options, connection=connection, name=name), *command], self.bare())

    def terminal(self, arguments: list[str]) -> PseudoTerminal:
        """Any program on a terminal, in the same environment."""
        return PseudoTerminal(arguments, self.bare())

    def without_terminal(
        self, *command: str, options: tuple[str, ...] = ("-T",), port: int = 0, **more: str
    ) -> subprocess.Popen[str]:
        """The client as an editor or a script starts it: in a session of its own, with pipes; `more` is its environment."""
        process = subprocess.Popen(
            [*self.arguments(*options, port=port), *command],
            env=self.bare(**more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.scene.owns(process)
        return process

    def asked_in_a_window(self, folder: Path) -> dict[str, str]:
        """An environment in which prompts go to a program, as editors have them; it writes them to `asked` and presses Enter."""
        program = folder / "askpass"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> {folder}/asked\necho\n')
        program.chmod(0o700)
        return {"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": "none:0"}

    def shown_code(self, terminal: PseudoTerminal) -> str:
        """From the prompt for a token to the code that is shown instead."""
        terminal.wait_for(OR_ENTER)
        terminal.type("\n")
        terminal.wait_for(PRESS)
        found = SHOWN.findall(terminal.seen.replace("\n", " "))
        assert found, terminal.seen
        return str(found[-1])

    def code_in(self, process: subprocess.Popen[str]) -> str:
        """The code that a client without a terminal writes to standard error."""
        assert process.stderr is not None
        seen = ""
        for line in process.stderr:
            seen += line
            if found := SHOWN.search(seen):
                return found[1]
        raise AssertionError(seen)

    # The records

    def upstream_connections(self) -> int:
        """How many connections the host's own log has."""
        return self.server.log.read_text(errors="replace").count("Connection from ")

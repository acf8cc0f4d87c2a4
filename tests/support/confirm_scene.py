"""What a test needs to log in by an unmodified client: the client, the code that it shows, and the person at the browser."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import BrowserContext, Page

from tests.support.postgres import PostgresServer
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.scene import Scene, until
from tests.support.sign_in_scene import SignInScene

ASKING: Final = "-c interpose.login=browser"
CODE: Final = re.compile(r"enter the code ([B-Z]{4}-[B-Z]{4})")


class ConfirmingClients:
    """The clients of a scene that offers logins in a browser, and what people do for them there."""

    scene: Scene

    # The client

    def keywords(self, name: str = "zoe", database: str = "shop", **more: str) -> dict[str, str]:
        """The environment of a client that has no password."""
        environment = self.scene.gateway.psql_environment(name, "", database)
        del environment["PGPASSWORD"]
        return {**environment, "PGPASSFILE": "/nonexistent", **more}

    def psql(
        self, *arguments: str, name: str = "zoe", database: str = "shop", program: str = "", **more: str
    ) -> PseudoTerminal:
        """psql on a terminal."""
        found = program or shutil.which("psql") or "psql"
        return PseudoTerminal([found, "-X", *arguments], self.keywords(name, database, **more))

    def piped(self, *arguments: str, name: str = "zoe", database: str = "shop", **more: str) -> subprocess.Popen[str]:
        """psql without a terminal."""
        process = subprocess.Popen(
            ["psql", "-X", "-w", "-At", *arguments],
            env=self.keywords(name, database, PGOPTIONS=ASKING, **more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.scene.owns(process)
        return process

    def raw(self, name: str = "zoe") -> socket.socket:
        """A connection, without TLS, that has asked for the browser."""
        made = socket.create_connection(("127.0.0.1", self.scene.plain_port))
        body = b"\0\3\0\0user\0%s\0database\0shop\0options\0%s\0\0" % (name.encode(), ASKING.encode())
        made.sendall((len(body) + 4).to_bytes(4, "big") + body)
        return made

    def first_words(self, raw: socket.socket) -> str:
        """What such a connection is told: the notice, or the refusal."""
        raw.settimeout(60)
        seen = b""
        while b"enter the code" not in seen and b"FATAL" not in seen:
            got = raw.recv(4096)
            if not got:
                break
            seen += got
        return seen.decode(errors="replace")

    def code(self, terminal: PseudoTerminal) -> str:
        """The code that a client shows."""
        terminal.wait_for("HINT:")
        found = CODE.findall(terminal.seen)
        assert found, terminal.seen
        return str(found[-1])

    def code_of(self, process: subprocess.Popen[str]) -> str:
        """The same of a client on pipes, read from its standard error."""
        assert process.stderr is not None
        seen = ""
        for line in process.stderr:
            seen += line
            if line.startswith("HINT"):
                break
        found = CODE.search(seen)
        assert found, seen
        return found[1]

    def enter(self, page: Page, code: str) -> str:
        """Type the code and go on; answers what the page says then."""
        page.fill("#code", code)
        with page.expect_navigation():
            page.click("text=Go on")
        return page.inner_text("main")

    def approve(self, page: Page, code: str) -> None:
        """From the code to the end."""
        shown = self.enter(page, code)
        assert "Did you just start this?" in shown, shown
        page.click("text=Yes, let it in as me")
        page.wait_for_selector("text=Done")

    # The records

    def ended(self, reason: str, **fields: object) -> dict[str, Any]:
        """The event of the last login by a browser that ended for this reason, when there is one."""
        found = until(lambda: self.scene.events("login.failed", method="browser", reason=reason, **fields), 30, reason)
        return found[-1]

    def upstream_logins(self) -> int:
        """How many connections of the gateway's role the upstream's own log has."""
        text = Path(self.scene.server.log_path).read_text(errors="replace")
        return len(re.findall(rf"connection authorized: user={self.scene.role} ", text))


class ConfirmScene(ConfirmingClients, SignInScene):
    """The scene of people who sign in, with a listener that offers logins in a browser."""

    def __init__(
        self, postgres: PostgresServer, *, listener: dict[str, object] | None = None, **settings: object
    ) -> None:
        """Nothing runs yet."""
        super().__init__(postgres, listener={"browser_login": "offered", **(listener or {})}, **settings)

    # The person

    def at_the_page(self, context: BrowserContext, login: str = "zoe-1") -> Page:
        """Open the page that the notice names, and sign in."""
        page = self.sign_in(context, login, "/confirm")
        page.wait_for_selector("text=Enter the code of your client")
        return page

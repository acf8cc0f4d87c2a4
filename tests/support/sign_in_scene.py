"""A gateway, a real OpenID provider and a real browser: what a person needs to sign in, as that person would."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.browser import running_browser
from tests.support.counting_proxy import CountingProxy
from tests.support.gateway import free_port
from tests.support.identity_provider.process import IdentityProvider
from tests.support.postgres import PostgresServer
from tests.support.scene import PRINCIPALS, Scene, until

CLIENT_SECRET: Final = "Client-Canary-7Qm1Zx-0123456789-abcdef"
USERS: Final[dict[str, dict[str, object]]] = {
    "zoe-1": {"preferred_username": "zoe", "email": "zoe@example.com", "email_verified": True, "groups": ["support"]},
    "yan-2": {"preferred_username": "yan", "email": "yan@elsewhere.example", "email_verified": True, "groups": []},
    "eve-3": {"preferred_username": "alice", "email": "eve@example.com", "email_verified": True, "groups": ["dba"]},
    "xss-4": {"preferred_username": "<script>alert(1)</script>", "email": "x@example.com", "email_verified": True},
}
GROUPS: Final = ["support", "pii-readers", "dba"]


class Terminals:
    """The terminals of people who use a scene."""

    scene: Scene
    url: str

    def environment(self, home: Path) -> dict[str, str]:
        """The environment of a terminal with a home of its own, whose browser writes down what it was to open."""
        opened = home / "opened"
        script = home / "browser"
        if not script.exists():
            script.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.new\nmv {opened}.new {opened}\n')
            script.chmod(0o700)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("INTERPOSE_")}
        return {
            **kept,
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "BROWSER": str(script),
            "INTERPOSE_CA_FILE": str(self.scene.authority_file),
            "INTERPOSE_SERVER": f"http://127.0.0.1:{self.scene.gateway.admin_port}",
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }

    def start(self, home: Path, *arguments: str) -> subprocess.Popen[str]:
        """Start `interpose` in that terminal."""
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "interpose", *arguments],
            env=self.environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def interpose(self, home: Path, *arguments: str) -> tuple[int, str]:
        """Run `interpose` in that terminal to its end."""
        process = self.start(home, *arguments)
        out, _ = process.communicate(timeout=60)
        return process.returncode, out

    def opened(self, home: Path) -> str:
        """What the terminal's browser was to open."""
        file = home / "opened"
        until(file.exists, 30, "the browser")
        return file.read_text()

    def stored(self, home: Path) -> dict[str, Any]:
        """The login that is kept."""
        found: dict[str, Any] = json.loads((home / "config" / "interpose" / "login.json").read_text())
        return found


class SignInScene(Terminals):
    """The scene with `public` and one provider, `corporate`, whose users are `USERS`."""

    def __init__(
        self,
        postgres: PostgresServer,
        *,
        clients: Sequence[Mapping[str, object]] = (),
        resources: Mapping[str, str] | None = None,
        policy: Mapping[str, str] | None = None,
        principals: str = PRINCIPALS,
        listener: Mapping[str, object] | None = None,
        options: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
        behind: CountingProxy | None = None,
        **settings: object,
    ) -> None:
        """Nothing runs yet. `clients` and `resources` are more of the provider's, for workloads; `listener` is added to every listener,
        `settings` to the configuration, `options` to those of `corporate`. `behind` is what everybody reaches the provider through.
        """
        self._behind = behind
        self._listener, self._settings = listener or {}, settings
        self._options, self._environment = options or {}, environment or {}
        self._postgres = postgres
        self._clients = clients
        self._resources = resources
        self._policy = policy
        self._principals = principals
        self._stack = ExitStack()
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"

    def __enter__(self) -> Self:
        """Start all three."""
        with self._stack as stack:
            self.scene = Scene(self._postgres, policy=self._policy, principals=self._principals)
            stack.callback(self.scene.close)
            provider = IdentityProvider(
                authority=self.scene.authority_file,
                clients=[self.client(), *self._clients],
                users=USERS,
                resources=self._resources or {},
                **({} if self._behind is None else {"issuer": self._behind.url}),
            )
            self.provider = stack.enter_context(provider)
            if self._behind is not None:
                self._behind.target = self.provider.port
            gateway = self.scene.gateway
            certificate = str(self.scene.folder / "gateway.pem")
            gateway.settings["public"] = {
                "address": f"127.0.0.1:{self.port}",
                "url": self.url,
                "certificate": certificate,
                "key": certificate,
            }
            corporate = self.corporate(**self._options)
            gateway.settings["identity"] = {"providers": {"corporate": corporate, **self.more_providers()}}
            gateway._environment |= self._environment
            gateway._environment["CORPORATE_SECRET"] = CLIENT_SECRET
            gateway._environment["INTERPOSE_CA_FILE"] = str(self.scene.authority_file)
            gateway.settings.update(self._settings)
            listeners = gateway.settings["listeners"]
            assert isinstance(listeners, list)
            for each in listeners:
                each.update(self._listener)
            gateway.write()
            gateway.start(timeout=90)
            self.browser: Browser = stack.enter_context(running_browser())
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all."""
        self._stack.close()

    def corporate(self, **more: object) -> dict[str, object]:
        """The provider's options."""
        return {
            "type": "oidc",
            "issuer": self.provider.issuer,
            "title": "Corporate",
            "client_id": "interpose",
            "client_secret": "env:CORPORATE_SECRET",
            "scopes": ["openid", "offline_access"],
            "authorize": {"prompt": "consent"},
            "refresh": "10s",
            "allow_plaintext_on_loopback": True,
            "mapping": {"groups": {"claim": "groups", "allow": GROUPS}, "domains": ["example.com"]},
            **more,
        }

    def more_providers(self) -> dict[str, object]:
        """Providers of workloads, where the scene has any."""
        return {}

    def asked(self, path: str) -> tuple[int, str]:
        """What a program is answered at the public address, which follows no redirect."""
        context = ssl.create_default_context(cafile=str(self.scene.authority_file))
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=60, context=context)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    # The person

    def person(self, **options: Any) -> BrowserContext:
        """Another person's browser."""
        return self.browser.new_context(ignore_https_errors=True, **options)

    def client(self, secret: str = CLIENT_SECRET) -> dict[str, object]:
        """The gateway as the provider knows it."""
        return {
            "client_id": "interpose",
            "client_secret": secret,
            "redirect_uris": [f"{self.url}/login/{name}/callback" for name in ("corporate", "other")],
            "post_logout_redirect_uris": [f"{self.url}/signed-out"],
            "grant_types": ["authorization_code", "refresh_token"],
            "require_auth_time": True,
            "backchannel_logout_uri": f"{self.url}/oidc/corporate/backchannel-logout",
            "backchannel_logout_session_required": True,
        }

    def at_provider(self, page: Page, login: str) -> None:
        """Sign in and consent on the provider's own pages."""
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", "any")
        page.click("button[type=submit]")
        page.wait_for_selector("text=Continue")
        page.click("button[type=submit]")

    def sign_in(self, context: BrowserContext, login: str = "zoe-1", path: str = "/") -> Page:
        """From the gateway's page to the provider and back."""
        page = context.new_page()
        page.goto(f"{self.url}{path}")
        page.click("text=Corporate")
        self.at_provider(page, login)
        page.wait_for_url(f"{self.url}/**")
        return page

    def on_the_way_back(self, context: BrowserContext, login: str = "zoe-1") -> str:
        """The address to which the provider has just sent this browser back, which it has not asked for yet."""
        page = context.new_page()
        page.goto(f"{self.url}/login/corporate")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", "any")
        page.click("button[type=submit]")
        page.wait_for_selector("text=Continue")
        where, prompt = page.get_attribute("form", "action") or "", page.input_value("input[name=prompt]")
        page.close()
        answer = context.request.post(where, form={"prompt": prompt}, max_redirects=0)
        while not answer.headers["location"].startswith(self.url):
            answer = context.request.get(answer.headers["location"], max_redirects=0)
        return answer.headers["location"]

    def command_line(self, home: Path, login: str = "zoe-1") -> dict[str, Any]:
        """`interpose login` from its start to its end, by this user of the provider; answers what is kept."""
        process = self.start(home, "login", "--url", self.url)
        with self.person() as context:
            page = context.new_page()
            page.goto(self.opened(home))
            page.click("text=Corporate")
            self.at_provider(page, login)
            page.click("text=Let it act for me")
            page.wait_for_selector("text=Signed in")
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0, out
        return self.stored(home)

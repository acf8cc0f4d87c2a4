"""A gateway, SimpleSAMLphp and a real browser: what a person needs to sign in by SAML, as that person would."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self

from playwright.sync_api import Browser, BrowserContext, Page, Request, Route

from tests.support.browser import running_browser
from tests.support.gateway import free_port
from tests.support.postgres import PostgresServer
from tests.support.scene import Scene
from tests.support.sign_in_scene import Terminals
from tests.support.simplesamlphp import SimpleSamlPhp, check_installed

USERS: Final[dict[str, dict[str, list[str]]]] = {
    "zoe": {"uid": ["zoe"], "employee": ["e-1"], "memberOf": ["support"]},
    "eve": {"uid": ["alice"], "employee": ["e-9"], "memberOf": ["dba"]},
}
NAMES: Final = ("partner", "open", "sealed")


class SamlScene(Terminals):
    """The scene with three providers, which are one SimpleSAMLphp: `partner`, `open` (which may begin) and `sealed` (encrypted only)."""

    def __init__(
        self,
        postgres: PostgresServer,
        *,
        listener: Mapping[str, object] | None = None,
        partner: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing runs yet. `listener` is added to every listener, `partner` to the options of that provider."""
        self._postgres = postgres
        self._listener, self._partner, self._environment = listener or {}, partner or {}, environment or {}
        self._stack = ExitStack()
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"

    def __enter__(self) -> Self:
        """Start all three, and make them known to each other by their metadata."""
        check_installed()
        with self._stack as stack:
            self.provider = stack.enter_context(SimpleSamlPhp(USERS))
            self.scene = Scene(self._postgres)
            stack.callback(self.scene.close)
            gateway = self.scene.gateway
            certificate = str(self.scene.folder / "gateway.pem")
            gateway.settings["public"] = {
                "address": f"127.0.0.1:{self.port}",
                "url": self.url,
                "certificate": certificate,
                "key": certificate,
            }
            (self.scene.folder / "idp.xml").write_bytes(self.provider.metadata())
            options: dict[str, dict[str, object]] = {
                "partner": dict(self._partner),
                "open": {"idp_initiated": True, "title": "Open House"},
                "sealed": {"require_encryption": True},
            }
            gateway.settings["identity"] = {"providers": {name: self._options(name, **options[name]) for name in NAMES}}
            gateway._environment |= self._environment
            listeners = gateway.settings["listeners"]
            assert isinstance(listeners, list)
            for each in listeners:
                each.update(self._listener)
            gateway.write()
            gateway.start(timeout=90)
            self.provider.knows(*(self.metadata(name) for name in NAMES))
            self.browser: Browser = stack.enter_context(running_browser())
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all."""
        self._stack.close()

    def _options(self, provider: str, **more: object) -> dict[str, object]:
        # A name belongs to the provider that had it first: each has names of its own.
        name = {"name": "uid", "name_suffix": "" if provider == "partner" else f"-{provider}"}
        return {
            "type": "saml",
            "metadata": str(self.scene.folder / "idp.xml"),
            "name_id_format": "persistent",
            "allow_plaintext_on_loopback": True,
            "mapping": {**name, "groups": {"claim": "memberOf", "allow": ["support", "pii-readers", "dba"]}},
            **more,
        }

    def metadata(self, name: str) -> bytes:
        """What the gateway says of itself to this provider."""
        context = ssl.create_default_context(cafile=str(self.scene.authority_file))
        with urllib.request.urlopen(f"{self.url}/saml/{name}/metadata", timeout=30, context=context) as response:
            found: bytes = response.read()
        return found

    def entity(self, name: str) -> str:
        """The gateway's name towards this provider."""
        return f"{self.url}/saml/{name}/metadata"

    def person(self, **options: Any) -> BrowserContext:
        """Another person's browser."""
        return self.browser.new_context(ignore_https_errors=True, **options)

    def sign_in(self, context: BrowserContext, login: str = "zoe", name: str = "partner") -> Page:
        """From the gateway's page to the provider and back."""
        page = context.new_page()
        page.goto(f"{self.url}/login/{name}")
        self.provider.sign_in(page, login)
        page.wait_for_url(f"{self.url}/**")
        return page

    def begin_at_provider(self, context: BrowserContext, name: str, login: str = "zoe") -> Page:
        """From the provider's own page to the gateway."""
        page = context.new_page()
        page.goto(f"{self.provider.url}/saml2/idp/SSOService.php?spentityid={self.entity(name)}")
        self.provider.sign_in(page, login)
        page.wait_for_url(f"{self.url}/**")
        return page

    def caught(
        self, context: BrowserContext, login: str = "zoe", name: str = "partner", start: str = ""
    ) -> dict[str, str]:
        """The form that the provider's page would have posted: it never comes to the gateway."""
        held: list[dict[str, str]] = []

        def hold(route: Route, request: Request) -> None:
            held.append(dict(request.post_data_json or {}))
            route.fulfill(status=200, content_type="text/html", body="<p id=held>held</p>")

        page = context.new_page()
        page.route("**/saml/*/acs", hold)
        page.goto(start or f"{self.url}/login/{name}")
        # Whoever signed in there before in this browser is not asked again.
        page.wait_for_selector("#held, input[name=password]")
        if not held:
            self.provider.sign_in(page, login)
            page.wait_for_selector("#held")
        page.close()
        return held[0]

    def post(self, context: BrowserContext, form: dict[str, str], name: str = "partner") -> Page:
        """Another site's page posts a form to the gateway by itself."""
        fields = "".join(f'<input type=hidden name="{key}" value="{value}">' for key, value in form.items())
        body = f'<body onload="document.forms[0].submit()"><form method=post action="{self.url}/saml/{name}/acs">{fields}</form>'
        page = context.new_page()
        page.route("http://evil.test/", lambda route: route.fulfill(status=200, content_type="text/html", body=body))
        page.goto("http://evil.test/")
        page.wait_for_url(f"{self.url}/**")
        return page

    def failures(self) -> list[str]:
        """The reasons of the failed logins so far, oldest first."""
        return [event["fields"]["reason"] for event in self.scene.events("login.failed", method="saml")]

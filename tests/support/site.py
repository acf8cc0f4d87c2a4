"""The public address without a server: a browser that keeps cookies and sends what browsers send, and a provider that says what it is told.

The provider stands in for what `identity` proves (which has tests of its own against real signatures); the pages are the real ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.types import ASGIApp

from interpose.app.people import people_site
from interpose.app.token_desk import TokenDesk
from interpose.engine.confirming import Confirming
from interpose.engine.directory import Directory
from interpose.engine.limits import FailureLimiter
from interpose.engine.signing_in import Departure, Proof, SignedIn, SignIn
from interpose.identity.names import canonical_name
from interpose.model.errors import AuthenticationError
from interpose.model.principal import Principal, PrincipalKind
from interpose.web.ports import PostingProvider, Provider
from tests.support.gateway_core import Core
from tests.support.memory import MemoryBus, MemoryDirectory, MemoryTokens
from tests.support.memory_logins import MemoryPendingLogins

ORIGIN = "https://gateway.example:6443"


@dataclass(frozen=True, slots=True)
class Page:
    """What came back."""

    status: int
    text: str
    headers: Mapping[str, str]
    cookies: tuple[str, ...]

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    def hidden(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, f"no field {name} in {self.text}"
        return unescape(found[1])


@dataclass
class Browser:
    """Keeps cookies for one host, as the `__Host-` prefix asks."""

    application: ASGIApp
    origin: str = ORIGIN
    address: str = "192.0.2.7"
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Page:
        return await self.send("GET", path, b"", headers)

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Page:
        """A form; `origin` and `content_type` can be given another value."""
        sent = {"origin": self.origin, "content_type": "application/x-www-form-urlencoded", **headers}
        return await self.send("POST", path, urlencode(fields).encode(), sent)

    async def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Page:
        path, _, query = path.partition("?")
        given = {
            "host": urlsplit(self.origin).netloc,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if self.cookies and "cookie" not in given:
            given["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
            "client": (self.address, 1),
            "server": ("gateway.example", 6443),
        }
        sent: list[MutableMapping[str, Any]] = []
        bodies = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> MutableMapping[str, Any]:
            return bodies.pop() if bodies else {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        begun = next(message for message in sent if message["type"] == "http.response.start")
        got = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
        pairs = [(name.decode(), value.decode()) for name, value in begun["headers"]]
        cookies = tuple(value for name, value in pairs if name == "set-cookie")
        for cookie in cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            if "Max-Age=0" in cookie:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return Page(begun["status"], got.decode(), dict(pairs), cookies)


class ToldProvider:
    """Vouches for whoever the answer's `code` names, as long as it is told to."""

    posts = False

    def __init__(self, site: SitePlace, name: str = "corporate", title: str = "Corporate") -> None:
        self.name, self.title = name, title
        self.groups = frozenset({"support"})
        self.lifetime = 8 * 3600.0
        self.goodbye: str | None = None
        self.departures = 0
        self.again = False
        self.retired = False
        self._site = site

    async def depart(self, redirect_uri: str, *, again: bool = False) -> Departure:
        self.departures += 1
        self.again = again
        state = f"state-{self.name}-{self.departures}"
        return Departure(f"https://idp.example/{self.name}?state={state}", state, {"number": str(self.departures)})

    async def arrive(self, departure: Departure, redirect_uri: str, answer: Mapping[str, str], source: str) -> SignedIn:
        name = answer.get("code", "")
        until = self._site.core.clock.wall() + self.lifetime
        principal = Principal(PrincipalKind.USER, name, self.groups)
        if self.retired:
            raise AuthenticationError("authentication failed", detail="provider_changed")
        if name == "nobody":
            self._site.sign_in.failed(self.name, "oidc", "https://idp.example", "nonce_wrong", source)
            raise AuthenticationError("authentication failed", detail="nonce_wrong")
        proof = Proof(self.name, "oidc", "https://idp.example", f"sub-{name}", principal, until)
        return await self._site.sign_in.accept(proof, source, "hint")

    async def farewell(self, hint: str, return_to: str) -> str | None:
        return self.goodbye


class ToldPostingProvider(ToldProvider):
    """The same by a form, which may begin by itself when it is told so."""

    posts = True
    begins = False

    async def metadata(self, address: str) -> bytes:
        return f"<told about='{address}'/>".encode()

    async def unsolicited(self, redirect_uri: str, answer: Mapping[str, str], source: str) -> SignedIn:
        if not self.begins:
            self._site.sign_in.failed(self.name, "saml", "https://idp.example", "state_unknown", source)
            raise AuthenticationError("authentication failed", detail="state_unknown")
        return await self.arrive(Departure("", ""), redirect_uri, answer, source)


class SitePlace:
    """The pages over a core with a directory."""

    def __init__(self) -> None:
        self.core = Core()
        self.store = MemoryDirectory()
        self.tokens = MemoryTokens()
        core = self.core
        self.directory = Directory(core.holder, self.store, core.audit, MemoryBus(), core.clock)
        self.desk = TokenDesk(core.holder, self.directory, self.tokens, core.audit, core.clock, core.ids)
        self.sign_in: SignIn = self.desk.sign_in
        self.provider = ToldProvider(self)
        self.partner = ToldProvider(self, "partner", "Partner & <b>Sons</b>")
        failures = FailureLimiter(core.clock, 5, 60.0)
        self.posting = ToldPostingProvider(self, "saml", "Posting")
        self.providers: dict[str, Provider] = {"corporate": self.provider, "partner": self.partner}
        self.posted: dict[str, PostingProvider] = {"saml": self.posting}
        self.confirming = Confirming(
            MemoryPendingLogins(),
            self.directory,
            core.holder,
            core.audit,
            MemoryBus(),
            core.clock,
            core.ids,
            key=bytes(32),
            page=f"{ORIGIN}/confirm",
            canonical=canonical_name,
        )
        self.application = people_site(
            ORIGIN,
            self.providers,
            self.desk,
            failures,
            core.clock,
            core.ids,
            confirmations=self.confirming,
            posting=self.posted,
        )

    def browser(self, address: str = "192.0.2.7") -> Browser:
        """A new one."""
        return Browser(self.application, address=address)

    async def signed_in(self, name: str = "zoe", then: str = "/") -> Browser:
        """A browser in which this person has signed in."""
        browser = self.browser()
        page = await browser.get(f"/login/corporate?then={then}")
        state = page.location.partition("state=")[2]
        page = await browser.get(f"/login/corporate/callback?code={name}&state={state}")
        assert page.status == 303, page.text
        return browser

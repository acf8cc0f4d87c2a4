"""One OpenID provider as the pages use it: what it proves is accepted once it is sure that the provider is still configured so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from interpose.engine.directory import Directory
from interpose.engine.logins import EndedLogin
from interpose.engine.signing_in import SignIn
from interpose.identity.id_token import LEEWAY, MAX_AGE
from interpose.identity.logout_token import EVENT
from interpose.identity.mapping import ClaimPath
from interpose.identity.oidc_sign_in import OidcSignIn
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, StoreError
from tests.support.memory import MemoryBus, MemoryDirectory
from tests.support.openid import ISSUER, REDIRECT, ProviderPlace
from tests.support.saml_place import MemoryUsedAssertions
from tests.support.signing import private_key, signed
from tests.support.virtual import run


class _Renewals:
    """What is kept to ask again with."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    async def keep(self, proof: Any, refresh: str, options: Any) -> None:
        self.kept.append(proof.principal.name)


class _Logins:
    """What was told to be over."""

    def __init__(self) -> None:
        self.over: list[Any] = []
        self.said: list[EndedLogin] = []
        self.down = False

    async def end(self, login: Any, issuer: str, source: str, said_at: float) -> int:
        if self.down:
            raise StoreError("the store is down")
        self.over.append(login.subject)
        self.said.append(login)
        return 1


class _Place(ProviderPlace):
    def __init__(self) -> None:
        super().__init__()
        core, self.renewals, self.store = self.core, _Renewals(), MemoryDirectory()
        directory = Directory(core.holder, self.store, core.audit, MemoryBus(), core.clock)
        self.accepts = SignIn(directory, core.audit, core.clock)
        self.used, self.ended = MemoryUsedAssertions(), _Logins()
        self.page = self.made()

    def made(self) -> OidcSignIn:
        """As at a start of the gateway."""
        core = self.core
        return OidcSignIn(self.provider, self.accepts, self.renewals, self.used, core.clock, self.ended)  # type: ignore[arg-type]

    def logout_token(self, ident: str = "j-1", **more: object) -> str:
        now = int(self.core.clock.wall())
        claims = {"iss": ISSUER, "aud": "interpose", "iat": now, "exp": now + 120, "jti": ident, "sub": "sub-1", **more}
        return signed({**claims, "events": {EVENT: {}}}, private_key("RS256"), kid="k", typ="logout+jwt")

    async def come(self) -> Any:
        departure = await self.page.depart(REDIRECT)
        self.network.nonce = parse_qs(urlsplit(departure.url).query)["nonce"][0]
        return await self.page.arrive(departure, REDIRECT, {"code": "c-1"}, "192.0.2.7")


def test_somebody_comes_in() -> None:
    async def work() -> None:
        place = _Place()
        assert (await place.come()).identity.principal.name == "zoe"
        assert place.renewals.kept == ["zoe"]

    run(work())


@pytest.mark.parametrize("when", ["before", "while it is asked"])
def test_nobody_comes_in_by_a_provider_that_was_exchanged(when: str) -> None:
    async def work() -> None:
        place = _Place()
        real = place.network.ask

        async def exchanged(
            url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
        ) -> tuple[int, Mapping[str, object]]:
            if url.endswith("/token"):
                place.page.retire()
            return await real(url, form=form, headers=headers)

        if when == "before":
            await place.page.depart(REDIRECT)
            place.page.retire()
        else:
            place.network.ask = exchanged  # type: ignore[method-assign]
        with pytest.raises(AuthenticationError) as error:
            await place.come()
        assert error.value.detail == "provider_changed"
        assert place.core.audit.of(AuditKind.LOGIN_FAILED)[-1].fields["reason"] == "provider_changed"
        assert place.store.entries == {}
        assert place.renewals.kept == []

    run(work())


@pytest.mark.parametrize(
    ("subject", "meant"),
    [
        (ClaimPath(("sub",)), "sub-1"),
        (ClaimPath(("sub",), re.compile("sub-(?P<name>.*)")), "1"),
        (ClaimPath(("oid",)), None),
        (ClaimPath(("sub",), re.compile("oid-.*")), None),
    ],
)
def test_a_logout_is_of_whom_the_mapping_calls_so(subject: ClaimPath, meant: str | None) -> None:
    """A logout token has the provider's `sub`, whatever claim people are known by here: its session says enough."""

    async def work() -> None:
        place = _Place()
        options = place.provider.options
        place.provider.options = replace(options, mapping=replace(options.mapping, subject=subject))
        await place.page.logged_out(place.logout_token(sid="s-1"), "192.0.2.9")
        assert place.ended.said == [EndedLogin(place.page.name, meant, "s-1")]
        if meant is None:
            with pytest.raises(AuthenticationError) as error:
                await place.page.logged_out(place.logout_token("j-2"), "192.0.2.9")
            assert error.value.detail == "logout_of_nobody_known"
            assert place.core.audit.of(AuditKind.LOGIN_FAILED)[-1].fields["reason"] == "logout_of_nobody_known"
            assert len(place.ended.said) == 1

    run(work())


def test_a_logout_token_counts_once_when_it_was_obeyed_also_after_a_restart() -> None:
    async def work() -> None:
        place = _Place()
        token = place.logout_token()
        place.ended.down = True
        with pytest.raises(StoreError):
            await place.page.logged_out(token, "192.0.2.9")
        # It was not obeyed: the provider sends it again.
        place.ended.down = False
        await place.page.logged_out(token, "192.0.2.9")
        for page in (place.page, place.made()):
            with pytest.raises(AuthenticationError) as error:
                await page.logged_out(token, "192.0.2.9")
            assert error.value.detail == "logout_replayed"
        assert place.ended.over == ["sub-1"]
        assert place.core.audit.of(AuditKind.LOGIN_FAILED)[-1].fields["reason"] == "logout_replayed"
        await place.page.logged_out(place.logout_token("j-2"), "192.0.2.9")
        assert place.ended.over == ["sub-1", "sub-1"]
        # It is forgotten when it would be too old in any case.
        assert min(place.used.until.values()) > place.core.clock.wall() + MAX_AGE + LEEWAY

    run(work())

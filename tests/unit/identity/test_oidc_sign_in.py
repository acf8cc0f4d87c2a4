"""One OpenID provider as the pages use it: what it proves is accepted once it is sure that the provider is still configured so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from interpose.engine.directory import Directory
from interpose.engine.signing_in import SignIn
from interpose.identity.oidc_sign_in import OidcSignIn
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError
from tests.support.memory import MemoryBus, MemoryDirectory
from tests.support.openid import REDIRECT, ProviderPlace
from tests.support.virtual import run


class _Renewals:
    """What is kept to ask again with."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    async def keep(self, proof: Any, refresh: str, options: Any) -> None:
        self.kept.append(proof.principal.name)


class _Place(ProviderPlace):
    def __init__(self) -> None:
        super().__init__()
        core, self.renewals, self.store = self.core, _Renewals(), MemoryDirectory()
        directory = Directory(core.holder, self.store, core.audit, MemoryBus(), core.clock)
        accepts = SignIn(directory, core.audit, core.clock)
        self.page = OidcSignIn(self.provider, accepts, self.renewals)  # type: ignore[arg-type]

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

"""A reload exchanges the providers that changed and leaves the others as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from interpose.app.sign_in_providers import SignInProviders
from interpose.engine.directory import Directory
from interpose.engine.signing_in import SignIn
from interpose.identity.oidc_options import OidcOptions
from interpose.identity.saml_metadata import IdentityProviderMetadata
from interpose.identity.saml_options import SamlOptions
from interpose.identity.scim_options import ScimOptions
from interpose.model.errors import AuthenticationError
from tests.support.gateway_core import Core
from tests.support.memory import MemoryBus, MemoryDirectory
from tests.support.saml_place import MemoryUsedAssertions
from tests.support.virtual import run

CORPORATE = OidcOptions("corporate", "https://idp.example", "interpose")
DESCRIBED = IdentityProviderMetadata("https://idp.example/metadata", "https://idp.example/sso", ("one",), None, "1")
PARTNER = SamlOptions("partner", Path("/partner.xml"), described=DESCRIBED)


def providers(*options: object) -> SignInProviders:
    core = Core()
    state: Any = SimpleNamespace(
        tokens=None,
        record=SimpleNamespace(chain=None),
        clock=core.clock,
        ids=core.ids,
        renewals=None,
        login_key=bytes(32),
        used_assertions=MemoryUsedAssertions(),
    )
    directory = Directory(core.holder, MemoryDirectory(), core.audit, MemoryBus(), core.clock)
    accepts, logins, secret = SignIn(directory, core.audit, core.clock), Any, Any
    return SignInProviders(options, state, directory, accepts, secret, logins)  # type: ignore[arg-type]  # nobody signs in


@pytest.mark.parametrize(
    ("openid", "saml"),
    [
        (CORPORATE, PARTNER),
        # Who provisions its people is no matter of a login's.
        (replace(CORPORATE, scim=ScimOptions("env:T", "external_id", True, True)), PARTNER),
        (CORPORATE, replace(PARTNER, scim=ScimOptions("env:T", "external_id", True, True))),
        # It rotates to another key: whoever is under way comes back to the same provider.
        (CORPORATE, replace(PARTNER, described=replace(DESCRIBED, certificates=("one", "two"), digest="2"))),
    ],
)
def test_what_is_the_same_to_a_login_goes_on(openid: OidcOptions, saml: SamlOptions) -> None:
    async def work() -> None:
        held = providers(CORPORATE, PARTNER)
        before = (held.redirecting["corporate"], held.posting["partner"])
        mappings = (held.redirecting, held.posting)
        held.use([openid, saml])
        assert (held.redirecting["corporate"], held.posting["partner"]) == before
        assert held.redirecting is mappings[0]
        assert held.posting is mappings[1]
        assert held._saml["partner"].options.described is saml.described

    run(work())


@pytest.mark.parametrize(
    "changed",
    [
        [replace(CORPORATE, issuer="https://other.example"), PARTNER],
        [replace(CORPORATE, client_id="other"), PARTNER],
        [replace(CORPORATE, client_secret="env:OTHER"), PARTNER],
        [replace(CORPORATE, mapping=replace(CORPORATE.mapping, domains=frozenset({"example.com"}))), PARTNER],
        [PARTNER],
        [replace(PARTNER, name="corporate")],
        [CORPORATE, replace(PARTNER, idp_initiated=True)],
        [CORPORATE, replace(PARTNER, described=replace(DESCRIBED, entity="https://other.example"))],
        [CORPORATE],
        [],
    ],
)
def test_what_changed_is_retired(changed: list[Any]) -> None:
    async def work() -> None:
        held = providers(CORPORATE, PARTNER)
        before: list[Any] = [held.redirecting["corporate"], held.posting["partner"]]
        held.use(changed)
        now: dict[str, Any] = {**held.redirecting, **held.posting}
        assert sorted(now) == sorted(each.name for each in changed)
        for old in before:
            if now.get(old.name) is old:
                old._check_current()
                continue
            with pytest.raises(AuthenticationError) as error:
                old._check_current()
            assert error.value.detail == "provider_changed"
        assert any(now.get(old.name) is not old for old in before)
        await held.close()

    run(work())

"""A provider of `type: oidc` is read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpose.app.config import read_settings
from interpose.identity.assurance import MfaRule
from interpose.identity.oidc_options import OidcOptions
from tests.unit.app.test_config import GOOD, PROTOCOLS, problems_of, write

PUBLIC = GOOD + "public: {url: 'https://gateway.example'}\n"


def configured(options: str, name: str = "corporate") -> str:
    return f"{PUBLIC}identity:\n  providers:\n    {name}: {{type: oidc, {options}}}\n"


GOOD_OPTIONS = "issuer: 'https://idp.example/realms/staff', client_id: interpose"


def test_the_options(tmp_path: Path) -> None:
    more = "client_secret: 'file:secret', title: Staff, userinfo: true, lifetime: 1h, refresh: 1m, authorize: {prompt: login}"
    settings = read_settings(write(tmp_path, configured(f"{GOOD_OPTIONS}, {more}")), PROTOCOLS)
    (options,) = settings.identity.providers
    assert isinstance(options, OidcOptions)
    assert (options.name, options.title, options.userinfo) == ("corporate", "Staff", True)
    assert options.client_secret == f"file:{tmp_path.resolve() / 'secret'}"
    assert (options.lifetime, options.refresh, options.authorize) == (3600.0, 60.0, {"prompt": "login"})
    assert (options.max_age, options.acr_values, options.mfa) == (None, (), MfaRule())


def test_what_is_asked_of_the_authentication(tmp_path: Path) -> None:
    more = "max_age: 12h, acr_values: [gold, silver], mfa_acr: gold, mfa_amr: [duo, okta_verify]"
    (options,) = read_settings(write(tmp_path, configured(f"{GOOD_OPTIONS}, {more}")), PROTOCOLS).identity.providers
    assert isinstance(options, OidcOptions)
    assert (options.max_age, options.acr_values) == (43200.0, ("gold", "silver"))
    assert options.mfa == MfaRule(frozenset({"duo", "okta_verify"}), frozenset({"gold"}))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("client_id: x", "`identity.providers.corporate.issuer` is missing"),
        ("issuer: 'https://idp.example'", "client_id` is missing"),
        ("issuer: 'http://idp.example', client_id: x", "issuer"),
        ("issuer: 'http://127.0.0.1:9', client_id: x", "issuer"),
        ("issuer: 'https://idp.example?x', client_id: x", "issuer"),
        (f"{GOOD_OPTIONS}, client_secret: hunter2", "must be a reference"),
        (f"{GOOD_OPTIONS}, scopes: [profile]", "lacks `openid`"),
        (f"{GOOD_OPTIONS}, algorithms: [none]", "cannot have `none`"),
        (f"{GOOD_OPTIONS}, algorithms: [HS256]", "cannot have `HS256`"),
        (f"{GOOD_OPTIONS}, authorize: {{state: x}}", "`authorize.state` is the gateway's own"),
        (f"{GOOD_OPTIONS}, authorize: {{ui_locales: 5}}", "must be a text"),
        (f"{GOOD_OPTIONS}, lifetime: 30d", "`lifetime` must be from"),
        (f"{GOOD_OPTIONS}, authorize: {{max_age: '5'}}", "`authorize.max_age` is the gateway's own"),
        (f"{GOOD_OPTIONS}, max_age: 0s", "`max_age` must be from"),
        (f"{GOOD_OPTIONS}, refresh: 1s", "`refresh` must be from"),
        (f"{GOOD_OPTIONS}, kind: agent", "unknown key `identity.providers.corporate.kind`"),
        (f"{GOOD_OPTIONS}, mapping: {{groups: {{claim: groups}}}}", "any group"),
    ],
)
def test_faults_are_told(options: str, words: str, tmp_path: Path) -> None:
    assert words in problems_of(tmp_path, configured(options))


def test_a_name_must_stand_in_a_path(tmp_path: Path) -> None:
    assert "cannot stand in a path" in problems_of(tmp_path, configured(GOOD_OPTIONS, "'a/b'"))


def test_people_need_the_public_address(tmp_path: Path) -> None:
    text = configured(GOOD_OPTIONS).replace("public: {url: 'https://gateway.example'}\n", "")
    assert "`public` is missing" in problems_of(tmp_path, text)

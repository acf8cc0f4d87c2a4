"""A provider of `type: oidc`: where people sign in with a browser, as the configuration gives it, checked strictly.

```yaml
identity:
  providers:
    corporate:
      type: oidc
      issuer: https://login.example.com/realms/staff
      client_id: interpose
      client_secret: env:CORPORATE_SECRET
      mapping:
        name: {claim: email, pattern: '(?P<name>[^@]+)@example\\.com'}
        groups: {claim: groups, allow: [support, dba]}
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from interpose.identity.assurance import MfaRule
from interpose.identity.mapping import ClaimMapping
from interpose.identity.scim_options import ScimOptions, read_scim
from interpose.identity.sections import (
    ProviderSection,
    between,
    check_provider_name,
    read_authorities,
    read_mapping,
    read_secret,
)
from interpose.identity.workload_options import ALGORITHMS, check_url

MAX_LIFETIME: Final = 7 * 86400.0
MIN_REFRESH: Final = 10.0
_OURS: Final = frozenset(
    "response_type response_mode client_id redirect_uri scope state nonce code_challenge code_challenge_method request"
    " request_uri max_age acr_values".split()
)
_DEFAULT: Final = ClaimMapping()
_NO_MORE: Final = MfaRule()


@dataclass(frozen=True, slots=True)
class OidcOptions:
    """One OpenID provider.

    `client_secret` is a reference, None for a public client. `lifetime`: seconds after which somebody has to sign in again.
    `refresh`: seconds after which the provider is asked again what it says of somebody, where it gave a refresh token.
    `max_age`: seconds since somebody authenticated at the provider, after which it must ask them again at a login (None: as it likes).
    `acr_values` are asked for; `mfa` is what else than RFC 8176 says means more than one factor.
    `userinfo`: claims are asked for at the userinfo endpoint as well. `authorize`: more parameters of the login's URL.
    `allow_plaintext_on_loopback` takes the risk that another process of this machine answers in the provider's place.
    """

    name: str
    issuer: str
    client_id: str
    client_secret: str | None = None
    title: str | None = None
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    userinfo: bool = False
    authorize: Mapping[str, str] | None = field(default=None, hash=False)
    algorithms: tuple[str, ...] = ("RS256", "ES256", "PS256", "EdDSA")
    mapping: ClaimMapping = field(default=_DEFAULT)
    lifetime: float = 8 * 3600.0
    refresh: float = 300.0
    ca_file: Path | None = None
    allow_plaintext_on_loopback: bool = False
    max_age: float | None = None
    acr_values: tuple[str, ...] = ()
    mfa: MfaRule = field(default=_NO_MORE)
    scim: ScimOptions | None = None


def parse_oidc(name: str, section: ProviderSection, folder: Path) -> OidcOptions:
    """The options of a provider of `type: oidc`; faults go into the section."""
    default = OidcOptions("", "", "")
    check_provider_name(section, name)
    plaintext = section.boolean("allow_plaintext_on_loopback", False)
    issuer = section.text("issuer")
    if issuer:
        check_url(section, "issuer", issuer, plaintext)
    scopes = section.listed("scopes") or default.scopes
    if "openid" not in scopes:
        section.problem("scopes", "`scopes` lacks `openid`", "without it the provider says nothing of who signed in")
    algorithms = section.listed("algorithms") or default.algorithms
    for each in algorithms:
        if each not in ALGORITHMS:
            section.problem(
                "algorithms",
                f"`algorithms` cannot have `{each}`",
                "choose of " + ", ".join(f"`{known}`" for known in ALGORITHMS),
            )
    mapping = read_mapping(section, "user", _DEFAULT)
    return OidcOptions(
        name,
        issuer,
        section.text("client_id"),
        read_secret(section, "client_secret", folder),
        section.optional_text("title"),
        scopes,
        section.boolean("userinfo", default.userinfo),
        _authorize(section),
        algorithms,
        mapping,
        between(section, "lifetime", default.lifetime, 60.0, MAX_LIFETIME),
        between(section, "refresh", default.refresh, MIN_REFRESH, MAX_LIFETIME),
        read_authorities(section, folder),
        plaintext,
        between(section, "max_age", 0.0, 1.0 if "max_age" in section else 0.0, MAX_LIFETIME) or None,
        section.listed("acr_values"),
        MfaRule(frozenset(section.listed("mfa_amr")), frozenset(section.listed("mfa_acr"))),
        read_scim(section, folder, mapping),
    )


def _authorize(section: ProviderSection) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for name, value in section.raw("authorize").items():
        if name in _OURS:
            section.problem("authorize", f"`authorize.{name}` is the gateway's own to set", "leave it out")
        elif not isinstance(value, str):
            section.problem("authorize", f"`authorize.{name}` must be a text")
        else:
            found[name] = value
    return found or None

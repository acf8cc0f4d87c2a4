"""A provider of `type: jwt`: an issuer of workload tokens, as the configuration gives it, checked strictly.

```yaml
identity:
  providers:
    actions:
      type: jwt
      issuer: https://token.actions.githubusercontent.com
      audience: interpose
      kind: service
      mapping: {name: {claim: repository, pattern: 'example/(?P<name>[^/]+)'}, subject: repository_id}
```
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from interpose.identity.mapping import ClaimMapping, ClaimPath
from interpose.identity.sections import ProviderSection, read_authorities, read_mapping

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signature algorithms that can be allowed (RFC 7518 §3.1, RFC 8037): each with a public key, so that whoever can check a token
cannot make one."""

MAX_LEEWAY: Final = 60.0
_KINDS: Final = ("service", "agent")
_DEFAULT: Final = ClaimMapping(name=ClaimPath(("sub",)))


@dataclass(frozen=True, slots=True)
class WorkloadOptions:
    """One issuer of workload tokens.

    `audience`: a token must be meant for one of these. `jwks_url` None: found by discovery below the issuer. `max_age`: seconds
    after its `iat` for which a token counts, whatever its `exp` says. `leeway`: seconds that the issuer's clock may be ahead.
    `allow_plaintext_keys_on_loopback` takes the risk that another process of this machine answers in the issuer's place.
    """

    name: str
    issuer: str
    audience: tuple[str, ...]
    jwks_url: str | None = None
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    mapping: ClaimMapping = field(default=_DEFAULT)
    max_age: float = 86400.0
    leeway: float = 30.0
    ca_file: Path | None = None
    allow_plaintext_keys_on_loopback: bool = False


def parse_workload(name: str, section: ProviderSection, folder: Path) -> WorkloadOptions:
    """The options of a provider of `type: jwt`; faults go into the section."""
    default = WorkloadOptions("", "", ())
    plaintext = section.boolean("allow_plaintext_keys_on_loopback", False)
    issuer = section.text("issuer")
    if issuer:
        check_url(section, "issuer", issuer, plaintext)
    jwks_url = section.optional_text("jwks_url")
    if jwks_url is not None:
        check_url(section, "jwks_url", jwks_url, plaintext, query=True)
    audience = section.listed("audience")
    if not audience or not all(audience):
        section.problem(
            "audience",
            "`audience` is missing: a token that was made for another service would be taken",
            "name what the issuer writes into `aud` for this gateway, such as `interpose`",
        )
    kind = section.text("kind")
    if kind and kind not in _KINDS:
        section.problem("kind", f"`kind` cannot be `{kind}`", "a workload is a `service` or an `agent`")
        kind = ""
    return WorkloadOptions(
        name,
        issuer,
        audience,
        jwks_url,
        _algorithms(section, default.algorithms),
        read_mapping(section, kind or "service", _DEFAULT),
        max_age=_positive(section, "max_age", default.max_age),
        leeway=_leeway(section, default.leeway),
        ca_file=read_authorities(section, folder),
        allow_plaintext_keys_on_loopback=plaintext,
    )


def same_tokens(providers: Iterable[object]) -> list[tuple[str, str]]:
    """Names of providers that would judge the same token: issuer and audience must say by which one it is judged."""
    taken: dict[tuple[str, str], str] = {}
    found = []
    for provider in providers:
        if isinstance(provider, WorkloadOptions):
            others = {taken.setdefault((provider.issuer, audience), provider.name) for audience in provider.audience}
            found += [(other, provider.name) for other in sorted(others) if other != provider.name]
    return found


def check_url(section: ProviderSection, key: str, url: str, plaintext: bool, *, query: bool = False) -> None:
    """Report a URL that keys must not be fetched from."""
    fault = fault_of_url(url, plaintext, query=query)
    if fault:
        section.problem(key, f"`{key}` {fault}", "write `https://host/path`, without credentials and fragment")


def fault_of_url(url: str, plaintext: bool, *, query: bool = False) -> str:
    """What is wrong with a URL of a provider, empty when nothing is.

    `plaintext` allows `http` to a loopback address; `query` that it has one, which an issuer never has (OpenID Connect
    Discovery 1.0 §3).
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is no URL"
    if any(character.isspace() or ord(character) < 32 for character in url) or not host:
        return "is no URL"
    if parts.username is not None or parts.password is not None or parts.fragment or (parts.query and not query):
        return "must be a plain URL"
    if parts.scheme == "https":
        return ""
    if parts.scheme == "http" and plaintext:
        return "" if _is_loopback(host) else "may be `http` on a loopback address only"
    return "must begin with `https://`: whoever is on the way could put their own keys in"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A name, `localhost` too, is what a resolver says it is.
        return False


def _algorithms(section: ProviderSection, default: tuple[str, ...]) -> tuple[str, ...]:
    given = section.listed("algorithms")
    for each in given:
        if each not in ALGORITHMS:
            why = "needs no key" if each.lower() == "none" else "is signed with the secret that checks it"
            known = each.lower() == "none" or each.upper().startswith("HS")
            section.problem(
                "algorithms",
                f"`algorithms` cannot have `{each}`" + (f": such a token {why}" if known else ""),
                "choose of " + ", ".join(f"`{name}`" for name in ALGORITHMS),
            )
    return given or default


def _positive(section: ProviderSection, key: str, default: float) -> float:
    seconds = section.duration(key, default)
    if seconds <= 0:
        section.problem(key, f"`{key}` must be longer than nothing", "write a duration such as `1h`")
        return default
    return seconds


def _leeway(section: ProviderSection, default: float) -> float:
    seconds = section.duration("leeway", default)
    if seconds > MAX_LEEWAY:
        section.problem("leeway", f"`leeway` can be {MAX_LEEWAY:.0f}s at most", "mend the clocks (NTP) instead")
        return default
    return seconds

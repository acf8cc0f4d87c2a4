"""How somebody authenticated at their provider, read from what an ID token says of it: when, by what, and whether that is more than one factor.

Sources: OpenID Connect Core 1.0 §2 (`auth_time`, `amr`, `acr`), RFC 8176 (the values of `amr`). What is not said is not assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from interpose.model.principal import AuthenticationContext

MULTIPLE: Final = "mfa"
"""The value of `amr` that says it in one word."""

FACTORS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("pwd", "pin", "kba"), "knowledge"),
    **dict.fromkeys(("otp", "hwk", "swk", "sms", "tel", "sc", "pop"), "possession"),
    **dict.fromkeys(("face", "fpt", "iris", "retina", "vbm"), "inherence"),
}
"""What kind of factor a method of RFC 8176 proves. `geo`, `rba`, `user`, `wia` and `mca` prove none by themselves."""

MAX_METHODS: Final = 32
_MAX_TEXT: Final = 256


@dataclass(frozen=True, slots=True)
class MfaRule:
    """What else means more than one factor at this provider: values of `amr` and of `acr`, as its operator knows them."""

    amr: frozenset[str] = frozenset()
    acr: frozenset[str] = frozenset()

    def holds(self, amr: frozenset[str], acr: str) -> bool:
        """Whether that was more than one factor: said in one word, declared, or two methods that prove factors of two kinds.

        One method alone is one factor, however strong it is: a provider that asks for a one-time code only says `otp`, too.
        """
        kinds = {FACTORS[method] for method in amr if method in FACTORS}
        return MULTIPLE in amr or len(kinds) > 1 or bool(amr & self.amr) or acr in self.acr


def read_context(claims: Mapping[str, object], rule: MfaRule) -> AuthenticationContext:
    """What (already proven) claims say of the authentication; a claim of another form than the standard's counts as not said."""
    methods = claims.get("amr")
    listed = [methods] if isinstance(methods, str) else methods if isinstance(methods, list) else []
    amr = frozenset(text for each in listed[:MAX_METHODS] if (text := _text(each)))
    acr = _text(claims.get("acr"))
    return AuthenticationContext(
        _seconds(claims.get("auth_time")), amr, acr, rule.holds(amr, acr), _text(claims.get("sid"))
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _MAX_TEXT else ""


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e11:
        return None
    return float(value)

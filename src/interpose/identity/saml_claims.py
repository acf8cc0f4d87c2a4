"""An assertion as claims, in the form that the mapping reads: SAML knows texts only, and lists of them."""

from __future__ import annotations

import re
from typing import Final

from interpose.identity.mapping import AttributeType, ClaimMapping
from interpose.identity.saml_assertion import EMAIL, TRANSIENT, Assertion
from interpose.identity.saml_options import NAME_ID
from interpose.model.errors import AuthenticationError

_LONG: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def claims_of(assertion: Assertion, mapping: ClaimMapping) -> dict[str, object]:
    """The claims; raises `AuthenticationError` when they name nobody lastingly.

    `name_id`, `name_id_format` and `authn_context` are what they are called, whatever attributes of these names say. `email` is
    verified: a provider of SAML has no word for an address that is not, except an attribute `email_verified`.
    """
    claims: dict[str, object] = {name: list(values) for name, values in assertion.attributes.items()}
    for path, type_ in mapping.attributes.values():
        name = path.steps[0]
        if type_ in (AttributeType.LONG, AttributeType.BOOL) and name in assertion.attributes:
            claims[name] = _typed(assertion.attributes[name], type_)
    emails = assertion.attributes.get("email", ())
    if assertion.format == EMAIL and not emails:
        emails = (assertion.name_id,)
    if len(emails) == 1:
        claims["email"] = emails[0]
    claims["email_verified"] = _typed(assertion.attributes.get("email_verified", ("true",)), AttributeType.BOOL) is True
    # A transient name is another one at every login: whoever had it would be somebody new each time.
    if assertion.format == TRANSIENT and (NAME_ID,) in (mapping.subject.steps, mapping.name.steps):
        raise AuthenticationError("authentication failed", detail="name_id_is_transient")
    claims[NAME_ID] = assertion.name_id
    claims["name_id_format"] = assertion.format
    claims["authn_context"] = assertion.context
    return claims


def _typed(values: tuple[str, ...], type_: str) -> object:
    """The one value as what it is to be; the texts as they are where they cannot be, which the mapping refuses."""
    if len(values) != 1:
        return list(values)
    (text,) = values
    if type_ == AttributeType.BOOL:
        return _TRUTHS.get(text, list(values))
    return int(text) if _LONG.fullmatch(text) else list(values)

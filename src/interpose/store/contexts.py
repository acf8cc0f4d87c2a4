"""How somebody authenticated at their provider, as a text in a column; None where nothing is known."""

from __future__ import annotations

import json

from interpose.model.principal import NOT_KNOWN, AuthenticationContext


def write_context(context: AuthenticationContext) -> str | None:
    """The text."""
    if context == NOT_KNOWN:
        return None
    return json.dumps(
        {
            "auth_time": context.auth_time,
            "amr": sorted(context.amr),
            "acr": context.acr,
            "mfa": context.mfa,
            "session": context.session,
        }
    )


def read_context(text: str | None) -> AuthenticationContext:
    """What the text says."""
    if text is None:
        return NOT_KNOWN
    found = json.loads(text)
    return AuthenticationContext(
        found["auth_time"], frozenset(found["amr"]), found["acr"], found["mfa"], found["session"]
    )

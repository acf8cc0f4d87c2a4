"""Access tokens for a test's people, made in this process as `interpose token create` makes them, without the policy, which has no part in it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from interpose.app.config import read_settings
from interpose.app.protocols import SPOKEN
from interpose.app.quantities import parse_duration
from interpose.app.state import open_state
from interpose.identity.principals import read_principals
from interpose.identity.tokens import TokenIssuer


def make_token(config: Path, principal: str, expires: str, acting_for: str | None = None) -> tuple[str, str]:
    """The id and the text of a new token. Not to be called in a running event loop."""
    settings = read_settings(config, SPOKEN)
    principals = read_principals(settings.principals)
    state = open_state(settings, "cli", {"command": "token create", "operator": "os:test"})
    try:
        issuer = TokenIssuer(state.tokens, lambda: principals, state.record.chain, state.clock, state.ids)
        record, token = asyncio.run(
            issuer.create(principal, by="os:test", ttl=parse_duration(expires), acting_for=acting_for)
        )
    finally:
        state.close()
    return str(record.id), token

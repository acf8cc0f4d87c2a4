"""The first administrator, wired: the one-time token, and where it is shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Final

from interpose.app.state import State
from interpose.engine.bootstrap import LIFETIME, Bootstrap
from interpose.engine.ports import AuditChain
from interpose.engine.snapshot import SnapshotHolder
from interpose.identity.tokens import TokenIssuer

BY_GATEWAY: Final = "the gateway: first start"


def bootstrap(holder: SnapshotHolder, state: State, audit: AuditChain) -> Bootstrap:
    """The use case, with the store's tokens."""
    issuer = TokenIssuer(state.tokens, lambda: holder.current.principals, audit, state.clock, state.ids)
    return Bootstrap(state.bootstrap, holder, issuer, audit, state.clock, state.ids)


async def show_first(made: Bootstrap, tell: Callable[[str, Mapping[str, str | int]], None]) -> None:
    """At the first start of a gateway that nobody administers yet: show a token to whoever sits at the terminal.

    INVARIANT: it is shown on a terminal and nowhere else. Where standard error is a file, a pipe or a journal, none is made.
    """
    if not await made.untouched():
        return
    if not sys.stderr.isatty():
        tell("no token yet", {"hint": "first token: interpose bootstrap --new, or interpose token create"})
        return
    token = await made.first(BY_GATEWAY)
    if token is not None:
        sys.stderr.write(block(token))
        sys.stderr.flush()


def block(token: str, *, first: bool = True) -> str:
    """What a person reads."""
    why = "This gateway has no administrator yet. Its" if first else "The"
    line = "-" * 72
    return (
        f"{line}\n"
        f"{why} one-time token, good for {LIFETIME / 60:.0f} minutes:\n\n"
        f"    {token}\n\n"
        "    interpose bootstrap NAME\n\n"
        "asks for it and gives NAME an access token, if policy permits NAME to `administer`.\n"
        "It is not shown again: `interpose bootstrap --new` makes another.\n"
        f"{line}\n"
    )

"""A name that is given back: the directory forgets whose it was, and everything that stands for its holder ends with it.

INVARIANT: no token, certificate or session of the one before is worth anything under the same name of another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from interpose.engine.directory import NOBODY
from interpose.model.audit import AuditEvent, AuditKind

if TYPE_CHECKING:
    from interpose.engine.directory import Directory
    from interpose.engine.logins import LoginTokens
    from interpose.engine.ports import AuditChain, Clock, RenewalStore, TokenStore
    from interpose.model.ids import TokenId

    class Tokens(LoginTokens, TokenStore, Protocol):
        """Tokens, and the logins that they come from."""


async def forget(
    name: str, *, by: str, directory: Directory, tokens: Tokens, renewals: RenewalStore, audit: AuditChain, clock: Clock
) -> int:
    """Give back a name; answers how many tokens and certificates were revoked.

    Raises `ClientError`, `RecordingError`, `StoreError`; asked once more after an error it goes on where it stopped.
    """
    known = await directory.forget(name, by=by)
    await renewals.forget(name)
    now = clock.wall()
    revoked: list[TokenId] = []
    if known.provider != NOBODY:
        # Also ends the sessions that no token stands for, in every process.
        revoked += await tokens.revoke_login(known.provider, known.subject, None, now, now)
    for record in await tokens.all():
        if name in (record.principal, record.acting_for) and record.revoked_at is None:
            await tokens.revoke(record.id, now)
            revoked.append(record.id)
    for token in revoked:
        audit.append(AuditEvent(AuditKind.TOKEN_REVOKED, None, by, {"token": token}))
    return len(revoked)

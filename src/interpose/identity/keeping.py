"""A credential into the store, when the audit chain has it already.

What the store then refuses is taken back in the chain, which would else tell of a credential that never was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import AuthenticationError, StoreError

if TYPE_CHECKING:
    from interpose.engine.ports import AuditChain, TokenRecord, TokenStore

_NAMED: Final = {AuditKind.TOKEN_REVOKED: "token", AuditKind.CERTIFICATE_REVOKED: "serial"}


async def keep(
    store: TokenStore, digest: bytes, record: TokenRecord, audit: AuditChain, revoked: AuditKind, by: str
) -> None:
    """Store what was just audited; `revoked` is the event for one of its kind that is taken back.

    Raises what the store raises, and `RecordingError`.
    """
    try:
        await store.add(digest, record)
    except (AuthenticationError, StoreError) as error:
        why = error.detail if isinstance(error, AuthenticationError) else error.code
        audit.append(AuditEvent(revoked, None, by, {_NAMED[revoked]: record.id, "not_kept": why}))
        raise

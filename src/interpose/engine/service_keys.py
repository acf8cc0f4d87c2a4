"""The use case of a service's rotating key: a new token now, and the older ones end when the grace is over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import ClientError
from interpose.model.ids import TokenId
from interpose.model.principal import PrincipalKind

if TYPE_CHECKING:
    from interpose.engine.delegation import TokenMaker
    from interpose.engine.ports import AuditChain, Clock, PrincipalSource, TokenRecord

OLD: Final = 90 * 86400.0
"""Seconds after which a token that never expires is due."""
_LAST_PART: Final = 1 / 3
"""A token is due when no more than this part of its life is left."""


class KeyStore(Protocol):
    """Access tokens, whose lives can be cut short."""

    async def all(self) -> Sequence[TokenRecord]:
        """Every token, newest first."""
        ...

    async def shorten(self, tokens: Collection[TokenId], until: float, at: float) -> None:
        """Let these, and all that was got with them, expire at `until` at the latest; live sessions meet it."""
        ...


@dataclass(frozen=True, slots=True)
class Rotated:
    """The new token, shown once, and the older ones, which are good until `until` at the latest."""

    record: TokenRecord
    token: str = field(repr=False)
    older: tuple[TokenId, ...]
    until: float


class ServiceKeys:
    """Rotates."""

    def __init__(
        self,
        store: KeyStore,
        principals: Callable[[], PrincipalSource],
        maker: TokenMaker,
        audit: AuditChain,
        clock: Clock,
    ) -> None:
        """`principals` gives those that are known now."""
        self._store = store
        self._principals = principals
        self._maker = maker
        self._audit = audit
        self._clock = clock

    async def rotate(self, name: str, *, by: str, ttl: float, grace: float) -> Rotated:
        """A new token for `ttl` seconds; tokens and certificates that the service has live on for `grace` seconds at most.

        Raises `ClientError` for what is no service, `RecordingError`, `StoreError`.
        """
        principal = self._principals().find(name)
        if principal is None or principal.kind is not PrincipalKind.SERVICE:
            raise ClientError(
                f"there is no service `{name}`",
                hint="`kind: service` in the principals file makes one; other tokens are made with `interpose token create`",
            )
        if grace < 0:
            raise ClientError("the grace cannot be negative", hint="give a duration such as `1h`, or `0s`")
        record, token = await self._maker.create(principal.name, by=by, ttl=ttl, description="service key")
        now = self._clock.wall()
        until = now + grace
        older = tuple(
            each.id
            for each in await self._store.all()
            if each.principal == principal.name and each.id != record.id and _lives(each, now)
        )
        fields: dict[str, AuditValue] = {
            "principal": principal.name,
            "tokens": older,
            "until": int(until),
            "by_token": record.id,
        }
        self._audit.append(AuditEvent(AuditKind.TOKEN_SHORTENED, None, by, fields))
        await self._store.shorten(older, until, now)
        return Rotated(record, token, older, until)


def _lives(record: TokenRecord, now: float) -> bool:
    return record.revoked_at is None and (record.expires_at is None or record.expires_at > now)


def is_due(record: TokenRecord, now: float) -> bool:
    """Whether a service's token should be rotated: the last third of its life, or old where it never expires."""
    if not _lives(record, now):
        return False
    if record.expires_at is None:
        return now - record.created_at >= OLD
    return record.expires_at - now <= (record.expires_at - record.created_at) * _LAST_PART

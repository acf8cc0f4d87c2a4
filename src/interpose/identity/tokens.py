"""Access tokens: made, shown once, kept as a hash, checked in constant work.

A token reads `ip_<id>_<secret><check>`: an id of 10 characters that is safe to log, 43 characters that carry 256 random bits,
and 6 that are their checksum, so that a scanner for leaked secrets can tell a token from chance without asking anybody.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import re
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from interpose.engine.authenticate import loggable
from interpose.engine.delegation import Delegated
from interpose.engine.ports import TokenRecord
from interpose.identity.holder import holder
from interpose.identity.keeping import keep
from interpose.identity.names import canonical_name
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import AuthenticationError, ClientError
from interpose.model.ids import TokenId
from interpose.model.principal import Identity, Principal, PrincipalKind

if TYPE_CHECKING:
    from interpose.engine.ports import AuditChain, Clock, Ids, PrincipalSource, TokenStore

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 10
_SECRET_LENGTH = 43
_CHECK_LENGTH = 6
TOKEN_PATTERN = re.compile(r"ip_([0-9a-hjkmnp-tv-z]{10})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})")
"""What a token looks like: id, secret, checksum."""

_WRONG = "authentication failed"


def make_token(random: bytes) -> tuple[TokenId, str]:
    """A token of 39 random bytes (7 for the id, 32 for the secret): its id and the whole token."""
    if len(random) != 39:
        raise ValueError("a token is made of 39 random bytes")
    number = int.from_bytes(random[:7], "big")
    identifier = "".join(_ID_ALPHABET[number >> shift & 31] for shift in range(0, 5 * _ID_LENGTH, 5))
    body = f"ip_{identifier}_{_base62(int.from_bytes(random[7:], 'big'), _SECRET_LENGTH)}"
    return TokenId(identifier), body + _checksum(body)


def looks_like_token(text: str) -> bool:
    """Whether a text is a well-formed token, checksum included; says nothing about whether it is valid."""
    match = TOKEN_PATTERN.fullmatch(text)
    return match is not None and _checksum(text[:-_CHECK_LENGTH]) == match[3]


def token_digest(token: str) -> bytes:
    """What is stored: SHA-256 of the whole token. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


class Tokens:
    """The port `Authenticators`, and the making and revoking of tokens."""

    def __init__(self, store: TokenStore, principals: Callable[[], PrincipalSource], clock: Clock) -> None:
        """`principals` gives the current snapshot's."""
        self._store = store
        self._principals = principals
        self._clock = clock

    async def identify(self, claimed_name: str, token: str) -> Identity:
        """Who this is; the name must be that of the token's principal. Raises `AuthenticationError` or `StoreError`.

        The same work is done whatever is wrong, and the answer is the same.
        """
        name = canonical_name(claimed_name) or ""
        record, principal, fault = await self._find(token)
        expected = "" if record is None else record.principal
        same = hmac.compare_digest(name.encode(), expected.encode())
        if record is None or principal is None or not same:
            raise AuthenticationError(_WRONG, detail=fault or "other_name")
        return _identity(record, principal)

    async def bearer(self, token: str) -> Identity:
        """Who holds this token, where no name is claimed (the admin API). Raises `AuthenticationError` or `StoreError`."""
        record, principal, fault = await self._find(token)
        if record is None or principal is None:
            raise AuthenticationError(_WRONG, detail=fault)
        return _identity(record, principal)

    async def _find(self, token: str) -> tuple[TokenRecord | None, Principal | None, str]:
        """The valid record behind a token and its principal as it is now; None for whatever is not valid, with a word for why."""
        # A text that is no token at all is looked up as well: it takes as long as a token that is not known.
        record = await self._store.find(token_digest(token))
        fault = _fault(record, self._clock.wall(), token)
        if fault:
            record = None
        principal, gone = holder(self._principals(), record)
        return record, principal, fault or gone


_CLOCK_TOLERANCE = 300.0


def _fault(record: TokenRecord | None, now: float, token: str) -> str:
    """Why a token does not count, as a machine word; empty when it does."""
    if record is None:
        return "token_unknown" if looks_like_token(token) else "no_token"
    if record.revoked_at is not None:
        return "token_revoked"
    if record.expires_at is not None and now >= record.expires_at:
        return "token_expired"
    # A clock that has gone back to before the token was made may have gone back past its expiry, too.
    return "clock_went_back" if now < record.created_at - _CLOCK_TOLERANCE else ""


def _identity(record: TokenRecord, principal: Principal) -> Identity:
    return Identity(
        principal,
        "token",
        record.id,
        record.expires_at,
        record.provider,
        record.subject,
        record.context,
        connections=record.connections,
    )


class TokenIssuer:
    """Makes and revokes tokens; both are in the audit chain before they take effect."""

    def __init__(
        self, store: TokenStore, principals: Callable[[], PrincipalSource], audit: AuditChain, clock: Clock, ids: Ids
    ) -> None:
        """`principals` gives the current snapshot's, or those of the configuration where no gateway runs."""
        self._store = store
        self._principals = principals
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def create(
        self,
        name: str,
        *,
        by: str,
        ttl: float | None,
        description: str = "",
        acting_for: str | None = None,
        task: str | None = None,
        proven: Identity | None = None,
        delegated: Delegated | None = None,
    ) -> tuple[TokenRecord, str]:
        """Make a token for a principal; answers the record and the token, which nobody can show again.

        `ttl` in seconds, None for a token that does not expire; `by` is the label of who makes it. `proven` is the identity that it is
        got with, whose provider, subject and authentication the token takes over (None: those of whoever has the name now); `delegated` is how an agent came to it. Raises
        `ClientError` for a principal that does not exist, `RecordingError` and `StoreError`.
        """
        principals = self._principals()
        principal = principals.find(canonical_name(name) or "")
        if principal is None:
            raise ClientError(f"there is no principal `{name}`", hint="add it to the principals file first")
        acts = delegated is not None and principal.kind is PrincipalKind.SERVICE
        if (acting_for is not None or task is not None) and principal.kind is not PrincipalKind.AGENT and not acts:
            raise ClientError(f"`{principal.name}` is no agent", hint="only an agent acts for somebody or has a task")
        if ttl is not None and ttl <= 0:
            raise ClientError("a token must live longer than nothing", hint="give a duration such as `8h` or `90d`")
        person = None if acting_for is None else canonical_name(acting_for)
        if acting_for is not None:
            found = None if person is None else principals.find(person)
            if found is None or found.kind is not PrincipalKind.USER:
                raise ClientError(
                    f"there is no user `{acting_for}`", hint="an agent acts for a user of the principals file"
                )
        now = self._clock.wall()
        token_id, token = make_token(self._ids.secret_bytes(39))
        expires = None if ttl is None else now + ttl
        record = TokenRecord(token_id, principal.name, now, expires, None, description, person, task)
        if proven is not None:
            record = dataclasses.replace(
                record, provider=proven.provider, subject=proven.subject, context=proven.context
            )
        elif (vouched := principals.vouched(principal.name)) is not None:
            record = dataclasses.replace(record, provider=vouched[0], subject=vouched[1])
        fields: dict[str, AuditValue] = {
            "token": token_id,
            "principal": principal.name,
            "expires_at": None if expires is None else int(expires),
            "acting_for": person,
            "task": None if task is None else loggable(task, 256),
        }
        if delegated is not None:
            record = dataclasses.replace(
                record, parent=delegated.parent, actor=delegated.actor, connections=delegated.connections
            )
            fields |= delegated.fields
        self._audit.append(AuditEvent(AuditKind.TOKEN_CREATED, None, by, fields))
        await keep(self._store, token_digest(token), record, self._audit, AuditKind.TOKEN_REVOKED, by)
        return record, token

    async def revoke(self, token: TokenId, *, by: str) -> bool:
        """Revoke; live sessions of this token end within seconds. False when there is none such."""
        self._audit.append(AuditEvent(AuditKind.TOKEN_REVOKED, None, by, {"token": token}))
        return await self._store.revoke(token, self._clock.wall())

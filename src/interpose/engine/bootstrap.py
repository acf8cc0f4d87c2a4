"""The use case of the first administrator: a one-time token that the gateway shows once becomes a short-lived access token.

It proves that its holder stands at the machine, and no more: it is redeemed for a principal that exists and that policy permits to
`administer`. It gives no right, so it can never override policy.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from interpose.engine.authenticate import loggable
from interpose.engine.callers import CallerProof
from interpose.engine.limits import FailureLimiter, address_group
from interpose.model.actions import Action
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.refusal import Refusal
from interpose.policy.acting import Acting

if TYPE_CHECKING:
    from interpose.engine.delegation import TokenMaker
    from interpose.engine.ports import AuditChain, Clock, Ids, TokenRecord
    from interpose.engine.snapshot import SnapshotHolder
    from interpose.model.principal import Principal

LIFETIME: Final = 3600.0
"""Seconds for which a bootstrap token is good."""
ACCESS_SECONDS: Final = 8 * 3600.0
"""Seconds for which the access token that it is redeemed into is good."""
_ATTEMPTS, _WINDOW = 10, 60.0
_TOLERANCE = 300.0
_ID_BYTES, _SECRET_BYTES = 5, 32


@dataclass(frozen=True, slots=True)
class BootstrapRecord:
    """A bootstrap token as it is stored: never itself. Times are wall-clock seconds; `ended` says when it was used or replaced."""

    id: str
    created_at: float
    expires_at: float
    ended: float | None = None


class BootstrapStore(Protocol):
    """Bootstrap tokens, hashed, shared by all workers; every change is atomic."""

    async def untouched(self) -> bool:
        """Whether nothing was ever stored: no bootstrap token, no access token, nobody in the directory."""
        ...

    async def first(self, digest: bytes, record: BootstrapRecord) -> bool:
        """Store one where the store is untouched; False otherwise. INVARIANT: of several workers, one gets True."""
        ...

    async def replace(self, digest: bytes, record: BootstrapRecord) -> None:
        """Store one, and end all others."""
        ...

    async def find(self, digest: bytes) -> BootstrapRecord | None:
        """The one with this SHA-256 digest."""
        ...

    async def use(self, identifier: str, at: float) -> bool:
        """End it; False when it was ended already. INVARIANT: of two at once, one gets True."""
        ...


@dataclass(frozen=True, slots=True)
class Redeemed:
    """The access token that came of it, shown once."""

    record: TokenRecord
    token: str = field(repr=False)


class Bootstrap:
    """Issues and redeems."""

    def __init__(
        self,
        store: BootstrapStore,
        holder: SnapshotHolder,
        maker: TokenMaker,
        audit: AuditChain,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """Asks the current snapshot anew each time."""
        self._store = store
        self._holder = holder
        self._maker = maker
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._failures = FailureLimiter(clock, _ATTEMPTS, _WINDOW)

    async def untouched(self) -> bool:
        """Whether this gateway never had a token of any kind. Raises `StoreError`."""
        return await self._store.untouched()

    async def first(self, by: str) -> str | None:
        """A token, where this gateway never had one of any kind; None everywhere else. Raises `RecordingError`, `StoreError`."""
        token, digest, record = self._made()
        if not await self._store.first(digest, record):
            return None
        self._issued(record, by, "first_start")
        return token

    async def new(self, by: str) -> str:
        """Another token; those before are worth nothing any more. Raises `RecordingError`, `StoreError`."""
        token, digest, record = self._made()
        self._issued(record, by, "asked_for")
        await self._store.replace(digest, record)
        return token

    async def redeem(self, token: str, name: str, source: str) -> Redeemed | Refusal:
        """An access token for the principal `name`. A refusal that is not about the token leaves it good.

        Raises `RecordingError`, `StoreError`.
        """
        peer = address_group(source)
        if self._failures.blocked(peer):
            return self._refuse(_TOO_MANY, "too_many_attempts", None, name, source)
        # Whatever is wrong, the same is done: one look by the digest of what came, and secrets are compared nowhere.
        record = await self._store.find(_digest(token))
        now = self._clock.wall()
        fault = _fault(record, now)
        if record is None or fault:
            self._failures.failed(peer)
            return self._refuse(_WORTHLESS, fault, record, name, source)
        snapshot = self._holder.current
        principal = snapshot.principals.find(name)
        if principal is None:
            return self._refuse(_NO_PRINCIPAL, "no_such_principal", record, name, source)
        acting = Acting.of(snapshot.principals.find, principal)
        # As the access token that comes of it will be judged: a rule that asks for a second factor holds here, too.
        facts = CallerProof("token", source).facts()
        if acting is None or not acting.may(snapshot.policy, Action.ADMINISTER, None, facts, now):
            return self._refuse(_not_permitted(principal), "not_permitted", record, name, source)
        if not await self._store.use(record.id, now):
            return self._refuse(_WORTHLESS, "used", record, name, source)
        fields: dict[str, AuditValue] = {"bootstrap": record.id, "principal": principal.name, "source": source}
        self._audit.append(AuditEvent(AuditKind.BOOTSTRAP_REDEEMED, None, principal.label, fields))
        made, access = await self._maker.create(
            principal.name, by=f"bootstrap {record.id}", ttl=ACCESS_SECONDS, description="first administrator"
        )
        return Redeemed(made, access)

    def _made(self) -> tuple[str, bytes, BootstrapRecord]:
        random = self._ids.secret_bytes(_ID_BYTES + _SECRET_BYTES)
        identifier, secret = _text(random[:_ID_BYTES]), _text(random[_ID_BYTES:])
        now = self._clock.wall()
        token = f"ib_{identifier}_{secret}"
        return token, _digest(token), BootstrapRecord(identifier, now, now + LIFETIME)

    def _issued(self, record: BootstrapRecord, by: str, how: str) -> None:
        fields: dict[str, AuditValue] = {"bootstrap": record.id, "expires_at": int(record.expires_at), "how": how}
        self._audit.append(AuditEvent(AuditKind.BOOTSTRAP_ISSUED, None, by, fields))

    def _refuse(self, refusal: Refusal, reason: str, record: BootstrapRecord | None, name: str, source: str) -> Refusal:
        fields: dict[str, AuditValue] = {
            "reason": reason,
            "bootstrap": None if record is None else record.id,
            "claimed_name": loggable(name),
            "source": source,
        }
        self._audit.append(AuditEvent(AuditKind.BOOTSTRAP_REFUSED, None, "", fields))
        return refusal


_WORTHLESS: Final = Refusal(
    "bootstrap_refused",
    "this bootstrap token is not valid: it is unknown, used, replaced, or older than an hour",
    "run `interpose bootstrap --new` on the gateway's machine",
)
_TOO_MANY: Final = Refusal(
    "too_many_attempts", "too many bootstrap tokens from this address were wrong", "wait a minute, then try again"
)
_NO_PRINCIPAL: Final = Refusal(
    "no_such_principal",
    "there is no such principal",
    "add it to the principals file, or let it sign in once, then try again",
)


def _not_permitted(principal: Principal) -> Refusal:
    rule = (
        f'permit (principal == {principal.kind.value}::"{principal.name}", action == Action::"administer", resource);'
    )
    return Refusal(
        "not_permitted",
        f"policy does not permit `{principal.name}` to `administer` this gateway",
        f"a bootstrap token gives no rights: add a rule such as  {rule}  to the policy folder, then try again",
    )


def _fault(record: BootstrapRecord | None, now: float) -> str:
    if record is None:
        return "unknown"
    if record.ended is not None:
        return "used"
    # A clock that went back to before the token was made says nothing about its age.
    return "expired" if not record.created_at - _TOLERANCE <= now < record.expires_at else ""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _text(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()

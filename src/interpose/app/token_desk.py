"""Access tokens that people and their agents get of the gateway itself, wired. Knows no page."""

from __future__ import annotations

from typing import Final

from interpose.app.state import State
from interpose.engine.delegation import Delegation
from interpose.engine.directory import Directory
from interpose.engine.logins import Logins
from interpose.engine.ports import AuditChain, Clock, Ids, TokenStore
from interpose.engine.signing_in import SignedIn, SignIn
from interpose.engine.snapshot import SnapshotHolder
from interpose.engine.standing import present_identity
from interpose.identity.tokens import TokenIssuer, looks_like_token, token_digest
from interpose.model.errors import ClientError
from interpose.model.ids import TokenId
from interpose.web.ports import Issued

TOKEN_SECONDS: Final = 8 * 3600.0
"""The longest that a token of `interpose login` lives; it ends earlier where the provider's word does."""


class TokenDesk:
    """The port `Desk` of the pages, over the directory and the token store."""

    def __init__(
        self,
        holder: SnapshotHolder,
        directory: Directory,
        tokens: TokenStore,
        audit: AuditChain,
        clock: Clock,
        ids: Ids,
        logins: Logins | None = None,
    ) -> None:
        """`sign_in` is for the providers: every outcome goes through it. `logins` knows which are over by their provider's word."""
        self._logins = logins
        self._holder = holder
        self._directory = directory
        self._tokens = tokens
        self._issuer = TokenIssuer(tokens, lambda: holder.current.principals, audit, clock, ids)
        self._clock = clock
        self.sign_in = SignIn(directory, audit, clock)

    def present(self, who: SignedIn) -> bool:
        """Whether the principal of this login is known now; one that another subject has taken over is not."""
        name = who.identity.principal.name
        entry = self._directory.entry(name)
        if self._logins is not None and self._logins.over(who.identity, who.at):
            return False
        return (
            present_identity(self._holder.current, who.identity) is not None
            and entry is not None
            and (entry.provider, entry.subject) == (who.proof.provider, who.proof.subject)
        )

    async def issue(self, who: SignedIn, client: str) -> Issued:
        """A token, never past what the provider vouched for."""
        name = who.identity.principal.name
        entry = self._directory.entry(name) if self.present(who) else None
        if entry is None:
            raise ClientError("your login is over", hint="sign in again")
        now = self._clock.wall()
        until = min(
            who.proof.valid_until, now + TOKEN_SECONDS, *([] if entry.valid_until is None else [entry.valid_until])
        )
        record, token = await self._issuer.create(
            name,
            by=who.identity.principal.label,
            ttl=until - now,
            description=f"interpose login: {client}"[:200],
            proven=who.identity,
        )
        return Issued(token, record.id, name, until)

    async def revoke(self, token: str) -> bool:
        """Take back a token by its text; whoever has it may end it."""
        record = await self._tokens.find(token_digest(token)) if looks_like_token(token) else None
        if record is None or record.revoked_at is not None:
            return False
        return await self._issuer.revoke(record.id, by=f"the holder of {record.principal}'s token")

    async def withdraw(self, issued: Issued) -> None:
        """Take back a token whose code was used twice."""
        await self._issuer.revoke(TokenId(issued.id), by="the gateway: its code was used twice")

    def decided(self, who: SignedIn, approved: bool, how: str, client: str, asked_from: str, source: str) -> None:
        """Into the audit chain."""
        self.sign_in.decided(who, approved, how, client, asked_from, source)

    def signed_out(self, who: SignedIn, source: str) -> None:
        """Into the audit chain."""
        self.sign_in.ended(who.proof, "signed_out", source)

    def failed(self, provider: str, reason: str, source: str) -> None:
        """Into the audit chain."""
        self.sign_in.failed(provider, "", "", reason, source)


def delegation(holder: SnapshotHolder, state: State, audit: AuditChain) -> Delegation:
    """The use case of delegation, with the store's tokens."""
    issuer = TokenIssuer(state.tokens, lambda: holder.current.principals, audit, state.clock, state.ids)
    return Delegation(holder, issuer, audit, state.clock)

"""From evidence to an open upstream: prove, admit, fetch the credential, dial. Every failure becomes a refusal that is safe to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interpose.model.errors import InterposeError, SecretError, UpstreamError
from interpose.model.refusal import Refusal
from interpose.protocols.intents import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from interpose.engine.admit import Admission, Admitted
    from interpose.engine.authenticate import Authentication
    from interpose.engine.confirming import Confirming
    from interpose.engine.ports import Secrets
    from interpose.engine.sessions import Session
    from interpose.model.principal import Identity
    from interpose.model.refusal import ConfirmationNotice
    from interpose.net.journal import Journal
    from interpose.net.upstream import Dialer, Dialled
    from interpose.protocols.contract import ProtocolSpec
    from interpose.protocols.intents import Evidence


@dataclass(frozen=True, slots=True)
class Entered:
    """A session whose upstream is open."""

    session: Session
    dialled: Dialled


class Admittance:
    """What stands between a complete login and a running session."""

    __slots__ = ("_admission", "_authentication", "_confirming", "_dialer", "_journal", "_secrets")

    def __init__(
        self,
        authentication: Authentication,
        admission: Admission,
        secrets: Secrets,
        dialer: Dialer,
        journal: Journal,
        confirming: Confirming | None = None,
    ) -> None:
        """One object a worker; it keeps nothing of any login. `confirming` None: no listener offers logins in a browser."""
        self._confirming = confirming
        self._authentication = authentication
        self._admission = admission
        self._secrets = secrets
        self._dialer = dialer
        self._journal = journal

    async def enter(
        self, spec: ProtocolSpec, evidence: Evidence, requested: Mapping[str, str], peer: str
    ) -> Entered | Refused:
        """Let a client in, or say why not. `peer` is its address without the port.

        A session that was admitted and whose upstream does not open is closed here, also when this is cancelled.
        """
        identity = await self._authentication.prove(evidence, peer)
        if isinstance(identity, Refused):
            return identity
        return await self.admit(spec, identity, evidence, requested, peer)

    async def confirm(
        self, evidence: Evidence, peer: str, tell: Callable[[ConfirmationNotice], None]
    ) -> Identity | Refused:
        """Wait until a person has confirmed this client in a browser: who it is, or why not. Nothing is dialled."""
        if self._confirming is None:
            raise RuntimeError("no listener of this gateway offers logins in a browser")
        return await self._confirming.confirm(evidence, peer, tell)

    async def admit(
        self, spec: ProtocolSpec, identity: Identity, evidence: Evidence, requested: Mapping[str, str], peer: str
    ) -> Entered | Refused:
        """Let in whoever is proven to be `identity`; otherwise as `enter`."""
        admitted = await self._admission.admit(identity, evidence, peer)
        if isinstance(admitted, Refused):
            return admitted
        session = admitted.session
        try:
            if admitted.connection.protocol != spec.name:
                session.close("wrong_protocol")
                return Refused(_other_protocol(admitted.connection.name, admitted.connection.protocol))
            dialled = await self._dial(spec, admitted, requested)
        except InterposeError as error:
            session.close("upstream_unavailable" if isinstance(error, UpstreamError) else error.code)
            self._journal.upstream_failed(admitted.connection.name, error)
            return Refused(_refusal(error))
        except BaseException:
            session.close("login_abandoned")
            raise
        if session.ended_with is not None:
            # Revoked, killed or drained while it was dialling.
            dialled.wire.abort()
            session.close(session.ended_with.code)
            return Refused(session.ended_with)
        return Entered(session, dialled)

    async def _dial(self, spec: ProtocolSpec, admitted: Admitted, requested: Mapping[str, str]) -> Dialled:
        connection = admitted.connection
        # INVARIANT: the credential is fetched against the grant, handed to the dialogue and not kept here.
        credential = await self._secrets.fetch(admitted.grant, connection.secret)
        return await self._dialer.dial(connection, spec.dial(connection, credential, requested), admitted.grant)


def _refusal(error: InterposeError) -> Refusal:
    if isinstance(error, SecretError):
        return Refusal(error.code, "the gateway has no credential for this upstream", "ask the gateway's operator")
    return Refusal(error.code, error.public_message, error.hint)


def _other_protocol(connection: str, protocol: str) -> Refusal:
    return Refusal(
        "wrong_protocol",
        f"the connection `{connection}` does not speak this protocol",
        f"use a client for {protocol}, at the port where the gateway listens for it",
    )

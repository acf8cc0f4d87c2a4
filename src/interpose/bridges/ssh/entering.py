"""From a proven identity to a session with an open upstream: admit, fetch the credential, dial, log in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from interpose.bridges.ssh.options import OWN_CERTIFICATE, SshOptions
from interpose.bridges.ssh.turns import Turn, Turns
from interpose.bridges.ssh.upstream import log_in
from interpose.engine.limits import address_group
from interpose.model.errors import InterposeError, SecretError, UpstreamError
from interpose.model.refusal import Refusal
from interpose.protocols.intents import Evidence, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interpose.bridges.ssh.ends import UpstreamEnd
    from interpose.bridges.ssh.ports import Certified, Dial, Journal, UpstreamCertificates
    from interpose.engine.admit import Admission, Admitted
    from interpose.engine.ports import Secrets
    from interpose.engine.sessions import Session
    from interpose.model.principal import Identity
    from interpose.protocols.contract import Credential


LOGINS: Final = 8
"""Logins under way at one upstream, of all workers: a host closes connections when more than ten log in (`MaxStartups`, sshd's default), and all come from the gateway."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A session whose upstream is open."""

    session: Session
    upstream: UpstreamEnd
    options: SshOptions


class Entrance:
    """What stands between a proven client and its session."""

    def __init__(
        self,
        admission: Admission,
        secrets: Secrets,
        certificates: UpstreamCertificates,
        dial: Dial,
        journal: Journal,
        deadline: float,
        *,
        keepalive: float,
        logins: int = LOGINS,
    ) -> None:
        """`deadline` in seconds is for the upstream's handshake and login, after the socket is open; `keepalive` in
        seconds is how long it may be silent then before it is asked whether it is still there; `logins` are those under way at one upstream."""
        self._admission = admission
        self._secrets = secrets
        self._certificates = certificates
        self._dial = dial
        self._journal = journal
        self._deadline = deadline
        self._keepalive = keepalive
        self._logins = logins
        self._upstreams: dict[str, Turns] = {}

    async def line_up(self, connection: str, peer: str) -> Turn:
        """Wait for a turn at an upstream; end it when the session is open or refused. Best before the proof, which does not keep."""
        if connection not in self._upstreams:
            for idle in [name for name, turns in self._upstreams.items() if turns.idle]:
                del self._upstreams[idle]
        return await self._upstreams.setdefault(connection, Turns(self._logins)).take(address_group(peer))

    async def enter(
        self, identity: Identity, name: str, connection: str, peer: str, details: Mapping[str, str]
    ) -> Entered | Refused:
        """Open a session, or say why not. A session that was admitted and whose upstream does not open is closed here."""
        evidence = Evidence(name, connection, "", details)
        admitted = await self._admission.admit(identity, evidence, peer)
        if isinstance(admitted, Refused):
            return admitted
        session, options = admitted.session, admitted.connection.options
        try:
            if not isinstance(options, SshOptions):
                session.close("wrong_protocol")
                return Refused(_other_protocol(admitted.connection.name, admitted.connection.protocol))
            upstream = await self._open(admitted, options)
        except InterposeError as error:
            session.close(error.code if error.code != UpstreamError.code else "upstream_unavailable")
            self._journal.upstream_failed(admitted.connection.name, error)
            return Refused(_refusal(error))
        except BaseException:
            session.close("login_abandoned")
            raise
        if session.ended_with is not None:
            # Revoked, killed or drained while it was dialling.
            upstream.abort()
            session.close(session.ended_with.code)
            return Refused(session.ended_with)
        return Entered(session, upstream, options)

    async def _open(self, admitted: Admitted, options: SshOptions) -> UpstreamEnd:
        connection = admitted.connection
        # INVARIANT: the credential is fetched against the grant, handed to the login and not kept here.
        credential: Credential | Certified
        if connection.secret == OWN_CERTIFICATE:
            principal = admitted.session.identity.principal
            credential = await self._certificates.issue(admitted.grant, principal, options.user)
        else:
            credential = await self._secrets.fetch(admitted.grant, connection.secret)
        sock = await self._dial(connection, admitted.grant)
        try:
            return await log_in(
                sock, connection.name, options, credential, deadline=self._deadline, keepalive=self._keepalive
            )
        except TimeoutError as error:
            raise UpstreamError(
                f"the upstream `{connection.name}` did not let the gateway in within {self._deadline:g} s",
                detail=str(connection.address),
                hint="try again, or ask an operator to look at the connection",
            ) from error


def _refusal(error: InterposeError) -> Refusal:
    if isinstance(error, SecretError):
        return Refusal(error.code, "the gateway has no credential for this upstream", "ask the gateway's operator")
    return Refusal(error.code, error.public_message, error.hint)


def _other_protocol(connection: str, protocol: str) -> Refusal:
    return Refusal(
        "wrong_protocol",
        f"the connection `{connection}` does not speak SSH",
        f"use a client for {protocol}, at the port where the gateway listens for it",
    )


def cancelled(task: asyncio.Task[Entered | Refused]) -> None:
    """Close what a client that has left does not need any more; use it as a callback of the task that enters."""
    if not task.cancelled() and task.exception() is None:
        answer = task.result()
        if isinstance(answer, Entered):
            answer.upstream.abort()
            answer.session.close("client_closed")

"""The port `Secrets`: a credential against a grant, from wherever its reference points.

References: `env:NAME`, `file:/path`, `store:name`. Nothing is kept between fetches, so a rotated credential is used at the next dial.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import RecordingError, SecretError
from interpose.model.proofs import Grant, ProofError
from interpose.protocols.contract import Credential
from interpose.secrets.files import read_private_file

if TYPE_CHECKING:
    from interpose.engine.ports import AuditChain
    from interpose.model.connection import Connection
    from interpose.model.ids import ConnectionName
    from interpose.secrets.vault import Vault


class SecretSources:
    """Fetches credentials; every fetch is in the audit chain before the credential exists."""

    def __init__(
        self,
        connections: Callable[[], Mapping[ConnectionName, Connection]],
        audit: AuditChain,
        environment: Mapping[str, str],
        vault: Callable[[], Vault] | None = None,
    ) -> None:
        """`connections` gives those of the current snapshot; `vault` opens the encrypted store, None where none is set up."""
        self._connections = connections
        self._audit = audit
        self._environment = environment
        self._vault = vault

    async def fetch(self, grant: Grant, reference: str) -> Credential:
        """The credential behind a reference; raises `SecretError`.

        The grant must be genuine and unspent (else it is our bug: `ProofError`), and for a connection that uses exactly this
        reference now.
        """
        if not _genuine(grant) or grant.spent:
            raise ProofError("a credential is fetched against an unspent grant")
        connection = self._connections().get(grant.connection)
        if connection is None:
            raise SecretError("the connection does not exist any more", detail=grant.connection)
        if connection.secret != reference:
            raise SecretError("the connection's credential has another source now", detail=grant.connection)
        self._record(grant, connection)
        return Credential(await self._read(reference))

    async def own(self, reference: str) -> str:
        """A secret of the gateway itself, such as that of its client at an identity provider; raises `SecretError`.

        Not for upstreams: those are fetched against a grant, and recorded.
        """
        if any(connection.secret == reference for connection in self._connections().values()):
            raise SecretError("an upstream's credential is no secret of the gateway's own", detail=reference)
        return await self._read(reference)

    async def _read(self, reference: str) -> str:
        kind, _, name = reference.partition(":")
        if kind == "env" and name:
            value = self._environment.get(name)
            if not value:
                raise SecretError(
                    "the upstream's credential is not set",
                    detail=f"environment variable {name}",
                    hint="set it where the gateway is started, or name another source in `secret`",
                )
            return value
        if kind == "file" and name:
            value = await asyncio.to_thread(read_private_file, Path(name))
            if not value:
                raise SecretError("the upstream's credential is empty", detail=name)
            return value
        if kind == "store" and name:
            if self._vault is None:
                raise SecretError(
                    "the secret store has no key", detail=reference, hint="set `secrets.key` in the configuration"
                )
            vault = self._vault
            return await asyncio.to_thread(lambda: vault().get(name))
        raise SecretError("a credential is `env:NAME`, `file:/path` or `store:name`", detail=f"`{kind}:…`")

    def _record(self, grant: Grant, connection: Connection) -> None:
        fields = {"connection": connection.name, "source": connection.secret.partition(":")[0]}
        try:
            self._audit.append(AuditEvent(AuditKind.SECRET_READ, grant.session, "", fields))
        except RecordingError as error:
            raise SecretError("the reading of the credential cannot be recorded", detail=error.detail) from error


def _genuine(grant: object) -> bool:
    """Whether this is a grant at all: only the engine can make one, and the class is final."""
    return type(grant) is Grant

"""A survey of one upstream over a connection of its own, which is dialled once and closed at the end.

Implements the engine's port `SurveySource` by the protocol's own dialogues; knows no protocol and keeps no answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from interpose.model.errors import UpstreamError
from interpose.model.survey import Sample, SampleRequest, Survey

if TYPE_CHECKING:
    from interpose.engine.ports import Secrets
    from interpose.model.connection import Connection
    from interpose.model.proofs import Grant
    from interpose.net.upstream import Dialer, Dialled
    from interpose.protocols.contract import ProtocolSpec
    from interpose.protocols.dialogue import Dialogue

_HINT = "look at the upstream, then run the scan again"


class UpstreamSurvey:
    """Asks one upstream about its tables."""

    __slots__ = ("_connection", "_deadline", "_dialer", "_dialled", "_grant", "_secrets", "_spec")

    def __init__(
        self,
        dialer: Dialer,
        secrets: Secrets,
        spec: ProtocolSpec,
        connection: Connection,
        grant: Grant,
        *,
        deadline: float = 90.0,
    ) -> None:
        """`grant` is the engine's, for the gateway's own use of this connection. `deadline`: seconds for one question."""
        self._dialer = dialer
        self._secrets = secrets
        self._spec = spec
        self._connection = connection
        self._grant = grant
        self._deadline = deadline
        self._dialled: Dialled | None = None

    async def survey(self, schema: str | None) -> Survey:
        """Every table, or those of one schema; raises `UpstreamError`."""
        answer = await self._ask(self._spec.survey(schema))
        if not isinstance(answer, Survey):
            raise self._useless("a survey ended without one")
        return answer

    async def sample(self, request: SampleRequest) -> Sample:
        """Some values, or the refusal to show them; raises `UpstreamError`."""
        answer = await self._ask(self._spec.sample(request))
        if not isinstance(answer, Sample):
            raise self._useless("a sample ended without one")
        return answer

    def close(self) -> None:
        """Close the connection."""
        dialled, self._dialled = self._dialled, None
        if dialled is not None:
            dialled.wire.abort()

    async def _ask(self, dialogue: Dialogue) -> object:
        if self._dialled is None:
            self._dialled = await self._dial()
        try:
            async with asyncio.timeout(self._deadline):
                done = await self._dialer.converse(self._connection, self._dialled.wire, dialogue)
        except TimeoutError as error:
            self.close()
            raise self._useless(f"no answer within {self._deadline:g} s") from error
        except BaseException:
            # INVARIANT: a connection on which a dialogue was cut short is never used again.
            self.close()
            raise
        if done.leftover:
            self.close()
            raise self._useless("bytes behind the end of an answer")
        return done.result

    async def _dial(self) -> Dialled:
        credential = await self._secrets.fetch(self._grant, self._connection.secret)
        dialogue = self._spec.dial(self._connection, credential, {})
        dialled = await self._dialer.dial(self._connection, dialogue, self._grant)
        if dialled.leftover:
            dialled.wire.abort()
            raise self._useless("bytes behind the end of the login")
        return dialled

    def _useless(self, detail: str) -> UpstreamError:
        return UpstreamError(f"the tables of `{self._connection.name}` cannot be read", detail=detail, hint=_HINT)

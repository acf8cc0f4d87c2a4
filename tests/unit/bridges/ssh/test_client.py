"""When a login is too old to open a session by."""

from __future__ import annotations

import asyncio
from typing import Any

from interpose.bridges.ssh.arriving import Proven
from interpose.bridges.ssh.client import Client
from interpose.bridges.ssh.names import Wanted
from interpose.bridges.ssh.parts import Bounds, Parts
from interpose.bridges.ssh.turns import Turn, Turns
from interpose.bridges.ssh.words import LOGIN_TOO_OLD
from interpose.model.principal import Identity
from interpose.model.refusal import Refusal
from interpose.protocols.intents import Refused
from tests.support.memory import person

NO = Refused(Refusal("connection_unavailable", "no"))


class Outside:
    """Everything around a client, as far as it is asked here."""

    def __init__(self) -> None:
        self.entered: list[str] = []
        self._channels: dict[int, object] = {}

    async def enter(self, identity: Identity, name: str, connection: str, peer: str, details: object) -> Refused:
        self.entered.append(f"{name}+{connection}")
        return NO

    async def line_up(self, connection: str, peer: str) -> Turn:
        return await Turns(1).take(peer)

    def remove(self, client: object) -> None: ...

    def login_failed(self, source: str, protocol: str, reason: str) -> None: ...

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def is_closed(self) -> bool:
        return True


async def answered(age: float) -> tuple[Outside, Refused]:
    """What a channel of a client is told whose outer connection proved somebody so many seconds ago."""
    outside: Any = Outside()
    parts = Parts(
        logins=outside,
        entrance=outside,
        gate=outside,
        release=outside,
        foresight=outside,
        live=outside,
        pending=outside,
        exchanges=outside,
        journal=outside,
        faults=outside,
        traffic=outside,
        choices=lambda identity, peer, protocol: ["web-1"],
        bounds=Bounds(choice=60.0),
    )
    at = asyncio.get_running_loop().time() - age
    client = Client(parts, outside, Proven(Identity(person("alice"), "token"), Wanted("alice", "web-1"), "::1", at))
    client._end = outside
    assert client.begin_auth("somebody") is False
    client.auth_completed()
    answer = await client._session_for(outside)
    assert isinstance(answer, Refused)
    client.connection_lost(None)
    return outside, answer


async def test_a_fresh_proof_opens_a_session_for_the_proven_name() -> None:
    outside, answer = await answered(59.0)
    assert outside.entered == ["alice+web-1"]
    assert answer is NO


async def test_an_old_proof_opens_none() -> None:
    outside, answer = await answered(61.0)
    assert outside.entered == []
    assert answer.refusal is LOGIN_TOO_OLD

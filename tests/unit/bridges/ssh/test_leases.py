"""Permits of tunnels: what is held is void when its client leaves, what cannot be masked is not begun, and what is lent is never kept."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest

from interpose.bridges.ssh.leases import Lease, Tunnelled
from interpose.bridges.ssh.wanted_forwards import AGENT, DISPLAY, command_for
from interpose.bridges.ssh.words import CANCELLED
from interpose.model.actions import Action
from interpose.model.audit import AuditKind
from interpose.model.command import ForwardRequest
from interpose.protocols.intents import Allowed
from interpose.recording.channel_frames import StreamName
from tests.support.ssh_pair import Pair, pair

DATABASE = ForwardRequest(Action.FORWARD, "db", 5432)


async def _allowed(made: Pair, request: ForwardRequest = DATABASE) -> Allowed:
    answer = await made.session.judge(command_for(request, made.session.context), lambda _: None).answer()
    assert isinstance(answer, Allowed)
    answer.permit.spend()
    return answer


async def test_a_held_tunnel_is_told_and_void_when_its_client_leaves() -> None:
    async with pair(holds=[Action.FORWARD]) as made:
        asking = asyncio.ensure_future(made.connect())
        await made.until(lambda: made.said)
        assert made.said[0].startswith("interpose: held for approval")
        made.session.client_left()
        with pytest.raises((asyncssh.ChannelOpenError, asyncssh.ConnectionLost)):
            await asyncio.wait_for(asking, 30)
        closed = made.core.audit.of(AuditKind.APPROVAL_CLOSED)
        assert [each.fields["state"] for each in closed] == ["cancelled"]
        assert made.host.asked == []


async def test_what_is_permitted_after_its_client_left_is_not_sent() -> None:
    async with pair([Action.FORWARD]) as made:
        tunnelled = Tunnelled(made.session)
        tunnelled.gone = True
        assert await tunnelled.judged(DATABASE) is CANCELLED
        assert made.ends == [("not_sent", "")]


async def test_a_permit_ends_once_when_nothing_runs_under_it_any_more() -> None:
    async with pair([Action.FORWARD_LISTEN]) as made:
        lease = Lease(made.session, await _allowed(made, ForwardRequest(Action.FORWARD_LISTEN, "*", 80)), "k", b"")
        one, two = Tunnelled(made.session), Tunnelled(made.session)
        tunnels = [each.join(lease, "k") for each in (one, two)]
        tunnels[0].stop()
        lease.release(cut=False)
        assert made.ends == []
        lease.release(cut=True)
        lease.release(cut=True)
        assert made.ends == [("ok", "2 connections, 0 bytes up, 0 bytes down")]


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("request_", [DATABASE, AGENT, DISPLAY], ids=["port", "agent", "display"])
async def test_only_what_goes_through_ports_is_kept(request_: ForwardRequest, kept: bool) -> None:
    actions = [Action.FORWARD, Action.FORWARD_AGENT, Action.FORWARD_X11]
    async with pair(actions, record_forwards=kept) as made:
        tunnelled = Tunnelled(made.session)
        tunnel = tunnelled.join(Lease(made.session, await _allowed(made, request_), "k", b""), "k")
        tunnel.carry(tunnel.client, b"secret")
        streams = {stream: data for (_, stream), data in made.recorder.streams.items()}
        assert streams == ({StreamName.STDIN: b"secret"} if kept and request_ is DATABASE else {})
        assert tunnel.tag == "6 bytes up, 0 bytes down"

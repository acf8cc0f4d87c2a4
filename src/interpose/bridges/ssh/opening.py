"""Opening a channel at the upstream, starting in it what was judged, and the relay and record that belong to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncssh

from interpose.bridges.ssh.channels import UpstreamChannel
from interpose.bridges.ssh.relaying import ChannelRelay
from interpose.bridges.ssh.scp import ScpRelay, transfer_of
from interpose.bridges.ssh.words import NOT_MASKABLE
from interpose.protocols.intents import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interpose.bridges.ssh.bridged import ClientSide
    from interpose.bridges.ssh.channels import Terminal
    from interpose.bridges.ssh.lending import Lending
    from interpose.bridges.ssh.relaying import RelayOwner
    from interpose.bridges.ssh.session import SshSession
    from interpose.bridges.ssh.start import Permitted, Start
    from interpose.protocols.intents import Allowed


def relay_maker(session: SshSession, start: Start, answer: Allowed) -> Callable[..., ChannelRelay] | Refused:
    """What makes the relay of a start that is permitted, where its output may be shown."""
    showing = session.parts.release.show_stream(session.session, answer)
    if isinstance(showing, Refused):
        return showing
    transfer = transfer_of(answer.analysis) if start.kind == "exec" else None
    if isinstance(transfer, Refused):
        return transfer
    if transfer is not None and showing.scanner is not None:
        return Refused(NOT_MASKABLE)

    def make(owner: RelayOwner, client: ClientSide, *, number: int, terminal: bool) -> ChannelRelay:
        relay = (ChannelRelay if transfer is None else ScpRelay)(
            owner,
            client,
            number=number,
            permit=answer.permit,
            showing=showing,
            terminal=terminal,
            recorder=session.session.recorder,
            counts=session.counts,
            towards_client=session.client.congestion,
            towards_upstream=session.upstream.congestion,
        )
        if isinstance(relay, ScpRelay) and transfer is not None:
            relay.follow(session, transfer)
        return relay

    return make


async def open_upstream(
    session: SshSession,
    relay: asyncssh.SSHClientSession[bytes],
    start: Start,
    variables: Sequence[tuple[bytes, bytes]],
    terminal: Terminal | None,
    spend: Callable[[], None],
    gone: Callable[[], bool],
    lending: Lending | None = None,
) -> UpstreamChannel:
    """Start it; nothing is delivered before `release`. Raises `asyncssh.Error` and `OSError`.

    `spend` spends the permits of all parts, just before the first of them is sent. With `gone` nothing is sent. What is in `lending` was judged before.
    """
    upstream = UpstreamChannel(session.upstream, asyncio.get_running_loop())
    await upstream.open(relay)
    if gone():
        raise asyncssh.ChannelOpenError(0, "the client has left")
    # INVARIANT: what is sent from here on is exactly what was judged, each under its own permit.
    spend()
    if lending is not None:
        await lending.hand_over(upstream)
    for name, value in variables:
        upstream.set_variable(name, value)
    if terminal is not None and not await upstream.get_terminal(terminal):
        raise asyncssh.ChannelOpenError(0, "the host gives no terminal")
    if not await upstream.start(start.kind, start.text):
        raise asyncssh.ChannelOpenError(0, "the host does not start it")
    return upstream


def record_opened(
    session: SshSession, number: int, permitted: Permitted, answer: Allowed, start: Start, terminal: Terminal | None
) -> None:
    """Say in the recording what begins on a channel, and on which terminal. Raises `RecordingError`."""
    recorder = session.session.recorder
    recorder.channel_opened(number, answer.permit.sequence, start.kind, terminal.term if terminal else "")
    permitted.recorded = True
    if terminal is not None:
        recorder.window(number, terminal.size[0], terminal.size[1])

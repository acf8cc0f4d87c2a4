"""What a client wants forwarded, in the one spelling in which it is judged and sent."""

from __future__ import annotations

import asyncio
import socket as sockets
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import asyncssh

from interpose.bridges.ssh.words import NO_DESTINATION, refusal_line, unresolved
from interpose.model.actions import Action
from interpose.model.command import Command, CommandKind, ForwardRequest
from interpose.model.destinations import canonical_host, canonical_listener, is_address

if TYPE_CHECKING:
    from interpose.model.command import HostContext

_RESOLVE_DEADLINE: Final = 5.0
MOST_ADDRESSES: Final = 4
"""Addresses of one name that are tried when the host cannot connect to those before."""

AGENT: Final = ForwardRequest(Action.FORWARD_AGENT)
DISPLAY: Final = ForwardRequest(Action.FORWARD_X11)


async def destinations(host: str, port: int, socket: str, *, resolve: str) -> list[ForwardRequest]:
    """Where a connection is to lead: one place, or each address of a name that the gateway looks up, to be tried in this order.

    Raises `asyncssh.ChannelOpenError` for what is no host, or is not found.
    """
    if socket:
        return [ForwardRequest(Action.FORWARD, socket=socket)]
    canonical = canonical_host(host)
    if canonical is None:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, refusal_line(NO_DESTINATION))
    request = ForwardRequest(Action.FORWARD, canonical, port)
    if resolve != "gateway" or is_address(canonical):
        return [request]
    return [replace(request, address=address) for address in await _addresses(canonical)]


async def _addresses(name: str) -> list[str]:
    """The first addresses of a name, by the gateway's own resolver; at least one."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVE_DEADLINE):
            found = await loop.getaddrinfo(name, None, type=sockets.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, refusal_line(unresolved(name))) from error
    every = [canonical_host(str(each[4][0])) for each in found]
    addresses = list(dict.fromkeys(address for address in every if address is not None))[:MOST_ADDRESSES]
    if not addresses:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, refusal_line(unresolved(name)))
    return addresses


def listener(host: str, port: int, socket: str) -> ForwardRequest:
    """Where the host is to listen; raises `asyncssh.ChannelOpenError` for what is no host."""
    if socket:
        return ForwardRequest(Action.FORWARD_LISTEN, socket=socket)
    canonical = canonical_listener(host)
    if canonical is None:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, refusal_line(NO_DESTINATION))
    return ForwardRequest(Action.FORWARD_LISTEN, canonical, port)


def command_for(request: ForwardRequest, context: HostContext) -> Command:
    """The command that is judged; its text is what an approver reads."""
    return Command(CommandKind.FORWARD, _text(request), replace(context, request=request))


def _text(request: ForwardRequest) -> str:
    match request.action:
        case Action.FORWARD_AGENT:
            return "forward the client's agent"
        case Action.FORWARD_X11:
            return "forward the client's display"
        case Action.FORWARD_LISTEN:
            verb = "listen on"
        case _:
            verb = "forward to"
    if request.socket:
        return f"{verb} {request.socket}"
    host = f"[{request.host}]" if ":" in request.host else request.host
    pinned = f" ({request.address})" if request.address else ""
    return f"{verb} {host}:{request.port}{pinned}"

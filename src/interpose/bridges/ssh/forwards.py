"""The tunnels of one session: connections through the host, ports and sockets that the host listens on, the client's agent and display.

INVARIANT: nothing is asked of the host before it was judged, and what is asked is what was judged. A channel that the host opens is taken
only for something that was permitted and has not ended.

It is the host that connects and listens, never the gateway: a forward to `127.0.0.1` is the host's own loopback.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import asyncssh
from asyncssh.constants import MSG_REQUEST_SUCCESS
from asyncssh.packet import PacketDecodeError, String, UInt32

from interpose.bridges.ssh.leases import Lease, Tunnelled
from interpose.bridges.ssh.tunnels import TunnelChannel
from interpose.bridges.ssh.wanted_forwards import destinations, listener
from interpose.bridges.ssh.words import CANCELLED, FAULT, forward_failed, listen_failed, refusal_line
from interpose.model.actions import Action
from interpose.protocols.intents import Allowed
from interpose.recording.sanitize import sanitize

if TYPE_CHECKING:
    from asyncssh.packet import SSHPacket

    from interpose.bridges.ssh.ends import Opened
    from interpose.bridges.ssh.session import SshSession
    from interpose.model.command import ForwardRequest
    from interpose.model.refusal import Refusal

MOST_LISTENERS: Final = 32
"""Ports and sockets that one session may have its host listen on."""
MOST_PORT: Final = 65535
MOST_BACKWARDS: Final = 64
"""Channels that a host may have open in one session."""


class Listener(asyncssh.SSHListener):
    """What the library keeps of a port or socket that the host listens on for the client."""

    def __init__(self, forwards: Forwards, key: tuple[str, int], cancel: tuple[bytes, bytes]) -> None:
        """`key` is what the host names it by; `cancel` is the request that ends it."""
        super().__init__()
        self._forwards = forwards
        self._key = key
        self._cancel = cancel

    def get_port(self) -> int:
        """The port that is bound."""
        return self._key[1]

    def close(self) -> None:
        """The client wants it no more, or has left."""
        self._forwards.unlisten(self._key, self._cancel)

    async def wait_closed(self) -> None:
        """It is closed at once."""


class Forwards:
    """Everything of one session that goes past its programs."""

    def __init__(self, session: SshSession) -> None:
        """Nothing is forwarded; the upstream's channels come here from now on."""
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._listening: dict[tuple[str, int], Lease] = {}
        self._asking: set[Lease] = set()
        self._lent: dict[str, list[Lease]] = {"agent": [], "x11": []}
        self._tasks: set[asyncio.Task[object]] = set()
        session.upstream.backwards = self

    # --- through the host

    async def connect(self, host: str, port: int, socket: str) -> asyncssh.SSHTCPSession[bytes]:
        """Judge and open a connection that the client wants (`direct-tcpip`, or stream-local for a socket); the client's side of it.

        Raises `asyncssh.ChannelOpenError` with the reason in words.
        """
        session = self._session
        try:
            *first, last = await destinations(host, port, socket, resolve=session.options.resolve_forwards)
            for request in first:
                # As the host would do it with a name. Each address is judged by itself, and one that is refused ends it.
                try:
                    return await self._judge_and_connect(request)
                except asyncssh.ChannelOpenError as error:
                    if error.code != asyncssh.OPEN_CONNECT_FAILED:
                        raise
            return await self._judge_and_connect(last)
        except asyncssh.ChannelOpenError:
            raise
        except Exception as error:
            session.failed(error)
            raise _prohibited(FAULT) from error

    async def _judge_and_connect(self, request: ForwardRequest) -> asyncssh.SSHTCPSession[bytes]:
        if self._session.over.is_set():
            raise _prohibited(CANCELLED)
        forward = Tunnelled(self._session)
        try:
            answer = await forward.judged(request)
            if not isinstance(answer, Allowed):
                raise _prohibited(answer)
            return await self._up(forward, request, answer)
        except BaseException:
            forward.stop()
            raise

    async def _up(self, forward: Tunnelled, request: ForwardRequest, answer: Allowed) -> asyncssh.SSHTCPSession[bytes]:
        lease = Lease(self._session, answer, "", b"")
        tunnel = forward.join(lease, "forward")
        lease.release(cut=False)
        answer.permit.spend()
        if request.socket:
            kind, payload = "direct-streamlocal@openssh.com", String(request.socket) + String("") + UInt32(0)
        else:
            # INVARIANT: the address or name that was judged, in the spelling in which it was judged.
            kind, payload = "direct-tcpip", String(request.address or request.host) + UInt32(request.port) + _NOBODY
        try:
            await TunnelChannel(self._session.upstream).open(kind, payload, tunnel.upstream)
        except (asyncssh.Error, OSError) as error:
            lease.outcome = "error"
            tunnel.stop()
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_CONNECT_FAILED, refusal_line(forward_failed(error))
            ) from error
        return tunnel.client

    # --- listening on the host

    async def listen(self, host: str, port: int, socket: str) -> Listener | None:
        """Judge and ask for a port or socket that the host listens on; None, and words to the client, when there is none."""
        session = self._session
        forward = Tunnelled(session)
        try:
            request = listener(host, port, socket)
            if len(self._listening) >= MOST_LISTENERS:
                session.announce(refusal_line(listen_failed("too many at once")))
                return None
            answer = await forward.judged(request)
            if not isinstance(answer, Allowed):
                session.announce(refusal_line(answer))
                return None
            return await self._bind(request, host, answer)
        except asyncssh.ChannelOpenError as error:
            session.announce(error.reason)
            return None
        except Exception as error:  # noqa: BLE001 -- INVARIANT: a fault closes what it arose on, and is told
            session.failed(error)
            return None
        finally:
            forward.stop()

    async def _bind(self, request: ForwardRequest, asked: str, answer: Allowed) -> Listener | None:
        session = self._session
        if request.socket:
            key = (request.socket, 0)
            ask, arguments = "streamlocal-forward@openssh.com", String(request.socket)
            lease = Lease(session, answer, "forwarded-streamlocal@openssh.com", String(request.socket))
        else:
            key = ("" if request.host == "*" else request.host, request.port)
            ask, arguments = "tcpip-forward", String(key[0]) + UInt32(request.port)
            lease = Lease(session, answer, "forwarded-tcpip", String(asked))
        if key in self._listening:
            lease.outcome = "not_sent"
            lease.release(cut=True)
            session.announce(refusal_line(listen_failed("it is listened on already")))
            return None
        if key[1] or request.socket:
            # A connection may come before this task hears of the answer.
            self._listening[key] = lease
        answer.permit.spend()
        self._asking.add(lease)
        kind, packet = await session.upstream.ask(ask, arguments)
        if lease not in self._asking:
            # The session ended meanwhile.
            return None
        self._asking.discard(lease)
        fault = ""
        if kind != MSG_REQUEST_SUCCESS:
            self._listening.pop(key, None)
            fault = "the host does not let it"
        elif not request.socket and not key[1]:
            port = _bound_port(packet)
            key = (key[0], port)
            if not 0 < port <= MOST_PORT or key in self._listening:
                # INVARIANT: a lease is replaced by none: nobody would end the earlier one.
                fault = "the host names a port that cannot be"
            else:
                self._listening[key] = lease
                arguments = String(key[0]) + UInt32(port)
        if fault:
            lease.outcome = "error"
            lease.release(cut=True)
            session.announce(refusal_line(listen_failed(fault)))
            return None
        session.session.recorder.note("forward", sanitize(f"listening on {key[0] or '*'} {key[1] or ''}".strip()))
        return Listener(self, key, (f"cancel-{ask}".encode(), arguments))

    def unlisten(self, key: tuple[str, int], cancel: tuple[bytes, bytes]) -> None:
        """Listen there no more; what is connected goes on."""
        lease = self._listening.pop(key, None)
        if lease is not None:
            lease.release(cut=False)
            task = self._loop.create_task(self._session.upstream.ask(cancel[0].decode(), cancel[1]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # --- the client's agent and display

    async def lend(self, forward: Tunnelled, request: ForwardRequest) -> Lease | Refusal:
        """Judge whether the host may use the client's agent or display; `take_back` when the program that has it is over."""
        try:
            answer = await forward.judged(request)
        finally:
            forward.stop()
        if not isinstance(answer, Allowed):
            return answer
        kind = "agent" if request.action is Action.FORWARD_AGENT else "x11"
        lease = Lease(self._session, answer, _LENT[kind], b"")
        answer.permit.spend()
        self._lent[kind].append(lease)
        return lease

    def take_back(self, lease: Lease) -> None:
        """The host may not use it any more."""
        for lent in self._lent.values():
            if lease in lent:
                lent.remove(lease)
        lease.release(cut=True)

    # --- what the host opens

    def forwarded(self, host: str, port: int, origin: tuple[str, int]) -> Opened:
        """A connection came to a port; raises `asyncssh.ChannelOpenError` for one that nobody listens on."""
        lease = self._listening.get((host, port))
        if lease is None:
            raise _unasked()
        return self._down(lease, lease.theirs + UInt32(port) + String(origin[0]) + UInt32(origin[1]))

    def forwarded_socket(self, path: str) -> Opened:
        """A connection came to a socket."""
        lease = self._listening.get((path, 0))
        if lease is None:
            raise _unasked()
        return self._down(lease, lease.theirs + String(""))

    def borrowed(self, kind: str, origin: tuple[str, int]) -> Opened:
        """The host uses the client's `agent` or display (`x11`)."""
        lent = self._lent[kind]
        if not lent:
            raise _unasked()
        return self._down(lent[-1], b"" if kind == "agent" else String(origin[0]) + UInt32(origin[1]))

    def _down(self, lease: Lease, payload: bytes) -> Opened:
        upstream = self._session.upstream
        if len(upstream._channels) >= MOST_BACKWARDS:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "too many channels")
        return TunnelChannel(upstream), self._offer(lease, payload)

    async def _offer(self, lease: Lease, payload: bytes) -> asyncssh.SSHTCPSession[bytes]:
        forward = Tunnelled(self._session)
        try:
            tunnel = forward.join(lease, lease.kind.partition("@")[0])
        except Exception as error:
            forward.stop()
            self._session.failed(error)
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "internal error") from error
        try:
            await TunnelChannel(self._session.client).open(lease.kind, payload, tunnel.client)
        except (asyncssh.Error, OSError) as error:
            tunnel.stop()
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "the client does not take it") from error
        return tunnel.upstream

    # --- the end

    def close(self) -> None:
        """The session ends: every lease does."""
        self._session.upstream.backwards = None
        for lease in {*self._asking, *self._listening.values(), *self._lent["agent"], *self._lent["x11"]}:
            lease.release(cut=True)
        self._asking.clear()
        self._listening.clear()
        for lent in self._lent.values():
            lent.clear()
        for task in self._tasks:
            task.cancel()


_LENT: Final = {"agent": "auth-agent@openssh.com", "x11": "x11"}
_NOBODY: Final = String("127.0.0.1") + UInt32(0)
"""The originator of a connection: the host has no business with the client's address."""


def _prohibited(refusal: Refusal) -> asyncssh.ChannelOpenError:
    return asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, refusal_line(refusal))


def _unasked() -> asyncssh.ChannelOpenError:
    return asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "nobody asked for this")


def _bound_port(packet: SSHPacket) -> int:
    """The port in the answer; 0 when there is none."""
    try:
        port = packet.get_uint32()
        packet.check_end()
    except PacketDecodeError:
        return 0
    return int(port)

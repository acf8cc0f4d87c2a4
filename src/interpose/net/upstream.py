"""Dialling upstreams and running dialogues on them: names, deadlines, TLS. Knows no protocol; every failure is an `UpstreamError`."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, assert_never

from interpose.model.connection import Address, Connection
from interpose.model.errors import InterposeError, UpstreamError
from interpose.net.sockets import tune
from interpose.net.tls import TlsChannel
from interpose.net.wire import Wire
from interpose.protocols.dialogue import Dialogue, Done, Failed, Send, Step, UpgradeTls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from interpose.model.proofs import Grant
    from interpose.net.certificates import ClientContexts
    from interpose.net.options import DialOptions, SessionOptions

OpenedT = TypeVar("OpenedT")

_HINT = "try again, or ask an operator to look at the connection"


@dataclass(slots=True)
class Dialled:
    """An upstream that let the gateway in: the wire, what the dialogue learned, and upstream bytes behind it.

    Reading is paused until the owner resumes it. `peer` is the very address that answered: a cancel goes there.
    """

    connection: Connection
    wire: Wire
    result: object
    leftover: bytes
    peer: Address


class Conversation:
    """Runs one dialogue on one wire; the steps are carried out in the callback in which they arise."""

    __slots__ = ("_behind", "_contexts", "_dialogue", "_done", "_name", "_upgrading", "_wire")

    def __init__(self, wire: Wire, contexts: ClientContexts, name: str) -> None:
        """`name` is the connection's, for messages."""
        self._wire = wire
        self._contexts = contexts
        self._name = name
        self._behind: list[bytes] = []
        self._upgrading: asyncio.Task[None] | None = None
        self._dialogue: Dialogue | None = None
        self._done: asyncio.Future[Done] | None = None

    async def run(self, dialogue: Dialogue) -> Done:
        """Carry the dialogue out to its end; raises `UpstreamError`. Afterwards reading is paused."""
        self._dialogue = dialogue
        done: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._done = done
        wire = self._wire
        wire.on_bytes = self._received
        wire.on_lost = self._lost
        try:
            if wire.gone:
                raise self._broken("it closed the connection")
            wire.resume_reading()
            self._carry_out(dialogue.start())
            early, wire.early = wire.early, []
            for data in early:
                self._received(data)
            ended = await done
        finally:
            wire.pause_reading()
            self._dialogue = None
            if self._upgrading is not None:
                self._upgrading.cancel()
        ended.leftover += b"".join(self._behind)
        self._behind.clear()
        return ended

    def _received(self, data: bytes) -> None:
        dialogue, done = self._dialogue, self._done
        if dialogue is None or done is None or done.done():
            self._behind.append(data)
        else:
            self._guarded(lambda: dialogue.received(data))

    def _guarded(self, steps: Callable[[], list[Step]]) -> None:
        done = self._done
        if done is None or done.done():
            return
        try:
            self._carry_out(steps())
        except Exception as error:  # noqa: BLE001 -- handed to whoever waits; nothing may leave a half-run dialogue
            if not done.done():
                done.set_exception(error)

    def _lost(self, error: Exception | None) -> None:
        dialogue, done = self._dialogue, self._done
        if dialogue is None or done is None or done.done():
            return
        channel = self._wire.tls
        if channel is not None and channel.failure is not None:
            done.set_exception(self._broken(f"TLS failed: {channel.failure}"))
            return
        self._guarded(dialogue.closed)
        if not done.done():
            done.set_exception(self._broken(str(error) if error else "it closed the connection"))

    def _carry_out(self, steps: list[Step]) -> None:
        done = self._done
        assert done is not None
        chunks: list[bytes] = []
        for step in steps:
            if done.done():
                break
            match step:
                case Send(data):
                    chunks.append(data)
                case UpgradeTls():
                    if chunks:
                        self._wire.write(chunks)
                        chunks = []
                    self._upgrade(step)
                case Done():
                    if chunks:
                        self._wire.write(chunks)
                        chunks = []
                    # INVARIANT: nothing is read behind a dialogue before its owner is there to take it.
                    self._wire.pause_reading()
                    done.set_result(step)
                case Failed(error):
                    done.set_exception(error)
                case _:
                    assert_never(step)
        if chunks:
            self._wire.write(chunks)

    def _upgrade(self, step: UpgradeTls) -> None:
        context = self._contexts.ready(step.verify, step.ca_file, step.alpn)
        if context is not None:
            self._start_tls(context, step.server_name)
        else:
            # INVARIANT: nothing is read while the context is being made, so no byte is taken in clear behind the upgrade.
            self._wire.pause_reading()
            self._upgrading = asyncio.get_running_loop().create_task(self._upgrade_later(step), name="TLS context")

    async def _upgrade_later(self, step: UpgradeTls) -> None:
        done = self._done
        try:
            context = await asyncio.to_thread(self._contexts.make, step.verify, step.ca_file, step.alpn)
            self._start_tls(context, step.server_name)
            self._wire.resume_reading()
        except Exception as error:  # noqa: BLE001 -- as above
            if done is not None and not done.done():
                done.set_exception(error)

    def _start_tls(self, context: ssl.SSLContext, server_name: str) -> None:
        try:
            channel = TlsChannel(context, server_side=False, server_name=server_name or None)
        except (ssl.SSLError, ValueError) as error:
            raise self._broken(f"no TLS to a server named `{server_name}`") from error
        dialogue = self._dialogue
        if dialogue is not None:
            self._wire.start_tls(channel, lambda: self._guarded(lambda: dialogue.tls_started(channel.peer_certificate)))

    def _broken(self, detail: str) -> UpstreamError:
        return UpstreamError(f"the upstream `{self._name}` did not answer as it should", detail=detail, hint=_HINT)


class Dialer:
    """Opens connections to upstreams: for a session under its grant, and for cancels beside a dialled one."""

    __slots__ = ("_cancels", "_contexts", "_options", "_session")

    def __init__(self, contexts: ClientContexts, options: DialOptions, session: SessionOptions) -> None:
        """`session` gives the bounds of the wires that are made."""
        self._contexts = contexts
        self._options = options
        self._session = session
        self._cancels = asyncio.Semaphore(options.max_cancels)

    async def dial(self, connection: Connection, dialogue: Dialogue, grant: Grant) -> Dialled:
        """Connect and log in; raises `UpstreamError` with a message that is safe to show."""
        # INVARIANT: the grant is spent before any socket opens, name lookup included.
        grant.spend(connection.name)
        wire: Wire | None = None
        try:
            async with asyncio.timeout(self._options.dial_deadline):
                wire, peer = await self._connect(connection.name, connection.address)
                done = await self.converse(connection, wire, dialogue)
        except TimeoutError as error:
            if wire is not None:
                wire.abort()
            raise UpstreamError(
                f"the upstream `{connection.name}` did not let the gateway in within {self._options.dial_deadline:g} s",
                detail=str(connection.address),
                hint=_HINT,
            ) from error
        except BaseException:
            if wire is not None:
                wire.abort()
            raise
        return Dialled(connection, wire, done.result, done.leftover, peer)

    async def converse(self, connection: Connection, wire: Wire, dialogue: Dialogue) -> Done:
        """Run one more dialogue on a wire; raises `UpstreamError`. Any other error is ours and says so without data."""
        try:
            return await Conversation(wire, self._contexts, connection.name).run(dialogue)
        except UpstreamError:
            raise
        except InterposeError as error:
            raise UpstreamError(error.public_message, detail=error.detail, hint=error.hint) from error

    async def cancel(self, connection: Connection, peer: Address, dialogue: Dialogue) -> None:
        """Run a cancel dialogue on a connection of its own; raises `UpstreamError`.

        INVARIANT: it goes to the address that the session was dialled at under its grant, and a cancel dialogue is made by the
        protocol from what that dial learned: it carries no command.
        """
        wire: Wire | None = None
        async with self._cancels:
            try:
                async with asyncio.timeout(self._options.cancel_deadline):
                    wire, _ = await self._connect(connection.name, peer)
                    await self.converse(connection, wire, dialogue)
            except TimeoutError as error:
                raise UpstreamError(
                    f"the upstream `{connection.name}` did not take a cancel request", detail=str(peer), hint=_HINT
                ) from error
            finally:
                if wire is not None:
                    wire.abort()

    async def open_socket(self, connection: Connection, grant: Grant) -> socket.socket:
        """A connected socket, for a library that does its own IO; raises `UpstreamError`. Whoever gets it owns it."""
        # INVARIANT: as in `dial`.
        grant.spend(connection.name)
        try:
            async with asyncio.timeout(self._options.dial_deadline):
                sock, _ = await self._first(connection.name, connection.address, _open)
        except TimeoutError as error:
            raise UpstreamError(
                f"the upstream `{connection.name}` cannot be reached", detail=str(connection.address), hint=_HINT
            ) from error
        return sock

    async def _connect(self, name: str, address: Address) -> tuple[Wire, Address]:
        """A wire to the first address behind a name that answers."""
        wire, peer = await self._first(name, address, self._open_wire)
        wire.pause_reading()
        return wire, peer

    async def _open_wire(self, host: str, port: int) -> Wire:
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(
            lambda: Wire(loop, high_water=self._session.high_water, linger=self._session.linger), host=host, port=port
        )
        return wire

    async def _first(
        self, name: str, address: Address, connect: Callable[[str, int], Awaitable[OpenedT]]
    ) -> tuple[OpenedT, Address]:
        """What `connect` makes of the first address behind a name that answers, and that address."""
        faults: list[str] = []
        for host in await self._resolve(name, address):
            try:
                async with asyncio.timeout(self._options.connect_timeout):
                    opened = await connect(host, address.port)
            except TimeoutError:
                faults.append(f"{host}: no answer within {self._options.connect_timeout:g} s")
            except OSError as error:
                faults.append(f"{host}: {error.strerror or error}")
            else:
                return opened, Address(host, address.port)
        raise UpstreamError(
            f"the upstream `{name}` cannot be reached", detail=f"{address}: {'; '.join(faults)}", hint=_HINT
        )

    async def _resolve(self, name: str, address: Address) -> list[str]:
        try:
            return [str(ipaddress.ip_address(address.host))]
        except ValueError:
            # Not a literal address: a name.
            loop = asyncio.get_running_loop()
        try:
            infos = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise UpstreamError(
                f"the upstream `{name}` cannot be reached",
                detail=f"no address for `{address.host}`: {error}",
                hint=_HINT,
            ) from error
        return list(dict.fromkeys(str(info[4][0]) for info in infos))


async def _open(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        tune(sock)
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
    except BaseException:
        sock.close()
        raise
    return sock

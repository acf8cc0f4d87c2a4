"""The upstream's half of a files channel: questions under the gateway's own ids, and replies that are checked before anybody hears of them."""

from __future__ import annotations

import asyncio
from struct import Struct
from typing import TYPE_CHECKING, Final

from interpose.bridges.ssh.sftp.wire.packets import Kind, MalformedError, Splitter, framed, string, u32
from interpose.bridges.ssh.sftp.wire.replies import HostileError, Reply, read_reply, read_version
from interpose.bridges.ssh.sftp.wire.requests import Operation, Request, write_request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interpose.bridges.ssh.sftp.open_files import OpenFile
    from interpose.bridges.ssh.sftp.places import Place
    from interpose.protocols.intents import Allowed

_HEAD: Final = Struct(">BI")
_WRITE_HEAD: Final = Struct(">IBI")
_DATA_HEAD: Final = Struct(">IBI")


class Asked:
    """A request that was sent and is not answered. `answer` is the permit of a judged one; `own` waits for a question of the gateway's."""

    __slots__ = ("answer", "client_id", "file", "length", "offset", "operation", "own", "place", "request")

    def __init__(
        self,
        operation: Operation,
        client_id: int,
        *,
        file: OpenFile | None = None,
        answer: Allowed | None = None,
        request: Request | None = None,
        place: Place | None = None,
        own: asyncio.Future[Reply] | None = None,
        offset: int = 0,
        length: int = 0,
    ) -> None:
        """`request` is as it was sent and `place` what it was judged by; `offset` and `length` are those of READ and WRITE."""
        self.operation = operation
        self.client_id = client_id
        self.file = file
        self.answer = answer
        self.request = request
        self.place = place
        self.own = own
        self.offset = offset
        self.length = length


class UpstreamSide:
    """Numbers what goes up, and finds what each reply is to.

    INVARIANT: a reply that answers nothing, or not what was asked, never reaches the client: it ends the channel.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        answered: Callable[[Asked, Reply], None],
        read: Callable[[Asked, bytes], None],
    ) -> None:
        """`write` sends bytes up soon; `answered` takes each checked reply, `read` the DATA of a READ as a packet."""
        self._write = write
        self._answered = answered
        self._read = read
        self._splitter = Splitter()
        self._number = 0
        self._out: list[bytes | memoryview] = []
        self._loop = asyncio.get_running_loop()
        self._version: asyncio.Future[dict[bytes, bytes]] | None = None
        self.asked: dict[int, Asked] = {}

    # --- up

    def greet(self) -> asyncio.Future[dict[bytes, bytes]]:
        """Begin the conversation; answers the upstream's extensions."""
        self._version = self._loop.create_future()
        self._send(framed(Kind.INIT, u32(3)))
        return self._version

    def send(self, request: Request, asked: Asked) -> None:
        """Send a request; its paths and handles are the upstream's already."""
        self._send(write_request(request, self._take(asked)))

    def send_write(self, handle: bytes, rest: memoryview, asked: Asked) -> None:
        """Send a WRITE whose offset and data are `rest`, as they came."""
        number = self._take(asked)
        self._send(
            _WRITE_HEAD.pack(9 + len(handle) + len(rest), Kind.WRITE, number) + len(handle).to_bytes(4, "big") + handle
        )
        self._out.append(rest)

    def send_read(self, handle: bytes, rest: bytes, asked: Asked) -> None:
        """Send a READ whose offset and length are `rest`, as they came."""
        self._send(framed(Kind.READ, u32(self._take(asked)), string(handle), rest))

    async def ask(self, requests: Sequence[Request]) -> Sequence[Reply]:
        """Questions of the gateway's own, sent at once; answers in their order."""
        waiting = []
        for request in requests:
            own: asyncio.Future[Reply] = self._loop.create_future()
            waiting.append(own)
            self.send(request, Asked(request.operation, 0, own=own))
        return [await own for own in waiting]

    def _take(self, asked: Asked) -> int:
        self._number = number = (self._number + 1) & 0xFFFF_FFFF
        self.asked[number] = asked
        return number

    def _send(self, data: bytes) -> None:
        if not self._out:
            # Once for everything that came in one turn: a packet of its own for each request would cost the most.
            self._loop.call_soon(self._flush)
        self._out.append(data)

    def _flush(self) -> None:
        out, self._out = self._out, []
        if out:
            self._write(b"".join(out))

    # --- down

    def feed(self, data: bytes) -> None:
        """Bytes of the upstream. Raises `MalformedError` and `HostileError`."""
        for packet in self._splitter.feed(data):
            if packet[0] == Kind.VERSION and self._version is not None and not self._version.done():
                version, extensions = read_version(packet)
                if version != 3:
                    raise HostileError("the host speaks another version of SFTP")
                self._version.set_result(extensions)
                continue
            if len(packet) < _HEAD.size:
                raise MalformedError("a reply has no id")
            kind, number = _HEAD.unpack_from(packet)
            asked = self.asked.pop(number, None)
            if asked is None:
                raise HostileError("the host answered what nobody asked")
            if asked.operation is Operation.READ and kind == Kind.DATA:
                size = len(packet) - 9
                if size < 0 or int.from_bytes(packet[5:9], "big") != size or size > asked.length:
                    raise HostileError("the host sent more than was asked for")
                self._read(asked, packet)
                continue
            reply = read_reply(packet, asked.operation, asked.client_id)
            if asked.own is not None:
                if not asked.own.done():
                    asked.own.set_result(reply)
            else:
                self._answered(asked, reply)

    def stop(self) -> list[Asked]:
        """Nothing more is sent or awaited; what was never answered."""
        self._out = []
        left = list(self.asked.values())
        self.asked.clear()
        for asked in left:
            if asked.own is not None:
                asked.own.cancel()
        if self._version is not None:
            self._version.cancel()
        return left


def data_head(client_id: int, size: int) -> bytes:
    """What stands before the length and data of a DATA packet of `size` bytes for the client."""
    return _DATA_HEAD.pack(9 + size, Kind.DATA, client_id)

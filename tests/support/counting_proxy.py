"""A TCP proxy in front of a server, which counts who connects and can cut the server off: what a client does when nobody answers is seen here."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Literal, Self

Mode = Literal["up", "cut", "hang"]
"""`cut`: every connection is closed at once; `hang`: it is taken, and nothing is said."""


class CountingProxy:
    """One proxy, in a thread and an event loop of its own."""

    def __init__(self) -> None:
        """Not running."""
        self.target = 0
        """The port of the server behind it."""
        self.port = 0
        self.connections = 0
        self._mode: Mode = "up"
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cut everybody and stop."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    def be(self, mode: Mode) -> None:
        """From now on; connections that are open end, and those that come are counted anew."""
        asyncio.run_coroutine_threadsafe(self._change(mode), self._loop).result(30)

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _change(self, mode: Mode) -> None:
        self._mode, self.connections = mode, 0
        for writer in list(self._open):
            writer.transport.abort()

    async def _stop(self) -> None:
        self._server.close()
        await self._change("cut")
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._mode == "cut":
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            if self._mode == "hang":
                while await reader.read(65536):
                    pass
                return
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            self._open.add(back)
            try:
                await asyncio.gather(_pour(reader, back), _pour(there, writer))
            finally:
                self._open.discard(back)
                back.transport.abort()
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()

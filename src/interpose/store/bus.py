"""Wake-ups between the processes of one gateway: a datagram socket each, in one folder. The port `Bus`.

Best effort by design: what is lost is found again by whoever polls the store. Payloads are ids, never text or values. Who may
write into the folder may wake us up, and no more; it is made with mode 0700.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from interpose.model.errors import StoreError

_MAX_DATAGRAM = 16 * 1024
_QUEUE = 1000
_LONGEST_PATH = 100
"""Bytes of a socket's path that every system takes (sun_path is 108 on Linux, 104 elsewhere)."""
_DESCRIPTORS = Path("/proc/self/fd")
"""Where Linux names a process's open folders: a socket in a folder of any depth has a short path through it."""


class DatagramBus:
    """One process's end of the bus. Made and closed outside the event loop (both touch the folder); heard on it after `start`."""

    def __init__(self, folder: Path, name: str) -> None:
        """Open the socket; raises `StoreError`.

        `name` is unique among the processes that live: two with one name would take each other's wake-ups.
        """
        self._folder = folder
        self._path = folder / f"{name}.sock"
        self._opened: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: dict[str, list[asyncio.Queue[str]]] = {}
        self._socket: socket.socket | None = self._open()
        # Sending looks at the folder and talks to the kernel: quick, but never on the event loop.
        self._sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bus")

    def _open(self) -> socket.socket:
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            receiver.setblocking(False)
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._opened = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._path.unlink(missing_ok=True)
            receiver.bind(self._address(self._path))
            self._path.chmod(0o600)
        except OSError as error:
            receiver.close()
            self._leave()
            raise StoreError("the gateway's bus cannot be opened", detail=f"{self._path}: {error.strerror}") from error
        return receiver

    def _address(self, path: Path) -> str:
        """A name for a socket of the folder that is short enough; the path itself where there is no shorter one."""
        if len(os.fsencode(path)) <= _LONGEST_PATH or not _DESCRIPTORS.is_dir():
            return str(path)
        return str(_DESCRIPTORS / str(self._opened) / path.name)

    def _leave(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            os.close(opened)

    def start(self) -> None:
        """Begin to hear, on the running event loop."""
        if self._socket is not None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._socket.fileno(), self._readable)

    def publish(self, topic: str, payload: str) -> None:
        """Tell every process, this one included; never waits, may be lost. At most 16 KB."""
        self._dispatch(topic, payload)
        data = json.dumps([topic, payload]).encode()
        if len(data) <= _MAX_DATAGRAM:
            with contextlib.suppress(RuntimeError):  # closed: there is nobody left to tell
                self._sender.submit(self._send, data)

    async def listen(self, topic: str) -> AsyncIterator[str]:
        """Payloads on this topic from the first step of the iteration on; the oldest are dropped when nobody takes them."""
        queue: asyncio.Queue[str] = asyncio.Queue(_QUEUE)
        self._queues.setdefault(topic, []).append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues[topic].remove(queue)

    def close(self) -> None:
        """Stop hearing and leave the folder; idempotent, best after the event loop has ended. What is on its way still goes out."""
        receiver, self._socket = self._socket, None
        if receiver is not None:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(receiver.fileno())
            receiver.close()
            self._path.unlink(missing_ok=True)
        # After what is still to be sent: that needs the folder.
        with contextlib.suppress(RuntimeError):  # closed before
            self._sender.submit(self._leave)
        self._sender.shutdown(wait=False)

    def _readable(self) -> None:
        receiver = self._socket
        for _ in range(100):
            if receiver is None:
                return
            try:
                data = receiver.recv(_MAX_DATAGRAM)
            except (BlockingIOError, InterruptedError):
                return
            try:
                said = json.loads(data)
            except ValueError:
                continue  # not ours
            match said:
                case [str(topic), str(payload)]:
                    self._dispatch(topic, payload)
                case _:
                    continue

    def _dispatch(self, topic: str, payload: str) -> None:
        for queue in self._queues.get(topic, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(payload)

    def _send(self, data: bytes) -> None:
        try:
            others = [path for path in self._folder.glob("*.sock") if path != self._path]
        except OSError:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            for path in others:
                try:
                    sender.sendto(data, self._address(path))
                except ConnectionRefusedError:
                    path.unlink(missing_ok=True)  # nobody listens there any more: its process died
                except OSError:
                    continue  # its queue is full, or it has just left

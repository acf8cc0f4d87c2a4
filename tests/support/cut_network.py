"""A network that can be cut: a TCP relay which stops carrying bytes, in one direction or both, and tells neither side."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self


class CutNetwork:
    """Listens on `port` and carries everything to `target` and back, until it is cut."""

    def __init__(self, target: int) -> None:
        """`target` is a port of loopback."""
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listening.getsockname()[1])
        self._carries = {"up": threading.Event(), "down": threading.Event()}
        for each in self._carries.values():
            each.set()
        self._over = False
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def cut(self, *directions: str) -> None:
        """From now on nothing goes `up`, `down`, or (with nothing said) either way; no end is told, and what comes is not even taken."""
        for each in directions or ("up", "down"):
            self._carries[each].clear()

    def __enter__(self) -> Self:
        """Begin."""
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything."""
        self._over = True
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in self._carries.values():
            each.set()
        for sock in self._sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over:
            try:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self._sockets += [near, far]
            self._start(self._carry, near, far, self._carries["up"])
            self._start(self._carry, far, near, self._carries["down"])

    def _carry(self, source: socket.socket, target: socket.socket, carries: threading.Event) -> None:
        try:
            while data := source.recv(65536):
                carries.wait()
                target.sendall(data)
                carries.wait()
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

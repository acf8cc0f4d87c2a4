"""Where a path really leads: asked of the upstream, part by part, right before the path is judged and used.

A server's own REALPATH is not believed for this: some resolve no symbolic link.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from interpose.bridges.ssh.sftp.wire.names import BadNameError, absolute, from_wire, joined, to_wire, written
from interpose.bridges.ssh.sftp.wire.packets import Status
from interpose.bridges.ssh.sftp.wire.requests import Operation, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from interpose.bridges.ssh.sftp.wire.replies import Reply

MOST_LINKS: Final = 40
"""Symbolic links on one path, as Linux has it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A path as it was written and as it really is, both canonical; they differ when a symbolic link or a `..` after one is on the way.

    `passed` are the folders that `..` leads out of. `failed` is why the way ends before its last part; the rest is then taken by its text.
    """

    written: str
    real: str
    passed: tuple[str, ...] = ()
    failed: int | None = None

    @property
    def also(self) -> tuple[str, ...]:
        """The real path, where it is another one."""
        return () if self.real == self.written else (self.real,)


class Places:
    """Resolves paths of one account on one upstream."""

    def __init__(self, ask: Callable[[Sequence[Request]], Awaitable[Sequence[Reply]]], home: str) -> None:
        """`ask` sends questions at once and answers in their order; `home` is where relative paths begin."""
        self._ask = ask
        self.home = home

    async def find(self, raw: bytes, *, follow: bool) -> Place:
        """The place of a path; `follow` says whether the last part is looked through. Raises `BadNameError`."""
        path = absolute(from_wire(raw), self.home)
        plain = written(path)
        real, passed, failed = await self._walk(path, follow or path.endswith(("/", "/.")))
        every = dict.fromkeys([*_passed(path), *passed])
        return Place(plain, real, tuple(every), failed)

    async def _walk(self, path: str, follow: bool) -> tuple[str, list[str], int | None]:
        done: list[str] = []
        passed: list[str] = []
        rest = _parts(path)
        links = 0
        while rest:
            if rest[0] == "..":
                passed.append(joined(done))
                done, rest = done[:-1], rest[1:]
                continue
            run = list(takewhile(lambda part: part != "..", rest))
            looked = run if follow or len(run) < len(rest) else run[:-1]
            prefixes = [joined([*done, *run[: count + 1]]) for count in range(len(looked))]
            replies = await self._ask([Request(0, Operation.LSTAT, path=to_wire(prefix)) for prefix in prefixes])
            for index, reply in enumerate(replies):
                is_link = reply.attributes.is_link if reply.attributes is not None else None
                if is_link is None:
                    if reply.code == Status.NO_SUCH_FILE and index == len(rest) - 1:
                        # Something may be made there.
                        return joined([*done, run[index]]), passed, None
                    failed = Status.PERMISSION_DENIED if reply.code is None else reply.code
                    return written("/" + "/".join([*done, *rest[index:]])), passed, failed
                if is_link:
                    links += 1
                    target = await self._target(prefixes[index]) if links <= MOST_LINKS else None
                    if target is None:
                        return written("/" + "/".join([*done, *rest[index:]])), passed, Status.FAILURE
                    if target.startswith("/"):
                        done = []
                    rest = [*_parts(target), *rest[index + 1 :]]
                    break
                done.append(run[index])
            else:
                done += run[len(looked) :]
                rest = rest[len(run) :]
        return joined(done), passed, None

    async def _target(self, path: str) -> str | None:
        (reply,) = await self._ask([Request(0, Operation.READLINK, path=to_wire(path))])
        return from_wire(reply.names[0].name) if reply.names else None


def target_of_link(raw: bytes, link: Place) -> str:
    """The absolute path that a new symbolic link would lead to. Raises `BadNameError`.

    One that goes down and up again is refused: where it leads depends on what stands on its way when somebody uses it.
    """
    target = from_wire(raw)
    if not target:
        raise BadNameError("the target of a symbolic link is empty")
    parts = _parts(target)
    up = len(list(takewhile(lambda part: part == "..", parts)))
    if ".." in parts[up:]:
        raise BadNameError("the target of a symbolic link leads down and up again")
    folder = link.real.rpartition("/")[0]
    return written(target if target.startswith("/") else f"{folder}/{target}")


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _passed(path: str) -> list[str]:
    """The folders that a path leads out of by `..`, by its text."""
    found: list[str] = []
    done: list[str] = []
    for part in _parts(path):
        if part == "..":
            found.append(joined(done))
            done = done[:-1]
        else:
            done.append(part)
    return found

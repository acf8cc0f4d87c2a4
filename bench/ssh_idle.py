"""Memory of sessions that do nothing: many clients log in, start a command that waits, and are left alone."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import asyncssh

from bench.processes import resident
from bench.ssh_ways import Field, Way


@dataclass(frozen=True, slots=True)
class _Memory:
    before: float
    after: float
    seconds: float


def idle(ways: Field, count: int) -> None:
    """Print the memory that a session costs, with a channel on which a command waits for input."""
    print(f"{count} sessions, on each of them `cat` that waits: resident memory")
    for way in (ways.relay, ways.interpose):
        found = asyncio.run(_hold(way, count))
        each = (found.after - found.before) * 1024 / count
        print(
            f"  {way.name:28}{found.before:>8.0f} MiB, then {found.after:.0f} MiB: {each:.0f} KiB a session, "
            f"{count / found.seconds:.0f} opened a second",
            flush=True,
        )


async def _hold(way: Way, count: int) -> _Memory:
    before, began = resident(way.pid), time.perf_counter()
    key = way.options[-1]
    slots = asyncio.Semaphore(20)
    connections: list[asyncssh.SSHClientConnection] = []

    async def one() -> None:
        async with slots:
            connection = await asyncssh.connect(
                "127.0.0.1",
                way.port,
                config=None,
                known_hosts=None,
                username=way.user,
                client_keys=[key],
                agent_path=None,
            )
            connections.append(connection)
            process = await connection.create_process("echo in; cat", encoding=None)
            if await process.stdout.readline() != b"in\n":
                raise RuntimeError(f"{way.name} did not run the command")

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(one())
        seconds = time.perf_counter() - began
        await asyncio.sleep(2)
        return _Memory(before, resident(way.pid), seconds)
    finally:
        for connection in connections:
            connection.abort()

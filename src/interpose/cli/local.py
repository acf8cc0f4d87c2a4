"""Commands that change a gateway's state themselves open it here: with an audit chain of their own, as the operating system's user."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from interpose.app.loading import Loaded
    from interpose.app.state import State

ResultT = TypeVar("ResultT")


def operator() -> str:
    """Who runs this command, as audit events name it: `os:root`.

    INVARIANT: it is the user of this process, and not what the environment calls them: anybody can set USER.
    """
    number = os.getuid()
    try:
        return f"os:{pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"os:{number}"


@contextmanager
def local_state(config: Path, command: str) -> Iterator[tuple[Loaded, State]]:
    """The configuration and its opened state; closed, with the chain sealed, at the end."""
    # Policy and the store take longer to load than all the rest, and not every command of a module works on the state.
    from interpose.app.loading import load
    from interpose.app.state import open_state

    loaded = load(config)
    state = open_state(loaded.settings, "cli", {"command": command, "operator": operator()})
    try:
        yield loaded, state
    finally:
        state.close()


def run(work: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Run one piece of async work."""

    async def main() -> ResultT:
        return await work()

    return asyncio.run(main())

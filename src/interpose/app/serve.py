"""`interpose serve`: one worker in this process, or a supervisor over several."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from dataclasses import replace
from pathlib import Path

import uvloop

from interpose import __version__
from interpose.app.loading import Loaded, load
from interpose.app.state import open_state
from interpose.app.supervisor import SUPERVISED, Supervisor
from interpose.app.telemetry import Telemetry
from interpose.app.worker import Worker
from interpose.model.errors import RecordingError


def serve(config: Path, worker: int | None, workers: int | None = None) -> int:
    """Serve until a signal; answers the exit status. Raises `InterposeError` when it cannot start.

    `workers` wins over the configuration's; `worker` says that this process is one of them.
    """
    loaded = load(config)
    if worker is None:
        count = workers or loaded.settings.workers
        if count > 1:
            return Supervisor(config, count, loaded.settings.limits.drain).run()
    if workers is not None:
        loaded = replace(loaded, settings=replace(loaded.settings, workers=workers))
    if os.environ.get(SUPERVISED):
        threading.Thread(target=_die_with_supervisor, name="supervisor", daemon=True).start()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(loaded, worker or 0))


async def _run(loaded: Loaded, index: int) -> int:
    state = open_state(
        loaded.settings,
        index,
        {
            "version": __version__,
            "snapshot": loaded.snapshot.digest,
            "config": str(loaded.settings.file),
            "policy_commit": loaded.revision.commit,
            "policy_dirty": loaded.revision.dirty,
        },
    )
    telemetry = Telemetry(loaded.settings.log, loaded.settings.state, index)
    status = 1
    try:
        # What is there now stays: the collector need not look at it again and again.
        gc.freeze()
        status = await Worker(loaded, state, telemetry, index).run()
    finally:
        try:
            state.close({"status": status})
        except RecordingError as error:
            telemetry.warn("the last records could not be written", {"why": str(error)})
            status = 1
    return status


def _die_with_supervisor() -> None:
    """A worker whose supervisor was killed would serve on, unwatched: its standard input ends then, and so does it."""
    # Not by `sys.stdin`: a worker that cannot start would wait for its lock when it ends, and be aborted.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), 15)

"""`python -m bench.ssh_masking [--megabytes N] [--keys N]`: what masking of output costs over SSH: bytes a second, and a key's echo."""

from __future__ import annotations

import argparse
import os
import pty
import select
import statistics
import subprocess
import time
import tty
from typing import Final

from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer

CONNECTIONS: Final = {"as it is": "web-1", "masked": "detected"}


def main() -> None:
    """Print the figures; ratios are of this run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--keys", type=int, default=200)
    options = parser.parse_args()
    with SshServer() as server, SshScene(server) as scene:
        lines = {
            "log lines": b"2026-11-21T10:00:00Z host app[123]: request done in 17 ms, status ok, user alice\n",
            "an address in each": b"2026-11-21T10:00:00Z host app[123]: mail to alice@example.com is sent, status ok\n",
        }
        for name, line in lines.items():
            (server.folder / name).write_bytes(line * (options.megabytes * 1_000_000 // len(line)))
            rates = {}
            for how, connection in CONNECTIONS.items():
                began = time.perf_counter()
                done = scene.ssh("alice", f"cat '{server.folder / name}'", connection=connection, timeout=900)
                rates[how] = options.megabytes / (time.perf_counter() - began)
                assert done.returncode == 0, done.stderr
            shown = ", ".join(f"{how} {rate:.0f} MB/s" for how, rate in rates.items())
            print(f"{name}: {shown}; {rates['masked'] / rates['as it is']:.2f} of it")
        for how, connection in CONNECTIONS.items():
            times = sorted(_echoes(scene, connection, options.keys))
            print(
                f"a key's echo, {how}: median {statistics.median(times):.1f} ms, p95 {times[-len(times) // 20]:.1f} ms"
            )


def _echoes(scene: SshScene, connection: str, keys: int) -> list[float]:
    """Milliseconds from a key to its echo by the host's terminal."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    command = [*scene.arguments("-tt"), scene.target("alice", connection), "printf READY; exec cat > /dev/null"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=scene.environment("alice"))
    os.close(theirs)
    seen = b""
    try:
        while b"READY" not in seen:
            seen += os.read(ours, 65536)
        times = []
        for _ in range(keys):
            began = time.perf_counter()
            os.write(ours, b"x")
            select.select([ours], [], [], 10)
            os.read(ours, 65536)
            times.append(1000 * (time.perf_counter() - began))
        return times
    finally:
        process.kill()
        process.wait()
        os.close(ours)


if __name__ == "__main__":
    main()

"""Keystrokes and their echo: a real client in a terminal, at the other end of which `cat` writes back each character."""

from __future__ import annotations

import os
import pty
import subprocess
import termios
import time
import tty

from bench.ssh_ways import Way


def echoes(way: Way, count: int) -> list[float]:
    """Seconds from each of `count` keystrokes to its echo, a few milliseconds between them as somebody types who is very quick."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs, termios.TCSANOW)
    process = subprocess.Popen(
        way.ssh("stty raw -echo; echo ready; cat", ("-tt",)),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        shown = b""
        while b"ready" not in shown or not shown.endswith(b"\n"):
            shown += os.read(ours, 4096)
        found = []
        for number in range(count):
            key = b"abcdefghij"[number % 10 : number % 10 + 1]
            time.sleep(0.004)
            began = time.perf_counter()
            os.write(ours, key)
            while key not in os.read(ours, 4096):
                continue
            found.append(time.perf_counter() - began)
        return found
    finally:
        process.kill()
        process.wait()
        os.close(ours)

"""How fast files go over SFTP: direct, through a bare relay of asyncssh, and through Interpose, in turn and in the same run.

    python -m bench.ssh_files [MEBIBYTES]

Prints rates, and what each is of the bare relay of the same round (medians of three rounds). The bare relay judges nothing and copies channels.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from bench.ssh_ways import Way, field

ROUNDS = 3
SMALL_FILES = 500


def timed(way: Way, words: list[str]) -> tuple[float, float]:
    """Seconds of one command that must succeed, and the processor time of the process in between."""
    begun, before = time.perf_counter(), way.cpu()
    subprocess.run(words, env=way.environment, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - begun, way.cpu() - before


def main(size: int) -> None:
    """Measure in turn, so that a busy machine is busy for all."""
    with field(size) as ways:
        small = ways.folder / "small"
        small.mkdir()
        for number in range(SMALL_FILES):
            (small / f"{number}").write_bytes(os.urandom(1000))
        contenders = (ways.direct, ways.relay, ways.interpose)
        tasks: dict[str, Callable[[Way], list[str]]] = {
            "upload": lambda way: way.scp(str(ways.data), f"{way.target}:{ways.sink}"),
            "download": lambda way: way.scp(f"{way.target}:{ways.data}", str(ways.sink)),
            "small files": lambda way: [
                *way.scp("-r", str(small)),
                f"{way.target}:{ways.folder}/{time.monotonic_ns()}",
            ],
        }
        found: dict[str, dict[str, list[tuple[float, float]]]] = {
            task: {way.name: [] for way in contenders} for task in tasks
        }
        for _ in range(ROUNDS):
            for task, words in tasks.items():
                for way in contenders:
                    found[task][way.name].append(timed(way, words(way)))
        for task, taken in found.items():
            report(task, taken, size, ways.relay.name)


def report(task: str, taken: dict[str, list[tuple[float, float]]], size: int, peer: str) -> None:
    """One line a way."""
    for name, rounds in taken.items():
        middle = statistics.median(seconds for seconds, _ in rounds)
        rate = f"{SMALL_FILES / middle:8.0f} files/s" if task == "small files" else f"{size / middle:8.0f} MiB/s"
        pairs = list(zip(rounds, taken[peer], strict=True))
        ratio = statistics.median(other[0] / own[0] for own, other in pairs)
        cpu = statistics.median(used for _, used in rounds)
        print(f"{task:12} {name:11} {rate}  {ratio:5.2f} of the bare relay's rate  {cpu:6.2f} s of CPU in between")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 256)

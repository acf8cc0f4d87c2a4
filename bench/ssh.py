"""SSH directly, through a bare relay of the same library, and through the gateway, in turn and several rounds.

    python -m bench.ssh [throughput] [first] [echo] [connects] [memory] [flat] [--rounds N] [--megabytes N]

All of them when none is named. The client is OpenSSH's, the host a real sshd; everything runs on one machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bench.processes import resident
from bench.ssh_echo import echoes
from bench.ssh_idle import idle
from bench.ssh_ways import Field, Way, field

PARTS = ("throughput", "first", "echo", "connects", "memory", "flat")


def main() -> None:
    """Run the named parts."""
    parser = argparse.ArgumentParser(prog="python -m bench.ssh", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=512, help="what is copied in one go")
    parser.add_argument("--count", type=int, default=100, help="of first bytes and keystrokes, each way")
    parser.add_argument("--sessions", type=int, default=500, help="idle ones, for the memory figure")
    options = parser.parse_args()
    parts = options.parts or PARTS
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )
    with field(options.megabytes) as ways:
        if "throughput" in parts:
            _throughput(ways, options.rounds)
        if "first" in parts:
            _first(ways, options.count)
        if "echo" in parts:
            _echo(ways, options.count)
        if "connects" in parts:
            _connects(ways, options.rounds)
        if "memory" in parts:
            idle(ways, options.sessions)
        if "flat" in parts:
            _flat(ways)


def _throughput(ways: Field, rounds: int) -> None:
    size = ways.data.stat().st_size / 2**20
    copies: dict[str, Callable[[Way], list[str]]] = {
        "cat (from the host)": lambda way: way.ssh(f"cat {ways.data}"),
        "cat (to the host)": lambda way: way.ssh("cat >/dev/null"),
        "scp (from the host)": lambda way: way.scp(f"{way.target}:{ways.data}", str(ways.sink)),
        "scp (to the host)": lambda way: way.scp(str(ways.data), f"{way.target}:{ways.sink}"),
    }
    print(
        f"{size:.0f} MiB, {rounds} rounds; medians of MiB/s, of ratios in the same round, and the process' CPU seconds"
    )
    contenders = [ways.direct, ways.relay, ways.interpose, ways.everything]
    for name, command in copies.items():
        seconds: dict[str, list[float]] = {way.name: [] for way in contenders}
        cpu: dict[str, list[float]] = {way.name: [] for way in contenders}
        for _ in range(rounds):
            for way in contenders:
                before, began = way.cpu(), time.perf_counter()
                with ways.data.open("rb") as data:
                    done = subprocess.run(
                        command(way),
                        stdin=data if "to the" in name and "cat" in name else subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE,
                    )
                if done.returncode:
                    raise RuntimeError(f"{name} {way.name}: {done.stderr.decode()}")
                seconds[way.name].append(time.perf_counter() - began)
                cpu[way.name].append(way.cpu() - before)
        print(name)
        for way in contenders:
            took = seconds[way.name]
            ratios = "".join(
                f"{statistics.median(b / a for a, b in zip(took, seconds[peer.name], strict=True)):>8.2f} of {peer.name}"
                for peer in (ways.direct, ways.relay)
            )
            own = f"{statistics.median(cpu[way.name]):>8.2f} s CPU" if way.pid else ""
            print(f"  {way.name:28}{size / statistics.median(took):>8.0f} MiB/s{ratios}{own}", flush=True)


def _first(ways: Field, count: int) -> None:
    """Time to the first byte of a command: with a connection of its own, and on one that is open."""
    contenders = [ways.direct, ways.relay, ways.interpose]
    for title, opened in (("a new connection", False), ("on an open connection (ssh -M)", True)):
        masters = [way.master(ways.folder) for way in contenders] if opened else [None] * len(contenders)
        samples: dict[str, list[float]] = {way.name: [] for way in contenders}
        for _ in range(count):
            for way, master in zip(contenders, masters, strict=True):
                options = master.options if master is not None else ()
                began = time.perf_counter()
                with subprocess.Popen(way.ssh("echo x", options), stdout=subprocess.PIPE) as process:
                    assert process.stdout is not None
                    if process.stdout.read(1) != b"x":
                        raise RuntimeError(f"{way.name} said nothing")
                    samples[way.name].append(time.perf_counter() - began)
        for master in masters:
            if master is not None:
                master.close()
        print(f"first byte of `ssh host echo`, {title}, {count} times, ms (p50, p99)")
        for way in contenders:
            print(f"  {way.name:28}{_spread(samples[way.name], 1000)}", flush=True)


def _echo(ways: Field, count: int) -> None:
    """Time from a keystroke to its echo by the host's terminal."""
    contenders = [ways.direct, ways.relay, ways.interpose]
    samples: dict[str, list[float]] = {way.name: [] for way in contenders}
    for _ in range(3):
        for way in contenders:
            samples[way.name] += echoes(way, count)
    print(f"from a keystroke to its echo, {3 * count} keystrokes, ms (p50, p99)")
    for way in contenders:
        print(f"  {way.name:28}{_spread(samples[way.name], 1000)}", flush=True)


def _connects(ways: Field, rounds: int, count: int = 20) -> None:
    """Whole runs of `ssh host true`, one after the other."""
    contenders = [ways.direct, ways.relay, ways.interpose, ways.token, ways.certificate]
    samples: dict[str, list[float]] = {way.name: [] for way in contenders}
    for _ in range(rounds):
        for way in contenders:
            began = time.perf_counter()
            for _ in range(count):
                subprocess.run(way.ssh("true"), env=way.environment, check=True, stdin=subprocess.DEVNULL)
            samples[way.name].append(count / (time.perf_counter() - began))
    print(f"`ssh host true` a second, one after the other, {rounds} rounds of {count}")
    for way in contenders:
        pairs = zip(samples[way.name], samples[ways.direct.name], strict=True)
        ratio = statistics.median(one / other for one, other in pairs)
        print(f"  {way.name:28}{statistics.median(samples[way.name]):>8.1f}{ratio:>8.2f} of direct", flush=True)


def _flat(ways: Field, gigabytes: float = 2.0) -> None:
    """The gateway's memory while a lot goes through `cat` (to a client that is slow at first), `scp` and `sftp`."""
    size = int(gigabytes * 2**30)
    way, large = ways.interpose, ways.folder / "large"
    with large.open("wb") as file:
        file.truncate(size)
    batches = {"get": f"get {large} {ways.sink}\n", "put": f"put {large} {ways.sink}\n"}
    for name, text in batches.items():
        (ways.folder / name).write_text(text)
    copies = {
        "scp from the host": way.scp(f"{way.target}:{large}", str(ways.sink)),
        "scp to the host": way.scp(str(large), f"{way.target}:{ways.sink}"),
        "sftp get": way.sftp("-b", str(ways.folder / "get"), way.target),
        "sftp put": way.sftp("-b", str(ways.folder / "put"), way.target),
    }
    print(f"{gigabytes:g} GiB: the gateway's resident memory before, and at most")
    _tell_peak(way, "cat, slowly for 10 s", lambda: _slow_cat(way, size))
    for name, words in copies.items():
        _tell_peak(
            way, name, partial(subprocess.run, words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        )
    large.unlink()


def _slow_cat(way: Way, size: int) -> None:
    left = size
    with subprocess.Popen(way.ssh(f"head -c {size} /dev/zero"), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        began = time.monotonic()
        while piece := process.stdout.read(2**20):
            left -= len(piece)
            if time.monotonic() < began + 10:
                time.sleep(0.05)
    if left or process.returncode:
        raise RuntimeError(f"{left} bytes are missing")


def _tell_peak(way: Way, name: str, work: Callable[[], object]) -> None:
    """Do it, and look at the gateway's memory twenty times a second meanwhile."""
    before = peak = resident(way.pid)
    began = time.perf_counter()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        while not running.done():
            peak = max(peak, resident(way.pid))
            time.sleep(0.05)
        running.result()
    print(f"  {name:28}{before:>6.0f} MiB{peak:>6.0f} MiB, {time.perf_counter() - began:.0f} s", flush=True)


def _spread(samples: list[float], scale: float) -> str:
    ordered = sorted(samples)
    found = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] * scale for share in (0.5, 0.99)]
    return f"{found[0]:>8.2f}{found[1]:>8.2f}"


if __name__ == "__main__":
    main()

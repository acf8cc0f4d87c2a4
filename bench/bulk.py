"""A large select through every contender (seconds, rows a second), and memory while a slow reader takes a huge one."""

from __future__ import annotations

import statistics
import subprocess
import threading
import time

import psycopg

from bench.contenders import Contender, Field
from bench.processes import resident

_MAKE = """
create table people as
select i as id, 'person' || i as name, 'person' || i || '@example.com' as email,
       lpad((4000000000000000 + i)::text, 16, '0') as card, i % 100 as age, now() as created
from generate_series(1, {rows}) i
"""
_SELECT = "select id, name, email, card, age, created from people"


def run(field: Field, *, rows: int = 1_000_000, rounds: int = 3) -> None:
    """Print the seconds that psql takes to read `rows` rows of six columns, and ratios to its peers in the same round."""
    for sql in ("drop table if exists people", _MAKE.format(rows=rows), "vacuum analyze people"):
        subprocess.run(["psql", "-Xqc", sql], env=field.direct.environment, check=True, capture_output=True)
    contenders = [c for c in (field.direct, field.pgbouncer, field.interpose, field.masked, field.masked_python) if c]
    samples: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    cpu: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            before = contender.cpu()
            samples[contender.name].append(_read(contender))
            cpu[contender.name].append(contender.cpu() - before)
    print(
        f"psql reads {rows:,} rows of 6 columns (2 of them masked), {rounds} rounds; medians of seconds and of ratios"
    )
    for contender in contenders:
        times = samples[contender.name]
        seconds = statistics.median(times)
        ratios = "".join(
            f"{statistics.median(a / b for a, b in zip(times, samples[peer.name], strict=True)):>8.2f}x {peer.name}"
            for peer in (field.direct, field.interpose)
        )
        own = f"{statistics.median(cpu[contender.name]):>8.2f} s gateway CPU" if contender.gateway else ""
        print(f"  {contender.name:18}{seconds:>8.2f} s{rows / seconds:>14,.0f} rows/s{ratios}{own}")


def _read(contender: Contender) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        ["psql", "-XqAt", "-c", _SELECT],
        env=contender.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    if done.returncode:
        raise RuntimeError(f"psql through {contender.name} failed: {done.stderr.decode()}")
    return time.perf_counter() - started


def memory(field: Field, *, gigabytes: float = 2.0, seconds: float = 20.0) -> None:
    """Print the gateway's resident memory while a client reads a large result slowly, then drains the rest."""
    megabytes = int(gigabytes * 1024)
    query = f"select repeat('x', 1048576) from generate_series(1, {megabytes})"
    before = resident(field.gateway.pid)
    peak = before
    stop = threading.Event()

    def sample() -> None:
        nonlocal peak
        while not stop.wait(0.1):
            peak = max(peak, resident(field.gateway.pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    got = 0
    slow_until = time.monotonic() + seconds
    environment = field.interpose.environment
    with psycopg.connect(
        host=environment["PGHOST"],
        port=environment["PGPORT"],
        user=environment["PGUSER"],
        password=environment["PGPASSWORD"],
        dbname=environment["PGDATABASE"],
    ) as connection:
        for row in connection.cursor().stream(query):
            got += len(row[0])
            if time.monotonic() < slow_until:
                time.sleep(0.05)
    stop.set()
    sampler.join()
    print(
        f"{got / 2**20:,.0f} MiB to a client that reads slowly for {seconds:.0f} s: the gateway's resident memory grew "
        f"from {before:.0f} to at most {peak:.0f} MiB"
    )

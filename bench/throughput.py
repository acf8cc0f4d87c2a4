"""pgbench select-only through every contender, in turn and several rounds, as transactions a second and ratios."""

from __future__ import annotations

import re
import statistics
import subprocess

from bench.contenders import Contender, Field

_TPS = re.compile(r"tps = ([\d.]+) \(without initial")
_LATENCY = re.compile(r"latency average = ([\d.]+) ms")
MODES = ("simple", "extended", "prepared")


def run(field: Field, *, seconds: int = 4, rounds: int = 3, clients: tuple[int, ...] = (1, 16), scale: int = 5) -> None:
    """Print a table; the median of `rounds` rounds of `seconds` seconds for each cell."""
    subprocess.run(
        ["pgbench", "-i", "-q", "-s", str(scale)], env=field.direct.environment, check=True, capture_output=True
    )
    contenders = [contender for contender in (field.direct, field.pgbouncer, field.interpose) if contender]
    print(f"pgbench select-only, {rounds} rounds of {seconds} s, median tps (added µs to direct's mean latency)")
    print(
        f"{'mode':10}{'clients':>8}"
        + "".join(f"{contender.name:>24}" for contender in contenders)
        + f"{'to pgbouncer':>16}"
    )
    for mode in MODES:
        for count in clients:
            results = _measure(contenders, mode, count, seconds, rounds)
            base = results["direct"][1]
            row = f"{mode:10}{count:>8}"
            for contender in contenders:
                tps, latency = results[contender.name]
                row += f"{tps:>14.0f} {(latency - base) * 1000:>+7.0f} µs"
            peer = results.get("pgbouncer")
            row += f"{results['interpose'][0] / peer[0]:>15.2f}x" if peer else f"{'-':>16}"
            print(row, flush=True)


def _measure(
    contenders: list[Contender], mode: str, clients: int, seconds: int, rounds: int
) -> dict[str, tuple[float, float]]:
    samples: dict[str, list[tuple[float, float]]] = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            done = subprocess.run(
                ["pgbench", "-n", "-S", "-M", mode, "-c", str(clients), "-j", "1", "-T", str(seconds)],
                env=contender.environment,
                capture_output=True,
                text=True,
            )
            tps, latency = _TPS.search(done.stdout), _LATENCY.search(done.stdout)
            if done.returncode or not tps or not latency:
                raise RuntimeError(f"pgbench through {contender.name} failed:\n{done.stdout}{done.stderr}")
            samples[contender.name].append((float(tps[1]), float(latency[1])))
    return {
        name: (statistics.median(tps for tps, _ in rows), statistics.median(latency for _, latency in rows))
        for name, rows in samples.items()
    }

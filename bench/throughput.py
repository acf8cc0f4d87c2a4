"""pgbench select-only through every contender, in turn and several rounds, as transactions a second and ratios."""

from __future__ import annotations

import re
import statistics
import subprocess

from bench.contenders import Contender, Field

_TPS = re.compile(r"tps = ([\d.]+) \(without initial")
_LATENCY = re.compile(r"latency average = ([\d.]+) ms")
MODES = ("simple", "extended", "prepared")


def points(
    field: Field, *, seconds: int = 4, rounds: int = 3, clients: tuple[int, ...] = (1, 16), scale: int = 5
) -> None:
    """Print a table of pgbench's one-row select with its only column masked, beside the same in clear."""
    _fill(field, scale)
    contenders = [field.direct, field.interpose, field.masked, field.masked_python]
    print(
        f"pgbench select-only, its column masked, {rounds} rounds of {seconds} s, median tps (added µs to direct's mean latency, the gateway's CPU µs a transaction)"
    )
    _table(contenders, field.interpose, clients, seconds, rounds)


def run(field: Field, *, seconds: int = 4, rounds: int = 3, clients: tuple[int, ...] = (1, 16), scale: int = 5) -> None:
    """Print a table; the median of `rounds` rounds of `seconds` seconds for each cell."""
    _fill(field, scale)
    contenders = [contender for contender in (field.direct, field.pgbouncer, field.interpose) if contender]
    print(
        f"pgbench select-only, {rounds} rounds of {seconds} s, median tps (added µs to direct's mean latency, the gateway's CPU µs a transaction)"
    )
    _table(contenders, field.pgbouncer, clients, seconds, rounds)


def _fill(field: Field, scale: int) -> None:
    subprocess.run(
        ["pgbench", "-i", "-q", "-s", str(scale)], env=field.direct.environment, check=True, capture_output=True
    )


def _table(
    contenders: list[Contender], peer: Contender | None, clients: tuple[int, ...], seconds: int, rounds: int
) -> None:
    """A line for each mode and number of clients; the last column is the third contender's rate to the peer's."""
    heads = "".join(f"{contender.name:>{34 if contender.gateway else 24}}" for contender in contenders)
    print(f"{'mode':10}{'clients':>8}{heads}" + (f"{'to ' + peer.name:>16}" if peer else ""))
    for mode in MODES:
        for count in clients:
            results = _measure(contenders, mode, count, seconds, rounds)
            base = results["direct"][1]
            row = f"{mode:10}{count:>8}"
            for contender in contenders:
                tps, latency, cpu = results[contender.name]
                row += f"{tps:>14.0f} {(latency - base) * 1000:>+7.0f} µs"
                row += f"{cpu * 1e6:>6.0f} cpu" if contender.gateway else ""
            row += f"{results[contenders[2].name][0] / results[peer.name][0]:>15.2f}x" if peer else ""
            print(row, flush=True)


def _measure(
    contenders: list[Contender], mode: str, clients: int, seconds: int, rounds: int
) -> dict[str, tuple[float, float, float]]:
    samples: dict[str, list[tuple[float, float, float]]] = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            before = contender.cpu()
            done = subprocess.run(
                ["pgbench", "-n", "-S", "-M", mode, "-c", str(clients), "-j", "1", "-T", str(seconds)],
                env=contender.environment,
                capture_output=True,
                text=True,
            )
            tps, latency = _TPS.search(done.stdout), _LATENCY.search(done.stdout)
            if done.returncode or not tps or not latency:
                raise RuntimeError(f"pgbench through {contender.name} failed:\n{done.stdout}{done.stderr}")
            spent = (contender.cpu() - before) / (float(tps[1]) * seconds)
            samples[contender.name].append((float(tps[1]), float(latency[1]), spent))
    return {
        name: (
            statistics.median(tps for tps, _, _ in rows),
            statistics.median(latency for _, latency, _ in rows),
            statistics.median(cpu for _, _, cpu in rows),
        )
        for name, rows in samples.items()
    }

"""`python -m bench [throughput] [points] [bulk] [memory] [kernel] [analysis] [--seconds N] [--rounds N]`: all of them when none is named."""

from __future__ import annotations

import argparse
import os
import platform

from bench import analysis, bulk, kernels, throughput
from bench.contenders import field
from interpose.masking.kernel import KERNEL

PARTS = ("throughput", "points", "bulk", "memory", "kernel", "analysis")


def main() -> None:
    """Run the named benchmarks over one set of contenders."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--seconds", type=int, default=4, help="seconds a pgbench run")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the median is printed")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the bulk select")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="size of the result for the memory figure")
    options = parser.parse_args()
    parts = options.parts or PARTS
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, masking kernel {KERNEL}; "
        "figures are for comparing within one run"
    )
    if "analysis" in parts:
        analysis.run(rounds=options.rounds)
    if "kernel" in parts:
        kernels.run(rounds=options.rounds)
    if set(parts) <= {"analysis", "kernel"}:
        return
    with field() as contenders:
        if "throughput" in parts:
            throughput.run(contenders, seconds=options.seconds, rounds=options.rounds)
        if "points" in parts:
            throughput.points(contenders, seconds=options.seconds, rounds=options.rounds)
        if "bulk" in parts:
            bulk.run(contenders, rows=options.rows, rounds=options.rounds)
        if "memory" in parts:
            bulk.memory(contenders, gigabytes=options.gigabytes)


if __name__ == "__main__":
    main()

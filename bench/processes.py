"""What the processes of a contender take of the machine."""

from __future__ import annotations

from pathlib import Path


def resident(pid: int) -> float:
    """Resident MiB of a process and all its children."""
    total = 0.0
    pending = [pid]
    while pending:
        process = pending.pop()
        try:
            for line in Path(f"/proc/{process}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1]) / 1024
            for task in Path(f"/proc/{process}/task").iterdir():
                pending += [int(child) for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total

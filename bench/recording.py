"""What recording costs on the path of a statement: microseconds a call, on the disk under the given folder.

    python bench/recording.py [folder]

Prints medians over rounds. The peer is the bare `os.write` of the same bytes in the same run.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from interpose.engine.ports import SessionHeader
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.ids import ApprovalId, ConnectionName, SessionId
from interpose.recording.verify import Segment, verify_chain
from interpose.store.files.keys import read_verifier_keys
from interpose.store.files.layout import chains, checkpoints_path
from interpose.store.files.opening import FileRecord, open_record

ROUNDS, CALLS = 9, 4000
TEXT = "SELECT id, name, email, status FROM public.customers WHERE id = $1 AND status = $2 ORDER BY name LIMIT 100"


class SystemClock:
    """The clock of this machine."""

    wall = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class SystemIds:
    """Chance from the operating system."""

    def session(self) -> SessionId:
        """A new session id."""
        return SessionId("s_" + os.urandom(8).hex())

    def approval(self) -> ApprovalId:
        """A new approval id."""
        return ApprovalId("ap-" + os.urandom(4).hex())

    def secret_bytes(self, count: int) -> bytes:
        """Bytes that nobody can guess."""
        return os.urandom(count)


def per_call(work: Callable[[], None], calls: int = CALLS) -> float:
    """Median microseconds of one call."""
    rounds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(calls):
            work()
        rounds.append((time.perf_counter() - begin) / calls * 1e6)
    return statistics.median(rounds)


def decided(policies: int) -> AuditEvent:
    """A decision as the gate appends it."""
    return AuditEvent(
        AuditKind.COMMAND_DECIDED,
        SessionId("s_0123456789abcdef"),
        "User:alice",
        {
            "approval": None,
            "connection": "orders-prod",
            "decision": "permit",
            "digest": "ab" * 32,
            "effects": ("select:public.customers",),
            "kind": "execute",
            "policies": tuple(f"support-reads-{index}" for index in range(policies)),
            "snapshot": "cd" * 32,
        },
    )


async def strict(record: FileRecord, event: AuditEvent) -> float:
    """Microseconds of one append that is waited for until it is on disk."""
    rounds = []
    for _ in range(300):
        begin = time.perf_counter()
        record.chain.append(event)
        await record.chain.sync()
        rounds.append((time.perf_counter() - begin) * 1e6)
    return statistics.median(rounds)


def row(name: str, value: float, unit: str = "µs") -> None:
    """One printed line."""
    print(f"{name:<58}{value:>10.2f} {unit}")


def main() -> None:
    """Run everything once."""
    base = Path(tempfile.mkdtemp(prefix="interpose-bench-", dir=sys.argv[1] if len(sys.argv) > 1 else None))
    try:
        run(base)
    finally:
        shutil.rmtree(base)


def run(base: Path) -> None:
    """All measurements below one folder."""
    record = open_record(base, node="bench", boot="b1", clock=SystemClock(), ids=SystemIds())
    event = decided(2)
    handle = os.open(base / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    row("peer: os.write of 700 bytes", per_call(lambda: os.write(handle, b"x" * 700)))
    row("chain.append(command.decided)", per_call(lambda: record.chain.append(event)))
    header = SessionHeader(
        SessionId("s_bench"), "User:alice", ConnectionName("orders-prod"), "postgres", "192.0.2.1", time.time()
    )
    recorder = record.recordings.open(header)
    result = b"D\x00\x00\x00\x40" + b"v" * 200

    def statement() -> None:
        recorder.command(7, "execute", TEXT, (b"42", b"open"), "permit")
        recorder.ended(7, "ok", "SELECT 1", "", 1)

    def with_result() -> None:
        recorder.command(8, "execute", TEXT, (b"42", b"open"), "permit")
        recorder.delivered(8, result)
        recorder.ended(8, "ok", "SELECT 1", "", 1)

    def everything() -> None:
        sequence = record.chain.append(event)
        recorder.command(sequence, "execute", TEXT, (b"42", b"open"), "permit")
        recorder.delivered(sequence, result)
        recorder.ended(sequence, "ok", "SELECT 1", "", 1)
        record.chain.append(ended)

    ended = AuditEvent(
        AuditKind.COMMAND_ENDED,
        SessionId("s_0123456789abcdef"),
        "User:alice",
        {"command": 7, "error_class": "", "outcome": "ok", "rows": 1, "tag": "SELECT 1"},
    )
    row("recorder.command + ended", per_call(statement))
    row("recorder.command + delivered(205 bytes) + ended", per_call(with_result))
    row("one statement: two events and its recording", per_call(everything))
    recorder.command(9, "query", TEXT, (), "permit")
    block = b"r" * 65536
    row("recorder.delivered of 64 KiB beyond the cap", per_call(lambda: recorder.delivered(9, block)))
    row("durability strict: append and sync", asyncio.run(strict(record, event)))

    sessions = 300
    begin = time.perf_counter()
    for index in range(sessions):
        short = record.recordings.open(
            SessionHeader(SessionId(f"s_short{index}"), "User:alice", ConnectionName("c"), "postgres", "", time.time())
        )
        short.command(1, "query", "SELECT 1", (), "permit")
        short.close("client_closed")
    opened = (time.perf_counter() - begin) / sessions * 1e6
    recorder.close("client_closed")
    begin = time.perf_counter()
    record.close()
    row("a short session: open, one command, close", opened)
    row("sealing what was left, and closing", (time.perf_counter() - begin) * 1e3, "ms")

    keys = read_verifier_keys(base / "audit" / "verifier.key")
    for name, segments in chains(base / "audit").items():
        data = [Segment(path.name, path.read_bytes()) for path in segments]
        checkpoints = checkpoints_path(base / "audit", name)
        begin = time.perf_counter()
        report = verify_chain(name, data, Segment(checkpoints.name, checkpoints.read_bytes()), keys)
        row(f"verify, an entry (of {report.head.size})", (time.perf_counter() - begin) / report.head.size * 1e6)
        if report.finding is not None:
            print("NOT VERIFIED:", report.finding)


if __name__ == "__main__":
    main()

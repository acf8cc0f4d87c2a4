"""Masked results stream: the first row is there while the server still makes the last, and memory does not follow the size."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.support.scene import Scene

_LOCK = 7261


def resident(pid: int) -> int:
    """Resident bytes of the gateway (one worker: it is the process itself)."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def test_the_first_masked_row_is_there_before_the_last_is_made(scene: Scene) -> None:
    # The server blocks behind some rows, on a lock that is only let go when the first of them was read.
    query = (
        "select c.email, case when g > 200 then pg_advisory_xact_lock_shared(%s)::text else repeat('x', 500) end"
        " from generate_series(1, 400) g, customers c where c.id = 3"
    )
    with (
        psycopg.connect(scene.server.dsn(scene.database), autocommit=True) as holder,
        scene.connect("alice", "shop") as session,
    ):
        holder.execute("select pg_advisory_lock(%s)", [_LOCK])
        session.execute("set lock_timeout = '30s'")  # a gateway that waits for the end gets an error instead of rows
        rows = session.cursor().stream(query.replace("%s", str(_LOCK)))
        first = next(rows)
        assert first == ("p***@s***.***", "x" * 500)
        holder.execute("select pg_advisory_unlock(%s)", [_LOCK])
        rest = list(rows)
    assert len(rest) == 399
    assert {email for email, _ in rest} == {"p***@s***.***"}


def test_memory_does_not_follow_the_size_of_a_masked_result(scene: Scene) -> None:
    query = "select c.email, c.ssn, repeat('x', {}) from customers c, generate_series(1, {})"
    with scene.connect("alice", "shop") as session:
        psycopg.Cursor(session).execute(query.format(1000, 10)).fetchall()
        before = peak = resident(scene.gateway.pid)
        size = 0
        for number, (email, ssn, filler) in enumerate(session.cursor().stream(query.format(50_000, 150))):
            size += len(filler)
            assert (email, ssn) == ("p***@s***.***", "[redacted]")
            if number % 100 == 0:
                peak = max(peak, resident(scene.gateway.pid))
    assert size == 150_000_000
    assert peak - before < 48 << 20

"""The corpus of leaks on PostgreSQL 16."""

from __future__ import annotations

from tests.support.leak_suite import LeakSuite


class TestPostgres16(LeakSuite):
    """Every case that exists there."""

    major = 16

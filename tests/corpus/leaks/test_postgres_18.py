"""The corpus of leaks on PostgreSQL 18."""

from __future__ import annotations

from tests.support.leak_suite import LeakSuite


class TestPostgres18(LeakSuite):
    """Every case that exists there."""

    major = 18

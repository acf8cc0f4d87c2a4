"""The corpus of leaks on PostgreSQL 15."""

from __future__ import annotations

from tests.support.leak_suite import LeakSuite


class TestPostgres15(LeakSuite):
    """Every case that exists there."""

    major = 15

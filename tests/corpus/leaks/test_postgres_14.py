"""The corpus of leaks on PostgreSQL 14."""

from __future__ import annotations

from tests.support.leak_suite import LeakSuite


class TestPostgres14(LeakSuite):
    """Every case that exists there."""

    major = 14

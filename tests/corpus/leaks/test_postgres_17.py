"""The corpus of leaks on PostgreSQL 17."""

from __future__ import annotations

from tests.support.leak_suite import LeakSuite


class TestPostgres17(LeakSuite):
    """Every case that exists there."""

    major = 17

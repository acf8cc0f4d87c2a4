"""Counting failures in bounded memory."""

from __future__ import annotations

import pytest

from interpose.engine.limits import FailureLimiter, address_group
from tests.support.memory import ManualClock


def test_a_key_is_blocked_after_its_failures_and_free_when_they_have_left_the_window() -> None:
    clock = ManualClock()
    limiter = FailureLimiter(clock, 3, 60.0)
    for _ in range(3):
        assert not limiter.blocked("a")
        limiter.failed("a")
        clock.now += 10
    assert limiter.blocked("a")
    assert not limiter.blocked("b")
    clock.now += 29
    assert limiter.blocked("a")
    clock.now += 2
    assert not limiter.blocked("a")


def test_success_forgets_failures() -> None:
    limiter = FailureLimiter(ManualClock(), 1, 60.0)
    limiter.failed("a")
    limiter.succeeded("a")
    assert not limiter.blocked("a")


def test_memory_is_bounded_whatever_fails() -> None:
    limiter = FailureLimiter(ManualClock(), 2, 60.0, capacity=10)
    for number in range(1000):
        limiter.failed(str(number))
        limiter.failed("always")
    assert len(limiter) == 10
    assert limiter.blocked("always")


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("local", "local"),
    ],
)
def test_one_host_counts_as_one_peer(host: str, group: str) -> None:
    assert address_group(host) == group

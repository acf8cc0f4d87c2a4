"""Bounds on sessions, handshakes and failed logins.

Knows numbers and counting in bounded memory; does not know who is asking or why a login failed.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from interpose.engine.ports import Clock


@dataclass(frozen=True, slots=True)
class Limits:
    """What one gateway process carries. Times in seconds, sizes in bytes; a limit that is passed refuses."""

    sessions: int = 5000
    sessions_per_principal: int = 200
    login_failures: int = 10
    """Failed logins from one address, and for one name from one address, before more are refused unseen …"""
    login_window: float = 60.0
    """… within this many seconds."""
    pending_holds: int = 1000
    pending_holds_per_principal: int = 20
    max_message: int = 64 * 1024 * 1024
    max_buffer: int = 1024 * 1024


def address_group(host: str) -> str:
    """What counts as one peer: an IPv4 address, or an IPv6 /64 (one host owns a whole /64 as a rule)."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        if mapped is not None:
            return str(mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class FailureLimiter:
    """Counts failures a key within a sliding window, for at most `capacity` keys.

    When the table is full the key that failed longest ago is forgotten: an attacker with very many addresses can so
    make it forget, which costs nothing but the limit itself, since tokens cannot be guessed.
    """

    def __init__(self, clock: Clock, limit: int, window: float, capacity: int = 10_000) -> None:
        """`limit` failures in `window` seconds block a key until the oldest of them has left the window."""
        self._clock = clock
        self._limit = limit
        self._window = window
        self._capacity = capacity
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def blocked(self, key: str) -> bool:
        """Whether this key has used up its failures."""
        failures = self._failures.get(key)
        if failures is None:
            return False
        self._forget_old(key, failures)
        return len(failures) >= self._limit

    def failed(self, key: str) -> None:
        """Count one failure."""
        failures = self._failures.setdefault(key, [])
        failures.append(self._clock.monotonic())
        # INVARIANT: a key never keeps more than `limit` times, and there are never more than `capacity` keys.
        del failures[: -self._limit]
        self._failures.move_to_end(key)
        if len(self._failures) > self._capacity:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget this key's failures."""
        self._failures.pop(key, None)

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._failures)

    def _forget_old(self, key: str, failures: list[float]) -> None:
        oldest = self._clock.monotonic() - self._window
        while failures and failures[0] <= oldest:
            failures.pop(0)
        if not failures:
            del self._failures[key]

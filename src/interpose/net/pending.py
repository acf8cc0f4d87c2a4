"""Clients that have not proved who they are: how many there may be, and who makes room. It knows no protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from interpose.engine.limits import address_group

if TYPE_CHECKING:
    from interpose.net.options import ListenerOptions


class PendingClient(Protocol):
    """One client between accept and admission."""

    @property
    def peer(self) -> str:
        """Its address without the port."""
        ...

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn: only such a one may be closed to make room."""
        ...

    def evict(self) -> None:
        """Close it at once to make room for others."""
        ...


class Pending:
    """Clients that are not yet admitted, over all listeners of a worker, bounded in all and for each address.

    Past a bound the client that has been silent longest makes room, so that many that never speak keep nobody out.
    """

    __slots__ = ("_all", "_by_address", "_options")

    def __init__(self, options: ListenerOptions) -> None:
        """The bounds are `max_pending` and `max_pending_per_address`."""
        self._options = options
        self._all: dict[PendingClient, str] = {}  # in order of arrival
        self._by_address: dict[str, dict[PendingClient, None]] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

    def make_room(self, peer: str) -> bool:
        """Whether there is room for one more from this address; False when nobody can make any."""
        neighbours = self._by_address.get(address_group(peer), {})
        if len(neighbours) >= self._options.max_pending_per_address and not self._evict_from(neighbours):
            return False
        return len(self._all) < self._options.max_pending or self._evict_from(self._all)

    def add(self, login: PendingClient) -> bool:
        """Take one in; False when there is no room and nobody can make any."""
        if not self.make_room(login.peer):
            return False
        address = address_group(login.peer)
        self._all[login] = address
        self._by_address.setdefault(address, {})[login] = None
        return True

    def remove(self, login: PendingClient) -> None:
        """Forget one; no harm when it is not there."""
        address = self._all.pop(login, None)
        if address is None:
            return
        neighbours = self._by_address[address]
        del neighbours[login]
        if not neighbours:
            del self._by_address[address]

    def close(self) -> None:
        """Close all whose turn it is to speak (the others are let in or refused by what they wait for)."""
        for login in [login for login in self._all if login.waits_for_client]:
            login.evict()

    def _evict_from(self, logins: dict[PendingClient, str] | dict[PendingClient, None]) -> bool:
        for login in logins:
            if login.waits_for_client:
                self.remove(login)
                login.evict()
                return True
        return False

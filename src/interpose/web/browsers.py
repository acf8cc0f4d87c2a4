"""Browsers: those that are on their way to a provider and back, and those that have signed in.

Kept in the memory of the one process that serves the pages, and bounded: after a restart people sign in again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from interpose.engine.signing_in import Departure, SignedIn
from interpose.web.secret_texts import secret_text

if TYPE_CHECKING:
    from interpose.engine.ports import Clock, Ids
    from interpose.web.ports import Provider

ItemT = TypeVar("ItemT")
JOURNEY_SECONDS: Final = 600.0
"""How long a browser may be away at its provider."""
_CAPACITY: Final = 10_000
_OF_ONE_PERSON: Final = 50
"""Browsers in which one person is signed in."""


class Kept(Generic[ItemT]):
    """Things by a secret text, each for a time. The text itself is not kept, only its digest; the oldest go when there are too many."""

    def __init__(self, clock: Clock, capacity: int = _CAPACITY) -> None:
        """Empty."""
        self._clock = clock
        self._capacity = capacity
        self._items: OrderedDict[bytes, tuple[float, ItemT]] = OrderedDict()

    def put(self, secret: str, item: ItemT, seconds: float) -> None:
        """Keep for so many seconds."""
        self._items[_digest(secret)] = (self._clock.wall() + seconds, item)
        if len(self._items) > self._capacity:
            self._items.popitem(last=False)

    def get(self, secret: str) -> ItemT | None:
        """What is kept under this text."""
        found = self._items.get(_digest(secret))
        if found is None:
            return None
        if self._clock.wall() >= found[0]:
            del self._items[_digest(secret)]
            return None
        return found[1]

    def take(self, secret: str) -> ItemT | None:
        """What is kept under this text, this one time."""
        found = self.get(secret)
        self._items.pop(_digest(secret), None)
        return found

    def thin(self, of: Callable[[ItemT], bool], most: int) -> None:
        """Of what `of` says, the oldest go until there are `most`."""
        mine = [secret for secret, (_, item) in self._items.items() if of(item)]
        for secret in mine[: max(0, len(mine) - most)]:
            del self._items[secret]

    def __len__(self) -> int:
        """How many are kept, those past their time included until they are looked for."""
        return len(self._items)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Journey:
    """A browser on its way to a provider and back. `then` is what it came for; `browser` the digest of its cookie.

    `provider` is the very one that it left for, whatever has its name now; `again`: it was asked to authenticate the person anew.
    """

    provider: Provider
    departure: Departure
    then: str
    browser: bytes
    again: bool = False


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser in which somebody has signed in. `anew_at` is when (wall clock), where the provider had to authenticate them anew."""

    who: SignedIn
    csrf: str
    source: str
    anew_at: float | None = None


class Browsers:
    """All browsers of this gateway."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        """Nobody has signed in."""
        self._clock = clock
        self._ids = ids
        self._journeys: Kept[Journey] = Kept(clock)
        self._sessions: Kept[BrowserSession] = Kept(clock)

    def leaves(
        self, provider: Provider, departure: Departure, then: str, cookie: str | None, *, again: bool = False
    ) -> str:
        """A browser leaves for its provider; answers the cookie that it must have when it comes back.

        A browser that has one keeps it, so that two tabs can sign in at once.
        """
        value = cookie if cookie is not None and len(cookie) == len(secret_text(bytes(32))) else self._secret()
        journey = Journey(provider, departure, then, _digest(value), again)
        self._journeys.put(departure.state, journey, JOURNEY_SECONDS)
        return value

    def returns(self, provider: str, state: str, cookie: str | None, *, posted: bool = False) -> Journey | None:
        """The journey that this browser is back from; None for a state that is unknown, used, another browser's or provider's.

        `posted`: it came with a form, as the answers of some providers do and those of others never.
        INVARIANT: a state is good once, whatever comes of it.
        """
        journey = self._journeys.take(state)
        same = hmac.compare_digest(_digest(cookie or ""), b"" if journey is None else journey.browser)
        if journey is None or not same or (journey.provider.name, journey.provider.posts) != (provider, posted):
            return None
        return journey

    def sign_in(self, who: SignedIn, source: str, *, again: bool = False) -> str:
        """A new session; answers its cookie. INVARIANT: no session ever takes over a cookie that was there before the login.

        INVARIANT: nobody's logins end those of others: each person has room for `_OF_ONE_PERSON`, and the oldest go.
        """
        value = self._secret()
        until = who.identity.expires_at
        seconds = 8 * 3600.0 if until is None else until - self._clock.wall()
        anew_at = self._clock.wall() if again else None
        name = who.identity.principal.name
        self._sessions.thin(lambda kept: kept.who.identity.principal.name == name, _OF_ONE_PERSON - 1)
        self._sessions.put(value, BrowserSession(who, self._secret(), source, anew_at), seconds)
        return value

    def find(self, cookie: str | None) -> BrowserSession | None:
        """The session of this cookie."""
        return None if not cookie else self._sessions.get(cookie)

    def sign_out(self, cookie: str | None) -> BrowserSession | None:
        """End the session of this cookie."""
        return None if not cookie else self._sessions.take(cookie)

    def _secret(self) -> str:
        return secret_text(self._ids.secret_bytes(32))

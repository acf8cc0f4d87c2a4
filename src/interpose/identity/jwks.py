"""A provider's public keys (RFC 7517): which of them can have signed a token, and how long they are believed.

Keys are fetched when they are first needed, and again in the background when they are no longer fresh, or at once for a key id
that is not known. A provider that is down is asked at most once in `SPACING` seconds by one process; its last keys are believed
for `BELIEVED` seconds, and then nobody comes in by them.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from interpose.identity.jws import PublicKey
from interpose.model.errors import AuthenticationError, ProviderError

if TYPE_CHECKING:
    from interpose.engine.ports import Clock

FRESH: Final = 300.0
"""Seconds for which keys are used without asking again: a key that the provider withdrew is not used much longer."""

BELIEVED: Final = 3600.0
"""Seconds for which keys are used while the provider cannot be asked."""

SPACING: Final = 10.0
"""Seconds between two requests, whatever they are for; up to a fifth more by chance, so that processes do not ask together."""

_MAX_KEYS: Final = 100
_MIN_RSA_BITS: Final = 2048
_MAX_RSA_BITS: Final = 8192
_WRONG: Final = "authentication failed"
_FITS: Final[Mapping[str, tuple[str, str | None]]] = {
    **{f"{family}{bits}": ("RSA", None) for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
_KINDS: Final[Mapping[str, type[PublicKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")


class KeySet:
    """The keys of one answer that can check signatures. What cannot, or is not understood, is left out."""

    def __init__(self, document: Mapping[str, object]) -> None:
        """`document` is a JWK set; raises `ProviderError` when it is none."""
        listed = document.get("keys")
        if not isinstance(listed, list) or len(listed) > _MAX_KEYS:
            raise ProviderError("the identity provider does not answer as it should", detail="not a set of keys")
        self._keys = [key for each in listed if isinstance(each, dict) and (key := _public_key(each)) is not None]

    def __len__(self) -> int:
        """How many can be used."""
        return len(self._keys)

    def find(self, key_id: str | None, algorithm: str) -> PublicKey | None:
        """The one key with this id that fits the algorithm. Without an id: the only one that fits."""
        fitting = [key for key in self._keys if _fits(key, algorithm) and (key_id is None or key.kid == key_id)]
        return fitting[0] if len(fitting) == 1 else None


class Keys:
    """The keys of one provider as they are now."""

    def __init__(
        self, fetch: Callable[[], Awaitable[Mapping[str, object]]], clock: Clock, chance: Callable[[], float]
    ) -> None:
        """`fetch` answers a JWK set or raises `ProviderError`; `chance` is from 0 to 1."""
        self._fetch = fetch
        self._clock = clock
        self._chance = chance
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._next_at: float | None = None
        self._running: asyncio.Task[None] | None = None
        self._failure: ProviderError | None = None

    async def find(self, key_id: str | None, algorithm: str) -> PublicKey:
        """The key that a token names. Raises `AuthenticationError` (`unknown_key`), or `ProviderError` when there are no keys to look in."""
        keys = self._believed()
        if keys is None:
            await self._refresh()
            keys = self._believed()
            if keys is None:
                raise self._failure or ProviderError("the identity provider does not answer as it should")
        elif self._clock.monotonic() - self._fetched_at > FRESH:
            # Not waited for: the keys are still believed.
            self._begin()
        found = keys.find(key_id, algorithm)
        if found is None and key_id is not None:
            await self._refresh()
            found = (self._believed() or keys).find(key_id, algorithm)
        if found is None:
            raise AuthenticationError(_WRONG, detail="unknown_key")
        return found

    async def close(self) -> None:
        """Stop asking."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    def _believed(self) -> KeySet | None:
        if self._keys is not None and self._clock.monotonic() - self._fetched_at > BELIEVED:
            self._keys = None
        return self._keys

    async def _refresh(self) -> None:
        """Ask once more, together with everybody who waits for the same; at once back when it is too early."""
        running = self._begin()
        if running is not None:
            # One client that leaves does not take the answer from the others.
            await asyncio.shield(running)

    def _begin(self) -> asyncio.Task[None] | None:
        if self._running is not None:
            return self._running
        now = self._clock.monotonic()
        if self._next_at is not None and now < self._next_at:
            return None
        self._next_at = now + SPACING * (1.0 + 0.2 * self._chance())
        self._running = asyncio.get_running_loop().create_task(self._ask(), name="identity provider's keys")
        return self._running

    async def _ask(self) -> None:
        try:
            self._keys = KeySet(await self._fetch())
            self._fetched_at = self._clock.monotonic()
            self._failure = None
        except ProviderError as error:
            self._failure = error
        finally:
            self._running = None


def _public_key(raw: Mapping[str, object]) -> PublicKey | None:
    """A key that can check signatures, None for any other: a symmetric one, one for encryption, a weak or a broken one."""
    kind = _KINDS.get(str(raw.get("kty")))
    operations = raw.get("key_ops")
    if kind is None or raw.get("use", "sig") != "sig":
        return None
    if operations is not None and (not isinstance(operations, list) or "verify" not in operations):
        return None
    # A private key that is published is nobody's alone.
    if any(name in raw for name in _PRIVATE) or (kind is RSAKey and not _is_strong(raw.get("n"))):
        return None
    texts: dict[str, str | list[str]] = {name: value for name, value in raw.items() if isinstance(value, str)}
    try:
        return kind.import_key(texts)
    except (JoseError, ValueError, KeyError, TypeError):
        return None


def _is_strong(modulus: object) -> bool:
    """Whether an RSA modulus is long enough to trust and short enough to calculate with."""
    if not isinstance(modulus, str) or len(modulus) > _MAX_RSA_BITS:
        return False
    try:
        number = int.from_bytes(base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)), "big")
    except (ValueError, UnicodeEncodeError):
        return False
    return _MIN_RSA_BITS <= number.bit_length() <= _MAX_RSA_BITS


def _fits(key: PublicKey, algorithm: str) -> bool:
    kind, curve = _FITS.get(algorithm, ("", None))
    return key.key_type == kind and key.get("crv") == curve and key.alg in (None, algorithm)

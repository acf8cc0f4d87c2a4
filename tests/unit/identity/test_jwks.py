"""Keys: those that can check signatures, believed for a while, asked for seldom."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from interpose.identity.jwks import BELIEVED, FRESH, SPACING, Keys, KeySet
from interpose.model.errors import AuthenticationError, ProviderError
from tests.support.signing import part, private_key, public_jwk
from tests.support.virtual import VirtualClock, run

FIRST = public_jwk(private_key(), kid="first", use="sig", alg="RS256")
SECOND = public_jwk(private_key(which=1), kid="second")


class Provider:
    """Answers keys, or fails, and counts how often it was asked."""

    def __init__(self, *keys: Mapping[str, Any]) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.down = False
        self.delay = 0.1

    async def fetch(self) -> Mapping[str, object]:
        self.asked += 1
        await asyncio.sleep(self.delay)
        if self.down:
            raise ProviderError("down")
        return {"keys": list(self.keys)}


def made(provider: Provider) -> Keys:
    return Keys(provider.fetch, VirtualClock(), lambda: 0.5)


def test_a_key_is_found_by_its_id_and_must_fit() -> None:
    found = KeySet({"keys": [FIRST, SECOND, public_jwk(private_key("ES256"), kid="third")]})
    assert found.find("first", "RS256") is not None
    assert found.find("first", "RS512") is None, "the key says its algorithm"
    assert found.find("second", "RS512") is not None
    assert found.find("second", "ES256") is None
    assert found.find("third", "ES384") is None, "the curve does not fit"
    for strange in ("First", "../first", "first' or '1'='1", "https://evil.example/key", ""):
        assert found.find(strange, "RS256") is None


def test_without_an_id_only_one_key_may_fit() -> None:
    assert KeySet({"keys": [FIRST]}).find(None, "RS256") is not None
    assert KeySet({"keys": [FIRST, SECOND]}).find(None, "RS256") is None
    assert KeySet({"keys": [FIRST, SECOND]}).find(None, "PS256") is not None, "the first is for RS256 alone"
    twice = KeySet({"keys": [FIRST, {**SECOND, "kid": "first"}]})
    assert twice.find("first", "RS256") is None


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "first"},
        {**FIRST, "use": "enc"},
        {**FIRST, "use": 3},
        {**FIRST, "key_ops": ["sign"]},
        {**FIRST, "key_ops": "verify"},
        {**FIRST, "alg": "RSA-OAEP"},
        {**FIRST, "alg": ["RS256"], "n": ""},
        {**FIRST, "n": "AQAB"},
        {**FIRST, "n": FIRST["n"] * 8},
        {**FIRST, "n": "!" * 400},
        {**FIRST, "n": 3},
        {**FIRST, "d": "AQAB"},
        {name: value for name, value in FIRST.items() if name != "e"},
        {**FIRST, "kty": "EC"},
        {**FIRST, "kty": None},
        "first",
        None,
    ],
)
def test_what_cannot_check_signatures_is_left_out(key: Any) -> None:
    found = KeySet({"keys": [key]})
    assert found.find("first", "RS256") is None


def test_a_weak_key_is_left_out() -> None:
    numbers = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
    weak = {"kty": "RSA", "kid": "first", "n": part(numbers.n.to_bytes(128, "big")), "e": "AQAB"}
    assert not len(KeySet({"keys": [weak]}))


@pytest.mark.parametrize("document", [{}, {"keys": {}}, {"keys": [FIRST] * 101}])
def test_what_is_no_set_of_keys(document: dict[str, object]) -> None:
    with pytest.raises(ProviderError):
        KeySet(document)


def test_many_who_need_keys_ask_once() -> None:
    async def work() -> None:
        provider = Provider(FIRST)
        keys = made(provider)
        found = await asyncio.gather(*(keys.find("first", "RS256") for _ in range(50)))
        assert len(set(map(id, found))) == 1
        assert provider.asked == 1

    run(work())


def test_a_key_that_is_not_known_is_asked_for_at_most_once_in_a_while() -> None:
    async def work() -> None:
        provider = Provider(FIRST)
        keys = made(provider)
        await keys.find("first", "RS256")
        provider.keys = [SECOND]
        with pytest.raises(AuthenticationError, match="unknown_key"):
            await keys.find("second", "RS256")
        assert provider.asked == 1, "too early"
        await asyncio.sleep(SPACING * 1.2)
        assert (await keys.find("second", "RS256")).kid == "second"
        with pytest.raises(AuthenticationError, match="unknown_key"):
            await keys.find("first", "RS256")
        assert provider.asked == 2
        for number in range(1000):
            with pytest.raises(AuthenticationError, match="unknown_key"):
                await keys.find(f"guess-{number}", "RS256")
            await asyncio.sleep(0.1)
        assert provider.asked <= 2 + 100 / SPACING + 1

    run(work())


def test_a_withdrawn_key_is_forgotten_when_keys_are_no_longer_fresh() -> None:
    async def work() -> None:
        provider = Provider(FIRST, SECOND)
        keys = made(provider)
        await keys.find("first", "RS256")
        provider.keys = [SECOND]
        await asyncio.sleep(FRESH + 1)
        await keys.find("first", "RS256")  # not waited for
        await asyncio.sleep(1)
        assert provider.asked == 2
        with pytest.raises(AuthenticationError, match="unknown_key"):
            await keys.find("first", "RS256")

    run(work())


def test_a_provider_that_is_down_is_believed_for_an_hour_and_asked_seldom() -> None:
    async def work() -> None:
        provider = Provider(FIRST)
        keys = made(provider)
        await keys.find("first", "RS256")
        provider.down = True
        ended = asyncio.get_running_loop().time() + BELIEVED - 10
        while asyncio.get_running_loop().time() < ended:
            await keys.find("first", "RS256")
            await asyncio.sleep(1)
        assert provider.asked <= 1 + BELIEVED / SPACING
        await asyncio.sleep(20)
        before = provider.asked
        for _ in range(100):
            with pytest.raises(ProviderError):
                await keys.find("first", "RS256")
        assert provider.asked <= before + 1
        provider.down = False
        await asyncio.sleep(SPACING * 1.2)
        assert (await keys.find("first", "RS256")).kid == "first"

    run(work())


def test_a_client_that_leaves_does_not_take_the_keys_from_the_others() -> None:
    async def work() -> None:
        provider = Provider(FIRST)
        keys = made(provider)
        leaving = asyncio.create_task(keys.find("first", "RS256"))
        staying = asyncio.create_task(keys.find("first", "RS256"))
        await asyncio.sleep(0.05)
        leaving.cancel()
        assert (await staying).kid == "first"
        assert provider.asked == 1

    run(work())


def test_closing_stops_asking() -> None:
    async def work() -> None:
        provider = Provider(FIRST)
        provider.delay = 1e6
        keys = made(provider)
        waiting = asyncio.create_task(keys.find("first", "RS256"))
        await asyncio.sleep(1)
        await keys.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await keys.close()

    run(work())

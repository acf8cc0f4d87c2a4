"""Workload tokens: what a configured issuer signed for this gateway, now, and nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import pytest

from interpose.engine.directory import Directory
from interpose.identity.fetching import Fetcher
from interpose.identity.mapping import ClaimMapping, ClaimPath
from interpose.identity.workload import WorkloadTokens
from interpose.identity.workload_options import WorkloadOptions
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, ProviderError
from interpose.model.principal import Identity, PrincipalKind
from tests.support.gateway_core import Core
from tests.support.memory import MemoryBus, MemoryDirectory
from tests.support.signing import private_key, public_jwk, signed
from tests.support.virtual import run

ISSUER: Final = "https://issuer.example"
KEY = private_key()
MAPPING = ClaimMapping(kind=PrincipalKind.SERVICE, name=ClaimPath(("sub",)))
OPTIONS = WorkloadOptions("actions", ISSUER, ("interpose",), mapping=MAPPING)
AGENTS = WorkloadOptions(
    "agents",
    "https://agents.example",
    ("interpose",),
    jwks_url="https://agents.example/keys",
    mapping=ClaimMapping(
        kind=PrincipalKind.AGENT, name=ClaimPath(("sub",)), acting_for=ClaimPath(("behalf",)), task=ClaimPath(("job",))
    ),
)


class World:
    """An engine with two issuers, whose web sites are a table."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *providers: WorkloadOptions) -> None:
        self.core = Core()
        self.store = MemoryDirectory()
        self.bus = MemoryBus()
        self.directory = Directory(self.core.holder, self.store, self.core.audit, self.bus, self.core.clock)
        self.warned: list[Mapping[str, str]] = []
        self.asked: list[str] = []
        keys = {"keys": [public_jwk(KEY, kid="k1", use="sig")]}
        self.pages: dict[str, Any] = {
            f"{ISSUER}/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"},
            f"{ISSUER}/keys": keys,
            "https://agents.example/keys": keys,
        }
        world = self

        async def json(_: Fetcher, url: str) -> Mapping[str, object]:
            world.asked.append(url)
            await asyncio.sleep(0.01)
            if url not in world.pages:
                raise ProviderError("down", detail=url)
            page: Mapping[str, object] = world.pages[url]
            return page

        monkeypatch.setattr(Fetcher, "json", json)
        self.tokens = WorkloadTokens(
            providers or (OPTIONS, AGENTS),
            self.directory,
            lambda: self.core.holder.current.principals,
            self.core.clock,
            lambda _, fields: self.warned.append(fields),
        )

    def claims(self, **more: object) -> dict[str, object]:
        """What the first issuer says of `importer`, for five minutes."""
        now = int(self.core.clock.wall())
        claims = {"iss": ISSUER, "aud": "interpose", "sub": "importer", "iat": now, "exp": now + 300, **more}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **more: object) -> str:
        return signed(self.claims(**more), KEY, kid="k1")

    async def denied(self, token: str, name: str = "importer") -> str:
        with pytest.raises(AuthenticationError) as caught:
            await self.tokens.identify(name, token)
        assert (caught.value.public_message, caught.value.hint) == ("authentication failed", "")
        assert not self.directory.all(), "who was denied is not learned"
        return caught.value.detail


def test_a_good_token_is_an_identity_that_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        world = World(monkeypatch)
        identity = await world.tokens.identify(" Importer", world.token())
        expires = world.claims()["exp"]
        assert identity == Identity(identity.principal, "jwt", None, expires, "actions", "importer")
        assert (identity.principal.name, identity.principal.kind) == ("importer", PrincipalKind.SERVICE)
        assert world.core.holder.current.principals.find("importer") == identity.principal
        (entry,) = world.directory.all()
        assert (entry.provider, entry.subject, entry.valid_until) == ("actions", "importer", expires)
        assert await world.tokens.bearer(world.token()) == identity
        assert world.asked == list(world.pages)[:2], "keys are fetched once"
        await world.tokens.close()

    run(work())


NOW: Final = 0
"""In the table: seconds from now."""


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "other"}, "wrong_audience"),
        ({"aud": ["a", "b"]}, "wrong_audience"),
        ({"aud": None}, "wrong_audience"),
        ({"aud": {"interpose": 1}}, "wrong_audience"),
        ({"aud": [["interpose"]]}, "wrong_audience"),
        ({"iss": "https://evil.example"}, "unknown_issuer"),
        ({"iss": f"{ISSUER}/"}, "unknown_issuer"),
        ({"iss": None}, "unknown_issuer"),
        ({"iss": [ISSUER]}, "unknown_issuer"),
        ({"exp": None}, "no_expiry"),
        ({"exp": NOW}, "token_expired"),
        ({"exp": NOW - 1}, "token_expired"),
        ({"iat": NOW - 86400}, "token_too_old"),
        ({"iat": None}, "no_issue_time"),
        ({"iat": NOW + 31}, "not_yet_valid"),
        ({"nbf": NOW + 31}, "not_yet_valid"),
        ({"exp": "tomorrow"}, "token_malformed"),
        ({"exp": True}, "token_malformed"),
        ({"exp": 1e300}, "token_malformed"),
        ({"exp": -1.0}, "token_malformed"),
        ({"cnf": {"jkt": "x"}}, "token_is_bound"),
        ({"sub": None}, "no_subject"),
        ({"sub": "r\u00f6bot"}, "no_name"),
        ({"sub": "alice"}, "other_name"),
    ],
)
def test_claims_that_are_denied(claims: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        world = World(monkeypatch)
        now = int(world.core.clock.wall())
        moved = {
            name: now + value if isinstance(value, int) and not isinstance(value, bool) else value
            for name, value in claims.items()
        }
        assert await world.denied(world.token(**moved)) == why

    run(work())


def test_a_clock_that_is_ahead_is_forgiven_within_bounds_and_no_token_lives_longer_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work() -> None:
        world = World(monkeypatch)
        now = int(world.core.clock.wall())
        identity = await world.tokens.identify("importer", world.token(iat=now + 30, nbf=now + 30, exp=now + 60))
        assert identity.expires_at == now + 60
        identity = await world.tokens.identify("importer", world.token(exp=now + 10**9))
        assert identity.expires_at == now + 86400, "`max_age`, whatever the token says"

    run(work())


def test_a_local_name_is_not_for_a_token_to_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        world = World(monkeypatch)
        assert await world.denied(world.token(sub="alice"), "alice") == "name_is_in_the_principals_file"

    run(work())


def test_issuers_are_not_mixed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        world = World(monkeypatch)
        other = private_key(which=1)
        world.pages["https://agents.example/keys"] = {"keys": [public_jwk(other, kid="k1")]}
        # Signed by the one, said to be of the other.
        token = signed(world.claims(iss="https://agents.example", behalf="alice"), KEY, kid="k1")
        assert await world.denied(token) == "bad_signature"
        assert await world.denied(signed(world.claims(), other, kid="k1")) == "bad_signature"

    run(work())


def test_nobody_is_asked_about_an_issuer_that_is_not_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        world = World(monkeypatch)
        for issuer in ("https://evil.example", "http://169.254.169.254/latest", f"{ISSUER}.evil.example"):
            assert await world.denied(world.token(iss=issuer)) == "unknown_issuer"
        header = {"jku": "https://evil.example/keys"}
        assert await world.denied(signed(world.claims(), KEY, kid="k1", **header)) == "token_carries_key"
        assert await world.denied(signed(world.claims(aud="x"), KEY, kid="https://evil.example/k")) == "wrong_audience"
        assert not world.asked
        assert await world.denied(signed(world.claims(), KEY, kid="https://evil.example/k")) == "unknown_key"
        assert not [url for url in world.asked if "evil" in url]

    run(work())


@pytest.mark.parametrize("kid", ["../../etc/passwd", "k1' or '1'='1", "file:///dev/null", "k1\n", "", "%00"])
def test_a_key_id_is_compared_and_nothing_else(kid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        world = World(monkeypatch)
        assert await world.denied(signed(world.claims(), KEY, kid=kid)) == "unknown_key"

    run(work())


def test_without_a_key_id_the_only_key_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        world = World(monkeypatch)
        assert (await world.tokens.identify("importer", signed(world.claims(), KEY))).principal.name == "importer"

    run(work())


def test_each_provider_has_its_own_algorithms_and_audience(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        curve = WorkloadOptions("curve", ISSUER, ("curve", "c"), algorithms=("ES256",), mapping=MAPPING)
        world = World(monkeypatch, OPTIONS, curve)
        assert await world.denied(world.token(aud="curve")) == "algorithm_not_allowed"
        assert (await world.tokens.identify("importer", world.token(aud=["x", "interpose"]))).provider == "actions"

    run(work())


def test_an_agent_acts_for_a_user_who_exists_and_another_token_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        world = World(monkeypatch)
        agent = {"iss": "https://agents.example", "sub": "fixer-2"}
        for nobody in ("mallory", "fixer-2"):
            assert await world.denied(world.token(**agent, behalf=nobody), "fixer-2") == "acting_for_nobody"
        assert await world.denied(world.token(**agent), "fixer-2") == "no_acting_for"
        first = await world.tokens.identify("fixer-2", world.token(**agent, behalf="Alice", job="tidy up"))
        assert (first.principal.acting_for, first.principal.task) == ("alice", "tidy up")
        snapshot = world.core.holder.current
        second = await world.tokens.identify("fixer-2", world.token(**agent, behalf="bob"))
        assert (second.principal.acting_for, second.principal.task) == ("bob", None)
        assert world.core.holder.current is snapshot, "what is one token's own is nothing that the gateway learns"
        assert len(world.core.audit.of(AuditKind.PRINCIPAL_LEARNED)) == 1

    run(work())


def test_one_token_used_often_writes_once_and_a_shorter_one_takes_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        world = World(monkeypatch)
        now = int(world.core.clock.wall())
        token = world.token()
        await world.tokens.identify("importer", token)
        snapshot, told = world.core.holder.current, len(world.bus.published)
        for _ in range(20):
            await world.tokens.identify("importer", token)
        short = await world.tokens.identify("importer", world.token(exp=now + 60))
        assert short.expires_at == now + 60
        (entry,) = world.directory.all()
        assert entry.valid_until == now + 300
        assert (world.core.holder.current, len(world.bus.published)) == (snapshot, told)
        await world.tokens.identify("importer", world.token(exp=now + 900))
        (entry,) = world.directory.all()
        assert entry.valid_until == now + 900
        assert world.core.holder.current is snapshot, "nobody is found otherwise than before"

    run(work())


@pytest.mark.parametrize(
    "page",
    [
        {"issuer": "https://evil.example", "jwks_uri": f"{ISSUER}/keys"},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks_uri": "http://issuer.example/keys"},
        {"issuer": ISSUER, "jwks_uri": "file:///etc/keys"},
        {"issuer": ISSUER, "jwks_uri": 5},
    ],
)
def test_odd_discovery_gives_no_keys_and_the_operator_is_told(
    page: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        world = World(monkeypatch)
        world.pages[f"{ISSUER}/.well-known/openid-configuration"] = page
        for _ in range(3):
            with pytest.raises(ProviderError):
                await world.tokens.identify("importer", world.token())
        assert world.asked == [f"{ISSUER}/.well-known/openid-configuration"]
        ((fields),) = world.warned
        assert fields["provider"] == "actions"

    run(work())


def test_other_providers_are_used_from_now_on_and_known_keys_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        world = World(monkeypatch, OPTIONS)
        token = world.token()
        await world.tokens.identify("importer", token)
        asked = len(world.asked)
        renamed = dataclasses.replace(OPTIONS, mapping=dataclasses.replace(MAPPING, name_prefix="ci-"))
        world.tokens.use([renamed, AGENTS])
        assert (await world.tokens.identify("ci-importer", token)).principal.name == "ci-importer"
        assert len(world.asked) == asked, "the keys are the same, and are not asked for again"
        # Another place for keys is another provider, whatever its name.
        world.pages["https://elsewhere.example/keys"] = {
            "keys": [public_jwk(private_key(which=1), kid="k1", use="sig")]
        }
        world.tokens.use([dataclasses.replace(OPTIONS, jwks_url="https://elsewhere.example/keys")])
        with pytest.raises(AuthenticationError) as refused:
            await world.tokens.identify("importer", token)
        assert refused.value.detail == "bad_signature"
        world.tokens.use([AGENTS])
        with pytest.raises(AuthenticationError) as refused:
            await world.tokens.identify("importer", token)
        assert refused.value.detail == "unknown_issuer"
        # What was proven lives to the end of its token.
        assert world.core.holder.current.principals.find("importer") is not None
        await world.tokens.close()

    run(work())

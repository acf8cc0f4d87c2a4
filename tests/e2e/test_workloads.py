"""Workloads log in with the tokens of a real OpenID provider, and with nothing that only looks like one."""

from __future__ import annotations

import base64
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest

from tests.support.identity_provider.process import IdentityProvider
from tests.support.postgres import PostgresServer
from tests.support.raw_postgres import RawClient, errors
from tests.support.scene import Scene, until
from tests.support.signing import from_jwk, private_key, public_jwk, signed

SECRET: Final = "a client's secret that only this test knows"
FAULTS: Final = ("down", "error", "hang", "huge", "redirect", "slow")
_SOURCES: Final = (f"127.0.{third}.{fourth}" for third in range(40, 60) for fourth in range(1, 250))


def client(name: str) -> dict[str, object]:
    """A client that gets tokens for itself."""
    return {
        "client_id": name,
        "client_secret": SECRET,
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_post",
    }


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider(
        clients=[client(name) for name in ("importer", "reporter", "alice", "fixer")],
        resources={f"urn:{name}": name for name in ("interpose", "agents", "other", *FAULTS)},
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def _claims(provider: IdentityProvider) -> None:
    """What one test changes does not reach the next."""
    claims = {"reporter": {"roles": ["support", "dba"]}, "fixer": {"behalf": "carol", "job": "tidy up"}}
    provider.change(token_claims=claims, token_seconds=600)


@pytest.fixture(scope="module")
def scene(postgres: PostgresServer, provider: IdentityProvider) -> Iterator[Scene]:
    common = {
        "type": "jwt",
        "issuer": provider.issuer,
        "kind": "service",
        "allow_plaintext_keys_on_loopback": True,
    }
    providers: dict[str, object] = {
        "platform": {
            **common,
            "audience": "interpose",
            "mapping": {"groups": {"claim": "roles", "allow": ["support"]}},
        },
        "robots": {
            **common,
            "audience": "agents",
            "kind": "agent",
            "mapping": {"acting_for": "behalf", "task": "job"},
        },
        # Each with keys of its own: what goes wrong when they are first needed.
        **{fault: {**common, "audience": fault, "mapping": {"name_prefix": f"{fault}."}} for fault in FAULTS},
    }
    with Scene(postgres, settings={"identity": {"providers": providers}}) as made:
        yield made
        assert made.gateway.stop() == 0, made.gateway.log.read_text()[-4000:]
        assert "internal_error" not in made.gateway.log.read_text()


def token(provider: IdentityProvider, name: str = "importer", audience: str = "interpose") -> str:
    return provider.client_token(name, SECRET, f"urn:{audience}")


def claims_of(text: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
    return claims


def refusal(scene: Scene, text: str, name: str = "importer") -> tuple[dict[str, str], dict[str, Any]]:
    """What a client is told whose token is refused, and what the audit chain says of it. Each comes from a place of its own."""
    source = next(_SOURCES)
    with RawClient(scene.plain_port, source) as raw:
        (error,) = errors(raw.log_in(name, "shop", text))
    (event,) = scene.events("login.failed", source=source)
    return error, event["fields"]


def test_psql_logs_in_with_the_workload_s_own_token(scene: Scene, provider: IdentityProvider) -> None:
    text = token(provider, "reporter")
    done = scene.psql("reporter", "shop", "select count(*) from orders", token=text)
    assert (done.stdout.strip(), done.stderr) == ("200", "")
    (opened,) = scene.events("session.opened", method="jwt", subject="reporter")
    assert (opened["actor"], opened["fields"]["provider"]) == ("Service:reporter", "platform")
    (learned,) = scene.events("principal.learned", principal="reporter")
    assert learned["fields"]["groups"] == ["support"], "a provider gives the groups that it may give, and no other"
    listed = {each["name"]: each for each in json.loads(scene.gateway.interpose("principals", "list", "--json").stdout)}
    assert listed["reporter"]["source"] == "platform"
    assert "reporter" in scene.gateway.interpose("whoami", token=text).stdout
    told = scene.gateway.interpose("whoami", token=text[:-8], check=False)
    assert told.returncode != 0 and "authentication failed" in told.stdout + told.stderr
    (failed,) = scene.events("login.failed", reason="bad_signature", claimed_name="")
    assert failed["fields"]["provider"] == "platform"
    everything = b"".join(path.read_bytes() for path in scene.gateway.state.rglob("*") if path.is_file())
    for part in text.split("."):
        assert part.encode() not in everything + scene.gateway.log.read_bytes(), "no part of a token is kept anywhere"


def test_an_agent_s_token_says_for_whom_it_acts(scene: Scene, provider: IdentityProvider) -> None:
    with scene.connect("fixer", "shop", token=token(provider, "fixer", "agents")) as session:
        session.execute("select 1")
    (opened,) = scene.events("session.opened", provider="robots")
    assert (opened["actor"], opened["fields"]["task"]) == ("Agent:fixer for carol", "tidy up")
    provider.change(token_claims={"fixer": {"behalf": "nobody-here"}})
    _, told = refusal(scene, token(provider, "fixer", "agents"), "fixer")
    assert told["reason"] == "acting_for_nobody"


def test_keys_are_rotated_while_sessions_live(scene: Scene, provider: IdentityProvider) -> None:
    before = token(provider)
    with scene.connect("importer", "shop", token=before) as session:
        session.execute("select 1")
        provider.rotate(algorithm="ES256")
        after = token(provider)

        def let_in() -> bool:
            try:
                scene.connect("importer", "shop", token=after).close()
            except psycopg.OperationalError:
                time.sleep(3)  # who tries too often is made to wait for a minute
                return False
            return True

        # The gateway asks for a key that it does not know, but not more often than every ten seconds.
        until(let_in, 60, "the new key")
        error, told = refusal(scene, before)
        assert (error["M"], told["reason"]) == ("authentication failed", "unknown_key"), "the old key is withdrawn"
        assert session.execute("select 1").fetchone() == (1,), (
            "a session lives on: its token was good when it was shown"
        )
    provider.rotate(keep=1, algorithm="RS256")
    again = token(provider)
    after = again
    until(let_in, 60, "the third key")


def test_a_session_ends_with_its_token(scene: Scene, provider: IdentityProvider) -> None:
    provider.change(token_seconds=4)
    text = token(provider)
    with scene.connect("importer", "shop", token=text) as session:

        def ended() -> str:
            try:
                session.execute("select 1")
            except psycopg.Error as error:
                return str(error)
            return ""

        assert "your access token or certificate has expired" in until(ended, 20, "the end of the session")
    assert refusal(scene, text)[1]["reason"] == "token_expired"


def test_who_is_disabled_stays_out_whatever_the_provider_says(scene: Scene, provider: IdentityProvider) -> None:
    scene.psql("importer", "shop", "select 1", token=token(provider))
    scene.gateway.interpose("principals", "disable", "importer", "--reason", "leaked")
    assert refusal(scene, token(provider))[1]["reason"] == "principal_disabled"
    scene.gateway.interpose("principals", "enable", "importer")
    assert scene.psql("importer", "shop", "select 1", token=token(provider)).returncode == 0


class Site:
    """A place that nobody should ask: counts connections."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.asked = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return
            self.asked += 1

    def close(self) -> None:
        self._socket.close()


def test_forged_tokens_are_refused_alike_and_told_apart_in_the_audit_chain(
    scene: Scene, provider: IdentityProvider
) -> None:
    site = Site()
    good = token(provider)
    assert scene.psql("importer", "shop", "select 1", token=good).returncode == 0
    now = int(time.time())
    raw = provider.keys()[0]
    key, kid = from_jwk(raw), raw["kid"]
    public = public_jwk(key)
    evil = private_key(which=7)
    claims = {"iss": provider.issuer, "aud": "interpose", "sub": "importer", "iat": now, "exp": now + 300}
    head, body, sign = good.split(".")

    def forged(
        signer: Any = key, algorithm: str = "RS256", header: dict[str, object] | None = None, **more: object
    ) -> str:
        made = {name: value for name, value in {**claims, **more}.items() if value is not None}
        return signed(made, signer, algorithm, **{"kid": kid, **(header or {})})

    assert scene.psql("importer", "shop", "select 1", token=forged()).returncode == 0, "the forger's tools are good"
    attacks: list[tuple[str, str, str]] = [
        (forged(header={"alg": "none"}).rpartition(".")[0] + ".", "importer", "algorithm_not_allowed"),
        (forged(json.dumps(public).encode(), "HS256"), "importer", "algorithm_not_allowed"),
        (forged(algorithm="RS512"), "importer", "algorithm_not_allowed"),
        (forged(evil), "importer", "bad_signature"),
        (f"{head}.{body}.{forged().rpartition('.')[2]}", "importer", "bad_signature"),
        (f"{head}.{body}.", "importer", "bad_signature"),
        (token(provider, audience="other"), "importer", "wrong_audience"),
        (forged(iss=site.url), "importer", "unknown_issuer"),
        (forged(iss=f"{provider.issuer}/"), "importer", "unknown_issuer"),
        (forged(evil, iss=site.url, header={"jku": f"{site.url}/jwks"}), "importer", "token_carries_key"),
        (forged(evil, header={"jku": f"{site.url}/jwks"}), "importer", "token_carries_key"),
        (forged(evil, header={"x5u": f"{site.url}/x5u"}), "importer", "token_carries_key"),
        (forged(evil, header={"jwk": public_jwk(evil)}), "importer", "token_carries_key"),
        (forged(header={"crit": ["exp"]}), "importer", "header_not_understood"),
        (forged(header={"b64": False}), "importer", "header_not_understood"),
        (forged(evil, header={"kid": f"{site.url}/key"}), "importer", "unknown_key"),
        (forged(evil, header={"kid": "../../../../dev/null"}), "importer", "unknown_key"),
        (forged(evil, header={"kid": "x' union select 'y"}), "importer", "unknown_key"),
        (forged(exp=now - 1), "importer", "token_expired"),
        (forged(exp=None), "importer", "no_expiry"),
        (forged(nbf=now + 3600), "importer", "not_yet_valid"),
        (forged(iat=now + 3600), "importer", "not_yet_valid"),
        (forged(iat=now - 90_000, exp=now + 300), "importer", "token_too_old"),
        (forged(sub="alice"), "alice", "name_is_in_the_principals_file"),
        (token(provider, "alice"), "alice", "name_is_in_the_principals_file"),
        (good, "alice", "other_name"),
        (json.dumps({"payload": body, "protected": head, "signature": sign}), "importer", "no_token"),
        (
            json.dumps({"payload": body, "signatures": [{"protected": head, "signature": sign}] * 2}),
            "importer",
            "no_token",
        ),
        (f"{good}.{sign}", "importer", "no_token"),
        (good + "\n", "importer", "no_token"),
    ]
    told = []
    for text, name, why in attacks:
        error, event = refusal(scene, text, name)
        told.append({letter: value for letter, value in error.items() if letter in "SCMDH"})
        assert event["reason"] == why
        assert not set(event) - {"reason", "claimed_name", "connection", "source", "provider"}
    assert all(each == told[0] for each in told), "from outside they are all the same"
    assert site.asked == 0, "a token names no place to ask"
    site.close()
    assert scene.psql("importer", "shop", "select 1", token=good).returncode == 0


def test_how_long_a_token_may_be(scene: Scene, provider: IdentityProvider) -> None:
    provider.change(token_claims={"importer": {"filler": "x" * 9_000}})
    long = token(provider)
    assert 12_000 < len(long) < 16_000
    assert scene.psql("importer", "shop", "select 1", token=long).stdout.strip() == "1"
    with RawClient(scene.plain_port, next(_SOURCES)) as raw:
        (error,) = errors(raw.log_in("importer", "shop", "e" * 17_000))
    assert error["M"] == "invalid length of password packet"


def test_a_provider_that_does_not_answer_lets_nobody_new_in_and_is_not_stormed(
    scene: Scene, provider: IdentityProvider
) -> None:
    good = token(provider)
    firsts = {fault: token(provider, audience=fault) for fault in FAULTS}
    with scene.connect("importer", "shop", token=good) as session:
        for fault, first in firsts.items():
            provider.requests(forget=True)
            provider.mode(fault, seconds=1, location="http://127.0.0.1:1/")
            began = time.monotonic()
            try:
                if fault == "slow":
                    # A second for each of discovery and keys: late, but there.
                    assert scene.psql("slow.importer", "shop", "select 1", token=first).returncode == 0
                    told = []
                else:
                    told = [refusal(scene, first, f"{fault}.importer") for _ in range(12)]
                # Whose keys are known comes in as before, and who is in stays in.
                assert scene.psql("importer", "shop", "select 1", token=good).returncode == 0
                assert session.execute("select 1").fetchone() == (1,)
            finally:
                provider.mode("up")
            asked = sum(provider.requests().values())
            # Two pages each time, for this audience, and for the one that is no longer fresh by now.
            assert asked <= 4 * (1 + (time.monotonic() - began) / 10), f"{fault}: {provider.requests()}"
            for error, event in told:
                assert (error["C"], event["reason"]) == ("57P03", "provider_unavailable")
                assert provider.issuer not in json.dumps(error)
    assert "an identity provider's keys cannot be had" in scene.gateway.log.read_text()
    for fault, first in firsts.items():
        until(lambda: scene.psql(f"{fault}.importer", "shop", "select 1", token=first).returncode == 0, 60, "a way in")  # noqa: B023


def test_many_at_once_ask_once(scene: Scene, provider: IdentityProvider) -> None:
    texts = [token(provider) for _ in range(3)]
    provider.requests(forget=True)
    threads = [
        threading.Thread(target=scene.psql, args=("importer", "shop", "select 1"), kwargs={"token": text})
        for text in itertools.islice(itertools.cycle(texts), 12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # At most one look because the keys are no longer fresh.
    assert sum(provider.requests().values()) <= 2

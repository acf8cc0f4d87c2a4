"""The keys and certificates that one SSH connection offers."""

from __future__ import annotations

from interpose.engine.authenticate import Authentication
from interpose.engine.limits import Limits
from interpose.engine.ssh_logins import SshLogins, fingerprint
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, StoreError
from interpose.model.principal import Identity
from interpose.protocols.intents import Refused
from tests.support.memory import ManualClock, MemoryAudit, person
from tests.support.virtual import run

ALICE = Identity(person("alice"), "ssh_certificate")


class Tokens:
    """Authenticators that know one token."""

    async def identify(self, claimed_name: str, token: str) -> Identity:
        if (claimed_name, token) != ("alice", "right"):
            raise AuthenticationError("authentication failed", detail="token_unknown")
        return ALICE

    async def bearer(self, token: str) -> Identity:
        return await self.identify("alice", token)


class Keys:
    """Identities that know one key."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.asked = 0
        self.sources: list[str] = []

    async def by_certificate(self, claimed_name: str, blob: bytes, source: str) -> Identity:
        self.sources.append(source)
        return await self.by_public_key(claimed_name, blob)

    async def by_public_key(self, claimed_name: str, blob: bytes) -> Identity:
        self.asked += 1
        if self.down:
            raise StoreError("no store")
        if (claimed_name, blob) != ("alice", b"right"):
            raise AuthenticationError("authentication failed", detail="ssh_key_unknown")
        return ALICE


def _logins(keys: Keys, audit: MemoryAudit, failures: int = 3) -> SshLogins:
    clock = ManualClock()
    return SshLogins(Authentication(Tokens(), audit, clock, Limits(login_failures=failures)), keys)


def test_a_connection_that_proves_somebody_at_last_is_no_failure() -> None:
    audit, keys = MemoryAudit(), Keys()
    logins = _logins(keys, audit)

    async def work() -> None:
        for _ in range(20):
            login = logins.begin("192.0.2.1")
            for blob in (b"other", b"another"):
                assert isinstance(await login.public_key("alice", "web-1", blob), Refused)
            assert await login.certificate("alice", "web-1", b"right") is ALICE
            login.proven()
            login.close()

    run(work())
    assert not audit.events
    assert set(keys.sources) == {"192.0.2.1"}


def test_a_connection_that_proves_nobody_is_one_failure_that_names_what_was_offered() -> None:
    audit = MemoryAudit()
    logins = _logins(Keys(), audit)

    async def work() -> list[object]:
        login = logins.begin("192.0.2.1")
        answers: list[object] = [await login.public_key("alice", "web-1", b"other")]
        answers.append(await login.certificate("bob", "web-1", b"right"))
        answers.append(await login.certificate("bob", "web-1", b"right"))
        login.close()
        login.close()
        return answers

    first, second, third = run(work())
    assert first == second == third
    [event] = audit.events
    assert event.kind is AuditKind.LOGIN_FAILED
    assert event.fields == {
        "reason": "ssh_key_unknown",
        "claimed_name": "bob",
        "connection": "web-1",
        "source": "192.0.2.1",
        "keys": (fingerprint(b"other"), fingerprint(b"right")),
    }


def test_who_failed_too_often_is_refused_unseen_with_the_right_key_too() -> None:
    audit, keys = MemoryAudit(), Keys()
    logins = _logins(keys, audit, failures=3)

    async def work() -> None:
        for _ in range(3):
            login = logins.begin("192.0.2.1")
            await login.public_key("alice", "web-1", b"other")
            login.close()
        asked = keys.asked
        blocked = await logins.begin("192.0.2.1").public_key("alice", "web-1", b"right")
        assert isinstance(blocked, Refused)
        assert blocked.refusal.code == "too_many_attempts"
        assert keys.asked == asked
        assert await logins.begin("192.0.2.2").public_key("alice", "web-1", b"right") is ALICE

    run(work())
    assert audit.events[-1].fields["reason"] == "too_many_attempts"


def test_a_right_key_that_was_never_signed_with_hides_no_failure() -> None:
    audit = MemoryAudit()
    logins = _logins(Keys(), audit)

    async def work() -> None:
        login = logins.begin("192.0.2.1")
        await login.public_key("alice", "web-1", b"other")
        assert await login.public_key("alice", "web-1", b"right") is ALICE
        login.close()

    run(work())
    assert len(audit.events) == 1


def test_tokens_count_one_by_one_and_a_store_that_is_down_counts_as_nothing() -> None:
    audit = MemoryAudit()

    async def work() -> None:
        login = _logins(Keys(), audit).begin("192.0.2.1")
        assert await login.token("alice", "web-1", "right") is ALICE
        assert isinstance(await login.token("alice", "web-1", "wrong"), Refused)
        down = _logins(Keys(down=True), audit).begin("192.0.2.1")
        answer = await down.public_key("alice", "web-1", b"right")
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "store_unavailable"
        down.close()

    run(work())
    assert [event.fields["reason"] for event in audit.events] == ["token_unknown", "store_unavailable"]


def test_a_fingerprint_is_spelled_as_openssh_does() -> None:
    assert fingerprint(b"") == "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"

"""A credential only against a grant, and in nobody's words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from interpose.engine.admit import gateway_grant
from interpose.model.audit import AuditKind
from interpose.model.errors import SecretError
from interpose.model.proofs import ProofError
from interpose.secrets.sources import SecretSources
from interpose.secrets.vault import Vault
from tests.support.memory import MemoryAudit, connection

CANARY = "canary-credential-8e1c"


def _sources(secret: str, environment: dict[str, str] | None = None, vault: Vault | None = None):  # type: ignore[no-untyped-def]
    made = connection(secret=secret)
    audit = MemoryAudit()
    sources = SecretSources(
        lambda: {made.name: made}, audit, environment or {}, None if vault is None else lambda: vault
    )
    return sources, made, audit


def _fetch(secret: str, environment: dict[str, str] | None = None, vault: Vault | None = None) -> str:
    sources, made, _ = _sources(secret, environment, vault)
    return asyncio.run(sources.fetch(gateway_grant(made), secret)).value


def test_each_source_gives_its_credential(tmp_path: Path) -> None:
    file = tmp_path / "pw"
    file.write_text(CANARY + "\n")
    file.chmod(0o600)
    vault = Vault(tmp_path / "secrets.json", bytes(32))
    vault.set("shop", CANARY, bytes(12))
    assert _fetch("env:PW", {"PW": CANARY}) == CANARY
    assert _fetch(f"file:{file}") == CANARY
    assert _fetch("store:shop", vault=vault) == CANARY


@pytest.mark.parametrize("reference", ["env:PW", "env:", "file:/nowhere", "file:", "store:x", "vault:x", "plain", ""])
def test_what_is_not_there_is_said_without_saying_it(reference: str) -> None:
    with pytest.raises(SecretError):
        _fetch(reference, {"PW": ""})


def test_every_reading_is_recorded_before_and_the_credential_is_in_no_record() -> None:
    sources, made, audit = _sources("env:PW", {"PW": CANARY})
    credential = asyncio.run(sources.fetch(gateway_grant(made), "env:PW"))
    (event,) = audit.events
    assert event.kind is AuditKind.SECRET_READ
    assert dict(event.fields) == {"connection": "shop", "source": "env"}
    assert CANARY not in repr(credential) + repr(event) + repr(sources)
    audit.fails = lambda _: True
    with pytest.raises(SecretError):
        asyncio.run(sources.fetch(gateway_grant(made), "env:PW"))


def test_a_grant_must_be_genuine_unspent_and_for_this_credential() -> None:
    sources, made, audit = _sources("env:PW", {"PW": CANARY})

    class Forged:
        """Looks like a grant."""

        session, connection, spent = "s", made.name, False

    with pytest.raises(ProofError):
        asyncio.run(sources.fetch(Forged(), "env:PW"))  # type: ignore[arg-type]
    spent = gateway_grant(made)
    spent.spend(made.name)
    with pytest.raises(ProofError):
        asyncio.run(sources.fetch(spent, "env:PW"))
    with pytest.raises(SecretError):
        asyncio.run(sources.fetch(gateway_grant(made), "env:OTHER"))
    with pytest.raises(SecretError):
        asyncio.run(sources.fetch(gateway_grant(connection("elsewhere")), "env:PW"))
    assert not audit.events


def test_a_rotated_credential_is_used_at_the_next_dial() -> None:
    environment = {"PW": "old"}
    sources, made, _ = _sources("env:PW", environment)
    environment["PW"] = "new"
    assert asyncio.run(sources.fetch(gateway_grant(made), "env:PW")).value == "new"

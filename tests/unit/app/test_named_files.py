"""`config check` reads the keys, certificates and credentials that the gateway would read while it serves."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from interpose.app.config import read_settings
from interpose.app.named_files import check_named_files
from interpose.app.protocols import SPOKEN
from interpose.bridges.ssh.host_key import make_host_key
from interpose.model.errors import ConfigurationError
from interpose.secrets.vault import Vault, make_key_file, parse_key
from tests.unit.net.conftest import issue

CONFIG = """\
policy: policy
principals: principals.yaml
secrets: {key: "file:vault.key"}
listeners:
  - {protocol: postgres, address: "127.0.0.1:6432", tls: {certificate: tls/cert.pem, key: tls/key.pem}}
  - {protocol: ssh, address: "127.0.0.1:2222", host_key: host.key}
connections:
  shop:
    protocol: postgres
    address: localhost:5432
    secret: file:password
    options: {database: shop, user: app, tls_ca_file: tls/ca.pem}
  crm: {protocol: postgres, address: "localhost:5433", secret: "store:crm", options: {database: crm, user: app}}
  hr: {protocol: postgres, address: "localhost:5434", secret: "env:NOT_SET_HERE", options: {database: hr, user: app}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with everything that it names in place."""
    issue(tmp_path / "tls", "localhost")
    make_host_key(tmp_path / "host.key")
    make_key_file(tmp_path / "vault.key", bytes(32))
    (tmp_path / "state").mkdir()
    vault = Vault(tmp_path / "state" / "secrets.json", parse_key((tmp_path / "vault.key").read_text()))
    vault.set("crm", "swordfish", bytes(12))
    (tmp_path / "password").write_text("swordfish\n")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "interpose.yaml").write_text(CONFIG)
    return tmp_path


def looked_at(folder: Path, now: float = 0.0) -> list[str]:
    """What is warned of."""
    return check_named_files(read_settings(folder / "interpose.yaml", SPOKEN), lambda: now)


def test_what_is_in_place_is_fine_and_the_environment_is_not_asked(folder: Path) -> None:
    assert "NOT_SET_HERE" not in os.environ
    assert looked_at(folder) == []


def _other_key(folder: Path) -> None:
    (folder / "tls" / "key.pem").write_bytes(issue(folder / "other", "localhost").key.read_bytes())


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_other_key, "listener 127.0.0.1:6432: the TLS certificate"),
        (lambda folder: (folder / "host.key").chmod(0o644), "listener 127.0.0.1:2222: the host key"),
        (lambda folder: (folder / "password").unlink(), "connection shop: the credential file cannot be read"),
        (lambda folder: (folder / "password").chmod(0o644), "connection shop: the credential file is open to others"),
        (lambda folder: (folder / "password").write_text("\n"), "connection shop: the credential file is empty"),
        (lambda folder: (folder / "tls" / "ca.pem").unlink(), "connection shop: the upstream's identity cannot be"),
        (lambda folder: (folder / "tls" / "ca.pem").write_text("no"), "connection shop: the upstream's identity"),
        (lambda folder: (folder / "state" / "secrets.json").unlink(), "connection crm: there is no such stored secret"),
        (lambda folder: (folder / "vault.key").write_text("short"), "secrets.key: "),
    ],
)
def test_what_could_not_be_used_is_told_with_its_place(folder: Path, harm: Callable[[Path], object], said: str) -> None:
    harm(folder)
    with pytest.raises(ConfigurationError) as caught:
        looked_at(folder)
    assert any(problem.message.startswith(said) for problem in caught.value.problems), str(caught.value)
    assert "swordfish" not in str(caught.value)


def test_what_serves_all_the_same_is_warned_of(folder: Path) -> None:
    (folder / "tls" / "key.pem").chmod(0o644)
    one, other = looked_at(folder, now=1e12)
    assert "has expired" in one
    assert "open to everybody" in other

"""Where the gateway is: the caller's word first, then the configuration; every way to get it wrong is one sentence."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
import trustme

from interpose.cli.reach import Reach, find_reach, probe
from interpose.model.errors import ClientError
from tests.support.gateway import free_port

CONFIGURATION = """\
state: state
policy: policy
principals: principals.yaml
listeners: [{{protocol: postgres, address: "{address}"{tls}}}]
connections:
  shop: {{protocol: postgres, address: "db:5432", secret: "env:X", options: {{database: d, user: u}}}}
{more}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without any settings for libpq."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def configured(folder: Path, address: str = "127.0.0.1:6432", tls: str = "", more: str = "") -> Path:
    path = folder / "interpose.yaml"
    path.write_text(
        CONFIGURATION.format(address=address, tls=tls or ", allow_plaintext_tokens: true", more=more), encoding="utf-8"
    )
    return path


def identity(folder: Path, *, whole_chain: bool) -> str:
    """A private certificate, with its root in the file or without."""
    authority = trustme.CA()
    file = folder / "gateway.pem"
    issued = authority.issue_cert("localhost")
    file.write_bytes(
        issued.private_key_and_cert_chain_pem.bytes() + (authority.cert_pem.bytes() if whole_chain else b"")
    )
    return f', tls: {{certificate: "{file}", key: "{file}"}}'


@pytest.mark.usefixtures("home")
def test_the_callers_word_needs_no_configuration(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    system = ssl.get_default_verify_paths().cafile
    reach = find_reach("shop", "postgres", "gateway.example.com:6432", missing, None, {})
    assert reach == Reach("gateway.example.com", 6432, authority=system)
    assert find_reach("shop", "postgres", "[::1]:1", missing, None, {}).host == "::1"
    broken = tmp_path / "broken.yaml"
    broken.write_text("nonsense: true")
    assert find_reach("shop", "postgres", "h:1", broken, None, {}).host == "h"


def test_the_authority(tmp_path: Path, home: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("x")

    def authority(given: str | None, variables: dict[str, str]) -> str | None:
        return find_reach("shop", "postgres", "h:1", tmp_path / "none", given, variables).authority

    assert authority(str(file), {"PGSSLROOTCERT": "/other"}) == str(file)
    assert authority(None, {"PGSSLROOTCERT": "system"}) == "system"
    (home / ".postgresql").mkdir(parents=True)
    (home / ".postgresql" / "root.crt").write_text("x")
    assert authority(None, {}) is None
    with pytest.raises(ClientError, match="is no file"):
        authority(str(tmp_path / "gone"), {})


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("address", "more", "host"),
    [
        ("127.0.0.1:6432", "", "127.0.0.1"),
        ("0.0.0.0:6432", "", "localhost"),
        ("[::]:6432", "public: {url: 'https://gateway.example.com:6443'}", "gateway.example.com"),
        ("10.1.2.3:6432", "public: {url: 'https://gateway.example.com:6443'}", "10.1.2.3"),
    ],
)
def test_the_configuration(tmp_path: Path, address: str, more: str, host: str) -> None:
    reach = find_reach("shop", "postgres", None, configured(tmp_path, address, more=more), None, {})
    assert reach == Reach(host, 6432, tls=False)


@pytest.mark.usefixtures("home")
def test_a_private_certificate_is_its_own_authority_when_its_root_is_in_the_file(tmp_path: Path) -> None:
    config = configured(tmp_path, tls=identity(tmp_path, whole_chain=True))
    assert find_reach("shop", "postgres", None, config, None, {}).authority == str(tmp_path / "gateway.pem")
    config = configured(tmp_path, tls=identity(tmp_path, whole_chain=False))
    system = ssl.get_default_verify_paths().cafile
    assert find_reach("shop", "postgres", None, config, None, {}).authority == system


@pytest.mark.usefixtures("home")
def test_what_can_be_wrong(tmp_path: Path) -> None:
    config = configured(tmp_path)
    with pytest.raises(ClientError, match="no connection `shopp`") as error:
        find_reach("shopp", "postgres", None, config, None, {})
    assert "`shop`" in error.value.hint
    with pytest.raises(ClientError, match="speaks `postgres`"):
        find_reach("shop", "mysql", None, config, None, {})
    with pytest.raises(ClientError, match="not known where the gateway is"):
        find_reach("shop", "postgres", None, tmp_path / "none.yaml", None, {})
    for text in ("gateway", "gateway:", ":5432", "gateway:0", "gateway:x", "gateway:70000"):
        with pytest.raises(ClientError, match="no address of a gateway"):
            find_reach("shop", "postgres", text, config, None, {})


def test_somebody_listens_or_nobody_does() -> None:
    port = free_port()
    with pytest.raises(ClientError, match=f"nobody answers at `127.0.0.1:{port}`"):
        probe(Reach("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", 0)) as server:
        probe(Reach("127.0.0.1", server.getsockname()[1]))

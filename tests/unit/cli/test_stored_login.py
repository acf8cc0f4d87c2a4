"""The stored login: in a file of its owner alone, and sent to the gateway that gave it and to this machine."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from interpose.cli.client import AdminClient, ServerError
from interpose.cli.public_client import check_url
from interpose.cli.stored_login import StoredLogin, forget_login, login_file, read_login, write_login
from interpose.model.errors import ClientError

LOGIN = StoredLogin("https://gateway.example:6443", "zoe", "ip_token", time.time() + 3600)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("INTERPOSE_TOKEN", raising=False)


def test_it_is_kept_for_its_owner_alone() -> None:
    assert read_login() is None
    file = write_login(LOGIN)
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    assert read_login() == LOGIN
    write_login(LOGIN)
    assert os.listdir(file.parent) == ["login.json"]
    assert "ip_token" not in repr(LOGIN)
    forget_login()
    forget_login()
    assert read_login() is None


def test_a_file_that_others_can_read_is_not_believed() -> None:
    file = write_login(LOGIN)
    file.chmod(0o640)
    with pytest.raises(ClientError, match="open to others"):
        read_login()
    file.chmod(0o600)
    file.write_text("{}")
    with pytest.raises(ClientError, match="damaged"):
        read_login()
    file.rename(file.with_name("other"))
    file.symlink_to(file.with_name("other"))
    with pytest.raises(ClientError, match="cannot be read"):
        read_login()
    assert login_file() == file


@pytest.mark.parametrize(
    ("server", "sent"),
    [
        ("https://gateway.example:6480", True),
        ("https://Gateway.Example", True),
        ("http://gateway.example:6480", False),
        ("https://evil.example", False),
        ("https://gateway.example.evil.example", False),
        ("https://gateway.example@evil.example", False),
        ("http://127.0.0.1:6480", True),
        ("http://localhost:6480", True),
        ("http://[::1]:6480", True),
        ("http://127.0.0.1.evil.example", False),
    ],
)
def test_the_token_goes_to_its_gateway_and_nowhere_else(server: str, sent: bool) -> None:
    write_login(LOGIN)
    assert (AdminClient(server)._token == "ip_token") is sent


def test_the_environment_wins_and_what_is_over_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    write_login(StoredLogin(LOGIN.url, "zoe", "ip_old", time.time() - 1))
    with pytest.raises(ServerError, match="is over"):
        AdminClient("http://127.0.0.1:6480")
    monkeypatch.setenv("INTERPOSE_TOKEN", "ip_other")
    assert AdminClient("http://127.0.0.1:6480")._token == "ip_other"


@pytest.mark.parametrize(
    "url", ["http://gateway.example", "gateway.example", "ftp://x", "https://", "file:///etc/passwd"]
)
def test_nobody_signs_in_in_clear(url: str) -> None:
    with pytest.raises(ClientError, match="no address of a gateway"):
        check_url(url)


def test_an_address_is_an_origin() -> None:
    assert check_url("https://gateway.example:6443/") == "https://gateway.example:6443"
    assert check_url("https://Gateway.Example:443/x") == "https://gateway.example"
    assert check_url("http://127.0.0.1:6443") == "http://127.0.0.1:6443"

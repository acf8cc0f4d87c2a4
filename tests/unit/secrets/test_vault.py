"""The encrypted store."""

from __future__ import annotations

import json
import multiprocessing
import stat
from pathlib import Path

import pytest

from interpose.model.errors import SecretError
from interpose.secrets.vault import Vault, load_key, make_key_file, parse_key

KEY = bytes(range(32))
SECRET = "canary-credential-3b9d"


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def test_a_secret_comes_back_and_is_nowhere_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "secrets.json"
    vault = Vault(path, KEY)
    vault.set("shop", SECRET, _nonce(1))
    vault.set("stock", "other", _nonce(2))
    assert Vault(path, KEY).get("shop") == SECRET
    assert vault.names() == ("shop", "stock")
    assert SECRET.encode() not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    vault.set("shop", "new", _nonce(3))
    assert vault.get("shop") == "new"
    assert vault.remove("shop")
    assert not vault.remove("shop")
    with pytest.raises(SecretError, match="no such"):
        vault.get("shop")


def test_another_key_an_exchanged_entry_and_a_flipped_bit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    vault = Vault(path, KEY)
    vault.set("a", SECRET, _nonce(1))
    vault.set("b", "other", _nonce(2))
    with pytest.raises(SecretError, match="decrypted"):
        Vault(path, bytes(32)).get("a")
    stored = json.loads(path.read_text())
    stored["secrets"]["a"], stored["secrets"]["b"] = stored["secrets"]["b"], stored["secrets"]["a"]
    path.write_text(json.dumps(stored))
    with pytest.raises(SecretError, match="decrypted"):
        vault.get("a")
    stored["secrets"]["a"] = "AAAA"
    path.write_text(json.dumps(stored))
    with pytest.raises(SecretError, match="decrypted"):
        vault.get("a")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 2, "secrets": {}}', '{"version": 1, "secrets": []}'])
def test_a_damaged_store_is_said(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(SecretError, match="damaged"):
        Vault(path, KEY).get("a")


def test_names_and_values_are_checked(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "secrets.json", KEY)
    for name in ("", "A", "a/b", "a" * 64, "-a"):
        with pytest.raises(SecretError):
            vault.set(name, "x", _nonce(1))
    with pytest.raises(SecretError, match="empty"):
        vault.set("a", "", _nonce(1))
    with pytest.raises(ValueError, match="nonce"):
        vault.set("a", "x", b"short")
    assert vault.names() == ()


def _write(path: Path, number: int) -> None:
    vault = Vault(path, KEY)
    for turn in range(10):
        vault.set(f"s{number}-{turn}", "x", _nonce(number * 100 + turn))


def test_writers_in_several_processes_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(Vault(path, KEY).names()) == 30


def test_the_key_comes_from_environment_or_file_and_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "key"
    make_key_file(path, KEY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(f"file:{path}", {}) == KEY
    assert load_key("env:K", {"K": path.read_text()}) == KEY
    with pytest.raises(SecretError):
        make_key_file(path, KEY)
    for reference in ("env:K", "env:", "file:", "file:/nowhere", "K", "store:x"):
        with pytest.raises(SecretError):
            load_key(reference, {})
    path.chmod(0o644)
    with pytest.raises(SecretError, match="open to others"):
        load_key(f"file:{path}", {})
    for wrong in ("", "x", "AAAA", "!" * 44):
        with pytest.raises(SecretError) as caught:
            parse_key(wrong)
        assert wrong == "" or wrong not in str(caught.value) or len(wrong) < 2

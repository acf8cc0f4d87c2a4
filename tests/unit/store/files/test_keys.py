"""The signing key on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpose.model.errors import RecordingError
from interpose.store.files.keys import load_or_create_key, read_verifier_keys
from tests.support.memory import CountingIds


def test_made_once_for_the_gateway_alone(tmp_path: Path) -> None:
    ids = CountingIds()
    key = load_or_create_key(tmp_path / "audit", "node", ids)
    again = load_or_create_key(tmp_path / "audit", "node", ids)
    assert key.verifier == again.verifier
    assert (tmp_path / "audit" / "signing.key").stat().st_mode & 0o777 == 0o600
    assert read_verifier_keys(tmp_path / "audit" / "verifier.key") == (key.verifier,)


def test_the_public_half_is_written_again_when_it_is_gone(tmp_path: Path) -> None:
    key = load_or_create_key(tmp_path, "node", CountingIds())
    (tmp_path / "verifier.key").unlink()
    load_or_create_key(tmp_path, "node", CountingIds())
    assert read_verifier_keys(tmp_path / "verifier.key") == (key.verifier,)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_or_create_key(tmp_path, "node", CountingIds())
    (tmp_path / "signing.key").chmod(0o640)
    with pytest.raises(RecordingError, match="read by others"):
        load_or_create_key(tmp_path, "node", CountingIds())


@pytest.mark.parametrize("text", ["", "name\n", "name\nzz\n", "na me\n" + "00" * 32, "name\n00\n"])
def test_a_damaged_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "signing.key").write_text(text)
    (tmp_path / "signing.key").chmod(0o600)
    with pytest.raises(RecordingError, match="damaged"):
        load_or_create_key(tmp_path, "node", CountingIds())


@pytest.mark.parametrize("text", ["nonsense\n", None])
def test_a_verifier_file_without_keys(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "v").write_text(text)
    with pytest.raises(RecordingError, match="no verifier key"):
        read_verifier_keys(tmp_path / "v")


def test_comments_and_several_keys(tmp_path: Path) -> None:
    key = load_or_create_key(tmp_path, "node", CountingIds())
    (tmp_path / "v").write_text(f"# this year\n{key.verifier}\n\n{key.verifier}\n")
    assert read_verifier_keys(tmp_path / "v") == (key.verifier, key.verifier)


def test_a_lost_signing_key_is_replaced_and_the_old_public_key_stays(tmp_path: Path) -> None:
    ids = CountingIds()
    first = load_or_create_key(tmp_path, "node", ids)
    (tmp_path / "signing.key").unlink()
    second = load_or_create_key(tmp_path, "node", ids)
    assert first.verifier != second.verifier
    assert read_verifier_keys(tmp_path / "verifier.key") == (first.verifier, second.verifier)

"""A credential file that others can read is no credential file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from interpose.model.errors import SecretError
from interpose.secrets.files import read_private_file


def _file(folder: Path, content: bytes, mode: int) -> Path:
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"pw", "pw"), (b"pw\n", "pw"), (b"pw\r\n", "pw"), (b"pw\n\n", "pw\n"), (b" p w ", " p w "), (b"", "")],
)
def test_the_text_without_one_line_end(tmp_path: Path, content: bytes, text: str) -> None:
    assert read_private_file(_file(tmp_path, content, 0o600)) == text


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o620, 0o666, 0o644])
def test_open_files_are_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SecretError, match="open to others") as caught:
        read_private_file(_file(tmp_path, b"canary-9f2e", mode))
    assert "canary-9f2e" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_private_files_are_read(tmp_path: Path, mode: int) -> None:
    assert read_private_file(_file(tmp_path, b"pw", mode)) == "pw"


def test_what_is_no_regular_file_or_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretError):
        read_private_file(tmp_path / "nothing")
    with pytest.raises(SecretError, match="regular"):
        read_private_file(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SecretError, match="regular"):
        read_private_file(tmp_path / "pipe")
    with pytest.raises(SecretError, match="too long"):
        read_private_file(_file(tmp_path, b"x" * 70_000, 0o600))
    with pytest.raises(SecretError, match="UTF-8"):
        read_private_file(_file(tmp_path, b"\xff", 0o600))

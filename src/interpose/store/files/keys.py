"""The key that signs checkpoints: made at the first start, kept in the audit folder for the gateway alone to read."""

from __future__ import annotations

import os
from pathlib import Path

from interpose.engine.ports import Ids
from interpose.model.errors import RecordingError
from interpose.recording.checkpoint import SigningKey, VerifierKey
from interpose.store.files.layout import SIGNING_KEY, VERIFIER_KEY, sync_folder


def load_or_create_key(folder: Path, node: str, ids: Ids) -> SigningKey:
    """The signing key of an audit folder; makes key and folder when there is none. The public half is in `verifier.key`.

    Raises `RecordingError` when the key cannot be read, or when others than its owner could read it.
    """
    path = folder / SIGNING_KEY
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _create(folder, f"interpose/{node}", ids.secret_bytes(32))
        key = _load(path)
        _publish(folder / VERIFIER_KEY, str(key.verifier))
        return key
    except OSError as error:
        raise RecordingError("the checkpoint key cannot be read or made", detail=str(error)) from None


def _publish(path: Path, verifier: str) -> None:
    """Put a public key on the list of those that have signed here; earlier ones stay, since their checkpoints do."""
    known = path.read_text() if path.exists() else ""
    if verifier not in known.splitlines():
        path.write_text(f"{known}{verifier}\n")
        sync_folder(path.parent)


def read_verifier_keys(path: Path) -> tuple[VerifierKey, ...]:
    """The public keys in a file, one a line (`#` begins a comment); raises `RecordingError`."""
    try:
        lines = path.read_text().splitlines()
        return tuple(VerifierKey.parse(line) for line in lines if line.strip() and not line.startswith("#"))
    except (OSError, ValueError) as error:
        raise RecordingError(
            f"no verifier key in `{path}`",
            detail=str(error),
            hint="name the file that holds the gateway's verifier key",
        ) from None


def _create(folder: Path, name: str, seed: bytes) -> None:
    """Write both halves under a temporary name first; of two workers that start together one wins, and both use its key."""
    temporary = folder / f".{SIGNING_KEY}.{os.getpid()}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, f"{name}\n{seed.hex()}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(temporary, folder / SIGNING_KEY)
    except FileExistsError:
        return
    finally:
        temporary.unlink()


def _load(path: Path) -> SigningKey:
    if path.stat().st_mode & 0o077:
        raise RecordingError(
            "the checkpoint key can be read by others",
            detail=str(path),
            hint=f"chmod 600 {path}, and think of making a new one",
        )
    lines = path.read_text().split("\n")
    try:
        return SigningKey(lines[0], bytes.fromhex(lines[1]))
    except (ValueError, IndexError):
        raise RecordingError(
            "the checkpoint key is damaged",
            detail=str(path),
            hint="restore it from a backup, or move it away to make a new one",
        ) from None

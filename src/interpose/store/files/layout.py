"""What is called what in the state folder: names of chains, spools and recordings, and how files are found again.

audit/<node>-<boot>.0000.chain          segments of one chain, in order
audit/<node>-<boot>.checkpoints         its signed checkpoints
audit/signing.key, audit/verifier.key   Ed25519, private (0600) and public
recordings/<YYYY-MM-DD>/<session>.rec   recordings, by the day (UTC) on which the session opened
recordings/live/<node>-<boot>/          spools of the living sessions of one worker: <session>.0000.spool
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from interpose.model.errors import RecordingError

CHAIN_SUFFIX: Final = ".chain"
CHECKPOINTS_SUFFIX: Final = ".checkpoints"
RECORDING_SUFFIX: Final = ".rec"
SPOOL_SUFFIX: Final = ".spool"
LIVE: Final = "live"
OWNER_LOCK: Final = "owner.lock"
SIGNING_KEY: Final = "signing.key"
VERIFIER_KEY: Final = "verifier.key"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~-]{0,127}")
_SEGMENT: Final = re.compile(r"(?P<name>.+)\.(?P<number>\d{4,})\.chain")
_SPOOL: Final = re.compile(r"(?P<session>.+)\.(?P<number>\d{4,})\.spool")


def safe_name(text: str, what: str) -> str:
    """The text, if it can be a file's name without surprises; raises `RecordingError` otherwise."""
    if _NAME.fullmatch(text) is None:
        raise RecordingError(
            f"`{text}` cannot be the {what}", hint="use letters, digits, `.`, `_` and `-`, at most 128 of them"
        )
    return text


def segment_path(folder: Path, name: str, number: int) -> Path:
    """The file of one segment of a chain."""
    return folder / f"{name}.{number:04d}{CHAIN_SUFFIX}"


def checkpoints_path(folder: Path, name: str) -> Path:
    """The file of a chain's checkpoints."""
    return folder / f"{name}{CHECKPOINTS_SUFFIX}"


def chains(folder: Path, only: str = "*") -> dict[str, list[Path]]:
    """Every chain in an audit folder with its segments in order, or `only` one; empty when there is none."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for path in folder.glob(f"{only}.*{CHAIN_SUFFIX}"):
        match = _SEGMENT.fullmatch(path.name)
        if match is not None:
            found.setdefault(match["name"], []).append((int(match["number"]), path))
    return {name: [path for _, path in sorted(found[name])] for name in sorted(found)}


def spool_path(folder: Path, session: str, number: int) -> Path:
    """The file of one spool of a session in its worker's live folder."""
    return folder / f"{session}.{number:04d}{SPOOL_SUFFIX}"


def spools(folder: Path) -> dict[str, list[Path]]:
    """Every session with spools in one worker's live folder, each with its spools in order."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for path in folder.glob(f"*{SPOOL_SUFFIX}"):
        match = _SPOOL.fullmatch(path.name)
        if match is not None:
            found.setdefault(match["session"], []).append((int(match["number"]), path))
    return {session: [path for _, path in sorted(found[session])] for session in sorted(found)}


def recording_path(folder: Path, session: str, opened_at: int) -> Path:
    """The file of a session's recording; `opened_at` is wall-clock microseconds."""
    day = datetime.fromtimestamp(opened_at / 1_000_000, UTC).strftime("%Y-%m-%d")
    return folder / day / f"{session}{RECORDING_SUFFIX}"


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; raises `OSError`."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

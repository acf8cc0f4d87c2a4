"""Which revision of the policy folder is served, when it is a git checkout: for the audit chain and the log."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit (40 or 64 hex digits, empty when there is none to name) and whether the folder differs from it."""

    commit: str = ""
    dirty: bool = False

    def __str__(self) -> str:
        """`3f1c… (changed)`, or empty."""
        return f"{self.commit[:12]} (changed)" if self.dirty else self.commit[:12]


def revision_of(folder: Path) -> Revision:
    """The revision of a folder; an empty one when it is in no git checkout, or git is not there or does not answer."""
    git = shutil.which("git")
    if git is None:
        return Revision()
    commit = _ask([git, "-C", str(folder), "rev-parse", "--verify", "HEAD"])
    if commit is None:
        return Revision()
    # `--no-optional-locks`: looking at a checkout never writes to it.
    changes = _ask([git, "--no-optional-locks", "-C", str(folder), "status", "--porcelain", "--", "."])
    return Revision(commit, dirty=changes is None or bool(changes))


def _ask(command: list[str]) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 -- git, by its full path, with no text of a client's
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

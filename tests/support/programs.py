"""Programs of PyPI that tests run as anybody would: each set in a virtual environment of its own, so that nothing of theirs is ever imported here."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

ANSIBLE: Final = ("ansible-core==2.19.14",)


def environment_with(*requirements: str) -> Path:
    """The `bin` folder of an environment with these packages, made the first time. Skips the test where they cannot be had; fails it in CI."""
    name = hashlib.sha256("\n".join([sys.version, *requirements]).encode()).hexdigest()[:16]
    base = Path(tempfile.gettempdir()) / f"interpose-programs-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, capture_output=True)
            pip = [str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", *requirements]
            done = subprocess.run(pip, capture_output=True, text=True, timeout=300)
            if done.returncode:
                said = f"{', '.join(requirements)} cannot be installed: {done.stderr[-300:]}"
                if os.environ.get("CI"):
                    pytest.fail(said, pytrace=False)
                pytest.skip(said)
            (folder / "complete").touch()
    return folder / "bin"

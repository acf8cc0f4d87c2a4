"""A real X server without a screen, which lets in who knows its cookie."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PROGRAMS: Final = ("Xvfb", "xauth", "xdpyinfo")


def have_display() -> bool:
    """Whether an X server, its client and the keeper of its cookies are installed."""
    return all(shutil.which(program) for program in PROGRAMS)


class Display:
    """`name` is what `DISPLAY` is to be, `authority` the file with the cookie."""

    def __init__(self, folder: Path) -> None:
        """Nothing runs yet."""
        self.authority = folder / "Xauthority"
        self.cookie = secrets.token_hex(16)
        self.name = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a client on this side needs."""
        return {"DISPLAY": self.name, "XAUTHORITY": str(self.authority)}

    def __enter__(self) -> Self:
        """Start on whatever number is free, and wait until it is ready."""
        self._permit(":0")
        ready, tell = os.pipe()
        self._process = subprocess.Popen(
            [
                "Xvfb",
                "-displayfd",
                str(tell),
                "-auth",
                str(self.authority),
                "-nolisten",
                "tcp",
                "-screen",
                "0",
                "320x200x24",
            ],
            pass_fds=(tell,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(tell)
        with open(ready, "rb") as pipe:
            number = pipe.readline().strip().decode()
        if not number:
            self._process.wait()
            raise RuntimeError("Xvfb did not start")
        self.name = f":{number}"
        self._permit(self.name)
        return self

    def _permit(self, name: str) -> None:
        subprocess.run(
            ["xauth", "-q", "-f", str(self.authority), "add", name, ".", self.cookie],
            check=True,
            stderr=subprocess.DEVNULL,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def cookies(authority: Path) -> list[bytes]:
    """The cookies in an authority file (Xau: family, then address, number, name and data, each with a length of two bytes)."""
    data, found, at = authority.read_bytes(), [], 0
    while at < len(data):
        at += 2
        fields = []
        for _ in range(4):
            size = int.from_bytes(data[at : at + 2], "big")
            fields.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        found.append(fields[3])
    return found

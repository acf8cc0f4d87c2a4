"""The stream of `scp -O`: records that name files and folders, and the contents between them. No IO, no policy.

One side, the source, sends `C0644 5 name`, `D0755 0 name`, `E` and `T…` lines; after a C line so many bytes and one status byte. Every one is
acknowledged by a byte. There is no specification but OpenSSH's scp.c; what that program would not send is refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

MOST_LINE: Final = 8192
"""Bytes of one record."""

MOST_DEPTH: Final = 100
"""Folders within each other."""

_RECORD: Final = re.compile(rb"([CD])([0-7]{4,5}) ([0-9]{1,19}) (.+)", re.DOTALL)
_TIMES: Final = re.compile(rb"T[0-9]{1,19} [0-9]{1,6} [0-9]{1,19} [0-9]{1,6}")
_PATTERN: Final = re.compile(r"[*?\[]")
_QUIET: Final = bytes(
    byte if (byte >= 32 and byte != 127) or byte in (0, 1, 2, 10) else ord("?") for byte in range(256)
)


class ScpError(Exception):
    """A stream that no honest scp sends; the message is safe to show."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What the command asks for. `upload` is `-t`. `paths` are its arguments as they are written."""

    upload: bool
    paths: tuple[str, ...]
    recursive: bool = False
    folder: bool = False
    times: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A file or folder that the source announces. `above` are the folders that it is in, as the stream names them."""

    folder: bool
    mode: int
    size: int
    name: str
    above: tuple[str, ...]
    line: bytes = field(repr=False)


def parse_command(argv: tuple[str, ...]) -> Transfer | None:
    """The transfer that `scp -t …` or `scp -f …` asks for; None for any other use of scp. Raises `ScpError`."""
    flags: set[str] = set()
    words = list(argv[1:])
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        flags |= set(word[1:])
    if not flags & {"t", "f"}:
        return None
    if flags - set("tfrpdvq") or {"t", "f"} <= flags or not words or ("t" in flags and len(words) != 1):
        raise ScpError("this is not how a client of scp starts its other side")
    return Transfer("t" in flags, tuple(words), "r" in flags, "d" in flags, "p" in flags)


def named(transfer: Transfer, name: str) -> tuple[str, ...]:
    """Which of the paths that were asked for a name at the top may stand for; empty when it is none of them (CVE-2019-6111)."""
    if transfer.upload:
        return transfer.paths[:1]
    found = []
    for path in transfer.paths:
        last = path.rstrip("/").rpartition("/")[2]
        if name == last or (is_pattern(last) and fnmatchcase(name, last)):
            found.append(path)
    return tuple(found)


def is_pattern(path: str) -> bool:
    """Whether the shell may put other paths in the place of this one."""
    return _PATTERN.search(path) is not None


def quiet(data: bytes) -> bytes:
    """Acknowledgements with the words of errors in them, without what a terminal obeys."""
    return data.translate(_QUIET)


class Records:
    """Follows what a source sends."""

    def __init__(self, transfer: Transfer) -> None:
        """At the beginning."""
        self._transfer = transfer
        self._line = bytearray()
        self._left = 0
        self._status = False
        self._above: list[str] = []
        self._file: Record | None = None

    @property
    def within_file(self) -> bool:
        """Whether contents, or the status after them, come next."""
        return self._left > 0 or self._status

    def contents(self, data: bytes, at: int) -> int:
        """How many of the bytes from `at` on are contents of the file that was announced; they count as taken."""
        count = min(self._left, len(data) - at)
        self._left -= count
        return count

    def line(self, data: bytes, at: int) -> tuple[int, bytes | None]:
        """Take bytes up to the end of a record or status; answers where it ends, and the whole once it is complete. Raises `ScpError`."""
        if not self._line and data[at] == 0:
            return at + 1, b"\0"
        end = data.find(b"\n", at)
        stop = len(data) if end < 0 else end + 1
        self._line += data[at:stop]
        if len(self._line) > MOST_LINE:
            raise ScpError("a record is too long")
        if end < 0:
            return stop, None
        whole, self._line = bytes(self._line), bytearray()
        return stop, whole

    def read(self, whole: bytes) -> Record | None:
        """What a complete record or status announces; None for what announces nothing. Raises `ScpError`."""
        if self._status:
            if whole[0] not in (0, 1, 2):
                raise ScpError("a file does not end where it should")
            self._status = False
            return None
        if whole[0] in (1, 2):
            return None
        text = whole.rstrip(b"\n")
        if text == b"E":
            if not self._above:
                raise ScpError("a folder ends that did not begin")
            self._above.pop()
            return None
        if _TIMES.fullmatch(text):
            if not self._transfer.times:
                raise ScpError("times are sent that nobody asked for")
            return None
        match = _RECORD.fullmatch(text)
        if match is None:
            raise ScpError("a record that scp does not have")
        return self._record(match, whole)

    def begin(self, record: Record) -> None:
        """The record is sent on: its contents, or what is in its folder, come next."""
        if record.folder:
            self._above.append(record.name)
        else:
            self._left, self._status = record.size, True

    def _record(self, match: re.Match[bytes], whole: bytes) -> Record:
        folder, size = match[1] == b"D", int(match[3])
        try:
            name = match[4].decode("utf-8")
        except UnicodeDecodeError:
            raise ScpError("a name is not valid UTF-8") from None
        if name in (".", "..") or "/" in name or not name.isprintable() or "\N{REPLACEMENT CHARACTER}" in name:
            raise ScpError("a name that no file in a folder should have")
        if folder and not self._transfer.recursive:
            raise ScpError("a folder where a file was asked for")
        if size > 2**63 - 1 or len(self._above) >= MOST_DEPTH:
            raise ScpError("a file is too large or too deep")
        if not self._above and not named(self._transfer, name):
            raise ScpError("a file that was not asked for")
        return Record(folder, int(match[2], 8), size, name, tuple(self._above), whole)

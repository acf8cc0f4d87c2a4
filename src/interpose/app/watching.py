"""Whether files have changed, by looking at them: no events are lost, and it works on network and overlay file systems.

Looking costs a few microseconds a file. Events from the kernel were tried: they wake the watching thread for everything that is
written beside the configuration, the gateway's own records included, and some changes of a replaced folder do not come.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

Stamp = tuple[tuple[str, int, int, int, int], ...]
"""Path, inode, size, time of change of content and of the entry (ns) of each file, in order of path; absent files are left out."""


def stamp(files: Iterable[Path], folders: Iterable[Path]) -> Stamp:
    """The state of these files, and of every file below these folders (hidden ones left out), blocking.

    What cannot be looked at counts as absent: whoever reads it next says why.
    """
    found: dict[str, tuple[str, int, int, int, int]] = {}
    for file in files:
        _note(str(file), found)
    for folder in folders:
        for place, below, names in os.walk(folder, followlinks=True):
            below[:] = [name for name in below if not name.startswith(".")]
            for name in names:
                if not name.startswith("."):
                    _note(os.path.join(place, name), found)  # noqa: PTH118 -- os.walk speaks text
    return tuple(found[path] for path in sorted(found))


def _note(path: str, found: dict[str, tuple[str, int, int, int, int]]) -> None:
    try:
        seen = os.stat(path)  # noqa: PTH116
    except OSError:
        return
    found[path] = (path, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)

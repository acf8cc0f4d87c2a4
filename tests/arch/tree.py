"""The source tree as these tests see it: one parsed `Source` a file."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "src" / "interpose"


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file of the package: its place below `interpose/`, its text and its syntax tree."""

    place: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The dotted name, e.g. `interpose.model.ids`."""
        dotted = f"interpose/{self.place}".removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return dotted.removesuffix(".__init__")

    @property
    def folder(self) -> str:
        """The folder right below `interpose`, or "" for the package's own files."""
        return self.place.split("/")[0] if "/" in self.place else ""

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every module that is imported anywhere in the file, `from a import b` as `a.b`, with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, node.lineno
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", node.lineno


def planted(place: str, text: str) -> Source:
    """A file that is not there, for showing that a check can fail."""
    return Source(place, text, ast.parse(text))


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file of the package."""
    return tuple(
        planted(path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    )


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file of the project: what git tracks, or in an unpacked archive whatever is there."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode == 0:
        return tuple(path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file())
    hidden = {".venv", ".git", "__pycache__"}
    return tuple(path for path in ROOT.rglob("*") if path.is_file() and not hidden & set(path.parts))


def none_of(found: list[str]) -> None:
    """Fail with one finding a line."""
    assert not found, "\n" + "\n".join(found)

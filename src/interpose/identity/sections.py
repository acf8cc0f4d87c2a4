"""What a provider's options are read from: one strict section of the configuration, as the app gives it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from interpose.identity.mapping import ClaimMapping
from interpose.identity.mapping_options import parse_mapping
from interpose.model.errors import Problem


class ProviderSection(Protocol):
    """One provider's mapping. Each method takes a key, and reports what is wrong with its value by itself."""

    def __contains__(self, key: str) -> bool:
        """Whether the key is present and not null."""
        ...

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default the key is required."""
        ...

    def optional_text(self, key: str) -> str | None:
        """A text, or None when the key is absent."""
        ...

    def listed(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts; empty when the key is absent."""
        ...

    def boolean(self, key: str, default: bool) -> bool:
        """A truth value."""
        ...

    def duration(self, key: str, default: float) -> float:
        """Seconds."""
        ...

    def raw(self, key: str) -> dict[str, object]:
        """A mapping of plain values."""
        ...

    def problem(self, key: str, message: str, hint: str = "") -> None:
        """Report a fault of this key's value."""
        ...


OptionsT = TypeVar("OptionsT", covariant=True)
ProviderParser = Callable[[str, ProviderSection, Path], OptionsT]
"""Reads the options of a provider with this name; relative paths are relative to the folder. Unknown keys are the app's to report."""


def read_mapping(section: ProviderSection, kind: str, default: ClaimMapping) -> ClaimMapping:
    """The section's `mapping`, every fault reported at its place."""
    problems: list[Problem] = []
    mapping = parse_mapping(section.raw("mapping") or None, problems, kind=kind, default=default)
    for problem in problems:
        section.problem("mapping", problem.message, problem.hint)
    return mapping


def read_file(section: ProviderSection, key: str, folder: Path) -> Path | None:
    """An optional file that must exist."""
    text = section.optional_text(key)
    if text is None:
        return None
    path = (folder / Path(text).expanduser()).resolve()
    if not path.is_file():
        section.problem(key, f"`{path}` is no file", "check the path")
    return path

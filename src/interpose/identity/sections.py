"""What a provider's options are read from: one strict section of the configuration, as the app gives it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

from interpose.identity.mapping import ClaimMapping
from interpose.identity.mapping_options import parse_mapping
from interpose.model.errors import Problem

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SECRETS: Final = ("env:", "file:", "store:")


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


def read_authorities(section: ProviderSection, folder: Path) -> Path | None:
    """The optional `ca_file`: a PEM file that must hold certificates."""
    path = read_file(section, "ca_file", folder)
    if path is not None and path.is_file():
        try:
            ssl.create_default_context(cafile=str(path))
        except OSError as error:  # ssl.SSLError is one
            why = error.strerror or str(error)
            section.problem("ca_file", f"`{path}` has no authorities: {why}", "give a PEM file with certificates")
    return path


def read_secret(section: ProviderSection, key: str, folder: Path) -> str | None:
    """An optional reference to a secret, its file's path made absolute."""
    secret = section.optional_text(key)
    if secret is not None and not secret.startswith(_SECRETS):
        section.problem(
            key,
            f"`{key}` must be a reference, never the secret itself",
            "write `env:NAME`, `file:/path` or `store:name` (see `interpose secret set`)",
        )
    if secret is not None and secret.startswith("file:"):
        return f"file:{(folder / Path(secret[5:]).expanduser()).resolve()}"
    return secret


def check_provider_name(section: ProviderSection, name: str) -> None:
    """Report a name that cannot stand in the addresses of the provider's pages."""
    if not _NAME.fullmatch(name):
        section.problem("type", f"`{name[:60]}` cannot stand in a path", "use up to 40 of a-z, 0-9 and `-`")


def between(section: ProviderSection, key: str, default: float, least: float, most: float) -> float:
    """A duration within bounds."""
    seconds = section.duration(key, default)
    if not least <= seconds <= most:
        most_text = f"{most / 86400:.0f}d" if most >= 86400 else f"{most:.0f}s"
        section.problem(key, f"`{key}` must be from {least:.0f}s to {most_text}", "choose one within")
        return default
    return seconds

"""Settings that a session may not change, because analysis and masking rest on them, and the effects of SET.

PINNED decides how the server's lexer reads a text (PostgreSQL 17 §4.1.2, §24.3). A RESET or DEFAULT goes back to the
start-up value, which the gateway itself sent as pinned. Everything else is judged by policy as `set` or `set_role`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from interpose.analysis.sql.findings import Findings
from interpose.analysis.sql.state import Refused
from interpose.model.actions import Action
from interpose.model.analysis import FactValue, SessionChange
from interpose.model.resources import RoleResource, SettingResource


def _encoding(value: str) -> str:
    """An encoding's name as the server compares it: letters and digits only, lower case."""
    return "".join(char for char in value.lower() if char.isascii() and char.isalnum())


def _switch(value: str) -> str:
    """A truth value as the server reads it; unique prefixes count (PostgreSQL 17 §8.6)."""
    value = value.strip().lower()
    if value and (value == "on" or value == "1" or "true".startswith(value) or "yes".startswith(value)):
        return "on"
    return value


PINNED: Final[dict[str, tuple[frozenset[str], Callable[[str], str]]]] = {
    "client_encoding": (frozenset({"utf8", "unicode"}), _encoding),
    "standard_conforming_strings": (frozenset({"on"}), _switch),
    "backslash_quote": (frozenset({"safe_encoding"}), lambda value: value.strip().lower()),
}
"""Each pinned setting: the only values that it may be set to, and how a value is brought to its canonical form."""

ROLE_SETTINGS: Final = frozenset({"role", "session_authorization"})
"""Settings that change who the session is."""


_PATH_SETTINGS: Final = ROLE_SETTINGS | {"search_path"}
"""Settings that decide what an unqualified name means (`$user` in the path is the role)."""


def check_pinned(name: str, value: str | None) -> None:
    """Raise `Refused` if this would move a pinned setting; `value` None is a value that is not known."""
    pin = PINNED.get(name)
    if pin is None:
        return
    allowed, canonical = pin
    if value is None or canonical(value) not in allowed:
        raise Refused(
            "pinned_setting",
            f"`{name}` cannot be changed through this gateway",
            hint=f"leave it at `{min(allowed)}`: what the gateway judges depends on it",
        )


def set_setting(findings: Findings, name: str, value: str | None, *, known: bool = True) -> None:
    """Add the effects of setting `name` to `value`; None is its default. `known` False: the value is computed."""
    name = name.lower()
    if name in PINNED and (value is not None or not known):
        check_pinned(name, value)
    facts: dict[str, FactValue] = {}
    if value is not None:
        facts["set_value"] = value
    if name in ROLE_SETTINGS:
        findings.add(Action.SET_ROLE, RoleResource(value if value is not None else "default"), facts)
    else:
        findings.add(Action.SET, SettingResource(name), facts)
    findings.changes.add(SessionChange.SETTINGS)
    findings.moves_path = findings.moves_path or name in _PATH_SETTINGS

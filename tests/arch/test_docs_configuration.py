"""docs/reference/configuration.md has every key that is read, with its default, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Final

import pytest

from interpose.app import config
from interpose.app.providers import PROVIDER_TYPES
from interpose.app.settings import ListenerSettings, Settings
from interpose.app.strict_yaml import Section, parse_duration, parse_size
from interpose.bridges.ssh.options import OPTION_KEYS
from interpose.identity.mapping import ClaimMapping
from interpose.model.connection import Address
from interpose.protocols.postgres.options import PostgresOptions, parse_options
from tests.arch.tree import ROOT, none_of
from tests.support.saml import metadata

PAGE: Final = ROOT / "docs" / "reference" / "configuration.md"
_ROW: Final = re.compile(r"^\| (`[^|]+`(?:, `[^|]+`)*) \|([^|]*)\|", re.MULTILINE)
_LEAST: Final = """
policy: policy
principals: principals.yaml
listeners: [{protocol: postgres, allow_plaintext_tokens: true}]
connections: {NAME: {protocol: postgres, address: "db:5432", secret: "env:X", options: {database: d, user: u}}}
identity:
  providers:
    jwt: {type: jwt, issuer: "https://issuer.example", audience: interpose, kind: service}
    oidc: {type: oidc, issuer: "https://issuer.example", client_id: interpose}
    saml: {type: saml, metadata: idp.xml}
public: {url: "https://gateway.example"}
"""
_PROVIDER: Final = "identity.providers."
_WORDS: Final = {"required": "required", "none": None, "": None, "system": None, "the address's host": None}


class _Spec:
    name = "postgres"
    default_port = 5432
    parse_options = staticmethod(parse_options)


class _Recorded(dict[str, object]):
    """Options that remember which keys were asked for."""

    def __init__(self) -> None:
        super().__init__(database="d", user="u")
        self.asked: set[str] = set()

    def get(self, key: str, default: object = None) -> object:
        self.asked.add(key)
        return super().get(key, default)


def read_least(folder: Path) -> tuple[Settings, set[str]]:
    """The settings of a file that says as little as it may, and every key that was looked for."""
    asked: set[str] = set()
    real = Section._get

    def get(self: Section, key: str, *rest: object) -> object:
        asked.add(re.sub(r"\[\d+\]", "[]", self._name(key)))
        return real(self, key, *rest)  # type: ignore[arg-type]

    file = folder / "interpose.yaml"
    file.write_text(_LEAST)
    metadata(folder / "idp.xml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Section, "_get", get)
        settings = config.read_settings(file, {"postgres": _Spec})  # type: ignore[dict-item]  # all that reading uses
    return settings, {key for key in asked if not any(other.startswith((f"{key}.", f"{key}[]")) for other in asked)}


def told_of_providers(text: str) -> Mapping[str, dict[str, str]]:
    """The keys of each type of provider, with the default as it is told."""
    parts = re.split(r"^## Providers of `type: (\w+)`$", text, flags=re.MULTILINE)
    return {
        type_: dict(_rows(rest.partition("\n## ")[0])) for type_, rest in zip(parts[1::2], parts[2::2], strict=True)
    }


def provider_differences(text: str, settings: Settings, asked: set[str]) -> list[str]:
    """What the tables of the types of providers lack, have too much, or tell wrongly."""
    pages = told_of_providers(text)
    found = [f"the page lacks the type `{name}`" for name in sorted(set(PROVIDER_TYPES) ^ set(pages))]
    for provider in settings.identity.providers:
        # The least configuration has one of each type, named after it.
        prefix = f"{_PROVIDER}{provider.name}."
        read = {key.removeprefix(prefix) for key in asked if key.startswith(prefix)} - {"type"}
        rows = pages.get(provider.name, {})
        found += [f"the type `{provider.name}` lacks `{key}`" for key in sorted(read - set(rows))]
        found += [f"the type `{provider.name}` does not read `{key}`" for key in sorted(set(rows) - read)]
        for key, default in rows.items():
            value = getattr(provider, key, None)
            if isinstance(value, tuple):
                if default != "required" and default != ", ".join(f"`{each}`" for each in value):
                    found.append(f"`{key}` is {value!r} by default, the page says {default}")
            elif default != "required" and key in type(provider).__slots__ and not _mapping_or(default, value):
                found.append(f"`{key}` is {value!r} by default, the page says {default}")
    return found


def _mapping_or(default: str, value: object) -> bool:
    """A mapping's default is told in words."""
    return isinstance(value, ClaimMapping) or agrees(default, value)


def told(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """The keys of the file and of a PostgreSQL connection's options, with the default as it is told."""
    whole, _, options = text.partition("## Options of `protocol: postgres`")
    return dict(_rows(whole)), dict(_rows(options.partition("\n## ")[0]))


def _rows(text: str) -> Iterator[tuple[str, str]]:
    for names, default in _ROW.findall(text):
        first, *others = re.findall(r"`([^`]+)`", names)
        yield first, default.strip()
        for other in others:
            yield first.rpartition(".")[0] + other if other.startswith(".") else other, default.strip()


def defaults(settings: Settings) -> Mapping[str, object]:
    """The value of each key that has one in the settings."""
    known: dict[str, object] = {}
    for prefix, value in (
        ("", settings),
        ("listeners[].", ListenerSettings("postgres", settings.listeners[0].address)),
        ("admin.", settings.admin),
        ("connections.NAME.", settings.connections[0]),
        *((f"{name}.", getattr(settings, name)) for name in ("recording", "audit", "limits", "log")),
    ):
        known |= {f"{prefix}{name}": getattr(value, name) for name in type(value).__slots__}
    for prefix in ("listeners[].", "admin."):
        known |= {f"{prefix}tls.{name}": known[f"{prefix}{name}"] for name in ("certificate", "key")}
    # Another package's, told in a table of its own.
    del known["connections.NAME.options"], known["identity"]
    return known | {
        "secrets.key": settings.secret_key,
        "connections.NAME.labels": settings.connections[0].labels or None,
    }


def agrees(default: str, value: object) -> bool:
    """Whether a default as it is told is this value."""
    word = default.strip("`")
    if isinstance(value, Address):
        return word in (f"{value.host}:{value.port}", f"{value.host}:` + the protocol's port")
    if isinstance(value, Enum):
        return bool(word == value.value)
    if isinstance(value, bool):
        return word == str(value).lower()
    if isinstance(value, Path):
        return value.name == word
    if isinstance(value, int | float):
        return value in (parse_duration(word), parse_size(word))
    return _WORDS.get(default, default) == value


def differences(text: str, settings: Settings, asked: set[str]) -> list[str]:
    """What the page lacks, has too much, or tells wrongly."""
    rows, options = told(text)
    values = defaults(settings)
    providers = provider_differences(text, settings, asked)
    asked = {key for key in asked if not key.startswith(_PROVIDER)} | {f"{_PROVIDER}NAME.type"}
    recorded = _Recorded()
    values_of_options = parse_options(recorded)
    found = [*providers, *(f"the page lacks `{key}`" for key in sorted(asked - set(rows)))]
    found += [f"nothing reads `{key}`" for key in sorted(set(rows) - asked)]
    found += [f"the page lacks the option `{key}`" for key in sorted(recorded.asked - set(options))]
    found += [f"nothing reads the option `{key}`" for key in sorted(set(options) - recorded.asked)]
    for key, default in rows.items():
        if default != "required" and key in values and not agrees(default, values[key]):
            found.append(f"`{key}` is {values[key]!r} by default, the page says {default}")
    for key, default in options.items():
        value = getattr(values_of_options, key, None) if key in PostgresOptions.__slots__ else None
        if default != "required" and not agrees(default, value):
            found.append(f"the option `{key}` is {value!r} by default, the page says {default}")
    return found


def test_the_options_of_ssh_are_told() -> None:
    """Only these may be left out."""
    defaults = {"home": "none", "file_hash": "none", "record_files": "false", "record_forwards": "false"}
    defaults["resolve_forwards"] = "`upstream`"
    rows = dict(_rows(PAGE.read_text().partition("## Options of `protocol: ssh`")[2].partition("\n## ")[0]))
    assert rows == {key: defaults.get(key, "required") for key in OPTION_KEYS}


def test_the_page_is_complete_and_right(tmp_path: Path) -> None:
    settings, asked = read_least(tmp_path)
    none_of(differences(PAGE.read_text(), settings, asked))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("| `limits.dial` | `10s` ", "| `limits.dial` | `11s` "),
        ("| `workers` | `1` ", "| `labourers` | `1` "),
        ("| `tls` | `verify-full` ", "| `tls` | `require` "),
        ("| `tls_server_name` |", "| `server_name` |"),
        ("| `log.format` | `json` ", "| `log.format` | `console` "),
        ("| `admin.tls.certificate`, `.key` |", "| `admin.tls.certificate` |"),
        ("| `max_age` | `24h` ", "| `max_age` | `25h` "),
        ("| `jwks_url` |", "| `jwks` |"),
        ("## Providers of `type: jwt`", "## Providers of `type: jot`"),
    ],
)
def test_a_difference_is_seen(old: str, new: str, tmp_path: Path) -> None:
    text = PAGE.read_text()
    assert old in text
    settings, asked = read_least(tmp_path)
    assert differences(text.replace(old, new), settings, asked)

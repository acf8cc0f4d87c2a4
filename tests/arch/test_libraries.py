"""Each library is imported only in the folder that owns it, so that it can be judged, wrapped and replaced there."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from typing import Final

import pytest

from tests.arch.tree import ROOT, Source, none_of, planted, sources

ABOVE_THE_MODEL: Final = (
    "policy analysis masking recording protocols engine net bridges store identity secrets notify telemetry api web app cli"
).split()

# import name -> (distribution, the folders below src/interpose that may import it)
OWNERS: Final[Mapping[str, tuple[str, list[str]]]] = {
    "aiohttp": ("aiohttp", ["identity"]),
    "alembic": ("alembic", ["store"]),
    "asyncssh": ("asyncssh", ["bridges/ssh"]),
    "cedarpy": ("cedarpy", ["policy"]),
    "cryptography": ("cryptography", ["secrets", "recording", "identity", "net", "store", "protocols"]),
    "google": ("protobuf", ["analysis/sql"]),
    "jinja2": ("jinja2", ["web"]),
    "joserfc": ("joserfc", ["identity"]),
    "lxml": ("lxml", ["identity"]),
    "msgspec": ("msgspec", ABOVE_THE_MODEL),
    "onelogin": ("python3-saml", ["identity"]),
    "postgast": ("postgast", ["analysis/sql"]),
    "prometheus_client": ("prometheus-client", ["telemetry"]),
    "prompt_toolkit": ("prompt-toolkit", ["bridges/ssh/managed"]),
    "re2": ("google-re2", ["masking"]),
    "rich": ("rich", ["cli"]),
    "ruamel": ("ruamel.yaml", ["policy", "app", "identity"]),
    "scramp": ("scramp", ["protocols/postgres"]),
    "sqlalchemy": ("sqlalchemy", ["store"]),
    "starlette": ("starlette", ["api", "web", "app"]),
    "structlog": ("structlog", ["telemetry"]),
    "tree_sitter": ("tree-sitter", ["analysis/shell"]),
    "tree_sitter_bash": ("tree-sitter-bash", ["analysis/shell"]),
    "typer": ("typer", ["cli"]),
    "uvicorn": ("uvicorn", ["app"]),
    "uvloop": ("uvloop", ["net", "app"]),
    "xmlsec": ("xmlsec", ["identity"]),
    "zstandard": ("zstandard", ["recording"]),
}


def strangers(files: Iterable[Source]) -> list[str]:
    """Imports of libraries outside the folders that own them, and of libraries that nobody owns."""
    found = []
    for file in files:
        for name, line in file.imports():
            top = name.split(".")[0]
            if top == "interpose" or top in sys.stdlib_module_names:
                continue
            _, owners = OWNERS.get(top, ("", []))
            if not any(file.place.startswith(f"{owner}/") for owner in owners):
                found.append(f"{file.place}:{line} imports {top}")
    return found


def test_libraries_stay_with_their_owners() -> None:
    none_of(strangers(sources()))


def test_every_dependency_has_an_owner() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["project"]["dependencies"]
    names = {re.split(r"[<>=!~;\[ ]", requirement)[0] for requirement in wanted}
    assert names == {distribution for distribution, _ in OWNERS.values()}


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("engine/p.py", "import cedarpy"),
        ("analysis/p.py", "from postgast import parse"),
        ("protocols/mysql/p.py", "import scramp"),
        ("model/p.py", "import msgspec"),
        ("cli/p.py", "import psycopg"),
        ("policy_extra/p.py", "import cedarpy"),
    ],
)
def test_a_stranger_is_seen(place: str, text: str) -> None:
    assert strangers([planted(place, text)])


def test_an_owner_is_welcome() -> None:
    assert not strangers([planted("analysis/sql/parse.py", "import postgast, re, interpose.model")])

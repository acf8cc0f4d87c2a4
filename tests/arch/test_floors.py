"""The floors hold, nothing is unlisted, and nobody but the wiring names one protocol."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from tests.arch.tree import PACKAGE, ROOT, Source, none_of, planted, sources

# Time, chance, sockets and other processes come in through ports; see ARCHITECTURE.md, "Floors".
_OUTSIDE: Final = frozenset(
    "socket socketserver selectors select subprocess multiprocessing http urllib.request sqlite3 time random secrets".split()
)
_PURE: Final = _OUTSIDE | {"asyncio", "concurrent"}
_KEPT_OUT: Final = {
    "model": _PURE,
    "policy": _PURE,
    "analysis": _PURE,
    "masking": _PURE,
    "recording": _PURE,
    "protocols": _PURE,
    "engine": _OUTSIDE,
}
_WIRING: Final = frozenset({"app"})


def lint(package: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with the project's contracts over the package in `package`."""
    command = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        cwd=package.parent,
        env={"PYTHONPATH": str(package.parent), "PATH": ""},
        capture_output=True,
        text=True,
    )


def layers() -> str:
    """The layers of the contract as one text."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        (contract,) = (c for c in tomllib.load(file)["tool"]["importlinter"]["contracts"] if c["id"] == "floors")
    return " ".join(contract["layers"])


def outside_imports(files: Iterable[Source]) -> list[str]:
    """Imports of clocks, chance, sockets or processes on floors that get them through ports."""
    return [
        f"{file.place}:{line} imports {name}"
        for file in files
        for name, line in file.imports()
        for banned in _KEPT_OUT.get(file.folder, frozenset())
        if f"{name}.".startswith(f"{banned}.")
    ]


def one_protocol_named(files: Iterable[Source], protocols: frozenset[str]) -> list[str]:
    """Imports of one protocol's folder from anywhere but that folder and the wiring."""
    found = []
    for file in files:
        for name, line in file.imports():
            match = re.match(r"interpose\.protocols\.(\w+)", name)
            if match is None or match[1] not in protocols or file.folder in _WIRING:
                continue
            if not file.module.startswith(f"interpose.protocols.{match[1]}"):
                found.append(f"{file.place}:{line} imports {name}")
    return found


def folders_of_protocols() -> frozenset[str]:
    """The names of the folders below `protocols/`."""
    return frozenset(path.parent.name for path in (PACKAGE / "protocols").glob("*/__init__.py"))


def test_floors_hold() -> None:
    done = lint(PACKAGE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("model/planted.py", "import interpose.engine\n"),
        ("masking/planted.py", "import interpose.recording\n"),
        ("net/planted.py", "def late() -> None:\n    import interpose.store\n"),
        ("unlisted/__init__.py", ""),
    ],
)
def test_floors_can_fail(tmp_path: Path, place: str, text: str) -> None:
    copy = tmp_path / "interpose"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / place).parent.mkdir(exist_ok=True)
    (copy / place).write_text(text)
    done = lint(copy)
    assert done.returncode != 0, done.stdout
    assert place.split("/")[0] in done.stdout + done.stderr


def test_every_layer_is_mandatory() -> None:
    assert not re.findall(r"\((\w+)\)", layers()), "a layer in parentheses may be missing, and none is"


def test_every_folder_is_a_package() -> None:
    missing = [
        folder.relative_to(PACKAGE).as_posix()
        for folder in {path.parent for path in PACKAGE.rglob("*.py")}
        if not (folder / "__init__.py").exists()
    ]
    assert not missing, f"import-linter cannot see a folder without __init__.py: {missing}"


def test_lower_floors_get_the_outside_through_ports() -> None:
    none_of(outside_imports(sources()))


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("policy/p.py", "import time"),
        ("masking/p.py", "from random import Random"),
        ("protocols/postgres/p.py", "import asyncio.events"),
        ("engine/p.py", "def late():\n    from urllib.request import urlopen"),
    ],
)
def test_outside_imports_are_seen(place: str, text: str) -> None:
    assert outside_imports([planted(place, text)])


def test_engine_may_use_asyncio() -> None:
    assert not outside_imports([planted("engine/p.py", "import asyncio"), planted("net/p.py", "import socket")])


def test_only_the_wiring_names_a_protocol() -> None:
    none_of(one_protocol_named(sources(), folders_of_protocols()))


@pytest.mark.parametrize("place", ["net/p.py", "engine/p.py", "protocols/mysql/p.py"])
def test_a_named_protocol_is_seen(place: str) -> None:
    protocols = frozenset({"postgres", "mysql"})
    assert one_protocol_named([planted(place, "from interpose.protocols import postgres")], protocols)
    assert one_protocol_named([planted(place, "import interpose.protocols.postgres.wire")], protocols)
    assert not one_protocol_named([planted("app/p.py", "from interpose.protocols import postgres")], protocols)
    assert not one_protocol_named([planted("net/p.py", "from interpose.protocols import contract")], protocols)

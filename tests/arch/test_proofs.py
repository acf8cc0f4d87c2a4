"""Only three modules of the engine mint proofs: the seal is imported by nobody else, and nobody else calls the classes."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

import pytest

from tests.arch.tree import PACKAGE, Source, none_of, planted, sources

_MINTERS: Final = frozenset({"engine/admit.py", "engine/gate.py", "engine/release.py"})
_HOME: Final = "model/proofs.py"
_SEALS: Final = frozenset({"seal_of_the_engine", "_SEAL"})
_PROOFS: Final = frozenset({"Grant", "Permit", "Clearance"})


def broken_seals(files: Iterable[Source]) -> list[str]:
    """Every mention of the seal, and every call of a proof's class, outside the modules that may mint."""
    found = []
    for file in files:
        if file.place in _MINTERS or file.place == _HOME:
            continue
        for node in ast.walk(file.tree):
            names: set[str] = set()
            if isinstance(node, ast.ImportFrom):
                # A proof under another name would hide the call from this check.
                names = {a.name for a in node.names if a.name in _SEALS or (a.name in _PROOFS and a.asname)}
                if node.module == "interpose.model.proofs" and any(alias.name == "*" for alias in node.names):
                    names.add("*")
            elif isinstance(node, ast.Attribute):
                names = {node.attr} & _SEALS
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names = {node.value} & _SEALS
            elif isinstance(node, ast.Call):
                called = node.func
                names = {called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")} & _PROOFS
            found += [f"{file.place}:{getattr(node, 'lineno', 0)} {name}" for name in sorted(names)]
    return found


def test_only_the_engine_mints() -> None:
    none_of(broken_seals(sources()))


def test_the_names_that_are_guarded_exist() -> None:
    (home,) = (file for file in sources() if file.place == _HOME)
    defined = {node.name for node in home.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert defined >= _PROOFS | {"seal_of_the_engine"}
    assert "_SEAL" in home.text
    assert (PACKAGE / "engine" / "gate.py").exists()


@pytest.mark.parametrize(
    "text",
    [
        "from interpose.model.proofs import seal_of_the_engine",
        "from interpose.model.proofs import *",
        "from interpose.model import proofs\nproofs.seal_of_the_engine()",
        "from interpose.model import proofs\ngetattr(proofs, '_SEAL')",
        "from interpose.model.proofs import Permit\nPermit(object(), 1)",
        "from interpose.model.proofs import Permit as P\nP(object(), 1)",
        "from interpose.model import proofs\nproofs.Grant(None, '', '')",
    ],
)
def test_a_broken_seal_is_seen(text: str) -> None:
    assert broken_seals([planted("net/p.py", text)])
    assert broken_seals([planted("engine/sessions.py", text)])
    assert not broken_seals([planted("engine/gate.py", text)])


def test_naming_a_proof_as_a_type_is_fine() -> None:
    text = "from interpose.model.proofs import Permit\ndef send(permit: Permit) -> None: permit.spend()"
    assert not broken_seals([planted("net/p.py", text)])

"""Every source file is short, documented, finished, and has its test at the mirrored path."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.arch.tree import ROOT, Source, none_of, planted, sources

_LINES: Final = 400
_MIRRORED: Final = frozenset({"model", "policy", "analysis", "masking", "recording", "protocols", "engine"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def too_long(files: Iterable[Source]) -> list[str]:
    """Files of more than 400 lines."""
    return [f"{file.place}: {n} lines" for file in files if (n := len(file.text.splitlines())) > _LINES]


def undocumented(files: Iterable[Source]) -> list[str]:
    """Modules, public classes, functions and methods without a docstring."""
    found = []
    for file in files:
        if not ast.get_docstring(file.tree):
            found.append(f"{file.place}: the module")
        found += [
            f"{file.place}:{node.lineno} {node.name}" for node in _public(file.tree) if not ast.get_docstring(node)
        ]
    return found


def _public(parent: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | _Function]:
    """What others may call: not private, not a dunder, not an overload or a setter, not inside a function."""
    for node in _top_level(parent) if isinstance(parent, ast.Module) else parent.body:
        if not isinstance(node, ast.ClassDef | _Function) or node.name.startswith("_"):
            continue
        if any(ast.unparse(mark).endswith(("overload", ".setter", ".deleter")) for mark in node.decorator_list):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from _public(node)


def _top_level(module: ast.Module) -> list[ast.stmt]:
    """The module's statements, and those under its `if` and `try`."""
    found: list[ast.stmt] = []
    waiting = list(module.body)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, ast.If):
            waiting += node.body + node.orelse
        elif isinstance(node, ast.Try):
            waiting += node.body + node.orelse + node.finalbody + [s for h in node.handlers for s in h.body]
    return found


def untested(files: Iterable[Source], root: Path) -> list[str]:
    """Files of floors 0 to 2 that do something and have no test file at the mirrored path."""
    found = []
    for file in files:
        folder, _, name = file.place.rpartition("/")
        if file.folder not in _MIRRORED or name == "__init__.py" or not _does_something(file.tree):
            continue
        test = f"tests/unit/{folder}/test_{name.lstrip('_')}"
        if not (root / test).is_file():
            found.append(f"{file.place} wants {test}")
    return found


def _does_something(tree: ast.Module) -> bool:
    """Whether any function has a body: words, tables and ports are data."""
    for node in ast.walk(tree):
        if isinstance(node, _Function):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if any(not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)) for s in body):
                return True
    return False


def unfinished(files: Iterable[Source]) -> list[str]:
    """Notes to self, and functions that only say that they are not written yet."""
    found = []
    for file in files:
        for number, line in enumerate(file.text.splitlines(), start=1):
            if word := re.search(r"\b(TODO|FIXME|NotImplementedError)\b", line):
                found.append(f"{file.place}:{number} {word[1]}")
    return found


def swallowed(files: Iterable[Source]) -> list[str]:
    """Handlers that catch everything without naming it, or catch broadly and do nothing."""
    found = []
    for file in files:
        for node in ast.walk(file.tree):
            if not isinstance(node, ast.ExceptHandler):
                if isinstance(node, ast.Call) and _called(node).endswith("suppress"):
                    found += [f"{file.place}:{node.lineno}" for arg in node.args if _broad(arg)]
                continue
            idle = all(
                isinstance(s, ast.Pass | ast.Continue)
                or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
                for s in node.body
            )
            if node.type is None or (idle and _broad(node.type)):
                found.append(f"{file.place}:{node.lineno}")
    return found


def _called(call: ast.Call) -> str:
    """The last word of what is called, empty for what has no name."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _broad(kind: ast.expr) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(ast.unparse(one) in {"Exception", "BaseException"} for one in kinds)


CHECKS: Final[list[Callable[[Iterable[Source]], list[str]]]] = [too_long, undocumented, unfinished, swallowed]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.__name__))
def test_sources_pass(check: Callable[[Iterable[Source]], list[str]]) -> None:
    none_of(check(sources()))


def test_every_file_that_does_something_has_its_test() -> None:
    none_of(untested(sources(), ROOT))


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (too_long, "'''Doc.'''\n" + "x = 1\n" * 400),
        (undocumented, "x = 1"),
        (undocumented, "'''Doc.'''\ndef f(): pass"),
        (undocumented, "'''Doc.'''\nif True:\n    class C: pass"),
        (undocumented, "'''Doc.'''\nclass C:\n    '''Doc.'''\n    async def m(self): pass"),
        (unfinished, "x = 1  # TODO: more"),
        (unfinished, "def f(): raise NotImplementedError"),
        (swallowed, "try: f()\nexcept: g()"),
        (swallowed, "try: f()\nexcept Exception: pass"),
        (swallowed, "try: f()\nexcept (OSError, BaseException): ..."),
        (swallowed, "with contextlib.suppress(Exception): f()"),
    ],
)
def test_a_violation_is_seen(check: Callable[[Iterable[Source]], list[str]], text: str) -> None:
    assert check([planted("net/p.py", text)])


FINE: Final = '''
"""Doc."""
from typing import overload
@overload
def f(x: int) -> int: ...
def f(x):
    """Doc."""
    def inner(): return x
    return inner
class C:
    """Doc."""
    def __init__(self): self.x = 1
    @property
    def p(self):
        """Doc."""
        try: return self.x
        except AttributeError: pass
        except Exception as error: raise RuntimeError from error
    @p.setter
    def p(self, value): self.x = value
class _Private:
    def m(self): return 1
'''.lstrip()


def test_a_fine_file_passes() -> None:
    for check in CHECKS:
        assert not check([planted("net/p.py", FINE)])


def test_a_missing_mirror_is_seen(tmp_path: Path) -> None:
    busy, data = (
        "def f():\n    '''Doc.'''\n    return 1",
        "class P:\n    def m(self) -> int:\n        '''Doc.'''\n        ...",
    )
    assert untested([planted("policy/sql/_p.py", busy)], tmp_path)
    assert not untested(
        [planted("policy/p.py", data), planted("net/p.py", busy), planted("policy/__init__.py", busy)], tmp_path
    )
    (tmp_path / "tests/unit/policy/sql").mkdir(parents=True)
    (tmp_path / "tests/unit/policy/sql/test_p.py").touch()
    assert not untested([planted("policy/sql/_p.py", busy)], tmp_path)

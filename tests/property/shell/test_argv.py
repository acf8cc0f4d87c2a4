"""An oracle for quoting and splitting: what real shells pass to a program is what the analysis said, wherever it says that a text is literal.

Texts are made at random from pieces, most of them odd. Where the analysis has no `exec_dynamic` and every word is literal, each shell that is
installed runs the text with a program `argv` that notes what it is given. Nothing may run that is not among the effects, word for word.
"""

from __future__ import annotations

import os
import random
import shlex
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from interpose.analysis.shell.analyst import ShellAnalyst
from interpose.model.actions import Action
from interpose.model.analysis import Analysis
from interpose.model.catalog import CatalogView
from interpose.model.command import Command, CommandKind, HostContext

_RUNS = int(os.environ.get("SHELL_ORACLE_RUNS", "150"))
"""Literal texts for each shell and kind of text; more of them on request."""

SHELLS = {
    "bash": ["bash", "--norc", "-c"],
    "dash": ["dash", "-c"],
    "zsh": ["zsh", "-f", "-c"],
    "mksh": ["mksh", "-c"],
    "ash": ["busybox", "ash", "-c"],
}
_PIECES = [
    *"aZ09-_=:,.@%+^!#~$*?[]{}()<>|&;\\'\"`", " ", " ", " ", "\t", "\n", "\\\n", "\\ ", "\\\\", "\\'", "''", '""', "'x y'", '"x y"', "'\\'", '"\\""', '"\\a"',
    "' '", "$", "$ ", '"$"', "$a", "${a}", "$(argv s)", "`argv b`", "$((1))", "$'q'", '$"q"', " argv ", "argv", "\nargv ", ";argv ", "&&argv ", "||argv ", "|argv ",
    "&argv ", " argv", "2>&1", ">f", ">>f", "<f", "2>f", "&>f", ">|f", "<<<x", "<<E\nx\nE\n", "<<'E'\n$x\nE\n", " # c", "#c", "{a,b}", "{1..2}", "{}", "~", "~/x", "a=~", "A=1 ", "if ",
    " then ", ";then ", ";fi", " fi", "{ ", ";}", "( ", " )", "! ", "time ", "é", "--", "-rf", "a=b", "[x]", "x[1]", "]", "12>f", "{f}>f", "=argv", "%1", "|&argv ", "&>f argv ", ">&f", "<&-", "in", "do", "-",
]  # fmt: skip
_ARGV = """#!/bin/sh
printf '%s\\0' "$#" "$@" >>"$ORACLE"
"""


def _quoted(word: str, source: random.Random) -> str:
    """One of the ways to write a word, quoted in parts and differently."""
    out = []
    at = 0
    while at < len(word):
        end = source.randint(at + 1, len(word))
        part = word[at:end]
        way = source.randrange(3)
        if way == 0 and "'" not in part and not part.endswith("\\"):
            out.append(f"'{part}'")
        elif way == 1:
            escaped = "".join("\\" + each if each in '$`"\\' else each for each in part)
            out.append(f'"{escaped}"')
        else:
            out.append(
                "".join(each if each.isalnum() else f"'{each}'" if each == "\n" else "\\" + each for each in part)
            )
        at = end
    return "".join(out) or "''"


def _tree(source: random.Random) -> str:
    """A text of a known tree: lists, groups and conditions around calls of `argv` with odd words."""
    alphabet = "abz019 \t\n-_=:,.@%+^!#~$*?[]{}()<>|&;\\'\"`é"

    def call() -> str:
        words = ["".join(source.choices(alphabet, k=source.randrange(6))) for _ in range(source.randrange(4))]
        parts = ["argv", *(_quoted(word, source) for word in words)]
        if source.random() < 0.2:
            parts.append(source.choice(["2>&1", ">f", ">>f", "<f", "2>/dev/null"]))
        return source.choice([" ", "  ", "\t"]).join(parts)

    def node(depth: int) -> str:
        kind = source.randrange(8) if depth else 0
        inner = lambda: node(depth - 1)  # noqa: E731
        match kind:
            case 1:
                return f"{inner()}{source.choice([';', ' && ', ' || ', ' | ', chr(10), ' & '])}{inner()}"
            case 2:
                return f"( {inner()} )"
            case 3:
                return f"{{ {inner()}; }}"
            case 4:
                return f"if {inner()}; then {inner()}; else {inner()}; fi"
            case 5:
                return f"! {call()}"
            case 6:
                return f"X=1 {call()}"
            case _:
                return call()

    return node(source.randrange(4))


def _soup(source: random.Random) -> str:
    """Pieces in any order."""
    return "argv " + "".join(source.choices(_PIECES, k=source.randrange(1, 9)))


def _claimed(text: str) -> Counter[tuple[str, ...]] | None:
    """The calls of `argv` that the analysis tells of; None when it does not say that the whole text is literal."""
    context = HostContext("me", "/home/me", "/home/me")
    found = ShellAnalyst().analyse(Command(CommandKind.EXEC, text, context), _no_catalog())
    if not isinstance(found, Analysis):
        return None
    calls: Counter[tuple[str, ...]] = Counter()
    for effect in found.effects:
        if effect.action is Action.EXEC_DYNAMIC or effect.facts.get("literal") is False:
            return None
        if effect.action is Action.EXEC:
            words = shlex.split(str(effect.facts["command_line"]))
            if words[0] == "argv":
                calls[tuple(words[1:])] += 1
    return calls


def _no_catalog() -> CatalogView:
    """The analyst of a host looks at no catalog."""
    return None  # type: ignore[return-value]


def _happened(shell: str, text: str, folder: Path, number: int) -> Counter[tuple[str, ...]]:
    """The calls of `argv` when the shell runs the text; each run has notes of its own, since something in the background may outlive it."""
    notes = folder / f"notes-{number}"
    work = folder / "work"
    work.mkdir(exist_ok=True)
    (work / "f").write_text("")
    environment = {"PATH": str(folder / "bin"), "ORACLE": str(notes), "HOME": "/home/me", "LC_ALL": "C.UTF-8"}
    command = [shutil.which(SHELLS[shell][0]) or "", *SHELLS[shell][1:], text + "\nwait"]
    subprocess.run(command, cwd=work, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    calls: Counter[tuple[str, ...]] = Counter()
    parts = notes.read_bytes().split(b"\0")[:-1] if notes.exists() else []
    while parts:
        count = int(parts.pop(0))
        calls[tuple(part.decode() for part in parts[:count])] += 1
        del parts[:count]
    return calls


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "argv"
    program.write_text(_ARGV)
    program.chmod(0o755)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("make", [_tree, _soup])
@pytest.mark.parametrize("shell", SHELLS)
def test_a_literal_text_runs_what_the_analysis_says(shell: str, make: object, folder: Path) -> None:
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"{SHELLS[shell][0]} is not installed")
    source = random.Random(f"{shell}-{_RUNS}")
    literal = ran = made = 0
    while literal < _RUNS:
        made += 1
        text = make(source)  # type: ignore[operator]
        claimed = _claimed(text)
        if claimed is None:
            continue
        literal += 1
        happened = _happened(shell, text, folder, literal)
        ran += sum(happened.values())
        # An effect is told once, however often it happens.
        assert set(happened) <= set(claimed), f"{shell}: {text!r}: {happened} is not in {claimed}"
    assert ran > literal // 4, (
        f"of {made} texts {literal} were literal, and {ran} programs ran: too few to say anything"
    )

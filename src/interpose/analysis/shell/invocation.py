"""One program that a command line runs, with what is known of its words, and its flags in every usual spelling."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from interpose.analysis.shell.words import Word
from interpose.model.analysis import FactValue
from interpose.model.resources import ProgramResource

_LONG: Mapping[str, str] = {
    "--recursive": "-r",
    "--force": "-f",
    "--no-preserve-root": "--no-preserve-root",
    "--delete": "--delete",
    "--remove-files": "--remove-files",
}
_SAME: Mapping[str, tuple[str, ...]] = {
    "-r": ("--recursive", "-R"),
    "-R": ("--recursive", "-r"),
    "-f": ("--force",),
}


@dataclass(frozen=True, slots=True)
class Invocation:
    """A program and its words. `words[0]` is the program's own and literal.

    `sudo` and `run_as` say as whom it runs, `pipeline` and `redirects` what it is connected to. `depth` counts the texts and wrappers it is inside of.
    """

    words: tuple[Word, ...]
    sudo: bool = False
    run_as: str | None = None
    pipeline: bool = False
    redirects: bool = False
    depth: int = 0

    @property
    def program(self) -> ProgramResource:
        """The program as policy names it."""
        return ProgramResource(self.words[0].text)

    @property
    def arguments(self) -> tuple[Word, ...]:
        """The words after the program."""
        return self.words[1:]


def flags_of(words: Iterable[Word]) -> frozenset[str]:
    """Every flag among the words of a program, each in its usual spellings.

    A group `-rf` is also `-r` and `-f`; a long option is also what it abbreviates and its short form, among those that remove.
    Over-approximates: a word after `--`, or the value of another option, counts as well when it looks like a flag.
    """
    found: set[str] = set()
    for word in words:
        text = word.text
        if len(text) < 2 or not text.startswith("-"):
            continue
        if text.startswith("--"):
            name = text.partition("=")[0]
            found.add(name)
            for long, short in _LONG.items():
                if len(name) > 2 and long.startswith(name):
                    found |= {long, short}
        else:
            found.add(text)
            found.update(f"-{letter}" for letter in text[1:].partition("=")[0])
    for flag in tuple(found):
        found.update(_SAME.get(flag, ()))
    return frozenset(found)


def exec_facts(run: Invocation, wrapper: bool) -> dict[str, FactValue]:
    """The facts of the effect `exec` of a program."""
    known = [word for word in run.words if not word.dynamic]
    texts = [word.text for word in known]
    facts: dict[str, FactValue] = {
        "program": run.program.name,
        "argv0": texts[0],
        "argv": tuple(texts),
        "flags": tuple(sorted(flags_of(run.arguments))),
        "arguments": tuple(text for text in texts[1:] if not (text.startswith("-") and len(text) > 1)),
        "command_line": shlex.join(texts),
        "literal": all(word.literal for word in run.words),
        "sudo": run.sudo,
        "wrapper": wrapper,
        "pipeline": run.pipeline,
        "redirects": run.redirects,
    }
    if run.run_as is not None:
        facts["run_as"] = run.run_as
    first = run.words[1] if len(run.words) > 1 else None
    if first is not None and first.literal and not first.text.startswith("-"):
        facts["subcommand"] = first.text
    return facts

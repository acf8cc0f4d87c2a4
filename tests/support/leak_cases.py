"""The corpus of ways to read a hidden column: the form of a case, and how the files are read.

A file is a family. A case is a mapping:

    - case: a name of its own in the file
      how: result            where the value would be seen: result, error, notice, notification, parameter, tag, …
      run: select ssn …      a statement, or a list of steps
      setup: create view …   what the database's owner has made before (once, with names of the case's own)
      hides: [public.t.ssn]  further columns that are classified, made by `setup`
      majors: 15-18          where the case exists; everywhere when it is not said
      finds: select md5(ssn) from people     further forms in which the value counts as found, from the owner
      infers: a sentence     an inference case: nothing is shown, but the answer depends on the value
      beyond: a sentence     not claimed: the value is shown through the gateway too, and why
      cleanup: sql           what the owner puts right after a run
      startup: {name: value} parameters of the session's start
      fails: {output: why}   a fault that is known and not mended, in this mode (or `strict`)

A step is a text (a simple query) or one of these, each for the second session when it has `on: second`:

    - ext: select …          Parse, Bind, Describe, Execute, Sync; args: [text, …], binary: true, describe: false, rows: 2
    - pipe: [select …, …]    several of them before one Sync
    - bind: name             Bind, Execute of a statement that SQL prepared; binary
    - fetch: name            Execute of a portal that SQL declared; rows
    - fast: name             a FunctionCall of the function with this signature; args
    - copy: copy … from …    a simple query that is answered with `data`
    - owner: sql             the database's owner does this, past the gateway
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from tests.support.postgres_binaries import MAJORS

FOLDER: Final = Path(__file__).resolve().parents[1] / "corpus" / "leaks"
CHANNELS: Final = frozenset({"result", "error", "notice", "notification", "parameter", "copy", "side"})
_KEYS: Final = {
    "case",
    "how",
    "run",
    "setup",
    "hides",
    "majors",
    "finds",
    "infers",
    "startup",
    "fails",
    "cleanup",
    "beyond",
}
_STEPS: Final = {"ext", "pipe", "bind", "fetch", "fast", "copy", "owner", "simple"}
_OPTIONS: Final = {"args", "binary", "describe", "rows", "on", "data"}

_READS: Final = re.compile(r"(?:with|select|values|table|copy \()\b|copy \(", re.IGNORECASE)
_LEAVES: Final = re.compile(
    r";|\b(?:into|insert|update|delete|merge|set_config|setval|nextval|lo_\w+|loread|pg_notify|dblink\w*|advisory_\w+|pg_\w*lock\w*"
    r"|begin|create|alter|drop|for update|pg_create\w+)\b",
    re.IGNORECASE,
)

Step = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One way. `infers` is empty when the value itself would be seen."""

    family: str
    name: str
    how: str
    steps: tuple[Step, ...]
    majors: frozenset[int]
    setup: str = ""
    hides: tuple[str, ...] = ()
    finds: str = ""
    infers: str = ""
    startup: Mapping[str, str] = field(default_factory=dict)
    fails: Mapping[str, str] = field(default_factory=dict)
    cleanup: str = ""
    beyond: str = ""

    @property
    def only_reads(self) -> bool:
        """Whether it leaves nothing behind in its session, so that the next such case may use it too."""
        texts = [str(step.get("simple", step.get("ext", ""))) for step in self.steps]
        return not self.startup and all(_READS.match(text) and not _LEAVES.search(text) for text in texts)

    @property
    def id(self) -> str:
        """What a test is called by."""
        return f"{self.family}/{self.name}"


def _majors(text: object) -> frozenset[int]:
    if text is None:
        return frozenset(MAJORS)
    first, _, last = str(text).partition("-")
    return frozenset(range(int(first), int(last or first) + 1))


def _steps(given: object, where: str) -> tuple[Step, ...]:
    steps = []
    for step in given if isinstance(given, list) else [given]:
        made = {"simple": step} if isinstance(step, str) else dict(step)
        kinds = made.keys() & _STEPS
        if len(kinds) != 1 or made.keys() - _STEPS - _OPTIONS:
            raise ValueError(f"{where}: no step: {step}")
        steps.append(made)
    return tuple(steps)


def _case(family: str, raw: Mapping[str, Any]) -> Case:
    where = f"{family}/{raw.get('case')}"
    if raw.keys() - _KEYS or not {"case", "how", "run"} <= raw.keys() or raw["how"] not in CHANNELS:
        raise ValueError(f"{where}: unknown or missing keys, or no channel: {sorted(raw)}")
    return Case(
        family,
        raw["case"],
        raw["how"],
        _steps(raw["run"], where),
        _majors(raw.get("majors")),
        raw.get("setup", ""),
        tuple(raw.get("hides", ())),
        raw.get("finds", ""),
        raw.get("infers", ""),
        raw.get("startup", {}),
        raw.get("fails", {}),
        raw.get("cleanup", ""),
        raw.get("beyond", ""),
    )


def load() -> tuple[Case, ...]:
    """Every case of every family, in the order of the files."""
    yaml = YAML(typ="safe")
    cases = [
        _case(file.stem, raw)
        for file in sorted(FOLDER.glob("*.yaml"))
        for raw in yaml.load(file.read_text(encoding="utf-8"))
    ]
    names = [case.id for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"two cases of one name: {sorted(twice)}")
    return tuple(cases)

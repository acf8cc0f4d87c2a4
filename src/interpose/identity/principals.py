"""Local principals: a strict YAML file with groups and attributes.

```yaml
principals:
  - {name: alice, kind: user, groups: [support], attributes: {team: orders}}
  - {name: fixer, kind: agent, acting_for: alice, task: nightly clean-up}
  - {name: bob, kind: user, disabled: true}
  - {name: backup, kind: service, ssh_keys: ["ssh-ed25519 AAAA… backup@host"]}
```

All problems are collected, each with file, line and a suggestion. People, services and agents share one name space.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from interpose.identity.names import canonical_name, is_canonical
from interpose.identity.ssh_keys import MalformedError, read_public_line
from interpose.model.errors import ConfigurationError, Problem
from interpose.model.principal import AttributeValue, Principal, PrincipalKind

_KINDS = {kind.name.lower(): kind for kind in PrincipalKind}
_KEYS = ("name", "kind", "groups", "attributes", "acting_for", "task", "disabled", "ssh_keys")


_KEY_HINT = (
    "give a public key as in `ssh-ed25519 AAAA… comment`: Ed25519, ECDSA, a security key's, or RSA of 2048 bits or more"
)


class Principals:
    """Who exists, immutable: the port `PrincipalSource`."""

    def __init__(self, principals: Iterable[Principal], disabled: Iterable[str] = (), text: str = "") -> None:
        """`disabled` names exist in the file and nowhere else: they are found by nobody. `text` is the file as it was read."""
        self._by_name: Mapping[str, Principal] = {principal.name: principal for principal in principals}
        self.disabled = frozenset(disabled)
        self.text = text

    def find(self, name: str) -> Principal | None:
        """The principal with this canonical name; None for one that is disabled."""
        return self._by_name.get(name)

    def reserves(self, name: str) -> bool:
        """Whether the file has this name, disabled ones included."""
        return name in self._by_name or name in self.disabled

    def vouched(self, _: str) -> None:
        """No provider vouches for anybody in a file."""

    def __len__(self) -> int:
        """How many there are, without the disabled."""
        return len(self._by_name)

    @property
    def all(self) -> tuple[Principal, ...]:
        """Everybody who is not disabled, by name."""
        return tuple(self._by_name[name] for name in sorted(self._by_name))


def read_principals(path: Path) -> Principals:
    """Read and check a file; raises `ConfigurationError` with every problem found."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"cannot read `{path}`", detail=str(error), hint="check the path and that the file is readable UTF-8"
        ) from error
    return parse_principals(text, str(path))


def parse_principals(text: str, file: str) -> Principals:
    """Check the text of a file that is called `file` in messages; raises `ConfigurationError` with every problem."""
    try:
        top = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
        problem = Problem(f"not valid YAML: {error.problem}", file=file, line=place[0], column=place[1])
        raise ConfigurationError(f"`{file}` cannot be read", problems=(problem,)) from error
    except YAMLError as error:
        raise ConfigurationError(f"`{file}` is not valid YAML", detail=str(error)) from error
    reader = _Reader(file)
    read = reader.top(top)
    if reader.problems:
        count = len(reader.problems)
        raise ConfigurationError(
            f"`{file}` has {count} problem{'s' if count > 1 else ''}",
            problems=tuple(reader.problems),
            hint="see docs/reference/principals.md",
        )
    return Principals(
        (entry.principal for entry in read if not entry.disabled),
        (entry.principal.name for entry in read if entry.disabled),
        text,
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    principal: Principal
    disabled: bool
    line: int | None


class _Reader:
    """Reads entries and collects problems."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[Problem] = []
        self._keys: dict[str, tuple[str, int | None]] = {}

    def top(self, top: object) -> list[_Entry]:
        if not isinstance(top, CommentedMap) or not isinstance(top.get("principals"), CommentedSeq):
            self._problem(1, "the file must hold a list `principals`", "begin with `principals:`")
            return []
        for key in top:
            if key != "principals":
                self._problem(_line(top, str(key)), f"unknown key `{key}`", "the only key at the top is `principals`")
        entries: dict[str, _Entry] = {}
        for index, item in enumerate(top["principals"]):
            line = int(top["principals"].lc.item(index)[0]) + 1
            if not isinstance(item, CommentedMap):
                self._problem(line, "a principal must be a mapping", "write `{name: alice, kind: user}`")
                continue
            entry = self._entry(item, line)
            if entry is None:
                continue
            if entry.principal.name in entries:
                self._problem(
                    line,
                    f"there is another principal `{entry.principal.name}`",
                    "people, services and agents share one name space",
                )
            entries[entry.principal.name] = entry
        self._acting(entries)
        return list(entries.values())

    def _acting(self, entries: Mapping[str, _Entry]) -> None:
        users = sorted(name for name, entry in entries.items() if entry.principal.kind is PrincipalKind.USER)
        for entry in entries.values():
            person = entry.principal.acting_for
            if person is not None and person not in users:
                self._problem(entry.line, f"`acting_for` names no user: `{person}`", _suggestion(person, users))

    def _entry(self, item: CommentedMap, line: int) -> _Entry | None:
        for key in item:
            if key not in _KEYS:
                self._problem(_line(item, str(key)), f"unknown key `{key}`", _suggestion(str(key), _KEYS))
        name = self._name(item, line)
        kind = self._kind(item, line)
        acting_for = self._text(item, "acting_for")
        task = self._text(item, "task")
        disabled = item.get("disabled", False)
        if not isinstance(disabled, bool):
            self._problem(_line(item, "disabled"), "`disabled` must be true or false", f"found `{disabled}`")
        groups = self._groups(item)
        attributes = self._attributes(item)
        ssh_keys = self._ssh_keys(item, name or "")
        if kind is not None and kind is not PrincipalKind.AGENT and (acting_for is not None or task is not None):
            self._problem(line, "only an agent has `acting_for` and `task`", "write `kind: agent`, or leave them out")
            acting_for = task = None
        if name is None or kind is None:
            return None
        return _Entry(Principal(kind, name, groups, attributes, acting_for, task, ssh_keys), disabled is True, line)

    def _name(self, item: CommentedMap, line: int) -> str | None:
        name = item.get("name")
        if not isinstance(name, str):
            self._problem(line, "a principal needs a `name`", "give a text such as `alice`")
            return None
        if is_canonical(name):
            return name
        better = canonical_name(name)
        self._problem(
            _line(item, "name"),
            f"`{name}` is no canonical name",
            f"write `{better}`" if better else "use lower-case ASCII letters, digits and `. _ + @ -`, at most 63",
        )
        return None

    def _kind(self, item: CommentedMap, line: int) -> PrincipalKind | None:
        kind = item.get("kind")
        if isinstance(kind, str) and kind in _KINDS:
            return _KINDS[kind]
        if kind is None:
            self._problem(line, "a principal needs a `kind`", "`user`, `service` or `agent`")
        else:
            self._problem(_line(item, "kind"), f"there is no kind `{kind}`", _suggestion(str(kind), list(_KINDS)))
        return None

    def _text(self, item: CommentedMap, key: str) -> str | None:
        value = item.get(key)
        if value is None or (isinstance(value, str) and value):
            return None if value is None else str(value)
        self._problem(_line(item, key), f"`{key}` must be a text", f"found `{value}`")
        return None

    def _groups(self, item: CommentedMap) -> frozenset[str]:
        value = item.get("groups")
        if value is None:
            return frozenset()
        if not isinstance(value, CommentedSeq) or not all(isinstance(group, str) and group for group in value):
            self._problem(_line(item, "groups"), "`groups` must be a list of texts", "write `groups: [support]`")
            return frozenset()
        return frozenset(str(group) for group in value)

    def _attributes(self, item: CommentedMap) -> Mapping[str, AttributeValue]:
        value = item.get("attributes")
        if value is None:
            return {}
        if not isinstance(value, CommentedMap):
            self._problem(
                _line(item, "attributes"), "`attributes` must be a mapping", "write `attributes: {team: orders}`"
            )
            return {}
        read: dict[str, AttributeValue] = {}
        for name, given in value.items():
            if isinstance(given, bool):
                read[str(name)] = given
            elif isinstance(given, str):
                read[str(name)] = str(given)
            elif isinstance(given, int):
                read[str(name)] = int(given)
            elif isinstance(given, CommentedSeq) and all(isinstance(part, str) for part in given):
                read[str(name)] = tuple(str(part) for part in given)
            else:
                self._problem(
                    _line(value, str(name)),
                    f"attribute `{name}` must be a text, a whole number, true or false, or a list of texts",
                    f"found `{given}`",
                )
        return read

    def _ssh_keys(self, item: CommentedMap, owner: str) -> frozenset[str]:
        """The fingerprints. INVARIANT: a key proves one principal; whoever has it cannot choose whom to be."""
        value = item.get("ssh_keys")
        if value is None:
            return frozenset()
        if not isinstance(value, CommentedSeq):
            self._problem(
                _line(item, "ssh_keys"), "`ssh_keys` must be a list of texts", 'write `["ssh-ed25519 AAAA…"]`'
            )
            return frozenset()
        found: set[str] = set()
        for index, text in enumerate(value):
            line = int(value.lc.item(index)[0]) + 1
            try:
                key = read_public_line(text if isinstance(text, str) else "").fingerprint
            except MalformedError as error:
                self._problem(line, f"SSH key {index + 1} of `{owner}` is not taken: {error}", _KEY_HINT)
                continue
            if key in self._keys:
                first, at = self._keys[key]
                message = f"the SSH key {key} of `{owner}` is `{first}`'s already, in line {at}"
                self._problem(line, message, "a key proves one principal: make another")
            self._keys.setdefault(key, (owner, line))
            found.add(key)
        return frozenset(found)

    def _problem(self, line: int | None, message: str, hint: str) -> None:
        self.problems.append(Problem(message, file=self._file, line=line, hint=hint))


def _line(item: CommentedMap, key: str) -> int | None:
    try:
        return int(item.lc.key(key)[0]) + 1
    except (KeyError, AttributeError, TypeError):
        return None


def _suggestion(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else "known here: " + ", ".join(f"`{name}`" for name in names[:20])

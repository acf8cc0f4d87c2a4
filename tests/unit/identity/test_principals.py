"""The principals file: strict, with all problems at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpose.identity.principals import parse_principals, read_principals
from interpose.model.errors import ConfigurationError
from interpose.model.principal import Principal, PrincipalKind

GOOD = """\
principals:
  - {name: alice, kind: user, groups: [support, night], attributes: {team: orders, level: 3, on_call: true, tags: [a, b]}}
  - {name: fixer, kind: agent, acting_for: alice, task: clean up}
  - {name: etl, kind: service}
  - {name: bob, kind: user, disabled: true}
"""


def test_a_good_file_is_read_whole() -> None:
    principals = parse_principals(GOOD, "p.yaml")
    assert principals.find("alice") == Principal(
        PrincipalKind.USER,
        "alice",
        frozenset({"support", "night"}),
        {"team": "orders", "level": 3, "on_call": True, "tags": ("a", "b")},
    )
    fixer = principals.find("fixer")
    assert fixer is not None
    assert (fixer.kind, fixer.acting_for, fixer.task) == (PrincipalKind.AGENT, "alice", "clean up")
    assert principals.find("bob") is None
    assert principals.disabled == {"bob"}
    assert [principal.name for principal in principals.all] == ["alice", "etl", "fixer"]
    assert len(principals) == 3


def _problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_principals(text, "p.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("entry", "line", "word", "suggestion"),
    [
        ("{name: Alice, kind: user}", 2, "canonical", "`alice`"),
        ("{name: 'älice', kind: user}", 2, "canonical", "ASCII"),
        ("{kind: user}", 2, "`name`", "`alice`"),
        ("{name: a}", 2, "`kind`", "`agent`"),
        ("{name: a, kind: usr}", 2, "`usr`", "did you mean `user`?"),
        ("{name: a, kind: user, grups: [x]}", 2, "`grups`", "did you mean `groups`?"),
        ("{name: a, kind: user, groups: x}", 2, "`groups`", "[support]"),
        ("{name: a, kind: user, groups: [1]}", 2, "`groups`", "[support]"),
        ("{name: a, kind: user, disabled: 'no'}", 2, "`disabled`", "`no`"),
        ("{name: a, kind: user, attributes: {x: 1.5}}", 2, "attribute `x`", "1.5"),
        ("{name: a, kind: user, attributes: [x]}", 2, "`attributes`", "team"),
        ("{name: a, kind: user, acting_for: b}", 2, "only an agent", "`kind: agent`"),
        ("{name: a, kind: agent, acting_for: b}", 2, "`acting_for`", "known here"),
        ("{name: a, kind: agent, task: 3}", 2, "`task`", "`3`"),
        ("just a text", 2, "mapping", "`{name: alice, kind: user}`"),
    ],
)
def test_each_fault_says_where_and_what_to_do(entry: str, line: int, word: str, suggestion: str) -> None:
    (problem,) = _problems(f"principals:\n  - {entry}\n")
    assert problem.startswith(f"p.yaml:{line}:")
    assert word in problem
    assert suggestion in problem


def test_all_faults_are_told_at_once() -> None:
    problems = _problems("principals:\n  - {name: A, kind: user}\n  - {name: b, kind: x}\n  - {name: c}\nother: 1\n")
    assert len(problems) == 4


def test_a_name_is_given_once_and_an_agent_acts_for_a_user() -> None:
    twice = "principals:\n  - {name: a, kind: user}\n  - {name: a, kind: agent}\n"
    assert "another principal" in _problems(twice)[0]
    service = "principals:\n  - {name: a, kind: service}\n  - {name: b, kind: agent, acting_for: a}\n"
    assert "names no user" in _problems(service)[0]


@pytest.mark.parametrize("text", ["", "[]", "principals: 1", "principals:\n  - {a: b", "\tx: 1", "a: 1\na: 2"])
def test_what_is_no_principals_file_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_principals(text, "p.yaml")


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_principals(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_principals(path)
    path.write_text(GOOD)
    assert len(read_principals(path)) == 3

"""The principals file: strict, with all problems at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpose.identity.principals import parse_principals, read_principals
from interpose.identity.ssh_keys import read_public_line
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


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICqmlAL5sOA2zxvcj3PEzzqXDP0/NUhS2N+QoHLKrjMG"


def test_registered_keys_are_known_by_their_fingerprints() -> None:
    text = f"principals:\n  - {{name: backup, kind: service, ssh_keys: ['{KEY} backup@host']}}\n  - {{name: bob, kind: user}}\n"
    principals = parse_principals(text, "p.yaml")
    backup, bob = principals.find("backup"), principals.find("bob")
    assert backup is not None
    assert bob is not None
    (found,) = backup.ssh_keys
    assert found == read_public_line(KEY).fingerprint
    assert not bob.ssh_keys


def test_a_key_proves_one_principal_and_weak_or_odd_ones_none() -> None:
    short = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDCqkmG"
    text = (
        "principals:\n"
        f"  - name: backup\n    kind: service\n    ssh_keys:\n      - {KEY} one\n      - {short}\n      - 7\n"
        f"  - name: bob\n    kind: user\n    ssh_keys:\n      - {KEY} another comment\n"
        "  - {name: carl, kind: user, ssh_keys: ssh-ed25519}\n"
        f"  - {{name: dora, kind: user, disabled: true, ssh_keys: ['{KEY}', 'ssh-dss AAAAB3NzaC1kc3MAAAAA']}}\n"
    )
    with pytest.raises(ConfigurationError) as error:
        parse_principals(text, "p.yaml")
    told = [(problem.line, problem.message) for problem in error.value.problems]
    assert [line for line, _ in told] == [6, 7, 11, 12, 13, 13]
    assert "is `backup`'s already, in line 5" in told[2][1]
    assert "must be a list" in told[3][1]
    assert "is `backup`'s already" in told[4][1]
    assert all("is not taken" in told[index][1] for index in (0, 1, 5))

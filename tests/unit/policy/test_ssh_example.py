"""The example policy for hosts: its own tests pass, and each of its rules has a case that fails without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from interpose.analysis.shell.analyst import ShellAnalyst
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.masking.strictness import strictest
from interpose.masking.transforms import parse_transform
from interpose.model.actions import Action
from interpose.model.analysis import Analysis
from interpose.model.command import Command, CommandKind, HostContext
from interpose.model.principal import Principal, PrincipalKind
from interpose.model.refusal import Refusal
from interpose.policy import builtin
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.bundle import PolicyBundle
from interpose.policy.cases import CaseConnection, read_cases
from interpose.policy.folder import read_folder
from interpose.policy.load import Surroundings, load_policy
from interpose.policy.testing import render_failure, run_cases

_FILES = read_folder(Path(__file__).resolve().parents[3] / "examples" / "ssh")
_SURROUNDINGS = Surroundings(MaskVocabulary(strictest, parse_transform), frozenset(CONTENT_CLASSES))
_BUNDLE = load_policy(_FILES, _SURROUNDINGS)


_NOT_OF_COMMANDS = ("team-connects", "on-call-decides")
"""Cases are about commands."""


def _analyse(on: CaseConnection, asked: str | Command) -> Analysis | Refusal:
    command = Command(CommandKind.EXEC, asked, on.host) if isinstance(asked, str) else asked
    assert isinstance(command.context, HostContext)
    command = replace(command, context=replace(on.host, request=command.context.request))
    found = ShellAnalyst().analyse(command, None)  # type: ignore[arg-type]
    assert isinstance(found, Analysis), found
    return found


def _failures(bundle: PolicyBundle) -> list[str]:
    results = run_cases(bundle, read_cases(_FILES), lambda name: None, {}, _analyse)
    assert results
    return [render_failure(result) for result in results if not result.passed]


def test_its_own_tests_pass() -> None:
    assert not _failures(_BUNDLE)


@pytest.mark.parametrize(
    "rule", sorted(rule.id for rule in _BUNDLE.rules if rule.file != builtin.FILE and rule.id not in _NOT_OF_COMMANDS)
)
def test_each_rule_has_a_case_that_fails_without_it(rule: str) -> None:
    found = next(each for each in _BUNDLE.rules if each.id == rule)
    files = {**_FILES, found.file: _FILES[found.file].replace(found.text, "")}
    assert _failures(load_policy(files, _SURROUNDINGS))


def test_whoever_is_on_call_decides_and_looks() -> None:
    (host,) = [each.connection for file in read_cases(_FILES) for each in file.connections.values()]
    for group, may in (("on-call", True), ("operators", False), ("admins", False)):
        person = Principal(PrincipalKind.USER, "otto", frozenset({group}))
        for action in (Action.APPROVE, Action.REPLAY, Action.AUDIT):
            assert _BUNDLE.may(person, action, host, {}, 0.0) == may
        assert not _BUNDLE.may(person, Action.ADMINISTER, None, {}, 0.0)

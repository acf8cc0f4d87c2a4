"""The example policy set: it loads, its own tests pass, and each of its rules has a case that fails without it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from interpose.analysis.sql import reviewed
from interpose.analysis.sql.analyst import PostgresAnalyst
from interpose.identity.principals import parse_principals
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.masking.strictness import strictest
from interpose.masking.transforms import parse_transform
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, FactValue
from interpose.model.catalog import Behind, CatalogColumn, Lookup, Relation, Routine
from interpose.model.command import Command, CommandKind, SqlContext
from interpose.model.errors import ConfigurationError
from interpose.model.principal import Principal
from interpose.model.refusal import Refusal
from interpose.policy import builtin
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.bundle import PolicyBundle
from interpose.policy.cases import CaseConnection, read_cases
from interpose.policy.folder import read_folder
from interpose.policy.load import Surroundings, load_policy
from interpose.policy.schema import COMMAND_ACTIONS
from interpose.policy.testing import CaseResult, render_failure, run_cases
from tests.unit.policy.shop import NOW, connection

_EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
_FILES = read_folder(_EXAMPLES / "policy")
_PEOPLE = parse_principals((_EXAMPLES / "principals.yaml").read_text(encoding="utf-8"), "principals.yaml")
_SURROUNDINGS = Surroundings(MaskVocabulary(strictest, parse_transform), frozenset(CONTENT_CLASSES))
_PROD = connection("orders-prod", env="prod", team="shop")
_PAYROLL = connection("payroll", env="prod", team="people")


class _Catalog:
    """What a test file declares; functions that it does not declare are PostgreSQL's own."""

    version = 1

    def __init__(self, declared: CaseConnection) -> None:
        self._declared = declared

    def relation(self, schema: str | None, name: str, path: tuple[str, ...]) -> Relation | Lookup:
        for each in path if schema is None else (schema,):
            columns = self._declared.tables.get((each, name))
            if columns is not None:
                return Relation(
                    1, each, name, "table", tuple(CatalogColumn(column, at, 25) for at, column in enumerate(columns, 1))
                )
        return Lookup.NOT_FOUND

    def relation_by_oid(self, oid: int) -> Relation | Lookup:
        return Lookup.NOT_FOUND

    def routine(self, schema: str | None, name: str, path: tuple[str, ...]) -> Routine | Lookup:
        for each in path if schema is None else (schema,):
            if (each, name) in self._declared.functions:
                return Routine(each, name, frozenset("f"), "s", False, frozenset({"sql"}), False)
        return reviewed.builtin(name)

    def behind(
        self, kind: Behind, schema: str | None, name: str, path: tuple[str, ...]
    ) -> tuple[Routine, ...] | Lookup:
        """Only PostgreSQL's own."""
        return ()

    def schema(self, name: str, role: str = "") -> bool | Lookup:
        """Every schema exists."""
        return True


def _analyse(on: CaseConnection, text: str) -> Analysis | Refusal:
    command = Command(CommandKind.QUERY, text, SqlContext(("pg_catalog", *on.path), 17))
    found = PostgresAnalyst().analyse(command, _Catalog(on))
    assert isinstance(found, Analysis), found
    return found


def _run(policies: PolicyBundle) -> list[CaseResult]:
    results = run_cases(policies, read_cases(_FILES), _PEOPLE.find, {}, _analyse)
    return [result for result in results if not result.passed]


def _load(without: str = "") -> PolicyBundle:
    """The bundle, without one rule."""
    files = dict(_FILES)
    if without:
        rule = next(rule for rule in _BUNDLE.rules if rule.id == without)
        files[rule.file] = files[rule.file].replace(rule.text, "")
    return load_policy(files, _SURROUNDINGS)


_BUNDLE = load_policy(_FILES, _SURROUNDINGS)
_ASKED_BY_THE_GATEWAY = {
    "fulfilment-connects",
    "managers-approve-for-their-people",
    "people-connect",
    "agents-connect",
    "agents-by-day",
    "dba-keeps-the-gateway",
    "agents-act-for-developers",
}
"""Rules about `connect` and the gateway's own actions: no command asks them."""


def test_it_is_served_where_the_only_connection_is_that_of_the_demo() -> None:
    """A rule about a label that no connection has is refused at load: whoever starts with this example meets none."""
    surroundings = dataclasses.replace(_SURROUNDINGS, connections=(_PROD,))
    assert load_policy(_FILES, surroundings).rules


def test_its_own_tests_pass() -> None:
    assert not [render_failure(result) for result in _run(_BUNDLE)]


@pytest.mark.parametrize(
    "rule", sorted({rule.id for rule in _BUNDLE.rules if rule.file != builtin.FILE} - _ASKED_BY_THE_GATEWAY)
)
def test_each_rule_has_a_case_that_fails_without_it(rule: str) -> None:
    assert _run(_load(without=rule))


def _person(name: str) -> Principal:
    found = _PEOPLE.find(name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["alice", "bob", "carol", "dave", "fred", "grace", "shopbot"])
def test_everybody_connects_to_the_teams_databases_only(name: str) -> None:
    assert _BUNDLE.may(_person(name), Action.CONNECT, _PROD, {}, NOW)
    assert not _BUNDLE.may(_person(name), Action.CONNECT, _PAYROLL, {}, NOW)


def test_only_dbas_keep_the_gateway() -> None:
    for name in ("alice", "bob", "carol", "dave", "shopbot"):
        for action in (Action.APPROVE, Action.REPLAY, Action.AUDIT, Action.ADMINISTER):
            assert _BUNDLE.may(_person(name), action, _PROD, {}, NOW) == (name == "carol")
    assert _BUNDLE.may(_person("carol"), Action.AUDIT, None, {}, NOW)


def test_agents_act_for_developers_who_give_them_a_task() -> None:
    bot = dataclasses.replace(_person("shopbot"), acting_for="bob", task="sort")
    assert _BUNDLE.may_act_for(bot, _person("bob"), {}, NOW)
    assert not _BUNDLE.may_act_for(dataclasses.replace(bot, acting_for="carol"), _person("carol"), {}, NOW)
    assert not _BUNDLE.may_act_for(dataclasses.replace(bot, task=None), _person("bob"), {}, NOW)
    assert not _BUNDLE.may_act_for(_person("alice"), _person("bob"), {}, NOW)


def test_a_manager_approves_for_those_who_name_them_and_for_nobody_else() -> None:
    named: dict[str, FactValue] = {"requester": "fred", "named_approvers": ("grace",)}
    assert _BUNDLE.may(_person("grace"), Action.APPROVE, _PROD, named, NOW)
    assert not _BUNDLE.may(_person("fred"), Action.APPROVE, _PROD, named, NOW)
    assert not _BUNDLE.may(_person("grace"), Action.APPROVE, _PROD, {**named, "named_approvers": ("heidi",)}, NOW)
    assert not _BUNDLE.may(_person("grace"), Action.APPROVE, _PROD, {"requester": "bob"}, NOW)


def test_the_rule_on_trial_is_seen_at_night_only() -> None:
    bot = _person("shopbot")
    assert _BUNDLE.decide(bot, Action.CONNECT, _PROD, {}, NOW).observed == ()
    night = _BUNDLE.decide(bot, Action.CONNECT, _PROD, {}, NOW + 11 * 3600)
    assert night.observed == ("agents-by-day",)


def test_decisions_about_commands_can_be_kept() -> None:
    assert not [action for action in _BUNDLE.timed if action in COMMAND_ACTIONS]
    assert not _BUNDLE.uses_source


def test_a_mask_that_does_not_fit_is_told_with_its_place_and_what_was_meant() -> None:
    text = 'forbid (principal, action == Action::"reveal", resource);\n'
    files = {
        "a.cedar": f'@id("a")\n@mask("bucket-1000")\n{text}@id("b")\n@mask("json:$.a=partial-mail")\n{text}',
        "b.cedar": f'@id("c")\n@mask("last:99")\n{text}@id("d") @mask("json:$.a[0]") {text}',
        "classifications.yaml": 'data_classes:\n  pii: {mask: "date-year:3"}\n',
    }
    with pytest.raises(ConfigurationError) as caught:
        load_policy(files, _SURROUNDINGS)
    found = {(problem.file, problem.line): f"{problem.message} | {problem.hint}" for problem in caught.value.problems}
    assert "did you mean `bucket:1000`" in found["a.cedar", 2]
    assert "did you mean `partial-email`" in found["a.cedar", 5]
    assert "from 1 to 32" in found["b.cedar", 2]
    assert "does not belong to a JSON path" in found["b.cedar", 4]
    assert "takes no argument" in found["classifications.yaml", 2]

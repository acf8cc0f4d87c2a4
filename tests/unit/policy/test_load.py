"""Loading a folder's contents: all faults at once, and a digest that changes with every decision that could."""

from __future__ import annotations

import pytest

from interpose.model.errors import ConfigurationError
from interpose.policy import builtin
from interpose.policy.load import digest_of, load_policy
from tests.unit.policy.shop import CONNECT, PERMIT, surroundings


def test_all_faults_of_all_files_at_once_in_order() -> None:
    files = {
        "b.cedar": "permit (principal, action, resource);",
        "a.cedar": '@id("x") permit (principal, actoin, resource);',
        "classifications.yaml": "classificatons: []",
        "attributes.yaml": "attributes: {x: {type: strng}}",
        "notes.yaml": "",
    }
    with pytest.raises(ConfigurationError) as caught:
        load_policy(files, surroundings())
    assert [problem.file for problem in caught.value.problems] == [
        "a.cedar",
        "attributes.yaml",
        "b.cedar",
        "classifications.yaml",
        "notes.yaml",
    ]
    assert caught.value.public_message == "the policy has 5 problems"
    assert caught.value.hint == "nothing of it was loaded"


def test_an_empty_folder_is_a_fault() -> None:
    with pytest.raises(ConfigurationError, match="there is no policy"):
        load_policy({}, surroundings())


def test_policies_may_stand_in_any_folder() -> None:
    made = load_policy({"teams/shop/a.cedar": CONNECT, "b.cedar": PERMIT}, surroundings())
    assert [rule.file for rule in made.rules if rule.file != builtin.FILE] == ["b.cedar", "teams/shop/a.cedar"]


def test_the_digest_is_of_everything_but_the_tests() -> None:
    base = {"a.cedar": PERMIT}
    digest = digest_of(base)
    assert digest == load_policy({**base, "tests/x.yaml": "cases: []"}, surroundings()).digest
    assert digest != digest_of({"a.cedar": PERMIT + " "})
    assert digest != digest_of({"b.cedar": PERMIT})
    assert digest != digest_of({**base, "classifications.yaml": ""})
    assert digest_of({"a": "bc"}) != digest_of({"ab": "c"})


def test_declared_attributes_reach_the_check() -> None:
    text = '@id("x") permit (principal, action == Action::"select", resource) when { principal has level && principal.level > 1 };'
    load_policy({"a.cedar": text, "attributes.yaml": "attributes: {level: {type: long}}"}, surroundings())
    with pytest.raises(ConfigurationError):
        load_policy({"a.cedar": text}, surroundings())
    with pytest.raises(ConfigurationError):
        load_policy({"a.cedar": text, "attributes.yaml": "attributes: {level: {type: string}}"}, surroundings())

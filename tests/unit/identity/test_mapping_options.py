"""`mapping` in the configuration: read strictly, every fault told."""

from __future__ import annotations

import pytest

from interpose.identity.mapping import ClaimMapping, ClaimPath, GroupMapping
from interpose.identity.mapping_options import parse_mapping
from interpose.model.errors import Problem
from interpose.model.principal import PrincipalKind


def test_all_of_it() -> None:
    problems: list[Problem] = []
    mapping = parse_mapping(
        {
            "name": {"claim": "email", "pattern": "(?P<name>[^@]+)@x"},
            "subject": "oid",
            "name_suffix": "@corp",
            "groups": {"claim": "a.b", "allow": ["dba"], "rename": {"Admins": "dba"}},
            "attributes": {"manager": "manager", "n": {"claim": ["x.y", "n"], "type": "long"}},
            "domains": ["Example.com"],
            "require": {"amr": "mfa", "ok": True},
        },
        problems,
        kind="agent",
    )
    assert not problems
    assert mapping.kind is PrincipalKind.AGENT
    assert mapping.subject == ClaimPath(("oid",))
    assert mapping.groups == GroupMapping(ClaimPath(("a", "b")), frozenset({"dba"}), "", {"Admins": "dba"})
    assert mapping.attributes["n"] == (ClaimPath(("x.y", "n")), "long")
    assert (mapping.domains, mapping.require) == (frozenset({"example.com"}), {"amr": "mfa", "ok": True})


def test_nothing_is_the_default() -> None:
    problems: list[Problem] = []
    assert parse_mapping(None, problems) == ClaimMapping()
    assert not problems


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        ([], "`mapping` must be a mapping"),
        ({"gruops": "x"}, "did you mean `groups`?"),
        ({"groups": "roles"}, "lets the provider give any group"),
        ({"groups": {"allow": ["x"]}}, "`groups` names no claim"),
        ({"groups": {"claim": "x", "allow": "x"}}, "`groups.allow` must be a list of texts"),
        ({"name": {"claim": "email", "pattern": "("}}, "no regular expression"),
        ({"name": 3}, "`name` must be a mapping"),
        ({"attributes": {"n": {"claim": "n", "type": "int"}}}, "`attributes.n.type` cannot be `int`"),
        ({"domains": "x"}, "`domains` must be a list of texts"),
        ({"domains": ["@example.com"]}, "`@example.com` is no domain of e-mail addresses"),
        ({"domains": ["https://example.com"]}, "is no domain of e-mail addresses"),
        ({"domains": ["*.example.com"]}, "is no domain of e-mail addresses"),
        ({"require": {"x": [1]}}, "`require.x` must be a text"),
        ({"name_prefix": 3}, "`name_prefix` must be a text"),
    ],
)
def test_faults(raw: object, complaint: str) -> None:
    problems: list[Problem] = []
    parse_mapping(raw, problems)
    assert any(complaint in str(problem) for problem in problems), problems


def test_a_kind_that_does_not_exist() -> None:
    problems: list[Problem] = []
    parse_mapping(None, problems, kind="robot")
    assert "`kind` cannot be `robot`" in str(problems[0])


def test_an_agents_own() -> None:
    problems: list[Problem] = []
    raw = {
        "name": {"claim": "sub", "pattern": "(?P<a>.):(?P<b>.)", "form": "{b}.{a}"},
        "acting_for": "on_behalf",
        "task": {"claim": "job", "pattern": ".{1,80}"},
    }
    mapping = parse_mapping(raw, problems, kind="agent")
    assert not problems
    assert (mapping.name.form, mapping.acting_for) == ("{b}.{a}", ClaimPath(("on_behalf",)))
    assert mapping.task is not None
    parse_mapping({"acting_for": "x"}, problems, kind="service")
    assert "only an agent has `acting_for`" in str(problems[0])


@pytest.mark.parametrize("form", ["{c}", "x", "{a} {", 3])
def test_a_form_must_name_groups_of_the_pattern(form: object) -> None:
    problems: list[Problem] = []
    parse_mapping({"name": {"claim": "sub", "pattern": "(?P<a>.)", "form": form}}, problems)
    assert bool(problems) == (form != "{a} {")

"""The check of parsed policies: names that do not exist are faults, above all those that Cedar lets through."""

from __future__ import annotations

import pytest

from tests.unit.policy.shop import PROD, problems


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            '@id("a") permit (principal, action == Action::"deleet", resource);',
            'policy.cedar:1:47: unrecognized action `Action::"deleet"` (did you mean `delete`?)',
        ),
        (
            '@id("a") permit (principal in Grup::"x", action, resource);',
            "unrecognized entity type `Grup` (did you mean `Group`?)",
        ),
        (
            '@id("a") permit (principal, action == Action::"select", resource)\n  when { resource.shema == "x" };',
            "policy.cedar:2:19: attribute `shema` on entity type",
        ),
        (
            '@id("a") permit (principal, action == Action::"insert", resource) when { context.has_where };',
            "it may be absent: write `context has has_where &&`",
        ),
        (
            '@id("a") permit (principal, action == Action::"select", resource) when { context.has_wher };',
            "did you mean `has_where`?",
        ),
        (
            '@id("a") permit (principal, action, resource in Table::"orders-prod.public.x");',
            'policy.cedar:1:56: `Table::"orders-prod.public.x"` can never match: ids of this type look otherwise',
        ),
        (
            '@id("a") permit (principal, action == Action::"reveal", resource in DataClass::"pii");',
            '`DataClass::"pii"` does not exist (known: schema.definition)',
        ),
        ('@id("a") permit (principal, action, resource) when { resource.name == 1 };', "policy.cedar:1:1"),
        (
            '@id("a") @approval("attribute:manager") forbid (principal, action, resource);',
            "policy.cedar:1:20: `manager` is no attribute that could name approvers",
        ),
    ],
)
def test_faults(text: str, complaint: str) -> None:
    found = problems(text)
    assert any(complaint in each for each in found), found


def test_one_fault_is_told_once_for_all_entity_types() -> None:
    assert len(problems('@id("a") permit (principal, action, resource) when { resource.shema == "x" };')) == 1


def test_names_of_what_does_not_exist_are_faults_where_connections_are_known() -> None:
    text = (
        '@id("a") permit (principal, action, resource in Connection::"order-prod");\n'
        '@id("b") permit (principal, action, resource in Schema::"orders-prd/public");\n'
        '@id("c") permit (principal, action, resource in Label::"evn=prod");\n'
        '@id("d") permit (principal, action, resource in Label::"env=dev");\n'
    )
    assert problems(text) == []
    found = problems(text, connections=(PROD,))
    assert len(found) == 3
    assert 'policy.cedar:1:61: `Connection::"order-prod"` does not exist (did you mean `orders-prod`?)' in found
    assert any("there is no connection `orders-prd` (did you mean `orders-prod`?)" in each for each in found)
    assert any("no connection has a label `evn` (did you mean `env=prod`?)" in each for each in found)


_HOLE = '@id("a") forbid (principal, action == Action::"select", resource) when {{ {} }};'


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        (
            "context has limt && context.limt > 3",
            "`limt` is no fact of these actions, so `context has limt` is never true (did you mean `limit`?)",
        ),
        ("context has requester", "`requester` is no fact of these actions"),
        ("principal has team && principal.team == 3", "`team` is no attribute of a principal"),
        ("resource has shema", "`shema` is no attribute of a resource"),
    ],
)
def test_a_forbid_that_could_never_match_is_a_fault(condition: str, complaint: str) -> None:
    """Cedar itself finds nothing wrong with these."""
    found = problems(_HOLE.format(condition))
    assert len(found) == 1
    assert complaint in found[0]


def test_a_tag_that_no_connection_has_is_a_fault_where_connections_are_known() -> None:
    text = _HOLE.format('resource.connection.hasTag("evn") && resource.connection.getTag("evn") == "prod"')
    assert problems(text) == []
    (found,) = problems(text, connections=(PROD,))
    assert "no connection has a label `evn` (did you mean `env`?)" in found


def test_each_fault_among_many_policies_is_told_with_its_own_place() -> None:
    sound = '@id("sound") permit (principal, action, resource);\n'
    wrong = '@id("w{}") permit (principal, action, resource) when {{ principal.colour{} == "red" }};\n'
    found = problems(sound + wrong.format(1, 1) + sound.replace('"sound"', '"more"') + wrong.format(2, 2))
    assert [each.split(":")[1] for each in found if "colour" in each] == ["2", "4"], found

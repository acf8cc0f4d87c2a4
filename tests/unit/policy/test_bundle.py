"""The bundle: effects to decisions, as a person who writes policies would expect them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.model.actions import Action
from interpose.model.decisions import Forbidden, Held, Permitted
from interpose.model.ids import SnapshotDigest
from interpose.model.principal import Principal, PrincipalKind
from interpose.model.resources import (
    ColumnResource,
    ConnectionResource,
    FunctionResource,
    RoleResource,
    SettingResource,
    TableResource,
)
from tests.unit.policy.shop import ALICE, BOT, CUSTOMERS, EMAIL, NOW, PERMIT, PROD, bundle, connection, effect, judge

HOLD = '@id("hold") @approval("dba") @ttl("10m") @reason("look first") forbid (principal, action in Action::"write", resource);\n'


def test_nothing_starts_as_allowed() -> None:
    decision = judge('@id("x") permit (principal in Group::"nobody", action, resource);', effect(Action.SELECT))
    assert isinstance(decision, Forbidden)
    assert decision.code == "not_permitted"
    assert decision.reason == "no policy permits `select` on table public.customers"


def test_a_command_without_effects_is_refused() -> None:
    decision = judge(PERMIT)
    assert isinstance(decision, Forbidden)
    assert decision.code == "no_effect"


def test_every_effect_must_be_permitted() -> None:
    policies = '@id("r") permit (principal, action in Action::"read", resource);'
    assert isinstance(judge(policies, effect(Action.SELECT)), Permitted)
    decision = judge(policies, effect(Action.SELECT), effect(Action.DELETE))
    assert isinstance(decision, Forbidden)
    assert decision.effect is not None
    assert decision.effect.action is Action.DELETE


def test_a_forbid_wins_and_says_why() -> None:
    policies = (
        PERMIT
        + '@id("no") @reason("not on Fridays") @hint("wait") forbid (principal, action == Action::"drop", resource);'
    )
    decision = judge(policies, effect(Action.DROP))
    assert decision == Forbidden(("no",), decision.snapshot, "forbidden", "not on Fridays", "wait", effect(Action.DROP))
    assert isinstance(judge(policies, effect(Action.CREATE)), Permitted)


def test_any_command_leaves_out_unknown_connect_and_the_gateway() -> None:
    assert isinstance(judge(PERMIT, effect(Action.CALL, FunctionResource("public", "f"))), Permitted)
    unknown = judge(PERMIT, effect(Action.UNKNOWN, ConnectionResource()))
    assert isinstance(unknown, Forbidden)
    assert unknown.code == "unknown_effect"
    assert isinstance(judge(PERMIT, effect(Action.CONNECT, ConnectionResource())), Forbidden)
    assert not bundle(PERMIT).may(ALICE, Action.APPROVE, PROD, {}, 0.0)


def test_reveal_is_nothing_that_a_command_does() -> None:
    decision = judge('@id("a") permit (principal, action, resource);', effect(Action.REVEAL, EMAIL))
    assert isinstance(decision, Forbidden)
    assert decision.code == "policy_error"


def test_only_forbids_with_a_remedy_hold() -> None:
    decision = judge(PERMIT + HOLD, effect(Action.UPDATE))
    assert isinstance(decision, Held)
    (rule,) = decision.approvals
    assert (rule.policy, rule.approvers, rule.count, rule.ttl, rule.reason) == ("hold", "dba", 1, 600.0, "look first")


def test_what_nothing_permits_is_refused_and_not_held() -> None:
    decision = judge(HOLD, effect(Action.UPDATE))
    assert isinstance(decision, Forbidden)
    assert decision.code == "not_permitted"


def test_a_plain_forbid_beside_a_remedy_refuses_and_is_never_lifted() -> None:
    policies = PERMIT + HOLD + '@id("no") forbid (principal, action == Action::"update", resource);'
    decision = judge(policies, effect(Action.UPDATE), lifted=("hold", "no"))
    assert isinstance(decision, Forbidden)
    assert decision.policies == ("no",)


def test_lifting_removes_exactly_the_named_forbids() -> None:
    second = HOLD.replace('"hold"', '"second"').replace("dba", "owners")
    policies = bundle(PERMIT + HOLD + second)
    both = judge(policies, effect(Action.UPDATE))
    assert isinstance(both, Held)
    assert {rule.approvers for rule in both.approvals} == {"dba", "owners"}
    one = judge(policies, effect(Action.UPDATE), lifted=("hold",))
    assert isinstance(one, Held)
    assert one.policies == ("second",)
    none = judge(policies, effect(Action.UPDATE), lifted=("hold", "second"))
    assert isinstance(none, Permitted)
    assert set(none.lifted) == {"hold", "second"}


def test_a_condition_that_fails_refuses() -> None:
    # Adding one to the largest number is an error when it is evaluated, not when it is checked.
    policies = (
        PERMIT + '@id("sum") forbid (principal, action, resource) when { context has limit && context.limit + 1 < 0 };'
    )
    policies = policies.replace("action, resource) when", 'action == Action::"select", resource) when')
    decision = judge(policies, effect(Action.SELECT, limit=2**63 - 1))
    assert isinstance(decision, Forbidden)
    assert (decision.code, decision.policies) == ("policy_error", ("sum",))
    assert isinstance(judge(policies, effect(Action.SELECT, limit=1)), Permitted)


def test_observing_policies_change_nothing_and_are_recorded() -> None:
    forbid = '@id("f") @mode("observe") forbid (principal, action, resource);\n'
    permit = '@id("p") @mode("observe") permit (principal, action == Action::"select", resource);\n'
    decision = judge(PERMIT + forbid + permit, effect(Action.SELECT))
    assert isinstance(decision, Permitted)
    assert (decision.policies, decision.observed) == (("all",), ("f",))
    refused = judge(permit, effect(Action.SELECT))
    assert isinstance(refused, Forbidden)
    assert (refused.code, refused.observed) == ("not_permitted", ("p",))


def test_an_observing_policy_that_fails_is_recorded_too() -> None:
    failing = (
        '@id("f") @mode("observe") forbid (principal, action == Action::"select", resource)'
        " when { context has limit && context.limit + 1 < 0 };"
    )
    decision = judge(PERMIT + failing, effect(Action.SELECT, limit=2**63 - 1))
    assert isinstance(decision, Permitted)
    assert decision.observed == ("f",)


def test_the_smallest_row_cap_counts() -> None:
    policies = PERMIT + '@id("a") @max_rows("50") permit (principal, action, resource);'
    policies += '@id("b") @max_rows("20") permit (principal, action == Action::"select", resource is Table);'
    decision = judge(policies, effect(Action.SELECT))
    assert isinstance(decision, Permitted)
    assert decision.obligations.max_rows == 20


@pytest.mark.parametrize(
    ("resource", "condition"),
    [
        (CUSTOMERS, 'resource in Table::"orders-prod/public.customers"'),
        (EMAIL, 'resource in Table::"orders-prod/public.customers"'),
        (EMAIL, 'resource in Schema::"orders-prod/public"'),
        (EMAIL, 'resource in Connection::"orders-prod"'),
        (EMAIL, 'resource in Label::"env=prod"'),
        (EMAIL, 'resource in DataClass::"pii"'),
        (EMAIL, 'resource == Column::"orders-prod/public.customers.email"'),
        (EMAIL, 'resource.table == "customers" && resource.name == "email" && resource.kind == "column"'),
        (EMAIL, 'resource.connection.hasTag("env") && resource.connection.getTag("env") == "prod"'),
        (TableResource("public", "x", "unresolved"), "!resource.resolved"),
        (TableResource("public", "x", "view"), 'resource.kind == "view"'),
        (FunctionResource("pg_catalog", "now", True), "resource.builtin"),
        (SettingResource("app.user"), 'resource == Setting::"orders-prod/app.user"'),
        (RoleResource("root"), 'resource in Connection::"orders-prod"'),
        (ConnectionResource(), 'resource == Connection::"orders-prod" && resource.name == "orders-prod"'),
    ],
)
def test_resources_are_where_policies_look_for_them(resource: object, condition: str) -> None:
    classified = "data_classes: {pii.email: {}}\nclassifications: [{connections: ['*'], columns: {public.customers.email: [pii.email]}}]"
    policies = bundle(
        f'@id("x") permit (principal, action == Action::"select", resource) when {{ {condition} }};', classified
    )
    assert isinstance(judge(policies, effect(Action.SELECT, resource)), Permitted)
    elsewhere = judge(policies, effect(Action.SELECT, ColumnResource("other", "t", "c")), on=connection("b", env="dev"))
    assert isinstance(elsewhere, Forbidden)


def test_one_name_with_two_natures_is_judged_as_each() -> None:
    policies = PERMIT + '@id("r") forbid (principal, action, resource is Table) when { !resource.resolved };'
    policies = policies.replace(
        "(principal, action, resource is", '(principal, action == Action::"select", resource is'
    )
    before, after = TableResource("public", "t", "unresolved"), TableResource("public", "t")
    assert isinstance(judge(policies, effect(Action.SELECT, after)), Permitted)
    for order in ((after, before), (before, after)):
        assert isinstance(judge(policies, *(effect(Action.SELECT, each) for each in order)), Forbidden)


def test_undeclared_mistyped_and_missing_facts_refuse() -> None:
    for wrong in (
        effect(Action.SELECT, mood="good"),
        effect(Action.SELECT, limit="ten"),
        effect(Action.SELECT, limit=2**63),
        dataclasses.replace(effect(Action.DELETE), facts={"has_where": True}),
    ):
        decision = judge(PERMIT, wrong)
        assert isinstance(decision, Forbidden)
        assert decision.code == "policy_error"


def test_session_facts() -> None:
    policies = bundle(
        '@id("in") permit (principal, action == Action::"select", resource)'
        ' when { context has source_ip && context.source_ip.isInRange(ip("10.0.0.0/8")) };'
        '@id("day") permit (principal, action == Action::"insert", resource)'
        ' when { context.now.toTime() < duration("13h") && !context.agent };'
    )
    assert policies.timed == {Action.INSERT}
    assert policies.uses_source
    read, write = effect(Action.SELECT), effect(Action.INSERT)
    assert isinstance(judge(policies, read, facts={"source_ip": "10.1.2.3"}), Permitted)
    assert isinstance(judge(policies, read, facts={"source_ip": "::ffff:10.1.2.3"}), Permitted)
    assert isinstance(judge(policies, read, facts={"source_ip": "11.1.2.3"}), Forbidden)
    assert isinstance(judge(policies, read, facts={"source_ip": ""}), Forbidden)
    assert isinstance(judge(policies, write), Permitted)
    assert isinstance(judge(policies, write, now=1_767_268_800.0 + 3600), Forbidden)
    assert isinstance(judge(policies, write, principal=BOT), Forbidden)
    broken = judge(policies, read, facts={"source_ip": "nowhere"})
    assert isinstance(broken, Forbidden)
    assert broken.code == "policy_error"


def test_how_long_ago_and_how_somebody_authenticated() -> None:
    policies = bundle(
        PERMIT + '@id("fresh") forbid (principal, action == Action::"drop", resource)'
        " unless { context.mfa && context has auth_age && context.auth_age < 900 };"
        '@id("otp") forbid (principal, action == Action::"delete", resource) unless { context.amr.contains("otp") };'
    )
    assert policies.timed == {Action.DROP}
    assert policies.facts_used == {"mfa", "auth_age", "auth_time", "amr"}
    drop, delete = effect(Action.DROP), effect(Action.DELETE, has_where=True, where_constant=False)
    known = {"mfa": True, "amr": ("otp", "pwd"), "auth_time": int(NOW) - 899}
    assert isinstance(judge(policies, drop, facts=known), Permitted)
    assert isinstance(judge(policies, drop, facts=known, now=NOW + 1), Forbidden)
    assert isinstance(judge(policies, drop, facts={**known, "mfa": False}), Forbidden)
    assert isinstance(judge(policies, drop, facts={"mfa": True}), Forbidden)
    assert isinstance(judge(policies, drop), Forbidden)
    # A provider whose clock is ahead.
    assert isinstance(judge(policies, drop, facts={**known, "auth_time": int(NOW) + 30}), Permitted)
    assert isinstance(judge(policies, delete, facts=known), Permitted)
    assert isinstance(judge(policies, delete), Forbidden)
    for wrong in (True, "100", 1.5):
        broken = judge(policies, drop, facts={**known, "auth_time": wrong})  # type: ignore[dict-item]
        assert isinstance(broken, Forbidden)
        assert broken.code == "policy_error"


def test_what_only_connect_asks_does_not_count_as_used() -> None:
    policies = bundle(
        PERMIT
        + '@id("c") permit (principal, action == Action::"connect", resource) when { context.now > datetime("2020-01-01") };'
    )
    assert policies.timed == {Action.CONNECT}
    assert policies.facts_used == frozenset()
    assert isinstance(judge(policies, effect(Action.CONNECT, ConnectionResource())), Permitted)


def test_principal_attributes_are_typed() -> None:
    policies = bundle(
        '@id("x") permit (principal, action == Action::"select", resource) when { principal has level && principal.level >= 3 };',
        attributes="attributes: {level: {type: long}}",
    )
    high = dataclasses.replace(ALICE, attributes={"level": 3, "undeclared": "x"})
    assert isinstance(judge(policies, effect(Action.SELECT), principal=high), Permitted)
    low = dataclasses.replace(ALICE, attributes={"level": 2})
    assert isinstance(judge(policies, effect(Action.SELECT), principal=low), Forbidden)
    wrong = judge(policies, effect(Action.SELECT), principal=dataclasses.replace(ALICE, attributes={"level": "9"}))
    assert isinstance(wrong, Forbidden)
    assert wrong.code == "policy_error"


def test_principals_are_told_apart_by_kind_and_group() -> None:
    policies = '@id("x") permit (principal is Agent in Group::"agents", action == Action::"select", resource);'
    assert isinstance(judge(policies, effect(Action.SELECT), principal=BOT), Permitted)
    same_name = Principal(PrincipalKind.USER, "bot", frozenset({"agents"}))
    assert isinstance(judge(policies, effect(Action.SELECT), principal=same_name), Forbidden)
    assert isinstance(
        judge(policies, effect(Action.SELECT), principal=dataclasses.replace(BOT, groups=frozenset())), Forbidden
    )


def test_may_asks_connection_or_gateway() -> None:
    policies = bundle(
        '@id("a") permit (principal in Group::"support", action == Action::"approve", resource in Label::"env=prod")'
        " unless { context has requester && context.requester == principal.name };"
        '@id("b") permit (principal, action == Action::"audit", resource is Gateway);'
    )
    assert policies.may(ALICE, Action.APPROVE, PROD, {"requester": "bob"}, 0.0)
    assert not policies.may(ALICE, Action.APPROVE, PROD, {"requester": "alice"}, 0.0)
    assert not policies.may(ALICE, Action.APPROVE, connection(env="dev"), {}, 0.0)
    assert policies.may(ALICE, Action.AUDIT, None, {}, 0.0)
    assert not policies.may(ALICE, Action.ADMINISTER, None, {}, 0.0)
    assert not policies.may(ALICE, Action.AUDIT, None, {"mood": "good"}, 0.0)
    refused = policies.decide(ALICE, Action.SELECT, PROD, {}, 0.0)
    assert isinstance(refused, Forbidden)


def test_a_remedy_on_a_gateway_action_is_a_refusal() -> None:
    policies = bundle(
        '@id("p") permit (principal, action, resource);' + HOLD.replace('action in Action::"write"', "action")
    )
    assert not policies.may(ALICE, Action.REPLAY, PROD, {}, 0.0)


def test_decisions_carry_the_snapshot() -> None:
    policies = bundle(PERMIT)
    assert judge(policies, effect(Action.SELECT)).snapshot == policies.digest
    stamped = policies.stamped(SnapshotDigest("abc"))
    assert judge(stamped, effect(Action.SELECT)).snapshot == "abc"
    assert stamped.digest == policies.digest


_EVIL = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ['"', "\\", '"); permit (principal, action, resource);', 'x" }', "a.b", "a%2Eb", "\x00", "\n", "é", "a/b"]
)


@given(_EVIL, _EVIL, _EVIL, _EVIL)
def test_names_never_inject(user: str, group: str, schema: str, table: str) -> None:
    policies = _ONLY_SUPPORT
    principal = Principal(PrincipalKind.USER, user, frozenset({group}))
    decision = judge(policies, effect(Action.SELECT, TableResource(schema, table)), principal=principal)
    assert isinstance(decision, Permitted) == (group == "support" and (schema, table) == ("public", "customers"))


_ONLY_SUPPORT = bundle(
    '@id("x") permit (principal in Group::"support", action == Action::"select", resource == Table::"orders-prod/public.customers");'
)


def test_what_the_evaluator_cannot_take_is_refused() -> None:
    decision = judge(PERMIT, effect(Action.SELECT, TableResource("public", "\ud800")))
    assert isinstance(decision, Forbidden)
    assert decision.code == "policy_error"


def test_refusals_are_safe_to_show() -> None:
    decision = judge(
        '@id("x") permit (principal, action == Action::"drop", resource);',
        effect(Action.SELECT, TableResource("s", "\x1b[2J" + "t" * 999)),
    )
    assert isinstance(decision, Forbidden)
    assert "\x1b" not in decision.reason
    assert len(decision.reason) < 300

"""Running policy tests: a case passes only when everything came out as expected."""

from __future__ import annotations

import pytest

from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect
from interpose.model.principal import Principal
from interpose.model.refusal import Refusal
from interpose.policy.cases import CaseConnection, read_cases
from interpose.policy.testing import CaseResult, render_failure, run_cases
from tests.unit.policy.shop import ALICE, CUSTOMERS, EMAIL, PROD, bundle, effect

_BUNDLE = bundle(
    '@id("all") @max_rows("9") permit (principal, action in Action::"any_command", resource);\n'
    '@id("hold") @approval("dba") forbid (principal, action == Action::"update", resource);\n'
    '@id("no") forbid (principal, action == Action::"drop", resource);\n'
    '@id("try") @mode("observe") forbid (principal, action == Action::"insert", resource);\n',
    "data_classes: {pii: {mask: hash}}\nclassifications: [{connections: ['*'], columns: {public.customers.email: [pii]}}]",
)
_EFFECTS: dict[str, tuple[Effect, ...] | Refusal] = {
    "select": (effect(Action.SELECT, EMAIL),),
    "update": (effect(Action.UPDATE, CUSTOMERS),),
    "insert": (effect(Action.INSERT, CUSTOMERS),),
    "drop": (effect(Action.DROP, CUSTOMERS),),
    "garbage": Refusal("syntax_error", "syntax error"),
}


def _analyse(on: CaseConnection, command: str) -> Analysis | Refusal:
    assert on.connection.name == "orders-prod"
    found = _EFFECTS[command]
    return found if isinstance(found, Refusal) else Analysis(found, ())


def _principal(name: str) -> Principal | None:
    return ALICE if name == "alice" else None


def _run(
    command: str, expect: str, more: str = "", principal: str = "alice", connection: str = "orders-prod"
) -> CaseResult:
    text = f"cases: [{{name: a case, principal: {principal}, connection: {connection}, command: {command}, expect: {expect}{more}}}]"
    (result,) = run_cases(_BUNDLE, read_cases({"tests/a.yaml": text}), _principal, {"orders-prod": PROD}, _analyse)
    return result


@pytest.mark.parametrize(
    ("command", "expect", "more"),
    [
        (
            "select",
            "permit",
            ", policies: [all], max_rows: 9, masks: {public.customers.email: hash}, content: {pii: hash}",
        ),
        (
            "select",
            "permit",
            ", clear: [public.customers.id], effects: [select column public.customers.email], observed: []",
        ),
        ("insert", "permit", ", observed: [try]"),
        ("update", "hold", ", policies: [hold], approvers: [dba]"),
        ("update", "permit", ", approved: [hold]"),
        ("drop", "forbid", ", code: forbidden, policies: [no]"),
        ("drop", "forbid", ", approved: [hold]"),
        ("garbage", "forbid", ", code: syntax_error"),
    ],
)
def test_what_comes_out_as_expected_passes(command: str, expect: str, more: str) -> None:
    assert _run(command, expect, more).differences == ()


@pytest.mark.parametrize(
    ("command", "expect", "more", "difference"),
    [
        (
            "drop",
            "permit",
            "",
            "decision: expected permit, got forbid by no, forbidden: `drop` on table public.customers is",
        ),
        ("update", "forbid", "", "decision: expected forbid, got hold by hold"),
        ("select", "hold", "", "decision: expected hold, got permit by all, at most 9 rows"),
        ("select", "permit", ", policies: [other]", "policies: expected other, got all"),
        ("select", "permit", ", policies: []", "policies: expected none, got all"),
        ("select", "permit", ", code: forbidden", "code: expected forbidden, got none"),
        ("drop", "forbid", ", code: not_permitted", "code: expected not_permitted, got forbidden"),
        ("update", "hold", ", approvers: [owners]", "approvers: expected owners, got dba"),
        ("insert", "permit", ", observed: []", "observed: expected none, got try"),
        ("select", "permit", ", max_rows: 8", "max_rows: expected 8, got 9"),
        ("drop", "forbid", ", max_rows: 8", "max_rows: expected 8, got no cap"),
        (
            "select",
            "permit",
            ", effects: [drop table public.x]",
            "effects: expected drop table public.x, got select column",
        ),
        (
            "select",
            "permit",
            ", masks: {public.customers.email: redact}",
            "mask of public.customers.email: expected redact, got hash",
        ),
        ("select", "permit", ", masks: {public.customers.id: hash}", "expected hash, got shown in the clear"),
        ("select", "permit", ", content: {pii: redact}", "mask of detected pii: expected redact, got hash"),
        ("select", "permit", ", clear: [public.customers.email]", "expected shown in the clear, got hash"),
        ("garbage", "permit", "", "decision: expected permit, got forbid, syntax_error: syntax error"),
        ("garbage", "forbid", ", policies: [no]", "policies: expected no, got none: policy was not asked"),
        ("garbage", "forbid", ", code: forbidden", "code: expected forbidden, got syntax_error"),
        ("update", "permit", ", approved: [hlod]", "approved: there is no policy hlod"),
    ],
)
def test_any_difference_fails(command: str, expect: str, more: str, difference: str) -> None:
    result = _run(command, expect, more)
    assert not result.passed
    assert any(difference in each for each in result.differences), result.differences


def test_unknown_principals_and_connections_fail() -> None:
    assert _run("select", "permit", principal="mallory").differences == ("there is no principal `mallory`",)
    assert _run("select", "permit", connection="x").differences == ("there is no connection `x`",)


def test_a_failure_shows_where_what_and_why() -> None:
    text = render_failure(_run("drop", "permit"))
    assert text.startswith("tests/a.yaml:1: a case\n  command: drop\n  decision: expected permit")
    assert "forbidden by no (policy.cedar:3)" in text
    assert "why" not in render_failure(_run("garbage", "permit"))

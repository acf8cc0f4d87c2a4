"""Findings to a decision: the order in which things refuse, hold and permit."""

from __future__ import annotations

from interpose.model.actions import Action
from interpose.model.decisions import ApprovalRule, Forbidden, Held, Permitted
from interpose.model.ids import PolicyId, SnapshotDigest
from interpose.policy.findings import Finding, combine, effect_words, policy_error, shown
from interpose.policy.rules import Rule
from tests.unit.policy.shop import effect

_SNAPSHOT = SnapshotDigest("d")
_NONE: frozenset[PolicyId] = frozenset()


def _rule(
    name: str, *, permits: bool = False, approval: bool = False, observes: bool = False, reason: str = ""
) -> Rule:
    ident = PolicyId(name)
    remedy = ApprovalRule(ident, "dba") if approval else None
    return Rule(ident, permits, "f", 1, "", observes, remedy, reason=reason)


_PERMIT = _rule("p", permits=True)
_PLAIN = _rule("plain")
_HOLD = _rule("hold", approval=True)


def _finding(*rules: Rule, errors: tuple[tuple[str, str], ...] = ()) -> Finding:
    return Finding(
        effect(Action.SELECT),
        tuple(rule for rule in rules if rule.permits and not rule.observes),
        tuple(rule for rule in rules if not rule.permits and not rule.observes),
        tuple(rule for rule in rules if rule.observes),
        errors,
    )


def test_no_findings_refuse() -> None:
    assert isinstance(combine([], _SNAPSHOT, _NONE), Forbidden)


def test_an_error_comes_first() -> None:
    decision = combine([_finding(_PLAIN), _finding(_PERMIT, errors=(("x", "overflow of 42"),))], _SNAPSHOT, _NONE)
    assert isinstance(decision, Forbidden)
    assert (decision.code, decision.policies) == ("policy_error", ("x",))
    assert "42" not in decision.reason


def test_an_error_of_no_policy_refuses() -> None:
    decision = combine([_finding(_PERMIT, errors=(("", "no decision"),))], _SNAPSHOT, _NONE)
    assert isinstance(decision, Forbidden)
    assert decision.policies == ()


def test_a_plain_forbid_anywhere_comes_before_what_nothing_permits() -> None:
    decision = combine([_finding(), _finding(_PERMIT, _PLAIN)], _SNAPSHOT, _NONE)
    assert isinstance(decision, Forbidden)
    assert (decision.code, decision.policies) == ("forbidden", ("plain",))
    assert decision.reason == "`select` on table public.customers is forbidden by policy `plain`"


def test_the_forbid_that_gives_a_reason_speaks() -> None:
    decision = combine([_finding(_PERMIT, _PLAIN, _rule("other", reason="because"))], _SNAPSHOT, _NONE)
    assert isinstance(decision, Forbidden)
    assert decision.reason == "because"
    assert decision.policies == ("plain", "other")


def test_what_nothing_permits_comes_before_a_hold() -> None:
    decision = combine([_finding(_PERMIT, _HOLD), _finding()], _SNAPSHOT, _NONE)
    assert isinstance(decision, Forbidden)
    assert decision.code == "not_permitted"


def test_a_hold_names_each_remedy_once() -> None:
    decision = combine([_finding(_PERMIT, _HOLD), _finding(_PERMIT, _HOLD)], _SNAPSHOT, _NONE)
    assert isinstance(decision, Held)
    assert len(decision.approvals) == 1
    assert decision.reason == "policy `hold` asks for approval"


def test_lifted_remedies_permit_and_lifted_plain_forbids_do_not() -> None:
    decision = combine([_finding(_PERMIT, _HOLD)], _SNAPSHOT, frozenset({PolicyId("hold")}))
    assert isinstance(decision, Permitted)
    assert decision.lifted == ("hold",)
    assert isinstance(combine([_finding(_PERMIT, _PLAIN)], _SNAPSHOT, frozenset({PolicyId("plain")})), Forbidden)


def test_observed_are_those_that_would_have_changed_something() -> None:
    forbid, permit = _rule("f", observes=True), _rule("q", permits=True, observes=True)
    assert combine([_finding(_PERMIT, forbid, permit)], _SNAPSHOT, _NONE).observed == ("f",)
    assert combine([_finding(forbid, permit)], _SNAPSHOT, _NONE).observed == ("f", "q")


def test_words() -> None:
    assert effect_words(effect(Action.DROP)) == "`drop` on table public.customers"
    assert shown("a\nb\x1b") == "a\ufffdb\ufffd"
    assert len(shown("x" * 1000)) == 200
    assert policy_error(_SNAPSHOT, "x").code == "policy_error"

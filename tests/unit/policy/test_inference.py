"""Strict mode as policy sees it: which `infer` effects a command has, and what its refusal says."""

from interpose.model.actions import Action
from interpose.model.analysis import Analysis, NamedText, StatementInfo
from interpose.model.decisions import Forbidden, Held, Permitted
from interpose.model.masks import MaskRule, RevealTable
from interpose.model.resources import ColumnResource
from interpose.policy.inference import inference_effects
from tests.unit.policy.shop import ALICE, EMAIL, NOW, PROD, bundle, effect

_NAME = ColumnResource("public", "customers", "name")
_HIDDEN = {EMAIL: MaskRule("redact"), _NAME: MaskRule("redact")}
_REVEAL = RevealTable(_HIDDEN, strict=frozenset({EMAIL}))


def _analysis(*statements: StatementInfo) -> Analysis:
    return Analysis((), statements)


def test_only_strict_columns_are_asked_about() -> None:
    infers = StatementInfo("SELECT", inferred=frozenset({EMAIL, _NAME}))
    assert [each.resource for each in inference_effects(_analysis(infers), _REVEAL)] == [EMAIL]
    assert inference_effects(_analysis(StatementInfo("SELECT", used=frozenset({EMAIL}))), _REVEAL) == ()
    assert inference_effects(_analysis(infers), RevealTable(_HIDDEN)) == ()


def test_what_is_not_known_may_be_any() -> None:
    (found,) = inference_effects(_analysis(StatementInfo("SELECT", used_known=False)), _REVEAL)
    assert (found.resource, found.facts["resolved"]) == (EMAIL, False)
    (found,) = inference_effects(_analysis(), _REVEAL)
    assert (found.resource, found.facts["resolved"]) == (EMAIL, False)


def test_what_is_prepared_counts() -> None:
    inner = _analysis(StatementInfo("SELECT", inferred=frozenset({EMAIL})))
    (found,) = inference_effects(_analysis(StatementInfo("PREPARE", prepares=NamedText("p", inner))), _REVEAL)
    assert (found.action, found.resource) == (Action.INFER, EMAIL)


_CLASSES = "data_classes: {pii: {mask: hash}}\nclassifications: [{connections: ['*'], columns: {public.customers.email: [pii]}}]"


def test_which_columns_are_strict() -> None:
    def strict(policy: str) -> frozenset[ColumnResource]:
        return bundle(policy, classifications=_CLASSES).reveal_table(ALICE, PROD, {}, NOW).strict

    assert strict('@id("a") permit (principal, action == Action::"connect", resource);') == frozenset()
    assert strict('@id("a") forbid (principal, action == Action::"infer", resource in DataClass::"pii");') == {EMAIL}
    # A rule that looks at the command has to be asked for each command.
    about = '@id("a") forbid (principal, action == Action::"infer", resource) when { context has limit };'
    assert strict(about) == {EMAIL}
    # One on trial is asked as well, so that it is seen in the audit.
    trial = '@id("a") @mode("observe") forbid (principal, action == Action::"infer", resource);'
    assert strict(trial) == {EMAIL}


def test_a_refusal_names_the_columns_and_what_to_do() -> None:
    policies = bundle('@id("a") forbid (principal, action == Action::"infer", resource);', classifications=_CLASSES)
    decision = policies.judge(ALICE, PROD, (effect(Action.INFER, EMAIL),), {}, NOW)
    assert isinstance(decision, Forbidden)
    assert decision.reason.startswith("`public.customers.email` is hidden from you, and may only be selected as it is")
    assert "select the column by itself" in decision.hint


def test_inference_may_wait_for_a_person() -> None:
    policies = bundle(
        '@id("a") @approval("dba") @reason("compares hidden values") forbid (principal, action == Action::"infer", resource);',
        classifications=_CLASSES,
    )
    decision = policies.judge(ALICE, PROD, (effect(Action.INFER, EMAIL),), {}, NOW)
    assert isinstance(decision, Held)
    lifted = policies.judge(ALICE, PROD, (effect(Action.INFER, EMAIL),), {}, NOW, lifted=frozenset(decision.policies))
    assert isinstance(lifted, Permitted)

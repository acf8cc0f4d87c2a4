"""Why a command is permitted, refused or held: a structured value, and its text for a terminal.

For whoever keeps the policies, not for the client: it quotes policies and the evaluator's own errors.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from interpose.model.analysis import Analysis, Effect, FactValue
from interpose.model.connection import Connection
from interpose.model.decisions import Decision, Forbidden, Held, Permitted
from interpose.model.ids import PolicyId
from interpose.model.masks import MaskRule, RevealTable
from interpose.model.principal import Principal
from interpose.policy.bundle import PolicyBundle
from interpose.policy.facts import FactError
from interpose.policy.findings import Finding, effect_words, shown
from interpose.policy.inference import inference_effects
from interpose.policy.matching import EvaluationError
from interpose.policy.rules import Rule
from interpose.policy.together import together


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with everything that led to it.

    `findings` is one for each effect; empty with a `failure` when the judgement could not be made. `reveal` is what is hidden from
    this principal on this connection, whatever the command. `person` is the same of the person that the principal acts for:
    `decision` and `reveal` are then those of both together.
    """

    principal: str
    connection: str
    decision: Decision
    findings: tuple[Finding, ...]
    reveal: RevealTable
    failure: str = ""
    person: Explanation | None = None


def explain(
    bundle: PolicyBundle,
    principal: Principal,
    connection: Connection,
    analysis: Analysis,
    facts: Mapping[str, FactValue],
    now: float,
    *,
    lifted: frozenset[PolicyId] = frozenset(),
    person: Principal | None = None,
) -> Explanation:
    """Judge, and keep the reasons. The decision is exactly that of a session's command with this analysis.

    `person` is whom the principal acts for.
    """
    own = _explain_one(bundle, principal, connection, analysis, facts, now, lifted)
    if person is None:
        return own
    theirs = _explain_one(bundle, person, connection, analysis, facts, now, lifted)
    return dataclasses.replace(
        own,
        decision=together(own.decision, theirs.decision, person.name),
        reveal=bundle.hidden_from_either(own.reveal, theirs.reveal),
        person=theirs,
    )


def _explain_one(
    bundle: PolicyBundle,
    principal: Principal,
    connection: Connection,
    analysis: Analysis,
    facts: Mapping[str, FactValue],
    now: float,
    lifted: frozenset[PolicyId],
) -> Explanation:
    reveal = bundle.reveal_table(principal, connection, facts, now)
    effects = (*analysis.effects, *inference_effects(analysis, reveal))
    decision = bundle.judge(principal, connection, effects, facts, now, lifted=lifted)
    findings: tuple[Finding, ...] = ()
    failure = ""
    try:
        findings = bundle.findings(principal, connection, effects, facts, now)
    except (FactError, EvaluationError) as error:
        failure = str(error)
    return Explanation(principal.label, connection.name, decision, findings, reveal, failure)


def decision_line(decision: Decision) -> str:
    """The decision in one line, with the policies that made it."""
    match decision:
        case Permitted():
            cap = decision.obligations.max_rows
            lifted = f", lifted: {_ids(decision.lifted)}" if decision.lifted else ""
            return f"permit by {_ids(decision.policies)}{lifted}{f', at most {cap} rows' if cap is not None else ''}"
        case Held():
            waits = "; ".join(
                f"{rule.count} of `{rule.approvers}` within {rule.ttl:g} s" for rule in decision.approvals
            )
            return f"hold by {_ids(decision.policies)}, for approval by {waits}: {decision.reason}"
        case Forbidden():
            by = f" by {_ids(decision.policies)}" if decision.policies else ""
            hint = f" ({decision.hint})" if decision.hint else ""
            return f"forbid{by}, {decision.code}: {decision.reason}{hint}"


def render(explanation: Explanation, *, source: bool = True) -> str:
    """The explanation as plain text; `source` adds the text of every policy that is named."""
    lines = [
        f"{shown(explanation.principal)} on {shown(explanation.connection)}",
        f"decision: {decision_line(explanation.decision)}",
    ]
    if explanation.failure:
        lines.append(f"not judged: {shown(explanation.failure)}")
    if explanation.decision.observed:
        lines.append(f"observed only: {_ids(explanation.decision.observed)}")
    named: dict[PolicyId, Rule] = {}
    lines += _finding_lines(explanation.findings, named)
    if explanation.person is not None:
        lines.append(f"the same asked of {shown(explanation.person.principal)}, for whom it acts:")
        lines.append(f"  decision: {decision_line(explanation.person.decision)}")
        lines += [f"  {line}" for line in _finding_lines(explanation.person.findings, named)]
    lines += _reveal_lines(explanation.reveal)
    if source and named:
        lines.append("policies:")
        for rule in named.values():
            lines.append(f"  # {rule.file}:{rule.line}")
            lines += [f"  {line}" for line in rule.text.splitlines()]
    return "\n".join(lines) + "\n"


def _finding_lines(findings: Sequence[Finding], named: dict[PolicyId, Rule]) -> list[str]:
    """What each effect met; the rules that are met are added to `named`."""
    lines = ["effects:" if findings else "effects: none"]
    for effects, finding in _grouped(findings):
        lines.append("  " + ", ".join(effect_words(effect) for effect in effects))
        facts = ", ".join(f"{name}={_fact(value)}" for name, value in sorted(finding.effect.facts.items()))
        if facts:
            lines.append(f"    facts: {facts}")
        for word, rules in (
            ("permitted", finding.permits),
            ("forbidden", finding.forbids),
            ("observed", finding.observing),
        ):
            for rule in rules:
                named[rule.id] = rule
                remedy = f", lifted by approval of `{rule.approval.approvers}`" if rule.approval is not None else ""
                lines.append(f"    {word} by {rule.id} ({rule.file}:{rule.line}){remedy}")
        lines += [f"    error in {ident or 'the evaluation'}: {shown(text)}" for ident, text in finding.errors]
        if not finding.permits:
            lines.append("    permitted by nothing")
    return lines


def _grouped(findings: Sequence[Finding]) -> list[tuple[list[Effect], Finding]]:
    """Neighbours that differ in their resource only are told together."""
    groups: list[tuple[list[Effect], Finding]] = []
    for finding in findings:
        if groups and _same(groups[-1][1], finding):
            groups[-1][0].append(finding.effect)
        else:
            groups.append(([finding.effect], finding))
    return groups


def _same(one: Finding, other: Finding) -> bool:
    return (
        one.effect.action is other.effect.action
        and one.effect.facts == other.effect.facts
        and (one.permits, one.forbids, one.observing, one.errors)
        == (other.permits, other.forbids, other.observing, other.errors)
    )


def _reveal_lines(reveal: RevealTable) -> list[str]:
    lines = [] if reveal else ["hidden values: none"]
    if reveal.columns:
        lines.append("hidden columns:")
        columns = {f"{column.schema}.{column.table}.{column.name}": rule for column, rule in reveal.columns.items()}
        strict = {f"{column.schema}.{column.table}.{column.name}" for column in reveal.strict}
        lines += [
            f"  {shown(name)}: {_mask(rule)}; mode {'strict' if name in strict else 'output'}"
            for name, rule in sorted(columns.items())
        ]
        lines.append(f"definitions and comments: {'hidden' if reveal.definitions else 'shown'}")
    if reveal.content:
        lines.append("hidden where detected:")
        lines += [f"  {name}: {_mask(rule)}" for name, rule in sorted(reveal.content.items())]
    return lines


def _mask(rule: MaskRule) -> str:
    return f"{rule.transform}, {'by ' + _ids(rule.policies) if rule.policies else 'nothing permits to reveal it'}"


def _ids(ids: Sequence[str]) -> str:
    return ", ".join(ids) if ids else "nothing"


def _fact(value: FactValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(shown(each) for each in value) + "]"
    return shown(str(value))

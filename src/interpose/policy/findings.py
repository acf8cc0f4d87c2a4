"""Findings: for each effect, which policies permit, forbid or only observe; and what decision they make together.

INVARIANT: nothing starts as allowed. A command is permitted only when it has effects and each has a permit and no forbid; every
other way out of here refuses or holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from interpose.model.actions import Action
from interpose.model.analysis import Effect
from interpose.model.decisions import Decision, Forbidden, Held, Obligations, Permitted
from interpose.model.ids import PolicyId, SnapshotDigest
from interpose.policy.names import describe
from interpose.policy.rules import Rule

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """What policy says of one effect.

    `permits` and `forbids` are the enforced policies that match; `observing` those that match and change nothing. `errors` are
    (policy, text) of enforced policies whose condition failed: any refuses.
    """

    effect: Effect
    permits: tuple[Rule, ...] = ()
    forbids: tuple[Rule, ...] = ()
    observing: tuple[Rule, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()


def combine(findings: Sequence[Finding], snapshot: SnapshotDigest, lifted: frozenset[PolicyId]) -> Decision:
    """The one decision over all effects, without exactly the forbids that were `lifted`.

    In this order: an error refuses, a forbid that nothing lifts refuses, an effect that nothing permits refuses, a forbid with a
    remedy holds. So nobody is asked to approve what would be refused all the same.
    """
    observed = tuple(dict.fromkeys(rule.id for finding in findings for rule in _observed(finding)))
    if not findings:
        return Forbidden(
            (), snapshot, "no_effect", "nothing is known of what this command would do", "send one complete statement"
        )
    refusal = _error(findings, snapshot, observed) or _forbidden(findings, snapshot, observed, lifted)
    refusal = refusal or _not_permitted(findings, snapshot, observed)
    if refusal is not None:
        return refusal
    matched = _distinct(rule for finding in findings for rule in finding.forbids)
    waiting = [rule for rule in matched if rule.id not in lifted]
    if waiting:
        # Only forbids with a remedy are left: `_forbidden` refused the others.
        approvals = tuple(rule.approval for rule in waiting if rule.approval is not None)
        return Held(tuple(rule.id for rule in waiting), snapshot, approvals, _held_reason(waiting), observed)
    permits = _distinct(rule for finding in findings for rule in finding.permits)
    caps = [rule.max_rows for rule in permits if rule.max_rows is not None]
    return Permitted(
        tuple(rule.id for rule in permits),
        snapshot,
        Obligations(max_rows=min(caps) if caps else None),
        observed,
        tuple(rule.id for rule in matched),
    )


def policy_error(snapshot: SnapshotDigest, detail: str, policies: tuple[PolicyId, ...] = ()) -> Forbidden:
    """The refusal for a judgement that could not be made. `detail` is safe to show."""
    return Forbidden(
        policies,
        snapshot,
        "policy_error",
        f"policy could not be evaluated: {detail}",
        "tell whoever keeps the policies",
    )


def _error(findings: Sequence[Finding], snapshot: SnapshotDigest, observed: tuple[PolicyId, ...]) -> Forbidden | None:
    failing = [finding for finding in findings if finding.errors]
    if not failing:
        return None
    ids = tuple(dict.fromkeys(PolicyId(ident) for finding in failing for ident, _ in finding.errors if ident))
    names = ", ".join(f"`{ident}`" for ident in ids)
    # The evaluator's own text may quote a fact's value, so it is for `explain` and not for the client.
    return Forbidden(
        ids,
        snapshot,
        "policy_error",
        f"policy {names} could not be evaluated" if ids else "policy could not be evaluated",
        "tell whoever keeps the policies; `interpose policy explain` shows the error",
        failing[0].effect,
        observed,
    )


def _forbidden(
    findings: Sequence[Finding], snapshot: SnapshotDigest, observed: tuple[PolicyId, ...], lifted: frozenset[PolicyId]
) -> Forbidden | None:
    # A plain forbid is never lifted, whatever ids are handed in.
    plain = [(finding, [rule for rule in finding.forbids if rule.approval is None]) for finding in findings]
    plain = [(finding, rules) for finding, rules in plain if rules]
    if not plain:
        return None
    effect, rules = plain[0][0].effect, plain[0][1]
    told = next((rule for rule in rules if rule.reason), rules[0])
    reason = f"{effect_words(effect)} is forbidden by policy `{told.id}`"
    hint = f"ask whoever keeps the policies about `{told.id}`"
    if effect.action is Action.INFER:
        reason, hint = inference_words([finding.effect for finding, _ in plain])
    return Forbidden(
        tuple(rule.id for rule in _distinct(rule for _, each in plain for rule in each)),
        snapshot,
        "forbidden",
        told.reason or reason,
        told.hint or hint,
        effect,
        observed,
    )


def _not_permitted(
    findings: Sequence[Finding], snapshot: SnapshotDigest, observed: tuple[PolicyId, ...]
) -> Forbidden | None:
    for finding in findings:
        if finding.permits:
            continue
        effect = finding.effect
        if effect.action is Action.UNKNOWN:
            return Forbidden(
                (),
                snapshot,
                "unknown_effect",
                f"what this would do to {shown(describe(effect.resource))} is not understood, and no policy permits that",
                "use a plainer form of the statement",
                effect,
                observed,
            )
        if effect.action is Action.INFER:
            refused = [each.effect for each in findings if not each.permits]
            reason, hint = inference_words(refused)
            return Forbidden((), snapshot, "inference", reason, hint, effect, observed)
        return Forbidden(
            (),
            snapshot,
            "not_permitted",
            f"no policy permits {effect_words(effect)}",
            "ask whoever keeps the policies for access",
            effect,
            observed,
        )
    return None


def _observed(finding: Finding) -> Iterable[Rule]:
    """Observing policies that would have changed the decision: forbids always, permits where nothing else permits or that cap."""
    for rule in finding.observing:
        if not rule.permits or not finding.permits or rule.max_rows is not None:
            yield rule


def _held_reason(waiting: Sequence[Rule]) -> str:
    reasons = dict.fromkeys(rule.reason or f"policy `{rule.id}` asks for approval" for rule in waiting)
    return "; ".join(reasons)


def _distinct(rules: Iterable[Rule]) -> list[Rule]:
    return list({rule.id: rule for rule in rules}.values())


def inference_words(effects: Iterable[Effect]) -> tuple[str, str]:
    """What is said of hidden columns that a command may not compute with, and what to write instead."""
    inferring = [effect for effect in effects if effect.action is Action.INFER]
    if any(effect.facts.get("resolved") is False for effect in inferring):
        return (
            "it cannot be told whether this computes with columns that are hidden from you",
            "write it as a plain statement over tables that exist, naming its columns",
        )
    names = list(dict.fromkeys(describe(effect.resource).removeprefix("column ") for effect in inferring))
    listed = ", ".join(f"`{shown(name)}`" for name in names[:5])
    are, they = ("are", "they are") if len(names) > 1 else ("is", "it is")
    uses = "not compared, sorted, grouped, joined, computed with or written"
    return (
        f"{listed} {are} hidden from you, and may only be selected as {they}: {uses}",
        "select the column by itself (it is shown masked), and filter, sort and join by other columns",
    )


def effect_words(effect: Effect) -> str:
    """An effect in a sentence: "`drop` on table public.customers"."""
    return f"`{effect.action.value}` on {shown(describe(effect.resource))}"


def shown(text: str) -> str:
    """Names as a terminal may print them: control characters replaced, and not longer than a line."""
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
